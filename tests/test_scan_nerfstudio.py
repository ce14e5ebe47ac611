"""nerfstudio's transforms.json: what was written is read; what is up is measured; broken files are said."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pocketworld.errors import CaptureError
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scan.capture import Capture
from pocketworld.scan.moments import depth_alone
from pocketworld.scan.poses import OPENGL_FROM_OPENCV, Z_UP_FROM_Y_UP
from pocketworld.scan.readers import read
from pocketworld.scan.upward import AXES, find_up, z_up_from

COUNT = 12
DEPTH = stream(0, "nerfstudio", "depth").integers(500, 20_000, (COUNT, 48, 64)).astype(np.uint16)
COLOUR = stream(0, "nerfstudio", "colour").integers(0, 255, (COUNT, 48, 64, 3)).astype(np.uint8)


def looking_around(count: int = COUNT, down: float = 0.4, around: float = 1.5) -> np.ndarray:
    """Return cameras (n, 4, 4) of OpenCV in a world with z up, tilted `down` (rad), turning on the spot."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    for k, turn in enumerate(np.linspace(0, around, count)):
        ahead = np.array([np.cos(turn) * np.cos(down), np.sin(turn) * np.cos(down), -np.sin(down)])
        right = np.array([np.sin(turn), -np.cos(turn), 0])
        poses[k, :3, :3] = np.stack([right, np.cross(ahead, right), ahead], 1)
        poses[k, :3, 3] = [0.1 * k, 0.3, 1.5]
    return poses


POSES = looking_around()


def scan(folder: Path, poses: np.ndarray = POSES, **said: Any) -> Path:
    """Write a capture; `said` replaces what transforms.json says at its top, None leaves it out."""
    for sub in ("images", "depth"):
        (folder / sub).mkdir(parents=True)
    frames: list[dict[str, Any]] = []
    for k, pose in enumerate(poses):
        cv2.imwrite(str(folder / "depth" / f"{k}.png"), DEPTH[k])
        cv2.imwrite(str(folder / "images" / f"{k}.png"), COLOUR[k][..., ::-1])
        names = {"file_path": f"./images/{k}.png", "depth_file_path": f"depth/{k}.png"}
        frames.append({**names, "transform_matrix": (pose @ OPENGL_FROM_OPENCV).tolist()})
    camera = {"fl_x": 60.0, "fl_y": 61.0, "cx": 32.5, "cy": 23.5, "w": 64, "h": 48}
    top = {"camera_model": "OPENCV", **camera, "frames": frames, **said}
    write(folder, {key: value for key, value in top.items() if value is not None})
    return folder


def write(folder: Path, data: dict[str, Any]) -> None:
    (folder / "transforms.json").write_text(json.dumps(data))


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    data = json.loads((folder / "transforms.json").read_text())
    change(data)
    write(folder, data)
    return folder


def codes(capture: Capture) -> list[tuple[str, Severity]]:
    return [(finding.code, finding.severity) for finding in capture.findings]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    capture = read(scan(tmp_path / "desk"))
    assert (capture.name, capture.format, len(capture)) == ("desk", "nerfstudio", COUNT)
    assert codes(capture) == [("up-guessed", Severity.NOTE)]
    assert capture.coloured.all()
    np.testing.assert_array_equal(capture.world_from_capture, np.eye(4))
    np.testing.assert_allclose(capture.world_from_camera, POSES, atol=1e-12)
    for k, frame in enumerate(capture):
        assert (frame.index, frame.name) == (k, str(k)), "10 comes after 9"
        assert frame.colour is not None
        assert frame.depth is not None
        np.testing.assert_array_equal(frame.colour, COLOUR[k])
        np.testing.assert_allclose(frame.depth, DEPTH[k] / 1000, rtol=1e-6)
        assert frame.depth_camera == frame.colour_camera
        assert frame.depth_camera is not None
        np.testing.assert_allclose(frame.depth_camera.matrix, [[60, 0, 32], [0, 61, 23], [0, 0, 1]])


@pytest.mark.parametrize("which", range(6))
def test_up_is_the_axis_near_the_pictures_up(which: int, tmp_path: Path) -> None:
    """However the capture's own world is turned, the world that is read is the same."""
    turned = np.linalg.inv(z_up_from(which)) @ POSES
    capture = read(scan(tmp_path / "desk", turned))
    assert f"{AXES[which]} is taken" in capture.findings[0].text
    np.testing.assert_allclose(capture.world_from_camera, POSES, atol=1e-12)
    np.testing.assert_array_equal(capture.world_from_capture, z_up_from(which))


