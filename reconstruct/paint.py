"""Colours of a surface: the mean of the pictures that see each vertex, the near and square ones counting most."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding, Severity
from pocketworld.reconstruct.depth import project
from pocketworld.reconstruct.surface import Surface
from pocketworld.scan.capture import Capture, Frame

Array = NDArray[np.float64]

HIDDEN = 0.05  # of its distance: a vertex this much behind the depth map is behind something
GREY = 128


def paint(
    surface: Surface, capture: Capture, scene_from_world: Array
) -> tuple[NDArray[np.uint8] | None, tuple[Finding, ...]]:
    """Return a colour for each vertex (n, 3), and what was noticed; None where no frame has a picture."""
    if not capture.coloured.any():
        text = "the capture has no pictures, so the surface has no colours"
        return None, (Finding("no-colour", Severity.DEGRADED, "reconstruct", capture.name, text),)
    total, weight = np.zeros((len(surface.vertices), 3)), np.zeros(len(surface.vertices))
    for number in np.flatnonzero(capture.coloured):
        frame = capture[int(number)]
        which, colours, weights = _seen(surface, frame, scene_from_world @ frame.world_from_camera)
        total[which] += colours * weights[:, None]
        weight[which] += weights
    seen = weight > 0
    colours = np.full(total.shape, GREY, np.uint8)
    colours[seen] = np.rint(total[seen] / weight[seen, None]).astype(np.uint8)
    if seen.all():
        return colours, ()
    text = "no picture shows part of the surface: it is grey"
    numbers = {"share": float(np.mean(~seen))}
    return colours, (Finding("not-in-pictures", Severity.NOTE, "reconstruct", capture.name, text, numbers),)


def _seen(
    surface: Surface, frame: Frame, scene_from_camera: Array
) -> tuple[NDArray[np.intp], Array, Array]:
    """Return which vertices a frame shows in picture and depth, their colours and how much to count them."""
    nothing = np.zeros(0, np.intp), np.zeros((0, 3)), np.zeros(0)
    if frame.colour is None or frame.depth is None or frame.depth_camera is None:
        return nothing
    camera, turn = frame.depth_camera, scene_from_camera[:3, :3]
    ray = surface.vertices - scene_from_camera[:3, 3]
    local = ray @ turn
    pixels, z = project(camera, local)
    which = np.flatnonzero((pixels > -0.5).all(1) & (pixels < [camera.width - 0.5, camera.height - 0.5]).all(1))
    column, row = np.rint(pixels[which]).astype(np.intp).T
    ahead = z[which] - frame.depth[row, column]
    square = -np.einsum("ni,ni->n", surface.normals[which], ray[which]) / np.linalg.norm(ray[which], axis=1)
    use = (np.abs(ahead) < HIDDEN * z[which]) & (square > 0)
    picture = in_depth_camera(frame)
    which, row, column = which[use], row[use], column[use]
    return which, picture[row, column].astype(float), square[use] / z[which] ** 2


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
