"""What a row of built-in furniture is made of: straight runs of units, each with one plane of fronts."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.surfaces.surface import Surface


class RunKind(StrEnum):
    """Where a run's units are: on the floor under a worktop, hung on the wall, or from floor to top."""

    BASE = "base"
    WALL = "wall"
    TALL = "tall"


class EndKind(StrEnum):
    """What a run ends at: its own side, what stands beside it, air, or the edge of what was seen."""

    PANEL = "panel"
    NEIGHBOUR = "neighbour"
    FREE = "free"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class End:
    """An end of a run and how sure it is, m (standard error); CUT: the run may well go on."""

    kind: EndKind
    sigma: float


AIR = End(EndKind.FREE, 0.02)  # to two voxels


@dataclass(frozen=True, slots=True)
class Patch:
    """An upright rectangle on a run's front, m, in the frame of the run's box (x to the right, z up)."""

    left: float
    right: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Plinth:
    """What a base or tall run stands on, m: its height, and how far it lies behind the fronts."""

    height: float
    setback: float
    measured: bool


@dataclass(frozen=True, slots=True)
class Worktop:
    """The plate on a base run.

    box        from its underside to its top; its front edge is the box's front, its back is at the wall
    overhang   m by which it stands out before the fronts (negative: behind them)
    sink       the hole where depth shows a basin: left, right, front, back in the worktop's frame, m
    sigma      standard error of its top, m
    measured   whether its thickness was seen at its edge; else it is a usual one
    ends       left and right: in a corner it goes on behind the fronts of the other run
    told       height of the top of the run's box by depth, m, where pictures show it elsewhere
    """

    box: UprightBox
    overhang: float
    sink: tuple[float, float, float, float] | None
    sigma: float
    measured: bool
    ends: tuple[End, End] = (AIR, AIR)
    told: float | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Ajar:
    """Where something of a run stands out before its fronts: a front that is open a little.

    place      where its front would be if it were shut
    surface    what was seen of it, in the scene's frame
    """

    place: Patch
    surface: Surface


@dataclass(frozen=True, eq=False, slots=True)
class Run:
    """One straight line of units with one common plane of fronts, in the scene's frame.

    id          "run-1" and so on: a base run, what hangs above it and stands beside it, then the next one
    box         its front (-y) is the plane of the fronts' faces, without handles. Base and tall runs reach
                from the floor (their plinth is inside the box) to the worktop's underside or their own top,
                wall units from their underside to their top; the back is at the wall
    plinth      of base and tall runs, else None;  worktop: of base runs, else None
    ends        left and right, seen from the front
    sigma       standard errors, m, of the front's plane, the back and the box's top
    dark        parts of the front without depth: glass or black, as of a microwave or an oven
    ajar        what stands open
    """

    id: str
    kind: RunKind
    box: UprightBox
    plinth: Plinth | None
    worktop: Worktop | None
    ends: tuple[End, End]
    sigma: tuple[float, float, float]
    dark: tuple[Patch, ...] = ()
    ajar: tuple[Ajar, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """The runs of a room, which vertices of the surface (n,) they explain, and what was noticed."""

    runs: tuple[Run, ...]
    taken: NDArray[np.bool_]
    findings: tuple[Finding, ...]
