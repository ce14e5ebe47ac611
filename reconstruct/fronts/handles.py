"""Handles on a face: what stands proud of it, long and thin or small and round."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pocketworld.families.protocol import SeenHandle
from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.scene import HandleKind

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Heights = NDArray[np.float32]

# m: as far on either side a handle is compared with the face; what is thicker is the face's own shape
BESIDE = 0.06
CLEAR = 4.0  # standard deviations of the relief's noise: surely something
FAINT = 2.0  # its fringes
# m: fingers need 20 mm behind a handle; depth of a thin bar, blurred with the face, shows a third of it
LEAST = 0.0065
TALL = 0.08  # m: a handle stands out less; more is something that leans on the face
BORDER = 0.012  # m: at a face's edge depth is that of what is behind it
BRIDGED = 0.024  # m: a gap in a handle where depth failed; two handles are farther apart
# Sizes that a hand takes hold of, m: longest and shortest side as seen in a relief that is blurred by a cell
# or two.
LENGTH = (0.016, 1.2)
THICKNESS = (0.006, 0.07)
LONG = 2.2  # times as long as thick: a bar or bow, else a knob
BENT = 0.75  # ends less proud than this share of the middle: a bow
ENDS = (0.65, 0.9)  # of half its length; the outermost cells are blurred


def find_handles(relief: Heights, grid: FaceGrid) -> tuple[SeenHandle, ...]:
    """Return the handles in a face's relief (h, w) on its grid, from the top down."""
    proud = _smoothed(raised(relief, grid))
    if not np.isfinite(proud).any():
        return ()
    noise = 1.4826 * float(np.nanmedian(np.abs(proud - np.nanmedian(proud))))
    inner = (grid.u > BORDER) & (grid.u < grid.width - BORDER)
    height = np.where(np.isfinite(proud) & inner, proud, 0.0)
    # Where something surely stands out, its fringes belong to it (hysteresis: Canny 1986).
    fringe = height > max(FAINT * noise, LEAST / 3)
    number = np.zeros(fringe.shape, np.int32)
    ndimage.label(_bridged(fringe, grid.pixel), np.ones((3, 3)), output=number)
    count = int(number.max())
    sure = ndimage.maximum(height, number, np.arange(1, count + 1)) > max(CLEAR * noise, LEAST)
    # What stands out in a recess (under a front, in a shelf) but not of the face itself is no handle of a
    # front.
    before = ndimage.mean(np.nan_to_num(relief), number, np.arange(1, count + 1)) > 0
    found = [_handle((number == k) & fringe, height, grid, noise) for k in np.flatnonzero(sure & before) + 1]
    return _of_one_kind(sorted((h for h in found if h is not None), key=lambda h: (-h.v, h.u)))


def _of_one_kind(handles: list[SeenHandle]) -> tuple[SeenHandle, ...]:
    """Return the handles with bars and bows told apart once for all of a face: one maker fits one kind."""
    long = [h for h in handles if h.kind in (HandleKind.BAR, HandleKind.BOW)]
    bows = sum(h.kind is HandleKind.BOW for h in long)
    kind = HandleKind.BOW if 2 * bows > len(long) else HandleKind.BAR
    return tuple(replace(h, kind=kind) if h in long else h for h in handles)


def _bridged(flags: Flags, cell: float) -> Flags:
    """Return the flags with short gaps along rows and columns closed: a handle may be seen in pieces."""
    reach = 2 * round(BRIDGED / cell / 2) + 1
    wide = np.pad(flags, reach)
    out = np.zeros(wide.shape, bool)
    for shape in ((1, reach), (reach, 1)):
        out |= np.asarray(ndimage.binary_closing(wide, np.ones(shape)), bool)
    return out[reach:-reach, reach:-reach]


