"""How deep assets are in each other, closed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.families.box import Box, BoxFamily
from pocketworld.geometry.across import named
from pocketworld.geometry.convex import span
from pocketworld.geometry.depth import SLACK, TOUCH, deepest, depth
from pocketworld.geometry.separating import shape
from pocketworld.geometry.sweep import pieces_of
from pocketworld.scene import Asset, Pose


def box(x: float, yaw: float = 0.0) -> Asset:
    return replace(BoxFamily().build(Box(0.4, 0.4, 0.4), "box"), pose=Pose.upright((x, 0.0, 0.0), yaw))


@given(st.floats(0.0, 0.8))
def test_two_boxes_are_as_deep_as_they_overlap(x: float) -> None:
    deep = 0.4 - x
    assert depth(box(0.0), box(x)) == pytest.approx(deep if deep > TOUCH else 0.0, abs=1e-9)


@given(st.floats(0.2, 0.6), st.floats(-3.0, 3.0))
def test_an_asset_is_as_deep_as_its_shapes(x: float, yaw: float) -> None:
    a, b = box(0.0), box(x, yaw)
    by = np.linalg.inv(b.pose.matrix) @ a.pose.matrix
    assert deepest(pieces_of(a.parts).shapes, pieces_of(b.parts), by) == pytest.approx(depth(a, b))


def test_what_only_touches_is_in_nothing() -> None:
    still = np.eye(4)
    for high, deep in ((0.0, 0.0), (TOUCH / 2, 0.0), (2 * SLACK, 2 * SLACK)):
        below = [shape(span((-1.0, -1.0, -1.0), (1.0, 1.0, high)))]
        assert deepest(below, pieces_of(box(0.0).parts), still) == pytest.approx(deep, abs=1e-9)
    assert deepest([], pieces_of(box(0.0).parts), still) == 0.0


def test_names_of_parts_and_joints_say_whose_they_are() -> None:
    assert named("cabinet-1/door_0.1") == ("cabinet-1", "door_0.1")
    assert named("cabinet-1/0") == ("cabinet-1", "0")
