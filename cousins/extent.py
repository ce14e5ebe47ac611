"""How far assets reach: their outer boxes, in their own frames and along lines of the scene (m)."""

import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Asset, Part, Rectangle

Array = NDArray[np.float64]


def outer(asset: Asset) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,) of an asset without its handles, in its own frame, m.

    The body's pieces and the fronts' faces span it; what has neither is measured by its meshes.
    """
    found = [corners(asset.parts[0])]
    found += [_rectangle(part.front) for part in asset.parts if part.front is not None]
    if len(found) == 1:  # nothing closes it: all that it is made of is the thing itself
        found = [corners(part) for part in asset.parts]
    points = np.concatenate(found)
    return points.min(0), points.max(0)


def seen_from(asset: Asset, turn: Array) -> tuple[Array, Array]:
    """Return the lowest and highest corner (3,) of an asset's outer box along the axes `turn` (3, 3) of the
    scene (its columns), m from the scene's origin.
    """
    low, high = outer(asset)
    ends = np.array(
        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    matrix = asset.pose.matrix
    along = (ends @ matrix[:3, :3].T + matrix[:3, 3]) @ turn
    return along.min(0), along.max(0)


def corners(part: Part) -> Array:
    """Return the corners (n, 3) of a part's pieces, of its meshes where it has none."""
    found = [piece.vertices for piece in part.pieces] or [np.asarray(m.vertices, float) for m in part.meshes]
    return np.concatenate([*found, np.empty((0, 3))])


def _rectangle(front: Rectangle) -> Array:
    right, up = np.array(front.right) * front.width / 2, np.array(front.up) * front.height / 2
    return np.array([front.centre + a * right + b * up for a in (-1, 1) for b in (-1, 1)])
