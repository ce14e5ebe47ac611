"""Faces seen straight on: geometry, registration, anchoring, blending, relief; on boxes rendered exactly."""

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.families.protocol import SeenHandle
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.elevation import MARGIN, Blend, blend, brightness, middle
from pocketworld.reconstruct.fronts.face import FACES, Face, read_face
from pocketworld.reconstruct.fronts.handles import find_handles
from pocketworld.reconstruct.fronts.outline import Edge, Known, Outline, anchor, outline
from pocketworld.reconstruct.fronts.rectify import (
    CELLS,
    FaceGrid,
    View,
    enough,
    picture_from_face,
    rectified,
    views,
    world_from_face,
)
from pocketworld.reconstruct.fronts.relief import CELL, Apparent, Relief, cells, relief
from pocketworld.reconstruct.fronts.standoff import USUAL, triangulated
from pocketworld.reconstruct.surfaces.depth import project
from pocketworld.reconstruct.surfaces.register import Layer, align
from pocketworld.rng import stream
from pocketworld.scan.capture import Camera, Capture
from pocketworld.scene import HandleKind

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]

CAMERA = Camera(560.0, 560.0, 319.5, 239.5, 640, 480)
MM = 1e-3
LOOSE, SURE = Known(0.015, None, 0.015), Known(0.002, None, 0.002)
STANDS = Known(0.002, 0.0, 0.002)  # its face reaches to the floor
sizes = st.floats(0.2, 2.0)
yaws = st.floats(-3.1, 3.1)


# --- the grid ---------------------------------------------------------------------------------------------


@given(sizes, sizes, st.sampled_from([0.001, 0.002, 0.004]), st.floats(0, 0.05))
def test_a_grid_maps_its_pixels_to_the_face_and_back(w: float, h: float, pixel: float, margin: float) -> None:
    grid = FaceGrid(w, h, margin, pixel)
    rows, columns = grid.shape
    assert abs(columns * pixel - (w + 2 * margin)) <= pixel
    assert abs(rows * pixel - (h + 2 * margin)) <= pixel
    np.testing.assert_allclose(grid.pixel_from_face @ grid.face_from_pixel, np.eye(3), atol=1e-9)
    first = grid.face_from_pixel @ [0, 0, 1]
    np.testing.assert_allclose(first, [grid.u[0], grid.v[0], 1], atol=1e-12)
    last = grid.face_from_pixel @ [columns - 1, rows - 1, 1]
    np.testing.assert_allclose(last, [grid.u[-1], grid.v[-1], 1], atol=1e-9)
    assert (np.diff(grid.u) > 0).all()
    assert (np.diff(grid.v) < 0).all()


def test_a_coarser_grid_covers_the_same_face() -> None:
    fine, coarse = FaceGrid(0.4, 0.6, 0.03, 0.001), FaceGrid(0.4, 0.6, 0.03, 0.001).at(0.004)
    assert coarse.shape == tuple(round(n / 4) for n in fine.shape)
    assert coarse.u[0] - coarse.pixel / 2 == pytest.approx(fine.u[0] - fine.pixel / 2)
    assert coarse.v[0] + coarse.pixel / 2 == pytest.approx(fine.v[0] + fine.pixel / 2)


# --- a face in the world and in a picture ------------------------------------------------------------------

boxes = st.builds(
    UprightBox,
    st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(0, 0.5)),
    yaws,
    st.tuples(sizes, sizes, sizes),
)


@given(boxes)
def test_u_is_to_the_right_v_up_and_h_out_of_the_face(box: UprightBox) -> None:
    pose = world_from_face(box)
    np.testing.assert_allclose(np.linalg.det(pose[:3, :3]), 1, atol=1e-9)
    np.testing.assert_allclose(pose[:3, 1], [0, 0, 1], atol=1e-12)
    middle_of_box = box.world_from_box @ [0, 0, box.size[2] / 2, 1]
    middle_of_face = pose @ [box.size[0] / 2, box.size[2] / 2, 0, 1]
    np.testing.assert_allclose(
        middle_of_face[:3] - middle_of_box[:3], pose[:3, 2] * box.size[1] / 2, atol=1e-9
    )


