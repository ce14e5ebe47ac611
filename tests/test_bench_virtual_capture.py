"""The rendered capture: geometry true to a millimetre, a Kinect's noise, the same bytes again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld import world
from pocketworld.bench import sensor, studio, truth_file
from pocketworld.bench import truth as truths
from pocketworld.bench.rectangles import corners
from pocketworld.bench.sensor import Kinect
from pocketworld.bench.studio import views
from pocketworld.bench.trajectory import Walk, around, looking, tracked, wander
from pocketworld.bench.virtual_capture import CAMERA, Shoot, pedestal, render, render_demo, walk_around
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.parameters import fronts
from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scan import readers
from pocketworld.scan.capture import Camera
from pocketworld.scene import Pose, Scene

Array = NDArray[np.float64]
QUIET = Kinect(product=1e9, baseline=0, jitter=0, noise=0, vignette=0, grain=0, blur=0.01, steepest=0)
POSE = Pose.upright((0.4, -0.3, 0.0), 0.8)


def scene(seed: int = 0) -> Scene:
    return Scene("studio", (replace(build(pedestal(seed), "pedestal"), pose=POSE),))


def lifted(depth: NDArray[np.float32], camera: Camera, world_from_camera: Array) -> Array:
    """Back-project (h, w) to the world (h, w, 3): pixel centres at integers, OpenCV's axes."""
    v, u = np.indices(depth.shape)
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(depth.shape)], -1)
    points: Array = (rays * depth[..., None]) @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
    return points


@pytest.fixture(scope="module")
def exact() -> list[tuple[Array, NDArray[np.uint8], NDArray[np.float32]]]:
    """Three frames of a pedestal, as rendered: before its front, beside it, and behind."""
    poses = walk_around(scene().assets[0], Walk(frames=9), stream(0, "walk"))[[4, 6, 0]]
    shots = views(scene(), CAMERA, poses, stream(0, "carpet"))
    return [(pose, *shot) for pose, shot in zip(poses, shots, strict=True)]


def test_depth_lies_on_the_box_and_the_floor_to_a_millimetre(exact: list[tuple[Array, ...]]) -> None:
    """What is no handle lies on the outer box, on the floor, or less than a panel deep in a gap."""
    low, high = truths.outer(scene().assets[0])
    box_from_world = se3.inverse(POSE.matrix)
    for pose, _, depth in exact:
        points = se3.apply(box_from_world, lifted(np.asarray(depth, np.float32), CAMERA, pose)[depth > 0])
        on_floor = np.abs(points[:, 2]) < 1e-3
        outside = np.maximum(low - points, points - high).max(1)  # over 0: outside the box
        handles = (points[:, 1] < low[1] - 1e-3) & (points[:, 1] > low[1] - 0.04)
        rest = outside[~on_floor & ~handles]
        assert len(rest) > 5000
        assert rest.max() < 1e-3
        assert rest.min() > -pedestal(0).front
        assert np.mean(np.abs(rest) < 1e-3) > 0.97


