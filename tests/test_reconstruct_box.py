"""Boxes by the edges of pictures: exact on rendered rooms, true on the real pedestal."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.edgemaps import DIRECTIONS, FAR, EdgeMaps, direction_of, edge_maps
from pocketworld.reconstruct.objects.box import FACES, BoxFit, fit_box
from pocketworld.reconstruct.objects.boxedges import PLACES, EdgeBox
from pocketworld.reconstruct.objects.boxviews import View, misfit, view_of
from pocketworld.reconstruct.objects.depthbox import DepthBox
from pocketworld.reconstruct.objects.things import Thing, find_things
from pocketworld.reconstruct.room.floor import find_floor
from pocketworld.reconstruct.room.walls import walls_of
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream
from pocketworld.scan import readers
from pocketworld.scan.capture import Camera, Capture, Frame

Array = NDArray[np.float64]

FLOOR = UprightBox((0, 0, -0.1), 0.0, (6, 6, 0.1))
TRUE = UprightBox((0.1, -0.05, 0.0), 0.3, (0.5, 0.7, 0.6))
GREYS = (220.0, 110.0)
FULL = (1.0, 1.0, 1.0, 1.0, 1.0)
MM = 1e-3


def thing_of(box: UprightBox, filled: tuple[float, float, float, float, float] = FULL) -> Thing:
    """A thing with that box by depth; its points do not matter here."""
    none = Surface(
        np.zeros((0, 3)), np.zeros((0, 3), np.int32), np.zeros((0, 3)), None, np.zeros(0), 0.01, np.eye(4)
    )
    return Thing("thing-1", none, DepthBox(box, 0.95, filled), 1.0)


def generous(box: UprightBox, by: float = 0.01, yaw: float = 0.01) -> UprightBox:
    """The box as depth shows it: too large on each side, a little askew."""
    width, depth, height = box.size
    return replace(box, yaw=box.yaw + yaw, size=(width + 2 * by, depth + 2 * by, height))


def ring(count: int, far: float = 1.5, high: float = 1.2) -> list[Array]:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + 0.1
    return [
        looking(np.array([far * math.cos(a), far * math.sin(a), high]), np.array([0, 0, 0.25]))
        for a in angles
    ]


def off(fit: BoxFit, truth: UprightBox) -> tuple[float, float, float]:
    """How far a box is off: in size and place (m), in yaw (rad); whichever side is its front."""
    world_from_box = se3.inverse(fit.scene_from_world) @ fit.box.world_from_box
    yaw = math.atan2(world_from_box[1, 0], world_from_box[0, 0])
    quarters = round((truth.yaw - yaw) / (math.pi / 2))
    size = np.abs(np.array(fit.box.turned(quarters).size) - truth.size).max()
    place = np.linalg.norm(world_from_box[:3, 3] - truth.foot)
    return float(size), float(place), float(abs(truth.yaw - yaw - quarters * math.pi / 2))


@pytest.fixture(scope="module")
def exact(room: Callable[..., Any]) -> Capture:
    made: Capture = room((FLOOR, TRUE), GREYS).capture(ring(12))
    return made


@pytest.fixture(scope="module")
def shaken(room: Callable[..., Any]) -> tuple[Capture, list[Array]]:
    """A capture whose poses are off as real ones are, and the true poses."""
    rng, poses = stream(0, "poses"), ring(24)
    sigma = np.array([*[0.006] * 3, *[math.radians(0.3)] * 3])
    told = [pose @ se3.exp(sigma * rng.normal(size=6)) for pose in poses]
    return room((FLOOR, TRUE), GREYS).capture(poses, told), poses


def test_with_exact_poses_the_box_is_exact(exact: Capture) -> None:
    fit = fit_box(thing_of(generous(TRUE)), exact, np.eye(4))
    size, place, yaw = off(fit, TRUE)
    assert size < 2.5 * MM  # half a pixel
    assert place < 2.5 * MM
    assert math.degrees(yaw) < 0.1
    assert fit.after < 0.6
    assert fit.before > 1
    assert fit.mended.all()
    assert fit.lower_edge == pytest.approx(0, abs=4 * MM)
    assert [f.code for f in fit.findings] == ["box-by-edges"]


@pytest.mark.parametrize("seed", range(6))
def test_the_start_does_not_matter(exact: Capture, seed: int) -> None:
    rng = stream(seed, "start")
    x, y = (float(c) for c in rng.uniform(-0.01, 0.01, 2) + TRUE.foot[:2])
    start = replace(generous(TRUE, rng.uniform(-0.012, 0.015), rng.uniform(-0.03, 0.03)), foot=(x, y, 0.0))
    size, place, turned = off(fit_box(thing_of(start), exact, np.eye(4)), TRUE)
    assert max(size, place) < 3 * MM, (size, place)
    assert math.degrees(turned) < 0.2


def test_poses_are_mended_on_the_box(shaken: tuple[Capture, list[Array]]) -> None:
    capture, poses = shaken
    fit = fit_box(thing_of(generous(TRUE)), capture, np.eye(4))
    # The box is where the poses show it on average.
    seen = capture.world_from_camera @ se3.inverse(np.array(poses))
    shift = se3.apply(seen, np.array([TRUE.foot])[None])[:, 0].mean(0)[:2]
    size, place, yaw = off(fit, replace(TRUE, foot=(float(shift[0]), float(shift[1]), 0.0)))
    assert size < 3 * MM
    assert place < 4 * MM
    assert math.degrees(yaw) < 0.2
    assert fit.after < 0.5 * fit.before
    # As seen from the box, the poses are better than they were told.
    box_from_world = se3.inverse(se3.inverse(fit.scene_from_world) @ fit.box.world_from_box)
    true = se3.inverse(TRUE.world_from_box) @ np.array(poses)
    told, mended = (box_from_world @ each for each in (capture.world_from_camera, fit.world_from_camera))
    before, after = (np.linalg.norm(corners(each) - corners(true), axis=-1).mean() for each in (told, mended))
    assert after < 0.4 * before
    (note,) = fit.findings
    assert note.numbers["pictures"] == 24
    assert note.numbers["after_px"] == fit.after
    assert 0.003 < note.numbers["moved_m"] < 0.03


def corners(box_from_camera: Array) -> Array:
    """Where each camera sees the box's corners, m."""
    box = EdgeBox(np.array([0, -0.25, -0.35, 0, 0.25, 0.35, 0.6])).corners()
    return np.array([se3.apply(se3.inverse(pose), box) for pose in box_from_camera])


