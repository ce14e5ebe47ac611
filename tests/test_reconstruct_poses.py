"""Poses of rooms: planted drift is found and taken out, sound poses stay, and what is made of it is said."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.errors import CaptureError
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.surfaces.fusion import fuse
from pocketworld.reconstruct.surfaces.poses import chosen, posed, refined
from pocketworld.rng import stream
from pocketworld.scan.capture import Camera, Capture, Frame
from pocketworld.scan.moments import depth_alone
from pocketworld.scan.readers import read

Array = NDArray[np.float64]

pytestmark = pytest.mark.slow
CAMERA = Camera(211.0, 211.0, 127.5, 95.5, 256, 192)
BOXES = (
    UprightBox((0, 0, -0.1), 0.0, (8, 8, 0.1)),
    UprightBox((0, 2.0, 0), 0.0, (8, 0.2, 3)),
    UprightBox((2.2, 0, 0), 0.0, (0.2, 8, 3)),
    UprightBox((-0.6, 1.5, 0), 0.0, (1.2, 0.6, 0.9)),
    UprightBox((1.6, 0.4, 0), 0.5, (0.5, 0.4, 0.7)),
    UprightBox((0.9, 1.5, 0), -0.3, (0.4, 0.5, 1.6)),
)
GREYS = (200.0, 150.0, 120.0, 90.0, 60.0, 220.0)
COUNT = 26
JUMP = np.array([0.012, 0.016, 0, 0, 0, np.radians(1)])  # of the world at the camera that jumps
DRIFT = np.array([0.03, 0, 0, 0, 0, 0])  # at the end of the walk
NOISE = 0.003  # m, one standard deviation


def walk() -> list[Array]:
    """To and fro along the row, so that the end looks again at what the beginning did."""
    out = []
    for t in np.linspace(0, 2 * np.pi, COUNT):
        eye = np.array([0.4 - 0.9 * np.cos(t), -0.3 - 0.25 * np.sin(t), 1.4 + 0.1 * np.sin(2 * t)])
        out.append(looking(eye, np.array([0.9 - 0.9 * np.cos(t), 1.6 - 0.7 * np.sin(t), 0.6])))
    return out


def with_frames(capture: Capture, change: Callable[[Frame], Frame]) -> Capture:
    given = capture.load
    return replace(capture, load=lambda i: change(given(i)))


def grainy(frame: Frame) -> Frame:
    assert frame.depth is not None
    grain = NOISE * stream(0, "poses", frame.index).normal(size=frame.depth.shape)
    return replace(frame, depth=np.where(frame.depth > 0, frame.depth + grain, 0).astype(np.float32))


@pytest.fixture(scope="module")
def sound(room: Callable[..., Any]) -> Capture:
    """A walk through a room with exact poses and noise of depth."""
    made: Capture = room(BOXES, GREYS, CAMERA).capture(walk(), colour=False)
    return with_frames(made, grainy)


def jumped(poses: Array) -> Array:
    out, at = poses.copy(), len(poses) // 2
    about = np.eye(4)
    about[:3, 3] = poses[at, :3, 3]
    out[at:] = about @ se3.exp(JUMP) @ se3.inverse(about) @ out[at:]
    return out


def drifted(poses: Array) -> Array:
    return np.asarray(se3.exp(np.linspace(0, 1, len(poses))[:, None] * DRIFT) @ poses)


PLANTED = {"jump": jumped, "drift": drifted}


@pytest.fixture(scope="module")
def mended(sound: Capture) -> dict[str, tuple[Capture, Capture]]:
    """Captures with planted errors, as given and refined."""
    given = {name: posed(sound, plant(sound.world_from_camera)) for name, plant in PLANTED.items()}
    return {name: (capture, refined(capture)) for name, capture in given.items()}


def error(poses: Array, true: Array) -> tuple[float, float]:
    """Return the RMS error of poses once moved as a whole to where they fit the true ones best, m and rad."""
    twist = se3.log(poses @ se3.inverse(true))
    middle = true[:, :3, 3].mean(0)
    twist[:, :3] += np.cross(twist[:, 3:], middle)
    twist -= twist.mean(0)
    away = true[:, :3, 3] - middle
    shift = twist[:, :3] + np.cross(twist[:, 3:], away)
    return tuple(float(np.sqrt((part**2).sum(1).mean())) for part in (shift, twist[:, 3:]))  # type: ignore[return-value]


def numbers(capture: Capture, code: str = "drift") -> dict[str, float]:
    (found,) = (f for f in capture.findings if f.code == code)
    return dict(found.numbers)


def test_sound_poses_stay_as_they_are(sound: Capture) -> None:
    out = refined(sound)
    assert np.array_equal(out.world_from_camera, sound.world_from_camera)
    assert out.findings == sound.findings


def test_planted_errors_are_taken_out(sound: Capture, mended: dict[str, tuple[Capture, Capture]]) -> None:
    true = sound.world_from_camera
    factors = {
        name: [
            was / is_
            for was, is_ in zip(
                error(given.world_from_camera, true), error(out.world_from_camera, true), strict=True
            )
        ]
        for name, (given, out) in mended.items()
    }
    assert factors["jump"][0] > 3
    assert factors["jump"][1] > 4
    assert factors["drift"][0] > 3


def test_frames_tell_the_refined_poses(mended: dict[str, tuple[Capture, Capture]]) -> None:
    for _, out in mended.values():
        for i in (0, COUNT // 2, COUNT - 1):
            assert np.array_equal(out[i].world_from_camera, out.world_from_camera[i])
        part = out[4:9]
        assert np.array_equal(part[2].world_from_camera, part.world_from_camera[2])
        turns = out.world_from_camera[:, :3, :3]
        assert np.abs(turns @ np.swapaxes(turns, 1, 2) - np.eye(3)).max() < 1e-12


def test_drift_is_said_with_its_size(mended: dict[str, tuple[Capture, Capture]]) -> None:
    for given, out in mended.values():
        said = numbers(out)
        moved = np.linalg.norm(out.world_from_camera[:, :3, 3] - given.world_from_camera[:, :3, 3], axis=1)
        assert said["off_mm"] == pytest.approx(1e3 * moved.max(), rel=0.05)
        assert said["pairs"] > COUNT
        assert said["after_mm"] < 0.9 * said["before_mm"]
    assert numbers(mended["jump"][1])["off_deg"] == pytest.approx(0.5, abs=0.25)  # half on each side


def test_the_whole_is_neither_moved_nor_tilted(mended: dict[str, tuple[Capture, Capture]]) -> None:
    for given, out in mended.values():
        shift = out.world_from_camera[:, :3, 3] - given.world_from_camera[:, :3, 3]
        turn = se3.log(out.world_from_camera @ se3.inverse(given.world_from_camera))[:, 3:]
        assert np.linalg.norm(shift.mean(0)) < 0.004
        assert np.degrees(np.abs(turn[:, :2].mean(0))).max() < 0.06


def test_surfaces_are_single_again(sound: Capture, mended: dict[str, tuple[Capture, Capture]]) -> None:
    """The wall, fused of all frames, is as flat as by exact poses, where it was stepped."""
    given, out = mended["jump"]

    def rough(capture: Capture) -> float:
        surface = fuse(capture).surface
        x, y, z = surface.vertices.T
        wall = (np.abs(y - 1.9) < 0.06) & (surface.normals[:, 1] < -0.9) & (z > 1.0) & (np.abs(x) < 1.5)
        flat = np.polynomial.Polynomial.fit(x[wall], y[wall], 1)
        return float(np.ptp(np.percentile(y[wall] - flat(x[wall]), [5, 95])))

    exact = rough(sound)
    assert rough(given) > 1.5 * exact
    assert rough(out) < 1.1 * exact


def test_turned_and_moved_the_poses_are_turned_and_moved(mended: dict[str, tuple[Capture, Capture]]) -> None:
    given, out = mended["jump"]
    motion = se3.exp(np.array([3.0, -2, 0.7, 0, 0, 0])) @ se3.exp(np.array([0, 0, 0, 0, 0, 2.1]))
    turned = refined(posed(given, motion @ given.world_from_camera))
    assert np.abs(turned.world_from_camera - motion @ out.world_from_camera).max() < 2e-4


def picked(capture: Capture, which: list[int]) -> Capture:
    return replace(
        capture,
        world_from_camera=capture.world_from_camera[which].copy(),
        order=tuple(capture.order[i] for i in which),
        coloured=capture.coloured[which].copy(),
    )


def test_the_order_in_which_frames_are_fed_is_nothing(mended: dict[str, tuple[Capture, Capture]]) -> None:
    given, out = mended["jump"]
    order = [int(i) for i in stream(0, "order").permutation(COUNT)]
    shuffled = refined(picked(given, order))
    assert np.array_equal(shuffled.world_from_camera, out.world_from_camera[order])
    assert shuffled.order == tuple(order)


def test_frames_fed_again_stay_at_one_place(mended: dict[str, tuple[Capture, Capture]]) -> None:
    given, out = mended["jump"]
    thrice = refined(picked(given, list(range(COUNT)) * 3))
    assert np.array_equal(thrice.world_from_camera, np.tile(out.world_from_camera, (3, 1, 1)))


def test_the_same_capture_gives_the_same_bytes(mended: dict[str, tuple[Capture, Capture]]) -> None:
    given, out = mended["drift"]
    again = refined(given)
    assert again.world_from_camera.tobytes() == out.world_from_camera.tobytes()
    assert again.findings == out.findings


def test_thinned_in_time_the_jump_is_still_found(sound: Capture) -> None:
    thin = sound[::2]
    given = posed(thin, jumped(thin.world_from_camera))
    before, after = (error(c.world_from_camera, thin.world_from_camera) for c in (given, refined(given)))
    assert after[0] < before[0] / 2
    assert after[1] < before[1] / 2


def test_before_a_flat_wall_alone_nothing_slides(room: Callable[..., Any]) -> None:
    """What runs along the wall is left to the tracker, what the wall binds is mended: pose or aim."""
    poses = np.array([looking(np.array([0.05 * i, 0, 1.4]), np.array([0.05 * i, 2, 1.4])) for i in range(20)])
    made = room(BOXES[1:2], GREYS[1:2], CAMERA).capture(list(poses), colour=False)
    bad = poses.copy()
    bad[10:, :3, 3] += [0.02, 0.03, 0.0]  # along the wall, and off it
    out = refined(posed(with_frames(made, grainy), bad)).world_from_camera
    step = out[10:, :3, 3] - out[:10, :3, 3] - [0.5, 0, 0]
    assert np.abs(step[:, 0] - 0.02).max() < 0.002
    assert np.abs(step[:, 2]).max() < 0.002
    across = out[:, 1, 3]
    assert np.abs(np.diff(across)).max() < 0.012  # of 0.03


def test_frames_without_use_follow_their_neighbours(mended: dict[str, tuple[Capture, Capture]]) -> None:
    given, out = mended["drift"]

    def damaged(i: int) -> Frame:
        if i == 24:
            raise CaptureError("frame 24 is cut short")
        return replace(given.load(i), depth=None, depth_camera=None) if i == 25 else given.load(i)

    poses = refined(replace(given, load=damaged)).world_from_camera
    apart = np.linalg.norm(poses[24:, :3, 3] - out.world_from_camera[24:, :3, 3], axis=1)
    assert apart.max() < 0.005
    assert np.abs(poses[24:] - given.world_from_camera[24:]).max() > 0.008


def test_without_depth_nothing_is_done(sound: Capture) -> None:
    blind = with_frames(sound, lambda frame: replace(frame, depth=None, depth_camera=None))
    assert np.array_equal(refined(blind).world_from_camera, sound.world_from_camera)
    assert refined(blind).findings == ()
    few = sound[:2]
    assert np.array_equal(refined(few).world_from_camera, few.world_from_camera)


def test_what_no_poses_mend_is_said(sound: Capture) -> None:
    """Depth that waves differently in every frame: surfaces disagree wherever the cameras stand."""

    def waved(frame: Frame) -> Frame:
        assert frame.depth is not None
        v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
        a, b = stream(0, "wave", frame.index).uniform(0, 2 * np.pi, 2)
        wave = 0.05 * np.sin(u / 25 + a) * np.sin(v / 25 + b)
        return replace(frame, depth=np.where(frame.depth > 0, frame.depth + wave, 0).astype(np.float32))

    out = refined(with_frames(sound, waved))
    said = numbers(out, "drift-left")
    assert {f.severity for f in out.findings if f.code == "drift-left"} == {Severity.DEGRADED}
    assert said["before_mm"] > 10 if "before_mm" in said else said["worst_mm"] > 10


def test_pairs_are_few_whatever_overlaps() -> None:
    """Everybody sees everything: pairs grow with the frames, not with their square."""
    counts = [len(chosen(np.ones((n, n)) - np.eye(n))) for n in (50, 100, 200)]
    assert counts[2] < 4.2 * counts[0]
    assert counts[2] < 200 * 5
    assert chosen(np.zeros((9, 9))) == []


@pytest.mark.captures
def test_files_are_read_as_before(captures: Path) -> None:
    """Poses of a capture on disk are replaced for any choice of its frames; pictures can be left out."""
    capture = read(captures / "3dscannerapp_chair")[3:9:2]
    poses = se3.exp(np.array([0.1, 0, 0, 0, 0, 0.2])) @ capture.world_from_camera
    other = posed(capture, poses)
    for i in range(len(capture)):
        assert np.array_equal(other[i].world_from_camera, poses[i])
        assert np.array_equal(np.asarray(other[i].depth), np.asarray(capture[i].depth))
        assert other[i].name == capture[i].name
    assert depth_alone(other)[0].colour is None
    assert np.array_equal(depth_alone(other)[0].world_from_camera, poses[0])


@pytest.mark.captures
@pytest.mark.parametrize(
    ("name", "gain", "mended"),
    [
        ("tum_fr3_cabinet", 0.6, True),
        ("3dscannerapp_chair", 0.8, True),
        ("hololens_kitchenette", 0.92, False),
    ],
)
def test_real_frames_agree_better(name: str, gain: float, mended: bool, captures: Path) -> None:
    """Where poses part surfaces by less than depth's noise, they are left; drift is said in any case."""
    capture = read(captures / name)
    out = refined(capture)
    said = numbers(out)
    assert said["after_mm"] < gain * said["before_mm"]
    assert 2 < said["off_mm"] < 60
    assert np.array_equal(out.world_from_camera, capture.world_from_camera) != mended
