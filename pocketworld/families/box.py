"""A box: one solid part that can be pushed over and carried."""

import math
from dataclasses import dataclass, replace

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families.codec import to_json
from pocketworld.families.misfit import distance
from pocketworld.families.protocol import Array, Draw, Evidence, Refusal, Site, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.convex import span
from pocketworld.geometry.inertia import inertia
from pocketworld.geometry.solids import boxes
from pocketworld.scene import Asset, Base, Material, Mesh, Part

CARDBOARD = Material((0.62, 0.46, 0.30), 0.9)
LEAST = 0.005
"""Least side, m: what is thinner is a sheet."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box of one material: width (x), depth (y), height in m; density in kg/m³ of its outer volume."""

    width: float
    depth: float
    height: float
    density: float = 150.0
    material: Material = CARDBOARD

    @property
    def size(self) -> tuple[float, float, float]:
        """Return width, depth, height, m."""
        return (self.width, self.depth, self.height)


class BoxFamily:
    """Boxes, parcels, blocks (`pocketworld.families.protocol.Family`)."""

    name = "box"
    parameters = Box
    widest = Spread(scale={"width": 0.7, "depth": 0.7, "height": 0.7, "density": 1.5})

    def sample(self, draw: Draw, site: Site) -> Box:
        """Return a parcel that fits the place: sides of 10 to 50 cm, the density of what is sent in one."""
        sides = [min(float(draw(n).uniform(0.1, 0.5)), s) for n, s in zip(_SIDES, site.free, strict=True)]
        return Box(sides[0], sides[1], sides[2], float(np.exp(draw("density").uniform(*np.log((60, 500))))))

    def build(self, p: Box, id: str, *, visual: bool = True) -> Asset:
        """Return the asset at the origin; it is free to move. It has a mesh for the eye if `visual`.

        Raises PocketworldError where a side or the density is none.
        """
        if not all(map(math.isfinite, (*p.size, p.density))) or min(p.size) < LEAST or p.density <= 0:
            raise PocketworldError(
                f"box: {' x '.join(f'{s:.4g}' for s in p.size)} m of {p.density:.4g} kg/m³",
                f"sides of at least {LEAST} m and a density above 0",
            )
        piece = span((-p.width / 2, -p.depth / 2, 0.0), (p.width / 2, p.depth / 2, p.height))
        mass, com, moments = inertia([piece], [p.density])
        vertices, faces = boxes([piece])
        meshes = (Mesh(vertices.astype(np.float32), faces, p.material),) if visual else ()
        return Asset(
            id,
            self.name,
            to_json(p),
            (Part("body", "body", meshes, (piece,), mass, com, moments),),
            base=Base.FREE,
        )

    def propose(self, evidence: Evidence) -> list[Box]:
        """Return the box of the evidence's outer size."""
        return [Box(*evidence.size)]

    def residual(self, p: Box, evidence: Evidence) -> Array:
        """Return residuals (3 + n + m,): size in its sigmas, points off its faces by their weights, depths of
        places seen empty.
        """
        size = (np.array(p.size) - evidence.size) / evidence.size_sigma
        body = [span((-p.width / 2, -p.depth / 2, 0.0), (p.width / 2, p.depth / 2, p.height))]
        weight = evidence.weights.mean() if len(evidence.weights) else 0.0
        deep = np.maximum(-distance(evidence.free, body), 0.0) * weight
        return np.concatenate([size, distance(evidence.points, body) * evidence.weights, deep])

    def mutate(self, p: Box, spread: Spread, draw: Draw) -> Box | Refusal:
        """Return a box of other size and density, or say that a side came out too short."""
        vary = Vary(spread, draw)
        width, depth, height = (vary.scaled(side, name) for side, name in zip(p.size, _SIDES, strict=True))
        out = replace(p, width=width, depth=depth, height=height, density=vary.scaled(p.density, "density"))
        if min(out.size) < LEAST:
            return Refusal("too-thin", {"least_m": min(out.size)})
        return out


_SIDES = ("width", "depth", "height")
