"""A round thing that stands upright: pot, bin, bottle, cup, extinguisher; open at the top or closed."""

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families.block import Stuff, check_lengths, check_room, coloured, nothing, one_part
from pocketworld.families.layers import layer
from pocketworld.families.misfit import misfits
from pocketworld.families.paint import painted
from pocketworld.families.protocol import Array, Draw, Evidence, Refusal, Site, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.convex import HullPiece, Vec3
from pocketworld.geometry.solids import Triangles
from pocketworld.scene import Asset, Base, Material

LEAST = 0.005  # m: least radius and height
THIN = 0.0015  # m: least wall; cups and tins have more
FULL = 4.0  # times its wall: a bottom that is thicker is what is in it
CONTENTS = 500.0  # kg/m³: rubbish and cloth to dry soil
SIDES, SMOOTH = 16, 48  # of what one bumps into, and of what one sees
SLOPE = 1.5  # how much wider or narrower than below a top may be: beyond it is a bowl or a cone
PAIRED = 40  # points whose normals are paired to find an axis: 780 pairs
ROUND, BAND = 0.12, 0.02  # of the radius, and m, that points of one circle may be off it: noise, and taper
PLASTIC = Material((0.15, 0.16, 0.18), 0.5)
PAINTS: tuple[Vec3, ...] = (
    (0.15, 0.16, 0.18),
    (0.60, 0.25, 0.14),
    (0.62, 0.04, 0.03),
    (0.10, 0.22, 0.45),
    (0.80, 0.79, 0.76),
)


@dataclass(frozen=True, slots=True)
class Sort:
    """What a sort of round thing measures: radius below, height and wall in m, taper, density in kg/m³."""

    radius: tuple[float, float]
    height: tuple[float, float]
    taper: tuple[float, float]
    wall: tuple[float, float]
    density: tuple[float, float]
    open: bool


SORTS = {
    "pot": Sort((0.06, 0.16), (0.12, 0.35), (1.15, 1.4), (0.006, 0.012), (1500, 2000), True),  # terracotta
    "bin": Sort((0.10, 0.16), (0.25, 0.60), (1.0, 1.3), (0.003, 0.005), (900, 1100), True),  # polypropylene
    "bottle": Sort((0.03, 0.045), (0.20, 0.33), (1.0, 1.0), (0.003, 0.003), (900, 1100), False),
    "cup": Sort((0.03, 0.04), (0.08, 0.11), (1.0, 1.2), (0.004, 0.006), (2000, 2400), True),  # stoneware
    "extinguisher": Sort(
        (0.055, 0.085), (0.35, 0.60), (1.0, 1.0), (0.003, 0.003), (900, 1200), False
    ),  # EN 3-7
}


@dataclass(frozen=True, slots=True)
class Cylinder:
    """An upright frustum: radius below and height, m.

    taper    its radius at the top over that below;  open: hollow, with a bottom and no lid
    wall     thickness of its wall where it is open, m;  bottom: of its bottom, or up to where it is full
    density  of its material, of its whole volume where closed, kg/m³
    """

    radius: float
    height: float
    taper: float = 1.0
    open: bool = False
    wall: float = 0.005
    bottom: float = 0.005
    density: float = 1000.0
    material: Material = PLASTIC

    @property
    def size(self) -> Vec3:
        """Return width, depth, height, m."""
        wide = 2 * self.radius * max(1.0, self.taper)
        return (wide, wide, self.height)


