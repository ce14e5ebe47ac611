"""The backend "warp" measured: how near to C MuJoCo it is, how fast different worlds are against copies."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from pocketworld.bench.machine import Machine, machine
from pocketworld.cousins.sequence import Cousins
from pocketworld.scene import Scene
from pocketworld.sim.physics import Group
from pocketworld.sim.robots.hand import JOINTS, Hand
from pocketworld.sim.warp.accuracy import GROUPS, Error, Record, Rig
from pocketworld.sim.warp.compiled import Compiled, compiled, copies
from pocketworld.sim.warp.controls import CONTROLS, errors_with
from pocketworld.sim.warp.installed import chosen, library
from pocketworld.sim.warp.physics import Warp
from pocketworld.sim.warp.room import EAGER
from pocketworld.sim.warp.size import check

COMPARED = 32  # cousins compared with C MuJoCo, one step of each five of 160, and 200 steps running freely
STEPS, EVERY, FREELY = 160, 5, 200
# Cousins that are copied, one after the other: some run 2.5 times as fast as others, by their contacts.
COPIED = 16
HALF = 0.5  # of their range joints are open where the pace is measured
SUBSTEPS = 10  # of physics in a step of an environment


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One step's |dq| against C MuJoCo's unpadded models, by group; how much worse it is with wrong numbers.

    free       the greatest |dq| of joints that met nothing in FREELY steps; stopped: of those that met a stop
    controls   what is wrong -> group -> (median, 99 %) as multiples of what they are when all is right
    """

    cousins: int
    layouts: int
    errors: dict[str, Error]
    free: float
    stopped: float
    controls: dict[str, dict[str, tuple[float, float]]]

    def lines(self) -> list[str]:
        """Return lines for a person."""
        head = (
            f"{self.cousins} cousins of {self.layouts} layouts against C MuJoCo's own models, one step, |dq|"
        )
        rows = [
            f"  {name:7} median {e.median:.1e}, 99 % {e.most:.1e}, greatest {e.worst:.1e}"
            for name, e in self.errors.items()
        ]
        far = f"{FREELY} steps: joints that met nothing {self.free:.1e}, a stop {self.stopped:.1e} at most"
        wrong = [
            f"  {name:9} " + "; ".join(f"{group} {a:.3g} / {b:.3g}" for group, (a, b) in by.items())
            for name, by in self.controls.items()
        ]
        return [head, *rows, far, "another world's, times the median / the 99 %:", *wrong]


@dataclass(frozen=True, slots=True)
class Pace:
    """Physics steps of all worlds together a second (on the CPU: of its own time); GPU bytes in use then.

    kernels_s   to put the rows on the device and load its kernels, compiled first where the cache lacks them
    """

    steps_per_s: float
    kernels_s: float
    memory: int


@dataclass(frozen=True, slots=True)
class WarpFigures:
    """envs different worlds, and as many copies of one, on a device; and how near they are to C MuJoCo.

    rows_s   s to compile all cousins to rows
    each     bytes that a further world takes
    """

    envs: int
    device: str
    rows_s: float
    each: int
    joints: int
    geoms: int
    different: Pace
    copies: Pace
    accuracy: Accuracy
    machine: Machine

    @property
    def ratio(self) -> float:
        """Return the speed of different worlds over that of copies."""
        return self.different.steps_per_s / self.copies.steps_per_s

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self) | {"ratio": self.ratio, "machine": self.machine.to_json()}

    def text(self) -> str:
        """Return lines for a person."""
        paces = (
            (f"{self.envs} different", self.different),
            (f"{self.envs} copies of each of {min(self.envs, COPIED)}", self.copies),
        )
        speed = (
            f"{name} {pace.steps_per_s:,.0f} world steps/s, kernels ready in {pace.kernels_s:.1f} s"
            + (f", {pace.memory / 2**30:.1f} GiB on the GPU" if pace.memory else "")
            for name, pace in paces
        )
        form = f"{self.joints} joints, {self.geoms} geoms, {self.each / 1e6:.2f} MB a world, none overflowed"
        form += f"; compiled to rows in {self.rows_s:.1f} s"
        lines = [f"on {self.device}: {form}", *speed, f"ratio {self.ratio:.2f}"]
        return "\n".join([*lines, *self.accuracy.lines(), self.machine.text()])


