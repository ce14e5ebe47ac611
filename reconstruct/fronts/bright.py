"""Handles by colour: short bars on a face that is darker, or brighter, all around them.

A metal bar stands out in a picture more than in depth, and its edges are sharper there. Slots of a vent are
as dark as their neighbours, and the strips between them no brighter than the face; what is bright all over is
light.
"""

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pocketworld.families.protocol import SeenHandle
from pocketworld.reconstruct.fronts.elevation import Shot
from pocketworld.reconstruct.fronts.handles import LENGTH, LONG
from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.reconstruct.fronts.standoff import USUAL
from pocketworld.scene import HandleKind

Array = NDArray[np.float64]
Grey = NDArray[np.float32]
Flags = NDArray[np.bool_]

WIDE = 0.045  # m: a bar, with what the pictures blur it, is narrower
SHORTEST, THICK = 0.05, 0.030  # m
BRIGHTER = 20.0  # grey levels, and NOISE times what the face itself varies
NOISE = 6.0
AROUND, BESIDE = 0.03, 0.008  # m: the face around a bar, and what its blur brightens
FULL = 0.5  # of a bar's length that its own rows are filled
SHADOW = 0.10  # m: farther from a bar, nothing is its shadow
FREE = 0.02  # m from a bar's ends to the face's edges
SCORE = 0.45  # a picture alone; depth as well is surer


def bars(brightness: Grey, grid: FaceGrid, shots: Sequence[Shot]) -> tuple[SeenHandle, ...]:
    """Return the bars on a face's blended brightness (h, w), nan where unseen, from the top down.

    A bar stands before the face, so that pictures show it displaced: where it truly is follows from where the
    cameras of the shots were, and how far bars usually stand out.
    """
    bright = list(_upright_and_level(brightness, grid, shots))
    # The shadow of a bar, and what is mirrored below it, are no bars of their own.
    dark = [
        bar
        for bar in _upright_and_level(255 - brightness, grid, shots)
        if all(abs(bar.u - h.u) > SHADOW or abs(bar.v - h.v) > SHADOW for h in bright)
    ]
    return tuple(sorted((*bright, *dark), key=lambda h: (-h.v, h.u)))


def _upright_and_level(brightness: Grey, grid: FaceGrid, shots: Sequence[Shot]) -> Iterator[SeenHandle]:
    turned = FaceGrid(grid.height, grid.width, grid.margin, grid.pixel)
    for box in _bars(brightness, grid):
        yield _handle(box, False, grid, shots)
    # Turned clockwise, what was to the left is on top, and what was low is to the left.
    for left, low, right, high in _bars(np.ascontiguousarray(np.rot90(brightness, -1)), turned):
        yield _handle((grid.width - high, left, grid.width - low, right), True, grid, shots)


def _bars(brightness: Grey, grid: FaceGrid) -> Iterator[tuple[float, float, float, float]]:
    """Yield level bars as left, low, right, high, m."""
    known = np.isfinite(brightness)
    if not known.any():
        return
    grey = np.where(known, brightness, np.float32(np.nanmedian(brightness)))
    reach = max(3, round(WIDE / grid.pixel))
    stands = grey - cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((reach, 1), np.uint8))
    noise = 1.4826 * float(np.median(np.abs(stands[known] - np.median(stands[known]))))
    shown = known & (stands > max(BRIGHTER, NOISE * noise))
    number = np.zeros(shown.shape, np.int32)
    ndimage.label(shown, np.ones((3, 3)), output=number)
    for mine, where in enumerate(ndimage.find_objects(number), 1):
        columns = where[1]
        left, right = grid.u[columns.start] - grid.pixel / 2, grid.u[columns.stop - 1] + grid.pixel / 2
        # The bar itself, without the feet on which it stands.
        rows = where[0].start + np.flatnonzero((number[where] == mine).mean(1) > FULL)
        if not len(rows):
            continue
        high, low = grid.v[rows[0]] + grid.pixel / 2, grid.v[rows[-1]] - grid.pixel / 2
        length, thickness = right - left, high - low
        fits = SHORTEST <= length <= LENGTH[1] and thickness <= THICK and length > LONG * thickness
        free = left > FREE and right < grid.width - FREE and low > 0 and high < grid.height
        if fits and free and _alone(grey, known, number == mine, where, grid.pixel):
            yield float(left), float(low), float(right), float(high)


def _alone(grey: Grey, known: Flags, mine: Flags, where: tuple[slice, slice], pixel: float) -> bool:
    """Say whether the face all around a bar is darker than it."""
    reach = math.ceil(AROUND / pixel)
    near = tuple(slice(max(0, s.start - reach), s.stop + reach) for s in where)
    own = mine[near]
    blurred = (
        cv2.dilate(own.astype(np.uint8), np.ones((2 * math.ceil(BESIDE / pixel) + 1,) * 2, np.uint8)) > 0
    )
    around = known[near] & ~blurred
    if not around.any():
        return False
    return float(np.median(grey[near][own])) > float(np.percentile(grey[near][around], 90)) + BRIGHTER


def _handle(
    box: tuple[float, float, float, float], vertical: bool, grid: FaceGrid, shots: Sequence[Shot]
) -> SeenHandle:
    left, low, right, high = box
    place = np.array([(left + right) / 2, (low + high) / 2])
    wide, tall = right - left, high - low
    u, v = (float(x) for x in place + USUAL * sight(place, grid, shots))
    length, thickness = max(wide, tall), min(wide, tall)
    return SeenHandle(HandleKind.BAR, u, v, length, thickness, USUAL, vertical, SCORE)


def sight(place: Array, grid: FaceGrid, shots: Sequence[Shot]) -> Array:
    """Return how far (2,) a camera's line of sight to a place moves along the face per metre before it."""
    column, row, _ = grid.pixel_from_face @ [*place, 1.0]
    slopes = []
    for shot in shots:
        x, y, w = shot.picture_from_pixel @ [column, row, 1.0]
        assert shot.frame.colour is not None
        height, width = shot.frame.colour.shape[:2]
        if w > 0 and 0 <= x / w < width and 0 <= y / w < height:
            slopes.append((np.array(shot.view.centre[:2]) - place) / shot.view.centre[2])
    return np.median(slopes, axis=0) if slopes else np.zeros(2)
