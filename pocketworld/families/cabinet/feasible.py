"""Whether a mutated cabinet can be: room for fronts, handles and insides, fronts that open and stay."""

import math
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet import drawer
from pocketworld.families.cabinet.build import bare, build, laid_out
from pocketworld.families.cabinet.handles import fitted
from pocketworld.families.cabinet.joints import holding_friction
from pocketworld.families.cabinet.parameters import MOVABLE, Cabinet, Front, FrontKind, fronts
from pocketworld.families.cabinet.plan import Cell, Plan, plan
from pocketworld.families.cabinet.regrid import map_fronts
from pocketworld.families.grasp import blocked, fingers
from pocketworld.families.protocol import Refusal
from pocketworld.geometry.convex import cross
from pocketworld.scene import Asset, HandleKind, Joint, JointKind

OUTER = (0.10, 4.0)  # m: least and greatest outer width, depth, height of what we still call a cabinet
HALVINGS = 6  # of half a joint's range: to 1 %
LEAST_WAY = 0.5  # of the way that a front was to open: with less it hardly does what it is for


class Reason(StrEnum):
    """Why a cabinet can't be."""

    OUTER = "outer-size-unusual"
    FRONTS = "no-room-for-fronts"
    LOW = "front-too-low-for-handle"
    NARROW = "front-too-narrow-for-handle"
    INSIDE = "no-inside"
    NOTHING = "nothing-opens"
    GRASP = "handle-out-of-reach"
    STUCK = "opens-too-little"
    BUILD = "cannot-be-built"


def buildable(p: Cabinet) -> bool:
    """Say whether a cabinet can be built, be it that nothing of it opens far."""
    try:
        return bool(laid_out(p).boards)
    except PocketworldError:
        return False


def refusal(p: Cabinet, known: Cabinet) -> Refusal | None:
    """Return why cabinet p, mutated from `known`, can't be; None where it can."""
    for name in ("width", "depth", "height"):
        if not OUTER[0] <= getattr(p, name) <= OUTER[1]:
            return Refusal(Reason.OUTER, {f"{name}_m": getattr(p, name)})
    if _opening(known) and not _opening(p):
        return Refusal(Reason.NOTHING, {"fronts": float(sum(1 for _ in fronts(p.grid)))})
    try:
        drawn = plan(p)
    except PocketworldError:
        return Refusal(Reason.FRONTS, {"width_m": p.width, "height_m": p.height})
    return next(filter(None, (_cell(p, cell, drawn) for cell in drawn.cells)), None)


def _opening(p: Cabinet) -> bool:
    return any(front.kind in MOVABLE for _, front in fronts(p.grid))


def _cell(p: Cabinet, cell: Cell, drawn: Plan) -> Refusal | None:
    """Return why a front can't be where it is."""
    face, handle = cell.face, cell.front.handle
    if cell.front.kind is FrontKind.OPEN:
        return None
    if handle.kind is not HandleKind.NONE and not _fits(cell):
        reason = Reason.NARROW if handle.vertical else Reason.LOW
        return Refusal(reason, {"width_m": face.width, "height_m": face.height})
    if cell.front.kind is FrontKind.DRAWER and not _hollow(p, cell, drawn):
        room = (cell.cavity.width, cell.cavity.height, drawn.back_y - drawn.inner_y)
        return Refusal(Reason.INSIDE, dict(zip(("width_m", "height_m", "depth_m"), room, strict=True)))
    return None


def _hollow(p: Cabinet, cell: Cell, drawn: Plan) -> bool:
    try:
        return bool(drawer.box(p, cell, drawn))
    except PocketworldError:
        return False


def _fits(cell: Cell) -> bool:
    return fitted(cell.front.handle, cell.face.width, cell.face.height).kind is cell.front.handle.kind


