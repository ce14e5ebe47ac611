"""A room door's parameters in, its asset out: frame, leaves with handles on both faces, joints, masses."""

import math
from dataclasses import replace

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet import handles
from pocketworld.families.cabinet.carcass import upright
from pocketworld.families.cabinet.joints import USUAL, holding_friction
from pocketworld.families.cabinet.parameters import FrontKind, HandleSpec
from pocketworld.families.codec import to_json
from pocketworld.families.room_door.parameters import STEEL, DoorChance, Look, RoomDoor, Swing, check
from pocketworld.families.room_door.plan import Leaf, axis, furthest, leaves, pivot, posts
from pocketworld.families.wall import GLASS
from pocketworld.geometry.convex import BoxPiece, HullPiece, Piece, Vec3
from pocketworld.geometry.inertia import inertia
from pocketworld.geometry.solids import Triangles, boxes
from pocketworld.scene import (
    Asset,
    Base,
    Belief,
    HandleKind,
    Hypothesis,
    Joint,
    JointKind,
    Material,
    Mesh,
    Part,
    Rectangle,
    Side,
)

BOARD, PROFILE, PANE, METAL, FRAME = 450.0, 800.0, 1000.0, 2700.0, 600.0
"""Densities, kg/m³: a board of chipboard tubes, hollow metal, two panes with air, handles, frames."""
BORDER, INSET = 0.10, 0.004
"""Width of the metal frame around a glass leaf, and how far the pane stands back in it on each face, m."""
GRIPS = {
    HandleKind.LEVER: (0.020, 0.050),
    HandleKind.BAR: (0.028, 0.060),
    HandleKind.BOW: (0.022, 0.055),
    HandleKind.KNOB: (0.045, 0.055),
}
"""Thickness and standoff of each kind, m: larger than on furniture, for a whole hand."""
LEAN = math.radians(2.5)
"""Houses lean less than furniture; more friction would make a door of 40 kg too hard for a hand to open."""
_Panel = list[tuple[Material, float, list[BoxPiece]]]
LEAST_BACKSET = 0.03
"""m: nearer to its leaf's edge a handle on the far face would meet the strip that the leaf shuts against."""


def build(p: RoomDoor, id: str, *, visual: bool = True) -> Asset:
    """Return the door as an asset at the origin, shut: parts "body" and "door_0", "door_1" (or "panel_..").

    visual   whether its parts have meshes for the eye

    Raises PocketworldError, in one line, for parameters that make no door.
    """
    check(p)
    frame = posts(p)
    weighed = inertia(frame, [FRAME] * len(frame))
    trim = (_mesh(p.trim, boxes(frame)),) if visual else ()
    parts = [Part("body", "body", trim, tuple(frame), *weighed)]
    joints = []
    for leaf in leaves(p):
        parts.append(_part(p, leaf, visual))
        joints.append(_joint(p, leaf, parts[-1]))
    return Asset(id, "room_door", to_json(p), tuple(parts), tuple(joints), base=Base.FIXED)


def panel(p: RoomDoor, leaf: Leaf) -> _Panel:
    """Return what a leaf is made of, without handles: look, density, boxes."""
    face = leaf.face
    if p.look is Look.BOARD:
        return [(p.face, BOARD, [upright(face, leaf.y0, leaf.y1)])]
    b = min(BORDER, face.width / 4)
    inset = min(INSET, p.leaf / 4)
    inner = replace(face, x0=face.x0 + b, x1=face.x1 - b, z0=face.z0 + b, z1=face.z1 - b)
    around = [
        replace(face, x1=inner.x0),
        replace(face, x0=inner.x1),
        replace(inner, z0=face.z0, z1=inner.z0),
        replace(inner, z0=inner.z1, z1=face.z1),
    ]
    return [
        (p.face, PROFILE, [upright(rect, leaf.y0, leaf.y1) for rect in around]),
        (GLASS, PANE, [upright(inner, leaf.y0 + inset, leaf.y1 - inset)]),
    ]


def _part(p: RoomDoor, leaf: Leaf, visual: bool) -> Part:
    """Return a leaf, weighed, with a handle on each face; the one towards the front is its handle."""
    made = panel(p, leaf)
    pieces: list[Piece] = [piece for _, _, group in made for piece in group]
    densities = [density for _, density, group in made for _ in group]
    fitting = handles.fit(_handle(p, leaf), leaf.face, leaf.y0, p.leaf, f"room_door: leaf {leaf.name}")
    if fitting:
        middle = (leaf.y0 + leaf.y1) / 2
        grip = [*fitting.pieces, *(_behind(piece, middle) for piece in fitting.pieces)]
        pieces += grip
        densities += [METAL] * len(grip)
    face = leaf.face
    centre = ((face.x0 + face.x1) / 2, leaf.y0, (face.z0 + face.z1) / 2)
    front = Rectangle(centre, (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), face.width, face.height)
    role = "panel" if p.swing is Swing.FIXED else "door"
    weighed = inertia(pieces, densities)
    handle = fitting.handle if fitting else None
    meshes = _looks(leaf, made, fitting) if visual else ()
    return Part(f"{role}_{leaf.name}", role, meshes, tuple(pieces), *weighed, front, handle)


