"""Triangles of boxes, prisms and hulls by numpy, cheap enough for thousands of cousins."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import CORNERS, IDENTITY, BoxPiece, HullPiece, Piece, Vec3

Array = NDArray[np.float64]
Triangles = tuple[Array, NDArray[np.int32]]
"""Vertices (n, 3), m, and faces (m, 3), counter-clockwise from outside."""

# Corner i of a box is (±x, ±y, ±z) with the bits of i; two triangles a side.
BOX_FACES = np.array(
    [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
        [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
    ],
    np.int32,
)  # fmt: skip


def boxes(pieces: Sequence[BoxPiece]) -> Triangles:
    """Return the triangles of boxes, eight vertices and twelve triangles each."""
    if any(piece.wxyz != IDENTITY for piece in pieces):
        corners = np.array([piece.vertices for piece in pieces])
    else:
        half = np.array([piece.size for piece in pieces])[:, None] / 2
        corners = CORNERS * half + np.array([piece.centre for piece in pieces])[:, None]
    starts = 8 * np.arange(len(pieces), dtype=np.int32)
    return corners.reshape(-1, 3), (BOX_FACES + starts[:, None, None]).reshape(-1, 3)


def hull(piece: HullPiece) -> Triangles:
    """Return the triangles of a hull's surface."""
    from scipy.spatial import ConvexHull

    points = piece.vertices
    found = ConvexHull(points)
    faces = found.simplices.astype(np.int32)
    a, b, c = (points[faces[:, i]] for i in range(3))
    inward = np.einsum("ni,ni->n", np.cross(b - a, c - a), found.equations[:, :3]) < 0
    faces[inward] = faces[inward][:, ::-1]
    return points, faces


def prism(start: Vec3, end: Vec3, radii: tuple[float, float], sides: int = 12) -> Triangles:
    """Return a bar of elliptic section from start to end, which differ along one axis of the frame only.

    radii: half its width along the two other axes, in the order x, y, z.
    """
    axis = next(i for i in range(3) if start[i] != end[i])
    first, second = (i for i in range(3) if i != axis)
    # Counter-clockwise about +axis: x, z turn the wrong way round about y.
    turn = np.arange(sides) * (2 * np.pi / sides) * (-1 if axis == 1 else 1)
    ring = np.empty((2, sides, 3))
    ring[:, :, axis] = np.sort([[start[axis]], [end[axis]]], axis=0)
    ring[:, :, first] = start[first] + radii[0] * np.cos(turn)
    ring[:, :, second] = start[second] + radii[1] * np.sin(turn)
    return ring.reshape(-1, 3), _prism_faces(sides)


@cache
def _prism_faces(sides: int) -> NDArray[np.int32]:
    """Return the faces of a prism: lower ring 0..sides-1, upper ring after it."""
    i = np.arange(sides)
    j = (i + 1) % sides
    fan = np.arange(1, sides - 1)
    zero = np.zeros_like(fan)
    walls = [np.stack([i, j, j + sides], -1), np.stack([i, j + sides, i + sides], -1)]
    caps = [np.stack([zero, fan + 1, fan], -1), np.stack([zero, fan, fan + 1], -1) + sides]
    return np.concatenate([*walls, *caps]).astype(np.int32)


def surfaces(pieces: Sequence[Piece]) -> Triangles:
    """Return the triangles of convex pieces, the boxes first."""
    flat = [piece for piece in pieces if isinstance(piece, BoxPiece)]
    round_ = [hull(piece) for piece in pieces if isinstance(piece, HullPiece)]
    return merge([boxes(flat), *round_] if flat else round_)


def merge(parts: Iterable[Triangles]) -> Triangles:
    """Return several surfaces as one."""
    vertices: list[Array] = []
    faces: list[NDArray[np.int32]] = []
    count = 0
    for points, triangles in parts:
        vertices.append(points)
        faces.append(triangles + np.int32(count))
        count += len(points)
    return np.concatenate(vertices), np.concatenate(faces)
