"""How sharp pictures are: the width of their edges, and which are blurred while their neighbours are not."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]

WIDTH = 640  # pixels: pictures are compared at this width, so that the unit is an angle, about 1.6 mrad
AGAIN = 1.5  # pixels: how much each picture is blurred once more
STRONGEST = 0.1  # of all edges: the others are noise and texture
FEWEST = 20  # edges
WIDEST = 1.05  # ratio of gradients: the width is then 4.7 pixels, more than blurring once more can tell
NEIGHBOURS = 2  # pictures on each side
# Blur adds in squares: at the root of 2, what moved the camera blurs as much as all else does.
BLURRED = 2**0.5


def edge_width(picture: NDArray[np.uint8]) -> float | None:
    """Return the blur of a picture (h, w, 3) as the sigma of a Gaussian, in pixels of a picture WIDTH wide.

    An edge of width s, blurred once more by r, keeps s / sqrt(s² + r²) of its gradient; so the ratio of
    gradients tells s (Zhuo and Sim 2011, "Defocus map estimation from a single image"). Contrast and content
    cancel. The wider of horizontal and vertical edges counts: a moving camera blurs only those across its
    way. None where there are hardly any edges.
    """
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    height, width = grey.shape
    if width != WIDTH:
        how = cv2.INTER_AREA if width > WIDTH else cv2.INTER_LINEAR
        size = (WIDTH, max(1, round(height * WIDTH / width)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=how), np.float32)
    again = np.asarray(cv2.GaussianBlur(grey, (0, 0), AGAIN), np.float32)
    widths = [_width(grey, again, dx, 1 - dx) for dx in (0, 1)]
    return max((w for w in widths if w is not None), default=None)


def _width(grey: Grey, again: Grey, dx: int, dy: int) -> float | None:
    before, after, other = (
        np.abs(cv2.Sobel(image, cv2.CV_32F, x, y))
        for image, x, y in ((grey, dx, dy), (again, dx, dy), (again, dy, dx))
    )
    around = np.ones((3, 3), np.uint8)
    edges = (after >= cv2.dilate(after, around)) & (after > other)
    if edges.sum() < FEWEST:
        return None
    edges &= after >= np.quantile(after[edges], 1 - STRONGEST)
    ratio = np.maximum(cv2.dilate(before, around)[edges] / after[edges], WIDEST)
    return float(np.median(AGAIN / np.sqrt(ratio**2 - 1)))


def blurred(widths: Sequence[float]) -> NDArray[np.bool_]:
    """Return (n,): which pictures, in the order they were taken, are blurred against those around them."""
    out = np.zeros(len(widths), bool)
    for i, width in enumerate(widths):
        around = [*widths[max(0, i - NEIGHBOURS) : i], *widths[i + 1 : i + 1 + NEIGHBOURS]]
        out[i] = bool(around) and width > BLURRED * float(np.median(around))
    return out
