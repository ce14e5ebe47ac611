"""A cabinet's parameters in, its asset out: boards, drawers, doors, handles, joints, masses."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet import drawer, handles, joints, swing
from pocketworld.families.cabinet.carcass import body, upright
from pocketworld.families.cabinet.check import check
from pocketworld.families.cabinet.parameters import Cabinet, FrontKind
from pocketworld.families.cabinet.plan import Cell, Plan, Rect, plan
from pocketworld.families.codec import to_json
from pocketworld.geometry.convex import BoxPiece, Piece
from pocketworld.geometry.inertia import inertia
from pocketworld.geometry.solids import Triangles, boxes
from pocketworld.scene import Asset, Handle, Joint, Material, Mesh, Part, Rectangle, Side

METAL = 2700.0
"""Density of handles, kg/m³: aluminium."""
ROLES = {
    FrontKind.DRAWER: "drawer",
    FrontKind.DOOR: "door",
    FrontKind.SLIDING: "sliding_door",
    FrontKind.FIXED: "panel",
}
LEAST = 0.02
"""Least side of a front, and least way of a sliding door, m."""


@dataclass(frozen=True, eq=False, slots=True)
class _Shape:
    """A front before it is a part: its panel, what hangs behind it, its handle."""

    panel: list[BoxPiece]
    box: list[BoxPiece]
    fitting: handles.Fitting | None

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return all pieces."""
        return (*self.panel, *self.box, *self.grip)

    @property
    def grip(self) -> tuple[Piece, ...]:
        """Return the handle's pieces."""
        return self.fitting.pieces if self.fitting else ()


@dataclass(frozen=True, eq=False, slots=True)
class Layout:
    """A cabinet before it is an asset: its fronts with their shapes, boards, how far fronts may move.

    shapes, limits   by the fronts' paths; rad or m
    """

    where: Plan
    cells: list[Cell]
    shapes: Mapping[str, _Shape]
    boards: list[BoxPiece]
    limits: Mapping[str, float]


def build(p: Cabinet, id: str, *, visual: bool = True) -> Asset:
    """Return the cabinet as an asset at the origin, its parts closed; with meshes for the eye if `visual`.

    Parts are "body" and role_path for each front that is not open ("drawer_0", "door_1.0"); a joint's id is
    the front's path. A door opens less far than asked where a neighbour's handle or the floor stops it.

    Raises PocketworldError, in one line, for parameters that make no cabinet.
    """
    made = laid_out(p)
    plain = _bare(p, id, made, to_json(p))
    if not visual:
        return plain
    looks = [_meshes([(p.body, boxes(made.boards))]), *(_looks(p, made.shapes[c.path]) for c in made.cells)]
    parts = (replace(part, meshes=look) for part, look in zip(plain.parts, looks, strict=True))
    return replace(plain, parts=tuple(parts))


def bare(p: Cabinet) -> Asset:
    """Return a cabinet as `build` does, but without what only eyes need: for what is only to be checked."""
    return _bare(p, "cabinet", laid_out(p), {})


def _bare(p: Cabinet, id: str, made: Layout, parameters: Mapping[str, object]) -> Asset:
    boards = tuple(made.boards)
    parts = [_part("body", "body", boards, [p.density] * len(boards))]
    links: list[Joint] = []
    for cell in made.cells:
        part = _front_part(p, cell, made.where, made.shapes[cell.path])
        parts.append(part)
        links.append(joints.joint(cell, made.where, p, part.id, made.limits[cell.path]))
    return Asset(id, "cabinet", parameters, tuple(parts), tuple(links))


def laid_out(p: Cabinet) -> Layout:
    """Return where all pieces of a cabinet are; raises PocketworldError for what can't be built."""
    check(p)
    where = plan(p)
    cells = [cell for cell in where.cells if cell.front.kind is not FrontKind.OPEN]
    shapes = {cell.path: _shape(p, cell, where) for cell in cells}
    boards = body(p, where)
    limits = {cell.path: _limit(p, cell, shapes, boards) for cell in cells}
    return Layout(where, cells, shapes, boards, limits)


