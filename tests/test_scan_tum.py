"""Folders of the TUM RGB-D benchmark: the real pedestal, and what can be wrong with such a folder."""

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pocketworld.errors import CaptureError
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scan.capture import Camera
from pocketworld.scan.readers import read

COUNT = 8
RATE = 30.0
DEPTH = stream(0, "tum", "depth").integers(500, 20_000, (COUNT, 48, 64)).astype(np.uint16)
COLOUR = stream(0, "tum", "colour").integers(0, 255, (COUNT, 48, 64, 3)).astype(np.uint8)
POSES = se3.exp(stream(0, "tum", "poses").normal(0, 1, (COUNT, 6)))
START = 1341841278.0


def stamp(k: float) -> str:
    return f"{START + k / RATE:.6f}"


def lines(folder: Path, name: str, rows: list[str], comment: str = "# rgbd_dataset_freiburg3_desk") -> None:
    (folder / name).write_text("\n".join([comment, "# timestamp filename", *rows, ""]))


def pose_row(k: float, pose: np.ndarray) -> str:
    numbers = [*pose[:3, 3], *Rotation.from_matrix(pose[:3, :3]).as_quat()]
    return " ".join([stamp(k), *(f"{number:.6f}" for number in numbers)])


def scan(folder: Path, comment: str = "# rgbd_dataset_freiburg3_desk", late: float = 0.0) -> Path:
    """Write a capture; pictures and poses are `late` parts of a frame behind the depth."""
    for sub in ("rgb", "depth"):
        (folder / sub).mkdir(parents=True)
    for k in range(COUNT):
        cv2.imwrite(str(folder / "depth" / f"{k}.png"), DEPTH[k])
        cv2.imwrite(str(folder / "rgb" / f"{k}.png"), COLOUR[k][..., ::-1])
    lines(folder, "depth.txt", [f"{stamp(k)} depth/{k}.png" for k in range(COUNT)], comment)
    lines(folder, "rgb.txt", [f"{stamp(k + late)} rgb/{k}.png" for k in range(COUNT)], comment)
    lines(folder, "groundtruth.txt", [pose_row(k + late, POSES[k]) for k in range(COUNT)], comment)
    return folder


def codes(path: Path) -> list[tuple[str, Severity]]:
    return [(finding.code, finding.severity) for finding in read(path).findings]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    capture = read(scan(tmp_path / "desk"))
    assert (capture.name, capture.format, len(capture), capture.findings) == ("desk", "TUM RGB-D", COUNT, ())
    assert capture.coloured.all()
    assert capture.licence is None
    np.testing.assert_array_equal(capture.world_from_capture, np.eye(4))
    np.testing.assert_allclose(capture.world_from_camera, POSES, atol=2e-6)
    for k, frame in enumerate(capture):
        assert (frame.index, frame.name) == (k, str(k))
        assert frame.time == pytest.approx(k / RATE, abs=1e-5)
        assert frame.colour is not None
        assert frame.depth is not None
        np.testing.assert_array_equal(frame.colour, COLOUR[k])
        np.testing.assert_allclose(frame.depth, DEPTH[k] / 5000, rtol=1e-6)
        np.testing.assert_array_equal(frame.world_from_camera, capture.world_from_camera[k])
        assert frame.confidence is None
        assert frame.depth_camera == frame.colour_camera


def test_a_zip_is_read_like_the_folder(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    shutil.make_archive(str(tmp_path / "desk"), "zip", folder)
    one, other = read(folder), read(tmp_path / "desk.zip")
    assert (one.name, one.order, one.findings) == (other.name, other.order, other.findings)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.depth, b.depth)
        np.testing.assert_array_equal(a.colour, b.colour)


def test_the_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    before = read(folder)
    for name in ("rgb.txt", "depth.txt", "groundtruth.txt"):
        rows = (folder / name).read_text().splitlines()
        (folder / name).write_text("\n".join(reversed(rows)) + "\n\n   \n")
    after = read(folder)
    np.testing.assert_array_equal(before.world_from_camera, after.world_from_camera)
    assert [frame.name for frame in before] == [frame.name for frame in after]


@pytest.mark.parametrize("late", [0.3, -0.3, 0.49])
def test_the_nearest_picture_and_pose_belong_to_a_depth_map(late: float, tmp_path: Path) -> None:
    capture = read(scan(tmp_path / "desk", late=late))
    assert [frame.name for frame in capture] == [str(k) for k in range(COUNT)]
    np.testing.assert_allclose(capture.world_from_camera, POSES, atol=2e-6)
    assert capture.coloured.all()


