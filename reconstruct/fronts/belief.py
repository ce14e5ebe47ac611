"""What a front probably is, and at which side it hangs, by how it looks: Bayes' rule over a few plain
features.

The tables are our judgement of office and kitchen furniture. What looks like a handle on what is fixed, at
which side of a door its handle is, and how rare sliding fronts are was mended by what six virtual kitchens
(seeds 700 to 705) measured, half way: those are drawn, not built. Features are taken as independent given the
kind; `pocketworld bench calibration` says how right the sum is.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pocketworld.families.cabinet.parameters import MOVABLE, Chance, FrontKind
from pocketworld.families.protocol import SeenHandle
from pocketworld.reconstruct.fronts.grammar import Cell
from pocketworld.scene import HandleKind, Side

Kind = tuple[FrontKind, Side]

DRAWER: Kind = (FrontKind.DRAWER, Side.NONE)
LEFT, RIGHT, TOP, BOTTOM = ((FrontKind.DOOR, side) for side in (Side.LEFT, Side.RIGHT, Side.TOP, Side.BOTTOM))
TO_LEFT, TO_RIGHT = ((FrontKind.SLIDING, side) for side in (Side.LEFT, Side.RIGHT))
OPEN: Kind = (FrontKind.OPEN, Side.NONE)
FIXED: Kind = (FrontKind.FIXED, Side.NONE)

PRIOR: Mapping[Kind, float] = {
    DRAWER: 0.40,
    LEFT: 0.13,
    RIGHT: 0.13,
    TOP: 0.03,
    BOTTOM: 0.03,
    TO_LEFT: 0.01,
    TO_RIGHT: 0.01,
    OPEN: 0.06,
    FIXED: 0.20,
}
"""How common each kind is among the rectangles into which furniture's faces are divided."""

# What is there to take hold of: nothing, something round, something long and level, something long and
# upright. Drawers and doors without a handle exist (push to open, grip in the edge), but they are so rare
# that a rectangle without one is to be believed fixed, whatever its size.
GRIP: Mapping[Kind, tuple[float, float, float, float]] = {
    DRAWER: (0.04, 0.21, 0.69, 0.06),
    LEFT: (0.04, 0.27, 0.14, 0.55),
    RIGHT: (0.04, 0.27, 0.14, 0.55),
    TOP: (0.05, 0.17, 0.74, 0.04),
    BOTTOM: (0.05, 0.17, 0.74, 0.04),
    TO_LEFT: (0.10, 0.14, 0.06, 0.70),
    TO_RIGHT: (0.10, 0.14, 0.06, 0.70),
    OPEN: (0.985, 0.005, 0.005, 0.005),
    # Ovens have knobs, and not all that stands out is a handle: a quarter of fixed fronts seemed to have one.
    FIXED: (0.88, 0.05, 0.05, 0.02),
}
# Where a handle sits across: in the left third, the middle, the right third. It is where the lever is
# longest.
ACROSS: Mapping[Kind, tuple[float, float, float]] = {
    DRAWER: (0.06, 0.88, 0.06),
    LEFT: (0.04, 0.10, 0.86),
    RIGHT: (0.86, 0.10, 0.04),
    TOP: (0.08, 0.84, 0.08),
    BOTTOM: (0.08, 0.84, 0.08),
    TO_LEFT: (0.10, 0.10, 0.80),
    TO_RIGHT: (0.80, 0.10, 0.10),
    OPEN: (1 / 3, 1 / 3, 1 / 3),
    FIXED: (1 / 3, 1 / 3, 1 / 3),
}
# Where it sits up: in the lower third, the middle, the upper third.
UP: Mapping[Kind, tuple[float, float, float]] = {
    DRAWER: (0.06, 0.52, 0.42),
    LEFT: (0.25, 0.45, 0.30),
    RIGHT: (0.25, 0.45, 0.30),
    TOP: (0.90, 0.08, 0.02),
    BOTTOM: (0.02, 0.08, 0.90),
    TO_LEFT: (0.15, 0.70, 0.15),
    TO_RIGHT: (0.15, 0.70, 0.15),
    OPEN: (1 / 3, 1 / 3, 1 / 3),
    FIXED: (1 / 3, 1 / 3, 1 / 3),
}
# Height (m) and width over height: middle and spread of a log-normal each.
SIZE: Mapping[Kind, tuple[float, float, float, float]] = {
    DRAWER: (0.18, 0.55, 2.4, 0.60),
    LEFT: (0.70, 0.45, 0.65, 0.45),
    RIGHT: (0.70, 0.45, 0.65, 0.45),
    TOP: (0.38, 0.35, 1.8, 0.50),
    BOTTOM: (0.38, 0.35, 1.6, 0.50),
    TO_LEFT: (0.80, 0.50, 0.70, 0.50),
    TO_RIGHT: (0.80, 0.50, 0.70, 0.50),
    OPEN: (0.35, 0.60, 1.8, 0.70),
    FIXED: (0.40, 1.00, 1.0, 1.00),
}
# Whether nothing is there, as depth tells: what lies more than RECESS behind the face.
DEEP: Mapping[FrontKind, float] = {FrontKind.OPEN: 0.9, FrontKind.FIXED: 0.02}
DEEP_ELSE = 0.005
RECESS = 0.05  # m
TWIN = 1.6  # times as long: two handles of one front are a pair, but depth frays their ends
# Whether the rectangle is the whole face, with no line that parts it from anything: plain sides are.
WHOLE: Mapping[FrontKind, float] = {FrontKind.FIXED: 0.60, FrontKind.OPEN: 0.10}
WHOLE_ELSE = 0.06
# How often a front of a kind is found standing open a little: dishwashers are left so to dry.
OPENED: Mapping[Kind, float] = {
    DRAWER: 0.02,
    LEFT: 0.03,
    RIGHT: 0.03,
    TOP: 0.01,
    BOTTOM: 0.10,
    TO_LEFT: 1e-4,
    TO_RIGHT: 1e-4,
    OPEN: 1e-4,
    FIXED: 1e-4,
}