def test_outlines_are_where_the_camera_says_to_half_a_pixel(exact: list[tuple[Array, ...]]) -> None:
    """The pixels that see the box's sides are those whose centres lie within the projected outline."""
    from scipy.spatial import ConvexHull, Delaunay

    low, high = truths.outer(scene().assets[0])
    ends = np.array(
        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    pose, _, depth = exact[2]  # from behind, where no handle stands out
    seen = se3.apply(se3.inverse(pose) @ POSE.matrix, ends)
    outline = seen[:, :2] / seen[:, 2:] * (CAMERA.fx, CAMERA.fy) + (CAMERA.cx, CAMERA.cy)
    outline = outline[ConvexHull(outline).vertices]
    points = se3.apply(
        se3.inverse(POSE.matrix), lifted(np.asarray(depth, np.float32), CAMERA, pose).reshape(-1, 3)
    )
    on_box = (np.maximum(low - points, points - high).max(1) < 1e-3) & (points[:, 2] > 2e-3)
    v, u = np.indices(depth.shape)
    pixels = np.stack([u.ravel(), v.ravel()], 1).astype(float)
    middle = outline.mean(0)

    def inside(grow: float) -> NDArray[np.bool_]:
        way = outline - middle
        far = np.linalg.norm(way, axis=1, keepdims=True)
        found: NDArray[np.bool_] = Delaunay(middle + way * (1 + grow / far)).find_simplex(pixels) >= 0
        return found

    assert not np.any(on_box & ~inside(0.75))
    # The lowest rows of the box are the floor's height to a millimetre: they are left out above.
    above = points[:, 2] > 5e-3
    assert np.mean(on_box[inside(-0.75) & above]) > 0.999


def test_gaps_are_dark_lines_where_the_truth_has_edges(exact: list[tuple[Array, ...]]) -> None:
    pose, colour, _ = exact[0]
    truth = truths.of(scene())
    grey = colour.astype(float).mean(-1)
    camera_from_world = se3.inverse(pose)
    for upper, lower in zip(truth.parts, truth.parts[1:], strict=False):
        edge = (corners(upper.front)[[3, 2]] + corners(lower.front)[[0, 1]]) / 2
        seen = se3.apply(
            camera_from_world, edge[:1] + np.linspace(0.1, 0.3, 9)[:, None] * (edge[1] - edge[0])
        )
        u, v = (seen[:, :2] / seen[:, 2:] * (CAMERA.fx, CAMERA.fy) + (CAMERA.cx, CAMERA.cy)).T
        columns, rows = np.rint(u).astype(int), np.rint(v).astype(int)
        strip = np.stack([grey[rows + k, columns] for k in range(-6, 7)], 1)
        assert np.abs(np.median(strip.argmin(1)) - 6) <= 1
        assert np.median(strip[:, [0, 12]]) - np.median(strip.min(1)) > 10


def test_a_walk_goes_around_and_looks_at_the_thing() -> None:
    walk = Walk(frames=40, sway=0, aim=0)
    poses = around(walk, (1.0, 2.0, 0.3), 0.7, stream(0, "w"))
    place = poses[:, :3, 3] - (1.0, 2.0, 0.0)
    assert np.allclose(np.linalg.norm(place[:, :2], axis=1), walk.distance)
    assert np.allclose(place[:, 2], walk.height)
    angle = np.unwrap(np.arctan2(place[:, 1], place[:, 0])) - 0.7
    assert angle[-1] - angle[0] > 1.9 * np.pi
    steps = np.diff(angle)
    assert steps.min() > 0
    assert steps[18:21].mean() < 0.6 * steps.mean()  # it lingers before the front
    towards = se3.apply(se3.inverse(poses), np.tile([1.0, 2.0, 0.3], (40, 1, 1)))[:, 0]
    assert np.allclose(towards[:, :2], 0, atol=1e-9)
    assert (towards[:, 2] > 0).all()
    assert np.allclose(poses[:, 2, 0], 0)  # level
    assert (poses[:, 2, 1] < 0).all()  # the picture's down is down


def test_looking_makes_rotations() -> None:
    pose = looking(np.array([1.0, 0, 1.2]), np.array([0.0, 0.2, 0.4]))
    assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3))
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)


def test_wander_has_unit_variance_and_a_memory() -> None:
    noise = wander(4000, 3, 6.0, stream(0, "n"))
    assert noise.std() == pytest.approx(1, abs=0.1)
    assert np.mean(noise[1:] * noise[:-1]) == pytest.approx(np.exp(-1 / 6), abs=0.1)


def test_a_tracker_is_off_by_what_it_says() -> None:
    poses = np.tile(looking(np.array([1.0, 0, 1.2]), np.zeros(3)), (3000, 1, 1))
    off = se3.log(se3.inverse(poses) @ tracked(poses, 0.003, 0.002, 2.0, stream(0, "t")))
    assert off[:, :3].std() == pytest.approx(0.003, rel=0.1)
    assert off[:, 3:].std() == pytest.approx(0.002, rel=0.1)
    assert np.array_equal(tracked(poses[:5], 0, 0, 2.0, stream(0, "t")), poses[:5])


def flat(z: float, shape: tuple[int, int] = (120, 160)) -> NDArray[np.float32]:
    return np.full(shape, z, np.float32)


SMALL = CAMERA.resized(160, 120)


@pytest.mark.parametrize("z", [1.0, 2.0, 4.0])
def test_noise_grows_with_the_square_of_depth(z: float) -> None:
    seen = sensor.measured(flat(z), SMALL, Kinect(), stream(0, "k"))
    # Steps and noise of disparity are independent: their variances add, times what a step is at z.
    step = z**2 / Kinect().product
    assert seen.mean() == pytest.approx(z, abs=step / 2)
    error = np.sqrt(np.mean((seen - z) ** 2))
    assert 0.1 * step < error < 0.7 * step


def test_nothing_is_measured_too_near_too_far_or_where_nothing_is() -> None:
    for z in (0.0, 0.3, 6.0):
        assert not sensor.measured(flat(z), SMALL, Kinect(), stream(0, "k")).any()


def test_a_quiet_sensor_tells_the_truth() -> None:
    ramp = np.tile(np.linspace(1, 1.2, 160, dtype=np.float32), (120, 1))
    assert np.allclose(sensor.measured(ramp, SMALL, QUIET, stream(0, "k")), ramp, atol=1e-5)


def test_the_projector_leaves_a_shadow_on_one_side_of_what_stands_before() -> None:
    depth = flat(3.0, (40, 640))
    depth[:, 300:340] = 1.0
    shadow = sensor.shadowed(depth, CAMERA, 0.075)
    wide = CAMERA.fx * 0.075 * (1 / 1.0 - 1 / 3.0)  # the difference of disparities, pixels
    assert shadow[0].sum() == pytest.approx(wide, abs=2)
    where = np.flatnonzero(shadow[0])
    assert where.max() < 300
    assert where.min() >= 300 - wide - 2


