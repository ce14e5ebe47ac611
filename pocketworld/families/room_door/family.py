"""The family "room_door": drawn from what is usual in buildings, or from what is believed."""

import math
from dataclasses import replace

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.doubt import drawn
from pocketworld.families.cabinet.feasible import Reason, unreachable
from pocketworld.families.cabinet.joints import USUAL
from pocketworld.families.cabinet.parameters import FrontKind
from pocketworld.families.misfit import misfit
from pocketworld.families.paint import painted
from pocketworld.families.protocol import Array, Draw, Evidence, Refusal, Site, Spread
from pocketworld.families.room_door.build import build, panel
from pocketworld.families.room_door.parameters import PAINT, WOOD, Look, RoomDoor, Swing
from pocketworld.families.room_door.plan import UNDER, leaves, posts
from pocketworld.families.vary import Vary
from pocketworld.families.wall import THICKNESSES
from pocketworld.geometry.convex import BoxPiece
from pocketworld.scene import Asset, HandleKind, Material, Side

WIDTHS, HEIGHTS = (0.61, 0.735, 0.86, 0.985, 1.11), (1.985, 2.11)
"""Outer sizes of leaves, m (DIN 18101)."""
OPENED = (math.radians(60), math.radians(115))
"""How far leaves open at least and most, rad: enough to walk through; to where furniture usually stands."""
KINDS = (HandleKind.LEVER, HandleKind.BAR, HandleKind.KNOB)
LOOKS = (WOOD, PAINT, Material((0.05, 0.05, 0.055), 0.6), Material((0.30, 0.18, 0.10), 0.5))
ALUMINIUM = Material((0.45, 0.45, 0.46), 0.4, 1.0)


class RoomDoorFamily:
    """Doors in walls, of one leaf or two (`pocketworld.families.protocol.Family`)."""

    name = "room_door"
    parameters = RoomDoor
    widest = Spread(
        scale={"handle_length": 0.3, "damping": 2.0, "friction": 2.0},
        shift={
            "swing": 0.5,
            "handle_height": 0.1,
            "hue": 0.5,
            "saturation": 0.5,
            "value": 0.5,
            "roughness": 0.4,
        },
        choices={"handle": tuple(kind.value for kind in KINDS)},
        chance={"handle": 1.0, "mirror": 1.0},
    )

    def sample(self, draw: Draw, site: Site) -> RoomDoor:
        """Return a door of standard leaves in a wall of usual thickness: about one in five has two, of glass.

        Raises PocketworldError where the place is too small for the smallest.
        """
        double = float(draw("leaves").random()) < 0.2
        sizes = [
            (w, h, t)
            for w in (2 * width if double else width for width in WIDTHS)
            for h in HEIGHTS
            for t in THICKNESSES
            if all(a <= b for a, b in zip(_around(w, t, h), site.free, strict=True))
        ]
        if not sizes:
            found = " x ".join(f"{side:.3g}" for side in site.free)
            raise PocketworldError(f"no room door fits into {found} m", "leave it more room")
        wide, high, deep = sizes[int(draw("size").integers(len(sizes)))]
        return _drawn(RoomDoor(*_outer(wide, high), deep, leaves=1 + double), draw)

    def build(self, p: RoomDoor, id: str, *, visual: bool = True) -> Asset:
        """Return the door at the origin: the middle of its opening, on the floor; with meshes if `visual`."""
        return build(p, id, visual=visual)

    def propose(self, evidence: Evidence) -> list[RoomDoor]:
        """Return the doors of the layouts found, the likeliest first, or a plain one, in the size seen."""
        width, depth, height = evidence.size
        found = sorted(evidence.layouts, key=lambda layout: -layout[0])
        doors = [p for _, p in found if isinstance(p, RoomDoor)] or [RoomDoor(width, height)]
        return [replace(p, width=width, depth=depth, height=height) for p in doors]

    def residual(self, p: RoomDoor, evidence: Evidence) -> Array:
        """Return residuals (3 + n,): size in its sigmas, then points off frame and leaves, weighted."""
        solid: list[BoxPiece] = posts(p)
        for leaf in leaves(p):
            solid += [piece for _, _, group in panel(p, leaf) for piece in group]
        return misfit(p.size, solid, evidence)

    def mutate(self, p: RoomDoor, spread: Spread, draw: Draw) -> RoomDoor | Refusal:
        """Return another door for the same opening: what is hinged stays so unless the belief doubts it.

        With `spread.doubt` side and swing are first drawn from the chances. Words: handle_length damping
        friction (scale); swing handle_height (rad, m) and colours (shift); handle mirror (chance).
        """
        known = doubt(p, draw) if spread.doubt else p
        out = _varied(known, Vary(spread, draw))
        if out == known:
            return out
        try:
            made = build(out, "door", visual=False)
        except PocketworldError:
            return Refusal(Reason.BUILD, {"width_m": p.width, "height_m": p.height})
        return unreachable(made) or out


