"""Where a cousin's things stand: moved on the floor, carried by what they stand on, none in another."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pocketworld.families.protocol import Draw, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.separating import depths, shape
from pocketworld.scene import Asset, Part, Pose, Scene

Array = NDArray[np.float64]
FIXING = ("against", "flush_with")  # relations that leave a thing no turn, and no way but along
SLACK = 1e-3  # m: touching is no overlap


def supports_first(scene: Scene) -> list[Asset]:
    """Return the assets, each after what it stands on; else in the scene's order."""
    on = {r.a: r.b for r in scene.relations if r.kind == "on"}
    ids = {asset.id for asset in scene.assets}

    def height(id: str, seen: tuple[str, ...] = ()) -> int:
        below = on.get(id)
        return 0 if below not in ids or below in seen else 1 + height(below, (*seen, id))

    return sorted(scene.assets, key=lambda asset: height(asset.id))


def place(
    asset: Asset, was: Asset, scene: Scene, standing: Mapping[str, Asset], spread: Spread, draw: Draw
) -> Pose:
    """Return where a mutated asset stands, upright like the twin's.

    was        the twin's asset, whose pose the mutated one has: its back stays where it was, since furniture
               mostly stands with its back to something
    standing   what of the cousin is placed already: what stands on one of these goes with it
    spread     how far things move: to the right, inwards (m), turned (rad); things against others stay so
    """
    vary = Vary(spread, draw)
    x, y, turn = (vary.shifted(0.0, name) for name in ("x", "y", "yaw"))
    if any(r.kind in FIXING and asset.id in (r.a, r.b) for r in scene.relations):
        y, turn = 0.0, 0.0
    back = _extent(was)[1][1] - _extent(asset)[1][1]
    on = (r.b for r in scene.relations if r.kind == "on" and r.a == asset.id)
    support = next((id for id in on if id in standing), None)
    if x == y == turn == back == 0 and support is None:
        return asset.pose
    matrix = asset.pose.matrix
    if support is not None:
        matrix = _carried(scene.asset(support), standing[support]) @ matrix
    foot = matrix @ np.array([x, y + back, 0.0, 1.0])
    heading = math.atan2(matrix[1, 0], matrix[0, 0]) + turn
    return Pose.upright((float(foot[0]), float(foot[1]), float(foot[2])), heading)


def clash(asset: Asset, standing: Mapping[str, Asset], scene: Scene) -> float:
    """Return how deep (m) an asset is in a placed one, if deeper than in the twin; 0 where all is free.

    Measured on collision pieces, everything closed: what has none is in nobody's way.
    """
    for id, other in standing.items():
        deep = depth(asset, other)
        if deep > SLACK and deep > depth(scene.asset(asset.id), scene.asset(id)) + SLACK:
            return deep
    return 0.0


def depth(a: Asset, b: Asset) -> float:
    """Return how deep (m) the collision pieces of two assets are in each other; 0 where they are apart."""
    b_from_a = np.linalg.inv(b.pose.matrix) @ a.pose.matrix
    mine = [shape(piece) for part in a.parts for piece in part.pieces]
    theirs = [shape(piece) for part in b.parts for piece in part.pieces]
    if not mine or not theirs:
        return 0.0
    moved = [s.vertices @ b_from_a[:3, :3].T + b_from_a[:3, 3] for s in mine]
    low, high = np.array([v.min(0) for v in moved]), np.array([v.max(0) for v in moved])
    b_low = np.array([s.vertices.min(0) for s in theirs])
    b_high = np.array([s.vertices.max(0) for s in theirs])
    near = (np.minimum(high[:, None], b_high) - np.maximum(low[:, None], b_low) > SLACK).all(2)
    return max(
        (float(depths(mine[i], theirs[j], b_from_a[None])[0]) for i, j in np.argwhere(near)), default=0.0
    )


def _carried(was: Asset, now: Asset) -> Array:
    """Return how something on top of an asset moves when the asset becomes another one (4, 4)."""
    rise = np.eye(4)
    rise[2, 3] = _extent(now)[1][2] - _extent(was)[1][2]
    moved: Array = rise @ now.pose.matrix @ np.linalg.inv(was.pose.matrix)
    return moved


def _extent(asset: Asset) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,) of an asset's parts, in its own frame, m."""
    points = np.concatenate([_points(part) for part in asset.parts])
    return points.min(0), points.max(0)


def _points(part: Part) -> Array:
    """Return the corners (n, 3) of a part's pieces, of its meshes where it has none."""
    corners = [piece.vertices for piece in part.pieces] or [
        np.asarray(m.vertices, float) for m in part.meshes
    ]
    return np.concatenate([*corners, np.empty((0, 3))])
