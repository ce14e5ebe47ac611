"""A base run's worktop: its edge before the fronts, and the basin in it; and the plinth below them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pocketworld.reconstruct.runs.row_base import LAYER, STEP, Base
from pocketworld.reconstruct.runs.row_fronts import Local, Mask, weighted_median
from pocketworld.reconstruct.runs.row_parts import Plinth

Array = NDArray[np.float64]

PROUD = 0.008  # m: an edge that stands out less than a voxel is not seen to
OUT = 0.08  # m: a worktop stands out no more than this
USUAL_OUT = 0.02  # m
THIN, USUAL, THICK = 0.012, 0.03, 0.08  # m: of solid laminate, of chipboard, of stone with an apron
RIM = 0.015  # m: of the edge's upper end, where it stands out most
BASIN = 0.07, 0.40  # m below the worktop: the inside of a sink
SINK, SINK_SEEN = 0.25, 0.15  # m: no basin is narrower; of its depth the front's rim hides half
SINK_DEPTH = 0.40  # m: a usual one (EN 695), where less was seen
BORDER = 0.05  # m: as much worktop stays before a basin
CELL = 0.05  # m
PLINTH, SETBACK = 0.10, 0.05  # m: usual ones
SLICE = 0.005  # m: how finely heights are looked at
FOOT = 0.02, 0.06  # m: here one sees the plinth
SHIN = 0.17, 0.25  # m: and here the fronts
STEPPED = 0.02  # m: what depth may bend over the same height


@dataclass(frozen=True, slots=True)
class Edge:
    """A worktop's front edge, m: how thick, how far out, how high it shows, and whether that was seen."""

    thickness: float
    overhang: float
    top: float
    measured: bool


def columns(base: Base) -> NDArray[np.intp]:
    """Return (n,): in which step along the run each point is; beyond its ends outside of its steps."""
    return np.floor((base.local.points[:, 0] - base.low) / STEP).astype(np.intp)


def edge_of(base: Base) -> Edge:
    """Return the edge of a run's worktop, by its profile, column by column where the front is shut."""
    local, found = base.local, []
    column = columns(base)
    profile = local.within(1, -OUT, OUT / 2) & local.within(2, base.top - LAYER, base.top + LAYER)
    for number in np.flatnonzero(base.closed):
        mine = profile & (column == number)
        if mine.sum() > 2:
            z, y = local.points[mine, 2], local.points[mine, 1]
            found.append((z.max(), -y[z > z.max() - RIM].min()))
    if not found:
        return Edge(USUAL, USUAL_OUT, base.top, False)
    top, out = (float(v) for v in np.median(found, axis=0))
    if out < PROUD:
        return Edge(USUAL, max(0.0, out), top, False)
    return Edge(float(np.clip(base.top - _under(base, out / 2), THIN, THICK)), out, top, True)


def _under(base: Base, out: float) -> float:
    """Return the height above which the profile stands out by more than `out`, m, from its edge down."""
    local, proud = base.local, False
    mine = local.facing & local.within(1, -OUT, OUT / 2) & local.within(0, base.low, base.high)
    mine &= base.closed[np.clip(columns(base), 0, len(base.closed) - 1)]
    for z in np.arange(base.top + LAYER, base.top - THICK, -SLICE):
        slab = mine & local.within(2, z - 2 * SLICE, z)
        if not slab.any():
            continue
        stands = -weighted_median(local.points[slab, 1], local.areas[slab])
        if proud and stands < out:
            return float(z - SLICE)
        proud |= stands >= out  # its upper edge is round in depth, and leans back
    return base.top - THICK if proud else base.top


def sink_of(base: Base, closed: Mask) -> tuple[float, float, float, float] | None:
    """Return left, right, front and back of the basin, m, in the run's frame; None where none was seen.

    `closed` (steps,): elsewhere a front stands open, and what is seen below the worktop is behind it.
    """
    local = base.local
    low = local.within(2, base.top - BASIN[1], base.top - BASIN[0]) & local.within(1, BORDER, base.back)
    low &= local.within(0, base.low, base.high)
    low &= closed[np.clip(columns(base), 0, len(closed) - 1)]
    if not low.any():
        return None
    cells = np.floor((local.points[low, :2] - (base.low, BORDER)) / CELL).astype(int)
    grid = np.zeros(cells.max(0) + 1, bool)
    grid[tuple(cells.T)] = True
    label = np.zeros(grid.shape, np.int32)
    ndimage.label(grid, np.ones((3, 3)), output=label)
    of = label[tuple(cells.T)]
    largest = 1 + int(np.argmax(np.bincount(of, local.areas[low])[1:]))
    ends = np.percentile(local.points[low][of == largest, :2], [1, 99], axis=0)
    (left, near), (right, far) = ends.tolist()
    if right - left < SINK or far - near < SINK_SEEN:
        return None
    return left, right, max(BORDER, min(near, far - SINK_DEPTH)), far


def plinth_of(local: Local, low: float, high: float) -> Plinth:
    """Return the plinth: where the front's foot steps back, else a usual one."""
    front = local.facing & local.within(0, low, high) & local.within(1, -0.03, 0.15)
    foot, shin = (front & local.within(2, *at) for at in (FOOT, SHIN))
    if not (foot.any() and shin.any()):
        return Plinth(PLINTH, SETBACK, False)
    behind, before = (weighted_median(local.points[m, 1], local.areas[m]) for m in (foot, shin))
    if behind - before < STEPPED:
        return Plinth(PLINTH, SETBACK, False)
    over = front & local.within(2, FOOT[0], SHIN[1]) & (local.points[:, 1] > (behind + before) / 2)
    return Plinth(weighted_median(local.points[over, 2], local.areas[over], 0.98), behind - before, True)
