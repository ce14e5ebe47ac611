"""Doors of a twin that would open into what stands fixed beside them stop before it."""

from collections.abc import Sequence
from dataclasses import replace

from pocketworld.families import registry
from pocketworld.families.cabinet.feasible import opening, still, stop_of
from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.findings import Finding, Severity
from pocketworld.geometry.across import across, across_once, named
from pocketworld.geometry.depth import SLACK
from pocketworld.scene import Asset, Base, Scene


def stopped(scene: Scene) -> Scene:
    """Return a scene in which a cabinet's door that would open into a neighbour opens less far.

    How far doors open is the usual way, no measurement; that the neighbour is in it was seen. A finding says
    so of each. What meets its neighbour when it has hardly opened stays (`clearance.crossings`).
    """
    assets, noticed = [], list[Finding]()
    for asset in scene.assets:
        others = [other for other in scene.assets if other.base is Base.FIXED and other is not asset]
        fixed = asset.family == "cabinet" and asset.base is Base.FIXED
        for id in _meeting(asset, others) if fixed else ():
            asset, said = _shorter(asset, id, others)
            noticed += said
        assets.append(asset)
    return replace(scene, assets=tuple(assets), findings=(*scene.findings, *noticed))


def _meeting(asset: Asset, others: Sequence[Asset]) -> list[str]:
    return sorted({named(hit.joint)[1] for hit in across(asset, others, SLACK)})


def _shorter(asset: Asset, id: str, others: Sequence[Asset]) -> tuple[Asset, list[Finding]]:
    """Return a cabinet with a door that opens no farther than its neighbours let it, and what was noticed."""
    was: Cabinet = registry.rebuild(asset)
    q = stop_of(asset, id, lambda alone: bool(across_once(alone, others, SLACK)))
    p = opening(was, id, q) if q else None
    both = still(p, asset.id) if p is not None else None
    if both is None:
        return asset, []
    made = replace(both[1], pose=asset.pose, base=asset.base, alternatives=asset.alternatives)
    text = f"joint {id} would open into a neighbour: it stops before it"
    numbers = {"opens_rad": round(q or 0.0, 3), "usual_rad": round(_way(asset, id), 3)}
    return made, [Finding("stops-at-neighbour", Severity.NOTE, "reconstruct", asset.id, text, numbers)]


def _way(asset: Asset, id: str) -> float:
    return next(joint.range[1] for joint in asset.joints if joint.id == id)