def test_the_stated_errors_are_about_the_true_ones(room: Callable[..., Any]) -> None:
    """Over captures whose poses are off as much as is assumed: no surer than true, nor much less sure."""
    scene, ratios = room((FLOOR, TRUE), GREYS), []
    sigma = np.array([*[0.01] * 3, *[math.radians(0.5)] * 3])
    poses = ring(10)
    still = scene.capture(poses)
    for seed in range(8):
        rng = stream(seed, "poses")
        told = np.array([pose @ se3.exp(sigma * rng.normal(size=6)) for pose in poses])
        fit = fit_box(thing_of(generous(TRUE)), with_poses(still, told), np.eye(4))
        width, depth = (float(np.hypot(fit.sigma[i], fit.sigma[i + 3])) for i in (1, 2))
        ratios += [(fit.box.size[0] - 0.5) / width, (fit.box.size[1] - 0.7) / depth]
    assert 0.1 < np.sqrt(np.mean(np.square(ratios))) < 1  # rendered edges are sharper than real ones


def with_poses(capture: Capture, poses: Array) -> Capture:
    def load(i: int) -> Frame:
        return replace(capture.load(i), world_from_camera=poses[i])

    return replace(capture, world_from_camera=poses, load=load)


def test_turned_and_moved_it_is_the_same_box(shaken: tuple[Capture, list[Array]]) -> None:
    capture, start = shaken[0], generous(TRUE)
    motion = se3.exp(np.array([2.0, -1.0, 0, 0, 0, math.radians(30)]))
    x, y, _ = (float(c) for c in se3.apply(motion, np.array([start.foot]))[0])
    one = fit_box(thing_of(start), capture, np.eye(4))
    moved = with_poses(capture, motion @ capture.world_from_camera)
    other = fit_box(
        thing_of(replace(start, foot=(x, y, 0.0), yaw=start.yaw + math.radians(30))), moved, np.eye(4)
    )
    assert np.allclose(other.box.size, one.box.size, atol=1e-6)
    assert np.allclose(other.box.world_from_box, motion @ one.box.world_from_box, atol=1e-6)
    assert np.allclose(other.world_from_camera, motion @ one.world_from_camera, atol=1e-6)
    assert np.allclose(other.sigma, one.sigma, atol=1e-6)


