"""Where a cousin's things stand: moved on the floor, carried by what they stand on, none in another."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.families.protocol import Draw, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.convex import rotation
from pocketworld.scene import Asset, Mesh, Part, Pose, Scene

Array = NDArray[np.float64]
FIXING = ("against", "flush_with")  # relations that leave a thing no turn and no way but along
SLACK = 1e-3  # m: touching is no overlap


@dataclass(frozen=True, slots=True)
class Block:
    """The upright box round an asset, in the scene (m, rad).

    centre (x, y); half sizes along its own x and y; yaw of its x; low and high along z
    """

    centre: tuple[float, float]
    half: tuple[float, float]
    yaw: float
    low: float
    high: float


def block(asset: Asset) -> Block:
    """Return the box round all that an asset's parts bump into (their looks, where nothing bumps), closed."""
    points = np.concatenate([_points(part) for part in asset.parts])
    low, high = points.min(0), points.max(0)
    matrix = asset.pose.matrix
    centre = matrix[:3, :3] @ ((low + high) / 2) + matrix[:3, 3]
    half = (high - low) / 2
    return Block(
        (float(centre[0]), float(centre[1])),
        (float(half[0]), float(half[1])),
        yaw(asset.pose),
        float(centre[2] - half[2]),
        float(centre[2] + half[2]),
    )


def overlap(a: Block, b: Block) -> float:
    """Return how deep two boxes are in each other, m: by separating axes; 0 where they are apart or touch."""
    depth = min(a.high, b.high) - max(a.low, b.low)
    offset = np.subtract(b.centre, a.centre)
    for turn in (a.yaw, a.yaw + math.pi / 2, b.yaw, b.yaw + math.pi / 2):
        axis = np.array([math.cos(turn), math.sin(turn)])
        depth = min(depth, _reach(a, axis) + _reach(b, axis) - abs(float(offset @ axis)))
    return max(depth, 0.0)


def yaw(pose: Pose) -> float:
    """Return how far something that stands upright is turned about z, rad."""
    turn = rotation(pose.wxyz)
    return math.atan2(turn[1, 0], turn[0, 0])


def place(
    asset: Asset, was: Asset, scene: Scene, standing: Mapping[str, Asset], spread: Spread, draw: Draw
) -> Pose:
    """Return where a mutated asset stands.

    was        the twin's asset, whose pose the mutated one has: its back stays where it was, since furniture
               mostly stands with its back to something
    standing   what of the cousin is placed already: what stands on one of these goes with it
    spread     how far things move: to the right, inwards (m), turned (rad); things against others stay so
    """
    on = [r.b for r in scene.relations if r.kind == "on" and r.a == asset.id and r.b in standing]
    matrix = asset.pose.matrix
    if on:
        matrix = _carried(scene.asset(on[0]), standing[on[0]]) @ matrix
    back = _back(was) - _back(asset)
    vary = Vary(spread, draw)
    x, y, turn = (vary.shifted(0.0, name) for name in ("x", "y", "yaw"))
    if any(r.kind in FIXING and asset.id in (r.a, r.b) for r in scene.relations):
        y, turn = 0.0, 0.0
    foot = matrix @ np.array([x, y + back, 0.0, 1.0])
    if x == y == turn == back == 0 and not on:
        return asset.pose
    heading = math.atan2(matrix[1, 0], matrix[0, 0]) + turn
    return Pose.upright((float(foot[0]), float(foot[1]), float(foot[2])), heading)


def supports_first(scene: Scene) -> list[Asset]:
    """Return the assets, each after what it stands on; else in the scene's order."""
    on = {r.a: r.b for r in scene.relations if r.kind == "on"}
    ids = {asset.id for asset in scene.assets}

    def height(id: str, seen: tuple[str, ...] = ()) -> int:
        below = on.get(id)
        return 0 if below not in ids or below in seen else 1 + height(below, (*seen, id))

    return sorted(scene.assets, key=lambda asset: height(asset.id))


def clash(asset: Asset, standing: Mapping[str, Asset], scene: Scene) -> float:
    """Return how deep (m) an asset is in a placed one, if deeper than in the twin; 0 where all is free."""
    here = block(asset)
    for id, other in standing.items():
        depth = overlap(here, block(other))
        if depth > overlap(block(scene.asset(asset.id)), block(scene.asset(id))) + SLACK:
            return depth
    return 0.0


def _carried(was: Asset, now: Asset) -> Array:
    """Return how something on top of an asset moves when the asset becomes another one (4, 4)."""
    top = block(now).high - block(was).high + was.pose.position[2] - now.pose.position[2]
    rise = np.eye(4)
    rise[2, 3] = top
    return rise @ now.pose.matrix @ np.linalg.inv(was.pose.matrix)


def _back(asset: Asset) -> float:
    """Return how far an asset reaches inwards, in its own frame, m."""
    return max(float(_points(part)[:, 1].max()) for part in asset.parts)


def _points(part: Part) -> Array:
    """Return the corners (n, 3) of a part's pieces, of its meshes where it has none."""
    pieces = [piece.vertices for piece in part.pieces] or [_vertices(mesh) for mesh in part.meshes]
    return np.concatenate(pieces)


def _vertices(mesh: Mesh) -> Array:
    return np.asarray(mesh.vertices, float)


def _reach(box: Block, axis: Array) -> float:
    """Return how far a box reaches from its centre along a horizontal unit vector, m."""
    along = box.yaw - math.atan2(axis[1], axis[0])
    return box.half[0] * abs(math.cos(along)) + box.half[1] * abs(math.sin(along))
