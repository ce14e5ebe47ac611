"""A chair: a seat on four legs or a cantilever frame, a back that leans, with arms or without."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from pocketworld.families.block import WOODS, Stuff, check_lengths, check_room, coloured, one_part, within
from pocketworld.families.layers import layer
from pocketworld.families.misfit import distance, misfits
from pocketworld.families.paint import painted
from pocketworld.families.protocol import Array, Draw, Evidence, Refusal, Site, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.convex import BoxPiece, HullPiece, Vec3, span
from pocketworld.scene import Asset, Base, Material

WIDTHS = (0.40, 0.58)  # m: chairs at a table (DIN 68878); armchairs are the wider ones
DEPTHS = (0.44, 0.62)
HEIGHTS = (0.76, 1.0)
SEATS = (0.42, 0.48)  # m: upper face (DIN 68878, EN 1335)
ARMS = (0.20, 0.25)  # m above the seat (EN 1335)
LEANS = (0.02, 0.12)  # m that the back's top stands behind its foot: 5 to 15 degrees
LEGS = (0.022, 0.04)  # m: steel tube to wood
PADS = (0.015, 0.05)  # m: thickness of a seat: plywood to padded
LOW, HIGH = 0.35, 0.55  # m: where a seat is looked for: lower ones are for children, higher ones for bars
LARGEST = (0.9, 1.0, 1.4)  # m: what is larger is no chair
SMALLEST = (0.3, 0.3, 0.5)
BACK = 0.025  # m: thickness of a back
ARM = 0.03  # m: thickness of an arm
LEAST = 0.005  # m: least thickness of anything on it
SCALED = ("width", "depth", "height", "seat", "pad", "leg", "lean", "arms", "density")  # words of a spread
CLOTH = Material((0.20, 0.22, 0.25), 0.9)
CLOTHS: tuple[Vec3, ...] = ((0.20, 0.22, 0.25), (0.10, 0.16, 0.30), (0.35, 0.07, 0.06), (0.25, 0.33, 0.20))
TUBE = Material((0.05, 0.05, 0.05), 0.4)


class ChairStand(StrEnum):
    """What a seat stands on."""

    LEGS = "legs"
    CANTILEVER = "cantilever"


@dataclass(frozen=True, slots=True)
class Chair:
    """A chair of width (x), depth (y), height of its back, m; one sits facing -y; density in kg/m³.

    seat    height of its upper face;  pad: its thickness;  leg: side of a leg
    lean    how far the back's top is behind its foot;  arms: height of their upper faces, 0: none
    """

    width: float
    depth: float
    height: float
    seat: float = 0.45
    pad: float = 0.03
    stand: ChairStand = ChairStand.LEGS
    leg: float = 0.03
    lean: float = 0.06
    arms: float = 0.0
    density: float = 450.0
    cloth: Material = CLOTH
    tube: Material = TUBE

    @property
    def size(self) -> Vec3:
        """Return width, depth, height, m."""
        return (self.width, self.depth, self.height)


class ChairFamily:
    """Chairs and armchairs (`pocketworld.families.protocol.Family`): free, they can be pushed."""

    name = "chair"
    parameters = Chair
    widest = Spread(
        scale=dict.fromkeys(SCALED, 0.3),
        shift={"hue": 0.5, "saturation": 0.5, "value": 0.5, "roughness": 0.5},
        chance={"stand": 1.0, "arms": 1.0},
    )

    def sample(self, draw: Draw, site: Site) -> Chair:
        """Return a chair of usual size for the place, one of three with arms, one of five on a cantilever.

        Raises PocketworldError where the place is too small for any.
        """
        usual = zip(("width", "depth", "height"), (WIDTHS, DEPTHS, HEIGHTS), site.free, strict=True)
        width, depth, height = (within(draw, *each, "chair") for each in usual)
        seat = float(draw("seat").uniform(*SEATS))
        return Chair(
            width,
            depth,
            height,
            seat,
            float(draw("pad").uniform(*PADS)),
            ChairStand.CANTILEVER if draw("stand").random() < 0.2 else ChairStand.LEGS,
            float(draw("leg").uniform(*LEGS)),
            float(draw("lean").uniform(*LEANS)),
            seat + float(draw("arms").uniform(*ARMS)) if draw("arms?").random() < 1 / 3 else 0.0,
            cloth=coloured(draw, "cloth", (*WOODS, *CLOTHS)),
            tube=coloured(draw, "tube", (*WOODS, TUBE.colour)),
        )

    def build(self, p: Chair, id: str, *, visual: bool = True) -> Asset:
        """Return the chair as one free part; with meshes for the eye if `visual`.

        Raises PocketworldError, in one line, for parameters that make no chair.
        """
        check(p)
        soft = Stuff(p.cloth, p.density, (_seat(p), _hull(p)))
        frame = Stuff(p.tube, p.density, (*_stand(p), *_arms(p)))
        return one_part(id, self.name, p, (soft, frame), Base.FREE, visual=visual)

    def propose(self, evidence: Evidence) -> list[Chair]:
        """Return chairs in the size seen, if chairs have it, their seat at the largest level layer."""
        width, depth, height = evidence.size
        sides = zip(SMALLEST, evidence.size, LARGEST, strict=True)
        if not all(low <= side <= high for low, side, high in sides):
            return []
        seat, _ = layer(evidence, LOW, min(HIGH, 0.8 * height))
        leg = min(sum(LEGS) / 2, width / 8, depth / 8)
        pad = min(sum(PADS) / 2, seat / 4)
        plain = Chair(width, depth, height, seat, pad, leg=leg, lean=_lean(evidence, seat))
        arms, _ = layer(_beside(evidence), seat + ARMS[0] / 2, max(seat + 1.5 * ARMS[1], seat + ARMS[0]))
        arms = min(arms, (height + seat) / 2)
        stands = [replace(plain, stand=stand) for stand in ChairStand]
        return [q for p in stands for q in (p, replace(p, arms=arms)) if _possible(q)]

    def residual(self, p: Chair, evidence: Evidence) -> Array:
        """Return residuals (3 + n + m,): size, points, places seen empty; see `misfit`."""
        return misfits(p.size, _distance(p, evidence.points), _distance(p, evidence.free), evidence)

    def mutate(self, p: Chair, spread: Spread, draw: Draw) -> Chair | Refusal:
        """Return a chair of other size, stand and paint, or why it can't be."""
        vary = Vary(spread, draw)
        changed: dict[str, Any] = {name: vary.scaled(getattr(p, name), name) for name in SCALED}
        changed |= {name: painted(getattr(p, name), name, vary) for name in ("cloth", "tube")}
        out = replace(p, **changed)
        if vary.happens("stand"):
            turned = ChairStand.LEGS if p.stand is ChairStand.CANTILEVER else ChairStand.CANTILEVER
            out = replace(out, stand=turned)
        if vary.happens("arms"):
            out = replace(out, arms=0.0 if p.arms else out.seat + sum(ARMS) / 2)
        short = min(value for _, value in _spare(out))
        return Refusal("no-room", {"short_m": -short}) if short < 0 else out


