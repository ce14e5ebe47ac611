"""Walls: large upright planes are found through noise, drift, gaps and furniture; fronts are none."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.reconstruct.room.walls import LONG, SEEN_ABOVE, Wall, find_walls, of_wall, walls_of
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream

Array = NDArray[np.float64]
Patch = tuple[Array, Array, Array]
NOISE = 0.009  # m: of a phone's depth on a wall


def plane(
    x: tuple[float, float], y: float, z: tuple[float, float], seed: int = 0, step: float = 0.02
) -> Patch:
    """Return points, normals and areas of an upright plane at y that faces -y, with the noise of depth."""
    u, v = (a.ravel() for a in np.meshgrid(np.arange(*x, step), np.arange(*z, step)))
    rng = stream(seed, "plane")
    normals = np.stack([0.15 * rng.normal(size=u.size), -np.ones(u.size), 0.1 * rng.normal(size=u.size)], 1)
    points = np.stack([u + 0.0037, y + NOISE * rng.normal(size=u.size), v], 1)
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True), np.full(u.size, step**2)


def turned(patch: Patch, yaw: float, shift: tuple[float, float] = (0, 0)) -> Patch:
    motion = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    motion[:2, 3] = shift
    return se3.apply(motion, patch[0]), patch[1] @ motion[:3, :3].T, patch[2]


def together(*patches: Patch) -> Patch:
    points, normals, areas = (np.concatenate(each) for each in zip(*patches, strict=True))
    return points, normals, areas


def angle(wall: Wall, normal: tuple[float, float]) -> float:
    """Return by how many degrees a wall is turned off a normal."""
    return math.degrees(math.acos(min(1.0, float(np.dot(wall.normal, normal)))))


@settings(max_examples=15)
@given(st.floats(-math.pi, math.pi), st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 99))
def test_a_long_wall_that_drifts_is_one_wall(yaw: float, x: float, y: float, seed: int) -> None:
    """23 m, 2 cm of drift to either side, two double doors' width not seen: one, within half a degree."""
    parts = [
        plane(span, 0.0, (0.1, 2.0), seed + i, 0.04) for i, span in enumerate([(0, 8), (9.7, 15), (17.2, 23)])
    ]
    points, normals, areas = together(*parts)
    points[:, 1] += 0.02 * np.sin(points[:, 0] / 23 * 2 * math.pi)
    (wall,) = find_walls(*turned((points, normals, areas), yaw, (x, y)))
    expected = (math.sin(yaw), -math.cos(yaw))
    assert angle(wall, expected) < 0.5
    middle = np.array([x, y]) + 11.5 * np.array([math.cos(yaw), math.sin(yaw)])
    assert abs(float(middle @ wall.normal) - wall.distance) < 0.015
    assert wall.high - wall.low == pytest.approx(23, abs=0.1)


@settings(max_examples=10)
@given(st.floats(-math.pi, math.pi), st.floats(1.2, 4), st.integers(0, 99))
def test_a_corridor_is_as_wide_as_it_is(yaw: float, width: float, seed: int) -> None:
    one, other = plane((0, 8), 0.0, (0.1, 2.2), seed, 0.03), plane((0, 8), 0.0, (0.1, 2.2), seed + 1, 0.03)
    walls = find_walls(*turned(together(one, turned(other, math.pi, (8, -width))), yaw))
    assert len(walls) == 2
    assert -(walls[0].distance + walls[1].distance) == pytest.approx(width, abs=0.01)


def test_order_does_not_matter() -> None:
    patch = together(
        plane((0, 4), 0.0, (0, 2.4)), turned(plane((0, 3), 0.0, (0, 2.4), 1), -math.pi / 2, (4, 0))
    )
    order = stream(0, "order").permutation(len(patch[0]))
    (a, b), (c, d) = find_walls(*patch), find_walls(*(each[order] for each in patch))
    for one, two in ((a, c), (b, d)):
        assert np.allclose(one.normal, two.normal, atol=1e-9)
        assert (one.low, one.high, one.distance) == pytest.approx((two.low, two.high, two.distance))


BASE, WORKTOP = ((0, 2.4), -0.6, (0.1, 0.85)), 0.6
SPLASH, UPPER = ((0, 2.4), 0.0, (0.9, 1.4)), ((0, 2.4), -0.35, (1.4, 2.1))


def test_the_wall_behind_a_kitchen_is_found_and_its_fronts_are_not() -> None:
    (wall,) = find_walls(*together(plane(*BASE), plane(*SPLASH, 1), plane(*UPPER, 2)))
    assert abs(wall.distance) < 0.01
    assert angle(wall, (0, -1)) < 0.5


