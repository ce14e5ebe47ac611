"""Whether what opens clears what stands beside it: the parts of one asset against those of its neighbours.

As in `geometry.sweep`, each joint goes through its whole range with everything else closed. Two doors that
are both wide open may still touch: only one is moved at a time.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.separating import Shape, around, bounds, shape
from pocketworld.geometry.sweep import (
    TOLERANCE,
    Overlap,
    Pieces,
    Swept,
    SweptJoint,
    carried,
    motions_of,
    opened,
    pieces_of,
)

Array = NDArray[np.float64]


class Posed(Protocol):
    """Where an asset stands."""

    @property
    def matrix(self) -> Array:
        """Return scene_from_asset (4, 4)."""
        ...


class Stood(Swept, Protocol):
    """What this needs of an asset (`pocketworld.scene.Asset` is one)."""

    @property
    def id(self) -> str:
        """Return its id."""
        ...

    @property
    def pose(self) -> Posed:
        """Return where it stands."""
        ...


def among(assets: Sequence[Stood], tolerance: float = TOLERANCE) -> tuple[Overlap, ...]:
    """Return what every asset meets of all others as it opens, the deepest first."""
    hits = (across(one, [other for other in assets if other is not one], tolerance) for one in assets)
    return tuple(sorted(chain.from_iterable(hits), key=lambda hit: (-hit.depth, hit.parts)))


def across(asset: Stood, others: Sequence[Stood], tolerance: float = TOLERANCE) -> tuple[Overlap, ...]:
    """Return what an asset meets of others, closed, over the range of each of its joints, the deepest first.

    One overlap for each pair of parts, named "asset/part", of which the first one moves, and "asset/joint";
    tolerance as in `sweep`, m.
    """
    joints = [joint for joint in asset.joints if joint.range[0] < joint.range[1]]
    if not joints or not others:
        return ()
    own = pieces_of(asset.parts)
    names = [part.id for part in asset.parts]
    moving = {joint.id: np.flatnonzero(np.isin(own.part, carried(asset, names, joint))) for joint in joints}
    reach = _reach(own, [(joint, moving[joint.id]) for joint in joints])
    ids = [f"{asset.id}/{name}" for name in names]
    pieces = _with(own, ids, asset, others, reach) if reach is not None else own
    still = np.arange(len(own.shapes), len(pieces.shapes))
    found: dict[tuple[int, int], Overlap] = {}
    for joint in joints if len(still) else []:
        first: dict[tuple[int, int], Overlap] = {}
        opened(first, ids, pieces, moving[joint.id], still, joint, tolerance)
        for pair, hit in first.items():
            if pair not in found or hit.depth > found[pair].depth:
                found[pair] = Overlap(hit.parts, f"{asset.id}/{hit.joint}", hit.q, hit.depth)
    return tuple(sorted(found.values(), key=lambda hit: (-hit.depth, hit.parts)))


def _reach(own: Pieces, joints: Sequence[tuple[SweptJoint, NDArray[np.intp]]]) -> tuple[Array, Array] | None:
    """Return the corners (3,) of a box that holds all that the joints move wherever they stand; or None."""
    ends = [box for joint, which in joints if len(which) for box in _ways(own, which, joint)]
    if not ends:
        return None
    return np.min([low for low, _ in ends], 0), np.max([high for _, high in ends], 0)


def _ways(own: Pieces, which: NDArray[np.intp], joint: SweptJoint) -> list[tuple[Array, Array]]:
    """Return boxes that hold the pieces `which` on their way: an arc bulges out by its sagitta at most."""
    points = np.concatenate([own.shapes[i].vertices for i in which])
    poses = motions_of(joint, np.linspace(*joint.range, 9))
    there = points @ poses[:, :3, :3].swapaxes(1, 2) + poses[:, None, :3, 3]
    # Between two of nine samples of at most half a turn an arc leaves its chord by less than half of it.
    bulge = np.linalg.norm(np.diff(there, axis=0), axis=2).max() / 2
    return [(there.min((0, 1)) - bulge, there.max((0, 1)) + bulge)]


def _with(
    own: Pieces, ids: list[str], asset: Stood, others: Sequence[Stood], reach: tuple[Array, Array]
) -> Pieces:
    """Return an asset's pieces and those of others within reach, in its frame; adds their parts to `ids`."""
    shapes, owner = list(own.shapes), own.part.tolist()
    away = np.linalg.inv(asset.pose.matrix)
    for other in others:
        by = away @ other.pose.matrix
        if not _near(other, by, reach):
            continue
        for part in other.parts:
            if not part.pieces or not _overlap(around(bounds(part.pieces), by), reach):
                continue
            near = [s for s in (_moved(shape(piece), by) for piece in part.pieces) if _touches(s, reach)]
            if near:
                shapes += near
                owner += [len(ids)] * len(near)
                ids.append(f"{other.id}/{part.id}")
    low = np.array([s.vertices.min(0) for s in shapes]).reshape(-1, 3)
    high = np.array([s.vertices.max(0) for s in shapes]).reshape(-1, 3)
    return Pieces(shapes, np.array(owner, np.intp), low, high)


def _near(other: Stood, by: Array, box: tuple[Array, Array]) -> bool:
    """Say whether the box around an asset's pieces, moved by (4, 4), reaches into a box."""
    if not (boxes := [bounds(part.pieces) for part in other.parts if part.pieces]):
        return False
    whole = np.min([b[0] for b in boxes], 0), np.max([b[1] for b in boxes], 0)
    return _overlap(around(whole, by), box)


def _overlap(a: tuple[Array, Array], b: tuple[Array, Array]) -> bool:
    return bool((a[0] <= b[1]).all() and (a[1] >= b[0]).all())


def _moved(s: Shape, by: Array) -> Shape:
    turn = by[:3, :3].T
    return Shape(s.vertices @ turn + by[:3, 3], s.normals @ turn, s.edges @ turn)


def _touches(s: Shape, box: tuple[Array, Array]) -> bool:
    return bool((s.vertices.min(0) <= box[1]).all() and (s.vertices.max(0) >= box[0]).all())
