"""Two looks registered by their depth: how one pose must move for their surfaces to agree, and how surely.

Points onto planes with projective association (Blais and Levine 1995, Chen and Medioni 1992), both ways.
Directions that the surfaces do not bind, as along a flat wall, are left out, so that nothing slides (Zhang,
Kaess and Singh 2016, "On degeneracy of optimization-based state estimation problems").
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.reconstruct.surfaces.looks import Look

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# m: how far apart points and planes may be, first and later: poses are off by a few centimetres, and what is
# nearer than that belongs to the same surface.
GATES = (0.1, 0.08, 0.06, *(0.05,) * 6)
ALIKE = 0.8  # cosine between normals of one and the same surface
FEWEST = 200  # cells on both sides together
SETTLED = 1e-4  # m or rad
# Of the sum over all directions: less than this, noise of normals alone makes of a flat wall.
BOUND = 0.01
PATCHES = 4  # a side: errors of depth are alike within one of these patches of a picture
UNTOLD = 3.0  # times: variance that errors alike over whole pictures add, by poses known exactly
BIAS = 0.001  # m: two looks of one surface disagree by as much, however many cells say otherwise


@dataclass(frozen=True, eq=False, slots=True)
class Pair:
    """Look a registered to look b: `rows @ twist` is `moved`, give or take `covariance`.

    The twist (m, rad) of b's frame takes a as the poses place it to where it fits b.

    b_from_a   (4, 4) by the poses that were given
    rows       (k, 6): directions that are bound;  moved: (k,);  covariance: (k, k)
    """

    a: int
    b: int
    b_from_a: Array
    rows: Array
    moved: Array
    covariance: Array


@dataclass(frozen=True, eq=False, slots=True)
class _Match:
    """Points of one look on planes of the other, in b's frame; jacobian: (n, 6) of `apart` by a's twist."""

    points: Array
    jacobian: Array
    apart: Array
    weight: Array

    def normal(self) -> Array:
        return (self.jacobian * self.weight[:, None]).T @ self.jacobian

    def pull(self) -> Array:
        return -(self.jacobian * (self.weight * self.apart)[:, None])


@dataclass(frozen=True, eq=False, slots=True)
class _Bound:
    """Directions that surfaces bind.

    rows       (k, 6): `rows @ twist` are its parts along them, m
    back       (k, 6): `parts @ back` is the twist again
    strength   (k,): how strongly they are bound
    """

    rows: Array
    back: Array
    strength: Array


def register(looks: tuple[Look, Look], numbers: tuple[int, int], b_from_a: Array) -> Pair | None:
    """Return how look a must move to fit look b; None where they share too little surface."""
    a, b = looks
    now = b_from_a
    for gate in GATES:
        match = _match(a, b, now, gate)
        if match is None:
            return None
        bound = _bound(match)
        step = bound.back.T @ (bound.back @ match.pull().sum(0) / bound.strength)
        now = se3.exp(step) @ now
        if np.abs(step).max() < SETTLED:
            break
    match = _match(a, b, now, GATES[-1])
    if match is None:
        return None
    bound, twist = _bound(match), se3.log(now @ se3.inverse(b_from_a))
    share = bound.strength / match.weight.sum()
    covariance = _covariance(match, bound, b) + np.diag(BIAS**2 / share)
    return Pair(*numbers, b_from_a, bound.rows, bound.rows @ twist, covariance)


def apart(looks: tuple[Look, Look], b_from_a: Array) -> float | None:
    """Return how far the surfaces of looks a and b are apart (median, m); None as above."""
    match = _match(*looks, b_from_a, GATES[0])
    return None if match is None else float(np.median(np.abs(match.apart)))


def _covariance(match: _Match, bound: _Bound, b: Look) -> Array:
    """Return that of `moved`: by how differently patches of the picture pull (Liang and Zeger 1986)."""
    sums = np.zeros((PATCHES**2, 6))
    np.add.at(sums, _patch(b, match.points), match.pull())
    pulls = sums @ bound.back.T / bound.strength
    return np.asarray(UNTOLD * pulls.T @ pulls, float)


def _patch(b: Look, points: Array) -> Index:
    camera = b.camera
    z = np.maximum(points[:, 2], 1e-6)
    across = (points[:, 0] / z * camera.fx + camera.cx) / camera.width
    down = (points[:, 1] / z * camera.fy + camera.cy) / camera.height
    column, row = ((part * PATCHES).clip(0, PATCHES - 1).astype(np.intp) for part in (across, down))
    return row * PATCHES + column


def _bound(match: _Match) -> _Bound:
    """Return what the surfaces bind; turns count as what they move at the points' distance."""
    far = np.sqrt((match.weight * (match.points**2).sum(1)).sum() / match.weight.sum())
    scale = np.array([1, 1, 1, far, far, far])
    strength, directions = np.linalg.eigh(match.normal() / np.outer(scale, scale))
    bound = strength > BOUND * strength.sum()
    found = directions[:, bound].T
    return _Bound(found * scale, found / scale, strength[bound])


def _match(a: Look, b: Look, b_from_a: Array, gate: float) -> _Match | None:
    """Return points of a on planes of b, and of b on planes of a; None where there are too few."""
    turn = b_from_a[:3, :3]
    there, normal, off, sigma = _onto(a, b, b_from_a, gate)
    here, back, away, noise = _onto(b, a, se3.inverse(b_from_a), gate)
    here, back = se3.apply(b_from_a, here), back @ turn.T
    distance = np.concatenate([off, away])
    if len(distance) < FEWEST:
        return None
    jacobian = np.concatenate(
        [np.hstack([normal, np.cross(there, normal)]), -np.hstack([back, np.cross(here, back)])]
    )
    sigma = np.concatenate([sigma, noise])
    # Tukey's biweight: zero at three sigma and a centimetre, by which poses may be off.
    weight = np.clip(1 - (distance / (3 * np.sqrt(2) * sigma + 0.01)) ** 2, 0, None) ** 2 / sigma**2
    return _Match(np.concatenate([there, here]), jacobian, distance, weight) if weight.any() else None


def _onto(a: Look, b: Look, b_from_a: Array, gate: float) -> tuple[Array, Array, Array, Array]:
    """Return points (n, 3) of a in b's frame, normals and distances of b's planes there, and a's noise."""
    camera, points = b.camera, se3.apply(b_from_a, a.places)
    before = points[:, 2] > 0.05
    z = np.where(before, points[:, 2], np.inf)
    u = np.rint(points[:, 0] / z * camera.fx + camera.cx).astype(np.intp)
    v = np.rint(points[:, 1] / z * camera.fy + camera.cy).astype(np.intp)
    inside = np.flatnonzero(before & (u >= 0) & (v >= 0) & (u < camera.width) & (v < camera.height))
    inside = inside[b.known[v[inside], u[inside]]]
    u, v, points = u[inside], v[inside], points[inside]
    normal = b.normals[v, u].astype(np.float64)
    distance = ((points - b.points[v, u]) * normal).sum(1)
    alike = ((a.facing[inside] @ b_from_a[:3, :3].T) * normal).sum(1) > ALIKE
    near = alike & (np.abs(distance) < gate)
    return points[near], normal[near], distance[near], a.sigma[inside][near]
