"""Doors in walls: the wall stays, its opening is as large as the door in it."""

from dataclasses import replace

import numpy as np
import pytest

from pocketworld.cousins import spec as specs
from pocketworld.cousins.draw import build, draw_cousin, in_order
from pocketworld.cousins.extent import outer
from pocketworld.cousins.mutation import Mutated
from pocketworld.cousins.openings import built_in, host, opened
from pocketworld.families import registry
from pocketworld.families.protocol import Spread
from pocketworld.families.room_door.parameters import RoomDoor
from pocketworld.families.wall import Opening, OpeningKind, Wall
from pocketworld.geometry.depth import depth
from pocketworld.scene import Asset, Pose, Relation, Scene

AT = 0.7  # m along the wall


def made(family: str, p: object, id: str, pose: Pose) -> Asset:
    return replace(registry.family(family).build(p, id), pose=pose)


def door(width: float, height: float) -> Asset:
    x, y = np.array([np.cos(0.5), np.sin(0.5)]) * AT + (1.0, 2.0)
    return made("room_door", RoomDoor(width, height), "door", Pose.upright((float(x), float(y), 0.0), 0.5))


@pytest.fixture
def hall() -> Scene:
    """Return a wall with a window and a door in it, turned."""
    window = Opening(-1.2, 0.9, 1.0, 1.1, OpeningKind.WINDOW)
    wall = Wall(4.0, 2.5, openings=(window, Opening(AT, 0.0, 0.9, 2.05)))
    pose = Pose.upright((1.0, 2.0, 0.0), 0.5)
    return Scene(
        "hall", (made("wall", wall, "wall", pose), door(0.9, 2.05)), (Relation("inside", "door", "wall"),)
    )


def test_doors_come_before_the_wall_that_they_are_in(hall: Scene) -> None:
    assert [run.id for run in in_order(hall)] == ["door", "wall"]
    wall, leaf = hall.assets
    assert host(leaf, hall) == wall
    assert host(wall, hall) is None
    assert built_in(wall, hall)
    assert built_in(leaf, hall)


@pytest.mark.parametrize(("width", "height"), [(0.9, 2.05), (1.1, 2.2), (0.7, 1.9)])
def test_the_opening_follows_its_door_and_the_window_stays(hall: Scene, width: float, height: float) -> None:
    wall = hall.asset("wall")
    p = registry.rebuild(wall)
    now = opened(wall, Mutated(p, p, False), hall, {"door": door(width, height)})
    hole = now.p.openings[1]
    assert (hole.width, hole.height, hole.at, hole.bottom) == pytest.approx((width, height, AT, 0.0))
    assert now.p.openings[0] == p.openings[0]
    assert now.changed is ((width, height) != (0.9, 2.05))
    assert now.believed == now.p
    assert depth(door(width, height), made("wall", now.p, "wall", wall.pose)) < 1e-9


def test_what_is_no_wall_stays_as_it_was_drawn(hall: Scene) -> None:
    leaf = hall.asset("door")
    p = registry.rebuild(leaf)
    drawn = Mutated(p, p, False)
    assert opened(leaf, drawn, hall, {}) is drawn


@pytest.mark.parametrize("preset", ["near", "far"])
def test_neither_a_wall_nor_its_door_moves(hall: Scene, preset: str) -> None:
    for index in range(4):
        drawn = draw_cousin(hall, specs.preset(preset), 0, index)
        one = build(hall, drawn, "c")
        for id in ("wall", "door"):
            assert one.asset(id).pose == hall.asset(id).pose
        np.testing.assert_allclose(outer(one.asset("wall")), outer(hall.asset("wall")))
        assert depth(*one.assets) < 1e-3


def test_things_against_a_wall_of_any_family_leave_it_where_it_is() -> None:
    from pocketworld.families.box import Box

    slab = made("box", Box(3.0, 0.1, 2.4), "slab", Pose())
    crate = made("box", Box(0.4, 0.4, 0.4), "crate", Pose((0.0, -0.26, 0.0)))
    twin = Scene("s", (crate, slab), (Relation("against", "crate", "slab"),))
    wide = specs.Spec(
        "w", {"box": Spread(scale={"width": 0.3})}, Spread(shift={"x": 0.5, "y": 0.5}, doubt=False)
    )
    one = build(twin, draw_cousin(twin, wide, 0, 1), "c")
    assert one.asset("slab").pose == slab.pose
    assert one.asset("slab").parameters == slab.parameters
    assert one.asset("crate").pose.position[0] != 0.0
    assert one.asset("crate").pose.position[1] == pytest.approx(-0.26)
