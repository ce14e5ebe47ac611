"""A front that stands open in the capture: which way it opens, and how far it has.

What was seen of it lies before the plane of the run's fronts. It turns about one of the four edges of its
place in that plane, or it has been pulled out and is parallel to it: each of the five ways has one number
(angle or way), which the surface tells, and explains it more or less well. Depth of a dark front is sparse
and errs alike over some centimetres, so that only as many points count as there are cells with surface.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.families.cabinet.grips import grip
from pocketworld.families.cabinet.handles import fitted, usual
from pocketworld.families.cabinet.parameters import MOVABLE, Front, FrontKind
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.runs.row_parts import Patch
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scene import HandleKind, Side

Array = NDArray[np.float64]
Kind = tuple[FrontKind, Side]

FACING = 0.5  # cosine: what is turned farther away from the row is an edge or the inside
LEVER = 0.10  # m: nearer to a hinge, an angle can't be told
SIGMA = 0.015  # m: what stands out of a door (handle, panel, its edge) and what depth errs
OUTLIER = 3.0  # sigmas: what is farther off is something else
CELL = 0.05  # m: points in one cell err alike
LEAST = math.radians(2), 0.02  # rad, m: less is closed
MOST = math.radians(85), 0.55  # rad, m
FEWEST = 12  # points


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a front may stand open.

    amount       rad, or m for a drawer;  spread: of the points' distances from it, m (median)
    likelihood   of what was seen, against the way that explains it best
    """

    kind: FrontKind
    side: Side
    amount: float
    spread: float
    likelihood: float


def ways_open(surface: Surface, place: Patch, box: UprightBox) -> tuple[Way, ...]:
    """Return how a front may stand open, the way that explains what is seen best first; empty: not told.

    surface   what was seen of it, in the scene's frame
    place     where the front is when it is shut, in the frame of `box`, whose front is the fronts' plane
    """
    local = surface.moved(se3.inverse(box.world_from_box))
    facing = -local.normals[:, 1] > FACING
    points = local.vertices[facing] + (0.0, box.size[1] / 2, 0.0)
    if len(points) < FEWEST:
        return ()
    count = len(np.unique(np.floor(points[:, [0, 2]] / CELL).astype(int), axis=0))
    found = [(kind, *told) for kind, lever in _levers(points, place) if (told := _told(-points[:, 1], lever))]
    if not found:
        return ()
    least = min(cost for _, _, _, cost in found)
    out = [
        Way(*kind, amount, spread, math.exp(-count * (cost - least) / 2))
        for kind, amount, spread, cost in found
    ]
    return tuple(sorted(out, key=lambda way: (-way.likelihood, way.spread)))


def likelihoods(ways: tuple[Way, ...]) -> Mapping[Kind, float]:
    """Return the likelihood of what was seen for each kind that can stand open so."""
    return {(way.kind, way.side): way.likelihood for way in ways}


def _levers(points: Array, place: Patch) -> Iterator[tuple[Kind, Array | None]]:
    """Yield the kinds of fronts and how far points are from their hinges, m; None: it has none."""
    x, z = points[:, 0], points[:, 2]
    door = FrontKind.DOOR
    yield (door, Side.BOTTOM), z - place.low
    yield (door, Side.TOP), place.high - z
    yield (door, Side.LEFT), x - place.left
    yield (door, Side.RIGHT), place.right - x
    yield (FrontKind.DRAWER, Side.NONE), None


def _told(out: Array, lever: Array | None) -> tuple[float, float, float] | None:
    """Return the angle or way that points say, their spread, and the mean of their squared, capped offs."""
    if lever is None:
        amount = float(np.median(out))
        off, turned = out - amount, False
    else:
        far = lever > LEVER
        if far.sum() < FEWEST:
            return None
        amount = float(np.median(np.arctan2(out[far], lever[far])))
        off, turned = out * math.cos(amount) - lever * math.sin(amount), True
    low, high = (LEAST[0], MOST[0]) if turned else (LEAST[1], MOST[1])
    if not low < amount < high:
        return None
    cost = float(np.mean(np.minimum(np.abs(off) / SIGMA, OUTLIER) ** 2))
    return amount, float(np.median(np.abs(off))), cost


def told(way: Way) -> str:
    """Return a way in words."""
    if way.kind is FrontKind.DRAWER:
        return f"pulled out by {way.amount * 1000:.0f} mm"
    return f"by {math.degrees(way.amount):.0f} degrees about its {way.side}"


def opened(front: Front, amount: float, width: float, height: float, depth: float) -> Front:
    """Return a front of a size (m) that stands open by an angle, or a way in m, its handle where usual.

    depth   of the cabinet, of which a drawer's opening is a share
    """
    if front.kind not in MOVABLE:
        return front
    handle = fitted(grip(usual(HandleKind.BAR), front.kind, front.side, width, height), width, height)
    whole = front.opening * depth if front.kind is FrontKind.DRAWER else front.opening
    return replace(front, handle=handle, state=min(1.0, amount / whole))
