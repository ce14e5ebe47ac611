"""Pose graphs of made pairs: what was planted comes out; what is false, or alike in all frames, is left."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.geometry import se3
from pocketworld.reconstruct.surfaces.pair import Pair
from pocketworld.reconstruct.surfaces.pose_graph import solve
from pocketworld.rng import stream
from pocketworld.scan.keyframes import moved

Array = NDArray[np.float64]

COUNT = 24
PRECISE = np.array([1e-3] * 3 + [5e-4] * 3)  # m, rad: of a pair


def walk(count: int = COUNT) -> Array:
    """A walk around the middle, looking at it, and a little farther than once around."""
    angles = np.linspace(0, 2.2 * np.pi, count)
    high = 1.4 + 0.2 * np.sin(3 * angles)
    eyes = np.stack([1.5 * np.cos(angles), 1.2 * np.sin(angles), high], 1)
    return np.stack([looking(eye, np.array([0.1, 0, 0.6])) for eye in eyes])


def joined(
    true: Array, given: Array, links: Sequence[tuple[int, int]], rows: Array | None = None
) -> list[Pair]:
    """Pairs that say exactly what is true about poses that were given."""
    rows = np.eye(6) if rows is None else rows
    out = []
    for a, b in links:
        is_, was = (se3.inverse(poses[b]) @ poses[a] for poses in (true, given))
        covariance = rows @ np.diag(PRECISE**2) @ rows.T
        out.append(Pair(a, b, was, rows, rows @ se3.log(is_ @ se3.inverse(was)), covariance))
    return out


def links(count: int = COUNT) -> list[tuple[int, int]]:
    """Next in time, one farther, and around again."""
    near = [(i, i + k) for k in (1, 2) for i in range(count - k)]
    return [*near, (0, count - 3), (1, count - 2), (0, count - 2), (2, count - 1)]


def relative_error(poses: Array, true: Array) -> tuple[float, float]:
    """Return the largest error between any two poses, m and rad: no common motion counts."""
    error = se3.log(se3.inverse(poses[0]) @ poses @ se3.inverse(se3.inverse(true[0]) @ true))
    return tuple(float(np.linalg.norm(part, axis=1).max()) for part in (error[:, :3], error[:, 3:]))  # type: ignore[return-value]


def drifted(poses: Array, end: Array) -> Array:
    """Poses that drift towards a twist (6,) of the world at the end of the walk."""
    return np.asarray(se3.exp(np.linspace(0, 1, len(poses))[:, None] * end) @ poses)


def jumped(poses: Array, at: int, twist: Array) -> Array:
    """Poses of which those from `at` on are moved by a twist of that camera's frame."""
    out = poses.copy()
    out[at:] = poses[at] @ se3.exp(twist) @ se3.inverse(poses[at]) @ poses[at:]
    return out


def test_pairs_that_agree_move_nothing() -> None:
    poses = walk()
    solved = solve(poses, moved(poses), joined(poses, poses, links()))
    assert np.abs(solved.poses - poses).max() < 1e-9
    assert np.abs([*solved.aim, solved.scale]).max() < 1e-9
    assert solved.believed.min() > 1 - 1e-9


JUMP = np.array([0.016, 0.012, 0, 0, 0, np.radians(1)])
DRIFT = np.array([0.03, 0, 0, 0, 0, np.radians(0.3)])


