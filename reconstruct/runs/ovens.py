"""Ovens under a worktop: a door with a dark window in it, a bar above that, perhaps a panel and a drawer."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pocketworld.families.cabinet.handles import fitted
from pocketworld.families.cabinet.joints import USUAL
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, HandleSpec
from pocketworld.families.oven import BAR, DOOR, NO_HANDLE, Oven
from pocketworld.families.protocol import Elevation, Line, SeenHandle
from pocketworld.reconstruct.fronts import cabinets
from pocketworld.reconstruct.fronts.belief import BOTTOM, DRAWER, FIXED, LEFT, RIGHT, Kind, believe
from pocketworld.reconstruct.fronts.colours import middle, painted
from pocketworld.reconstruct.fronts.grammar import STRIP, Cell, Cut, Tree, bounds, explain
from pocketworld.reconstruct.fronts.panes import Pane, pane
from pocketworld.reconstruct.runs.appliances import UNSEEN_HANDLE, Rival, mixed, probability
from pocketworld.reconstruct.runs.units import Hull
from pocketworld.scene import HandleKind

OVEN = 0.08  # of base units; most kitchens have one, many of them under the hob
NICHES, OFF, SOLD = (0.45, 0.50, 0.60, 0.90), 0.015, 0.90  # m: widths on sale, how far off; share of them
OTHERS = 2.0  # per m: how densely the widths of cabinets lie
KINDS: dict[Kind, float] = {BOTTOM: 0.965, LEFT: 0.01, RIGHT: 0.01, DRAWER: 0.01, FIXED: 0.005}
"""Nearly all ovens' doors open downwards; a few open to a side, and carriages were pulled out."""
PANEL: dict[Kind, float] = {FIXED: 1.0}
ABOVE = 0.06  # m over a window: its edge, the handle and their shadows, all of the door
BELOW = 0.03  # m under it
HIGHEST = 0.25  # m: panels are lower
LOWEST = 0.12  # m: drawers are higher
KNOBS = 12  # a family's most
WIDEST = 0.92  # of a door that a bar may span


def oven(seen: Elevation, hull: Hull) -> Rival | None:
    """Return the oven that a unit's front may be; None where no window shows.

    seen   its front, from where it was read up, with all handles that may be: its own is of another make
    """
    window = pane(seen)
    if window is None:
        return None
    layouts = explain(seen.width, seen.height, _lines(seen, window), _bars(seen, window))
    lead = layouts[0].score + window.earned - _as_cabinet(seen, window)
    p = probability(OVEN, lead, _usual(seen.width))
    rows = _rows(layouts[0].tree, window, hull)
    why = f"a dark window {window.right - window.left:.2f} m wide in a door, {lead:.0f} nats more than fronts"
    return Rival("oven", p, ((1.0, _oven(seen, hull, window, rows, p)),), why)


def _usual(width: float) -> float:
    """Return the log-odds of a width for ovens against cabinets."""
    bells = [math.exp(-(((width - niche) / OFF) ** 2) / 2) for niche in NICHES]
    dense = SOLD * sum(bells) / (len(NICHES) * OFF * math.sqrt(2 * math.pi)) + (1 - SOLD)
    return math.log(dense / OTHERS)


def _lines(seen: Elevation, window: Pane) -> tuple[Line, ...]:
    """Return the lines that may part an oven's fronts: level ones, none of its window or its handle."""
    return tuple(
        line
        for line in seen.lines
        if not line.vertical and not window.low - BELOW < line.at < window.high + ABOVE
    )


def _as_cabinet(seen: Elevation, window: Pane) -> float:
    """Return what a cabinet's fronts explain of it, nats.

    A bar, its feet and shadow have several edges about the window's upper one: they are no fronts' either.
    """
    about = [
        line
        for line in seen.lines
        if not line.vertical and window.high - BELOW < line.at < window.high + ABOVE
    ]
    best = max(about, key=lambda line: line.score * (line.end - line.start), default=None)
    lines = [line for line in seen.lines if line is best or line not in about]
    return explain(seen.width, seen.height, lines, _bars(seen, window))[0].score


def _bars(seen: Elevation, window: Pane) -> tuple[SeenHandle, ...]:
    """Return the handle of an oven's door, if one was seen: the surest bar about its window's upper edge."""
    near = [
        h
        for h in seen.handles
        if not h.vertical
        and h.kind is not HandleKind.KNOB
        and (window.low + window.high) / 2 < h.v < window.high + HIGHEST / 2
    ]
    return tuple(sorted(near, key=lambda h: -h.score * h.length)[:1])


