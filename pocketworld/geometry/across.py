"""Whether what opens clears what stands beside it: the parts of one asset against those of its neighbours.

As in `geometry.sweep`, each joint goes through its whole range with everything else closed. Two doors that
are both wide open may still touch: only one is moved at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.apart import moved
from pocketworld.geometry.frozen import freeze
from pocketworld.geometry.same import Same
from pocketworld.geometry.separating import around, bounds, shapes
from pocketworld.geometry.sweep import (
    TOLERANCE,
    Overlap,
    Pieces,
    Swept,
    SweptJoint,
    SweptPart,
    Way,
    carried,
    corners_of,
    motions_of,
    opened,
    pieces_of,
    way_of,
    way_once,
)

Array = NDArray[np.float64]
Moving = tuple[Mapping[str, NDArray[np.intp]], tuple[Array, Array] | None]
"""Which pieces each joint that opens moves, and the corners (3,) of the box that holds all of them."""


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


def named(name: str) -> tuple[str, str]:
    """Return the ids of an asset and of its part or joint, of a name that an overlap `across` gives them."""
    asset, _, own = name.partition("/")
    return asset, own


def across(asset: Stood, others: Sequence[Stood], tolerance: float = TOLERANCE) -> tuple[Overlap, ...]:
    """Return what an asset meets of others, closed, over the range of each of its joints, the deepest first.

    One overlap for each pair of parts, named "asset/part", of which the first one moves, and "asset/joint";
    tolerance as in `sweep`, m.
    """
    return _across(asset, others, tolerance, _kept, way_of)


def across_once(asset: Stood, others: Sequence[Stood], tolerance: float = TOLERANCE) -> tuple[Overlap, ...]:
    """Return what `across` does, of joints that are not asked for again: nothing of their ways is kept."""
    return _across(asset, others, tolerance, _moving, way_once)


def _across(
    asset: Stood,
    others: Sequence[Stood],
    tolerance: float,
    moves: Callable[[Sequence[SweptPart], Sequence[SweptJoint]], Moving],
    way: Callable[[Sequence[SweptPart], SweptJoint, NDArray[np.intp]], Way],
) -> tuple[Overlap, ...]:
    joints = [joint for joint in asset.joints if joint.range[0] < joint.range[1]]
    if not joints or not others:
        return ()
    own = pieces_of(asset.parts)
    moving, reach = moves(asset.parts, asset.joints)
    ids = [f"{asset.id}/{part.id}" for part in asset.parts]
    pieces = _with(own, ids, asset, others, reach) if reach is not None else own
    still = np.arange(len(own.shapes), len(pieces.shapes))
    found: dict[tuple[int, int], Overlap] = {}
    for joint in joints if len(still) else []:
        first: dict[tuple[int, int], Overlap] = {}
        opened(first, ids, pieces, way(asset.parts, joint, moving[joint.id]), still, tolerance)
        for pair, hit in first.items():
            if pair not in found or hit.depth > found[pair].depth:
                found[pair] = Overlap(hit.parts, f"{asset.id}/{hit.joint}", hit.q, hit.depth)
    return tuple(sorted(found.values(), key=lambda hit: (-hit.depth, hit.parts)))


@dataclass(frozen=True, eq=False, slots=True)
class _Linked:
    """Parts and the joints between them."""

    parts: Sequence[SweptPart]
    joints: Sequence[SweptJoint]


def _kept(parts: Sequence[SweptPart], joints: Sequence[SweptJoint]) -> Moving:
    """Return what `_moving` does; kept."""
    return _kept_moving(Same(parts), Same(joints))


@lru_cache(maxsize=256)
def _kept_moving(parts: Same[Sequence[SweptPart]], joints: Same[Sequence[SweptJoint]]) -> Moving:
    return _moving(parts.it, joints.it)


def _moving(parts: Sequence[SweptPart], joints: Sequence[SweptJoint]) -> Moving:
    """Return which pieces each joint that opens moves, and the box that holds all of them, read-only."""
    linked, own = _Linked(parts, joints), pieces_of(parts)
    names = [part.id for part in parts]
    opening = [joint for joint in joints if joint.range[0] < joint.range[1]]
    which = {joint.id: np.flatnonzero(np.isin(own.part, carried(linked, names, joint))) for joint in opening}
    reach = _reach(own, [(joint, which[joint.id]) for joint in opening])
    freeze((*which.values(), *(reach or ())))
    return MappingProxyType(which), reach


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
    found, owner = list(own.shapes), own.part.tolist()
    lows, highs = [own.low], [own.high]
    away = np.linalg.inv(asset.pose.matrix)
    for other in others:
        by = away @ other.pose.matrix
        if not _near(other, by, reach):
            continue
        for part in other.parts:
            if not part.pieces or not _overlap(around(bounds(part.pieces), by), reach):
                continue
            there = [moved(s, by) for s in shapes(part.pieces)]
            low, high = corners_of(there)
            near = np.flatnonzero((low <= reach[1]).all(1) & (high >= reach[0]).all(1))
            if len(near):
                found += [there[i] for i in near]
                owner += [len(ids)] * len(near)
                lows.append(low[near])
                highs.append(high[near])
                ids.append(f"{other.id}/{part.id}")
    return Pieces(tuple(found), np.array(owner, np.intp), np.concatenate(lows), np.concatenate(highs))


def _near(other: Stood, by: Array, box: tuple[Array, Array]) -> bool:
    """Say whether the box around an asset's pieces, moved by (4, 4), reaches into a box."""
    if not (boxes := [bounds(part.pieces) for part in other.parts if part.pieces]):
        return False
    whole = np.min([b[0] for b in boxes], 0), np.max([b[1] for b in boxes], 0)
    return _overlap(around(whole, by), box)


def _overlap(a: tuple[Array, Array], b: tuple[Array, Array]) -> bool:
    return bool((a[0] <= b[1]).all() and (a[1] >= b[0]).all())
