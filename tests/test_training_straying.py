"""Policies act with the deviation that they learnt with, by each episode's own chance, so that it replays."""

import json
import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.scene import HandleKind, Scene, Side
from pocketworld.sim import backends
from pocketworld.sim.policy import begin
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.training.evaluate import evaluate
from pocketworld.sim.training.export import export
from pocketworld.sim.training.policy import SPEC, cut, deviation_of, greedy, learnt, load, load_mean, straying
from pocketworld.sim.training.ppo import Counted, Learner
from pocketworld.sim.training.settings import Settings
from pocketworld.sim.worlds import Worlds

SETTINGS = Settings(envs=4, steps=8, iterations=3, checkpoint_every=3, hidden=(16,), max_steps=20)
STRAY = np.array([0.1, 0.2, 0.3, 0.0])


def drawer(width: float) -> Scene:
    front = Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR))
    return Scene(f"drawer {width}", (build(Cabinet(width, 0.45, 0.4, front), "cab"),))


def still(worlds: Worlds) -> NDArray[np.float64]:
    return np.zeros((worlds.num_envs, 4))


def told(worlds: Worlds, steps: int, seed: int = 5) -> NDArray[np.float64]:
    """Return what a still policy that strays does in some steps (steps, n, 4)."""
    begin(worlds, seed)
    policy, out = straying(still, STRAY), []
    for _ in range(steps):
        out.append(np.array(policy(worlds)))
        worlds.advance(out[-1])
    return np.array(out)


@pytest.fixture
def three() -> Iterator[Worlds]:
    with closing(backends.worlds([drawer(width) for width in (0.4, 0.5, 0.6)], threads=1)) as worlds:
        yield worlds


@pytest.fixture(scope="module")
def learner() -> Iterator[Learner]:
    with closing(Counted([drawer(0.5)], 4, threads=1, max_steps=20)) as env:
        yield Learner(env, SETTINGS)


