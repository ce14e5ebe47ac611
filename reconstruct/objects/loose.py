"""What stands free in a room as assets: furniture, what stands on it, and what no family explains."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding, Severity
from pocketworld.reconstruct.objects.box import fit_box
from pocketworld.reconstruct.objects.choose import choose_all
from pocketworld.reconstruct.objects.emptiness import seen_empty
from pocketworld.reconstruct.objects.freestanding import furniture
from pocketworld.reconstruct.objects.grounded import floating, grounded
from pocketworld.reconstruct.objects.legs import with_legs
from pocketworld.reconstruct.objects.parted import part
from pocketworld.reconstruct.objects.siblings import siblings
from pocketworld.reconstruct.objects.things import Thing, Things
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.room.floor import Floor
from pocketworld.reconstruct.room.walls import Wall
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scan.capture import Capture
from pocketworld.scene import Relation

Array = NDArray[np.float64]

NOISE = 3.0  # standard deviations that surface may be from what explains it
SOLID = "solid"


def loose(
    found: Things, walls: Sequence[Wall], capture: Capture, floor: Floor, surface: Surface
) -> tuple[list[Placed], tuple[Finding, ...]]:
    """Return what stands free, each piece with what stands on it, and what of it is left out.

    surface   of the scene, in its frame
    """
    tolerance = NOISE * max(floor.noise, surface.voxel / 2)
    whole = with_legs(found.things, walls, tolerance)
    parted = [part(thing, walls, tolerance) for thing in whole]
    bases = [thing for one in parted for thing in (one.base, *one.beside)]
    placed, fragments, flat = _bases(bases, walls, capture, floor, surface)
    fragments = [*fragments, *found.sheets]
    others = siblings(fragments, placed, capture, floor)
    placed = [*placed, *others]
    standing = {one.base.id: one.on for one in parted}
    carried, left_out = _carried(placed, standing, capture, floor)
    lost = _fragments(len(fragments) - len(others), capture.name)
    return [*placed, *carried], (*flat, *lost, *left_out)


def _bases(
    found: Sequence[Thing], walls: Sequence[Wall], capture: Capture, floor: Floor, surface: Surface
) -> tuple[list[Placed], list[Thing], tuple[Finding, ...]]:
    """Return what stands on the floor; of what only something in the air was seen; and what is left out."""
    in_air = [not thing.box_like and floating(thing, walls) for thing in found]
    tolerance = NOISE * max(floor.noise, surface.voxel / 2)
    things = [grounded(t, tolerance) if air else t for t, air in zip(found, in_air, strict=True)]
    placed: list[Placed] = []
    fragments: list[Thing] = []
    empty = seen_empty(capture, floor.scene_from_world, [thing.box for thing in things])
    boxes = [thing.box_like and not air for thing, air in zip(things, in_air, strict=True)]
    others = ((t, places, 0.0) for t, box, places in zip(things, boxes, empty, strict=True) if not box)
    chosen, flat = choose_all(others, capture.name)
    for thing, air, box in zip(things, in_air, boxes, strict=True):
        one = chosen.get(thing.id)
        if box:
            placed.append(furniture(thing, fit_box(thing, capture, floor.scene_from_world), capture, surface))
        elif one is not None and air and one.asset.family == SOLID:
            fragments.append(thing)
        elif one is not None:
            placed.append(one)
    return placed, fragments, flat


def _carried(
    placed: Iterable[Placed], standing: dict[str, tuple[Thing, ...]], capture: Capture, floor: Floor
) -> tuple[list[Placed], tuple[Finding, ...]]:
    """Return what stands on what was placed; of what stands on what was not, how many."""
    carriers = {one.asset.id for one in placed}
    things = [(thing, id) for id, on in standing.items() if id in carriers for thing in on]
    lost = sum(len(on) for id, on in standing.items() if id not in carriers)
    if not things:
        return [], tuple(_lost(lost, capture.name))
    empty = seen_empty(capture, floor.scene_from_world, [thing.box for thing, _ in things])
    asked = ((t, places, t.box.foot[2]) for (t, _), places in zip(things, empty, strict=True))
    chosen, flat = choose_all(asked, capture.name)
    carried = [
        replace(one, relations=(*one.relations, Relation("on", thing.id, id)))
        for thing, id in things
        if (one := chosen.get(thing.id)) is not None
    ]
    return carried, (*flat, *_lost(lost, capture.name))


def _fragments(count: int, name: str) -> Iterator[Finding]:
    if count:
        text = "things of which only something in the air was seen, which nothing carries, are left out"
        yield Finding("fragments-left-out", Severity.DEGRADED, "reconstruct", name, text, {"count": count})


def _lost(count: int, name: str) -> Iterator[Finding]:
    if count:
        text = "things on furniture that is left out are left out with it"
        yield Finding("carried-left-out", Severity.LOST, "reconstruct", name, text, {"count": count})
