"""Walls: large upright planes with nothing but surface behind them, however much stands before them."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.room.floor import LAYER
from pocketworld.reconstruct.surfaces.surface import Surface

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEVEL = 0.3  # |z| of an upright face's normal: within 17 degrees
TURN = math.radians(4)  # bin of directions: normals of a noisy wall still meet in one
STEP = 0.04  # m, bin of distances: three sigma of depth
CELL = 0.02  # m: what faces one way in a cell of the plan is counted as one; finer than depth
FACING = math.cos(math.radians(30))  # single normals are noisy
PROUD, SIDEWAYS = 0.03, 0.5  # m, three sigma of depth; and 60 degrees off: the sides of what stands there
MARGIN = 0.08  # m: skirting boards, noise and the drift of a long walk belong to the wall
RECESS = 0.2  # m: and doors, which stand back in it; the next room begins behind
PARALLEL = math.cos(math.radians(10))
LENGTH = 1.5  # m
HEIGHT = 1.5  # m
# m: worktops and tables, above which a strip of wall is seen, are lower; what hangs on it begins higher.
SEEN_ABOVE = 1.2
LONG = 2.5  # m: who looks down sees of a wall a strip no higher than furniture, but as long as the room
AREA = 2.0  # m²: no side of a single piece of furniture that one walks around is as large
GAP = 2.5  # m: a wall goes on behind a double door, a pane that is not seen or a wardrobe
ROUNDS = 20  # of fitting, each with what lies near the line of the last; it settles in five to ten
QUIET = 0.004  # m: a fit is not to be surer of a wall's evenness than this
# What stands before a wall hides most of it; a wall that shows no more than this is a strip.
STRIP = 0.5  # m²
DEEP = 0.9  # m: no wardrobe is deeper; where the same way faces something behind, a plane is its front
BEHIND = 0.3  # of a plane's own area: as much behind it makes it a front
SEEN_THROUGH = 0.02  # of what lies on it, behind a plane: reflections
HIDDEN = 0.3  # m: where nothing lower of a wall is seen, something stands before it


@dataclass(frozen=True, slots=True)
class Wall:
    """An upright plane `normal · (x, y) = distance`, m, its normal towards the room.

    low, high   where it begins and ends along its own direction (to the right for who faces it), m
    height      of its top as seen, m
    """

    normal: tuple[float, float]
    distance: float
    low: float
    high: float
    height: float

    @property
    def along(self) -> tuple[float, float]:
        """Return its direction: to the right for who stands in the room and faces it."""
        return -self.normal[1], self.normal[0]

    def moved(self, a_from_b: Array) -> "Wall":
        """Return the same wall in frame a, given in frame b; both stand upright on the same floor."""
        turn, shift = a_from_b[:2, :2], a_from_b[:2, 3]
        x, y = (float(c) for c in turn @ self.normal)
        along = float(shift @ [-y, x])
        distance = self.distance + float(shift @ [x, y])
        return Wall((x, y), distance, self.low + along, self.high + along, self.height)


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """What is upright, cell by cell of the plan and by the way it faces: (n, 2) m, (n, 2), (n,) m² each."""

    places: Array
    facing: Array
    areas: Array

    def along(self, normal: Array) -> Array:
        """Return (n,) m, how far each lies to the right along the wall of a normal."""
        return np.asarray(self.places @ [-normal[1], normal[0]], float)


def walls_of(surface: Surface) -> list[Wall]:
    """Return the walls of a surface in the scene's frame, found in the capture's own heading."""
    above = surface.vertices[:, 2] > LAYER
    grid_from_surface = se3.inverse(surface.from_grid)
    part = surface.part(above)
    points = se3.apply(grid_from_surface, part.vertices)
    points[:, 2] = part.vertices[:, 2]  # heights above the floor
    normals = part.normals @ grid_from_surface[:3, :3].T
    found = find_walls(points, normals, surface.vertex_areas()[above])
    return [wall.moved(surface.from_grid) for wall in found]


def find_walls(points: Array, normals: Array, areas: Array) -> list[Wall]:
    """Return the walls among points (n, 3) above the floor, in a frame that belongs to the capture.

    The plane with most area is taken first. It is fitted to what lies near it, over and over, by Tukey's
    biweight: so a wall of 20 m comes out whole, though its first guess is a degree off.
    """
    upright = np.abs(normals[:, 2]) < LEVEL
    points, normals, areas = points[upright], normals[upright], areas[upright]
    columns = _columns(points, normals, areas)
    left, walls = np.ones(len(columns.areas), bool), []
    while left.any():
        seed = _strongest(columns, np.where(left, columns.areas, 0.0))
        if seed is None:
            break
        normal, distance, mine = _grown(columns, left, *seed)
        if columns.areas[mine].sum() < STRIP:
            break
        left &= ~mine
        wall = _wall(normal, distance, columns.along(normal)[mine], points, normals)
        if wall is not None and _bounds(wall, columns, columns.areas[mine].sum(), points):
            walls.append(wall)
            left &= ~_recessed(wall, columns)
    return walls


def _columns(points: Array, normals: Array, areas: Array) -> Columns:
    """Return what is upright as columns: as exact as the points, and a hundred times fewer."""
    turns = round(2 * math.pi / TURN)
    angle = np.arctan2(normals[:, 1], normals[:, 0])
    turn = np.floor((angle / (2 * math.pi) % 1) * turns).astype(np.int64) % turns
    cells = np.floor(points[:, :2] / CELL).astype(np.int64)
    cells -= cells.min(0, initial=0)
    wide = cells.max(0, initial=0) + 1
    key = (turn * wide[0] + cells[:, 0]) * wide[1] + cells[:, 1]
    _, member = np.unique(key, return_inverse=True)
    total = np.bincount(member, areas).astype(float)

    def mean(values: Array) -> Array:
        return np.asarray(np.bincount(member, areas * values) / np.maximum(total, 1e-12), float)

    places = np.stack([mean(points[:, 0]), mean(points[:, 1])], 1)
    facing = np.stack([mean(normals[:, 0]), mean(normals[:, 1])], 1)
    facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-12)
    keep = total > 0
    return Columns(places[keep], facing[keep], total[keep])


def _strongest(columns: Columns, areas: Array) -> tuple[Array, float] | None:
    """Return the upright plane with most area, roughly: its normal and distance."""
    turns = round(2 * math.pi / TURN)
    angle = np.arctan2(columns.facing[:, 1], columns.facing[:, 0])
    turn = np.floor((angle / (2 * math.pi) % 1) * turns).astype(np.int64) % turns
    theta = (turn + 0.5) * TURN
    off = (columns.places * np.stack([np.cos(theta), np.sin(theta)], 1)).sum(1)
    step = np.floor(off / STEP).astype(np.int64)
    first = step.min()
    _, member = np.unique(turn * (step.max() - first + 1) + step - first, return_inverse=True)
    count = np.bincount(member, areas)
    if count.max() <= 0:
        return None
    best = member == np.argmax(count)
    way = float(theta[best][0])
    return np.array([math.cos(way), math.sin(way)]), float((step[best][0] + 0.5) * STEP)


def _grown(columns: Columns, left: Flags, normal: Array, distance: float) -> tuple[Array, float, Flags]:
    """Return the plane fitted to all that lies near it, and which columns those are."""
    mine = _near(columns, left, normal, distance)
    for _ in range(ROUNDS):
        if not mine.any():
            break
        normal, distance = _fitted(columns.places[mine], columns.areas[mine], normal, distance)
        before, mine = mine, _near(columns, left, normal, distance)
        if (before == mine).all():
            break
    return normal, distance, mine


def _near(columns: Columns, left: Flags, normal: Array, distance: float) -> Flags:
    """Return the columns that face as the plane does and lie near it, without what is a long way off."""
    near = left & (columns.facing @ normal > FACING)
    near &= np.abs(columns.places @ normal - distance) < MARGIN
    which = np.flatnonzero(near)
    if not len(which):
        return near
    along = columns.along(normal)[which]
    order = np.argsort(along, kind="stable")
    run = np.concatenate([[0], np.cumsum(np.diff(along[order]) > GAP)])
    largest = np.argmax(np.bincount(run, columns.areas[which[order]]))
    out = np.zeros_like(near)
    out[which[order[run == largest]]] = True
    return out


def _fitted(places: Array, areas: Array, normal: Array, distance: float) -> tuple[Array, float]:
    """Return the line of places (n, 2) near a first one, by Tukey's biweight."""
    for _ in range(3):
        off = places @ normal - distance
        scale = max(1.4826 * float(np.median(np.abs(off - np.median(off)))), QUIET)
        trust = areas * np.clip(1 - ((off - np.median(off)) / (4.685 * scale)) ** 2, 0, None) ** 2
        middle = trust @ places / trust.sum()
        apart = places - middle
        _, vectors = np.linalg.eigh((apart * trust[:, None]).T @ apart)
        normal = vectors[:, 0] * (1 if vectors[:, 0] @ normal > 0 else -1)
        distance = float(middle @ normal)
    return normal, distance