@pytest.fixture(scope="module")
def exported(learner: Learner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    export(learner.actor, Hand(), folder, {"task": "open"})
    return folder


# By whose chance


def test_it_strays_as_far_as_is_told_each_way_by_itself(three: Worlds) -> None:
    acted = told(three, 150).reshape(-1, 4)
    assert acted.std(0)[:3] == pytest.approx(STRAY[:3], rel=0.12)
    assert (acted[:, 3] == 0).all()
    assert np.abs(acted.mean(0)).max() < 0.05
    assert np.abs(np.corrcoef(acted[:, :3].T) - np.eye(3)).max() < 0.15
    assert np.abs(np.corrcoef(acted[:-3, 0], acted[3:, 0])[0, 1]) < 0.15  # a step knows nothing of the last


def test_an_environment_strays_alone_as_among_others(three: Worlds) -> None:
    among = told(three, 5)
    with closing(backends.worlds([drawer(0.6)], threads=1)) as alone:
        assert np.array_equal(told(alone, 5)[:, 0], among[:, 2])
    with closing(backends.worlds([drawer(width) for width in (0.6, 0.4)], threads=1)) as other_order:
        assert np.array_equal(told(other_order, 5), among[:, [2, 0]])


def test_replicas_episodes_steps_and_seeds_stray_each_in_their_own_way(three: Worlds) -> None:
    one = told(three, 3)
    assert np.array_equal(told(three, 3), one)
    policy = straying(still, STRAY)
    three.start(np.arange(3))
    three.steps[:] = 0
    second = np.array(policy(three))
    with closing(backends.worlds([drawer(0.4)] * 2, threads=1)) as twins:
        replicas = told(twins, 1)[0]
    rows = [*one.reshape(-1, 4), *second, *told(three, 1, seed=6)[0], replicas[1]]
    assert len({row.tobytes() for row in rows}) == len(rows)


def test_actions_are_cut_only_after_they_have_strayed(three: Worlds) -> None:
    begin(three, 0)

    def beyond(worlds: Worlds) -> Any:
        return np.full((worlds.num_envs, 4), 5.0)

    assert (straying(beyond, STRAY)(three) == 1).all()  # cut first, half of them would be below 1
    assert (cut(beyond)(three) == 1).all()
    assert np.array_equal(cut(still)(three), still(three))
    assert np.array_equal(straying(still, np.zeros(4))(three), still(three))


# What is exported


def test_what_is_exported_acts_as_what_learnt(learner: Learner, exported: Path, three: Worlds) -> None:
    begin(three, 0)
    ours, theirs = learnt(learner.actor), load(exported)
    mean, network = load_mean(exported), greedy(learner.actor)
    for _ in range(3):
        action = ours(three)
        assert theirs(three) == pytest.approx(action, abs=1e-5)
        assert mean(three) == pytest.approx(np.clip(network(three), -1, 1), abs=1e-5)
        assert np.abs(action - mean(three)).max() > 0.1
        three.advance(three.checked(action))


def test_its_spec_says_how_far_it_strays(learner: Learner, exported: Path) -> None:
    spec = json.loads((exported / SPEC).read_text())
    assert spec["deviation"] == pytest.approx(deviation_of(learner.actor).tolist(), abs=1e-6)
    assert spec["deviation"] == pytest.approx([SETTINGS.deviation] * 4)
    assert "noise" in spec["meaning"]["deviation"]


@pytest.mark.parametrize(
    "deviation", [None, [], [0.1] * 3, [0.1, 0.1, 0.1, -0.1], ["a"] * 4, [True] * 4, 0.1, [math.nan] * 4]
)
def test_a_deviation_that_is_none_is_one_line(exported: Path, tmp_path: Path, deviation: object) -> None:
    for file in exported.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    spec = json.loads((tmp_path / SPEC).read_text()) | {"deviation": deviation}
    (tmp_path / SPEC).write_text(json.dumps(spec))
    with pytest.raises(
        PocketworldError, match=r"policy.json: deviation is .*, not 4 numbers from 0 on; train again$"
    ):
        load(tmp_path)
    load_mean(tmp_path)


def test_an_evaluation_of_what_strays_is_the_same_each_time(exported: Path) -> None:
    scenes = [drawer(0.4), drawer(0.5)]
    one, again = (evaluate(load(exported), scenes, SETTINGS, "x", threads=1) for _ in range(2))
    assert one == again
    with closing(backends.worlds(scenes, threads=1)) as worlds:
        begin(worlds, 0)
        assert not np.array_equal(load(exported)(worlds), load_mean(exported)(worlds))


# How the deviation falls


def deviations(settings: Settings, iterations: int, *, succeed: bool = True) -> list[float]:
    """Return the deviation after each iteration, in which all episodes succeed or none does."""
    with closing(Counted([drawer(0.5)], settings.envs, threads=1, max_steps=settings.max_steps)) as env:
        learner = Learner(env, settings)
        with torch.no_grad():  # it does not learn: only what falls by itself is seen
            for group in learner.runner.alg.optimizer.param_groups:
                group["lr"] = 0.0
        learner.runner.alg.schedule = "fixed"
        learner.runner.alg.learning_rate = 0.0
        out = []
        for _ in zip(range(iterations), learner.leg(0), strict=False):
            out += [float(deviation_of(learner.actor).mean())]
            if succeed:
                env.success.won += env.success.came
        assert env.success.share is not None
        assert (env.success.share >= settings.steady) is succeed
        return out


def test_it_falls_while_episodes_succeed_and_not_while_they_fail() -> None:
    calm = replace(SETTINGS, iterations=4, checkpoint_every=4, settling=0.1, least=0.4)
    first, *after = deviations(calm, 4)
    assert first == pytest.approx(0.6)  # none has ended yet
    assert after == pytest.approx([0.54, 0.486, 0.4374])
    assert deviations(calm, 4, succeed=False) == pytest.approx([0.6] * 4)
    assert deviations(replace(calm, settling=0.0), 4) == pytest.approx([0.6] * 4)


def test_it_falls_no_further_than_asked() -> None:
    calm = replace(SETTINGS, iterations=4, checkpoint_every=4, settling=0.5, least=0.4)
    assert deviations(calm, 4)[1:] == pytest.approx([0.4] * 3)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"steady": 0.0}, "steady is 0.0; above 0, at most 1"),
        ({"settling": 1.0}, "settling is 1.0; from 0 to below 1"),
        ({"settling": math.nan}, "settling is nan"),
        ({"least": 0.7}, "least is 0.7; at most deviation, 0.6"),
        ({"least": 0.0}, "least is 0.0; above 0"),
    ],
)
def test_settings_that_make_no_sense_are_one_line(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(PocketworldError, match=f"^{told}"):
        replace(SETTINGS, **wrong)
