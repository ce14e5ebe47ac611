"""Doors, glass doors and ways through a room's walls: found by depth, placed by colour, built as assets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.families.wall import Opening, OpeningKind
from pocketworld.findings import Finding, Severity
from pocketworld.geometry.convex import Vec3
from pocketworld.reconstruct.fronts.elevation import brightness
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.room.room_door_edges import BY_COLOUR, BY_DEPTH, Edges, edges
from pocketworld.reconstruct.room.room_door_flush import FlushDoor, flush_doors
from pocketworld.reconstruct.room.room_door_gaps import Gap, gaps
from pocketworld.reconstruct.room.room_door_glass import DoubleDoor, double_doors
from pocketworld.reconstruct.room.room_door_looks import lever, profile
from pocketworld.reconstruct.room.room_door_recess import (
    BACK,
    HIGH,
    LOW,
    ONE_LEAF,
    USUAL,
    Recess,
    WallPoints,
    at_wall,
    recesses,
)
from pocketworld.reconstruct.room.wall_assets import (
    ALIKE,
    Door,
    door_asset,
    fitting,
    opening,
    paint_of,
    thickness_of,
    wall_asset,
)
from pocketworld.reconstruct.room.wall_picture import Pane, WallPicture, paint, pane
from pocketworld.reconstruct.room.walls import MARGIN, Wall
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scan.capture import Capture
from pocketworld.scene import Side

Array = NDArray[np.float64]

TALL = 2.4  # m: as high as a wall is looked at; doors end lower
COARSE, FINE = 0.01, 0.005  # m a pixel: of a whole wall, of a leaf, on which a lever is to be seen
NEAR, COVERED = 0.8, 0.1  # m before a wall, and of a door's area: as much stands in its way
SOLID = 0.5  # of a door's area in the face of its wall: the rest was not seen
BESIDE = 0.1  # m from an opening: there the wall is
GLASS_HEIGHT = 2.1  # m: of a double door, whose upper edge depth does not show (leaves of 1.985 and 2.11)


@dataclass(frozen=True, eq=False, slots=True)
class RoomDoors:
    """The walls of a room and what is in them.

    openings   of each wall, in its asset's frame (x from its middle)
    placed     walls "wall-1" and so on, as they were given, with what was noticed; then doors "door-1", each
               inside a wall
    findings   of the room as a whole: that there is no wall, or none in a picture
    """

    openings: tuple[tuple[Opening, ...], ...]
    placed: tuple[Placed, ...]
    findings: tuple[Finding, ...] = ()


def find_room_doors(capture: Capture, poses: Array, surface: Surface, walls: list[Wall]) -> RoomDoors:
    """Return the walls as assets, with the doors and ways through them.

    poses     (n, 4, 4) scene_from_camera of the capture's frames;  surface: in the scene's frame
    walls     as `walls_of` finds them in that surface
    """
    read = _read(capture, poses, surface, walls)
    ids = [f"wall-{i + 1}" for i in range(len(walls))]
    rooms = list(zip(walls, ids, read, strict=True))
    whole = [wall_asset(w, id, r.doors, r.ways, r.picture, r.paint, _noticed(id, r)) for w, id, r in rooms]
    fit = [fitting(r.doors, r.ways, w.high - w.low) for w, _, r in rooms]
    doors = [(w, id, mine, door) for (w, id, _), (mine, _) in zip(rooms, fit, strict=True) for door in mine]
    built = [
        door_asset(wall, id, f"door-{i + 1}", door, thickness_of(mine))
        for i, (wall, id, mine, door) in enumerate(doors)
    ]
    openings = [
        (*(opening(door, w.high - w.low) for door in mine), *ways)
        for w, (mine, ways) in zip(walls, fit, strict=True)
    ]
    return RoomDoors(tuple(openings), (*whole, *built), _of_room(capture.name, read))


@dataclass(frozen=True, eq=False, slots=True)
class _Read:
    """What a wall holds: doors from left to right, ways through it, double doors seen by half; its colour."""

    doors: tuple[Door, ...]
    ways: tuple[Opening, ...]
    halves: int
    picture: WallPicture
    paint: Vec3


def _read(capture: Capture, poses: Array, surface: Surface, walls: list[Wall]) -> list[_Read]:
    """Return what each wall holds; every picture of the capture is read once."""
    areas = surface.vertex_areas()
    points = [at_wall(surface, areas, wall) for wall in walls]
    found = [recesses(p, wall.high - wall.low) for p, wall in zip(points, walls, strict=True)]
    panes = [pane(w.normal, w.distance, w.low, w.high, TALL, COARSE) for w in walls]
    leaves = [_leaf(wall, one) for wall, mine in zip(walls, found, strict=True) for one in mine]
    pictures = paint(capture, poses, [*panes, *leaves])
    inner = iter(pictures[len(walls) :])
    out = []
    for wall, at, mine, picture in zip(walls, points, found, pictures, strict=False):
        at_depth = zip(mine, edges(mine, picture, wall.high - wall.low), strict=True)
        doors = [_door(one, between, picture, next(inner)) for one, between in at_depth]
        free = _Free(surface, areas, wall, at)
        double = [d for d in double_doors(picture, _spans(doors)) if not free.hidden(d.u0, d.u1)]
        whole = [d for d in double if d.u0 >= 0 and d.u1 <= wall.high - wall.low]
        flush = [d for d in flush_doors(picture, _spans([*doors, *double])) if free.solid(d.u0, d.u1)]
        doors += [_glass(d, picture) for d in whole]
        doors += [_flush(d, picture) for d in flush if not free.hidden(d.u0, d.u1)]
        ways = [_way(gap, wall) for gap in gaps(surface, wall, at) if _apart(gap, doors)]
        doors.sort(key=lambda door: door.u0)
        out.append(
            _Read(
                tuple(doors), tuple(ways), len(double) - len(whole), picture, paint_of(surface, wall, doors)
            )
        )
    return out


def _spans(doors: Sequence[Door | DoubleDoor]) -> list[tuple[float, float]]:
    return [(door.u0, door.u1) for door in doors]


def _apart(gap: Gap, doors: list[Door]) -> bool:
    return all(gap.u1 <= door.u0 or gap.u0 >= door.u1 for door in doors)


@dataclass(frozen=True, eq=False, slots=True)
class _Free:
    """What depth says of a part of a wall that colour takes for a door; areas: (n,) m² of the vertices."""

    surface: Surface
    areas: Array
    wall: Wall
    points: WallPoints

    def hidden(self, u0: float, u1: float) -> bool:
        """Say whether something stands before it: then it is that which the pictures show."""
        out = self.surface.vertices[:, :2] @ np.array(self.wall.normal) - self.wall.distance
        u = self.surface.vertices[:, :2] @ np.array(self.wall.along) - self.wall.low
        z = self.surface.vertices[:, 2]
        before = (out > MARGIN) & (out < NEAR) & (u > u0) & (u < u1) & (z > LOW) & (z < HIGH)
        return bool(self.areas[before].sum() > COVERED * (u1 - u0) * (HIGH - LOW))

    def solid(self, u0: float, u1: float) -> bool:
        """Say whether there is surface in the wall's own face: a leaf, and no way through."""
        at = self.points
        mine = (np.abs(at.out) < BACK) & (at.u > u0) & (at.u < u1) & (at.z > LOW) & (at.z < HIGH)
        return bool(at.areas[mine].sum() > SOLID * (u1 - u0) * (HIGH - LOW))


