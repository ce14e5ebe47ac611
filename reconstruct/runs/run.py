"""The fronts of a run of units: one long picture of them, parted into units, each read by itself."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.families import registry
from pocketworld.families.cabinet.feasible import still
from pocketworld.families.cabinet.parameters import Cabinet, Chance, fronts
from pocketworld.families.cabinet.parameters import Front as Single
from pocketworld.families.protocol import Elevation
from pocketworld.findings import Finding, Severity
from pocketworld.reconstruct.fronts.assemble import LIKELY, STAGE, behind_of, merged
from pocketworld.reconstruct.fronts.belief import FIXED, Guess, believe, believe_open
from pocketworld.reconstruct.fronts.buildable import left_out
from pocketworld.reconstruct.fronts.cabinets import trimmed
from pocketworld.reconstruct.fronts.colours import painted
from pocketworld.reconstruct.fronts.face import Face
from pocketworld.reconstruct.fronts.grammar import Cell, Layout, explain
from pocketworld.reconstruct.fronts.lines import Span
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.runs.ajar import likelihoods, opened, ways_open
from pocketworld.reconstruct.runs.ajar import told as told_open
from pocketworld.reconstruct.runs.appliances import TAKEN, Rival, guessed, held, told
from pocketworld.reconstruct.runs.fridges import Beside, fridge
from pocketworld.reconstruct.runs.modules import Module
from pocketworld.reconstruct.runs.ovens import oven
from pocketworld.reconstruct.runs.row_parts import Patch, Run, RunKind
from pocketworld.reconstruct.runs.run_parts import BORDER, Part, parts, plinth
from pocketworld.reconstruct.runs.units import Hull, unit
from pocketworld.scan.capture import Capture
from pocketworld.scene import Asset, Base, Pose, Relation

Array = NDArray[np.float64]

SEEN = 0.5  # of a unit's front that pictures should show
DARK = 0.5  # of a cell that is an appliance if depth sees nothing of so much


def read_run(capture: Capture, run: Run, poses: Array, stands: Beside | None = None) -> tuple[Placed, ...]:
    """Return the units of a run, from the left: cabinets, ovens, fridges; their ids begin with the run's.

    poses    (n, 4, 4) scene_from_camera of the capture's frames
    stands   how a tall run stands to the row beside it, where that is known
    """
    found = parts(capture, run, poses)
    if not found:
        return (_unread(run),)
    layouts = [_layouts(part) for part in found]
    below = _below(layouts)
    placed = [_placed(part, run, each, below, stands) for part, each in zip(found, layouts, strict=True)]
    beside = [Relation("flush_with", a.asset.id, b.asset.id) for a, b in pairwise(placed)]
    return tuple(
        replace(one, relations=(*one.relations, *(r for r in beside if r.a == one.asset.id)))
        for one in placed
    )


def _unread(run: Run) -> Placed:
    """Return a run that no picture shows as one unit, of which nothing opens."""
    width, _, height = run.box.size
    face = Face(Elevation("front", width, height - plinth(run), BORDER), Span(0.0, width, 0.0, height))
    part = Part(f"{run.id}.1", Module(0.0, width, (0.0, 0.0)), run.box, face, 0.0, ())
    return _standing(part, run, [(1.0, *_closed(part, _hull(part, run, 0.0)))], (_elevation(part, run),))


def _layouts(part: Part) -> tuple[Layout, ...]:
    """Return how a unit's front may be divided, the most probable first."""
    seen = part.face.elevation
    return explain(seen.width, seen.height, seen.lines, seen.handles)


def _below(found: Sequence[Sequence[Layout]]) -> float:
    """Return how far above where they were read the fronts of a run begin: by what its units show, m."""
    seen = [trimmed(layouts[0].tree).below for layouts in found]
    shown = [below for below in seen if below > 0]
    return float(np.median(shown)) if shown else 0.0


