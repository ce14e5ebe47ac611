"""How a thing can lie on a level floor: the facets of its hull, which of them carry it, whether it rolls."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FLAT = 1e-3  # rad: facets whose normals differ by less are one
ROCK, ROLL = math.radians(5), math.radians(40)
"""Turns from one facet to another that make a thing roll: by less it rocks, by more it falls over.

What has eight sides or fewer around stands on them; a pencil of six does, a round tin lying on its side not.
"""


@dataclass(frozen=True, eq=False, slots=True)
class Facet:
    """A flat side of a hull: its outward unit normal (3,), and its corners (k, 3), m."""

    normal: Array
    corners: Array

    def margin(self, point: Array) -> float:
        """Return how far (m) within this facet a point lies, seen along its normal; < 0 beside it."""
        right, up = _axes(self.normal)
        flat = np.stack([self.corners @ right, self.corners @ up], 1)
        return _inside(flat, np.array([point @ right, point @ up]))


def facets(points: Array) -> tuple[Facet, ...]:
    """Return the facets of the convex hull of points (n, 3); none where they lie in a plane."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(points)
    except QhullError:
        return ()
    groups: list[tuple[Array, float, list[int]]] = []
    for equation, corners in zip(hull.equations, hull.simplices, strict=True):
        normal, off = equation[:3], float(equation[3])
        for known, at, members in groups:
            if known @ normal > math.cos(FLAT) and abs(at - off) < FLAT * float(np.ptp(points, axis=0).max()):
                members.extend(corners.tolist())
                break
        else:
            groups.append((normal, off, corners.tolist()))
    return tuple(Facet(normal, points[sorted(set(members))]) for normal, _, members in groups)


def lowest(sides: tuple[Facet, ...]) -> Facet:
    """Return the facet that faces down the most."""
    return min(sides, key=lambda side: float(side.normal[2]))


def carrying(points: Array, com: Array, within: float = 0.0) -> Facet | None:
    """Return the side on which a thing lies down with the least turn, None where none carries it.

    within   how far (m) inside it the centre of mass must be
    """
    able = [side for side in facets(points) if side.margin(com) > within]
    return lowest(tuple(able)) if able else None


def rolls(points: Array, com: Array) -> bool:
    """Say whether a thing rolls where it lies: points (n, 3) of its hull and its centre of mass (3,), m.

    It does where a small turn, but more than rocking, brings it onto another side that carries it as well.
    """
    sides = facets(points)
    if not sides:
        return False
    down = lowest(sides).normal
    turns = [math.acos(float(np.clip(side.normal @ down, -1, 1))) for side in sides]
    return any(ROCK < turn < ROLL and side.margin(com) > 0 for side, turn in zip(sides, turns, strict=True))


def _axes(normal: Array) -> tuple[Array, Array]:
    """Return two unit vectors that make a right-handed frame with a unit normal."""
    least = np.eye(3)[np.abs(normal).argmin()]
    right = np.cross(least, normal)
    right /= np.linalg.norm(right)
    return right, np.cross(normal, right)


def _inside(polygon: Array, point: Array) -> float:
    """Return how far a point (2,) is inside the hull of points (n, 2); < 0 outside."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(polygon)
    except QhullError:
        return -math.inf
    return -float((hull.equations[:, :2] @ point + hull.equations[:, 2]).max())
