"""A vertical face of a thing as one sharp, rectified picture: many pictures, registered, anchored and
blended.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.ends import ends
from pocketworld.reconstruct.fronts.outline import Known, Outline, anchor, outline
from pocketworld.reconstruct.fronts.rectify import FaceGrid, View, enough, picture_from_face, rectified, views
from pocketworld.reconstruct.fronts.shots import Shot, middle
from pocketworld.reconstruct.surfaces.register import ALIKE, Layer, align
from pocketworld.scan.capture import Camera, Capture

Array = NDArray[np.float64]
Blended = NDArray[np.float32]

__all__ = ["Blend", "Blended", "Shot", "blend", "brightness", "middle", "posed"]

MARGIN = 0.03  # m around the face: as far as pose and box may be off
BESIDE = 0.01  # m around the face that is compared when pictures are registered: enough to show its edges
# Blending more pictures than this sharpens nothing, and the best ones come first; five would do.
PICTURES = 9
# A blend is as fine as this, unless its pictures are much coarser.
FINEST = 0.001  # m
COARSER = 3.0
# A picture with less than half the gradients of its peers was taken in motion.
BLURRED = 0.5


@dataclass(frozen=True, eq=False, slots=True)
class Blend:
    """A face seen straight on.

    colour    (h, w, 3) float32 RGB 0..255 on `grid`, nan where no picture shows it
    outline   the edges of the face in it, once it is anchored
    """

    grid: FaceGrid
    colour: Blended
    shots: tuple[Shot, ...]
    outline: Outline


def blend(capture: Capture, box: UprightBox, poses: Array, known: Known) -> Blend | None:
    """Return the front face of a box as its pictures show it; None where no picture shows it well.

    poses   (n, 4, 4) world_from_camera of the capture's frames, in the box's world
    """
    camera = _camera(capture)
    chosen = [] if camera is None else enough(views(box, camera, poses, capture.coloured), PICTURES)
    if not chosen:
        return None
    grid = FaceGrid(box.size[0], box.size[2], MARGIN, max(FINEST, chosen[0].blur / COARSER))
    shots = _registered([posed(capture, view, box, poses, grid) for view in chosen], grid)
    shots = _moved(shots, _common(shots, grid))
    # The blend as it stands shows by how much the face's edges are off; a second look, how much of that is
    # left.
    seen = outline(brightness(_median(shots, grid)), grid, known, ends(shots, box, poses, grid))
    shots = _moved(shots, grid.pixel_from_face @ anchor(seen, grid, known) @ grid.face_from_pixel)
    colour = _median(shots, grid)
    left = outline(brightness(colour), grid, known, ends(shots, box, poses, grid))
    return Blend(grid, colour, tuple(shots), left)


def brightness(colour: Blended) -> Blended:
    """Return the brightness (h, w) of RGB (h, w, 3); nan stays nan."""
    return np.asarray(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY), np.float32)


def _camera(capture: Capture) -> Camera | None:
    """Return the camera of the first picture: what is in view hardly hangs on which."""
    for i in np.flatnonzero(capture.coloured):
        return capture[int(i)].colour_camera
    return None


def posed(capture: Capture, view: View, box: UprightBox, poses: Array, grid: FaceGrid) -> Shot:
    """Return a picture where its pose puts it on a face's grid; poses: world_from_camera (n, 4, 4)."""
    frame = capture[view.number]
    assert frame.colour_camera is not None
    from_face = picture_from_face(frame.colour_camera, poses[view.number], box)
    return Shot(view, frame, from_face @ grid.face_from_pixel, np.eye(3))


def _moved(shots: Sequence[Shot], new_from_old: Array) -> list[Shot]:
    """Return the shots on a grid on which everything lies elsewhere."""
    old_from_new = np.linalg.inv(new_from_old)
    return [
        replace(
            shot,
            picture_from_pixel=shot.picture_from_pixel @ old_from_new,
            raw_from_pixel=shot.raw_from_pixel @ old_from_new,
        )
        for shot in shots
    ]


def _layer(shot: Shot, grid: FaceGrid) -> Layer:
    assert shot.frame.colour is not None
    return Layer(*rectified(shot.frame.colour, shot.picture_from_pixel, grid))


