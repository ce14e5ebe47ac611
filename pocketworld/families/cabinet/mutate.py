"""A cabinet mutated: drawn from what is believed of it, then varied on purpose, or refused with a reason."""

import math
from dataclasses import replace

from pocketworld.families.cabinet.doubt import doubt
from pocketworld.families.cabinet.feasible import gripped, made, refusal, unreachable
from pocketworld.families.cabinet.grips import grip
from pocketworld.families.cabinet.handles import fitted, usual
from pocketworld.families.cabinet.looks import paint
from pocketworld.families.cabinet.parameters import MOVABLE, Cabinet, Front, FrontKind, Split
from pocketworld.families.cabinet.plan import field
from pocketworld.families.cabinet.regrid import allowed, flat, fresh, map_fronts, pattern, regrid, sized
from pocketworld.families.protocol import Draw, Refusal, Spread
from pocketworld.families.vary import Vary
from pocketworld.scene import HandleKind, Side

WIDEST = Spread(
    scale={
        "width": 0.5,
        "depth": 0.5,
        "height": 0.5,
        "sizes": 0.8,
        "board": 0.3,
        "front": 0.3,
        "density": 0.5,
        "damping": 2.0,
        "friction": 2.0,
        "handle_length": 0.5,
        "handle_thickness": 0.4,
        "handle_standoff": 0.4,
    },
    shift={
        "gap": 0.002,
        "plinth": 0.1,
        "opening": 0.3,
        "swing": 0.8,
        "handle_across": 0.2,
        "handle_up": 0.2,
        "hue": 0.5,
        "saturation": 0.5,
        "value": 0.5,
        "roughness": 0.4,
    },
    choices={
        "kind": ("drawer", "door", "sliding", "open"),
        "handle": tuple(kind.value for kind in HandleKind),
        "base": ("plinth", "feet", "floor"),
        "mount": ("overlay", "inset"),
    },
    chance=dict.fromkeys(
        ("merge", "divide", "column", "reorder", "equal", "swap", "handle", "base", "mount"), 1.0
    ),
)
"""Every word that a cabinet's spread may use, and how far each may go.

scale    width depth height, board front (thickness), density; sizes: of rows and columns; damping friction;
         handle_*
shift    gap plinth (m), opening (share), swing (rad, doors), handle_across handle_up (m), hue (turns)
         saturation value roughness
choices  kind: of fronts that swap or are added; handle, base, mount
chance   merge divide reorder equal swap: per split or front; column handle base mount: per cabinet
"""

NARROWEST = 0.001  # m: a gap below which fronts on sale would touch
LOWEST = 0.005  # m: a plinth below which there is none
STAND = {"plinth": (0.05, 0.12), "feet": (0.04, 0.15)}  # m, as on sale
COLUMN = (0.6, 1.0)  # width of an added column, of the present width
SWING = (0.9, math.radians(120))  # rad that a door opens, least and most: what hinges on sale allow
SHARE = (0.3, 0.9)  # of the depth inside, or of a sliding door's width


def mutate(p: Cabinet, spread: Spread, draw: Draw) -> Cabinet | Refusal:
    """Return another cabinet of the same function, or why the one that was drawn can't be.

    With `spread.doubt` it is first drawn from the belief (`doubt`). What the spread does not name stays.
    Friction never falls below what holds a part still in a cabinet that leans (`feasible.made`).
    """
    known = doubt(p, draw) if spread.doubt else p
    if not (spread.scale or spread.shift or spread.chance):
        found = made(known)
        return found if isinstance(found, Refusal) else found[0]
    vary = Vary(spread, draw)
    out = _outer(known, vary)
    out = replace(out, grid=regrid(out.grid, field(out).width, field(out).height, vary))
    out = paint(_handles(_column(out, vary), vary), vary)
    if why := refusal(out, known):
        return why
    found = made(_motion(gripped(out), vary))
    return found if isinstance(found, Refusal) else unreachable(found[1]) or found[0]


def outline(p: Cabinet, spread: Spread, draw: Draw) -> Cabinet:
    """Return a cabinet with the outer size that `mutate` gives it, should it be possible: its fronts are not
    looked at.
    """
    vary = Vary(spread, draw)
    return _column(_outer(doubt(p, draw) if spread.doubt else p, vary), vary)


