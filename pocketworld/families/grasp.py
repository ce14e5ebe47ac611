"""Whether two fingers can take hold of each handle of an asset."""

from collections.abc import Sequence

import numpy as np

from pocketworld.geometry.convex import BoxPiece, Vec3, cross
from pocketworld.geometry.separating import Shape, depths, shape
from pocketworld.geometry.sweep import pieces_of
from pocketworld.scene import Asset, Handle

WIDE = 0.022
"""Width of a finger along the handle, m."""
LONG = 0.060
"""Length of a finger, m."""
BESIDE = 0.012
"""Free space on each side of what is gripped, m: a finger of 5 mm thickness that opens and closes."""
BEYOND = 0.008
"""How far the fingers reach past the grip towards the front, m: half a finger pad."""
OPENING = 0.045
"""Greatest thickness that the fingers close on, m, of an opening of 50 mm."""


def blocked(asset: Asset) -> tuple[str, ...]:
    """Return the ids of the movable joints with no handle that two fingers can take hold of while closed."""
    pieces = pieces_of(asset.parts)
    shapes, low, high = pieces.shapes, pieces.low, pieces.high
    out: list[str] = []
    for joint in asset.movable:
        handle = asset.part(joint.child).handle
        if (
            handle is None
            or handle.thickness > OPENING
            or not all(_free(finger, shapes, low, high) for finger in fingers(handle))
        ):
            out.append(joint.id)
    return tuple(out)


def fingers(handle: Handle) -> tuple[BoxPiece, BoxPiece]:
    """Return the space that each of two fingers needs to take a handle that lies along the frame's axes."""
    along, out = np.array(handle.along), np.array(handle.out)
    across = np.array(cross(handle.along, handle.out))
    size = np.abs(WIDE * along + BESIDE * across + LONG * out)
    away = (handle.thickness + BESIDE) / 2
    boxes = []
    for side in (-1, 1):
        centre = np.array(handle.grip) + side * away * across + (LONG / 2 - BEYOND) * out
        boxes.append(BoxPiece(_vec(centre), _vec(size)))
    return boxes[0], boxes[1]


def _vec(v: np.ndarray) -> Vec3:
    """Return three numbers as a tuple."""
    x, y, z = (float(value) for value in v)
    return (x, y, z)


def _free(finger: BoxPiece, shapes: Sequence[Shape], low: np.ndarray, high: np.ndarray) -> bool:
    """Say whether nothing stands in a finger's place."""
    own = shape(finger)
    near = (np.minimum(high, own.vertices.max(0)) - np.maximum(low, own.vertices.min(0)) > 1e-6).all(1)
    still = np.eye(4)[None]
    return all(depths(own, shapes[i], still)[0] <= 1e-6 for i in np.flatnonzero(near).tolist())
