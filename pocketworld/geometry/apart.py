"""How convex pieces are moved apart, level or up, by the least that does it.

Two convex polyhedra overlap exactly where their intervals overlap along every face normal of either and every
cross product of their edges (separating axes). A shift along a direction moves the intervals in proportion,
so that the least shift that parts them, or the one that lets them just touch, is the least over these axes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.separating import PARALLEL, Shape

Array = NDArray[np.float64]
STEEP = 1e-6  # of a unit axis: a lesser component says nothing about a shift along it


@dataclass(frozen=True, eq=False, slots=True)
class _Intervals:
    """Unit axes (k, 3) and where the two shapes lie along each (k,): m."""

    axes: Array
    low: Array
    high: Array
    other_low: Array
    other_high: Array


def moved(s: Shape, by: Array) -> Shape:
    """Return a shape under a rigid motion (4, 4)."""
    turn = by[:3, :3].T
    return Shape(s.vertices @ turn + by[:3, 3], s.normals @ turn, s.edges @ turn)


def level(a: Shape, b: Shape, touching: float = 0.0) -> Array | None:
    """Return the shortest level shift (3,), m, that moves a out of b.

    None where they overlap by no more than `touching` (m), or where no level shift parts them.
    """
    found = _intervals(a, b)
    forth, back = found.other_high - found.low, found.high - found.other_low
    if min(forth.min(), back.min()) <= touching:
        return None
    flat = np.linalg.norm(found.axes[:, :2], axis=1)
    useful = flat > STEEP
    if not useful.any():
        return None
    ways = np.concatenate([forth[useful] / flat[useful], back[useful] / flat[useful]])
    towards = np.concatenate([found.axes[useful], -found.axes[useful]])[ways.argmin()] * (1, 1, 0)
    out: Array = towards / np.linalg.norm(towards) * ways.min()
    return out


def rise(a: Shape, b: Shape) -> float | None:
    """Return how far (m) a is raised, or lowered (< 0), to just lie on b; None where it passes beside."""
    found = _intervals(a, b)
    up = found.axes[:, 2]
    steep = np.abs(up) > STEEP
    beside = np.minimum(found.other_high - found.low, found.high - found.other_low)[~steep]
    if (beside <= 0).any():
        return None
    # Raised by t the shapes overlap along an axis while t lies between two bounds; along all, in their cut.
    first = (found.other_high - found.low)[steep] / up[steep]
    last = (found.other_low - found.high)[steep] / up[steep]
    top, bottom = np.maximum(first, last).min(), np.minimum(first, last).max()
    return float(top) if top > bottom else None


def _intervals(a: Shape, b: Shape) -> _Intervals:
    crosses = np.cross(a.edges[:, None], b.edges).reshape(-1, 3)
    lengths = np.linalg.norm(crosses, axis=1)
    crosses = crosses[lengths > PARALLEL] / lengths[lengths > PARALLEL, None]
    axes = np.concatenate([a.normals, b.normals, crosses])
    own, other = a.vertices @ axes.T, b.vertices @ axes.T
    return _Intervals(axes, own.min(0), own.max(0), other.min(0), other.max(0))
