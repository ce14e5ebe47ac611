"""The backend warp on a GPU: as near to C MuJoCo as on the CPU, on torch's stream, fast. Run by `make gpu`.

Nothing here runs where there is no GPU. Each test is of what only a GPU has: streams, graphs, its memory, two
devices whose numbers must not be mixed, and the pace that the backend is there for.
"""

import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pocketworld import api
from pocketworld.bench.warp import COPIED, in_use, pace
from pocketworld.cousins.sequence import Cousins
from pocketworld.sim.arrays import to_numpy
from pocketworld.sim.backends import cores
from pocketworld.sim.expert import expert
from pocketworld.sim.physics import Group
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.tensor_env import TensorEnv
from pocketworld.sim.training import train
from pocketworld.sim.training.run_folder import RunFolder
from pocketworld.sim.training.settings import Settings
from pocketworld.sim.warp import physics, size
from pocketworld.sim.warp.accuracy import Rig
from pocketworld.sim.warp.compiled import compiled, copies
from pocketworld.sim.warp.physics import Warp

pytestmark = pytest.mark.gpu
DEVICE = "cuda:0"
COUNT = 16
MANY, STEPS = 4096, 20  # environments whose pace is measured, and steps of each
# What one step may be off C MuJoCo's (m, rad), median and 99 %: as on the CPU.
MOST = {"joints": (1e-7, 2e-6), "hand": (1e-7, 5e-6), "things": (2e-5, 5e-4)}
RATIO, PACE, SET_UP = 0.67, 1e6, 60.0  # different over copies; world steps a second; s
WAITS = 5  # in a step of an environment in which none ends: for actions, worlds gone wrong, who is done


@pytest.fixture(scope="module")
def env(warp_cousins: Cousins) -> Iterator[TensorEnv]:
    with closing(TensorEnv(warp_cousins, backend="warp", device=DEVICE)) as made:
        yield made


def idle(group: Group) -> None:
    """Neither write nor read."""


def closed(group: Group, rows: Any) -> None:
    group.qpos[rows] = group.start[rows]


def opened(env: TensorEnv, steps: int) -> int:
    """Return how many episodes succeed in some steps of the expert."""
    env.reset(seed=3)
    return sum(int(env.step(expert(env.worlds)).terminated.sum()) for _ in range(steps))


def test_one_step_is_c_mujocos(warp_cousins: Cousins) -> None:
    rig = Rig(warp_cousins, DEVICE)
    found = rig.errors(rig.run(160, 5))
    for group, (median, most) in MOST.items():
        assert found[group].median <= median, (group, found[group])
        assert found[group].most <= most, (group, found[group])
    alone, _ = rig.free(200)
    assert alone.max() <= 1e-5


def test_all_that_is_seen_is_on_the_device_and_as_on_the_cpu(warp_cousins: Cousins, env: TensorEnv) -> None:
    with closing(TensorEnv(warp_cousins, backend="warp", device="cpu")) as other:
        mine, its = env.reset(seed=3), other.reset(seed=3)
        for name, values in mine.items():
            assert values.device == env.device == torch.device(DEVICE)
            assert torch.allclose(values.cpu(), its[name], atol=1e-4), name
        assert abs(opened(env, 50) - opened(other, 50)) <= 2
    now = env.step(torch.zeros(COUNT, env.num_actions, device=DEVICE))
    of_step = (now.reward, now.terminated, now.truncated, now.unstable, now.progress, *now.last.values())
    assert all(values.device == env.device for values in of_step)


def test_the_face_for_numpy_takes_and_gives_numpys_arrays(warp_cousins: Cousins) -> None:
    with closing(api.make_env(warp_cousins, backend="warp", device=DEVICE)) as env:
        env.reset(seed=0)
        seen, reward, success, cut, info = env.step(to_numpy(expert(env.worlds)))
        assert all(isinstance(one, np.ndarray) for one in (*seen.values(), reward, success, cut))
        assert info["opened"].shape == (COUNT,)


def test_physics_runs_without_waiting_and_a_step_waits_a_few_times(env: TensorEnv) -> None:
    env.reset(seed=0)
    actions = torch.zeros(COUNT, env.num_actions, device=DEVICE)
    env.step(actions)  # all is recorded
    torch.cuda.set_sync_debug_mode("error")
    try:
        env.worlds.physics.advance(10)  # type: ignore[attr-defined]
        torch.cuda.set_sync_debug_mode("warn")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            now = env.step(actions)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert not now.done.any()
    assert len(told) <= WAITS, [str(one.message) for one in told]


def test_on_a_stream_of_torchs_own_it_does_the_same(warp_cousins: Cousins) -> None:
    """Physics is queued behind what is written to its tensors, on whatever stream that is."""

    def run() -> torch.Tensor:
        _, warp = physics.make(warp_cousins, COUNT, Hand(), DEVICE)
        warp.reset(np.arange(COUNT), closed, idle)
        for k in range(20):
            (group,) = warp.groups
            torch.cuda._sleep(1_000_000)  # type: ignore[no-untyped-call]  # what is written now comes late
            group.ctrl[:] = 0.01 * k
            warp.step(2, idle, idle)
        found: torch.Tensor = warp.groups[0].qpos.cpu()
        return found

    plain = run()
    with torch.cuda.stream(torch.cuda.Stream(DEVICE)):  # type: ignore[no-untyped-call]
        own = run()
    torch.cuda.synchronize()
    assert torch.allclose(plain, own, atol=1e-3)
    assert not torch.allclose(plain[:, -8:], torch.zeros(8), atol=1e-3)  # the hand has moved


