"""Legs that depth tore off the plate they carry: narrow pieces on the floor right under a table's edge."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pocketworld.reconstruct.objects.plates import Plate, plates
from pocketworld.reconstruct.objects.things import Thing, thing_of
from pocketworld.reconstruct.room.walls import Wall
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]

NARROW = 0.12  # m: legs are narrower, bins are not
ASIDE = 0.03  # m: as far as depth's noise a leg may stand out under its plate
RIM = 0.25  # m: so near a plate's edge are its legs
UNDER = 0.3  # m: the upper end of a leg, under the plate's edge, is in its shadow


def with_legs(things: Sequence[Thing], walls: Sequence[Wall], tolerance: float) -> tuple[Thing, ...]:
    """Return things, those with plates together with the legs that stand apart under them.

    walls       of the room;  tolerance: m, how far surface may be from a box's face that explains it
    """
    narrow = {thing.id for thing in things if _narrow(thing)}
    carried = [(thing, plates(thing.surface)) for thing in things if thing.id not in narrow]
    owner = {
        thing.id: own
        for thing in things
        if thing.id in narrow and (own := _owner(thing.surface.vertices, carried)) is not None
    }
    return tuple(
        _whole(thing, [leg for leg in things if owner.get(leg.id) == thing.id], walls, tolerance)
        for thing in things
        if thing.id not in owner
    )


def _narrow(thing: Thing) -> bool:
    return thing.box.foot[2] == 0 and max(thing.box.size[:2]) < NARROW


def _owner(leg: Array, carried: Sequence[tuple[Thing, Sequence[Plate]]]) -> str | None:
    """Return whose plate a piece (n, 3) carries, if one's."""
    for thing, tops in carried:
        for plate in tops:
            beyond, gap = plate.beyond(leg), plate.top - leg[:, 2].max()
            if np.percentile(beyond, 90) < ASIDE and beyond.max() > -RIM and -ASIDE < gap < UNDER:
                return thing.id
    return None


def _whole(thing: Thing, legs: Sequence[Thing], walls: Sequence[Wall], tolerance: float) -> Thing:
    if not legs:
        return thing
    return thing_of(thing.id, _joined([thing.surface, *(leg.surface for leg in legs)]), walls, tolerance)


def _joined(parts: Sequence[Surface]) -> Surface:
    """Put parts of one surface together again."""
    before = np.cumsum([0, *(len(part.vertices) for part in parts)])
    colours = [part.colours for part in parts if part.colours is not None]
    return Surface(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + n for part, n in zip(parts, before, strict=False)]).astype(np.int32),
        np.concatenate([part.normals for part in parts]),
        np.concatenate(colours) if len(colours) == len(parts) else None,
        np.concatenate([part.distance for part in parts]),
        parts[0].voxel,
        parts[0].from_grid,
    )
