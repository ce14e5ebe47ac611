"""Exports of 3D Scanner App: real frames, and what can be wrong with such an export."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from pocketworld.errors import CaptureError
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.scan import pictures, scanner_app
from pocketworld.scan.capture import Frame
from pocketworld.scan.moments import Loader
from pocketworld.scan.poses import OPENGL_FROM_OPENCV
from pocketworld.scan.readers import read
from pocketworld.scan.source import Source

ROOT = Path(__file__).parent / "data" / "chair"
COUNT = 9


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Return an export of nine frames, made of three real ones; pictures for 0, 3 and 6."""
    folder = tmp_path / "chair"
    folder.mkdir()
    for k in range(COUNT):
        for name in ("frame_{}.json", "depth_{}.png", "conf_{}.png"):
            shutil.copy(ROOT / name.format(f"0000{k % 3}"), folder / name.format(f"0000{k}"))
        if k % 3 == 0:
            shutil.copy(ROOT / "frame_00000.jpg", folder / f"frame_0000{k}.jpg")
    shutil.copy(ROOT / "LICENSE.txt", folder)
    (folder / "info.json").write_text(json.dumps({"appVersionString": "1.9.5", "numImages": COUNT}))
    return folder


def edit(folder: Path, k: int, change: Callable[[dict[str, Any]], None]) -> None:
    file = folder / f"frame_0000{k}.json"
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


def found(folder: Path) -> dict[str, tuple[Severity, dict[str, float]]]:
    return {f.code: (f.severity, dict(f.numbers)) for f in read(folder).findings}


def sparse(pictures: int, of: int) -> dict[str, tuple[Severity, dict[str, float]]]:
    return {"colour-sparse": (Severity.NOTE, {"pictures": pictures, "of": of})}


def test_an_export_is_read_as_the_app_means_it(export: Path) -> None:
    capture = read(export)
    assert (capture.name, capture.format, len(capture)) == ("chair", "3D Scanner App", COUNT)
    assert capture.device == "iPhone or iPad with LiDAR, 3D Scanner App 1.9.5"
    assert capture.licence == "MIT License (LICENSE.txt)"
    assert capture.coloured.tolist() == [k % 3 == 0 for k in range(COUNT)]
    assert found(export) == sparse(3, COUNT)
    for k, frame in enumerate(capture):
        data = json.loads((export / f"frame_0000{k}.json").read_text())
        assert (frame.index, frame.name) == (k, f"0000{k}")
        check_pose(frame, np.array(data["cameraPoseARFrame"]).reshape(4, 4), capture.world_from_capture)
        check_depth(frame, export, data["intrinsics"])
        assert (frame.colour is not None) == (k % 3 == 0)


def check_pose(frame: Frame, arkit: np.ndarray, world_from_capture: np.ndarray) -> None:
    """What the app's OpenGL camera sees, our OpenCV camera sees; ARKit's +y is our +z."""
    in_opengl = np.array([[0.1, 0.2, -2.0]])
    in_arkit = se3.apply(arkit, in_opengl)[0]
    in_world = se3.apply(frame.world_from_camera, in_opengl * [1, -1, -1])[0]
    np.testing.assert_allclose(in_world, [in_arkit[0], -in_arkit[2], in_arkit[1]], atol=1e-5)
    np.testing.assert_allclose(se3.apply(world_from_capture, in_arkit[None])[0], in_world, atol=1e-5)


def check_depth(frame: Frame, export: Path, intrinsics: list[float]) -> None:
    assert frame.depth is not None
    assert frame.confidence is not None
    assert frame.depth_camera is not None
    mm = np.asarray(Image.open(export / f"depth_{frame.name}.png"))
    levels = np.asarray(Image.open(export / f"conf_{frame.name}.png"))
    np.testing.assert_allclose(frame.depth, mm / 1000, rtol=1e-6)
    np.testing.assert_array_equal(frame.confidence, levels / 2)
    fx, _, cx, _, fy, cy, *_ = intrinsics
    camera = frame.depth_camera
    assert (camera.width, camera.height) == (256, 192)
    assert (camera.fx, camera.fy) == pytest.approx((fx * 256 / 1920, fy * 192 / 1440))
    assert (camera.cx, camera.cy) == pytest.approx(
        ((cx + 0.5) * 256 / 1920 - 0.5, (cy + 0.5) * 192 / 1440 - 0.5)
    )


