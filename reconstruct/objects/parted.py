"""What stands on a piece of furniture, or close beside it, as things of their own.

A cluster of surface is cut at its level plates: what rises from one of them on its own stands on it. A chair
that is pushed under a table comes off where the table's plate is taken away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.reconstruct.objects.on_plate import LOW, STANDS, linked, pieces, standing
from pocketworld.reconstruct.objects.plates import Plate, plates
from pocketworld.reconstruct.objects.things import LEAST, Thing, thing_of
from pocketworld.reconstruct.room.walls import Wall
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

FOOT = 0.015  # m: so low over a plate the feet of things begin
ASIDE = 0.03  # m: things may stand out over a plate's edge
SPANS = 0.7  # of a plate's width: so wide are only the furniture's own back and sides
NEAR = 0.06  # m: around what stands on a plate one sees the plate
SEAT = 0.55  # m: at lower plates backs and arms rise from the edge
INNER = 0.12  # m from the edge of a seat: so far in reaches only what stands on it
OUTSIDE = 0.5  # of a piece is beside the plate where it is no leg of it


@dataclass(frozen=True, slots=True)
class Parted:
    """A piece of furniture, what stands on it, and what stood so close that it hung together with it."""

    base: Thing
    on: tuple[Thing, ...]
    beside: tuple[Thing, ...]


def part(thing: Thing, walls: Sequence[Wall], tolerance: float) -> Parted:
    """Return a thing without what stands on it or close beside it, and these.

    walls       of the room;  tolerance: m, how far surface may be from a box's face that explains it
    """
    rest, yaw = thing.surface, thing.box.yaw
    on: list[Thing] = []
    beside: list[Surface] = []
    for plate in plates(rest):
        above, stands = _above(rest, plate, yaw), np.zeros(len(rest.vertices), bool)
        for mask in above:
            one = standing(f"{thing.id}-on-{len(on) + 1}", rest.part(mask), plate.top, yaw)
            if one is not None:
                on.append(one)
                stands |= mask
        off = list(_off(rest, plate, stands)) if plate.top > SEAT else []
        beside += [rest.part(mask) for mask in off]
        rest = rest.part(~np.logical_or.reduce([stands, *off]))
    if len(rest.vertices) == len(thing.surface.vertices):
        return Parted(thing, (), ())
    others = (thing_of(f"{thing.id}-by-{i}", own, walls, tolerance) for i, own in enumerate(beside, 1))
    return Parted(thing_of(thing.id, rest, walls, tolerance), tuple(on), tuple(others))


def _above(surface: Surface, plate: Plate, yaw: float) -> Iterator[Mask]:
    """Yield, as masks (n,), the pieces that stand on a plate and are no part of its furniture."""
    over = np.full(len(surface.vertices), -np.inf)
    near = (plate.beyond(surface.vertices) < ASIDE) & (surface.vertices[:, 2] > plate.top)
    over[near] = plate.over(surface.vertices[near])
    for piece in pieces(surface, over > FOOT, over > LOW):
        if over[piece].min() < STANDS and _own(surface.vertices[piece], over[piece], plate, yaw):
            yield piece


def _own(points: Array, over: Array, plate: Plate, yaw: float) -> bool:
    """Say whether a piece over a plate is a thing on its own: not the furniture's back, arm or side."""
    turn = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))[:2, :2]
    wide = np.ptp(points[:, :2] @ turn, axis=0) / np.ptp(plate.points[:, :2] @ turn, axis=0)
    inner = plate.top > SEAT or plate.beyond(points).min() < -INNER
    return bool(wide.max() < SPANS and inner and _around(points[over < STANDS + LOW], plate))


def _around(foot: Array, plate: Plate) -> bool:
    """Say whether one sees the plate around most of what stands on it."""
    return len(foot) > 0 and bool((plate.away(foot) < NEAR).mean() > OUTSIDE)


def _off(surface: Surface, plate: Plate, stands: Mask) -> Iterator[Mask]:
    """Yield, as masks (n,), the pieces beside a plate that only it held together with what is under it.

    stands   (n,): what stands on it
    """
    beyond = plate.beyond(surface.vertices)
    rest = np.flatnonzero(
        ~stands & ((beyond > ASIDE) | (np.abs(surface.vertices[:, 2] - plate.top) > 1.5 * LOW))
    )
    if not len(rest):
        return
    places = se3.apply(se3.inverse(surface.from_grid), surface.vertices[rest])
    label, areas = linked(places, surface.voxel), surface.vertex_areas()[rest]
    aside = np.bincount(label, areas * (beyond[rest] > ASIDE)) / np.maximum(np.bincount(label, areas), 1e-12)
    for number in np.flatnonzero((np.bincount(label, areas) >= LEAST) & (aside > OUTSIDE)):
        mask = np.zeros(len(beyond), bool)
        mask[rest[label == number]] = True
        yield mask
