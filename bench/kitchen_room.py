"""What a drawn kitchen has besides its rows: walls with windows and a door, a table, things that stand."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pocketworld.bench.kitchen_rows import RIM, Standing
from pocketworld.bench.kitchen_units import TRIES, Draws, Style
from pocketworld.bench.truth import outer
from pocketworld.families import registry
from pocketworld.families.protocol import Site
from pocketworld.families.room_door.parameters import RoomDoor
from pocketworld.families.wall import Opening
from pocketworld.families.worktop import Worktop
from pocketworld.geometry.convex import Vec3
from pocketworld.scene import Asset, Material, Pose, Relation

PAINTS: tuple[Vec3, ...] = ((0.80, 0.79, 0.76), (0.70, 0.74, 0.72), (0.78, 0.72, 0.62), (0.62, 0.66, 0.72))
LEAN = 0.15  # m from a row's end to a wall: a door that is wide open leans over, with its handle
THICK = 0.125  # m, of walls
DOORWAY = 0.3  # m of wall left beside a door, at the end of the wall that is far from the row
WALK, SEAT = 1.7, 0.8  # m from the row's fronts to a table, from there to a wall: one sits between
SWING = 0.6  # m of wall beside a door: it opens by more than a right angle
PASS = 1.1  # m from a row's end to a table: a room door swings there
ELBOWS = 0.65  # m for each who sits at a table
FREE = 0.02  # m between things that stand beside each other
SMALL = Site((0.24, 0.24, 0.3), above=True)  # the place that a thing on a worktop has


@dataclass(frozen=True, slots=True)
class Room:
    """The inside of a room, m: from x0 to x1 along the row, from its wall to y = -deep, up to `high`."""

    x0: float
    x1: float
    deep: float
    high: float


def size(draws: Draws, rows: Sequence[Standing], entry: RoomDoor) -> Room:
    """Return the room around rows; in a corner the left wall is where the second row has its back."""
    base, *others = rows
    left = 0.0 if others else base.row.x0 - draws.between("room/left", LEAN, 0.9)
    right = base.row.x1 + draws.between("room/right", LEAN, 0.9)
    deep = draws.between("room/depth", 3.8, 4.4)
    for side in others:
        end = side.row.pose.position[1] + side.row.x0
        deep = max(deep, SWING + entry.width + DOORWAY - end)
    return Room(left, right, deep, draws.between("room/height", 2.35, 2.7))


def walls(draws: Draws, room: Room, entry: RoomDoor) -> tuple[list[Asset], Asset]:
    """Return the wall behind the row, one at its left, perhaps one at the right and one across, and a door.

    The door stands in the left wall, at its far end; what stands against a wall has no window behind it.
    """
    family, half, width = registry.family("wall"), THICK / 2, room.x1 - room.x0
    places = [
        (width + 2 * THICK, ((room.x0 + room.x1) / 2, half), 0.0),
        (room.deep, (room.x0 - half, -room.deep / 2), math.pi / 2),
        (room.deep, (room.x1 + half, -room.deep / 2), -math.pi / 2),
        (width + 2 * THICK, ((room.x0 + room.x1) / 2, -room.deep - half), math.pi),
    ]
    count, paint = 2 + draws.pick("room/walls", 3), PAINTS[draws.pick("room/paint", len(PAINTS))]
    # Seen from the room, the left wall's left end is far from the row.
    at = entry.width / 2 + DOORWAY - room.deep / 2
    openings = [(), (Opening(at, 0.0, entry.width, entry.height),)]
    out = []
    for i, (length, (x, y), yaw) in enumerate(places[:count]):
        id = f"wall-{i + 1}"
        p = family.sample(draws.below(id), Site((length, THICK, room.high)))
        holes = openings[i] if i < len(openings) else p.openings
        p = replace(p, height=room.high, thickness=THICK, colour=paint, openings=holes)
        out.append(replace(family.build(p, id), pose=Pose.upright((x, y, 0.0), yaw)))
    door = registry.family("room_door").build(entry, "room-door")
    return out, replace(door, pose=Pose.upright((room.x0 - half, at - room.deep / 2, 0.0), math.pi / 2))


def entry(draws: Draws) -> RoomDoor:
    """Return a door of one leaf, as thick as the walls."""
    family, site = registry.family("room_door"), Site((1.4, THICK, 2.2))
    found = (family.sample(draws.below(f"room-door/{i}"), site) for i in range(TRIES))
    p: RoomDoor = next(p for p in found if p.leaves == 1)
    return replace(p, depth=THICK, recess=min(p.recess, THICK - p.leaf))


def table(draws: Draws, base: Standing, look: Style, room: Room) -> Asset:
    """Return a table that stands free, a walk's width before the row."""
    family = registry.family("table")
    p = family.sample(draws.below("table"), Site((1.4, 0.85, 0.8)))
    near, far = look.base[1] + WALK + p.depth / 2, room.deep - SEAT - p.depth / 2
    x0, x1 = base.row.x0 + PASS + p.width / 2, room.x1 - SEAT - p.width / 2
    x = draws.between("table/x", min(x0, x1), max(x0, x1))
    y = -draws.between("table/y", min(near, far), max(near, far))
    turn = draws.between("table/turn", -0.1, 0.1)
    return replace(family.build(p, "table"), pose=Pose.upright((x, y, 0.0), turn))


