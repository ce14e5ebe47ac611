"""How pieces are parted, how a thing lies, what an asset's doors meet of its neighbours."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.geometry.across import across, among
from pocketworld.geometry.apart import level, moved, rise
from pocketworld.geometry.convex import CORNERS, BoxPiece, HullPiece
from pocketworld.geometry.resting import carrying, facets, lowest, rolls
from pocketworld.geometry.separating import Shape, depths, shape
from pocketworld.geometry.sweep import motions_of
from pocketworld.rng import stream
from pocketworld.scene import Asset, HandleKind, Joint, JointKind, Pose, Side

EYE = np.eye(4)
SEEDS = st.integers(0, 400)


def lump(seed: int, name: str, spread: float = 0.2) -> Shape:
    """Return a hull of some random points, somewhere near the origin."""
    draw = stream(seed, name)
    points = draw.normal(0, 0.2, (8, 3)) + draw.uniform(-spread, spread, 3)
    return shape(HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in points)))


def by(s: Shape, shift: np.ndarray) -> Shape:
    motion = np.eye(4)
    motion[:3, 3] = shift
    return moved(s, motion)


def deep(a: Shape, b: Shape) -> float:
    return float(depths(a, b, EYE[None])[0])


@given(SEEDS)
def test_a_level_push_parts_two_pieces_and_no_shorter_one_does(seed: int) -> None:
    a, b = lump(seed, "a"), lump(seed, "b")
    push = level(a, b)
    assert (push is None) == (deep(a, b) == 0)
    if push is None:
        return
    assert push[2] == 0
    assert deep(by(a, push), b) < 1e-9
    assert deep(by(a, 0.99 * push), b) > 0
    for angle in np.linspace(0, 2 * math.pi, 16):
        other = 0.98 * np.linalg.norm(push) * np.array([math.cos(angle), math.sin(angle), 0.0])
        assert deep(by(a, other), b) > 0


@given(SEEDS)
def test_a_piece_that_is_raised_just_touches(seed: int) -> None:
    a, b = lump(seed, "a"), lump(seed, "b")
    up = rise(a, b)
    if up is None:
        assert all(deep(by(a, np.array([0, 0, z])), b) == 0 for z in np.linspace(-1.5, 1.5, 13))
        return
    assert deep(by(a, np.array([0, 0, up])), b) < 1e-9
    assert deep(by(a, np.array([0, 0, up - 1e-4])), b) > 0
    assert deep(by(a, np.array([0, 0, up + 0.5])), b) == 0


def test_what_overlaps_by_a_touch_only_is_not_pushed() -> None:
    a, b = shape(BoxPiece((0, 0, 0), (1, 1, 1))), shape(BoxPiece((0, 0, 0.99995), (1, 1, 1)))
    assert level(a, b, 1e-4) is None
    assert level(a, b) is not None


def test_a_box_has_six_sides_and_lies_on_the_lowest() -> None:
    points = CORNERS * (0.2, 0.1, 0.3)
    sides = facets(points)
    assert len(sides) == 6
    assert {len(side.corners) for side in sides} == {4}
    below = lowest(sides)
    assert below.normal == pytest.approx((0, 0, -1))
    assert below.margin(np.array([0.05, 0.02, 0.1])) == pytest.approx(0.08)
    assert below.margin(np.array([0.25, 0.0, 0.1])) == pytest.approx(-0.05)
    assert facets(points * (1, 1, 0)) == ()


def test_what_leans_out_over_its_foot_is_not_carried_by_it() -> None:
    points = CORNERS * (0.1, 0.1, 0.3)
    assert carrying(points, np.array([0.05, 0.0, 0.0])).normal == pytest.approx((0, 0, -1))  # type: ignore[union-attr]
    leaning = carrying(points, np.array([0.15, 0.0, 0.0]))
    assert leaning is not None
    assert leaning.normal[2] > -0.1


def ring(sides: int, lying: bool) -> np.ndarray:
    """Return the corners of a prism with a side down, or on its end."""
    angles = (np.arange(sides) + 0.5) * 2 * math.pi / sides - math.pi / 2
    round_, end = np.stack([np.cos(angles), np.sin(angles)], 1) * 0.05, np.full((sides, 1), 0.1)
    both = np.concatenate([np.hstack([round_, -end]), np.hstack([round_, end])])
    return both[:, [0, 2, 1]] if lying else both


@pytest.mark.parametrize(("sides", "lying", "does"), [(16, True, True), (16, False, False), (6, True, False)])
def test_round_things_roll_on_their_sides(sides: int, lying: bool, does: bool) -> None:
    assert rolls(ring(sides, lying), np.zeros(3)) is does


def test_balls_roll_and_boxes_and_flat_things_do_not() -> None:
    i = np.arange(200) + 0.5
    z, turn = 1 - i / 100, math.pi * (1 + 5**0.5) * i
    ball = np.stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], 1)
    assert rolls(ball, np.zeros(3))
    assert not rolls(CORNERS, np.zeros(3))
    assert not rolls(CORNERS * (1, 1, 0), np.zeros(3))


@given(st.floats(0.05, 3.0), st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1), SEEDS)
def test_motions_in_one_go_are_those_of_the_joint(
    far: float, x: float, y: float, z: float, seed: int
) -> None:
    assume(math.hypot(x, y, z) > 0.1)
    belief = build(Cabinet(0.5, 0.4, 0.4), "c").joints[0].belief
    length = math.hypot(x, y, z)
    axis = (x / length, y / length, z / length)
    at = stream(seed, "origin").normal(0, 1, 3).tolist()
    q = np.linspace(0, far, 7)
    for kind in (JointKind.SLIDE, JointKind.HINGE):
        joint = Joint("j", kind, "a", "b", belief, axis, (at[0], at[1], at[2]), (0.0, far))
        np.testing.assert_allclose(motions_of(joint, q), [joint.motion(float(v)) for v in q], atol=1e-9)


def unit(kind: FrontKind, id: str, x: float, side: Side = Side.NONE, yaw: float = 0.0) -> Asset:
    front = Front(kind, side, usual(HandleKind.BAR))
    return replace(build(Cabinet(0.5, 0.5, 0.5, front), id), pose=Pose.upright((x, 0.0, 0.0), yaw))


def test_neighbours_in_a_row_clear_each_other() -> None:
    row = [unit(FrontKind.DRAWER, "a", 0.0), unit(FrontKind.DOOR, "b", 0.503, Side.LEFT)]
    assert among(row) == ()


def test_a_drawer_around_the_corner_runs_into_its_neighbours_handle() -> None:
    a = unit(FrontKind.DRAWER, "a", 0.0)
    b = replace(unit(FrontKind.DRAWER, "b", 0.0), pose=Pose.upright((0.5, -0.45, 0.0), -math.pi / 2))
    (hit, *_) = across(a, [b])
    assert hit.parts[0] == "a/drawer_0"
    assert hit.parts[1].startswith("b/")
    assert hit.joint == "a/0"
    assert 0 < hit.q <= a.joints[0].range[1]
    assert {one.joint for one in among([a, b])} == {"a/0", "b/0"}
    assert across(a, []) == ()


@dataclass(frozen=True)
class Room:
    yaw: float
    x: float


@given(st.builds(Room, st.floats(-3, 3), st.floats(-2, 2)))
def test_what_meets_does_not_depend_on_where_the_room_lies(room: Room) -> None:
    a, b = unit(FrontKind.DOOR, "a", 0.0, Side.RIGHT), unit(FrontKind.DRAWER, "b", 0.5)
    b = replace(b, pose=Pose.upright((0.45, -0.2, 0.0), 0.0))
    matrix = Pose.upright((room.x, 0.3, 0.0), room.yaw).matrix

    def turned(asset: Asset) -> Asset:
        there = matrix @ asset.pose.matrix
        x, y, z = (float(v) for v in there[:3, 3])
        return replace(asset, pose=Pose.upright((x, y, z), room.yaw))

    here, there = across(a, [b]), across(turned(a), [turned(b)])
    assert here
    assert [hit.parts for hit in here] == [hit.parts for hit in there]
    assert [hit.depth for hit in here] == pytest.approx([hit.depth for hit in there], abs=1e-6)
