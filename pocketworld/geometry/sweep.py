"""Whether the parts of an asset clear each other as they open: every pair of collision pieces, no filter.

Each joint goes through its whole range with the others closed, and carries what hangs on it. In a simulator
the parts of one asset do not collide; this is the proof that they need not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import Piece
from pocketworld.geometry.frozen import freeze
from pocketworld.geometry.same import Same
from pocketworld.geometry.separating import Shape, depths, shapes

Array = NDArray[np.float64]
TOLERANCE = 1e-4
"""Depth that counts as touching, m: far above rounding (1e-9), far below what a simulator would notice."""
STEP = 0.005
"""Furthest that any corner moves between two samples, m.

What turns on a radius r through something by a depth d is in it over 2 sqrt(2 r d), 20 mm for 0.1 m and
0.5 mm, so that no notable depth falls between two samples; what slides goes in and stays in.
"""


class SweptPart(Protocol):
    """A rigid part of an asset: its pieces, in the asset's frame, closed."""

    @property
    def id(self) -> str:
        """Return its id."""
        ...

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Return what it collides with."""
        ...


class SweptJoint(Protocol):
    """A joint: which part it moves against which, how far, and the motion (4, 4) at q."""

    @property
    def id(self) -> str:
        """Return its id."""
        ...

    @property
    def parent(self) -> str:
        """Return the id of the part it hangs on."""
        ...

    @property
    def child(self) -> str:
        """Return the id of the part it moves."""
        ...

    @property
    def range(self) -> tuple[float, float]:
        """Return its least and greatest q, rad or m."""
        ...

    def motion(self, q: float) -> Array:
        """Return the child's motion (4, 4) from closed to q."""
        ...


class Swept(Protocol):
    """What a sweep needs of an asset (`pocketworld.scene.Asset` is one)."""

    @property
    def parts(self) -> Sequence[SweptPart]:
        """Return its parts."""
        ...

    @property
    def joints(self) -> Sequence[SweptJoint]:
        """Return its joints, parents before children."""
        ...


@dataclass(frozen=True, slots=True)
class Overlap:
    """The deepest that two parts stand in each other: depth in m, with joint `joint` at q (closed: "", 0)."""

    parts: tuple[str, str]
    joint: str
    q: float
    depth: float


@dataclass(frozen=True, eq=False, slots=True)
class Pieces:
    """All pieces of some parts: shapes, the part (n,) each belongs to, lowest and highest corners (n, 3)."""

    shapes: tuple[Shape, ...]
    part: NDArray[np.intp]
    low: Array
    high: Array


@dataclass(frozen=True, eq=False, slots=True)
class Way:
    """Where the pieces (m,) that a joint moves are on their way.

    q (s,), motions (s, 4, 4), lowest and highest corners (s, m, 3)
    """

    joint: str
    moving: NDArray[np.intp]
    q: Array
    motions: Array
    low: Array
    high: Array


def clean(asset: Swept, tolerance: float = TOLERANCE) -> bool:
    """Say whether no two parts stand deeper than tolerance (m) in each other over the range of any joint."""
    return not sweep(asset, tolerance)


def sweep(asset: Swept, tolerance: float = TOLERANCE) -> tuple[Overlap, ...]:
    """Return the pairs of parts that stand deeper than tolerance (m) in each other, the deepest first.

    Closed, all pairs; then each joint over its range with all others closed, in steps of at most STEP.
    """
    if len(asset.parts) < 2:
        return ()
    ids = [part.id for part in asset.parts]
    pieces = pieces_of(asset.parts)
    found: dict[tuple[int, int], Overlap] = {}
    closed = np.eye(4)[None]
    for a, b in np.argwhere(near(pieces.low, pieces.high, pieces.low, pieces.high, tolerance)).tolist():
        if pieces.part[a] < pieces.part[b]:
            _note(found, ids, pieces, (a, b), "", np.zeros(1), closed, tolerance)
    for joint in asset.joints:
        moves = np.isin(pieces.part, carried(asset, ids, joint))
        if joint.range[0] < joint.range[1] and moves.any() and not moves.all():
            way = way_of(asset.parts, joint, np.flatnonzero(moves))
            opened(found, ids, pieces, way, np.flatnonzero(~moves), tolerance)
    return tuple(sorted(found.values(), key=lambda overlap: (-overlap.depth, overlap.parts)))


def opened(
    found: dict[tuple[int, int], Overlap],
    ids: Sequence[str],
    pieces: Pieces,
    way: Way,
    still: NDArray[np.intp],
    tolerance: float,
) -> None:
    """Note in `found`, by pairs of parts, what the pieces that a joint moves meet among those that stand."""
    low, high = way.low, way.high
    ahead = near(low.min(0), high.max(0), pieces.low[still], pieces.high[still], tolerance)
    for i, j in np.argwhere(ahead):
        a, b = int(way.moving[i]), int(still[j])
        close = near(low[:, i], high[:, i], pieces.low[[b]], pieces.high[[b]], tolerance)[:, 0]
        if close.any():
            _note(found, ids, pieces, (a, b), way.joint, way.q[close], way.motions[close], tolerance)


def pieces_of(parts: Sequence[SweptPart]) -> Pieces:
    """Return all pieces of an asset's parts, read-only; kept, as the same parts are asked for often."""
    return _pieces(Same(parts))