def doubt(p: RoomDoor, draw: Draw) -> RoomDoor:
    """Return one door of those that the belief allows, certain; the handle goes where its hinge is not."""
    side, swing, opening = p.side, p.swing, p.opening
    if p.chances:
        chance = drawn(p.chances, float(draw("leaf/kind").random()))
        side, swing = chance.side, chance.swing
    if p.sigma and swing is not Swing.FIXED:
        z = float(np.clip(draw("opening-doubt").standard_normal(), -2, 2))
        opening = min(max(opening + USUAL[FrontKind.DOOR][1] * z, OPENED[0]), math.pi)
    state = 0.0 if swing is Swing.FIXED else p.state
    return replace(p, side=side, swing=swing, opening=opening, state=state, chances=(), sigma=0.0)


def _outer(wide: float, high: float) -> tuple[float, float]:
    """Return the outer width and height of the frame around leaves of a size, m."""
    p = RoomDoor(1.0, 1.0)
    return wide + 2 * (p.frame + p.gap), high + p.frame + p.gap + UNDER


def _around(wide: float, deep: float, high: float) -> tuple[float, float, float]:
    """Return the place (width, depth, height) that leaves of a size need in a wall of a thickness, m."""
    width, height = _outer(wide, high)
    return width, deep, height


def _drawn(p: RoomDoor, draw: Draw) -> RoomDoor:
    """Return a door of a size with side, swing, depth in its wall, handle and looks drawn."""
    glass = p.leaves == 2 and float(draw("glass").random()) < 0.8
    towards = float(draw("swing").random()) < 0.5
    # A leaf lies in the wall's face on the side to which it opens, often; else it is set back from it.
    flush = float(draw("flush").random()) < 0.7
    back = 0.0 if flush else float(draw("recess").uniform(0, p.depth - p.leaf))
    bar = glass and float(draw("handle").random()) < 0.8
    look = LOOKS[int(draw("face").integers(len(LOOKS)))]
    return replace(
        p,
        recess=back if towards else p.depth - p.leaf - back,
        side=Side.NONE if p.leaves == 2 else (Side.LEFT, Side.RIGHT)[int(draw("side").integers(2))],
        swing=Swing.TOWARDS if towards else Swing.AWAY,
        opening=float(draw("opening").uniform(1.3, 1.6)),
        look=Look.GLASS if glass else Look.BOARD,
        handle=HandleKind.BAR if bar else HandleKind.LEVER,
        handle_length=float(draw("handle/length").uniform(*((0.4, 0.8) if bar else (0.115, 0.14)))),
        backset=0.12 if bar else (0.055, 0.065)[int(draw("backset").integers(2))],
        damping=float(draw("damping").uniform(0.5, 4.0)),
        face=ALUMINIUM if glass else look,
        trim=ALUMINIUM if glass else PAINT,
    )


def _varied(p: RoomDoor, vary: Vary) -> RoomDoor:
    """Return a door varied on purpose."""
    if p.leaves == 1 and p.swing is not Swing.FIXED and vary.happens("mirror"):
        p = replace(p, side=Side.LEFT if p.side is Side.RIGHT else Side.RIGHT)
    kinds = [HandleKind(name) for name in vary.chosen("handle")]
    if kinds and p.handle is not HandleKind.NONE and vary.happens("handle"):
        kind = vary.one_of(kinds, "handle")
        usual = RoomDoor(1.0, 1.0).handle_length
        p = replace(p, handle=kind, handle_length=p.handle_length if kind is p.handle else usual)
    opening = p.opening
    if p.swing is not Swing.FIXED:
        drawn_opening = vary.shifted(opening, "swing")
        opening = min(max(drawn_opening, min(OPENED[0], opening)), max(OPENED[1], opening))
    return replace(
        p,
        opening=opening,
        handle_length=vary.scaled(p.handle_length, "handle_length"),
        handle_height=vary.shifted(p.handle_height, "handle_height"),
        damping=vary.scaled(p.damping, "damping"),
        friction=vary.scaled(p.friction, "friction"),
        face=painted(p.face, "face", vary),
        trim=painted(p.trim, "trim", vary),
    )
