"""Colour beside depth: a known shift is found and mended, none is invented, real captures are left alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pocketworld.findings import Severity
from pocketworld.geometry.box import UprightBox
from pocketworld.rng import stream
from pocketworld.scan.capture import Capture, Frame
from pocketworld.scan.moments import depth_alone
from pocketworld.scan.poses import OPENGL_FROM_OPENCV
from pocketworld.scan.readers import read
from pocketworld.scan.registration import WIDTH, measured, registered

COUNT = 12
WORST = 1.5 / WIDTH  # of the picture's width: shifts are tried pixel by pixel, jumps are known to half a one


@pytest.fixture(scope="module")
def rendered(room: Callable[..., Any]) -> Capture:
    """Things of several sizes before a wall, seen from places along it."""
    draw = stream(0, "registration")
    boxes = [UprightBox((0, 1.5, 0), 0, (8, 0.1, 3)), UprightBox((0, 0, 0), 0, (8, 8, 0.001))]
    for x in np.arange(-1.6, 1.7, 0.45):
        foot, size = (float(x), draw.uniform(0, 0.8), 0.0), (0.15, 0.15, draw.uniform(0.5, 1.4))
        boxes.append(UprightBox(foot, 0, size))
    poses = np.tile(np.eye(4), (COUNT, 1, 1))
    poses[:, :3, :3] = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    poses[:, :3, 3] = [[x, -1.6, 0.9] for x in np.linspace(-0.5, 0.5, COUNT)]
    greys = (200.0, 150.0, *draw.uniform(30, 110, len(boxes) - 2))
    capture: Capture = room(tuple(boxes), greys).capture(list(poses))
    frames = list(capture)
    return replace(capture, load=frames.__getitem__)


def moved(frame: Frame, right: float, down: float) -> Frame:
    """Return the frame with its picture moved by pixels."""
    assert frame.colour is not None
    height, width = frame.colour.shape[:2]
    by = np.array([[1, 0, right], [0, 1, down]], float)
    picture = cv2.warpAffine(frame.colour, by, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return replace(frame, colour=np.asarray(picture, np.uint8))


def shifted(capture: Capture, right: float, down: float, every: int = 1) -> Capture:
    """Return the capture with the pictures of every second (or so) frame moved by pixels."""

    def load(i: int) -> Frame:
        return moved(capture.load(i), right, down) if i % every == 0 else capture.load(i)

    return replace(capture, load=load)


def written(folder: Path, capture: Capture) -> Path:
    """Write the capture as nerfstudio's files."""
    for sub in ("images", "depth"):
        (folder / sub).mkdir(parents=True)
    frames = []
    for frame in capture:
        assert frame.depth is not None
        assert frame.colour is not None
        cv2.imwrite(str(folder / f"depth/{frame.name}.png"), np.rint(frame.depth * 1000).astype(np.uint16))
        cv2.imwrite(str(folder / f"images/{frame.name}.png"), frame.colour[..., ::-1])
        pose = (frame.world_from_camera @ OPENGL_FROM_OPENCV).tolist()
        names = {"file_path": f"images/{frame.name}.png", "depth_file_path": f"depth/{frame.name}.png"}
        frames.append({**names, "transform_matrix": pose})
    camera = {"fl_x": 300, "fl_y": 300, "cx": 160, "cy": 120, "w": 320, "h": 240}
    (folder / "transforms.json").write_text(json.dumps({**camera, "frames": frames}))
    return folder


@pytest.mark.parametrize(("right", "down"), [(-3, 2), (4, 0), (0, -4), (3, 3)])
def test_a_known_shift_is_found(right: float, down: float, rendered: Capture) -> None:
    shift = measured(shifted(rendered, right, down))
    assert shift is not None
    assert shift.sure
    assert abs(shift.right - right / 320) < WORST
    assert abs(shift.down - down / 320) < WORST


def test_no_shift_is_no_shift(rendered: Capture) -> None:
    shift = measured(rendered)
    assert shift is not None
    assert not shift.sure
    assert max(abs(shift.right), abs(shift.down)) < WORST


def test_frames_that_do_not_agree_move_nothing(rendered: Capture) -> None:
    shift = measured(shifted(rendered, 5, 5, every=2))
    assert shift is not None
    assert not shift.sure


