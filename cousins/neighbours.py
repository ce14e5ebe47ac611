"""Whether what opens in a cousin meets its neighbours more than in the twin, or they keep hands from it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pocketworld.cousins.deeper import deeper
from pocketworld.families.cabinet.feasible import stop_of
from pocketworld.families.grasp import fingers
from pocketworld.geometry.across import across, across_once, named
from pocketworld.geometry.apart import moved
from pocketworld.geometry.depth import SLACK
from pocketworld.geometry.separating import Shape, around, bounds, depths, shape
from pocketworld.geometry.sweep import Overlap
from pocketworld.scene import Asset, Base, Scene

Array = NDArray[np.float64]
STILL = np.eye(4)[None]


def crossing(new: Mapping[str, Asset], standing: Mapping[str, Asset], twin: Scene) -> Overlap | None:
    """Return what stands deepest in another asset as it opens, if deeper than in the twin, or None.

    new   assets about to be placed among those that stand; what is free to move is in nobody's way
    """
    fast = [asset for asset in standing.values() if asset.base is Base.FIXED]
    ours = [asset for asset in new.values() if asset.base is Base.FIXED]
    if not ours:
        return None
    hits = [hit for one in ours for hit in across(one, [*fast, *_without(ours, one)], SLACK)]
    hits += [hit for one in fast if one.movable for hit in across(one, ours, SLACK)]
    return next((hit for hit in sorted(hits, key=lambda hit: -hit.depth) if _worse(hit, twin)), None)


def _worse(hit: Overlap, twin: Scene) -> bool:
    """Say whether two assets meet deeper than in the twin."""
    (a, _), (b, _) = map(named, hit.parts)
    return deeper(hit.depth, a, b, twin, _opens_into)


def _opens_into(a: Asset, b: Asset) -> float:
    """Return how deep (m) an asset opens into another; 0 where it does not."""
    return max((hit.depth for hit in across(a, [b])), default=0.0)


def stop(asset: Asset, id: str, others: Sequence[Asset], twin: Scene) -> float | None:
    """Return how far a joint opens before it meets one of the other assets deeper than in the twin.

    rad or m, within 1 % of its range; None where that is less than LEAST_WAY of it.
    """
    fast = [other for other in others if other.base is Base.FIXED and other is not asset]

    def meets(alone: Asset) -> bool:
        return any(_worse(hit, twin) for hit in across_once(alone, fast, SLACK))

    return stop_of(asset, id, meets)


def beyond_reach(new: Mapping[str, Asset], standing: Mapping[str, Asset], twin: Scene) -> str | None:
    """Return the first asset of those about to be placed with a handle that a neighbour keeps fingers from.

    An edge under a worktop that stands out over it is one; what could not be taken in the twin is none.
    """
    fast = [asset for asset in (*standing.values(), *new.values()) if asset.base is Base.FIXED]
    was = [asset for asset in twin.assets if asset.base is Base.FIXED]
    for id, asset in new.items():
        if kept := _kept_from(asset, _without(fast, asset)):
            before = twin.asset(id)
            if kept - _kept_from(before, _without(was, before)):
                return id
    return None


def _kept_from(asset: Asset, others: Sequence[Asset]) -> set[str]:
    """Return the ids of the joints whose handles others keep two fingers from, everything closed."""
    held = [(joint.id, asset.part(joint.child).handle) for joint in asset.movable]
    grips = [(id, shape(finger)) for id, handle in held if handle is not None for finger in fingers(handle)]
    out: set[str] = set()
    for other in others if grips else ():
        by = np.linalg.inv(asset.pose.matrix) @ other.pose.matrix
        for part in other.parts:
            if not part.pieces:
                continue
            low, high = around(bounds(part.pieces), by)
            near = [(id, grip) for id, grip in grips if _meet(grip, low, high)]
            for piece in part.pieces if near else ():
                there = moved(shape(piece), by)
                out |= {id for id, grip in near if depths(grip, there, STILL)[0] > SLACK}
    return out


def _meet(grip: Shape, low: Array, high: Array) -> bool:
    return bool((grip.vertices.min(0) < high).all() and (grip.vertices.max(0) > low).all())


def _without(assets: Sequence[Asset], one: Asset) -> list[Asset]:
    return [other for other in assets if other is not one]
