"""Where a cousin's things stand: moved on the floor, carried by what they stand on, none in another."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.cousins.deeper import deeper
from pocketworld.cousins.extent import corners, outer, there, whole
from pocketworld.families.protocol import Draw, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.apart import level, moved
from pocketworld.geometry.depth import SLACK, TOUCH, depth
from pocketworld.geometry.sweep import pieces_of
from pocketworld.scene import Asset, Base, Pose, Scene

Array = NDArray[np.float64]
CARRYING = ("on", "inside")  # relations by which a thing goes where another goes
SHARES = (1.0, 0.5, 0.25, 0.0)  # of a drawn way that are tried: a thing moves as far as there is room
PUSHES = 4  # times that a thing gives way to what has come nearer
FOOT = 0.7  # of a thing's outline: round feet and legs stand within it
ENOUGH = 4  # of the middle and the four corners of a foot: on so many a thing does not tip
LIES = 5e-3  # m: what is this near above a piece lies on it
RINGS, WAYS = 0.03, 16  # m between circles on which a place is looked for, and places on each
AWAY = 0.3  # m: no thing is pushed further at once
FIXING = ("against", "flush_with")  # relations that leave a thing no turn, and no way but along


def supports_first(scene: Scene) -> list[Asset]:
    """Return the assets, each after what it stands on; else in the scene's order."""
    height = heights(scene)
    return sorted(scene.assets, key=lambda asset: height[asset.id])


def heights(scene: Scene) -> dict[str, int]:
    """Return how many assets are below each, of those that it stands on or in."""
    ids = {asset.id for asset in scene.assets}
    on = {r.a: r.b for r in scene.relations if r.kind in CARRYING and r.b in ids}

    def height(id: str, seen: tuple[str, ...] = ()) -> int:
        below = on.get(id)
        return 0 if below is None or below in seen else 1 + height(below, (*seen, id))

    return {id: height(id) for id in ids}


def place(
    asset: Asset,
    was: Asset,
    scene: Scene,
    standing: Mapping[str, Asset],
    spread: Spread,
    draw: Draw,
    share: float = 1.0,
) -> Pose:
    """Return where a mutated asset stands, upright like the twin's.

    was        the twin's asset, whose pose the mutated one has: its back stays where it was, since furniture
               mostly stands with its back to something
    standing   what of the cousin is placed already: what stands on one of these, or in it, goes with it and
               stays on it
    spread     how far things move: to the right, inwards (m), turned (rad); things against others stay so
    share      of the way that was drawn
    """
    vary = Vary(spread, draw)
    x, y, turn = (share * vary.shifted(0.0, name) for name in ("x", "y", "yaw"))
    if any(r.kind in FIXING and asset.id in (r.a, r.b) for r in scene.relations):
        y, turn = 0.0, 0.0
    back = float(outer(was)[1][1] - outer(asset)[1][1])
    holds = [r for r in scene.relations if r.a == asset.id and r.b in standing and r.kind in CARRYING]
    support = min(holds, key=lambda r: CARRYING.index(r.kind), default=None)
    if x == y == turn == back == 0 and support is None:
        return asset.pose
    matrix = asset.pose.matrix
    if support is not None:
        rises = support.kind == "on"
        matrix = _carried(scene.asset(support.b), standing[support.b], rises)(matrix)
    foot = matrix @ np.array([x, y + back, 0.0, 1.0])
    heading = math.atan2(matrix[1, 0], matrix[0, 0]) + turn
    pose = Pose.upright((float(foot[0]), float(foot[1]), float(foot[2])), heading)
    if support is not None and support.kind == "on":
        over = _over(was, scene.asset(support.b))
        pose = _kept_on(replace(asset, pose=pose), standing[support.b], over)
    return pose


def clash(asset: Asset, standing: Mapping[str, Asset], scene: Scene) -> float:
    """Return how deep (m) an asset is in a placed one, if deeper than in the twin; 0 where all is free.

    By how much deeper: SLACK for two that are fixed, TOUCH where one is free to move. Measured on collision
    pieces, everything closed: what has none is in nobody's way.
    """
    others = [(id, other) for id, other in standing.items() if _solid(other)]
    if not others or not _solid(asset):
        return 0.0
    (low, high), boxes = there(asset), np.array([there(other) for _, other in others])
    close = (np.minimum(high, boxes[:, 1]) - np.maximum(low, boxes[:, 0]) > TOUCH).all(1)
    for i in np.flatnonzero(close):
        id, other = others[i]
        deep, slack = depth(asset, other), TOUCH if Base.FREE in (asset.base, other.base) else SLACK
        if deeper(deep, asset.id, id, scene, depth, slack):
            return deep
    return 0.0


