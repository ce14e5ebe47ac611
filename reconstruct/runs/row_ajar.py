"""Fronts of a run that stand open a little: no front in the plane there, and something before it."""

from collections.abc import Iterator

import numpy as np

from pocketworld.reconstruct.runs.row_base import AJAR, PROUD, STEP, Base
from pocketworld.reconstruct.runs.row_fronts import Mask
from pocketworld.reconstruct.runs.row_parts import Patch

NARROW = 0.25  # m: no door is narrower
NEAREST = 0.12  # m: what is open a little begins near the row; what stands before the row does not
SHOWN = 5e-3  # m² of it, or the row is hidden or black there
LOWEST, OVER = 0.15, 0.03  # m: above the plinth, and up to the worktop and a little


def ajar_parts(base: Base) -> Iterator[tuple[Patch, Mask]]:
    """Yield where a front of a base run stands open, and the surface (n,) that does, of all of it."""
    local = base.local
    before = local.within(1, -AJAR, -PROUD) & local.within(2, LOWEST, base.top + OVER)
    far = local.within(1, -4 * AJAR, -AJAR) & local.within(2, LOWEST, base.top + OVER)
    for left, right in _open(base):
        own = before & local.within(0, left - STEP, right + STEP)
        area = float(local.areas[own].sum())
        farther = local.areas[far & local.within(0, left, right)].sum()
        if area > max(SHOWN, farther) and -np.percentile(local.points[own, 1], 90) < NEAREST:
            low, high = np.percentile(local.points[own, 0], [2, 98])
            if high - low > NARROW:
                yield Patch(left, right, 0.0, base.top), own


def _open(base: Base) -> Iterator[tuple[float, float]]:
    """Yield the stretches of a run that show no front, where they are as wide as a door."""
    edge = np.flatnonzero(np.diff(np.concatenate([[True], base.closed, [True]]).astype(int)))
    for first, last in edge.reshape(-1, 2):
        if (last - first) * STEP > NARROW:
            yield base.low + float(first) * STEP, min(base.high, base.low + float(last) * STEP)