class CylinderFamily:
    """Round things (`pocketworld.families.protocol.Family`): free to be pushed, carried, and to roll."""

    name = "cylinder"
    parameters = Cylinder
    widest = Spread(
        scale={"radius": 0.5, "height": 0.5, "taper": 0.2, "wall": 0.5, "bottom": 0.5, "density": 1.5},
        shift={"hue": 0.5, "saturation": 0.5, "value": 0.5, "roughness": 0.5},
    )

    def sample(self, draw: Draw, site: Site) -> Cylinder:
        """Return a pot, bin, bottle, cup or extinguisher that fits the place.

        Raises PocketworldError where none does.
        """
        fits = [s for s in SORTS.values() if _least(s) <= min(site.free[:2]) and s.height[0] <= site.free[2]]
        if not fits:
            free = " x ".join(f"{side:.3g}" for side in site.free)
            raise PocketworldError(f"no cylinder fits into {free} m", "leave it more room")
        sort = fits[int(draw("sort").integers(len(fits)))]
        taper, wall = (
            float(draw(n).uniform(*usual)) for n, usual in (("taper", sort.taper), ("wall", sort.wall))
        )
        most = min(site.free[:2]) / 2 / max(1.0, taper)
        return Cylinder(
            min(float(draw("radius").uniform(*sort.radius)), most),
            min(float(draw("height").uniform(*sort.height)), site.free[2]),
            taper,
            sort.open,
            wall,
            wall,
            float(draw("density").uniform(*sort.density)),
            coloured(draw, "body", PAINTS),
        )

    def build(self, p: Cylinder, id: str, *, visual: bool = True) -> Asset:
        """Return the thing as one free part; an open one can hold others; with meshes if `visual`.

        Raises PocketworldError, in one line, for parameters that make none.
        """
        check(p)
        floor, *walls = pieces(p)
        full = p.open and p.bottom > FULL * p.wall
        stuff = [
            Stuff(p.material, CONTENTS if full else p.density, [floor], partial(_lathe, p)),
            Stuff(p.material, p.density, walls, nothing),
        ]
        return one_part(id, self.name, p, stuff, Base.FREE, visual=visual)

    def propose(self, evidence: Evidence) -> list[Cylinder]:
        """Return a closed, an open and a filled one about the evidence's upright axis, of the height seen."""
        radius, taper = outline(evidence)
        closed = Cylinder(radius, evidence.size[2], taper)
        wall = min(max(THIN, 0.03 * radius), closed.height / 4)
        hollow = replace(closed, open=True, wall=wall, bottom=wall)
        full, share = layer(evidence, 2 * wall, 0.95 * closed.height)
        return [closed, hollow, replace(hollow, bottom=full)] if share else [closed, hollow]

    def residual(self, p: Cylinder, evidence: Evidence) -> Array:
        """Return residuals (3 + n + m,): size, points, places seen empty; see `misfit`."""
        check(p)
        return misfits(p.size, _distance(p, evidence.points), _distance(p, evidence.free), evidence)

    def mutate(self, p: Cylinder, spread: Spread, draw: Draw) -> Cylinder | Refusal:
        """Return one of other size, weight and paint, or why it can't be."""
        vary = Vary(spread, draw)
        names = ("radius", "height", "taper", "wall", "bottom", "density")
        changed: dict[str, Any] = {name: vary.scaled(getattr(p, name), name) for name in names}
        for name in ("wall", "bottom"):
            changed[name] = max(changed[name], min(THIN, getattr(p, name)))
        changed["taper"] = min(max(changed["taper"], 1 / SLOPE), SLOPE)
        # What is full to the brim stays so: its contents grow no higher than it does.
        changed["bottom"] = min(changed["bottom"], changed["height"] - min(2 * THIN, p.height - p.bottom))
        out = replace(p, **changed, material=painted(p.material, "body", vary))
        spare = min(*_spare(out), min(out.radius, out.radius * out.taper, out.height) - LEAST)
        return (
            Refusal("too-thin", {"short_m": -spare}) if spare < 0 or min(out.wall, out.bottom) < THIN else out
        )


def check(p: Cylinder) -> None:
    """Raise PocketworldError, in one line, for sizes that are none and walls as thick as the thing."""
    check_lengths("cylinder", LEAST, radius=p.radius, height=p.height, density=p.density)
    check_lengths("cylinder", 1 / SLOPE, taper=p.taper)
    check_lengths("cylinder", LEAST, top=p.radius * p.taper)
    check_lengths("cylinder", THIN, wall=p.wall, bottom=p.bottom)
    check_room("cylinder", "taper", p.taper, SLOPE)
    if p.open:
        inside, above = _spare(p)
        check_room("cylinder", "wall", p.wall, p.wall + inside)
        check_room("cylinder", "bottom", p.bottom, p.bottom + above)