def _leaf(wall: Wall, one: Recess) -> Pane:
    """Return where a door's leaf is to be looked at: through its opening."""
    low, high = wall.low + one.u0, wall.low + one.u1
    return pane(wall.normal, wall.distance - one.behind, low, high, one.height, FINE, one.behind)


def _door(one: Recess, between: Edges, picture: WallPicture, leaf: WallPicture) -> Door:
    """Return a door that stands back, between its edges."""
    bright, u = profile(picture), picture.grid.u
    u0, u1 = between.u0, between.u1
    seen, double = lever(leaf), u1 - u0 > ONE_LEAF
    return Door(
        u0,
        u1,
        one.height,
        one.behind,
        between.sigma,
        leaves=1 + double,
        # Where two leaves meet is in the middle: a lever at an edge would be something else.
        handle=Side.NONE if double else seen.side,
        hidden=Side.NONE if double else seen.hidden,
        handle_height=0.0 if double else seen.height,
        blind=_alike(leaf, bright[np.abs(u - (u0 + u1) / 2) > (u1 - u0) / 2 + BESIDE]),
        picture=leaf,
    )


def _alike(leaf: WallPicture, wall: Array) -> bool:
    """Say whether a leaf is as bright as the wall: then it may be a niche of it."""
    mine = brightness(leaf.colour)
    if not (np.isfinite(mine).any() and np.isfinite(wall).any()):
        return False
    return bool(abs(np.log((np.nanmedian(mine) + 1) / (np.nanmedian(wall) + 1))) < ALIKE)