def test_a_picture_stored_smaller_has_its_own_camera(export: Path) -> None:
    """The JSON's intrinsics are for 1920x1440; this picture has 480x360."""
    frame = read(export)[0]
    assert frame.colour is not None
    assert frame.colour_camera is not None
    assert frame.depth_camera is not None
    assert frame.colour.shape == (360, 480, 3)
    assert frame.colour_camera.fx == pytest.approx(1447.654296875 / 4)
    np.testing.assert_allclose(frame.colour_camera.resized(256, 192).matrix, frame.depth_camera.matrix)


def test_knowing_frames_reads_none(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether pictures lie on depth is looked at later, whatever the format (`registration`)."""

    def refuse(source: object, name: str, how: int) -> None:
        raise AssertionError(f"{name} was decoded")

    monkeypatch.setattr(pictures, "_decoded", refuse)
    capture = scanner_app.read(Source.of(export))[1:7:2]
    assert [capture.order, len(capture[1:])] == [(1, 3, 5), 2]
    with pytest.raises(AssertionError, match=r"depth_00001\.png was decoded|frame_00001\.jpg was decoded"):
        capture[0]


def test_a_zip_is_read_like_the_folder(export: Path) -> None:
    shutil.make_archive(str(export), "zip", export.parent, "chair")
    one, other = read(export), read(export.with_suffix(".zip"))
    assert (one.name, one.order, one.findings) == (other.name, other.order, other.findings)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.world_from_camera, b.world_from_camera)
        np.testing.assert_array_equal(a.depth, b.depth)
        np.testing.assert_array_equal(a.confidence, b.confidence)
        assert (a.colour is None) == (b.colour is None)


def test_where_on_earth_it_was_is_read_into_nothing(export: Path) -> None:
    for k in range(COUNT):
        edit(
            export,
            k,
            lambda data: data.update(latitude=47.123, longitude=8.456, altitude=431.7, gpsTime=77123),
        )
    info = {"appVersionString": "1", "gpsLatitude": 47.123, "title": "At Ada's, 8.456", "numImages": COUNT}
    (export / "info.json").write_text(json.dumps(info))
    capture = read(export)
    assert isinstance(capture.load, Loader)
    kept = pickle.dumps([capture.load.moments, capture.findings, capture.device, capture.licence])
    kept += pickle.dumps([capture.world_from_camera.tolist(), capture.name])
    for secret in (47.123, 8.456, 431.7, 77123, "Ada", "latitude"):
        text = secret.encode() if isinstance(secret, str) else pickle.dumps(secret)[-10:-1]
        assert text not in kept


def drop(data: dict[str, Any], key: str) -> None:
    del data[key]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("cameraPoseARFrame"),
        lambda data: data.update(cameraPoseARFrame=[1, 0, 0]),
        lambda data: data.update(cameraPoseARFrame="north"),
        lambda data: data.update(cameraPoseARFrame=None),
        lambda data: data.update(cameraPoseARFrame=[[1]] + [0] * 15),
        lambda data: data.pop("intrinsics"),
        lambda data: data.update(intrinsics=[0] * 9),
        lambda data: data.update(intrinsics=[1448, 0, 0, 0, 1448, 0, 966, 691, 1]),  # column-major
        lambda data: data.update(intrinsics=[-1448, 0, 966, 0, 1448, 691, 0, 0, 1]),
        lambda data: data.update(projectionMatrix=[0] * 16),
        lambda data: data.update(projectionMatrix=[1e-310] * 16),
        lambda data: data.update(projectionMatrix=[[]]),
        lambda data: data.update(time="noon"),
        lambda data: data.update(cameraPoseARFrame=[float("nan")] * 16),  # Python writes it, JSON has it not
        lambda data: data.update(time=float("inf")),
    ],
)
def test_a_frame_without_a_readable_pose_is_left_out_and_said(
    change: Callable[[dict[str, Any]], None], export: Path
) -> None:
    edit(export, 4, change)
    capture = read(export)
    assert [frame.name for frame in capture] == [f"0000{k}" for k in range(COUNT) if k != 4]
    assert found(export) == {
        "frame-unposed": (Severity.DEGRADED, {"frames": 1, "of": COUNT}),
        **sparse(3, COUNT - 1),
    }
    assert f"{export}/frame_00004.json is " in capture.findings[0].text


@pytest.mark.parametrize(
    "pose",
    [
        np.zeros((4, 4)),
        np.diag([1.0, 1, -1, 1]),
        np.diag([3.0, 3, 3, 1]),
        np.eye(4) + np.diag([5000.0, 0, 0], 1),
        (np.eye(4) + np.eye(4)[:, [3, 0, 1, 2]]).T,
    ],
)
def test_a_pose_that_is_none_is_left_out_and_said(pose: np.ndarray, export: Path) -> None:
    edit(export, 4, lambda data: data.update(cameraPoseARFrame=pose.ravel().tolist()))
    assert "00004" not in [frame.name for frame in read(export)]
    assert found(export)["frame-absurd"] == (Severity.DEGRADED, {"frames": 1, "of": COUNT})


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])


def narrow(file: Path) -> None:
    with Image.open(file) as image:
        narrower = image.crop((0, 0, 100, image.height))
    narrower.save(file)


@pytest.mark.parametrize("hurt", [Path.unlink, cut, narrow])
@pytest.mark.parametrize(
    ("name", "code"), [("depth_{}.png", "depth-unusable"), ("conf_{}.png", "confidence-unusable")]
)
def test_files_that_cannot_be_used_are_left_out_and_said(
    hurt: Callable[[Path], None], name: str, code: str, export: Path
) -> None:
    for k in (2, 6):
        hurt(export / name.format(f"0000{k}"))
    capture = read(export)
    assert [frame.name for frame in capture] == [f"0000{k}" for k in (0, 1, 3, 4, 5, 7, 8)]
    assert found(export) == {code: (Severity.DEGRADED, {"frames": 2, "of": COUNT}), **sparse(2, COUNT - 2)}
    assert name.format("00002") in capture.findings[0].text


def test_maps_of_another_kind_are_left_out_and_said(export: Path) -> None:
    shutil.copy(export / "conf_00001.png", export / "depth_00001.png")
    shutil.copy(export / "depth_00002.png", export / "conf_00002.png")
    capture = read(export)
    assert [f.code for f in capture.findings] == ["depth-unusable", "confidence-unusable", "colour-sparse"]
    assert capture.findings[0].text.endswith("depth_00001.png has pixels of kind L, not uint16")
    assert capture.findings[1].text.endswith("conf_00002.png has pixels of kind I;16, not uint8")


def test_a_confidence_of_another_size_is_not_used(export: Path) -> None:
    cv2.imwrite(str(export / "conf_00001.png"), np.full((96, 128), 2, np.uint8))
    assert found(export)["confidence-unusable"] == (Severity.DEGRADED, {"frames": 1, "of": COUNT})


def test_a_picture_that_cannot_be_used_is_said_and_the_frame_kept(export: Path) -> None:
    cut(export / "frame_00003.jpg")
    capture = read(export)
    assert len(capture) == COUNT
    assert capture.coloured.tolist() == [k in (0, 6) for k in range(COUNT)]
    assert found(export) == {
        "colour-unusable": (Severity.DEGRADED, {"frames": 1, "of": COUNT}),
        **sparse(2, COUNT),
    }


def test_a_frame_without_its_json_is_said(export: Path) -> None:
    (export / "frame_00004.json").unlink()
    assert found(export)["frame-unposed"] == (Severity.DEGRADED, {"frames": 1, "of": COUNT})


def test_frames_that_are_not_here_at_all_are_said(export: Path) -> None:
    (export / "info.json").write_text(json.dumps({"numImages": 30}))
    assert found(export)["frames-missing"] == (Severity.DEGRADED, {"frames": COUNT, "of": 30})
    (export / "info.json").write_text("{")
    assert found(export)["info-unreadable"] == (Severity.NOTE, {})
    (export / "info.json").write_text(json.dumps({"numImages": "many", "appVersionString": 3}))
    assert found(export) == sparse(3, COUNT)
    (export / "info.json").unlink()
    assert read(export).device == "iPhone or iPad with LiDAR, 3D Scanner App"


def test_without_any_confidence_or_picture_that_is_said(export: Path) -> None:
    for file in (*export.glob("conf_*.png"), *export.glob("*.jpg")):
        file.unlink()
    capture = read(export)
    assert len(capture) == COUNT
    assert capture[0].confidence is None
    assert {f.code: f.severity for f in capture.findings} == {
        "confidence-missing": Severity.DEGRADED,
        "colour-sparse": Severity.LOST,
    }


def test_a_confidence_beyond_the_best_is_named_when_it_is_read(export: Path) -> None:
    cv2.imwrite(str(export / "conf_00001.png"), np.full((192, 256), 3, np.uint8))
    with pytest.raises(CaptureError, match=r"conf_00001\.png has level 3, over 2$"):
        read(export)[1]


def test_nothing_left_is_one_line_that_names_a_file(export: Path) -> None:
    for file in export.glob("depth_*.png"):
        cut(file)
    with pytest.raises(
        CaptureError, match=r"none of 9 frames can be used: .*depth_00000\.png is cut short; "
    ):
        read(export)


def test_the_size_of_pictures_stands_in_for_a_projection(export: Path) -> None:
    whole = read(export)
    for k in range(COUNT):
        edit(export, k, lambda data: drop(data, "projectionMatrix"))
    with Image.open(export / "frame_00000.jpg") as image:
        image.resize((1920, 1440)).save(export / "frame_00003.jpg")
    (export / "frame_00000.jpg").write_bytes(b"no picture")
    again = read(export)
    assert again[1].depth_camera == whole[1].depth_camera
    for file in export.glob("*.jpg"):
        file.unlink()
    with pytest.raises(CaptureError, match=r"no projectionMatrix, and no picture, says for which size"):
        read(export)


def test_times_count_from_the_first_frame(export: Path) -> None:
    for k in range(COUNT):
        edit(export, k, lambda data, k=k: data.update(time=400_000 + k / 5))  # type: ignore[misc]
    edit(export, 3, lambda data: drop(data, "time"))
    times = [frame.time for frame in read(export)]
    assert times[3] is None
    assert [t for t in times if t is not None] == pytest.approx([k / 5 for k in range(COUNT) if k != 3])


def test_frames_are_in_the_order_of_their_numbers(export: Path) -> None:
    for name in ("frame_{}.json", "depth_{}.png", "conf_{}.png"):
        (export / name.format("00008")).rename(export / name.format("100000"))
    assert [frame.name for frame in read(export)][-2:] == ["00007", "100000"]


def test_poses_are_exactly_rigid(export: Path) -> None:
    turns = read(export).world_from_camera[:, :3, :3]
    np.testing.assert_allclose(turns @ turns.swapaxes(1, 2), np.tile(np.eye(3), (COUNT, 1, 1)), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(turns @ OPENGL_FROM_OPENCV[:3, :3]), 1)


@pytest.mark.parametrize(
    ("name", "frames", "coloured"), [("3dscannerapp_chair", 70, 2), ("3dscannerapp_corridor", 160, 54)]
)
def test_real_exports_are_read_whole(name: str, frames: int, coloured: int, captures: Path) -> None:
    capture = read(captures / name)
    assert (len(capture), int(capture.coloured.sum())) == (frames, coloured)
    assert capture.licence == "MIT License (LICENSE.txt)"
    last = capture[-1]
    assert last.time is not None
    assert 8 < last.time < 60
    mean = np.mean([f.confidence.mean() for f in capture[::20] if f.confidence is not None])
    assert 0.7 < mean < 0.9


def test_the_corridor_is_walked_upright(captures: Path) -> None:
    """ARKit's y is up: the camera stays about 1.57 m above the floor, and the walk leads 23 m over it."""
    places = read(captures / "3dscannerapp_corridor").world_from_camera[:, :3, 3]
    assert np.ptp(places[:, 2]) < 0.4
    assert np.linalg.norm(np.diff(places, axis=0), axis=1).sum() == pytest.approx(23, abs=0.5)