def _wall(normal: Array, distance: float, along: Array, points: Array, normals: Array) -> Wall | None:
    """Return the wall of a plane and of what belongs to it, or None where it is short or low."""
    low, high = np.percentile(along, [0.1, 99.9])
    across = points[:, :2] @ [-normal[1], normal[0]]
    mine = (np.abs(points[:, :2] @ normal - distance) < MARGIN) & (normals[:, :2] @ normal > FACING)
    heights = points[mine & (across >= low) & (across <= high), 2]
    if high - low < LENGTH or not len(heights) or np.percentile(heights, 99) < SEEN_ABOVE:
        return None
    top = float(np.percentile(heights, 99))
    return Wall((float(normal[0]), float(normal[1])), distance, float(low), float(high), top)


def _bounds(wall: Wall, columns: Columns, area: float, points: Array) -> bool:
    """Say whether a plane bounds the room, rather than being the front of what stands in it.

    A front has, beside or above it, the wall that it stands against: something that faces the same way,
    not far behind. A plane of which little is seen must also begin high up, behind what stands before it,
    and hide nothing.
    """
    normal = np.array(wall.normal)
    behind = wall.distance - columns.places @ normal
    along = columns.along(normal)
    beside = (along > wall.low - DEEP) & (along < wall.high + DEEP) & (columns.facing @ normal > FACING)
    rest = float(columns.areas[beside & (behind > RECESS) & (behind < DEEP)].sum())
    if rest > BEHIND * area:
        return False
    if area >= AREA and wall.height >= HEIGHT:
        return True
    return _hides_nothing(wall, points)


