"""Environments on the backend warp: the task and episodes of C MuJoCo's; what fits; what is told of it.

The expert's run takes some seconds and stays in `make test`: it is what shows that both backends are one.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from copy import copy
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from pocketworld import api
from pocketworld.bench import doctor
from pocketworld.bench.machine import machine
from pocketworld.bench.warp import Pace, WarpFigures, accuracy, busy, pace
from pocketworld.cli.main import main
from pocketworld.cousins.sequence import Cousins
from pocketworld.errors import PocketworldError
from pocketworld.sim.cousin import Reach
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.models import mjcf
from pocketworld.sim.pictures import close_up
from pocketworld.sim.robots.hand import JOINTS, Hand
from pocketworld.sim.warp import installed, size, upload
from pocketworld.sim.warp.compiled import compiled, copies
from pocketworld.sim.warp.installed import library
from pocketworld.sim.warp.physics import Warp
from pocketworld.sim.worlds import Worlds

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


@pytest.mark.parametrize("reached", [False, True])
def test_a_films_camera_sees_the_same_way_on_both(pair: Pair, warp_cousins: Cousins, reached: bool) -> None:
    """Their places of joints differ, those of what is drawn do not; what an arm does is given to the hand."""
    for env in pair:
        env.reset(seed=3)
    mine, its = (with_reach(env.worlds) if reached else env.worlds for env in pair)
    assert any(a.robot_qpos != b.robot_qpos for a, b in zip(mine.cousins, its.cousins, strict=True))
    for i, scene in enumerate(warp_cousins):
        model = mjcf.document(scene, extra=mine.robot.drawn()).compile()
        ways = [close_up._way(worlds, i, model) for worlds in (mine, its)]
        np.testing.assert_allclose(ways[0].states, ways[1].states, rtol=0, atol=1e-5)
        own, hand = mine.cousins[i], mine.cousins[i].robot_qpos
        (target,) = (one for one in own.targets if one.id == mine.joints[i])
        assert np.array_equal(ways[0].states[:, target.qpos], ways[0].places)
        if target.reach is not None:
            assert np.allclose(ways[0].states[1:, hand : hand + len(JOINTS)], np.arange(len(JOINTS)))


def with_reach(worlds: Worlds) -> Worlds:
    """Return them as if their robots had paths to go: all its joints at their numbers, all along."""
    changed = copy(worlds)
    q, postures = np.array([-9.0, 9.0]), np.tile(np.arange(len(JOINTS), dtype=float), (2, 1))
    changed.cousins = tuple(
        replace(cousin, targets=tuple(replace(t, reach=Reach(postures, q, 1.0)) for t in cousin.targets))
        for cousin in worlds.cousins
    )
    return changed


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
    assert 100_000 < each < 10_000_000
    assert device in ("cpu", "cuda:0")
    assert most is None or most > 1


def test_what_a_step_makes_for_itself_is_counted_world_by_world(warp_cousins: Cousins) -> None:
    """It is several times what stands between steps; a constant for it was wrong by as much."""
    made = compiled(warp_cousins, 4, Hand())
    lib = library()
    with installed.told(), lib.wp.ScopedDevice("cpu"):
        model = upload.uploaded(made.packed)
        few, many = (upload.data(made.packed, count, made.room) for count in (4, 16))
        steps = [size.step_bytes(model, state) for state in (few, many)]
        assert steps[1] == pytest.approx(4 * steps[0], rel=0.03)
        assert steps[1] > size.array_bytes(many)
    first, again = (size.measured(made.packed, made.room, "cpu") for _ in range(2))
    assert first.world == pytest.approx(again.world, rel=0.03)
    assert first.world * 16 > steps[1] + size.array_bytes(many)
    assert first.fit(first.of(7)) == 7
    assert first.fit(0) == 0


def test_where_the_pace_is_measured_hands_hold_and_joints_move(warp_cousins: Cousins) -> None:
    made = compiled(warp_cousins, 4, Hand())
    warp = Warp(made, 4, "cpu")
    warp.reset(np.arange(4), partial(busy, made, 4), lambda group: None)
    (group,) = warp.groups
    for i, cousin in enumerate(made.cousins):
        grip, site = group.site_xpos[i, cousin.grip], cousin.targets[i % len(cousin.targets)].site
        assert float((grip - group.site_xpos[i, site]).norm()) < 1e-3
        assert all(float(group.qvel[i, one.dof].abs()) > 0.1 for one in cousin.targets)
    before = group.qpos.clone()
    warp.advance(10)
    assert (group.qpos - before).abs().max() > 1e-3


def test_copies_are_of_the_same_form(warp_cousins: Cousins) -> None:
    made = compiled(warp_cousins, 4, Hand())
    alike = copies(made, 2)
    assert alike.packed.base is made.packed.base
    assert alike.packed.ids == made.packed.ids[2:3]
    assert np.array_equal(alike.packed.rows["geom_size"][0], made.packed.rows["geom_size"][2])
    assert {name: values.shape[0] for name, values in alike.packed.rows.items()} == dict.fromkeys(
        made.packed.rows, 1
    )


def test_a_driver_that_hangs_does_not_end_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*args: object, **kwargs: object) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", 60)

    def broken() -> None:
        raise RuntimeError("no driver\nWarp can't start")

    monkeypatch.setattr(shutil, "which", lambda name: "nvidia-smi")
    monkeypatch.setattr(subprocess, "run", hangs)
    assert not doctor._gpu().ok
    monkeypatch.setattr(installed, "library", broken)
    check = doctor._batch()
    assert not check.ok
    assert check.seen == "Warp can't start"


def test_doctor_says_when_torch_cannot_use_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    lib = library()
    monkeypatch.setattr(lib.wp, "is_cuda_available", lambda: True)
    monkeypatch.setattr(lib.torch.cuda, "is_available", lambda: False)
    check = doctor._batch()
    assert not check.ok
    assert "has no CUDA" in check.seen


def test_what_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name=name)

    monkeypatch.setattr(installed, "import_module", absent)
    library.cache_clear()
    with pytest.raises(PocketworldError, match=r"warp is not installed.*pip install 'pocketworld\[warp\]'"):
        library()
    assert not next(check for check in doctor.examine() if check.name == "backend warp").ok
    monkeypatch.undo()
    library.cache_clear()
    assert library().mjw is not None


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
    made = compiled(warp_cousins, len(warp_cousins), Hand())
    different, alike = (pace(of, len(warp_cousins), "cpu", 2) for of in (made, copies(made, 3)))
    assert alike.steps_per_s > 0
    assert different.steps_per_s > 0
    near = accuracy(warp_cousins, "cpu")
    assert near.layouts > 1
    assert all(max(max(pair) for pair in by.values()) > 10 for by in near.controls.values())
    figures = WarpFigures(
        16, "cpu", 2.5, 5_000_000, 3, 9, different, Pace(2 * different.steps_per_s, 1.0, 0), near, machine()
    )
    assert figures.ratio == pytest.approx(0.5)
    assert "16 different" in figures.text()
    assert "99 %" in figures.text()
    assert json.dumps(figures.to_json())
    assert "5.00 MB a world" in figures.text()
