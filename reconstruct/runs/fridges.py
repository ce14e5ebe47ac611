"""Fridges beside a row: tall, as wide as a module, doors above each other, and not in line with the row.

A tall cabinet is made with its row: its front is in the row's plane, its top ends with the wall units. What
was bought by itself stands out a little, or ends at another height.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pocketworld.families.cabinet.handles import fitted, usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, HandleSpec
from pocketworld.families.fridge import DOOR, FREEZER, Fridge
from pocketworld.families.protocol import Elevation
from pocketworld.geometry import se3
from pocketworld.reconstruct.fronts import cabinets
from pocketworld.reconstruct.fronts.belief import GRIP, PRIOR, Guess, Kind, believe, decided
from pocketworld.reconstruct.fronts.cabinets import trimmed
from pocketworld.reconstruct.fronts.colours import painted
from pocketworld.reconstruct.fronts.grammar import Cell, Layout, Tree, explain
from pocketworld.reconstruct.runs.appliances import UNSEEN_HANDLE, Rival, probability
from pocketworld.reconstruct.runs.row_parts import Run, RunKind
from pocketworld.reconstruct.runs.units import Hull
from pocketworld.scene import HandleKind, Side

FRIDGE = 0.4  # of tall units at a row's end
WIDTH = 0.45, 0.98  # m: the narrowest and the widest
# Where fronts stand before the row's, m: middle and spread of fridges, then of cabinets; the share of these
# that are set off on purpose, and by how much.
PROUD, FLUSH, ASIDE = (0.030, 0.040), 0.006, (0.05, 0.05)
# How far tops are above those of the wall units, m: likewise.
TOP, LEVEL, OTHER = (-0.25, 0.20), 0.02, (0.20, 0.30)
SURE = 0.1  # m: a top whose standard error is greater was not seen
SIDE_BY_SIDE = 3.0  # nats: fridges with doors side by side are rare, cabinets with such doors are not
FEET = 0.02  # m
LOWEST = 0.15  # m: fronts are higher
DOORS: dict[Kind, float] = {
    (FrontKind.DOOR, Side.LEFT): 0.40,
    (FrontKind.DOOR, Side.RIGHT): 0.40,
    (FrontKind.DRAWER, Side.NONE): 0.19,
    (FrontKind.FIXED, Side.NONE): 0.01,
}
"""How common each kind is among the fronts of fridges."""
DRAWERS = 1.2  # m: as high as one looks into a drawer; none has its middle above
GRIPPED = 0.25  # of fridges' fronts are opened by a hollow in the edge, which looks like no handle


@dataclass(frozen=True, slots=True)
class Beside:
    """How a tall unit stands to the row beside it.

    proud   m by which its front stands before the row's;  over: m by which its top is above those of the wall
            units, None where there are none or one of the two was not seen
    """

    proud: float
    over: float | None


def beside(run: Run, runs: Sequence[Run]) -> Beside | None:
    """Return how a tall run stands to the base run before it among a room's runs; None of others."""
    before = list(runs[: [r.id for r in runs].index(run.id)])
    base = next((r for r in reversed(before) if r.kind is RunKind.BASE), None)
    if run.kind is not RunKind.TALL or base is None:
        return None
    y = float(se3.apply(se3.inverse(base.box.world_from_box), run.box.world_from_box[None, :3, 3])[0, 1])
    proud = run.box.size[1] / 2 - base.box.size[1] / 2 - y
    hung = [r for r in before[before.index(base) :] if r.kind is RunKind.WALL]
    tops = [_top(r) for r in hung if r.sigma[2] < SURE]
    return Beside(proud, _top(run) - max(tops) if tops and run.sigma[2] < SURE else None)


def _top(run: Run) -> float:
    return float(run.box.foot[2] + run.box.size[2])


def fridge(seen: Elevation, hull: Hull, found: Sequence[Layout], stands: Beside) -> Rival | None:
    """Return the fridge that a tall unit may be; None where it is too narrow or too wide for one.

    seen   its front, from where it was read up;  found: how it may be divided as a cabinet
    """
    if not WIDTH[0] < hull.size[0] < WIDTH[1]:
        return None
    rows = explain(seen.width, seen.height, [line for line in seen.lines if not line.vertical], seen.handles)
    kept = [(layout.p, each) for layout in rows if (each := _rows(layout.tree)) is not None]
    if not kept:
        return None
    lead = _lead(stands) + min(0.0, rows[0].score - found[0].score + SIDE_BY_SIDE)
    share = sum(p for p, _ in kept)
    forms = tuple((p / share, _fridge(seen, cells, hull)) for p, cells in kept)
    why = f"its front stands {stands.proud * 1000:+.0f} mm before the row's"
    if stands.over is not None:
        why += f", its top {stands.over * 1000:+.0f} mm above the wall units'"
    return Rival("fridge", probability(FRIDGE, lead), forms, why)


