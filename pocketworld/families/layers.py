"""Level layers in what was seen: tops, seats, boards."""

import math

import numpy as np

from pocketworld.families.protocol import Array, Evidence

LEVEL = math.cos(math.radians(30))  # a normal within 30 degrees of upright
THICK = 0.03  # m: how far one layer reaches: noise of a phone's depth, a seat's weave


def layer(evidence: Evidence, low: float, high: float) -> tuple[float, float]:
    """Return the height (m) of the layer between two heights that holds most level surface, and its share.

    The share is of all points; the middle and 0 where no surface looks up there.
    """
    heights = _level(evidence)
    heights = heights[(heights >= low) & (heights <= high)]
    if not len(heights):
        return (low + high) / 2, 0.0
    inside = _fullest(heights)
    return float(np.median(inside)), len(inside) / len(evidence.points)


def layers(evidence: Evidence, share: float, apart: float) -> list[float]:
    """Return the heights (m) of all layers that hold at least a share of the points, from below.

    apart: how far one must lie above the next, m; of nearer ones the fullest counts.
    """
    heights, found = _level(evidence), []
    while len(heights):
        inside = _fullest(heights)
        if len(inside) < share * len(evidence.points):
            break
        found.append(float(np.median(inside)))
        heights = heights[np.abs(heights - found[-1]) >= apart]
    return sorted(found)


def _level(evidence: Evidence) -> Array:
    """Return the heights of points that look up, in order."""
    return np.sort(evidence.points[evidence.normals[:, 2] > LEVEL, 2])


def _fullest(heights: Array) -> Array:
    """Return those of some heights, in order, that lie in the fullest layer."""
    count = np.searchsorted(heights, heights + THICK, side="right") - np.arange(len(heights))
    first = int(np.argmax(count))
    return heights[first : first + int(count[first])]
