"""Where a room was seen to be empty: places that a camera looked through to something behind."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.surfaces.depth import project, trusted
from pocketworld.scan.capture import Capture, Frame

Array = NDArray[np.float64]

BEHIND = 0.04  # m: what was seen this far behind a place, depth's noise did not put there
FRAMES = 24  # of the capture, evenly spread: more look at the same places
PLACES = 1500  # in each box, on a grid
OFTEN = 2  # frames that must agree: one may be a flying pixel
REACH = 5.0  # m: farther away depth errs by more than BEHIND


def seen_empty(capture: Capture, scene_from_world: Array, boxes: Sequence[UprightBox]) -> list[Array]:
    """Return for each box (of the scene's frame) the places (m, 3) in it that frames looked through.

    A place that something hides, or that no frame shows, is not among them: nothing is known of it.
    """
    grids = [_grid(box) for box in boxes]
    counts = [np.zeros(len(grid), int) for grid in grids]
    for i in np.unique(np.linspace(0, len(capture) - 1, min(FRAMES, len(capture))).astype(int)):
        frame = capture[int(i)]
        if frame.depth is None:
            continue
        depth = trusted(frame, REACH)
        seen = np.maximum(depth.good, depth.spare)
        camera_from_scene = se3.inverse(scene_from_world @ frame.world_from_camera)
        for grid, count in zip(grids, counts, strict=True):
            count += _through(frame, seen, se3.apply(camera_from_scene, grid))
    return [grid[count >= OFTEN] for grid, count in zip(grids, counts, strict=True)]


def _grid(box: UprightBox) -> Array:
    """Return about PLACES places (m, 3) spread evenly over a box, in the scene's frame."""
    size = np.array(box.size)
    axes = [(np.arange(n) + 0.5) / n * s for n, s in zip(_counts(size), size, strict=True)]
    local = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3) - (size[0] / 2, size[1] / 2, 0)
    return np.asarray(se3.apply(box.world_from_box, local))


def _counts(size: Array) -> NDArray[np.intp]:
    """Return how many places lie along each side (3,) of a box: one where it is thinner than their pitch."""
    wide = np.ones(3, bool)
    while wide.any():
        pitch = (size[wide].prod() / PLACES) ** (1 / wide.sum())
        thin = wide & (size <= pitch)
        if not thin.any():
            return np.where(wide, np.round(size / pitch), 1).astype(np.intp)
        wide &= ~thin
    return np.ones(3, np.intp)


def _through(frame: Frame, depth: NDArray[np.float32], places: Array) -> NDArray[np.bool_]:
    """Say of places (m, 3) in the camera's frame whether the frame's depth (h, w) lies behind them."""
    camera = frame.depth_camera
    assert camera is not None
    pixels, z = project(camera, places)
    inside = (z > 0) & (pixels > -0.5).all(1) & (pixels < (camera.width - 0.5, camera.height - 0.5)).all(1)
    column, row = np.where(inside[:, None], np.rint(pixels), 0).astype(int).T
    return np.asarray(inside & (depth[row, column] > z + BEHIND))
