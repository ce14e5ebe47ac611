"""How deep two assets stand in each other, everything closed: every pair of their collision pieces."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.across import Stood
from pocketworld.geometry.apart import moved
from pocketworld.geometry.separating import Shape, around, depths
from pocketworld.geometry.sweep import Pieces, corners_of, near, pieces_of

Array = NDArray[np.float64]
SLACK = 1e-3  # m: as deep as measured furniture may stand in its neighbour
TOUCH = 1e-4  # m: touching is no overlap; what is free to move would be thrown out of anything deeper


def depth(a: Stood, b: Stood) -> float:
    """Return how deep (m) the collision pieces of two assets are in each other; 0 where they only touch."""
    mine, theirs = pieces_of(a.parts), pieces_of(b.parts)
    if not mine.shapes or not theirs.shapes:
        return 0.0
    b_from_a = np.linalg.inv(b.pose.matrix) @ a.pose.matrix
    low, high = around((mine.low.min(0), mine.high.max(0)), b_from_a)
    if not (np.minimum(high, theirs.high.max(0)) - np.maximum(low, theirs.low.min(0)) > TOUCH).all():
        return 0.0
    return deepest(mine.shapes, theirs, b_from_a)


def deepest(shapes: Sequence[Shape], pieces: Pieces, by: Array) -> float:
    """Return how deep (m) shapes, moved by (4, 4), are in pieces; 0 where they only touch."""
    low, high = corners_of([moved(s, by) for s in shapes])
    close = np.argwhere(near(low, high, pieces.low, pieces.high, TOUCH)).tolist()
    found = (float(depths(shapes[i], pieces.shapes[j], by[None])[0]) for i, j in close)
    return max(found, default=0.0)
