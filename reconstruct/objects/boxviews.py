"""Pictures of a box: what each says about where its edges lie."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.reconstruct.fronts.edgemaps import FAR, EdgeMaps, edge_maps
from pocketworld.reconstruct.objects.boxedges import ALONG, SAMPLES, EdgeBox
from pocketworld.reconstruct.surfaces.depth import project
from pocketworld.scan.capture import Frame

Array = NDArray[np.float64]

WIDE = 640  # pixels: finer pictures show grain and veneer rather than edges, at ten times the price
BEFORE = 0.05  # m: what is this much nearer than an edge hides it
FEWEST = 3  # edges in a picture that bind a box


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """One picture that shows the box.

    number            of its frame in the capture
    maps              distances to the picture's edges
    frame_from_camera (4, 4): from the camera to the frame in which the box is
    shown             (12, SAMPLES): which points of the edges it can see
    """

    number: int
    maps: EdgeMaps
    frame_from_camera: Array
    shown: NDArray[np.bool_]


def view_of(number: int, frame: Frame, frame_from_camera: Array, box: EdgeBox) -> View | None:
    """Return the view of a frame with a picture, or None where it shows too little of the box."""
    if frame.colour is None or frame.colour_camera is None:
        return None
    whole = frame.colour_camera
    scale = min(1.0, WIDE / max(whole.width, whole.height))
    camera = whole.resized(round(whole.width * scale), round(whole.height * scale))
    camera_from_frame = se3.inverse(frame_from_camera)
    pixels, z = project(camera, se3.apply(camera_from_frame, box.samples().reshape(-1, 3)))
    size = np.array([camera.width, camera.height])
    inside = (z > 0) & (pixels >= 1).all(1) & (pixels <= size - 2).all(1)
    shown = inside.reshape(12, SAMPLES) & box.edges_seen(frame_from_camera[:3, 3])[:, None]
    shown &= ~_hidden(frame, pixels / scale, z).reshape(12, SAMPLES)
    shown &= shown.sum(1, keepdims=True) >= SAMPLES // 4
    if shown.any(1).sum() < FEWEST:
        return None
    picture = frame.colour
    if scale < 1:
        picture = np.asarray(
            cv2.resize(picture, (camera.width, camera.height), interpolation=cv2.INTER_AREA), np.uint8
        )
    near = pixels[shown.ravel()]
    maps = edge_maps(picture, camera, near.min(0) - FAR, near.max(0) + FAR)
    return View(number, maps, frame_from_camera, shown)


def _hidden(frame: Frame, pixels: Array, z: Array) -> NDArray[np.bool_]:
    """Return which points (n,) have something in front of them, by depth where there is any."""
    if frame.depth is None or frame.depth_camera is None or frame.colour_camera is None:
        return np.zeros(len(z), bool)
    colour, depth = frame.colour_camera, frame.depth_camera
    ray = (pixels - [colour.cx, colour.cy]) / [colour.fx, colour.fy]
    at = np.rint(ray * [depth.fx, depth.fy] + [depth.cx, depth.cy])
    inside = (at >= 0).all(1) & (at < [depth.width, depth.height]).all(1)
    out = np.zeros(len(z), bool)
    column, row = at[inside].astype(int).T
    there = frame.depth[row, column]
    out[inside] = (there > 0) & (there < z[inside] - BEFORE)
    return out


@dataclass(frozen=True, eq=False, slots=True)
class Misfit:
    """How far points on the edges of a box lie from the edges of a picture, and how that changes.

    pixels    (m,): distances; from EdgeMaps.across with a sign
    by_box    (m, 7): with the box's values
    by_pose   (m, 6): with a motion of the camera about the box's middle, in the frame, metres and rad
    """

    pixels: Array
    by_box: Array
    by_pose: Array


Look = Callable[[EdgeMaps, Array, Array], tuple[Array, Array]]


def misfit(view: View, box: EdgeBox, look: Look) -> Misfit:
    """Return the misfit of a box in a view, as EdgeMaps.around or EdgeMaps.across sees it."""
    camera, camera_from_frame = view.maps.camera, se3.inverse(view.frame_from_camera)
    shown, turn = view.shown, camera_from_frame[:3, :3]
    samples = box.samples()[shown]
    points = se3.apply(camera_from_frame, samples)
    pixels, z = project(camera, points)
    along = np.broadcast_to((turn @ box.turn).T[ALONG][:, None], (*shown.shape, 3))[shown]
    focal = np.array([camera.fx, camera.fy])
    steps = focal * (along[:, :2] * z[:, None] - along[:, 2:] * points[:, :2])
    distance, slope = look(view.maps, pixels, steps)
    image = slope * focal / z[:, None]
    pull = np.column_stack([image, -(image * points[:, :2]).sum(1) / z])  # pixels a metre
    pull = pull @ turn  # in the frame
    by_box = np.einsum("ni,nij->nj", pull, box.slopes()[shown])
    # A camera that moves by (t, w) sees the world move by the opposite.
    by_pose = -np.column_stack([pull, np.cross(samples - box.middle, pull)])
    return Misfit(distance, by_box, by_pose)
