"""One vertical face read: its elevation with the lines and handles that are on it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.families.protocol import Elevation, SeenHandle
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.bars import colour_bars
from pocketworld.reconstruct.fronts.elevation import Blend, blend, brightness
from pocketworld.reconstruct.fronts.handles import find_handles
from pocketworld.reconstruct.fronts.lines import Span, find_lines
from pocketworld.reconstruct.fronts.outline import Known
from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.reconstruct.fronts.relief import Relief, cells, relief
from pocketworld.reconstruct.fronts.standoff import PLACED, triangulated
from pocketworld.scan.capture import Capture

Array = NDArray[np.float64]

FACES = ("front", "right", "back", "left")
"""Names of a box's faces in the order of UprightBox.turned."""
# What sharpening and JPEG do beside a strong edge reaches about three of the picture's pixels.
HALO = 3
STANDS = 0.03  # m: handles stand this far out, whatever a blurred depth map says


@dataclass(frozen=True, eq=False, slots=True)
class Face:
    """A face as read; span: the part of it that was seen to be the face, m (the box may be a little too
    large).
    """

    elevation: Elevation
    span: Span


def read_face(capture: Capture, box: UprightBox, poses: Array, number: int, known: Known) -> Face:
    """Return face `number` of a box (0 front, 1 right, 2 back, 3 left) as the capture's pictures show it.

    poses   (n, 4, 4) world_from_camera;  known: what is known of this face
    """
    turned = box.turned(number)
    width, _, height = turned.size
    made = blend(capture, turned, poses, known)
    if made is None:
        return Face(Elevation(FACES[number], width, height, 0.001), Span(0.0, width, 0.0, height))
    return face_of(made, turned, poses, FACES[number])


def face_of(made: Blend, box: UprightBox, poses: Array, name: str, placed: float = PLACED) -> Face:
    """Return the front face of a box as its blended pictures show it.

    poses    (n, 4, 4) world_from_camera, as for the pictures;  name: of the face
    placed   standard error of a place on it in one of the pictures, m
    """
    width, _, height = box.size
    shape = relief(made.shots, box, poses, made.grid)
    handles = () if shape is None else _handles(shape, cells(made.grid), placed)
    span = _span(made)
    border = HALO * made.shots[0].view.blur
    inner = Span(span.u0 + border, span.u1 - border, span.v0 + border, span.v1 - border)
    lines = find_lines(brightness(made.colour), made.grid, _hidden(made, handles), inner)
    colour, proud = _picture(made), None if shape is None else _resampled(shape.heights, made.grid)
    blind = colour_bars(lines, None if shape is None else shape.heights, cells(made.grid), span)
    handles = tuple(sorted((*handles, *blind), key=lambda h: (-h.v, h.u)))
    seen = Elevation(name, width, height, made.grid.pixel, colour, proud, lines, handles, len(made.shots))
    return Face(seen, span)


def _handles(shape: Relief, grid: FaceGrid, placed: float) -> tuple[SeenHandle, ...]:
    return triangulated(find_handles(shape.heights, grid), shape.seen, grid, placed)


def _span(made: Blend) -> Span:
    """Return where the face is seen to lie: as far as its outline was found, else as the box says."""
    grid, seen = made.grid, made.outline
    return Span(
        u0=-seen.left.shift if seen.left else 0.0,
        u1=grid.width + (seen.right.shift if seen.right else 0.0),
        v0=max(0.0, -seen.bottom.shift) if seen.bottom else 0.0,
        v1=grid.height + (seen.top.shift if seen.top else 0.0),
    )


def _hidden(made: Blend, handles: tuple[SeenHandle, ...]) -> NDArray[np.bool_]:
    """Return (h, w): where the pictures show handles, which is lower (or beside) where they are, as seen from
    above.
    """
    out = np.zeros(made.grid.shape, bool)
    u, v = np.meshgrid(made.grid.u, made.grid.v)
    for handle in handles:
        half = (
            np.array(
                [handle.thickness, handle.length] if handle.vertical else [handle.length, handle.thickness]
            )
            / 2
        )
        reach = [_displaced(made, handle, axis) for axis in (0, 1)]
        low = [min(0.0, *r) for r in reach]
        high = [max(0.0, *r) for r in reach]
        out |= (
            (u > handle.u - half[0] + low[0] - made.grid.pixel)
            & (u < handle.u + half[0] + high[0] + made.grid.pixel)
            & (v > handle.v - half[1] + low[1] - made.grid.pixel)
            & (v < handle.v + half[1] + high[1] + made.grid.pixel)
        )
    return out


def _displaced(made: Blend, handle: SeenHandle, axis: int) -> list[float]:
    """Return by how much each picture shows a handle displaced along u (0) or v (1), m."""
    place = (handle.u, handle.v)[axis]
    return [-STANDS * (shot.view.centre[axis] - place) / shot.view.centre[2] for shot in made.shots]


def _picture(made: Blend) -> NDArray[np.uint8]:
    """Return the face alone as an 8-bit picture; black where nothing is seen."""
    edge = round(made.grid.margin / made.grid.pixel)
    face = made.colour[edge:-edge, edge:-edge]
    return np.clip(np.nan_to_num(face), 0, 255).round().astype(np.uint8)


def _resampled(heights: NDArray[np.float32], grid: FaceGrid) -> NDArray[np.float32]:
    """Return the relief with a value for each pixel of the face's picture."""
    edge = round(grid.margin / grid.pixel)
    rows, columns = grid.shape
    size = (columns - 2 * edge, rows - 2 * edge)
    return np.asarray(cv2.resize(heights, size, interpolation=cv2.INTER_NEAREST), np.float32)
