"""Divisions of a face made into the parameters of cabinets: what is a front, what a plate, a plinth, a
board's edge.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from pocketworld.families.cabinet.handles import LIMITS, fitted
from pocketworld.families.cabinet.joints import USUAL
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Grid, HandleSpec, Split
from pocketworld.families.protocol import SeenHandle
from pocketworld.geometry.convex import Vec3
from pocketworld.reconstruct.fronts.belief import Guess, believe, surest
from pocketworld.reconstruct.fronts.grammar import STRIP, Cell, Cut, Tree, bounds
from pocketworld.scene import HandleKind

# Heights, m: plates above and plinths below the fronts; what is taller is a panel.
TOP, BASE = 0.08, 0.20
LOW = 0.03  # m: a gap below that is lower is no plinth: gliders or castors
FLOOR = 0.008  # m: fronts do not touch the floor, even where no picture shows the gap
# Where nothing shows it: thickness of a front and of boards, as of chipboard; the gap between fronts.
FRONT, BOARD, GAP = 0.018, 0.018, 0.003
EDGE = 0.004  # m: how sure a front's edges are: a picture's pixel on the face, and what poses leave

BOARDS = (0.010, 0.030)  # m: boards' edges beside inset fronts are that wide, on both sides

Behind = Callable[[Cell], float | None]


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The part of a face's division that has the fronts, and what is above, below and beside it, m."""

    tree: Tree
    above: float
    below: float
    left: float
    right: float


def trimmed(tree: Tree) -> Trimmed:
    """Take plates above, plinths below and boards' edges beside the fronts away from a division."""
    out = Trimmed(tree, 0.0, 0.0, 0.0, 0.0)
    while (less := _shorter(out)) is not None:
        out = less
    # Without the boards' edges between fronts there may be plates and plinths at its ends again.
    out = replace(out, tree=absorbed(out.tree))
    while (less := _shorter(out)) is not None:
        out = less
    return out


def _shorter(face: Trimmed) -> Trimmed | None:
    """Return the division without one strip at an end; None where there is none."""
    tree = face.tree
    if isinstance(tree, Cell):
        return None
    first, last = tree.parts[0], tree.parts[-1]
    if tree.rows and (h := _bare(first, True)) is not None and face.above + h <= TOP and h < STRIP:
        return replace(face, tree=_without(tree, 0), above=face.above + h)
    if tree.rows and (h := _bare(last, True)) is not None and face.below + h <= BASE:
        return replace(face, tree=_without(tree, -1), below=face.below + h)
    if not tree.rows and (w := _bare(first, False)) is not None and w < STRIP:
        return replace(face, tree=_without(tree, 0), left=face.left + w)
    if not tree.rows and (w := _bare(last, False)) is not None and w < STRIP:
        return replace(face, tree=_without(tree, -1), right=face.right + w)
    return None


def _bare(tree: Tree, rows: bool) -> float | None:
    """Return the height (or width) of something without a handle in it; None where there is one."""
    whole = bounds(tree)
    cut = [] if isinstance(tree, Cell) else list(tree.parts)
    if (isinstance(tree, Cell) and tree.handles) or any(_bare(part, rows) is None for part in cut):
        return None
    return whole.height if rows else whole.width


def _without(cut: Cut, which: int) -> Tree:
    parts = cut.parts[1:] if which == 0 else cut.parts[:-1]
    return parts[0] if len(parts) == 1 else Cut(cut.rows, parts)


def absorbed(tree: Tree) -> Tree:
    """Return the division without strips between fronts: they are edges of boards, half of each goes to
    either side.
    """
    if isinstance(tree, Cell):
        return tree
    parts = [finer for part in tree.parts for finer in _flat(absorbed(part), tree.rows)]
    kept = [part for part in parts if not _strip(part, tree.rows)]
    if not kept:
        return bounds(tree)
    whole = bounds(tree)
    ends = _ends(kept, tree.rows, whole)
    grown = tuple(stretched(part, tree.rows, *end) for part, end in zip(kept, ends, strict=True))
    return grown[0] if len(grown) == 1 else Cut(tree.rows, grown)


def _flat(tree: Tree, rows: bool) -> tuple[Tree, ...]:
    """Return the parts of a division that is cut in the same direction again, else itself."""
    return tree.parts if isinstance(tree, Cut) and tree.rows == rows else (tree,)


def _strip(tree: Tree, rows: bool) -> bool:
    size = _bare(tree, rows)
    return size is not None and size < STRIP


def _ends(kept: list[Tree], rows: bool, whole: Cell) -> list[tuple[float, float]]:
    """Return where each part begins and ends (v or u) when the room between neighbours is shared."""
    spans = [((b.v0, b.v1) if rows else (b.u0, b.u1)) for b in map(bounds, kept)]
    low, high = (whole.v0, whole.v1) if rows else (whole.u0, whole.u1)
    if rows:
        spans = spans[::-1]
    middles = [(a[1] + b[0]) / 2 for a, b in pairwise(spans)]
    out = list(zip([low, *middles], [*middles, high], strict=True))
    return out[::-1] if rows else out


