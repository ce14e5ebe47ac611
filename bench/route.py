"""Where a person walks who scans a room with furniture along its walls, and where its lamps hang.

Everything follows from the scene: rows are what has fronts and faces the same way; the room is what all
assets span. World z up, lengths in m.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.bench.truth import outer
from pocketworld.errors import PocketworldError
from pocketworld.geometry.convex import CORNERS, Vec3
from pocketworld.scene import Asset, Scene

Array = NDArray[np.float64]
Look = tuple[Vec3, Vec3]

HELD = 1.45  # m: how high a phone is held
NEAR, MIDDLE, FAR = 1.0, 1.45, 1.75  # m from the fronts: at their feet, at the fronts, up to what hangs
LOW, HALF, HIGH = 0.35, 0.7, 1.5  # m: how high it looks then
BEFORE = 0.35  # m: it looks ahead of where it walks
BEHIND = 2.0  # m: how far it looks at what is not in the row
CLEAR = 0.45  # m that are left to walls and to what stands beside
HANGS = 0.15  # m: a lamp below the highest thing there is
BUILDING = ("wall", "room_door")  # families whose fronts nobody walks along


@dataclass(frozen=True, eq=False, slots=True)
class Front:
    """A row of fronts: its left end in their plane, unit vectors along and into it, length and height, m."""

    start: Array
    along: Array
    into: Array
    length: float
    height: float

    def look(self, share: float, away: float, height: float, ahead: float) -> Look:
        """Return the look at a share of the row from so far away, `ahead` m farther along it."""
        foot = self.start + share * self.length * self.along
        place, target = foot - away * self.into, foot + ahead * self.along
        return _point(place, HELD), _point(target, height)


def route(scene: Scene) -> list[Look]:
    """Return (place, target) from look to look: along each row and back, then over the rest of the room."""
    low, high = room(scene)
    rows = fronts(scene)
    if not rows:
        raise PocketworldError(f"scene {scene.name} has nothing with fronts", "a walk goes along what opens")
    looks: list[Look] = []
    for i, row in enumerate(rows):
        looks += [row.look(share, MIDDLE, HALF, BEFORE) for share in (0.08, 0.92)]
        if row.height > HIGH:
            looks += [row.look(share, FAR, HIGH, -BEFORE) for share in (0.85, 0.15)]
        if i == 0:
            looks += [row.look(share, NEAR, LOW, BEFORE) for share in (0.1, 0.9)]
    looks += _rest(rows[0])
    return [(_kept(place, low, high), target) for place, target in looks]


def fronts(scene: Scene) -> list[Front]:
    """Return the rows of a scene, the longest first."""
    facing: dict[tuple[float, float], list[Array]] = {}
    for asset in scene.assets:
        if any(part.front for part in asset.parts) and asset.family not in BUILDING:
            into = asset.pose.matrix[:2, 1]
            key = (round(float(into[0]), 1) + 0.0, round(float(into[1]), 1) + 0.0)
            facing.setdefault(key, []).append(corners_of(asset))
    rows = [_front(np.array(key), np.concatenate(points)) for key, points in facing.items()]
    return sorted(rows, key=lambda row: (-row.length, *row.start))


def _front(into: Array, points: Array) -> Front:
    into = into / np.linalg.norm(into)
    along = np.array([into[1], -into[0]])
    x, y = points[:, :2] @ along, points[:, :2] @ into
    return Front(x.min() * along + y.min() * into, along, into, float(np.ptp(x)), float(points[:, 2].max()))


def _rest(row: Front) -> list[Look]:
    """Return looks at what is behind someone who stands before a row, from its ends: to and fro, turning."""
    out = []
    for share, angles in ((0.8, (60, 110)), (0.5, (90,)), (0.2, (70, 120, 170))):
        back = row.start + share * row.length * row.along - NEAR * row.into
        for angle in np.radians(angles):
            way = np.cos(angle) * row.along - np.sin(angle) * row.into
            out.append((_point(back, HELD), _point(back + BEHIND * way, HALF)))
    return out


def lamps(scene: Scene) -> list[Vec3]:
    """Return the places of two lamps under the ceiling of a scene's room."""
    low, high = room(scene)
    size, z = high - low, float(max(corners_of(asset)[:, 2].max() for asset in scene.assets)) - HANGS
    longer = int(np.argmax(size))
    out = []
    for share in (0.25, 0.75):
        place = low + size / 2
        place[longer] = low[longer] + share * size[longer]
        out.append(_point(place, z))
    return out


def room(scene: Scene) -> tuple[Array, Array]:
    """Return the lowest and highest corner (2,), (2,) of what a scene's assets span on the floor."""
    points = np.concatenate([corners_of(asset) for asset in scene.assets])[:, :2]
    return points.min(0), points.max(0)


def corners_of(asset: Asset) -> Array:
    """Return the corners (8, 3) of an asset's outer box in the scene."""
    low, high = outer(asset)
    place = asset.pose.matrix
    out: Array = ((low + high) / 2 + CORNERS * (high - low) / 2) @ place[:3, :3].T + place[:3, 3]
    return out


def _kept(place: Vec3, low: Array, high: Array) -> Vec3:
    """Return a place moved into the room."""
    x, y = np.clip(place[:2], low + CLEAR, high - CLEAR)
    return (float(x), float(y), place[2])


def _point(floor: Array, height: float) -> Vec3:
    return (float(floor[0]), float(floor[1]), height)