def check(p: Chair) -> None:
    """Raise PocketworldError, in one line, for sizes that are none and parts without room."""
    own = {name: getattr(p, name) for name in SCALED}
    nothing = {name: own.pop(name) for name in ("lean", "arms")}
    check_lengths("chair", LEAST, **own)
    check_lengths("chair", 0.0, **nothing)
    for name, spare in _spare(p):
        value = getattr(p, name)
        check_room("chair", name, value, value + spare)


def _possible(p: Chair) -> bool:
    return min(getattr(p, name) for name in SCALED) >= 0 and min(spare for _, spare in _spare(p)) >= 0


def _spare(p: Chair) -> list[tuple[str, float]]:
    """Return for each of its sizes how much more it might have, m; below 0: it is too large."""
    flat = p.depth - p.lean - BACK  # of the seat, before the back
    out = [
        ("pad", p.seat - p.pad - 2 * p.leg - LEAST),
        ("seat", p.height - p.seat - BACK),
        ("leg", min(p.width / 2, flat / 2) - p.leg - LEAST),
        ("lean", p.depth / 2 - p.lean),
    ]
    if p.arms:
        out.append(("arms", min(p.height - p.arms, p.arms - ARM - p.seat) - LEAST))
    return out


def pieces(p: Chair) -> list[BoxPiece | HullPiece]:
    """Return all pieces; no two overlap."""
    return [_seat(p), _hull(p), *_stand(p), *_arms(p)]


