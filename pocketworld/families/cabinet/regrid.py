"""Fronts divided anew: merged, divided, reordered, resized, made into another kind; by named draws.

Each operation takes a tree and the size (m) of the face that it divides and returns a tree. Only what a
joiner would make is proposed (`MADE`); gaps between fronts, some millimetres, are left out of these sizes.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from pocketworld.families.cabinet.grips import felt, grip
from pocketworld.families.cabinet.joints import USUAL
from pocketworld.families.cabinet.parameters import MOVABLE, Front, FrontKind, Grid, Split, fronts
from pocketworld.families.vary import Vary
from pocketworld.scene import Side

# (least width, least height, greatest width, greatest height) in m of a front that is newly made, as those on
# sale are; what a capture shows may lie outside and is left alone.
MADE = {
    FrontKind.DRAWER: (0.20, 0.07, 1.20, 0.45),
    FrontKind.DOOR: (0.20, 0.20, 0.70, 2.20),
    FrontKind.SLIDING: (0.30, 0.30, 1.20, 2.20),
    FrontKind.OPEN: (0.20, 0.12, 1.50, 2.20),
    FrontKind.FIXED: (0.20, 0.05, 1.50, 2.20),
}
SHARE = (0.38, 0.62)  # of the first of two fronts made from one: unequal, but neither is a leftover

OnFront = Callable[[Front, str, float, float], Grid]
OnSplit = Callable[[Split, str, float, float], Grid]


def map_fronts(grid: Grid, change: OnFront, width: float, height: float, path: str = "") -> Grid:
    """Return the tree with each front replaced by change(front, id, width, height)."""
    if isinstance(grid, Front):
        return change(grid, path or "0", width, height)
    parts = (
        map_fronts(part, change, *size, below(path, i))
        for i, (part, size) in enumerate(zip(grid.parts, cells(grid, width, height), strict=True))
    )
    return replace(grid, parts=tuple(parts))


def map_splits(grid: Grid, change: OnSplit, width: float, height: float, path: str = "") -> Grid:
    """Return the tree with each split replaced by change(split, path, width, height), the deepest first."""
    if isinstance(grid, Front):
        return grid
    parts = (
        map_splits(part, change, *size, below(path, i))
        for i, (part, size) in enumerate(zip(grid.parts, cells(grid, width, height), strict=True))
    )
    return change(replace(grid, parts=tuple(parts)), path or "grid", width, height)


def sized(grid: Grid, width: float, height: float) -> Iterator[tuple[Front, float, float]]:
    """Go through the fronts of a tree with their widths and heights, m."""
    if isinstance(grid, Front):
        yield grid, width, height
        return
    for part, size in zip(grid.parts, cells(grid, width, height), strict=True):
        yield from sized(part, *size)


def below(path: str, i: int) -> str:
    """Return the path of a split's part i."""
    return f"{path}.{i}" if path else str(i)


def cells(split: Split, width: float, height: float) -> list[tuple[float, float]]:
    """Return (width, height) of each part of a split that fills the given size, m."""
    unit = (height if split.rows else width) / sum(split.sizes)
    return [(width, size * unit) if split.rows else (size * unit, height) for size in split.sizes]


def regrid(grid: Grid, width: float, height: float, vary: Vary) -> Grid:
    """Return the fronts divided anew; words: merge, divide, reorder, swap, equal (chances), sizes (scale)."""
    grid = map_splits(grid, partial(_merge, vary=vary), width, height)
    grid = map_fronts(grid, partial(_divide, vary=vary), width, height)
    grid = map_splits(grid, lambda split, *_: flat(split), width, height)
    grid = map_splits(grid, partial(_reorder, vary=vary), width, height)
    grid = map_splits(grid, partial(_resize, vary=vary), width, height)
    return map_fronts(grid, partial(_swap, vary=vary, pattern=pattern(grid)), width, height)


def pattern(grid: Grid) -> Front:
    """Return a front of the grid after which new ones are made: one that opens, else a plain drawer."""
    return next((front for _, front in fronts(grid) if front.kind in MOVABLE), Front())


def made(kind: FrontKind, width: float, height: float) -> bool:
    """Say whether fronts of a kind are made in a size (m)."""
    least_width, least_height, most_width, most_height = MADE[kind]
    return least_width <= width <= most_width and least_height <= height <= most_height


def remake(front: Front, kind: FrontKind, side: Side, width: float, height: float) -> Front:
    """Return a front of another kind in the same place: handle where that kind has it, its usual opening.

    Nothing of what was seen speaks for it, so it is certain and has no evidence.
    """
    handle = grip(front.handle, kind, side, width, height)
    opening = front.opening if kind is front.kind else USUAL[kind][0]
    state = front.state if kind is front.kind else 0.0
    damping, friction = felt(front, kind, side, width, height)
    return Front(kind, side, handle, (), (), opening, state, damping, friction)


def slides(split: Split) -> bool:
    """Say whether parts of a split slide past each other: such a pair works only as it is."""
    return any(isinstance(part, Front) and part.kind is FrontKind.SLIDING for part in split.parts)


