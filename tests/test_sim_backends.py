"""What every backend must do, on each: the same tasks, seen alike, with the same laws."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pocketworld.cousins.sequence import Cousins
from pocketworld.errors import PocketworldError
from pocketworld.rng import stream
from pocketworld.sim.arrays import to_numpy
from pocketworld.sim.backends import BACKENDS
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.tasks.reward import EFFORT, TIME, potential
from pocketworld.sim.tensor_env import TensorEnv

COUNT = 16
Make = Callable[..., WorldEnv]


@pytest.fixture(scope="module")
def environments(warp_cousins: Cousins) -> Make:
    """Makes environments of 16 cousins on a backend, once each: kernels are loaded once."""
    return cache(lambda backend: WorldEnv(warp_cousins[:COUNT], backend=backend, max_steps=120))


@pytest.fixture(params=BACKENDS)
def env(request: pytest.FixtureRequest, environments: Make) -> WorldEnv:
    made = environments(request.param)
    made.reset(seed=0)
    return made


def test_all_begins_where_it_is_said(env: WorldEnv) -> None:
    seen, info = env.reset(seed=5)
    assert seen in env.observation_space
    assert info["opened"] == pytest.approx(np.zeros(COUNT), abs=1e-6)
    assert env.progress == pytest.approx(np.zeros(COUNT), abs=1e-6)
    for i in range(COUNT):
        model = env.worlds.cousins[i].model
        assert len(env.worlds.physics.qpos(i)) <= model.nq


def test_both_see_the_same_at_first(environments: Make) -> None:
    """Up to single precision; what is drawn is the very same."""
    seen = [environments(backend).reset(seed=3) for backend in BACKENDS]
    for name in ("policy", "privileged"):
        assert seen[1][0][name] == pytest.approx(seen[0][0][name], abs=2e-4)
    assert seen[0][1]["joint"].tolist() == seen[1][1]["joint"].tolist()
    assert seen[0][1]["cousin"].tolist() == seen[1][1]["cousin"].tolist()


def test_both_give_joints_in_the_order_of_the_scenes_mjcf(environments: Make) -> None:
    ends = []
    for backend in BACKENDS:
        env = environments(backend)
        env.reset(seed=3)
        for t in range(4):
            env.step(stream(t, "some").uniform(-1, 1, (COUNT, 4)))
        ends.append([env.worlds.physics.qpos(i) for i in range(COUNT)])
    for ours, theirs in zip(*ends, strict=True):
        assert theirs == pytest.approx(ours, abs=5e-3)


def test_rewards_are_differences_of_the_potential(env: WorldEnv) -> None:
    worlds = env.worlds
    start, total = to_numpy(potential(worlds.senses, worlds.facts, worlds.progress)), np.zeros(COUNT)
    for t in range(8):
        action = stream(t, "action").uniform(-1, 1, (COUNT, 4))
        _, reward, ended, _, _ = env.step(action)
        assert not ended.any()
        total += reward + TIME + EFFORT * (action**2).sum(1)
    end = to_numpy(potential(worlds.senses, worlds.facts, worlds.progress))
    assert total == pytest.approx(end - start, abs=1e-4)


def test_the_expert_opens_the_same_on_both(environments: Make) -> None:
    won = []
    for backend in BACKENDS:
        env = environments(backend)
        env.reset(seed=1)
        opened, live = np.zeros(COUNT, bool), np.ones(COUNT, bool)
        for _ in range(env.max_steps):
            _, _, success, cut, _ = env.step(to_numpy(expert(env.worlds)))
            opened |= success & live
            live &= ~(success | cut)
        won.append(opened)
    assert won[0].sum() >= COUNT - 2
    assert (won[0] == won[1]).mean() >= 0.9


def test_only_those_that_are_asked_for_start_anew(env: WorldEnv) -> None:
    for t in range(3):
        env.step(stream(t, "action").uniform(-1, 1, (COUNT, 4)))
    before = [env.worlds.physics.qpos(i) for i in range(COUNT)]
    mask = np.arange(COUNT) % 3 == 0
    env.reset(options={"reset_mask": mask})
    same = [np.array_equal(before[i], env.worlds.physics.qpos(i)) for i in range(COUNT)]
    assert same == (~mask).tolist()
    assert to_numpy(env.worlds.steps).tolist() == np.where(mask, 0, 3).tolist()


def poison(env: WorldEnv, i: int) -> None:
    """Let the first joint of environment i move at no number."""
    for group in env.worlds.physics.groups:
        group.qvel[np.flatnonzero(to_numpy(group.ids) == i), 0] = np.nan


def test_an_environment_that_blows_up_is_named_and_no_other_notices(
    environments: Make, env: WorldEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it is
    runs: list[Any] = []
    for broken in (False, True):
        env.reset(seed=7)
        for t in range(3):
            if broken and t == 1:
                poison(env, 4)
            *_, cut, info = out = env.step(np.zeros((COUNT, 4)))
            assert info["unstable"].tolist() == [broken and t == 1 and i == 4 for i in range(COUNT)]
            assert bool(cut[4]) is (broken and t == 1)
            assert all(np.isfinite(values).all() for values in out[0].values())
        runs.append([env.worlds.physics.qpos(i) for i in range(COUNT) if i != 4])
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))


def test_wrong_actions_are_one_line(env: WorldEnv) -> None:
    with pytest.raises(PocketworldError, match=rf"^actions have shape \({COUNT}, 3\); give \({COUNT}, 4\)$"):
        env.step(np.zeros((COUNT, 3)))
    with pytest.raises(PocketworldError, match=r"^actions of environments \[2\] are not finite; give"):
        env.step(np.where(np.arange(COUNT)[:, None] == 2, np.nan, np.zeros((COUNT, 4))))


def test_tensors_stay_where_the_physics_is(warp_cousins: Cousins) -> None:
    env = TensorEnv(warp_cousins[:COUNT], backend="warp", device="cpu", max_steps=3)
    seen = env.reset(seed=0)
    group = env.worlds.physics.groups[0]
    assert seen["policy"].device == group.qpos.device == env.device
    assert env.worlds.arrays.on_torch
    env.close()
