"""Built-in furniture as assets: the units of each run, its worktop, and what stands on that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.choose import choose_all
from pocketworld.reconstruct.objects.emptiness import seen_empty
from pocketworld.reconstruct.objects.things import Thing
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.runs.counter import worktop
from pocketworld.reconstruct.runs.fridges import beside
from pocketworld.reconstruct.runs.row_edge import edged
from pocketworld.reconstruct.runs.row_parts import Rows, Run
from pocketworld.reconstruct.runs.row_things import things_on
from pocketworld.reconstruct.runs.row_tops import carrier, things_on_top
from pocketworld.reconstruct.runs.run import read_run
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scan.capture import Capture
from pocketworld.scene import Relation

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

MARGIN = 0.05  # m: around a run's footprint; what is nearer and hangs together is the run's or stands on it
WALL = 0.15  # m behind a run: the wall, as unevenly as it was seen


@dataclass(frozen=True, eq=False, slots=True)
class BuiltIn:
    """What is built in, with what stands on it, the rest of the surface, and what is about no run."""

    placed: tuple[Placed, ...]
    rest: Surface
    findings: tuple[Finding, ...]


def built_in(capture: Capture, poses: Array, surface: Surface, rows: Rows, from_world: Array) -> BuiltIn:
    """Return the runs of a room as assets; what was noticed of a run is told of its worktop or first unit.

    poses   (n, 4, 4) scene_from_camera of the capture's frames;  from_world: (4, 4) scene_from_world
    """
    rows = replace(rows, runs=tuple(edged(capture, run, poses) for run in rows.runs))
    units = {run.id: read_run(capture, run, poses, beside(run, rows.runs)) for run in rows.runs}
    tops = {run.id: worktop(run, units[run.id], surface) for run in rows.runs}
    on_plates = {run.id: things_on(surface, rows, run) for run in rows.runs}
    on_tops = {run.id: things_on_top(surface, rows, run) for run in rows.runs}
    standing = (*on_plates.values(), *on_tops.values())
    every = [thing for things, _ in standing for thing in things]
    empty = seen_empty(capture, from_world, [thing.box for thing in every])
    chosen, flat = choose_all(
        ((thing, places, thing.box.foot[2]) for thing, places in zip(every, empty, strict=True)), capture.name
    )
    placed = [
        *(unit for run in rows.runs for unit in units[run.id]),
        *(top for top in tops.values() if top is not None),
        *(one for run in rows.runs for one in _on(on_plates[run.id][0], chosen, tops[run.id])),
        *(one for run in rows.runs for one in _on_top(on_tops[run.id][0], chosen, units[run.id])),
    ]
    left_out = chain.from_iterable(hanging for _, hanging in standing)
    noticed = [*rows.findings, *left_out, *flat]
    carriers = {run.id: (tops[run.id] or units[run.id][0]).asset.id for run in rows.runs}
    carried, findings = _carried(placed, noticed, carriers)
    return BuiltIn(carried, surface.part(~(rows.taken | over(surface, rows.runs))), findings)


def _carried(
    placed: Sequence[Placed], noticed: Sequence[Finding], carriers: Mapping[str, str]
) -> tuple[tuple[Placed, ...], tuple[Finding, ...]]:
    """Return assets with what was noticed of their runs, and what is about none; `carriers`: asset by run.

    A finding's subject may be "run-1" or "capture/run-1"; then it is the asset.
    """
    told = [(carriers.get(finding.subject.split("/")[-1]), finding) for finding in noticed]
    own = {
        one.asset.id: tuple(replace(f, subject=id) for id, f in told if id == one.asset.id) for one in placed
    }
    carried = tuple(replace(one, findings=(*own[one.asset.id], *one.findings)) for one in placed)
    return carried, tuple(finding for id, finding in told if id is None)


def _on(things: Sequence[Thing], chosen: Mapping[str, Placed], plate: Placed | None) -> Iterator[Placed]:
    """Give what stands on a worktop."""
    for thing in things:
        one = chosen.get(thing.id)
        if one is None:
            continue
        on = () if plate is None else (Relation("on", thing.id, plate.asset.id),)
        yield replace(one, relations=(*one.relations, *on))


def _on_top(
    things: Sequence[Thing], chosen: Mapping[str, Placed], units: Sequence[Placed]
) -> Iterator[Placed]:
    """Give what stands on wall or tall units."""
    for thing in things:
        one = chosen.get(thing.id)
        if one is not None:
            on = Relation("on", thing.id, carrier(thing, units))
            yield replace(one, relations=(*one.relations, on))


def over(surface: Surface, runs: Sequence[Run]) -> Mask:
    """Return which vertices (n,) lie over the footprints of runs, whatever their height."""
    out = np.zeros(len(surface.vertices), bool)
    for run in runs:
        box = run.box if run.worktop is None else _wider(run.box, run.worktop.box)
        local = se3.apply(se3.inverse(box.world_from_box), surface.vertices)
        half = np.array(box.size[:2]) / 2
        across = np.abs(local[:, 0]) < half[0] + MARGIN
        out |= across & (local[:, 1] > -half[1] - MARGIN) & (local[:, 1] < half[1] + WALL)
    return out


def _wider(box: UprightBox, other: UprightBox) -> UprightBox:
    """Return whichever of a run's boxes is deeper."""
    return other if other.size[1] > box.size[1] else box
