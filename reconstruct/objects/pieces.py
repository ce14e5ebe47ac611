"""What was scanned in few convex pieces, cut so that they leave free what was seen to be empty.

Approximate convex decomposition cuts by planes where a hull stands far off the surface (Lien and Amato 2007),
and looks ahead, as the first of two cuts that free the room between legs frees little (CoACD, Wei 2022).
Both want a closed mesh. A phone sees one side: here the hull of what was seen closes a piece, with what lies
unseen behind it, and the places that a camera looked through say where that is wrong.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.emptiness import BEHIND

Array = NDArray[np.float64]
Ints = NDArray[np.intp]

MOST = 8  # pieces of a thing
FREED = 0.02  # of the hull of all, at least, that a cut frees: less is the surface's noise
CELLS, LONGEST = 1500, 64  # of the lattice along which a thing is cut: about, and along an axis at most
WAYS = (
    64  # directions, besides those to a cube's faces and edges, along which hulls are compared while cutting
)


@dataclass(frozen=True, eq=False, slots=True)
class _Region:
    """A box of the lattice's cells.

    low, high     its first cell, and the first beyond it (3,)
    at, reach     cells that hold something (m, 3), and how far that reaches along the directions (m, k)
    free, along   cells of the places in its hull that were seen empty (f, 3), and where they are along them
    """

    low: Ints
    high: Ints
    at: Ints
    reach: Array
    free: Ints
    along: Array


@dataclass(frozen=True, order=True, slots=True)
class _Cut:
    """A plane before a cell along an axis.

    swallowed   places in the hulls after it and after one more cut on each side
    volume      of the boxes around what it parts
    """

    swallowed: int
    volume: float
    axis: int
    cell: int


def parted(points: Array, edges: Ints, free: Array, box: UprightBox, hull: float) -> list[Array]:
    """Return the points (k, 3) of each convex piece; planes part them, and they meet where the surface does.

    points, edges   of the surface (n, 3), (e, 2), in the frame of its box, m
    free            (f, 3) places that were seen empty, likewise, one at least
    hull            how many places the hull of all holds
    """
    size = np.array(box.size)
    counts = np.clip(np.round(size * (CELLS / size.prod()) ** (1 / 3)), 1, LONGEST).astype(np.intp)
    corner, pitch = np.array((-size[0] / 2, -size[1] / 2, 0.0)), size / counts
    places, at = _crossed((points - corner) / pitch, edges, counts)
    places = places * pitch + corner
    behind, within = _behind(places, free, corner, pitch, counts)
    places, at = np.concatenate([places, behind]), np.concatenate([at, within])
    whole = _whole(places, at, free, _cells((free - corner) / pitch, counts), counts)
    least = max(1.0, FREED * hull)
    found = _joined(_cut_up(whole, least), whole, least)
    return [places[((at >= one.low) & (at < one.high)).all(1)] for one in found]


def _behind(places: Array, free: Array, corner: Array, pitch: Array, counts: Ints) -> tuple[Array, Ints]:
    """Return the middles (n, 3) of cells in the hull that are taken for solid, and the cells.

    Nothing was seen of them nor so near that empty room may reach there: as empty counts only what is BEHIND
    before a surface.
    """
    cells = np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), -1).reshape(-1, 3)
    middles = (cells + 0.5) * pitch + corner
    hull = ((middles @ _ways().T) <= (places @ _ways().T).max(0)).all(1)
    solid = hull & (KDTree(free).query(middles)[0] > BEHIND + pitch.max())
    return middles[solid], cells[solid]


def _cut_up(whole: _Region, least: float) -> list[_Region]:
    """Return the regions into which a whole is cut, the worst one first, where that frees `least` places."""
    regions = [whole]
    done: list[_Region] = []
    while regions and len(regions) + len(done) < MOST:
        regions.sort(key=lambda region: len(region.free))
        worst = regions.pop()
        best = _best(worst) if len(worst.free) >= least else None
        if best is None or len(worst.free) - best.swallowed < least:
            done.append(worst)
        else:
            regions += _halves(worst, best.axis, best.cell)
    return regions + done


def _joined(regions: list[_Region], whole: _Region, least: float) -> list[_Region]:
    """Return regions in the order of their cells, without cuts that others have made needless."""
    regions = sorted(regions, key=lambda region: tuple(region.low.tolist()))
    for a, b in combinations(regions, 2):
        low, high = np.minimum(a.low, b.low), np.maximum(a.high, b.high)
        if np.prod(high - low) > np.prod(a.high - a.low) + np.prod(b.high - b.low):
            continue  # together they are no box
        one = _within(whole, low, high)
        if len(one.free) - len(a.free) - len(b.free) < least:
            rest = [region for region in regions if region is not a and region is not b]
            return _joined([*rest, one], whole, least)
    return regions


def _cells(inner: Array, counts: Ints) -> Ints:
    """Return the cells (n, 3) of points in units of cells; what is outside is of the outer ones."""
    return np.asarray(np.clip(np.floor(inner), 0, counts - 1), np.intp)


def _crossed(points: Array, edges: Ints, counts: Ints) -> tuple[Array, Ints]:
    """Return points (n, 3) and where edges cross the lattice's planes, each with its cell; units of cells.

    A crossing is of both cells that meet there, so that what is parted has no gap.
    """
    places, cells = [points], [_cells(points, counts)]
    ends = points[edges]
    for axis in range(3):
        low, high = np.sort(ends[:, :, axis], axis=1).T
        first = np.clip(np.ceil(low), 1, None).astype(np.intp)
        last = np.clip(np.floor(high), None, counts[axis] - 1).astype(np.intp)
        number = np.where(high > low, np.maximum(last - first + 1, 0), 0)
        which = np.repeat(np.arange(len(ends)), number)
        plane = first[which] + np.arange(len(which)) - np.repeat(np.cumsum(number) - number, number)
        start, way = ends[which, 0], ends[which, 1] - ends[which, 0]
        across = start + ((plane - start[:, axis]) / way[:, axis])[:, None] * way
        across[:, axis] = plane
        for before in (0, 1):
            cell = _cells(across, counts)
            cell[:, axis] = plane - before
            places.append(across)
            cells.append(cell)
    return np.concatenate(places), np.concatenate(cells)


def _whole(places: Array, at: Ints, free: Array, empty: Ints, counts: Ints) -> _Region:
    """Return all of the lattice; a cell that holds something is not empty, whatever was seen there."""
    ways = _ways()
    number = _number(at, counts)
    order = np.argsort(number, kind="stable")
    taken, begins = np.unique(number[order], return_index=True)
    reach = np.maximum.reduceat((places @ ways.T)[order], begins)
    held = np.isin(_number(empty, counts), taken)
    return _region(
        np.zeros(3, np.intp), counts, at[order][begins], reach, empty[~held], (free @ ways.T)[~held]
    )


def _number(at: Ints, counts: Ints) -> Ints:
    """Return one number (n,) for each of some cells (n, 3) of the lattice."""
    return np.asarray((at[:, 0] * counts[1] + at[:, 1]) * counts[2] + at[:, 2])


def _region(low: Ints, high: Ints, at: Ints, reach: Array, free: Ints, along: Array) -> _Region:
    """Return a region with those of some places (f, 3) that its hull swallows."""
    inside = (along <= reach.max(0)).all(1)
    return _Region(low, high, at, reach, free[inside], along[inside])


def _ways() -> Array:
    """Return unit vectors (k, 3): to a cube's faces, the first six, and edges, and over the sphere."""
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    edges = [a + b for i, a in enumerate(axes) for b in axes[i + 1 :] if abs(a @ b) < 0.5]
    return np.concatenate([axes, np.array(edges) / math.sqrt(2), directions(WAYS)])