def test_the_scene_s_frame_is_only_a_frame(exact: Capture) -> None:
    """World and scene may differ by any motion: box and poses are each told in their own."""
    motion = se3.exp(np.array([0.4, 0.3, -0.7, 0, 0, 0.8]))
    world = with_poses(exact, se3.inverse(motion) @ exact.world_from_camera)
    one, other = (fit_box(thing_of(generous(TRUE)), c, m) for c, m in ((exact, np.eye(4)), (world, motion)))
    assert np.allclose(other.box.world_from_box, one.box.world_from_box, atol=1e-6)
    assert np.allclose(motion @ other.world_from_camera, one.world_from_camera, atol=1e-6)
    assert np.allclose(other.scene_from_world, one.scene_from_world @ motion, atol=1e-6)


def test_it_is_the_same_again(exact: Capture) -> None:
    one, other = (fit_box(thing_of(generous(TRUE)), exact, np.eye(4)) for _ in range(2))
    assert one.box == other.box
    assert one.sigma.tobytes() == other.sigma.tobytes()
    assert one.world_from_camera.tobytes() == other.world_from_camera.tobytes()


def test_what_stands_stands_on_the_floor_by_depth(exact: Capture) -> None:
    """Floor and top by depth are both 8 mm too low: box and poses are told from there."""
    low = se3.exp(np.array([0, 0, 0.008, 0, 0, 0]))  # the scene's floor lies 8 mm under the true one
    fit = fit_box(thing_of(generous(TRUE)), exact, low)
    assert fit.box.foot[2] == 0
    assert fit.box.size[2] == TRUE.size[2]
    assert np.array_equal(fit.scene_from_world, low)
    up = (fit.world_from_camera - exact.world_from_camera)[:, 2, 3]
    assert np.mean(up) == pytest.approx(-0.008, abs=3 * MM)


def test_without_a_top_by_depth_the_floor_stays(exact: Capture) -> None:
    tall = thing_of(generous(TRUE), (1.0, 1.0, 1.0, 1.0, 0.1))
    fit = fit_box(tall, exact, np.eye(4))
    assert np.array_equal(fit.scene_from_world, np.eye(4))
    assert fit.box.size[2] == pytest.approx(TRUE.size[2], abs=2 * MM)


def test_what_hangs_is_as_high_as_its_edges(room: Callable[..., Any]) -> None:
    hung = replace(TRUE, foot=(0.1, -0.05, 0.5), size=(0.5, 0.7, 0.4))
    seen = room((FLOOR, hung), GREYS).capture(ring(8, 1.6, 1.5) + ring(6, 1.8, 0.4))
    fit = fit_box(thing_of(generous(replace(hung, foot=(0.1, -0.05, 0.51)))), seen, np.eye(4))
    assert fit.box.foot[2] == pytest.approx(0.5, abs=3 * MM)
    assert fit.box.size[2] == pytest.approx(0.4, abs=4 * MM)
    assert fit.lower_edge == 0
    assert np.array_equal(fit.scene_from_world, np.eye(4))


def test_from_the_front_alone_the_back_is_by_depth_and_said_so(room: Callable[..., Any]) -> None:
    front = [looking(np.array([1.4, 0.15 * i - 0.3, 0.5]), np.array([0, 0, 0.3])) for i in range(5)]
    straight = replace(TRUE, foot=(0.0, 0.0, 0.0), yaw=0.0)
    fit = fit_box(thing_of(generous(straight)), room((FLOOR, straight), GREYS).capture(front), np.eye(4))
    (degraded,) = [f for f in fit.findings if f.severity is Severity.DEGRADED]
    assert degraded.code == "box-face-unsure"
    assert "left_sigma_m" in degraded.numbers
    assert fit.sigma[1 + FACES.index("left")] > 2 * fit.sigma[1 + FACES.index("front")]
    assert fit.box.size[1] == pytest.approx(0.7, abs=6 * MM)


def bare(frame: Frame) -> Frame:
    return replace(frame, colour=None, colour_camera=None)


