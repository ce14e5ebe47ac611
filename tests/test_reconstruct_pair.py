"""Looks of frames, and pairs of them: what registers, what slides, what is told how surely."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.surfaces.looks import WIDE, Look, look
from pocketworld.reconstruct.surfaces.pair import Pair, apart, register
from pocketworld.rng import stream
from pocketworld.scan.capture import Camera, Frame

Array = NDArray[np.float64]

FLOOR = UprightBox((0, 0, -0.1), 0.0, (8, 8, 0.1))
BACK = UprightBox((0, 2.0, 0), 0.0, (8, 0.2, 3))
SIDE = UprightBox((1.4, 0, 0), 0.0, (0.2, 8, 3))
BLOCK = UprightBox((0.2, 1.2, 0), 0.3, (0.8, 0.5, 0.9))
CAMERA = Camera(211.0, 213.0, 127.0, 95.0, 256, 192)
HERE = looking(np.array([-0.5, -0.6, 1.4]), np.array([0.7, 1.4, 0.5]))
THERE = looking(np.array([-0.3, -0.5, 1.35]), np.array([0.8, 1.4, 0.6]))
OFF = np.array([0.012, -0.008, 0.01, 0.004, -0.006, 0.003])  # m, rad


def wall(normal: Array, away: float, camera: Camera = CAMERA) -> Frame:
    """A frame that sees nothing but a plane: normal (unit, away from the camera) . p = away."""
    v, u = np.mgrid[: camera.height, : camera.width]
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(u.shape)], -1)
    return Frame(0, "0", np.eye(4), depth=(away / (rays @ normal)).astype(np.float32), depth_camera=camera)


def noisy(frame: Frame, sigma: float, key: int = 0) -> Frame:
    assert frame.depth is not None
    grain = stream(0, "looks", key).normal(size=frame.depth.shape) * sigma
    return replace(frame, depth=np.where(frame.depth > 0, frame.depth + grain, 0).astype(np.float32))


def twist(pair: Pair) -> Array:
    """Return the smallest twist that a pair asks for."""
    return np.asarray(np.linalg.lstsq(pair.rows, pair.moved, rcond=None)[0], float)


@pytest.fixture(scope="module")
def corner(room: Callable[..., Any]) -> tuple[Look, Look]:
    """Two looks at a corner of a room with a block in it."""
    place = room((FLOOR, BACK, SIDE, BLOCK), (200.0, 150.0, 120.0, 90.0), CAMERA)
    one, other = (noisy(f, 0.003, f.index) for f in place.capture([HERE, THERE], colour=False))
    return look(one), look(other)


@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(0.6, 2.4))
def test_on_a_plane_cells_lie_on_it(right: float, down: float, away: float) -> None:
    normal = np.array([right, down, 1.0]) / np.sqrt(right**2 + down**2 + 1)
    seen = look(wall(normal, away))
    assert len(seen.places) > 200
    assert np.abs(seen.places @ normal - away).max() < 5e-4  # where depth ends, cells are partly filled
    assert (seen.facing @ normal).min() > 1 - 1e-4
    assert seen.points.shape == (*seen.known.shape, 3)
    assert max(seen.known.shape) <= 1.5 * WIDE


def test_cells_see_what_the_frame_s_camera_sees() -> None:
    seen = look(wall(np.array([0, 0, 1.0]), 1.5))
    row, column = np.nonzero(seen.known)
    u = seen.points[row, column, 0] / 1.5 * seen.camera.fx + seen.camera.cx
    assert np.abs(u - column).max() < 1e-3
    edge = (-0.5 - seen.camera.cx) / seen.camera.fx  # the picture's left edge is one and the same
    assert edge == pytest.approx((-0.5 - CAMERA.cx) / CAMERA.fx)


def test_what_is_not_sure_or_not_plane_is_not_known() -> None:
    frame = wall(np.array([0, 0, 1.0]), 1.5)
    assert frame.depth is not None
    confidence = np.ones_like(frame.depth)
    confidence[:, :128] = 0.5
    doubted = look(replace(frame, confidence=confidence))
    assert not doubted.known[:, : doubted.camera.width // 2].any()
    assert doubted.known[10:-10, doubted.camera.width // 2 + 5 : -5].all()
    rough = noisy(frame, 0.1)
    assert look(rough).known.mean() < 0.1
    gone = look(replace(frame, depth=np.full_like(frame.depth, 9.0)))
    assert not len(gone.places)


def test_in_a_corner_the_motion_is_found(corner: tuple[Look, Look]) -> None:
    true = se3.inverse(THERE) @ HERE
    pair = register(corner, (4, 7), se3.exp(OFF) @ true)
    assert pair is not None
    assert (pair.a, pair.b) == (4, 7)
    assert len(pair.rows) >= 4
    error = pair.moved - pair.rows @ -OFF
    assert np.abs(error).max() < 2e-3
    assert error @ np.linalg.solve(pair.covariance, error) / len(error) < 3
    assert np.abs(pair.moved).max() > 0.008


def test_registering_brings_surfaces_together(corner: tuple[Look, Look]) -> None:
    true = se3.inverse(THERE) @ HERE
    before, after = apart(corner, se3.exp(OFF) @ true), apart(corner, true)
    assert before is not None
    assert after is not None
    assert after < 0.003
    assert before > 3 * after


def test_the_other_way_round_it_is_the_inverse(corner: tuple[Look, Look]) -> None:
    given = se3.exp(OFF) @ se3.inverse(THERE) @ HERE
    forth = register(corner, (0, 1), given)
    back = register((corner[1], corner[0]), (1, 0), se3.inverse(given))
    assert forth is not None
    assert back is not None
    undone = se3.log(se3.inverse(given) @ se3.exp(-twist(back)) @ given)  # in the other frame
    assert np.abs(forth.rows @ undone - forth.moved).max() < 3e-3


@pytest.mark.parametrize("sigma", [0.0, 0.004])
def test_along_a_flat_wall_nothing_is_told(sigma: float) -> None:
    """Noise of the normals must not pass for something to hold on to."""
    one, other = (look(noisy(wall(np.array([0, 0, 1.0]), 1.5), sigma, key)) for key in (1, 2))
    along = np.array([0.02, 0.01, 0.006, 0, 0, 0.01])
    pair = register((one, other), (0, 1), se3.exp(along))
    assert pair is not None
    assert len(pair.rows) == 3
    slide = np.eye(6)[[0, 1, 5]]
    assert np.abs(pair.rows @ slide.T).max() < 0.05
    away = twist(pair)
    assert away[2] == pytest.approx(-0.006, abs=1e-3)
    assert np.abs(away[:2]).max() < 2e-4


def test_two_looks_at_different_things_are_no_pair(corner: tuple[Look, Look]) -> None:
    away = se3.exp(np.array([0, 0, 0, 0, np.pi, 0]))
    assert register(corner, (0, 1), away) is None
    assert apart(corner, away) is None


def test_what_errs_alike_over_patches_is_told_less_surely() -> None:
    """Thousands of cells whose errors are alike are worth a few."""

    def bowed(by: float) -> Look:
        frame = wall(np.array([0, 0, 1.0]), 1.5)
        assert frame.depth is not None
        v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
        wave = by * np.sin(u / CAMERA.width * 9) * np.cos(v / CAMERA.height * 7)
        return look(replace(frame, depth=(frame.depth + wave).astype(np.float32)))

    pairs = [register((bowed(by), bowed(0)), (0, 1), np.eye(4)) for by in (0.0, 0.01)]
    sure, unsure = (np.trace(pair.covariance) for pair in pairs if pair)
    assert unsure > 2 * sure
