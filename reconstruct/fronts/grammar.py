"""Lines and handles of one face explained by a recursive grid of rows and columns.

Of all ways to cut the face along detected lines, from edge to edge of a rectangle each time (guillotine
cuts), the likeliest are kept: each cut earns what its lines support and pays for what it does not, each cell
pays for what it holds. Sizes have no say: fronts of a cabinet need not be equal. The weights are log-odds by
judgement, in nats; a benchmark with known truth is to measure them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pocketworld.families.protocol import Line, SeenHandle

SAME = 0.006  # m: lines nearer than this are one
MOST = 10  # lines in each direction; the best supported are kept
KEPT = 4  # explanations of a rectangle that are followed up
# A line earns this much a metre where it is seen all along, nothing where it is seen along PARTIAL of the
# way; each cut costs as much as a straight edge of less than 10 cm earns.
EARNS = 40.0
PARTIAL = 0.6
CUT = 3.0
STRIP = 0.035  # m: narrower than any front; boards' edges, plates and plinths
NARROWEST = 0.04  # m: a front with a handle
COST = {"strip": 1.0, "front": 1.0, "panel": 4.0, "pair": 3.0, "crowd": 8.0, "squeezed": 8.0}
CROSSED = 2.0  # times the surprise that a handle is none: a gap through one makes it so
PAIRED = 0.5  # m: drawers wider than this may have two handles


@dataclass(frozen=True, slots=True)
class Cell:
    """A rectangle that is not divided further: m from the face's lower left corner, and the handles in it."""

    u0: float
    v0: float
    u1: float
    v1: float
    handles: tuple[SeenHandle, ...] = ()

    @property
    def width(self) -> float:
        """Return the width, m."""
        return self.u1 - self.u0

    @property
    def height(self) -> float:
        """Return the height, m."""
        return self.v1 - self.v0


@dataclass(frozen=True, slots=True)
class Cut:
    """A rectangle divided into rows, from the top down, or columns, from the left."""

    rows: bool
    parts: tuple["Tree", ...]


Tree = Cell | Cut


@dataclass(frozen=True, slots=True)
class Layout:
    """One explanation of a face, how probable it is among those that were found, and its score in nats."""

    p: float
    tree: Tree
    score: float = 0.0


def cells(tree: Tree) -> Iterator[Cell]:
    """Go through the cells, rows from the top down, columns from the left."""
    if isinstance(tree, Cell):
        yield tree
        return
    for part in tree.parts:
        yield from cells(part)


def bounds(tree: Tree) -> Cell:
    """Return the rectangle that a tree divides."""
    all_cells = list(cells(tree))
    return Cell(
        min(c.u0 for c in all_cells),
        min(c.v0 for c in all_cells),
        max(c.u1 for c in all_cells),
        max(c.v1 for c in all_cells),
    )


def explain(
    width: float, height: float, lines: Sequence[Line], handles: Sequence[SeenHandle]
) -> tuple[Layout, ...]:
    """Return the likeliest divisions of a face of a size (m), the best first; probabilities sum to 1."""
    best = _Search(width, height, lines, tuple(handles)).whole()
    scores = np.array([score for score, _ in best])
    weights = np.exp(scores - scores.max())
    return tuple(
        Layout(float(w / weights.sum()), tree, score) for w, (score, tree) in zip(weights, best, strict=True)
    )