def _smoothed(proud: Array) -> Array:
    """Return heights averaged over the nearest cells that were seen."""
    known = np.isfinite(proud)
    total = ndimage.gaussian_filter(np.where(known, proud, 0.0), 0.7)
    weight = ndimage.gaussian_filter(known.astype(float), 0.7)
    return np.where(known, total / np.maximum(weight, 1e-9), np.nan)


def raised(relief: Heights, grid: FaceGrid) -> Array:
    """Return (h, w) by how much each cell stands out from what is on both sides of it; nan where unseen.

    Above and below it, or left and right: a handle stands out both ways across, the edge of a front over a
    plinth or beside an open shelf only one way.
    """
    known = np.isfinite(relief)
    if not known.any():
        return np.full(relief.shape, np.nan)
    nearest = np.asarray(ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True))
    filled = relief[nearest[0], nearest[1]].astype(float)
    half = max(1, round(BESIDE / grid.pixel / 2))
    rows, columns = filled.shape
    wide = np.pad(filled, half, mode="edge")
    # The middle of the window beside a cell lies half a window away.
    across = ndimage.median_filter(wide, (2 * half + 1, 3))[:, half:-half]
    along = ndimage.median_filter(wide, (3, 2 * half + 1))[half:-half]
    sides = np.maximum(across[:rows], across[-rows:]), np.maximum(along[:, :columns], along[:, -columns:])
    return np.where(known, filled - np.minimum(*sides), np.nan)


def _handle(mine: Flags, proud: Array, grid: FaceGrid, noise: float) -> SeenHandle | None:
    """Return the handle that a connected region is; None where its size or shape is none of a handle."""
    row, column = np.nonzero(mine)
    height = weight = proud[row, column]
    u, v = grid.u[column], grid.v[row]
    if u.min() < 2 * BORDER and u.max() > grid.width - 2 * BORDER:
        return None  # from edge to edge: a moulding
    wide, tall = _extent(u, weight, grid.pixel), _extent(v, weight, grid.pixel)
    length, thickness = max(wide, tall), min(wide, tall)
    vertical = tall > wide
    standoff = float(np.percentile(height, 95))
    fits = LENGTH[0] <= length <= LENGTH[1] and THICKNESS[0] <= thickness <= THICKNESS[1]
    if not fits or float(np.percentile(height, 99)) > TALL:
        return None
    return SeenHandle(
        kind=_kind(length, thickness, (v if vertical else u), height),
        u=float(np.average(u, weights=weight)),
        v=float(np.average(v, weights=weight)),
        length=length,
        thickness=thickness,
        standoff=standoff,
        vertical=vertical,
        score=_score(height, noise),
    )


def _extent(places: Array, weight: Array, cell: float) -> float:
    """Return how long a region is: that of a uniform bar with the same spread, m.

    Ends fray where depth is smeared; the spread of the whole hardly feels it.
    """
    mean = np.average(places, weights=weight)
    variance = np.average((places - mean) ** 2, weights=weight) + cell**2 / 12
    return math.sqrt(12 * float(variance))


def _kind(length: float, thickness: float, along: Array, height: Array) -> HandleKind:
    if length < LONG * thickness:
        return HandleKind.KNOB
    # How far out it is along its length: the most across it, since its rims are blurred with the face.
    place, number = np.unique(np.round(along, 6), return_inverse=True)
    out = np.zeros(len(place))
    np.maximum.at(out, number, height)
    off = np.abs(place - place.mean()) / (np.ptp(place) / 2)
    ends, inner = out[(off > ENDS[0]) & (off < ENDS[1])], out[off < ENDS[0]]
    bent = len(ends) > 0 and len(inner) > 0 and np.median(ends) < BENT * np.median(inner)
    return HandleKind.BOW if bent else HandleKind.BAR


def _score(height: Array, noise: float) -> float:
    """Return 0..1: how sure it is that it stands out, by the mean of its cells against their noise."""
    clear = float(height.mean()) * math.sqrt(len(height)) / max(noise, 1e-4)
    return 1 - math.exp(-clear / 20)
