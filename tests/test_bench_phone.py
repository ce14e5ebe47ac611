"""The virtual phone: its files are the app's and lie on the truth, its noise has the right size."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld import world
from pocketworld.bench import lidar, truth_file
from pocketworld.bench.kitchen import kitchen
from pocketworld.bench.lidar import Lidar
from pocketworld.bench.phone import DEPTH, FOCAL, Phone, render
from pocketworld.bench.rectangles import corners
from pocketworld.bench.route import corners_of, fronts, lamps, room, route
from pocketworld.bench.sensor import Kinect
from pocketworld.bench.trajectory import Stroll, through
from pocketworld.bench.truth import Truth
from pocketworld.errors import PocketworldError
from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scan import readers
from pocketworld.scan.agreement import disagreement
from pocketworld.scan.capture import Camera, Capture, Frame
from pocketworld.scene import Scene

Array = NDArray[np.float64]
CAMERA = Camera(FOCAL, FOCAL, 959.5, 719.5, 1920, 1440).resized(*DEPTH)
STEADY = Stroll(sway=0, aim=0, roll=0)
QUIET = Lidar(noise=0, smear=0.01)
CLEAR = Kinect(jitter=0, noise=0, vignette=0, grain=0, blur=1e-3)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return kitchen(1)


def wall(z: float) -> NDArray[np.float32]:
    return np.full(DEPTH[::-1], z, np.float32)


def bright(shape: tuple[int, ...], grey: int = 150) -> NDArray[np.uint8]:
    return np.full((*shape, 3), grey, np.uint8)


def told(depth: NDArray[np.float32], grey: int = 150, name: str = "l", what: Lidar | None = None) -> Array:
    colour = bright(depth.shape, grey)
    return lidar.measured(depth, colour, CAMERA, what or Lidar(), stream(0, name))[0].astype(float)


@pytest.mark.parametrize(
    ("z", "median"), [(1.5, (0.0032, 0.0070)), (2.5, (0.0060, 0.0087)), (4.0, (0.0100, 0.0150))]
)
def test_two_looks_at_a_wall_differ_as_those_of_a_phone_do(z: float, median: tuple[float, float]) -> None:
    """About the medians of real captures at the best confidence, less what their poses add."""
    a, b = (lidar.measured(wall(z), bright((192, 256), 220), CAMERA, Lidar(), stream(0, n)) for n in "ab")
    both = (a[1] == 2) & (b[1] == 2)
    off = np.abs(a[0] - b[0])[both]
    assert median[0] <= np.median(off) <= median[1]
    # Heavier tails than a normal distribution has (2.4).
    assert 2.5 <= np.percentile(off, 90) / np.median(off) <= 4


def test_what_is_less_sure_is_less_true() -> None:
    depth = wall(2.0)
    depth[:, 128:] = 3.0  # a step: unsure on both sides
    seen, levels = lidar.measured(depth, bright((192, 256)), CAMERA, Lidar(), stream(0, "s"))
    errors = np.abs(seen - depth)
    medians = [float(np.median(errors[levels == level])) for level in (0, 1, 2)]
    assert medians[0] > 1.5 * medians[1] > 4 * medians[2]


def test_edges_are_as_unsure_as_those_of_a_real_phone() -> None:
    """By distance from a step of depth: two pixels away most are sure, and none right at it."""
    depth = wall(1.5)
    depth[:, 128:] = 2.0
    levels = np.concatenate(
        [lidar.measured(depth, bright((192, 256)), CAMERA, Lidar(), stream(0, "e", i))[1] for i in range(4)]
    )
    sure = [(levels[:, [127 - d, 128 + d]] == 2).mean() for d in (1, 2, 3, 8)]
    assert sure == pytest.approx([0.35, 0.7, 0.9, 1.0], abs=0.12)
    assert np.diff(sure).min() >= 0
    assert (levels[:, 127:129] < 2).mean() > 0.95


def test_always_filled_and_never_sure_of_nothing() -> None:
    depth = wall(2.0)
    depth[:40] = 0
    seen, levels = lidar.measured(depth, bright((192, 256)), CAMERA, Lidar(), stream(0, "f"))
    assert (seen > 0).all()
    assert (levels[:40] == 0).all()
    assert (levels[60:] == 2).all()


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.5])
def test_a_slanting_plane_has_no_edges(slope: float) -> None:
    u = (np.arange(256) - CAMERA.cx) / CAMERA.fx
    plane = np.tile(2 / (1 - slope * u), (192, 1)).astype(np.float32)
    assert not lidar.edges(plane, Lidar().jump).any()
    plane[:, 100:] += 0.3
    assert lidar.edges(plane, Lidar().jump)[:, 99:101].all()


def test_the_dark_and_the_distant_are_unsure() -> None:
    def share(z: float, grey: int) -> float:
        levels = lidar.measured(wall(z), bright((192, 256), grey), CAMERA, Lidar(), stream(0, "d"))[1]
        return float((levels == 2).mean())

    assert share(1.5, 150) == 1.0
    assert share(1.5, 20) < 0.2
    assert share(3.0, 60) < share(1.5, 60)
    assert share(7.0, 255) == 0.0


def test_a_slant_is_the_angle_to_the_surface() -> None:
    v = (np.arange(192) - CAMERA.cy) / CAMERA.fy
    floor = np.tile((1.4 / np.maximum(v, 1e-2)).astype(np.float32)[:, None], (1, 256))
    below = np.sin(np.arctan(v[120:-1]))
    assert np.allclose(lidar.slant(floor, CAMERA)[120:-1, 128], below, atol=0.02)


def test_noise_without_size_is_none() -> None:
    assert np.allclose(told(wall(2.0), what=QUIET), 2.0, atol=1e-6)


def test_the_walk_keeps_its_steps_and_stays_in_the_room(scene: Scene) -> None:
    poses = through(STEADY, route(scene), stream(0, "w"))
    assert len(poses) <= 100
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    assert steps.max() <= 0.22
    assert 0.08 <= np.median(steps) <= 0.2
    turns = np.linalg.norm(se3.log(se3.inverse(poses[:-1]) @ poses[1:])[:, 3:], axis=1)
    assert np.degrees(turns.max()) <= 20
    low, high = room(scene)
    assert (poses[:, :2, 3] > low).all()
    assert (poses[:, :2, 3] < high).all()


def test_the_walk_sees_every_front_from_near(scene: Scene) -> None:
    poses = through(STEADY, route(scene), stream(0, "w"))
    for asset, joint in scene.joints():
        face = asset.part(joint.child).front
        if face is None or asset.family == "room_door":
            continue
        points = corners(face) @ asset.pose.matrix[:3, :3].T + asset.pose.position
        seen = se3.apply(se3.inverse(poses)[:, None], points[None])
        u, v = (CAMERA.fx * seen[..., 0] / seen[..., 2], CAMERA.fy * seen[..., 1] / seen[..., 2])
        inside = (seen[..., 2] > 0) & (np.abs(u) < 125) & (np.abs(v) < 94) & (seen[..., 2] < 2.6)
        assert inside.all(1).sum() >= 2 or inside.any(0).all(), (asset.id, joint.id)


def test_rows_face_the_room_and_lamps_hang_in_it(scene: Scene) -> None:
    cornered = kitchen(4)
    assert [len(fronts(s)) for s in (scene, cornered)] == [1, 2]
    low, high = room(scene)
    top = max(corners_of(asset)[:, 2].max() for asset in scene.assets)
    for lamp in lamps(scene):
        assert (low < lamp[:2]).all()
        assert (high > lamp[:2]).all()
        assert top - 0.3 < lamp[2] < top
    bare = replace(scene, assets=tuple(a for a in scene.assets if a.family == "wall"), relations=())
    with pytest.raises(PocketworldError, match="nothing with fronts"):
        route(bare)


@pytest.fixture(scope="module")
def exact(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> tuple[Capture, Truth]:
    """A dozen frames without noise or error of pose, read back."""
    phone = Phone(Stroll(frames=12), QUIET, CLEAR, (320, 240), shift=0, turn=0)
    folder, file = render(scene, tmp_path_factory.mktemp("exact") / "capture", 1, phone)
    return readers.read(folder), truth_file.load(file)


def test_the_reader_knows_the_capture(exact: tuple[Capture, Truth]) -> None:
    capture, _ = exact
    assert capture.coloured.all()
    frame = capture[0]
    assert frame.depth is not None
    assert frame.colour is not None
    assert frame.confidence is not None
    assert (frame.depth.shape, frame.colour.shape) == ((192, 256), (240, 320, 3))
    assert frame.depth_camera == CAMERA
    assert [f.code for f in capture.findings if f.code not in ("licence-unknown",)] == []


def test_what_is_read_back_lies_on_the_truth(exact: tuple[Capture, Truth], scene: Scene) -> None:
    """Depth of the fronts, through files and reader, against fronts of the truth's own file."""
    capture, truth = exact
    files_from_world = se3.inverse(capture.world_from_capture)
    off = np.concatenate([depths_off(frame, truth, files_from_world) for frame in capture])
    assert len(off) > 5000
    assert np.percentile(np.abs(off), 80) < 3e-3


