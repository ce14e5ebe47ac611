"""Exports of Stray Scanner: both forms of odometry.csv, with a film and without, and what can be wrong."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pocketworld.errors import CaptureError
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scan.capture import Capture
from pocketworld.scan.moments import depth_alone
from pocketworld.scan.poses import Z_UP_FROM_Y_UP
from pocketworld.scan.readers import read

COUNT = 6
DEPTH = stream(0, "stray", "depth").integers(300, 5000, (COUNT, 24, 32)).astype(np.uint16)
SURE = stream(0, "stray", "sure").integers(0, 3, (COUNT, 24, 32)).astype(np.uint8)
POSES = se3.exp(stream(0, "stray", "poses").normal(0, 1, (COUNT, 6)))
OLD = "timestamp, frame, x, y, z, qx, qy, qz, qw"
NEW = f"{OLD}, fx, fy, cx, cy"


def row(k: int, new: bool) -> str:
    numbers = [*POSES[k, :3, 3], *Rotation.from_matrix(POSES[k, :3, :3]).as_quat()]
    own = [100.0 + k, 100.0 + k, 79.5, 59.5] if new else []
    return ", ".join([f"{1000 + k / 60:.6f}", f"{k:06d}", *(f"{number:.8f}" for number in numbers + own)])


def scan(folder: Path, new: bool = True, film: bool = True, rows: list[str] | None = None) -> Path:
    """Write an export: picture k is all of one grey, 20 + 30 k."""
    for sub in ("depth", "confidence"):
        (folder / sub).mkdir(parents=True)
    for k in range(COUNT):
        cv2.imwrite(str(folder / "depth" / f"{k:06d}.png"), DEPTH[k])
        cv2.imwrite(str(folder / "confidence" / f"{k:06d}.png"), SURE[k])
    rows = [row(k, new) for k in range(COUNT)] if rows is None else rows
    (folder / "odometry.csv").write_text("\n".join([NEW if new else OLD, *rows, ""]))
    (folder / "camera_matrix.csv").write_text("90.0, 0.0, 79.5\n0.0, 91.0, 59.5\n0.0, 0.0, 1.0\n")
    if film:
        write_film(folder, COUNT)
    return folder


def write_film(folder: Path, count: int) -> None:
    writer = cv2.VideoWriter(str(folder / "rgb.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 30, (160, 120))
    for k in range(count):
        writer.write(np.full((120, 160, 3), 20 + 30 * k, np.uint8))
    writer.release()


def codes(capture: Capture) -> list[tuple[str, Severity]]:
    return [(finding.code, finding.severity) for finding in capture.findings]


@pytest.mark.parametrize("new", [True, False])
def test_what_was_written_is_read(new: bool, tmp_path: Path) -> None:
    capture = read(scan(tmp_path / "desk", new))
    assert (capture.name, capture.format, len(capture)) == ("desk", "Stray Scanner", COUNT)
    assert codes(capture) == []
    assert capture.coloured.all()
    np.testing.assert_array_equal(capture.world_from_capture, Z_UP_FROM_Y_UP)
    np.testing.assert_allclose(capture.world_from_camera, Z_UP_FROM_Y_UP @ POSES, atol=1e-6)
    for k, frame in enumerate(capture):
        assert (frame.index, frame.name) == (k, f"{k:06d}")
        assert frame.time == pytest.approx(k / 60, abs=1e-5)
        assert frame.colour is not None
        assert frame.depth is not None
        assert frame.confidence is not None
        assert frame.colour_camera is not None
        assert frame.depth_camera is not None
        assert frame.colour.mean() == pytest.approx(20 + 30 * k, abs=4)
        np.testing.assert_allclose(frame.depth, DEPTH[k] / 1000, rtol=1e-6)
        np.testing.assert_array_equal(frame.confidence, SURE[k] / 2)
        focal = (100 + k, 100 + k) if new else (90, 91)
        assert (frame.colour_camera.fx, frame.colour_camera.fy) == pytest.approx(focal)
        assert frame.colour_camera.resized(32, 24) == frame.depth_camera


def test_a_frame_asked_for_alone_is_the_same(tmp_path: Path) -> None:
    capture = read(scan(tmp_path / "desk"))
    whole = list(capture)
    for k in (4, 1, 5, 0):
        np.testing.assert_array_equal(capture[k].colour, whole[k].colour)
        np.testing.assert_array_equal(capture[k:][0].colour, whole[k].colour)


def test_a_zip_is_read_like_the_folder(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    shutil.make_archive(str(tmp_path / "desk"), "zip", folder)
    for a, b in zip(read(folder), read(tmp_path / "desk.zip"), strict=True):
        np.testing.assert_array_equal(a.depth, b.depth)
        np.testing.assert_array_equal(a.colour, b.colour)


def test_without_a_film_depth_is_read_and_said(tmp_path: Path) -> None:
    capture = read(scan(tmp_path / "desk", film=False))
    assert codes(capture) == [("colour-missing", Severity.LOST), ("size-guessed", Severity.NOTE)]
    assert not capture.coloured.any()
    assert capture[2].colour is None
    assert capture[2].colour_camera is None
    np.testing.assert_allclose(capture[2].depth, DEPTH[2] / 1000, rtol=1e-6)  # type: ignore[arg-type]


def test_without_a_film_the_size_is_that_of_the_middle(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk", new=False, film=False)
    (folder / "camera_matrix.csv").write_text("1447, 0, 966\n0, 1447, 691\n0, 0, 1\n")
    capture = read(folder)
    assert capture.findings[-1].numbers["width_px"] == 1920
    camera = capture[0].depth_camera
    assert camera is not None
    assert camera.fx == pytest.approx(1447 * 32 / 1920)


def test_a_film_that_ends_early_leaves_frames_without_a_picture(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk", film=False)
    write_film(folder, 4)
    capture = read(folder)
    assert capture.coloured.tolist() == [True] * 4 + [False] * 2
    assert codes(capture) == [("colour-unusable", Severity.DEGRADED)]


def test_depth_alone_decodes_no_film(tmp_path: Path) -> None:
    assert all(frame.colour is None for frame in depth_alone(read(scan(tmp_path / "desk"))))


def test_frames_that_cannot_be_used_are_left_out_and_said(tmp_path: Path) -> None:
    rows = [row(k, True) for k in range(COUNT)]
    rows[3] = rows[3].replace(rows[3].split(", ")[5], "2.5")
    folder = scan(tmp_path / "desk", rows=rows)
    (folder / "depth" / "000000.png").unlink()
    cv2.imwrite(str(folder / "confidence" / "000001.png"), SURE[1, :12, :16])
    capture = read(folder)
    assert [frame.name for frame in capture] == ["000002", "000004", "000005"]
    assert [f.code for f in capture.findings] == ["depth-unusable", "confidence-unusable", "frame-absurd"]
    colour = capture[1].colour
    assert colour is not None
    assert colour.mean() == pytest.approx(20 + 30 * 4, abs=4), "the picture is the frame's own"


def test_no_confidence_at_all_is_said(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    shutil.rmtree(folder / "confidence")
    capture = read(folder)
    assert codes(capture) == [("confidence-missing", Severity.DEGRADED)]
    assert capture[0].confidence is None


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    before = read(folder).world_from_camera
    lines = (folder / "odometry.csv").read_text().splitlines()
    turned = [", ".join(reversed(line.split(", "))) for line in lines]
    (folder / "odometry.csv").write_text("\n".join(turned))
    np.testing.assert_array_equal(read(folder).world_from_camera, before)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"odometry.csv": ""}, r"odometry\.csv has no column timestamp, frame, x"),
        ({"odometry.csv": NEW}, r"odometry\.csv lists nothing$"),
        (
            {"odometry.csv": f"{NEW}\n1, 2, 3\n"},
            r"odometry\.csv, line 2: not 13 fields with a frame's number$",
        ),
        ({"odometry.csv": f"{OLD}\n0, ../x, 0, 0, 0, 0, 0, 0, 1\n"}, r"line 2: not 9 fields with"),
        ({"odometry.csv": f"{OLD}\n0, 1, 0, here, 0, 0, 0, 0, 1\n"}, r"odometry\.csv is broken: could not"),
        (
            {"odometry.csv": f"{OLD}\n0, 7, 0, 0, 0, 0, 0, 0, 1\n"},
            r"none of 1 frames can be used: .*the first: ",
        ),
        ({"odometry.csv": f"{OLD}\n0, 0, 0\n", "depth/000000.png": ""}, r"line 2: not 9 fields"),
    ],
)
def test_what_is_broken_is_one_line(changes: dict[str, Any], why: str, tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    for name, text in changes.items():
        (folder / name).write_text(text)
    with pytest.raises(CaptureError, match=why) as caught:
        read(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["1, 2\n3, 4\n", "nan, 0, 0\n0, 1, 0\n0, 0, 1\n", "x", "1, 0\n2\n", ""])
def test_a_broken_matrix_is_one_line(text: str, tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk", new=False)
    (folder / "camera_matrix.csv").write_text(text)
    with pytest.raises(CaptureError, match=r"camera_matrix\.csv is (no camera matrix of 3 by 3|broken: )"):
        read(folder)


@pytest.mark.captures
def test_poses_alone_are_no_capture(captures: Path) -> None:
    with pytest.raises(CaptureError, match=r"has no depth: depth/\*\.png is missing; export the whole"):
        read(captures / "strayscanner_poses_only")


@pytest.mark.slow
@pytest.mark.captures
def test_the_chair_is_the_same_in_two_formats(captures: Path) -> None:
    """Its 24 frames are some of the other's: same places, same depth."""
    stray, app = read(captures / "strayscanner_chair"), read(captures / "3dscannerapp_chair")
    assert (len(stray), codes(stray)) == (24, [])
    for k in range(0, 24, 6):
        frame = stray[k]
        apart = np.abs(app.world_from_camera - frame.world_from_camera).max((1, 2))
        assert apart.min() < 1e-4, "no flip of axes"
        other = app[int(np.argmin(apart))]
        np.testing.assert_array_equal(frame.depth, other.depth)
        np.testing.assert_array_equal(frame.confidence, other.confidence)
        assert frame.depth_camera is not None
        assert other.depth_camera is not None
        np.testing.assert_allclose(frame.depth_camera.matrix, other.depth_camera.matrix, atol=1e-3)
