"""How deep convex pieces stand in each other, by the separating axis theorem.

Two convex polyhedra are apart exactly when they are apart along a face normal of one of them or a cross
product of an edge of each (S. Gottschalk, Separating axis theorem, UNC TR96-024, 1996). Where they are not,
the least overlap along these directions is how far one must be moved to free them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import CORNERS, IDENTITY, BoxPiece, Piece, rotation
from pocketworld.geometry.frozen import freeze
from pocketworld.geometry.same import Same

Array = NDArray[np.float64]
PARALLEL = 1e-9
"""Sine below which two edges count as parallel: their cross product then says nothing."""
CHUNK = 1 << 20
"""Projections held at once: keeps memory near 10 MB."""
UPRIGHT = np.eye(3)
"""Axes of a box that is not turned."""
UPRIGHT.setflags(write=False)


@dataclass(frozen=True, eq=False, slots=True)
class Shape:
    """What the theorem needs of a piece: vertices (n, 3), m; unit normals (f, 3) and edge directions (e, 3).

    Of parallel normals or edges one is enough.
    """

    vertices: Array
    normals: Array
    edges: Array


@lru_cache(maxsize=4096)
def shape(piece: Piece) -> Shape:
    """Return vertices, face normals and edge directions of a piece, read-only.

    They are kept, as cousins share their handles.
    """
    out = _shape(piece)
    freeze((out.vertices, out.normals, out.edges))
    return out


def _shape(piece: Piece) -> Shape:
    if isinstance(piece, BoxPiece):
        axes = UPRIGHT if piece.wxyz == IDENTITY else rotation(piece.wxyz).T
        return Shape(piece.vertices, axes, axes)
    from scipy.spatial import ConvexHull

    points = piece.vertices
    hull = ConvexHull(points)
    ends = points[np.concatenate([hull.simplices[:, [i, (i + 1) % 3]] for i in range(3)])]
    edges = ends[:, 1] - ends[:, 0]
    edges /= np.linalg.norm(edges, axis=1, keepdims=True)
    return Shape(points[hull.vertices], _directions(hull.equations[:, :3]), _directions(edges))


def shapes(pieces: Sequence[Piece]) -> tuple[Shape, ...]:
    """Return the shapes of pieces, read-only, those of upright boxes all at once."""
    upright = [piece for piece in pieces if isinstance(piece, BoxPiece) and piece.wxyz == IDENTITY]
    half = np.array([piece.size for piece in upright]).reshape(-1, 1, 3) / 2
    corners = CORNERS * half + np.array([piece.centre for piece in upright]).reshape(-1, 1, 3)
    freeze((corners,))
    boxes = iter(corners)
    return tuple(
        Shape(next(boxes), UPRIGHT, UPRIGHT)
        if isinstance(piece, BoxPiece) and piece.wxyz == IDENTITY
        else shape(piece)
        for piece in pieces
    )


def bounds(pieces: tuple[Piece, ...]) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,) of some pieces, read-only; kept, as they are asked for often.

    Without any pieces they are inf and -inf.
    """
    return _bounds(Same(pieces))


def corners(pieces: Sequence[Piece]) -> Array:
    """Return the vertices (n, 3) of some pieces, those of upright boxes first."""
    flat = [p for p in pieces if isinstance(p, BoxPiece) and p.wxyz == IDENTITY]
    half = np.array([piece.size for piece in flat]).reshape(-1, 1, 3) / 2
    boxes: Array = CORNERS * half + np.array([piece.centre for piece in flat]).reshape(-1, 1, 3)
    if len(flat) == len(pieces):
        return boxes.reshape(-1, 3)
    others = (p.vertices for p in pieces if not (isinstance(p, BoxPiece) and p.wxyz == IDENTITY))
    return np.concatenate([boxes.reshape(-1, 3), *others])


@lru_cache(maxsize=4096)
def _bounds(pieces: Same[tuple[Piece, ...]]) -> tuple[Array, Array]:
    points = corners(pieces.it)
    low, high = points.min(0, initial=np.inf), points.max(0, initial=-np.inf)
    freeze((low, high))
    return low, high


def around(box: tuple[Array, Array], by: Array) -> tuple[Array, Array]:
    """Return the corners of the upright box around a box that is moved by (4, 4)."""
    middle = (box[0] + box[1]) / 2 @ by[:3, :3].T + by[:3, 3]
    half = np.abs(by[:3, :3]) @ (box[1] - box[0]) / 2
    return middle - half, middle + half


def _directions(vectors: Array) -> Array:
    """Return unit vectors (n, 3) without those that are parallel to another."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(1)[:, None], 1)
    _, first = np.unique(np.round(vectors * np.sign(largest), 9), axis=0, return_index=True)
    return vectors[np.sort(first)]


def depths(a: Shape, b: Shape, motions: Array) -> Array:
    """Return how deep (s,), m, piece a, moved by each of the motions (s, 4, 4), stands in b; 0 where apart.

    The motions act in the frame of both pieces.
    """
    turns, shifts = motions[:, :3, :3], motions[:, :3, 3]
    step = max(
        1, CHUNK // ((len(a.normals) + len(b.normals) + len(a.edges) * len(b.edges)) * len(b.vertices))
    )
    starts = range(0, len(motions), step)
    return np.concatenate([_depths(a, b, turns[i : i + step], shifts[i : i + step]) for i in starts])


def _depths(a: Shape, b: Shape, turns: Array, shifts: Array) -> Array:
    """Return the depths (s,) for turns (s, 3, 3) and shifts (s, 3).

    Most are apart along a face's normal: the edges are looked at of the rest alone.
    """
    moved = a.vertices @ turns.swapaxes(1, 2) + shifts[:, None]
    fixed = np.broadcast_to(b.normals, (len(turns), *b.normals.shape))
    faces = np.concatenate([a.normals @ turns.swapaxes(1, 2), fixed], axis=1)
    least: Array = np.maximum(_overlaps(faces, moved, b.vertices).min(1), 0.0)
    meet = np.flatnonzero(least)
    if len(meet):
        crosses, parallel = _crosses(a.edges @ turns[meet].swapaxes(1, 2), b.edges)
        along = np.where(parallel, np.inf, _overlaps(crosses, moved[meet], b.vertices)).min(1)
        least[meet] = np.maximum(np.minimum(least[meet], along), 0.0)
    return least


def _crosses(edges: Array, others: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return unit cross products (s, k, 3) of edges (s, e, 3) and (f, 3), and which are none (s, k)."""
    a, b = edges[:, :, None], others
    crosses = np.stack(
        [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))], axis=-1
    ).reshape(len(edges), -1, 3)
    lengths = np.sqrt((crosses * crosses).sum(2))
    parallel = lengths <= PARALLEL
    return crosses / np.where(parallel, 1.0, lengths)[..., None], parallel


def _overlaps(axes: Array, moved: Array, still: Array) -> Array:
    """Return by how much (s, k), m, points (s, n, 3) and (m, 3) overlap along axes (s, k, 3)."""
    own, other = axes @ moved.swapaxes(1, 2), axes @ still.T
    out: Array = np.minimum(own.max(2) - other.min(2), other.max(2) - own.min(2))
    return out
