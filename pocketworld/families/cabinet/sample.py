"""One plausible cabinet for a place: sizes on sale, a front divided anew, one sort of handle."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.feasible import gripped, made
from pocketworld.families.cabinet.grips import grip
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.joints import USUAL
from pocketworld.families.cabinet.parameters import MOVABLE, Cabinet, Front, FrontKind, Grid, Split
from pocketworld.families.cabinet.plan import field
from pocketworld.families.cabinet.regrid import map_fronts
from pocketworld.families.grasp import blocked
from pocketworld.families.protocol import Draw, Refusal, Site
from pocketworld.scene import HandleKind, Material, Side

TRIES = 64
"""Draws before a place counts as too small; about one in ten is refused where there is room."""

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Form:
    """A sort of cabinet: outer sizes on sale, widths of its columns (m), how often each stack fills one.

    sliding: how often sliding doors close all of it; worktop: how often it has one
    """

    width: Range
    depth: Range
    height: Range
    column: Range
    stacks: Mapping[str, float]
    sliding: float = 0.0
    worktop: float = 0.0


FORMS = {
    "pedestal": Form((0.38, 0.48), (0.5, 0.8), (0.5, 0.65), (0.4, 0.5), {"drawers": 1.0}, worktop=0.5),
    "chest": Form((0.5, 1.2), (0.4, 0.5), (0.7, 1.2), (0.5, 0.9), {"drawers": 0.8, "open door": 0.2}),
    "base": Form(
        (0.4, 1.2),
        (0.55, 0.62),
        (0.78, 0.92),
        (0.4, 0.6),
        {"drawer door": 0.4, "door": 0.2, "drawers": 0.25, "fixed door": 0.15},
        worktop=0.9,
    ),
    "sideboard": Form(
        (1.1, 1.9),
        (0.38, 0.48),
        (0.6, 0.95),
        (0.4, 0.65),
        {"door": 0.35, "drawers": 0.25, "drawer door": 0.15, "open door": 0.1, "open": 0.05, "flaps": 0.1},
        sliding=0.2,
        worktop=0.3,
    ),
    "wardrobe": Form(
        (0.7, 1.8),
        (0.5, 0.62),
        (1.7, 2.2),
        (0.4, 0.6),
        {"door": 0.6, "door drawers": 0.3, "open": 0.1},
        sliding=0.3,
    ),
    "bookcase": Form(
        (0.6, 1.2), (0.28, 0.42), (0.9, 2.0), (0.5, 0.8), {"open": 0.3, "open door": 0.4, "open drawers": 0.3}
    ),
}
WOODS = ((0.75, 0.72, 0.68), (0.62, 0.47, 0.32), (0.42, 0.27, 0.16), (0.85, 0.85, 0.83), (0.25, 0.26, 0.28))
PAINTS = (*WOODS, (0.35, 0.45, 0.52), (0.55, 0.62, 0.50), (0.60, 0.22, 0.18))
METALS = (
    Material((0.6, 0.6, 0.62), 0.3, 1.0),
    Material((0.05, 0.05, 0.05), 0.5),
    Material((0.7, 0.5, 0.2), 0.3, 1.0),
)
HANDLES = {
    HandleKind.BAR: 0.30,
    HandleKind.BOW: 0.20,
    HandleKind.KNOB: 0.18,
    HandleKind.CUP: 0.10,
    HandleKind.RECESSED: 0.10,
    HandleKind.EDGE: 0.12,
}


def sample(draw: Draw, site: Site) -> Cabinet:
    """Return a cabinet that fits the free box of a site, can be built, taken hold of, and holds still.

    Raises PocketworldError where none of many fits.
    """
    for i in range(TRIES):
        draws = _Draws(draw, i)
        form = FORMS[draws.weighted("form", dict.fromkeys(FORMS, 1.0))]
        if p := _outer(form, site, draws):
            try:
                p = _handled(replace(p, grid=_grid(form, p, draws)), draws)
            except PocketworldError:
                continue
            out = made(p)
            if not isinstance(out, Refusal) and not blocked(out[1]):
                return out[0]
    raise PocketworldError(
        f"no cabinet fits into {' x '.join(f'{side:.3g}' for side in site.free)} m", "leave it more room"
    )


@dataclass(frozen=True, slots=True)
class _Draws:
    """The named streams of one try."""

    draw: Draw
    attempt: int

    def uniform(self, name: str, low: float, high: float) -> float:
        """Return a number, evenly between low and high."""
        return float(self.draw(f"{self.attempt}/{name}").uniform(low, high))

    def weighted(self, name: str, options: Mapping[str, float]) -> str:
        """Return one of the options by its weight."""
        at = self.uniform(name, 0.0, math.fsum(options.values()))
        for option, weight in options.items():
            at -= weight
            if at < 0:
                return option
        return next(reversed(list(options)))

    def happens(self, name: str, p: float) -> bool:
        """Say yes with probability p."""
        return self.uniform(name, 0.0, 1.0) < p

    def pick(self, name: str, count: int) -> int:
        """Return one of 0 .. count - 1."""
        return int(self.draw(f"{self.attempt}/{name}").integers(count))


def _outer(form: Form, site: Site, draws: _Draws) -> Cabinet | None:
    """Return the outside of a cabinet, or None where the form is too large for the site."""
    ranges = {"width": form.width, "depth": form.depth, "height": form.height}
    if any(low > free for (low, _), free in zip(ranges.values(), site.free, strict=True)):
        return None
    width, depth, height = (
        draws.uniform(name, low, min(high, free))
        for (name, (low, high)), free in zip(ranges.items(), site.free, strict=True)
    )
    stand = draws.weighted("stand", {"plinth": 0.45, "feet": 0.3, "floor": 0.25})
    worktop = draws.happens("worktop", form.worktop) and not site.above
    return Cabinet(
        width,
        depth,
        height,
        board=draws.uniform("board", 0.015, 0.022),
        front=draws.uniform("front", 0.016, 0.022),
        back=draws.uniform("back", 0.004, 0.008),
        plinth=draws.uniform("plinth", 0.04, 0.12) if stand == "plinth" else 0.0,
        plinth_setback=draws.uniform("setback", 0.0, 0.06),
        feet=draws.uniform("feet", 0.02, 0.15) if stand == "feet" else 0.0,
        worktop=draws.uniform("top", 0.018, 0.04) if worktop else 0.0,
        gap=draws.uniform("gap", 0.002, 0.004),
        overlay=draws.happens("overlay", 0.7),
        density=draws.uniform("density", 550.0, 750.0),
        body=Material(WOODS[draws.pick("body", len(WOODS))], draws.uniform("rough", 0.4, 0.9)),
        face=Material(PAINTS[draws.pick("face", len(PAINTS))], draws.uniform("gloss", 0.2, 0.9)),
        metal=METALS[draws.pick("metal", len(METALS))],
    )


def _grid(form: Form, p: Cabinet, draws: _Draws) -> Grid:
    """Return the front of a form, divided into columns and these into stacks."""
    room = field(p)
    if draws.happens("sliding", form.sliding):
        return _sliding(room.width, draws)
    count = max(1, round(room.width / draws.uniform("column", *form.column)))
    names = [draws.weighted(f"stack/{i}", form.stacks) for i in range(count)]
    equal = draws.happens("equal", 0.6)
    sizes = tuple(1.0 if equal else draws.uniform(f"size/{i}", 0.8, 1.3) for i in range(count))
    columns = tuple(_stack(name, f"column/{i}", _side(names, i), draws) for i, name in enumerate(names))
    return columns[0] if count == 1 else Split(False, sizes, columns)


def _side(names: list[str], i: int) -> Side:
    """Return the side of a column's door: in turn along a run of such columns, so that they make pairs."""
    run = 0
    while i - run > 0 and "door" in names[i - run - 1].split():
        run += 1
    return Side.RIGHT if run % 2 else Side.LEFT


