"""The solver of boxes and poses: what it may move, what it must not, and how sure it says it is."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.edgemaps import EdgeMaps
from pocketworld.reconstruct.objects.boxedges import EdgeBox
from pocketworld.reconstruct.objects.boxsolve import DEPTH, LEAN, STAGES, Agreement, Stage
from pocketworld.reconstruct.objects.boxviews import View, view_of
from pocketworld.rng import stream
from pocketworld.scan.capture import Capture

Array = NDArray[np.float64]

TRUE = EdgeBox(np.array([0.0, -0.3, -0.2, 0.0, 0.3, 0.2, 0.5]))
SCENE = (UprightBox((0, 0, -0.1), 0.0, (5, 5, 0.1)), UprightBox((0, 0, 0), 0.0, (0.6, 0.4, 0.5)))
MM = 1e-3


@pytest.fixture(scope="module")
def capture(room: Callable[..., Any]) -> Capture:
    angles = np.linspace(0, 2 * math.pi, 10, endpoint=False) + 0.15
    eyes = [np.array([1.3 * math.cos(a), 1.3 * math.sin(a), 1.0]) for a in angles]
    made: Capture = room(SCENE, (220.0, 100.0)).capture([looking(eye, np.array([0, 0, 0.2])) for eye in eyes])
    return made


def views_of(capture: Capture, box: EdgeBox, off: Array | None = None) -> tuple[View, ...]:
    """The views of a capture, their poses off by twists (n, 6)."""
    twists = np.zeros((len(capture), 6)) if off is None else off
    poses = capture.world_from_camera @ se3.exp(twists)
    found = [view_of(i, frame, poses[i], box) for i, frame in enumerate(capture)]
    assert all(view is not None for view in found)
    return tuple(view for view in found if view is not None)


def started(capture: Capture, step: Array, off: Array | None = None) -> Agreement:
    box = EdgeBox(TRUE.values + step)
    return Agreement.start(box, views_of(capture, box, off))


def test_it_stays_where_all_agrees(capture: Capture) -> None:
    reached = started(capture, np.zeros(7)).reached()
    assert np.abs(reached.box.values - TRUE.values)[1:].max() < 2.5 * MM  # half a pixel
    moved = [se3.log(se3.inverse(a.frame_from_camera) @ b.frame_from_camera) for a, b in pairs(reached)]
    assert np.linalg.norm(np.array(moved)[:, :3], axis=1).max() < 8 * MM


def pairs(agreement: Agreement) -> list[tuple[View, View]]:
    return list(zip(agreement.given, agreement.views, strict=True))


def test_poses_are_not_moved_all_together(capture: Capture) -> None:
    """What all views have in common is the box's: else an edge that is no edge of it tilts the whole room."""
    step = np.array([0.01, -0.01, 0.0, 0, 0.0, 0.015, 0.0])
    reached = started(capture, step, 0.003 * stream(1, "off").normal(size=(10, 6))).reached()
    assert np.allclose(reached.moved().mean(0), 0, atol=1e-6)
    assert np.abs(reached.moved()).max() > 1e-3


def test_a_false_edge_does_not_tilt_the_room(room: Callable[..., Any]) -> None:
    """A plinth before the front puts a false edge 12 mm above its lower one: box and poses hardly care."""
    plinth = UprightBox((0, -0.2005, 0), 0.0, (0.6, 0.001, 0.012))
    angles = np.linspace(0, 2 * math.pi, 12, endpoint=False) + 0.15
    poses = [
        looking(np.array([1.3 * math.cos(a), 1.3 * math.sin(a), 1.0]), np.array([0, 0, 0.2])) for a in angles
    ]
    capture: Capture = room((*SCENE, plinth), (220.0, 100.0, 215.0)).capture(poses)
    reached = started(capture, np.zeros(7)).reached()
    assert np.abs(reached.box.values - TRUE.values)[[1, 2, 4, 5, 6]].max() < 3 * MM
    assert np.linalg.norm(reached.moved()[:, :3], axis=1).max() < 6 * MM


def test_while_poses_hold_they_hold(capture: Capture) -> None:
    start = started(capture, np.array([0, 0.01, -0.01, 0, 0.01, 0.01, 0.005]))
    reached = start._converged(Stage(EdgeMaps.around, 12.0, False))
    for before, view in pairs(reached):
        assert np.allclose(before.frame_from_camera, view.frame_from_camera, atol=1e-12)
    assert reached.distance() < start.distance()


