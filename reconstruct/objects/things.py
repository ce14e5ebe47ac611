"""What stands on the floor: the pieces of surface that are left when floor and walls are taken away."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.depthbox import EXPLAINED, DepthBox, box_of, explain
from pocketworld.reconstruct.room.floor import LAYER, Floor
from pocketworld.reconstruct.room.walls import Wall, of_wall, up_to
from pocketworld.reconstruct.surfaces.depth import NEAR
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]

CELL = 0.03  # m: pieces of surface nearer than about twice this belong together
TALL = 2.1  # m: doors end here; what is taller is the building or built in
LONG = 3.0  # m: as large as a room
LOW = 0.1  # m: what is lower is a rug, a cable or noise
LEAST = 0.02  # m² of surface: a thing as large as a fist
FILLED = 0.5  # faces are closed rather than frames
FAR = NEAR * (CELL / 0.01) ** 0.5  # m: the error of depth, 1 cm at NEAR, is as large as a cell
HANGING, SHEET = 0.25, 0.08  # m: what is thinner and does not reach the floor is a piece of wall
SHEETS = "sheets"
BESIDE = 0.15  # m from a wall: a thing may hang there
SOME = 0.05  # of its points: fewer so near are noise, or a corner that comes near
FURNITURE = 0.25  # m: lower boxes are cartons


@dataclass(frozen=True, eq=False, slots=True)
class Thing:
    """Something that stands on the floor, in the scene's frame.

    id             "thing-1" and so on, the largest first
    surface        its part of the surface: vertices are its points
    found          the upright box by depth, and what it explains
    completeness   share of its outside, seen from the four sides and from above, that the capture shows
    """

    id: str
    surface: Surface
    found: DepthBox
    completeness: float

    @property
    def box(self) -> UprightBox:
        """Return the upright box by depth."""
        return self.found.box

    @property
    def box_like(self) -> bool:
        """Say whether it is a closed box with upright faces, as a piece of furniture is."""
        sides, top = self.found.filled[:4], self.found.filled[4]
        corner = max(min(sides[i], (*sides, sides[0])[i + 1]) for i in range(4))
        closed = max(corner, min(max(sides), top)) >= FILLED
        return self.found.share >= EXPLAINED and closed and self.box.size[2] >= FURNITURE


@dataclass(frozen=True, slots=True)
class Things:
    """What stands on the floor, the largest first.

    sheets   upright ones in the air and away from walls: of something whose rest was not seen
    """

    things: tuple[Thing, ...]
    findings: tuple[Finding, ...]
    sheets: tuple[Thing, ...] = ()


def find_things(surface: Surface, floor: Floor, walls: Sequence[Wall], name: str) -> Things:
    """Return what stands on the floor of a surface in the scene's frame; `name`: what findings are about.

    walls   of the room, in the scene's frame: what is of them is no thing, and things may stand against them
    """
    above = (surface.vertices[:, 2] > LAYER) & (surface.vertices[:, 2] < TALL)
    for wall in walls:
        above &= ~of_wall(surface, wall)
    tolerance = 3 * max(floor.noise, surface.voxel / 2)
    things: list[Thing] = []
    sheets: list[Thing] = []
    left_out: Counter[str] = Counter()
    for own in _pieces(surface, above):
        thing = thing_of(f"thing-{len(things) + len(sheets) + 1}", own, walls, tolerance)
        reason = _no_thing(thing)
        if reason == SHEETS and not any(beside(thing, wall) for wall in walls):
            sheets.append(thing)
        elif reason:
            left_out[reason] += 1
        else:
            things.append(thing)
    return Things(tuple(things), tuple(_noticed(name, left_out)), tuple(sheets))


def _pieces(surface: Surface, above: NDArray[np.bool_]) -> list[Surface]:
    """Return the pieces of surface that hang together over less than two cells, the largest first."""
    which = np.flatnonzero(above)
    if not len(which):
        return []
    places = se3.apply(se3.inverse(surface.from_grid), surface.vertices[which])
    cells, member = np.unique(np.floor(places / CELL).astype(np.int64), axis=0, return_inverse=True)
    pairs = KDTree(cells).query_pairs(2.0, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (len(cells), len(cells)))
    label = connected_components(links, directed=False)[1][member.ravel()]
    areas = np.bincount(label, surface.vertex_areas()[which])
    first = places[np.unique(label, return_index=True)[1]]
    order = [n for n in np.lexsort((*first.T, -areas)) if areas[n] >= LEAST]
    return [surface.part(_mask(which[label == n], len(above))) for n in order]


def _no_thing(thing: Thing) -> str:
    """Return why a piece of surface is no thing that stands in a room, or nothing."""
    extent, top = np.ptp(thing.surface.vertices, axis=0), thing.surface.vertices[:, 2].max()
    if max(extent[:2]) > LONG or top > TALL - CELL:
        return "structure"
    if top < LOW:
        return "low"
    if np.median(thing.surface.distance) > FAR:
        return "far"
    return SHEETS if thing.box.foot[2] > HANGING and min(thing.box.size[:2]) < SHEET else ""


def beside(thing: Thing, wall: Wall) -> bool:
    """Say whether a thing may hang on a wall: more than a corner of it is near."""
    points = thing.surface.vertices[:, :2]
    along, before = points @ np.array(wall.along), points @ np.array(wall.normal) - wall.distance
    near = (np.abs(before) < BESIDE) & (along > wall.low) & (along < wall.high)
    return bool(near.mean() > SOME)


def _mask(member: NDArray[np.intp], count: int) -> NDArray[np.bool_]:
    keep = np.zeros(count, bool)
    keep[member] = True
    return keep


def thing_of(id: str, own: Surface, walls: Sequence[Wall], tolerance: float) -> Thing:
    """Return a piece of surface as a thing, its box by depth, up to a wall that it stands against."""
    areas = own.vertex_areas()
    found = box_of(own.vertices, own.normals, areas, tolerance, CELL)
    for wall in walls:
        box = up_to(wall, found.box)
        found = explain(box, own.vertices, own.normals, areas, tolerance, CELL)
    return Thing(id, own, found, completeness(own, found.box))


def completeness(surface: Surface, box: UprightBox) -> float:
    """Return the share of a thing's outside that was seen, as it looks from four sides and from above.

    From each side one expects surface wherever the thing has any when looked through; one has it where some
    faces that side.
    """
    local = se3.apply(se3.inverse(box.world_from_box), surface.vertices)
    looks = surface.normals @ box.world_from_box[:3, :3]
    cells = np.floor(local / CELL).astype(np.int64)
    expected = seen = 0
    for axis, sign in ((0, 1), (0, -1), (1, 1), (1, -1), (2, 1)):
        others = [a for a in range(3) if a != axis]
        expected += len(np.unique(cells[:, others], axis=0))
        seen += len(np.unique(cells[looks[:, axis] * sign > 0][:, others], axis=0))
    return seen / expected


def _noticed(name: str, left_out: Counter[str]) -> list[Finding]:
    """Return what is left out, as findings."""

    def found(code: str, severity: Severity, text: str, count: int) -> Finding:
        return Finding(code, severity, "reconstruct", name, text, {"count": float(count)})

    out = []
    if left_out["structure"]:
        text = "pieces as large as a room are taken for the building and left out"
        out.append(found("structure-left-out", Severity.LOST, text, left_out["structure"]))
    if left_out[SHEETS]:
        text = "flat pieces that hang at walls, as panes and boards, are taken for the building and left out"
        out.append(found("flat-at-wall-left-out", Severity.LOST, text, left_out[SHEETS]))
    if left_out["far"]:
        text = "things that were seen from afar only are left out: walk up to them"
        out.append(found("far-things-left-out", Severity.DEGRADED, text, left_out["far"]))
    return out
