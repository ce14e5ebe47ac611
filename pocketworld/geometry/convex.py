"""Convex collision pieces: boxes and hulls of points, in the frame of the asset they belong to (m)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError

Array = NDArray[np.float64]
Vec3 = tuple[float, float, float]
IDENTITY = (1.0, 0.0, 0.0, 0.0)
CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)


@dataclass(frozen=True, slots=True)
class BoxPiece:
    """A box: centre and full size in m, turned by wxyz about its centre."""

    centre: Vec3
    size: Vec3
    wxyz: tuple[float, float, float, float] = IDENTITY

    def __post_init__(self) -> None:
        """Refuse a box without volume."""
        x, y, z = self.size
        if not (0 < x < np.inf and 0 < y < np.inf and 0 < z < np.inf):
            raise PocketworldError(f"collision box at {self.centre} has size {self.size}", "all must be > 0")

    @property
    def vertices(self) -> Array:
        """Return the corners (8, 3)."""
        corners: Array = CORNERS * np.array(self.size) / 2
        if self.wxyz != IDENTITY:
            corners = corners @ rotation(self.wxyz).T
        return corners + self.centre

    @property
    def volume(self) -> float:
        """Return the volume in m³."""
        return float(np.prod(self.size))


@dataclass(frozen=True, slots=True)
class HullPiece:
    """The convex hull of at least four points that do not lie in a plane."""

    points: tuple[Vec3, ...]

    @property
    def vertices(self) -> Array:
        """Return the points (n, 3)."""
        return np.array(self.points)

    @property
    def volume(self) -> float:
        """Return the volume in m³."""
        from scipy.spatial import ConvexHull

        return float(ConvexHull(self.vertices).volume)


Piece = BoxPiece | HullPiece


def cross(a: Vec3, b: Vec3) -> Vec3:
    """Return the cross product of two small vectors: in plain numbers, ten times as fast as in arrays."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def span(low: Vec3, high: Vec3) -> BoxPiece:
    """Return the upright box from its lowest to its highest corner, m."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    return BoxPiece(((x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2), (x1 - x0, y1 - y0, z1 - z0))


def rotation(wxyz: tuple[float, float, float, float]) -> Array:
    """Return the rotation (3, 3) of a unit quaternion w x y z."""
    w, x, y, z = wxyz
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
