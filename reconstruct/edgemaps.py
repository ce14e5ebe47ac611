"""How far each pixel of a picture is from the nearest edge that runs in a given direction."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.scan.capture import Camera

Array = NDArray[np.float64]

DIRECTIONS = 6  # bins of 30 degrees; a line is compared with edges of its own bin and half of each neighbour
FAR = 20.0  # pixels: beyond this an edge has nothing to do with a line
LEVEL = 4.0  # Sobel's answer to a step of one grey level: no picture is finer
NOISE = 4.0  # sigmas above the picture's grain an edge begins


@dataclass(frozen=True, eq=False, slots=True)
class EdgeMaps:
    """Distances to edges in a part of a picture.

    maps     (DIRECTIONS, h, w) float32, pixels, at most FAR
    corner   (column, row) of its first pixel in the camera's picture
    camera   of the whole picture, at the size in which edges were found
    """

    maps: NDArray[np.float32]
    corner: tuple[int, int]
    camera: Camera

    def look(self, pixels: Array, direction: int) -> tuple[Array, Array]:
        """Return distances (n,) at pixels (n, 2) and their slopes (n, 2); FAR and flat outside the part."""
        grid = self.maps[direction]
        at = (pixels - self.corner).astype(np.float32)
        steps = np.array([[0, 0], [0.5, 0], [-0.5, 0], [0, 0.5], [0, -0.5]], np.float32)
        places = at[:, None] + steps
        found = cv2.remap(
            grid,
            np.ascontiguousarray(places[..., 0]),
            np.ascontiguousarray(places[..., 1]),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=FAR,
        ).astype(np.float64)
        return found[:, 0], np.stack([found[:, 1] - found[:, 2], found[:, 3] - found[:, 4]], -1)

    def inside(self, pixels: Array) -> NDArray[np.bool_]:
        """Return which pixels (n, 2) lie in the part, one pixel from its border at least."""
        at = pixels - self.corner
        height, width = self.maps.shape[1:]
        return np.asarray(((at >= 1) & (at <= [width - 2, height - 2])).all(1), bool)


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
    return EdgeMaps(np.stack(maps), (int(first[0]), int(first[1])), camera)


def _distance(edges: NDArray[np.bool_]) -> NDArray[np.float32]:
    if not edges.any():
        return np.full(edges.shape, FAR, np.float32)
    distance = cv2.distanceTransform(
        np.where(edges, 0, 255).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    # Squares of distances are whole numbers; OpenCV's roots differ in the last bit by where the memory lies.
    return np.asarray(np.sqrt(np.rint(np.minimum(distance, np.float32(FAR)) ** 2)), np.float32)
