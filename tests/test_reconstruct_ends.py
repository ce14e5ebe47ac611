"""Where a face ends by depth: on boxes rendered exactly, and as a guide to which edge of a picture is its."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.elevation import FINEST, MARGIN, Blend, Shot, blend, brightness, posed
from pocketworld.reconstruct.fronts.ends import FINE, Ends, Place, _end, ends
from pocketworld.reconstruct.fronts.lines import Span, find_lines
from pocketworld.reconstruct.fronts.outline import Known, outline
from pocketworld.reconstruct.fronts.rectify import FaceGrid, views, world_from_face
from pocketworld.scan.capture import Camera, Capture

Array = NDArray[np.float64]
MM = 1e-3
CAMERA = Camera(560.0, 560.0, 319.5, 239.5, 640, 480)
FLOOR = UprightBox((0, 0, -0.1), 0.0, (6, 6, 0.1))
THING = UprightBox((0.2, 0.1, 0.0), 0.5, (0.5, 0.6, 0.56))
BOARD, GAP = 0.020, 0.003  # m: a top board, and the gap between it and the front below


def before(box: UprightBox, far: float, across: float, up: float) -> Array:
    """Return the pose of a camera before a box's front that looks at its middle."""
    width, _, height = box.size
    face = world_from_face(box)
    eye, middle = (
        (face @ [width / 2 + u, height / 2 + v, h, 1])[:3] for u, v, h in ((across, up, far), (0, 0, 0))
    )
    return looking(eye, middle)


ACROSS = (-0.5, -0.25, 0.0, 0.2, 0.45)
POSES = [before(THING, 1.2, across, 0.45) for across in ACROSS]


def beside(
    box: UprightBox, u: float, v: float, behind: float, size: tuple[float, float, float]
) -> UprightBox:
    """Return a box whose foot's middle is at (u, v) of a face and `behind` m behind it."""
    x, y, z, _ = world_from_face(box) @ [u, v, -behind, 1]
    return UprightBox((x, y, z), box.yaw, size)


def shots_of(capture: Capture, box: UprightBox) -> tuple[list[Shot], FaceGrid]:
    grid = FaceGrid(box.size[0], box.size[2], MARGIN, FINEST)
    seen = views(box, CAMERA, capture.world_from_camera, capture.coloured)
    return [posed(capture, view, box, capture.world_from_camera, grid) for view in seen], grid


def found(capture: Capture, box: UprightBox) -> Ends:
    shots, grid = shots_of(capture, box)
    return ends(shots, box, capture.world_from_camera, grid)


@pytest.fixture(scope="module")
def plain(room: Callable[..., Any]) -> Capture:
    capture: Capture = room((FLOOR, THING), (230.0, 90.0), CAMERA).capture(POSES)
    return capture


# --- depth alone ------------------------------------------------------------------------------------------


def test_a_box_ends_where_it_does(plain: Capture) -> None:
    seen = found(plain, THING)
    assert sorted(seen) == ["left", "right", "top"]
    for place in seen.values():
        assert abs(place.shift) < 3 * MM
        assert place.sigma < 5 * MM


@pytest.mark.parametrize(("wider", "higher"), [(0.016, 0.0), (-0.012, 0.0), (0.0, 0.015), (0.0, -0.018)])
def test_a_box_told_larger_or_smaller_ends_as_much_elsewhere(
    plain: Capture, wider: float, higher: float
) -> None:
    true = found(plain, THING)
    width, depth, height = THING.size
    told = replace(THING, size=(width + wider, depth, height + higher))
    seen = found(plain, told)
    for side, more in (("left", wider / 2), ("right", wider / 2), ("top", higher)):
        assert seen[side].shift == pytest.approx(true[side].shift - more, abs=2 * MM)


@pytest.mark.parametrize("down", [-0.012, 0.014])
def test_poses_that_are_all_off_show_it_elsewhere(plain: Capture, down: float) -> None:
    lift = se3.exp(np.array([0, 0, down, 0, 0, 0]))
    moved = lift @ plain.world_from_camera
    shots, grid = shots_of(plain, THING)
    camera_moved = [
        posed(plain, view, THING, moved, grid) for view in views(THING, CAMERA, moved, plain.coloured)
    ]
    there = ends(camera_moved, THING, moved, grid)
    here = ends(shots, THING, plain.world_from_camera, grid)
    assert there["top"].shift == pytest.approx(here["top"].shift + down, abs=2 * MM)
    assert there["left"].shift == pytest.approx(here["left"].shift, abs=2 * MM)


def test_where_a_face_goes_on_it_does_not_end(room: Callable[..., Any]) -> None:
    width, depth, height = THING.size
    neighbour = beside(THING, width + 0.25, 0.0, depth / 2, (0.5, depth, height))
    capture = room((FLOOR, THING, neighbour), (230.0, 90.0, 90.0), CAMERA).capture(POSES)
    seen = found(capture, THING)
    assert "right" not in seen
    assert abs(seen["left"].shift) < 3 * MM


def test_the_same_world_turned_ends_alike(plain: Capture, room: Callable[..., Any]) -> None:
    motion = se3.exp(np.array([1.0, -0.5, 0, 0, 0, 0])) @ se3.exp(np.array([0, 0, 0, 0, 0, 0.7]))
    x, y, z, _ = motion @ [*THING.foot, 1]
    box = UprightBox((x, y, z), THING.yaw + 0.7, THING.size)
    capture = room((FLOOR, box), (230.0, 90.0), CAMERA).capture([motion @ pose for pose in POSES])
    turned, here = found(capture, box), found(plain, THING)
    assert turned.keys() == here.keys()
    for side, place in here.items():
        assert turned[side].shift == pytest.approx(place.shift, abs=0.5 * MM)