def _stack(name: str, at: str, side: Side, draws: _Draws) -> Grid:
    """Return a column of fronts, from its name: the kinds from the top."""
    parts: list[Front] = []
    sizes: list[float] = []
    for word in name.split():
        if word in ("drawers", "flaps"):
            count = 2 + draws.pick(f"{at}/{word}", 3 if word == "drawers" else 2)
            tall = 1.0 if word == name else 0.45
            growth = draws.uniform(f"{at}/growth", 1.0, 1.5)
            steps = [growth**i for i in range(count)]
            sizes += [tall * step / sum(steps) for step in steps]
            flap = Side.TOP if draws.happens(f"{at}/flap", 0.4) else Side.BOTTOM
            parts += [_front(FrontKind.DRAWER) if word == "drawers" else _front(FrontKind.DOOR, flap)] * count
        else:
            kind = FrontKind(word)
            sizes.append(draws.uniform(f"{at}/{word}", *SHARES[kind]))
            parts.append(_front(kind, side if kind is FrontKind.DOOR else Side.NONE))
    return parts[0] if len(parts) == 1 else Split(True, tuple(sizes), tuple(parts))


SHARES = {
    FrontKind.DRAWER: (0.16, 0.28),
    FrontKind.FIXED: (0.12, 0.2),
    FrontKind.DOOR: (0.5, 0.8),
    FrontKind.OPEN: (0.3, 0.6),
}
"""Height of a front in a stack of several, before the stack is scaled to fit."""


def _front(kind: FrontKind, side: Side = Side.NONE) -> Front:
    """Return a front of a kind that opens as far as usual."""
    return Front(kind, side, opening=USUAL[kind][0])


def _sliding(width: float, draws: _Draws) -> Grid:
    """Return one or two pairs of sliding doors; each passes its partner, so no two meet when all open."""
    count = 2 if width < 1.4 else 2 + 2 * draws.pick("doors", 2)
    doors = [_front(FrontKind.SLIDING, (Side.RIGHT, Side.LEFT)[i % 2]) for i in range(count)]
    return Split(False, (1.0,) * count, tuple(doors))


def _handled(p: Cabinet, draws: _Draws) -> Cabinet:
    """Return the cabinet with handles of one sort, and joints that damp."""
    kind = HandleKind(draws.weighted("handle", {k.value: weight for k, weight in HANDLES.items()}))
    stretch = {
        name: math.exp(draws.uniform(f"handle/{name}", -0.25, 0.25)) for name in ("length", "standoff")
    }
    damping = draws.uniform("damping", 2.0, 15.0)
    room = field(p)

    def change(front: Front, path: str, width: float, height: float) -> Front:
        if front.kind not in MOVABLE:
            return replace(front, handle=usual(HandleKind.NONE))
        spec = usual(kind)
        spec = replace(
            spec, length=spec.length * stretch["length"], standoff=spec.standoff * stretch["standoff"]
        )
        if spec.kind is HandleKind.KNOB:
            spec = replace(spec, length=spec.thickness)
        turning = front.kind is FrontKind.DOOR
        return replace(
            front,
            handle=grip(spec, front.kind, front.side, width, height),
            damping=damping * (0.1 if turning else 1.0),
            friction=1.0 if turning else 2.0,
        )

    return gripped(replace(p, grid=map_fronts(p.grid, change, room.width, room.height)))
