"""Trials: each environment is asked once, and what is said of it is what happened."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.scene import HandleKind, Scene, Side
from pocketworld.sim import trial
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.trial import Trial
from pocketworld.sim.worlds import Worlds


def scene(number: int) -> Scene:
    fronts = (
        Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR)),
        Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.KNOB, 0.9, 0.5)),
    )
    asset = build(Cabinet(0.5 + 0.05 * number, 0.45, 0.7, Split(True, (1.0, 1.5), fronts)), "chest")
    return Scene(f"s{number}", (asset,), provenance={"cousin": f"test/{number}"})


SCENES = [scene(0), scene(1)]
JOINTS = [f"chest/{joint.id}" for joint in SCENES[0].assets[0].movable]


class Counting:
    """A policy that says how often it was asked."""

    def __init__(self, still: bool = False) -> None:
        self.steps, self.still = 0, still

    def __call__(self, worlds: Worlds) -> NDArray[np.float64]:
        self.steps += 1
        return np.zeros((worlds.num_envs, 4)) if self.still else expert(worlds)


def test_a_run_asks_each_environment_once() -> None:
    env, policy = WorldEnv(SCENES, threads=1), Counting()
    done = trial.run(env, policy, joints=JOINTS)
    env.close()
    assert done.asked == (f"test/0 {JOINTS[0]}", f"test/1 {JOINTS[1]}")
    assert (done.failed, done.unstable, done.share) == ((), 0, 1.0)
    assert 20 < policy.steps < env.max_steps


def test_what_stays_shut_is_named() -> None:
    env = WorldEnv(SCENES, threads=1, max_steps=4)
    done = trial.run(env, Counting(still=True), joints=JOINTS)
    env.close()
    assert done.failed == done.asked
    assert done.share == 0
    assert done.text() == f"the expert opened 0 of 2 (different worlds: 2); not: {', '.join(done.failed)}"


def test_a_film_counts_the_steps_it_took(tmp_path: Path) -> None:
    """Ended long before max_steps, the rate is of the steps that were made."""
    env = WorldEnv(SCENES, threads=1, render_mode="rgb_array", max_steps=150)
    policy, start = Counting(), time.perf_counter()
    done = trial.filmed(env, tmp_path / "film.mp4", policy, seed=2)
    took = time.perf_counter() - start
    env.close()
    assert len(done.asked) == 2
    assert done.failed == ()
    assert (tmp_path / "film.mp4").stat().st_size > 1000
    assert policy.steps < env.max_steps
    assert done.rate == pytest.approx(policy.steps * 2 / took, rel=0.02)


def test_a_film_and_a_run_are_the_same_trial(tmp_path: Path) -> None:
    ends = []
    for mode in (None, "rgb_array"):
        env = WorldEnv(SCENES, threads=1, render_mode=mode, max_steps=60)
        file = tmp_path / "film.mp4"
        done = trial.filmed(env, file, seed=5) if mode else trial.run(env, seed=5)
        env.close()
        ends.append((done.asked, done.failed, done.unstable))
    assert ends[0] == ends[1]


def test_each_joint_of_each_scene_is_asked_for_once() -> None:
    done = trial.open_each(SCENES, threads=1)
    assert done.asked == tuple(f"test/{i} {joint}" for i in range(2) for joint in JOINTS)
    assert done.failed == ()
    assert done.rate > 0


def test_a_trial_is_a_line_and_json() -> None:
    names = tuple(f"c/{i} a/j" for i in range(6))
    done = Trial(names, names[1:], 1, 50.0)
    some = "c/1 a/j, c/2 a/j, c/3 a/j, c/4 a/j ..."
    assert done.text() == f"the expert opened 1 of 6 (different worlds: 6); not: {some}"
    assert Trial(names, (), 0, 50.0).text() == "the expert opened 6 of 6 (different worlds: 6)"
    data = json.loads(json.dumps(done.to_json()))
    assert data["share"] == pytest.approx(1 / 6)
    assert (data["asked"], data["failed"]) == (list(names), list(names[1:]))
    assert (data["unstable"], data["rate"]) == (1, 50.0)
