"""A triangle mesh of what the capture saw, in an order that depends on the surface alone."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3

Array = NDArray[np.float64]
Faces = NDArray[np.int32]


@dataclass(frozen=True, eq=False, slots=True)
class Surface:
    """What was seen, as triangles; counter-clockwise from outside.

    vertices    (n, 3) float64, m;  normals: (n, 3) unit, outwards
    faces       (m, 3) int32
    colours     (n, 3) uint8 RGB, or None where no picture was used
    distance    (n,) m: from how far each vertex was seen (RMS over frames): its error grows as the square
    voxel       edge of the voxels it came from, m: how fine it is
    from_grid   (4, 4) from the frame in which the voxels were laid. Whoever lays a grid over the surface
                again uses this frame: then turning the whole capture turns the result, and nothing else
                happens
    """

    vertices: Array
    faces: Faces
    normals: Array
    colours: NDArray[np.uint8] | None
    distance: Array
    voxel: float
    from_grid: Array

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.vertices, self.faces, self.normals, self.colours, self.distance, self.from_grid):
            if array is not None:
                array.setflags(write=False)

    def moved(self, a_from_b: Array) -> "Surface":
        """Return the same surface in frame a, given in frame b."""
        return replace(
            self,
            vertices=se3.apply(a_from_b, self.vertices),
            normals=self.normals @ a_from_b[:3, :3].T,
            from_grid=a_from_b @ self.from_grid,
        )

    def part(self, keep: NDArray[np.bool_]) -> "Surface":
        """Return the vertices `keep` (n,) and the faces that have only such vertices."""
        number = np.cumsum(keep) - 1
        faces = self.faces[keep[self.faces].all(1)]
        return replace(
            self,
            vertices=self.vertices[keep],
            faces=number[faces].astype(np.int32),
            normals=self.normals[keep],
            colours=None if self.colours is None else self.colours[keep],
            distance=self.distance[keep],
        )

    def vertex_areas(self) -> Array:
        """Return (n,) m²: a third of the triangles around each vertex."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
        return np.bincount(self.faces.ravel(), np.repeat(area / 3, 3), len(self.vertices)).astype(float)


def in_order(vertices: Array, faces: Faces) -> tuple[NDArray[np.intp], Faces]:
    """Return the order of the vertices, by x, y, z, and the faces in the new numbers, sorted too.

    Each face begins at its lowest vertex. Open3D extracts meshes in an order that differs between runs; after
    this the same surface has the same bytes.
    """
    order = np.lexsort(vertices.astype(np.float32).T[::-1])
    number = np.empty(len(order), np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    faces = number[faces]
    turn = (np.argmin(faces, 1, keepdims=True) + np.arange(3)) % 3
    faces = np.take_along_axis(faces, turn, 1)
    first = faces[:, 0] * np.int64(len(order)) + faces[:, 1]
    return order, np.ascontiguousarray(faces[np.lexsort((faces[:, 2], first))])
