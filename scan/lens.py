"""Lenses that bend straight lines: pictures and depth as a pinhole camera would have seen them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.scan import pictures
from pocketworld.scan.capture import Camera
from pocketworld.scan.source import Source

COEFFICIENTS = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")  # in OpenCV's order
Maps = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Lens:
    """A camera whose pictures are bent by coefficients in OpenCV's order (Brown 1966)."""

    camera: Camera
    coefficients: tuple[float, ...]

    def maps(self, width: int, height: int) -> Maps:
        """Return for each pixel of a pinhole picture of this size where it is in the bent one."""
        matrix, size = self.camera.resized(width, height).matrix, (width, height)
        bend = np.array(self.coefficients)
        made: Any = cv2.initUndistortRectifyMap(matrix, bend, np.eye(3), matrix, size, cv2.CV_32FC1)
        return made[0], made[1]


@dataclass(frozen=True, eq=False, slots=True)
class Straightened:
    """Decodes files and straightens those that a lens bent: `lenses` by the file's name."""

    lenses: Mapping[str, Lens]

    def colour(self, source: Source, name: str) -> NDArray[np.uint8]:
        """Return a picture (h, w, 3) RGB; black where the lens saw nothing."""
        picture = pictures.colour(source, name)
        if name not in self.lenses:
            return picture
        maps = self.lenses[name].maps(picture.shape[1], picture.shape[0])
        return np.asarray(cv2.remap(picture, *maps, cv2.INTER_LINEAR), np.uint8)

    def depth(self, source: Source, name: str, per_metre: float) -> NDArray[np.float32]:
        """Return a depth map (h, w), m, 0 where unknown; none is mixed across an edge."""
        depth = pictures.depth(source, name, per_metre)
        if name not in self.lenses:
            return depth
        maps = self.lenses[name].maps(depth.shape[1], depth.shape[0])
        return np.asarray(cv2.remap(depth, *maps, cv2.INTER_NEAREST), np.float32)
