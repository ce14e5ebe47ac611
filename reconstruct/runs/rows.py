"""Where built-in furniture is: rows of units along a wall, under a worktop, hung above it, tall beside it.

A base run is an upright plane (its fronts) with a level plate over it and a wall behind. Wall and tall units
are looked for from there: fronts that face the same way above the plate, and at its ends.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.room.floor import Floor
from pocketworld.reconstruct.room.walls import Wall
from pocketworld.reconstruct.runs.row_ajar import ajar_parts
from pocketworld.reconstruct.runs.row_base import STEP, Base, base_run, refined
from pocketworld.reconstruct.runs.row_ends import EDGE, UNSEEN, end_of, in_corner, side_top
from pocketworld.reconstruct.runs.row_fronts import Local, Mask, front_planes
from pocketworld.reconstruct.runs.row_noticed import noticed
from pocketworld.reconstruct.runs.row_parts import (
    Ajar,
    End,
    EndKind,
    Patch,
    Plinth,
    Rows,
    Run,
    RunKind,
    Worktop,
)
from pocketworld.reconstruct.runs.row_taken import explained
from pocketworld.reconstruct.runs.row_upper import Upper, tall_units, wall_units
from pocketworld.reconstruct.runs.row_worktop import Edge, edge_of, plinth_of, sink_of
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]

__all__ = ["Ajar", "End", "EndKind", "Patch", "Plinth", "Rows", "Run", "RunKind", "Worktop", "find_rows"]

VOXEL = 0.3  # of a voxel: the standard error of a plane that many vertices show
FOOT = 0.1  # m: sides of what stands beside a run show above its plinth
CORNER = 0.08  # m: less is the unsure end of a front
BLIND = End(EndKind.NEIGHBOUR, EDGE)  # fronts before a corner end at a filler, or at a gap
LIT = 0.15  # m: how far above its top a run's neighbours may show


def find_rows(surface: Surface, floor: Floor, walls: Sequence[Wall], name: str) -> Rows:
    """Return the runs of a surface in the scene's frame; `name`: what findings are about.

    walls   known ones, in the scene's frame: a run may stand before one that is hidden above its worktop
    """
    areas = surface.vertex_areas()
    taken = np.zeros(len(surface.vertices), bool)
    runs: list[Run] = []
    findings: list[Finding] = []
    for frame in list(front_planes(surface, areas)):
        base = _base(surface, np.where(taken, 0.0, areas), frame, walls)
        if base is None:
            continue
        # What belongs to other runs is no front of this one, but it may be what this one ends at.
        base = replace(base, local=replace(base.local, areas=areas[base.local.which]))
        found = _runs(base, surface, max(floor.noise, VOXEL * surface.voxel))
        numbered = [replace(run, id=f"run-{len(runs) + i}") for i, run in enumerate(found, 1)]
        taken |= explained(surface, numbered)
        findings += noticed(name, numbered, edge_of(base))
        runs += numbered
    return Rows(tuple(runs), taken, tuple(findings))


def _base(surface: Surface, areas: Array, frame: Array, walls: Sequence[Wall]) -> Base | None:
    """Return the base run in the plane of a frame, the plane fitted to the run's own surface."""
    local = Local.of(surface, areas, frame)
    first = base_run(local, walls)
    if first is None:
        return None
    return base_run(Local.of(surface, areas, frame @ refined(local, first)), walls)


def _runs(base: Base, surface: Surface, sigma: float) -> Iterator[Run]:
    """Yield the base run, then the wall units above it, then the tall units beside it; without ids."""
    edge = edge_of(base)
    yield _base_run(base, edge, surface, sigma)
    tall = list(tall_units(base))
    for upper in wall_units(base, tall):
        yield _upper_run(base, upper, RunKind.WALL, sigma)
    for upper in tall:
        yield _upper_run(base, upper, RunKind.TALL, sigma)


