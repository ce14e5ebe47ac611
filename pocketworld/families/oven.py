"""An oven: a hot box with a glass door hinged below, built into a unit or standing by itself as a cooker."""

from dataclasses import dataclass, replace

from pocketworld.errors import PocketworldError
from pocketworld.families.appliance import ApplianceFamily, added, attempt, grid
from pocketworld.families.cabinet.carcass import SHELF_BACK, SHELF_EVERY, upright
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.joints import face_y
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.families.cabinet.plan import Cell, Plan, Rect, plan
from pocketworld.families.protocol import Draw, Site
from pocketworld.geometry.convex import span
from pocketworld.geometry.solids import Triangles, boxes, merge, prism
from pocketworld.scene import Asset, HandleKind, Material, Part, Side

STEEL = Material((0.55, 0.56, 0.57), 0.35, 0.8)
BLACK = Material((0.03, 0.03, 0.033), 0.25)
GLASS = Material((0.02, 0.022, 0.025), 0.08)
ENAMEL = Material((0.08, 0.08, 0.085), 0.5)
WHITE = Material((0.86, 0.87, 0.87), 0.35)
CHROME = Material((0.7, 0.7, 0.72), 0.2, 1.0)
BAR = replace(usual(HandleKind.BAR, 0.5, 0.9), length=0.42, thickness=0.016, standoff=0.045)
NO_HANDLE = usual(HandleKind.NONE)
DOOR = Front(FrontKind.DOOR, Side.BOTTOM, BAR, opening=1.5, damping=1.5)
DRAWER = Front(FrontKind.DRAWER, Side.NONE, BAR, opening=0.7)
PANEL = Front(FrontKind.FIXED, Side.NONE, NO_HANDLE, opening=0.0)
BORDER = 0.05
"""m of the door around its window; above and below it is half as much again."""
PROUD = 0.0008
"""How far a window lies before the door that it is drawn on, m: enough for it to be seen."""
KNOB, REACH = 0.021, 0.022
"""Radius of a knob, and how far it stands out, m."""
RACK, ROD = 0.006, 0.002
"""Thickness of the space that a rack takes, and half the thickness of its rods, m."""
RACK_DENSITY, KNOB_DENSITY = 900.0, 1200.0
"""kg/m³: rods of steel with air between (about 1 kg a rack), and plastics."""
RODS = 9
LEAST_CAVITY = 0.15
"""m: lower ones, such as that behind a panel, hold no rack."""
NICHE = (0.595, 0.56, 0.595)
"""Width, depth, height of ovens built into the 600 mm module, m (EN 1116); compact ones are lower."""
COMPACT = 0.455
COOKERS = {"width": (0.50, 0.60), "depth": (0.60,), "height": (0.85, 0.91)}
"""m: free-standing ones end with the worktop beside them."""
TRIES = 16


@dataclass(frozen=True, slots=True)
class Oven:
    """An oven or a cooker; lengths in m, outer size without handle and knobs.

    width, depth, height   outer size, from what it stands on
    fronts                 from the top: panel, door, drawer, as a cabinet's (chances, handle, state)
    heights                of these, before they are scaled to fill the front
    wall, door, back       thickness of sides, top and bottom; of the door; of the back with what is behind it
    plinth                 height of its closed base;  hob: thickness of the plate on top of a cooker
    gap                    between fronts
    knobs                  on the panel, if it has one
    density                of walls and doors, kg/m³
    body, face, metal      looks of the walls (inside too), of the fronts, of handles
    sigma                  how sure the fronts' edges are
    """

    width: float
    depth: float
    height: float
    fronts: tuple[Front, ...] = (PANEL, DOOR)
    heights: tuple[float, ...] = (0.12, 0.47)
    wall: float = 0.04
    door: float = 0.035
    back: float = 0.06
    plinth: float = 0.0
    hob: float = 0.0
    gap: float = 0.004
    knobs: int = 2
    density: float = 420.0
    body: Material = ENAMEL
    face: Material = STEEL
    metal: Material = CHROME
    sigma: float = 0.0


class OvenFamily(ApplianceFamily[Oven]):
    """Ovens, built in or with a hob on top (`pocketworld.families.protocol.Family`)."""

    name = "oven"
    parameters = Oven
    plain = Oven(*NICHE)

    def box(self, p: Oven) -> Cabinet:
        """Return the cabinet that has the oven's walls and fronts."""
        return Cabinet(
            p.width,
            p.depth,
            p.height,
            grid(self.name, p.fronts, p.heights),
            board=p.wall,
            front=p.door,
            back=p.back,
            plinth=p.plinth,
            worktop=p.hob,
            gap=p.gap,
            density=p.density,
            body=p.body,
            face=p.face,
            metal=p.metal,
            sigma=p.sigma,
        )

    def finished(self, p: Oven, asset: Asset) -> Asset:
        """Return it with racks inside, windows on its doors and knobs on its panel."""
        if not 0 <= p.knobs <= 12:
            raise PocketworldError(f"oven: it has {p.knobs} knobs", "0 to 12")
        box = self.box(p)
        where = plan(box)
        cells = {cell.path: cell for cell in where.cells}
        parts = {part.id: part for part in asset.parts}
        for joint in asset.joints:
            cell, part = cells[joint.id], parts[joint.child]
            if cell.front.kind is FrontKind.DOOR:
                parts[part.id] = _windowed(part, cell.face, face_y(cell, where, box))
                parts["body"] = _racked(parts["body"], cell, where)
            elif cell.front.kind is FrontKind.FIXED and p.knobs:
                parts[part.id] = _knobbed(p, part, cell.face, face_y(cell, where, box))
        if p.hob:
            parts["body"] = added(parts["body"], (), 0.0, [(GLASS, _plates(p))])
        return replace(asset, parts=tuple(parts.values()))

    def sample(self, draw: Draw, site: Site) -> Oven:
        """Return an oven that fits the free box of a site; PocketworldError where none of many does."""
        for i in range(TRIES):
            p = _drawn(attempt(draw, i), site)
            length = p.width * float(draw(f"{i}/handle").uniform(0.6, 0.85)) if p else 0.0
            if p is not None and (out := self.held(p, replace(BAR, length=length))):
                return out
        raise PocketworldError(
            f"no oven fits into {' x '.join(f'{side:.3g}' for side in site.free)} m", "leave it more room"
        )


