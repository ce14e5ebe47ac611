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

# Coarse to fine: m a pixel and smoothing in pixels. The first reaches a few centimetres, the last resolves a
# gap.
LEVELS = ((0.004, 5), (0.002, 5))
STEPS = 60
SETTLED = 1e-5
# Below this correlation of two pictures of one face, one of them shows something else: occluded, blurred, not
# found.
ALIKE = 0.85


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

    pixel   m;  the correlation is -1 where no alignment was found.
    """
    warp, score = np.eye(3), -1.0
    for level, smooth in LEVELS:
        shrink = min(1.0, pixel / level)
        a, b = _smaller(reference, shrink), _smaller(other, shrink)
        scale = _resizing(reference.seen.shape, a.seen.shape)
        start = (scale @ warp @ np.linalg.inv(scale)).astype(np.float32)
        found = _ecc(a, b, start / start[2, 2], smooth)
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


def _ecc(a: Layer, b: Layer, start: NDArray[np.float32], smooth: int) -> tuple[Array, float] | None:
    """Return the homography from a to b and the correlation; None where ECC does not converge."""
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, STEPS, SETTLED)
    try:
        score, warp = cv2.findTransformECCWithMask(
            grey(a.picture),
            grey(b.picture),
            _mask(a.seen),
            _mask(b.seen),
            start,
            cv2.MOTION_HOMOGRAPHY,
            stop,
            smooth,
        )
    except cv2.error:  # it raises where the pictures have nothing in common
        return None
    return np.asarray(warp, np.float64), float(score)


def _mask(seen: Mask) -> Picture:
    return np.asarray(seen, np.uint8) * 255
