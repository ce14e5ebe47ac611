"""Pictures of a vertical face seen straight on: which ones to take, and how each maps onto the face."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.surfaces.depth import project
from pocketworld.scan.capture import Camera

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

# Seen at more than 60 degrees from straight on, a pixel is stretched more than twice and relief hides what is
# behind.
SLANTED = 0.5
# A picture is made smaller where it is finer than the grid by more than this.
SHARPER = 0.7
# Grid of points on a face by which pictures are compared.
CELLS = 7


@dataclass(frozen=True, slots=True)
class FaceGrid:
    """Pixels over a face and a margin around it: column 0 at u = -margin, row 0 at v = height + margin.

    width, height   of the face, m;  margin: m on each side;  pixel: m
    u is to the right and v up, m from the face's lower left corner, as seen from outside.
    """

    width: float
    height: float
    margin: float
    pixel: float

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, columns)."""
        rows, columns = (round((side + 2 * self.margin) / self.pixel) for side in (self.height, self.width))
        return rows, columns

    @property
    def face_from_pixel(self) -> Array:
        """Return (3, 3): (u, v, 1) of (column, row, 1)."""
        p, m = self.pixel, self.margin
        return np.array([[p, 0, p / 2 - m], [0, -p, self.height + m - p / 2], [0, 0, 1.0]])

    @property
    def pixel_from_face(self) -> Array:
        """Return (3, 3): (column, row, 1) of (u, v, 1)."""
        return np.asarray(np.linalg.inv(self.face_from_pixel), float)

    @property
    def u(self) -> Array:
        """Return u of each column, m."""
        return np.asarray((np.arange(self.shape[1]) + 0.5) * self.pixel - self.margin, float)

    @property
    def v(self) -> Array:
        """Return v of each row, m."""
        return np.asarray(self.height + self.margin - (np.arange(self.shape[0]) + 0.5) * self.pixel, float)

    def at(self, pixel: float) -> "FaceGrid":
        """Return the same face in pixels of another size."""
        return FaceGrid(self.width, self.height, self.margin, pixel)


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """A picture that sees a face.

    number      of the frame in its capture
    centre      (u, v, h) of the camera: h is how far it is before the face, m
    blur        m on the face that one pixel covers, in the direction in which it is stretched most, at the
                face's middle
    cosine      of the angle between the line of sight and the face's normal, at the face's middle
    visible     (CELLS, CELLS) bool: which points of the face it sees, row 0 on top
    """

    number: int
    centre: tuple[float, float, float]
    blur: float
    cosine: float
    visible: Mask


def world_from_face(box: UprightBox) -> Array:
    """Return (4, 4) of the front face of a box: u to the right, v up, h out of the face."""
    width, depth, _ = box.size
    box_from_face = np.array([[1.0, 0, 0, -width / 2], [0, 0, -1, -depth / 2], [0, 1, 0, 0], [0, 0, 0, 1]])
    return np.asarray(box.world_from_box @ box_from_face, float)


def picture_from_face(camera: Camera, world_from_camera: Array, box: UprightBox) -> Array:
    """Return the homography (3, 3) from (u, v, 1) on a box's front face to a picture's pixels."""
    camera_from_face = se3.inverse(world_from_camera) @ world_from_face(box)
    return np.asarray(camera.matrix @ camera_from_face[:3, [0, 1, 3]], float)


def views(box: UprightBox, camera: Camera, poses: Array, coloured: Mask) -> list[View]:
    """Return the pictures that see the front face of a box not too slanted, the best resolved and most
    frontal first.

    camera     of the pictures, near enough for what is in view;  poses: (n, 4, 4) world_from_camera
    """
    face_from_world = se3.inverse(world_from_face(box))
    out = [_view(i, box, camera, face_from_world @ poses[i]) for i in map(int, np.flatnonzero(coloured))]
    seen = [v for v in out if v is not None and v.cosine > SLANTED and v.visible.any()]
    # A slanted picture is stretched, and what stands proud of the face covers more of it: cosine counts
    # twice.
    return sorted(seen, key=lambda v: (v.blur / v.cosine, v.number))


def _view(number: int, box: UprightBox, camera: Camera, face_from_camera: Array) -> View | None:
    u, v, h = (float(x) for x in face_from_camera[:3, 3])
    if h <= 0:
        return None
    width, _, height = box.size
    us, vs = np.meshgrid(np.linspace(0, width, CELLS), np.linspace(height, 0, CELLS))
    points = np.stack([us.ravel(), vs.ravel(), np.zeros(us.size)], -1)
    pixels, depth = project(camera, se3.apply(se3.inverse(face_from_camera), points))
    inside = (depth > 0) & (pixels >= 0).all(1) & (pixels <= [camera.width - 1, camera.height - 1]).all(1)
    distance = math.dist((u, v, h), (width / 2, height / 2, 0))
    cosine = h / distance
    blur = distance / (min(camera.fx, camera.fy) * cosine)
    return View(number, (u, v, h), blur, cosine, inside.reshape(CELLS, CELLS))


def enough(ranked: Sequence[View], count: int) -> list[View]:
    """Return the first views, as many as it takes to see each point of the face `count` times, where that can
    be.
    """
    seen = np.zeros((CELLS, CELLS), int)
    chosen = []
    for view in ranked:
        if (seen[view.visible] < count).any():
            chosen.append(view)
            seen += view.visible
    return chosen


def rectified(picture: Picture, picture_from_pixel: Array, grid: FaceGrid) -> tuple[Picture, Mask]:
    """Return a picture (h, w, 3) on a grid, and where on the grid it has something to show."""
    rows, columns = grid.shape
    # A pixel of the grid may cover several of the picture: these are averaged first, or fine texture would
    # alias.
    shrink = min(1.0, 1.0 / _finest(picture_from_pixel, grid))
    size = [max(1, round(n * shrink)) for n in picture.shape[1::-1]]
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if shrink < SHARPER else picture
    sx, sy = small.shape[1] / picture.shape[1], small.shape[0] / picture.shape[0]
    warp = np.array([[sx, 0, sx / 2 - 0.5], [0, sy, sy / 2 - 0.5], [0, 0, 1]]) @ picture_from_pixel
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpPerspective(small, warp, (columns, rows), flags=how)
    full = np.full(small.shape[:2], 255, np.uint8)
    inside = cv2.warpPerspective(full, warp, (columns, rows), flags=how) == 255
    return np.asarray(out, np.uint8), np.asarray(inside, bool)


def _finest(picture_from_pixel: Array, grid: FaceGrid) -> float:
    """Return how many of the picture's pixels lie between two neighbours of the grid's middle, at least."""
    middle = np.array(grid.shape[::-1]) / 2
    places = (middle + np.array([[0, 0], [1, 0], [0, 1]]))[:, None]
    at = cv2.perspectiveTransform(places, picture_from_pixel)[:, 0]
    return float(np.linalg.norm(at[1:] - at[0], axis=1).min())