def _outer(p: Cabinet, vary: Vary) -> Cabinet:
    """Draw the outer size, thicknesses, gap and density, what it stands on, how fronts sit."""
    p = replace(
        p,
        width=vary.scaled(p.width, "width"),
        depth=vary.scaled(p.depth, "depth"),
        height=vary.scaled(p.height, "height"),
        board=vary.scaled(p.board, "board"),
        front=vary.scaled(p.front, "front"),
        density=vary.scaled(p.density, "density"),
        gap=max(vary.shifted(p.gap, "gap"), min(p.gap, NARROWEST)),
    )
    if p.plinth:
        plinth = vary.shifted(p.plinth, "plinth")
        plinth = plinth if plinth >= min(p.plinth, LOWEST) else 0.0
        p = replace(p, plinth=plinth, height=p.height + plinth - p.plinth)
    if vary.happens("mount") and vary.chosen("mount"):
        p = replace(p, overlay=vary.one_of(vary.chosen("mount"), "mount") == "overlay")
    return _base(p, vary)


def _base(p: Cabinet, vary: Vary) -> Cabinet:
    """Draw what it stands on; the fronts keep their size, the height follows."""
    if not vary.happens("base") or not vary.chosen("base"):
        return p
    kind = vary.one_of(vary.chosen("base"), "base")
    tall = float(vary.draw("base/height").uniform(*STAND[kind])) if kind in STAND else 0.0
    height = p.height - p.plinth - p.feet + tall
    return replace(p, plinth=tall * (kind == "plinth"), feet=tall * (kind == "feet"), height=height)


def _column(p: Cabinet, vary: Vary) -> Cabinet:
    """Add a further column at one side; the cabinet becomes wider by it."""
    if not vary.happens("column"):
        return p
    share = float(vary.draw("column/width").uniform(*COLUMN))
    size = share * field(p).width, field(p).height
    kinds = allowed(vary, *size)
    if not kinds:
        return p
    left = vary.one_of((True, False), "column/left")
    kind = vary.one_of(kinds, "column")
    added = fresh(pattern(p.grid), kind, Side.LEFT if left else Side.RIGHT, *size)
    parts, sizes = ((added, p.grid), (share, 1.0)) if left else ((p.grid, added), (1.0, share))
    return replace(p, width=p.width * (1 + share), grid=flat(Split(False, sizes, parts)))


def _handles(p: Cabinet, vary: Vary) -> Cabinet:
    """Draw the kind of all handles, their size, and how far they sit from their usual place.

    A panel that never opens keeps what it has: nothing there is taken hold of.
    """
    kinds = _kinds(p, vary)
    new = usual(vary.one_of(kinds, "handle")) if kinds and vary.happens("handle") else None
    across, up = vary.shifted(0.0, "handle_across"), vary.shifted(0.0, "handle_up")

    def change(front: Front, path: str, width: float, height: float) -> Front:
        if front.kind not in MOVABLE or (front.handle.kind is HandleKind.NONE and new is None):
            return front
        handle = grip(new, front.kind, front.side, width, height) if new else front.handle
        handle = replace(
            handle,
            u=handle.u + across / width,
            v=handle.v + up / height,
            length=vary.scaled(handle.length, "handle_length"),
            thickness=vary.scaled(handle.thickness, "handle_thickness"),
            standoff=vary.scaled(handle.standoff, "handle_standoff"),
        )
        return replace(front, handle=handle)

    return replace(p, grid=map_fronts(p.grid, change, field(p).width, field(p).height))


def _kinds(p: Cabinet, vary: Vary) -> list[HandleKind]:
    """Return the kinds of handle allowed that every front that opens has room for; all, if there is none."""
    kinds = [HandleKind(name) for name in vary.chosen("handle")]
    room = [
        (front, width - p.gap, height - p.gap)
        for front, width, height in sized(p.grid, field(p).width, field(p).height)
        if front.kind in MOVABLE
    ]
    fitting = [
        kind
        for kind in kinds
        if all(fitted(grip(usual(kind), f.kind, f.side, *size), *size).kind is kind for f, *size in room)
    ]
    return fitting or kinds


def _motion(p: Cabinet, vary: Vary) -> Cabinet:
    """Draw how far and how hard the fronts open."""

    def change(front: Front, path: str, width: float, height: float) -> Front:
        if front.kind not in MOVABLE:
            return front
        if front.kind is FrontKind.DOOR:
            opening = _between(vary.shifted(front.opening, "swing", path), front.opening, *SWING)
        else:
            opening = _between(vary.shifted(front.opening, "opening", path), front.opening, *SHARE)
        damping = vary.scaled(front.damping, "damping", path)
        friction = vary.scaled(front.friction, "friction", path)
        return replace(front, opening=opening, damping=damping, friction=friction)

    return replace(p, grid=map_fronts(p.grid, change, field(p).width, field(p).height))


def _between(value: float, old: float, low: float, high: float) -> float:
    """Return a drawn value inside usual limits, which an old one may already have left."""
    return min(max(value, min(low, old)), max(high, old))
