"""The batched environment: laws of chance and company, what is paid, which joints are asked for."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.bench.replay import batches
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, Pose, Scene
from pocketworld.sim import backends
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.policy import begin
from pocketworld.sim.tasks.reward import BONUS, EFFORT, TIME, potential
from pocketworld.sim.tasks.task import OPEN

Array = NDArray[np.float64]
Step = dict[str, Any]


def drawn(number: int) -> Scene:
    asset = build(sample(lambda name: stream(number, "environment", name), Site((2.0, 0.9, 2.4))), "cab")
    pose = Pose.upright((0.5, -1.0, 0.0), float(stream(number, "yaw").uniform(-3, 3)))
    return Scene(f"drawn {number}", (replace(asset, pose=pose),), provenance={"cousin": f"test/{number}"})


SCENES = [scene for scene in map(drawn, range(12)) if scene.assets[0].movable][:10]


def episode(
    scenes: Sequence[Scene],
    replicas: Sequence[int] | None = None,
    *,
    seed: int = 3,
    steps: int = 60,
    threads: int = 1,
) -> list[Step]:
    """Let the expert drive for longer than an episode; return all that was seen."""
    env = WorldEnv(scenes, replicas=replicas, threads=threads, max_steps=36)
    observation, info = env.reset(seed=seed)
    out: list[Step] = [{**observation, "joint": info["joint"], "opened": info["opened"]}]
    for _ in range(steps):
        observation, reward, ended, cut, info = env.step(expert(env.worlds))
        state = np.stack([env.worlds.physics.qpos(i)[-8:] for i in range(env.num_envs)])
        seen = {name: info[name] for name in ("joint", "opened", "success")}
        out.append({**observation, "reward": reward, "ended": ended, "cut": cut, "state": state, **seen})
    env.close()
    return out


def same(a: list[Step], b: list[Step], which: Sequence[int] | NDArray[np.int64]) -> bool:
    """Say whether b is a's environments `which`, to the bit."""
    pairs = [(x[name][which], y[name]) for x, y in zip(a, b, strict=True) for name in x]
    return all(np.array_equal(x, y) for x, y in pairs)


@pytest.fixture(scope="module")
def together() -> list[Step]:
    return episode([*SCENES, *SCENES[:3]], threads=2)


# Laws


def test_episodes_end_and_start_anew_in_these_runs(together: list[Step]) -> None:
    """What the laws below compare: resets, successes, both ways of ending."""
    assert sum(int(step["ended"].sum()) for step in together[1:]) >= 2
    assert sum(int(step["cut"].sum()) for step in together[1:]) >= 2


@pytest.mark.parametrize("seed", range(3))
def test_permuted_environments_give_permuted_results(together: list[Step], seed: int) -> None:
    replicas = np.array([0] * 10 + [1] * 3)
    scenes = [*SCENES, *SCENES[:3]]
    order = stream(seed, "order").permutation(13)
    assert same(together, episode([scenes[i] for i in order], replicas[order].tolist()), order)


@pytest.mark.parametrize(("i", "replica"), [(0, 0), (4, 0), (9, 0), (10, 1), (12, 1)])
def test_one_environment_taken_out_replays_to_the_bit(together: list[Step], i: int, replica: int) -> None:
    assert same(together, episode([SCENES[i % 10]], [replica]), [i])


def test_it_equals_a_python_loop_over_mj_step_bit_for_bit() -> None:
    """The expert takes hold and pulls; then each model alone gets what its actuators were asked for."""
    env = WorldEnv(SCENES, threads=2, max_steps=1000)
    env.reset(seed=2)
    starts, commands, ends = [env.worlds.physics.qpos(i) for i in range(10)], [], []
    for _ in range(22):
        env.step(expert(env.worlds))
        commands.append(env.worlds.aim.command.copy())
        ends.append([env.worlds.physics.qpos(i) for i in range(10)])
    assert (env.worlds.senses.q > 0.02).sum() >= 5, "most have something in their hand and moving"
    for i, cousin in enumerate(env.worlds.cousins):
        data = mujoco.MjData(cousin.model)
        data.qpos[:] = starts[i]
        for command, end in zip(commands, ends, strict=True):
            data.ctrl[:] = command[i]
            mujoco.mj_step(cousin.model, data, nstep=env.worlds.substeps)
            assert np.array_equal(data.qpos, end[i])


