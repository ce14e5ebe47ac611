"""Surfaces: where things are, the same bytes again, turned with the capture."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pocketworld.bench.trajectory import looking
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.surfaces import grid as grids
from pocketworld.reconstruct.surfaces.depth import NEAR, points, project, trusted
from pocketworld.reconstruct.surfaces.fusion import Fusion, fuse, heading
from pocketworld.reconstruct.surfaces.grid import FusionError
from pocketworld.reconstruct.surfaces.paint import in_depth_camera
from pocketworld.reconstruct.surfaces.surface import Surface, in_order
from pocketworld.rng import stream
from pocketworld.scan.capture import Camera, Capture, Frame

Array = NDArray[np.float64]

FLOOR = UprightBox((0, 0, -0.1), 0.0, (6, 6, 0.1))
BLOCK = UprightBox((0.1, 0.2, 0), 0.4, (0.6, 0.4, 0.5))
GREYS = (200.0, 90.0)


def ring(count: int, far: float = 1.3, high: float = 1.0) -> list[Array]:
    """Poses around the middle, turned by different angles so that no rays meet twice."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + 0.1
    return [
        looking(np.array([far * np.cos(a), far * np.sin(a), high]), np.array([0, 0, 0.2])) for a in angles
    ]


def moved(capture: Capture, a_from_b: Array) -> Capture:
    poses = a_from_b @ capture.world_from_camera

    def load(i: int) -> Frame:
        frame = capture.load(i)
        return replace(frame, world_from_camera=a_from_b @ frame.world_from_camera)

    return replace(capture, world_from_camera=poses, load=load)


def with_frames(capture: Capture, change: Callable[[Frame], Frame]) -> Capture:
    coloured = np.array([change(frame).colour is not None for frame in capture])
    return replace(capture, load=lambda i: change(capture.load(i)), coloured=coloured)


@pytest.fixture(scope="module")
def capture(room: Callable[..., Any]) -> Capture:
    made: Capture = room((FLOOR, BLOCK), GREYS).capture(ring(12))
    return made


@pytest.fixture(scope="module")
def fused(capture: Capture) -> Fusion:
    return fuse(capture)


def distance_to_block_or_floor(points: Array) -> Array:
    local = se3.apply(se3.inverse(BLOCK.world_from_box), points)
    half = np.array(BLOCK.size) / 2
    apart = np.abs(local - [0, 0, half[2]]) - half
    outside = np.linalg.norm(np.maximum(apart, 0), axis=1) + np.minimum(apart.max(1), 0)
    return np.asarray(np.minimum(np.abs(outside), np.abs(points[:, 2])))


def test_the_surface_is_where_things_are(fused: Fusion) -> None:
    """Exact depth gives an exact surface: half a pixel's mistake would be 3 mm here."""
    error = distance_to_block_or_floor(fused.surface.vertices)
    assert np.median(error) < 0.3e-3
    assert np.percentile(error, 95) < 4e-3  # at edges, where a voxel holds two faces


@pytest.mark.parametrize("axis", [0, 1])
def test_no_side_is_favoured(fused: Fusion, axis: int) -> None:
    """Opposite faces are off by the same, and hardly: a shifted picture would push one out, the other in."""
    local = se3.apply(se3.inverse(BLOCK.world_from_box), fused.surface.vertices)
    half = np.array(BLOCK.size) / 2
    middle = (np.abs(local[:, 1 - axis]) < 0.1) & (np.abs(local[:, 2] - 0.25) < 0.15)
    off = [float(np.median(local[middle & (s * local[:, axis] > 0), axis]) * s) - half[axis] for s in (-1, 1)]
    assert np.allclose(off, 0, atol=0.5e-3)


def test_normals_and_faces_look_outwards(fused: Fusion) -> None:
    surface = fused.surface
    top = (np.abs(surface.vertices[:, 2] - 0.5) < 2e-3) & (
        np.linalg.norm(surface.vertices[:, :2] - BLOCK.foot[:2], axis=1) < 0.15
    )
    assert top.sum() > 100
    assert (surface.normals[top, 2] > 0.99).all()
    a, b, c = (surface.vertices[surface.faces[top[surface.faces].all(1), i]] for i in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).mean() > 0.99


def test_colours_are_those_of_the_pictures(fused: Fusion) -> None:
    surface = fused.surface
    assert surface.colours is not None
    far = np.linalg.norm(surface.vertices[:, :2] - BLOCK.foot[:2], axis=1) > 0.5
    top = surface.vertices[:, 2] > 0.495
    for which, grey in ((far & (surface.normals[:, 2] > 0.99), 200), (top, 90)):
        assert np.median(surface.colours[which]) == pytest.approx(grey * (0.7 + 0.3 * 0.8), abs=3)