def test_grazing_surfaces_give_no_depth() -> None:
    v = (np.arange(120) - SMALL.cy) / SMALL.fy
    floor = np.tile((1.0 / np.maximum(v, 1e-2)).astype(np.float32)[:, None], (1, 160))  # 1 m below
    lost = sensor.grazing(floor, SMALL, np.radians(12))
    below = np.arctan(v)
    assert lost[(below > 0) & (below < np.radians(10))].all()
    assert not lost[below > np.radians(14)][1:-1].any()


def test_pictures_are_dark_in_the_corners_and_grainy() -> None:
    grey = np.full((480, 640, 3), 120, np.uint8)
    taken = sensor.pictured(grey, CAMERA, Kinect(), stream(0, "c")).astype(float)
    middle, corner = taken[220:260, 300:340].mean(), taken[:20, :20].mean()
    assert middle == pytest.approx(120, abs=1)
    assert 100 < corner < 110
    assert taken[220:260, 300:340].std() == pytest.approx(2, rel=0.2)
    assert np.array_equal(sensor.pictured(grey, CAMERA, QUIET, stream(0, "c")), grey)


def test_the_carpet_wraps_around() -> None:
    picture = studio.carpet(stream(0, "c")).astype(float)
    across = np.abs(picture[:, 0] - picture[:, -1]).mean()
    inside = np.abs(np.diff(picture, axis=1)).mean()
    assert across == pytest.approx(inside, rel=0.3)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Six frames without noise or pose error, read back."""
    folder = tmp_path_factory.mktemp("short") / "capture"
    shoot = Shoot(walk=Walk(frames=6), kinect=QUIET, shift=0, turn=0)
    return render(scene(), folder, 1, shoot)


def test_the_reader_knows_the_capture_and_its_camera(short: tuple[Path, Path]) -> None:
    capture = readers.read(short[0])
    assert len(capture) == 6
    assert capture.coloured.all()
    frame = capture[3]
    assert frame.depth_camera == frame.colour_camera == CAMERA
    assert frame.depth is not None
    assert frame.colour is not None
    assert frame.colour.shape == (480, 640, 3)
    assert not [f for f in capture.findings if f.code.startswith("camera")]


def test_what_is_read_back_lies_on_the_truth(short: tuple[Path, Path]) -> None:
    """Through files and reader: depth in steps of 0.2 mm, truth from its own file."""
    capture, truth = readers.read(short[0]), truth_file.load(short[1])
    box_from_world = se3.inverse(truth.box.capture_from_box)
    width, depth, height = truth.box.size
    found = 0
    for frame in capture:
        assert frame.depth is not None
        points = lifted(frame.depth, CAMERA, frame.world_from_camera)[frame.depth > 0]
        x, y, z = np.abs(se3.apply(box_from_world, points)).T
        near = (x < width / 2 + 0.1) & (y < depth / 2 + 0.1) & (z > 0.01) & (z < height + 0.1)
        off = np.maximum(np.maximum(x - width / 2, y - depth / 2), z - height)[near]
        flush = np.abs(off) < 2e-3
        found += flush.sum()
        # Handles stand out; else all lies on the box.
        assert flush.mean() > 0.93
    assert found > 10_000


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    shoot = Shoot(walk=Walk(frames=3))
    one, two, other = (
        render(scene(), tmp_path / name, seed, shoot)
        for name, seed in (("a/capture", 5), ("b/capture", 5), ("c/capture", 6))
    )
    assert world.digest(one[0]) == world.digest(two[0]) != world.digest(other[0])
    assert one[1].read_bytes() == two[1].read_bytes()


def test_pedestals_are_plausible_and_differ() -> None:
    made = [pedestal(seed) for seed in range(20)]
    assert {len(list(fronts(p.grid))) for p in made} == {3, 4, 5}
    for p in made:
        asset = build(p, "pedestal")
        assert all(joint.range[1] > 0.2 for joint in asset.movable)
        heights = [part.front.height for part in asset.parts if part.front]
        assert min(heights) == heights[0]  # a tray on top
    assert len({p.width for p in made}) > 10
    assert pedestal(3) == pedestal(3)


@pytest.mark.slow
def test_the_demo_is_a_capture_and_its_truth(tmp_path: Path) -> None:
    capture, file = render_demo(tmp_path / "out" / "capture", 2)
    assert capture == tmp_path / "out" / "capture"
    assert len(readers.read(capture)) == Walk().frames
    truth = truth_file.load(file)
    assert len(truth.parts) == len(list(fronts(pedestal(2).grid)))
    assert json.loads(file.read_text())["capture"] == "capture"
