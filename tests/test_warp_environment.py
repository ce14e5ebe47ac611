"""Environments on the backend warp: the task and episodes of C MuJoCo's; what fits; what is told of it.

The expert's run takes some seconds and stays in `make test`: it is what shows that both backends are one.
"""

import json
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

pytest.importorskip("mujoco_warp")

from pocketworld import api
from pocketworld.bench import doctor
from pocketworld.bench.machine import machine
from pocketworld.bench.warp import Pace, WarpFigures, accuracy, pace
from pocketworld.cli.main import main
from pocketworld.cousins.sequence import Cousins
from pocketworld.errors import PocketworldError
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.warp import library, size
from pocketworld.sim.warp.physics import Warp

STEPS = 50  # of an environment: the expert has opened most by then
Pair = tuple[WorldEnv, WorldEnv]


@pytest.fixture(scope="module")
def pair(warp_cousins: Cousins) -> Iterator[Pair]:
    """The same environments on C MuJoCo and on Warp's CPU device."""
    with (
        closing(api.make_env(warp_cousins, threads=1)) as one,
        closing(api.make_env(warp_cousins, backend="warp", device="cpu")) as other,
    ):
        yield one, other


def run(env: WorldEnv, steps: int = STEPS) -> tuple[NDArray[np.float64], int]:
    """Return what is seen (steps, n, k) while the expert opens, and how many succeed."""
    seen, wins = [env.reset(seed=3)[0]["policy"]], 0
    for _ in range(steps):
        observed, _, success, _, _ = env.step(np.asarray(expert(env.worlds)))
        seen.append(observed["policy"])
        wins += int(success.sum())
    return np.array(seen), wins


def test_episodes_begin_alike_and_the_expert_opens_on_both(pair: Pair) -> None:
    (mine, opened), (its, others) = (run(env) for env in pair)
    assert np.abs(mine[0] - its[0]).max() < 1e-5  # float32 of the same draws
    assert np.abs(mine[10] - its[10]).max() < 1e-2  # the way to the handle
    assert opened >= 0.7 * len(mine[0])
    assert abs(opened - others) <= 2


def test_the_same_seed_gives_the_same_bits(pair: Pair) -> None:
    _, env = pair
    first, again = run(env, 8), run(env, 8)
    assert np.array_equal(first[0], again[0])
    assert first[1] == again[1]


def test_layouts_are_mixed_in_one_group(pair: Pair) -> None:
    mine, its = (env.worlds.physics for env in pair)
    assert len(mine.groups) > 1
    assert len(its.groups) == 1
    assert isinstance(its, Warp)


def test_more_environments_than_memory_are_refused_before_any_is_made(warp_cousins: Cousins) -> None:
    with pytest.raises(PocketworldError, match=r"10000000 environments need about .* GiB free.*at most \d+"):
        api.make_env(warp_cousins[:2], num_envs=10_000_000, backend="warp", device="cpu")


def test_a_world_takes_as_many_bytes_as_its_arrays(warp_cousins: Cousins) -> None:
    each, most, device = size.fitting(warp_cousins)
    assert 10_000 < each < 10_000_000
    assert device in ("cpu", "cuda:0")
    assert most is None or most > 1


def test_what_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name=name)

    monkeypatch.setattr(library, "import_module", absent)
    library.library.cache_clear()
    with pytest.raises(PocketworldError, match=r"warp is not installed.*pip install 'pocketworld\[warp\]'"):
        library.library()
    assert not next(check for check in doctor.examine() if check.name == "backend warp").ok
    monkeypatch.undo()
    library.library.cache_clear()
    assert library.library().mjw is not None


def test_doctor_names_the_gpu_and_where_kernels_are_kept() -> None:
    result = CliRunner().invoke(main, ["--json", "doctor"])
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert "GPU" in checks
    assert "compiled kernels in" in checks["backend warp"]["seen"]


def test_doctor_says_how_many_fit(warp_cousins: Cousins) -> None:
    found = next(check for check in doctor.examine(warp_cousins[:2]) if "environments" in check.name)
    assert found.ok
    assert "MB each" in found.seen


@pytest.mark.slow
def test_figures_say_what_they_are_of(warp_cousins: Cousins) -> None:
    different, warp = pace(warp_cousins, len(warp_cousins), "cpu", 2)
    assert different.steps_per_s > 0
    near = accuracy(warp_cousins, "cpu")
    assert near.layouts > 1
    assert all(max(max(pair) for pair in by.values()) > 10 for by in near.controls.values())
    figures = WarpFigures(
        16, "cpu", 3, 9, different, Pace(2 * different.steps_per_s, 1.0, 0), near, machine()
    )
    assert figures.ratio == pytest.approx(0.5)
    assert "16 different" in figures.text()
    assert "99 %" in figures.text()
    assert json.dumps(figures.to_json())
    assert warp.models[0].njnt > 3
