"""How far a thing made of boxes is from what a capture shows of it: residuals that families share."""

from collections.abc import Sequence

import numpy as np

from pocketworld.families.protocol import Array, Evidence
from pocketworld.geometry.convex import BoxPiece, Vec3

OTHER = 0.03  # m: surface that is farther off belongs to something else, and pulls no more


def misfit(size: Vec3, boxes: Sequence[BoxPiece], evidence: Evidence) -> Array:
    """Return residuals (3 + n + m,) in standard deviations: outer size, then points off the boxes, then how
    deep places that were seen to be empty lie in them.
    """
    return misfits(size, distance(evidence.points, boxes), distance(evidence.free, boxes), evidence)


def misfits(size: Vec3, points: Array, free: Array, evidence: Evidence) -> Array:
    """Return the residuals of `misfit` for any shape, from its signed distances to points and free places."""
    outer = (np.array(size) - evidence.size) / evidence.size_sigma
    off = OTHER * np.tanh(points / OTHER) * evidence.weights
    weight = evidence.weights.mean() if len(evidence.weights) else 0.0
    within = OTHER * np.tanh(np.maximum(-free, 0.0) / OTHER) * weight
    return np.concatenate([outer, off, within])


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
