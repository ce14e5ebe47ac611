"""Steps a second: ours and bare mujoco.batch do the same physics, to the bit, or the figure says so."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pocketworld.bench import replay, set_up, sim
from pocketworld.bench.ratio import Ratio
from pocketworld.bench.virtual_capture import pedestal
from pocketworld.cousins import spec
from pocketworld.cousins.sequence import make
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.scene import Scene
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.tasks import observation


def env(threads: int, count: int = 5, envs: int | None = None) -> WorldEnv:
    scenes = [Scene(f"s{i}", (build(pedestal(i), "pedestal"),)) for i in range(count)]
    return WorldEnv(scenes, envs, threads=threads, max_steps=12)


@pytest.mark.parametrize("threads", [1, 2])
def test_all_four_end_in_the_same_state(threads: int) -> None:
    """Episodes end after 12 steps, so that resets are replayed, too."""
    made = env(threads, envs=7)
    result = sim.measure(made, 30)
    made.close()
    assert result.same
    assert (result.envs, result.models, result.rounds, result.threads) == (7, 5, 6, threads)
    assert 1 < result.signatures <= 5
    assert min(result.ours, result.seen, result.split, result.plain) > 0
    ratios = (result.ratio, result.cpu_ratio, result.seen_ratio, result.cpu_seen_ratio, result.reset)
    for ratio in ratios:
        assert 0 < ratio.low <= ratio.median <= ratio.high
    assert 50 < result.peak < 20_000
    assert result.set_up is None


def test_what_is_seen_is_what_the_policy_sees() -> None:
    """What our environment showed: of the hand everywhere, of the handle where it asks for that joint."""
    made = env(2, count=3)
    actions, starts, log = replay.record(made, 10)
    seen = replay.Seen(made)
    for put in starts:
        seen.put(put)
    out, _ = made.reset(seed=replay.SEED)
    for t in range(10):
        out, *_ = made.step(actions[t])
        seen.step(made.worlds.substeps, log[t])
    first = [cousin.targets[0].id for cousin in made.worlds.cousins]
    asked = np.flatnonzero(made.worlds.joints == first)
    told = [i for i, name in enumerate(observation.POLICY) if name.startswith(("target", "fingers_asked"))]
    handle = [i for i, name in enumerate(observation.POLICY) if name.startswith("handle")]
    there, here = np.delete(out["policy"], told, 1), np.delete(seen.seen, told, 1)
    assert len(asked)
    assert np.array_equal(here[asked], there[asked])
    assert np.array_equal(np.delete(seen.seen, told + handle, 1), np.delete(out["policy"], told + handle, 1))
    assert np.isfinite(seen.seen).all()
    seen.close()
    made.close()


def test_the_stages_of_a_set_up_are_measured() -> None:
    twin = Scene("s", (build(pedestal(0), "pedestal"),))
    cousins = make(twin, spec.preset("near"), count=8)
    found, built = set_up.measure(cousins), set_up.measure([twin, twin])
    assert (found.cousins, built.cousins) == (8, 2)
    for stage in (found.build, found.write, found.compile, found.targets, found.whole):
        assert 0 < stage.low <= stage.median <= stage.high
    parts = found.build.low + found.write.low + found.compile.low + found.targets.low
    assert (
        parts
        <= found.whole.median
        <= found.build.high + found.write.high + found.compile.high + found.targets.high
    )
    assert built.build.median < 0.2 * found.build.median
    assert found.whole.text() in found.text()


def test_different_work_is_called_different() -> None:
    made = env(1, count=2)
    actions, starts, log = replay.record(made, 10)
    assert len(actions) == len(log) == 10
    bare = replay.Bare(made.worlds.physics.models, [np.array([0]), np.array([1])], threads=1, pool=1)
    for put in starts:
        bare.put(put)
    for step in log:
        bare.step(made.worlds.substeps, step)
    made.reset(seed=replay.SEED)
    for action in actions:
        made.step(action)
    ends = replay.states(made)
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
    replay.record(made, 10)
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
    assert data["set_up"] is None
    twin = Scene("s", (build(pedestal(0), "pedestal"),))
    whole = replace(result, set_up=set_up.measure([twin]))
    assert whole.to_json()["set_up"]["cousins"] == 1
    assert "ms of CPU time" in whole.text()
    text = result.text()
    for words in ("2 environments of 2 models", "WorldEnv", "the same to the bit", result.ratio.text()):
        assert words in text
