"""Where everything of a room door goes: its frame, its leaves' faces, how far they turn."""

import math
from dataclasses import dataclass

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.plan import Rect
from pocketworld.families.room_door.parameters import FURTHEST, LEAST_LEAF, RoomDoor, Swing
from pocketworld.geometry.convex import BoxPiece, Vec3, span
from pocketworld.scene import Side

UNDER = 0.007
"""Height of the gap between a leaf and the floor, m (DIN 18101)."""
STOP = 0.015
"""Width and depth of the strip that a leaf shuts against, m."""
PLAY = 0.002
"""Left between a shut leaf and that strip, and between an opened one and its frame, m."""
HINGES: dict[Side, Vec3] = {Side.LEFT: (0.0, 0.0, -1.0), Side.RIGHT: (0.0, 0.0, 1.0)}
"""Axis of a leaf that opens towards the front; one that opens away turns about the opposite."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf: its name, its outer face, its depth from y0 to y1, the edge at which its handle is not."""

    name: str
    face: Rect
    y0: float
    y1: float
    hinged: Side


def leaves(p: RoomDoor) -> tuple[Leaf, ...]:
    """Return the leaves of a door from the left; of a fixed one, the handle is where a left hinge has it.

    Raises PocketworldError where the frame leaves no room for them, or they are too thick to turn out of it.
    """
    y0 = p.recess - p.depth / 2
    inner = p.width - 2 * (p.frame + p.gap)
    wide = (inner - (p.leaves - 1) * p.gap) / p.leaves
    top = p.height - p.frame - p.gap
    if wide < LEAST_LEAF or top - UNDER < LEAST_LEAF:
        raise PocketworldError(
            f"room_door: a frame of {p.width:.4g} x {p.height:.4g} m leaves {wide:.3g} x {top:.3g} m a leaf",
            f"at least {LEAST_LEAF} m each way",
        )
    # The far edge of the turning side is the nearer to the hinge: the other one needs that much of the gap.
    more = math.hypot(wide, p.leaf) - wide
    if more > p.gap and p.swing is not Swing.FIXED:
        found = f"a leaf of {wide:.3g} m, {p.leaf:.3g} m thick, can't turn"
        raise PocketworldError(f"room_door: {found}", f"it needs a gap of {more:.3g} m, has {p.gap:.3g} m")
    lefts = [-inner / 2 + i * (wide + p.gap) for i in range(p.leaves)]
    faces = [Rect(x, x + wide, UNDER, top) for x in lefts]
    single = Side.RIGHT if p.side is Side.RIGHT else Side.LEFT
    sides = (Side.LEFT, Side.RIGHT) if p.leaves == 2 else (single,)
    return tuple(
        Leaf(str(i), face, y0, y0 + p.leaf, side)
        for i, (face, side) in enumerate(zip(faces, sides, strict=True))
    )


def posts(p: RoomDoor) -> list[BoxPiece]:
    """Return the frame: two posts, the head between them, and the strip that the leaves shut against."""
    half, deep, b = p.width / 2, p.depth / 2, p.frame
    pieces = [
        span((-half, -deep, 0.0), (b - half, deep, p.height)),
        span((half - b, -deep, 0.0), (half, deep, p.height)),
        span((b - half, -deep, p.height - b), (half - b, deep, p.height)),
    ]
    if p.swing is Swing.AWAY:
        y1 = p.recess - deep - PLAY
        y0 = max(y1 - STOP, -deep)
    else:
        y0 = p.recess - deep + p.leaf + PLAY
        y1 = min(y0 + STOP, deep)
    if y1 - y0 > PLAY:
        x0, x1, high = b - half, half - b, p.height - b
        pieces += [
            span((x0, y0, 0.0), (x0 + STOP, y1, high)),
            span((x1 - STOP, y0, 0.0), (x1, y1, high)),
            span((x0 + STOP, y0, high - STOP), (x1 - STOP, y1, high)),
        ]
    return pieces


def pivot(leaf: Leaf, swing: Swing, side: Side) -> Vec3:
    """Return a point on the axis of a leaf hinged at a side, m: on the edge of the face towards it opens."""
    x = leaf.face.x0 if side is Side.LEFT else leaf.face.x1
    return (x, leaf.y0 if swing is Swing.TOWARDS else leaf.y1, (leaf.face.z0 + leaf.face.z1) / 2)


def axis(swing: Swing, side: Side) -> Vec3:
    """Return the unit vector about which a leaf turns open, right-handed."""
    x, y, z = HINGES[side]
    return (x, y, z if swing is Swing.TOWARDS else -z)


def furthest(p: RoomDoor, swing: Swing) -> float:
    """Return the angle to which a leaf opens before it meets the frame on whose far side it goes, rad.

    Where the frame goes on for r in front of the hinge, a leaf turned by t > 90 degrees is r / tan(t) beside
    its edge where it leaves the frame: there it may use up the gap, but for PLAY.
    """
    reveal = p.recess if swing is Swing.TOWARDS else p.depth - p.recess - p.leaf
    if reveal < PLAY:
        return FURTHEST
    return min(FURTHEST, math.pi / 2 + math.atan(max(p.gap - PLAY, 0.0) / reveal))
