"""How far a thing made of boxes is from what a capture shows of it: residuals that families share."""

from collections.abc import Sequence

import numpy as np

from pocketworld.families.protocol import Array, Evidence
from pocketworld.geometry.convex import BoxPiece, Vec3

OTHER = 0.03  # m: surface that is farther off belongs to something else, and pulls no more


def misfit(size: Vec3, boxes: Sequence[BoxPiece], evidence: Evidence) -> Array:
    """Return residuals (3 + n,) in standard deviations: outer size, then points off the boxes."""
    outer = (np.array(size) - evidence.size) / evidence.size_sigma
    off = OTHER * np.tanh(distance(evidence.points, boxes) / OTHER)
    return np.concatenate([outer, off * evidence.weights])


def distance(points: Array, boxes: Sequence[BoxPiece]) -> Array:
    """Return signed distances (n,) of points (n, 3) from the union of upright boxes, m; below 0 inside.

    Inside it is the depth in the box in which a point lies deepest; what parts two boxes that touch is none
    of the surface, and points in there, which no capture sees, come out too shallow.
    """
    outside, inside = np.full(len(points), np.inf), np.zeros(len(points))
    for box in boxes:
        beyond = np.abs(points - box.centre) - np.array(box.size) / 2
        np.minimum(outside, np.linalg.norm(np.maximum(beyond, 0.0), axis=1), out=outside)
        np.minimum(inside, beyond.max(axis=1), out=inside)
    return np.asarray(np.where(outside > 0, outside, inside))
