"""A table: a top on four legs with a frame under it, or on a pedestal."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pocketworld.families.block import WOODS, Stuff, check_lengths, check_room, coloured, one_part, within
from pocketworld.families.layers import layer
from pocketworld.families.misfit import misfit
from pocketworld.families.paint import painted
from pocketworld.families.protocol import Array, Draw, Evidence, Refusal, Site, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.convex import BoxPiece, Vec3, span
from pocketworld.scene import Asset, Base, Material

HEIGHTS = (0.72, 0.76)  # m: dining tables (DIN 68885) and desks (EN 527-1)
WIDTHS = (0.8, 2.0)  # m: 0.6 m of edge for each who sits
DEPTHS = (0.7, 1.0)
TOPS = (0.018, 0.04)  # m: a board, or solid wood
LEGS = (0.035, 0.09)  # m: steel tube to solid wood
COLUMNS = (0.08, 0.14)  # m: a pedestal's
INSETS = (0.0, 0.08)  # m from the top's edge to the legs
APRONS = (0.06, 0.11)  # m: height of the frame under the top; knees have 0.6 m below it (EN 527-1)
FRAME = 0.02  # m: thickness of the frame's boards
FOOT = 0.55  # of the top's sides that a pedestal's foot has: less tips when one leans on the edge
PLATE = 0.025  # m: height of that foot
LOWEST, HIGHEST = 0.3, 1.2  # m: tops of coffee tables to standing desks
NARROWEST = 0.3  # m: what is narrower is no table
LEAST = 0.005  # m: least thickness of anything on it
SCALED = ("width", "depth", "height", "top", "leg", "inset", "apron", "density")  # words of a spread
WOOD = Material((0.55, 0.40, 0.25), 0.5)
DARK = Material((0.10, 0.10, 0.11), 0.5)


class Stand(StrEnum):
    """What a table's top stands on."""

    LEGS = "legs"
    PEDESTAL = "pedestal"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of width (x), depth (y), height, m; density in kg/m³.

    top      thickness;  stand: four legs, or a column on a foot
    leg      side of a leg, or of the column;  inset: from the top's edge to the legs
    apron    height of the frame that joins the legs under the top, 0: none
    """

    width: float
    depth: float
    height: float = 0.74
    top: float = 0.025
    stand: Stand = Stand.LEGS
    leg: float = 0.06
    inset: float = 0.03
    apron: float = 0.08
    density: float = 650.0
    board: Material = WOOD
    frame: Material = DARK

    @property
    def size(self) -> Vec3:
        """Return width, depth, height, m."""
        return (self.width, self.depth, self.height)


class TableFamily:
    """Tables and desks (`pocketworld.families.protocol.Family`): free, they can be pushed."""

    name = "table"
    parameters = Table
    widest = Spread(
        scale=dict.fromkeys(SCALED, 0.4),
        shift={"hue": 0.5, "saturation": 0.5, "value": 0.5, "roughness": 0.5},
        chance={"stand": 1.0},
    )

    def sample(self, draw: Draw, site: Site) -> Table:
        """Return a table of usual size for the place, one of five on a pedestal.

        Raises PocketworldError where the place is too small for any.
        """
        usual = zip(("width", "depth", "height"), (WIDTHS, DEPTHS, HEIGHTS), site.free, strict=True)
        width, depth, height = (within(draw, *each, "table") for each in usual)
        pedestal = draw("stand").random() < 0.2
        return Table(
            width,
            depth,
            height,
            float(draw("top").uniform(*TOPS)),
            Stand.PEDESTAL if pedestal else Stand.LEGS,
            float(draw("leg").uniform(*(COLUMNS if pedestal else LEGS))),
            float(draw("inset").uniform(*INSETS)),
            float(draw("apron").uniform(*APRONS)) if draw("frame").random() < 0.7 else 0.0,
            board=coloured(draw, "board", WOODS),
            frame=coloured(draw, "frame", (*WOODS, DARK.colour)),
        )

    def build(self, p: Table, id: str, *, visual: bool = True) -> Asset:
        """Return the table as one free part; with meshes for the eye if `visual`.

        Raises PocketworldError, in one line, for parameters that make no table.
        """
        check(p)
        stuff = [Stuff(p.board, p.density, [_top(p)]), Stuff(p.frame, p.density, _below(p))]
        return one_part(id, self.name, p, stuff, Base.FREE, visual=visual)

    def propose(self, evidence: Evidence) -> list[Table]:
        """Return tables in the size seen, if tables have it, their top at the largest level layer."""
        width, depth, high = evidence.size
        if min(width, depth) < NARROWEST or high < LOWEST:
            return []
        height, _ = layer(evidence, LOWEST, min(high, HIGHEST))
        leg = min(sum(LEGS) / 2, width / 5, depth / 5)
        plain = Table(width, depth, height, top=min(0.03, height / 8), leg=leg, inset=leg / 2)
        plain = replace(plain, apron=min(plain.apron, height / 6))
        column = replace(plain, stand=Stand.PEDESTAL, leg=min(sum(COLUMNS) / 2, width / 4, depth / 4))
        return [plain, replace(plain, apron=0.0), column]

    def residual(self, p: Table, evidence: Evidence) -> Array:
        """Return residuals (3 + n + m,): size, points, places seen empty; see `misfit`."""
        return misfit(p.size, pieces(p), evidence)

    def mutate(self, p: Table, spread: Spread, draw: Draw) -> Table | Refusal:
        """Return a table of other size, stand and paint, or why it can't be."""
        vary = Vary(spread, draw)
        changed: dict[str, Any] = {name: vary.scaled(getattr(p, name), name) for name in SCALED}
        paint: dict[str, Any] = {name: painted(getattr(p, name), name, vary) for name in ("board", "frame")}
        out = replace(p, **changed, **paint)
        if vary.happens("stand"):
            other = Stand.LEGS if p.stand is Stand.PEDESTAL else Stand.PEDESTAL
            usual = COLUMNS if other is Stand.PEDESTAL else LEGS
            out = replace(out, stand=other, leg=sum(usual) / 2)
        short = min(_spare(out))
        return Refusal("no-room", {"short_m": -short}) if short < 0 or out.top < LEAST else out


