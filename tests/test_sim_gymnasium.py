"""The batched environment as gymnasium has it: its spaces, its ends of episodes, its errors in one line."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.rng import stream
from pocketworld.scene import Pose, Scene
from pocketworld.sim.cousin import FACTS
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.tasks.observation import POLICY, PRIVILEGED


def drawn(number: int) -> Scene:
    asset = build(sample(lambda name: stream(number, "environment", name), Site((2.0, 0.9, 2.4))), "cab")
    pose = Pose.upright((0.5, -1.0, 0.0), float(stream(number, "yaw").uniform(-3, 3)))
    return Scene(f"drawn {number}", (replace(asset, pose=pose),), provenance={"cousin": f"test/{number}"})


SCENES = [scene for scene in map(drawn, range(12)) if scene.assets[0].movable][:10]


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