def _windowed(part: Part, face: Rect, y: float) -> Part:
    """Return a door with a window in its face, m, where there is room for one beside its frame and handle."""
    b = BORDER
    pane = Rect(face.x0 + b, face.x1 - b, face.z0 + 1.5 * b, face.z1 - 2 * b)
    if min(pane.width, pane.height) < b:
        return part
    return added(part, (), 0.0, [(GLASS, boxes([upright(pane, y - PROUD, y)]))])


def _racked(body: Part, cell: Cell, where: Plan) -> Part:
    """Return the body with a rack in a cavity, where this is high enough for one and has no shelf."""
    room = cell.cavity
    if not LEAST_CAVITY <= room.height < SHELF_EVERY[cell.front.kind]:
        return body
    z, y0, y1 = (room.z0 + room.z1) / 2, where.inner_y + SHELF_BACK, where.back_y
    slab = span((room.x0, y0, z - RACK / 2), (room.x1, y1, z + RACK / 2))
    xs = [room.x0 + room.width * (i + 0.5) / RODS for i in range(RODS)]
    rods = [span((x - ROD, y0, z - ROD), (x + ROD, y1, z + ROD)) for x in xs]
    rods += [span((room.x0, y, z - ROD), (room.x1, y + 2 * ROD, z + ROD)) for y in (y0, y1 - 2 * ROD)]
    return added(body, [slab], RACK_DENSITY, [(CHROME, boxes(rods))])


def _knobbed(p: Oven, panel: Part, face: Rect, y: float) -> Part:
    """Return the panel with knobs evenly along it, and a display in its middle where none is there."""
    step, z = face.width / p.knobs, (face.z0 + face.z1) / 2
    radius = min(KNOB, 0.35 * face.height, 0.4 * step)
    xs = [face.x0 + step * (i + 0.5) for i in range(p.knobs)]
    pieces = [span((x - radius, y - REACH, z - radius), (x + radius, y, z + radius)) for x in xs]
    knobs = [prism((x, y - REACH, z), (x, y, z), (radius, radius), 20) for x in xs]
    looks = [(p.metal, merge(knobs))]
    if p.knobs % 2 == 0:
        half = 0.3 * (step - 2 * radius)
        display = Rect(-half, half, z - radius, z + radius)
        looks.append((GLASS, boxes([upright(display, y - PROUD, y)])))
    return added(panel, pieces, KNOB_DENSITY, looks)


def _plates(p: Oven) -> Triangles:
    """Return the four plates drawn on a cooker's top."""
    radii = (0.15 * p.width, 0.13 * p.depth)
    places = [(x * p.width, y * p.depth, p.height) for x in (-0.24, 0.24) for y in (-0.24, 0.24)]
    return merge(prism(at, (at[0], at[1], at[2] + PROUD), radii, 24) for at in places)


def _drawn(draw: Draw, site: Site) -> Oven | None:
    """Return a built-in oven, or a cooker where nothing stands above; None where it does not fit."""
    cooker = not site.above and float(draw("cooker").random()) < 0.4
    p = _cooker(draw) if cooker else _built_in(draw)
    if any(side > free for side, free in zip((p.width, p.depth, p.height), site.free, strict=True)):
        return None
    face = (STEEL, BLACK, WHITE)[int(draw("face").choice(3, p=(0.5, 0.3, 0.2)))]
    metal = CHROME if float(draw("metal").random()) < 0.7 else BLACK
    door = replace(DOOR, opening=float(draw("opening").uniform(1.35, 1.55)))
    fronts = tuple(door if f.kind is FrontKind.DOOR else f for f in p.fronts)
    return replace(p, fronts=fronts, face=face, metal=metal, door=float(draw("door").uniform(0.03, 0.045)))


def _built_in(draw: Draw) -> Oven:
    """Return an oven for the niche of a kitchen unit, some of them compact; without a panel, some."""
    width, depth, height = NICHE
    height = COMPACT if float(draw("compact").random()) < 0.25 else height
    panel = float(draw("panel").uniform(0.10, 0.14))
    knobs = (0, 2, 2, 4)[int(draw("knobs").integers(4))]
    return Oven(width, depth, height, (PANEL, DOOR), (panel, height - panel), knobs=knobs)


def _cooker(draw: Draw) -> Oven:
    """Return a free-standing cooker: hob, panel with a knob for each plate, door, drawer."""
    low, high = COOKERS["height"]
    width = COOKERS["width"][int(draw("width").integers(2))]
    plinth, hob = float(draw("plinth").uniform(0.04, 0.10)), 0.03
    height = float(draw("height").uniform(low, high))
    panel, drawer = float(draw("panel").uniform(0.10, 0.13)), float(draw("drawer").uniform(0.20, 0.26))
    heights = (panel, height - plinth - hob - panel - drawer, drawer)
    return Oven(
        width,
        COOKERS["depth"][0],
        height,
        (PANEL, DOOR, DRAWER),
        heights,
        plinth=plinth,
        hob=hob,
        knobs=int(draw("knobs").integers(4, 7)),
        body=(ENAMEL, STEEL)[int(draw("body").integers(2))],
    )
