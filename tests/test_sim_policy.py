"""One episode everywhere: each as it would be alone, and nothing of it once it has ended."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, Scene, Side
from pocketworld.sim import backends, trial
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.film import film
from pocketworld.sim.policy import begin, finish
from pocketworld.sim.worlds import RATE, Outcome, Worlds


def chest(number: int) -> Scene:
    fronts = (
        Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR)),
        Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.KNOB, 0.9, 0.5)),
    )
    asset = build(Cabinet(0.5 + 0.05 * number, 0.45, 0.7, Split(True, (1.0, 1.5), fronts)), "chest")
    return Scene(f"s{number}", (asset,), provenance={"cousin": f"test/{number}"})


SCENES = [chest(number) for number in range(3)]
JOINTS = [f"chest/{joint.id}" for joint in SCENES[0].assets[0].movable]
LIMIT = 150


def opened(scenes: list[Scene] = SCENES, **options: object) -> Worlds:
    return backends.worlds(scenes, threads=1, max_steps=LIMIT, **options)  # type: ignore[arg-type]


def lazy(worlds: Worlds) -> NDArray[np.float64]:
    """The expert, but in environment 1."""
    return np.asarray(expert(worlds) * (np.arange(worlds.num_envs) != 1)[:, None])


def played(worlds: Worlds, seed: int = 3) -> list[tuple[NDArray[np.bool_], Outcome]]:
    begin(worlds, seed)
    return list(finish(worlds, lazy if worlds.num_envs > 1 else expert))


def columns(steps: list[tuple[NDArray[np.bool_], Outcome]]) -> dict[str, NDArray[np.float64]]:
    names = ("reward", "success", "truncated", "unstable", "done")
    out = {name: np.array([getattr(came, name) for _, came in steps], float) for name in names}
    return out | {"live": np.array([live for live, _ in steps], float)}


# Laws


def test_each_has_one_episode_and_nothing_after_it() -> None:
    with_lazy = opened()
    seen = columns(played(with_lazy))
    ends = seen["live"].sum(0)
    assert (seen["done"].sum(0) == 1).all()
    assert (seen["live"] == (np.arange(len(seen["live"]))[:, None] < ends)).all()
    assert (seen["reward"][seen["live"] == 0] == 0).all()
    assert (seen["reward"][seen["live"] == 1] != 0).all()
    assert seen["success"].sum(0).tolist() == [1, 0, 1]
    assert seen["truncated"].sum(0).tolist() == [0, 1, 0]
    assert ends[1] == LIMIT == len(seen["live"]), "it runs until the last has ended"
    assert max(ends[0], ends[2]) < LIMIT
    with_lazy.close()


def test_an_episode_is_the_same_alone() -> None:
    together, alone = opened(), opened(SCENES[2:])
    whole, single = columns(played(together)), columns(played(alone))
    for name, values in single.items():
        assert np.array_equal(whole[name][: len(values), 2:], values), name
        assert not whole[name][len(values) :, 2].any(), name
    together.close()
    alone.close()


def test_it_is_the_first_episode_of_an_environment() -> None:
    """The same as gymnasium's face gives for the seed, reset after reset."""
    core, env = opened(), WorldEnv(SCENES, threads=1, max_steps=LIMIT)
    for seed in (0, 7):
        seen = columns(played(core, seed))
        env.reset(seed=seed)
        live = np.ones(3, bool)
        for t in range(len(seen["live"])):
            _, reward, success, cut, _ = env.step(lazy(env.worlds))
            assert np.array_equal(seen["reward"][t], reward * live)
            live &= ~(success | cut)
        assert not live.any()
    core.close()
    env.close()


@pytest.mark.parametrize("joint", JOINTS)
def test_joints_can_be_asked_for(joint: str) -> None:
    core = opened()
    begin(core, 0, joint)
    assert core.joints.tolist() == [joint] * 3
    begin(core, 0, [None, joint, None])
    assert core.joints[1] == joint
    core.close()


# Examples


class Breaking:
    """The expert, under which environment `which` blows up at a step."""

    def __init__(self, which: int, step: int) -> None:
        self.which, self.step, self.steps = which, step, 0

    def __call__(self, worlds: Worlds) -> NDArray[np.float64]:
        if self.steps == self.step:
            for group in worlds.physics.groups:
                for row in np.flatnonzero(np.asarray(group.ids) == self.which):
                    group.qvel[row, 0] = np.nan
        self.steps += 1
        return np.asarray(expert(worlds))


def test_what_blows_up_ends_there_is_counted_once_and_no_other_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it is
    core = opened()
    begin(core, 3)
    calm = columns(list(finish(core, expert)))
    begin(core, 3)
    hurt = columns(list(finish(core, Breaking(1, 5))))
    assert hurt["unstable"].sum(0).tolist() == [0, 1, 0]
    assert hurt["truncated"].sum(0).tolist() == [0, 1, 0]
    assert hurt["live"].sum(0)[1] == 6
    for name, values in hurt.items():
        assert np.array_equal(values[:, [0, 2]], calm[name][: len(values), [0, 2]]), name
    core.close()


def test_a_trial_counts_what_blew_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = WorldEnv(SCENES, threads=1, max_steps=60)
    done = trial.run(env, Breaking(2, 3), joints=[JOINTS[0]] * 3)
    assert (done.unstable, done.failed) == (1, (f"test/2 {JOINTS[0]}",))
    env.close()


@pytest.mark.slow  # pictures
def test_a_film_counts_what_blew_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = WorldEnv(SCENES, threads=1, max_steps=8, render_mode="rgb_array")
    won, wild, steps = film(env, Breaking(2, 3), tmp_path / "film.mp4", joints=[JOINTS[0]] * 3)
    assert not won.any()
    assert wild.tolist() == [False, False, True]
    assert steps == 8
    env.close()


def test_an_environment_goes_on_after_a_trial() -> None:
    """What a trial leaves is no one's episode: a reset begins anew, as ever."""
    env, other = (WorldEnv(SCENES, threads=1, max_steps=40) for _ in range(2))
    trial.run(env)
    for one in (env, other):
        one.reset(seed=5)
    for t in range(45):
        actions = stream(t, "after").uniform(-1, 1, (3, 4))
        a, b = env.step(actions), other.step(actions)
        assert np.array_equal(a[0]["policy"], b[0]["policy"])
        assert np.array_equal(a[1], b[1])
    env.close()
    other.close()


# Steps a second


def test_a_step_lasts_as_long_as_its_physics() -> None:
    core = opened()
    lasts = core.substeps * core.cousins[0].model.opt.timestep
    assert lasts * RATE == pytest.approx(1, rel=1e-12)
    assert WorldEnv.metadata["render_fps"] == RATE
    core.close()
