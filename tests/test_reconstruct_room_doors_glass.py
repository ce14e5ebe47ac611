"""Glass doors and flush ones in rendered rooms; and what stands at walls, apart from them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.things import find_things
from pocketworld.reconstruct.room.floor import find_floor
from pocketworld.reconstruct.room.room_doors import RoomDoors, find_room_doors
from pocketworld.reconstruct.room.walls import walls_of
from pocketworld.reconstruct.surfaces.fusion import fuse
from pocketworld.scene import JointKind, Side

Array = NDArray[np.float64]
Boxes = list[tuple[UprightBox, float]]
LENGTH = 5.0  # m
GREY, PANE, POST, STILE, BAR, LEAF, STEEL = 110.0, 150.0, 230.0, 215.0, 40.0, 70.0, 255.0
MEETING, HALF = 2.6, 0.85  # m: where the leaves of the double door meet, how wide they are
WALK = [
    looking(np.array([x, -1.6, 1.5]), np.array([x + 0.3, 0.0, up]))
    for up in (0.5, 1.5)
    for x in np.arange(-0.3, LENGTH, 0.6)
]


def slab(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> UprightBox:
    middle = ((x[0] + x[1]) / 2, (y[0] + y[1]) / 2, z[0])
    return UprightBox(middle, 0.0, (x[1] - x[0], y[1] - y[0], z[1] - z[0]))


def floor_and_wall(grey: float) -> Boxes:
    floor = slab((-2, 7), (-3, 0.3), (-0.1, 0))
    return [(floor, GREY), (slab((0, LENGTH), (0, 0.2), (0, 2.5)), grey)]


def glass_wall(meeting: float = MEETING, handles: bool = True) -> Boxes:
    """Return a glass wall with a double door between fixed panes: posts, a stile where its leaves meet."""
    boxes = floor_and_wall(PANE)
    for post in (meeting - HALF - 1.1, meeting - HALF, meeting + HALF, meeting + HALF + 1.1):
        boxes.append((slab((post - 0.03, post + 0.03), (-0.004, 0.1), (0, 2.5)), POST))
    boxes.append((slab((meeting - 0.02, meeting + 0.02), (-0.004, 0.1), (0, 2.5)), STILE))
    for bar in (meeting - 0.14, meeting + 0.14) if handles else ():
        boxes.append((slab((bar - 0.018, bar + 0.018), (-0.05, -0.02), (0.7, 1.36)), BAR))
    return boxes


def flush_door() -> Boxes:
    boxes = floor_and_wall(POST)
    boxes.append((slab((2.0, 2.9), (-0.004, 0.1), (0.0, 2.03)), LEAF))
    boxes.append((slab((2.7, 2.84), (-0.05, -0.02), (1.0, 1.03)), STEEL))
    return boxes


def found(room: Callable[..., Any], boxes: Boxes) -> RoomDoors:
    capture = room(tuple(b for b, _ in boxes), tuple(g for _, g in boxes)).capture(WALK)
    surface = fuse(capture).surface
    return find_room_doors(capture, capture.world_from_camera, surface, walls_of(surface))


def doors(result: RoomDoors) -> list[Any]:
    return [placed.asset for placed in result.placed if placed.asset.family == "room_door"]


@pytest.mark.slow
def test_a_glass_door_is_found_by_its_handles(room: Callable[..., Any]) -> None:
    result = found(room, glass_wall())
    (door,) = doors(result)
    assert door.pose.position[0] == pytest.approx(MEETING, abs=0.06)
    assert door.parameters["width"] == pytest.approx(2 * HALF, abs=0.1)
    assert [joint.belief.best.side for joint in door.joints] == [Side.LEFT, Side.RIGHT]
    assert all(0 < joint.belief.p(JointKind.FIXED) < 0.5 for joint in door.joints)
    assert "glass-doors" in {f.code for f in result.placed[0].findings}


@pytest.mark.slow
def test_fixed_panes_stay_shut(room: Callable[..., Any]) -> None:
    assert doors(found(room, glass_wall(handles=False))) == []


@pytest.mark.slow
def test_of_a_door_seen_by_half_the_findings_tell(room: Callable[..., Any]) -> None:
    result = found(room, glass_wall(meeting=0.5))
    assert doors(result) == []
    assert "double-door-half-seen" in {f.code for f in result.placed[0].findings}


@pytest.mark.slow
def test_what_hides_a_door_is_not_opened_in_its_place(room: Callable[..., Any]) -> None:
    """A cupboard's pair of handles, before a wall, is no door of the wall."""
    front = [
        (replace(box, foot=(box.foot[0], box.foot[1] - 0.4, box.foot[2])), grey)
        for box, grey in glass_wall()[2:]
    ]
    cupboard = (slab((MEETING - HALF, MEETING + HALF), (-0.4, 0.0), (0, 2.0)), PANE)
    assert doors(found(room, [*floor_and_wall(POST), cupboard, *front])) == []


@pytest.mark.slow
def test_a_flush_door_is_found_by_its_lever(room: Callable[..., Any]) -> None:
    (door,) = doors(found(room, flush_door()))
    assert door.pose.position[0] == pytest.approx(2.45, abs=0.03)
    assert door.parameters["width"] == pytest.approx(0.9 + 0.088, abs=0.04)
    (joint,) = door.joints
    assert joint.belief.p(JointKind.HINGE, Side.LEFT) > 0.8
    face = door.parameters["face"]["colour"]
    assert max(face) < (POST / 255) ** 2.2  # it is as dark as it looks
    assert doors(found(room, flush_door()[:-1])) == []  # without its lever it may be a panel


@pytest.mark.slow
def test_bins_and_extinguishers_stand_apart_from_the_wall(room: Callable[..., Any]) -> None:
    """A bin 4 cm from the wall, and what hangs on it: things of their own, none of them of the wall."""
    things = [
        (slab((1.0, 1.3), (-0.34, -0.04), (0, 0.5)), 60.0),
        (slab((2.5, 2.68), (-0.18, 0.0), (0.5, 1.0)), 90.0),
        (slab((4.0, 4.2), (-0.2, 0.0), (0, 0.45)), 90.0),
    ]
    boxes = [*floor_and_wall(POST), *things]
    capture = room(tuple(b for b, _ in boxes), tuple(g for _, g in boxes)).capture(WALK)
    surface = fuse(capture).surface
    floor = find_floor(surface, "room")
    there = surface.moved(floor.scene_from_world)
    stand = find_things(there, floor, walls_of(there), "room").things
    places = sorted((thing.box.foot[0], thing.box.foot[2]) for thing in stand)
    assert [x for x, _ in places] == pytest.approx([1.15, 2.59, 4.1], abs=0.06)
    assert [z for _, z in places] == pytest.approx([0, 0.5, 0], abs=0.05)
    for thing in stand:
        (true,) = (box for box, _ in things if abs(box.foot[0] - thing.box.foot[0]) < 0.1)
        assert np.allclose(sorted(thing.box.size), sorted(true.size), atol=0.06)
