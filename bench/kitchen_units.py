"""The furniture of a drawn kitchen: one style, and the base, wall and tall units that share it."""

from dataclasses import dataclass, replace

from pocketworld.families import registry
from pocketworld.families.cabinet.feasible import gripped, made
from pocketworld.families.cabinet.grips import grip
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.joints import USUAL
from pocketworld.families.cabinet.parameters import (
    MOVABLE,
    Cabinet,
    Front,
    FrontKind,
    Grid,
    HandleSpec,
    Split,
)
from pocketworld.families.cabinet.plan import field
from pocketworld.families.cabinet.regrid import map_fronts
from pocketworld.families.protocol import Draw, Refusal, Site
from pocketworld.geometry.convex import Vec3
from pocketworld.scene import Asset, HandleKind, Material, Side

FACES: tuple[Vec3, ...] = (
    (0.85, 0.85, 0.83),
    (0.75, 0.72, 0.68),
    (0.62, 0.47, 0.32),
    (0.42, 0.50, 0.55),
    (0.55, 0.62, 0.50),
    (0.66, 0.30, 0.22),
)
METALS = (
    Material((0.6, 0.6, 0.62), 0.3, 1.0),
    Material((0.05, 0.05, 0.05), 0.5),
    Material((0.7, 0.5, 0.2), 0.3, 1.0),
)
KINDS = (HandleKind.BAR, HandleKind.BOW, HandleKind.KNOB, HandleKind.CUP, HandleKind.EDGE)
HANDLES = 3  # kinds in one kitchen
FROM_END = 0.05  # m from a door's upper (of what hangs: lower) end to its handle
WIDE = 0.55  # m: a unit's face that is wider has doors in pairs
DARK = 0.03  # linear RGB of a dark front: what a phone's laser hardly sees
BLUNT = 1.5  # rad: how far a door opens that must not lean over its neighbour
TALL = 1.2  # m: fridges that are lower stand under a worktop
TRIES = 32  # draws until one is what is asked for
SLOWER = 0.1  # of a drawer's damping (N s/m) that a hinge has (N m s/rad): a hand on a lever of 0.3 m


@dataclass(frozen=True, slots=True)
class Style:
    """What all units of a kitchen share; lengths in m.

    base     height below the worktop, depth with fronts;  wall: lower edge above the floor, height, depth
    gap      between neighbouring fronts, also of two units;  handles: of three kinds, in their usual places
    growth   how much taller each drawer is than the one above;  share: of a unit that its top drawer takes
    """

    base: tuple[float, float]
    wall: tuple[float, float, float]
    tall: float
    plinth: float
    setback: float
    board: float
    front: float
    gap: float
    growth: float
    share: float
    body: Material
    face: Material
    dark: Material
    metal: Material
    handles: tuple[HandleSpec, ...]
    damping: float


@dataclass(frozen=True, slots=True)
class Draws:
    """The named streams of one kitchen."""

    draw: Draw

    def below(self, name: str) -> Draw:
        """Return the streams of one thing of it."""
        return lambda what: self.draw(f"{name}/{what}")

    def between(self, name: str, low: float, high: float) -> float:
        """Return a length, evenly between two, to the millimetre."""
        return round(float(self.draw(name).uniform(low, high)), 3)

    def pick(self, name: str, count: int) -> int:
        """Return one of 0 .. count - 1."""
        return int(self.draw(name).integers(count))

    def happens(self, name: str, p: float) -> bool:
        """Say yes with probability p."""
        return bool(self.draw(name).random() < p)

    def order(self, name: str, count: int) -> list[int]:
        """Return 0 .. count - 1 in some order."""
        return [int(i) for i in self.draw(name).permutation(count)]


def style(draws: Draws) -> Style:
    """Draw what all units of a kitchen share."""
    between = draws.between
    low, high = between("wall/low", 1.34, 1.5), between("wall/height", 0.56, 0.76)
    kinds = [KINDS[i] for i in draws.order("handles", len(KINDS))[:HANDLES]]
    level = between("dark", 0.5, 1.5) * DARK
    return Style(
        base=(between("base/height", 0.78, 0.86), between("base/depth", 0.56, 0.62)),
        wall=(low, high, between("wall/depth", 0.32, 0.38)),
        tall=round(low + high, 3),
        plinth=between("plinth", 0.08, 0.15),
        setback=between("setback", 0.03, 0.06),
        board=between("board", 0.016, 0.019),
        front=between("front", 0.016, 0.022),
        gap=between("gap", 0.002, 0.004),
        growth=between("growth", 1.15, 1.6),
        share=between("share", 0.18, 0.28),
        body=Material(FACES[draws.pick("body", 3)], between("body/rough", 0.5, 0.9)),
        face=Material(FACES[draws.pick("face", len(FACES))], between("gloss", 0.3, 0.9)),
        dark=Material((level, level, level), between("dark/gloss", 0.2, 0.7)),
        metal=METALS[draws.pick("metal", len(METALS))],
        handles=tuple(_handle(kind, draws) for kind in kinds),
        damping=between("damping", 4.0, 12.0),
    )