def _hides_nothing(wall: Wall, points: Array) -> bool:
    """Say whether nothing is seen behind a plane that is long, or that begins high up, behind what stands
    before it.
    """
    off, across = points[:, :2] @ np.array(wall.normal) - wall.distance, points[:, :2] @ np.array(wall.along)
    inside = (across > wall.low) & (across < wall.high)
    on, through = inside & (np.abs(off) < MARGIN), inside & (off < -RECESS)
    begins = np.percentile(points[on, 2], 2)
    wide = wall.high - wall.low >= LONG or HIDDEN < begins < SEEN_ABOVE
    return bool(wide and through.sum() <= SEEN_THROUGH * on.sum())


def _recessed(wall: Wall, columns: Columns) -> Flags:
    """Return the columns that stand a little back in a wall and face as it does: doors, niches."""
    normal = np.array(wall.normal)
    along, behind = columns.along(normal), wall.distance - columns.places @ normal
    inside = (along > wall.low) & (along < wall.high) & (behind > 0) & (behind < RECESS)
    return np.asarray(inside & (columns.facing @ normal > FACING), bool)


def belongs(points: Array, wall: Wall) -> NDArray[np.bool_]:
    """Return which points (n, 3) are of a wall: on it, or in a recess of it such as a door's."""
    normal = np.array(wall.normal)
    along, before = points[:, :2] @ [-normal[1], normal[0]], points[:, :2] @ normal - wall.distance
    inside = (along > wall.low - MARGIN) & (along < wall.high + MARGIN)
    return np.asarray(inside & (before < MARGIN) & (before > -RECESS))


def of_wall(surface: Surface, wall: Wall) -> NDArray[np.bool_]:
    """Return which vertices of a surface are of a wall; what stands out of it and faces elsewhere is not."""
    normal = np.array(wall.normal)
    out = surface.vertices[:, :2] @ normal - wall.distance > PROUD
    sideways = surface.normals[:, :2] @ normal < SIDEWAYS
    return np.asarray(belongs(surface.vertices, wall) & ~(out & sideways), bool)


def up_to(wall: Wall, box: UprightBox) -> UprightBox:
    """Return a box that stands against a wall with that side moved onto the wall; any other box as it is.

    What is nearer to a wall than its own unevenness can't be told from it, so the side was not seen.
    """
    normal = np.array(wall.normal)
    for quarters in range(4):
        turned = box.turned(quarters)
        back = turned.world_from_box[:2, 1]
        place = np.array(turned.foot[:2]) + back * turned.size[1] / 2
        gap = float(place @ normal) - wall.distance
        beside = wall.low < place @ [-normal[1], normal[0]] < wall.high
        if -back @ normal > PARALLEL and beside and 0 < gap < 2 * MARGIN:
            x, y = (float(c) for c in np.array(turned.foot[:2]) + back * gap / 2)
            width, depth, height = turned.size
            longer = replace(turned, foot=(x, y, turned.foot[2]), size=(width, depth + gap, height))
            return longer.turned(-quarters)
    return box