def _base_run(base: Base, edge: Edge, surface: Surface, sigma: float) -> Run:
    local, ajar = base.local, list(ajar_parts(base))
    places = [patch for patch, _ in ajar]
    outer = [_outer_end(base, sign) for sign in (-1, 1)]
    (left, low), (right, high) = (
        _front_end(base, sign, of, places) for sign, of in zip((-1, 1), outer, strict=True)
    )
    (first_end, first), (last_end, last) = outer
    under, middle = base.top - edge.thickness, (low + high) / 2
    sink = sink_of(base, ~_among(base, places))
    if sink is not None:
        x, y = (first + last) / 2, (base.back - edge.overhang) / 2
        sink = (sink[0] - x, sink[1] - x, sink[2] - y, sink[3] - y)
    plate = _box(base, first, last, -edge.overhang, base.back, under, base.top)
    return Run(
        "run",
        RunKind.BASE,
        _box(base, low, high, 0.0, base.back, 0.0, under),
        plinth_of(local, low, high),
        Worktop(plate, edge.overhang, sink, base.sigma, edge.measured, (first_end, last_end)),
        (left, right),
        (sigma, sigma, base.sigma),
        ajar=tuple(
            Ajar(_shifted(patch, middle, under), surface.part(_all(surface, local, mine)))
            for patch, mine in ajar
        ),
    )


def _outer_end(base: Base, sign: int, at: float | None = None) -> tuple[End, float]:
    """Return what a base run ends at to the left (-1) or the right (1), at `at` or where it was seen to."""
    if at is None:
        at = base.low if sign < 0 else base.high
    return end_of(base.local, sign, at, (FOOT, base.top - LIT), base.back, 3 * LIT)


def _front_end(base: Base, sign: int, outer: tuple[End, float], ajar: Sequence[Patch]) -> tuple[End, float]:
    """Return what its fronts end at: in a corner the other run's stand before them; its top goes on."""
    fronts = base.low + np.flatnonzero(base.closed | _among(base, ajar)) * STEP
    if not len(fronts):
        return outer
    inner = float(fronts[0]) if sign < 0 else float(fronts[-1]) + STEP
    gap = (outer[1] - inner) * sign
    if gap < CORNER or not in_corner(base.local, sign, inner, outer[1], (FOOT, base.top - LIT)):
        return outer
    corner = _outer_end(base, sign, inner)
    return corner if corner[0].kind is EndKind.NEIGHBOUR else (BLIND, inner)


def _among(base: Base, ajar: Sequence[Patch]) -> Mask:
    """Return the steps of a run where a front stands open."""
    x = base.low + (np.arange(len(base.closed)) + 0.5) * STEP
    among = [(x > patch.left) & (x < patch.right) for patch in ajar]
    return np.logical_or.reduce(among) if among else np.zeros(len(x), bool)


def _shifted(patch: Patch, middle: float, high: float) -> Patch:
    return Patch(patch.left - middle, patch.right - middle, patch.low, high)


def _upper_run(base: Base, upper: Upper, kind: RunKind, sigma: float) -> Run:
    patch, tall = upper.patch, kind is RunKind.TALL
    foot = 0.0 if tall else patch.low
    ahead = replace(base.local, points=base.local.points - (0, upper.front, 0))
    heights, back = (max(foot, LIT), patch.high), base.back - upper.front
    (left, low), (right, high) = (
        end_of(ahead, sign, at, heights, back, LIT) for sign, at in ((-1, patch.left), (1, patch.right))
    )
    # A side that one sees reaches as high as the front beside it.
    sides = ((left, -1, low), (right, 1, high))
    seen = [side_top(ahead, sign, at, back) for end, sign, at in sides if end.kind is EndKind.PANEL]
    box = _box(base, low, high, upper.front, base.back, foot, max(patch.high, *seen, 0.0))
    middle = (low + high) / 2
    dark = (Patch(d.left - middle, d.right - middle, d.low - foot, d.high - foot) for d in upper.dark)
    plinth = plinth_of(ahead, low, high) if tall else None
    sigmas = (sigma, sigma, UNSEEN if upper.cut else sigma)
    return Run("run", kind, box, plinth, None, (left, right), sigmas, tuple(dark))


def _box(
    base: Base, left: float, right: float, front: float, back: float, low: float, high: float
) -> UprightBox:
    frame = base.local.scene_from_front
    x, y, _ = (float(v) for v in (frame @ [(left + right) / 2, (front + back) / 2, 0, 1])[:3])
    yaw = math.atan2(frame[1, 0], frame[0, 0])
    return UprightBox((x, y, low), yaw, (right - left, back - front, high - low))


def _all(surface: Surface, local: Local, mine: Mask) -> Mask:
    """Return (n,) of all of a surface what `mine` says of what is around a front."""
    every = np.zeros(len(surface.vertices), bool)
    every[local.which[mine]] = True
    return every
