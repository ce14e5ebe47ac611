"""Walls, in a first simple way: large upright planes with nothing but surface behind them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEVEL = 0.3  # |z| of an upright face's normal: within 17 degrees
TURN = math.radians(4)  # bin of directions: normals of a noisy wall still meet in one
STEP = 0.04  # m, bin of distances: three sigma of depth
MARGIN = 0.08  # m: skirting boards and noise belong to the wall
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
    low, high = np.percentile(along, [1, 99])
    height = float(np.percentile(points[:, 2], 99))
    return Wall((float(fitted[0]), float(fitted[1])), float(middle @ fitted), float(low), float(high), height)


def behind(wall: Wall, points: Array) -> NDArray[np.bool_]:
    """Return which points (n, 3) are the wall or what is seen behind it, as far as the wall goes."""
    normal = np.array(wall.normal)
    along = points[:, :2] @ [-normal[1], normal[0]]
    inside = (along > wall.low - MARGIN) & (along < wall.high + MARGIN)
    out: NDArray[np.bool_] = inside & (points[:, :2] @ normal < wall.distance + MARGIN)
    return out