def _flush(found: FlushDoor, picture: WallPicture) -> Door:
    return Door(
        found.u0,
        found.u1,
        USUAL,
        0.0,
        BY_COLOUR,
        handle=found.handle,
        handle_height=found.handle_height,
        picture=picture.crop(found.u0, found.u1, USUAL),
    )


def _glass(found: DoubleDoor, picture: WallPicture) -> Door:
    return Door(
        found.u0,
        found.u1,
        GLASS_HEIGHT,
        0.0,
        BY_DEPTH,
        leaves=2,
        glass=True,
        backset=(found.bars[1] - found.bars[0]) / 2,
        picture=picture.crop(found.u0, found.u1, GLASS_HEIGHT),
    )


def _way(gap: Gap, wall: Wall) -> Opening:
    middle = (gap.u0 + gap.u1 - wall.high + wall.low) / 2
    return Opening(middle, 0.0, gap.u1 - gap.u0, gap.height, OpeningKind.PASSAGE)


def _of_room(name: str, read: Sequence[_Read]) -> tuple[Finding, ...]:
    """Return what is less than it seems in a room's walls together; `name`: of the capture."""
    if not read:
        return (Finding("no-walls", Severity.NOTE, "reconstruct", name, "no wall was found", {}),)
    if not (unseen := sum(not one.picture.frames for one in read)):
        return ()
    text = "no picture shows these walls: doors that lie flush in them and glass doors are not looked for"
    return (
        Finding("walls-without-pictures", Severity.DEGRADED, "reconstruct", name, text, {"count": unseen}),
    )


def _noticed(id: str, read: _Read) -> list[Finding]:
    """Return what is less than it seems in a wall."""
    out = []

    def notice(code: str, severity: Severity, text: str, numbers: dict[str, float]) -> None:
        out.append(Finding(code, severity, "reconstruct", id, text, numbers))

    if double := sum(door.glass for door in read.doors):
        text = "glass doors that depth does not see: found by their pairs of handles"
        notice("glass-doors", Severity.NOTE, text, {"count": double})
    if read.halves:
        text = "a double door was seen by half only, where the wall ends: it is left out"
        notice("double-door-half-seen", Severity.DEGRADED, text, {"count": read.halves})
    if rough := sum(door.sigma > BY_COLOUR and not door.glass for door in read.doors):
        text = "edges of doors that are not plain in colour, or would overlap, are placed by depth"
        notice("door-edges-by-depth", Severity.DEGRADED, text, {"count": rough, "sigma_m": BY_DEPTH})
    if read.ways:
        text = "depth goes through the wall here: a way through, or a pane that no depth shows"
        notice("wall-open", Severity.NOTE, text, {"count": len(read.ways)})
    return out
