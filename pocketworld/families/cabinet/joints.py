"""How the fronts of a cabinet move, and what is believed of it."""

import math

from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind
from pocketworld.families.cabinet.plan import Cell, Plan
from pocketworld.geometry.convex import Vec3
from pocketworld.scene import Belief, Hypothesis, Joint, JointKind, Side

GRAVITY = 9.81
LEAN = math.radians(5)
"""A part that holds still in a cabinet that leans by this much holds still in any room."""

KINDS = {
    FrontKind.DRAWER: JointKind.SLIDE,
    FrontKind.SLIDING: JointKind.SLIDE,
    FrontKind.DOOR: JointKind.HINGE,
    FrontKind.OPEN: JointKind.FIXED,
    FrontKind.FIXED: JointKind.FIXED,
}
USUAL = {
    FrontKind.DRAWER: (0.8, 0.12),
    FrontKind.DOOR: (1.7, 0.15),
    FrontKind.SLIDING: (0.9, 0.06),
    FrontKind.OPEN: (0.0, 0.0),
    FrontKind.FIXED: (0.0, 0.0),
}
"""How far a front of each kind opens where nothing shows it, and how sure that is (one standard deviation).

A share of the depth inside, evenly between 0.6 and 1; rad, 80 to 110 degrees; a share of its width, 0.8 to 1.
"""
TOWARDS: dict[Side, Vec3] = {Side.LEFT: (-1.0, 0.0, 0.0), Side.RIGHT: (1.0, 0.0, 0.0)}
HINGES: dict[Side, Vec3] = {
    Side.LEFT: (0.0, 0.0, -1.0),
    Side.RIGHT: (0.0, 0.0, 1.0),
    Side.TOP: (-1.0, 0.0, 0.0),
    Side.BOTTOM: (1.0, 0.0, 0.0),
}


def holding_friction(mass: float, lever: float = 1.0, lean: float = LEAN) -> float:
    """Return the joint friction (N, or N m with a lever) that holds a part still in what leans (rad).

    mass in kg; lever: 1 for a slide, the distance of the centre of mass from the axis (m) for a hinge. It is
    one and a half times the pull of gravity: simulated friction (MuJoCo's frictionloss) is soft.
    """
    return 1.5 * mass * GRAVITY * math.sin(lean) * lever


def axis(kind: FrontKind, side: Side) -> Vec3:
    """Return the unit vector of opening: out of the front, along it, or the right-handed turn's axis."""
    if kind is FrontKind.DOOR:
        return HINGES[side]
    return TOWARDS[side] if kind is FrontKind.SLIDING else (0.0, -1.0, 0.0)


def origin(kind: FrontKind, side: Side, cell: Cell, where: Plan, p: Cabinet) -> Vec3:
    """Return a point on the axis, m: the middle of the face, or of the face's edge where the hinge is.

    On the outer edge, as a cup hinge moves a door: it swings through neither its neighbour nor the boards.
    """
    face, y = cell.face, face_y(cell, where, p)
    x, z = (face.x0 + face.x1) / 2, (face.z0 + face.z1) / 2
    if kind is FrontKind.DOOR:
        x = {Side.LEFT: face.x0, Side.RIGHT: face.x1}.get(side, x)
        z = {Side.TOP: face.z1, Side.BOTTOM: face.z0}.get(side, z)
    return (x, y, z)


def face_y(cell: Cell, where: Plan, p: Cabinet) -> float:
    """Return the depth of a front's outer face, m."""
    return where.face_y if cell.track == 0 else where.inner_y - p.front


def furthest(kind: FrontKind, opening: float, cell: Cell, where: Plan, p: Cabinet) -> float:
    """Return the range that an opening stands for: rad, or m of the depth inside or of the front's width."""
    if kind is FrontKind.DRAWER:
        return opening * (where.back_y - where.face_y - p.front)
    return opening * cell.face.width if kind is FrontKind.SLIDING else opening


def joint(cell: Cell, where: Plan, p: Cabinet, child: str, limit: float) -> Joint:
    """Return the joint of a front; it opens as far as its parameters say, but not beyond limit (rad or m)."""
    front = cell.front
    kind = KINDS[front.kind]
    if kind is JointKind.FIXED:
        return Joint(cell.path, kind, "body", child, belief(cell, where, p))
    reach = min(furthest(front.kind, front.opening, cell, where, p), limit)
    return Joint(
        cell.path,
        kind,
        "body",
        child,
        belief(cell, where, p),
        axis(front.kind, front.side),
        origin(front.kind, front.side, cell, where, p),
        (0.0, reach),
        front.state * reach,
        front.damping,
        front.friction,
    )


def belief(cell: Cell, where: Plan, p: Cabinet) -> Belief:
    """Return what is known of how a front moves; without chances it is certain to be what it is."""
    front = cell.front
    chances = front.chances or (Chance(front.kind, front.side, 1.0),)
    fixed = sum(chance.p for chance in chances if KINDS[chance.kind] is JointKind.FIXED)
    known = [
        _hypothesis(chance, cell, where, p) for chance in chances if KINDS[chance.kind] is not JointKind.FIXED
    ]
    if fixed or not known:
        known.append(Hypothesis(JointKind.FIXED, Side.NONE, fixed))
    return Belief(tuple(known), front.evidence)


def _hypothesis(chance: Chance, cell: Cell, where: Plan, p: Cabinet) -> Hypothesis:
    """Return one way in which a front may move, with its geometry.

    The axis follows edges whose two ends are sure to sigma each: they turn it by sqrt(2) sigma / length.
    """
    front: Front = cell.front
    usual, doubt = USUAL[chance.kind]
    opening = front.opening if chance.kind is front.kind else usual
    across = cell.face.height if chance.side in (Side.LEFT, Side.RIGHT) else cell.face.width
    return Hypothesis(
        KINDS[chance.kind],
        chance.side,
        chance.p,
        axis(chance.kind, chance.side),
        min(math.sqrt(2) * p.sigma / across, math.pi / 4),
        origin(chance.kind, chance.side, cell, where, p),
        p.sigma,
        furthest(chance.kind, opening, cell, where, p),
        furthest(chance.kind, doubt, cell, where, p) if p.sigma else 0.0,
    )
