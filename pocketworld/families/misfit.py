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
    if not boxes or not len(points):
        return np.full(len(points), np.inf)
    centres, halves = np.array([box.centre for box in boxes]), np.array([box.size for box in boxes]) / 2
    beyond = np.abs(points - centres[:, None]) - halves[:, None]
    out = np.maximum(beyond, 0.0)
    outside = np.sqrt(np.einsum("bnk,bnk->bn", out, out).min(0))
    return np.asarray(np.where(outside > 0, outside, np.minimum(beyond.max(2).min(0), 0.0)))
