"""Level plates of furniture that something may stand on: table tops, seats, the tops of cabinets."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, KDTree, QhullError

from pocketworld.geometry import se3
from pocketworld.reconstruct.objects.on_plate import LOW, linked
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEVEL = 0.8  # of a normal: what leans more is no plate
BAND = 0.02  # m: a plate is as even as this, as depth shows it
LEAST = 0.08  # m²: a stool's seat; on less, only small things stand, and they are seldom told from it
CELL = 0.03  # m
BESIDE = 48  # points that tell how high a plate is at a place: about 7 x 7 of them
FREE = 0.6  # of a plate has nothing of its furniture above: on a shelf's boards stands what is in it


@dataclass(frozen=True, eq=False, slots=True)
class Plate:
    """A level patch of surface.

    top      its height, m
    edges    (k, 3) sides of its outline, as seen from above: n · (x, y) + d <= 0 within it
    points   (m, 3) where it was seen
    area     that was seen, m²
    """

    top: float
    edges: Array
    points: Array
    area: float

    def beyond(self, places: Array) -> Array:
        """Return (n,) m: how far places (n, 2 or 3) lie outside the outline; negative within it."""
        return np.asarray((places[:, :2] @ self.edges[:, :2].T + self.edges[:, 2]).max(1))

    def away(self, places: Array) -> Array:
        """Return (n,) m: how far places (n, 2 or 3) are, as seen from above, from where it was seen."""
        return np.asarray(KDTree(self.points[:, :2]).query(places[:, :2])[0])

    def over(self, places: Array) -> Array:
        """Return (n,) m: how high places (n, 3) are over what was seen of it beside them."""
        few = min(BESIDE, len(self.points))
        nearest = KDTree(self.points[:, :2]).query(places[:, :2], few)[1].reshape(len(places), few)
        return np.asarray(places[:, 2] - np.median(self.points[nearest, 2], axis=1))


def plates(surface: Surface) -> list[Plate]:
    """Return the plates of a surface that have little above them, the highest first."""
    areas = surface.vertex_areas()
    which = np.flatnonzero(surface.normals[:, 2] > LEVEL)
    found: list[Plate] = []
    while len(which):
        z = surface.vertices[which, 2]
        top = _busiest(z, areas[which])
        on = np.abs(z - top) <= BAND
        if areas[which[on]].sum() < LEAST:
            break
        found += _patches(surface, areas, which[on])
        which = which[np.abs(z - top) > 2 * BAND]
    bare = [plate for plate in found if _free(plate, surface)]
    return sorted(bare, key=lambda plate: (-plate.top, -plate.area))


def _busiest(z: Array, areas: Array) -> float:
    """Return the height around which most area lies, m."""
    order = np.argsort(z, kind="stable")
    heights, total = z[order], np.concatenate([[0.0], np.cumsum(areas[order])])
    last, first = np.searchsorted(heights, heights + BAND), np.searchsorted(heights, heights - BAND)
    most = int(np.argmax(total[last] - total[first]))
    within = slice(first[most], last[most])
    return float(np.average(heights[within], weights=np.maximum(areas[order][within], 1e-12)))


def _patches(surface: Surface, areas: Array, on: NDArray[np.intp]) -> Iterator[Plate]:
    """Yield the plates among vertices of about one height: what lies apart is another one."""
    plan = se3.apply(se3.inverse(surface.from_grid), surface.vertices[on])
    plan[:, 2] = 0.0
    label = linked(plan, CELL)
    sizes = np.bincount(label, areas[on])
    for number in np.flatnonzero(sizes >= LEAST):
        own = on[label == number]
        points = surface.vertices[own]
        try:
            hull = ConvexHull(points[:, :2])
        except QhullError:  # a line
            continue
        top = float(np.average(points[:, 2], weights=areas[own]))
        yield Plate(top, hull.equations, points, float(sizes[number]))


def _free(plate: Plate, surface: Surface) -> bool:
    """Say whether most of a plate has nothing of its furniture above."""
    over = surface.vertices[surface.vertices[:, 2] > plate.top + BAND + LOW, :2]
    if not len(over):
        return True
    away = KDTree(over).query(plate.points[:, :2])[0]
    return bool((np.asarray(away) > CELL).mean() >= FREE)