def _spare(p: Cylinder) -> tuple[float, float]:
    """Return how wide and how high the room inside is, m; below 0: none. A closed one needs none."""
    if not p.open:
        return 1.0, 1.0
    return p.radius * min(1.0, p.taper) - 1.5 * p.wall, p.height - p.bottom - THIN


def _least(sort: Sort) -> float:
    return 2 * sort.radius[0] * sort.taper[1]


def profile(p: Cylinder) -> Array:
    """Return the outline (n, 2) of its half section: radius and height, from the axis below to that above."""
    top = p.radius * p.taper
    if not p.open:
        return np.array([(0, 0), (p.radius, 0), (top, p.height), (0, p.height)], float)
    inner = p.radius + (top - p.radius) * p.bottom / p.height - p.wall
    rim = [(p.radius, 0), (top, p.height), (top - p.wall, p.height)]
    return np.array([(0, 0), *rim, (inner, p.bottom), (0, p.bottom)], float)


def pieces(p: Cylinder) -> list[HullPiece]:
    """Return what one bumps into: a prism of SIDES sides, or a bottom and as many pieces of wall."""
    around = 2 * np.pi * np.arange(SIDES) / SIDES
    round_ = np.stack([np.cos(around), np.sin(around)], -1)
    outer = profile(p)
    if not p.open:
        return [_hull(_ring(round_, outer[1]), _ring(round_, outer[2]))]
    above = (outer[4][0] + p.wall, p.bottom)
    floor = _hull(_ring(round_, outer[1]), _ring(round_, above))
    rings = [_ring(round_, at) for at in (above, outer[4], outer[2], outer[3])]
    both = np.stack([np.arange(SIDES), (np.arange(SIDES) + 1) % SIDES], -1)
    walls = np.concatenate([ring[both] for ring in rings], 1)
    return [floor, *(HullPiece(tuple(map(tuple, wall))) for wall in walls.tolist())]


def _ring(round_: Array, at: Any) -> Array:
    """Return points (n, 3) at a radius and height, in the directions round_ (n, 2)."""
    radius, height = at
    return np.column_stack([round_ * radius, np.full(len(round_), height)])


def _hull(*rings: Array) -> HullPiece:
    return HullPiece(tuple(map(tuple, np.concatenate(rings).tolist())))


def _lathe(p: Cylinder) -> Triangles:
    """Return its outline turned about the axis."""
    around = 2 * np.pi * np.arange(SMOOTH) / SMOOTH
    round_ = np.stack([np.cos(around), np.sin(around)], -1)
    outer = profile(p)
    vertices = np.concatenate([_ring(round_, at) for at in outer])
    i = np.arange(SMOOTH)
    j = (i + 1) % SMOOTH
    faces = []
    for row in range(len(outer) - 1):
        a, b = row * SMOOTH, (row + 1) * SMOOTH
        if outer[row + 1][0] > 0:
            faces.append(np.stack([a + i, b + j, b + i], -1))
        if outer[row][0] > 0:
            faces.append(np.stack([a + i, a + j, b + j], -1))
    return vertices, np.concatenate(faces).astype(np.int32)


