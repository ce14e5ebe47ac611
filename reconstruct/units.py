"""One unit of a run from the division of its front: it fills its module from plinth to worktop."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.geometry.convex import Vec3
from pocketworld.reconstruct.belief import Guess
from pocketworld.reconstruct.cabinets import BOARD, EDGE, FRONT, GAP, Margins, gridded, stretched, trimmed
from pocketworld.reconstruct.grammar import STRIP, Cell, Cut, Tree, bounds


@dataclass(frozen=True, slots=True)
class Hull:
    """What the run says of its unit, m.

    size      width, depth and height of its box, without the worktop
    plinth    height of the plinth within, and its setback; 0 for what hangs
    hung      whether it hangs on a wall: then what lies below its fronts is no plinth
    """

    size: Vec3
    plinth: float
    setback: float
    hung: bool


def unit(tree: Tree, hull: Hull, guess: Callable[[Cell], Guess]) -> tuple[Cabinet, float]:
    """Return the unit whose front, from its plinth up, is divided so; and how far above its box it begins.

    The front was read a little farther up than the box goes: what is above it is the worktop's edge. What is
    below the fronts of a unit on the floor is more of its plinth, of one on a wall it is the wall. Half a gap
    is left to the neighbour on either side.
    """
    width, depth, height = hull.size
    face = trimmed(tree)
    below = face.below
    lift, plinth = (below, 0.0) if hull.hung else (0.0, hull.plinth + below)
    fronts = capped(stretched(face.tree, False, 0.0, width), height - hull.plinth)
    grid = gridded(fronts, guess, Margins())
    made = Cabinet(
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
    return made, lift


def capped(tree: Tree, high: float) -> Tree:
    """Return a division that ends at `high`, m: its upper row longer or shorter, rows above it gone."""
    if isinstance(tree, Cell):
        return replace(tree, v1=high)
    if not tree.rows:
        return Cut(False, tuple(capped(part, high) for part in tree.parts))
    kept = [part for part in tree.parts if bounds(part).v0 < high - STRIP]
    if not kept:
        return replace(bounds(tree), v1=high)
    parts = (capped(kept[0], high), *kept[1:])
    return parts[0] if len(parts) == 1 else Cut(True, parts)
