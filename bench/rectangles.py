"""Rectangles in space, as fronts are: corners, motions, overlap on a plane. Lengths in m."""

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import Vec3
from pocketworld.scene import Rectangle

Array = NDArray[np.float64]

# From the centre, in halves of width and height, seen from outside: in the order of NAMES.
CORNERS = np.array([[-1, 1], [1, 1], [1, -1], [-1, -1]], float)
NAMES = ("top_left", "top_right", "bottom_right", "bottom_left")


def vec3(values: Array) -> Vec3:
    """Return three numbers of an array as a tuple of floats."""
    x, y, z = (float(v) for v in values)
    return (x, y, z)


def moved_point(a_from_b: Array, point: Array | Vec3) -> Array:
    """Return in frame a the point (3,) given in frame b."""
    out: Array = a_from_b[:3, :3] @ np.asarray(point) + a_from_b[:3, 3]
    return out


def unit(values: Array) -> Array:
    """Return a vector divided by its length."""
    scaled: Array = np.asarray(values, float) / np.linalg.norm(values)
    return scaled


def normal(face: Rectangle) -> Array:
    """Return the outward normal (3,)."""
    out: Array = np.cross(face.right, face.up)
    return out


def corners(face: Rectangle) -> Array:
    """Return the corners (4, 3): top left, top right, bottom right, bottom left as seen from outside."""
    halves = CORNERS * (face.width / 2, face.height / 2)
    out: Array = halves[:, :1] * np.array(face.right) + halves[:, 1:] * np.array(face.up) + face.centre
    return out


def from_corners(points: Array) -> Rectangle:
    """Return the rectangle nearest to four measured corners (4, 3), in the order of `corners`."""
    top_left, top_right, bottom_right, bottom_left = np.asarray(points, float)
    across = (top_right - top_left + bottom_right - bottom_left) / 2
    upwards = (top_left - bottom_left + top_right - bottom_right) / 2
    right = unit(across)
    up = unit(upwards - (upwards @ right) * right)
    size = float(across @ right), float(upwards @ up)
    return Rectangle(vec3(np.mean(points, 0)), vec3(right), vec3(up), *size)


def moved(a_from_b: Array, face: Rectangle) -> Rectangle:
    """Return in frame a the rectangle given in frame b."""
    turn = a_from_b[:3, :3]
    centre = moved_point(a_from_b, face.centre)
    axes = vec3(turn @ face.right), vec3(turn @ face.up)
    return Rectangle(vec3(centre), *axes, face.width, face.height)


def on_plane(points: Array, face: Rectangle) -> Array:
    """Return (n, 2): points (n, 3) along the face's normal onto it, m to its right and up from its centre."""
    flat: Array = (points - np.array(face.centre)) @ np.stack([face.right, face.up], 1)
    return flat


def area(polygon: Array) -> float:
    """Return the area of a polygon (n, 2), positive when counter-clockwise (the shoelace formula)."""
    x, y = polygon.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def overlap(a: Array, b: Array) -> float:
    """Return the area that two convex polygons (n, 2), (m, 2) share, in either turning direction.

    Sutherland & Hodgman 1974: a is cut by each edge of b in turn.
    """
    a, b = (polygon if area(polygon) > 0 else polygon[::-1] for polygon in (a, b))
    for start, end in zip(b, np.roll(b, -1, 0), strict=True):
        a = _left_of(a, start, end)
        if len(a) < 3:
            return 0.0
    return area(a)


def _left_of(polygon: Array, start: Array, end: Array) -> Array:
    """Return what of a convex polygon lies left of the line from start to end."""
    (dx, dy), rest = end - start, polygon - start
    side = dx * rest[:, 1] - dy * rest[:, 0]
    kept = []
    for i in range(len(polygon)):
        j = (i + 1) % len(polygon)
        if side[i] >= 0:
            kept.append(polygon[i])
        if side[i] * side[j] < 0:
            kept.append(polygon[i] + (polygon[j] - polygon[i]) * (side[i] / (side[i] - side[j])))
    return np.array(kept)
