"""Recesses of walls in depth: where a wall ends, stands back by a hand's breadth, and goes on.

A door of a building often stands back in its opening; depth shows that whatever its colour. Its near jamb
hides the near part of the leaf from who walks along the wall, so an opening is taken to reach from where the
wall ends to where it begins again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pocketworld.reconstruct.room.walls import MARGIN, Wall
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

COLUMN = 0.02  # m: finer than what is looked for, coarser than the surface
LOW, HIGH = 0.2, 1.8  # m: above skirting boards and thresholds, below lintels
ROW = 0.05  # m
EVEN = 0.04  # m: three sigma of depth, and the unevenness that a smooth drift leaves
BACK, DEEPEST = 0.04, 0.5  # m behind the wall: a leaf that is nearer can't be told from the wall by depth
SMOOTH = 0.5  # m along the wall: drift is slower, a door's width is faster
FACING = 0.5  # 60 degrees: what a wall shows to the room
SHOWN = 0.1  # of a column's height: less is noise
CLOSED = 0.4  # of a column's height that is wall: there the opening ends
HOLE = 0.16  # m: columns not seen between two that are of one recess
HIDES = 0.4  # m: no jamb hides more of a leaf
NARROW, WIDE = 0.55, 2.4  # m: openings that people walk through, by one leaf or two
# m: wider ones have two leaves. The widest single leaf is 1.235 (DIN 18101), in an opening of 1.26 (DIN
# 18100); by depth it may seem two columns wider.
ONE_LEAF = 1.3
SEEN = 0.4  # m of leaf: less tells too little
TALL = 1.7  # m: what ends lower is a niche, a shelf or a radiator's
CHEST = 1.4  # m: who looks down sees no higher; a niche for a radiator ends lower, and is seen to
USUAL = 2.05  # m: height of an opening whose upper edge was not seen (leaves of 1.985 and 2.11: DIN 18101)
LINTEL = 0.3  # of a row in the opening that is wall: there it ends above


@dataclass(frozen=True, slots=True)
class Recess:
    """A part of a wall that stands back, in the wall's own u (m, from its `low`, to the right).

    u0, u1   of the opening;  behind: how far its face is behind the wall about it, m
    seen     (from, to) where its face was seen;  height: of its upper edge, m;  capped: whether that was seen
    wall     how far the wall about it is before its own fitted plane, m
    """

    u0: float
    u1: float
    behind: float
    seen: tuple[float, float]
    height: float
    capped: bool
    wall: float


@dataclass(frozen=True, eq=False, slots=True)
class WallPoints:
    """What lies at a wall: (n,) u, out (before its plane) and z, m; areas, m²."""

    u: Array
    out: Array
    z: Array
    areas: Array

    def part(self, keep: Flags) -> "WallPoints":
        """Return some of them."""
        return WallPoints(self.u[keep], self.out[keep], self.z[keep], self.areas[keep])


def at_wall(surface: Surface, areas: Array, wall: Wall) -> WallPoints:
    """Return what faces as a wall does and lies on it or behind it; areas: (n,) m² of the vertices."""
    normal, along = np.array(wall.normal), np.array(wall.along)
    out = surface.vertices[:, :2] @ normal - wall.distance
    keep = np.flatnonzero((out < MARGIN) & (out > -DEEPEST))
    u = surface.vertices[keep, :2] @ along - wall.low
    keep = keep[(u >= 0) & (u <= wall.high - wall.low)]
    keep = keep[surface.normals[keep, :2] @ normal > FACING]
    vertices = surface.vertices[keep]
    return WallPoints(vertices[:, :2] @ along - wall.low, out[keep], vertices[:, 2], areas[keep])


def recesses(points: WallPoints, length: float) -> list[Recess]:
    """Return the recesses of a wall that may be doors, from left to right."""
    count = max(1, int(np.ceil(length / COLUMN)))
    level = _level(points, count)
    off = points.out - level[_column(points.u, count)]
    body = (points.z > LOW) & (points.z < HIGH)
    wall = _covered(points, body & (np.abs(off) < EVEN), count)
    back = _covered(points, body & (off < -BACK), count)
    shown = back + wall > SHOWN
    runs = _runs(shown & (back > wall), shown & (wall >= back))
    found = [_recess(points, off, wall, level, run) for run in runs]
    return [one for one in found if one is not None]


def _column(u: Array, count: int) -> NDArray[np.intp]:
    return np.clip((u / COLUMN).astype(np.intp), 0, count - 1)


def _covered(points: WallPoints, keep: Flags, count: int) -> Array:
    """Return (count,) which share of each column's height is covered."""
    total = np.bincount(_column(points.u[keep], count), points.areas[keep], count)
    return np.asarray(total / (COLUMN * (HIGH - LOW)), float)


