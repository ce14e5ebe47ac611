"""Batches of different models: one law above all, that company changes nothing."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import mujoco
import numpy as np
import pytest
from mujoco.batch import Batch
from numpy.typing import NDArray

from pocketworld.bench.virtual_capture import pedestal
from pocketworld.cousins import spec
from pocketworld.cousins.sequence import make
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.rng import stream
from pocketworld.scene import Scene
from pocketworld.sim import memory
from pocketworld.sim.batch import Batches, divide, signature
from pocketworld.sim.compiling.processes import compile_all
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.models import mjcf
from pocketworld.sim.physics import Group, Ids
from pocketworld.sim.robots.hand import hand

Array = NDArray[np.float64]
COUNT = 14
PUSH = 0.4  # m/s, rad/s: at rest, wrong friction and axes would not show


@pytest.fixture(scope="module")
def models() -> list[mujoco.MjModel]:
    """Different cabinets, some of one signature: those that stand twice differ in mass and friction."""
    out = []
    for number in range(COUNT):
        asset = build(sample(partial(stream, number // 2, "batch"), Site((2.0, 0.9, 2.4))), "cab")
        model = mjcf.document(Scene("s", (asset,)), visual=False, extra=hand()).compile()
        model.dof_frictionloss[: model.nv - 8] *= 1 + number % 2
        out.append(model)
    return out


def controls(step: int, nu: int, i: int) -> Array:
    return stream(7, "control", i, step).uniform(-0.5, 0.5, nu)


def begins_anew(step: int, i: int) -> bool:
    """Say whether an environment is put back after a step: each at its own times."""
    return (step + i) % 5 == 4


def run(models: Sequence[mujoco.MjModel], names: Sequence[int], threads: int, steps: int = 12) -> list[Array]:
    """Return each environment's states after each step; names tell which controls are whose.

    Some are put back after each step.
    """
    batches = Batches(models, threads)
    seen: list[list[Array]] = [[] for _ in models]

    def before(group: Group) -> None:
        for row, i in enumerate(group.ids):
            group.ctrl[row] = controls(len(seen[i]), group.ctrl.shape[1], names[i])

    def after(group: Group) -> None:
        for row, i in enumerate(group.ids):
            seen[i].append(np.concatenate([group.qpos[row], group.qvel[row], group.site_xpos[row].ravel()]))

    def write(group: Group, rows: Ids) -> None:
        for row in rows:
            group.qpos[row] = group.start[row]
            group.qvel[row, :-8] = PUSH

    batches.reset(np.arange(len(models)), write, lambda group: None)
    for step in range(steps):
        batches.step(10, before, after)
        over = np.array([place for place, i in enumerate(names) if begins_anew(step, i)], int)
        batches.reset(over, write, lambda group: None)
    batches.close()
    return [np.stack(states) for states in seen]


def loop(model: mujoco.MjModel, name: int, steps: int = 12) -> Array:
    """Do the same in plain Python with mj_step."""
    data = mujoco.MjData(model)

    def begin() -> None:
        mujoco.mj_resetDataKeyframe(model, data, 0)
        data.qvel[:-8] = PUSH
        mujoco.mj_forward(model, data)

    begin()
    out = []
    for step in range(steps):
        data.ctrl[:] = controls(step, model.nu, name)
        mujoco.mj_step(model, data, nstep=10)
        shown = mujoco.MjData(model)
        shown.qpos[:] = data.qpos
        mujoco.mj_kinematics(model, shown)
        out.append(np.concatenate([data.qpos, data.qvel, shown.site_xpos.ravel()]))
        if begins_anew(step, name):
            begin()
    return np.stack(out)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_equals_a_python_loop_bit_for_bit(models: list[mujoco.MjModel], threads: int) -> None:
    found = run(models, range(COUNT), threads)
    for i, model in enumerate(models):
        assert np.array_equal(found[i], loop(model, i)), i


def test_shifted_models_are_told_apart(models: list[mujoco.MjModel]) -> None:
    """The check above can fail: another model under the same controls goes elsewhere."""
    twin = loop(models[0], 0)
    assert not np.array_equal(twin, loop(models[1], 0))
    assert np.abs(twin - loop(models[1], 0)).max() > 1e-4


def test_permuted_and_alone_give_the_same_bits(models: list[mujoco.MjModel]) -> None:
    together = run(models, range(COUNT), 2)
    order = stream(0, "order").permutation(COUNT)
    permuted = run([models[i] for i in order], list(order), 1)
    for place, i in enumerate(order):
        assert np.array_equal(permuted[place], together[i])
    assert np.array_equal(run([models[5]], [5], 1)[0], together[5])


def test_a_signature_says_exactly_who_may_share_a_batch(models: list[mujoco.MjModel]) -> None:
    for a in models:
        for b in models:
            batch = Batch(a, 1, nthread=1)
            if signature(a) == signature(b):
                batch.set_models([b])
            else:
                with pytest.raises(mujoco.FatalError, match="layout"):
                    batch.set_models([b])
    assert len({signature(model) for model in models}) > 3


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_environment_is_in_one_group_of_its_signature(
    models: list[mujoco.MjModel], threads: int
) -> None:
    groups = divide(models, threads)
    assert sorted(i for ids in groups for i in ids) == list(range(COUNT))
    for ids in groups:
        assert len({signature(models[i]) for i in ids}) == 1
        assert list(ids) == sorted(ids)
    sizes = [len(ids) for ids in groups]
    assert sizes == sorted(sizes, reverse=True)


def test_one_signature_is_shared_out_among_threads(models: list[mujoco.MjModel]) -> None:
    assert [len(ids) for ids in divide([models[0]] * 64, 2)] == [16] * 4
    assert [len(ids) for ids in divide([models[0]] * 64, 1)] == [64]


def test_what_is_not_finite_is_noticed_where_it_is(
    models: list[mujoco.MjModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it is
    batches = Batches([models[0]] * 4, 1)
    nothing = [lambda group: None] * 2
    batches.step(2, *nothing)
    assert not batches.unstable().any()
    group = batches.groups[0]
    group.qvel[2, 0] = np.nan
    assert batches.unstable().tolist() == [False, False, True, False]
    batches.step(2, *nothing)
    assert batches.unstable().tolist() == [False, False, True, False]
    batches.reset(np.array([2]), lambda group, rows: None, lambda group: None)
    assert not batches.unstable().any()
    assert np.isfinite(group.qpos).all()


@pytest.mark.slow
def test_a_thousand_cousins_equal_a_python_loop_bit_for_bit() -> None:
    """1024 different cousins of a pedestal, put back now and then, with one thread and with two."""
    twin = Scene("office", (build(pedestal(0), "cabinet"),))
    cousins = make(twin, spec.preset("far"), seed=0, count=1024)
    models = [cousin.model for cousin in compile_all(cousins)]
    assert len({mujoco_bytes(model) for model in models}) == 1024
    assert len({signature(model) for model in models}) > 30
    alone = [loop(model, i, 6) for i, model in enumerate(models)]
    for threads in (1, 2):
        found = run(models, range(1024), threads, 6)
        assert all(np.array_equal(a, b) for a, b in zip(found, alone, strict=True)), threads


def mujoco_bytes(model: mujoco.MjModel) -> bytes:
    return bytes(model.geom_size.tobytes() + model.body_mass.tobytes() + model.jnt_range.tobytes())


@pytest.mark.slow
@pytest.mark.parametrize("sleep", [False, True])
def test_memory_does_not_grow_over_a_million_steps(sleep: bool) -> None:
    """10^6 environment steps, short so that it lasts a minute; each environment begins anew every 20."""
    scenes = [Scene(f"s{i}", (build(pedestal(i), "pedestal"),)) for i in range(16)]
    env = WorldEnv(scenes, 1024, max_steps=20, sleep=sleep)
    env.worlds.substeps = 1
    env.reset(seed=0)
    actions = stream(0, "actions").uniform(-1, 1, (7, 1024, len(env.worlds.robot.actions)))
    resident = []
    for step in range(977):
        env.step(actions[step % 7])
        if step % 122 == 100:
            resident.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096)
    env.close()
    assert len(resident) == 8
    assert max(resident[2:]) - resident[1] < 8 << 20


@pytest.mark.parametrize("threads", [1, 2, 3, 20])
def test_threads_are_no_more_than_groups_and_errors_come_out(
    models: list[mujoco.MjModel], threads: int
) -> None:
    batches = Batches(models, threads)
    assert batches.threads == min(threads, len(batches.groups))
    seen: list[int] = []

    def before(group: Group) -> None:
        seen.extend(int(i) for i in group.ids)
        if 3 in group.ids:
            raise ValueError("the fourth is out of order")

    batches.step(1, lambda group: seen.extend(int(i) for i in group.ids), lambda group: None)
    assert sorted(seen) == list(range(COUNT)), "each group once"
    with pytest.raises(ValueError, match="the fourth is out of order"):
        batches.step(1, before, lambda group: None)
    batches.close()


def test_more_environments_than_fit_are_refused_in_one_line(
    models: list[mujoco.MjModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 64 << 20)
    assert Batches(models[:1] * 16, 1).threads == 1
    with pytest.raises(PocketworldError, match=r"100000 environments need about .* GiB of memory, 0\.1 GiB"):
        Batches(models[:1] * 100_000, 1)