def test_without_pictures_it_is_by_depth(exact: Capture) -> None:
    blind = replace(exact, load=lambda i: bare(exact.load(i)), coloured=np.zeros(12, bool))
    promised = replace(blind, coloured=np.ones(12, bool))
    for capture in (blind, promised):
        fit = fit_box(thing_of(generous(TRUE)), capture, np.eye(4))
        assert fit.box == generous(TRUE)
        assert not fit.mended.any()
        assert np.array_equal(fit.world_from_camera, capture.world_from_camera)
        assert np.isnan([fit.before, fit.after]).all()
        (found,) = fit.findings
        assert (found.code, found.severity) == ("box-by-depth", Severity.DEGRADED)
        assert found.subject == "room/thing-1"


def test_pictures_without_edges_leave_it_by_depth(exact: Capture) -> None:
    def dark(i: int) -> Frame:
        frame = exact.load(i)
        assert frame.colour is not None
        return replace(frame, colour=np.zeros_like(frame.colour))

    fit = fit_box(thing_of(generous(TRUE)), replace(exact, load=dark), np.eye(4))
    assert fit.box == generous(TRUE)
    assert [f.code for f in fit.findings] == ["box-by-depth"]


def test_edges_of_something_else_are_not_believed(room: Callable[..., Any]) -> None:
    """A box by depth where there is none: what edges there are do not fit one."""
    empty = room((FLOOR,), GREYS).capture(ring(6))
    rng = stream(0, "noise")
    pictures = [rng.integers(0, 255, (240, 320, 3)).astype(np.uint8) for _ in range(6)]
    noisy = replace(empty, load=lambda i: replace(empty.load(i), colour=pictures[i]))
    fit = fit_box(thing_of(TRUE), noisy, np.eye(4))
    assert abs(np.array(fit.box.size) - TRUE.size).max() < 0.09


values = st.tuples(
    st.floats(-3, 3),
    *[st.floats(-0.9, -0.1)] * 3,
    *[st.floats(0.1, 0.9)] * 3,
).map(np.array)


@given(values)
def test_edges_end_near_corners_and_move_with_the_values(of: Array) -> None:
    box = EdgeBox(of)
    samples, slopes = box.samples(), box.slopes()
    for value in range(7):
        step = np.zeros(7)
        step[value] = 1e-6
        numeric = (EdgeBox(of + step).samples() - EdgeBox(of - step).samples()) / 2e-6
        assert np.allclose(slopes[..., value], numeric, atol=1e-6)
    own = samples @ box.turn
    low, high = box.ends
    at_ends = np.isclose(own, low).astype(int) + np.isclose(own, high).astype(int)
    assert (at_ends.sum(-1) == 2).all()  # on an edge, off the corners
    nearest = np.linalg.norm(samples[:, [0, -1], None] - box.corners(), axis=-1).min(-1)
    assert (nearest < 0.1 * np.ptp(box.ends, axis=0).max()).all()


@given(values, st.floats(0, 2 * math.pi))
def test_a_camera_sees_the_edges_of_the_faces_turned_to_it(of: Array, angle: float) -> None:
    box = EdgeBox(of)
    middle = box.turn @ box.ends.mean(0)
    far = box.turn @ [5 * math.cos(angle), 5 * math.sin(angle), 0]
    level, above, inside = middle + far, middle + np.array([0, 0, 5.0]), middle
    assert not box.edges_seen(inside).any()
    assert box.edges_seen(above).sum() == 4
    assert box.edges_seen(level).sum() in (4, 7)
    assert box.edges_seen(above + far).sum() in (7, 9)
    below = box.edges_seen(2 * middle - above)
    assert below.sum() == 4
    assert not (below & box.edges_seen(above)).any()


Edge = Callable[[EdgeMaps, Array, Array], tuple[Array, Array]]


def straight(normal: Array, distance: float) -> Edge:
    """A picture of one straight edge, whatever the direction: signed, so that it is smooth."""
    return lambda _, pixels, step: (pixels @ normal - distance, np.broadcast_to(normal, pixels.shape))


