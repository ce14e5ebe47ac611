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
    grey     (h, w) float32, hardly smoothed;  faint: by how much it changes in a pixel at the faintest edge
    corner   (column, row) of the part's first pixel in the camera's picture
    camera   of the whole picture, at the size in which edges were found
    """

    maps: NDArray[np.float32]
    grey: NDArray[np.float32]
    faint: float
    corner: tuple[int, int]
    camera: Camera

    def around(self, pixels: Array, steps: Array) -> tuple[Array, Array]:
        """Return how far (n,) pixels (n, 2) are from edges along `steps` (n, 2), and the slopes (n, 2).

        By whole pixels, but from afar; FAR and flat outside the part.
        """
        beside = np.array([[0, 0], [0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]])
        height, width = self.maps.shape[1:]
        tall = self.maps.reshape(-1, width)
        found = self._read(tall, pixels[:, None] + beside, FAR, height * direction_of(steps)[:, None])
        return found[:, 0], np.stack([found[:, 1] - found[:, 2], found[:, 3] - found[:, 4]], -1)

    def across(self, pixels: Array, steps: Array) -> tuple[Array, Array]:
        """Return how far (n,) pixels (n, 2) lie beyond the steepest place near them, and the slopes (n, 2).

        Along the normals of `steps` (n, 2), to fractions of a pixel, but only within CLOSE pixels: FAR and
        flat where nothing is steep there.
        """
        normals = np.stack([-steps[:, 1], steps[:, 0]], -1) / np.linalg.norm(steps, axis=1, keepdims=True)
        offsets = np.arange(-CLOSE - 1, CLOSE + 1.25, 0.5)
        light = self._read(self.grey, pixels[:, None] + offsets[:, None] * normals[:, None], np.nan)
        steep = np.abs(light[:, 2:] - light[:, :-2])  # over a pixel, around offsets[1:-1]
        offsets = offsets[1:-1]
        near = steep * (1 - (offsets / (CLOSE + 1)) ** 2)  # of two edges, rather the nearer one
        peak = np.argmax(np.where(np.isnan(near[:, 1:-1]), -1, near[:, 1:-1]), 1) + 1
        row = np.arange(len(pixels))
        left, middle, right = (near[row, peak + side] for side in (-1, 0, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            place = offsets[peak] + (left - right) / (left - 2 * middle + right) / 4  # top of a parabola
        found = (steep[row, peak] >= self.faint) & (left <= middle) & (middle >= right) & np.isfinite(place)
        return np.where(found, -place, FAR), np.where(found[:, None], normals, 0.0)

    def _read(
        self, image: NDArray[Any], pixels: Array, outside: float, down: NDArray[np.intp] | int = 0
    ) -> Array:
        """Return what an image of the part, `down` in a larger one, is at pixels (..., 2) of the picture."""
        x, y = np.moveaxis(pixels - self.corner, -1, 0)
        height, width = self.maps.shape[1:]
        inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
        places = (np.where(inside, x, 0).astype(np.float32), np.where(inside, y + down, 0).astype(np.float32))
        return np.where(inside, cv2.remap(image, *places, cv2.INTER_LINEAR), outside)


def direction_of(steps: Array) -> NDArray[np.intp]:
    """Return the bins (n,) of lines that run along `steps` (n, 2) in the picture."""
    turn = np.arctan2(steps[:, 1], steps[:, 0]) / np.pi % 1
    return np.floor(turn * DIRECTIONS).astype(np.intp) % DIRECTIONS


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
    row, column = np.nonzero(edges)
    # An edge runs square to its slope; it belongs to the bins on both sides of the nearest bound.
    slope = np.stack([-y[row, column], x[row, column]], -1).astype(float)
    bound = np.rint(np.arctan2(slope[:, 1], slope[:, 0]) / np.pi * DIRECTIONS).astype(int)
    maps = np.full((DIRECTIONS, *edges.shape), 255, np.uint8)
    maps[bound % DIRECTIONS, row, column] = maps[(bound - 1) % DIRECTIONS, row, column] = 0
    faint = NOISE * grain / 8  # Sobel answers 8 to a slope of 1
    distances = np.stack([_distance(maps[direction]) for direction in range(DIRECTIONS)])
    return EdgeMaps(distances, grey.astype(np.float32), faint, (int(first[0]), int(first[1])), camera)


def _distance(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how far each pixel is from a 0 of a picture, at most FAR."""
    if picture.all():
        return np.full(picture.shape, FAR, np.float32)
    distance = cv2.distanceTransform(picture, cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(np.minimum(distance, np.float32(FAR)), np.float32)
