"""Room doors: leaves that clear their frames, hinges as believed, levers that a hand can pull."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.grasp import blocked
from pocketworld.families.protocol import Draw, Evidence, Refusal, Site, Spread
from pocketworld.families.room_door.family import WIDTHS, RoomDoorFamily
from pocketworld.families.room_door.parameters import DoorChance, Look, RoomDoor, Swing
from pocketworld.families.room_door.plan import furthest, leaves
from pocketworld.geometry.sweep import clean
from pocketworld.rng import stream
from pocketworld.scene import Asset, Base, HandleKind, JointKind, Part, Scene, Side
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.models.stability import stand_alone

FAMILY = RoomDoorFamily()
SITE = Site((2.6, 0.3, 2.4))
SINGLE = RoomDoor(1.0, 2.1, 0.24, recess=0.11)
DOUBLE = RoomDoor(
    1.7, 2.1, leaves=2, side=Side.NONE, look=Look.GLASS, handle=HandleKind.BAR, handle_length=0.6
)
seeds = st.integers(0, 10**6)
hinged = st.sampled_from((Swing.TOWARDS, Swing.AWAY))


def draw(seed: int) -> Draw:
    return lambda name: stream(seed, "room_door", name)


def sampled(seed: int) -> RoomDoor:
    return FAMILY.sample(draw(seed), SITE)


def corners(part: Part) -> np.ndarray:
    return np.concatenate([piece.vertices for piece in part.pieces])


def ends(part: Part) -> np.ndarray:
    return np.array([corners(part).min(0), corners(part).max(0)])


@pytest.fixture(scope="module")
def many() -> list[RoomDoor]:
    return [sampled(seed) for seed in range(64)]


def test_sampled_doors_fit_clear_their_frames_and_can_be_pulled(many: list[RoomDoor]) -> None:
    for p in many:
        asset = FAMILY.build(p, "door")
        assert (np.array(p.size) <= SITE.free).all()
        assert clean(asset)
        assert blocked(asset) == ()
        assert registry.rebuild(asset) == p
        assert all(joint.range[1] > math.radians(60) for joint in asset.joints)


def test_sampled_doors_differ_and_have_leaves_of_the_norm(many: list[RoomDoor]) -> None:
    widths = {round(leaf.face.width, 3) for p in many if p.leaves == 1 for leaf in leaves(p)}
    assert widths == set(WIDTHS)
    assert {p.leaves for p in many} == {1, 2}
    assert {p.side for p in many} == {Side.LEFT, Side.RIGHT, Side.NONE}
    assert {p.swing for p in many} == {Swing.TOWARDS, Swing.AWAY}
    assert {p.look for p in many} == set(Look)
    assert {p.handle for p in many} == {HandleKind.LEVER, HandleKind.BAR}
    assert len({p.recess for p in many}) > 20


def test_a_place_too_small_for_a_door_is_refused() -> None:
    with pytest.raises(PocketworldError, match=r"^no room door fits into 0.5 x 0.3 x 2.4 m; leave it more"):
        FAMILY.sample(draw(0), Site((0.5, 0.3, 2.4)))


@given(seeds)
def test_its_leaves_lie_in_its_frame_set_back(seed: int) -> None:
    p = sampled(seed)
    asset = FAMILY.build(p, "door")
    assert asset.base is Base.FIXED
    body, *doors = asset.parts
    assert ends(body)[0] == pytest.approx((-p.width / 2, -p.depth / 2, 0))
    assert ends(body)[1] == pytest.approx((p.width / 2, p.depth / 2, p.height))
    assert len(doors) == len(asset.joints) == p.leaves
    for part in doors:
        assert part.front is not None
        assert part.front.centre[1] == pytest.approx(p.recess - p.depth / 2)
        low, high = ends(part)
        assert part.front.width == pytest.approx(high[0] - low[0])
        assert part.front.height == pytest.approx(high[2] - low[2])
        assert low[2] > 0
        assert max(-low[0], high[0]) < p.width / 2 - p.frame


@given(seeds, hinged)
def test_the_free_edge_goes_where_the_swing_says_and_the_hinge_stays(seed: int, swing: Swing) -> None:
    p = sampled(seed)
    p = replace(p, swing=swing, recess=0.0 if swing is Swing.TOWARDS else p.depth - p.leaf)
    asset = FAMILY.build(p, "door")
    for joint, leaf in zip(asset.joints, leaves(p), strict=True):
        free = leaf.face.x1 if leaf.hinged is Side.LEFT else leaf.face.x0
        moved = joint.motion(joint.range[1]) @ (free, joint.origin[1], 1.0, 1.0)
        way = -1 if swing is Swing.TOWARDS else 1
        assert way * (moved[1] - joint.origin[1]) > 0.8 * leaf.face.width
        at_hinge = np.array([*joint.origin, 1.0])
        assert joint.motion(1.0) @ at_hinge == pytest.approx(at_hinge)
        assert clean(asset)


@given(seeds, hinged)
def test_a_door_seen_in_a_mirror_is_hinged_on_the_other_side(seed: int, swing: Swing) -> None:
    p = replace(sampled(seed), leaves=1, side=Side.LEFT, swing=swing)
    left, right = (FAMILY.build(replace(p, side=side), "door") for side in (Side.LEFT, Side.RIGHT))
    for a, b in zip(left.parts, right.parts, strict=True):
        assert a.mass == pytest.approx(b.mass)
        assert np.multiply(a.com, (-1, 1, 1)) == pytest.approx(np.array(b.com), abs=1e-9)
        first, second = (np.round(c, 7) for c in (corners(a) * (-1, 1, 1), corners(b)))
        assert set(map(tuple, first + 0.0)) == set(map(tuple, second + 0.0))
    assert left.joints[0].range == right.joints[0].range


@given(seeds)
def test_handles_are_on_both_faces_away_from_the_hinge(seed: int) -> None:
    p = sampled(seed)
    asset = FAMILY.build(p, "door")
    for part, leaf in zip(asset.parts[1:], leaves(p), strict=True):
        handle, middle = part.handle, (leaf.face.x0 + leaf.face.x1) / 2
        assert handle is not None
        assert (handle.grip[0] > middle) == (leaf.hinged is Side.LEFT)
        assert handle.grip[2] == pytest.approx(p.handle_height)
        assert handle.grip[1] < leaf.y0
        low, high = ends(part)
        assert (
            leaf.y0 - low[1] == pytest.approx(high[1] - leaf.y1) == pytest.approx(handle.standoff, abs=0.02)
        )


def test_the_neck_of_a_lever_is_at_its_backset() -> None:
    part = FAMILY.build(SINGLE, "door").parts[1]
    neck = part.pieces[2].vertices
    assert part.front is not None
    edge = part.front.centre[0] + part.front.width / 2
    assert edge - neck[:, 0].mean() == pytest.approx(SINGLE.backset)


def test_a_leaf_in_a_deep_recess_opens_square_and_a_flush_one_further() -> None:
    wide = replace(SINGLE, opening=math.pi)
    deep = FAMILY.build(wide, "door")
    assert math.pi / 2 < deep.joints[0].range[1] < math.radians(92)
    assert clean(deep)
    flush = FAMILY.build(replace(wide, recess=0.0), "door")
    assert flush.joints[0].range[1] == pytest.approx(math.radians(120))
    assert clean(flush)
    assert furthest(SINGLE, Swing.AWAY) == pytest.approx(
        furthest(replace(SINGLE, recess=0.09), Swing.TOWARDS)
    )


def test_it_stands_where_it_was_seen() -> None:
    for p in (replace(SINGLE, state=0.5), replace(DOUBLE, state=0.5)):
        for joint in FAMILY.build(p, "door").joints:
            assert joint.state == pytest.approx(joint.range[1] / 2)


def test_one_leaf_weighs_what_doors_do_and_glass_more() -> None:
    wood = FAMILY.build(SINGLE, "door").parts[1].mass
    glass = FAMILY.build(replace(SINGLE, look=Look.GLASS), "door").parts[1].mass
    assert 20 < wood < 45
    assert wood < glass < 80


# Belief

CHANCES = (
    DoorChance(Swing.TOWARDS, Side.LEFT, 0.45),
    DoorChance(Swing.AWAY, Side.LEFT, 0.25),
    DoorChance(Swing.AWAY, Side.RIGHT, 0.1),
    DoorChance(Swing.FIXED, Side.NONE, 0.2),
)


def test_what_is_believed_is_in_the_joint() -> None:
    asset = FAMILY.build(replace(SINGLE, chances=CHANCES, evidence=("a closer",), sigma=0.01), "door")
    known = asset.joints[0].belief
    assert known.p(JointKind.HINGE, Side.LEFT) == pytest.approx(0.7)
    assert known.p(JointKind.HINGE, Side.RIGHT) == pytest.approx(0.1)
    assert known.p(JointKind.FIXED) == pytest.approx(0.2)
    assert known.evidence == ("a closer",)
    assert known.best.axis == asset.joints[0].axis
    assert list(known.best.axis) == [0, 0, -1]
    assert known.best.origin == asset.joints[0].origin
    assert all(h.origin_sigma == 0.01 and h.range_sigma > 0 for h in known.hypotheses[:3])
    for hypothesis, chance in zip(known.hypotheses, CHANCES[:3], strict=False):
        alone = FAMILY.build(replace(SINGLE, swing=chance.swing, side=chance.side), "door").joints[0]
        assert (hypothesis.axis, hypothesis.origin) == (alone.axis, alone.origin)
        assert hypothesis.range == alone.range[1]


def test_both_leaves_of_two_share_what_is_believed() -> None:
    chances = (DoorChance(Swing.TOWARDS, Side.NONE, 0.6), DoorChance(Swing.FIXED, Side.NONE, 0.4))
    first, second = FAMILY.build(replace(DOUBLE, chances=chances), "door").joints
    assert first.belief.p(JointKind.HINGE, Side.LEFT) == pytest.approx(0.6)
    assert second.belief.p(JointKind.HINGE, Side.RIGHT) == pytest.approx(0.6)
    assert first.belief.p(JointKind.FIXED) == second.belief.p(JointKind.FIXED) == pytest.approx(0.4)


def test_draws_follow_the_belief() -> None:
    p = replace(SINGLE, chances=CHANCES)
    out = [FAMILY.mutate(p, Spread(), draw(seed)) for seed in range(1000)]
    doors = [q for q in out if isinstance(q, RoomDoor)]
    assert len(doors) == 1000
    assert all(q.chances == () for q in doors)
    found = Counter((q.swing, q.side) for q in doors)
    expected = [1000 * chance.p for chance in CHANCES]
    assert chisquare([found[c.swing, c.side] for c in CHANCES], expected).pvalue > 0.001
    held = [h for q in doors[:40] if (h := FAMILY.build(q, "d").parts[1].handle)]
    sides = {(q.side is Side.RIGHT, h.grip[0] < 0) for q, h in zip(doors[:40], held, strict=True)}
    assert sides == {(True, True), (False, False)}
    certain = FAMILY.mutate(p, Spread(doubt=False), draw(0))
    assert certain == p


def test_what_is_fixed_does_not_move_and_is_a_panel() -> None:
    asset = FAMILY.build(replace(SINGLE, swing=Swing.FIXED, side=Side.NONE), "door")
    assert asset.movable == ()
    assert [part.role for part in asset.parts] == ["body", "panel"]
    assert clean(asset)


# Mutation


@settings(max_examples=40)
@given(seeds)
def test_a_mutation_opens_the_same_way_and_fills_the_same_opening(seed: int) -> None:
    p = sampled(seed)
    q = FAMILY.mutate(p, FAMILY.widest, draw(seed + 1))
    assert isinstance(q, RoomDoor | Refusal)
    if isinstance(q, RoomDoor):
        assert (q.size, q.recess, q.leaves, q.swing) == (p.size, p.recess, p.leaves, p.swing)
        asset = FAMILY.build(q, "door")
        assert all(joint.kind is JointKind.HINGE for joint in asset.joints)
        assert clean(asset)
        assert blocked(asset) == ()
    assert FAMILY.mutate(p, Spread(), draw(seed)) == p


def test_mutations_are_mostly_possible_and_change_the_hinge_side() -> None:
    out = [FAMILY.mutate(SINGLE, FAMILY.widest, draw(seed)) for seed in range(64)]
    doors = [q for q in out if isinstance(q, RoomDoor)]
    assert len(doors) > 48
    assert {q.side for q in doors} == {Side.RIGHT}  # widest mirrors always
    assert {q.handle for q in doors} == {HandleKind.LEVER, HandleKind.BAR, HandleKind.KNOB}


# What is no door

BAD = [
    (replace(SINGLE, width=0.25), "a frame of 0.25 x 2.1 m leaves 0.162 x 2.06 m a leaf; at least 0.2"),
    (replace(SINGLE, width=math.nan), "width is nan; a number, more than 0"),
    (replace(SINGLE, recess=-0.1), "recess is -0.1; a number, 0 or more"),
    (replace(SINGLE, recess=0.21), "a leaf of 0.04 m, 0.21 m behind the front, sticks out behind; its frame"),
    (replace(SINGLE, leaves=3), "it has 3 leaves; 1 or 2"),
    (replace(SINGLE, side=Side.TOP), "1 leaves, towards, hinged at the side top; the side is one of left, r"),
    (replace(SINGLE, leaves=2), "2 leaves, towards, hinged at the side left; the side is one of none"),
    (replace(SINGLE, handle=HandleKind.CUP), "its handle is a cup; one of lever, bar"),
    (replace(SINGLE, backset=0.01), "backset is 0.01 m; at least 0.03 m"),
    (replace(SINGLE, handle_height=3.0), "leaf 0: lever handle of 0.13 x 0.02 m at"),
    (replace(SINGLE, opening=4.0), "opening 4 rad, state 0; at most half a turn"),
    (replace(SINGLE, state=1.5), "opening 1.571 rad, state 1.5"),
    (replace(SINGLE, gap=0.0005), "a leaf of 0.919 m, 0.04 m thick, can't turn; it needs a gap of 0.00087"),
    (replace(SINGLE, chances=CHANCES[:2]), "its chances sum to 0.7"),
    (replace(SINGLE, chances=(replace(CHANCES[0], p=math.nan),)), "its chances sum to nan"),
    (replace(SINGLE, chances=(DoorChance(Swing.FIXED, Side.LEFT, 1.0),)), "1 leaves, fixed, hinged at"),
]


@pytest.mark.parametrize(("p", "message"), BAD, ids=[m[:22] for _, m in BAD])
def test_what_is_no_door_is_refused_in_one_line(p: RoomDoor, message: str) -> None:
    with pytest.raises(PocketworldError, match=f"^room_door: {message}") as error:
        FAMILY.build(p, "door")
    assert "\n" not in str(error.value)


# Evidence


def test_points_on_frame_and_leaf_leave_no_residual() -> None:
    points = np.array([[-0.48, -0.12, 1.0], [0.0, -0.01, 1.0], [0.3, 0.03, 0.5], [0.0, -0.12, 2.09]])
    weights = np.full(4, 100.0)
    seen = Evidence(points, points, weights, np.zeros((0, 3)), SINGLE.size, (0.01, 0.01, 0.01))
    assert FAMILY.residual(SINGLE, seen) == pytest.approx(0, abs=1e-9)
    assert np.abs(FAMILY.residual(replace(SINGLE, recess=0.0), seen)[4]) > 2
    assert FAMILY.propose(seen) == [RoomDoor(1.0, 2.1, 0.24)]
    assert FAMILY.propose(replace(seen, layouts=((1.0, DOUBLE),)))[0].leaves == 2


# In the simulator


@pytest.mark.parametrize("p", [SINGLE, DOUBLE, replace(SINGLE, swing=Swing.AWAY)])
def test_it_stands_and_stays_shut(p: RoomDoor) -> None:
    assert stand_alone(Scene("s", (FAMILY.build(p, "door"),))).still


def test_all_that_is_sampled_stands(many: list[RoomDoor]) -> None:
    assert all(stand_alone(Scene("s", (FAMILY.build(p, "door"),))).still for p in many)


def opened(assets: list[Asset]) -> list[bool]:
    env = WorldEnv([Scene(f"s{i}", (asset,)) for i, asset in enumerate(assets)], threads=2)
    env.reset(seed=0)
    won, live = np.zeros(len(assets), bool), np.ones(len(assets), bool)
    while live.any():
        _, _, ended, cut, _ = env.step(expert(env.worlds))
        won |= ended & live
        live &= ~(ended | cut)
    env.close()
    return [bool(w) for w in won]


def test_the_expert_opens_them() -> None:
    doors = [
        replace(SINGLE, side=side, swing=swing, handle=kind, backset=0.08)
        for side in (Side.LEFT, Side.RIGHT)
        for swing in (Swing.TOWARDS, Swing.AWAY)
        for kind in (HandleKind.LEVER, HandleKind.BAR, HandleKind.BOW, HandleKind.KNOB)
    ]
    assert all(opened([FAMILY.build(p, "door") for p in [*doors, DOUBLE]]))