def test_a_world_without_numbers_is_put_back_and_a_reset_touches_only_its_worlds(
    warp_cousins: Cousins,
) -> None:
    _, warp = physics.make(warp_cousins, COUNT, Hand(), DEVICE)
    (group,) = warp.groups
    warp.reset(np.arange(COUNT), closed, idle)
    group.qpos[4, 0] = float("nan")
    warp.step(3, idle, idle)
    assert warp.unstable().tolist() == [i == 4 for i in range(COUNT)]
    assert torch.isfinite(group.qpos).all()
    before = group.qpos.clone()
    warp.reset(np.array([2, 4]), closed, idle)
    others = [i for i in range(COUNT) if i not in (2, 4)]
    assert torch.equal(group.qpos[others], before[others])
    assert torch.equal(group.qpos[[2, 4]], group.start[[2, 4]])
    assert not warp.unstable().any()
    places = warp.data.geom_xpos.numpy()[:, warp.packed.static]
    assert np.allclose(places, warp.packed.places[:, warp.packed.static], atol=1e-6)


def test_what_worlds_take_is_what_was_reckoned(warp_cousins: Cousins) -> None:
    made, count = compiled(warp_cousins, COUNT, Hand()), 2048
    reckoned = size.measured(made.packed, made.room, DEVICE).of(count)
    before = in_use(DEVICE)
    warp = Warp(made, count, DEVICE)
    warp.reset(np.arange(count), closed, idle)
    warp.step(2, idle, idle)
    taken = in_use(DEVICE) - before
    warp.close()
    assert taken < 1.2 * reckoned + (1 << 28)  # kernels take some as they are loaded
    assert taken > 0.1 * reckoned


def test_pictures_are_those_of_the_cpu(warp_cousins: Cousins) -> None:
    eyes: dict[str, Any] = {"backend": "warp", "observation": "rgbd", "picture": (48, 32)}
    seen = []
    for device in ("cpu", DEVICE):
        with closing(TensorEnv(warp_cousins, device=device, **eyes)) as env:
            seen.append({name: values.cpu() for name, values in env.reset(seed=3).items()})
    near = (seen[0]["depth"] - seen[1]["depth"]).abs() < 0.01 * seen[0]["depth"] + 1e-3
    assert near.float().mean() > 0.99
    assert (seen[0]["rgb"].int() - seen[1]["rgb"].int()).abs().float().mean() < 3


def test_it_learns_goes_on_and_exports(warp_cousins: Cousins, tmp_path: Path) -> None:
    small = Settings(
        backend="warp", envs=32, steps=8, iterations=2, checkpoint_every=1, max_steps=8, hidden=(16,)
    )
    run = RunFolder(tmp_path / "run")
    run.begin(small, {})
    for until in (1, 2):
        settings = replace(small, iterations=until)
        train.learn(run, warp_cousins, settings, lambda _: None, device=DEVICE)
    assert [row.progress.iteration for row in run.rows(2)] == [1, 2]
    assert run.last == 2
    places = [train.Place("cousins", warp_cousins[:2], "warp")]
    (judged,), _ = train.judge(run, small, places, lambda _: None, device=DEVICE)
    assert judged.whole.of > 0


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one GPU at most")
def test_the_second_gpu_alone_is_used_where_it_is_asked_for(warp_cousins: Cousins) -> None:
    before = in_use(DEVICE)
    with closing(TensorEnv(warp_cousins, backend="warp", device="cuda:1")) as env:
        assert opened(env, 50) >= 0.7 * COUNT
        assert env.seen["policy"].device == torch.device("cuda:1")
    assert in_use(DEVICE) - before < 1 << 28


@pytest.mark.captures
def test_thousands_of_different_cousins_run_nearly_as_fast_as_copies(pedestal_world: Path) -> None:
    """The bars: none overflows (that is an error), a million steps a second, set up within a minute.

    Kernels are compiled before, as they are once for a form.
    """
    cousins = api.make_cousins(pedestal_world, count=MANY, workers=cores())
    begin = time.perf_counter()
    made = compiled(cousins, MANY, Hand())
    rows = time.perf_counter() - begin
    pace(made, MANY, DEVICE, 1)
    different = pace(made, MANY, DEVICE, STEPS)
    some = np.linspace(0, MANY - 1, COPIED, dtype=int).tolist()
    alike = [pace(copies(made, i), MANY, DEVICE, STEPS).steps_per_s for i in some]
    mean = len(alike) / sum(1 / one for one in alike)
    told = f"{different}, copies {mean:,.0f} steps/s, rows in {rows:.1f} s"
    assert rows + different.kernels_s < SET_UP, told
    assert different.steps_per_s >= PACE, told
    assert different.steps_per_s >= RATIO * mean, told
