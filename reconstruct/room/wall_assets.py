"""Walls and the doors in them as assets: where they stand, of what size, what is only believed of them."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.protocol import Elevation
from pocketworld.families.room_door.parameters import DoorChance, Look, RoomDoor, Swing
from pocketworld.families.wall import PLASTER, Opening, OpeningKind, check
from pocketworld.families.wall import Wall as WallParameters
from pocketworld.findings import Finding, Severity
from pocketworld.geometry.convex import Vec3
from pocketworld.reconstruct.fronts.colours import middle
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.room.wall_picture import WallPicture
from pocketworld.reconstruct.room.walls import Wall
from pocketworld.reconstruct.surfaces.paint import GREY
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scene import Asset, HandleKind, Material, Pose, Relation, Side

Array = NDArray[np.float64]

THICKNESS = 0.125  # m: of a usual inner wall (families.wall); what is behind a wall was not seen
HEIGHT = 2.5  # m: of a usual room (2.4 to 2.8), where no ceiling was seen
OVER = 0.05  # m: of wall that is left over an opening
LEAF = 0.04  # m: thickness of a door's leaf (DIN 18101)
BACK = 0.005  # m: the wall is built this much behind its plane: what stands against it touches, no more
OWN, FACING = 0.04, 0.5  # m from its plane, and cosine: surface that is a wall's own (poses drift)
LEVER_SURE, NEITHER_SEEN = 0.92, 0.7  # of a hinge away from a plain lever; away from the hidden edge
DOOR_FIXED, DOUBLE_FIXED = 0.05, 0.15  # shafts and blind doors; panes whose bars are something else
ALIKE, BLIND = 0.1, 0.6  # what looks like its wall, within a tenth, is more likely a niche
AWAY = 0.75  # a leaf lies in the face of the wall to which it opens: one set back opens away
BARS = (1.03, 0.65)  # m: middle and length of usual bar handles on glass doors
LEAST_BACKSET = 0.06  # m
METAL = Material((0.45, 0.45, 0.46), 0.4, 1.0)  # of glass doors' frames


@dataclass(frozen=True, slots=True)
class Door:
    """A door found in a wall, in its u (m from its `low`), as far as it is known.

    behind     how far its leaf is behind the wall's face, m;  sigma: how sure its edges are, m
    leaves     1 or 2;  glass: whether these are panes that depth goes through, with bars for handles
    handle     the side of the handle that is plain, or none; `hidden`: the one that is not seen, or none
    blind      whether it looks like the wall about it
    picture    of its leaf, seen straight on, or None
    """

    u0: float
    u1: float
    height: float
    behind: float
    sigma: float
    leaves: int = 1
    glass: bool = False
    handle: Side = Side.NONE
    hidden: Side = Side.NONE
    handle_height: float = 0.0
    backset: float = 0.065
    blind: bool = False
    picture: WallPicture | None = None


def wall_asset(
    wall: Wall,
    id: str,
    doors: Sequence[Door],
    passages: Sequence[Opening],
    picture: WallPicture,
    paint: Vec3,
    noticed: Sequence[Finding] = (),
) -> Placed:
    """Return a wall with its openings, where it stands.

    paint     its colour, linear RGB (`paint_of`);  noticed: what was noticed of it before
    Openings that do not fit (see `fitting`) are left out, which is a finding.
    """
    length = wall.high - wall.low
    mine, ways = fitting(doors, passages, length)
    thickness, openings = thickness_of(mine), [*(opening(door, length) for door in mine), *ways]
    height = max([HEIGHT, wall.height, *(one.top + OVER for one in openings)])
    parameters = WallParameters(length, height, thickness, tuple(openings), paint)
    asset = registry.family("wall").build(parameters, id)
    return Placed(
        _standing(asset, wall, length / 2, thickness),
        (
            *noticed,
            *_noticed(wall, id, height, thickness),
            *_left_out(id, len(doors) + len(passages) - len(openings)),
        ),
        (elevation(picture, picture.grid.height),) if picture.frames else (),
        (Relation("on", id, "floor"),),
    )


def door_asset(wall: Wall, wall_id: str, id: str, door: Door, thickness: float) -> Placed:
    """Return a door in its wall, shut."""
    asset = registry.family("room_door").build(parameters(door, thickness), id)
    picture = door.picture
    return Placed(
        _standing(asset, wall, (door.u0 + door.u1) / 2, thickness),
        (),
        (elevation(picture, door.height),) if picture and picture.frames else (),
        (Relation("inside", id, wall_id), Relation("on", id, "floor")),
    )


def fitting(
    doors: Sequence[Door], passages: Sequence[Opening], length: float
) -> tuple[tuple[Door, ...], tuple[Opening, ...]]:
    """Return the doors and passages that fit into a wall of a length (m): inside it, over no earlier one."""
    openings: list[Opening] = []

    def fits(one: Opening) -> bool:
        high = max(HEIGHT, *(other.top + OVER for other in (*openings, one)))
        with suppress(PocketworldError):
            check(WallParameters(length, high, THICKNESS, (*openings, one)))
            openings.append(one)
            return True
        return False

    kept = tuple(door for door in doors if fits(opening(door, length)))
    return kept, tuple(one for one in passages if fits(one))


def opening(door: Door, length: float) -> Opening:
    """Return the opening of a door in a wall of a length."""
    return Opening((door.u0 + door.u1 - length) / 2, 0.0, door.u1 - door.u0, door.height, OpeningKind.DOOR)


def thickness_of(doors: Sequence[Door]) -> float:
    """Return how thick a wall is: usual, or as much as its doors stand back in it, with their leaves."""
    return max([THICKNESS, *(door.behind + LEAF for door in doors)])


def parameters(door: Door, thickness: float) -> RoomDoor:
    """Return a door's parameters, with what is believed of how it opens."""
    chances, evidence = belief(door)
    best = max(chances, key=lambda chance: chance.p)
    width = door.u1 - door.u0
    return RoomDoor(
        width,
        door.height,
        thickness,
        recess=max(0.0, min(door.behind, thickness - LEAF)),
        leaves=door.leaves,
        side=best.side,
        swing=best.swing,
        chances=chances,
        evidence=evidence,
        look=Look.GLASS if door.glass else Look.BOARD,
        handle=HandleKind.BAR if door.glass else HandleKind.LEVER,
        handle_height=BARS[0] if door.glass else door.handle_height or RoomDoor(1, 2).handle_height,
        handle_length=BARS[1] if door.glass else RoomDoor(1, 2).handle_length,
        backset=max(door.backset, LEAST_BACKSET),
        leaf=LEAF,
        sigma=door.sigma,
        face=METAL if door.glass else Material(colour(door.picture, PLASTER), 0.5),
        trim=METAL if door.glass else Material(colour(door.picture, PLASTER), 0.5),
    )