def test_axes_are_brought_to_z_by_turns() -> None:
    for which, axis in enumerate(np.vstack([np.eye(3), -np.eye(3)])):
        turn = z_up_from(which)[:3, :3]
        np.testing.assert_array_equal(turn @ axis, [0, 0, 1])
        assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_array_equal(z_up_from(1), Z_UP_FROM_Y_UP)


@pytest.mark.parametrize(
    "poses",
    [
        pytest.param(looking_around(down=np.pi / 2, around=2 * np.pi), id="looking-down"),
        pytest.param(looking_around(down=np.pi / 4, around=0), id="one-view-at-45-degrees"),
    ],
)
def test_where_up_is_not_plain_it_is_said(poses: np.ndarray) -> None:
    up = find_up(z_up_from(1).T @ poses, "x")
    assert (up.axis, up.finding.code, up.finding.severity) == ("+z", "up-unknown", Severity.DEGRADED)


def test_a_frame_may_have_its_own_camera(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk", fl_x=None, cx=None, w=None, h=None)

    def own(data: dict[str, Any]) -> None:
        for k, frame in enumerate(data["frames"]):
            frame.update(fl_x=50 + k, cx=30)

    edit(folder, own)
    cameras = [frame.depth_camera for frame in read(folder)]
    assert [camera.fx for camera in cameras if camera] == [50 + k for k in range(COUNT)]
    assert {(camera.cx, camera.width, camera.height) for camera in cameras if camera} == {(29.5, 64, 48)}


def test_numbers_of_names_order_them_however_long_they_are(tmp_path: Path) -> None:
    def renamed(data: dict[str, Any]) -> None:
        for k, frame in enumerate(data["frames"]):
            name = f"{'1' * 5000}.png" if k == 0 else f"{k:03}.png"
            frame["file_path"] = f"images/{name}"

    capture = read(edit(scan(tmp_path / "desk"), renamed))
    np.testing.assert_allclose(capture.world_from_camera, np.roll(POSES, -1, axis=0), atol=1e-12)


def test_an_angle_of_view_is_a_focal_length(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk", fl_x=None, fl_y=None, cx=None, cy=None, camera_angle_x=np.pi / 2)
    camera = read(folder)[0].depth_camera
    assert camera is not None
    np.testing.assert_allclose(camera.matrix, np.array([[32, 0, 31.5], [0, 32, 23.5], [0, 0, 1]]))


def test_a_pose_may_leave_its_last_row_out(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")

    def shorten(data: dict[str, Any]) -> None:
        for frame in data["frames"]:
            frame["transform_matrix"].pop()

    edit(folder, shorten)
    np.testing.assert_allclose(read(folder).world_from_camera, POSES, atol=1e-12)


def test_the_unit_of_depth_is_the_files(tmp_path: Path) -> None:
    depth = read(scan(tmp_path / "desk", depth_unit_scale_factor=0.0002))[2].depth
    assert depth is not None
    np.testing.assert_allclose(depth, DEPTH[2] / 5000, rtol=1e-6)


def test_pictures_may_be_larger_than_depth(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    for k in range(COUNT):
        large = np.repeat(np.repeat(COLOUR[k], 2, 0), 2, 1)
        cv2.imwrite(str(folder / "images" / f"{k}.png"), large[..., ::-1])
    frame = read(edit(folder, lambda data: data.update(w=128, h=96, cx=64, cy=48)))[0]
    assert frame.colour_camera is not None
    assert frame.depth_camera is not None
    assert (frame.colour_camera.cx, frame.depth_camera.cx) == (63.5, 31.5)


def test_a_lens_is_straightened(tmp_path: Path) -> None:
    """A dot at a known ray is where the pinhole camera sees it."""
    folder = scan(tmp_path / "desk", k1=0.3, p1=0.01)
    matrix, ray = np.array([[60, 0, 32], [0, 61, 23], [0, 0, 1.0]]), np.array([[[0.3, 0.2, 1.0]]])
    bent = cv2.projectPoints(ray, np.zeros(3), np.zeros(3), matrix, np.array([0.3, 0, 0.01, 0]))[0].ravel()
    u, v = np.rint(bent).astype(int)
    dot = np.zeros((48, 64), np.uint16)
    dot[v - 1 : v + 2, u - 1 : u + 2] = 1500
    cv2.imwrite(str(folder / "depth" / "0.png"), dot)
    cv2.imwrite(str(folder / "images" / "0.png"), np.repeat((dot // 10)[..., None], 3, 2).astype(np.uint8))
    capture = read(folder)
    straight = (matrix @ ray.ravel())[:2]
    depth, colour = capture[0].depth, capture[0].colour
    assert depth is not None
    assert colour is not None
    for flat in (depth, colour[..., 0]):
        rows, columns = np.nonzero(flat > flat.max() / 2)
        assert columns.mean() == pytest.approx(straight[0], abs=0.6)
        assert rows.mean() == pytest.approx(straight[1], abs=0.6)
    assert np.linalg.norm(bent - straight) > 0.8, "else this shows nothing"
    assert ("distortion-undone", Severity.NOTE) in codes(capture)
    assert set(np.unique(depth)) <= {np.float32(0), np.float32(1.5)}


def test_depth_alone_decodes_no_picture(tmp_path: Path) -> None:
    frame = depth_alone(read(scan(tmp_path / "desk", k1=0.1)))[1]
    assert frame.colour is None
    assert frame.depth is not None


def test_frames_that_cannot_be_used_are_left_out_and_said(tmp_path: Path) -> None:
    folder = scan(tmp_path / "desk")
    (folder / "depth" / "0.png").unlink()
    (folder / "images" / "1.png").unlink()

    def spoil(data: dict[str, Any]) -> None:
        frames = data["frames"]
        del frames[2]["depth_file_path"]
        frames[3]["transform_matrix"] = "here"
        frames[4]["transform_matrix"][0] = [2, 0, 0, 0]
        frames[5]["fl_x"] = -1
        frames[6]["depth_file_path"] = "../desk2/depth.png"
        frames[7]["k1"] = "none"

    capture = read(edit(folder, spoil))
    assert [frame.name for frame in capture] == ["1", "8", "9", "10", "11"]
    assert capture.coloured.tolist() == [False, True, True, True, True]
    lost = {f.code: f.numbers["frames"] for f in capture.findings if "frames" in f.numbers}
    assert lost == {"frame-unposed": 3, "frame-absurd": 1, "depth-unusable": 3, "colour-unusable": 1}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"frames": []}, "lists no frames$"),
        ({"frames": [1]}, "lists no frames$"),
        ({"frames": None}, "lists no frames$"),
        ({"frames": [{"file_path": "a.png"}]}, "no frame has a depth_file_path; depth is needed$"),
        ({"camera_model": "OPENCV_FISHEYE"}, "camera_model 'OPENCV_FISHEYE' is none of OPENCV, "),
        ({"depth_unit_scale_factor": 0}, "depth_unit_scale_factor 0 is no number above 0$"),
        ({"depth_unit_scale_factor": "mm"}, "depth_unit_scale_factor 'mm' is no number above 0$"),
        ({"fl_x": None}, "none of 12 frames can be used: .*the first: .*KeyError: 'camera_angle_x'$"),
        ({"w": 100}, "none of 12 frames can be used: .*the first: .* pixels, not the shape of 100x48$"),
    ],
)
def test_a_broken_file_is_one_line(said: dict[str, Any], why: str, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=why) as caught:
        read(scan(tmp_path / "desk", **said))
    assert "\n" not in str(caught.value)


def test_a_scale_that_was_applied_is_said(tmp_path: Path) -> None:
    assert ("scale-applied", Severity.DEGRADED) in codes(read(scan(tmp_path / "desk", applied_scale=0.5)))


@pytest.mark.captures
def test_the_kitchenette_stands_on_its_floor(captures: Path) -> None:
    """Its file has +y up, as its own notes say; the floor is the lowest level that many points share."""
    capture = read(captures / "hololens_kitchenette")
    assert (len(capture), capture.licence, codes(capture)[0]) == (
        48,
        "MIT License (LICENSE.txt)",
        ("up-guessed", Severity.NOTE),
    )
    np.testing.assert_array_equal(capture.world_from_capture, Z_UP_FROM_Y_UP)
    heights = []
    for frame in capture[::6]:
        assert frame.depth is not None
        assert frame.depth_camera is not None
        camera, z = frame.depth_camera, frame.depth[::4, ::4].astype(float)
        v, u = np.mgrid[0 : camera.height : 4, 0 : camera.width : 4]
        points = np.stack([(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z], -1)
        heights.append(se3.apply(frame.world_from_camera, points[z > 0])[:, 2])
    counts, edges = np.histogram(np.concatenate(heights), np.arange(-2, -1.2, 0.02))
    assert abs(edges[np.argmax(counts)] + 0.01 + 1.531) < 0.02
