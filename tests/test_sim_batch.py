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

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.rng import stream
from pocketworld.scene import Scene
from pocketworld.sim import mjcf
from pocketworld.sim.batch import Batches, divide, signature
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


def run(models: Sequence[mujoco.MjModel], names: Sequence[int], threads: int, steps: int = 12) -> list[Array]:
    """Return each environment's states after each step; names tell which controls are whose."""
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
            group.qpos[row] = batches.models[group.ids[row]].key("closed").qpos
            group.qvel[row, :-8] = PUSH

    batches.reset(np.arange(len(models)), write, lambda group: None)
    for _ in range(steps):
        batches.step(10, before, after)
    batches.close()
    return [np.stack(states) for states in seen]


def loop(model: mujoco.MjModel, name: int, steps: int = 12) -> Array:
    """Do the same in plain Python with mj_step."""
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    data.qvel[:-8] = PUSH
    mujoco.mj_forward(model, data)
    out = []
    for step in range(steps):
        data.ctrl[:] = controls(step, model.nu, name)
        mujoco.mj_step(model, data, nstep=10)
        shown = mujoco.MjData(model)
        shown.qpos[:] = data.qpos
        mujoco.mj_kinematics(model, shown)
        out.append(np.concatenate([data.qpos, data.qvel, shown.site_xpos.ravel()]))
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