def test_pictures_without_the_things_move_nothing(rendered: Capture) -> None:
    noise = stream(0, "registration", "noise").integers(0, 255, (COUNT, 240, 320, 3)).astype(np.uint8)
    shift = measured(replace(rendered, load=lambda i: replace(rendered.load(i), colour=noise[i])))
    assert shift is not None
    assert not shift.sure


def test_depth_without_jumps_tells_nothing(rendered: Capture) -> None:
    flat = np.full((240, 320), 1.5, np.float32)
    assert measured(replace(rendered, load=lambda i: replace(rendered.load(i), depth=flat))) is None
    assert measured(replace(rendered, coloured=np.zeros(COUNT, bool))) is None


def test_what_is_surely_shifted_is_mended_as_it_is_read_and_said(rendered: Capture, tmp_path: Path) -> None:
    capture = read(written(tmp_path / "x", shifted(rendered, -4, 3)))
    found = next(finding for finding in capture.findings if finding.code == "colour-shifted")
    assert (found.severity, found.numbers["width_px"]) == (Severity.NOTE, 320)
    for frame in capture[::5]:
        assert frame.colour_camera is not None
        assert frame.depth_camera is not None
        by = frame.colour_camera.cx - frame.depth_camera.cx, frame.colour_camera.cy - frame.depth_camera.cy
        assert by == pytest.approx((found.numbers["right_px"], found.numbers["down_px"]))
        assert np.abs(np.subtract(by, (-4, 3))).max() < WORST * 320
        assert frame.colour_camera.fx == frame.depth_camera.fx
    again = registered(capture)
    assert again is capture, "what is mended is not shifted"
    assert depth_alone(capture)[0].colour_camera is None


def test_some_frames_are_shifted_as_all(rendered: Capture, tmp_path: Path) -> None:
    folder = written(tmp_path / "x", shifted(rendered, -4, 3))
    some, whole = read(folder, "3:5"), read(folder)
    assert some[0].colour_camera == whole[3].colour_camera


def test_what_is_not_shifted_is_left_alone(rendered: Capture, tmp_path: Path) -> None:
    capture = read(written(tmp_path / "x", rendered))
    assert [finding.code for finding in capture.findings] == ["up-guessed"]
    assert capture[0].colour_camera == capture[0].depth_camera


def test_a_damaged_file_is_passed_over(rendered: Capture, tmp_path: Path) -> None:
    folder = written(tmp_path / "x", shifted(rendered, -4, 3))
    file = folder / "images" / "4.png"
    data = bytearray(file.read_bytes())
    data[60:90] = bytes(30)
    file.write_bytes(data)
    assert "colour-shifted" in [finding.code for finding in read(folder).findings]


def test_pictures_of_few_pixels_tell_nothing(rendered: Capture) -> None:
    def load(i: int) -> Frame:
        frame = moved(rendered.load(i), -8, 8)
        assert frame.colour is not None
        assert frame.colour_camera is not None
        small = np.asarray(cv2.resize(frame.colour, (160, 120), interpolation=cv2.INTER_AREA), np.uint8)
        return replace(frame, colour=small, colour_camera=frame.colour_camera.resized(160, 120))

    assert measured(replace(rendered, load=load)) is None


@pytest.mark.captures
def test_the_kitchenettes_pictures_are_moved_onto_its_depth(captures: Path) -> None:
    """About (-3, +4) of 540 pixels, found by shifting colours on the fused surface."""
    capture = read(captures / "hololens_kitchenette")
    numbers = next(finding.numbers for finding in capture.findings if finding.code == "colour-shifted")
    assert numbers["right_px"] == pytest.approx(-3, abs=1.5)
    assert numbers["down_px"] == pytest.approx(4, abs=1.6)


@pytest.mark.captures
@pytest.mark.parametrize("name", ["tum_fr3_cabinet", "3dscannerapp_chair", "3dscannerapp_corridor"])
def test_other_real_captures_are_left_alone(name: str, captures: Path) -> None:
    shift = measured(read(captures / name))
    assert shift is not None
    assert not shift.sure
    assert max(abs(shift.right), abs(shift.down)) * WIDTH < 3
