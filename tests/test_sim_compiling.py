"""From scenes to models: each once, one at a time, the same on any number of processes."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import gc
import os
import pickle
import subprocess
import sys
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pocketworld.bench.virtual_capture import pedestal
from pocketworld.cousins import spec
from pocketworld.cousins.sequence import Cousins, make
from pocketworld.errors import PocketworldError
from pocketworld.families.box import Box, BoxFamily
from pocketworld.families.cabinet.build import build
from pocketworld.scene import Scene
from pocketworld.sim import memory
from pocketworld.sim.batch import SLEEP, let_sleep
from pocketworld.sim.compiling import processes
from pocketworld.sim.compiling.cousin import compile_cousin
from pocketworld.sim.compiling.processes import CHUNK, compile_all, in_processes
from pocketworld.sim.cousin import Cousin
from pocketworld.sim.robots.hand import Hand

TWIN = Scene("office", (build(pedestal(0), "cabinet"),))


@pytest.fixture(scope="module")
def cousins() -> Cousins:
    return make(TWIN, spec.preset("medium"), seed=0, count=12)


def facts(cousin: Cousin) -> list[Any]:
    """Return all that a cousin says, its model's bytes too."""
    return [pickle.dumps(cousin.model), *(repr(value) for value in parts(cousin))]


def parts(cousin: Cousin) -> list[Any]:
    targets = [[getattr(target, name) for name in target.__slots__] for target in cousin.targets]
    holds = [(target.closed.grip.tolist(), target.closed.turn.tolist()) for target in cousin.targets]
    plain = [[value for value in values if not hasattr(value, "grip")] for values in targets]
    return [cousin.id, cousin.robot_qpos, cousin.robot_dof, cousin.grip, plain, holds]


def same(a: Sequence[Cousin], b: Sequence[Cousin]) -> bool:
    return len(a) == len(b) and all(facts(x) == facts(y) for x, y in zip(a, b, strict=True))


def test_cousins_are_compiled_as_their_scenes_are(cousins: Cousins) -> None:
    alone = [compile_cousin(scene) for scene in cousins]
    assert same(compile_all(cousins), alone)
    assert same(compile_all(list(cousins)), alone)
    assert not same(alone[:1], alone[1:2])
    assert [one.id for one in alone] == list(cousins.ids)


def test_what_stands_there_several_times_is_compiled_once(cousins: Cousins) -> None:
    made = compile_all(cousins.take([3, 1, 3, 3, 1]))
    assert [one.id for one in made] == ["medium/3", "medium/1", "medium/3", "medium/3", "medium/1"]
    assert made[0].model is made[2].model is made[3].model
    assert made[1].model is made[4].model
    scene = cousins[2]
    twice = compile_all([scene, cousins[4], scene])
    assert twice[0].model is twice[2].model is not twice[1].model
    assert compile_all([]) == []


def test_no_more_than_one_is_built_at_a_time(cousins: Cousins, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[Any]] = []

    def watched(scene: Scene, robot: Hand) -> Cousin:
        assert not any(ref() is not None for ref in alive), "the scene before is still held"
        body = scene.assets[0].parts[0].pieces  # a scene has no room for weak references, a watch does
        watch = Watch(body)
        alive.append(weakref.ref(watch))
        object.__setattr__(scene, "provenance", {**scene.provenance, "watch": watch})
        return made(replace(scene, provenance={"cousin": scene.provenance["cousin"]}), robot)

    made = compile_cousin
    monkeypatch.setattr(processes, "compile_cousin", watched)
    compile_all(cousins)
    assert len(alive) == 12


class Watch:
    """Something that can be watched disappear."""

    def __init__(self, it: object) -> None:
        self.it = it


@pytest.mark.slow
def test_processes_change_no_model(cousins: Cousins) -> None:
    """More than a chunk each, in an order of their own, from one process and from three."""
    many = cousins.take([i % 12 for i in range(2 * CHUNK + 5)][::-1])
    alone = {one.id: one for one in compile_all(cousins)}
    for workers in (1, 3):
        found = list(in_processes(many.bare(), Hand(), workers))
        assert same(found, [alone[id] for id in many.ids])


