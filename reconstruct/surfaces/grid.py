"""Open3D's sparse grid of signed distances, with its half pixel, its stride and its capacity minded."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.geometry import se3
from pocketworld.reconstruct.surfaces.depth import Depth
from pocketworld.scan.capture import Camera

Array = NDArray[np.float64]

BLOCK = 8  # voxels: of 6..16 the one that wastes least time on voxels far from any surface
STRIDE = 4  # pixels: Open3D looks for blocks at every fourth pixel
BAND = 0.04  # m: three sigma of a phone's depth at 2 m, so that noise does not make a second surface
VIEWS = 3  # frames that must have seen a place: one can be fooled by a reflection
BLOCKS = 200_000  # about 1 GB of voxels
START = 16_384  # blocks: a room at 1 cm; growing means copying, so not from zero
HALF = 1 << 20  # block numbers along an axis are within this of 0


class FusionError(PocketworldError):
    """A capture from which no surface can be made."""


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """Triangles in the grid's frame, in no order; `distance` (n,): from how far each vertex was seen, m."""

    vertices: Array
    faces: NDArray[np.int32]
    normals: Array
    distance: Array


class Grid:
    """Takes in depth maps one by one; memory grows with the surface."""

    def __init__(self, name: str, voxel: float, reach: float) -> None:
        import open3d as o3d

        self._o3d: Any = o3d
        self._name, self._voxel, self._reach = name, voxel, reach
        self._band = max(BAND, 4 * voxel) / voxel
        float32 = o3d.core.float32
        self._grid = self._o3d.t.geometry.VoxelBlockGrid(
            ("tsdf", "weight"), (float32, float32), ((1), (1)), voxel, BLOCK, START
        )
        self._looks = _Looks()
        self.frames = 0

    def add(self, depth: Depth, camera: Camera, grid_from_camera: Array) -> None:
        """Take in one depth map (m, 0 = none)."""
        pose = self._o3d.core.Tensor(se3.inverse(grid_from_camera))
        blocks = self._blocks(depth, camera, pose)
        if blocks is None:
            return
        image, matrix = self._image(depth), self._matrix(camera)
        self._grid.integrate(blocks, image, matrix, pose, 1.0, self._reach, self._band)
        self._looks.add(blocks.numpy(), grid_from_camera[:3, 3] / (BLOCK * self._voxel))
        self.frames += 1
        if self._grid.hashmap().size() > BLOCKS:
            raise FusionError(
                f"{self._name}: over {BLOCKS} blocks of {BLOCK} voxels after {self.frames} frames",
                f"use larger voxels than {self._voxel:g} m, fewer frames (--frames), or a shorter reach",
            )

    def _blocks(self, depth: Depth, camera: Camera, pose: Any) -> Any:
        """Return the blocks near the surface, None without any; enlarges depth lest the stride skip some."""
        across = float(depth.max()) / min(camera.fx, camera.fy)  # m a pixel
        times = max(1, int(np.ceil(STRIDE * across / (BLOCK * self._voxel))))
        large = cv2.resize(depth, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST)
        if not (large[::STRIDE, ::STRIDE] > 0).any():
            return None  # Open3D would complain on stdout
        matrix = self._matrix(camera.resized(camera.width * times, camera.height * times))
        return self._grid.compute_unique_block_coordinates(
            self._image(large), matrix, pose, 1.0, self._reach, self._band
        )

    def _image(self, depth: NDArray[Any]) -> Any:
        return self._o3d.t.geometry.Image(self._o3d.core.Tensor(np.ascontiguousarray(depth, np.float32)))

    def _matrix(self, camera: Camera) -> Any:
        """Return K for Open3D, which has the centres of pixels at halves."""
        matrix = camera.matrix
        matrix[:2, 2] += 0.5
        return self._o3d.core.Tensor(matrix)

    def mesh(self) -> Piece | None:
        """Return what enough frames agree on, None where there is nothing."""
        if self._grid.hashmap().size() == 0:
            return None
        try:
            mesh = self._grid.extract_triangle_mesh(min(VIEWS, self.frames) - 0.5)
        except RuntimeError as error:
            if "has shape {0}" in str(error):
                return None  # Open3D 0.20 stumbles over a mesh without triangles
            raise
        vertices = mesh.vertex.positions.numpy().astype(np.float64)
        blocks = np.floor(vertices / (BLOCK * self._voxel)).astype(np.int64)
        distance = self._looks.distance(blocks) * (BLOCK * self._voxel)
        faces = mesh.triangle.indices.numpy().astype(np.int32)
        return Piece(vertices, faces, mesh.vertex.normals.numpy().astype(np.float64), distance)


class _Looks:
    """From how far each block was seen, in blocks."""

    def __init__(self) -> None:
        self._keys = np.zeros(0, np.int64)
        self._square: Array = np.zeros(0)
        self._count: Array = np.zeros(0)

    def add(self, blocks: NDArray[np.int32], eye: Array) -> None:
        """Count one look from `eye` (3,) at blocks (n, 3)."""
        square = ((blocks + 0.5 - eye) ** 2).sum(1)
        keys, inverse = np.unique(np.concatenate([self._keys, _packed(blocks)]), return_inverse=True)
        total = np.concatenate([self._square, square])
        count = np.concatenate([self._count, np.ones(len(blocks))])
        self._keys = keys
        self._square = np.bincount(inverse, total, len(keys)).astype(float)
        self._count = np.bincount(inverse, count, len(keys)).astype(float)

    def distance(self, blocks: NDArray[np.int64]) -> Array:
        """Return the RMS distance (n,) of blocks (n, 3) that were looked at."""
        at = np.searchsorted(self._keys, _packed(blocks)).clip(0, len(self._keys) - 1)
        return np.asarray(np.sqrt(self._square[at] / self._count[at]))


def _packed(blocks: NDArray[np.int64] | NDArray[np.int32]) -> NDArray[np.int64]:
    """Return one number for each row of three."""
    x, y, z = blocks.T.astype(np.int64) + HALF
    return np.asarray((x << 42) | (y << 21) | z)
