"""How far each pixel of a picture is from the nearest edge that runs in a given direction."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.scan.capture import Camera

Array = NDArray[np.float64]

DIRECTIONS = 6  # bins of 30 degrees; a line is compared with edges of its own bin and half of each neighbour
CLOSE = 2.0  # pixels within which a steep place is the edge that is looked for
FAR = 20.0  # pixels: beyond this an edge has nothing to do with a line
LEVEL = 4.0  # Sobel's answer to a step of one grey level: no picture is finer
NOISE = 4.0  # sigmas above the picture's grain an edge begins


@dataclass(frozen=True, eq=False, slots=True)
class EdgeMaps:
    """Where edges are in a part of a picture.

    maps     (DIRECTIONS, h, w) float32: pixels to the next edge that runs in a direction, at most FAR
    grey     (h, w) uint8, hardly smoothed;  faint: by how much it changes in a pixel at the faintest edge
    corner   (column, row) of the part's first pixel in the camera's picture
    camera   of the whole picture, at the size in which edges were found
    """

    maps: NDArray[np.float32]
    grey: NDArray[np.uint8]
    faint: float
    corner: tuple[int, int]
    camera: Camera

    def around(self, pixels: Array, step: Array) -> tuple[Array, Array]:
        """Return how far (n,) pixels (n, 2) are from edges that run along `step` (2,), and the slopes (n, 2).

        By whole pixels, but from afar; FAR and flat outside the part.
        """
        beside = np.array([[0, 0], [0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])
        found = self._read(self.maps[direction_of(step)], pixels[:, None] + beside, FAR)
        return found[:, 0], np.stack([found[:, 1] - found[:, 2], found[:, 3] - found[:, 4]], -1)

    def across(self, pixels: Array, step: Array) -> tuple[Array, Array]:
        """Return how far (n,) pixels (n, 2) lie beyond the steepest place near them, and the slopes (n, 2).

        Along the normal of `step` (2,), to fractions of a pixel, but only within CLOSE pixels: FAR and flat
        where nothing is steep there.
        """
        normal = np.array([-step[1], step[0]]) / np.hypot(*step)
        offsets = np.arange(-CLOSE - 1, CLOSE + 1.25, 0.5)
        light = self._read(self.grey, pixels[:, None] + offsets[:, None] * normal, np.nan)
        steep = np.abs(light[:, 2:] - light[:, :-2])  # over a pixel, around offsets[1:-1]
        offsets = offsets[1:-1]
        near = steep * (1 - (offsets / (CLOSE + 1)) ** 2)  # of two edges, rather the nearer one
        peak = np.argmax(np.where(np.isnan(near[:, 1:-1]), -1, near[:, 1:-1]), 1) + 1
        row = np.arange(len(pixels))
        left, middle, right = (near[row, peak + side] for side in (-1, 0, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            place = offsets[peak] + (left - right) / (left - 2 * middle + right) / 4  # top of a parabola
        found = (steep[row, peak] >= self.faint) & (left <= middle) & (middle >= right) & np.isfinite(place)
        slopes = np.where(found[:, None], normal, 0.0)
        return np.where(found, -place, FAR), slopes

    def _read(self, image: NDArray[Any], pixels: Array, outside: float) -> Array:
        """Return an image of the part at pixels (..., 2) of the picture."""
        at = (pixels - self.corner).astype(np.float32)
        x, y = (np.ascontiguousarray(at[..., axis]) for axis in (0, 1))
        source, border = image.astype(np.float32), cv2.BORDER_CONSTANT
        read = cv2.remap(source, x, y, cv2.INTER_LINEAR, borderMode=border, borderValue=outside)
        return np.asarray(read, np.float64)


def direction_of(step: Array) -> int:
    """Return the bin of a line that runs along `step` (2,) in the picture."""
    turn = np.arctan2(step[1], step[0]) / np.pi % 1
    return int(np.floor(turn * DIRECTIONS)) % DIRECTIONS


def edge_maps(picture: NDArray[np.uint8], camera: Camera, low: Array, high: Array) -> EdgeMaps:
    """Return the maps for pixels `low` (2,) to `high` (2,) of a picture (h, w, 3) that `camera` saw."""
    first = np.floor(np.clip(low, 0, [camera.width - 1, camera.height - 1])).astype(int)
    last = np.ceil(np.clip(high, 1, [camera.width, camera.height])).astype(int)
    part = picture[first[1] : last[1], first[0] : last[0]]
    grey = cv2.GaussianBlur(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), (0, 0), 0.8)
    x, y = (cv2.Sobel(grey, cv2.CV_16S, *order, ksize=3) for order in ((1, 0), (0, 1)))
    # Most of a picture is flat: half of the slopes are grain, whatever the light and the sensor.
    grain = max(1.4826 * float(np.median(np.abs(np.stack([x, y])))), LEVEL)
    edges = cv2.Canny(x, y, NOISE * grain, 2 * NOISE * grain, L2gradient=True) > 0
    # An edge runs square to its slope.
    turn = np.arctan2(x.astype(np.float32), -y.astype(np.float32)) / np.pi * DIRECTIONS
    maps = [
        _distance(edges & (np.abs((turn - b - 0.5 + DIRECTIONS / 2) % DIRECTIONS - DIRECTIONS / 2) < 1))
        for b in range(DIRECTIONS)
    ]
    faint = NOISE * grain / 8  # Sobel answers 8 to a slope of 1
    return EdgeMaps(np.stack(maps), np.asarray(grey, np.uint8), faint, (int(first[0]), int(first[1])), camera)


def _distance(edges: NDArray[np.bool_]) -> NDArray[np.float32]:
    if not edges.any():
        return np.full(edges.shape, FAR, np.float32)
    distance = cv2.distanceTransform(
        np.where(edges, 0, 255).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    # Squares of distances are whole numbers; OpenCV's roots differ in the last bit by where the memory lies.
    return np.asarray(np.sqrt(np.rint(np.minimum(distance, np.float32(FAR)) ** 2)), np.float32)