@pytest.mark.parametrize("seed", range(4))
def test_a_misfit_changes_as_its_slopes_say(seed: int) -> None:
    rng = stream(seed, "misfit")
    camera = Camera(300.0, 310.0, 159.5, 119.5, 320, 240)
    normal = rng.normal(size=2)
    look = straight(normal / np.linalg.norm(normal), 40.0)
    maps = EdgeMaps(
        np.zeros((DIRECTIONS, 2, 2), np.float32), np.zeros((2, 2), np.float32), 1.0, (0, 0), camera
    )
    pose = looking(np.array([1.5, 1.0, 1.2]), np.array([0, 0, 0.3]))
    box = EdgeBox(np.array([0.2, -0.25, -0.35, 0, 0.25, 0.35, 0.6]))
    view = View(0, maps, pose, np.ones(PLACES.shape[:2], bool))
    seen = misfit(view, box, look)
    h = 1e-6  # m or rad
    for value in range(7):
        step = np.zeros(7)
        step[value] = h
        plus, minus = (misfit(view, EdgeBox(box.values + s * step), look).pixels for s in (1, -1))
        assert np.allclose(seen.by_box[:, value], (plus - minus) / (2 * h), rtol=1e-5, atol=1e-3)
    for axis in range(6):
        twist = np.zeros(6)
        twist[axis] = h
        about = se3.exp(np.array([*box.middle, 0, 0, 0]))
        moves = (about @ se3.exp(s * twist) @ se3.inverse(about) for s in (1, -1))
        plus, minus = (misfit(replace(view, frame_from_camera=m @ pose), box, look).pixels for m in moves)
        assert np.allclose(seen.by_pose[:, axis], (plus - minus) / (2 * h), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("degrees", [0, 20, 45, 90, 120, 160])
def test_a_line_attracts_lines_that_run_as_it_does(degrees: float) -> None:
    """A border between light and dark: beside it distances are right, for lines across it there is none."""
    camera = Camera(300.0, 300.0, 49.5, 49.5, 100, 100)
    angle = math.radians(degrees)
    along, across = (
        np.array([math.cos(angle), math.sin(angle)]),
        np.array([-math.sin(angle), math.cos(angle)]),
    )
    v, u = np.mgrid[:400, :400] / 4 - 0.375
    side = (np.stack([u, v], -1) - 49.5) @ across
    fine = np.clip(120 + 400 * side, 60, 180).reshape(100, 4, 100, 4).mean((1, 3))
    picture = np.repeat(fine.astype(np.uint8)[..., None], 3, 2)
    maps = edge_maps(picture, camera, np.array([0, 0]), np.array([100, 100]))
    places = 49.5 + np.linspace(-20, 20, 9)[:, None] * along
    here, there = (np.broadcast_to(step, places.shape) for step in (along, across))
    for gap in (0.0, 3.0, 8.0):
        distance, slope = maps.around(places + gap * across, here)
        assert np.allclose(distance, gap, atol=0.8)
        if gap:
            assert np.allclose(slope @ across, 1, atol=0.25)
    assert (maps.around(places, there)[0] > 15).all()
    for gap in (-1.2, -0.3, 0.0, 0.4, 1.4):
        distance, slope = maps.across(places + gap * across, here)
        assert np.allclose(distance, gap, atol=0.2 + 0.2 * abs(gap))  # nearer counts more
        assert np.allclose(slope, across)
    distance, slope = maps.across(places + 6 * across, here)
    assert (distance == FAR).all()
    assert not slope.any()


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_a_line_has_no_sense(x: float, y: float) -> None:
    step = np.array([[x, y]])
    assert 0 <= direction_of(step)[0] < DIRECTIONS
    if math.hypot(x, y) > 1e-3 and abs(math.degrees(math.atan2(y, x)) / 30 % 1 - 0.5) < 0.49:
        assert direction_of(step) == direction_of(-step)


def test_a_blank_picture_has_no_edges_and_outside_is_far() -> None:
    camera = Camera(300.0, 300.0, 49.5, 39.5, 100, 80)
    maps = edge_maps(np.full((80, 100, 3), 90, np.uint8), camera, np.array([-30, 10]), np.array([60, 200]))
    assert maps.corner == (0, 10)
    assert maps.maps.shape == (DIRECTIONS, 70, 60)
    assert (maps.maps == FAR).all()
    outside, step = np.array([[500.0, 500.0]]), np.array([[1.0, 0]])
    assert maps.around(outside, step)[0] == maps.across(outside, step)[0] == FAR
    assert maps.across(np.array([[30.0, 40.0]]), step)[0] == FAR


def grain_of(sigma: float) -> EdgeMaps:
    rng, camera = stream(0, "grain"), Camera(300.0, 300.0, 99.5, 99.5, 200, 200)
    picture = np.clip(120 + sigma * rng.normal(size=(200, 200, 1)), 0, 255) * np.ones(3)
    return edge_maps(picture.astype(np.uint8), camera, np.zeros(2), np.full(2, 200.0))


@pytest.mark.parametrize("sigma", [1.0, 4.0, 12.0])
def test_grain_is_no_edge_however_strong(sigma: float) -> None:
    assert np.mean(grain_of(sigma).maps == 0) < 0.01


def test_what_is_hidden_is_not_looked_for(room: Callable[..., Any]) -> None:
    screen = UprightBox((0.7, 0.0, 0.0), 0.0, (0.05, 1.5, 0.45))
    pose = looking(np.array([1.5, 0.3, 1.0]), np.array([0, 0, 0.3]))
    box = EdgeBox(np.array([0.3, -0.25, -0.35, 0, 0.25, 0.35, 0.6]))
    views = []
    for boxes in (
        (FLOOR, replace(TRUE, foot=(0.0, 0.0, 0.0))),
        (FLOOR, replace(TRUE, foot=(0.0, 0.0, 0.0)), screen),
    ):
        frame = room(boxes, (220.0, 110.0, 60.0)).capture([pose])[0]
        views.append(view_of(0, frame, pose, box))
        assert view_of(0, replace(frame, depth=None, depth_camera=None), pose, box) is not None
    free, partly = views
    assert free is not None
    assert partly is not None
    assert partly.shown.sum() < 0.8 * free.shown.sum()
    assert not (partly.shown & ~free.shown).any()


def test_a_large_picture_is_read_at_a_useful_size(exact: Capture) -> None:
    frame = exact[0]
    assert frame.colour is not None
    assert frame.colour_camera is not None
    large = replace(
        frame,
        colour=np.repeat(np.repeat(frame.colour, 5, 0), 5, 1),
        colour_camera=frame.colour_camera.resized(1600, 1200),
    )
    box = EdgeBox(np.array([0.0, -0.25, -0.35, 0, 0.25, 0.35, 0.6]))
    pose = se3.inverse(TRUE.world_from_box) @ frame.world_from_camera
    view = view_of(0, large, pose, box)
    assert view is not None
    assert (view.maps.camera.width, view.maps.camera.height) == (640, 480)
    assert np.median(misfit(view, box, EdgeMaps.around).pixels) < 2


def test_a_picture_that_shows_too_little_is_no_view(exact: Capture) -> None:
    box = EdgeBox(np.array([0.0, -0.25, -0.35, 0, 0.25, 0.35, 0.6]))
    away = looking(np.array([1.5, 0, 1.0]), np.array([3.0, 0, 1.0]))
    assert view_of(0, exact[0], away, box) is None
    assert view_of(0, bare(exact[0]), away, box) is None


@pytest.fixture(scope="module")
def pedestal(fused_scan: Callable[[str], Any]) -> tuple[Thing, Array]:
    floor = find_floor(fused_scan("tum_fr3_cabinet").surface, "tum")
    surface = fused_scan("tum_fr3_cabinet").surface.moved(floor.scene_from_world)
    return find_things(surface, floor, walls_of(surface), "tum").things[0], floor.scene_from_world


@pytest.mark.captures
@pytest.mark.parametrize("step", [1, 2, 4])
def test_the_real_pedestal_is_within_a_centimetre(
    captures: Path, pedestal: tuple[Thing, Array], step: int
) -> None:
    truth = json.loads((captures / "truth" / "tum_fr3_cabinet.json").read_text())["box"]
    fit = fit_box(pedestal[0], readers.read(captures / "tum_fr3_cabinet")[::step], pedestal[1])
    x, y, z = truth["centre_world"]
    width, depth, height = truth["size_xyz_m"]
    true = UprightBox((x, y, z - height / 2), math.radians(truth["yaw_deg"]), (width, depth, height))
    size, place, yaw = off(fit, true)
    assert size < 8 * MM
    assert place < 8 * MM
    assert math.degrees(yaw) < 0.5
    assert fit.mended.all()
    assert fit.after < 0.8
    assert fit.before > 2.5
    assert fit.lower_edge == pytest.approx(truth_of_lower_edge(captures), abs=6 * MM)


def truth_of_lower_edge(captures: Path) -> float:
    truth = json.loads((captures / "truth" / "tum_fr3_cabinet.json").read_text())
    return float(truth["front_face"]["horizontal_edges_z_m"]["bottom_of_front"])
