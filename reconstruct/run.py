"""The fronts of a run of units: one long picture of them, parted into units, each read by itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet, Chance, fronts
from pocketworld.families.cabinet.parameters import Front as Single
from pocketworld.families.protocol import Elevation
from pocketworld.findings import Finding, Severity
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.ajar import likelihoods, opened, told, ways_open
from pocketworld.reconstruct.assemble import LIKELY, STAGE, behind_of, merged
from pocketworld.reconstruct.belief import FIXED, Guess, believe, believe_open
from pocketworld.reconstruct.colours import painted
from pocketworld.reconstruct.elevation import Blend, brightness
from pocketworld.reconstruct.face import Face, face_of
from pocketworld.reconstruct.grammar import Cell, explain
from pocketworld.reconstruct.lines import Span, find_upright
from pocketworld.reconstruct.modules import Front, Module, modules
from pocketworld.reconstruct.mosaic import cropped, mosaic
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.row_parts import Patch, Run, RunKind
from pocketworld.reconstruct.units import Hull, unit
from pocketworld.scan.capture import Capture
from pocketworld.scene import Asset, Base, Pose, Relation

Array = NDArray[np.float64]

ABOVE = 0.03  # m: fronts are looked for so far above a box whose worktop's underside is only roughly known
BORDER = 0.01  # m: lines are looked for inside of this
SEEN = 0.5  # of a unit's front that pictures should show
SPAN = Span(0.0, 0.0, 0.0, 0.0)
DARK = 0.5  # of a cell that is an appliance if depth sees nothing of so much


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """One unit of a run: its module, its id, its own box (of the run's depth), and its front as read.

    face     from the plinth up, to a little above the box;  seen: share of it that pictures show
    dark     appliances on it, m from its lower left corner
    """

    id: str
    module: Module
    box: UprightBox
    face: Face
    seen: float
    dark: tuple[Patch, ...]


def read_run(capture: Capture, run: Run, poses: Array) -> tuple[Placed, ...]:
    """Return the units of a run, from the left, each a cabinet; their ids begin with the run's.

    poses   (n, 4, 4) scene_from_camera of the capture's frames
    """
    made = mosaic(capture, _raised(run), poses)
    if made is None:
        return _unread(run)
    placed = [_placed(part, run) for part in _parts(made, run, poses)]
    beside = [Relation("flush_with", a.asset.id, b.asset.id) for a, b in pairwise(placed)]
    return tuple(
        replace(one, relations=(*one.relations, *(r for r in beside if r.a == one.asset.id)))
        for one in placed
    )


def _raised(run: Run) -> UprightBox:
    width, depth, height = run.box.size
    return replace(run.box, size=(width, depth, height + (ABOVE if run.kind is RunKind.BASE else 0.0)))


def _parts(made: Blend, run: Run, poses: Array) -> Iterator[Part]:
    width, depth, height = _raised(run).size
    low = run.plinth.height if run.plinth else 0.0
    for number, module in enumerate(modules(_front(made, run, low)), 1):
        part = cropped(made, module.left, module.right, low, height)
        middle = (module.left + module.right - width) / 2
        x, y, z = (float(v) for v in (run.box.world_from_box @ [middle, 0, low, 1])[:3])
        face = face_of(
            part, UprightBox((x, y, z), run.box.yaw, (module.width, depth, height - low)), poses, "front"
        )
        box = replace(run.box, foot=(x, y, run.box.foot[2]), size=(module.width, depth, run.box.size[2]))
        edge = round(part.grid.margin / part.grid.pixel)
        seen = float(np.isfinite(part.colour[edge:-edge, edge:-edge, 0]).mean())
        dark = tuple(
            Patch(
                d.left + width / 2 - module.left, d.right + width / 2 - module.left, d.low - low, d.high - low
            )
            for d in run.dark
        )
        yield Part(f"{run.id}.{number}", module, box, face, seen, dark)


def _front(made: Blend, run: Run, low: float) -> Front:
    """Return what the whole front says of where it is parted."""
    grid, grey = made.grid, brightness(made.colour)
    span = Span(BORDER, grid.width - BORDER, low, grid.height - BORDER)
    lines = find_upright(grey, grid, np.zeros(grid.shape, bool), span)
    edge = round(grid.margin / grid.pixel)
    rows = (grid.v > span.v0) & (grid.v < span.v1)
    known = np.isfinite(grey[rows, edge:-edge]).mean(0)
    parted = [
        at + grid.width / 2
        for ajar in run.ajar
        for at in (ajar.place.left, ajar.place.right)
        if abs(at) < grid.width / 2 - BORDER
    ]
    ends = (run.ends[0].sigma, run.ends[1].sigma)
    return Front(grid.width, span.v1 - span.v0, lines, known, ends, tuple(parted))


def _placed(part: Part, run: Run) -> Placed:
    options = _options(part, run)
    # What hangs on a wall begins where its fronts do: where they begin elsewhere, it is another box.
    lift = max(options, key=lambda option: option[0])[2]
    alike = merged([(p, cabinet) for p, cabinet, up in options if abs(up - lift) < BORDER])
    shown = (_elevation(part, run),)
    built = [
        (p, cabinet, asset)
        for p, plain in alike
        for cabinet in [painted(plain, shown)]
        if isinstance(cabinet, Cabinet) and (asset := _asset(cabinet, part.id)) is not None
    ]
    if not built:
        built = [(1.0, *_closed(part, run))]
    return _standing(part, run, built, lift, shown)


def _options(part: Part, run: Run) -> list[tuple[float, Cabinet, float]]:
    """Return what a unit may be: probability, parameters, and how much above its box it begins, m."""
    seen = part.face.elevation
    found = _open_front(part, run)
    if found is not None:
        return [found]
    layouts = explain(seen.width, seen.height, seen.lines, seen.handles)
    return [(each.p, *unit(each.tree, _hull(part, run), _guess(part))) for each in layouts]


def _open_front(part: Part, run: Run) -> tuple[float, Cabinet, float] | None:
    """Return a unit whose one front stands open; None where it is shut, or nobody can tell how it opens."""
    ajar = next((each for each in run.ajar if _covers(each.place, part, run)), None)
    ways = ways_open(ajar.surface, _shut(part, run), run.box) if ajar else ()
    if not ways:
        return None
    seen = part.face.elevation
    guess = believe_open(
        Cell(0.0, 0.0, seen.width, seen.height), likelihoods(ways), f"stands open: {told(ways[0])}"
    )
    made, lift = unit(Cell(0.0, 0.0, seen.width, seen.height), _hull(part, run), lambda _: guess)
    assert isinstance(made.grid, Single)
    amount = next((w.amount for w in ways if (w.kind, w.side) == (guess.kind, guess.side)), 0.0)
    return (
        1.0,
        replace(made, grid=opened(made.grid, amount, seen.width, made.height - made.plinth, made.depth)),
        lift,
    )


def _covers(place: Patch, part: Part, run: Run) -> bool:
    """Say whether most of a unit's width is where a front stands open."""
    left = part.module.left - run.box.size[0] / 2
    shared = min(place.right, left + part.module.width) - max(place.left, left)
    return shared > part.module.width / 2


def _shut(part: Part, run: Run) -> Patch:
    """Return where the front of a unit is when it is shut, in the frame of the run's box."""
    left = part.module.left - run.box.size[0] / 2
    low = run.plinth.height if run.plinth else 0.0
    return Patch(left, left + part.module.width, low, run.box.size[2])


def _hull(part: Part, run: Run) -> Hull:
    plinth = run.plinth
    return Hull(
        part.box.size,
        plinth.height if plinth else 0.0,
        plinth.setback if plinth else 0.0,
        run.kind is RunKind.WALL,
    )


def _guess(part: Part) -> Callable[[Cell], Guess]:
    """Return what a cell of a unit's front is believed to be: a front of it, or an appliance in it."""
    behind = behind_of(part.face)

    def guess(cell: Cell) -> Guess:
        if any(_shared(cell, patch) > DARK * cell.width * cell.height for patch in part.dark):
            return Guess(*FIXED, (Chance(*FIXED, 1.0),), ("depth: none, as of glass or black: an appliance",))
        return believe(cell, False, behind(cell))

    return guess


def _shared(cell: Cell, patch: Patch) -> float:
    """Return the area that a cell and a patch have in common, m²."""
    wide = min(cell.u1, patch.right) - max(cell.u0, patch.left)
    high = min(cell.v1, patch.high) - max(cell.v0, patch.low)
    return max(0.0, wide) * max(0.0, high)


def _asset(cabinet: Cabinet, id: str) -> Asset | None:
    """Return the asset of a unit, None where what was read off makes none."""
    try:
        return registry.family("cabinet").build(cabinet, id)
    except PocketworldError:
        return None


def _closed(part: Part, run: Run) -> tuple[Cabinet, Asset]:
    """Return a unit of which nothing opens."""
    nothing = Guess(*FIXED, (Chance(*FIXED, 1.0),), ())
    width, _, height = part.box.size
    made, _ = unit(Cell(0.0, 0.0, width, height), _hull(part, run), lambda _: nothing)
    return made, registry.family("cabinet").build(made, part.id)


def _standing(
    part: Part,
    run: Run,
    built: Sequence[tuple[float, Cabinet, Asset]],
    lift: float,
    elevations: tuple[Elevation, ...],
) -> Placed:
    total = sum(p for p, _, _ in built)
    kept = [option for option in built if option[0] > LIKELY * built[0][0]]
    x, y, z = part.box.foot
    asset = replace(
        built[0][2],
        pose=Pose.upright((x, y, z + lift), part.box.yaw),
        base=Base.FIXED,
        alternatives=tuple((p / total, registry.to_json(q)) for p, q, _ in kept) if len(kept) > 1 else (),
    )
    on = () if run.kind is RunKind.WALL else (Relation("on", part.id, "floor"),)
    return Placed(asset, tuple(_noticed(part, built[0][1])), elevations, on)


def _noticed(part: Part, made: Cabinet) -> Iterator[Finding]:
    if part.seen < SEEN:
        text = "pictures show less than half of its front: fronts there would be missed"
        yield Finding("front-unseen", Severity.DEGRADED, STAGE, part.id, text, {"seen": part.seen})
    if part.dark:
        text = "a part of its front is glass or black, perhaps an appliance: it does not open here"
        yield Finding("appliance-fixed", Severity.DEGRADED, STAGE, part.id, text)
    for path, front in fronts(made.grid):
        if front.state > 0:
            text = f"front {path} stood open: its edges are those of the gap that it leaves"
            yield Finding("front-open", Severity.NOTE, STAGE, part.id, text, {"state": front.state})


def _elevation(part: Part, run: Run) -> Elevation:
    """Return the elevation of all of a unit's front, from its foot to its top; it was read from its plinth up."""
    seen, low = part.face.elevation, run.plinth.height if run.plinth else 0.0
    height = part.box.size[2]
    above, below = (round(size / seen.pixel) for size in (low + seen.height - height, low))
    lines = tuple(
        replace(e, start=e.start + low, end=e.end + low) if e.vertical else replace(e, at=e.at + low)
        for e in seen.lines
    )
    return replace(
        seen,
        height=height,
        colour=_reframed(seen.colour, above, below, 0),
        relief=_reframed(seen.relief, above, below, np.nan),
        lines=lines,
        handles=tuple(replace(h, v=h.v + low) for h in seen.handles),
    )


def _reframed(rows: Any, above: int, below: int, empty: float) -> Any:
    """Return a picture without its first rows, with empty ones added at its end."""
    if rows is None:
        return None
    wide = [(0, below)] + [(0, 0)] * (rows.ndim - 1)
    return np.pad(rows[above:], wide, constant_values=empty)


def _unread(run: Run) -> tuple[Placed, ...]:
    """Return a run that no picture shows as one unit of which nothing opens."""
    size = run.box.size
    nothing = Elevation("front", size[0], size[2], BORDER)
    part = Part(f"{run.id}.1", Module(0.0, size[0], (0.0, 0.0)), run.box, Face(nothing, SPAN), 0.0, ())
    made, asset = _closed(part, run)
    return (_standing(part, run, [(1.0, made, asset)], 0.0, ()),)
