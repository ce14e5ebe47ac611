"""A long face as one picture: many pictures, none of which shows all of it.

Pictures of one piece of furniture are registered to the best of them (`elevation`). A run of kitchen units is
seen piece by piece, and many a piece is dark and plain: chains of registrations drift, or break. Here each
picture lies where its own pose puts it, made as bright as its neighbours (gain compensation: Brown and Lowe
2007), and the median is taken of all that show a place well.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.elevation import FINEST, MARGIN, Blend, Blended, Shot, middle, posed
from pocketworld.reconstruct.fronts.outline import Outline
from pocketworld.reconstruct.fronts.rectify import FaceGrid, View, rectified, world_from_face
from pocketworld.reconstruct.surfaces.depth import project
from pocketworld.scan.capture import Camera, Capture

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

UNSEEN = Outline(None, None, None, None)
CELL = 0.10  # m: places of a face by which pictures are compared
PICTURES = 6  # as many of the best of each place; more sharpen nothing
COARSER = 2.0  # the grid is finer than the pictures by this
# m of the face in a pixel, as it is stretched most: coarser, gaps and handles are lost, and what is left are
# reflections.
COARSEST = 0.009
GAIN = 0.02  # m a pixel: brightness of pictures is compared on a grid this coarse
SURE = 0.1  # of the weight of one overlap: gains stay near 1
SLAB = 0.5  # m: of the face that is blended at once, so that memory does not grow with its length


def mosaic(capture: Capture, box: UprightBox, poses: Array) -> Blend | None:
    """Return the front face of a box as its pictures show it, piece by piece; None where none shows it well.

    poses   (n, 4, 4) world_from_camera of the capture's frames, in the box's world
    """
    camera = next((capture[int(i)].colour_camera for i in np.flatnonzero(capture.coloured)), None)
    if camera is None:
        return None
    seen = _views(box, camera, poses, capture.coloured)
    chosen = _best(seen)
    if not chosen:
        return None
    finest = float(np.median([view.blur for view in chosen]))
    grid = FaceGrid(box.size[0], box.size[2], MARGIN, max(FINEST, finest / COARSER))
    shots = [posed(capture, view, box, poses, grid) for view in chosen]
    return Blend(grid, _median(shots, grid, _gains(shots, grid)), tuple(shots), UNSEEN)


def cropped(made: Blend, u0: float, u1: float, v0: float, v1: float) -> Blend:
    """Return a part of a face, between u0 and u1, v0 and v1, m, with a margin around it as the whole has."""
    grid = made.grid
    left, low = round(u0 / grid.pixel), round(v0 / grid.pixel)
    part = FaceGrid(u1 - u0, v1 - v0, grid.margin, grid.pixel)
    rows, columns = part.shape
    top = grid.shape[0] - low - rows
    colour = made.colour[max(0, top) : top + rows, left : left + columns]
    colour = np.pad(
        colour, ((max(0, -top), 0), (0, columns - colour.shape[1]), (0, 0)), constant_values=np.nan
    )[:rows]
    old_from_new = np.array([[1.0, 0, left], [0, 1, top], [0, 0, 1]])
    shots = tuple(_shifted(shot, old_from_new, (u0, v0)) for shot in _showing(made, u0, u1, v0, v1))
    return Blend(part, colour, shots, UNSEEN)


def _showing(made: Blend, u0: float, u1: float, v0: float, v1: float) -> list[Shot]:
    """Return the pictures that show a part of a face best, a few of each place; they come best first."""
    up, across = made.shots[0].view.visible.shape
    columns = slice(int(u0 / made.grid.width * across), math.ceil(u1 / made.grid.width * across))
    rows = slice(int((1 - v1 / made.grid.height) * up), math.ceil((1 - v0 / made.grid.height) * up))
    count = np.zeros((up, across), int)[rows, columns]
    chosen = []
    for shot in made.shots:
        seen = shot.view.visible[rows, columns]
        if (count[seen] < PICTURES).any():
            chosen.append(shot)
            count += seen
    return chosen


def _shifted(shot: Shot, old_from_new: Array, corner: tuple[float, float]) -> Shot:
    u, v, h = shot.view.centre
    view = View(
        shot.view.number,
        (u - corner[0], v - corner[1], h),
        shot.view.blur,
        shot.view.cosine,
        shot.view.visible,
    )
    new_from_old = np.linalg.inv(old_from_new)
    return Shot(
        view,
        shot.frame,
        shot.picture_from_pixel @ old_from_new,
        new_from_old @ shot.raw_from_pixel @ old_from_new,
    )


def _views(box: UprightBox, camera: Camera, poses: Array, coloured: Mask) -> list[View]:
    """Return what each picture sees of the front face, by places of it CELL apart: see `View`.

    Blur and cosine are those of the place that it sees best.
    """
    face_from_world = se3.inverse(world_from_face(box))
    out = (_view(i, box, camera, face_from_world @ poses[i]) for i in map(int, np.flatnonzero(coloured)))
    return [view for view in out if view is not None]


def _view(number: int, box: UprightBox, camera: Camera, face_from_camera: Array) -> View | None:
    u, v, h = (float(x) for x in face_from_camera[:3, 3])
    if h <= 0:
        return None
    us, vs = _places(box)
    points = np.stack([us.ravel(), vs.ravel(), np.zeros(us.size)], -1)
    pixels, depth = project(camera, se3.apply(se3.inverse(face_from_camera), points))
    inside = (depth > 0) & (pixels >= 0).all(1) & (pixels <= [camera.width - 1, camera.height - 1]).all(1)
    distance = np.linalg.norm(points - (u, v, h), axis=1)
    cosine = h / distance
    blur = distance / (min(camera.fx, camera.fy) * cosine)
    visible = inside & (blur < COARSEST)
    if not visible.any():
        return None
    best = int(np.argmin(np.where(visible, blur / cosine, np.inf)))
    return View(number, (u, v, h), float(blur[best]), float(cosine[best]), visible.reshape(us.shape))


def _places(box: UprightBox) -> tuple[Array, Array]:
    width, _, height = box.size
    across, up = (max(2, round(size / CELL)) for size in (width, height))
    us, vs = np.meshgrid((np.arange(across) + 0.5) * width / across, (np.arange(up) + 0.5) * height / up)
    return us, vs[::-1]


def _best(seen: Sequence[View]) -> list[View]:
    """Return the pictures that are among the best of some place of the face."""
    if not seen:
        return []
    count = np.zeros(seen[0].visible.shape, int)
    chosen = []
    for view in sorted(seen, key=lambda v: (v.blur / v.cosine, v.number)):
        if (count[view.visible] < PICTURES).any():
            chosen.append(view)
            count += view.visible
    return chosen


def _layer(
    shot: Shot, grid: FaceGrid, left: int = 0, columns: int | None = None
) -> tuple[NDArray[np.uint8], Mask]:
    """Return a picture on some columns of a grid, and where it shows the face well."""
    assert shot.frame.colour is not None
    rows, every = grid.shape
    count = every - left if columns is None else columns
    part = FaceGrid(count * grid.pixel - 2 * grid.margin, grid.height, grid.margin, grid.pixel)
    part_from = shot.picture_from_pixel @ np.array([[1.0, 0, left], [0, 1, 0], [0, 0, 1]])
    picture, seen = rectified(shot.frame.colour, part_from, part)
    u, v, h = shot.view.centre
    across, up = grid.u[None, left : left + count] - u, grid.v[:, None] - v
    camera = shot.frame.colour_camera
    assert camera is not None
    fine = across**2 + up**2 + h**2 < COARSEST * h * min(camera.fx, camera.fy)
    # A homography shows what is behind the camera as well, upside down.
    column, row = np.meshgrid(np.arange(count), np.arange(rows))
    ahead = part_from[2, 0] * column + part_from[2, 1] * row + part_from[2, 2] > 0
    return picture, np.asarray(seen & fine & ahead, bool)


def _gains(shots: Sequence[Shot], grid: FaceGrid) -> Array:
    """Return (n,) by what each picture is to be multiplied to be as bright as those that overlap it."""
    coarse = grid.at(GAIN)
    scale = coarse.face_from_pixel
    small = [
        Shot(s.view, s.frame, s.picture_from_pixel @ grid.pixel_from_face @ scale, s.raw_from_pixel)
        for s in shots
    ]
    pictures, seen = zip(*(_layer(s, coarse) for s in small), strict=True)
    logs = [np.log(np.maximum(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(float), 1)) for p in pictures]
    rows, said = [SURE * np.eye(len(shots))[i] for i in range(len(shots))], [0.0] * len(shots)
    for i in range(len(shots)):
        for j in range(i):
            both = seen[i] & seen[j]
            if both.sum() >= 20:
                row = np.zeros(len(shots))
                row[i], row[j] = 1.0, -1.0
                rows.append(row)
                said.append(float(np.median(logs[j][both] - logs[i][both])))
    return np.asarray(np.exp(np.linalg.lstsq(np.array(rows), np.array(said), rcond=None)[0]), float)


def _median(shots: Sequence[Shot], grid: FaceGrid, gains: Array) -> Blended:
    rows, columns = grid.shape
    step = round(SLAB / grid.pixel)
    out = np.full((rows, columns, 3), np.nan, np.float32)
    for left in range(0, columns, step):
        count = min(step, columns - left)
        layers = [(*_layer(shot, grid, left, count), gain) for shot, gain in zip(shots, gains, strict=True)]
        layers = [layer for layer in layers if layer[1].any()]
        if not layers:
            continue
        for channel in range(3):
            stack = np.stack([picture[..., channel] for picture, _, _ in layers]).astype(np.float32)
            for plane, (_, seen, gain) in zip(stack, layers, strict=True):
                plane *= gain
                plane[~seen] = np.nan
            out[:, left : left + count, channel] = middle(stack)
    return out
