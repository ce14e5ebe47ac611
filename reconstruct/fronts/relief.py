"""How far a face stands proud of its own plane, from the depth maps of the pictures that were registered on
it.

A depth map shares its picture's pose, so the picture's registration brings it into place as well. What
stands proud is seen displaced when the camera looks down on it; the depth says by how much, and that is
undone here: the relief shows a handle where it is, while the pictures show it up to its own height too low.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.rectify import FaceGrid, world_from_face
from pocketworld.reconstruct.fronts.shots import Shot, middle
from pocketworld.reconstruct.surfaces.depth import project, trusted

Array = NDArray[np.float64]
Heights = NDArray[np.float32]

CELL = 0.004  # m: as fine as depth pixels lie on a face at 1.5-2 m
BEFORE, BEHIND = (
    0.12,
    1.5,
)  # m: what is farther before the face hides it, what is farther behind it is a reflection
FEWEST = 0.2  # of a face's cells in which a depth map must show it
FLAT = 0.03  # m: by how much a depth map may lie off the face altogether
FARTHEST = 6.0  # m: depth from farther than this shows no handle


@dataclass(frozen=True, eq=False, slots=True)
class Apparent:
    """What one depth map shows of a face, on `cells(grid)`: everything where the line of sight meets the
    face.

    heights   (rows, columns) m by which it stands proud of the face's plane; nan where unseen
    centre    (u, v, h) of the camera, m
    """

    heights: Heights
    centre: tuple[float, float, float]


@dataclass(frozen=True, eq=False, slots=True)
class Relief:
    """How far a face stands proud: heights (rows, columns) of `cells(grid)`, m, nan where unseen, and what
    from.
    """

    heights: Heights
    seen: tuple[Apparent, ...]


def relief(shots: Sequence[Shot], box: UprightBox, poses: Array, grid: FaceGrid) -> Relief | None:
    """Return the relief of the front face of a box; None where no picture has depth of it.

    poses   (n, 4, 4) world_from_camera, as for the pictures
    """
    maps = [_map(shot, box, poses[shot.view.number], grid) for shot in shots if shot.frame.depth is not None]
    seen = [each for each in maps if each is not None]
    if not seen:
        return None
    return Relief(middle(np.stack([upright for upright, _ in seen])), tuple(apparent for _, apparent in seen))


def cells(grid: FaceGrid) -> FaceGrid:
    """Return the grid on which the relief of a face is given: the face alone, in cells."""
    return FaceGrid(grid.width, grid.height, 0.0, CELL)


def _map(
    shot: Shot, box: UprightBox, world_from_camera: Array, grid: FaceGrid
) -> tuple[Heights, Apparent] | None:
    """Return the relief that one depth map shows, and what it looks like from there; None where it shows too
    little.
    """
    fine = cells(grid).at(CELL / 2)
    u, v = (a.ravel() for a in np.meshgrid(fine.u, fine.v))
    height = heights_at(shot, box, world_from_camera, grid, u, v)
    known = np.isfinite(height)
    if known.mean() <= FEWEST:
        return None
    height = (height - plane_through(u, v, height))[known]
    u, v = u[known], v[known]
    apparent = Apparent(_mean(u, v, height, cells(grid)), shot.view.centre)
    # What stands h proud is seen along a slanted line; it lies nearer to the camera's foot than where that
    # line meets the face.
    away = height / shot.view.centre[2]
    u, v = u + (shot.view.centre[0] - u) * away, v + (shot.view.centre[1] - v) * away
    return _mean(u, v, height, cells(grid)), apparent


def heights_at(
    shot: Shot, box: UprightBox, world_from_camera: Array, grid: FaceGrid, u: Array, v: Array
) -> Array:
    """Return (n,) how far before the face's plane a shot's depth has what is seen at (u, v) of it, m, or nan.

    grid   of the shot; (u, v) (n,) may lie beside the face
    """
    return _heights(shot, box, world_from_camera, _raw(shot, grid, u, v))


def _raw(shot: Shot, grid: FaceGrid, u: Array, v: Array) -> Array:
    """Return where (n, 2), m, the picture's own pose puts what lies at (u, v) on the registered face."""
    warp = grid.face_from_pixel @ shot.raw_from_pixel @ grid.pixel_from_face
    return np.asarray(cv2.perspectiveTransform(np.stack([u, v], -1)[:, None], warp)[:, 0], float)


def _heights(shot: Shot, box: UprightBox, world_from_camera: Array, places: Array) -> Array:
    """Return (n,) how far before the face's plane depth has what is seen at places (n, 2) of it; nan where
    unknown.
    """
    frame = shot.frame
    assert frame.depth_camera is not None
    both = trusted(replace(frame, world_from_camera=world_from_camera), FARTHEST)
    depth = np.where(both.good > 0, both.good, both.spare)
    camera_from_face = se3.inverse(world_from_camera) @ world_from_face(box)
    points = se3.apply(camera_from_face, np.column_stack([places, np.zeros(len(places))]))
    pixels, plane = project(frame.depth_camera, points)
    column, row = np.rint(np.clip(pixels, -1, 1e6)).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < depth.shape[1]) & (row < depth.shape[0])
    seen = np.zeros(len(places))
    seen[inside] = depth[row[inside], column[inside]]
    height = shot.view.centre[2] * (1 - seen / plane)
    return np.where((seen > 0) & (height < BEFORE) & (height > -BEHIND), height, np.nan)


def plane_through(u: Array, v: Array, height: Array) -> Array:
    """Return (n,) the plane on which most heights near the face lie; poses and depth are a little off."""
    near = np.isfinite(height) & (np.abs(height) < 2 * FLAT)
    offset = float(np.median(height[near])) if near.any() else 0.0
    terms = np.stack([np.ones_like(u), u, v], -1)
    fit = np.array([offset, 0.0, 0.0])
    for _ in range(5):
        off = height - terms @ fit
        on = np.isfinite(height) & (np.abs(off) < FLAT / 2)
        if on.sum() < len(fit):
            break
        fit = np.linalg.lstsq(terms[on], height[on], rcond=None)[0]
    return np.asarray(terms @ fit, float)


def _mean(u: Array, v: Array, height: Array, grid: FaceGrid) -> Heights:
    """Return the mean height in each cell of a grid; nan where there is none."""
    rows, columns = grid.shape
    column, row = np.floor(u / grid.pixel).astype(int), np.floor((grid.height - v) / grid.pixel).astype(int)
    inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
    cell = row[inside] * columns + column[inside]
    count = np.bincount(cell, minlength=rows * columns)
    total = np.bincount(cell, height[inside], rows * columns)
    with np.errstate(invalid="ignore"):
        return (total / count).reshape(rows, columns).astype(np.float32)
