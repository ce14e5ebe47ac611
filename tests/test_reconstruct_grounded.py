"""What was seen in the air is carried by what was not seen of it; at a wall it may hang."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.depthbox import DepthBox
from pocketworld.reconstruct.objects.grounded import floating, grounded
from pocketworld.reconstruct.objects.things import BESIDE, HANGING, Thing
from pocketworld.reconstruct.room.walls import Wall
from pocketworld.reconstruct.surfaces.surface import Surface


def sheet(x: float, y: float, z: float, yaw: float = 0.0, size: float = 0.6) -> Thing:
    """A level square of surface, as of a table's top."""
    u, v = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-size / 2, size / 2, 21)] * 2))
    c, s = math.cos(yaw), math.sin(yaw)
    points = np.column_stack([x + c * u - s * v, y + s * u + c * v, np.full(u.size, z)])
    corner = np.arange(20 * 21).reshape(20, 21)[:, :-1].ravel()
    faces = np.concatenate([corner + np.array([[0], [1], [22]]), corner + np.array([[0], [22], [21]])], 1).T
    count = len(points)
    own = Surface(
        points,
        faces.astype(np.int32),
        np.tile([0, 0, 1.0], (count, 1)),
        None,
        np.ones(count),
        0.01,
        np.eye(4),
    )
    box = UprightBox((x, y, z - 0.02), yaw, (size, size, 0.02))
    return Thing("thing-1", own, DepthBox(box, 1.0, (0.0, 0.0, 0.0, 0.0, 1.0)), 1.0)


def wall(distance: float) -> Wall:
    """A wall across x at a distance behind the origin, seen from it."""
    return Wall((0.0, -1.0), -distance, -2.0, 2.0, 2.5)


@pytest.mark.parametrize(("z", "air"), [(0.75, True), (HANGING + 0.05, True), (HANGING, False), (0.1, False)])
def test_what_begins_high_is_in_the_air(z: float, air: bool) -> None:
    assert floating(sheet(0, 0, z), ()) is air


def test_what_is_at_a_wall_may_hang_there() -> None:
    assert not floating(sheet(0, 0, 1.0), [wall(0.3 + BESIDE / 2)])
    assert floating(sheet(0, 0, 1.0), [wall(0.3 + 2 * BESIDE)])
    beyond = replace(wall(0.3), low=1.0)  # the wall ends beside it
    assert floating(sheet(0, 0, 1.0), [beyond])


def test_what_is_behind_a_wall_does_not_hang_on_it() -> None:
    assert floating(sheet(0, 2.0, 1.0), [wall(1.0)])
    assert not floating(sheet(0, 0.8, 1.0), [wall(1.0)])  # through it, as poses drift


def test_a_corner_that_comes_near_a_wall_does_not_hang_on_it() -> None:
    """A square seen from its corner: of its 441 points one row or two come near."""
    corner = sheet(0, 0, 1.0, yaw=math.pi / 4)
    reach = float(corner.surface.vertices[:, 1].max())
    assert floating(corner, [wall(reach + 0.9 * BESIDE)])
    assert not floating(corner, [wall(reach)])


@given(st.floats(-math.pi, math.pi), st.floats(-3, 3), st.floats(0.3, 2.0))
def test_its_box_reaches_down_to_the_floor(yaw: float, x: float, z: float) -> None:
    thing = sheet(x, 1.0, z, yaw)
    whole = grounded(thing, 0.02)
    assert whole.box.foot == (thing.box.foot[0], thing.box.foot[1], 0.0)
    assert whole.box.size == pytest.approx((*thing.box.size[:2], z))
    assert whole.box.yaw == thing.box.yaw
    assert whole.surface is thing.surface
    assert not floating(whole, ())


def test_it_explains_its_top_and_none_of_its_sides() -> None:
    whole = grounded(sheet(0, 0, 0.75), 0.02)
    assert whole.found.filled[4] > 0.8
    assert max(whole.found.filled[:4]) < 0.2
    assert not whole.box_like
