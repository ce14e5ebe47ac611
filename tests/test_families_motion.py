"""How fronts move: axes, ranges, what stops them, what is believed, what holds them still."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet import joints
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.feasible import gripped, held, still
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.joints import USUAL, holding_friction
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind, HandleSpec, Split
from pocketworld.families.cabinet.plan import plan
from pocketworld.families.codec import to_json
from pocketworld.geometry.sweep import sweep
from pocketworld.scene import Asset, HandleKind, Joint, JointKind, Side

NONE = usual(HandleKind.NONE)
BAR = usual(HandleKind.BAR)
SIDES = (Side.LEFT, Side.RIGHT, Side.TOP, Side.BOTTOM)


def door(side: Side, opening: float = 1.6, handle: HandleSpec = NONE) -> Front:
    return Front(FrontKind.DOOR, side, handle, opening=opening)


def sliding(side: Side, handle: HandleSpec = NONE, opening: float = 0.9) -> Front:
    return Front(FrontKind.SLIDING, side, handle, opening=opening)


def row(*parts: Front) -> Cabinet:
    return Cabinet(0.5 * len(parts), 0.5, 0.8, Split(False, (1.0,) * len(parts), parts), plinth=0.1)


def centre(asset: Asset, joint: Joint, q: float) -> np.ndarray:
    front = asset.part(joint.child).front
    assert front is not None
    moved: np.ndarray = joint.motion(q) @ (*front.centre, 1.0)
    return moved[:3]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("overlay", [True, False])
def test_a_door_swings_out_about_the_side_it_is_hinged_at(side: Side, overlay: bool) -> None:
    p = Cabinet(0.6, 0.5, 0.8, door(side), plinth=0.7, overlay=overlay)
    p = replace(p, height=1.5)
    asset = build(p, "c")
    (joint,) = asset.joints
    front = asset.part(joint.child).front
    assert front is not None
    start, right = centre(asset, joint, 0), math.pi / 2
    there = centre(asset, joint, right) - joint.origin
    half = front.width / 2 if side in (Side.LEFT, Side.RIGHT) else front.height / 2
    # At a right angle the door stands straight out of its hinged edge.
    assert there == pytest.approx((0, -half, 0), abs=1e-9)
    towards = {Side.LEFT: (-1, 0), Side.RIGHT: (1, 0), Side.TOP: (0, 1), Side.BOTTOM: (0, -1)}[side]
    assert np.subtract(joint.origin, start)[[0, 2]] == pytest.approx(np.multiply(half, towards))
    assert joint.origin[1] == pytest.approx(-0.25)
    assert joint.belief.best.side is side
    assert sweep(asset) == ()


@given(st.floats(0.1, 1), st.floats(0, 1))
def test_a_drawer_opens_by_a_share_of_the_depth_inside(opening: float, state: float) -> None:
    p = Cabinet(0.5, 0.6, 0.4, Front(opening=opening, state=state, damping=7.0, friction=3.0))
    (joint,) = build(p, "c").joints
    inside = 0.6 - 0.018 - 0.006
    assert joint.range[0] == 0
    assert joint.range[1] == pytest.approx(opening * inside)
    assert joint.state == pytest.approx(state * joint.range[1])
    assert (joint.damping, joint.frictionloss) == (7.0, 3.0)
    assert np.array_equal(joint.axis, (0, -1, 0))


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_a_sliding_door_opens_towards_its_side(side: Side) -> None:
    parts = (sliding(side), Front(FrontKind.OPEN))
    asset = build(row(*(parts if side is Side.RIGHT else parts[::-1])), "c")
    (joint,) = asset.joints
    front = asset.part(joint.child).front
    assert front is not None
    assert np.array_equal(joint.axis, (1, 0, 0) if side is Side.RIGHT else (-1, 0, 0))
    assert joint.range[1] == pytest.approx(0.9 * front.width)
    assert sweep(asset) == ()


def test_sliding_doors_pass_each_other() -> None:
    asset = build(row(sliding(Side.RIGHT), sliding(Side.LEFT)), "c")
    left, right = asset.joints
    assert left.range[1] == pytest.approx(right.range[1])
    ys = [asset.part(j.child).front.centre[1] for j in asset.joints]  # type: ignore[union-attr]
    assert ys[1] - ys[0] == pytest.approx(0.018 + 0.004)
    assert sweep(asset) == ()


def test_a_handle_stops_a_sliding_door() -> None:
    # The rear door's bar stands 100 mm from the edge that slides behind the front one.
    handle = usual(HandleKind.BAR, 0.2, 0.5, True)
    asset = build(row(sliding(Side.RIGHT), sliding(Side.LEFT, handle)), "c")
    front, rear = asset.joints
    assert rear.range[1] == pytest.approx(0.1 - 0.005, abs=0.005)
    assert front.range[1] == pytest.approx(rear.range[1], abs=0.005)
    assert sweep(asset) == ()


def test_a_sliding_door_stays_in_front_of_its_cabinet() -> None:
    asset = build(row(sliding(Side.RIGHT, opening=1.0), Front(FrontKind.OPEN)), "c")
    (joint,) = asset.joints
    front = asset.part(joint.child).front
    assert front is not None
    assert centre(asset, joint, joint.range[1])[0] + front.width / 2 <= 0.5 + 1e-9
    with pytest.raises(PocketworldError, match=r"^cabinet: front 0: the door can't slide; leave it room"):
        build(row(sliding(Side.LEFT), Front(FrontKind.OPEN)), "c")
    with pytest.raises(PocketworldError, match="can't slide"):
        build(row(sliding(Side.RIGHT), Front()), "c")


@settings(max_examples=60)
@given(
    st.sampled_from(SIDES),
    st.floats(0.3, 3.1),
    st.sampled_from([k for k in HandleKind if k is not HandleKind.NONE]),
    st.floats(0.1, 0.9),
    st.booleans(),
)
def test_whatever_stands_beside_it_a_door_opens_free(
    side: Side, opening: float, kind: HandleKind, at: float, overlay: bool
) -> None:
    handle = usual(kind, at, at, at > 0.5)
    other = Front(handle=usual(kind, 1 - at, 0.5))
    grid = Split(
        True,
        (1, 1, 1),
        (other, Split(False, (1, 1.3, 1), (other, door(side, opening, handle), other)), other),
    )
    p = Cabinet(1.5, 0.5, 1.2, grid, overlay=overlay, plinth=0.05)
    try:
        asset = build(gripped(p), "c")
    except PocketworldError as error:
        event(str(error).partition(";")[2])
        return
    joint = next(j for j in asset.joints if j.kind is JointKind.HINGE)
    assert 0 < joint.range[1] <= opening
    assert sweep(asset) == ()


def test_a_neighbours_handle_stops_a_door_short_of_it() -> None:
    # The neighbour's bar lies across, 100 mm left of the hinge, and stands out by 37 mm in all.
    bar = replace(BAR, u=0.7)
    free, stopped = (build(row(Front(handle=h), door(Side.LEFT, 3.1)), "c").joints[1] for h in (NONE, bar))
    assert free.range[1] == pytest.approx(3.1)
    asset = build(row(Front(handle=bar), door(Side.LEFT, 3.1)), "c")
    near = 0.3 * 0.4985 - 0.065  # from the panel's edge to the bar's near end
    assert stopped.range[1] == pytest.approx(math.pi - math.atan2(0.037, near + 0.003), abs=0.05)
    assert sweep(asset) == ()
    # It was not stopped for nothing: a little further it would hit.
    further = replace(stopped, range=(0.0, stopped.range[1] + 0.15))
    bad = replace(asset, joints=(asset.joints[0], further))
    (hit,) = sweep(bad)
    assert hit.parts == ("drawer_0", "door_1")


def test_the_floor_stops_a_flap() -> None:
    low = build(Cabinet(0.6, 0.5, 0.4, door(Side.BOTTOM, 2.5), plinth=0.05), "c").joints[0]
    high = build(Cabinet(0.6, 0.5, 1.4, door(Side.BOTTOM, 2.5), plinth=1.0), "c").joints[0]
    assert math.pi / 2 < low.range[1] < 1.8
    assert high.range[1] == pytest.approx(2.5)
    p = Cabinet(0.6, 0.5, 0.4, door(Side.BOTTOM, 2.5, BAR), plinth=0.05)
    asset = build(p, "c")
    part, joint = asset.part("door_0"), asset.joints[0]
    corners = np.concatenate([q.vertices for q in part.pieces])
    for q in np.linspace(0, joint.range[1], 50):
        motion = joint.motion(float(q))
        assert (corners @ motion[:3, :3].T + motion[:3, 3])[:, 2].min() > 0


def test_a_thick_narrow_door_needs_a_gap_to_turn() -> None:
    p = row(door(Side.LEFT), Front(handle=NONE))
    narrow = replace(p, grid=Split(False, (0.04, 1), (door(Side.LEFT), Front(handle=NONE))))
    with pytest.raises(PocketworldError, match=r"^cabinet: front 0: a door of 0.038\d* m and 0.018 m thick"):
        build(narrow, "c")
    wide = replace(narrow, gap=0.005)
    assert sweep(build(wide, "c")) == ()
    # With nothing beside its free edge it turns in any case.
    alone = Cabinet(0.1, 0.5, 0.8, door(Side.LEFT), plinth=0.1, gap=0.0, board=0.01)
    assert sweep(build(alone, "c")) == ()
    tight = replace(alone, overlay=False)
    with pytest.raises(PocketworldError, match=r"can't turn; it needs a gap of 0.00\d* m and has 0 m"):
        build(tight, "c")


def test_a_door_that_a_handle_holds_shut_is_refused() -> None:
    # An edge profile that runs on in front of its neighbour's.
    profile = replace(usual(HandleKind.EDGE, 1.0, 0.5, True), standoff=0.06)
    other = replace(usual(HandleKind.EDGE, 0.0, 0.5, True), standoff=0.06)
    p = Cabinet(
        0.2, 0.5, 0.8, Split(False, (1, 1), (door(Side.LEFT, 1.5, profile), door(Side.RIGHT, 1.5, other)))
    )
    with pytest.raises(PocketworldError, match=r"the door can't open; a handle is in its way"):
        build(replace(p, gap=0.002, front=0.01), "c")


def test_a_certain_front_is_believed_to_be_what_it_is() -> None:
    p = row(Front(), door(Side.RIGHT), Front(FrontKind.FIXED, handle=NONE))
    drawer, hinged, fixed = build(p, "c").joints
    for joint in (drawer, hinged, fixed):
        (only,) = joint.belief.hypotheses
        assert only.p == 1
        assert only.kind is joint.kind
        assert only.axis_sigma == only.origin_sigma == only.range_sigma == 0
    for joint in (drawer, hinged):
        best = joint.belief.best
        assert (best.axis, best.origin, best.range) == (joint.axis, joint.origin, joint.range[1])
    assert not fixed.movable


def test_doubt_is_told_with_the_geometry_of_each_way() -> None:
    chances = (
        Chance(FrontKind.DRAWER, Side.NONE, 0.5),
        Chance(FrontKind.DOOR, Side.LEFT, 0.2),
        Chance(FrontKind.DOOR, Side.TOP, 0.1),
        Chance(FrontKind.FIXED, Side.NONE, 0.15),
        Chance(FrontKind.OPEN, Side.NONE, 0.05),
    )
    front = Front(chances=chances, evidence=("a bar in the middle",), opening=0.6)
    p = replace(row(front, Front()), sigma=0.004)
    asset = build(p, "c")
    joint, face = asset.joints[0], plan(p).cells[0].face
    drawer, left, top, fixed = joint.belief.hypotheses
    assert joint.belief.evidence == ("a bar in the middle",)
    assert [h.p for h in joint.belief.hypotheses] == pytest.approx([0.5, 0.2, 0.1, 0.2])
    assert joint.belief.best is drawer
    assert drawer.range == pytest.approx(joint.range[1])
    assert left.axis == joints.HINGES[Side.LEFT]
    assert left.origin == pytest.approx((face.x0, -0.25, (face.z0 + face.z1) / 2))
    assert top.origin == pytest.approx(((face.x0 + face.x1) / 2, -0.25, face.z1))
    assert left.range == USUAL[FrontKind.DOOR][0]
    assert left.origin_sigma == 0.004
    assert left.axis_sigma == pytest.approx(math.sqrt(2) * 0.004 / face.height)
    assert top.axis_sigma == pytest.approx(math.sqrt(2) * 0.004 / face.width)
    assert left.range_sigma == USUAL[FrontKind.DOOR][1]
    assert drawer.range_sigma == pytest.approx(0.12 * (0.5 - 0.018 - 0.006))
    assert fixed.kind is JointKind.FIXED


@pytest.mark.parametrize("kind", [FrontKind.DRAWER, FrontKind.DOOR, FrontKind.SLIDING])
def test_a_built_joint_is_its_own_hypothesis(kind: FrontKind) -> None:
    side = {FrontKind.DOOR: Side.LEFT, FrontKind.SLIDING: Side.RIGHT}.get(kind, Side.NONE)
    chances = (Chance(kind, side, 0.8), Chance(FrontKind.FIXED, Side.NONE, 0.2))
    front = Front(kind, side, NONE, chances, opening=0.7)
    joint = build(row(front, Front(FrontKind.OPEN)), "c").joints[0]
    best = joint.belief.best
    assert (best.kind, best.side, best.axis, best.origin) == (joint.kind, side, joint.axis, joint.origin)
    assert best.range == pytest.approx(joint.range[1])


@given(st.floats(0.1, 50), st.floats(0.05, 1))
def test_holding_friction_holds_at_two_degrees_and_more(mass: float, lever: float) -> None:
    pull = mass * 9.81 * math.sin(math.radians(2)) * lever
    assert holding_friction(mass, lever) > 3 * pull
    assert holding_friction(mass) == pytest.approx(1.5 * mass * 9.81 * math.sin(math.radians(5)))
    assert holding_friction(2 * mass, lever) == pytest.approx(2 * holding_friction(mass, lever))


@pytest.mark.parametrize(
    "front", [Front(handle=BAR), door(Side.LEFT), door(Side.BOTTOM), sliding(Side.RIGHT)]
)
@pytest.mark.parametrize("deep", [0.3, 0.7])
def test_a_held_cabinet_keeps_its_parts_where_it_leans_and_its_own_friction_if_that_is_more(
    front: Front, deep: float
) -> None:
    p = replace(row(front, Front(FrontKind.OPEN)), depth=deep)
    loose, stiff = replace(p, grid=_rubbed(p, 0.01)), replace(p, grid=_rubbed(p, 500.0))
    kept = held(loose, build(loose, "c"))
    (joint,) = build(kept, "c").movable
    part = build(kept, "c").part(joint.child)
    arm = np.linalg.norm(np.cross(joint.axis, np.subtract(part.com, joint.origin)))
    lever = float(arm) if joint.kind is JointKind.HINGE else 1.0
    assert joint.frictionloss == pytest.approx(holding_friction(part.mass, lever))
    assert held(kept, build(kept, "c")) == kept
    assert held(stiff, build(stiff, "c")) == stiff


def test_a_still_cabinet_is_held_and_has_its_own_asset() -> None:
    p = row(door(Side.LEFT), Front(FrontKind.OPEN))
    made = still(replace(p, grid=_rubbed(p, 0.01)), "c")
    assert made is not None
    assert made[0] == held(made[0], made[1])
    assert made[1].parameters == to_json(made[0])
    again = still(made[0], "c")
    assert again is not None
    assert again[0] == made[0]
    assert still(replace(p, width=0.0), "c") is None


def _rubbed(p: Cabinet, friction: float) -> Split:
    assert isinstance(p.grid, Split)
    first, *rest = p.grid.parts
    assert isinstance(first, Front)
    return replace(p.grid, parts=(replace(first, friction=friction), *rest))