def test_fronts_alone_are_no_walls() -> None:
    assert find_walls(*plane(*BASE)) == []
    assert find_walls(*together(plane(*BASE), plane((0, 2.4), -0.35, (1.5, 2.1), 2))) == []


@pytest.mark.parametrize("beside", [((-1.2, 0), 0.0, (0.1, 2.4)), ((-0.4, 2.4), 0.0, (2.05, 2.5))])
def test_a_wardrobe_is_no_wall_where_its_wall_is_seen(
    beside: tuple[tuple[float, float], float, tuple[float, float]],
) -> None:
    front = plane((0, 1.8), -0.6, (0.1, 2.0))
    found = find_walls(*together(front, plane(*beside, 1)))
    assert all(abs(wall.distance) < 0.02 for wall in found)


def test_a_strip_as_long_as_the_room_is_a_wall_where_nothing_is_seen_behind() -> None:
    """Who looks down while walking past the far side of a room sees its wall up to less than 1.5 m."""
    strip = together(plane((0.0, 1.0), 0.0, (0.05, 1.4)), plane((2.1, LONG + 0.1), 0.0, (0.05, 1.3)))
    (wall,) = find_walls(*strip)
    assert (wall.low, wall.high) == pytest.approx((0.0, LONG + 0.1), abs=0.03)
    assert angle(wall, (0, -1)) < 0.5
    assert not find_walls(*together(strip, plane((0.5, 2.0), 1.5, (0.0, 1.2))))
    assert not find_walls(*plane((0.0, LONG - 0.1), 0.0, (0.05, 1.4)))
    assert not find_walls(*plane((0.0, LONG + 0.1), 0.0, (0.05, SEEN_ABOVE - 0.1)))


def test_doors_that_stand_back_are_no_walls_of_their_own() -> None:
    leaves = [plane((x, x + 0.9), 0.12, (0.05, 2.0), i) for i, x in enumerate((1.0, 2.4, 4.0))]
    solid = [plane(span, 0.0, (0.1, 2.2), 9) for span in ((0, 0.95), (1.95, 2.35), (3.35, 3.95), (4.95, 7))]
    (wall,) = find_walls(*together(*leaves, *solid))
    assert wall.high - wall.low == pytest.approx(7, abs=0.1)


def scanned(patch: Patch) -> Surface:
    """Return a surface with one small triangle at each point, as far as areas need one."""
    points, normals, areas = patch
    side = np.sqrt(areas * 4 / math.sqrt(3))[:, None]
    ways = np.cross(normals, [0, 0, 1.0])
    corners = [points, points + side * ways, points + side * (ways / 2 + np.array([0, 0, 0.866]))]
    vertices = np.stack(corners, 1).reshape(-1, 3)
    faces = np.arange(len(vertices), dtype=np.int32).reshape(-1, 3)
    return Surface(
        vertices, faces, np.repeat(normals, 3, 0), None, np.full(len(vertices), 2.0), 0.01, np.eye(4)
    )


@settings(max_examples=5)
@given(st.floats(-math.pi, math.pi), st.floats(-5, 5), st.floats(-5, 5))
def test_turning_the_world_turns_its_walls(yaw: float, x: float, y: float) -> None:
    motion = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    motion[:2, 3] = x, y
    surface = scanned(plane((0, 4), 0.3, (0, 2.4), step=0.05))
    (here,), (there,) = walls_of(surface), walls_of(surface.moved(motion))
    moved = here.moved(motion)
    assert np.allclose(there.normal, moved.normal, atol=1e-6)
    expected = (moved.distance, moved.low, moved.high, moved.height)
    assert (there.distance, there.low, there.high, there.height) == pytest.approx(expected, abs=1e-4)


def test_what_hangs_on_a_wall_is_not_of_it() -> None:
    """Its sides stand out and face elsewhere; a skirting board, which faces the room, is of the wall."""
    wall = Wall((0.0, -1.0), 0.0, 0.0, 4.0, 2.4)
    skirting, back = plane((0, 4), -0.02, (0.05, 0.1)), plane((0, 4), 0.0, (0.1, 2.4))
    side = turned(plane((0, 0.06), 0.0, (0.3, 0.8)), math.pi / 2, (2.0, -0.1))
    assert of_wall(scanned(skirting), wall).all()
    assert of_wall(scanned(back), wall).mean() > 0.99
    assert not of_wall(scanned(side), wall).any()


def test_to_the_right_is_along() -> None:
    """Who stands before a wall at y = 1 and looks along +y has +x to the right."""
    assert Wall((0.0, -1.0), -1.0, 0, 1, 2).along == (1.0, 0.0)
