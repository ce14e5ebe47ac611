"""Things of one part: an asset of convex pieces in several materials, and what all such families check."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families.codec import to_json
from pocketworld.families.protocol import Draw
from pocketworld.geometry.convex import Piece, Vec3
from pocketworld.geometry.inertia import inertia
from pocketworld.geometry.solids import Triangles, surfaces
from pocketworld.scene import Asset, Base, Material, Mesh, Part

WOODS: tuple[Vec3, ...] = (
    (0.75, 0.72, 0.68),
    (0.62, 0.47, 0.32),
    (0.42, 0.27, 0.16),
    (0.85, 0.85, 0.83),
    (0.25, 0.26, 0.28),
)  # linear RGB: birch, oak, walnut, white and dark laminate
LEAST = 1e-3  # m: what is thinner is no piece that one could bump into


@dataclass(frozen=True, eq=False, slots=True)
class Stuff:
    """Pieces of one material and density (kg/m³); shown makes their looks, if not the pieces'."""

    material: Material
    density: float
    pieces: Sequence[Piece]
    shown: Callable[[], Triangles] | None = None


def nothing() -> Triangles:
    """Return what one sees of pieces that others' looks hold already."""
    return np.zeros((0, 3)), np.zeros((0, 3), np.int32)


def one_part(
    id: str, family: str, p: Any, stuff: Sequence[Stuff], base: Base, *, visual: bool = True
) -> Asset:
    """Return the asset, at the origin, whose only part, "body", is made of all that; meshes if `visual`."""
    pieces = tuple(piece for s in stuff for piece in s.pieces)
    densities = [s.density for s in stuff for _ in s.pieces]
    meshes = tuple(_meshes(stuff)) if visual else ()
    part = Part("body", "body", meshes, pieces, *inertia(pieces, densities))
    return Asset(id, family, to_json(p), (part,), base=base)


def _meshes(stuff: Sequence[Stuff]) -> Iterator[Mesh]:
    for s in stuff:
        if s.pieces:
            vertices, faces = s.shown() if s.shown else surfaces(s.pieces)
            if len(faces):
                yield Mesh(vertices.astype(np.float32), faces, s.material)


def check_lengths(what: str, least: float = LEAST, **lengths: float) -> None:
    """Raise PocketworldError, in one line, for the first number that is none or below `least`."""
    for name, value in lengths.items():
        if not (math.isfinite(value) and value >= least):
            raise PocketworldError(f"{what}: {name} is {value:.6g}", f"a number, at least {least:.4g}")


def check_room(what: str, name: str, value: float, most: float) -> None:
    """Raise PocketworldError, in one line, where a number is larger than what it belongs to allows."""
    if value > most + 1e-9:
        raise PocketworldError(f"{what}: {name} is {value:.4g}", f"at most {most:.4g} here")


def within(draw: Draw, name: str, usual: tuple[float, float], free: float, what: str) -> float:
    """Return a length of the usual range that fits into what is free (m).

    Raises PocketworldError where the least usual one does not fit.
    """
    low, high = usual
    if low > free:
        raise PocketworldError(
            f"no {what} fits: its {name} is at least {low:.3g} m", f"{free:.3g} m are free"
        )
    return float(draw(name).uniform(low, min(high, free)))


def coloured(
    draw: Draw, name: str, colours: Sequence[Vec3], rough: tuple[float, float] = (0.3, 0.9)
) -> Material:
    """Return a material of one of some colours, more or less rough."""
    colour = colours[int(draw(f"{name}/colour").integers(len(colours)))]
    return Material(colour, float(draw(f"{name}/rough").uniform(*rough)))