def check(p: Table) -> None:
    """Raise PocketworldError, in one line, for sizes that are none and parts without room."""
    check_lengths(
        "table",
        LEAST,
        width=p.width,
        depth=p.depth,
        height=p.height,
        top=p.top,
        leg=p.leg,
        density=p.density,
    )
    check_lengths("table", 0.0, inset=p.inset, apron=p.apron)
    beside, under = _spare(p)
    check_room("table", "leg", p.leg, p.leg + beside)
    check_room("table", "top and apron", p.top + p.apron, p.top + p.apron + under)


def _spare(p: Table) -> tuple[float, float]:
    """Return how much room is left between the legs, and below the frame, m; below 0: too little."""
    short = min(p.width, p.depth)
    if p.stand is Stand.PEDESTAL:
        return short * FOOT - p.leg, p.height - p.top - p.apron - PLATE - LEAST
    return short / 2 - p.inset - p.leg - LEAST, p.height - p.top - p.apron - LEAST


def pieces(p: Table) -> list[BoxPiece]:
    """Return all pieces, the top first; no two overlap."""
    return [_top(p), *_below(p)]


def _top(p: Table) -> BoxPiece:
    x, y = p.width / 2, p.depth / 2
    return span((-x, -y, p.height - p.top), (x, y, p.height))


def _below(p: Table) -> list[BoxPiece]:
    """Return what carries the top."""
    under, s = p.height - p.top, p.leg
    if p.stand is Stand.PEDESTAL:
        x, y = p.width / 2 * FOOT, p.depth / 2 * FOOT
        column = span((-s / 2, -s / 2, PLATE), (s / 2, s / 2, under))
        return [span((-x, -y, 0.0), (x, y, PLATE)), column]
    x, y = p.width / 2 - p.inset, p.depth / 2 - p.inset
    legs = [span((a, b, 0.0), (a + s, b + s, under)) for a in (-x, x - s) for b in (-y, y - s)]
    if not p.apron:
        return legs
    z, t = under - p.apron, min(FRAME, s)
    rails = [span((s - x, b, z), (x - s, b + t, under)) for b in (-y, y - t)]
    rails += [span((a, s - y, z), (a + t, y - s, under)) for a in (-x, x - t)]
    return [*legs, *rails]
