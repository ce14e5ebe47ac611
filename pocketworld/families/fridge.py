"""A fridge: an insulated box with a door, or with several and drawers above each other."""

import math
from dataclasses import dataclass, replace

from pocketworld.errors import PocketworldError
from pocketworld.families.appliance import ApplianceFamily, attempt, grid
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, HandleSpec
from pocketworld.families.protocol import Draw, Site
from pocketworld.scene import HandleKind, Material, Side

WHITE = Material((0.86, 0.87, 0.87), 0.35)
STEEL = Material((0.55, 0.56, 0.57), 0.35, 0.8)
METAL = Material((0.6, 0.6, 0.62), 0.3, 1.0)
DOOR = Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.BAR, 0.92, 0.5, True), opening=1.8, damping=0.6)
FREEZER = Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR), opening=0.7)
WIDTHS = (0.54, 0.56, 0.595, 0.60, 0.70)
"""m: 600 mm is the module of kitchens (EN 1116), the others are free-standing ones on sale."""
DEPTH = (0.58, 0.68)
"""m, doors included, handles not."""
COLOURS = (WHITE, STEEL, Material((0.05, 0.05, 0.055), 0.35), Material((0.55, 0.10, 0.08), 0.3))
TRIES = 16
"""Draws of sizes and handles before a place counts as too small."""


@dataclass(frozen=True, slots=True)
class Fridge:
    """A fridge with or without a freezer; lengths in m, outer size without handles.

    width, depth, height   outer size, from the floor, with doors
    fronts                 from the top: doors and freezer drawers, as a cabinet's (chances, handle, state)
    heights                of these, before they are scaled to fill the front
    wall, door             thickness of the insulated walls and of the doors
    feet                   height of its feet;  gap: between doors
    density                of walls and doors, kg/m³: foam between sheets
    body, face, metal      looks of the walls (inside too), of the doors, of handles
    sigma                  how sure the fronts' edges are
    """

    width: float
    depth: float
    height: float
    fronts: tuple[Front, ...] = (DOOR,)
    heights: tuple[float, ...] = (1.0,)
    wall: float = 0.045
    door: float = 0.055
    feet: float = 0.015
    gap: float = 0.008
    density: float = 230.0
    body: Material = WHITE
    face: Material = WHITE
    metal: Material = METAL
    sigma: float = 0.0


@dataclass(frozen=True, slots=True)
class Form:
    """A sort of fridge: outer heights on sale, m; its fronts from the top; the first one's share of them."""

    height: tuple[float, float]
    fronts: tuple[Front, ...]
    first: tuple[float, float] = (1.0, 1.0)


FORMS = (
    Form((0.82, 0.88), (DOOR,)),
    Form((1.4, 1.9), (DOOR,)),
    Form((1.4, 1.8), (DOOR, DOOR), (0.25, 0.32)),
    Form((1.7, 2.03), (DOOR, DOOR), (0.55, 0.68)),
    Form((1.7, 2.03), (DOOR, FREEZER, FREEZER), (0.58, 0.68)),
)
"""Under a worktop (820 to 870 mm), tall, freezer on top, freezer below, freezer of drawers."""


class FridgeFamily(ApplianceFamily[Fridge]):
    """Fridges and freezers, free-standing (`pocketworld.families.protocol.Family`)."""

    name = "fridge"
    parameters = Fridge
    plain = Fridge(0.6, 0.6, 1.8)

    def box(self, p: Fridge) -> Cabinet:
        """Return the cabinet that has the fridge's walls and fronts."""
        return Cabinet(
            p.width,
            p.depth,
            p.height,
            grid(self.name, p.fronts, p.heights),
            board=p.wall,
            front=p.door,
            back=p.wall,
            feet=p.feet,
            gap=p.gap,
            density=p.density,
            body=p.body,
            face=p.face,
            metal=p.metal,
            sigma=p.sigma,
        )

    def sample(self, draw: Draw, site: Site) -> Fridge:
        """Return a fridge that fits the free box of a site; PocketworldError where none of many does."""
        for i in range(TRIES):
            form = FORMS[int(draw(f"{i}/form").integers(len(FORMS)))]
            p = _drawn(form, attempt(draw, i), site)
            if p is not None and (out := self.held(p, _handle(attempt(draw, i), p.height))):
                return out
        raise PocketworldError(
            f"no fridge fits into {' x '.join(f'{side:.3g}' for side in site.free)} m", "leave it more room"
        )


def _drawn(form: Form, draw: Draw, site: Site) -> Fridge | None:
    """Return a fridge of a form, or None where the place is too small for it."""
    widths = [w for w in WIDTHS if w <= site.free[0]]
    if not widths or site.free[1] < DEPTH[0] or site.free[2] < form.height[0]:
        return None
    side = (Side.LEFT, Side.RIGHT)[int(draw("side").integers(2))]
    fronts = tuple(replace(f, side=side) if f.kind is FrontKind.DOOR else f for f in form.fronts)
    first, rest = float(draw("share").uniform(*form.first)), len(fronts) - 1
    look = COLOURS[int(draw("colour").choice(len(COLOURS), p=(0.5, 0.35, 0.1, 0.05)))]
    opening = float(draw("opening").uniform(1.5, 2.0))
    return Fridge(
        widths[int(draw("width").integers(len(widths)))],
        float(draw("depth").uniform(DEPTH[0], min(DEPTH[1], site.free[1]))),
        float(draw("height").uniform(form.height[0], min(form.height[1], site.free[2]))),
        tuple(replace(f, opening=opening) if f.kind is FrontKind.DOOR else f for f in fronts),
        (first, *(((1 - first) / rest,) * rest if rest else ())),
        wall=float(draw("wall").uniform(0.035, 0.06)),
        door=float(draw("door").uniform(0.045, 0.065)),
        feet=float(draw("feet").uniform(0.01, 0.03)),
        gap=float(draw("gap").uniform(0.005, 0.012)),
        body=WHITE,
        face=look,
        metal=METAL if float(draw("metal").random()) < 0.7 else replace(look, metallic=0.0),
    )


def _handle(draw: Draw, height: float) -> HandleSpec:
    """Return a handle that fridges have: a bar or bow as long as a forearm, or a profile on the edge."""
    kinds = (HandleKind.BAR, HandleKind.BOW, HandleKind.EDGE)
    spec = usual(kinds[int(draw("handle").choice(3, p=(0.6, 0.25, 0.15)))])
    length = math.exp(float(draw("handle/length").uniform(math.log(0.2), math.log(0.5))))
    return replace(spec, length=min(length, 0.4 * height), thickness=0.016, standoff=0.045)
