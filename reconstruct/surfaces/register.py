"""Rectified pictures of one face brought into register, so that a blend of them is sharp.

Poses are off by about a centimetre on a face a metre and a half away, gaps between fronts are 3 mm:
unregistered, the blend smears them away. Each picture is aligned to the best one by maximising the
correlation that brightness and contrast do not change (ECC: Evangelidis and Psarakis 2008), over
homographies.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Grey = NDArray[np.float32]

# Coarse to fine, m a pixel, and ever more ways to give way: the first reaches a few centimetres and cannot go
# astray, the last resolves a gap.
LEVELS = ((0.004, cv2.MOTION_TRANSLATION), (0.004, cv2.MOTION_AFFINE), (0.002, cv2.MOTION_HOMOGRAPHY))
SMOOTH = 5  # pixels
# Pictures are compared by how steep brightness is, whichever way: behind the edge of a face there may be a
# bright floor in one picture and the dark side of the thing in the next. The steepest pixels count alike, or
# a faint gap would count for nothing beside that edge.
STEEPEST = 95  # per cent of pixels are less steep
STEPS = 60
SETTLED = 1e-5
# Below this correlation of two pictures of one face, one of them shows something else: occluded, blurred, not
# found.
ALIKE = 0.8


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """A picture on a face's grid, and where the grid shows it."""

    picture: Picture
    seen: Mask


def grey(picture: Picture) -> Grey:
    """Return brightness (h, w)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)


def align(reference: Layer, other: Layer, pixel: float) -> tuple[Array, float]:
    """Return the homography (3, 3), in pixels, from the reference to the other, and their correlation then.

    Only what the reference says is seen is compared. pixel: m. The correlation is -1 where nothing is alike.
    """
    warp, score = np.eye(3), -1.0
    for level, motion in LEVELS:
        shrink = min(1.0, pixel / level)
        a, b = _smaller(reference, shrink), _smaller(other, shrink)
        scale = _resizing(reference.seen.shape, a.seen.shape)
        start = scale @ warp @ np.linalg.inv(scale)
        found = _ecc(a, b, start / start[2, 2], motion)
        if found is None:
            return np.eye(3), -1.0
        warp, score = np.linalg.inv(scale) @ found[0] @ scale, found[1]
    return warp / warp[2, 2], score


def _smaller(layer: Layer, shrink: float) -> Layer:
    if shrink == 1:
        return layer
    rows, columns = (max(2, round(n * shrink)) for n in layer.seen.shape)
    picture = cv2.resize(layer.picture, (columns, rows), interpolation=cv2.INTER_AREA)
    seen = cv2.resize(layer.seen.astype(np.uint8) * 255, (columns, rows), interpolation=cv2.INTER_AREA) == 255
    return Layer(np.asarray(picture, np.uint8), np.asarray(seen, bool))


def _resizing(before: tuple[int, ...], after: tuple[int, ...]) -> Array:
    """Return (3, 3): the smaller picture's pixels from the larger one's, centres at integers."""
    sy, sx = after[0] / before[0], after[1] / before[1]
    return np.array([[sx, 0, sx / 2 - 0.5], [0, sy, sy / 2 - 0.5], [0, 0, 1.0]])


def _ecc(a: Layer, b: Layer, start: Array, motion: int) -> tuple[Array, float] | None:
    """Return the homography from a to b and the correlation; None where ECC does not converge."""
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, STEPS, SETTLED)
    rows = 3 if motion == cv2.MOTION_HOMOGRAPHY else 2
    first = np.ascontiguousarray(start[:rows], np.float32)
    pictures = _steepness(a), _steepness(b), _mask(a.seen), _mask(b.seen)
    try:
        score, warp = cv2.findTransformECCWithMask(*pictures, first, motion, stop, SMOOTH)
    except cv2.error:  # it raises where the pictures have nothing in common
        return None
    return np.vstack([np.asarray(warp, float), np.eye(3)[rows:]]), float(score)


def _steepness(layer: Layer) -> Grey:
    """Return (h, w) how steep brightness is, as a share of what is very steep in this picture; 0 where
    unseen.
    """
    smooth = cv2.GaussianBlur(grey(layer.picture), (0, 0), 1)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    known = cv2.erode(_mask(layer.seen), np.ones((5, 5), np.uint8)) > 0
    most = float(np.percentile(slope[known], STEEPEST)) if known.any() else 0.0
    return np.asarray(np.where(known, np.minimum(slope / max(most, 1e-6), 1), 0), np.float32)


def _mask(seen: Mask) -> Picture:
    return np.asarray(seen, np.uint8) * 255