def _rows(tree: Tree, window: Pane, hull: Hull) -> tuple[float, float]:
    """Return where the door begins and ends, m over where the front was read."""
    low, high = hull.below, hull.size[2] - hull.low
    rows = [bounds(part) for part in tree.parts] if isinstance(tree, Cut) and tree.rows else [bounds(tree)]
    middle = (window.low + window.high) / 2
    door = next((row for row in rows if row.v0 <= middle < row.v1), bounds(tree))
    v0 = door.v0 if door.v0 - low > LOWEST else low
    v1 = door.v1 if STRIP < high - door.v1 < HIGHEST else high
    return v0, v1


def _oven(seen: Elevation, hull: Hull, window: Pane, door: tuple[float, float], p: float) -> Oven:
    """Return the oven whose door begins and ends there."""
    width, depth, height = hull.size
    ends = ((door[1], height - hull.low, PANEL), (*door, KINDS), (hull.below, door[0], {DRAWER: 1.0}))
    rows = [(Cell(0.0, v0, width, v1), kinds) for v0, v1, kinds in ends if v1 > v0]
    made = Oven(
        width - cabinets.GAP,
        depth,
        height,
        tuple(_front(seen, window, cell, kinds, p) for cell, kinds in rows),
        plinth=hull.low + hull.below,
        sigma=cabinets.EDGE,
    )
    knobs = sum(h.v > door[1] and h.kind is HandleKind.KNOB for h in seen.handles)
    heights = tuple(cell.height - made.gap for cell, _ in rows)
    return _painted(replace(made, heights=heights, knobs=min(KNOBS, knobs)), seen, window)


def _front(seen: Elevation, window: Pane, cell: Cell, kinds: Mapping[Kind, float], p: float) -> Front:
    """Return a front of an oven: of these kinds, so far (p) as it is one."""
    within = tuple(h for h in seen.handles if cell.v0 <= h.v < cell.v1)
    other = believe(replace(cell, handles=within), False, 0.0)
    guess = mixed(p, kinds, other, "look: a dark window, as of an oven")
    bar = next((h for h in _bars(seen, window) if cell.v0 <= h.v < cell.v1), None)
    handle = NO_HANDLE if guess.kind is FrontKind.FIXED else _handle(bar, cell)
    usual = (UNSEEN_HANDLE,) if bar is None and handle.kind is not HandleKind.NONE else ()
    door = guess.kind is FrontKind.DOOR
    opening, damping = (DOOR.opening, DOOR.damping) if door else (USUAL[guess.kind][0], Front().damping)
    evidence = (*guess.evidence, *usual)
    return Front(guess.kind, guess.side, handle, guess.chances, evidence, opening, damping=damping)


def _painted(made: Oven, seen: Elevation, window: Pane) -> Oven:
    """Return an oven with the colours of its handle and of the door around its window."""
    looks = painted(Cabinet(made.width, made.depth, made.height), (seen,))
    assert isinstance(looks, Cabinet)
    colour = _around(seen, window)
    face = made.face if colour is None else replace(made.face, colour=colour)
    return replace(made, face=face, metal=looks.metal)


def _handle(bar: SeenHandle | None, cell: Cell) -> HandleSpec:
    """Return the handle of a door: as it was seen, or a usual bar in its usual place."""
    width, height = cell.width, cell.height
    usual = replace(BAR, length=0.7 * width)
    if bar is None:
        return fitted(usual, width, height)
    length = min(max(bar.length, width / 3), WIDEST * width)
    return fitted(replace(usual, v=(bar.v - cell.v0) / height, length=length), width, height)


def _around(seen: Elevation, window: Pane) -> tuple[float, float, float] | None:
    """Return the median colour of a door around its window, as linear RGB."""
    assert seen.colour is not None
    rows, columns = (np.arange(n) * seen.pixel for n in seen.colour.shape[:2])
    inside = ((seen.height - rows > window.low) & (seen.height - rows < window.high))[:, None]
    inside = inside & ((columns > window.left) & (columns < window.right))
    own = seen.colour[~inside & seen.colour.any(2)]
    return middle(own) if len(own) else None
