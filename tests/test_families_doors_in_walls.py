"""Room doors in the openings of walls: they clear the wall, stand, and a hand opens them there."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.families.protocol import Draw, Site
from pocketworld.families.room_door.family import RoomDoorFamily
from pocketworld.families.room_door.parameters import RoomDoor, Swing
from pocketworld.families.room_door.plan import STOP, furthest, leaves, posts
from pocketworld.families.wall import Opening, Wall, WallFamily
from pocketworld.geometry.sweep import clean, sweep
from pocketworld.rng import stream
from pocketworld.scene import Asset, Joint, JointKind, Pose, Relation, Scene, Side
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.stability import stand

DOORS, WALLS = RoomDoorFamily(), WallFamily()
SITE = Site((2.6, 0.3, 2.3))
seeds = st.integers(0, 10**6)
hinged = st.sampled_from((Swing.TOWARDS, Swing.AWAY))


def draw(seed: int) -> Draw:
    return lambda name: stream(seed, "in wall", name)


def sampled(seed: int) -> RoomDoor:
    return DOORS.sample(draw(seed), SITE)


def around(p: RoomDoor, at: float = 0.0) -> Wall:
    """Return a wall with an opening that a door fills."""
    return Wall(p.width + 3.0, p.height + 0.4, p.depth, (Opening(at, 0.0, p.width, p.height),))


def joined(p: RoomDoor) -> Asset:
    """Return a door and its wall as parts of one asset, so that a sweep sees both."""
    door, wall = DOORS.build(p, "door"), WALLS.build(around(p), "wall")
    body = replace(wall.parts[0], id="wall")
    known = DOORS.build(replace(p, swing=Swing.FIXED, side=Side.NONE), "d").joints[0].belief
    still = Joint("wall", JointKind.FIXED, "body", "wall", known)
    return replace(door, parts=(*door.parts, body), joints=(*door.joints, still))


def room(p: RoomDoor, at: float = 0.4, yaw: float = 0.0) -> Scene:
    """Return a wall with a door in it, turned by yaw (rad) about the scene's origin."""
    door = DOORS.build(p, "door")
    place = (at * math.cos(yaw), at * math.sin(yaw), 0.0)
    wall = replace(WALLS.build(around(p, at), "wall"), pose=Pose.upright((0.0, 0.0, 0.0), yaw))
    door = replace(door, pose=Pose.upright(place, yaw))
    return Scene("room", (wall, door), (Relation("inside", "door", "wall"),))


@settings(max_examples=40)
@given(seeds, hinged, st.floats(0, 1), st.floats(1.2, math.pi))
def test_no_leaf_meets_its_wall_however_deep_it_sits(
    seed: int, swing: Swing, share: float, opening: float
) -> None:
    p = sampled(seed)
    p = replace(p, swing=swing, recess=share * (p.depth - p.leaf), opening=opening)
    assert clean(joined(p))


def test_the_sweep_would_see_a_leaf_that_meets_its_wall() -> None:
    p = RoomDoor(1.0, 2.1, 0.24, recess=0.11)
    both = joined(p)
    joint = replace(both.joints[0], range=(0.0, math.radians(110)))
    hits = sweep(replace(both, joints=(joint, *both.joints[1:])))
    assert {hit.parts for hit in hits} == {("body", "door_0")}


@given(seeds, hinged)
def test_the_frame_fills_the_opening_and_leaves_the_way_free(seed: int, swing: Swing) -> None:
    p = replace(sampled(seed), swing=swing)
    low = np.array([piece.vertices.min(0) for piece in posts(p)])
    high = np.array([piece.vertices.max(0) for piece in posts(p)])
    assert low.min(0) == pytest.approx((-p.width / 2, -p.depth / 2, 0))
    assert high.max(0) == pytest.approx((p.width / 2, p.depth / 2, p.height))
    way = np.array([0.0, 0.0, p.height / 2]), np.array([p.width, 0.0, p.height]) / 2
    aside = p.width / 2 - p.frame - STOP - 1e-9
    free = (low[:, 0] >= aside) | (high[:, 0] <= -aside) | (low[:, 2] >= p.height - p.frame - STOP - 1e-9)
    assert free.all()
    assert way[0][2] < p.height


@given(seeds, hinged)
def test_the_strip_is_on_the_side_that_the_leaf_shuts_against(seed: int, swing: Swing) -> None:
    p = replace(sampled(seed), swing=swing)
    strips = posts(p)[3:]
    for leaf in leaves(p):
        for strip in strips:
            behind = strip.vertices[:, 1].min() > leaf.y1
            before = strip.vertices[:, 1].max() < leaf.y0
            assert behind if swing is Swing.TOWARDS else before


@given(seeds)
def test_two_leaves_are_alike_and_meet_in_the_middle(seed: int) -> None:
    p = replace(sampled(seed), leaves=2, side=Side.NONE, width=2.0)
    left, right = leaves(p)
    assert left.face.width == pytest.approx(right.face.width)
    assert right.face.x0 - left.face.x1 == pytest.approx(p.gap)
    assert left.face.x1 == pytest.approx(-right.face.x0)
    assert (left.hinged, right.hinged) == (Side.LEFT, Side.RIGHT)


@given(st.floats(0, 0.3), st.floats(0, 0.3))
def test_the_deeper_a_leaf_sits_the_less_it_opens(a: float, b: float) -> None:
    shallow, deep = (RoomDoor(1.0, 2.1, 0.34, recess=recess) for recess in sorted((a, b)))
    assert furthest(shallow, Swing.TOWARDS) >= furthest(deep, Swing.TOWARDS) >= math.pi / 2
    assert furthest(shallow, Swing.AWAY) <= furthest(deep, Swing.AWAY)


# In the simulator, where wall and door are two things that may collide


@pytest.mark.parametrize("state", ["closed", "open"])
def test_a_door_in_its_wall_stands_in_a_house_that_leans(state: str) -> None:
    for seed in range(8):
        model = mjcf.document(room(sampled(seed), yaw=0.3 * seed), visual=False).compile()
        found = stand(model, 10.0, math.radians(2), state)
        assert found.still


def test_the_expert_opens_doors_in_walls() -> None:
    scenes = [room(sampled(seed), yaw=0.7 * seed) for seed in range(24)]
    env = WorldEnv(scenes, threads=2)
    env.reset(seed=0)
    won, live = np.zeros(len(scenes), bool), np.ones(len(scenes), bool)
    while live.any():
        _, _, ended, cut, _ = env.step(expert(env.worlds))
        won |= ended & live
        live &= ~(ended | cut)
    assert not env.unstable_count.any()
    env.close()
    assert won.mean() >= 0.95
