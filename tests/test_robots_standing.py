"""An arm in the environments: it starts at its stand, goes where it is led, opens things."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.scene import HandleKind, Pose, Scene, Side
from pocketworld.sim.compiling.cousin import compile_cousin, why
from pocketworld.sim.cousin import Hold
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.robots import named
from pocketworld.sim.robots.panda import panda
from pocketworld.sim.robots.robot import Aim
from pocketworld.sim.robots.search import frames
from pocketworld.sim.robots.standing import AHEAD, NUDGE, STRIDE, ByGrip, ByJoints, as_held, nearer
from pocketworld.sim.senses import Senses
from pocketworld.sim.tasks import episode
from pocketworld.sim.tasks.observation import policy_names
from pocketworld.sim.tasks.task import CLOSE, OPEN, Task

Array = NDArray[np.float64]


@cache
def scene(number: int = 0) -> Scene:
    kind, side = ((FrontKind.DRAWER, Side.NONE), (FrontKind.DOOR, Side.LEFT), (FrontKind.DOOR, Side.RIGHT))[
        number % 3
    ]
    front = Front(
        kind, side, usual(HandleKind.BAR), opening=1.5 if kind is FrontKind.DOOR else 0.85, damping=2.0
    )
    asset = build(Cabinet(0.45 + 0.05 * number, 0.45, 0.4, front), "cab")
    return Scene(f"s{number}", (replace(asset, pose=Pose.upright((0.0, 0.0, 0.3), 0.5 * number)),))


def environment(robot: str = "panda", numbers: Sequence[int] = (0, 1, 2)) -> WorldEnv:
    env = WorldEnv([scene(i) for i in numbers], robot=robot, threads=1, max_steps=150)
    env.reset(seed=3)
    return env


def off(env: WorldEnv) -> Array:
    """Return how far each grip is from its handle, m."""
    senses = env.worlds.senses
    out: Array = np.linalg.norm(senses.grip - senses.handle, axis=1)
    return out


def test_it_starts_square_in_front_of_the_handle_at_rest() -> None:
    env = environment()
    senses = env.worlds.senses
    assert ((off(env) > 0.08) & (off(env) < 0.35)).all()
    held = as_held(senses.grip_turn, senses.handle_turn)
    assert held == pytest.approx(senses.grip_turn, abs=0.02)
    before = senses.grip.copy()
    for _ in range(10):
        env.step(np.tile([0.0, 0, 0, 1], (3, 1)))
    assert senses.grip == pytest.approx(before, abs=2e-3)
    env.close()


def test_led_by_its_grip_it_goes_straight_there() -> None:
    env = environment()
    senses = env.worlds.senses
    start, turn = senses.grip.copy(), senses.grip_turn.copy()
    for _ in range(6):
        env.step(np.tile([1.0, 0, 0, 1], (3, 1)))
    for _ in range(8):
        env.step(np.tile([0.0, 0, 0, 1], (3, 1)))
    went = np.einsum("nji,nj->ni", turn, senses.grip - start)
    assert went[:, 0] == pytest.approx(6 * STRIDE, abs=0.004)
    assert np.abs(went[:, 1:]).max() < 0.004
    assert senses.grip_turn == pytest.approx(turn, abs=0.03)
    env.close()


def test_led_by_its_joints_each_goes_where_it_is_sent() -> None:
    env = environment("panda:joints")
    senses = env.worlds.senses
    assert env.single_action_space.shape == (8,)
    for joint in (0, 3, 6):
        before = senses.robot[:, 4:-2].copy()
        action = np.zeros((3, 8))
        action[:, joint], action[:, -1] = -0.5, 1
        for _ in range(2):
            env.step(action)
        for _ in range(10):
            env.step(action * ([0.0] * 7 + [1.0]))
        moved = senses.robot[:, 4:-2] - before
        expected = np.zeros(7)
        expected[joint] = -NUDGE
        assert moved == pytest.approx(np.tile(expected, (3, 1)), abs=0.01)
    env.close()


@pytest.mark.slow
def test_its_servos_are_led_by_little_and_its_cart_not_at_all() -> None:
    for robot in ("panda", "panda:joints"):
        env = environment(robot)
        worlds, low, high = env.worlds, panda().chain.low, panda().chain.high
        cart = worlds.senses.robot[:, :4].copy()
        rng = np.random.Generator(np.random.PCG64(0))
        for _ in range(40):
            before = worlds.senses.robot[:, 4:-2].copy()
            env.step(rng.choice([-1.0, 1.0], env.action_space.shape))
            command = worlds.aim.command[:, 4:-2]
            assert (command >= low).all()
            assert (command <= high).all()
            if worlds.steps.min() > 0:
                assert np.abs(command - before).max() <= AHEAD + 1e-9
        assert np.abs(worlds.senses.robot[:, :4] - cart).max() < 0.01
        env.close()


@pytest.mark.parametrize("task", [OPEN, CLOSE])
def test_it_begins_square_before_the_handle_however_far_the_part_is_open(task: Task) -> None:
    """Drawers and doors, from what their own stands reach: as drawn, or nearer to straight before it."""
    arm, asdrawn, count = named("panda"), 0, 0
    assert isinstance(arm, ByGrip)
    for number in range(6):
        cousin = compile_cousin(scene(number), arm)
        (target,) = cousin.targets
        assert target.reach is not None
        for replica in range(8):
            one = episode.draw(cousin, task, 0, replica, 0, target)
            joints, at = arm.placed(one.hold, one.start, target.reach)
            assert at is not None
            world = frames(joints[None, :4])[0] @ arm.made.chain.forward(joints[None, 4:-2])[0][0]
            assert world[:3, 0] == pytest.approx(one.hold.turn[:, 0], abs=0.03)
            assert abs(world[:3, 1] @ one.hold.turn[:, 1]) > 0.999
            place = list(nearer(one.hold, one.start))[at]
            assert np.linalg.norm(world[:3, 3] - place) < 0.003
            asdrawn, count = asdrawn + (at == 0), count + 1
            assert np.array_equal(joints[:4], target.reach.postures[0, :4]), "the cart stays"
    assert asdrawn > 0.8 * count


def test_nearer_places_end_straight_before_the_handle() -> None:
    hold = Hold.of(np.array([1.0, 2, 3]), np.eye(3))
    where = np.array([1.2, 2.1, 2.9])
    places = list(nearer(hold, where))
    assert places[0] is where
    assert places[-1] == pytest.approx([1.05, 2, 3])
    aside = [np.linalg.norm((place - hold.grip)[1:]) for place in places]
    assert max(aside) == aside[0]


def test_a_place_out_of_reach_is_not_called_there() -> None:
    arm = named("panda")
    assert isinstance(arm, ByGrip)
    (target,) = compile_cousin(scene(), arm).targets
    assert target.reach is not None
    away = replace(target.closed, grip=target.closed.grip + np.array([0, 0, 5.0]))
    assert arm.placed(away, away.grip, target.reach)[1] is None


def test_what_it_senses_has_names_and_is_its_joints() -> None:
    env = environment()
    robot = env.worlds.robot
    names = policy_names(robot)
    observation, _ = env.reset(seed=1)
    assert observation["policy"].shape == (3, len(names))
    first = names.index("joint_joint1")
    seen = observation["policy"][:, first : first + 7]
    assert seen == pytest.approx(env.worlds.senses.robot[:, 4:-2].astype(np.float32))
    env.close()


def test_its_motion_is_that_of_the_grip() -> None:
    env = environment()
    worlds = env.worlds
    for _ in range(5):
        env.step(np.tile([-1.0, 0.5, 0.2, 1], (3, 1)))
    velocity, _ = worlds.robot.motion(worlds.senses)
    before = worlds.senses.grip.copy()
    worlds.physics.step(1, worlds._write, worlds._read)
    assert (worlds.senses.grip - before) / 0.004 == pytest.approx(velocity, abs=0.05)
    assert np.linalg.norm(velocity, axis=1).min() > 0.02
    env.close()


@pytest.mark.parametrize("robot", ["panda", "panda:joints"])
def test_an_environment_is_the_same_to_the_bit_alone_and_among_others(robot: str) -> None:
    together, alone = environment(robot), environment(robot, [1])
    rng = np.random.Generator(np.random.PCG64(1))
    for _ in range(30):
        actions = rng.uniform(-1, 1, together.action_space.shape)
        seen = together.step(actions)
        one = alone.step(actions[1:2])
        for name in ("policy", "privileged"):
            assert np.array_equal(seen[0][name][1], one[0][name][0])
        assert seen[1][1] == one[1][0]
    together.close()
    alone.close()


@pytest.mark.parametrize("robot", [ByGrip, ByJoints])
def test_torch_computes_the_same_set_points(robot: type[ByGrip] | type[ByJoints]) -> None:
    env, made = environment(), robot(panda())
    worlds = env.worlds
    actions = np.full((3, len(made.actions)), 0.4)
    ours = made.aim(worlds.senses, worlds.aim, actions)
    senses = Senses(*(torch.tensor(getattr(worlds.senses, f.name)) for f in fields(Senses)))
    aim = Aim(*(torch.tensor(getattr(worlds.aim, f.name)) for f in fields(Aim)))
    theirs = made.aim(senses, aim, torch.tensor(actions))
    for field in fields(Aim):
        assert getattr(theirs, field.name).numpy() == pytest.approx(getattr(ours, field.name), abs=1e-9)
    worlds.senses.robot_speed[:] = 0.3
    moving = replace(senses, robot_speed=torch.tensor(worlds.senses.robot_speed))
    both = zip(made.motion(moving), made.motion(worlds.senses), strict=True)
    assert all(seen.numpy() == pytest.approx(motion, abs=1e-9) for seen, motion in both)
    env.close()


def test_a_handle_is_held_either_way_round() -> None:
    turn = np.eye(3)[None]
    other = np.diag((1.0, -1.0, -1.0))[None]
    assert np.array_equal(as_held(turn, other), turn)
    assert np.array_equal(as_held(turn, turn), turn)
    assert np.array_equal(as_held(other, turn), other)


def test_only_what_is_reached_can_be_asked_for() -> None:
    asset = scene(0).assets[0]
    high = replace(asset, id="high", pose=Pose.upright((0.0, 0.0, 3.0), 0.0))
    cousin = compile_cousin(Scene("s", (asset, high)), named("panda"))
    assert [target.id for target in cousin.targets] == ["cab/0"]
    assert cousin.missed == {"high/0": "no free place to stand is near enough"}
    with pytest.raises(PocketworldError, match=r"the panda reaches none of its 1 joints .1: no free place"):
        compile_cousin(Scene("s", (high,)), named("panda"))
    assert compile_cousin(Scene("s", (high,)), named("hand")).missed == {}


def test_why_joints_are_missed_is_counted() -> None:
    assert why({}) == ""
    assert why({"a": "far", "b": "bare", "c": "far"}) == "1: bare; 2: far"


@pytest.mark.slow
def test_the_expert_opens_drawers_and_doors_with_a_panda() -> None:
    env = environment(numbers=range(6))
    won, live = np.zeros(6, bool), np.ones(6, bool)
    while live.any():
        _, _, ended, cut, _ = env.step(expert(env.worlds))
        won |= ended & live
        live &= ~(ended | cut)
    assert won.all()
    assert not env.unstable_count.any()
    env.close()