def test_the_same_input_gives_the_same_bytes(capture: Capture, fused: Fusion) -> None:
    again = fuse(capture).surface
    for one, other in zip(arrays(fused.surface), arrays(again), strict=True):
        assert one.tobytes() == other.tobytes()


def arrays(surface: Surface) -> list[NDArray[Any]]:
    assert surface.colours is not None
    return [surface.vertices, surface.faces, surface.normals, surface.colours, surface.distance]


def test_turned_and_moved_it_is_the_same_surface(capture: Capture, fused: Fusion) -> None:
    motion = se3.exp(np.array([2.0, -1.0, 0.5, 0, 0, np.radians(30)]))
    assert same(fuse(moved(capture, motion)).surface, fused.surface.moved(motion))


def same(one: Surface, other: Surface) -> bool:
    """Say whether surfaces are the same but for pixels on a voxel's edge, which rounding puts anywhere."""
    distance, nearest = map(np.asarray, KDTree(one.vertices).query(other.vertices))
    alike = np.einsum("ni,ni->n", one.normals[nearest], other.normals)
    count = abs(len(one.vertices) - len(other.vertices)) / len(one.vertices)
    return bool(count < 1e-3 and np.mean(distance < 1e-5) > 0.999 and np.mean(alike > 0.999) > 0.999)


def test_the_scene_s_frame_moves_the_surface(capture: Capture, fused: Fusion) -> None:
    motion = se3.exp(np.array([0.2, 0.1, -0.3, 0, 0, 0.2]))
    assert same(fuse(capture, scene_from_world=motion).surface, fused.surface.moved(motion))


def test_frames_fed_again_change_nothing(capture: Capture, fused: Fusion) -> None:
    """A frame from the same place is fooled in the same way: it must not count as one more that agrees."""
    twice = replace(
        capture,
        order=capture.order * 3,
        world_from_camera=np.tile(capture.world_from_camera, (3, 1, 1)),
        coloured=np.tile(capture.coloured, 3),
    )
    assert np.array_equal(fuse(twice).surface.vertices, fused.surface.vertices)


def test_fine_in_a_region_it_shows_only_the_region(capture: Capture) -> None:
    region = replace(BLOCK, foot=(0.1, 0.2, -0.03), size=(0.7, 0.5, 0.6))
    surface = fuse(capture, 0.005, 3.0, region).surface
    local = se3.apply(se3.inverse(region.world_from_box), surface.vertices)
    assert (np.abs(local[:, :2]) <= np.array([0.35, 0.25]) + grids.BAND).all()
    assert np.median(distance_to_block_or_floor(surface.vertices)) < 0.3e-3
    assert surface.voxel == 0.005
    assert np.allclose(surface.from_grid, region.world_from_box)


def test_what_is_too_far_is_left_out(capture: Capture) -> None:
    near = fuse(capture, reach=1.2).surface
    eyes = capture.world_from_camera[:, :3, 3]
    nearest = np.linalg.norm(near.vertices[:, None] - eyes, axis=2).min(1)
    assert nearest.max() < 1.2 * 1.3  # the reach is along the axis; a corner's ray is longer


