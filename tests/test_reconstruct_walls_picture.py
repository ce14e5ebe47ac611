"""Pictures of walls: right way round, in the right place, and only of what is really seen."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.rectify import world_from_face
from pocketworld.reconstruct.room.wall_picture import WallPicture, beside, paint, pane
from pocketworld.reconstruct.room.walls import Wall

Array = NDArray[np.float64]
# A white wall in the plane y = 0, seen from y < 0, with a dark board from x = 1.0 to 1.2 on it.
BOXES = (
    UprightBox((2.0, 0.1, 0.0), 0.0, (4.0, 0.2, 2.4)),
    UprightBox((1.1, -0.005, 0.4), 0.0, (0.2, 0.01, 0.8)),
)
GREYS = (200.0, 40.0)
WALK = [looking(np.array([x, -1.4, 1.4]), np.array([x + 0.5, 0.0, 1.1])) for x in np.arange(0.0, 4.0, 0.5)]


def painted(
    room: Callable[..., Any], boxes: Any = BOXES, greys: Any = GREYS, before: float = 0.0
) -> WallPicture:
    capture = room(boxes, greys).capture(WALK)
    one = pane((0.0, -1.0), -before, 0.0, 4.0, 2.0, 0.02, before)
    return paint(capture, capture.world_from_camera, [one])[0]


@pytest.fixture(scope="module")
def picture(room: Callable[..., Any]) -> WallPicture:
    return painted(room)


def test_what_is_to_the_right_is_shown_to_the_right(picture: WallPicture) -> None:
    grey = picture.colour[..., 0]
    u, v = picture.grid.u, picture.grid.v
    board = np.ix_((v > 0.5) & (v < 1.1), (u > 1.03) & (u < 1.17))
    beside = np.ix_((v > 0.5) & (v < 1.1), (u > 2.83) & (u < 2.97))  # where a mirrored picture had it
    assert np.nanmedian(grey[board]) < 0.4 * np.nanmedian(grey[beside])
    row = grey[np.argmin(np.abs(v - 0.8))]
    dark = np.flatnonzero(row < 0.6 * np.nanmedian(row))
    assert (u[dark[0]], u[dark[-1]]) == pytest.approx((1.0, 1.2), abs=0.03)


def test_all_that_is_seen_is_shown(picture: WallPicture) -> None:
    body = (picture.grid.v > 0.6) & (picture.grid.v < 1.6)
    shown = np.isfinite(picture.colour[body][..., 0])
    assert shown.mean() > 0.95
    assert ((picture.slant > 0) == np.isfinite(picture.colour[..., 0])).all()
    assert picture.slant.max() <= 1
    assert 4 <= picture.frames <= len(WALK)


def test_a_crop_shows_the_same_places(picture: WallPicture) -> None:
    part = picture.crop(0.9, 1.3, 1.6)
    assert (part.grid.width, part.grid.height) == pytest.approx((0.4, 1.6), abs=0.021)
    row = np.nanmedian(part.colour[part.rows((0.5, 1.1))][..., 0], axis=0)
    dark = part.grid.u[row < 0.6 * row.max()]
    assert (dark[0] + 0.9, dark[-1] + 0.9) == pytest.approx((1.0, 1.2), abs=0.03)
    assert part.frames == picture.frames


def test_medians_over_heights_leave_out_what_was_hardly_seen(picture: WallPicture) -> None:
    values = picture.colour[..., 0].astype(float)
    values[picture.rows((0.8, 1.1)), :10] = np.nan
    middle = picture.over(values, (0.8, 1.2))
    assert np.isnan(middle[:10]).all()
    assert np.isfinite(middle[60:180]).all()


@given(st.integers(-6, 6))
def test_beside_is_to_the_right(n: int) -> None:
    values = np.arange(10.0).reshape(2, 5)
    moved = beside(values, n)
    for column in range(5):
        if 0 <= column + n < 5:
            assert (moved[:, column] == values[:, column + n]).all()
        else:
            assert np.isnan(moved[:, column]).all()


def test_what_stands_before_a_wall_is_not_painted_where_others_see_past_it(room: Callable[..., Any]) -> None:
    pole = UprightBox((2.0, -0.5, 0.0), 0.0, (0.05, 0.05, 2.4))
    grey = painted(room, (*BOXES, pole), (*GREYS, 10.0)).colour[..., 0]
    dark = grey < 0.4 * np.nanmedian(grey)
    rows = np.ix_(np.linspace(40, 60, 5).astype(int), np.arange(75, grey.shape[1]))
    assert dark[rows].mean() < 0.1


def test_of_a_leaf_behind_an_opening_what_the_jamb_hides_is_not_shown(room: Callable[..., Any]) -> None:
    walk = [looking(np.array([x, -1.0, 1.4]), np.array([x + 1.5, 0.0, 1.1])) for x in (-1.5, -1.0)]
    capture = room(BOXES, GREYS).capture(walk)
    near = pane((0.0, -1.0), -0.12, 0.5, 1.5, 2.0, 0.02, 0.12)
    far = pane((0.0, -1.0), 0.0, 0.5, 1.5, 2.0, 0.02)
    hidden, shown = paint(capture, capture.world_from_camera, [near, far])
    row = np.argmin(np.abs(hidden.grid.v - 1.2))
    unseen = np.isnan(hidden.colour[row, :, 0])
    # From x = -1, 1 m before the wall, the ray past the jamb at 0.5 meets the leaf 0.18 m further on.
    assert unseen[hidden.grid.u < 0.15].all()
    assert not unseen[(hidden.grid.u > 0.25) & (hidden.grid.u < 0.9)].any()
    assert not np.isnan(shown.colour[row, :45, 0]).any()


def test_without_pictures_nothing_is_shown(room: Callable[..., Any]) -> None:
    capture = room(BOXES, GREYS).capture(WALK[:2], colour=False)
    (nothing,) = paint(capture, capture.world_from_camera, [pane((0.0, -1.0), 0.0, 0.0, 4.0, 2.0, 0.02)])
    assert np.isnan(nothing.colour).all()
    assert nothing.frames == 0


def test_from_behind_a_wall_nothing_of_it_is_seen(room: Callable[..., Any]) -> None:
    behind = [looking(np.array([2.0, 1.5, 1.4]), np.array([2.0, 0.0, 1.1]))]
    capture = room(BOXES, GREYS).capture(behind)
    (nothing,) = paint(capture, capture.world_from_camera, [pane((0.0, -1.0), 0.0, 0.0, 4.0, 2.0, 0.02)])
    assert nothing.frames == 0


@given(st.floats(-math.pi, math.pi), st.floats(-9, 9), st.floats(-9, 9), st.floats(0.5, 5))
def test_a_pane_lies_in_its_wall(angle: float, distance: float, low: float, length: float) -> None:
    wall = Wall((math.cos(angle), math.sin(angle)), distance, low, low + length, 2.4)
    one = pane(wall.normal, wall.distance, wall.low, wall.high, 2.4, 0.05)
    face = np.array([[0, 0, 0], [length, 2.0, 0], [length / 2, 1, 0.3]])
    at = se3.apply(world_from_face(one.box), face)
    assert np.allclose(at[:, :2] @ wall.normal - distance, (0, 0, 0.3))
    assert np.allclose(at[:, :2] @ wall.along - low, (0, length, length / 2))
    assert np.allclose(at[:, 2], (0, 2, 1))