def measure(cousins: Cousins, device: str | None, steps: int) -> WarpFigures:
    """Measure as many environments as there are cousins, `steps` steps of each.

    Raises PocketworldError for a device that is not there, and where contacts overflow.
    """
    begin = time.perf_counter()
    where = chosen(device)
    made = compiled(cousins, len(cousins), Hand())
    rows_s = time.perf_counter() - begin
    each = check(made.packed, made.room, len(cousins), where).world
    different = pace(made, len(cousins), where, steps)
    some = np.linspace(0, len(cousins) - 1, min(len(cousins), COPIED), dtype=int).tolist()
    alike = _mean([pace(copies(made, i), len(cousins), where, steps) for i in some])
    base, name = made.packed.base, device_name(where)
    near = accuracy(cousins[:COMPARED], where)
    return WarpFigures(
        len(cousins), name, rows_s, each, base.njnt, base.ngeom, different, alike, near, machine()
    )


def pace(made: Compiled, envs: int, device: str, steps: int) -> Pace:
    """Return how fast environments run whose hands pull at handles, all other joints in motion.

    The batch is gone when this returns: two are never in memory at once.
    """
    # On a CPU that others use too, this process' own time; what a GPU does is no time of a process.
    clock = time.perf_counter if device.startswith("cuda") else time.process_time
    begin = time.perf_counter()
    warp = Warp(made, envs, device)
    ready = time.perf_counter() - begin

    def nothing(group: Group) -> None:
        """Leave all as it is."""

    for timed in (False, True):  # the first time round captures the graphs, and what it met is warm
        warp.reset(np.arange(envs), partial(busy, made, envs), nothing)
        warp.lib.wp.synchronize_device(warp.device)
        begin = clock()
        for _ in range(steps if timed else 1):
            warp.step(SUBSTEPS, nothing, nothing)
        warp.lib.wp.synchronize_device(warp.device)
    found = Pace(envs * steps * SUBSTEPS / (clock() - begin), ready, in_use(warp.device))
    warp.close()
    return found


def _mean(paces: Sequence[Pace]) -> Pace:
    """Return the pace of all one after the other."""
    together = len(paces) / sum(1 / pace.steps_per_s for pace in paces)
    return Pace(together, sum(pace.kernels_s for pace in paces), max(pace.memory for pace in paces))


def busy(made: Compiled, envs: int, group: Group, rows: Any) -> None:
    """Put hands on handles and let them pull; push all joints, each the other way than the last one."""
    qpos, qvel, ctrl = group.qpos.cpu().numpy(), group.qvel.cpu().numpy(), group.ctrl.cpu().numpy()
    for i in range(envs):
        cousin = made.cousins[i % len(made.cousins)]
        qpos[i] = made.packed.start[i % len(made.packed.start)]
        for k, one in enumerate(cousin.targets):
            qpos[i, one.qpos], qvel[i, one.dof] = HALF * one.range, EAGER * one.range * (-1) ** k
        held = [target for target in cousin.targets if target.holdable] or cousin.targets
        target = held[i % len(held)]
        now, then = (target.hold(q * target.range) for q in (HALF, 1.0))
        qpos[i, cousin.robot_qpos :][: len(JOINTS)] = Hand().start(now, now.grip)
        ctrl[i] = [*then.grip, *then.wrist, 0.0, 0.0]
    for view, values in ((group.qpos, qpos), (group.qvel, qvel), (group.ctrl, ctrl)):
        view[rows] = view.new_tensor(values)[rows]


def accuracy(scenes: Sequence[Scene], device: str | None = None) -> Accuracy:
    """Compare scenes with C MuJoCo's own models of them, and with one thing wrong at a time."""
    rig = Rig(scenes, device)
    record = rig.run(STEPS, EVERY)
    good = rig.errors(record)
    alone, stopped = rig.free(FREELY)
    wrong = {name: _worse(good, errors_with(rig, record, name)) for name in CONTROLS}
    layouts = len({tuple(row) for row in _layouts(record)})
    free, bounced = (float(gaps.max(initial=0)) for gaps in (alone, stopped))
    errors = {name: good[name] for name in GROUPS if name in good}
    return Accuracy(len(scenes), layouts, errors, free, bounced, wrong)


def _layouts(record: Record) -> Any:
    return (record.group >= 0).tolist()


def _worse(good: dict[str, Error], wrong: dict[str, Error]) -> dict[str, tuple[float, float]]:
    return {g: (wrong[g].median / good[g].median, wrong[g].most / good[g].most) for g in good}


def device_name(device: str) -> str:
    """Return what a device is called by its maker."""
    return str(library().wp.get_device(device).name) if device != "cpu" else "cpu"


def in_use(device: str) -> int:
    """Return the bytes of a GPU's memory that are in use, by anyone; 0 for the CPU."""
    if not device.startswith("cuda"):
        return 0
    found = library().wp.get_device(device)
    return int(found.total_memory - found.free_memory)
