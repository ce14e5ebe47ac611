"""Recesses and ways through walls by depth: doors are found in noise, what is none is not."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.reconstruct.room.room_door_gaps import gaps
from pocketworld.reconstruct.room.room_door_recess import WIDE, WallPoints, at_wall, recesses
from pocketworld.reconstruct.room.walls import Wall
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream

Array = NDArray[np.float64]
LENGTH = 6.0
NOISE = 0.009  # m: of a phone's depth on a wall
STEP = 0.02


def wall_with(*doors: tuple[float, float, float, float], seed: int = 0, drift: float = 0.0) -> WallPoints:
    """Return a wall 2.4 m high with recesses (u0, u1, behind, height), and the noise of depth."""
    u, z = (a.ravel() + STEP / 2 for a in np.meshgrid(np.arange(0, LENGTH, STEP), np.arange(0, 2.4, STEP)))
    out = NOISE * stream(seed, "wall").normal(size=u.size) + drift * np.sin(2 * math.pi * u / LENGTH)
    for u0, u1, behind, height in doors:
        out[(u > u0) & (u < u1) & (z < height)] -= behind
    return WallPoints(u, out, z, np.full(len(u), STEP**2))


def mirrored(points: WallPoints) -> WallPoints:
    return WallPoints(LENGTH - points.u, points.out, points.z, points.areas)


@settings(max_examples=25)
@given(
    st.floats(0.4, 4.0), st.floats(0.7, 1.4), st.floats(0.08, 0.3), st.integers(0, 99), st.floats(-0.02, 0.02)
)
def test_a_door_that_stands_back_is_found(
    u0: float, width: float, behind: float, seed: int, drift: float
) -> None:
    (one,) = recesses(wall_with((u0, u0 + width, behind, 2.05), seed=seed, drift=drift), LENGTH)
    assert (one.u0, one.u1) == pytest.approx((u0, u0 + width), abs=0.041)
    assert one.behind == pytest.approx(behind, abs=0.02)
    assert one.height == pytest.approx(2.05, abs=0.06)
    assert one.capped


@settings(max_examples=15)
@given(st.integers(0, 999), st.floats(-0.03, 0.03))
def test_a_plain_wall_has_none(seed: int, drift: float) -> None:
    assert recesses(wall_with(seed=seed, drift=drift), LENGTH) == []


@pytest.mark.parametrize(
    "niche",
    [
        (1.0, 2.0, 0.15, 1.2),  # below a window
        (1.0, 1.3, 0.15, 2.05),  # a chase
        (1.0, 2.0, 0.02, 2.05),  # paint
        (0.0, 1.0, 0.15, 2.05),  # at the end of what was seen: a corner
        (1.0, 1.0 + WIDE + 0.2, 0.15, 2.05),  # an alcove
    ],
)
def test_what_nobody_walks_through_is_none(niche: tuple[float, float, float, float]) -> None:
    assert recesses(wall_with(niche), LENGTH) == []


def test_a_shelf_that_does_not_reach_the_floor_is_none() -> None:
    points = wall_with((1.0, 2.0, 0.15, 2.05))
    low = (points.z < 0.6) & (points.out < -0.1)
    out = np.where(low, points.out + 0.15, points.out)
    assert recesses(WallPoints(points.u, out, points.z, points.areas), LENGTH) == []


def test_the_near_jamb_hides_a_part_of_the_leaf_but_not_the_opening() -> None:
    points = wall_with((2.0, 3.0, 0.12, 2.05))
    hidden = (points.u > 2.0) & (points.u < 2.22) & (points.out < -0.06)
    (one,) = recesses(points.part(~hidden), LENGTH)
    assert (one.u0, one.u1) == pytest.approx((2.0, 3.0), abs=0.041)
    assert one.seen[0] == pytest.approx(2.22, abs=0.041)


def test_two_doors_side_by_side_are_two() -> None:
    found = recesses(wall_with((1.0, 2.0, 0.12, 2.05), (2.7, 3.7, 0.12, 2.05)), LENGTH)
    assert [(one.u0, one.u1) for one in found] == [
        pytest.approx((1.0, 2.0), abs=0.041),
        pytest.approx((2.7, 3.7), abs=0.041),
    ]


def test_a_mirrored_wall_has_mirrored_doors() -> None:
    points = wall_with((1.13, 2.05, 0.12, 2.05))
    (here,), (there,) = recesses(points, LENGTH), recesses(mirrored(points), LENGTH)
    assert (there.u0, there.u1) == pytest.approx((LENGTH - here.u1, LENGTH - here.u0), abs=0.021)


def test_where_the_top_was_not_seen_it_is_usual() -> None:
    points = wall_with((2.0, 3.0, 0.12, 2.4))
    (one,) = recesses(points.part(points.z < 1.95), LENGTH)
    assert not one.capped
    assert one.height == pytest.approx(2.05, abs=0.01)


def scanned(points: WallPoints, wall: Wall, floor: tuple[Array, Array] | None = None) -> Surface:
    """Return a surface with one small triangle at each point of a wall; floor: (n, 2) u, out."""
    normal, along = np.array(wall.normal), np.array(wall.along)
    out, u, z = wall.distance + points.out, wall.low + points.u, points.z
    facing = np.tile([*wall.normal, 0.0], (len(u), 1))
    if floor is not None:
        out, u = np.concatenate([out, wall.distance + floor[1]]), np.concatenate([u, wall.low + floor[0]])
        z = np.concatenate([z, np.zeros(len(floor[0]))])
        facing = np.concatenate([facing, np.tile([0, 0, 1.0], (len(floor[0]), 1))])
    places = np.column_stack([out[:, None] * normal + u[:, None] * along, z])
    side = math.sqrt(STEP**2 * 4 / math.sqrt(3))
    corners = [places, places + np.array([0, 0, side]), places + side * np.array([*(along * 0.866), 0.5])]
    vertices = np.stack(corners, 1).reshape(-1, 3)
    faces = np.arange(len(vertices), dtype=np.int32).reshape(-1, 3)
    seen = np.full(len(vertices), 2.0)
    return Surface(vertices, faces, np.repeat(facing, 3, 0), None, seen, 0.01, np.eye(4))


WALL = Wall((0.0, -1.0), -1.0, -2.0, -2.0 + LENGTH, 2.4)


@settings(max_examples=5)
@given(st.floats(-math.pi, math.pi), st.floats(-5, 5), st.floats(-5, 5))
def test_turning_the_world_turns_its_doors(yaw: float, x: float, y: float) -> None:
    motion = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    motion[:2, 3] = x, y
    surface = scanned(wall_with((2.013, 3.0, 0.12, 2.05)), WALL)
    there, wall = surface.moved(motion), WALL.moved(motion)
    (a,) = recesses(at_wall(surface, surface.vertex_areas(), WALL), LENGTH)
    (b,) = recesses(at_wall(there, there.vertex_areas(), wall), LENGTH)
    assert (a.u0, a.u1, a.height) == pytest.approx((b.u0, b.u1, b.height), abs=0.021)
    assert a.behind == pytest.approx(b.behind, abs=1e-3)


def opened(u0: float, u1: float, top: float) -> WallPoints:
    points = wall_with()
    return points.part(~((points.u > u0) & (points.u < u1) & (points.z < top)))


def ground(u0: float, u1: float) -> tuple[Array, Array]:
    u, out = (a.ravel() for a in np.meshgrid(np.arange(u0, u1, STEP), np.arange(-1.5, 0.5, STEP)))
    return u, out


def through(points: WallPoints, floor: tuple[Array, Array] | None) -> list[tuple[float, float, float]]:
    surface = scanned(points, WALL, floor)
    at = at_wall(surface, surface.vertex_areas(), WALL)
    return [(one.u0, one.u1, one.height) for one in gaps(surface, WALL, at)]


def test_a_way_through_a_wall_is_found_where_floor_is_seen_behind() -> None:
    (one,) = through(opened(2.0, 3.0, 2.1), ground(2.0, 3.0))
    assert one == pytest.approx((2.0, 3.0, 2.1), abs=0.06)


def test_what_was_not_seen_is_not_open() -> None:
    assert through(opened(2.0, 3.0, 2.1), None) == []
    assert through(opened(2.0, 2.4, 2.1), ground(2.0, 2.4)) == []
    assert through(opened(-1, 1.0, 2.5), ground(0, 1.0)) == []  # before the wall begins
    assert through(wall_with(), ground(2.0, 3.0)) == []