def opening(p: Cabinet, path: str, furthest: float) -> Cabinet | None:
    """Return a cabinet with one door that opens that far (rad); None where that front is no door."""
    front = dict(fronts(p.grid))[path]
    if front.kind is not FrontKind.DOOR:
        return None

    def change(one: Front, at: str, width: float, height: float) -> Front:
        return replace(one, opening=min(furthest, one.opening)) if at == path else one

    return replace(p, grid=map_fronts(p.grid, change, p.width, p.height))


def stop_of(asset: Asset, id: str, meets: Callable[[Asset], bool]) -> float | None:
    """Return how far a joint opens (rad or m, within 1 % of its range) before the asset meets something.

    meets   is asked of the asset with that joint alone opening so far
    None where that is less than LEAST_WAY of its range.
    """

    def alone(q: float) -> Asset:
        joints = (replace(j, range=(0.0, q if j.id == id else 0.0), state=0.0) for j in asset.joints)
        return replace(asset, joints=tuple(joints))

    (high,) = (joint.range[1] for joint in asset.joints if joint.id == id)
    low = LEAST_WAY * high
    if meets(alone(low)):
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if meets(alone(middle)) else (middle, high)
    return low


def gripped(p: Cabinet) -> Cabinet:
    """Return the cabinet with every handle fitted to its front, of which `refusal` has found nothing."""
    faces = {cell.path: cell.face for cell in plan(p).cells}

    def change(front: Front, path: str, width: float, height: float) -> Front:
        face = faces[path]
        return replace(front, handle=fitted(front.handle, face.width, face.height))

    return replace(p, grid=map_fronts(p.grid, change, p.width, p.height))


def made(p: Cabinet) -> tuple[Cabinet, Asset] | Refusal:
    """Return the cabinet with frictions that hold every part still, and as it is built but for its looks; or
    why it can't be or open.
    """
    try:
        asset = bare(p)
    except PocketworldError:
        return Refusal(Reason.BUILD, {"width_m": p.width, "depth_m": p.depth, "height_m": p.height})
    for joint in asset.movable:
        asked = joint.belief.best.range
        if joint.range[1] < LEAST_WAY * asked:
            return Refusal(Reason.STUCK, {"opens": joint.range[1], "asked": asked})
    return held(p, asset), asset


def held(p: Cabinet, asset: Asset) -> Cabinet:
    """Return the cabinet that an asset was built from with frictions that hold every part still.

    Friction is raised, never lowered: to what holds the part in a cabinet that leans
    (`joints.holding_friction`), by the mass and lever of the part as it is built.
    """
    needed = {joint.id: _holding(asset, joint) for joint in asset.movable}

    def change(front: Front, path: str, width: float, height: float) -> Front:
        return replace(front, friction=max(front.friction, needed.get(path, 0.0)))

    return replace(p, grid=map_fronts(p.grid, change, p.width, p.height))


def still(p: Cabinet, id: str) -> tuple[Cabinet, Asset] | None:
    """Return a cabinet whose parts friction holds still, and its asset; None where none can be built."""
    try:
        kept = held(p, build(p, id))
        return kept, build(kept, id)
    except PocketworldError:
        return None


def unreachable(asset: Asset) -> Refusal | None:
    """Return why a hand can't open it: something stands where fingers take a handle, be it the floor."""
    handles = {joint.id: asset.part(joint.child).handle for joint in asset.movable}
    held = {id: handle for id, handle in handles.items() if handle}
    low = {id for id, handle in held.items() if min(f.vertices[:, 2].min() for f in fingers(handle)) < 0}
    out = low | (set(blocked(asset)) & set(held))
    return Refusal(Reason.GRASP, {"handles": float(len(held)), "blocked": float(len(out))}) if out else None


def _holding(asset: Asset, joint: Joint) -> float:
    """Return the friction (N, N m) that holds a joint's part."""
    part = asset.part(joint.child)
    lever = 1.0
    if joint.kind is JointKind.HINGE:
        (x, y, z), (ox, oy, oz) = part.com, joint.origin
        arm = (x - ox, y - oy, z - oz)
        lever = math.hypot(*cross(joint.axis, arm))
    return holding_friction(part.mass, lever)