@pytest.mark.slow
def test_only_a_few_chunks_wait_packed_or_compiled(cousins: Cousins, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    orders = processes._orders

    def counted(*of: Any) -> Iterator[Any]:
        for order in orders(*of):
            taken.append(len(order.rows))
            yield order

    monkeypatch.setattr(processes, "CHUNK", 1)
    monkeypatch.setattr(processes, "_orders", counted)
    found = in_processes(cousins.bare(), Hand(), 1)
    first = next(found)
    assert taken == [1] * (processes.AHEAD + 1)
    assert [first.id, *(one.id for one in found)] == list(cousins.ids)


def test_processes_are_used_where_they_pay(cousins: Cousins, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[tuple[str, ...], int]] = []

    def others(rest: Cousins, robot: Hand, workers: int) -> list[Cousin]:
        used.append((rest.ids, workers))
        return [compile_cousin(scene, robot) for scene in rest]

    monkeypatch.setattr(processes, "in_processes", others)
    whole = compile_all(cousins, workers=2)
    assert not used, "four cousins are made sooner than a process starts"
    monkeypatch.setattr(processes, "START", 0.0)
    assert same(compile_all(cousins, workers=2), whole)
    assert used == [(cousins.ids[processes.FIRST :], 2)]
    compile_all(cousins, workers=1)
    compile_all(list(cousins), workers=2)
    assert len(used) == 1, "neither for one process nor for scenes that are built already"


def test_the_collector_of_cycles_is_left_as_it_was(cousins: Cousins) -> None:
    assert gc.isenabled()
    compile_all(cousins[:1])
    assert gc.isenabled()
    with pytest.raises(PocketworldError):
        compile_all([Scene("still", (BoxFamily().build(Box(0.1, 0.1, 0.1), "box"),))])
    assert gc.isenabled()


def test_a_world_without_joints_and_too_few_workers_are_refused() -> None:
    still = Scene("still", (BoxFamily().build(Box(0.1, 0.1, 0.1), "box"),))
    with pytest.raises(PocketworldError, match="scene still: none of its joints moves"):
        compile_all([still])
    with pytest.raises(PocketworldError, match="workers is 0; at least 1"):
        compile_all([TWIN], workers=0)


def test_more_than_fits_into_memory_is_refused_after_the_first(
    cousins: Cousins, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    real = compile_cousin

    def counted(scene: Scene, robot: Hand) -> Cousin:
        made.append(scene.name)
        return real(scene, robot)

    monkeypatch.setattr(processes, "compile_cousin", counted)
    monkeypatch.setattr(memory, "available", lambda: 1 << 20)
    with pytest.raises(
        PocketworldError, match=r"12 different cousins need about 0\.0 GiB of memory, 0\.0 GiB"
    ):
        compile_all(cousins)
    assert len(made) == 1
    assert len(compile_all(cousins.take([5] * 12))) == 12, "one model, however many environments share it"


def test_memory_is_what_machine_container_and_user_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = memory.available()
    assert there is not None
    assert 1 << 24 < there < 1 << 50
    limit, use = tmp_path / "max", tmp_path / "current"
    limit.write_text("3000000\n")
    use.write_text("1000000\n")
    monkeypatch.setattr(memory, "_LIMITS", ((str(limit), str(use)),))
    assert memory.available() == 2000000
    limit.write_text("max\n")
    assert memory.available() == pytest.approx(there, rel=0.2)
    memory.check(1, "nothing")
    limit.write_text("0\n")
    assert memory.available() == 0
    with pytest.raises(
        PocketworldError, match=r"much need about 2\.0 GiB of memory, 0\.0 GiB are free; fewer"
    ):
        memory.check(2 << 30, "much")


def test_a_limit_of_the_users_own_is_kept() -> None:
    code = (
        "import resource; from pocketworld.sim import memory\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31)); print(memory.available())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 1 << 31


@pytest.mark.slow
def test_a_model_takes_about_as_much_as_is_said(cousins: Cousins) -> None:
    """Measured in a process of its own: resident bytes of 200 models, read back as they come from others."""
    code = """
import pickle, sys
from pocketworld.sim import memory
from pocketworld.sim.batch import SLEEP, let_sleep
data = sys.stdin.buffer.read()
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
first = [pickle.loads(data) for _ in range(20)]
before = resident()
models = [pickle.loads(data) for _ in range(200)]
print((resident() - before) / 200 / memory.model_bytes(models[0]))
"""
    model = pickle.dumps(compile_cousin(cousins[0]).model)
    done = subprocess.run([sys.executable, "-c", code], input=model, capture_output=True, check=True)
    assert 0.7 < float(done.stdout) < 1.2


@pytest.mark.slow
@pytest.mark.parametrize("asleep", [False, True])
@pytest.mark.parametrize("large", [False, True])
def test_a_batch_of_one_takes_about_as_much_as_is_said(
    cousins: Cousins, row_kitchen: Scene, asleep: bool, large: bool
) -> None:
    """Measured in a process of its own, over 100 batches that have stepped."""
    code = """
import pickle, sys
import numpy as np
from pocketworld.sim import batch, memory
model = pickle.loads(sys.stdin.buffer.read())
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
def one():
    made = batch._group(np.array([0]), [model])
    made.handle.reset(np.array([0]), stage=batch.NOTHING)
    made.qpos[:] = made.start
    made.handle.forward(np.array([0]), stage=batch.CURRENT)
    made.handle.step(nstep=10, stage=batch.CURRENT)
    return made
kept = [one() for _ in range(10)]
before = resident()
kept += [one() for _ in range(100)]
print((resident() - before) / 100 / memory.batch_bytes(model, 1, batch.sleeps(model)))
"""
    model = compile_cousin(row_kitchen if large else cousins[0]).model
    model.opt.enableflags &= ~SLEEP
    if asleep:
        let_sleep(model)
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(model), capture_output=True, check=True
    )
    assert 0.7 < float(done.stdout) < 1.3


def test_a_script_that_can_not_be_imported_is_told_so(tmp_path: Path) -> None:
    code = """
import test_twin
from pocketworld.cousins import sequence, spec
from pocketworld.sim.compiling import processes
from pocketworld.sim.robots.hand import Hand
made = sequence.make(test_twin.TWIN, spec.preset("near"), count=2)
list(processes.in_processes(made, Hand(), 2))
"""
    (tmp_path / "test_twin.py").write_text(
        "from pocketworld.families.cabinet.build import build\n"
        "from pocketworld.families.cabinet.parameters import Cabinet\n"
        "from pocketworld.scene import Scene\n"
        "TWIN = Scene('t', (build(Cabinet(0.4, 0.5, 0.6), 'cabinet'),))\n"
    )
    where = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-"], input=code, text=True, capture_output=True, check=False, env=where
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "one of 2 processes that compile cousins ended early; a script needs" in last


def test_the_models_are_those_of_the_scenes_with_looks(cousins: Cousins) -> None:
    """What nobody looks at changes no number of the physics."""
    seen, bare = compile_cousin(cousins[1]).model, compile_all(cousins[1:2])[0].model
    for name in (
        "body_mass",
        "body_inertia",
        "geom_size",
        "geom_pos",
        "jnt_range",
        "dof_damping",
        "key_qpos",
    ):
        assert np.array_equal(getattr(seen, name), getattr(bare, name)), name
