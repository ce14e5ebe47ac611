"""Colours of a surface: the mean of the pictures that show it, the near and square ones counting most."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding, Severity
from pocketworld.reconstruct.surfaces.depth import Depth
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scan.capture import Camera, Capture, Frame
from pocketworld.scan.damage import Damage

Array = NDArray[np.float64]

FARTHER = (
    1.25  # times farther than a vertex was seen on average, a look at it counts for little and costs as much
)
HIDDEN = 0.05  # of its distance: a vertex this much behind the depth map is behind something
GREY = 128


def paint(
    surface: Surface, capture: Capture, scene_from_world: Array, damage: Damage
) -> tuple[NDArray[np.uint8] | None, tuple[Finding, ...]]:
    """Return a colour for each vertex (n, 3), and what was noticed; None where no frame has a picture.

    Frames that can't be read are noted in `damage`.
    """
    if not capture.coloured.any():
        text = "the capture has no pictures, so the surface has no colours"
        return None, (Finding("no-colour", Severity.DEGRADED, "reconstruct", capture.name, text),)
    middle = surface.from_grid[:3, 3]  # near the cameras: single precision is enough from there
    near = np.ascontiguousarray((surface.vertices - middle).T, np.float32)
    limit = (FARTHER * surface.distance).astype(np.float32)
    normals = np.ascontiguousarray(surface.normals.T, np.float32)
    total, weight = (
        np.zeros((len(surface.vertices), 3), np.float32),
        np.zeros(len(surface.vertices), np.float32),
    )
    for frame in damage.sound(capture, np.flatnonzero(capture.coloured).tolist()):
        if frame.colour is None or frame.depth is None or frame.depth_camera is None:
            continue
        scene_from_camera = scene_from_world @ frame.world_from_camera
        which, row, column = _seen(near, limit, frame.depth, frame.depth_camera, scene_from_camera, middle)
        ray = (scene_from_camera[:3, 3] - middle).astype(np.float32)[:, None] - near[:, which]
        square = np.maximum((normals[:, which] * ray).sum(0), 0)
        counts = square / (ray**2).sum(0) ** np.float32(1.5)  # cosine over square of the distance
        total[which] += in_depth_camera(frame)[row, column] * counts[:, None]
        weight[which] += counts
    seen = weight > 0
    colours = np.full(total.shape, GREY, np.uint8)
    colours[seen] = np.rint(total[seen] / weight[seen, None]).astype(np.uint8)
    if seen.all():
        return colours, ()
    text = "no picture shows part of the surface: it is grey"
    numbers = {"share": float(np.mean(~seen))}
    return colours, (Finding("not-in-pictures", Severity.NOTE, "reconstruct", capture.name, text, numbers),)


def _seen(
    near: NDArray[np.float32],
    limit: NDArray[np.float32],
    depth: Depth,
    camera: Camera,
    scene_from_camera: Array,
    middle: Array,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return which points (3, n), given from `middle`, a depth map shows, and in which rows and columns.

    limit   (n,) m: how deep a point may lie for the look to count
    """
    turn = scene_from_camera[:3, :3]
    eye = (scene_from_camera[:3, 3] - middle) @ turn
    x, y, z = turn.T.astype(np.float32) @ near - eye.astype(np.float32)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        u = x / z * np.float32(camera.fx) + np.float32(camera.cx + 0.5)
        v = y / z * np.float32(camera.fy) + np.float32(camera.cy + 0.5)
    which = np.flatnonzero(
        (z > 0) & (z < limit) & (u >= 0) & (v >= 0) & (u < camera.width) & (v < camera.height)
    )
    row, column, z = v[which].astype(np.intp), u[which].astype(np.intp), z[which]
    shown = np.abs(z - depth[row, column]) < np.float32(HIDDEN) * z
    return which[shown], row[shown], column[shown]


def in_depth_camera(frame: Frame) -> NDArray[np.uint8]:
    """Return the picture (h, w, 3) as the depth camera would see it; both look from the same place."""
    assert frame.colour is not None
    assert frame.colour_camera is not None
    assert frame.depth_camera is not None
    size = frame.depth_camera.width, frame.depth_camera.height
    small = cv2.resize(frame.colour, size, interpolation=cv2.INTER_AREA)
    source, target = frame.colour_camera.resized(*size), frame.depth_camera
    x, y = source.fx / target.fx, source.fy / target.fy
    source_from_target = np.array([[x, 0, source.cx - x * target.cx], [0, y, source.cy - y * target.cy]])
    if np.allclose(source_from_target, np.eye(2, 3), atol=0.05):  # within a twentieth of a pixel
        return np.asarray(small, np.uint8)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(small, source_from_target, size, flags=flags), np.uint8)
