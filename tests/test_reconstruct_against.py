"""What has its back at a wall is said to be against it, however the room is turned."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.wall import Wall
from pocketworld.reconstruct.against import GAP, against
from pocketworld.reconstruct.placed import Placed
from pocketworld.scene import Pose, Relation

THICK, DEEP = 0.12, 0.5


def wall(id: str, x: float, y: float, yaw: float) -> Placed:
    return Placed(replace(registry.family("wall").build(Wall(3.0, 2.5, THICK), id), pose=at(x, y, yaw)))


def box(x: float, y: float, yaw: float = 0.0) -> Placed:
    return Placed(replace(registry.family("box").build(Box(0.6, DEEP, 0.8), "box"), pose=at(x, y, yaw)))


def at(x: float, y: float, yaw: float) -> Pose:
    return Pose.upright((x, y, 0.0), yaw)


def said(*placed: Placed) -> set[Relation]:
    return {relation for one in against(placed) for relation in one.relations}


def gap(metres: float) -> float:
    """Where a box stands that far before a wall at the origin."""
    return -(THICK + DEEP) / 2 - metres


@pytest.mark.parametrize("metres", [0.0, GAP - 0.01, 0.01 - GAP])
def test_a_back_at_a_wall_is_against_it(metres: float) -> None:
    assert said(wall("wall", 0, 0, 0), box(0.3, gap(metres))) == {Relation("against", "box", "wall")}


@pytest.mark.parametrize(
    "placed",
    [
        box(0.3, gap(GAP + 0.01)),
        box(2.0, gap(0.0)),
        box(0.3, gap(0.0), math.pi),
        box(0.3, gap(0.0), math.pi / 2),
    ],
    ids=["before it", "beside it", "its front at it", "its side at it"],
)
def test_anything_else_is_not(placed: Placed) -> None:
    assert said(wall("wall", 0, 0, 0), placed) == set()


@given(st.floats(-math.pi, math.pi), st.floats(-5, 5), st.floats(-5, 5))
def test_it_does_not_hang_on_where_the_room_is(yaw: float, x: float, y: float) -> None:
    c, s = math.cos(yaw), math.sin(yaw)
    there = gap(0.02)
    moved = box(x + 0.3 * c - there * s, y + 0.3 * s + there * c, yaw)
    assert said(wall("wall", x, y, yaw), moved) == {Relation("against", "box", "wall")}


def test_what_is_known_stays_and_is_not_said_twice() -> None:
    known = replace(
        box(0.3, gap(0.0)), relations=(Relation("against", "box", "wall"), Relation("on", "box", "floor"))
    )
    assert against((wall("wall", 0, 0, 0), known))[1].relations == known.relations


def test_in_a_corner_only_the_back_counts() -> None:
    corner = (wall("back", 0, 0, 0), wall("side", -1.5, -1.5, math.pi / 2))
    assert said(*corner, box(-1.1, gap(0.0))) == {Relation("against", "box", "back")}