class _Search:
    """Finds the best trees of each rectangle between lines, each once (dynamic programming)."""

    def __init__(
        self, width: float, height: float, lines: Sequence[Line], handles: tuple[SeenHandle, ...]
    ) -> None:
        self.handles = handles
        self.across = _grouped([line for line in lines if line.vertical], width)
        self.up = _grouped([line for line in lines if not line.vertical], height)
        self.u = [0.0, *(_place(group) for group in self.across), width]
        self.v = [0.0, *(_place(group) for group in self.up), height]
        self.best = lru_cache(maxsize=None)(self._best)

    def whole(self) -> list[tuple[float, Tree]]:
        """Return the best explanations of the whole face: score and tree."""
        every = self.best(0, 0, len(self.u) - 1, len(self.v) - 1, True, True)
        return list(every[:KEPT])

    def _best(
        self, i0: int, j0: int, i1: int, j1: int, rows: bool, columns: bool
    ) -> tuple[tuple[float, Tree], ...]:
        """Return the best trees of a rectangle; rows, columns: whether it may be cut so."""
        cell = self._cell(i0, j0, i1, j1)
        options: list[tuple[float, Tree]] = [(-_cost(cell), cell)]
        if rows:
            for j in range(j0 + 1, j1):
                gain = self._gain(False, j, self.u[i0], self.u[i1])
                first = self.best(i0, j, i1, j1, False, True)
                options += _joined(True, gain, first, self.best(i0, j0, i1, j, True, True))
        if columns:
            for i in range(i0 + 1, i1):
                gain = self._gain(True, i, self.v[j0], self.v[j1])
                first = self.best(i0, j0, i, j1, True, False)
                options += _joined(False, gain, first, self.best(i, j0, i1, j1, True, True))
        return tuple(sorted(options, key=lambda option: -option[0])[:KEPT])

    def _cell(self, i0: int, j0: int, i1: int, j1: int) -> Cell:
        u0, v0, u1, v1 = self.u[i0], self.v[j0], self.u[i1], self.v[j1]
        inside = [h for h in self.handles if u0 <= h.u < u1 and v0 <= h.v < v1]
        # What a cut goes through the middle of was paid for as false.
        cuts = [(u0, True), (u1, True), (v0, False), (v1, False)]
        mine = tuple(h for h in inside if not any(_through(h, at, upright) for at, upright in cuts))
        return Cell(u0, v0, u1, v1, mine)

    def _gain(self, vertical: bool, number: int, start: float, end: float) -> float:
        """Return what lines and handles say for a cut: minus infinity through a sure handle."""
        group = (self.across if vertical else self.up)[number - 1]
        at = _place(group)
        along = [h for h in self.handles if start < (h.v if vertical else h.u) < end]
        crossed = [h for h in along if _through(h, at, vertical)]
        if any(h.score >= 1 for h in crossed):
            return -math.inf
        seen = sum(_overlap(line, start, end) * line.score for line in group)
        earned = EARNS * (min(seen, end - start) - PARTIAL * (end - start)) / (1 - PARTIAL)
        return earned - CUT + CROSSED * sum(math.log(1 - h.score) for h in crossed)


def _through(handle: SeenHandle, at: float, vertical: bool) -> bool:
    """Say whether an upright (or level) cut at a place goes through the middle half of a handle."""
    half = (handle.thickness if handle.vertical == vertical else handle.length) / 2
    return abs((handle.u if vertical else handle.v) - at) < half / 2


def _joined(
    rows: bool, gain: float, first: tuple[tuple[float, Tree], ...], rest: tuple[tuple[float, Tree], ...]
) -> list[tuple[float, Tree]]:
    """Return the trees that a cut makes of its two sides; what is cut the same way again becomes one cut."""
    if gain == -math.inf:
        return []
    out: list[tuple[float, Tree]] = []
    for a, one in first:
        for b, other in rest:
            more = other.parts if isinstance(other, Cut) and other.rows == rows else (other,)
            out.append((gain + a + b, Cut(rows, (one, *more))))
    return out


def _grouped(lines: Sequence[Line], end: float) -> list[list[Line]]:
    """Return the lines in groups that lie at one place, in order; those that are seen along most, if there
    are many.
    """
    groups: list[list[Line]] = []
    for line in sorted(
        (each for each in lines if SAME / 2 < each.at < end - SAME / 2), key=lambda each: each.at
    ):
        if groups and line.at - _place(groups[-1]) < SAME:
            groups[-1].append(line)
        else:
            groups.append([line])
    strongest = sorted(groups, key=lambda g: -sum(each.score * (each.end - each.start) for each in g))[:MOST]
    return sorted(strongest, key=_place)


def _place(group: Sequence[Line]) -> float:
    """Return where a group of lines lies, the longest counting most."""
    return float(
        np.average(
            [each.at for each in group], weights=[each.score * (each.end - each.start) for each in group]
        )
    )


def _overlap(line: Line, start: float, end: float) -> float:
    return max(0.0, min(line.end, end) - max(line.start, start))


def _cost(cell: Cell) -> float:
    """Return what a cell costs by what it holds."""
    least, count = min(cell.width, cell.height), len(cell.handles)
    if count == 0:
        return COST["strip"] if least < STRIP else COST["panel"]
    if least < NARROWEST:
        return COST["squeezed"] * count
    if count == 1:
        return COST["front"]
    level = count == 2 and abs(cell.handles[0].v - cell.handles[1].v) < STRIP and cell.width > PAIRED
    return COST["pair"] if level else COST["crowd"] * (count - 1)