def test_the_same_seed_gives_the_same_and_another_does_not(together: list[Step]) -> None:
    again = episode([*SCENES, *SCENES[:3]])
    assert same(together, again, range(13))
    other = episode([*SCENES, *SCENES[:3]], seed=4, steps=1)
    assert not np.array_equal(other[0]["policy"], together[0]["policy"])


def test_replicas_of_a_cousin_begin_differently(together: list[Step]) -> None:
    first = together[0]["policy"]
    assert not np.array_equal(first[:3], first[10:])


def test_scenes_go_round_and_each_round_is_a_replica() -> None:
    env = WorldEnv(SCENES[:3], 7, threads=1)
    assert [cousin.id for cousin in env.worlds.cousins] == [f"test/{i % 3}" for i in range(7)]
    assert env.worlds.replicas == (0, 0, 0, 1, 1, 1, 2)
    assert len({id(model) for model in env.worlds.physics.models}) == 3
    assert WorldEnv([SCENES[0]] * 2, threads=1).worlds.cousins[0] is not None
    assert len({id(model) for model in WorldEnv([SCENES[0]] * 2, threads=1).worlds.physics.models}) == 1


def test_a_scene_without_a_cousins_id_goes_by_its_name() -> None:
    scene = replace(SCENES[0], provenance={})
    assert WorldEnv([scene], threads=1).reset(seed=0)[1]["cousin"].tolist() == [scene.name]


def test_an_environment_that_blows_up_is_reset_counted_and_named_and_no_other_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it is
    runs = []
    for broken in (False, True):
        env = WorldEnv(SCENES, threads=1, max_steps=25)
        env.reset(seed=3)
        seen, last = [], env._observe()
        for t in range(15):
            if broken and t == 5:
                physics = batches(env)
                group = physics.groups[physics.group_of[4]]
                group.qvel[physics.row_of[4], 0] = np.nan
                last = env._observe()
            observation, reward, ended, cut, info = env.step(expert(env.worlds))
            seen.append((observation["policy"], reward, ended, cut, info["joint"], info["opened"]))
            if broken:
                assert info["unstable"].tolist() == [t == 5 and i == 4 for i in range(10)]
                assert info["unstable_count"].tolist() == [int(t >= 5 and i == 4) for i in range(10)]
            if broken and t == 5:
                assert (cut[4], ended[4], reward[4]) == (True, False, 0.0)
                assert info["cousin"][4] == "test/" + str(SCENES[4].provenance["cousin"][5:])
                assert info["final_info"]["unstable"][4]
                assert np.array_equal(info["final_obs"][4]["policy"], last["policy"][4])
                assert np.isfinite(observation["policy"]).all()
        runs.append(seen)
    others = [i for i in range(10) if i != 4]
    for whole, hurt in zip(*runs, strict=True):
        assert all(np.array_equal(a[others], b[others]) for a, b in zip(whole, hurt, strict=True))


# Rewards


def test_rewards_are_differences_of_the_potential() -> None:
    env = WorldEnv(SCENES[:4], threads=1, max_steps=1000)
    env.reset(seed=1)
    start, total = potential(env.worlds.senses, env.worlds.facts, env.worlds.progress), np.zeros(4)
    for t in range(12):
        action = stream(t, "action").uniform(-1, 1, (4, 4))
        _, reward, ended, _, _ = env.step(action)
        assert not ended.any()
        total += reward + TIME + EFFORT * (action**2).sum(1)
    assert total == pytest.approx(
        potential(env.worlds.senses, env.worlds.facts, env.worlds.progress) - start, abs=1e-12
    )


