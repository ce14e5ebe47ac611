"""The task "close": what stands open is pushed shut, and nothing else moves."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from dataclasses import replace
from functools import partial
from pathlib import Path

import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld import api
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, Pose, Scene, Side
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import _within, expert
from pocketworld.sim.tasks.observation import PRIVILEGED, way
from pocketworld.sim.tasks.reward import BONUS, EFFORT, TIME, potential
from pocketworld.sim.tasks.task import CLOSE, TASKS, task

Array = NDArray[np.float64]
WAY = [PRIVILEGED.index(f"way_{axis}") for axis in "xyz"]


def chest(number: int, kinds: tuple[HandleKind, HandleKind]) -> Scene:
    """Return a drawer above a door, turned somehow."""
    side = (Side.LEFT, Side.RIGHT)[number % 2]
    fronts = (
        Front(FrontKind.DRAWER, Side.NONE, usual(kinds[0])),
        Front(FrontKind.DOOR, side, usual(kinds[1], 0.2 if side is Side.RIGHT else 0.8, 0.5)),
    )
    asset = build(Cabinet(0.5 + 0.05 * number, 0.45, 0.7, Split(True, (1.0, 1.5), fronts)), "chest")
    pose = Pose.upright((0.3 * number, -1.0, 0.0), 0.8 * number)
    return Scene(f"s{number}", (replace(asset, pose=pose),), provenance={"cousin": f"test/{number}"})


DRAWERS = (HandleKind.BAR, HandleKind.BOW, HandleKind.KNOB, HandleKind.CUP, HandleKind.EDGE)
DOORS = (HandleKind.KNOB, HandleKind.BAR, HandleKind.BOW, HandleKind.KNOB, HandleKind.BAR)
SCENES = [chest(i, kinds) for i, kinds in enumerate(zip(DRAWERS, DOORS, strict=True))]


def asked(scenes: list[Scene]) -> tuple[list[Scene], list[str]]:
    """Return each scene once a joint, and the joint."""
    pairs = [(scene, f"{asset.id}/{joint.id}") for scene in scenes for asset, joint in scene.joints()]
    return [scene for scene, _ in pairs], [name for _, name in pairs]


def closing(scenes: list[Scene], seed: int = 0) -> WorldEnv:
    """Return environments that have begun to close each joint of each scene."""
    each, joints = asked(scenes)
    env = WorldEnv(each, task="close", threads=1)
    env.reset(seed=seed, options={"joint": joints})
    return env


# How an episode begins


def test_a_part_begins_open_by_a_drawn_share_and_all_others_closed() -> None:
    env = closing(SCENES)
    shares = []
    for seed in range(20):
        _, info = env.reset(seed=seed, options={"joint": list(env.worlds.joints)})
        shares.append(info["opened"])
        for i, cousin in enumerate(env.worlds.cousins):
            target = next(t for t in cousin.targets if t.id == env.worlds.joints[i])
            rest = np.ones(cousin.model.nq, bool)
            rest[target.qpos] = False
            rest[cousin.robot_qpos : cousin.robot_qpos + 8] = False
            state = env.worlds.physics.qpos(i)
            assert np.array_equal(state[rest], cousin.model.key("closed").qpos[rest])
            assert state[target.qpos] == pytest.approx(info["opened"][i] * target.range)
    drawn = np.array(shares)
    low, high = CLOSE.start
    assert (drawn >= low).all()
    assert (drawn <= high).all()
    # 200 uniform draws: each tenth of the range is met, all but with a chance of 10 * 0.9**200
    assert len(np.unique(((drawn - low) / (high - low) * 10).astype(int))) == 10
    env.close()


def test_the_hand_begins_before_the_open_part_square_to_its_handle() -> None:
    """As before a closed one: in the handle's frame the starts are those of `open`, but for the floor's."""
    env = closing(SCENES)
    senses = env.worlds.senses
    ahead = np.einsum("nji,nj->ni", senses.handle_turn, senses.grip - senses.handle)
    assert (ahead[:, 0] > 0.09).all()
    assert np.abs(senses.grip_turn - senses.handle_turn).max() < 1e-6
    env.close()


def test_what_is_asked_is_to_be_shut() -> None:
    env = closing(SCENES)
    worlds = env.worlds
    assert np.array_equal(worlds.sense, -np.ones(env.num_envs))
    ranges = np.array([joint.range[1] for scene in SCENES for _, joint in scene.joints()])
    assert worlds.goal == pytest.approx(0.02 * ranges)
    assert env.progress == pytest.approx(0)
    env.close()


# What only a teacher knows


def test_the_way_is_where_the_handle_goes_as_the_part_closes() -> None:
    """Against finite differences of MuJoCo's own kinematics."""
    env = closing(SCENES)
    worlds, tiny = env.worlds, 1e-6
    told = way(worlds.senses, worlds.facts, worlds.sense)
    for i, cousin in enumerate(worlds.cousins):
        target = next(t for t in cousin.targets if t.id == worlds.joints[i])
        places = []
        for q in (worlds.senses.q[i], worlds.senses.q[i] - tiny):
            data = mujoco.MjData(cousin.model)
            data.qpos[:] = worlds.physics.qpos(i)
            data.qpos[target.qpos] = q
            mujoco.mj_kinematics(cousin.model, data)
            places.append(data.site_xpos[target.site].copy())
        moved = (places[1] - places[0]) / np.linalg.norm(places[1] - places[0])
        assert told[i] == pytest.approx(moved, abs=1e-5)
    seen = worlds.observe()["privileged"][:, WAY]
    mine = np.einsum("nji,nj->ni", worlds.senses.grip_turn, told)
    assert seen == pytest.approx(mine, abs=1e-6)
    env.close()