def belief(door: Door) -> tuple[tuple[DoorChance, ...], tuple[str, ...]]:
    """Return which way a door may open, with probabilities, and why."""
    fixed = DOUBLE_FIXED if door.glass else BLIND if door.blind else DOOR_FIXED
    away = AWAY if door.behind > LEAF else 0.5
    swings = ((Swing.AWAY, away), (Swing.TOWARDS, 1 - away))
    why = ["no gap or hinge tells which way it swings"]
    if door.leaves == 2:
        sides: tuple[tuple[Side, float], ...] = ((Side.NONE, 1.0),)
        bars = "a pair of upright bars at the height of hands, astride a stile"
        why.append(bars if door.glass else "it is wider than a single leaf")
    else:
        left, reason = _left(door)
        sides = ((Side.LEFT, left), (Side.RIGHT, 1 - left))
        why.append(reason)
    chances = [DoorChance(swing, side, (1 - fixed) * p * q) for side, p in sides for swing, q in swings]
    return (*chances, DoorChance(Swing.FIXED, Side.NONE, fixed)), tuple(why)


def _left(door: Door) -> tuple[float, str]:
    """Return how probably a leaf is hinged at its left, and why."""
    if door.handle is not Side.NONE:
        p, said = LEVER_SURE, f"a lever is plain to see at its {door.handle} edge"
        return (p if door.handle is Side.RIGHT else 1 - p), said
    if door.hidden is not Side.NONE:
        p, said = (
            NEITHER_SEEN,
            f"no handle where it is seen: it may be at its {door.hidden} edge, which is not",
        )
        return (p if door.hidden is Side.RIGHT else 1 - p), said
    return 0.5, "no handle was seen"


def paint_of(surface: Surface, wall: Wall, doors: Sequence[Door]) -> Vec3:
    """Return the median colour of a wall's own face beside its doors, linear RGB; plaster where none is seen.

    A picture of the wall shows also what stands before it; the surface of the room tells them apart. What no
    picture shows of it is grey there (`surfaces.paint`), and does not count.
    """
    if surface.colours is None:
        return PLASTER
    normal, along = np.array(wall.normal), np.array(wall.along)
    out = surface.vertices[:, :2] @ normal - wall.distance
    u = surface.vertices[:, :2] @ along - wall.low
    own = (np.abs(out) < OWN) & (u > 0) & (u < wall.high - wall.low)
    own &= (surface.normals[:, :2] @ normal > FACING) & (surface.colours != GREY).any(axis=1)
    for door in doors:
        own &= (u < door.u0) | (u > door.u1)
    return middle(surface.colours[own]) if own.any() else PLASTER


def colour(picture: WallPicture | None, otherwise: Vec3) -> Vec3:
    """Return the colour of what a picture shows, linear RGB."""
    if picture is None:
        return otherwise
    seen = picture.colour[np.isfinite(picture.colour).all(2)]
    return middle(np.clip(seen, 0, 255)) if len(seen) else otherwise


def elevation(picture: WallPicture, height: float) -> Elevation:
    """Return a picture as an elevation of an asset's front."""
    shown = np.nan_to_num(picture.colour).clip(0, 255).astype(np.uint8)
    grid = picture.grid
    high = min(height, grid.height)
    top = round((grid.height - high) / grid.pixel)
    return Elevation("front", grid.width, high, grid.pixel, shown[top:], frames=picture.frames)


def _standing(asset: Asset, wall: Wall, u: float, thickness: float) -> Asset:
    """Return an asset in a wall, with its front in the wall's face and its middle at u."""
    normal, along = np.array(wall.normal), np.array(wall.along)
    x, y = normal * (wall.distance - BACK - thickness / 2) + along * (wall.low + u)
    return replace(asset, pose=Pose.upright((float(x), float(y), 0.0), math.atan2(along[1], along[0])))


def _noticed(wall: Wall, id: str, height: float, thickness: float) -> tuple[Finding, ...]:
    numbers = {"thickness_m": thickness, "height_m": height, "seen_to_m": wall.height}
    text = "of a wall only its face was seen: it is as thick as usual, and as high where its top was not seen"
    return (Finding("wall-assumed", Severity.NOTE, "reconstruct", id, text, numbers),)


def _left_out(id: str, count: int) -> tuple[Finding, ...]:
    if not count:
        return ()
    text = "openings that overlap others or stick out of the wall are left out, with their doors"
    return (Finding("openings-left-out", Severity.LOST, "reconstruct", id, text, {"count": count}),)
