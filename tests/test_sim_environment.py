"""The batched environment: laws of chance and company, gymnasium's conventions, errors in one line."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics
from numpy.typing import NDArray

from pocketworld.bench.replay import batches
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, Pose, Scene
from pocketworld.sim.cousin import FACTS
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.tasks.observation import POLICY, PRIVILEGED
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


def test_success_is_80_percent_of_the_range_and_pays_a_bonus() -> None:
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
            assert reward[i] > BONUS
            assert final["episode"]["l"][i] > 5
            ends += 1
        before = info["opened"]
    assert ends >= 6


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


# gymnasium


def test_spaces_are_of_one_width_for_any_mixture() -> None:
    env = WorldEnv(SCENES, threads=1)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert isinstance(env.single_observation_space, gym.spaces.Dict)
    widths = {name: space.shape for name, space in env.single_observation_space.items()}
    assert widths == {"policy": (len(POLICY),), "privileged": (len(PRIVILEGED),)}
    assert len(set(POLICY)) == len(POLICY)
    assert len(set(PRIVILEGED)) == len(PRIVILEGED)
    assert len({cousin.model.nq for cousin in env.worlds.cousins}) > 2
    env.action_space.seed(0)
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    for _ in range(5):
        observation, reward, ended, cut, _ = env.step(env.action_space.sample())
        assert observation in env.observation_space
        assert all(values.dtype == np.float32 for values in observation.values())
        assert (reward.shape, ended.shape, cut.shape) == ((10,), (10,), (10,))
        assert ended.dtype == cut.dtype == bool


def test_facts_are_the_scenes() -> None:
    scene = SCENES[0]
    joint = scene.assets[0].movable[0]
    part = scene.assets[0].part(joint.child)
    env = WorldEnv([scene], threads=1)
    observation, _ = env.reset(seed=0, options={"joint": f"cab/{joint.id}"})
    named = dict(zip(PRIVILEGED, observation["privileged"][0].tolist(), strict=True))
    assert named["range"] == pytest.approx(joint.range[1])
    assert named["mass_kg"] == pytest.approx(part.mass)
    assert (named["damping"], named["frictionloss"]) == pytest.approx((joint.damping, joint.frictionloss))
    assert named[f"is_{joint.kind}"] == named[f"side_{joint.belief.best.side}"] == 1
    assert part.handle is not None
    assert named[f"handle_{part.handle.kind}"] == 1
    assert sum(named[name] for name in FACTS if name.startswith("handle_") and not name.endswith("_m")) == 1


def test_the_policy_sees_no_facts() -> None:
    """Two cabinets that differ in friction, mass and range only look the same to the policy at first."""
    scene = SCENES[0]
    asset = scene.assets[0]
    heavy = replace(
        asset,
        joints=tuple(
            replace(j, frictionloss=9.0, range=(0.0, j.range[1] / 2), state=0.0) for j in asset.joints
        ),
        parts=tuple(replace(p, mass=p.mass * 2) for p in asset.parts),
    )
    seen = [WorldEnv([s], threads=1).reset(seed=0)[0] for s in (scene, replace(scene, assets=(heavy,)))]
    assert np.array_equal(seen[0]["policy"], seen[1]["policy"])
    assert not np.array_equal(seen[0]["privileged"], seen[1]["privileged"])


def test_what_is_seen_does_not_depend_on_where_the_furniture_stands() -> None:
    scene = SCENES[1]
    moved = replace(scene, assets=(replace(scene.assets[0], pose=Pose.upright((4.0, 1.0, 0.0), 2.2)),))
    seen = [WorldEnv([s], threads=1).reset(seed=0)[0] for s in (scene, moved)]
    for name in ("policy", "privileged"):
        assert seen[0][name] == pytest.approx(seen[1][name], abs=1e-5)


def test_the_end_of_an_episode_is_told_as_gymnasium_does() -> None:
    env = WorldEnv(SCENES[:4], threads=1, max_steps=6)
    env.reset(seed=0)
    for _ in range(5):
        assert "final_obs" not in env.step(np.zeros((4, 4)))[4]
    last, reward, ended, cut, info = env.step(np.zeros((4, 4)))
    assert cut.all()
    assert not ended.any()
    assert info["_final_obs"].tolist() == info["_final_info"].tolist() == [True] * 4
    final = info["final_info"]
    assert final["episode"]["l"].tolist() == [6] * 4
    assert final["episode"]["r"] == pytest.approx(reward, abs=5)
    for i in range(4):
        assert info["final_obs"][i] in env.single_observation_space
        assert not np.array_equal(info["final_obs"][i]["policy"], last["policy"][i])
    for name in ("cousin", "joint", "opened", "success", "unstable", "episode"):
        assert final[f"_{name}"].tolist() == [True] * 4
    fresh = env.step(np.zeros((4, 4)))
    assert not fresh[3].any()


def test_gymnasiums_statistics_agree() -> None:
    env = WorldEnv(SCENES[:4], threads=1, max_steps=5)
    wrapped = RecordEpisodeStatistics(env)
    wrapped.reset(seed=0)
    for _ in range(4):
        wrapped.step(np.zeros((4, 4)))
    *_, info = wrapped.step(np.zeros((4, 4)))
    ours = info["final_info"]["episode"]
    assert info["episode"]["l"].tolist() == ours["l"].tolist()
    assert info["episode"]["r"] == pytest.approx(ours["r"])


def test_gymnasiums_lists_of_info_hold_who_ended_how() -> None:
    env = DictInfoToList(WorldEnv(SCENES[:3], threads=1, max_steps=2))
    env.reset(seed=0)
    env.step(np.zeros((3, 4)))
    *_, infos = env.step(np.zeros((3, 4)))
    assert [info["final_info"]["cousin"] for info in infos] == ["test/0", "test/1", "test/2"]
    assert all(info["final_info"]["episode"]["l"] == 2 for info in infos)


def test_only_some_are_reset_where_a_mask_says_so() -> None:
    env = WorldEnv(SCENES[:3], threads=1)
    env.reset(seed=0)
    for _ in range(2):
        env.step(np.ones((3, 4)) * 0.5)
    observation, *_ = env.step(np.ones((3, 4)) * 0.5)
    again, _ = env.reset(options={"reset_mask": np.array([False, True, False])})
    kept = [0, 2]
    assert np.array_equal(observation["policy"][kept], again["policy"][kept])
    assert not np.array_equal(observation["policy"][1], again["policy"][1])
    assert env.worlds.steps.tolist() == [3, 0, 3]


def test_seeds_may_be_given_one_each_and_go_on_without() -> None:
    env = WorldEnv(SCENES[:2], threads=1)
    both = env.reset(seed=[7, 8])[0]["policy"]
    assert np.array_equal(both[0], env.reset(seed=7)[0]["policy"][0])
    assert np.array_equal(both[1], env.reset(seed=8)[0]["policy"][1])
    following = env.reset()[0]["policy"]
    assert not np.array_equal(following, env.reset()[0]["policy"])
    env.reset(seed=8)
    assert np.array_equal(following, env.reset()[0]["policy"])
    env.reset(seed=[None, 1])
    assert np.array_equal(
        WorldEnv(SCENES[:2], threads=1).reset()[0]["policy"], env.reset(seed=0)[0]["policy"]
    )


# Errors, each one line


def wrong(**change: Any) -> WorldEnv:
    scenes: Sequence[Scene] = change.pop("scenes", SCENES[:2])
    return WorldEnv(scenes, threads=1, **change)


STILL = replace(
    SCENES[0],
    name="still",
    assets=(replace(SCENES[0].assets[0], parts=SCENES[0].assets[0].parts[:1], joints=()),),
)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"scenes": []}, r"^an environment needs at least one cousin; make some$"),
        ({"scenes": [STILL]}, r"^scene still: none of its joints moves; a task needs one that does$"),
        ({"num_envs": 0}, r"^num_envs is 0; at least 1$"),
        ({"task": "x"}, r"^no task 'x'; there are: open, close$"),
        ({"backend": "x"}, r"^no backend 'x'; there are: mujoco, warp$"),
        ({"render_mode": "human"}, r"^no render_mode 'human'; there are: rgb_array, None$"),
        ({"replicas": [0]}, r"^1 replicas for 2 environments; one each$"),
    ],
)
def test_what_makes_no_environment_is_said_in_one_line(change: dict[str, Any], line: str) -> None:
    with pytest.raises(PocketworldError, match=line):
        wrong(**change)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"joint": ["cab/x", None]}, r"^cousin test/0 has no joint 'cab/x'; it has \['cab/"),
        ({"joint": [None]}, r"^1 joints for 2 environments; one each, or None$"),
        ({"joints": [None]}, r"^reset has no option 'joints'; there are: joint, reset_mask$"),
        ({"reset_mask": [True]}, r"^reset_mask is bool of shape \(1,\); bool, \(2,\)$"),
        ({"reset_mask": [1, 0]}, r"^reset_mask is int64 of shape \(2,\); bool, \(2,\)$"),
    ],
)
def test_a_reset_that_makes_no_sense_is_said_in_one_line(options: dict[str, Any], line: str) -> None:
    env = wrong()
    with pytest.raises(PocketworldError, match=line):
        env.reset(options=options)
    with pytest.raises(PocketworldError, match=r"^1 seeds for 2 environments; one each, or one for all$"):
        env.reset(seed=[1])


def test_actions_that_make_no_sense_are_said_in_one_line() -> None:
    env = wrong()
    with pytest.raises(PocketworldError, match=r"^step before reset; call reset first$"):
        env.step(np.zeros((2, 4)))
    env.reset(seed=0)
    with pytest.raises(PocketworldError, match=r"^actions have shape \(2, 3\); give \(2, 4\)$"):
        env.step(np.zeros((2, 3)))
    with pytest.raises(
        PocketworldError, match=r"^actions of environments \[1\] are not finite; give numbers"
    ):
        env.step(np.array([[0.0] * 4, [0.0, np.nan, 0.0, 0.0]]))
    with pytest.raises(PocketworldError, match=r"^this environment draws nothing; make it with render_mode"):
        env.render()


def test_actions_beyond_one_count_as_one() -> None:
    ends = []
    for scale in (1.0, 5.0):
        env = wrong()
        env.reset(seed=0)
        env.step(np.full((2, 4), scale))
        ends.append(env.worlds.physics.qpos(0))
    assert np.array_equal(ends[0], ends[1])