def _placed(part: Part, run: Run, layouts: Sequence[Layout], below: float, stands: Beside | None) -> Placed:
    hull = _hull(part, run, below)
    rivals = _rivals(part, run, layouts, hull, stands)
    likely = [rival for rival in rivals if rival.p > TAKEN]
    chosen = next((one for rival in likely if (one := _appliance(part, run, rival))), None)
    found = chosen or _cabinet(part, run, layouts, hull)
    said = told(rivals, found.asset.family, STAGE, part.id)
    return replace(found, findings=(*found.findings, *said))


def _rivals(
    part: Part, run: Run, layouts: Sequence[Layout], hull: Hull, stands: Beside | None
) -> tuple[Rival, ...]:
    """Return the appliances that a unit may be: under a worktop ovens, beside it fridges."""
    if part.seen < SEEN or any(_covers(each.place, part, run) for each in run.ajar):
        return ()
    seen, found = part.face.elevation, None
    if run.kind is RunKind.BASE:
        found = oven(replace(seen, handles=part.handles), hull)
    elif stands is not None:
        found = fridge(seen, hull, layouts, stands)
    return () if found is None else (found,)


def _appliance(part: Part, run: Run, rival: Rival) -> Placed | None:
    """Return a unit as an appliance; None where none of its forms can be built."""
    built = [(share, *both) for share, p in rival.forms if (both := held(rival.family, p, part.id))]
    if not built:
        return None
    found = _standing(part, run, built, (_elevation(part, run),))
    return replace(found, findings=(*found.findings, *guessed(built[0][1], STAGE, part.id)))


def _cabinet(part: Part, run: Run, layouts: Sequence[Layout], hull: Hull) -> Placed:
    shown = (_elevation(part, run),)
    options = _options(part, run, layouts, hull)
    built = [
        (p, *both)
        for p, plain in merged(options)
        for cabinet in [painted(plain, shown)]
        if isinstance(cabinet, Cabinet) and (both := still(cabinet, part.id)) is not None
    ]
    if built:
        found = _standing(part, run, built, shown)
        return replace(found, findings=(*found.findings, *left_out(options, built[0][1], STAGE, part.id)))
    closed = _standing(part, run, [(1.0, *_closed(part, hull))], shown)
    text = "no explanation of its front makes a unit that can be built: nothing of it opens"
    unbuilt = Finding("layout-unbuildable", Severity.LOST, STAGE, part.id, text)
    return replace(closed, findings=(*closed.findings, unbuilt))


def _options(part: Part, run: Run, layouts: Sequence[Layout], hull: Hull) -> list[tuple[float, Cabinet]]:
    """Return what a unit may be, and how probable each is."""
    found = _open_front(part, run, hull)
    if found is not None:
        return [(1.0, found)]
    return [(each.p, unit(each.tree, hull, _guess(part))) for each in layouts]


def _open_front(part: Part, run: Run, hull: Hull) -> Cabinet | None:
    """Return a unit whose one front stands open; None where it is shut, or nobody can tell how it opens."""
    ajar = next((each for each in run.ajar if _covers(each.place, part, run)), None)
    ways = ways_open(ajar.surface, _shut(part, run, hull), run.box) if ajar else ()
    if not ways:
        return None
    cell = Cell(0.0, 0.0, part.face.elevation.width, part.face.elevation.height)
    guess = believe_open(cell, likelihoods(ways), f"stands open: {told_open(ways[0])}")
    made = unit(cell, hull, lambda *_: guess)
    assert isinstance(made.grid, Single)
    amount = next((w.amount for w in ways if (w.kind, w.side) == (guess.kind, guess.side)), 0.0)
    front = opened(made.grid, amount, cell.width, made.height - made.plinth, made.depth)
    return replace(made, grid=front)


def _covers(place: Patch, part: Part, run: Run) -> bool:
    """Say whether most of a unit's width is where a front stands open."""
    left = part.module.left - run.box.size[0] / 2
    shared = min(place.right, left + part.module.width) - max(place.left, left)
    return shared > part.module.width / 2


def _shut(part: Part, run: Run, hull: Hull) -> Patch:
    """Return where the front of a unit is when it is shut, in the frame of the run's box."""
    left = part.module.left - run.box.size[0] / 2
    return Patch(left, left + part.module.width, hull.low + hull.below, run.box.size[2])


