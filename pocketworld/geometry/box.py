"""An upright box that stands somewhere in the world, turned about z."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class UprightBox:
    """A box with vertical faces, in the manner of an asset: its front is the face at -y of its own frame.

    foot    (x, y, z) of the centre of its bottom face, m
    yaw     rad, about z: its own x axis (to the right, seen from the front) in the world
    size    (width along x, depth along y, height along z), m
    """

    foot: tuple[float, float, float]
    yaw: float
    size: tuple[float, float, float]

    @property
    def world_from_box(self) -> Array:
        """Return (4, 4): from the box's own frame (origin at its foot) to the world."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        x, y, z = self.foot
        return np.array([[c, -s, 0, x], [s, c, 0, y], [0, 0, 1, z], [0, 0, 0, 1.0]])

    def turned(self, quarters: int) -> "UprightBox":
        """Return the same box with another vertical face as its front: 1 is the one now at the right (+x)."""
        width, depth, height = self.size
        size = (depth, width, height) if quarters % 2 else self.size
        yaw = self.yaw + quarters % 4 * np.pi / 2
        return replace(self, yaw=float(np.remainder(yaw + np.pi, 2 * np.pi) - np.pi), size=size)