def stretched(tree: Tree, rows: bool, low: float, high: float) -> Tree:
    """Return a division stretched along one direction to other ends."""
    old = bounds(tree)
    a, b = (old.v0, old.v1) if rows else (old.u0, old.u1)

    def moved(x: float) -> float:
        return low + (x - a) / (b - a) * (high - low)

    if isinstance(tree, Cut):
        parts = tuple(
            stretched(part, rows, moved(p.v0 if rows else p.u0), moved(p.v1 if rows else p.u1))
            for part, p in ((part, bounds(part)) for part in tree.parts)
        )
        return Cut(tree.rows, parts)
    return replace(tree, v0=low, v1=high) if rows else replace(tree, u0=low, u1=high)


def cabinet(tree: Tree, size: Vec3, bottom: float, behind: Behind) -> Cabinet:
    """Return the cabinet whose front face is divided so.

    size     outer width, depth and height, m;  bottom: how far above the floor the face was seen to begin, m
    behind   how far behind the face a cell lies (see `believe`)
    """
    face = trimmed(tree)
    below = bottom + face.below
    base = below if below > FLOOR / 2 else FLOOR
    inset = BOARDS[0] < min(face.left, face.right) and max(face.left, face.right) < BOARDS[1]
    whole = isinstance(face.tree, Cell)
    # Faces keep half a gap from each line beside them; outer edges of the fronts are no lines.
    above = GAP / 2 if face.above else 0.0
    stacks = stacked(face.tree)
    grid = gridded(
        face.tree, lambda cell: believe(cell, whole, behind(cell), stacks.get(cell, 0)), Margins(above=above)
    )
    return Cabinet(
        *size,
        grid=grid,
        board=(face.left + face.right) / 2 if inset else BOARD,
        front=FRONT,
        feet=base if base < LOW else 0.0,
        plinth=0.0 if base < LOW else base,
        worktop=max(0.0, face.above - GAP / 2),
        gap=GAP,
        overlay=not inset,
        sigma=EDGE,
    )


def stacked(tree: Tree) -> dict[Cell, int]:
    """Return how many other fronts with level handles each such front has above and below it."""
    if isinstance(tree, Cell):
        return {}
    own = [part for part in tree.parts if isinstance(part, Cell) and _level(part)] if tree.rows else []
    out = {cell: len(own) - 1 for cell in own}
    for part in tree.parts:
        out |= stacked(part)
    return out


def _level(cell: Cell) -> bool:
    return bool(cell.handles) and not any(handle.vertical for handle in cell.handles)


@dataclass(frozen=True, slots=True)
class Margins:
    """How much of a rectangle on each side is gap, m."""

    above: float = 0.0
    below: float = 0.0
    left: float = 0.0
    right: float = 0.0


def gridded(tree: Tree, guess: Callable[[Cell], Guess], margins: Margins) -> Grid:
    """Return a division as a grid of fronts, each what it is guessed to be, without the gaps between them."""
    if isinstance(tree, Cell):
        return front(tree, guess(tree))
    sizes, grids = [], []
    for i, part in enumerate(tree.parts):
        first, last = i == 0, i == len(tree.parts) - 1
        b = bounds(part)
        if tree.rows:
            inner = replace(
                margins, above=margins.above if first else GAP / 2, below=margins.below if last else GAP / 2
            )
            sizes.append(b.height - inner.above - inner.below)
        else:
            inner = replace(
                margins, left=margins.left if first else GAP / 2, right=margins.right if last else GAP / 2
            )
            sizes.append(b.width - inner.left - inner.right)
        grids.append(gridded(part, guess, inner))
    return Split(tree.rows, tuple(sizes), tuple(grids))


def front(cell: Cell, guess: Guess) -> Front:
    """Return a cell of a face as a front of what it is believed to be."""
    opening = USUAL[guess.kind][0]
    handle = HandleSpec(HandleKind.NONE)
    if cell.handles and guess.kind is not FrontKind.OPEN:
        best = surest(cell)
        # The panel is smaller than its cell by the gaps beside it.
        handle = fitted(_handle(best, cell), cell.width - 2 * GAP, cell.height - 2 * GAP)
    return Front(guess.kind, guess.side, handle, guess.chances, guess.evidence, opening)


def _handle(seen: SeenHandle, cell: Cell) -> HandleSpec:
    """Return a seen handle on its front; depth blurs thin things, so they are at least as usual ones are."""
    _, thickness, standoff = LIMITS[seen.kind].usual
    return HandleSpec(
        seen.kind,
        (seen.u - cell.u0) / cell.width,
        (seen.v - cell.v0) / cell.height,
        seen.length,
        min(seen.thickness, thickness),
        max(seen.standoff, standoff),
        seen.vertical,
    )