def _merge(split: Split, path: str, width: float, height: float, vary: Vary) -> Grid:
    """Make one front of two neighbours: the greater one's kind, with both their sizes."""
    sizes = cells(split, width, height)
    pairs = [i for i in range(len(sizes) - 1) if not slides(split) and _mergeable(split, sizes, i)]
    if not vary.happens("merge", path) or not pairs:
        return split
    i = vary.one_of(pairs, "merge", path)
    a, b = split.parts[i : i + 2]
    kept = a if split.sizes[i] >= split.sizes[i + 1] else b
    if len(sizes) == 2:
        return kept
    total = split.sizes[i] + split.sizes[i + 1]
    return Split(
        split.rows,
        (*split.sizes[:i], total, *split.sizes[i + 2 :]),
        (*split.parts[:i], kept, *split.parts[i + 2 :]),
    )


def _mergeable(split: Split, sizes: list[tuple[float, float]], i: int) -> bool:
    (width, height), (more_width, more_height) = sizes[i : i + 2]
    both = (width, height + more_height) if split.rows else (width + more_width, height)
    a, b = split.parts[i : i + 2]
    if not isinstance(a, Front) or not isinstance(b, Front) or {a.kind, b.kind} & {FrontKind.FIXED}:
        return False
    return made((a if split.sizes[i] >= split.sizes[i + 1] else b).kind, *both)


def _divide(front: Front, path: str, width: float, height: float, vary: Vary) -> Grid:
    """Make two fronts of one, above or beside each other; doors side by side open away from each other."""
    least_width, least_height, *_ = MADE[front.kind]
    ways = [
        rows
        for rows, room in ((True, height / least_height), (False, width / least_width))
        if room * SHARE[0] >= 1
    ]
    single = front.kind not in (FrontKind.FIXED, FrontKind.SLIDING)
    if not single or not ways or not vary.happens("divide", path):
        return front
    rows = vary.one_of(ways, "divide", path)
    share = float(vary.draw(f"{path}/divide/share").uniform(*SHARE))
    split = Split(rows, (share, 1 - share), (front, front))
    sides = (front.side, front.side) if rows or front.kind is not FrontKind.DOOR else (Side.LEFT, Side.RIGHT)
    parts = (
        remake(front, front.kind, side, *size)
        for side, size in zip(sides, cells(split, width, height), strict=True)
    )
    return replace(split, parts=tuple(parts))


def flat(split: Split) -> Split:
    """Return a split whose parts are divided the other way: rows in rows are the same as rows."""
    sizes: list[float] = []
    parts: list[Grid] = []
    for size, part in zip(split.sizes, split.parts, strict=True):
        if isinstance(part, Split) and part.rows == split.rows:
            sizes += [size * share / sum(part.sizes) for share in part.sizes]
            parts += part.parts
        else:
            sizes.append(size)
            parts.append(part)
    return Split(split.rows, tuple(sizes), tuple(parts))


def _reorder(split: Split, path: str, width: float, height: float, vary: Vary) -> Split:
    if slides(split) or not vary.happens("reorder", path):
        return split
    order = vary.draw(f"{path}/reorder/order").permutation(len(split.sizes)).tolist()
    return Split(split.rows, tuple(split.sizes[i] for i in order), tuple(split.parts[i] for i in order))


def _resize(split: Split, path: str, width: float, height: float, vary: Vary) -> Split:
    """Draw the shares anew: all equal, or each scaled."""
    if slides(split):
        return split
    if vary.happens("equal", path):
        return replace(split, sizes=(1.0,) * len(split.sizes))
    sizes = (vary.scaled(size, "sizes", f"{path}.{i}") for i, size in enumerate(split.sizes))
    return replace(split, sizes=tuple(sizes))


def _swap(front: Front, path: str, width: float, height: float, vary: Vary, pattern: Front) -> Grid:
    """Make a front another kind of those that the spread allows and a joiner makes in that size."""
    kinds = [kind for kind in allowed(vary, width, height) if kind is not front.kind]
    single = front.kind not in (FrontKind.FIXED, FrontKind.SLIDING)
    if not single or not kinds or not vary.happens("swap", path):
        return front
    kind = vary.one_of(kinds, "swap", path)
    side = vary.one_of((Side.LEFT, Side.RIGHT), "side", path)
    return fresh(pattern if front.kind is FrontKind.OPEN else front, kind, side, width, height)


def allowed(vary: Vary, width: float, height: float) -> list[FrontKind]:
    """Return the kinds that the spread allows and that are made in a size (m); two sliding doors fill it."""
    kinds = (FrontKind(name) for name in vary.chosen("kind"))
    return [kind for kind in kinds if made(kind, width / (1 + (kind is FrontKind.SLIDING)), height)]


def fresh(pattern: Front, kind: FrontKind, side: Side, width: float, height: float) -> Grid:
    """Return a new front (or pair of sliding doors) of a size (m), with the handle and feel of a pattern.

    side is a door's hinge's; other kinds have none, and of a pair each slides towards the other.
    """
    if kind is FrontKind.SLIDING:
        pair = (
            remake(pattern, kind, Side.RIGHT, width / 2, height),
            remake(pattern, kind, Side.LEFT, width / 2, height),
        )
        return Split(False, (0.5, 0.5), pair)
    return remake(pattern, kind, side if kind is FrontKind.DOOR else Side.NONE, width, height)