def _registered(shots: Sequence[Shot], grid: FaceGrid) -> list[Shot]:
    """Return the first sharp shot and those that could be aligned to it, or to one that was."""
    layers = [_layer(shot, grid) for shot in shots]
    references = [Layer(each.picture, each.seen & _face(grid)) for each in layers]
    sharp = _sharpness(layers, grid)
    order = [i for i in range(len(shots)) if sharp[i] >= BLURRED * np.median(sharp)]
    from_first = {order[0]: np.eye(3)}
    for i in order[1:]:
        # Of a long face each picture shows a part: it is laid against the one that shares most with it.
        nearest = max(from_first, key=lambda k: int((layers[k].seen & layers[i].seen).sum()))
        found, alike = align(references[nearest], layers[i], grid.pixel)
        if alike >= ALIKE and _near(found, layers[i].seen, grid):
            from_first[i] = found @ from_first[nearest]
    return [_moved([shots[i]], np.asarray(np.linalg.inv(warp), float))[0] for i, warp in from_first.items()]


def _face(grid: FaceGrid) -> NDArray[np.bool_]:
    """Return (h, w): the face and its edges; what lies behind moves otherwise from picture to picture."""
    across = (grid.u > -BESIDE) & (grid.u < grid.width + BESIDE)
    up = (grid.v > -BESIDE) & (grid.v < grid.height + BESIDE)
    return up[:, None] & across


def _sharpness(layers: Sequence[Layer], grid: FaceGrid) -> Array:
    """Return how steep brightness is on the face in each picture: the RMS of its gradient, over its mean."""
    edge = round(grid.margin / grid.pixel)
    inner = (slice(edge, -edge), slice(edge, -edge))
    out = []
    for layer in layers:
        face = cv2.cvtColor(layer.picture, cv2.COLOR_RGB2GRAY)[inner].astype(float)
        dy, dx = np.gradient(cv2.GaussianBlur(face, (0, 0), 1))
        seen = layer.seen[inner]
        out.append(np.sqrt(np.mean(dx[seen] ** 2 + dy[seen] ** 2)) / face[seen].mean() if seen.any() else 0.0)
    return np.array(out)


def _corners(grid: FaceGrid) -> Array:
    """Return the face's corners (4, 1, 2) in pixels."""
    u, v = [0, grid.width, grid.width, 0], [0, 0, grid.height, grid.height]
    corners = np.stack([u, v], -1)[:, None].astype(float)
    return np.asarray(cv2.perspectiveTransform(corners, grid.pixel_from_face), float)


def _near(warp: Array, seen: NDArray[np.bool_], grid: FaceGrid) -> bool:
    """Say whether a homography moves nothing that is seen farther than poses are off: else it is another
    scene.
    """
    row, column = np.nonzero(seen[::20, ::20])
    places = np.stack([column, row], -1)[:, None] * 20.0
    moved = np.linalg.norm(cv2.perspectiveTransform(places, warp) - places, axis=-1)
    return bool(moved.max(initial=0.0) * grid.pixel <= MARGIN)


def _common(shots: Sequence[Shot], grid: FaceGrid) -> Array:
    """Return the homography to where, by the median of all pictures' own poses, the face's corners lie."""
    corners = _corners(grid)
    raw = [cv2.perspectiveTransform(corners, shot.raw_from_pixel) for shot in shots]
    target = np.median(raw, axis=0)
    return np.asarray(
        cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32)), float
    )


def _median(shots: Sequence[Shot], grid: FaceGrid) -> Blended:
    """Return the median (h, w, 3) of the pictures, each made as bright as the first, nan where none shows the
    face.
    """
    layers = [_layer(shot, grid) for shot in shots]
    out = np.empty((*grid.shape, 3), np.float32)
    for channel in range(3):
        stack = np.stack([layer.picture[..., channel] for layer in layers]).astype(np.float32)
        for plane, layer in zip(stack, layers, strict=True):
            both = layer.seen & layers[0].seen
            if both.any():
                plane *= max(np.median(stack[0][both]), 1) / max(np.median(plane[both]), 1)
            plane[~layer.seen] = np.nan
        out[..., channel] = middle(stack)
    return out
