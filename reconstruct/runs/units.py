"""One unit of a run from the division of its front: it fills its module from plinth to worktop."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.geometry.convex import Vec3
from pocketworld.reconstruct.fronts.belief import Guess
from pocketworld.reconstruct.fronts.cabinets import (
    BOARD,
    EDGE,
    FRONT,
    GAP,
    Margins,
    gridded,
    stacked,
    stretched,
    trimmed,
)
from pocketworld.reconstruct.fronts.grammar import STRIP, Cell, Cut, Tree, bounds


@dataclass(frozen=True, slots=True)
class Hull:
    """What the run says of its unit, m.

    size      width, depth and height of its box, without the worktop
    low       where its front was read from, above the box's foot;  below: how far above that fronts begin
    setback   of the plinth
    hung      whether it hangs on a wall: then what lies below its fronts is no plinth, but the wall
    """

    size: Vec3
    low: float
    below: float
    setback: float
    hung: bool


def unit(tree: Tree, hull: Hull, guess: Callable[[Cell, int], Guess]) -> Cabinet:
    """Return the unit whose front, from where it was read, is divided so.

    The front was read a little farther up than the box goes: what is above it is the worktop's edge. Half a
    gap is left to the neighbour on either side. `guess` is told a cell and how many fronts like it are
    stacked with it.
    """
    width, depth, height = hull.size
    lift, plinth = (hull.below, 0.0) if hull.hung else (0.0, hull.low + hull.below)
    whole = stretched(trimmed(tree).tree, False, 0.0, width)
    fronts = between(whole, hull.below, height - hull.low)
    stacks = stacked(fronts)
    grid = gridded(fronts, lambda cell: guess(cell, stacks.get(cell, 0)), Margins())
    return Cabinet(
        width - GAP,
        depth,
        height - lift,
        grid=grid,
        board=BOARD,
        front=FRONT,
        plinth=plinth,
        plinth_setback=hull.setback,
        gap=GAP,
        sigma=EDGE,
    )


def between(tree: Tree, low: float, high: float) -> Tree:
    """Return a division that goes from `low` to `high`, m: its outer rows longer or shorter, or gone."""
    if isinstance(tree, Cell):
        return replace(tree, v0=low, v1=high)
    if not tree.rows:
        return Cut(False, tuple(between(part, low, high) for part in tree.parts))
    kept = [part for part in tree.parts if bounds(part).v0 < high - STRIP and bounds(part).v1 > low + STRIP]
    if not kept:
        return replace(bounds(tree), v0=low, v1=high)
    ends = [high, *(bounds(part).v0 for part in kept[:-1]), low]
    parts = tuple(between(part, v0, v1) for part, (v1, v0) in zip(kept, pairwise(ends), strict=True))
    return parts[0] if len(parts) == 1 else Cut(True, parts)
