"""Where the edges of a face lie in its elevation: what anchors a blend of pictures whose poses are all a
little off.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from pocketworld.reconstruct.fronts.ends import Ends, Place
from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.reconstruct.surfaces.register import Grey

Array = NDArray[np.float64]

# An edge is read off in pieces of this length, m, and must be seen in this share of them, on one line within
# STRAIGHT.
PIECE = 0.02
SHARE = 0.6
STRAIGHT = 0.003  # m: as far as a picture's pixel on the face
# The ends of an edge are left out: there the neighbouring edge is seen as well.
ENDS = 0.1
# An edge must stand out this many times from what else is in the strip in which it is looked for.
CLEAR = 4.0
# How sure the scale of a blend is: a camera that is off by a centimetre at a metre or more.
SCALE = 0.01
# How far the edge of a blend is from where it should be, m, even if poses were corrected on the box.
POSE = 0.005


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of the face as seen: `shift` m outwards from where the box has it, at its middle, and its
    slope.

    slope   rad, counter-clockwise as seen from outside;  sigma: of the shift, m
    """

    shift: float
    slope: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Outline:
    """The edges of a face that were seen; None where there was none."""

    left: Edge | None
    right: Edge | None
    top: Edge | None
    bottom: Edge | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the box says of its face: width and its standard error, and where the face's lower edge is, if
    known, m.

    A face may end above the floor, over feet or castors.
    """

    width_sigma: float
    lower_edge: float | None
    height_sigma: float


def outline(brightness: Grey, grid: FaceGrid, known: Known, by_depth: Ends | None = None) -> Outline:
    """Return the edges of a face in its elevation (h, w): the clearest straight edge near where each is told
    to be, by the box and by depth.
    """
    told = {
        "left": known.width_sigma,
        "right": known.width_sigma,
        "top": known.height_sigma,
        "bottom": known.height_sigma,
    }
    places = {"bottom": -(known.lower_edge or 0.0)}
    depth = by_depth or {}
    found = {}
    # Each side is turned so that its edge runs along the columns, outside on top.
    for side, k in SIDES.items():
        place = _both(places.get(side, 0.0), math.hypot(told[side], POSE), depth.get(side))
        found[side] = _edge(np.ascontiguousarray(np.rot90(brightness, k)), grid, place)
    return Outline(**found)


def _both(place: float, sigma: float, by_depth: Place | None) -> Place:
    """Return where an edge is by the box, whose poses may be off, and by depth, whose poses are the same."""
    if by_depth is None:
        return Place(place, sigma)
    a, b = 1 / sigma**2, 1 / by_depth.sigma**2
    return Place((a * place + b * by_depth.shift) / (a + b), 1 / math.sqrt(a + b))


# How often to turn a picture by 90 degrees counter-clockwise for a side to come on top.
SIDES = {"left": 3, "right": 1, "top": 0, "bottom": 2}


def _edge(brightness: Grey, grid: FaceGrid, told: Place) -> Edge | None:
    """Return the edge at the top of a picture of the face, told to be at a place (m outwards)."""
    p, margin = grid.pixel, grid.margin
    strip = brightness[: round(2 * margin / p)]
    first = round((margin + ENDS * (strip.shape[1] * p - 2 * margin)) / p)
    along = strip[:, first : strip.shape[1] - first]
    pieces = max(1, round(along.shape[1] * p / PIECE))
    profile = cv2.resize(along, (pieces, along.shape[0]), interpolation=cv2.INTER_AREA)
    smooth = gaussian_filter1d(profile, STRAIGHT / 2 / p, axis=0)
    slope = np.nan_to_num(np.abs(np.gradient(smooth, axis=0)))
    outwards = margin - (np.arange(len(slope)) + 0.5) * p
    likely = np.exp(-((outwards - told.shift) ** 2) / (2 * told.sigma**2))
    # What is told chooses between steep places; it moves none of them.
    steepest = slope >= maximum_filter1d(slope, 3, axis=0)
    rows = np.argmax(np.where(steepest, slope, 0.0) * likely[:, None], 0)
    clear = slope[rows, np.arange(pieces)] > CLEAR * np.median(slope, 0)
    s = (np.arange(pieces) + 0.5 - pieces / 2) * along.shape[1] * p / pieces
    height = margin - (_peak(slope, rows) + 0.5) * p
    return _fit(s[clear], height[clear], pieces)


def _peak(slope: Grey, rows: NDArray[np.intp]) -> Array:
    """Return the place of each column's maximum, in rows, between pixels (vertex of a parabola)."""
    inner = np.clip(rows, 1, len(slope) - 2)
    columns = np.arange(slope.shape[1])
    a, b, c = (slope[inner + k, columns].astype(float) for k in (-1, 0, 1))
    bend = a - 2 * b + c
    return np.asarray(inner + np.where(bend < 0, (a - c) / np.where(bend < 0, 2 * bend, 1), 0), float)


