"""Fronts above and beside a base run: wall units before the same wall, tall units at its ends."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pocketworld.reconstruct.runs.row_base import PLATED, STEP, Base
from pocketworld.reconstruct.runs.row_fronts import Local, Mask, fullest, weighted_median
from pocketworld.reconstruct.runs.row_parts import Patch

Array = NDArray[np.float64]

HUNG = 0.3  # m over the worktop: wall units hang at least this high
SHALLOW, FLUSH = (
    0.15,
    0.05,
)  # m: wall units are deeper than this, and lie behind the base fronts by about as much
CEILING = 2.6  # m
LAYER = 0.03  # m: three sigma of a front
WALL_AREA, TALL_AREA = 0.2, 0.05  # m²: of tall units so much above the worktop
ASIDE = 0.3  # m: wall units may begin beside the base run
TALL_OUT = 0.2  # m: a fridge stands before or behind its neighbours by no more
FAR = 2.5  # m: as far as tall units go on beside a base run
NEXT = 0.15  # m: from a base run's end to a tall unit's
HIGH = 0.3  # m over the worktop: a tall unit's front shows there too
WIDE = 0.3  # m: a unit
GAP = 0.25  # m without any surface parts two runs
ROUGH = 0.08  # m: an upper edge that varies more is where the pictures end
STRAY = 5  # vertices past an edge are noise
DARK = 0.05  # m²: a part without depth as large as an oven's window
AROUND = np.ones((3, 3), bool)
FULL = 0.75  # of its rectangle is without depth


@dataclass(frozen=True, eq=False, slots=True)
class Upper:
    """A front above or beside a base run, in its frame: m.

    front      y of the plane;  patch: its rectangle;  cut: whether its upper edge was seen to end
    dark       rectangles in it without depth
    """

    front: float
    patch: Patch
    cut: bool
    dark: tuple[Patch, ...]


def wall_units(base: Base, tall: Sequence[Upper]) -> Iterator[Upper]:
    """Yield the fronts that hang above a base run, the largest plane first; `tall`: what stands beside it."""
    local = base.local
    left = local.facing & local.within(2, base.top + HUNG, CEILING)
    left &= local.within(1, -FLUSH, base.back - SHALLOW)
    left &= local.within(0, base.low - ASIDE, base.high + ASIDE)
    for unit in tall:
        own = local.within(0, unit.patch.left, unit.patch.right)
        left &= ~(own & local.within(1, unit.front - LAYER, unit.front + LAYER))
    while local.areas[left].sum() > WALL_AREA:
        y = fullest(local.points[left, 1], local.areas[left])
        layer = left & local.within(1, y - LAYER, y + LAYER)
        if local.areas[layer].sum() <= WALL_AREA:
            return
        for part in _parts(local, layer):
            if local.areas[part].sum() > WALL_AREA:
                yield _upper(local, part)
        left &= ~local.within(1, y - 2 * LAYER, y + 2 * LAYER)


def tall_units(base: Base) -> Iterator[Upper]:
    """Yield the fronts of tall units at the left and the right end of a base run."""
    local = base.local
    front = local.facing & local.within(1, -TALL_OUT, TALL_OUT) & local.within(2, base.top / 3, CEILING)
    for low, high in ((base.low - FAR, base.low + STEP), (base.high - STEP, base.high + FAR)):
        beside = front & local.within(0, low, high)
        over = beside & local.within(2, base.top + NEXT, CEILING)
        if local.areas[over].sum() < TALL_AREA:
            continue
        y = fullest(local.points[over, 1], local.areas[over])
        for part in _parts(local, beside & local.within(1, y - LAYER, y + LAYER)):
            found = _upper(local, part)
            gap = max(found.patch.left - base.high, base.low - found.patch.right)
            reaches = found.patch.low < base.top and found.patch.high > base.top + HIGH
            if reaches and gap < NEXT and found.patch.right - found.patch.left > WIDE:
                yield found


def _parts(local: Local, layer: Mask) -> Iterator[Mask]:
    """Yield what hangs together of a front along the row."""
    x = local.points[:, 0]
    columns, member = np.unique(np.floor(x[layer] / STEP).astype(int), return_inverse=True)
    columns = columns[np.bincount(member, local.areas[layer], len(columns)) > PLATED]
    if not len(columns):
        return
    for group in np.split(columns, np.flatnonzero(np.diff(columns) > GAP / STEP) + 1):
        yield layer & local.within(0, float(group[0]) * STEP, float(group[-1] + 1) * STEP)


def _upper(local: Local, part: Mask) -> Upper:
    points, areas = local.points[part], local.areas[part]
    y = weighted_median(points[:, 1], areas)
    stray = min(STRAY, (len(points) - 1) // 4)  # of a few vertices, the middle half stays
    left, right = (float(v) for v in np.sort(points[:, 0])[[stray, -1 - stray]])
    columns = np.floor((points[:, 0] - left) / STEP).astype(int)
    edges = [(points[columns == c, 2].min(), points[columns == c, 2].max()) for c in np.unique(columns)]
    lows, highs = np.array(edges).T
    low = float(np.median(lows))
    upper = float(np.percentile(highs, 90))
    cut = bool(np.subtract(*np.percentile(highs, [75, 25])) > ROUGH)
    patch = Patch(left, right, low, upper)
    return Upper(y, patch, cut, tuple(dark_parts(points, patch)))


def dark_parts(points: Array, patch: Patch) -> Iterator[Patch]:
    """Yield the rectangles inside a front that have no depth: what is round them was seen."""
    cells = np.floor((points[:, [0, 2]] - (patch.left, patch.low)) / STEP + 0.5).astype(int)
    shape = np.ceil(np.array([patch.right - patch.left, patch.high - patch.low]) / STEP).astype(int) + 1
    seen = np.zeros(shape, bool)
    inside = ((cells >= 0) & (cells < shape)).all(1)
    seen[tuple(cells[inside].T)] = True
    # Closed over a cell: gaps between fronts are as wide, and lead out of the hole.
    closed = np.asarray(
        ndimage.binary_erosion(ndimage.binary_dilation(seen, AROUND), AROUND, border_value=True)
    )
    label = np.zeros(closed.shape, np.int32)
    count = ndimage.label(np.logical_not(closed), output=label)
    assert isinstance(count, int)
    for number, place in enumerate(ndimage.find_objects(label, count), 1):
        (across, up), own = place, label[place] == number
        touches = across.start == 0 or across.stop == shape[0] or up.start == 0 or up.stop == shape[1]
        if touches or own.sum() * STEP**2 < DARK or own.mean() < FULL:
            continue
        yield Patch(
            patch.left + (across.start - 0.5) * STEP,
            patch.left + (across.stop - 0.5) * STEP,
            patch.low + (up.start - 0.5) * STEP,
            patch.low + (up.stop - 0.5) * STEP,
        )
