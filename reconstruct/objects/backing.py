"""How much of an asset's outside a capture shows, and in which colours."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pocketworld.geometry import se3
from pocketworld.reconstruct.fronts.colours import middle
from pocketworld.reconstruct.surfaces.paint import GREY
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream
from pocketworld.scene import Asset, Material, Mesh

Array = NDArray[np.float64]

SAMPLES = 6000  # points on an asset's outside
LOOKS = ((0, -1), (0, 1), (1, -1), (1, 1), (2, 1))  # axis and side from which one looks
CELL = 0.03  # m
FACING = 0.2  # a normal's cosine to the look: what is seen more from the side is hardly seen
BESIDE = 0.03  # m: surface that may have the colour of what it is that near to
FEW = 20  # vertices are too few to tell a colour


def backed(asset: Asset, surface: Surface, near: float) -> float:
    """Return the share of an asset, as it looks from its four sides and from above, with surface of the scene
    nearer than `near` (m).
    """
    points, normals = sampled(asset.parts[0].meshes)
    local = se3.apply(se3.inverse(asset.pose.matrix), surface.vertices)
    if not len(local):
        return 0.0
    found = KDTree(local).query(points)[0] < near
    shown = [_frontmost(points, normals, axis, sign) for axis, sign in LOOKS]
    return float(np.mean(found[np.concatenate(shown)]))


def _frontmost(points: Array, normals: Array, axis: int, sign: int) -> NDArray[np.intp]:
    """Return which points (n, 3) one sees who looks at them against an axis: the first in each cell."""
    facing = np.flatnonzero(normals[:, axis] * sign > FACING)
    order = facing[np.argsort(-sign * points[facing, axis], kind="stable")]
    cells = np.floor(np.delete(points[order], axis, 1) / CELL).astype(np.int64)
    return order[np.unique(cells, axis=0, return_index=True)[1]]


def sampled(meshes: Sequence[Mesh]) -> tuple[Array, Array]:
    """Return points spread evenly on meshes, and normals there (n, 3)."""
    corners = np.concatenate([mesh.vertices[mesh.faces] for mesh in meshes]).astype(float)
    a, b, c = corners.transpose(1, 0, 2)
    across = np.cross(b - a, c - a)
    areas = np.linalg.norm(across, axis=1)
    draw = stream(0, "backing")
    which = draw.choice(len(corners), SAMPLES, p=areas / areas.sum())
    u, v = draw.random((2, SAMPLES, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    points = a[which] + u * (b - a)[which] + v * (c - a)[which]
    return points, across[which] / areas[which, None]


def coloured(p: Any, asset: Asset, surface: Surface) -> Any:
    """Return an asset's parameters, its materials in the median colours of the surface (of the scene) beside
    what is made of each; what no picture shows keeps its usual one.
    """
    if surface.colours is None:
        return p
    known = (surface.colours != GREY).any(axis=1)
    local = se3.apply(se3.inverse(asset.pose.matrix), surface.vertices)[known]
    colours, looks = surface.colours[known], {}
    for field in fields(p):
        material = getattr(p, field.name)
        own = [mesh for mesh in asset.parts[0].meshes if mesh.material is material]
        if isinstance(material, Material) and own and len(local):
            beside = KDTree(sampled(own)[0]).query(local)[0] < BESIDE
            looks[field.name] = _look(material, colours[beside if beside.sum() >= FEW else slice(None)])
    return replace(p, **looks)


def _look(material: Material, colours: NDArray[np.uint8]) -> Material:
    if len(colours) < FEW:
        return material
    return replace(material, colour=middle(colours), metallic=0.0)
