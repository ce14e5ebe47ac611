"""The boards that stand still: sides, bottom, top, back, dividers, shelves, plinth, feet, worktop.

No two overlap, so that volumes add up to the mass; all are upright boxes.
"""

from pocketworld.families.cabinet.drawer import rails
from pocketworld.families.cabinet.parameters import Cabinet, FrontKind
from pocketworld.families.cabinet.plan import Cell, Plan, Rect, inside
from pocketworld.geometry.convex import BoxPiece, span

SHELF_BACK = 0.03
"""How far shelves stand back behind a door, m: fingers in a recessed handle reach through the panel."""
SHELF = 0.025
"""Greatest thickness of a shelf, m: thicker boards are walls (of a fridge)."""
SHELF_EVERY = {FrontKind.OPEN: 0.30, FrontKind.DOOR: 0.45, FrontKind.SLIDING: 0.45}
"""A cavity has one shelf per so much of its height, m."""
FOOT = 0.04
"""Width of a foot, m, where the cabinet is not too small for it."""


def body(p: Cabinet, where: Plan) -> list[BoxPiece]:
    """Return the boards of a cabinet, whose grid is placed as `plan` says, in its own frame."""
    room = inside(p)
    pieces = [*_shell(p, where, room), *_base(p)]
    y = where.inner_y, where.back_y
    pieces += [upright(rect, *y) for rect in where.dividers]
    for cell in where.cells:
        pieces += _shelves(p, cell, *y)
        if cell.front.kind is FrontKind.DRAWER:
            pieces += rails(p, cell, where)
        if where.inner_y > where.face_y + p.front and cell.front.kind is not FrontKind.SLIDING:
            pieces += _strips(p, cell, where, room)
    return pieces


def upright(rect: Rect, y0: float, y1: float) -> BoxPiece:
    """Return the box over a rectangle, from depth y0 to y1, m."""
    return span((rect.x0, y0, rect.z0), (rect.x1, y1, rect.z1))


def _shell(p: Cabinet, where: Plan, room: Rect) -> list[BoxPiece]:
    """Return sides, bottom, top and back."""
    half, back = p.width / 2, p.depth / 2
    front = where.inner_y if p.overlay else where.face_y
    low, high = p.feet + p.plinth, p.height - p.worktop
    pieces = [
        span((-half, front, low), (room.x0, back, high)),
        span((room.x1, front, low), (half, back, high)),
        span((room.x0, front, low), (room.x1, back, room.z0)),
    ]
    if p.worktop:
        pieces.append(span((-half, -back, high), (half, back, p.height)))
    else:
        pieces.append(span((room.x0, front, room.z1), (room.x1, back, high)))
    if p.back:
        pieces.append(upright(room, where.back_y, back))
    return pieces


def _base(p: Cabinet) -> list[BoxPiece]:
    """Return the plinth, a frame that stands back in front, and four feet below it."""
    half, back = p.width / 2, p.depth / 2
    front = p.plinth_setback - back if p.plinth or p.feet else -back
    pieces: list[BoxPiece] = []
    if p.plinth:
        z0, z1, b = p.feet, p.feet + p.plinth, p.board
        pieces += [
            span((-half, front, z0), (half, front + b, z1)),
            span((-half, back - b, z0), (half, back, z1)),
            span((-half, front + b, z0), (b - half, back - b, z1)),
            span((half - b, front + b, z0), (half, back - b, z1)),
        ]
    if p.feet:
        s = min(FOOT, p.width / 4, (back - front) / 4)
        pieces += [
            span((x, y, 0.0), (x + s, y + s, p.feet)) for x in (-half, half - s) for y in (front, back - s)
        ]
    return pieces


def _shelves(p: Cabinet, cell: Cell, y0: float, y1: float) -> list[BoxPiece]:
    """Return the shelves of a cavity, evenly spread; behind doors they stand back."""
    every = SHELF_EVERY.get(cell.front.kind)
    if every is None:
        return []
    room = cell.cavity
    count = int(room.height / every)
    if cell.front.kind is not FrontKind.OPEN:
        y0 += SHELF_BACK
    if y1 - y0 < SHELF_BACK:
        return []
    board = min(p.board, SHELF)
    step = (room.height - count * board) / (count + 1) + board
    lows = [room.z0 + i * step - board for i in range(1, count + 1)]
    return [span((room.x0, y0, z), (room.x1, y1, z + board)) for z in lows]


def _strips(p: Cabinet, cell: Cell, where: Plan, room: Rect) -> list[BoxPiece]:
    """Return the strips that close the gap behind a front where sliding doors make the boards stand back.

    They lie between the front's border and its cavity, so that a sliding door beside it runs free of them.
    """
    face, free = cell.face, cell.cavity
    x0, x1 = max(face.x0, free.x0), min(face.x1, free.x1)
    ring = [
        Rect(face.x0, x0, face.z0, face.z1),
        Rect(x1, face.x1, face.z0, face.z1),
        Rect(x0, x1, face.z0, max(face.z0, free.z0)),
        Rect(x0, x1, min(face.z1, free.z1), face.z1),
    ]
    y0 = where.face_y + p.front
    strips = [upright(r, y0, where.inner_y) for r in ring if min(r.width, r.height) > 1e-6]
    return strips if cell.track == 0 else []