def test_what_is_too_late_belongs_to_none(tmp_path: Path) -> None:
    """Half a frame is as near to the next: of a slow capture, 20 ms is the most."""
    folder = scan(tmp_path / "desk")
    lines(folder, "rgb.txt", [f"{stamp(k + 20)} rgb/{k}.png" for k in range(COUNT)])
    capture = read(folder)
    assert not capture.coloured.any()
    assert capture[0].colour is None
    assert capture[0].colour_camera is None
    assert [(f.code, f.severity, f.numbers) for f in capture.findings] == [
        ("colour-unusable", Severity.LOST, {"frames": COUNT, "of": COUNT})
    ]
    rows = [f"{START + k:.6f} depth/{k}.png" for k in range(COUNT)]  # one a second
    lines(folder, "depth.txt", rows)
    late = [pose_row(0, POSES[k]).replace(stamp(0), f"{START + k + 0.03:.6f}") for k in range(COUNT)]
    lines(folder, "groundtruth.txt", late)
    with pytest.raises(
        CaptureError, match=r"can be used: 8 have no pose near their time; the first: depth/0\.png$"
    ):
        read(folder)


def test_frames_without_a_pose_are_left_out_and_said(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    lines(folder, "groundtruth.txt", [pose_row(k, POSES[k]) for k in range(COUNT) if k not in (2, 5)])
    capture = read(folder)
    assert [frame.name for frame in capture] == ["0", "1", "3", "4", "6", "7"]
    assert [frame.index for frame in capture] == list(range(6))
    (finding,) = capture.findings
    assert (finding.code, finding.severity, dict(finding.numbers)) == (
        "frame-unposed",
        Severity.DEGRADED,
        {"frames": 2, "of": COUNT},
    )
    assert (
        finding.text == "2 of 8 frames have no pose near their time and are left out; the first: depth/2.png"
    )


@pytest.mark.parametrize(
    "numbers", ["nan 0 0 0 0 0 1", "inf 0 0 0 0 0 1", "0 0 0 0 0 0 0", "0 0 0 3 0 0 1", "5e3 0 0 0 0 0 1"]
)
def test_poses_that_are_none_are_left_out_and_said(numbers: str, tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    rows = [pose_row(k, POSES[k]) for k in range(COUNT)]
    lines(folder, "groundtruth.txt", [f"{stamp(0)} {numbers}", *rows[1:]])
    capture = read(folder)
    assert len(capture) == COUNT - 1
    assert [f.code for f in capture.findings] == ["frame-absurd"]
    np.testing.assert_allclose(capture.world_from_camera, POSES[1:], atol=2e-6)


def test_files_that_are_missing_cut_short_or_wrong_are_left_out_and_said(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    (folder / "depth" / "0.png").unlink()
    data = (folder / "depth" / "1.png").read_bytes()
    (folder / "depth" / "1.png").write_bytes(data[:-20])
    cv2.imwrite(str(folder / "depth" / "2.png"), DEPTH[2, :, :40])
    (folder / "rgb" / "4.png").write_bytes(b"")
    cv2.imwrite(str(folder / "rgb" / "5.png"), COLOUR[5, :20])
    capture = read(folder)
    assert [frame.name for frame in capture] == ["3", "4", "5", "6", "7"]
    assert capture.coloured.tolist() == [True, False, False, True, True]
    depth, colour = capture.findings
    assert (depth.code, colour.code) == ("depth-unusable", "colour-unusable")
    assert depth.text.startswith("3 of 8 frames have no depth")
    assert depth.text.endswith(f"the first: {folder}/depth/0.png is missing")
    assert "rgb/4.png is no PNG or JPEG that can be read" in colour.text


def test_a_picture_of_another_shape_is_named(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    cv2.imwrite(str(folder / "rgb" / "0.png"), COLOUR[5, :20])
    assert "rgb/0.png has 64x20 pixels, not the shape of 640x480" in read(folder).findings[0].text


def test_a_list_that_leads_out_finds_nothing(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    cv2.imwrite(str(tmp_path / "secret.png"), COLOUR[0])
    lines(folder, "rgb.txt", [f"{stamp(k)} ../secret.png" for k in range(COUNT)])
    assert not read(folder).coloured.any()
    lines(folder, "rgb.txt", [f"{stamp(k)} {tmp_path}/secret.png" for k in range(COUNT)])
    assert not read(folder).coloured.any()


@pytest.mark.parametrize("name", ["rgb.txt", "depth.txt", "groundtruth.txt"])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "is missing; a TUM RGB-D folder has rgb.txt, depth.txt, groundtruth.txt"),
        ("# nothing\n", "lists nothing"),
        ("1.0\n", "line 1: 1 fields, not [28]"),
        ("# x\n\nnever a b c d e f g\n", "(line 3: 8 fields, not 2|is broken: could not convert string)"),
        ("nan " + "0 " * 7, "(line 1: 8 fields, not 2|is broken: a time is no number)"),
        (b"\xff\xfe\xff", "is no text in UTF-8"),
    ],
)
def test_a_broken_list_is_named(name: str, text: str | bytes | None, why: str, tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CaptureError, match=rf"/{re.escape(name)}(, | ){why}") as caught:
        read(folder)
    assert "\n" not in str(caught.value)


def test_one_frame_is_a_capture(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    for name, row in (("rgb.txt", "rgb/0.png"), ("depth.txt", "depth/0.png")):
        lines(folder, name, [f"{stamp(0)} {row}"])
    lines(folder, "groundtruth.txt", [pose_row(0, POSES[0])])
    assert len(read(folder)) == 1


@pytest.mark.parametrize(
    ("comment", "name", "fx", "code"),
    [
        ("# rgbd_dataset_freiburg3_cabinet", "x", 535.4, None),
        ("# file: 'rgbd_dataset_freiburg1_xyz.bag'", "x", 517.3, "distortion"),
        ("# subset of rgbd_dataset_freiburg2_desk", "fr3_y", 520.9, "distortion"),
        ("# colours", "tum_fr3_cabinet", 535.4, None),
        ("# colours", "FR1", 517.3, "distortion"),
        ("# freiburg1 and freiburg3", "x", 525.0, "camera-unknown"),
        ("# freiburg12", "x", 525.0, "camera-unknown"),
        ("# colours", "desk", 525.0, "camera-unknown"),
    ],
)
def test_the_camera_is_the_one_that_the_capture_names(
    comment: str, name: str, fx: float, code: str | None, tmp_path: Path
) -> None:
    capture = read(scan(tmp_path / name, comment))
    camera = capture[0].colour_camera
    assert camera is not None
    assert camera.fx * 10 == pytest.approx(fx), "64 pixels wide instead of 640"
    assert [(f.code, f.severity) for f in capture.findings] == ([(code, Severity.DEGRADED)] if code else [])


def test_a_licence_comes_along(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    (folder / "LICENSE.txt").write_text("\n### License ###\n[CC BY 4.0](https://creativecommons.org)\nmore\n")
    assert read(folder).licence == "CC BY 4.0 (LICENSE.txt)"
    (folder / "LICENSE.txt").write_bytes(b"Copyright (c) 2021 Bj\xf6rk\n")
    assert read(folder).licence == "Copyright (c) 2021 Bj\ufffdrk (LICENSE.txt)"
    (folder / "LICENSE.txt").write_text("\n=====\n")
    assert read(folder).licence is None


def test_the_pedestal_is_read_as_its_format_says(captures: Path) -> None:
    capture = read(captures / "tum_fr3_cabinet")
    assert (len(capture), capture.format, capture.findings) == (58, "TUM RGB-D", ())
    assert capture.coloured.all()
    frame = capture[3]
    assert frame.depth_camera is not None
    assert frame.depth is not None
    assert frame.depth_camera == Camera(535.4, 539.2, 320.1, 247.6, 640, 480)
    assert frame.depth.shape == (480, 640)
    share = np.mean([(capture[i].depth == 0).mean() for i in range(0, 58, 3)])  # type: ignore[union-attr]
    assert share == pytest.approx(0.138, abs=0.01), "the Kinect does not see everything"


def test_the_pedestal_stands_on_the_floor_of_its_world(captures: Path) -> None:
    """World z is up already: the floor (the most common height by far) is at 0."""
    heights = []
    for frame in read(captures / "tum_fr3_cabinet", "::6"):
        assert frame.depth is not None
        assert frame.depth_camera is not None
        camera, z = frame.depth_camera, frame.depth[::8, ::8].astype(float)
        v, u = np.mgrid[0:480:8, 0:640:8]
        points = np.stack([(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z], -1)
        moved = se3.apply(frame.world_from_camera, points[(z > 0) & (z < 2.5)])
        heights.append(moved[:, 2])
    counts, edges = np.histogram(np.concatenate(heights), np.arange(-0.5, 2, 0.01))
    assert abs(edges[np.argmax(counts)] + 0.005) < 0.02