def _lead(stands: Beside) -> float:
    """Return by how many nats its place is more a fridge's than a cabinet's."""
    own = _normal(stands.proud, *PROUD)
    lead = math.log(own / _either(stands.proud, FLUSH, ASIDE))
    if stands.over is not None:
        lead += math.log(_normal(stands.over, *TOP) / _either(stands.over, LEVEL, OTHER))
    return lead


def _normal(x: float, mean: float, sigma: float) -> float:
    """Return a normal density, with tails of an odd one out."""
    return 0.97 * math.exp(-(((x - mean) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi)) + 0.03


def _either(x: float, sigma: float, odd: tuple[float, float]) -> float:
    """Return the density of what is mostly in line, and of a share that is set off."""
    share, spread = odd
    return (1 - share) * _normal(x, 0.0, sigma) + share * _normal(x, 0.0, spread)


def _rows(tree: Tree) -> tuple[Cell, ...] | None:
    """Return the fronts of a division from the top down; None where they are not above each other."""
    left = trimmed(tree).tree
    if isinstance(left, Cell):
        return (left,)
    rows = tuple(part for part in left.parts if isinstance(part, Cell))
    tall = all(row.height > LOWEST for row in rows)
    return rows if left.rows and tall and len(rows) == len(left.parts) else None


def _fridge(seen: Elevation, rows: Sequence[Cell], hull: Hull) -> Fridge:
    width, depth, height = hull.size
    low, high = FEET - hull.low, height - hull.low
    ends = [high, *(row.v0 for row in rows[:-1]), low]
    cells = [replace(row, v0=b, v1=a) for row, a, b in zip(rows, ends, ends[1:], strict=False)]
    gap = Fridge(0, 0, 0).gap
    looks = painted(Cabinet(width, depth, height), (seen,))
    assert isinstance(looks, Cabinet)
    return Fridge(
        width - cabinets.GAP,
        depth,
        height,
        tuple(_front(cell) for cell in cells),
        tuple(cell.height - gap for cell in cells),
        feet=FEET,
        face=looks.face,
        metal=looks.metal,
        sigma=cabinets.EDGE,
    )


def _front(cell: Cell) -> Front:
    guess = _guess(cell)
    drawer = guess.kind is FrontKind.DRAWER
    plain = FREEZER if drawer else DOOR
    made = cabinets.front(cell, guess)
    made = replace(made, opening=plain.opening, damping=plain.damping)
    if made.handle.kind is not HandleKind.NONE or guess.kind is FrontKind.FIXED:
        return made
    handle = fitted(_usual(guess, cell), cell.width, cell.height)
    return replace(made, handle=handle, evidence=(*made.evidence, UNSEEN_HANDLE))


def _usual(guess: Guess, cell: Cell) -> HandleSpec:
    """Return a handle for a front that showed none: far from its hinge, or on a drawer's upper edge."""
    if guess.kind is FrontKind.DRAWER:
        return usual(HandleKind.EDGE, 0.5, 1.0)
    return usual(HandleKind.BAR, 0.92 if guess.side is Side.LEFT else 0.08, 0.5, True)


def _guess(cell: Cell) -> Guess:
    """Return what a fridge's front is: as a cabinet's would be, by how common kinds are among fridges'."""
    looks = believe(cell, False, 0.0)
    bare, high = not cell.handles, (cell.v0 + cell.v1) / 2 > DRAWERS
    weights = {
        (c.kind, c.side): c.p
        / PRIOR[c.kind, c.side]
        * DOORS.get((c.kind, c.side), 0.0)
        * (GRIPPED / GRIP[c.kind, c.side][0] if bare else 1.0)
        * (0.0 if high and c.kind is FrontKind.DRAWER else 1.0)
        for c in looks.chances
    }
    total = sum(weights.values())
    order = sorted(weights.items(), key=lambda item: (-item[1], str(item[0])))
    chances = tuple(replace(looks.chances[0], kind=k, side=s, p=w / total) for (k, s), w in order if w > 0)
    return Guess(*decided(chances), chances, (*looks.evidence, "look: as of a fridge"))
