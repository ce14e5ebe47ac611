"""How large things are: corners of fronts, and an asset's outer box."""

import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Asset, Rectangle

Array = NDArray[np.float64]


def corners(front: Rectangle) -> Array:
    """Return a front's corners (4, 3) in the asset's frame, m: from the lower left, counter-clockwise."""
    right = np.array(front.right) * front.width / 2
    up = np.array(front.up) * front.height / 2
    return np.array(front.centre) + np.stack([-right - up, right - up, right + up, up - right])


def size(asset: Asset) -> tuple[float, float, float]:
    """Return width, depth, height in m, without handles: of the part that stands still and all fronts."""
    points = [piece.vertices for piece in asset.parts[0].pieces]
    points += [corners(part.front) for part in asset.parts if part.front]
    if not points:
        return (0.0, 0.0, 0.0)
    width, depth, height = map(float, np.ptp(np.concatenate(points), axis=0))
    return width, depth, height