def _looks(leaf: Leaf, made: _Panel, fitting: handles.Fitting | None) -> tuple[Mesh, ...]:
    """Return what one sees of a leaf."""
    meshes = [_mesh(material, boxes(pieces)) for material, _, pieces in made]
    if fitting:
        surface = fitting.surface
        meshes += [_mesh(STEEL, surface), _mesh(STEEL, _turned(surface, (leaf.y0 + leaf.y1) / 2))]
    return tuple(meshes)


def _handle(p: RoomDoor, leaf: Leaf) -> HandleSpec:
    """Return the handle of a leaf, at the edge away from its hinge."""
    if p.handle is HandleKind.NONE:
        return HandleSpec(HandleKind.NONE)
    if p.backset < LEAST_BACKSET:
        raise PocketworldError(f"room_door: backset is {p.backset:.4g} m", f"at least {LEAST_BACKSET} m")
    thickness, standoff = GRIPS[p.handle]
    inwards, length = p.backset, p.handle_length
    if p.handle is HandleKind.KNOB:
        length = thickness
    if p.handle is HandleKind.LEVER:
        inwards += length / 2 - 0.4 * thickness  # from its neck, where the backset is, to its middle
    share = inwards / leaf.face.width
    u = 1 - share if leaf.hinged is Side.LEFT else share
    v = (p.handle_height - leaf.face.z0) / leaf.face.height
    upright = p.handle in (HandleKind.BAR, HandleKind.BOW)
    return HandleSpec(p.handle, u, v, length, thickness, standoff, upright)


def _behind(piece: Piece, middle: float) -> Piece:
    """Return a piece mirrored to the other face of a leaf whose middle is at depth `middle`, m."""

    def there(point: Vec3) -> Vec3:
        return (point[0], 2 * middle - point[1], point[2])

    if isinstance(piece, HullPiece):
        return HullPiece(tuple(map(there, piece.points)))
    return replace(piece, centre=there(piece.centre))


def _turned(surface: Triangles, middle: float) -> Triangles:
    """Return a surface mirrored to the other face of a leaf."""
    vertices, faces = surface
    return vertices * (1, -1, 1) + (0, 2 * middle, 0), faces[:, ::-1].copy()


def _mesh(material: Material, surface: Triangles) -> Mesh:
    return Mesh(surface[0].astype(np.float32), surface[1], material)


def _joint(p: RoomDoor, leaf: Leaf, part: Part) -> Joint:
    """Return the hinge of a leaf, with friction that holds it still in a house that leans; or none."""
    known = belief(p, leaf)
    if p.swing is Swing.FIXED:
        return Joint(leaf.name, JointKind.FIXED, "body", part.id, known)
    about, through = axis(p.swing, leaf.hinged), pivot(leaf, p.swing, leaf.hinged)
    reach = min(p.opening, furthest(p, p.swing))
    lever = float(np.linalg.norm(np.cross(about, np.subtract(part.com, through))))
    friction = max(p.friction, holding_friction(part.mass, lever, LEAN))
    span = (0.0, reach)
    return Joint(
        leaf.name,
        JointKind.HINGE,
        "body",
        part.id,
        known,
        about,
        through,
        span,
        p.state * reach,
        p.damping,
        friction,
    )


def belief(p: RoomDoor, leaf: Leaf) -> Belief:
    """Return what is known of how a leaf moves; without chances it is certain to be what it is."""
    chances = p.chances or (DoorChance(p.swing, p.side, 1.0),)
    known = [_hypothesis(p, leaf, chance) for chance in chances if chance.swing is not Swing.FIXED]
    fixed = math.fsum(chance.p for chance in chances if chance.swing is Swing.FIXED)
    if fixed or not known:
        known.append(Hypothesis(JointKind.FIXED, Side.NONE, fixed))
    return Belief(tuple(known), p.evidence)


def _hypothesis(p: RoomDoor, leaf: Leaf, chance: DoorChance) -> Hypothesis:
    """Return one way in which a leaf may move, with its geometry."""
    side = leaf.hinged if p.leaves == 2 else chance.side
    return Hypothesis(
        JointKind.HINGE,
        side,
        chance.p,
        axis(chance.swing, side),
        min(math.sqrt(2) * p.sigma / leaf.face.height, math.pi / 4),
        pivot(leaf, chance.swing, side),
        p.sigma,
        min(p.opening, furthest(p, chance.swing)),
        USUAL[FrontKind.DOOR][1] if p.sigma else 0.0,
    )
