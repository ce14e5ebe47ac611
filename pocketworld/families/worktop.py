"""A worktop: a slab that lies on base units, cut out for a sink whose basin hangs in it.

Its frame lies at its underside: z = 0 is what it lies on, the basin reaches below.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families.block import LEAST, Stuff, check_lengths, check_room, coloured, one_part, within
from pocketworld.families.misfit import misfit
from pocketworld.families.paint import painted
from pocketworld.families.protocol import Array, Draw, Evidence, Refusal, Site, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.convex import BoxPiece, Vec3, span
from pocketworld.geometry.solids import Triangles, boxes, merge
from pocketworld.scene import Asset, Base, Material

WIDTHS = (0.6, 3.0)  # m: one module (EN 1116: multiples of 100 mm) to what is sold in one piece
DEPTHS = (0.6, 0.65)  # m: EN 1116, 600 mm and what hangs over the fronts
THICKNESSES = (0.02, 0.04)  # m: compact laminate and stone to chipboard of 38 mm
DENSITY = 700.0  # kg/m³: laminated chipboard (EN 312)
SINK = {"width": (0.4, 0.5), "depth": (0.36, 0.42), "basin": (0.14, 0.2)}  # m: EN 695, units of 450-600 mm
BORDER = 0.04  # m of slab that must stay around a cutout: less breaks
STEEL = 0.003  # m: real basins are pressed from 1 mm; thinner pieces let small things through
STEEL_DENSITY = 7900.0 / 3  # kg/m³, so that pieces of 3 mm weigh as 1 mm of steel does
RIM = 0.015, 0.0015  # m: width and height of the rim that one sees around a basin
TOPS: tuple[Vec3, ...] = ((0.30, 0.29, 0.28), (0.55, 0.40, 0.25), (0.68, 0.67, 0.65), (0.16, 0.16, 0.17))
LAMINATE = Material(TOPS[0], 0.5)
STAINLESS = Material((0.6, 0.6, 0.62), 0.25, 1.0)


@dataclass(frozen=True, slots=True)
class Sink:
    """A cutout and the steel basin that hangs in it, m.

    at      x of its middle in the worktop's frame;  setback: from the worktop's front edge to the cutout
    width, depth   of the cutout (x, y);  basin: from the worktop's top down to the basin's underside
    """

    at: float
    width: float = 0.45
    depth: float = 0.4
    basin: float = 0.16
    setback: float = 0.08


@dataclass(frozen=True, slots=True)
class Worktop:
    """A worktop of width (x), depth (y) and thickness, m; density in kg/m³."""

    width: float
    depth: float
    thickness: float = 0.038
    cutout: Sink | None = None
    density: float = DENSITY
    top: Material = LAMINATE
    steel: Material = STAINLESS

    @property
    def size(self) -> Vec3:
        """Return width, depth, thickness, m: its outer box but for the basin."""
        return (self.width, self.depth, self.thickness)


class WorktopFamily:
    """Worktops of kitchens (`pocketworld.families.protocol.Family`): fixed; nothing of them moves."""

    name = "worktop"
    parameters = Worktop
    widest = Spread(
        scale={"thickness": 0.4, "basin": 0.3},
        shift={"sink": 0.3, "hue": 0.5, "saturation": 0.5, "value": 0.5, "roughness": 0.5},
    )

    def sample(self, draw: Draw, site: Site) -> Worktop:
        """Return a worktop of usual size for the place, two of three with a sink where one fits.

        Raises PocketworldError where the place is too small for any.
        """
        usual = zip(("width", "depth", "thickness"), (WIDTHS, DEPTHS, THICKNESSES), site.free, strict=True)
        width, depth, thickness = (within(draw, *each, "worktop") for each in usual)
        p = Worktop(width, depth, thickness, top=coloured(draw, "top", TOPS))
        sink = Sink(
            0.0, **{name: float(draw(f"sink/{name}").uniform(*usual)) for name, usual in SINK.items()}
        )
        play = p.width / 2 - sink.width / 2 - BORDER
        if play < 0 or draw("sink").random() > 2 / 3:
            return p
        return replace(p, cutout=replace(sink, at=play * float(draw("sink/at").uniform(-1, 1))))

    def build(self, p: Worktop, id: str, *, visual: bool = True) -> Asset:
        """Return the worktop as one fixed part; a thing can lie in its basin; with meshes if `visual`.

        Raises PocketworldError, in one line, for parameters that make no worktop.
        """
        check(p)
        stuff = [Stuff(p.top, p.density, slab(p))]
        if p.cutout is not None:
            steel = basin(p, p.cutout)
            stuff.append(Stuff(p.steel, STEEL_DENSITY, steel, partial(_sink, steel, _rim(p, p.cutout))))
        return one_part(id, self.name, p, stuff, Base.FIXED, visual=visual)

    def propose(self, evidence: Evidence) -> list[Worktop]:
        """Return the worktops of the layouts found, the likeliest first, or a plain one, in the size seen."""
        found = [q for _, q in sorted(evidence.layouts, key=lambda x: -x[0]) if isinstance(q, Worktop)]
        return [
            replace(resized(q, *evidence.size[:2]), thickness=evidence.size[2])
            for q in found or [Worktop(*evidence.size)]
        ]

    def residual(self, p: Worktop, evidence: Evidence) -> Array:
        """Return residuals (3 + n + m,): size, points, places seen empty; see `misfit`."""
        return misfit(p.size, [*slab(p), *(basin(p, p.cutout) if p.cutout else ())], evidence)

    def mutate(self, p: Worktop, spread: Spread, draw: Draw) -> Worktop | Refusal:
        """Return another thickness, paint and place of the sink; width and depth are those of the units."""
        vary = Vary(spread, draw)
        out = replace(
            p,
            thickness=vary.scaled(p.thickness, "thickness"),
            top=painted(p.top, "top", vary),
            steel=painted(p.steel, "steel", vary),
        )
        if p.cutout is not None:
            play = (p.width - p.cutout.width) / 2 - min(BORDER, _beside(p, p.cutout))
            at = float(np.clip(vary.shifted(p.cutout.at, "sink"), -play, play))
            deep = max(vary.scaled(p.cutout.basin, "basin"), out.thickness + 2 * STEEL)
            out = replace(out, cutout=replace(p.cutout, at=at, basin=deep))
        return Refusal("too-thin", {"least_m": out.thickness}) if out.thickness < LEAST else out


def check(p: Worktop) -> None:
    """Raise PocketworldError, in one line, for sizes that are none and a sink that is not within."""
    check_lengths("worktop", width=p.width, depth=p.depth, thickness=p.thickness, density=p.density)
    if (sink := p.cutout) is None:
        return
    what = "worktop: its sink"
    check_lengths(what, 4 * STEEL, width=sink.width, depth=sink.depth)
    check_lengths(what, p.thickness + 2 * STEEL, basin=sink.basin)
    check_lengths(what, LEAST, setback=sink.setback)
    check_lengths(what, -p.width, at=sink.at)
    check_room(what, "setback and depth", sink.setback + sink.depth, p.depth - LEAST)
    check_room(what, "reach to a side", abs(sink.at) + sink.width / 2, p.width / 2 - LEAST)


def resized(p: Worktop, width: float, depth: float) -> Worktop:
    """Return the worktop in another width and depth (m), its sink kept inside, moved or shrunk if need be.

    Raises PocketworldError where it becomes too small for a sink.
    """
    out = replace(p, width=width, depth=depth)
    if (sink := p.cutout) is None:
        return out
    beside = min(BORDER, _beside(p, sink), sink.setback, p.depth - sink.setback - sink.depth)
    wide, deep = min(sink.width, width - 2 * beside), min(sink.depth, depth - 2 * beside)
    if min(wide, deep) < min(SINK["depth"][0], sink.width, sink.depth):
        raise PocketworldError(
            f"worktop: {width:.4g} x {depth:.4g} m leave no room for its sink of {sink.width:.4g} m",
            "make it larger, or leave the sink out",
        )
    play = (width - wide) / 2 - beside
    at = min(max(sink.at / p.width * width, -play), play)
    setback = min(sink.setback, depth - deep - beside)
    return replace(out, cutout=replace(sink, at=at, width=wide, depth=deep, setback=setback))


def _beside(p: Worktop, sink: Sink) -> float:
    """Return how much slab is left beside a sink, m."""
    return p.width / 2 - abs(sink.at) - sink.width / 2


def _edges(p: Worktop, sink: Sink) -> tuple[float, float, float, float]:
    """Return x0, x1, y0, y1 of the cutout."""
    y0 = sink.setback - p.depth / 2
    return sink.at - sink.width / 2, sink.at + sink.width / 2, y0, y0 + sink.depth


def slab(p: Worktop) -> list[BoxPiece]:
    """Return the slab's pieces, around its cutout where it has one."""
    x, y, high = p.width / 2, p.depth / 2, p.thickness
    if p.cutout is None:
        return [span((-x, -y, 0.0), (x, y, high))]
    x0, x1, y0, y1 = _edges(p, p.cutout)
    return _ring((-x, x, -y, y), (x0, x1, y0, y1), 0.0, high)


