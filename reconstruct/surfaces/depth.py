"""Which depth pixels to believe, and where in the world they lie."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.scan.capture import Camera, Frame

Array = NDArray[np.float64]
Depth = NDArray[np.float32]

# Confidence comes in three levels on phones (0, 1/2, 1): the middle of the gaps tells them apart, and cuts a
# continuous confidence at its quarters. Neighbouring frames disagree by 4-10 mm at the best level, 5-6 times
# more at the middle one, and by 4-18 cm at the worst.
GOOD, SPARE = 0.75, 0.25
# The error of depth grows as the square of its distance (Khoshelham and Elberink 2012) and reaches a
# centimetre about here. What was seen from nearer is not to be spoilt by looks from farther away.
NEAR = 2.5  # m
# A surface seen at less than atan(1/10) = 6 degrees: a wider step between neighbouring pixels is taken for
# the edge of a thing, where sensors invent points in mid-air.
STEEPEST = 10.0


@dataclass(frozen=True, eq=False, slots=True)
class Trusted:
    """A frame's depth (h, w), m, 0 where not to be used: the good pixels, and those better than nothing."""

    good: Depth
    spare: Depth


def trusted(frame: Frame, reach: float) -> Trusted:
    """Return the depth of a frame (which must have one) up to `reach` (m), without the edges of things."""
    assert frame.depth is not None
    assert frame.depth_camera is not None
    depth = np.where(np.isfinite(frame.depth) & (frame.depth <= reach), frame.depth, np.float32(0))
    depth[~_smooth(depth, frame.depth_camera)] = 0
    good, spare = depth <= NEAR, depth > NEAR
    if frame.confidence is not None:
        good &= frame.confidence >= GOOD
        spare = (frame.confidence >= SPARE) & ~good
    none = np.float32(0)
    return Trusted(np.where(good, depth, none), np.where(spare, depth, none))


def _smooth(depth: Depth, camera: Camera) -> NDArray[np.bool_]:
    """Return where no pixel next to it is nearer or farther than a surface could be."""
    near = np.ones((3, 3), np.uint8)
    known = depth > 0
    farthest = cv2.dilate(depth, near)
    nearest = cv2.erode(np.where(known, depth, np.float32(np.inf)), near)
    step = np.float32(2 * STEEPEST / camera.fx)  # two pixels lie between the neighbours on both sides
    with np.errstate(invalid="ignore"):
        return np.asarray(known & (farthest - nearest <= step * depth))


def points(depth: Depth, camera: Camera) -> Array:
    """Return (h, w, 3): where the pixels lie in the camera's frame, m; zeros where depth is 0."""
    x = (np.arange(camera.width) - camera.cx) / camera.fx
    y = (np.arange(camera.height) - camera.cy) / camera.fy
    return np.stack([depth * x, depth * y[:, None], depth], -1).astype(np.float64)


def project(camera: Camera, points: Array) -> tuple[Array, Array]:
    """Return pixels (n, 2) and depths (n,) of points (n, 3) in the camera's frame; inf where behind it."""
    z = points[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = points[:, :2] / np.where(z > 0, z, np.nan)[:, None]
    pixels = pixels * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    return np.where(np.isnan(pixels), np.inf, pixels), z
