"""The parameters of a room door: a frame that fills an opening of a wall, with one leaf or two."""

import math
from dataclasses import dataclass
from enum import StrEnum

from pocketworld.errors import PocketworldError
from pocketworld.geometry.convex import Vec3
from pocketworld.scene import HandleKind, Material, Side

WOOD = Material((0.62, 0.47, 0.32), 0.5)
PAINT = Material((0.80, 0.80, 0.79), 0.5)
STEEL = Material((0.55, 0.55, 0.57), 0.35, 1.0)
FURTHEST = math.radians(120)
"""Furthest that a leaf opens, rad: then it stands beside its opening, with its handle before the wall."""
HANDLES = (HandleKind.LEVER, HandleKind.BAR, HandleKind.BOW, HandleKind.KNOB, HandleKind.NONE)
"""What room doors have; bars and bows stand upright."""
LEAST_LEAF = 0.2
"""Least width of a leaf, m: a hand's breadth of handle and as much beside it."""


class Swing(StrEnum):
    """Where a leaf goes as it opens: towards whoever stands in front of it, or away; or it does not."""

    TOWARDS = "towards"
    AWAY = "away"
    FIXED = "fixed"


class Look(StrEnum):
    """What a leaf is made of: a board, or a pane in a narrow metal frame."""

    BOARD = "board"
    GLASS = "glass"


@dataclass(frozen=True, slots=True)
class DoorChance:
    """How probable it is that a door opens this way, hinged at that side."""

    swing: Swing
    side: Side
    p: float


@dataclass(frozen=True, slots=True)
class RoomDoor:
    """A door in a wall; lengths in m, seen from the front (-y), the room that was captured.

    width, height  outer size of the frame: of the opening that it fills
    depth          of the frame: the wall's thickness
    recess         how far the leaf's face stands behind the frame's
    leaves         1 or 2
    side           where one leaf is hinged: left, right; none for two (at their outer edges) or fixed ones
    swing          which way it opens
    chances        what it may be, probabilities sum to 1; empty: it is certain.  evidence: why, in words
    opening        how far a leaf opens, rad; less where its frame is in the way
    state          how far it stood open in the capture, as a share of the whole opening
    frame          width of the frame's posts and head;  leaf: thickness;  gap: between leaf and frame
    look           board or glass
    handle         its kind, on both faces;  handle_height: of its middle above the floor
    backset        of its neck (lever), or of its middle, from the leaf's free edge;  handle_length
    damping        N m s/rad;  friction: N m, of the hinge; at least what holds it in a house that leans
    sigma          how sure the opening's edges are
    face, trim     looks of the leaf (of glass: its frame) and of the door's frame; colour is linear RGB
    """

    width: float
    height: float
    depth: float = 0.125
    recess: float = 0.0
    leaves: int = 1
    side: Side = Side.LEFT
    swing: Swing = Swing.TOWARDS
    chances: tuple[DoorChance, ...] = ()
    evidence: tuple[str, ...] = ()
    opening: float = math.pi / 2
    state: float = 0.0
    frame: float = 0.04
    leaf: float = 0.04
    gap: float = 0.004
    look: Look = Look.BOARD
    handle: HandleKind = HandleKind.LEVER
    handle_height: float = 1.05
    backset: float = 0.065
    handle_length: float = 0.13
    damping: float = 1.5
    friction: float = 0.0
    sigma: float = 0.0
    face: Material = WOOD
    trim: Material = PAINT

    @property
    def size(self) -> Vec3:
        """Return the outer size of its frame: width, depth, height, m."""
        return (self.width, self.depth, self.height)


LENGTHS = ("width", "height", "depth", "frame", "leaf", "gap", "handle_height", "backset", "handle_length")
NOT_NEGATIVE = ("recess", "opening", "state", "damping", "friction", "sigma")


def check(p: RoomDoor) -> None:
    """Raise PocketworldError, in one line, for parameters that make no door, as far as they show it alone."""
    for name in (*LENGTHS, *NOT_NEGATIVE):
        value = getattr(p, name)
        if not (math.isfinite(value) and (value > 0 or (value == 0 and name in NOT_NEGATIVE))):
            least = "0 or more" if name in NOT_NEGATIVE else "more than 0"
            raise PocketworldError(f"room_door: {name} is {value:.6g}", f"a number, {least}")
    if p.leaves not in (1, 2):
        raise PocketworldError(f"room_door: it has {p.leaves} leaves", "1 or 2")
    if p.handle not in HANDLES:
        raise PocketworldError(f"room_door: its handle is a {p.handle}", f"one of {', '.join(HANDLES)}")
    if p.opening > math.pi or p.state > 1:
        found = f"opening {p.opening:.4g} rad, state {p.state:.4g}"
        raise PocketworldError(f"room_door: {found}", "at most half a turn, and a share of it")
    if p.recess + p.leaf > p.depth + 1e-9:
        found = f"a leaf of {p.leaf:.3g} m, {p.recess:.3g} m behind the front"
        raise PocketworldError(f"room_door: {found}, sticks out behind", f"its frame is {p.depth:.3g} m deep")
    _sides(p)


def _sides(p: RoomDoor) -> None:
    """Refuse sides that do not go with the number of leaves, and chances that are no distribution."""
    for swing, side in ((p.swing, p.side), *((chance.swing, chance.side) for chance in p.chances)):
        hinged = swing is not Swing.FIXED
        allowed = (Side.LEFT, Side.RIGHT) if hinged and p.leaves == 1 else (Side.NONE,)
        if side not in allowed:
            what = f"{p.leaves} leaves, {swing}, hinged at the side {side}"
            raise PocketworldError(f"room_door: {what}", f"the side is one of {', '.join(allowed)}")
    total = math.fsum(chance.p for chance in p.chances)
    if p.chances and not (abs(total - 1) <= 1e-6 and min(chance.p for chance in p.chances) >= 0):
        raise PocketworldError(f"room_door: its chances sum to {total:.6g}", "they are >= 0 and sum to 1")
