"""How much of an asset's outside a capture shows, and in which colours."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pocketworld.geometry import se3
from pocketworld.reconstruct.colours import linear
from pocketworld.reconstruct.paint import GREY
from pocketworld.reconstruct.surface import Surface
from pocketworld.rng import stream
from pocketworld.scene import Asset, Material, Mesh

Array = NDArray[np.float64]

SAMPLES = 1500  # points on an asset's outside
UNDERSIDE = -0.5  # a normal's z: what looks more down than this one does not see
BESIDE = 0.03  # m: surface that may have the colour of what it is that near to
FEW = 20  # vertices are too few to tell a colour


def backed(asset: Asset, surface: Surface, near: float) -> float:
    """Return the share of an asset's outside, but for its underside, with surface of the scene nearer than
    `near` (m).
    """
    points, normals = sampled(asset.parts[0].meshes)
    shown = points[normals[:, 2] > UNDERSIDE]
    local = se3.apply(se3.inverse(asset.pose.matrix), surface.vertices)
    return float((KDTree(local).query(shown)[0] < near).mean()) if len(shown) and len(local) else 0.0


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
    r, g, b = (float(c) for c in linear(np.median(colours, axis=0)))
    return replace(material, colour=(r, g, b), metallic=0.0)