def _rear(p: Chair) -> float:
    """Return the y of the seat's rear edge."""
    return p.depth / 2 - p.lean


def _seat(p: Chair) -> BoxPiece:
    return span((-p.width / 2, -p.depth / 2, p.seat - p.pad), (p.width / 2, _rear(p), p.seat))


def _straight(p: Chair) -> BoxPiece:
    """Return the back as if it did not lean, on the seat's rear edge."""
    return span((-p.width / 2, _rear(p) - BACK, p.seat), (p.width / 2, _rear(p), p.height))


def _slope(p: Chair) -> float:
    """Return how far the back goes backwards as it rises."""
    return p.lean / (p.height - p.seat)


def _hull(p: Chair) -> HullPiece:
    """Return the back, sheared by its lean."""
    points = _straight(p).vertices
    points[:, 1] += _slope(p) * (points[:, 2] - p.seat)
    return HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in points))


def _stand(p: Chair) -> list[BoxPiece]:
    """Return what carries the seat."""
    x, y, rear, s, under = p.width / 2, p.depth / 2, _rear(p), p.leg, p.seat - p.pad
    if p.stand is ChairStand.LEGS:
        return [span((a, b, 0.0), (a + s, b + s, under)) for a in (-x, x - s) for b in (-y, rear - s)]
    runners = [span((a, -y, 0.0), (a + s, rear, s)) for a in (-x, x - s)]
    fronts = [span((a, -y, s), (a + s, s - y, under)) for a in (-x, x - s)]
    return [*runners, *fronts, span((s - x, rear - s, 0.0), (x - s, rear, s))]


def _arms(p: Chair) -> list[BoxPiece]:
    """Return arms from the back to the front, and what carries them there."""
    if not p.arms:
        return []
    x, y, s, under = p.width / 2, p.depth / 2, p.leg, p.arms - ARM
    end = _rear(p) - BACK + _slope(p) * (under - p.seat)
    out = [span((a, -y, under), (a + s, end, p.arms)) for a in (-x, x - s)]
    return [*out, *(span((a, -y, p.seat), (a + s, s - y, under)) for a in (-x, x - s))]


def _distance(p: Chair, points: Array) -> Array:
    """Return signed distances (n,) of points (n, 3) from its surface, m; below 0 inside.

    Those from the leaning back are those from the straight one of points sheared alike, times the cosine.
    """
    slope = _slope(p)
    sheared = points - np.stack(
        [np.zeros(len(points)), slope * (points[:, 2] - p.seat), 0 * points[:, 0]], -1
    )
    back = distance(sheared, [_straight(p)]) / math.hypot(1.0, slope)
    return np.minimum(distance(points, [_seat(p), *_stand(p), *_arms(p)]), back)


def _lean(evidence: Evidence, seat: float) -> float:
    """Return how far the top of the highest points lies behind those just over the seat, m."""
    _, depth, height = evidence.size
    x, z = evidence.points[:, 0], evidence.points[:, 2]
    above = (z > seat + 0.1 * (height - seat)) & (np.abs(x) < evidence.size[0] / 3)
    above &= np.abs(evidence.normals[:, 2]) < math.sin(math.radians(60))
    usual = min(sum(LEANS) / 2, depth / 4)
    if above.sum() < 8:
        return usual
    y, z = evidence.points[above, 1], evidence.points[above, 2]
    middle = float(np.median(z))
    low, high = z < middle, z >= middle
    rise = float(np.median(z[high]) - np.median(z[low]))
    if not low.any() or rise <= 0:
        return usual
    slope = float(np.median(y[high]) - np.median(y[low])) / rise
    return float(np.clip(slope * (height - seat), 0.01, 0.4 * depth))


def _beside(evidence: Evidence) -> Evidence:
    """Return the evidence at a chair's sides."""
    outer = np.abs(evidence.points[:, 0]) > 0.35 * evidence.size[0]
    return replace(evidence, points=evidence.points[outer], normals=evidence.normals[outer])
