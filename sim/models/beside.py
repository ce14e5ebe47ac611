"""Which parts of neighbours are beside each other where everything is closed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import IDENTITY, BoxPiece, HullPiece, Piece
from pocketworld.scene import Asset, Base, Part

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ids = NDArray[np.int64]
BESIDE = 0.01  # m: parts of neighbours that are this near, closed, are beside each other, not in the way
Pair = tuple[Asset, Part, Asset, Part]


@dataclass(frozen=True, eq=False, slots=True)
class _Boxes:
    """Upright boxes, each in its asset's frame: lowest and highest corners (n, 3), m."""

    low: Array
    high: Array

    def around(self, by: Array) -> "_Boxes":
        """Return the upright boxes around these, moved by (n, 4, 4)."""
        turn = by[:, :3, :3]
        middle = (((self.low + self.high) / 2)[:, None] @ turn.swapaxes(1, 2))[:, 0] + by[:, :3, 3]
        half = (np.abs(turn) @ (self.high - self.low)[:, :, None])[:, :, 0] / 2
        return _Boxes(middle - half, middle + half)

    def near(self, others: "_Boxes") -> Bools:
        """Say which (n,) are no further apart than BESIDE from the other of the same row."""
        gaps = np.maximum(self.low, others.low) - np.minimum(self.high, others.high)
        return np.asarray((gaps <= BESIDE).all(1))

    def of(self, which: Ids) -> "_Boxes":
        """Return some of them."""
        return _Boxes(self.low[which], self.high[which])


def beside(assets: Sequence[Asset]) -> Iterator[Pair]:
    """Give the pairs of parts of furniture, one of them moved by a joint, that closed are beside each other.

    Beside is that the upright boxes around them, in the frame of the first one's asset, are no further apart
    than BESIDE.
    """
    fixed = [a for a in assets if a.base is Base.FIXED and any(part.pieces for part in a.parts)]
    moving = [_moving(asset) for asset in fixed]
    first, second = np.triu_indices(len(fixed), 1)
    can = np.array([bool(one) for one in moving], bool)
    first, second = (side[can[first] | can[second]] for side in (first, second))
    if not len(first):
        return
    parts = [(k, part) for k, asset in enumerate(fixed) for part in asset.parts if part.pieces]
    boxes = _bounds([part.pieces for _, part in parts])
    starts = np.searchsorted([k for k, _ in parts], np.arange(len(fixed) + 1))
    whole = _Boxes(
        *(f.reduceat(b, starts[:-1]) for f, b in ((np.minimum, boxes.low), (np.maximum, boxes.high)))
    )
    place = np.array([asset.pose.matrix for asset in fixed])
    by = np.linalg.inv(place)[first] @ place[second]
    near = np.flatnonzero(whole.of(first).near(whole.of(second).around(by)))
    moves = np.array([part.id in moving[k] for k, part in parts], bool)
    a, b, pair = _products(starts, first[near], second[near])
    some = moves[a] | moves[b]
    a, b, pair = a[some], b[some], pair[some]
    for i in np.flatnonzero(boxes.of(a).near(boxes.of(b).around(by[near[pair]]))):
        (k, one), (m, other) = parts[a[i]], parts[b[i]]
        yield fixed[k], one, fixed[m], other


def _products(starts: Ids, first: Ids, second: Ids) -> tuple[Ids, Ids, Ids]:
    """Return pairs of parts, in order, of pairs of assets whose parts begin at `starts`, and which pair."""
    sizes = np.diff(starts)
    counts = sizes[first] * sizes[second]
    pair = np.repeat(np.arange(len(first)), counts)
    one, other = np.divmod(
        np.arange(len(pair)) - np.repeat(counts.cumsum() - counts, counts), sizes[second][pair]
    )
    return starts[first][pair] + one, starts[second][pair] + other, pair


def _moving(asset: Asset) -> set[str]:
    """Return the ids of the parts that some joint moves."""
    out: set[str] = set()
    for joint in asset.joints:
        if joint.movable or joint.parent in out:
            out.add(joint.child)
    return out


def _bounds(parts: Sequence[tuple[Piece, ...]]) -> _Boxes:
    """Return the boxes around parts that have at least one piece each."""
    corners = np.array([_corners(piece) for part in parts for piece in part])
    starts = np.cumsum([0, *map(len, parts[:-1])])
    return _Boxes(np.minimum.reduceat(corners[:, :3], starts), np.maximum.reduceat(corners[:, 3:], starts))


def _corners(piece: Piece) -> tuple[float, ...]:
    """Return the lowest and the highest corner of a piece, 3 numbers each: so few that arrays take longer."""
    if isinstance(piece, BoxPiece) and piece.wxyz == IDENTITY:
        (x, y, z), (wide, deep, high) = piece.centre, piece.size
        wide, deep, high = wide / 2, deep / 2, high / 2
        return x - wide, y - deep, z - high, x + wide, y + deep, z + high
    points = piece.points if isinstance(piece, HullPiece) else piece.vertices.tolist()
    axes = list(zip(*points, strict=True))
    return *map(min, axes), *map(max, axes)
