"""How far a handle really stands out, by how it moves against the face from picture to picture.

A thin bar fills a depth pixel only in part, so a depth map puts it between where it is and the face: half as
far out as it is, and therefore not where it is either, since it is seen at a slant. From where each camera
stands, though, it covers the face at another place, and those places meet in one point: its true one
(triangulation).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.families.protocol import SeenHandle
from pocketworld.reconstruct.fronts.handles import raised
from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.reconstruct.fronts.relief import Apparent

Array = NDArray[np.float64]

# Handles that are on sale stand 20 to 40 mm out; what pictures say is weighed against that.
USUAL, SPREAD = 0.030, 0.008  # m
PLACED = 0.004  # m: how well one depth map tells where the middle of a handle is
ROOM = 0.025  # m around a handle in which it is looked for
FEWEST = 4  # cells of one map that show it


def triangulated(
    handles: Sequence[SeenHandle], maps: Sequence[Apparent], grid: FaceGrid, placed: float = PLACED
) -> tuple[SeenHandle, ...]:
    """Return the handles where the maps' lines of sight to them meet; grid: of the maps.

    placed   standard error of a place in one map, m: more where pictures were not registered
    """
    if not handles:
        return ()
    proud = [np.nan_to_num(raised(each.heights, grid)) for each in maps]
    return tuple(_placed(handle, maps, proud, grid, placed) for handle in handles)


def _placed(
    handle: SeenHandle, maps: Sequence[Apparent], proud: Sequence[Array], grid: FaceGrid, placed: float
) -> SeenHandle:
    place, rows, seen = np.array([handle.u, handle.v]), [], []
    for each, heights in zip(maps, proud, strict=True):
        slope = (np.array(each.centre[:2]) - place) / each.centre[2]
        # Where it is looked for may be wrong by what its standoff may be wrong.
        at = _middle(handle, heights, place - slope * USUAL, grid)
        if at is not None:
            rows += [[1, 0, -slope[0]], [0, 1, -slope[1]]]
            seen += list(at)
    if not rows:
        return handle
    # Least squares for u, v and standoff, with what is usual as one more measurement of the last.
    a = np.vstack([np.array(rows) / placed, [0, 0, 1 / SPREAD]])
    b = np.append(np.array(seen) / placed, max(USUAL, handle.standoff) / SPREAD)
    u, v, standoff = (float(x) for x in np.linalg.lstsq(a, b, rcond=None)[0])
    return replace(handle, u=u, v=v, standoff=max(standoff, handle.standoff))


def _middle(handle: SeenHandle, heights: Array, near: Array, grid: FaceGrid) -> Array | None:
    """Return where (2,) a map shows the middle of a handle, near a place; None where it hardly shows it."""
    half = (
        np.array([handle.thickness, handle.length] if handle.vertical else [handle.length, handle.thickness])
        / 2
    )
    columns = np.flatnonzero(np.abs(grid.u - near[0]) < half[0] + ROOM)
    rows = np.flatnonzero(np.abs(grid.v - near[1]) < half[1] + ROOM)
    part = heights[np.ix_(rows, columns)]
    weight = np.where(part > handle.standoff / 3, part, 0.0)
    if (weight > 0).sum() < FEWEST:
        return None
    total = weight.sum()
    return np.array([(weight.sum(0) @ grid.u[columns]) / total, (weight.sum(1) @ grid.v[rows]) / total])