def chairs(draws: Draws, table: Asset) -> list[Asset]:
    """Return two chairs of one sort, at the far side of a table or at its right end."""
    family = registry.family("chair")
    p = family.sample(draws.below("chair"), Site((0.5, 0.55, 1.0)))
    low, high = outer(table)
    # Where it stands at the table, and the way that one who sits there looks, as a turn of the chair's own.
    beside = max(high[0] / 2, ELBOWS / 2)
    places = [((-beside, low[1]), math.pi), ((beside, low[1]), math.pi), ((high[0], 0.0), -math.pi / 2)]
    out = []
    for i, which in enumerate(sorted(draws.order("seats", len(places))[:2])):
        (x, y), turn = places[which]
        away = p.depth / 2 + draws.between(f"chair/{i}/away", 0.08, 0.2)
        at = table.pose.matrix @ (x - away * math.sin(turn), y + away * math.cos(turn), 0.0, 1.0)
        yaw = table_yaw(table) + turn + draws.between(f"chair/{i}/turn", -0.15, 0.15)
        chair = family.build(p, f"chair-{i + 1}")
        out.append(replace(chair, pose=Pose.upright((float(at[0]), float(at[1]), 0.0), yaw)))
    return out


def table_yaw(table: Asset) -> float:
    """Return how far a table is turned about z, rad."""
    right = table.pose.matrix[:2, 0]
    return math.atan2(right[1], right[0])


def things(draws: Draws, tops: Sequence[Asset]) -> tuple[list[Asset], list[Relation]]:
    """Return small things on worktops and table, not too near to each other, the edge or a sink."""
    things: list[Asset] = []
    relations: list[Relation] = []
    for top in tops:
        low, high = outer(top)
        x = float(low[0]) + FREE
        for i in range(5):
            name = f"{top.id}/{i}"
            thing = _thing(draws, name, f"thing-{len(things) + 1}")
            size = outer(thing)[1] - outer(thing)[0]
            reach = float(np.hypot(size[0], size[1])) / 2
            x = _past(top, x + draws.between(f"{name}/skip", 0.05, 0.5), 2 * reach)
            if x + 2 * reach + FREE > high[0]:
                break
            room = max(float(high[1] - low[1]) / 2 - reach - FREE, 0.0)
            at = np.array([x + reach, draws.between(f"{name}/y", -room, room), high[2], 1.0])
            px, py, pz, _ = (float(v) for v in top.pose.matrix @ at)
            turn = draws.between(f"{name}/turn", -math.pi, math.pi)
            things.append(replace(thing, pose=Pose.upright((px, py, pz), turn)))
            relations.append(Relation("on", thing.id, top.id))
            x += 2 * reach
    return things, relations


def _past(top: Asset, x: float, width: float) -> float:
    """Return x, or the right side of the sink where a thing of that width from there would reach into it."""
    p = registry.rebuild(top)
    if not isinstance(p, Worktop) or p.cutout is None:
        return x
    left, right = (p.cutout.at + side * (p.cutout.width / 2 + RIM) for side in (-1, 1))
    return right if x < right and x + width > left else x


def _thing(draws: Draws, name: str, id: str) -> Asset:
    """Return a box, or something round."""
    if draws.happens(f"{name}/round", 0.5):
        family = registry.family("cylinder")
        return family.build(family.sample(draws.below(name), SMALL), id)
    family = registry.family("box")
    colour = Material(PAINTS[draws.pick(f"{name}/colour", len(PAINTS))], 0.7)
    return family.build(replace(family.sample(draws.below(name), SMALL), material=colour), id)
