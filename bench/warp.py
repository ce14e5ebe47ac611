"""The backend "warp" measured: how near to C MuJoCo it is, how fast different worlds are against copies."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pocketworld.bench.machine import Machine, machine
from pocketworld.cousins.sequence import Cousins
from pocketworld.scene import Scene
from pocketworld.sim.physics import Group
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.warp.accuracy import GROUPS, Error, Record, Rig
from pocketworld.sim.warp.controls import CONTROLS, errors_with
from pocketworld.sim.warp.library import library
from pocketworld.sim.warp.physics import Warp, make

COMPARED = 32  # cousins compared with C MuJoCo, one step of each five of 160, and 200 steps running freely
STEPS, EVERY, FREELY = 160, 5, 200
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
    """Physics steps a second of all worlds together; s to set up; bytes of GPU memory in use (0: no GPU)."""

    steps_per_s: float
    setup_s: float
    memory: int


@dataclass(frozen=True, slots=True)
class WarpFigures:
    """envs different worlds, and as many copies of one, on a device; and how near they are to C MuJoCo."""

    envs: int
    device: str
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
        speed = (
            f"{name} {pace.steps_per_s:,.0f} world steps/s, set up in {pace.setup_s:.1f} s"
            + (f", {pace.memory / 2**30:.1f} GiB on the GPU" if pace.memory else "")
            for name, pace in (
                (f"{self.envs} different", self.different),
                (f"{self.envs} copies", self.copies),
            )
        )
        form = f"{self.joints} joints, {self.geoms} geoms a world, none overflowed"
        lines = [f"on {self.device}: {form}", *speed, f"ratio {self.ratio:.2f}"]
        return "\n".join([*lines, *self.accuracy.lines(), self.machine.text()])


def measure(cousins: Cousins, device: str | None, steps: int) -> WarpFigures:
    """Measure as many environments as there are cousins, `steps` steps of each.

    Raises PocketworldError for a device that is not there, and where contacts overflow.
    """
    different, warp = pace(cousins, len(cousins), device, steps)
    copies, _ = pace(cousins[:1], len(cousins), device, steps)
    base, name = warp.models[0], device_name(warp.device)
    near = accuracy(cousins[:COMPARED], warp.device)
    return WarpFigures(len(cousins), name, base.njnt, base.ngeom, different, copies, near, machine())


def pace(scenes: Sequence[Scene], envs: int, device: str | None, steps: int) -> tuple[Pace, Warp]:
    """Return how fast environments run whose hands hold still over everything closed."""
    begin = time.perf_counter()
    _, warp = make(scenes, envs, Hand(), device)
    set_up = time.perf_counter() - begin

    def closed(group: Group, rows: Any) -> None:
        group.qpos[rows] = group.start[rows]

    def nothing(group: Group) -> None:
        """Leave all as it is."""

    warp.reset(np.arange(envs), closed, nothing)
    warp.step(SUBSTEPS, nothing, nothing)  # the first one captures the graph
    warp.lib.wp.synchronize_device(warp.device)
    begin = time.perf_counter()
    for _ in range(steps):
        warp.step(SUBSTEPS, nothing, nothing)
    warp.lib.wp.synchronize_device(warp.device)
    return Pace(envs * steps * SUBSTEPS / (time.perf_counter() - begin), set_up, in_use(warp.device)), warp


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
