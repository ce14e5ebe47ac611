"""Which of a surface belongs to runs: their fronts and handles, what is inside them, the wall behind."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.runs.row_base import AJAR, LAYER
from pocketworld.reconstruct.runs.row_parts import EndKind, Run, RunKind, Worktop
from pocketworld.reconstruct.runs.row_upper import CEILING
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

MARGIN = 0.04  # m: three sigma of depth around a box
HANDLES = 0.08  # m: handles and edges stand out before the fronts
WALL = 0.05, 0.10  # m: before the wall behind a run, and past it
FLOOR = 0.03  # m: what is lower before the fronts is the floor
EDGE = 0.04  # m from a worktop's front edge nothing stands, and depth is at its worst
CELL = 0.10  # m: over which a worktop is as even as depth shows it
LOW = 0.3  # of what is level there is at most so far up: things that stand on it are higher
OVER = 0.02  # m: what is no higher over the worktop is its own


def explained(surface: Surface, runs: Sequence[Run]) -> Mask:
    """Return (n,): which vertices belong to runs; what stands on a worktop does not."""
    taken = np.zeros(len(surface.vertices), bool)
    for run in runs:
        taken |= _own(run, se3.apply(se3.inverse(run.box.world_from_box), surface.vertices))
        if run.worktop is not None:
            taken |= of_plate(surface, run) | _behind(surface, run.worktop)
    return taken


def _own(run: Run, local: Array) -> Mask:
    """Return what lies in a run, on its front, on the wall behind it or on the sides of its neighbours."""
    (x, y, z), (width, depth, height) = local.T, run.box.size
    along = np.abs(x) < width / 2 + MARGIN
    front, back, foot = y + depth / 2, y - depth / 2, run.box.foot[2]
    top = height if run.kind is RunKind.BASE else height + MARGIN
    inside = along & (front > -HANDLES) & (back < WALL[1]) & (z < top)
    inside &= z > (FLOOR if foot == 0 else -MARGIN)
    inside &= (front > -MARGIN) | (z + foot > FLOOR)
    for end, sign in zip(run.ends, (-1, 1), strict=True):
        if end.kind is EndKind.NEIGHBOUR:
            beside = np.abs(x - sign * width / 2) < MARGIN
            inside |= beside & (front > -MARGIN) & (back < WALL[1]) & (z > FLOOR) & (z + foot < CEILING)
    for ajar in run.ajar:
        before = (x > ajar.place.left - MARGIN) & (x < ajar.place.right + MARGIN) & (front <= 0)
        inside |= before & (front > -AJAR) & (z > FLOOR) & (z < height + MARGIN)
    return np.asarray(inside)


def _behind(surface: Surface, worktop: Worktop) -> Mask:
    """Return what is of the wall behind a worktop and of walls at its ends, and all that is under it."""
    local = se3.apply(se3.inverse(worktop.box.world_from_box), surface.vertices)
    (x, y, z), (width, depth, _) = local.T, worktop.box.size
    along, foot = np.abs(x) < width / 2 + MARGIN, worktop.box.foot[2]
    across = (y > -depth / 2 - MARGIN) & (y < depth / 2 + WALL[1]) & (z + foot < CEILING)
    wall = along & across & (z > 0) & (y > depth / 2 - WALL[0])
    under = along & across & (z <= 0) & (z + foot > FLOOR)
    for end, sign in zip(worktop.ends, (-1, 1), strict=True):
        if end.kind is EndKind.NEIGHBOUR:
            wall |= across & (z > 0) & (np.abs(x - sign * width / 2) < MARGIN)
    return np.asarray(wall | under)


def of_plate(surface: Surface, run: Run) -> Mask:
    """Return which vertices (n,) are a run's worktop, as uneven as depth shows it."""
    assert run.worktop is not None
    box = run.worktop.box
    local = se3.apply(se3.inverse(box.world_from_box), surface.vertices)
    half: Array = np.array(box.size[:2]) / 2
    near = (np.abs(local[:, :2]) < half + MARGIN).all(1) & (np.abs(local[:, 2] - box.size[2]) < 2 * LAYER)
    edge = (local[:, 1] < EDGE - half[1]) & (local[:, 2] < box.size[2] + LAYER)
    return np.asarray(near & (edge | (over_plate(surface, box) < OVER)))


def over_plate(surface: Surface, worktop: UprightBox) -> Array:
    """Return (n,) m: how high vertices are over a worktop that is as uneven as depth shows it."""
    local = se3.apply(se3.inverse(worktop.world_from_box), surface.vertices) - (0, 0, worktop.size[2])
    half: Array = np.array(worktop.size[:2]) / 2 + MARGIN
    level = (np.abs(local[:, :2]) < half).all(1) & (surface.normals[:, 2] > 0.8)
    level &= np.abs(local[:, 2]) < LAYER
    if not level.any():
        return np.asarray(local[:, 2])
    shape = np.ceil(2 * half / CELL).astype(int)
    cells = np.clip(np.floor((local[:, :2] + half) / CELL), 0, shape - 1).astype(np.intp)
    heights = _heights(cells[level], local[level, 2], tuple(shape))
    return np.asarray(local[:, 2] - heights[tuple(cells.T)])


def _heights(cells: NDArray[np.intp], z: Array, shape: tuple[int, ...]) -> Array:
    """Return how high a plate is in each cell of its plan; where nothing shows it, as in the nearest cell."""
    heights = np.full(shape, np.nan)
    number = np.array(np.ravel_multi_index(tuple(cells.T), shape), np.intp, ndmin=1)
    order = np.lexsort((z, number))
    each, first, count = np.unique(number[order], return_index=True, return_counts=True)
    heights.ravel()[each] = z[order][first + (LOW * (count - 1)).astype(int)]
    unknown = np.isnan(heights)
    nearest = np.asarray(ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True))
    return np.asarray(ndimage.median_filter(heights[tuple(nearest)], 3))
