"""A base run: a front with a worktop on it, before a wall."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.reconstruct.room.walls import PARALLEL, Wall
from pocketworld.reconstruct.runs.row_fronts import Local, Mask, fullest, straightened, weighted_median

Array = NDArray[np.float64]

TOPS = 0.65, 1.10  # m: worktops are 0.85-0.95 high, for a child or a giant a little less or more
LAYER = 0.06  # m: three sigma of depth on a dark level plate, up and down
FRONT = 0.03  # m: from the front's plane, three sigma
LOWEST = 0.2  # m: plinths end below
PROUD, AJAR = 0.035, 0.30  # m before it: no handle is as high there as a front that is open, a little or more
DEEP = 0.25, 0.95  # m: how far behind its fronts a run's wall is
ABOVE = 0.03, 0.45  # m: over the worktop, and below what hangs, the wall is bare
STEP = 0.05  # m: along the row
GAP = 0.35  # m: of what no depth shows of a front and a top, or half a module
LENGTH = 1.2  # m: two units; a shorter piece of furniture is a thing of its own
COVERED = 0.4  # of a run's length has a front, as much a top
BACKED = 0.25  # of a run's length has a wall that shows above it
TALLER = 0.15  # m: what goes on upwards by more is a tall unit's front
PLATED = 5e-4  # m² of level surface in a step of the row: a centimetre of its depth
FRONTED = 7.5e-3  # m² of front in a step: 15 cm of its height, more than a table's apron


@dataclass(frozen=True, eq=False, slots=True)
class Base:
    """A base run in its own frame, m.

    low, high     where it ends to the left and the right, as far as it was seen
    top           height of the worktop;  sigma: of that
    back          y of the wall behind
    closed        (steps,) whether the front's plane shows there, by steps from `low`
    """

    local: Local
    low: float
    high: float
    top: float
    sigma: float
    back: float
    closed: Mask


def base_run(local: Local, walls: Sequence[Wall]) -> Base | None:
    """Return the base run whose fronts are in the plane y = 0, or None where there is none."""
    front = local.facing & local.within(1, -FRONT, FRONT) & local.within(2, LOWEST, TOPS[1])
    plate = local.level & local.within(1, -FRONT, DEEP[1]) & local.within(2, *TOPS)
    if not (front.any() and plate.any()):
        return None
    # First above what is in one plane at all, then anew where the run turns out to be.
    low, high = _ends(local, front)
    top = _level(local, plate & local.within(0, low, high))
    run = _stretch(local, front, plate, top)
    if run is None:
        return None
    low, high, closed = run
    top = _level(local, plate & local.within(0, low, high))
    back = _back(local, low, high, top, walls)
    if back is None:
        return None
    return Base(local, low, high, top, _unevenness(local, plate, low, high, top), back, closed)


def refined(local: Local, base: Base) -> Array:
    """Return (4, 4) `old_from_new`: the front's frame fitted to all of the run's surface, middle at x = 0."""
    mine = local.facing & local.within(1, -2 * FRONT, 2 * FRONT) & local.within(0, base.low, base.high)
    mine &= local.within(2, LOWEST, base.top - FRONT)
    x, y, _ = local.points[mine].T
    shift = np.eye(4)
    shift[0, 3] = (base.low + base.high) / 2
    return np.asarray(shift @ straightened(x - shift[0, 3], y, local.areas[mine]))


def _ends(local: Local, which: Mask) -> tuple[float, float]:
    along = local.points[which, 0]
    return float(along.min()), float(along.max())


def _level(local: Local, plate: Mask) -> float:
    """Return the height of the worktop: the median of the layer that holds most."""
    if not plate.any():
        return 0.0
    z, areas = local.points[plate, 2], local.areas[plate]
    near = np.abs(z - fullest(z, areas)) < LAYER
    return weighted_median(z[near], areas[near])


def _unevenness(local: Local, plate: Mask, low: float, high: float, top: float) -> float:
    mine = plate & local.within(0, low, high) & local.within(2, top - LAYER, top + LAYER)
    return 1.4826 * weighted_median(np.abs(local.points[mine, 2] - top), local.areas[mine])


def steps(local: Local, which: Mask, low: float, count: int, least: float) -> Mask:
    """Return (count,): which steps along the row, from `low`, hold at least so much (m²) of `which`."""
    step = np.floor((local.points[which, 0] - low) / STEP).astype(int)
    inside = (step >= 0) & (step < count)
    areas = np.bincount(step[inside], local.areas[which][inside], count)
    return np.asarray(areas >= least)


def _stretch(local: Local, front: Mask, plate: Mask, top: float) -> tuple[float, float, Mask] | None:
    """Return where the longest row of fronts under a worktop begins and ends, and where it is closed."""
    plate = plate & local.within(2, top - LAYER, top + LAYER)
    start, end = _ends(local, front | plate)
    count = int((end - start) / STEP) + 1
    higher = local.facing & local.within(1, -FRONT, FRONT)
    higher &= local.within(2, top + TALLER, top + 2 * TALLER)
    fronts = steps(local, front & local.within(2, LOWEST, top), start, count, FRONTED)
    tops = steps(local, plate, start, count, PLATED)
    tall = steps(local, higher, start, count, PLATED) & ~tops
    fronts &= ~tall
    first, last = _longest(fronts | tops, tall)
    length = (last - first) * STEP
    some = fronts[first:last], tops[first:last]
    if length < LENGTH or min(part.mean() for part in some) < COVERED:
        return None
    low, high = start + first * STEP, start + last * STEP
    near = (front & local.within(2, LOWEST, top)) | plate
    own = local.points[near & local.within(0, low, high), 0]
    left, right = float(own.min()), float(own.max())
    count = int((right - left) / STEP) + 1
    shut = steps(local, front & local.within(2, LOWEST, top), left, count, FRONTED)
    before = local.facing & local.within(1, -AJAR, -PROUD) & local.within(2, LOWEST, top)
    return left, right, shut & ~steps(local, before, left, count, FRONTED)


def _longest(there: Mask, never: Mask) -> tuple[int, int]:
    """Return the longest stretch [first, last) of steps with short gaps only, and without `never`."""
    best, first, last = (0, 0), -1, -1
    for i in range(len(there)):
        if never[i] or (first >= 0 and (i - last) * STEP > GAP):
            first = -1
        if there[i] and not never[i]:
            first, last = (i if first < 0 else first), i
            best = max(best, (first, last + 1), key=lambda s: s[1] - s[0])
    return best


def _back(local: Local, low: float, high: float, top: float, walls: Sequence[Wall]) -> float | None:
    """Return how far behind the fronts the wall is: what shows above most of the worktop, or a wall known."""
    above = local.facing & local.within(0, low, high) & local.within(1, *DEEP)
    above &= local.within(2, top + ABOVE[0], top + ABOVE[1])
    count = int((high - low) / STEP) + 1
    best, back = 0, 0.0
    for y in np.arange(*DEEP, FRONT / 2):
        layer = above & local.within(1, y, y + FRONT)
        shown = int(steps(local, layer, low, count, PLATED).sum())
        # As much farther back counts more: things stand before the wall.
        if shown >= max(best, BACKED * count):
            best, back = shown, weighted_median(local.points[layer, 1], local.areas[layer])
    return back if best else _wall_behind(local, low, high, walls)


def _wall_behind(local: Local, low: float, high: float, walls: Sequence[Wall]) -> float | None:
    out = -local.scene_from_front[:2, 1]
    middle = local.scene_from_front[:2] @ [(low + high) / 2, 0, 0, 1]
    for wall in walls:
        behind = float(middle @ wall.normal) - wall.distance
        along = float(middle @ [-wall.normal[1], wall.normal[0]])
        if out @ wall.normal > PARALLEL and DEEP[0] < behind < DEEP[1] and wall.low < along < wall.high:
            return behind
    return None