def test_an_episode_ends_with_80_percent_of_the_range() -> None:
    env = WorldEnv(SCENES[:6], threads=1)
    env.reset(seed=0)
    assert OPEN.goal == 0.8
    before = np.zeros(6)
    ends = 0
    for _ in range(90):
        _, reward, ended, _, info = env.step(expert(env.worlds))
        for i in np.flatnonzero(ended):
            final = info["final_info"]
            assert final["opened"][i] >= OPEN.goal
            assert before[i] < OPEN.goal
            assert final["episode"]["l"][i] > 5
            ends += 1
        assert (reward[~ended] < BONUS / 2).all()  # what is paid exactly: the next test
        before = info["opened"]
    assert ends >= 6


def test_a_step_pays_the_potentials_difference_and_a_bonus_once_it_succeeds() -> None:
    worlds = backends.worlds(SCENES[:6], threads=1)
    begin(worlds, 0)
    won = np.zeros(6, bool)
    before = potential(worlds.senses, worlds.facts, worlds.progress)
    for _ in range(90):
        actions = worlds.checked(expert(worlds))
        out = worlds.advance(actions)
        after = potential(worlds.senses, worlds.facts, worlds.progress)
        assert np.array_equal(out.success, worlds.opened >= OPEN.goal)
        costs = TIME + EFFORT * (actions**2).sum(1)
        assert out.reward == pytest.approx(after - before - costs + BONUS * out.success, abs=1e-12)
        won, before = won | out.success, after
    assert won.all()
    worlds.close()


# Asking for joints


def test_joints_are_asked_for_by_id() -> None:
    scene = next(scene for scene in SCENES if len(scene.assets[0].movable) >= 2)
    ids = [f"cab/{joint.id}" for joint in scene.assets[0].movable]
    env = WorldEnv([scene], 4, threads=1)
    asked = [ids[0], ids[-1], None, ids[0]]
    _, info = env.reset(seed=0, options={"joint": asked})
    free = env.reset(seed=0)[1]["joint"]
    assert info["joint"].tolist() == [ids[0], ids[-1], free[2], ids[0]]
    assert env.reset(options={"joint": ids[-1]})[1]["joint"].tolist() == [ids[-1]] * 4
    goals = [OPEN.goal * joint.range[1] for joint in scene.assets[0].movable]
    assert env.worlds.goal == pytest.approx(goals[-1])


def test_asking_changes_no_other_draw() -> None:
    scene = next(scene for scene in SCENES if len(scene.assets[0].movable) >= 2)
    env = WorldEnv([scene], 3, threads=1)
    drawn_, info = env.reset(seed=5)
    asked, _ = env.reset(seed=5, options={"joint": [None, str(info["joint"][1]), None]})
    assert np.array_equal(drawn_["policy"], asked["policy"])


def test_every_joint_with_a_handle_comes_up() -> None:
    scene = next(scene for scene in SCENES if len(scene.assets[0].movable) >= 2)
    env = WorldEnv([scene], 64, threads=1)
    assert set(env.reset(seed=0)[1]["joint"]) == {f"cab/{joint.id}" for joint in scene.assets[0].movable}


def test_joints_without_handles_are_asked_for_only_by_name_or_where_there_are_no_others() -> None:
    bare = build(Cabinet(0.5, 0.45, 0.3, Front(handle=usual(HandleKind.NONE))), "bare")
    env = WorldEnv([Scene("s", (bare,))], threads=1)
    assert env.reset(seed=0)[1]["joint"].tolist() == ["bare/0"]
    held = build(Cabinet(0.5, 0.45, 0.3, Front(handle=usual(HandleKind.BAR))), "held")
    pair = Scene("p", (bare, replace(held, pose=Pose((1.0, 0.0, 0.0)))))
    env = WorldEnv([pair], 16, threads=1)
    assert set(env.reset(seed=0)[1]["joint"]) == {"held/0"}
    assert env.reset(options={"joint": "bare/0"})[1]["joint"].tolist() == ["bare/0"] * 16
