"""Things are put where they would lie: out of each other, down on what is below them, on a side that carries.

Geometry only, no engine: standing still in one is the check, not the method. Furniture and walls stay, things
give way, each by as little as it takes: it turns until a side of its hull lies level, is lowered or raised
until it just touches what it stands on, and is pushed level out of what it stands in. What hangs in the air
or finds no room is fixed where it is; what no side carries stays free. Both are said.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.apart import level, moved, rise
from pocketworld.geometry.resting import carrying
from pocketworld.geometry.separating import Shape, shape
from pocketworld.scene import Asset, Base, Pose, Scene

Array = NDArray[np.float64]
TOUCHING = 1e-4  # m: two pieces that overlap by less touch
TOLD = 5e-3  # m: what moves further than a scan's own noise is told
LEANS = math.radians(10)  # a scan's lean: what would have to turn further was not seen standing
SUNK = 0.05  # m: a thing that is so deep in its support is raised out of it
STEP = 2e-3  # m: and so deep in what it does not stand on; else it is pushed aside
AWAY = 0.5  # m: a thing that would have to go further is fixed, and a finding says so
ROUNDS = 8  # each pushes a thing out of what it stands deepest in
RING = 0.03  # m between the circles on which a free place is looked for
HANGS = 0.15  # m: a thing that would fall so far hung on, or lay on, something that was not seen


@dataclass(frozen=True, eq=False, slots=True)
class _Body:
    """A thing in the scene: shapes, the boxes around each (k, 3), all corners (n, 3), centre of mass; m."""

    shapes: tuple[Shape, ...]
    low: Array
    high: Array
    points: Array
    com: Array


def settled(scene: Scene) -> tuple[Scene, tuple[Finding, ...]]:
    """Return a scene whose free things lie still, and what moved notably, was fixed, or may not lie still."""
    ids = {asset.id for asset in scene.assets}
    on = {r.a: r.b for r in scene.relations if r.kind in ("on", "inside") and r.b in ids}
    done = {asset.id: asset for asset in scene.assets if asset.base is Base.FIXED}
    findings: list[Finding] = []
    for thing in _from_below(scene, on):
        carried = _carried(thing, scene, on.get(thing.id), done)
        done[thing.id], told = _settle(carried, done, on.get(thing.id))
        findings += _findings(thing, carried, done[thing.id], told)
    assets = tuple(done[asset.id] for asset in scene.assets)
    return replace(scene, assets=assets, findings=(*scene.findings, *findings)), tuple(findings)


def _from_below(scene: Scene, on: Mapping[str, str]) -> list[Asset]:
    """Return the free things, each after what it stands on, else the lower ones first."""

    def below(id: str, seen: tuple[str, ...] = ()) -> int:
        return 0 if id not in on or id in seen else 1 + below(on[id], (*seen, id))

    free = [asset for asset in scene.assets if asset.base is Base.FREE and any(p.pieces for p in asset.parts)]
    bare = [asset for asset in scene.assets if asset.base is Base.FREE and asset not in free]
    return [*sorted(free, key=lambda a: (below(a.id), float(_body(a).points[:, 2].min()), a.id)), *bare]


def _carried(thing: Asset, scene: Scene, support: str | None, done: Mapping[str, Asset]) -> Asset:
    """Return a thing that went along with what it stands on."""
    if support is None or support not in done:
        return thing
    by = done[support].pose.matrix @ se3.inverse(scene.asset(support).pose.matrix)
    return thing if np.allclose(by, np.eye(4), atol=1e-12) else _posed(thing, by @ thing.pose.matrix)


def _settle(thing: Asset, done: Mapping[str, Asset], support: str | None) -> tuple[Asset, str | None]:
    """Return a thing where it lies, and what could not be put right, in words: it is fixed, unless all it
    lacks is a side that carries it.
    """
    if not any(part.pieces for part in thing.parts):
        return thing, None
    upright, turned = _level(thing)
    others = {id: _body(asset) for id, asset in done.items() if any(part.pieces for part in asset.parts)}
    start = _lowered(upright, others, support)
    if support is None and upright.pose.position[2] - start.pose.position[2] > HANGS:
        return replace(thing, base=Base.FIXED), "it hangs in the air: what holds it was not seen"
    here = _beside(start, others, support) or _nearest(start, others, support)
    if here is None:
        return replace(start, base=Base.FIXED), "it stands in something, and has no room beside it"
    return here, None if turned else "no side of it carries it"


def _beside(start: Asset, others: Mapping[str, _Body], support: str | None) -> Asset | None:
    """Return a thing pushed out of what it stands deepest in until it is free; None where it never is."""
    here = start
    for _ in range(ROUNDS):
        push = _push(_body(here), tuple(others.values()))
        if push is None:
            return here
        here = _lowered(_shifted(here, push), others, support)
        if not _held(here, start, support):
            return None
    return None


def _nearest(start: Asset, others: Mapping[str, _Body], support: str | None) -> Asset | None:
    """Return a thing at the nearest free place of those on circles around it; None where none is free."""
    for r in np.arange(RING, AWAY, RING):
        for angle in np.arange(0, 2 * math.pi, math.pi / 8):
            there = _shifted(start, r * np.array([math.cos(angle), math.sin(angle), 0.0]))
            here = _lowered(there, others, support)
            if _held(here, start, support) and _push(_body(here), tuple(others.values())) is None:
                return here
    return None


def _held(here: Asset, start: Asset, support: str | None) -> bool:
    """Say whether a thing is not too far off, and as high as it was if something holds it there."""
    near = math.dist(here.pose.position[:2], start.pose.position[:2]) <= AWAY
    return near and (support is None or abs(here.pose.position[2] - start.pose.position[2]) <= SUNK)


def _level(thing: Asset) -> tuple[Asset, bool]:
    """Return a thing turned until its side that carries it lies level, and whether it has one near enough."""
    body = _body(thing)
    side = carrying(body.points, body.com)
    if side is None or side.normal[2] > -math.cos(LEANS):
        return thing, False
    turn = np.cross(side.normal, (0.0, 0.0, -1.0))
    angle = math.atan2(float(np.linalg.norm(turn)), -float(side.normal[2]))
    if angle < 1e-9:
        return thing, True
    about = np.eye(4)
    about[:3, :3] = se3.exp(np.array([0, 0, 0, *(turn / np.linalg.norm(turn) * angle)]))[:3, :3]
    about[:3, 3] = body.com - about[:3, :3] @ body.com
    return _posed(thing, about @ thing.pose.matrix), True


def _lowered(thing: Asset, others: Mapping[str, _Body], support: str | None) -> Asset:
    """Return a thing raised or lowered until it just lies on what is below it, be it the floor."""
    body = _body(thing)
    ways = [-float(body.points[:, 2].min())]
    for id, other in others.items():
        most = SUNK if id == support or support is None else STEP
        ups = (rise(a, b) for a, b in _over(body, other))
        ways += [up for up in ups if up is not None and up <= most]
    up = max(ways)
    return _shifted(thing, np.array((0.0, 0.0, up))) if abs(up) > 1e-9 else thing


def _over(one: _Body, other: _Body) -> Iterator[tuple[Shape, Shape]]:
    """Go through the pairs of shapes whose boxes overlap as seen from above."""
    low = np.maximum(one.low[:, None, :2], other.low[None, :, :2])
    high = np.minimum(one.high[:, None, :2], other.high[None, :, :2])
    for i, j in np.argwhere((high > low).all(2)).tolist():
        yield one.shapes[i], other.shapes[j]


def _push(body: _Body, others: Sequence[_Body]) -> Array | None:
    """Return the level shift (3,), m, out of what a thing stands deepest in; None where it only touches."""
    found = (level(a, b, TOUCHING) for other in others for a, b in _over(body, other))
    pushes = [push for push in found if push is not None]
    return max(pushes, key=lambda push: float(np.linalg.norm(push)), default=None)


def _body(asset: Asset) -> _Body:
    matrix = asset.pose.matrix
    shapes = tuple(moved(shape(piece), matrix) for part in asset.parts for piece in part.pieces)
    masses = np.array([part.mass for part in asset.parts])
    com = np.average([part.com for part in asset.parts], axis=0, weights=masses if masses.sum() else None)
    low = np.array([s.vertices.min(0) for s in shapes])
    high = np.array([s.vertices.max(0) for s in shapes])
    points = np.concatenate([s.vertices for s in shapes])
    return _Body(shapes, low, high, points, matrix[:3, :3] @ com + matrix[:3, 3])


def _shifted(asset: Asset, by: Array) -> Asset:
    x, y, z = (float(v) for v in np.add(asset.pose.position, by))
    return replace(asset, pose=Pose((x, y, z), asset.pose.wxyz))


def _posed(asset: Asset, matrix: Array) -> Asset:
    x, y, z = (float(v) for v in matrix[:3, 3])
    w, i, j, k = (float(v) for v in se3.quaternion(matrix[:3, :3]))
    return replace(asset, pose=Pose((x, y, z), (w, i, j, k)))


def _findings(was: Asset, carried: Asset, now: Asset, told: str | None) -> Iterator[Finding]:
    """Tell what moved by itself by more than TOLD, and what could not be put right."""
    if told is not None:
        what = "is fixed where it is" if now.base is Base.FIXED else "may not stand still"
        text = f"{was.id} {what}: {told}"
        yield Finding("not-settled", Severity.DEGRADED, "reconstruct", was.id, text)
    way = np.subtract(now.pose.position, carried.pose.position)
    moved_m = float(np.linalg.norm(way))
    turned = float(np.linalg.norm(se3.log(se3.inverse(carried.pose.matrix) @ now.pose.matrix)[3:]))
    if moved_m > TOLD:
        numbers = {"moved_m": moved_m, "raised_m": float(way[2]), "turned_rad": turned}
        text = f"{was.id} was put on what it stands on, out of what it stood in"
        yield Finding("settled", Severity.NOTE, "reconstruct", was.id, text, numbers)
