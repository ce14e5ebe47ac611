"""Exports "EXR + JPG" of Record3D: what was written is read, files by their names; what is broken is said."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenEXR
import pytest
from scipy.spatial.transform import Rotation

from pocketworld.errors import CaptureError
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scan.moments import depth_alone
from pocketworld.scan.poses import OPENGL_FROM_OPENCV, Z_UP_FROM_Y_UP
from pocketworld.scan.readers import read

COUNT = 12
DEPTH = stream(0, "record3d", "depth").uniform(0.2, 5, (COUNT, 32, 24)).astype(np.float16)
POSES = se3.exp(stream(0, "record3d", "poses").normal(0, 1, (COUNT, 6)))
MISSING = (3, 7)


def save(file: Path, **channels: np.ndarray) -> None:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, channels).write(str(file))


def scan(folder: Path, **said: Any) -> Path:
    """Write an export: picture k is all of one grey, 20 k; two frames have a pose, but no files."""
    for sub in ("rgb", "depth"):
        (folder / "EXR_RGBD" / sub).mkdir(parents=True)
    for k in range(COUNT):
        if k not in MISSING:
            save(folder / "EXR_RGBD" / "depth" / f"{k}.exr", R=DEPTH[k])
            picture = np.full((160, 120, 3), 20 * k, np.uint8)
            cv2.imwrite(str(folder / "EXR_RGBD" / "rgb" / f"{k}.jpg"), picture)
    poses = [[*Rotation.from_matrix(p[:3, :3]).as_quat(), *p[:3, 3]] for p in POSES @ OPENGL_FROM_OPENCV]
    camera = {"K": [100, 0, 0, 0, 101, 0, 60, 80, 1], "w": 120, "h": 160, "dw": 24, "dh": 32, "fps": 30}
    data = {**camera, "poses": np.array(poses).tolist(), **said}
    data = {key: value for key, value in data.items() if value is not None}
    (folder / "EXR_RGBD" / "metadata.json").write_text(json.dumps(data))
    return folder


def test_what_was_written_is_read_by_its_name(tmp_path: Path) -> None:
    capture = read(scan(tmp_path / "door"))
    there = [k for k in range(COUNT) if k not in MISSING]
    assert (capture.name, capture.format) == ("door", "Record3D")
    assert [frame.name for frame in capture] == [str(k) for k in there], "10 comes after 9"
    np.testing.assert_allclose(capture.world_from_camera, Z_UP_FROM_Y_UP @ POSES[there], atol=1e-9)
    for frame in capture:
        k = int(frame.name)
        assert frame.colour is not None
        assert frame.depth is not None
        assert frame.colour_camera is not None
        assert frame.depth_camera is not None
        assert frame.colour.mean() == pytest.approx(20 * k, abs=2)
        np.testing.assert_array_equal(frame.depth, DEPTH[k].astype(np.float32))
        assert frame.time == pytest.approx(k / 30)
        camera = frame.colour_camera
        assert (camera.fx, camera.fy, camera.cx, camera.cy) == (100, 101, 60, 80), "K is column-major"
        assert camera.resized(24, 32) == frame.depth_camera
    lost, confidence = capture.findings
    assert (lost.code, dict(lost.numbers)) == ("depth-unusable", {"frames": 2, "of": COUNT})
    assert (confidence.code, confidence.severity) == ("confidence-missing", Severity.DEGRADED)


def test_depth_that_is_none_is_unknown(tmp_path: Path) -> None:
    folder = scan(tmp_path / "door")
    spoiled = DEPTH[0].copy()
    spoiled[0, :4] = [np.nan, np.inf, -1, 0]
    save(folder / "EXR_RGBD" / "depth" / "0.exr", R=spoiled)
    depth = read(folder)[0].depth
    assert depth is not None
    assert depth[0, :4].tolist() == [0, 0, 0, 0]
    assert (depth[1:] > 0).all()


def test_depth_alone_is_read_without_pictures(tmp_path: Path) -> None:
    assert all(frame.colour is None for frame in depth_alone(read(scan(tmp_path / "door"))))


def test_frames_that_cannot_be_used_are_left_out_and_said(tmp_path: Path) -> None:
    poses = [[0, 0, 0, 1.0, 0, 0, 0]] * (COUNT - 1)
    poses[4] = [0, 0, 0, 3.0, 0, 0, 0]
    folder = scan(tmp_path / "door", poses=poses)
    depth, rgb = folder / "EXR_RGBD" / "depth", folder / "EXR_RGBD" / "rgb"
    save(depth / "0.exr", R=DEPTH[0, :16])
    save(depth / "1.exr", R=DEPTH[1], G=DEPTH[1])
    (depth / "2.exr").write_bytes(b"\x76\x2f\x31\x01 and no more")
    (depth / "5.exr").write_bytes(b"PNG")
    (rgb / "6.jpg").unlink()
    capture = read(folder)
    assert [frame.name for frame in capture] == ["6", "8", "9", "10"]
    assert capture.coloured.tolist() == [False, True, True, True]
    lost = {f.code: f.numbers["frames"] for f in capture.findings if "frames" in f.numbers}
    assert lost == {"frame-unposed": 1, "frame-absurd": 1, "depth-unusable": 6, "colour-unusable": 1}


@pytest.mark.parametrize("double", ["EXR_RGBD/depth/05.exr", "EXR_RGBD/again/depth/5.exr"])
def test_a_frame_with_two_depth_maps_is_left_out_and_said(double: str, tmp_path: Path) -> None:
    folder = scan(tmp_path / "door")
    (folder / double).parent.mkdir(parents=True, exist_ok=True)
    save(folder / double, R=DEPTH[6])
    capture = read(folder)
    assert "5" not in [frame.name for frame in capture]
    (told,) = (finding for finding in capture.findings if finding.code == "frame-twice")
    assert told.numbers == {"frames": 1, "of": COUNT}
    assert double.removeprefix("EXR_RGBD/") in told.text
    assert "5.exr and " in told.text


def test_a_file_damaged_inside_is_one_line(tmp_path: Path) -> None:
    folder = scan(tmp_path / "door")
    file = folder / "EXR_RGBD" / "depth" / "0.exr"
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(CaptureError, match=r"depth/0\.exr is damaged; delete this frame's files$"):
        list(depth_alone(read(folder)))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"K": None}, "is broken: KeyError: 'K'$"),
        ({"K": [1, 0, 60, 0, 1, 80, 0, 0, 1]}, "is broken: ValueError: K is not column-major without skew$"),
        ({"poses": [[1, 2]]}, "is broken: ValueError: "),
        ({"poses": []}, "none of 10 frames can be used: .*the first: "),
        ({"w": 0}, "is broken: CaptureError: camera "),
        ({"dw": 10**6, "dh": 10**6}, "is broken: ValueError: dw and dh are no size of a depth map$"),
    ],
)
def test_a_broken_list_is_one_line(said: dict[str, Any], why: str, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=why) as caught:
        read(scan(tmp_path / "door", **said))
    assert "\n" not in str(caught.value)


@pytest.mark.captures
def test_the_door_handle_is_read_portrait_and_near(captures: Path) -> None:
    """A lever at 0.17 to 0.43 m; of 345 poses, 50 have files here."""
    capture = read(captures / "record3d_door_handle")
    assert len(capture) == 50
    assert capture.findings[0].numbers == {"frames": 295, "of": 345}
    frame = capture[10]
    assert frame.depth is not None
    assert frame.colour is not None
    assert (frame.depth.shape, frame.colour.shape) == ((256, 192), (1920, 1440, 3))
    assert 0.15 < float(np.median(frame.depth)) < 0.4