def basin(p: Worktop, sink: Sink) -> list[BoxPiece]:
    """Return the basin's walls and bottom, within the cutout."""
    x0, x1, y0, y1 = _edges(p, sink)
    low, s = p.thickness - sink.basin, STEEL
    inner = (x0 + s, x1 - s, y0 + s, y1 - s)
    bottom = span((x0, y0, low), (x1, y1, low + s))
    return [bottom, *_ring((x0, x1, y0, y1), inner, low + s, p.thickness)]


def _sink(steel: list[BoxPiece], rim: list[BoxPiece]) -> Triangles:
    """Return what one sees of a sink."""
    return merge([boxes(steel), boxes(rim)])


def _rim(p: Worktop, sink: Sink) -> list[BoxPiece]:
    """Return the rim that lies on the slab around a basin; one only sees it."""
    x0, x1, y0, y1 = _edges(p, sink)
    wide, high = RIM
    outer = (x0 - wide, x1 + wide, y0 - wide, y1 + wide)
    return _ring(outer, (x0, x1, y0, y1), p.thickness, p.thickness + high)


def _ring(
    outer: tuple[float, float, float, float], inner: tuple[float, float, float, float], z0: float, z1: float
) -> list[BoxPiece]:
    """Return the four boxes between two rectangles (x0, x1, y0, y1)."""
    (a, b, c, d), (x0, x1, y0, y1) = outer, inner
    return [
        span((a, c, z0), (b, y0, z1)),
        span((a, y1, z0), (b, d, z1)),
        span((a, y0, z0), (x0, y1, z1)),
        span((x1, y0, z0), (b, y1, z1)),
    ]
