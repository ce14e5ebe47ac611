"""Agreement of neighbouring frames: laws on planes, and the conventions of real captures by their numbers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scan.agreement import Agreement, Comparison, disagreement, known, points, sure
from pocketworld.scan.capture import Camera, Capture, Frame
from pocketworld.scan.poses import OPENGL_FROM_OPENCV
from pocketworld.scan.readers import read

Array = np.ndarray
CAMERA = Camera(200.0, 200.0, 127.5, 95.5, 256, 192)
WALL = 3.0


def rays() -> Array:
    v, u = np.mgrid[0 : CAMERA.height, 0 : CAMERA.width]
    return np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(u.shape)], -1)


def seen(pose: Array, index: int = 0, post: bool = False, noise: float = 0.0) -> Frame:
    """Return what a camera at `pose` sees of a wall at z = WALL, and of a post in the middle of the way."""
    ways = rays() @ pose[:3, :3].T
    depth = (WALL - pose[2, 3]) / ways[..., 2]
    if post:
        near = (WALL / 2 - pose[2, 3]) / ways[..., 2]
        hit = np.abs(pose[0, 3] + near * ways[..., 0]) < 0.2
        depth = np.where(hit, near, depth)
    depth = depth + noise * stream(0, "noise", index).normal(size=depth.shape)
    return Frame(index, f"{index:05d}", pose, depth=depth.astype(np.float32), depth_camera=CAMERA)


def at(x: float = 0.0, turn: float = 0.0, z: float = 0.0) -> Array:
    return se3.exp(np.array([x, 0, z, 0, turn, 0.0]))


def compared(*frames: Frame) -> Agreement:
    comparison = Comparison()
    for a, b in pairwise(frames):
        comparison.add(a, b)
    return comparison.result()


def test_points_lie_where_pixels_look() -> None:
    found = points(seen(at(turn=0.2)), 3)
    assert found.shape == (86 * 64, 3)
    np.testing.assert_allclose(se3.apply(at(turn=0.2), found)[:, 2], WALL, atol=1e-6)


@pytest.mark.parametrize("move", [at(), at(0.3), at(0.1, 0.2), at(0.2, -0.1, 0.4)])
def test_two_true_views_of_a_wall_agree(move: Array) -> None:
    behind, overlap = disagreement(seen(at()), seen(move))
    slant = np.abs(behind) / WALL  # the nearest pixel is up to half a pixel off on a slanting wall
    assert np.quantile(slant, 0.99) < 0.5 / CAMERA.fx
    assert 0.4 < overlap <= 1


def test_overlap_is_what_the_other_frame_looks_at() -> None:
    width = WALL * CAMERA.width / CAMERA.fx
    assert disagreement(seen(at()), seen(at(width / 4)))[1] == pytest.approx(0.75, abs=0.02)
    behind, overlap = disagreement(seen(at()), seen(at(width * 2)))
    assert (behind.size, overlap) == (0, 0)


def test_what_is_hidden_from_the_other_is_no_disagreement() -> None:
    a, b = seen(at(), post=True), seen(at(0.5), post=True)
    behind, _ = disagreement(a, b)
    assert np.quantile(np.abs(behind), 0.95) > 1, "much of the wall is behind the post"
    result = compared(a, b)
    assert result.p90_m is not None
    assert result.p90_m < 1e-3


@pytest.mark.parametrize("noise", [0.003, 0.01, 0.03])
def test_noise_is_measured_as_large_as_it_is(noise: float) -> None:
    """The difference of two normal errors is larger by the root of 2; half of it lies within 0.6745 sigma."""
    result = compared(seen(at(), 0, noise=noise), seen(at(0.1), 1, noise=noise))
    assert result.median_m == pytest.approx(0.6745 * 2**0.5 * noise, rel=0.05)
    assert result.p90_m == pytest.approx(1.645 * 2**0.5 * noise, rel=0.05)


@pytest.mark.parametrize("off", [0.05, -0.05])
def test_a_pose_that_is_off_is_measured_whichever_way(off: float) -> None:
    a, b = seen(at()), seen(at(0.1))
    result = compared(a, replace(b, world_from_camera=at(0.1, z=off)))
    assert result.median_m == pytest.approx(0.05, rel=0.02)


def test_the_order_of_two_frames_does_not_matter() -> None:
    a, b = seen(at(), 0, noise=0.01), seen(at(0.2, 0.1), 1, noise=0.02)
    one, other = compared(a, b), compared(b, a)
    assert (one.median_m, one.p90_m, one.worst_m) == (other.median_m, other.p90_m, other.worst_m)


def test_frames_moved_as_a_whole_agree_as_before() -> None:
    whole = se3.exp(np.array([3.0, -2, 1, 0.4, -0.5, 2]))
    frames = [seen(at(0.1 * k), k, noise=0.01) for k in range(3)]
    moved = [replace(frame, world_from_camera=whole @ frame.world_from_camera) for frame in frames]
    one, other = compared(*frames), compared(*moved)
    assert one.median_m == pytest.approx(other.median_m, rel=0.011)
    assert one.overlap == pytest.approx(other.overlap, abs=1e-3)


def test_the_worst_two_are_named() -> None:
    frames = [seen(at(0.1 * k), k) for k in range(5)]
    frames[3] = replace(frames[3], world_from_camera=at(0.3, z=0.2))
    frames[4] = replace(frames[4], world_from_camera=at(0.4, z=0.1))
    result = compared(*frames)
    assert result.worst_pair == ("00002", "00003")
    assert result.worst_m == pytest.approx(0.2, rel=0.01)


def test_unsure_and_unknown_depth_is_not_compared() -> None:
    frame = seen(at())
    assert frame.depth is not None
    depth, confidence = frame.depth.copy(), np.ones(frame.depth.shape, np.float32)
    depth[:50], depth[50:60], depth[60:70] = 0, np.nan, np.inf
    confidence[100:] = 0.5
    hurt = replace(frame, depth=depth, confidence=confidence)
    assert known(hurt).mean() == pytest.approx(122 / 192)
    assert sure(hurt).mean() == pytest.approx(30 / 192)
    assert len(points(hurt, 1)) == 30 * 256
    assert len(disagreement(frame, hurt)[0]) == pytest.approx(
        len(disagreement(frame, frame)[0]) * 30 / 192, rel=0.1
    )


def test_nothing_to_compare_is_none() -> None:
    assert Comparison().result() == Agreement()
    away = compared(seen(at()), seen(at(50.0)))
    assert (away.median_m, away.overlap, away.least_overlap, away.worst_pair) == (None, 0.0, 0.0, None)
    assert disagreement(seen(at()), seen(at(turn=np.pi)))[1] == 0, "what is behind the camera is not seen"


def inverted(pose: Array) -> Array:
    return se3.inverse(pose)


def swapped(pose: Array) -> Array:
    return pose @ OPENGL_FROM_OPENCV


def both(pose: Array) -> Array:
    return se3.inverse(pose @ OPENGL_FROM_OPENCV) @ OPENGL_FROM_OPENCV


NAMES = ("tum_fr3_cabinet", "3dscannerapp_chair", "3dscannerapp_corridor")


@pytest.fixture(scope="module")
def real(captures: Path) -> dict[str, tuple[Capture, list[Frame]]]:
    """Return real captures with all their frames, without pictures, so that each is decoded once."""
    found = {name: read(captures / name) for name in NAMES}
    return {
        name: (capture, [replace(frame, colour=None) for frame in capture]) for name, capture in found.items()
    }


def plain_median(
    capture: Capture, frames: Sequence[Frame], bend: Callable[[Array], Array] = lambda pose: pose
) -> float:
    """Return the median disagreement as it was first measured: all depth, hidden points too."""
    # The file's own frame (y up, for the app) is where a wrong convention would be applied.
    to_file = se3.inverse(capture.world_from_capture)
    bent = [
        replace(f, world_from_camera=bend(to_file @ f.world_from_camera), confidence=None) for f in frames
    ]
    return float(np.median(np.concatenate([np.abs(disagreement(a, b)[0]) for a, b in pairwise(bent)])))


@pytest.mark.parametrize(("name", "median"), list(zip(NAMES, (0.0123, 0.0054, 0.0161), strict=True)))
def test_real_captures_agree_as_measured_before(
    name: str, median: float, real: dict[str, tuple[Capture, list[Frame]]]
) -> None:
    assert plain_median(*real[name]) == pytest.approx(median, rel=0.05)


@pytest.mark.parametrize("bend", [inverted, swapped, both])
@pytest.mark.parametrize("name", NAMES)
def test_no_other_convention_of_poses_comes_near(
    name: str, bend: Callable[[Array], Array], real: dict[str, tuple[Capture, list[Frame]]]
) -> None:
    capture, frames = real[name]
    assert plain_median(capture, frames[:30], bend) > 3 * plain_median(capture, frames[:30])


@pytest.mark.parametrize(
    ("name", "median", "p90"),
    [("3dscannerapp_chair", 0.0039, 0.017), ("3dscannerapp_corridor", 0.0098, 0.036)],
)
def test_sure_depth_of_phones_agrees_as_measured_before(
    name: str, median: float, p90: float, real: dict[str, tuple[Capture, list[Frame]]]
) -> None:
    result = compared(*real[name][1])
    assert result.median_m == pytest.approx(median, rel=0.1)
    assert result.p90_m == pytest.approx(p90, rel=0.1)


def test_the_scale_of_the_kinect_is_right(real: dict[str, tuple[Capture, list[Frame]]]) -> None:
    """Over a long way between frames, depth 6 % off disagrees visibly more: the unit is 1/5000 m."""
    capture, frames = real["tum_fr3_cabinet"]

    def off(scale: float) -> float:
        scaled = [replace(f, depth=f.depth * np.float32(scale)) for f in frames[::12] if f.depth is not None]
        return plain_median(capture, scaled)

    assert off(1.0) < min(off(0.94), off(1.06))