def _solid(asset: Asset) -> bool:
    """Say whether one can bump into an asset at all."""
    return any(part.pieces for part in asset.parts)


def borne(asset: Asset, scene: Scene, standing: Mapping[str, Asset]) -> bool:
    """Say whether what a free thing stands on is below its foot, as much as in the twin or enough.

    A worktop may have a hole for its sink.
    """
    below = next(
        (r.b for r in scene.relations if r.kind == "on" and r.a == asset.id and r.b in standing), None
    )
    if below is None or asset.base is not Base.FREE:
        return True
    was = _over_pieces(scene.asset(asset.id), scene.asset(below))
    return _over_pieces(asset, standing[below]) >= min(was, ENOUGH)


def _over_pieces(asset: Asset, support: Asset) -> int:
    """Return how many of the middle and the corners of a thing's foot, drawn in a little, lie on a piece."""
    if not (_solid(asset) and _solid(support)):
        return 0
    low, high = whole(asset)
    middle, half = (low + high)[:2] / 2, (high - low)[:2] / 2 * FOOT
    marks = [
        (*(middle + half * corner), low[2], 1.0) for corner in ((0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
    ]
    points = (np.array(marks) @ (np.linalg.inv(support.pose.matrix) @ asset.pose.matrix).T)[:, :3]
    below = pieces_of(support.parts)
    lows, highs = below.low, below.high
    inside = (points[:, None, :2] >= lows[:, :2]).all(2) & (points[:, None, :2] <= highs[:, :2]).all(2)
    on = inside & (np.abs(points[:, None, 2] - highs[:, 2]) < LIES)
    return int(on.any(1).sum())


def freed(asset: Asset, standing: Mapping[str, Asset], scene: Scene) -> Asset:
    """Return a free thing pushed aside, level, where what grew beside it has come too near."""
    for _ in range(PUSHES):
        met = next((id for id, other in standing.items() if _meets(asset, other, scene)), None)
        if met is None:
            return asset
        push = _aside(asset, standing[met])
        if push is None or float(np.linalg.norm(push)) > AWAY:
            return asset
        x, y, z = (float(v) for v in np.add(asset.pose.position, push))
        asset = replace(asset, pose=Pose((x, y, z), asset.pose.wxyz))
    return asset


def fits(asset: Asset, standing: Mapping[str, Asset], scene: Scene) -> bool:
    """Say whether an asset has room where it is, and what it stands on is below it."""
    return not clash(asset, standing, scene) and borne(asset, scene, standing)


def nearby(asset: Asset, was: Asset, scene: Scene, standing: Mapping[str, Asset]) -> Iterator[Pose]:
    """Give other places for an asset that has no room where it is, the nearest first, each level with it.

    What stands on something may go anywhere on it, along its front where it is against something; what stands
    on the floor keeps, where it grew, one of its sides where it was.
    """
    relations = [r for r in scene.relations if asset.id in (r.a, r.b)]
    if any(r.a == asset.id and r.kind in CARRYING and r.b in standing for r in relations):
        along = any(r.kind in FIXING for r in relations)
        shifts = _steps(asset) if along else _rings()
    else:
        shifts = _sides(asset, was)
    x, y, z = asset.pose.position
    for dx, dy in shifts:
        yield Pose((x + dx, y + dy, z), asset.pose.wxyz)


def _steps(asset: Asset) -> Iterator[tuple[float, float]]:
    """Give shifts (m) to either side of an asset, the smallest first, up to AWAY."""
    right = asset.pose.matrix[:2, 0]
    for step in range(1, round(AWAY / RINGS) + 1):
        for sign in (-1, 1):
            yield float(sign * step * RINGS * right[0]), float(sign * step * RINGS * right[1])


def _sides(asset: Asset, was: Asset) -> Iterator[tuple[float, float]]:
    """Give the shifts (m) by which a side of an asset comes to where it was before it grew."""
    right = asset.pose.matrix[:2, 0]
    for old, new in zip(outer(was), outer(asset), strict=True):
        if move := float(old[0] - new[0]):
            yield float(move * right[0]), float(move * right[1])


def kept(asset: Asset, scene: Scene, standing: Mapping[str, Asset]) -> Pose:
    """Return where a twin's asset stays that could not be drawn: carried by what it stands on.

    A free thing that would not lie there, or would be in another, is moved level by as little as helps.
    """
    still = Spread(doubt=False)
    there = replace(asset, pose=place(asset, asset, scene, standing, still, _undrawn))
    if asset.base is not Base.FREE:
        return there.pose
    x, y, z = there.pose.position
    for dx, dy in _rings():
        here = replace(there, pose=Pose((x + dx, y + dy, z), there.pose.wxyz))
        if fits(here, standing, scene):
            return here.pose
    return there.pose


def _rings() -> Iterator[tuple[float, float]]:
    """Give shifts on circles, m, the smallest first, up to AWAY."""
    yield 0.0, 0.0
    for ring in range(1, round(AWAY / RINGS) + 1):
        for turn in range(WAYS):
            angle = 2 * math.pi * turn / WAYS
            yield ring * RINGS * math.cos(angle), ring * RINGS * math.sin(angle)


def _undrawn(name: str) -> np.random.Generator:
    raise AssertionError(f"{name}: what stays is not drawn")


def _aside(asset: Asset, other: Asset) -> Array | None:
    """Return the longest level shift (3,), m, that a piece of an asset needs to get out of another asset."""
    mine, theirs = ([moved(s, a.pose.matrix) for s in pieces_of(a.parts).shapes] for a in (asset, other))
    found = [push for a in mine for b in theirs if (push := level(a, b)) is not None]
    return max(found, key=lambda push: float(np.linalg.norm(push)), default=None)


def _meets(asset: Asset, other: Asset, scene: Scene) -> bool:
    return clash(asset, {other.id: other}, scene) > 0


def _carried(was: Asset, now: Asset, rises: bool) -> Callable[[Array], Array]:
    """Return how a pose (4, 4) on top of an asset moves when the asset becomes another one.

    A place on it stays as far along it as it was.
    """
    (low, high), (new_low, new_high) = outer(was), outer(now)
    grown = (new_high - new_low)[:2] / (high - low)[:2]

    def move(matrix: Array) -> Array:
        local = np.linalg.inv(was.pose.matrix) @ matrix
        local[:2, 3] = (local[:2, 3] - (low + high)[:2] / 2) * grown + (new_low + new_high)[:2] / 2
        local[2, 3] += (new_high - high)[2] if rises else 0.0
        moved: Array = now.pose.matrix @ local
        return moved

    return move


def _over(asset: Asset, support: Asset) -> Array:
    """Return how far (2,), m, a thing stands out over what it stands on, each way at most."""
    low, high = _in_frame(asset, support)
    rim_low, rim_high = outer(support)
    return np.maximum(np.maximum(rim_low - low, high - rim_high)[:2], 0.0)


def _kept_on(asset: Asset, support: Asset, over: Array) -> Pose:
    """Return the pose of a thing moved back onto its support; it stands out by `over` (2,), m, at most."""
    low, high = _in_frame(asset, support)
    rim_low, rim_high = outer(support)
    least, most = (rim_low[:2] - over) - low[:2], (rim_high[:2] + over) - high[:2]
    move = np.where(least > most, 0.0, np.clip(0.0, least, most))
    if not move.any():
        return asset.pose
    by = support.pose.matrix[:3, :2] @ move
    x, y, z = (float(v) for v in np.add(asset.pose.position, by))
    return Pose((x, y, z), asset.pose.wxyz)


def _in_frame(asset: Asset, support: Asset) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,) of all of an asset, in another's frame, m."""
    by = np.linalg.inv(support.pose.matrix) @ asset.pose.matrix
    points = np.concatenate([corners(part) for part in asset.parts]) @ by[:3, :3].T + by[:3, 3]
    return points.min(0), points.max(0)
