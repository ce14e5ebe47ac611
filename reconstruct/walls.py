"""Walls, in a first simple way: large upright planes with nothing but surface behind them."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.box import UprightBox

Array = NDArray[np.float64]

LEVEL = 0.3  # |z| of an upright face's normal: within 17 degrees
TURN = math.radians(4)  # bin of directions: normals of a noisy wall still meet in one
STEP = 0.04  # m, bin of distances: three sigma of depth
MARGIN = 0.08  # m: skirting boards and noise belong to the wall
RECESS = 0.2  # m: and doors, which stand back in it; the next room begins behind
PARALLEL = math.cos(math.radians(10))
LENGTH = 1.5  # m
HEIGHT = 1.5  # m
AREA = 2.0  # m²: no side of a single piece of furniture that one walks around is as large


@dataclass(frozen=True, slots=True)
class Wall:
    """An upright plane `normal · (x, y) = distance`, m, its normal towards the room.

    low, high   where it begins and ends along its own direction, m;  height: of its top, m
    """

    normal: tuple[float, float]
    distance: float
    low: float
    high: float
    height: float

    def moved(self, a_from_b: Array) -> "Wall":
        """Return the same wall in frame a, given in frame b; both stand upright on the same floor."""
        turn, shift = a_from_b[:2, :2], a_from_b[:2, 3]
        x, y = (float(c) for c in turn @ self.normal)
        along = float(shift @ [-y, x])
        distance = self.distance + float(shift @ [x, y])
        return Wall((x, y), distance, self.low + along, self.high + along, self.height)


def find_walls(points: Array, normals: Array, areas: Array) -> list[Wall]:
    """Return the walls among points (n, 3) above the floor, in a frame that belongs to the capture."""
    upright = np.abs(normals[:, 2]) < LEVEL
    points, normals, areas = points[upright], normals[upright], areas[upright]
    left, walls = np.ones(len(points), bool), []
    while left.any():
        wall, mine = _strongest(points, normals, np.where(left, areas, 0.0))
        area = float(areas[mine & left].sum())
        if wall is None or area < AREA:
            break
        left &= ~mine
        if wall.high - wall.low >= LENGTH and wall.height >= HEIGHT:
            walls.append(wall)
    return walls


def _strongest(points: Array, normals: Array, areas: Array) -> tuple[Wall | None, NDArray[np.bool_]]:
    """Return the upright plane with most area, and the points on it."""
    angle = np.arctan2(normals[:, 1], normals[:, 0])
    turns = round(2 * math.pi / TURN)
    turn = np.floor((angle / (2 * math.pi) % 1) * turns).astype(int) % turns
    best, mine = (0.0, 0.0, 0.0), np.zeros(len(points), bool)
    for one in range(turns):
        here = (turn == one) & (areas > 0)
        if areas[here].sum() <= best[0]:
            continue
        theta = (one + 0.5) * TURN
        bins = np.floor(points[here, :2] @ [math.cos(theta), math.sin(theta)] / STEP).astype(int)
        count = np.bincount(bins - bins.min(), areas[here])
        if count.max() > best[0]:
            best = float(count.max()), theta, float((np.argmax(count) + bins.min() + 0.5) * STEP)
    if best[0] == 0:
        return None, mine
    normal = np.array([math.cos(best[1]), math.sin(best[1])])
    facing = normals[:, :2] @ normal > math.cos(math.radians(30))
    mine = facing & (np.abs(points[:, :2] @ normal - best[2]) < MARGIN) & (areas > 0)
    return _fitted(points[mine], normal, areas[mine]), mine


def _fitted(points: Array, normal: Array, areas: Array) -> Wall:
    middle = np.average(points[:, :2], axis=0, weights=areas)
    apart = points[:, :2] - middle
    _, vectors = np.linalg.eigh((apart * areas[:, None]).T @ apart)
    fitted = vectors[:, 0] * np.sign(vectors[:, 0] @ normal)
    along = points[:, :2] @ [-fitted[1], fitted[0]]
    low, high = np.percentile(along, [0.1, 99.9])
    height = float(np.percentile(points[:, 2], 99))
    return Wall((float(fitted[0]), float(fitted[1])), float(middle @ fitted), float(low), float(high), height)


def belongs(points: Array, wall: Wall) -> NDArray[np.bool_]:
    """Return which points (n, 3) are of a wall: on it, or in a recess of it such as a door's."""
    normal = np.array(wall.normal)
    along, before = points[:, :2] @ [-normal[1], normal[0]], points[:, :2] @ normal - wall.distance
    inside = (along > wall.low - MARGIN) & (along < wall.high + MARGIN)
    return np.asarray(inside & (before < MARGIN) & (before > -RECESS))


def up_to(wall: Wall, box: UprightBox) -> UprightBox:
    """Return a box that stands against a wall with that side moved onto the wall; any other box as it is.

    What is nearer to a wall than its own unevenness can't be told from it, so the side was not seen.
    """
    normal = np.array(wall.normal)
    for quarters in range(4):
        turned = box.turned(quarters)
        back = turned.world_from_box[:2, 1]
        place = np.array(turned.foot[:2]) + back * turned.size[1] / 2
        gap = float(place @ normal) - wall.distance
        beside = wall.low < place @ [-normal[1], normal[0]] < wall.high
        if -back @ normal > PARALLEL and beside and 0 < gap < 2 * MARGIN:
            x, y = (float(c) for c in np.array(turned.foot[:2]) + back * gap / 2)
            width, depth, height = turned.size
            longer = replace(turned, foot=(x, y, turned.foot[2]), size=(width, depth + gap, height))
            return longer.turned(-quarters)
    return box