def low_confidence(capture: Capture, level: float) -> Capture:
    """The left half of every frame is of this confidence, the right half of the best."""

    def change(frame: Frame) -> Frame:
        assert frame.depth is not None
        confidence = np.ones_like(frame.depth)
        confidence[:, : frame.depth.shape[1] // 2] = level
        return replace(frame, confidence=confidence)

    return with_frames(capture, change)


def test_the_worst_confidence_is_never_used(capture: Capture) -> None:
    def lie(frame: Frame) -> Frame:
        assert frame.depth is not None
        return replace(frame, depth=frame.depth * 0.7, confidence=np.zeros_like(frame.depth))

    with pytest.raises(FusionError, match=r"room: no surface in 12 frames"):
        fuse(with_frames(capture, lie))


def test_middle_confidence_fills_only_gaps(room: Callable[..., Any]) -> None:
    """Cameras see the block well, and a ghost 6 cm off with doubt: only the good one counts."""
    poses = [looking(np.array([1.3, 0.01 * i, 1.0]), np.array([0.0, 0.01 * i, 0.2])) for i in range(4)]
    good: Capture = room((FLOOR, BLOCK), GREYS).capture(poses)

    def doubt(frame: Frame) -> Frame:
        assert frame.depth is not None
        return replace(frame, depth=frame.depth * 1.04, confidence=np.full_like(frame.depth, 0.5))

    ghost = with_frames(good, doubt)
    both = replace(
        good,
        order=tuple(range(8)),
        world_from_camera=np.concatenate([good.world_from_camera, nudged(good.world_from_camera)]),
        load=lambda i: good.load(i) if i < 4 else nudged_frame(ghost.load(i - 4)),
        coloured=np.ones(8, bool),
    )
    alone, joined = fuse(good), fuse(both)
    assert np.median(distance_to_block_or_floor(joined.surface.vertices)) < 1e-3
    assert len(joined.surface.vertices) < 1.1 * len(alone.surface.vertices)
    only = fuse(ghost)
    (doubtful,) = [f for f in only.findings if f.code == "surface-doubtful"]
    assert doubtful.numbers["share"] == 1


def nudged(poses: Array) -> Array:
    return poses @ se3.exp(np.array([0.01, 0, 0, 0, 0, 0]))


def nudged_frame(frame: Frame) -> Frame:
    return replace(frame, world_from_camera=nudged(frame.world_from_camera))


def test_points_in_mid_air_are_dropped(capture: Capture) -> None:
    """Sensors invent depth between a thing and what is behind it."""

    def smear(frame: Frame) -> Frame:
        assert frame.depth is not None
        depth = frame.depth.copy()
        depth[:, 1:-1] = (frame.depth[:, :-2] + frame.depth[:, 1:-1] + frame.depth[:, 2:]) / 3
        return replace(frame, depth=depth)

    smeared = fuse(with_frames(capture, smear)).surface
    assert np.percentile(distance_to_block_or_floor(smeared.vertices), 99) < 0.01


def test_steep_surfaces_are_kept_and_steps_are_not() -> None:
    camera = Camera(200.0, 200.0, 9.5, 9.5, 20, 20)
    slope = np.tile(np.linspace(1.0, 1.0 + 19 * 9 / 200, 20, dtype=np.float32), (20, 1))
    step = np.where(np.arange(20) < 10, 1.0, 1.2).astype(np.float32) * np.ones((20, 1), np.float32)
    for depth, kept in ((slope, 1.0), (step, 0.9)):
        frame = Frame(0, "0", np.eye(4), depth=depth, depth_camera=camera)
        assert np.mean(trusted(frame, 5.0).good > 0) == kept


def test_far_depth_is_second_choice() -> None:
    camera = Camera(200.0, 200.0, 9.5, 9.5, 20, 20)
    depth = np.full((20, 20), NEAR + 0.1, np.float32)
    depth[0, 0], depth[0, 19] = np.nan, 0
    seen = trusted(Frame(0, "0", np.eye(4), depth=depth, depth_camera=camera), 5.0)
    assert not seen.good.any()
    assert (seen.spare > 0).sum() == 398
    assert not trusted(Frame(0, "0", np.eye(4), depth=depth, depth_camera=camera), 2.0).spare.any()


@given(st.floats(0.3, 4), st.integers(0, 31), st.integers(0, 23))
def test_projecting_undoes_back_projecting(z: float, column: int, row: int) -> None:
    camera = Camera(30.0, 32.0, 15.2, 11.9, 32, 24)
    depth = np.zeros((24, 32), np.float32)
    depth[row, column] = z
    place = points(depth, camera)[row, column]
    pixels, along = project(camera, place[None])
    assert np.allclose(pixels, [[column, row]], atol=1e-5)
    assert np.allclose(along, z)
    assert np.isinf(project(camera, -place[None])[0]).all()


@given(st.integers(0, 2**32 - 1))
def test_order_depends_on_the_surface_alone(seed: int) -> None:
    rng = stream(seed, "mesh")
    vertices = rng.normal(size=(12, 3)).astype(np.float32).astype(float)
    faces = np.array([rng.permutation(12)[:3] for _ in range(9)], np.int32)
    shuffle, turns = rng.permutation(12), rng.integers(0, 3, 9)
    number = np.argsort(shuffle).astype(np.int32)
    other = np.array([np.roll(number[f], t) for f, t in zip(faces, turns, strict=True)], np.int32)
    first, second = in_order(vertices, faces), in_order(vertices[shuffle], rng.permutation(other))
    assert np.array_equal(vertices[first[0]], vertices[shuffle][second[0]])
    assert np.array_equal(first[1], second[1])


def test_areas_of_vertices_sum_to_the_surface(fused: Fusion) -> None:
    surface = fused.surface
    top = surface.part(surface.vertices[:, 2] > 0.49)
    assert top.vertex_areas().sum() == pytest.approx(0.24, rel=0.1)
    assert len(top.faces)
    assert top.faces.max() < len(top.vertices)


def test_distance_says_from_how_far_it_was_seen(capture: Capture, fused: Fusion) -> None:
    eyes = capture.world_from_camera[:, :3, 3]
    top = fused.surface.vertices[:, 2] > 0.495
    truth = np.sqrt(((fused.surface.vertices[top][:, None] - eyes) ** 2).sum(2).mean(1))
    assert np.percentile(np.abs(fused.surface.distance[top] - truth), 95) < 0.08  # a block is 8 cm wide


@pytest.mark.parametrize("roll", [0, 90, 180, -90])
def test_the_heading_is_upright_however_the_camera_is_held(capture: Capture, roll: float) -> None:
    rolled = capture.world_from_camera @ se3.exp(np.array([0, 0, 0, 0, 0, np.radians(roll)]))
    frame = heading(replace(capture, world_from_camera=rolled))
    assert np.allclose(frame[:3, 2], [0, 0, 1])
    assert np.allclose(frame[:3, :3] @ frame[:3, :3].T, np.eye(3))
    assert np.allclose(frame[:3, 3], capture.world_from_camera[0, :3, 3])


def test_a_picture_of_another_size_and_camera_is_brought_to_the_depth(capture: Capture) -> None:
    frame = capture[0]
    assert frame.colour is not None
    assert frame.depth_camera is not None
    shifted = Camera(300.0, 300.0, 149.5, 114.5, 320, 240)
    other = replace(frame, colour=np.roll(frame.colour, (-5, -10), (0, 1)), colour_camera=shifted)
    same, brought = in_depth_camera(frame)[10:-10, 20:-20], in_depth_camera(other)[10:-10, 20:-20]
    assert np.array_equal(same, frame.colour[10:-10, 20:-20])
    assert np.abs(same.astype(int) - brought).max() <= 1


def test_without_pictures_there_are_no_colours(room: Callable[..., Any]) -> None:
    made = fuse(room((FLOOR, BLOCK), GREYS).capture(ring(4), colour=False))
    assert made.surface.colours is None
    assert [(f.code, f.severity) for f in made.findings] == [("no-colour", Severity.DEGRADED)]
    assert made.surface.part(made.surface.vertices[:, 2] > 0.1).colours is None


def test_pictures_of_some_frames_colour_what_they_show(capture: Capture) -> None:
    def bare(frame: Frame) -> Frame:
        return frame if frame.index == 0 else replace(frame, colour=None, colour_camera=None)

    made = fuse(with_frames(capture, bare))
    (unseen,) = [f for f in made.findings if f.code == "not-in-pictures"]
    assert 0.2 < unseen.numbers["share"] < 0.9
    assert made.surface.colours is not None


def test_a_single_frame_is_a_thin_surface(capture: Capture) -> None:
    made = fuse(capture[:1])
    assert "surface-thin" in [f.code for f in made.findings]
    assert np.median(distance_to_block_or_floor(made.surface.vertices)) < 1e-3


def test_a_capture_without_depth_is_an_error(capture: Capture) -> None:
    with pytest.raises(FusionError, match="room: no surface in 12 frames"):
        fuse(with_frames(capture, lambda frame: replace(frame, depth=None, depth_camera=None)))


def test_a_full_grid_is_an_error_that_says_what_to_do(
    capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grids, "BLOCKS", 100)
    with pytest.raises(FusionError, match=r"over 100 blocks .* use larger voxels than 0.01 m"):
        fuse(capture)


def test_the_grid_grows_past_its_first_size(capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = fuse(capture[:3]).surface
    monkeypatch.setattr(grids, "START", 64)
    assert np.array_equal(fuse(capture[:3]).surface.vertices, plain.vertices)


@pytest.mark.captures
@pytest.mark.parametrize("name", ["3dscannerapp_chair", "3dscannerapp_corridor"])
def test_phone_scans_become_surfaces(fused_scan: Callable[[str], Any], name: str) -> None:
    made: Fusion = fused_scan(name)
    surface = made.surface
    assert surface.colours is not None
    assert len(surface.vertices) > 100_000
    assert np.isfinite(surface.vertices).all()
    assert "surface-doubtful" in [f.code for f in made.findings]
    # Neighbouring triangles of a real room mostly lie in one plane.
    edges = surface.faces[:, :2]
    alike = np.einsum("ni,ni->n", surface.normals[edges[:, 0]], surface.normals[edges[:, 1]])
    assert np.median(alike) > 0.99
