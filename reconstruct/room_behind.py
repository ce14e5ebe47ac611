"""What a front can't be since a neighbour is behind it: no drawer runs where a sink's basin hangs."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.cabinet.build import laid_out
from pocketworld.families.cabinet.feasible import still
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind, fronts
from pocketworld.findings import Finding, Severity
from pocketworld.geometry.convex import span
from pocketworld.geometry.depth import SLACK, deepest
from pocketworld.geometry.separating import bounds, shape
from pocketworld.geometry.sweep import pieces_of
from pocketworld.reconstruct.fronts.buildable import NOTABLE, certain, redecided, shared, with_front
from pocketworld.scene import Asset, Base, Scene

STAGE = "reconstruct"


def with_room(scene: Scene) -> Scene:
    """Return a scene of which no front is believed to be a drawer where something fixed is in its place.

    What is left keeps its proportions, what to act on is decided anew; a finding says what was likely. Where
    nothing else can be, the belief stays, which is a finding too.
    """
    fixed = [asset for asset in scene.assets if asset.base is Base.FIXED]
    done = {a.id: _roomy(a, [b for b in fixed if b is not a]) for a in fixed if a.family == "cabinet"}
    assets = tuple(done[a.id][0] if a.id in done else a for a in scene.assets)
    noticed = [finding for _, found in done.values() for finding in found]
    return replace(scene, assets=assets, findings=(*scene.findings, *noticed))


def _roomy(asset: Asset, others: Sequence[Asset]) -> tuple[Asset, tuple[Finding, ...]]:
    """Return a cabinet among fixed others as it can be, and what was noticed."""
    was = registry.rebuild(asset)
    now = _left(was, asset, others)
    options = [
        (p, registry.to_json(_left(registry.from_json(asset.family, q), asset, others)))
        for p, q in asset.alternatives
    ]
    both = still(now, asset.id) if now != was else None
    out = asset if both is None else replace(both[1], pose=asset.pose, base=asset.base)
    said = (
        _stays(was, asset, others)
        if both is None
        else (*_told(asset.id, was, now), *_stays(now, asset, others))
    )
    return replace(out, alternatives=tuple(options)), said


def _left(p: Cabinet, asset: Asset, others: Sequence[Asset]) -> Cabinet:
    """Return a cabinet whose fronts are believed to be drawers only where a drawer's box has room."""
    for path, front in fronts(p.grid):
        if _hindered(p, path, front, asset, others):
            left = shared(front.chances, lambda c: c.kind is not FrontKind.DRAWER)
            p = with_front(p, path, redecided(front, left))
    return p


def _hindered(p: Cabinet, path: str, front: Front, asset: Asset, others: Sequence[Asset]) -> bool:
    """Say whether a front may be a drawer, and that would have no room."""
    maybe = [c for c in front.chances if c.kind is FrontKind.DRAWER]
    return bool(maybe) and _taken(with_front(p, path, certain(front, maybe[0])), path, asset, others)


def _taken(p: Cabinet, path: str, asset: Asset, others: Sequence[Asset]) -> bool:
    """Say whether the room of a drawer, closed, is deeper than SLACK in something beside its cabinet.

    What hangs into a drawer does not touch it, but lets it out no way.
    """
    try:
        low, high = bounds(tuple(laid_out(p).shapes[path].box))
    except PocketworldError:
        return False
    (x0, y0, z0), (x1, y1, z1) = (map(float, corner) for corner in (low, high))
    box = [shape(span((x0, y0, z0), (x1, y1, z1)))]
    return any(
        deepest(box, pieces_of(other.parts), np.linalg.inv(other.pose.matrix) @ asset.pose.matrix) > SLACK
        for other in others
    )


def _told(id: str, was: Cabinet, now: Cabinet) -> tuple[Finding, ...]:
    """Return a finding for each front that was likely to be a drawer."""
    lost = {path: _drawer(front.chances) for path, front in fronts(was.grid)}
    kept = {path: _drawer(front.chances) for path, front in fronts(now.grid)}
    text = "would be a drawer where something of a neighbour is, as a basin: that is not believed"
    return tuple(
        Finding(
            "drawer-without-room", Severity.DEGRADED, STAGE, id, f"front {path} {text}", {"p": round(p, 4)}
        )
        for path, p in lost.items()
        if p > NOTABLE and not kept[path]
    )


def _stays(p: Cabinet, asset: Asset, others: Sequence[Asset]) -> tuple[Finding, ...]:
    """Return a finding for each front that is likely to be a drawer without room, as nothing else can be."""
    text = "would be a drawer where something of a neighbour is, but nothing else can be there: that stays"
    return tuple(
        Finding(
            "drawer-in-neighbour",
            Severity.DEGRADED,
            STAGE,
            asset.id,
            f"front {path} {text}",
            {"p": round(share, 4)},
        )
        for path, front in fronts(p.grid)
        if (share := _drawer(front.chances)) > NOTABLE and _hindered(p, path, front, asset, others)
    )


def _drawer(chances: Sequence[Chance]) -> float:
    return sum(c.p for c in chances if c.kind is FrontKind.DRAWER)