@pytest.mark.parametrize(
    "bad", [jumped(walk(), COUNT // 2, JUMP), drifted(walk(), DRIFT)], ids=["jump", "drift"]
)
def test_what_was_planted_is_taken_out(bad: Array) -> None:
    true = walk()
    solved = solve(bad, moved(bad), joined(true, bad, links()))
    before, after = relative_error(bad, true), relative_error(solved.poses, true)
    assert after[0] < before[0] / 5
    assert after[1] < before[1] / 3  # part of a jump looks like a camera that sits askew


@pytest.mark.parametrize(
    "bad", [jumped(walk(), COUNT // 2, JUMP), drifted(walk(), DRIFT)], ids=["jump", "drift"]
)
def test_on_average_nothing_is_moved_turned_or_tilted(bad: Array) -> None:
    solved = solve(bad, moved(bad), joined(walk(), bad, links()))
    twist = se3.log(solved.poses @ se3.inverse(bad))
    shift = (solved.poses[:, :3, 3] - bad[:, :3, 3]).mean(0)
    assert np.linalg.norm(shift) < 0.004
    assert np.degrees(np.abs(twist[:, 3:5].mean(0))).max() < 0.05


@settings(max_examples=15)
@given(st.floats(-3, 3), st.floats(-5, 5), st.floats(-5, 5), st.floats(-2, 2))
def test_turned_and_moved_the_answer_is_turned_and_moved(yaw: float, x: float, y: float, z: float) -> None:
    true, motion = walk(), se3.exp(np.array([x, y, z, 0, 0, 0])) @ se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    bad = jumped(true, 9, JUMP)
    one = solve(bad, moved(bad), joined(true, bad, links()))
    other = solve(motion @ bad, moved(bad), joined(motion @ true, motion @ bad, links()))
    assert np.abs(other.poses - motion @ one.poses).max() < 1e-6


def test_one_false_pair_is_not_believed() -> None:
    poses = walk()
    pairs = joined(poses, poses, links())
    lie = Pair(3, 20, se3.inverse(poses[20]) @ poses[3], np.eye(6), np.full(6, 0.05), np.diag(PRECISE**2))
    solved = solve(poses, moved(poses), [*pairs, lie])
    assert solved.believed[-1] < 0.01
    assert solved.believed[:-1].min() > 0.9
    assert relative_error(solved.poses, poses)[0] < 1e-3


def test_where_surfaces_say_nothing_the_tracker_is_believed() -> None:
    """Pairs that bind what is across the line of sight only: along it, nothing slides."""
    true = walk()
    rows = np.eye(6)[[0, 1, 3, 4, 5]]
    shift = jumped(true, 12, np.array([0, 0, 0.02, 0, 0, 0]))
    solved = solve(shift, moved(shift), joined(true, shift, [(11, 12), (10, 12), (11, 13)], rows))
    step = se3.inverse(solved.poses[11]) @ solved.poses[12]
    was = se3.inverse(shift[11]) @ shift[12]
    assert np.linalg.norm(step[:3, 3] - was[:3, 3]) < 0.004


@pytest.mark.parametrize("long", [-0.02, 0.01, 0.03])
def test_depth_that_is_too_long_is_no_drift(long: float) -> None:
    """Cameras seem as much farther apart: nothing is moved, the scale is told."""
    poses = walk()
    pairs = []
    for a, b in links():
        was = se3.inverse(poses[b]) @ poses[a]
        twist = np.concatenate([long * was[:3, 3], np.zeros(3)])
        pairs.append(Pair(a, b, was, np.eye(6), twist, np.diag(PRECISE**2)))
    solved = solve(poses, moved(poses), pairs)
    assert solved.scale == pytest.approx(long, abs=0.002)
    assert relative_error(solved.poses, poses)[0] < 0.1 * abs(long) * 3.0


def test_a_camera_that_sits_askew_is_told_from_drift() -> None:
    """What is off in all frames alike is found as one turn, not as many corrections."""
    true, askew = walk(), np.array([0.002, -0.001, 0.003, 0.003, -0.002, 0.001])
    told = true @ se3.exp(-askew)
    solved = solve(told, moved(told), joined(true, told, links()))
    assert np.abs(solved.aim[3:] - askew[3:]).max() < 6e-4
    left, asked = relative_error(solved.poses, told), relative_error(told, true)
    assert left[1] < asked[1] / 10


def test_noise_of_pairs_does_not_add_up() -> None:
    """Corrections stay below the noise of the pairs that they come from."""
    poses, rng = walk(), stream(0, "pairs")
    pairs = [
        Pair(p.a, p.b, p.b_from_a, p.rows, rng.normal(size=6) * PRECISE, p.covariance)
        for p in joined(poses, poses, links())
    ]
    solved = solve(poses, moved(poses), pairs)
    error = se3.log(se3.inverse(poses) @ solved.poses)
    assert np.sqrt((error[:, :3] ** 2).mean()) < 1.5e-3


def test_a_camera_that_stood_still_is_solved_for_too() -> None:
    poses = np.tile(walk()[:1], (8, 1, 1))
    pairs = joined(poses, poses, [(i, i + 1) for i in range(7)])
    assert np.abs(solve(poses, moved(poses), pairs).poses - poses).max() < 1e-9