def _handle(kind: HandleKind, draws: Draws) -> HandleSpec:
    spec = usual(kind)
    if kind is HandleKind.KNOB:
        return spec
    return replace(spec, length=round(spec.length * (1 + draws.between(f"handle/{kind}", -0.2, 0.6)), 3))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit to be built.

    name     what stands in it, from the top: "drawers", "drawer door", "fixed door", "door"
    size     width, depth, height, m;  handle: which of the style's;  hinge: the side of a single door
    dark     has the dark face;  plinth: stands on one;  uneven: how much wider the right door of a pair is
    pretends whether its fixed front has a drawer's handle
    """

    name: str
    size: Vec3
    handle: int = 0
    hinge: Side = Side.LEFT
    dark: bool = False
    plinth: bool = True
    drawers: int = 3
    uneven: float = 1.0
    pretends: bool = False


def cabinet(unit: Unit, style: Style) -> Cabinet:
    """Return the cabinet of a unit, its handles where they pull best, its joints stiff enough to stay shut.

    Raises ValueError for a unit that can't be built: the ranges above leave none.
    """
    width, depth, height = unit.size
    p = Cabinet(
        width,
        depth,
        height,
        grid=_grid(unit, style),
        board=style.board,
        front=style.front,
        plinth=style.plinth if unit.plinth else 0.0,
        plinth_setback=style.setback,
        gap=style.gap,
        body=style.body,
        face=style.dark if unit.dark else style.face,
        metal=style.metal,
    )
    room = field(p)
    # A profile on the upper edge of what hangs is out of reach.
    kinds = [spec for spec in style.handles if unit.plinth or spec.kind is not HandleKind.EDGE]
    spec = kinds[unit.handle % len(kinds)]

    def handled(front: Front, path: str, width: float, height: float) -> Front:
        if front.kind not in MOVABLE and not unit.pretends:
            return replace(front, handle=usual(HandleKind.NONE))
        slow = SLOWER if front.kind is FrontKind.DOOR else 1.0
        handle = grip(spec, front.kind, front.side, width, height)
        if front.kind is FrontKind.DOOR and spec.kind is not HandleKind.EDGE:
            handle = replace(handle, v=_reach(handle, height, unit.plinth))
        return replace(front, handle=handle, damping=style.damping * slow)

    out = made(gripped(replace(p, grid=map_fronts(p.grid, handled, room.width, room.height))))
    if isinstance(out, Refusal):
        raise ValueError(f"{unit} can't be: {out}")
    return out[0]


def _reach(handle: HandleSpec, height: float, stands: bool) -> float:
    """Return how high a door's handle sits, as a share of its height: near the end that one reaches first."""
    from_end = (handle.length if handle.vertical else handle.thickness) / 2 + FROM_END
    share = min(from_end / height, 0.5)
    return 1 - share if stands else share


def _grid(unit: Unit, style: Style) -> Grid:
    rows: list[tuple[float, Grid]] = []
    for word in unit.name.split():
        left = 1.0 - sum(size for size, _ in rows)
        if word == "drawers":
            sizes = [style.growth**i for i in range(unit.drawers)]
            rows += [(left * size / sum(sizes), _front(FrontKind.DRAWER, unit)) for size in sizes]
        elif word == "door":
            rows.append((left, _doors(unit)))
        else:
            kind = {"drawer": FrontKind.DRAWER, "fixed": FrontKind.FIXED}[word]
            rows.append((style.share, _front(kind, unit)))
    return _split(True, rows)


def _doors(unit: Unit) -> Grid:
    if unit.size[0] <= WIDE:
        return _front(FrontKind.DOOR, unit)
    pair = (replace(unit, hinge=side) for side in (Side.LEFT, Side.RIGHT))
    return _split(
        False, list(zip((1.0, unit.uneven), (_front(FrontKind.DOOR, u) for u in pair), strict=True))
    )


def _split(rows: bool, parts: list[tuple[float, Grid]]) -> Grid:
    if len(parts) == 1:
        return parts[0][1]
    return Split(rows, tuple(size for size, _ in parts), tuple(part for _, part in parts))


def _front(kind: FrontKind, unit: Unit) -> Front:
    if kind is FrontKind.DOOR:
        return Front(kind, unit.hinge, opening=BLUNT)
    return Front(kind, opening=USUAL[kind][0])


def oven(draws: Draws, style: Style) -> Asset:
    """Return an oven on the units' plinth, as high and deep as they are."""
    height, depth = style.base
    family = registry.family("oven")
    p = family.sample(draws.below("oven"), Site((0.6, depth, height), above=True))
    p = replace(p, height=height, depth=depth, plinth=style.plinth)
    return family.build(p, "oven")


def fridge(draws: Draws) -> Asset:
    """Return a fridge that is higher than a worktop."""
    family, site = registry.family("fridge"), Site((0.7, 0.68, 2.05), wall_behind=True)
    found = (family.sample(draws.below(f"fridge/{i}"), site) for i in range(TRIES))
    p = next(p for p in found if p.height > TALL)
    fronts = tuple(
        replace(f, opening=min(f.opening, BLUNT)) if f.kind is FrontKind.DOOR else f for f in p.fronts
    )
    return family.build(replace(p, fronts=fronts), "fridge")
