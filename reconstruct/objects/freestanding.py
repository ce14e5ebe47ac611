"""Furniture that stands free: its box measured on the pictures, its fronts read, a family built."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.feasible import still
from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.findings import Finding, Severity
from pocketworld.geometry.convex import Vec3
from pocketworld.reconstruct.fronts.assemble import furnish
from pocketworld.reconstruct.objects.box import BoxFit
from pocketworld.reconstruct.objects.things import Thing
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scan.capture import Capture
from pocketworld.scene import Asset, Base, Pose, Relation

Options = tuple[tuple[float, Cabinet | Box], ...]


def furniture(thing: Thing, fit: BoxFit, capture: Capture, surface: Surface) -> Placed:
    """Return a box-like thing as the family that explains it; surface: in the scene's frame."""
    poses = fit.scene_from_world @ fit.world_from_camera
    found = furnish(capture, fit.box, poses, surface, thing.id, _size_sigma(fit), fit.lower_edge)
    options = found.alternatives or ((1.0, found.parameters),)
    sound = [(p, *both) for p, q in options if (both := built(q, thing.id)) is not None]
    if not sound:
        plain = Box(*found.box.size)
        sound = [(1.0, plain, registry.family("box").build(plain, thing.id))]
    best, findings = sound[0], _dropped(options, sound, thing.id)
    own = [(p, q) for p, q, asset in sound if asset.family == best[2].family]
    total = sum(p for p, _ in own)
    asset = replace(
        best[2],
        pose=Pose.upright(found.box.foot, found.box.yaw),
        base=Base.FIXED,
        alternatives=tuple((p / total, registry.to_json(q)) for p, q in own) if len(own) > 1 else (),
    )
    noticed = (*fit.findings, *found.findings, *findings)
    return Placed(asset, noticed, found.elevations, on_floor(asset))


def on_floor(asset: Asset) -> tuple[Relation, ...]:
    """Return what relates an asset to the floor, if it stands there."""
    return (Relation("on", asset.id, "floor"),) if asset.pose.position[2] == 0 else ()


def built(parameters: Cabinet | Box, id: str) -> tuple[Cabinet | Box, Asset] | None:
    """Return parameters with frictions that hold every part still where the floor leans, and their asset.

    None where they make none: what was read off may not fit.
    """
    if isinstance(parameters, Cabinet):
        return still(parameters, id)
    try:
        return parameters, registry.family("box").build(parameters, id)
    except PocketworldError:
        return None


def _dropped(
    options: Options, built: Sequence[tuple[float, Cabinet | Box, Asset]], id: str
) -> Iterator[Finding]:
    """Say which explanations are left out: those that can't be built, and those of another family."""
    kept = sum(p for p, _, _ in built)
    if len(built) < len(options):
        text = "an explanation of its fronts makes no furniture that can be built: it is left out"
        yield Finding("layout-unbuildable", Severity.DEGRADED, "reconstruct", id, text, {"p": 1 - kept})
    other = sum(p for p, _, asset in built if asset.family != built[0][2].family)
    if other:
        text = f"it may also be no {built[0][2].family} at all; its cousins do not vary that"
        yield Finding("family-in-doubt", Severity.DEGRADED, "reconstruct", id, text, {"p": other})


def _size_sigma(fit: BoxFit) -> Vec3:
    """Return the standard errors of width, depth and height (of the top alone: the floor is the floor)."""
    _, left, front, _, right, back, top = (float(v) for v in fit.sigma)
    return math.hypot(left, right), math.hypot(front, back), top