@pytest.mark.parametrize("seed", range(3))
def test_it_comes_nearer_from_wherever_depth_puts_it(capture: Capture, seed: int) -> None:
    rng = stream(seed, "start")
    step = np.array([*rng.uniform(-0.03, 0.03, 1), *rng.uniform(-0.015, 0.015, 6)])
    off = rng.normal(size=(10, 6)) * [*[0.005] * 3, *[math.radians(0.25)] * 3]
    start = started(capture, step, off)
    reached = start.reached()
    assert reached.distance() < 0.5 * start.distance()
    sizes = [np.ptp(box.ends, axis=0)[:2] for box in (TRUE, reached.box)]
    assert np.abs(sizes[1] - sizes[0]).max() < 4 * MM


def test_one_lost_pose_hardly_moves_the_box(capture: Capture) -> None:
    """By less than a fifth of its own error, of which it is one in ten."""
    off = np.zeros((10, 6))
    off[3] = [0.03, 0.02, -0.02, 0, 0.01, 0.01]
    step = np.array([0, -0.01, -0.01, 0, 0.01, 0.01, 0.0])
    plain, lost = (started(capture, step, twists).reached() for twists in (None, off))
    assert np.abs(lost.box.values - plain.box.values)[1:].max() < np.linalg.norm(off[3, :3]) / 5


@given(st.permutations(range(10)))
@settings(max_examples=10)
def test_the_order_of_views_does_not_matter(capture: Capture, order: list[int]) -> None:
    start = started(capture, np.array([0.01, -0.01, -0.01, 0, 0.01, 0.01, 0.0]))
    mixed = replace(
        start, given=tuple(start.given[i] for i in order), views=tuple(start.views[i] for i in order)
    )
    one, other = (each._stepped(STAGES[1])[0] for each in (start, mixed))
    assert np.allclose(one.box.values, other.box.values, atol=1e-9)
    for place, i in enumerate(order):
        mine, theirs = one.views[i].frame_from_camera, other.views[place].frame_from_camera
        assert np.allclose(mine, theirs, atol=1e-9)


def test_the_frame_does_not_matter(capture: Capture) -> None:
    """The box's values are told in some upright frame: turn it about z, and only yaw and places turn."""
    step = np.array([0.01, -0.01, -0.01, 0, 0.01, 0.01, 0.0])
    start = started(capture, step)
    turn = se3.exp(np.array([0, 0, 0, 0, 0, 0.7]))
    box = EdgeBox(start.box.values + np.array([0.7, 0, 0, 0, 0, 0, 0]))
    views = tuple(replace(view, frame_from_camera=turn @ view.frame_from_camera) for view in start.views)
    one, other = start.reached(), Agreement.start(box, views).reached()
    assert np.allclose(other.box.values - one.box.values, [0.7, 0, 0, 0, 0, 0, 0], atol=1e-6)


def test_more_views_make_it_surer(capture: Capture) -> None:
    full = started(capture, np.zeros(7)).reached()
    few = replace(full, given=full.given[::3], views=full.views[::3])
    many, less = (np.sqrt(np.diag(each.covariance())) for each in (full, few))
    assert (many[1:] < less[1:]).all()
    matrix = full.covariance()
    assert np.allclose(matrix, matrix.T, atol=1e-12)
    assert (np.linalg.eigvalsh(matrix) > 0).all()


def test_what_no_view_shows_is_as_unsure_as_depth(capture: Capture) -> None:
    """From one side, square on: the far face is only where depth has it."""
    start = started(capture, np.zeros(7))
    side = min(range(10), key=lambda i: abs(math.atan2(*start.views[i].frame_from_camera[1::-1, 3])))
    view = start.views[side]
    shown = view.shown.copy()
    shown[:, :] = False
    shown[[5, 7]] = view.shown[[5, 7]]  # two edges of the near face
    alone = replace(view, shown=shown)
    sigma = np.sqrt(np.diag(Agreement.start(TRUE, (alone,)).covariance()))
    assert sigma[0] <= LEAN * 1.01
    assert sigma.max() == pytest.approx(DEPTH, rel=0.2)


def test_the_distance_never_exceeds_its_limit(capture: Capture) -> None:
    far = started(capture, np.array([0, -0.08, -0.08, 0, 0.08, 0.08, 0.06]))
    near = started(capture, np.zeros(7))
    assert near.distance() < 1 < far.distance() <= 5