@lru_cache(maxsize=256)
def _pieces(parts: Same[Sequence[SweptPart]]) -> Pieces:
    found = shapes([piece for part in parts.it for piece in part.pieces])
    owner = np.repeat(np.arange(len(parts.it)), [len(part.pieces) for part in parts.it])
    low, high = corners_of(found)
    freeze((owner, low, high))
    return Pieces(found, owner, low, high)


def corners_of(found: Sequence[Shape]) -> tuple[Array, Array]:
    """Return the lowest and highest corner (n, 3) of each shape."""
    if not found:
        return np.empty((0, 3)), np.empty((0, 3))
    points = np.concatenate([s.vertices for s in found])
    starts = np.cumsum([0, *(len(s.vertices) for s in found)])[:-1]
    return np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)


def carried(asset: Swept, ids: list[str], joint: SweptJoint) -> list[int]:
    """Return the indices of the parts that a joint moves: its child and what hangs on it."""
    moved = {joint.child}
    for other in asset.joints:  # parents stand before children
        if other.parent in moved:
            moved.add(other.child)
    return [i for i, id in enumerate(ids) if id in moved]


def way_of(parts: Sequence[SweptPart], joint: SweptJoint, moving: NDArray[np.intp]) -> Way:
    """Return the way of the pieces that a joint of some parts moves, read-only.

    It is kept, as neighbours ask for it too.
    """
    return _way(Same(parts), Same(joint), tuple(moving.tolist()), STEP)


def way_once(parts: Sequence[SweptPart], joint: SweptJoint, moving: NDArray[np.intp]) -> Way:
    """Return the way of the pieces that a joint of some parts moves; not kept."""
    return Way(joint.id, moving, *_samples(pieces_of(parts), moving, joint, STEP))


@lru_cache(maxsize=256)
def _way(
    parts: Same[Sequence[SweptPart]], joint: Same[SweptJoint], moving: tuple[int, ...], step: float
) -> Way:
    which = np.array(moving, np.intp)
    samples = _samples(pieces_of(parts.it), which, joint.it, step)
    freeze((which, *samples))
    return Way(joint.it.id, which, *samples)


def _samples(
    pieces: Pieces, moving: NDArray[np.intp], joint: SweptJoint, step: float
) -> tuple[Array, Array, Array, Array]:
    """Return q (s,), motions (s, 4, 4), and the lowest and highest corners (s, m, 3) of the moving pieces."""
    corners = [pieces.shapes[i].vertices for i in moving]
    points = np.concatenate(corners)
    ends = np.cumsum([0, *(len(c) for c in corners)])[:-1]
    low, high = joint.range
    # The longest way of any corner, from a few samples: they lie close enough for its length along an arc.
    few = motions_of(joint, np.linspace(low, high, 9))
    ways = np.linalg.norm(np.diff(_moved(points, few), axis=0), axis=2).sum(0)
    q = np.linspace(low, high, 2 + int(1.05 * ways.max() / step))
    motions = motions_of(joint, q)
    there = _moved(points, motions)
    return q, motions, np.minimum.reduceat(there, ends, axis=1), np.maximum.reduceat(there, ends, axis=1)


def motions_of(joint: SweptJoint, q: Array) -> Array:
    """Return the motions (s, 4, 4) at q (s,), in one go: a joint slides along one axis or turns about it."""
    out = np.broadcast_to(np.eye(4), (len(q), 4, 4)).copy()
    unit = min(joint.range[1], 1.0)
    if unit <= 0:
        return out
    once = joint.motion(unit)
    turn, shift = once[:3, :3], once[:3, 3]
    if (turn == np.eye(3)).all():
        out[:, :3, 3] = np.outer(q / unit, shift)
        return out
    # Rodrigues: R(q) = I + sin q K + (1 - cos q) K²; about a fixed point the shift is likewise a sum of two.
    k = (turn - turn.T) / (2 * np.sin(unit))
    first = np.linalg.solve(np.sin(unit) * np.eye(3) + (1 - np.cos(unit)) * k, shift)
    sin, rest = np.sin(q)[:, None], 1 - np.cos(q)[:, None]
    out[:, :3, :3] += sin[..., None] * k + rest[..., None] * (k @ k)
    out[:, :3, 3] = sin * first + rest * (k @ first)
    return out


def _moved(points: Array, motions: Array) -> Array:
    """Return points (n, 3) under motions (s, 4, 4): (s, n, 3)."""
    return points @ motions[:, :3, :3].swapaxes(1, 2) + motions[:, None, :3, 3]


def near(low: Array, high: Array, b_low: Array, b_high: Array, tolerance: float) -> NDArray[np.bool_]:
    """Return (n, m): whether upright boxes (n, 3) overlap others (m, 3); touching is clear."""
    together = np.minimum(high[:, None], b_high) - np.maximum(low[:, None], b_low)
    return np.asarray((together > tolerance).all(2))


def _note(
    found: dict[tuple[int, int], Overlap],
    ids: Sequence[str],
    pieces: Pieces,
    pair: tuple[int, int],
    joint: str,
    q: Array,
    motions: Array,
    tolerance: float,
) -> None:
    """Keep the deepest overlap of a pair of pieces, moved by motions, if it is the deepest of their parts."""
    a, b = pair
    deep = depths(pieces.shapes[a], pieces.shapes[b], motions)
    worst = int(deep.argmax())
    i, j = sorted((int(pieces.part[a]), int(pieces.part[b])))
    known = found.get((i, j))
    if deep[worst] > (known.depth if known else tolerance):
        found[i, j] = Overlap((ids[i], ids[j]), joint, float(q[worst]), float(deep[worst]))