@given(boxes, st.integers(0, 3))
def test_the_right_edge_of_a_face_is_the_left_edge_of_the_next(box: UprightBox, quarter: int) -> None:
    here, beside = box.turned(quarter), box.turned(quarter + 1)
    right = world_from_face(here) @ [here.size[0], 0.1, 0, 1]
    left = world_from_face(beside) @ [0, 0.1, 0, 1]
    np.testing.assert_allclose(right, left, atol=1e-9)


@given(boxes, st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_the_homography_is_the_camera_on_the_plane(box: UprightBox, a: float, b: float) -> None:
    pose = before(box, 1.5)
    point = world_from_face(box) @ [a * box.size[0], b * box.size[2], 0, 1]
    pixel, depth = project(CAMERA, se3.apply(se3.inverse(pose), point[None, :3]))
    at = picture_from_face(CAMERA, pose, box) @ [a * box.size[0], b * box.size[2], 1]
    assert depth[0] > 0
    np.testing.assert_allclose(at[:2] / at[2], pixel[0], atol=1e-6)


def before(box: UprightBox, far: float, across: float = 0.0, up: float = 0.4) -> Array:
    """Return the pose of a camera before a box's front that looks at its middle; across: m to the right."""
    pose = world_from_face(box)
    width, _, height = box.size
    eye = pose @ [width / 2 + across, height / 2 + up, far, 1]
    target = pose @ [width / 2, height / 2, 0, 1]
    return looking(eye[:3], target[:3])


# --- which pictures ----------------------------------------------------------------------------------------

BOX = UprightBox((0.3, -0.2, 0.0), 0.4, (0.5, 0.6, 0.6))


def seen_by(*poses: Array, box: UprightBox = BOX) -> list[View]:
    return views(box, CAMERA, np.array(poses), np.ones(len(poses), bool))


def test_pictures_from_behind_beside_and_without_colour_are_no_views() -> None:
    front, behind = before(BOX, 1.5), before(BOX.turned(2), 1.5)
    slanted = before(BOX, 0.7, across=2.0)
    assert [view.number for view in seen_by(front, behind, slanted)] == [0]
    assert views(BOX, CAMERA, np.array([front]), np.zeros(1, bool)) == []
    assert seen_by(looking(np.array([0, -3.0, 1]), np.array([0, -6.0, 1]))) == []  # it looks away


def test_the_nearest_and_most_frontal_come_first() -> None:
    far, near, aside = before(BOX, 2.5), before(BOX, 1.3), before(BOX, 1.3, across=1.2)
    ranked = seen_by(far, near, aside)
    assert ranked[0].number == 1
    assert ranked[0].cosine > 0.9
    # 1.37 m away at 560 pixels a radian, a little from above.
    assert ranked[0].blur == pytest.approx(1.36 / 560 / ranked[0].cosine, rel=0.02)
    by_number = {view.number: view for view in ranked}
    assert by_number[1].blur < by_number[2].blur
    assert by_number[1].blur < by_number[0].blur


def view(number: int, visible: NDArray[np.bool_]) -> View:
    return View(number, (0.0, 0.0, 1.0), 0.003, 1.0, visible)


@given(st.lists(st.integers(1, 2**12 - 1), min_size=1, max_size=12), st.integers(1, 4))
def test_enough_pictures_see_each_place_as_often_as_can_be(masks: list[int], count: int) -> None:
    ranked = []
    for i, mask in enumerate(masks):
        visible = np.zeros(CELLS * CELLS, bool)
        visible[:12] = [mask >> k & 1 for k in range(12)]
        ranked.append(view(i, visible.reshape(CELLS, CELLS)))
    chosen = enough(ranked, count)
    all_seen = np.sum([v.visible for v in ranked], 0)
    got = np.sum([v.visible for v in chosen], 0)
    assert (got >= np.minimum(all_seen, count)).all()
    assert [v.number for v in chosen] == sorted(v.number for v in chosen)


# --- rectifying --------------------------------------------------------------------------------------------


def texture(grid: FaceGrid, seed: int = 0) -> Picture:
    """Return a smooth random picture on a grid."""
    rng = stream(seed, "texture")
    rough = rng.uniform(40, 200, (grid.shape[0] // 12, grid.shape[1] // 12, 3)).astype(np.float32)
    return np.asarray(cv2.resize(rough, grid.shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def test_what_is_drawn_on_a_face_is_what_rectifying_shows() -> None:
    grid = FaceGrid(0.5, 0.6, 0.03, 0.002)
    drawn = texture(grid)
    warp = picture_from_face(CAMERA, before(BOX, 1.2, 0.3), BOX) @ grid.face_from_pixel
    picture = np.asarray(cv2.warpPerspective(drawn, warp, (640, 480)), np.uint8)
    back, seen = rectified(picture, warp, grid)
    inner = (slice(20, -20), slice(20, -20))
    assert seen[inner].all()
    assert np.abs(back[inner].astype(float) - drawn[inner]).mean() < 2


def test_nothing_is_made_up_outside_the_picture() -> None:
    grid = FaceGrid(0.5, 0.6, 0.03, 0.002)
    shift = np.array([[1, 0, -100.0], [0, 1, 0], [0, 0, 1]])  # the picture begins at column 100 of the grid
    _, seen = rectified(np.full((480, 640, 3), 80, np.uint8), shift, grid)
    assert not seen[:, :100].any()
    assert seen[:, 100:].all()


def test_fine_patterns_are_averaged_and_not_sampled() -> None:
    grid = FaceGrid(0.1, 0.1, 0.0, 0.004)
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 200
    out, seen = rectified(stripes, np.diag([8.0, 8.0, 1.0]), grid)
    assert seen.any()
    assert np.abs(out[seen].astype(float) - 100).max() < 6


# --- registering -------------------------------------------------------------------------------------------


def warped(layer: Layer, warp: Array) -> Layer:
    """Return the layer as it looks where what is at x lies at warp x."""
    size = layer.seen.shape[::-1]
    picture = cv2.warpPerspective(layer.picture, warp, size, borderMode=cv2.BORDER_REFLECT)
    return Layer(np.asarray(picture, np.uint8), layer.seen)


GRID = FaceGrid(0.4, 0.5, 0.03, 0.001)
FACE = Layer(texture(GRID), np.ones(GRID.shape, bool))


@pytest.mark.parametrize("shift", [(0, 0), (7, -9), (-12, 4)])
@pytest.mark.parametrize("turn", [0.0, 0.01])
def test_registration_finds_the_motion(shift: tuple[int, int], turn: float) -> None:
    c, s = math.cos(turn), math.sin(turn)
    warp = np.array([[c, -s, shift[0]], [s, c, shift[1]], [1e-5, 0, 1]])
    found, alike = align(FACE, warped(FACE, warp), GRID.pixel)
    corners = np.array([[[50.0, 50]], [[400, 60]], [[60, 500]], [[400, 500]]])
    off = cv2.perspectiveTransform(corners, found) - cv2.perspectiveTransform(corners, warp)
    assert np.abs(off).max() < 0.7
    assert alike > 0.97


def test_registration_does_not_mind_exposure() -> None:
    warp = np.array([[1, 0, 6.0], [0, 1, -5], [0, 0, 1]])
    other = warped(FACE, warp)
    darker = Layer(np.asarray(other.picture * 0.4 + 10, np.uint8), other.seen)
    found, alike = align(FACE, darker, GRID.pixel)
    np.testing.assert_allclose(found[:2, 2], [6, -5], atol=0.5)
    assert alike > 0.97


def test_different_things_are_not_alike() -> None:
    assert align(FACE, Layer(texture(GRID, seed=5), FACE.seen), GRID.pixel)[1] < 0.85
    nothing = Layer(np.zeros((*GRID.shape, 3), np.uint8), FACE.seen)
    assert align(FACE, nothing, GRID.pixel)[1] == -1
    small = FaceGrid(0.1, 0.1, 0.0, 0.01)
    tiny = Layer(texture(FaceGrid(0.4, 0.4, 0, 0.01)), np.ones((40, 40), bool))
    assert align(tiny, tiny, small.pixel)[1] > 0.99


# --- outline and anchor ------------------------------------------------------------------------------------


def quad(corners: Array, grid: FaceGrid, inside: float = 60, outside: float = 200) -> NDArray[np.float32]:
    """Return a dark face on a bright ground: corners (4, 2) in m from the box's lower left corner."""
    fine = grid.at(grid.pixel / 4)
    u, v = np.meshgrid(fine.u, fine.v)
    within = np.ones(u.shape, bool)
    for (u0, v0), (u1, v1) in pairwise([*corners, corners[0]]):
        within &= (u1 - u0) * (v - v0) - (v1 - v0) * (u - u0) > 0
    exact = np.where(within, inside, outside).astype(np.float32)
    out = cv2.resize(exact, grid.shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(out, (0, 0), 1.5), np.float32)


def rectangle(u0: float, v0: float, u1: float, v1: float) -> Array:
    return np.array([[u0, v0], [u1, v0], [u1, v1], [u0, v1]])


def test_the_outline_tells_how_far_each_edge_is_off() -> None:
    seen = outline(quad(rectangle(-0.004, 0.012, 0.397, 0.505), GRID), GRID, LOOSE)
    assert seen.left
    assert seen.right
    assert seen.top
    assert seen.bottom
    np.testing.assert_allclose(seen.left.shift, 0.004, atol=0.6 * MM)
    np.testing.assert_allclose(seen.right.shift, -0.003, atol=0.6 * MM)
    np.testing.assert_allclose(seen.top.shift, 0.005, atol=0.6 * MM)
    np.testing.assert_allclose(seen.bottom.shift, -0.012, atol=0.6 * MM)


@pytest.mark.parametrize("turn", [-0.02, 0.015])
def test_all_edges_of_a_turned_face_turn_alike(turn: float) -> None:
    c, s = math.cos(turn), math.sin(turn)
    middle_of = np.array([0.2, 0.25])
    turned = (rectangle(0, 0, 0.4, 0.5) - middle_of) @ np.array([[c, s], [-s, c]]) + middle_of
    seen = outline(quad(turned, GRID), GRID, LOOSE)
    for edge in (seen.left, seen.right, seen.top, seen.bottom):
        assert edge
        assert edge.slope == pytest.approx(turn, abs=0.002)


def test_an_even_picture_has_no_outline() -> None:
    assert outline(np.full(GRID.shape, 80, np.float32), GRID, LOOSE) == Outline(None, None, None, None)
    np.testing.assert_array_equal(anchor(Outline(None, None, None, None), GRID, LOOSE), np.eye(3))


def test_where_poses_are_sure_an_edge_farther_off_is_another_one() -> None:
    face = quad(rectangle(0, 0, 0.4, 0.5), GRID)
    face[GRID.v > 0.48] -= 30  # a dark plate on top: a stronger edge 20 mm lower
    both = quad(rectangle(0, 0, 0.4, 0.48), GRID) * 0.8 + face * 0.2
    seen = outline(both.astype(np.float32), GRID, SURE)
    assert seen.top is None or abs(seen.top.shift) < 0.01


@pytest.mark.parametrize(
    "corners",
    [
        np.array([[0.004, 0.003], [0.396, 0.008], [0.402, 0.498], [-0.003, 0.506]]),
        rectangle(0.01, 0.0, 0.41, 0.5),
    ],
)
def test_the_anchor_makes_a_skew_face_a_rectangle(corners: Array) -> None:
    seen = outline(quad(corners, GRID), GRID, LOOSE)
    put = cv2.perspectiveTransform(corners[:, None], anchor(seen, GRID, LOOSE))[:, 0]
    np.testing.assert_allclose(put[0, 0], put[3, 0], atol=0.8 * MM)
    np.testing.assert_allclose(put[1, 0], put[2, 0], atol=0.8 * MM)
    np.testing.assert_allclose(put[2:, 1], 0.5, atol=0.8 * MM)
    np.testing.assert_allclose(put[0, 1], put[1, 1], atol=0.8 * MM)
    np.testing.assert_allclose(put[:2, 0].mean(), 0.2, atol=0.8 * MM)


def edges(left: float, right: float, top: float, bottom: float) -> Outline:
    return Outline(*(Edge(shift, 0.0, 1e-4) for shift in (left, right, top, bottom)))


def put(seen: Outline, known: Known, *places: tuple[float, float]) -> Array:
    moved = cv2.perspectiveTransform(np.array(places)[:, None], anchor(seen, GRID, known))
    return np.asarray(moved[:, 0], float)


def test_a_sure_box_sets_the_scale_an_unsure_one_does_not() -> None:
    narrow = edges(-0.01, -0.01, 0.0, 0.0)  # the face was seen 20 mm narrower than the box
    sure, unsure = (put(narrow, Known(s, None, s), (0.01, 0.0), (0.39, 0.0)) for s in (1e-4, 0.1))
    np.testing.assert_allclose(sure[:, 0], [0, 0.4], atol=0.5 * MM)
    np.testing.assert_allclose(unsure[:, 0], [0.01, 0.39], atol=0.5 * MM)
    level = edges(0.0, 0.0, 0.0, -0.02)  # its lower edge was seen 20 mm up, but is told to be at 10 mm
    told = put(level, Known(0.01, 0.01, 1e-4), (0.2, 0.02), (0.2, 0.5))
    np.testing.assert_allclose(told[:, 1], [0.01, 0.5], atol=0.5 * MM)


def test_a_single_edge_turns_the_face_but_does_not_move_it_aside() -> None:
    alone = Outline(Edge(0.006, 0.0, 1e-4), None, None, None)
    np.testing.assert_allclose(put(alone, SURE, (-0.006, 0.2)), [[-0.006, 0.2]], atol=1e-6)


def test_the_middle_is_the_median_of_what_is_known() -> None:
    rng = stream(3, "stack")
    stack = rng.normal(size=(7, 11, 5)).astype(np.float32)
    stack[rng.random(stack.shape) < 0.4] = np.nan
    stack[:, 2, 3] = np.nan
    got = middle(stack)
    assert np.isnan(got[2, 3])
    known = ~np.isnan(stack).all(0)
    np.testing.assert_allclose(got[known], np.nanmedian(stack[:, known], axis=0), rtol=1e-6)


# --- whole faces, rendered ---------------------------------------------------------------------------------

GAPS = (0.10, 0.34)  # v of the middles of gaps between three drawers
HANDLES = ((0.25, 0.05), (0.25, 0.22), (0.25, 0.46))
OUT = 0.030


def pedestal(box: UprightBox) -> tuple[tuple[UprightBox, ...], tuple[float, ...]]:
    """Return the boxes of a pedestal with three drawers and bars, and their greys; the front is box's."""
    width, depth, height = box.size
    # Panels are hardly thicker than paint: light does not fall on their upper edges, so gaps are dark.
    thin = 0.002
    parts = [box_at(box, width / 2, 0.0, depth / 2 + thin / 2, (width, depth - thin, height))]
    greys = [30.0]
    for low, high in pairwise([0.0, *GAPS, height]):
        parts.append(box_at(box, width / 2, low + 0.002, thin / 2, (width, thin, high - low - 0.004)))
        greys.append(90.0)
    for u, v in HANDLES:
        parts.append(box_at(box, u, v - 0.006, -OUT + 0.005, (0.16, 0.01, 0.012)))
        greys.append(150.0)
    return tuple(parts), tuple(greys)


def box_at(
    box: UprightBox, u: float, v: float, behind: float, size: tuple[float, float, float]
) -> UprightBox:
    """Return a box whose middle is at u of a face and `behind` m behind it, its foot at v."""
    x, y, z, _ = world_from_face(box) @ [u, v, -behind, 1]
    return UprightBox((x, y, z), box.yaw, size)


def shaken(poses: list[Array], shift: float, turn: float) -> list[Array]:
    """Return poses as a tracker tells them, each off on its own."""
    rng = stream(1, "shake")
    return [
        pose @ se3.exp(np.concatenate([rng.normal(0, shift, 3), rng.normal(0, turn, 3)])) for pose in poses
    ]


THING = UprightBox((0.2, 0.1, 0.0), 0.5, (0.5, 0.6, 0.56))
TRUE = [before(THING, 1.2, across, 0.45) for across in (-0.5, -0.25, 0.0, 0.2, 0.45)]
SAID = shaken(TRUE, 0.004, 0.003)


@pytest.fixture(scope="module")
def scan(room: Callable[..., Any]) -> Capture:
    parts, greys = pedestal(THING)
    floor = UprightBox((0, 0, -0.1), 0.0, (6, 6, 0.1))
    capture: Capture = room((floor, *parts), (230.0, *greys), CAMERA).capture(TRUE, SAID)
    return capture


@pytest.fixture(scope="module")
def made(scan: Capture) -> Blend:
    out = blend(scan, THING, scan.world_from_camera, STANDS)
    assert out is not None
    return out


def gap_depth(picture: NDArray[np.float32], grid: FaceGrid, v: float) -> tuple[float, float]:
    """Return where the darkest row near v is, and how much darker it is than 15 mm off."""
    rows = picture[:, (grid.u > 0.03) & (grid.u < 0.15)].mean(1)
    near = np.flatnonzero(np.abs(grid.v - v) < 0.01)
    row = near[np.argmin(rows[near])]
    around = rows[np.flatnonzero(np.abs(np.abs(grid.v - grid.v[row]) - 0.015) < 0.001)].mean()
    return float(grid.v[row]), float(around - rows[row])


def test_gaps_are_where_they_are_in_spite_of_the_poses(made: Blend) -> None:
    grey = brightness(made.colour)
    for v in GAPS:
        at, _ = gap_depth(grey, made.grid, v)
        assert abs(at - v) < 3 * MM


def test_registering_makes_the_blend_sharper(scan: Capture, made: Blend) -> None:
    layers = []
    for number in range(len(scan)):
        frame = scan[number]
        assert frame.colour is not None
        warp = picture_from_face(CAMERA, SAID[number], THING) @ made.grid.face_from_pixel
        layers.append(cv2.cvtColor(rectified(frame.colour, warp, made.grid)[0], cv2.COLOR_RGB2GRAY))
    plain = np.median(layers, 0).astype(np.float32)
    for v in GAPS:
        assert gap_depth(brightness(made.colour), made.grid, v)[1] > 1.15 * gap_depth(plain, made.grid, v)[1]


def test_the_blend_is_anchored_on_the_faces_edges(made: Blend) -> None:
    for edge in (made.outline.left, made.outline.right, made.outline.top):
        assert edge is not None
        assert abs(edge.shift) < 1.5 * MM
        assert abs(edge.slope) < 0.004
    assert len(made.shots) == len(TRUE)


def test_a_blurred_picture_and_one_of_something_else_are_left_out(scan: Capture) -> None:
    def load(i: int) -> Any:
        frame = scan[i]
        assert frame.colour is not None
        if i == 1:
            return replace(frame, colour=np.asarray(cv2.GaussianBlur(frame.colour, (0, 0), 12), np.uint8))
        other = stream(0, "other").integers(0, 255, frame.colour.shape).astype(np.uint8)
        return replace(frame, colour=other) if i == 3 else frame

    out = blend(replace(scan, load=load), THING, scan.world_from_camera, SURE)
    assert out is not None
    assert not {1, 3} & {shot.view.number for shot in out.shots}


def test_no_picture_no_blend(scan: Capture) -> None:
    assert blend(scan, THING.turned(2), scan.world_from_camera, SURE) is None
    grey = replace(scan, coloured=np.zeros(len(scan), bool))
    assert blend(grey, THING, scan.world_from_camera, SURE) is None


# --- relief ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shape(scan: Capture, made: Blend) -> Relief:
    out = relief(made.shots, THING, scan.world_from_camera, made.grid)
    assert out is not None
    return out


def test_the_relief_is_flat_but_for_the_handles(shape: Relief, made: Blend) -> None:
    grid = cells(made.grid)
    assert shape.heights.shape == grid.shape
    u, v = np.meshgrid(grid.u, grid.v)
    far = np.ones(u.shape, bool)
    for hu, hv in HANDLES:
        far &= (np.abs(u - hu) > 0.13) | (np.abs(v - hv) > 0.04)
    inner = far & (u > 0.02) & (u < 0.48) & (v > 0.02) & (v < 0.54)
    known = inner & np.isfinite(shape.heights)
    assert known.sum() > 0.9 * inner.sum()
    assert np.percentile(np.abs(shape.heights[known]), 90) < 3 * MM


def test_handles_stand_out_where_they_are_though_pictures_show_them_lower(shape: Relief, made: Blend) -> None:
    grid = cells(made.grid)
    found = triangulated(find_handles(shape.heights, grid), shape.seen, grid)
    assert len(found) == 3
    for handle, (u, v) in zip(found, sorted(HANDLES, key=lambda h: -h[1]), strict=True):
        assert abs(handle.u - u) < 6 * MM
        assert abs(handle.v - v) < 6 * MM
        assert abs(handle.length - 0.16) < 0.025
        assert abs(handle.standoff - OUT) < 8 * MM
        assert not handle.vertical


def test_without_depth_there_is_no_relief(made: Blend, scan: Capture) -> None:
    blind = [replace(shot, frame=replace(shot.frame, depth=None, depth_camera=None)) for shot in made.shots]
    assert relief(blind, THING, scan.world_from_camera, made.grid) is None
    holes = [
        replace(shot, frame=replace(shot.frame, depth=np.zeros_like(shot.frame.depth))) for shot in made.shots
    ]
    assert relief(holes, THING, scan.world_from_camera, made.grid) is None


def test_depth_that_is_off_altogether_shows_the_same_relief(
    made: Blend, scan: Capture, shape: Relief
) -> None:
    nearer = []
    for shot in made.shots:
        assert shot.frame.depth is not None
        nearer.append(replace(shot, frame=replace(shot.frame, depth=shot.frame.depth * np.float32(0.99))))
    other = relief(nearer, THING, scan.world_from_camera, made.grid)
    assert other is not None
    known = np.isfinite(other.heights) & np.isfinite(shape.heights)
    assert np.median(np.abs(other.heights - shape.heights)[known]) < 1 * MM


def apparent(centre: tuple[float, float, float], place: Array, out: float, shown: float) -> Apparent:
    """Return a map on which a bar, `out` m before a face, is seen where lines of sight end, `shown` m out."""
    grid = FaceGrid(0.4, 0.5, 0.0, CELL)
    at = place - out * (np.array(centre[:2]) - place) / (centre[2] - out)
    u, v = np.meshgrid(grid.u, grid.v)
    heights = np.where((np.abs(u - at[0]) < 0.06) & (np.abs(v - at[1]) < 0.008), shown, 0.0)
    return Apparent(heights.astype(np.float32), centre)


@pytest.mark.parametrize("out", [0.022, 0.030, 0.045])
def test_a_thin_bar_is_placed_by_its_lines_of_sight(out: float) -> None:
    place = np.array([0.2, 0.3])
    eyes = [(u, v, 1.2) for u in (-0.6, 0.0, 0.4, 1.0) for v in (0.7, 1.1)]
    maps = [apparent(eye, place, out, out / 2) for eye in eyes]
    seen = SeenHandle(HandleKind.BAR, 0.2 - 0.01, 0.3 - 0.01, 0.12, 0.016, out / 2, False, 1.0)
    (found,) = triangulated([seen], maps, FaceGrid(0.4, 0.5, 0.0, CELL))
    assert math.hypot(found.u - 0.2, found.v - 0.3) < 4 * MM
    assert found.standoff == pytest.approx(out, abs=6 * MM)


def test_where_no_map_shows_a_handle_it_stays_as_it_was() -> None:
    grid = FaceGrid(0.4, 0.5, 0.0, CELL)
    seen = SeenHandle(HandleKind.BAR, 0.2, 0.3, 0.12, 0.016, 0.015, False, 1.0)
    flat = Apparent(np.zeros(grid.shape, np.float32), (0.2, 0.8, 1.2))
    assert triangulated([seen], [flat], grid) == (seen,)
    assert triangulated([], [flat], grid) == ()
    alone = apparent((0.2, 0.9, 1.2), np.array([0.2, 0.3]), USUAL, USUAL / 2)
    (guessed,) = triangulated([seen], [alone], grid)  # one look: what is usual decides
    assert guessed.standoff == pytest.approx(USUAL, abs=2 * MM)


# --- a face, read ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def face(scan: Capture) -> Face:
    return read_face(scan, THING, scan.world_from_camera, 0, STANDS)


def test_a_face_is_read_whole(face: Face) -> None:
    seen = face.elevation
    assert (seen.face, seen.width, seen.height) == ("front", 0.5, 0.56)
    assert seen.colour is not None
    assert seen.relief is not None
    assert seen.colour.shape[:2] == seen.relief.shape
    assert abs(seen.colour.shape[1] * seen.pixel - 0.5) < 2 * seen.pixel
    assert seen.frames == len(TRUE)
    long = [line.at for line in seen.lines if not line.vertical and line.end - line.start > 0.3]
    assert all(min(abs(at - v) for at in long) < 3 * MM for v in GAPS)
    assert len(seen.handles) == 3
    assert face.span.u1 - face.span.u0 == pytest.approx(0.5, abs=3 * MM)


def test_a_face_that_no_picture_shows_says_so(scan: Capture) -> None:
    back = read_face(scan, THING, scan.world_from_camera, 2, SURE)
    assert back.elevation.face == FACES[2]
    assert (back.elevation.frames, back.elevation.colour, back.elevation.relief) == (0, None, None)
    assert (back.elevation.lines, back.elevation.handles) == ((), ())


def test_the_same_world_turned_reads_the_same(scan: Capture, face: Face) -> None:
    motion = se3.exp(np.array([2.0, -1.0, 0, 0, 0, 0])) @ se3.exp(np.array([0, 0, 0, 0, 0, 0.5]))
    x, y, z = (motion @ [*THING.foot, 1])[:3]
    moved = UprightBox((x, y, z), THING.yaw + 0.5, THING.size)
    other = read_face(scan, moved.turned(3), motion @ scan.world_from_camera, 1, STANDS)
    assert other.elevation.face == "right"
    for a, b in zip(face.elevation.lines, other.elevation.lines, strict=True):
        assert a.vertical == b.vertical
        assert abs(a.at - b.at) < 0.5 * MM
    for a_handle, b_handle in zip(face.elevation.handles, other.elevation.handles, strict=True):
        assert math.hypot(a_handle.u - b_handle.u, a_handle.v - b_handle.v) < 0.5 * MM


def test_margins_reach_as_far_as_poses_are_off() -> None:
    assert MARGIN >= 0.02