def _level(points: WallPoints, count: int) -> Array:
    """Return (count,) how far the wall itself lies before its plane: poses drift, plaster is not even."""
    level = np.zeros(count)
    for _ in range(3):
        column = _column(points.u, count)
        near = (np.abs(points.out - level[column]) < EVEN) & (points.z > LOW)
        weight = np.bincount(column[near], points.areas[near], count)
        total = np.bincount(column[near], (points.areas * points.out)[near], count)
        smooth = [gaussian_filter1d(each, SMOOTH / COLUMN, mode="constant") for each in (total, weight)]
        level = np.where(smooth[1] > 1e-9, smooth[0] / np.maximum(smooth[1], 1e-9), 0.0)
    return level


def _runs(back: Flags, wall: Flags) -> list[tuple[int, int]]:
    """Return the runs [first, last) of columns that stand back, over columns that show nothing."""
    which = np.flatnonzero(back)
    out: list[tuple[int, int]] = []
    for k in map(int, which):
        if out and k - out[-1][1] <= HOLE / COLUMN and not wall[out[-1][1] : k].any():
            out[-1] = (out[-1][0], k + 1)
        else:
            out.append((k, k + 1))
    return [run for run in out if (run[1] - run[0]) * COLUMN >= SEEN]


def _recess(points: WallPoints, off: Array, wall: Array, level: Array, run: tuple[int, int]) -> Recess | None:
    """Return the recess about a run of columns, or None where it is no opening that one walks through."""
    first, last = run
    closed = wall >= CLOSED
    before, after = np.flatnonzero(closed[:first]), np.flatnonzero(closed[last:])
    if not len(before) or not len(after):
        return None  # the wall ends here: a corner, or the end of what was seen
    u0, u1 = float((before[-1] + 1) * COLUMN), float((last + after[0]) * COLUMN)
    if max(first * COLUMN - u0, u1 - last * COLUMN) > HIDES or not NARROW <= u1 - u0 <= WIDE:
        return None
    mine = (points.u > first * COLUMN) & (points.u < last * COLUMN)
    back = mine & (off < -BACK)
    top, capped = _top(points, mine & (np.abs(off) < EVEN), back)
    lowest = float(np.percentile(points.z[back], 2))
    if top < TALL or lowest > 2 * LOW:
        return None
    behind = -float(np.median(off[back]))
    middle = float(level[(first + last) // 2])
    return Recess(u0, u1, behind, (first * COLUMN, last * COLUMN), top, capped, middle)


def _top(points: WallPoints, wall: Flags, back: Flags) -> tuple[float, bool]:
    """Return the height of an opening, and whether the wall above it was seen."""
    rows = int(np.ceil(max(float(points.z.max()), HIGH) / ROW)) + 1
    row = np.clip((points.z / ROW).astype(int), 0, rows - 1)
    on, behind = (np.bincount(row[each], points.areas[each], rows) for each in (wall, back))
    high = np.flatnonzero(behind > np.maximum(on, 0.2 * np.median(behind[behind > 0])))
    if not len(high):
        return 0.0, False
    top = (int(high[-1]) + 1) * ROW
    above = on[high[-1] + 1 : high[-1] + 5].sum() > LINTEL * np.median(behind[behind > 0])
    return (top, True) if above else (max(top, USUAL) if top >= CHEST else top, False)