@dataclass(frozen=True, slots=True)
class Guess:
    """What a front is: the likeliest kind to act on, all chances, and the evidence in words."""

    kind: FrontKind
    side: Side
    chances: tuple[Chance, ...]
    evidence: tuple[str, ...]


def believe(cell: Cell, whole: bool, behind: float | None, stacked: int = 0) -> Guess:
    """Return what a cell of a face is.

    whole     whether the cell is all of the face
    behind    m by which the middle of the cell lies behind the face; None: not seen
    stacked   how many more fronts with level handles are above and below it, as wide as it
    """
    return _weighed(_size(cell), _handle(cell), _whole(whole), _depth(behind), _stack(stacked))


def _stack(count: int) -> tuple[Mapping[Kind, float], list[str]]:
    """Return what it says that fronts are stacked: two may be anything, three are drawers."""
    if count == 0:
        return dict.fromkeys(PRIOR, 1.0), []
    share = 0.8 if count == 1 else 0.25
    return {kind: 1.0 if kind == DRAWER else share for kind in PRIOR}, [
        f"look: {count} more above or below it"
    ]


def believe_open(cell: Cell, seen: Mapping[Kind, float], said: str) -> Guess:
    """Return what a front is that stands open.

    seen   the likelihood of what was seen of it, for the kinds that could stand so;  said: that in words
    """
    # What can't stand so was perhaps something that stands before a shut front.
    likely = {kind: p * seen.get(kind, 1e-3) for kind, p in OPENED.items()}
    return _weighed(_size(cell), (likely, [said]))


def _weighed(*features: tuple[Mapping[Kind, float], list[str]]) -> Guess:
    logs = {kind: math.log(p) for kind, p in PRIOR.items()}
    words: list[str] = []
    for likelihood, said in features:
        for kind in logs:
            logs[kind] += math.log(max(likelihood[kind], 1e-300))
        words += said
    most = max(logs.values())
    weights = {kind: math.exp(value - most) for kind, value in logs.items()}
    total = sum(weights.values())
    chances = tuple(
        Chance(kind, side, w / total)
        for (kind, side), w in sorted(weights.items(), key=lambda item: -item[1])
    )
    return Guess(*decided(chances), chances, tuple(words))


