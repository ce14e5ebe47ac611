"""Surfaces as data, their colours, and the grid they come from: laws that hold whatever was scanned."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.surfaces.depth import trusted
from pocketworld.reconstruct.surfaces.fusion import fuse
from pocketworld.reconstruct.surfaces.grid import BLOCK, FusionError, Grid
from pocketworld.reconstruct.surfaces.paint import GREY, paint
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream
from pocketworld.scan.capture import Camera, Capture, Frame
from pocketworld.scan.damage import Damage

Array = NDArray[np.float64]

twists = arrays(float, 6, elements=st.floats(-1.5, 1.5))
CAMERA = Camera(150.0, 150.0, 63.5, 47.5, 128, 96)


def patch(seed: int, count: int = 40) -> Surface:
    rng = stream(seed, "patch")
    normals = rng.normal(size=(count, 3))
    return Surface(
        rng.normal(size=(count, 3)),
        np.array([rng.permutation(count)[:3] for _ in range(3 * count)], np.int32),
        normals / np.linalg.norm(normals, axis=1, keepdims=True),
        rng.integers(0, 256, (count, 3)).astype(np.uint8),
        rng.uniform(0.5, 3, count),
        0.01,
        se3.exp(rng.normal(size=6)),
    )


@given(st.integers(0, 1000), twists)
def test_moving_there_and_back_changes_nothing(seed: int, twist: Array) -> None:
    surface, motion = patch(seed), se3.exp(twist)
    back = surface.moved(motion).moved(se3.inverse(motion))
    for one, other in ((surface.vertices, back.vertices), (surface.normals, back.normals)):
        assert np.allclose(one, other, atol=1e-9)
    assert np.allclose(surface.from_grid, back.from_grid, atol=1e-9)


@given(st.integers(0, 1000), twists)
def test_areas_do_not_hang_on_the_frame(seed: int, twist: Array) -> None:
    surface = patch(seed)
    moved = surface.moved(se3.exp(twist))
    assert np.allclose(moved.vertex_areas(), surface.vertex_areas(), atol=1e-9)
    a, b, c = (surface.vertices[surface.faces[:, i]] for i in range(3))
    assert surface.vertex_areas().sum() == pytest.approx(
        np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    )


@given(st.integers(0, 1000), st.integers(0, 2**40 - 1))
def test_a_part_has_the_chosen_vertices_and_their_faces(seed: int, bits: int) -> None:
    surface = patch(seed)
    keep = np.array([bits >> i & 1 for i in range(40)], bool)
    part = surface.part(keep)
    assert np.array_equal(part.vertices, surface.vertices[keep])
    assert np.array_equal(part.distance, surface.distance[keep])
    expected = surface.vertices[surface.faces[keep[surface.faces].all(1)]]
    assert np.array_equal(part.vertices[part.faces], expected)
    assert part.colours is not None
    assert len(part.colours) == len(part.vertices)


def test_everything_is_a_part_and_nothing_too() -> None:
    surface = patch(0)
    assert np.array_equal(surface.part(np.ones(40, bool)).faces, surface.faces)
    nothing = surface.part(np.zeros(40, bool))
    assert nothing.vertices.shape == nothing.faces.shape == (0, 3)
    assert nothing.vertex_areas().shape == (0,)


def test_a_surface_can_not_be_changed() -> None:
    surface = patch(0)
    with pytest.raises(ValueError, match="read-only"):
        surface.vertices[0] = 0


# Colours


def wall(grey: float, depth: float, pose: Array, index: int = 0) -> Frame:
    """A frame that sees a flat wall square on, all of one grey."""
    return Frame(
        index,
        str(index),
        pose,
        np.full((96, 128, 3), grey, np.uint8),
        CAMERA,
        np.full((96, 128), depth, np.float32),
        CAMERA,
    )


def capture_of(*frames: Frame) -> Capture:
    poses = np.array([frame.world_from_camera for frame in frames])
    coloured = np.array([frame.colour is not None for frame in frames])
    order = tuple(range(len(frames)))
    return Capture("wall", Path(), "made", poses, np.eye(4), frames.__getitem__, order, coloured)


def flat(distance: float = 2.0) -> Surface:
    """Vertices of the plane x = 0 that look along +x, seen from `distance`."""
    y, z = (a.ravel() for a in np.meshgrid(np.arange(-0.2, 0.21, 0.05), np.arange(0.8, 1.21, 0.05)))
    vertices = np.stack([np.zeros_like(y), y, z], 1)
    normals = np.tile([1.0, 0, 0], (len(y), 1))
    return Surface(
        vertices, np.zeros((0, 3), np.int32), normals, None, np.full(len(y), distance), 0.01, np.eye(4)
    )


def before(x: float, y: float = 0.0) -> Array:
    return looking(np.array([x, y, 1.0]), np.array([0, y, 1.0]))


def colour_of(capture: Capture, surface: Surface) -> float:
    colours, _ = paint(surface, capture, np.eye(4), Damage())
    assert colours is not None
    return float(np.median(colours))


def test_one_picture_gives_its_own_colour() -> None:
    assert colour_of(capture_of(wall(77, 1.5, before(1.5))), flat()) == 77


def test_near_pictures_count_more() -> None:
    both = capture_of(wall(100, 1.0, before(1.0)), wall(200, 2.0, before(2.0), 1))
    assert colour_of(both, flat(1.7)) == pytest.approx((100 + 200 / 4) / 1.25, abs=3)


def test_pictures_from_much_farther_than_usual_do_not_count() -> None:
    both = capture_of(wall(100, 1.0, before(1.0)), wall(200, 2.0, before(2.0), 1))
    assert colour_of(both, flat(1.0)) == 100


def test_what_stands_in_front_does_not_colour_what_is_behind() -> None:
    both = capture_of(wall(100, 1.5, before(1.5)), wall(200, 0.8, before(1.5, 0.05), 1))
    assert colour_of(both, flat()) == 100


def test_the_back_is_not_coloured_by_pictures_of_the_front() -> None:
    surface = flat()
    turned = replace(surface, normals=-surface.normals)
    assert colour_of(capture_of(wall(100, 1.5, before(1.5))), turned) == GREY


@given(st.permutations(range(4)))
def test_the_order_of_pictures_does_not_matter(order: list[int]) -> None:
    frames = [wall(40 + 50 * i, 1.4 + 0.1 * i, before(1.4 + 0.1 * i, 0.02 * i), i) for i in range(4)]
    one, other = capture_of(*frames), capture_of(*(frames[i] for i in order))
    assert colour_of(one, flat()) == pytest.approx(colour_of(other, flat()), abs=1)


def test_a_promised_picture_that_is_not_there_is_passed_over() -> None:
    frames = wall(77, 1.5, before(1.5)), replace(wall(0, 1.5, before(1.5, 0.1), 1), colour=None)
    promised = replace(capture_of(*frames), coloured=np.ones(2, bool))
    assert colour_of(promised, flat()) == 77


# The grid


@pytest.fixture(scope="module")
def seen(room: Callable[..., Any]) -> tuple[Any, list[Array]]:
    """A floor with a block, and a walk around it."""
    place = room(
        (UprightBox((0, 0, -0.1), 0.0, (5, 5, 0.1)), UprightBox((0, 0, 0), 0.3, (0.6, 0.5, 0.5))),
        (200.0, 90.0),
    )
    angles = np.linspace(0, 2 * math.pi, 10, endpoint=False)
    return place, [
        looking(np.array([1.4 * math.cos(a), 1.4 * math.sin(a), 1.1]), np.array([0, 0, 0.2])) for a in angles
    ]


def blocks_of(grid: Grid) -> int:
    return int(grid._grid.hashmap().size())


def test_memory_grows_with_the_surface_and_not_with_frames(seen: tuple[Any, list[Array]]) -> None:
    place, poses = seen
    capture: Capture = place.capture(poses)
    grid, sizes = Grid("room", 0.01, 5.0), []
    for turn in range(4):
        for frame in capture:
            assert frame.depth_camera is not None
            nudge = se3.exp(np.array([1e-4 * turn, 0, 0, 0, 0, 0]))
            grid.add(trusted(frame, 5.0).good, frame.depth_camera, frame.world_from_camera @ nudge)
        sizes.append(blocks_of(grid))
    assert grid.frames == 40
    assert sizes[-1] < 1.05 * sizes[0]


@pytest.mark.parametrize("voxel", [0.02, 0.005])
def test_a_far_wall_has_no_holes_however_fine_the_voxels(voxel: float) -> None:
    """Open3D looks for blocks at every fourth pixel: at 3 m, farther apart than blocks of fine voxels."""
    frames = [wall(0, 3.0, before(3.0, 0.01 * i), i) for i in range(3)]
    grid = Grid("wall", voxel, 5.0)
    for frame in frames:
        assert frame.depth is not None
        grid.add(frame.depth, CAMERA, frame.world_from_camera)
    mesh = grid.mesh()
    assert mesh is not None
    assert np.abs(mesh.vertices[:, 0]).max() < 1e-3
    area = (
        Surface(mesh.vertices, mesh.faces, mesh.normals, None, mesh.distance, voxel, np.eye(4))
        .vertex_areas()
        .sum()
    )
    assert area == pytest.approx(3.0**2 * 128 * 96 / 150**2, rel=0.1)
    assert np.allclose(mesh.distance, 3.0, atol=0.4 + BLOCK * voxel)


def test_a_grid_that_saw_nothing_has_no_mesh() -> None:
    grid = Grid("dark", 0.01, 5.0)
    assert grid.mesh() is None
    grid.add(np.zeros((96, 128), np.float32), CAMERA, np.eye(4))
    assert (grid.frames, grid.mesh()) == (0, None)


def test_what_too_few_frames_saw_is_left_out(seen: tuple[Any, list[Array]]) -> None:
    place, poses = seen
    away = [
        looking(np.array([-1.2, 0.0, 1.1]), np.array([-2.2, 0.0, 0.0]))
    ]  # at a corner that no other one sees
    some = fuse(place.capture(poses[:3] + away)).surface
    alone = fuse(place.capture(away)).surface
    assert len(alone.vertices) > 1000
    corner = (np.abs(some.vertices - alone.vertices.mean(0)) < 0.2).all(1)
    assert not corner.any()


def test_nothing_but_depth_beyond_the_reach_is_an_error() -> None:
    frames = [wall(0, 6.0, before(6.0, 0.1 * i), i) for i in range(3)]
    with pytest.raises(FusionError, match="wall: no surface in 3 frames"):
        fuse(capture_of(*frames))
