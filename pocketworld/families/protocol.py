"""What a family of furniture is: typed parameters in, an asset out, and back from evidence to parameters.

`bench` samples families, `reconstruct` fits them, `cousins` mutates their parameters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import Vec3
from pocketworld.scene import Asset, HandleKind

Array = NDArray[np.float64]
P = TypeVar("P")

Draw = Callable[[str], np.random.Generator]
"""Gives each parameter, by name, a random stream of its own: a new parameter shifts no other."""


@dataclass(frozen=True, slots=True)
class Site:
    """The free box a thing may fill (m: along x, y, z of the asset's frame); what is behind and above it."""

    free: Vec3
    wall_behind: bool = False
    above: bool = False


@dataclass(frozen=True, slots=True)
class SeenHandle:
    """A handle seen on a front: centre from the face's lower left corner, size in m, how far it stands out.

    u, v are metres to the right and up on the face; score in 0..1.
    """

    kind: HandleKind
    u: float
    v: float
    length: float
    thickness: float
    standoff: float
    vertical: bool
    score: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line on a face that may part two fronts: `at` m from the lower left, from `start` to `end` along it.

    vertical   whether it runs up (at is u) or across (at is v)
    sigma      of `at`, m;  score: share supported, 0..1
    """

    vertical: bool
    at: float
    start: float
    end: float
    sigma: float
    score: float


@dataclass(frozen=True, eq=False, slots=True)
class Elevation:
    """What was read off one vertical face of an asset: -y is the front.

    face      "front", "back", "left", "right" of the asset's frame; width, height in m
    colour    (h, w, 3) uint8 RGB, rectified as seen from outside, row 0 on top, or None
    pixel     m a pixel;  frames: how many pictures it is made of
    relief    (h, w) float32: m by which the surface stands proud of the face, nan where unseen, or None
    """

    face: str
    width: float
    height: float
    pixel: float
    colour: NDArray[np.uint8] | None = None
    relief: NDArray[np.float32] | None = None
    lines: tuple[Line, ...] = ()
    handles: tuple[SeenHandle, ...] = ()
    frames: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """What the capture says of one thing, in the asset's own frame (m).

    points (n, 3), normals (n, 3), weights (n,): its surface; free (m, 3): places seen to be empty;
    size: its outer box (width, depth, height), size_sigma likewise; layouts: (probability, parameters of the
    family's own) found on the front, best first.
    """

    points: Array
    normals: Array
    weights: Array
    free: Array
    size: Vec3
    size_sigma: Vec3
    elevations: tuple[Elevation, ...] = ()
    layouts: tuple[tuple[float, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """How far a mutation may go: per parameter a relative or absolute half-range around the twin's value.

    scale      name -> s: multiplied by exp(uniform(-s, s)); shift: name -> s: plus uniform(-s, s)
    choices    name -> what may be chosen
    chance     name -> probability that a discrete change happens
    doubt      draw joints' kinds, sides and sizes from the belief
    """

    scale: Mapping[str, float] = field(default_factory=dict)
    shift: Mapping[str, float] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chance: Mapping[str, float] = field(default_factory=dict)
    doubt: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a mutation is not possible: a reason from the family's fixed list, with numbers."""

    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)


class Family(Protocol[P]):
    """A small program that makes one sort of furniture; P is a frozen parameter class."""

    @property
    def name(self) -> str:
        """Return the name that assets and specs use."""
        ...

    @property
    def parameters(self) -> type[P]:
        """Return the class of its parameters."""
        ...

    @property
    def widest(self) -> Spread:
        """Return the words that a spread of this family may use, each with the furthest it may go."""
        ...

    def sample(self, draw: Draw, site: Site) -> P:
        """Return one plausible instance for a place."""
        ...

    def build(self, p: P, id: str, *, visual: bool = True) -> Asset:
        """Return the asset: parts, joints, meshes if `visual`, collision pieces, masses; at the origin."""
        ...

    def propose(self, evidence: Evidence) -> list[P]:
        """Return starting points for a fit, the likeliest first."""
        ...

    def residual(self, p: P, evidence: Evidence) -> Array:
        """Return weighted residuals (k,), in standard deviations, for a least-squares fit."""
        ...

    def mutate(self, p: P, spread: Spread, draw: Draw) -> P | Refusal:
        """Return other parameters of the same function, or why these can't be."""
        ...