def test_few_maps_or_none_say_nothing(plain: Capture) -> None:
    shots, grid = shots_of(plain, THING)
    assert ends(shots[:2], THING, plain.world_from_camera, grid) == {}
    blind = [replace(shot, frame=replace(shot.frame, depth=None)) for shot in shots]
    assert ends(blind, THING, plain.world_from_camera, grid) == {}


# --- depth that is missing --------------------------------------------------------------------------------


def profile(edge: float, missing: tuple[float, float], beyond: float) -> tuple[Array, Array]:
    """Return places across an edge at `edge`, and how far off the face depth is there; none in `missing`."""
    at = np.arange(-0.03 + FINE / 2, 0.03, FINE)
    off = np.where(at < edge, 0.001, beyond)
    off[(missing[0] < at) & (at < missing[1])] = np.nan
    return at, np.repeat(off[:, None], 5, 1)


@pytest.mark.parametrize("beyond", [0.5, np.nan])
@pytest.mark.parametrize("missing", [(0.0, 0.0), (-0.008, -0.002), (-0.012, 0.006)])
def test_a_face_goes_on_beyond_where_its_depth_is_missing(
    missing: tuple[float, float], beyond: float
) -> None:
    at, off = profile(0.010, missing, beyond)
    assert _end(at, off, 0.03, 0.0) == pytest.approx(0.010, abs=FINE)
    assert _end(at[::-1], off[::-1], 0.03, 0.0) == _end(at, off, 0.03, 0.0)


def test_missing_depth_before_what_is_far_off_ends_a_face() -> None:
    """Depth is often missing where it leaps."""
    at, off = profile(0.004, (-0.002, 0.010), 0.5)
    assert _end(at, off, 0.03, 0.0) == pytest.approx(-0.002, abs=FINE)


@pytest.mark.parametrize("missing", [(-0.03, 0.03), (-0.03, -0.010)])
def test_a_face_not_seen_inside_of_its_edge_has_no_end(missing: tuple[float, float]) -> None:
    assert _end(*profile(0.010, missing, 0.5), 0.03, 0.0) is None


def test_a_gap_without_depth_between_two_faces_in_line_ends_neither() -> None:
    assert _end(*profile(1.0, (-0.002, 0.002), 0.5), 0.03, 0.0) is None


# --- which edge of a picture it is ------------------------------------------------------------------------

GRID = FaceGrid(0.4, 0.5, MARGIN, 0.001)
KNOWN = Known(0.002, 0.0, 0.002)


def boarded(edge: float, gap: float) -> NDArray[np.float32]:
    """Return a face that hardly differs from what is above it at `edge`, with a dark gap at `gap`, m."""
    out = np.full(GRID.shape, 90, np.float32)
    out[(edge < GRID.v) & (GRID.v < edge + 1)] = 100
    out[np.abs(GRID.v - gap) < GAP / 2] = 20
    out[:, (GRID.u < 0) | (GRID.u > GRID.width)] = 200
    return np.asarray(cv2.GaussianBlur(out, (0, 0), 1.5), np.float32)


def test_depth_tells_a_boards_edge_from_the_gap_below_it() -> None:
    off = 0.014  # m: what poses that took the gap for the edge lift all of the face
    face = boarded(0.5 + off, 0.5 + off - BOARD)
    alone, guided = (outline(face, GRID, KNOWN, by).top for by in (None, {"top": Place(off, 0.003)}))
    assert alone is not None
    assert alone.shift == pytest.approx(off - BOARD, abs=3 * MM)
    assert guided is not None
    assert guided.shift == pytest.approx(off, abs=1.5 * MM)


@pytest.mark.parametrize("beside_by", [-0.003, 0.0, 0.004])
def test_depth_chooses_an_edge_and_does_not_move_it(beside_by: float) -> None:
    face = boarded(0.5, 0.5 - BOARD)
    seen = outline(face, GRID, KNOWN, {"top": Place(beside_by, 0.002)}).top
    assert seen is not None
    assert abs(seen.shift) < 1 * MM


# --- a whole face whose poses took the gap for the edge ---------------------------------------------------


@pytest.fixture(scope="module")
def misled(room: Callable[..., Any]) -> tuple[Capture, Blend]:
    """Return a pedestal with a top board of the fronts' colour, seen with poses that lift it by 14 mm."""
    width, depth, height = THING.size
    thin = 0.002  # m: light does not fall on the panels' upper edges, so gaps are dark
    parts, greys = [beside(THING, width / 2, 0.0, (depth + thin) / 2, (width, depth - thin, height))], [30.0]
    top = height - BOARD - GAP
    for low, high in ((0.0, 0.2), (0.2 + GAP, top), (height - BOARD, height)):
        parts.append(beside(THING, width / 2, low, thin / 2, (width, thin, high - low)))
        greys.append(90.0)
    lift = se3.exp(np.array([0, 0, 0.014, 0, 0, 0]))
    capture = room((FLOOR, *parts), (230.0, *greys), CAMERA).capture(POSES, [lift @ pose for pose in POSES])
    made = blend(capture, THING, capture.world_from_camera, Known(0.002, 0.0, 0.002))
    assert made is not None
    return capture, made


def test_lines_are_where_they_are_though_poses_lift_them(misled: tuple[Capture, Blend]) -> None:
    _, made = misled
    height = THING.size[2]
    span = Span(0.01, THING.size[0] - 0.01, 0.01, height - 0.01)
    lines = find_lines(brightness(made.colour), made.grid, np.zeros(made.grid.shape, bool), span)
    level = [line.at for line in lines if not line.vertical and line.end - line.start > 0.3]
    for true in (0.2 + GAP / 2, height - BOARD - GAP / 2):
        assert min(abs(at - true) for at in level) < 6 * MM, (true, level)
