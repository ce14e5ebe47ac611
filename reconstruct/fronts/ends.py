"""Where a face ends, by the depth maps of the pictures that were laid on it.

A gap below a top board is a stronger line than the board's own edge, where board and fronts are of one
colour, and poses that were mended by the box's edges may have taken the one for the other. Depth goes on flat
over a gap and bends away at an edge: the top of the furniture and its sides recede from there, and what is
behind it lies far off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.reconstruct.fronts.relief import heights_at, plane_through
from pocketworld.reconstruct.fronts.shots import Shot

Array = NDArray[np.float64]

FINE, COARSE = 0.002, 0.010  # m: how finely depth is looked at across an edge, and elsewhere
INNER = 0.1  # of a face at either end of an edge: there the neighbouring one is seen as well
OFF = 0.008  # m off the face: three sigma of depth at two metres, averaged along an edge
FEWEST = 3  # depth maps that must show an edge: one may be off
GRAIN = 1.0  # of a depth map's pixel on the face: what is before another is a pixel larger in depth


@dataclass(frozen=True, slots=True)
class Place:
    """Where an edge of a face is, m outwards from where the box has it, and its standard error."""

    shift: float
    sigma: float


SIDES = ("left", "right", "top")  # a foot is hidden in the carpet
Ends = dict[str, Place]
"""By side: where depth shows a face to end."""


def ends(shots: Sequence[Shot], box: UprightBox, poses: Array, grid: FaceGrid) -> Ends:
    """Return where depth shows the front face of a box to end; a side where it does not is left out.

    poses   (n, 4, 4) world_from_camera, as for the pictures
    """
    found: dict[str, list[float]] = {side: [] for side in SIDES}
    deep = [shot for shot in shots if shot.frame.depth is not None]
    for shot in deep:
        for side, at in _seen(shot, box, poses[shot.view.number], grid).items():
            found[side].append(at)
    grain = GRAIN * float(np.median([_pixel(shot) for shot in deep])) if deep else 0.0
    return {side: _place(places, grain) for side, places in found.items() if len(places) >= FEWEST}


def _seen(shot: Shot, box: UprightBox, world_from_camera: Array, grid: FaceGrid) -> dict[str, float]:
    """Return how far outwards one depth map shows sides of a face to end, m."""
    us = _places(grid.width, grid.margin, both=True)
    vs = _places(grid.height, grid.margin, both=False)
    u, v = (a.ravel() for a in np.meshgrid(us, vs))
    height = heights_at(shot, box, world_from_camera, grid, u, v)
    on = np.minimum(np.minimum(u, grid.width - u), np.minimum(v, grid.height - v)) > grid.margin
    flat = plane_through(u, v, np.where(on, height, np.nan))
    off = np.abs(height - flat).reshape(len(vs), len(us))
    inner = [(x > INNER * n) & (x < (1 - INNER) * n) for x, n in ((us, grid.width), (vs, grid.height))]
    at_u, at_v, before = shot.view.centre
    # By how much what joins the face at an edge lies aside for each metre that it recedes, as seen from here:
    # a box's top and sides are seen where the camera is past the edge.
    rows = {
        "left": (-us, off[inner[1]].T, -at_u),
        "right": (us - grid.width, off[inner[1]].T, at_u - grid.width),
        "top": (vs - grid.height, off[:, inner[0]], at_v - grid.height),
    }
    ended = {
        side: _end(outwards, profile, grid.margin, aside / before)
        for side, (outwards, profile, aside) in rows.items()
    }
    return {side: at for side, at in ended.items() if at is not None}


def _places(size: float, margin: float, both: bool) -> Array:
    """Return where depth is looked at along a side of a face, m: finely about its upper end, or both."""
    fine = np.arange(-margin + FINE / 2, margin, FINE)
    low = fine if both else np.zeros(0)
    return np.concatenate([low, np.arange(margin, size - margin, COARSE), size + fine])


def _end(outwards: Array, off: Array, margin: float, aside: float) -> float | None:
    """Return how far outwards a face ends; None where it does not, or is not seen inside of its edge.

    Missing depth ends a face (what is far behind is none), but not where it is on the face again beyond.
    outwards   (n,) places across the edge, m;  off: (n, k) by how much depth is off the face there
    aside      m outwards for each metre that what joins the face recedes; not positive: it leaps
    """
    order = np.argsort(outwards)
    order = order[np.abs(outwards[order]) < margin]
    places, profile = outwards[order], _medians(off[order])
    on = _on(profile)
    first = int(np.argmin(on))
    if on.all() or places[first] < -margin / 2:
        return None
    before, after = profile[first - 1], profile[first]
    if aside <= 0 or not after < 2 * OFF:  # it leaps, or there is no depth
        return float(places[first] - FINE / 2)
    share = (OFF - before) / (after - before)
    return float(places[first - 1] + share * FINE - aside * OFF)


def _on(profile: Array) -> NDArray[np.bool_]:
    """Return where (n,) depth is on the face, or is missing between two places where it is."""
    known = np.flatnonzero(np.isfinite(profile))
    if not len(known):
        return np.zeros(len(profile), bool)
    off = (profile[known] >= OFF).astype(float)
    return np.asarray(np.interp(np.arange(len(profile)), known, off, left=1.0, right=1.0) == 0)


def _medians(rows: Array) -> Array:
    """Return the median (n,) of each row where most of it is known, else nan."""
    enough = np.isfinite(rows).mean(1) > 0.5
    out = np.full(len(rows), np.nan)
    out[enough] = np.nanmedian(rows[enough], axis=1) if enough.any() else np.nan
    return out


def _pixel(shot: Shot) -> float:
    """Return how much of the face, m, a pixel of a shot's depth covers."""
    camera = shot.frame.depth_camera
    assert camera is not None
    return shot.view.centre[2] / (min(camera.fx, camera.fy) * shot.view.cosine)


def _place(places: Sequence[float], grain: float) -> Place:
    """Return the median of what maps say, whose errors are alike in part."""
    middle = float(np.median(places))
    spread = 1.4826 * float(np.median(np.abs(np.array(places) - middle)))
    return Place(middle, float(np.hypot(spread, max(grain, FINE))))