def depths_off(frame: Frame, truth: Truth, files_from_world: Array) -> Array:
    """Return how far what a frame sees within a front's middle lies before or behind it, m."""
    assert frame.depth is not None
    assert frame.depth_camera is not None
    camera, out = frame.depth_camera, []
    v, u = np.indices(frame.depth.shape)
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(u.shape)], -1)
    points = se3.apply(files_from_world @ frame.world_from_camera, rays * frame.depth[..., None])
    for part in truth.parts:
        face = part.front
        local = (points - np.array(face.centre)) @ np.stack(
            [face.right, face.up, np.cross(face.right, face.up)], 1
        )
        inside = (np.abs(local[..., 0]) < 0.4 * face.width) & (np.abs(local[..., 1]) < 0.4 * face.height)
        near = inside & (np.abs(local[..., 2]) < 0.1)
        out.append(local[..., 2][near])
    return np.concatenate(out)


def test_the_truth_is_the_scene_in_the_frame_of_the_files(exact: tuple[Capture, Truth], scene: Scene) -> None:
    """y is up there, and the floor as far below the first frame as the phone was held."""
    _, truth = exact
    assert {box.asset for box in truth.boxes} == {asset.id for asset in scene.assets}
    assert {part.id for part in truth.parts} == {f"{a.id}/{j.child}" for a, j in scene.joints()}
    by = {box.asset: box for box in truth.boxes}
    for box in by.values():
        assert np.allclose(np.cross(box.right, box.into), (0, 1, 0), atol=1e-9)
    assert by["table"].foot[1] == pytest.approx(-1.45, abs=0.1)
    apart = np.linalg.norm(np.subtract(by["oven"].foot, by["table"].foot))
    ours = [corners_of(scene.asset(id)).mean(0) * (1, 1, 0) for id in ("oven", "table")]
    assert apart == pytest.approx(float(np.linalg.norm(ours[0] - ours[1])), abs=1e-6)


