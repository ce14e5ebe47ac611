"""Chairs of which only the back shows, behind a table: furniture that comes in sets is known by its siblings.

A back that rises over a table says where a chair stands and how wide and high it is, no more. If the room
has a chair whose back is the same, it is taken for another of these; it faces the table, unless
it would stand where the room was seen to be empty.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, KDTree

from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.backing import sampled
from pocketworld.reconstruct.objects.emptiness import PLACES, seen_empty
from pocketworld.reconstruct.objects.freestanding import on_floor
from pocketworld.reconstruct.objects.things import Thing
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.room.floor import Floor
from pocketworld.scan.capture import Capture
from pocketworld.scene import Asset, Pose

Array = NDArray[np.float64]

SETS = ("chair",)  # families that come in sets
TABLE = "table"
ALIKE = 0.06  # m by which width and upper end may differ: twice what depth errs by over a room
NEAR = 0.03  # m: surface so near an asset is explained by it
EXPLAINED = 0.8  # of the surface: what shows is the sibling's, not something else
EMPTY = 0.2  # of the asset that was seen to be empty, at most: depth errs at its edges
ROUNDS = 12  # of moving it onto the surface
SITS = 0.5, 1.5  # m before the middle of a chair; and from there to the middle of a table at which one sits


@dataclass(frozen=True, eq=False, slots=True)
class _Way:
    """An asset as it may stand: what of the surface it explains, and how far from a table one sits."""

    asset: Asset
    explained: float
    seat: float


def siblings(
    fragments: Sequence[Thing], placed: Sequence[Placed], capture: Capture, floor: Floor
) -> tuple[Placed, ...]:
    """Return the fragments that are taken for others of what was placed, each as such by its own id."""
    models = [one.asset for one in placed if one.asset.family in SETS]
    tables = np.array([one.asset.pose.position[:2] for one in placed if one.asset.family == TABLE])
    ways = [(thing, way) for thing in fragments for way in _ways(thing, models, tables.reshape(-1, 2))]
    if not ways:
        return ()
    empty = seen_empty(capture, floor.scene_from_world, [_box(way.asset) for _, way in ways])
    sound = [
        (thing, way, share)
        for (thing, way), places in zip(ways, empty, strict=True)
        if (share := _emptied(way.asset, places)) <= EMPTY
    ]
    return tuple(_placed(thing, own) for thing in fragments if (own := _own(thing, sound)))


def _own(thing: Thing, sound: Sequence[tuple[Thing, _Way, float]]) -> list[tuple[_Way, float]]:
    return [(way, share) for other, way, share in sound if other is thing]


def _ways(thing: Thing, models: Sequence[Asset], tables: Array) -> Iterator[_Way]:
    """Yield how models may stand so that their backs are a thing's surface, facing one way or the other."""
    points = thing.surface.vertices
    for model in models:
        high, wide = _outer(model)[1][2], np.ptp([corner[0] for corner in _outer(model)])
        across = thing.box if thing.box.size[0] >= thing.box.size[1] else thing.box.turned(1)
        if abs(points[:, 2].max() - high) > ALIKE or abs(across.size[0] - wide) > ALIKE:
            continue
        for turn in (0.0, math.pi):
            asset = _moved_onto(model, points, across.foot[:2], across.yaw + turn)
            share = float((_distances(asset, points) < NEAR).mean())
            if share >= EXPLAINED:
                yield _Way(asset, share, _from_table(asset, tables))


def _from_table(asset: Asset, tables: Array) -> float:
    """Return how far who sits there is from the nearest table, by the middles (n, 2) of those, m."""
    before = asset.pose.matrix[:2, 3] - asset.pose.matrix[:2, 1] * SITS[0]
    far = float(np.linalg.norm(tables - before, axis=1).min(initial=math.inf))
    return far if far < SITS[1] else math.inf


def _moved_onto(model: Asset, points: Array, middle: tuple[float, float], yaw: float) -> Asset:
    """Return a model, turned so, with its back moved onto a surface (n, 3)."""
    outside = sampled(model.parts[0].meshes)[0]
    back = _outer(model)[1][1]
    x, y = np.array(middle) - back * np.array((-math.sin(yaw), math.cos(yaw)))
    for _ in range(ROUNDS):
        pose = Pose.upright((float(x), float(y), 0.0), yaw)
        there = se3.apply(pose.matrix, outside)
        near, which = KDTree(there).query(points)
        kept = np.asarray(near) <= np.median(near) + NEAR
        x, y = np.array((x, y)) + (points[kept] - there[np.asarray(which, np.intp)[kept]])[:, :2].mean(0)
    return replace(model, pose=Pose.upright((float(x), float(y), 0.0), yaw))


def _distances(asset: Asset, points: Array) -> Array:
    """Return (n,) m: how far points are from an asset's outside."""
    there = se3.apply(asset.pose.matrix, sampled(asset.parts[0].meshes)[0])
    return np.asarray(KDTree(there).query(points)[0])


def _outer(asset: Asset) -> tuple[Array, Array]:
    points = np.concatenate([piece.vertices for piece in asset.parts[0].pieces])
    return points.min(0), points.max(0)


def _box(asset: Asset) -> UprightBox:
    low, high = _outer(asset)
    x, y, z = (float(v) for v in se3.apply(asset.pose.matrix, np.array([[*(low + high)[:2] / 2, low[2]]]))[0])
    yaw = math.atan2(asset.pose.matrix[1, 0], asset.pose.matrix[0, 0])
    width, depth, height = (float(v) for v in high - low)
    return UprightBox((x, y, z), yaw, (width, depth, height))


def _emptied(asset: Asset, places: Array) -> float:
    """Return the share of an asset that was seen to be empty, by places (m, 3) of its box that were."""
    own = se3.apply(se3.inverse(asset.pose.matrix), places)
    inside, volume = np.zeros(len(own), bool), 0.0
    for piece in asset.parts[0].pieces:
        inside |= Delaunay(piece.vertices).find_simplex(own) >= 0
        volume += piece.volume
    return float(inside.sum()) * math.prod(_box(asset).size) / PLACES / max(volume, 1e-9)


def _placed(thing: Thing, own: Sequence[tuple[_Way, float]]) -> Placed:
    """Return a thing as the way to stand that faces a table, or else that was seen least empty."""
    best, share = min(own, key=lambda one: (one[0].seat, one[1]))
    asset = replace(best.asset, id=thing.id)
    text = f"only its back was seen: it is taken for another {asset.family} of those in the room"
    numbers = {"explained": round(best.explained, 3), "seen_empty": round(share, 3)}
    found = Finding("taken-for-sibling", Severity.DEGRADED, "reconstruct", thing.id, text, numbers)
    return Placed(asset, (found,), relations=on_floor(asset))
