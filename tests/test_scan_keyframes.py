"""Keyframes: short captures stay whole; of long ones enough is kept, and the sharpest."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pocketworld.errors import CaptureError
from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scan.capture import Camera, Capture, Frame
from pocketworld.scan.keyframes import ALL, FEWEST, STEP, keyframes, moved
from pocketworld.scan.readers import read

COUNT = 1200
CAMERA = Camera(300.0, 300.0, 159.5, 119.5, 320, 240)
PATTERN = cv2.resize(
    stream(0, "keyframes").integers(0, 255, (12, 16, 3)).astype(np.uint8),
    (320, 240),
    interpolation=cv2.INTER_NEAREST,
)
SHARP = np.asarray(PATTERN, np.uint8)
BLURRED = np.asarray(cv2.GaussianBlur(SHARP, (0, 0), 2), np.uint8)


def walk(count: int = COUNT, length: float = 20.0) -> np.ndarray:
    """Return poses (n, 4, 4) along a line, looking to the left and to the right."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    along = np.linspace(0, 1, count)
    for k, turn in enumerate(0.5 * np.sin(6 * along)):
        poses[k, :3, :3] = se3.exp(np.array([0, 0, 0, 0, turn, 0]))[:3, :3]
    poses[:, 0, 3] = along * length
    return poses


def capture(poses: np.ndarray, sharp: int = 1, coloured: bool = True) -> Capture:
    """Return a capture in which every `sharp`-th picture is sharp; no depth is needed."""

    def load(i: int) -> Frame:
        return Frame(i, str(i), poses[i], SHARP if i % sharp == 0 else BLURRED, CAMERA)

    which = tuple(range(len(poses)))
    return Capture(
        "walk", Path(), "made", poses.copy(), np.eye(4), load, which, np.full(len(poses), coloured)
    )


def test_short_captures_stay_whole() -> None:
    short = capture(walk(ALL))
    assert keyframes(short) is short


def test_long_ones_say_how_many_are_left() -> None:
    few = keyframes(capture(walk(), coloured=False))
    (finding,) = few.findings
    assert (finding.code, dict(finding.numbers)) == ("keyframes", {"frames": len(few), "of": COUNT})
    assert FEWEST <= len(few) <= ALL
    assert list(few.order) == sorted(set(few.order))
    for k in (0, len(few) // 2, len(few) - 1):
        assert few[k].index == few.order[k]
        np.testing.assert_array_equal(few.world_from_camera[k], few[k].world_from_camera)


@pytest.mark.parametrize("length", [20.0, 60.0])
def test_neighbours_overlap(length: float) -> None:
    poses = walk(4 * COUNT, length)
    gaps = np.diff(moved(keyframes(capture(poses, coloured=False)).world_from_camera))
    longest = max(STEP, moved(poses)[-1] / (ALL - 1))
    assert gaps.max() < 2.1 * longest
    assert np.median(gaps) < 1.2 * longest


@pytest.mark.slow
def test_the_sharpest_are_taken() -> None:
    few = keyframes(capture(walk(COUNT, 5.0), sharp=2))
    assert np.mean([i % 2 == 0 for i in few.order]) > 0.8


def test_the_worlds_origin_does_not_matter() -> None:
    poses, move = walk(), se3.exp(np.array([5.0, -3, 2, 0.4, 1.1, -0.7]))
    dark = (capture(p, coloured=False) for p in (poses, move @ poses))
    one, other = (keyframes(c).order for c in dark)
    assert one == other


def test_twice_as_many_frames_of_one_walk_give_as_many_keyframes() -> None:
    once, twice = (len(keyframes(capture(walk(n), coloured=False))) for n in (COUNT, 2 * COUNT))
    assert twice == pytest.approx(once, rel=0.1)


def test_a_camera_at_rest_leaves_some_frames() -> None:
    few = keyframes(capture(np.tile(np.eye(4), (COUNT, 1, 1)), coloured=False))
    assert FEWEST * 0.9 <= len(few) <= FEWEST * 1.1
    assert max(np.diff(few.order)) < 3 * COUNT / FEWEST


@pytest.mark.slow
def test_pictures_that_cannot_be_read_are_passed_over() -> None:
    whole = capture(walk(COUNT, 5.0), sharp=2)

    def load(i: int) -> Frame:
        if i % 3 == 0:
            raise CaptureError(f"picture {i} is damaged")
        return whole.load(i)

    few = keyframes(replace(whole, load=load))
    assert np.mean([i % 3 == 0 for i in few.order]) < 0.2


@pytest.mark.captures
@pytest.mark.parametrize(
    "name", ["tum_fr3_cabinet", "3dscannerapp_chair", "3dscannerapp_corridor", "hololens_kitchenette"]
)
def test_real_captures_of_ours_stay_whole(name: str, captures: Path) -> None:
    real = read(captures / name)
    assert keyframes(real) is real
