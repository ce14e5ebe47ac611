"""A back behind a table is another chair where the room has one alike; it faces the table."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.sheets import Sheet, surface
from pocketworld.bench.trajectory import looking
from pocketworld.families import registry
from pocketworld.families.chair import BACK, Chair
from pocketworld.families.table import Table
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.siblings import ALIKE, siblings
from pocketworld.reconstruct.objects.things import Thing, thing_of
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.room.floor import Floor
from pocketworld.scan.capture import Camera, Capture
from pocketworld.scene import Asset, Pose, Relation

Array = NDArray[np.float64]

FLOOR = Floor(np.eye(4), 0.004, 0.0, 0.0, 5.0, ())
CAMERA = Camera(50.0, 50.0, 31.5, 23.5, 64, 48)
CHAIR = Chair(0.46, 0.5, 0.9, lean=0.02)
INNER = CHAIR.depth / 2 - BACK - CHAIR.lean / 2  # m: of the back's inner face, half up
MODEL = Placed(replace(registry.family("chair").build(CHAIR, "thing-9"), pose=Pose.upright((3, 3, 0), 1.0)))


def back(y: float = INNER, width: float = CHAIR.width, top: float = CHAIR.height) -> Thing:
    """What shows of a chair that stands at the origin and faces -y: the inner face of its back."""
    sheet = Sheet(1, -1, y, (-width / 2, width / 2), (0.5, top))
    return thing_of("thing-1", surface([sheet], 0.002), (), 0.02)


def table(y: float) -> Placed:
    asset = registry.family("table").build(Table(1.2, 0.7, 0.74), "thing-2")
    return Placed(replace(asset, pose=Pose.upright((0, y, 0), 0.0)))


@pytest.fixture(scope="module")
def away(room: Callable[..., Any]) -> Capture:
    """Pictures of something else: nothing was seen to be empty."""
    pose = se3.exp(np.array([50.0, 50.0, 1.0, 0, 0, 0]))
    return room([UprightBox((50, 50, 3), 0.0, (1, 1, 1))], [90.0], CAMERA).capture([pose])  # type: ignore[no-any-return]


def only(found: Sequence[Placed]) -> Asset:
    (one,) = found
    return one.asset


@pytest.mark.parametrize("side", [-1, 1])
def test_a_back_behind_a_table_is_a_chair_that_faces_it(away: Capture, side: int) -> None:
    found = siblings([back()], [MODEL, table(side * 0.9)], away, FLOOR)
    (one,) = found
    asset = one.asset
    assert (asset.id, asset.family, asset.parameters) == ("thing-1", "chair", MODEL.asset.parameters)
    faces = -asset.pose.matrix[:3, 1]
    assert faces[1] * side > 0.99
    assert asset.pose.position[0] == pytest.approx(0, abs=0.02)
    if side < 0:
        assert asset.pose.position == pytest.approx((0, 0, 0), abs=0.03)
    assert one.relations == (Relation("on", "thing-1", "floor"),)
    (finding,) = one.findings
    assert (finding.code, finding.severity, finding.subject) == (
        "taken-for-sibling",
        Severity.DEGRADED,
        "thing-1",
    )


@pytest.mark.parametrize(
    "other",
    [
        back(width=CHAIR.width + ALIKE + 0.04),
        back(width=CHAIR.width - ALIKE - 0.04),
        back(top=CHAIR.height + ALIKE + 0.04),
        back(top=CHAIR.height - ALIKE - 0.04),
    ],
)
def test_another_size_is_no_sibling(away: Capture, other: Thing) -> None:
    assert siblings([other], [MODEL, table(-0.9)], away, FLOOR) == ()


def test_without_a_chair_in_the_room_a_back_is_nothing(away: Capture) -> None:
    assert siblings([back()], [table(-0.9)], away, FLOOR) == ()
    assert siblings([], [MODEL], away, FLOOR) == ()


def test_a_lump_of_the_same_size_is_no_back(away: Capture) -> None:
    lump = [Sheet(2, 1, CHAIR.height, (-0.2, 0.2), (-0.2, 0.2)), Sheet(1, -1, -0.2, (-0.2, 0.2), (0.5, 0.9))]
    assert siblings([thing_of("thing-1", surface(lump), (), 0.02)], [MODEL], away, FLOOR) == ()


def test_where_the_room_was_seen_to_be_empty_nothing_stands(room: Callable[..., Any]) -> None:
    """Cameras on both sides look along the floor, through where a chair would stand, at what is behind."""
    walls = [UprightBox((0, y, 0), 0.0, (8, 0.1, 3)) for y in (-4, 4)]
    floor = UprightBox((0, 0, -0.1), 0.0, (8, 8, 0.1))
    eyes = [np.array([x, s * 1.5, 0.5]) for s in (-1, 1) for x in (-0.5, 0.0, 0.5)]
    poses = [looking(eye, np.array([eye[0] * 0.3, 0.0, 0.4])) for eye in eyes]
    seen = room([floor, *walls], [90.0, 120.0, 120.0], CAMERA).capture(poses)
    assert siblings([back()], [MODEL, table(-0.9)], seen, FLOOR) == ()


@settings(max_examples=5, deadline=None)
@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(-3, 3))
def test_the_room_moved_and_turned_has_the_same_chair(away: Capture, x: float, y: float, yaw: float) -> None:
    motion = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    motion[:2, 3] = x, y
    here = only(siblings([back()], [MODEL, table(-0.9)], away, FLOOR))
    moved = thing_of("thing-1", back().surface.moved(motion), (), 0.02)
    at = se3.apply(motion, np.array([[0.0, -0.9, 0.0]]))[0]
    turned = table(0.0)
    turned = replace(
        turned, asset=replace(turned.asset, pose=Pose.upright((float(at[0]), float(at[1]), 0.0), yaw))
    )
    there = only(siblings([moved], [MODEL, turned], away, FLOOR))
    assert np.allclose(there.pose.matrix, motion @ here.pose.matrix, atol=2e-3)
    assert math.isfinite(there.pose.position[0])