def test_the_way_of_close_is_against_that_of_open() -> None:
    env = closing(SCENES)
    worlds = env.worlds
    there = way(worlds.senses, worlds.facts, -worlds.sense)
    assert np.array_equal(there, -way(worlds.senses, worlds.facts, worlds.sense))
    env.close()


# What it is worth, and when it ends


def test_rewards_are_differences_of_the_potential_and_a_bonus_at_the_goal() -> None:
    env = closing(SCENES)
    worlds, live = env.worlds, np.ones(env.num_envs, bool)
    first = potential(worlds.senses, worlds.facts, worlds.progress)
    last, got = first.copy(), np.zeros(env.num_envs)
    while live.any():
        actions = expert(worlds)
        out = worlds.advance(worlds.checked(actions))
        got += np.where(live, out.reward + TIME + EFFORT * (actions**2).sum(1), 0)
        last = np.where(live, potential(worlds.senses, worlds.facts, worlds.progress), last)
        assert np.array_equal(out.success, worlds.senses.q <= worlds.goal)
        got -= np.where(live & out.success, BONUS, 0)
        live &= ~out.done
    assert got == pytest.approx(last - first, abs=1e-9)
    env.close()


def test_the_expert_closes_every_handle_and_moves_nothing_else() -> None:
    """Drawers and doors of both sides; what was shut stays shut, by less than 2 % of its range."""
    env = closing(SCENES)
    worlds, live = env.worlds, np.ones(env.num_envs, bool)
    won = ~live
    while live.any():
        out = worlds.advance(worlds.checked(expert(worlds)))
        for i in map(int, np.flatnonzero(live)):
            for target in worlds.cousins[i].targets:
                if target.id != worlds.joints[i]:
                    assert abs(worlds.physics.qpos(i)[target.qpos]) < 0.02 * target.range
        won |= out.success & live
        live &= ~out.done
    env.close()
    assert won.all(), [name for name, shut in zip(worlds.joints, won, strict=True) if not shut]


def test_left_alone_nothing_shuts_itself() -> None:
    """What success is given for is the hand's work."""
    env = closing(SCENES)
    for _ in range(50):
        _, _, success, _, _ = env.step(np.zeros((env.num_envs, 4)))
        assert not success.any()
    assert (env.worlds.opened > CLOSE.start[0] - 0.02).all()
    env.close()


@pytest.mark.slow
def test_the_expert_closes_what_stands_open_of_sampled_cabinets() -> None:
    """All but flaps that hang so low that no hand fits below them."""
    scenes = []
    for number in range(60):
        asset = build(sample(partial(stream, number, "shut"), Site((2.0, 0.9, 2.4))), "cab")
        if asset.movable:
            scenes.append(Scene(f"drawn {number}", (asset,), provenance={"cousin": f"test/{number}"}))
    env = closing(scenes)
    won, low = _closed(env)
    assert len(won) > 100
    assert won.mean() > 0.98
    assert won[~low].all()


@pytest.mark.slow
@pytest.mark.captures
def test_the_expert_closes_the_pedestals_cousins(pedestal_world: Path) -> None:
    scenes = list(api.make_cousins(pedestal_world, "medium", seed=5, count=64))
    won, _ = _closed(closing(scenes))
    assert len(won) > 150
    assert won.mean() >= 0.95


def _closed(env: WorldEnv) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Run the expert; return which it closed, and which handles began with no room for a hand below."""
    live = np.ones(env.num_envs, bool)
    won, low = ~live, env.worlds.senses.handle[:, 2] < 0.2
    while live.any():
        _, _, success, cut, _ = env.step(expert(env.worlds))
        won |= success & live
        live &= ~(success | cut)
    env.close()
    return won, low


# The expert's depth


@given(st.lists(st.floats(-0.1, 0.1), min_size=1), st.floats(1e-3, 0.05))
def test_no_deeper_is_as_near_from_both_sides(short: list[float], near: float) -> None:
    """So `open` is what it was."""
    away = np.array(short)
    assert np.array_equal(_within(away, near, np.zeros(len(short))), np.abs(away) < near)


def test_deeper_only_lets_the_hand_come_nearer_to_the_front() -> None:
    short = np.array([-0.02, -0.005, 0.005, 0.02, 0.04])
    assert _within(short, 0.008, np.full(5, 0.03)).tolist() == [False, True, True, True, False]


def test_tasks_are_found_by_name() -> None:
    assert task("close") is CLOSE
    assert sorted(TASKS) == ["close", "open"]
    with pytest.raises(PocketworldError, match="no task 'slam'; there are: open, close"):
        task("slam")
