"""Where a wall is open: no surface on it, and something seen behind, as far down as its floor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.reconstruct.room.room_door_recess import COLUMN, WIDE, WallPoints
from pocketworld.reconstruct.room.walls import RECESS, Wall
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]

NARROW = 0.6  # m: a way through
BEHIND = 2.0  # m: how far behind the wall is looked
BODY = (0.3, 1.7)  # m above the floor
OPEN, CLOSED = 0.05, 0.3  # of a column's height that is wall: none, or enough
PASSED = 0.6  # of its columns have something behind them
GROUND = 0.1  # m: below it is floor
USUAL = 2.1  # m: height of a way through whose lintel was not seen


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a wall that is open, in its u, m; height of its upper edge, and whether that was seen."""

    u0: float
    u1: float
    height: float
    capped: bool


def gaps(surface: Surface, wall: Wall, points: WallPoints) -> list[Gap]:
    """Return where one may walk through a wall; `points` are those at the wall (`at_wall`)."""
    count = max(1, int(np.ceil((wall.high - wall.low) / COLUMN)))
    covered = _share(points.u, points.areas, (points.z > BODY[0]) & (points.z < BODY[1]), count)
    floor = _floor_behind(surface, wall, count)
    out = []
    for first, last in _runs(covered < OPEN):
        edges = np.flatnonzero(covered[:first] >= CLOSED), np.flatnonzero(covered[last:] >= CLOSED)
        if not (len(edges[0]) and len(edges[1])):
            continue  # it is the wall's end
        u0, u1 = (edges[0][-1] + 1) * COLUMN, (last + edges[1][0]) * COLUMN
        if NARROW <= u1 - u0 <= WIDE and floor[first:last].mean() >= PASSED:
            out.append(Gap(float(u0), float(u1), *_top(points, u0, u1)))
    return out


def _share(u: Array, areas: Array, keep: NDArray[np.bool_], count: int) -> Array:
    column = np.clip((u[keep] / COLUMN).astype(np.intp), 0, count - 1)
    return np.asarray(np.bincount(column, areas[keep], count) / (COLUMN * (BODY[1] - BODY[0])), float)


def _floor_behind(surface: Surface, wall: Wall, count: int) -> NDArray[np.bool_]:
    """Return which columns of a wall have floor behind them."""
    behind = wall.distance - surface.vertices[:, :2] @ np.array(wall.normal)
    u = surface.vertices[:, :2] @ np.array(wall.along) - wall.low
    ground = (np.abs(surface.vertices[:, 2]) < GROUND) & (behind > RECESS / 2) & (behind < BEHIND)
    ground &= (u >= 0) & (u < count * COLUMN)
    return np.bincount((u[ground] / COLUMN).astype(np.intp), minlength=count)[:count] > 0


def _runs(keep: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the runs [first, last) of what holds, as long as a way through is wide."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], keep.astype(int), [0]])))
    runs = zip(steps[::2], steps[1::2], strict=True)
    return [(int(a), int(b)) for a, b in runs if (b - a) * COLUMN >= NARROW]


def _top(points: WallPoints, u0: float, u1: float) -> tuple[float, bool]:
    above = (points.u > u0) & (points.u < u1) & (points.z > BODY[1])
    if points.areas[above].sum() < 0.1 * (u1 - u0):
        return USUAL, False
    return float(np.percentile(points.z[above], 5)), True
