"""Whether what opens in a cousin meets its neighbours more than it does in the twin."""

from collections.abc import Mapping, Sequence

from pocketworld.geometry.across import across
from pocketworld.geometry.sweep import Overlap
from pocketworld.scene import Asset, Base, Scene

SLACK = 1e-3  # m: as deep as measured furniture may stand in its neighbour


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
    for hit in sorted(hits, key=lambda hit: -hit.depth):
        a, b = (twin.asset(name.rsplit("/", 1)[0]) for name in hit.parts)
        if hit.depth > max((was.depth for was in across(a, [b])), default=0.0) + SLACK:
            return hit
    return None


def _without(assets: Sequence[Asset], one: Asset) -> list[Asset]:
    return [other for other in assets if other is not one]
