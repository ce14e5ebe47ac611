"""What opens into a neighbour stands aside of it, by no more than ends of furniture are measured wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from pocketworld.findings import Finding, Severity
from pocketworld.geometry.across import across, named
from pocketworld.geometry.depth import SLACK, TOUCH, depth
from pocketworld.scene import Asset, Base, Pose, Scene

HOLDING = ("on", "inside", "against")
FARTHEST, STEP = 0.012, 0.001  # m: ends of units lie as far off (docs/benchmark.md); tried in such steps


def aside(scene: Scene) -> Scene:
    """Return a scene in which what meets a neighbour as it opens was moved sideways until it clears it.

    Only fixed things that neither hold others nor are held by any but the floor or a wall behind them, along
    their own fronts, at most by FARTHEST, and into nothing else; a finding says of each how far. What that
    does not help stays (`clearance.crossings`).
    """
    for id in _meeting(scene):
        found = _moved(scene.asset(id), scene)
        if found is not None:
            scene = replace(
                scene,
                assets=tuple(found if asset.id == id else asset for asset in scene.assets),
                findings=(*scene.findings, _said(scene.asset(id), found)),
            )
    return scene


def _meeting(scene: Scene) -> list[str]:
    """Return which things that may move open into others or are opened into, in a fixed order."""
    fixed = [asset for asset in scene.assets if asset.base is Base.FIXED]
    met: dict[str, None] = {}
    for asset in fixed:
        for hit in across(asset, [other for other in fixed if other is not asset], SLACK):
            met |= dict.fromkeys(named(part)[0] for part in hit.parts)
    return sorted(set(met) - _bound(scene))


def _bound(scene: Scene) -> set[str]:
    """Return what others stand on, in or against, and what lies on or in others: it would leave them."""
    held = [relation for relation in scene.relations if relation.kind in HOLDING]
    return {r.b for r in held} | {r.a for r in held if r.kind != "against" and r.b != "floor"}


def _moved(asset: Asset, scene: Scene) -> Asset | None:
    """Return a thing where it meets nothing, as near as there is such a place; None where there is none."""
    others = [other for other in scene.assets if other.base is Base.FIXED and other.id != asset.id]
    if not _meets(asset, others):
        return None
    within = {other.id: max(depth(asset, other), TOUCH) for other in others}
    for place in _places(asset):
        if any(depth(place, other) > within[other.id] for other in others):
            continue
        if not _meets(place, others):
            return place
    return None


def _places(asset: Asset) -> Iterator[Asset]:
    """Give a thing to the right and left of where it stands, ever farther."""
    right = asset.pose.matrix[:3, 0]
    for far in np.arange(STEP, FARTHEST + STEP / 2, STEP):
        for way in (far, -far):
            x, y, z = (float(v) for v in np.array(asset.pose.position) + way * right)
            yield replace(asset, pose=Pose((x, y, z), asset.pose.wxyz))


def _meets(asset: Asset, others: Sequence[Asset]) -> bool:
    """Say whether a thing opens into others, or one of them into it."""
    return bool(across(asset, others, SLACK)) or any(across(o, [asset], SLACK) for o in others if o.movable)


def _said(before: Asset, after: Asset) -> Finding:
    moved = float(np.linalg.norm(np.subtract(after.pose.position, before.pose.position)))
    text = "it met a neighbour as it or that opens: it was moved aside, as ends are measured no better"
    return Finding("moved-aside", Severity.NOTE, "reconstruct", before.id, text, {"moved_m": round(moved, 4)})
