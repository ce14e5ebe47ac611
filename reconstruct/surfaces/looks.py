"""What a frame's depth says for registering it: a coarse grid of points with the planes they lie on.

On a plane the inverse of depth is linear in the picture, so means and slopes of it over a window are the
plane's, whatever its slant.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.reconstruct.surfaces.depth import GOOD, trusted
from pocketworld.scan.capture import Camera, Frame

Array = NDArray[np.float64]
Map = NDArray[np.float32]

REACH = 4.0  # m: beyond it neighbouring frames of a phone disagree by 4 cm by depth's noise alone
WIDE = 96  # cells along the longer side: 3000 points tell a pose, and a phone's depth holds no more
FILLED = 0.75  # of a cell's pixels have sure depth
AROUND = 2  # cells on each side of one whose plane is fitted
# m, and m a square metre of depth: noise of one cell. What lies farther from its plane is no plane.
NOISE, NOISE_FAR = 0.004, 0.003


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """A grid of cells of one frame, in its camera's frame, m.

    camera    that sees a cell as a pixel
    points    (h, w, 3) float32;  normals: (h, w, 3) float32, away from the camera
    known     (h, w): cells that lie on a plane
    places    (n, 3) float64: the known points;  facing: (n, 3) their normals;  sigma: (n,) their noise
    """

    camera: Camera
    points: Map
    normals: Map
    known: NDArray[np.bool_]
    places: Array
    facing: Array
    sigma: Array


def look(frame: Frame) -> Look:
    """Return the grid of a frame, which must have depth."""
    assert frame.depth_camera is not None
    depth = _sure(frame)
    step = max(1, round(max(depth.shape) / WIDE))
    inverse, filled = _cells(depth, step)
    height, width = inverse.shape
    fine = frame.depth_camera
    centre = ((fine.cx + 0.5) / step - 0.5, (fine.cy + 0.5) / step - 0.5)
    camera = Camera(fine.fx / step, fine.fy / step, *centre, width, height)
    points, normals, rough = _planes(inverse, camera)
    z = points[..., 2]
    whole = cv2.erode(filled.astype(np.uint8), np.ones((2 * AROUND + 1,) * 2, np.uint8), borderValue=0)
    known = (whole > 0) & (rough < NOISE + NOISE_FAR * z**2)
    places = points[known].astype(np.float64)
    sigma = NOISE + NOISE_FAR * places[:, 2] ** 2
    return Look(camera, points, normals, known, places, normals[known].astype(np.float64), sigma)


def _sure(frame: Frame) -> Map:
    """Return depth (h, w) up to REACH, 0 where there is none, or none that is sure."""
    both = trusted(frame, REACH)
    far = both.spare if frame.confidence is None else np.where(frame.confidence >= GOOD, both.spare, 0)
    return np.asarray(np.maximum(both.good, far), np.float32)


def _cells(depth: Map, step: int) -> tuple[Map, NDArray[np.bool_]]:
    """Return the mean inverse depth (h, w) of cells of step x step pixels, and which cells are filled."""
    height, width = (n // step for n in depth.shape)
    cells = depth[: height * step, : width * step].reshape(height, step, width, step)
    there = cells > 0
    count = there.sum((1, 3))
    total = np.divide(1, cells, out=np.zeros_like(cells), where=there).sum((1, 3))
    filled = count >= FILLED * step**2
    return np.where(filled, total / np.maximum(count, 1), 0).astype(np.float32), filled


def _planes(inverse: Map, camera: Camera) -> tuple[Map, Map, Map]:
    """Return points and unit normals (h, w, 3) of planes fitted around cells, and how rough it is there, m.

    With inverse depth a x/z + b y/z + c the plane is (a, b, c) . p = 1.
    """
    size = 2 * AROUND + 1
    offset = np.arange(-AROUND, AROUND + 1, dtype=np.float32)
    spread, ones = float((offset**2).mean()), np.full(size, 1 / size, np.float32)
    slope = offset / (size * spread)
    across, down = cv2.sepFilter2D(inverse, -1, slope, ones), cv2.sepFilter2D(inverse, -1, ones, slope)
    mean, square = (cv2.blur(what, (size, size)) for what in (inverse, inverse**2))
    left = np.maximum(square - mean**2 - (across**2 + down**2) * spread, 0)
    u = (np.arange(camera.width, dtype=np.float32) - camera.cx) / camera.fx
    v = (np.arange(camera.height, dtype=np.float32)[:, None] - camera.cy) / camera.fy
    a, b = across * camera.fx, down * camera.fy
    normal = np.stack([a, b, mean - a * u - b * v], -1)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    z = 1 / np.maximum(mean, 1e-3)
    points = np.stack([z * u, z * v, z], -1)
    return points.astype(np.float32), normal.astype(np.float32), np.asarray(np.sqrt(left) * z**2, np.float32)