def _fit(s: Array, height: Array, pieces: int) -> Edge | None:
    """Return the line that most places (s, height) lie on, of the lines through two of them."""
    if len(s) < max(3, SHARE * pieces):
        return None
    i, j = np.triu_indices(len(s), 1)
    slopes = (height[j] - height[i]) / (s[j] - s[i])
    offsets = height[i] - slopes * s[i]
    off = np.abs(height - slopes[:, None] * s - offsets[:, None])
    on = off[np.argmax((off < STRAIGHT).sum(1))] < STRAIGHT
    if on.sum() < SHARE * pieces:
        return None
    slope, offset = np.polyfit(s[on], height[on], 1)
    spread = float(np.std(height[on] - slope * s[on] - offset))
    return Edge(float(offset), math.atan(float(slope)), spread / math.sqrt(float(on.sum())))


def anchor(seen: Outline, grid: FaceGrid, known: Known) -> Array:
    """Return the homography (3, 3), on (u, v, 1) m, that puts the seen edges where they belong.

    Edges become upright and level, the face comes to lie in the middle of the box's face and under its top.
    Its size is between what was seen and the box's, by how sure they are: a box that is too large must not
    stretch what is on it, and poses that are a little off must not either. An edge that was not seen is
    taken to be where the box has it, turned like the others.
    """
    edges = [e for e in (seen.left, seen.right, seen.top, seen.bottom) if e is not None]
    if not edges:
        return np.eye(3)
    plain = Edge(0.0, float(np.mean([e.slope for e in edges])), math.inf)
    left, right, top, bottom = (e or plain for e in (seen.left, seen.right, seen.top, seen.bottom))
    source = _corners(_lines(left, right, top, bottom, grid))
    u0, u1, v0 = -left.shift, grid.width + right.shift, -bottom.shift - top.shift
    if seen.left and seen.right:
        width = _weighed(u1 - u0, grid.width, known.width_sigma)
        u0, u1 = (grid.width - width) / 2, (grid.width + width) / 2
    if seen.top and seen.bottom and known.lower_edge is not None:
        v0 = grid.height - _weighed(grid.height - v0, grid.height - known.lower_edge, known.height_sigma)
    target = np.array([[u0, v0], [u1, v0], [u1, grid.height], [u0, grid.height]])
    return _homography(source, target)


def _weighed(seen: float, told: float, sigma: float) -> float:
    """Return a length between how long it is seen, to SCALE, and how long it is told to be, to sigma."""
    a, b = 1 / (SCALE * told) ** 2, 1 / sigma**2
    return (a * seen + b * told) / (a + b)


def _lines(left: Edge, right: Edge, top: Edge, bottom: Edge, grid: FaceGrid) -> list[Array]:
    """Return the bottom, right, top and left edge as lines (a, b, c): a u + b v + c = 0, m."""
    u, v = grid.width / 2, grid.height / 2
    return [
        np.array([-bottom.slope, 1, bottom.shift + bottom.slope * u]),
        np.array([1, right.slope, -grid.width - right.shift - right.slope * v]),
        np.array([-top.slope, 1, -grid.height - top.shift + top.slope * u]),
        np.array([1, left.slope, left.shift - left.slope * v]),
    ]


def _corners(lines: list[Array]) -> Array:
    """Return (4, 2): where the bottom meets left, right, and the top right, left."""
    bottom, right, top, left = lines
    met = np.array([np.cross(a, b) for a, b in ((bottom, left), (bottom, right), (top, right), (top, left))])
    return np.asarray(met[:, :2] / met[:, 2:], float)


def _homography(source: Array, target: Array) -> Array:
    """Return the homography (3, 3) that takes four points to four."""
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.append(np.linalg.solve(np.array(rows), target.ravel()), 1).reshape(3, 3)
