"""Steps a second: ours and bare mujoco.batch do the same physics, to the bit, or the figure says so."""

import json

import numpy as np
import pytest

from pocketworld.bench import sim
from pocketworld.bench.sim import Ratio
from pocketworld.bench.virtual_capture import pedestal
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.scene import Scene
from pocketworld.sim.environment import WorldEnv


def env(threads: int, count: int = 5, envs: int | None = None) -> WorldEnv:
    scenes = [Scene(f"s{i}", (build(pedestal(i), "pedestal"),)) for i in range(count)]
    return WorldEnv(scenes, envs, threads=threads, max_steps=12)


@pytest.mark.parametrize("threads", [1, 2])
def test_all_three_end_in_the_same_state(threads: int) -> None:
    """Episodes end after 12 steps, so that resets are replayed, too."""
    made = env(threads, envs=7)
    result = sim.measure(made, 30)
    made.close()
    assert result.same
    assert (result.envs, result.models, result.rounds, result.threads) == (7, 5, 6, threads)
    assert 1 < result.signatures <= 5
    assert min(result.ours, result.split, result.plain) > 0
    for ratio in (result.ratio, result.cpu_ratio):
        assert 0 < ratio.low <= ratio.median <= ratio.high


def test_different_work_is_called_different() -> None:
    made = env(1, count=2)
    actions, starts, log = sim.record(made, 10)
    assert len(actions) == len(log) == 10
    bare = sim.Bare(made.worlds.physics.models, [np.array([0]), np.array([1])], threads=1, pool=1)
    for put in starts:
        bare.put(put)
    for step in log:
        bare.step(made.worlds.substeps, step)
    made.reset(seed=sim.SEED)
    for action in actions:
        made.step(action)
    ends = sim.states(made)
    assert sim.same([ends, bare.states()])
    log[0].controls[0, 0] += 1e-3
    for put in starts:
        bare.put(put)
    for step in log:
        bare.step(made.worlds.substeps, step)
    assert not sim.same([ends, bare.states()])
    made.close()


def test_recording_leaves_the_environment_its_own_batches() -> None:
    made = env(1, count=2)
    own = made.worlds.physics
    sim.record(made, 10)
    assert made.worlds.physics is own
    made.close()


def test_too_few_steps_are_refused() -> None:
    made = env(1, count=1)
    with pytest.raises(PocketworldError, match="9 steps are too few to compare; give at least 10"):
        sim.measure(made, 9)
    made.close()


def test_the_interval_of_a_median_holds_it_95_times_in_100() -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    held = 0
    for _ in range(2000):
        ratio = Ratio.of(rng.lognormal(0, 0.2, 20))
        held += ratio.low <= 1 <= ratio.high
    assert 0.94 < held / 2000 < 0.98
    assert Ratio.of([3.0, 1.0, 2.0]) == Ratio(2.0, 1.0, 3.0)


def test_a_result_is_json_and_text() -> None:
    made = env(1, count=2)
    result = sim.measure(made, 10)
    made.close()
    data = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert data["same"] is True
    assert data["ratio"]["median"] == result.ratio.median
    text = result.text()
    for words in ("2 environments of 2 models", "WorldEnv", "the same to the bit", result.ratio.text()):
        assert words in text
