"""How far a front may open before it meets its neighbours, their handles or the floor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.families.cabinet.plan import Cell
from pocketworld.geometry.convex import Array, Piece
from pocketworld.scene import Side

SPARE = 0.02
"""Left between an opened door and the handle that stops it, rad."""
NEAR = 0.002
"""Left between a sliding door or a falling flap and what stops it, m."""
BESIDE = 0.0005
"""Distance at which a turning door passes something, m."""


@dataclass(frozen=True, slots=True)
class _Ring:
    """Where a piece lies about a hinge, seen along it.

    low, high     along the axis;  inner, outer: distances from the axis, m
    first, last   angles from the closed door outwards, rad
    """

    low: float
    high: float
    inner: float
    outer: float
    first: float
    last: float


def swing(p: Cabinet, cell: Cell, handle: Sequence[Piece], others: Sequence[Piece]) -> float:
    """Return the angle to which a door opens freely, rad.

    handle: pieces of its own handle; others: those of all other handles. The door turns about the edge of its
    outer face, so that it stays in front of the boards and, up to half a turn, of the neighbours' faces: only
    handles and the floor are in its way. Each is taken as the ring about the axis in which it lies.

    Raises PocketworldError where the gap is too small for the door's thickness to turn out, or none is free.
    """
    face, side = cell.face, cell.front.side
    across = face.width if side in (Side.LEFT, Side.RIGHT) else face.height
    # The inner far edge is further from the axis than the outer one: it needs that much of the gap.
    more = math.hypot(across, p.front) - across
    if more > p.gap and _hemmed(p, cell):
        raise PocketworldError(
            f"cabinet: front {cell.path}: a door of {across:.3g} m and {p.front:.3g} m thick can't turn",
            f"it needs a gap of {more:.3g} m and has {p.gap:.3g} m",
        )
    own = _rings(cell, handle, p)
    low, high = (face.z0, face.z1) if side in (Side.LEFT, Side.RIGHT) else (face.x0, face.x1)
    own.append(_Ring(low, high, 0.0, math.hypot(across, p.front), 0.0, 0.0))
    rings = _rings(cell, others, p)
    # Its own handle comes down on the plane of the neighbours' faces before the door does.
    limit = min([*(math.pi - a.last for a in own), *(_meeting(a, b) for a in own for b in rings)])
    if side is Side.BOTTOM:
        limit = min(limit, *(_floor(a, face.z0) for a in own))
    if limit - SPARE < SPARE:
        raise PocketworldError(f"cabinet: front {cell.path}: the door can't open", "a handle is in its way")
    return limit - SPARE


def _hemmed(p: Cabinet, cell: Cell) -> bool:
    """Say whether something stands beside the door's free edge: all but the cabinet's outer edges."""
    face, half = cell.face, p.width / 2
    free = {
        Side.LEFT: half - face.x1,
        Side.RIGHT: half + face.x0,
        Side.TOP: face.z0 - p.feet - p.plinth,
        Side.BOTTOM: p.height - face.z1,
    }
    return free[cell.front.side] > 1e-9


def _rings(cell: Cell, pieces: Sequence[Piece], p: Cabinet) -> list[_Ring]:
    """Return the rings in which pieces that stand out of the front lie about a door's hinge."""
    if not pieces:
        return []
    each = [piece.vertices for piece in pieces]
    starts = np.cumsum([0, *map(len, each[:-1])])
    x, y, z = np.concatenate(each).T
    face, side = cell.face, cell.front.side
    out = np.maximum(-p.depth / 2 - y, 0.0)
    along = z if side in (Side.LEFT, Side.RIGHT) else x
    if side is Side.LEFT:
        into = x - face.x0
    elif side is Side.RIGHT:
        into = face.x1 - x
    else:
        into = face.z1 - z if side is Side.TOP else z - face.z0
    values = np.array([along, into, out, np.hypot(into, out), np.arctan2(out, into)])
    least, most = (f.reduceat(values, starts, axis=1).T.tolist() for f in (np.minimum, np.maximum))
    return [
        _Ring(a[0], b[0], math.hypot(max(a[1], -b[1], 0.0), a[2]), b[3], a[4], b[4])
        for a, b in zip(least, most, strict=True)
    ]


def _meeting(own: _Ring, other: _Ring) -> float:
    """Return the angle at which something that turns meets something that stands, rad."""
    beside = own.low > other.high + BESIDE or other.low > own.high + BESIDE
    if (
        beside
        or own.inner > other.outer + BESIDE
        or other.inner > own.outer + BESIDE
        or own.first >= other.last
    ):
        return math.pi
    return max(other.first - own.last, 0.0)


def _floor(own: _Ring, height: float) -> float:
    """Return the angle at which something that turns down about a height comes near the floor, rad."""
    free = height - NEAR
    return math.pi if own.outer <= free else math.acos(-free / own.outer) - own.last


def travel(own: Sequence[Piece], others: Sequence[Piece], direction: float, half: float) -> float:
    """Return how far pieces may slide along x (direction 1 or -1) before they meet others, m.

    All count as the upright boxes around them. A door's rail ends where the cabinet does, at half its width.
    """
    a_low, a_high = _bounds(own)
    b_low, b_high = _bounds(others)
    overlap = np.minimum(a_high[:, None], b_high) - np.maximum(a_low[:, None], b_low)
    in_way = (overlap[..., 1:] > 1e-9).all(-1)
    ahead = b_low[:, 0] - a_high[:, None, 0] if direction > 0 else a_low[:, None, 0] - b_high[:, 0]
    in_way &= ahead > -1e-9
    end = float(half - a_high[:, 0].max() if direction > 0 else half + a_low[:, 0].min())
    return min(float(np.min(ahead, where=in_way, initial=np.inf)) - NEAR, end)


def _bounds(pieces: Sequence[Piece]) -> tuple[Array, Array]:
    """Return the lowest and highest corners (n, 3) of pieces."""
    ends = [(v.min(0), v.max(0)) for v in (piece.vertices for piece in pieces)]
    return np.array([low for low, _ in ends]), np.array([high for _, high in ends])