def test_intrinsics_and_projection_agree_for_the_size_that_the_app_means(
    exact: tuple[Capture, Truth],
) -> None:
    data = json.loads((exact[0].source / "frame_00003.json").read_text())
    projection = np.array(data["projectionMatrix"]).reshape(4, 4)
    fx, fy = data["intrinsics"][0], data["intrinsics"][4]
    assert (2 * fx / projection[0, 0], 2 * fy / projection[1, 1]) == pytest.approx((1920, 1440))
    assert "latitude" not in data


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(scene: Scene, tmp_path: Path) -> None:
    phone = Phone(Stroll(frames=4), picture=(160, 120))
    one, two, other = (
        render(scene, tmp_path / name / "capture", seed, phone)
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert world.digest(one[0]) == world.digest(two[0]) != world.digest(other[0])
    assert one[1].read_bytes() == two[1].read_bytes()


@pytest.mark.slow
def test_neighbouring_frames_disagree_as_those_of_a_real_phone(scene: Scene, tmp_path: Path) -> None:
    """Poses that wander and noise together, by the method that real captures were measured with."""
    folder, _ = render(scene, tmp_path / "capture", 1, Phone(picture=(320, 240)))
    capture = readers.read(folder)
    frames = list(capture)
    off = np.concatenate([np.abs(disagreement(a, b)[0]) for a, b in pairwise(frames)])
    assert 0.0040 <= np.median(off) <= 0.0098  # the chair's and the corridor's
    assert 0.017 <= np.percentile(off, 90) <= 0.036
    levels = np.concatenate([f.confidence.ravel() for f in frames if f.confidence is not None])
    assert 0.70 <= (levels == 1).mean() <= 0.90
