"""Level layers in what was seen: tops, seats, boards."""

import math

import numpy as np

from pocketworld.families.protocol import Evidence

LEVEL = math.cos(math.radians(30))  # a normal within 30 degrees of upright
THICK = 0.03  # m: how far one layer reaches: noise of a phone's depth, a seat's weave


def layer(evidence: Evidence, low: float, high: float) -> tuple[float, float]:
    """Return the height (m) of the layer between two heights that holds most level surface, and its share.

    The share is of all points; the middle and 0 where no surface looks up there.
    """
    heights = np.sort(evidence.points[evidence.normals[:, 2] > LEVEL, 2])
    heights = heights[(heights >= low) & (heights <= high)]
    if not len(heights):
        return (low + high) / 2, 0.0
    count = np.searchsorted(heights, heights + THICK, side="right") - np.arange(len(heights))
    first = int(np.argmax(count))
    inside = heights[first : first + int(count[first])]
    return float(np.median(inside)), len(inside) / len(evidence.points)
