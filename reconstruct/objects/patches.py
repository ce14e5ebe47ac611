"""What was seen of a thing, as evidence for families: a point for each patch of its surface, and how sure."""

import math

import numpy as np
from numpy.typing import NDArray

from pocketworld.families.protocol import Evidence
from pocketworld.geometry import se3
from pocketworld.reconstruct.objects.things import Thing
from pocketworld.reconstruct.surfaces import depth
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]

NEAR = 3.0  # standard deviations: surface that is explained
BIAS, FROM = 0.01, depth.NEAR  # m: depth's error, and from how far
PATCH = 0.03  # m: depth errs alike over less than this
PATCHES = 250  # at least, of a thing too small for so many of that size
MOST = 500  # patches that tell as much as all


def noise(surface: Surface) -> float:
    """Return how sure places on a surface are, m (standard deviation): its roughness, and the error of depth
    that is alike over a whole thing and grows as the square of the distance it was seen from.

    Roughness is how far vertices lie from their neighbours' mean along their normals; at least half a voxel.
    """
    a, b, c = surface.faces.T
    ends = np.concatenate([a, b, c, b, c, a]), np.concatenate([b, c, a, a, b, c])
    count = np.maximum(np.bincount(ends[0], minlength=len(surface.vertices)), 1)
    mean = np.stack([np.bincount(ends[0], surface.vertices[ends[1], k], len(count)) for k in range(3)], -1)
    off = np.abs(((mean / count[:, None] - surface.vertices) * surface.normals).sum(1))
    # The mean of n neighbours with the same noise: their difference has 1 + 1/n of its variance.
    rough = 1.4826 * float(np.median(off)) / math.sqrt(1 + 1 / float(np.median(count)))
    alike = BIAS * (float(np.median(surface.distance)) / FROM) ** 2
    return math.hypot(max(rough, surface.voxel / 2), alike)


def evidence(thing: Thing, free: Array, sigma: float) -> Evidence:
    """Return what was seen of a thing in the frame of its box: one point for each patch of its surface.

    free: places of that frame. A patch counts by its area: a smear of few triangles counts for little.
    """
    surface = thing.surface
    local = surface.moved(se3.inverse(thing.box.world_from_box))
    areas = surface.vertex_areas()
    side = max(min(PATCH, math.sqrt(float(areas.sum()) / PATCHES)), surface.voxel)
    which, weights = _patches(surface, areas, side)
    some, places = _spread(len(which), MOST), free[_spread(len(free), min(len(which), MOST))]
    share = np.sqrt(weights[some] / weights[some].mean())
    size_sigma = max(NEAR * sigma, side)
    sizes = (size_sigma, size_sigma, size_sigma)
    which = which[some]
    return Evidence(local.vertices[which], local.normals[which], share / sigma, places, thing.box.size, sizes)


def _patches(surface: Surface, areas: Array, side: float) -> tuple[NDArray[np.intp], Array]:
    """Return the vertex in the middle of each patch (n,) of about `side` m, and the patch's area (n,).

    The two sides of a board are patches of their own.
    """
    turn = se3.inverse(surface.from_grid)
    places, looks = se3.apply(turn, surface.vertices) / side, surface.normals @ turn[:3, :3].T
    most = np.argmax(np.abs(looks), axis=1)
    facing = 2 * most + (np.take_along_axis(looks, most[:, None], 1)[:, 0] > 0)
    keys = np.column_stack([np.floor(places).astype(np.int64), facing])
    patch = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    count, area = np.bincount(patch), np.bincount(patch, areas)
    middle = np.stack([np.bincount(patch, places[:, k]) / count for k in range(3)], -1)
    off = np.linalg.norm(places - middle[patch], axis=1)
    order = np.lexsort((*surface.vertices.T, off, patch))
    first = order[np.unique(patch[order], return_index=True)[1]]
    return first[area > 0], np.asarray(area[area > 0], float)


def _spread(count: int, most: int) -> NDArray[np.intp]:
    """Return at most so many indices, evenly spread."""
    return (
        np.unique(np.linspace(0, count - 1, min(most, count)).astype(np.intp))
        if count
        else np.zeros(0, np.intp)
    )