def decided(chances: tuple[Chance, ...]) -> Kind:
    """Return what to act on: the likeliest movable kind if it more probably moves than not, else what does
    not move.
    """
    moves = sum(c.p for c in chances if c.kind in MOVABLE) > 0.5
    best = max((c for c in chances if (c.kind in MOVABLE) == moves), key=lambda c: c.p)
    return best.kind, best.side


def _handle(cell: Cell) -> tuple[dict[Kind, float], list[str]]:
    if not cell.handles:
        return {kind: table[0] for kind, table in GRIP.items()}, ["look: no handle"]
    handles, best = _alike(cell), surest(cell)
    u, v = (sum(places) / len(handles) for places in zip(*((h.u, h.v) for h in handles), strict=True))
    i, j = min(2, int(3 * (u - cell.u0) / cell.width)), min(2, int(3 * (v - cell.v0) / cell.height))
    grip = 1 if best.kind is HandleKind.KNOB else 3 if best.vertical else 2
    # The more surely it is a handle, the more it counts.
    sure = min(h.score for h in handles)
    seen = {
        kind: sure * GRIP[kind][grip] * ACROSS[kind][i] * UP[kind][j] + (1 - sure) * GRIP[kind][0] / 9
        for kind in PRIOR
    }
    shape = ("", "knob", "level handle", "upright handle")[grip]
    place = f"{('left', 'in the middle', 'right')[i]}, {('low', 'half way up', 'high')[j]}"
    number = f"{len(handles)} x " if len(handles) > 1 else ""
    return seen, [f"look: {number}{shape} {place}, stands {best.standoff * 1000:.0f} mm out"]


def surest(cell: Cell) -> SeenHandle:
    """Return the handle of a cell that is most surely one: what is long is hardly noise."""
    return max(cell.handles, key=lambda h: h.score * h.length)


def _alike(cell: Cell) -> list[SeenHandle]:
    """Return a cell's handles that look like the surest: a front has one kind of handle."""
    best = surest(cell)
    same = [h for h in cell.handles if (h.kind, h.vertical) == (best.kind, best.vertical)]
    return [h for h in same if best.length / TWIN < h.length < best.length * TWIN]


def _size(cell: Cell) -> tuple[dict[Kind, float], list[str]]:
    height, aspect = math.log(cell.height), math.log(cell.width / cell.height)
    out = {
        kind: _normal(height, math.log(h), hs) * _normal(aspect, math.log(a), spread)
        for kind, (h, hs, a, spread) in SIZE.items()
    }
    # A panel that does not move may be of any size, but often it is there to match the fronts beside it.
    others = {kind: p for kind, p in PRIOR.items() if kind != FIXED}
    alike = sum(p * out[kind] for kind, p in others.items()) / sum(others.values())
    out[FIXED] = (out[FIXED] + alike) / 2
    return out, [f"size: {cell.width * 1000:.0f} x {cell.height * 1000:.0f} mm"]


def _normal(x: float, mean: float, sigma: float) -> float:
    """Return a normal density, with tails of an odd one out."""
    return 0.97 * math.exp(-(((x - mean) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi)) + 0.003


def _whole(whole: bool) -> tuple[dict[Kind, float], list[str]]:
    share = {kind: WHOLE.get(kind[0], WHOLE_ELSE) for kind in PRIOR}
    if whole:
        return share, ["look: nothing divides the face"]
    return {kind: 1 - p for kind, p in share.items()}, []


def _depth(behind: float | None) -> tuple[dict[Kind, float], list[str]]:
    if behind is None:
        return dict.fromkeys(PRIOR, 1.0), ["depth: not seen"]
    share = {kind: DEEP.get(kind[0], DEEP_ELSE) for kind in PRIOR}
    if behind > RECESS:
        return share, [f"depth: {behind * 1000:.0f} mm behind the face"]
    return {kind: 1 - p for kind, p in share.items()}, []
