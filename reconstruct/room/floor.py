"""The floor: the lowest large level surface; it becomes z = 0."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]

LEVEL = math.cos(
    math.radians(15)
)  # a phone knows which way is up to about a degree; single normals are noisy
LAYER = 0.04  # m: three sigma of depth noise (8-12 mm on real floors), up and down from the floor
LARGE = 0.5  # m²: a floor smaller than this could as well be a seat or a table top
SHARE = 0.2  # of the largest level surface: below the floor there are only reflections, which are small
RAMP = math.radians(5)  # steeper than builders and gravity sensors err together: a slope, to be left as it is
OUT = 3.0  # sigmas: farther from the plane is no floor
SURE = 2.0  # sigmas of tilt: surer than this, levelling mends more than it spoils
SECTORS = 8


@dataclass(frozen=True, eq=False, slots=True)
class Floor:
    """Where the floor is.

    scene_from_world   (4, 4) rigid: floor at z = 0, levelled where the tilt is sure; x and y stay as they
                       are at the floor's middle
    noise              RMS distance of the surface from the floor's plane, m
    tilt, tilt_sigma   rad, of the floor against the capture's own z
    area               m² of floor that was seen
    """

    scene_from_world: Array
    noise: float
    tilt: float
    tilt_sigma: float
    area: float
    findings: tuple[Finding, ...]


def find_floor(surface: Surface, name: str) -> Floor:
    """Return the floor of a surface that is in the capture's world; `name` is what findings are about."""
    areas = surface.vertex_areas()
    level = surface.normals[:, 2] > LEVEL
    height = _lowest_large(surface.vertices[level, 2], areas[level])
    if height is None:
        return _no_floor(surface, name)
    near = level & (np.abs(surface.vertices[:, 2] - height) < 2 * LAYER)
    points = surface.vertices[near]
    # The error of depth grows as the square of its distance (Khoshelham and Elberink 2012).
    weights = areas[near] / surface.distance[near] ** 4
    middle, normal, noise = _plane(points, weights)
    sigma = _tilt_sigma(points, weights, middle, noise)
    tilt = math.acos(min(1.0, normal[2]))
    levelled = SURE * sigma < tilt < RAMP
    turn = _onto_z(normal) if levelled else np.eye(3)
    scene_from_world = np.eye(4)
    scene_from_world[:3, :3] = turn
    scene_from_world[:3, 3] = [*middle[:2], 0.0] - turn @ middle
    found = (_tilted(name, tilt, sigma, levelled),) if tilt > SURE * sigma else ()
    return Floor(scene_from_world, noise, tilt, sigma, float(areas[near].sum()), found)


def _lowest_large(heights: Array, areas: Array) -> float | None:
    """Return the height of the lowest layer of much area, at its fullest; None where none is large."""
    if not len(heights):
        return None
    order = np.argsort(heights, kind="stable")
    z, total = heights[order], np.concatenate([[0.0], np.cumsum(areas[order])])
    # Layers are centred on the points themselves, not on bins: moving the world up moves the answer as much.
    first, last = np.searchsorted(z, z - LAYER), np.searchsorted(z, z + LAYER, side="right")
    inside = total[last] - total[first]
    large = inside >= max(LARGE, SHARE * inside.max())
    if not large.any():
        return None
    start = int(np.argmax(large))
    rest = slice(start, int(np.searchsorted(z, z[start] + 2 * LAYER, side="right")))
    return float(z[rest][np.argmax(inside[rest])])


def _plane(points: Array, weights: Array) -> tuple[Array, Array, float]:
    """Return a point, the upward normal and the RMS of the plane of points (n, 3), by Tukey's biweight."""
    middle, normal = _least_squares(points, weights)
    distance, scale = _spread(points, middle, normal)
    for _ in range(10):
        trust = np.clip(1 - (distance / (4.685 * scale)) ** 2, 0, None) ** 2
        middle, normal = _least_squares(points, weights * trust)
        distance, scale = _spread(points, middle, normal)
    inlier = np.abs(distance) < OUT * scale
    rms = float(np.sqrt(np.average(distance[inlier] ** 2, weights=weights[inlier])))
    return middle, normal, rms


def _least_squares(points: Array, weights: Array) -> tuple[Array, Array]:
    middle = weights @ points / weights.sum()
    apart = points - middle
    _, vectors = np.linalg.eigh((apart * weights[:, None]).T @ apart)
    return middle, vectors[:, 0] * np.sign(vectors[2, 0])


def _spread(points: Array, middle: Array, normal: Array) -> tuple[Array, float]:
    """Return the distances (n,) from a plane and their spread, by the median."""
    distance = (points - middle) @ normal
    return distance, max(1.4826 * float(np.median(np.abs(distance))), 1e-6)


def _tilt_sigma(points: Array, weights: Array, middle: Array, noise: float) -> float:
    """Return the standard error of the normal, rad.

    Errors of depth and pose are alike over decimetres, so counting points would make it far too sure: one
    sector around the middle is left out at a time (jackknife over groups: Tukey 1958). What all sectors
    share, like the bowl that depth cameras make of a floor, is about as large as the noise over the floor's
    extent.
    """
    angle = np.arctan2(points[:, 1] - middle[1], points[:, 0] - middle[0])
    sector = np.floor((angle / (2 * np.pi) % 1) * SECTORS).astype(int)
    there = [s for s in range(SECTORS) if (sector == s).any()]
    if len(there) < SECTORS:
        return math.pi  # floor on one side only: its tilt is not measured
    normals = np.array([_plane(points[sector != s], weights[sector != s])[1] for s in there])
    parted = (SECTORS - 1) / SECTORS * float(((normals - normals.mean(0)) ** 2).sum())
    extent = math.sqrt(np.average(((points - middle)[:, :2] ** 2).sum(1), weights=weights) / 2)
    return math.hypot(math.sqrt(parted), noise / extent)


def _onto_z(normal: Array) -> Array:
    """Return the smallest turn (3, 3) that takes a unit vector to +z."""
    axis = np.cross(normal, [0, 0, 1.0])
    sine = float(np.linalg.norm(axis))
    if sine < 1e-12:
        return np.eye(3)
    twist = np.concatenate([np.zeros(3), axis / sine * math.atan2(sine, normal[2])])
    return se3.exp(twist)[:3, :3]


def _tilted(name: str, tilt: float, sigma: float, levelled: bool) -> Finding:
    numbers = {"tilt_deg": math.degrees(tilt), "sigma_deg": math.degrees(sigma)}
    if levelled:
        text = "the floor leans against the capture's z; the scene is turned so that it is level"
        return Finding("floor-levelled", Severity.NOTE, "reconstruct", name, text, numbers)
    text = "the floor is a slope; it is left as it is, so things do not stand on z = 0 everywhere"
    return Finding("floor-slopes", Severity.DEGRADED, "reconstruct", name, text, numbers)


def _no_floor(surface: Surface, name: str) -> Floor:
    lowest = float(np.percentile(surface.vertices[:, 2], 1))
    scene_from_world = np.eye(4)
    scene_from_world[2, 3] = -lowest
    text = "no floor was seen: the lowest that was seen is taken for z = 0"
    found = Finding("no-floor", Severity.LOST, "reconstruct", name, text, {"lowest_m": lowest})
    return Floor(scene_from_world, LAYER / OUT, 0.0, math.pi, 0.0, (found,))