def _distance(p: Cylinder, points: Array) -> Array:
    """Return signed distances (n,) of points (n, 3) from its surface, m; below 0 inside."""
    at = np.stack([np.hypot(points[:, 0], points[:, 1]), points[:, 2]], -1)
    outer = profile(p)
    off, inside = np.full(len(at), np.inf), np.zeros(len(at), bool)
    for a, b in zip(outer, [*outer[1:], outer[0]], strict=True):
        along = b - a
        crosses = (a[1] > at[:, 1]) != (b[1] > at[:, 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (at[:, 0] < a[0] + along[0] * (at[:, 1] - a[1]) / along[1])
        if a[0] > 0 or b[0] > 0:  # the axis is no surface
            t = np.clip((at - a) @ along / (along @ along), 0, 1)
            np.minimum(off, np.linalg.norm(at - a - t[:, None] * along, axis=1), out=off)
    return np.asarray(np.where(inside, -off, off))


def axis(points: Array, normals: Array, weights: Array) -> tuple[float, float, float]:
    """Return x, y and radius of the upright axis about which most of a surface is round, m; weights (n,).

    Normals meet at it in plan: each pair of some points (n, 3) with normals (n, 3) proposes one, that about
    which most points lie is kept (RANSAC, Fischler and Bolles 1981, but for its chance), and the lines of
    those points along their normals say it by least squares. Where fewer than three look aside: the middle.
    """
    level = np.hypot(normals[:, 0], normals[:, 1])
    aside = level > math.cos(math.radians(45))
    if aside.sum() < 3:
        x, y = points[:, :2].mean(0) if len(points) else (0.0, 0.0)
        return float(x), float(y), 0.0
    at, n, w = points[aside, :2], normals[aside, :2] / level[aside, None], weights[aside]
    widest = float(np.ptp(at, axis=0).max())
    some = np.unique(np.linspace(0, len(at) - 1, min(PAIRED, len(at))).astype(int))
    a, b = (some[side] for side in np.triu_indices(len(some), 1))
    middles, radii = _meeting(at[a], n[a], at[b], n[b])
    counts = [w @ _about(at, n, c, r) * (r < widest) for c, r in zip(middles, radii, strict=True)]
    if not counts or max(counts) <= 0:
        return float(at[:, 0].mean()), float(at[:, 1].mean()), 0.0
    best = int(np.argmax(counts))
    on = _about(at, n, middles[best], radii[best])
    across = np.stack([-n[on, 1], n[on, 0]], -1)
    passes = np.einsum("ni,ni->n", across, at[on])
    x, y = (
        np.linalg.lstsq(across, passes, rcond=None)[0] if np.ptp(across, axis=0).min() > 0 else middles[best]
    )
    return float(x), float(y), float(np.median(np.hypot(*(at[on] - (x, y)).T)))


def _meeting(a: Array, along_a: Array, b: Array, along_b: Array) -> tuple[Array, Array]:
    """Return where lines (k, 2) meet on the inner side of both, and the mean distance from there, m."""
    cross = along_a[:, 0] * along_b[:, 1] - along_a[:, 1] * along_b[:, 0]
    clear = np.abs(cross) > math.sin(math.radians(20))  # more parallel ones meet anywhere
    a, along_a, b, along_b, cross = a[clear], along_a[clear], b[clear], along_b[clear], cross[clear]
    off = b - a
    s = (off[:, 0] * along_b[:, 1] - off[:, 1] * along_b[:, 0]) / cross
    t = (off[:, 0] * along_a[:, 1] - off[:, 1] * along_a[:, 0]) / cross
    good = (s < -LEAST) & (t < -LEAST) & (np.abs(s - t) < ROUND * np.abs(s + t) / 2)
    return (a + s[:, None] * along_a)[good], -(s + t)[good] / 2


def _about(at: Array, n: Array, middle: Array, radius: float) -> Any:
    """Say which points (k, 2) lie on a circle and look outwards."""
    off = at - middle
    far = np.hypot(off[:, 0], off[:, 1])
    return (np.abs(far - radius) < min(ROUND * radius, BAND)) & (
        (off * n).sum(1) > math.cos(math.radians(30)) * far
    )


def outline(evidence: Evidence) -> tuple[float, float]:
    """Return radius below and taper, from points about the evidence's own axis that lie near the radius of
    its size (medians of two halves).
    """
    radius = np.hypot(evidence.points[:, 0], evidence.points[:, 1])
    height, wide = evidence.size[2], max(min(evidence.size[:2]) / 2, LEAST)
    out = (evidence.points[:, :2] * evidence.normals[:, :2]).sum(1) > 0.7 * radius
    out &= np.abs(radius - wide) < 3 * ROUND * wide
    low, high = (out & (evidence.points[:, 2] < height / 2)), (out & (evidence.points[:, 2] >= height / 2))
    if min(low.sum(), high.sum()) < 8:
        return float(np.median(radius[out])) if out.any() else wide, 1.0
    (z0, r0), (z1, r1) = (
        (float(np.median(evidence.points[half, 2])), float(np.median(radius[half]))) for half in (low, high)
    )
    slope = (r1 - r0) / max(z1 - z0, 0.1 * height)
    below = max(r0 - slope * z0, LEAST)
    return below, float(np.clip((below + slope * height) / below, 1 / SLOPE, SLOPE))