def _shape(p: Cabinet, cell: Cell, where: Plan) -> _Shape:
    """Return the shape of a front."""
    if min(cell.face.width, cell.face.height) < LEAST:
        raise PocketworldError(
            f"cabinet: front {cell.path} is {cell.face.width:.3g} x {cell.face.height:.3g} m",
            f"at least {LEAST} m each way",
        )
    y = joints.face_y(cell, where, p)
    fitting = handles.fit(cell.front.handle, cell.face, y, p.front, f"cabinet: front {cell.path}")
    box = drawer.box(p, cell, where) if cell.front.kind is FrontKind.DRAWER else []
    return _Shape(_panel(cell.face, fitting.hole if fitting else None, y, y + p.front), box, fitting)


def _panel(face: Rect, hole: Rect | None, y0: float, y1: float) -> list[BoxPiece]:
    """Return a panel, cut around a hole where there is one."""
    if hole is None:
        return [upright(face, y0, y1)]
    frame = [
        Rect(face.x0, face.x1, hole.z1, face.z1),
        Rect(face.x0, face.x1, face.z0, hole.z0),
        Rect(face.x0, hole.x0, hole.z0, hole.z1),
        Rect(hole.x1, face.x1, hole.z0, hole.z1),
    ]
    return [upright(rect, y0, y1) for rect in frame]


def _limit(p: Cabinet, cell: Cell, shapes: Mapping[str, _Shape], boards: list[BoxPiece]) -> float:
    """Return how far a front may move, rad or m; infinite for a drawer, which has its own way free."""
    own = shapes[cell.path]
    others = [shape for path, shape in shapes.items() if path != cell.path]
    if cell.front.kind is FrontKind.DOOR:
        return swing.swing(p, cell, own.grip, [piece for shape in others for piece in shape.grip])
    if cell.front.kind is not FrontKind.SLIDING:
        return float("inf")
    still = [*boards, *(piece for shape in others for piece in shape.pieces)]
    free = swing.travel(own.pieces, still, 1.0 if cell.front.side is Side.RIGHT else -1.0, p.width / 2)
    if free < LEAST:
        raise PocketworldError(f"cabinet: front {cell.path}: the door can't slide", "leave it room beside")
    return free


def _front_part(p: Cabinet, cell: Cell, where: Plan, shape: _Shape) -> Part:
    """Return the part of a front, without its looks."""
    handle = shape.fitting.handle if shape.fitting else None
    densities = [p.density] * (len(shape.panel) + len(shape.box)) + [METAL] * len(shape.grip)
    role = ROLES[cell.front.kind]
    face = cell.face
    middle = ((face.x0 + face.x1) / 2, joints.face_y(cell, where, p), (face.z0 + face.z1) / 2)
    front = Rectangle(middle, (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), face.width, face.height)
    return _part(f"{role}_{cell.path}", role, shape.pieces, densities, front, handle)


def _looks(p: Cabinet, shape: _Shape) -> tuple[Mesh, ...]:
    """Return what one sees of a front."""
    looks = [(p.face, boxes(shape.panel))]
    if shape.box:
        looks.append((p.body, boxes(shape.box)))
    if shape.fitting:
        looks.append((p.metal, shape.fitting.surface))
    return _meshes(looks)


def _meshes(looks: list[tuple[Material, Triangles]]) -> tuple[Mesh, ...]:
    return tuple(Mesh(vertices.astype(np.float32), faces, material) for material, (vertices, faces) in looks)


def _part(
    id: str,
    role: str,
    pieces: tuple[Piece, ...],
    densities: list[float],
    front: Rectangle | None = None,
    handle: Handle | None = None,
) -> Part:
    """Return a part without its looks, weighed."""
    mass, com, moments = inertia(pieces, densities)
    return Part(id, role, (), pieces, mass, com, moments, front, handle)