def _hull(part: Part, run: Run, below: float) -> Hull:
    setback = run.plinth.setback if run.plinth else 0.0
    return Hull(part.box.size, plinth(run), below, setback, run.kind is RunKind.WALL)


def _guess(part: Part) -> Callable[[Cell, int], Guess]:
    """Return what a cell of a unit's front is believed to be: a front of it, or an appliance in it."""
    behind = behind_of(part.face)

    def guess(cell: Cell, count: int) -> Guess:
        if any(_shared(cell, patch) > DARK * cell.width * cell.height for patch in part.dark):
            return Guess(*FIXED, (Chance(*FIXED, 1.0),), ("depth: none, as of glass or black: an appliance",))
        return believe(cell, False, behind(cell), count)

    return guess


def _shared(cell: Cell, patch: Patch) -> float:
    """Return the area that a cell and a patch have in common, m²."""
    wide = min(cell.u1, patch.right) - max(cell.u0, patch.left)
    high = min(cell.v1, patch.high) - max(cell.v0, patch.low)
    return max(0.0, wide) * max(0.0, high)


def _closed(part: Part, hull: Hull) -> tuple[Cabinet, Asset]:
    """Return a unit of which nothing opens."""
    nothing = Guess(*FIXED, (Chance(*FIXED, 1.0),), ())
    width, _, height = part.box.size
    made = unit(Cell(0.0, 0.0, width, height), hull, lambda *_: nothing)
    return made, registry.family("cabinet").build(made, part.id)


def _standing(
    part: Part,
    run: Run,
    built: Sequence[tuple[float, Any, Asset]],
    elevations: tuple[Elevation, ...],
) -> Placed:
    kept = [option for option in built if option[0] > LIKELY * built[0][0]]
    total = sum(p for p, _, _ in kept)
    x, y, z = part.box.foot
    lift = part.box.size[2] - built[0][1].height
    asset = replace(
        built[0][2],
        pose=Pose.upright((x, y, z + lift), part.box.yaw),
        base=Base.FIXED,
        alternatives=tuple((p / total, registry.to_json(q)) for p, q, _ in kept) if len(kept) > 1 else (),
    )
    on = () if run.kind is RunKind.WALL else (Relation("on", part.id, "floor"),)
    return Placed(asset, tuple(_noticed(part, run, built[0][1])), elevations, on)


def _noticed(part: Part, run: Run, made: Any) -> Iterator[Finding]:
    if part.seen < SEEN:
        text = "pictures show less than half of its front: fronts there would be missed"
        if part.seen == 0:
            text = "no picture shows its front: nothing of it opens here"
        yield Finding("front-unseen", Severity.DEGRADED, STAGE, part.id, text, {"seen": part.seen})
    if part.dark:
        text = "a part of its front is glass or black, perhaps an appliance: it does not open here"
        yield Finding("appliance-fixed", Severity.DEGRADED, STAGE, part.id, text)
    own = fronts(made.grid) if isinstance(made, Cabinet) else ()
    stands = [(path, front.state) for path, front in own if front.state > 0]
    for path, state in stands:
        text = f"front {path} stood open: its edges are those of the gap that it leaves"
        yield Finding("front-open", Severity.NOTE, STAGE, part.id, text, {"state": state})
    if not stands and any(_within(ajar.place, part, run) for ajar in run.ajar):
        text = "something stands before its front, as of a front that is open; how it opens does not show"
        yield Finding("front-ajar", Severity.DEGRADED, STAGE, part.id, text)


def _within(place: Patch, part: Part, run: Run) -> bool:
    """Say whether the middle of a place on a run's front is on a unit."""
    middle = (place.left + place.right + run.box.size[0]) / 2
    return part.module.left <= middle < part.module.right


def _elevation(part: Part, run: Run) -> Elevation:
    """Return the elevation of all of a unit's front, from its foot to its top, read from its plinth up."""
    seen, low = part.face.elevation, plinth(run)
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