def directions(count: int) -> Array:
    """Return unit vectors (count, 3) spread evenly (Fibonacci's sphere)."""
    i = np.arange(count) + 0.5
    z, turn = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z**2)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], -1)


def _within(region: _Region, low: Ints, high: Ints) -> _Region:
    """Return the part of a region that is a box of cells."""
    held = ((region.at >= low) & (region.at < high)).all(1)
    mine = ((region.free >= low) & (region.free < high)).all(1)
    return _region(low, high, region.at[held], region.reach[held], region.free[mine], region.along[mine])


def _halves(region: _Region, axis: int, cell: int) -> tuple[_Region, _Region]:
    """Return what is on both sides of the plane before a cell."""
    high, low = region.high.copy(), region.low.copy()
    high[axis] = low[axis] = cell
    return _within(region, region.low, high), _within(region, low, region.high)


def _best(region: _Region) -> _Cut | None:
    """Return the cut after which, and after one more on each side, least is swallowed; or None."""
    found = []
    for axis, cell, _, volume in _cuts(region):
        after = sum(_further(half) for half in _halves(region, axis, cell))
        found.append(_Cut(after, volume, axis, cell))
    return min(found, default=None)


def _further(region: _Region) -> int:
    """Return how many places a region swallows if it is cut once more, or not."""
    if not len(region.free):
        return 0
    return min((swallowed for _, _, swallowed, _ in _cuts(region)), default=len(region.free))


def _cuts(region: _Region) -> Iterator[tuple[int, int, int, float]]:
    """Go through the planes that part what a region holds: axis, cell, places swallowed, volume of the boxes.

    One plane before each cell that holds some is enough.
    """
    for axis in range(3):
        order = np.argsort(region.at[:, axis], kind="stable")
        where, reach = region.at[order, axis], region.reach[order]
        below = np.maximum.accumulate(reach)
        above = np.maximum.accumulate(reach[::-1])[::-1]
        cells, begins = np.unique(where, return_index=True)
        for cell, i in zip(cells[1:].tolist(), begins[1:].tolist(), strict=True):
            first = region.free[:, axis] < cell
            swallowed = int((region.along[first] <= below[i - 1]).all(1).sum())
            swallowed += int((region.along[~first] <= above[i]).all(1).sum())
            yield axis, cell, swallowed, _volume(below[i - 1]) + _volume(above[i])


def _volume(reach: Array) -> float:
    """Return the volume of the upright box around what reaches so far (k,)."""
    return float(np.prod(reach[:3] + reach[3:6]))
