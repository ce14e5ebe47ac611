"""How much memory a batch takes, and how many worlds fit on a device."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim import memory
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.warp.compiled import compiled
from pocketworld.sim.warp.installed import LOG, chosen, library, told
from pocketworld.sim.warp.packed import Packed, cut
from pocketworld.sim.warp.room import Room
from pocketworld.sim.warp.upload import data, uploaded

FEW, MORE = 2, 34  # worlds that are measured
# Times what stands between steps that a step makes for itself, where Warp does not say: on the CPU
# `step_bytes` over `array_bytes` is 6.6 for the pedestal of docs/benchmark.md and 5.6 for the demo's kitchen.
SEVERAL = 7
UNITS = {"bytes": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
# All that was ever made on each device, of Warp's report. The CPU's graph keeps all that its step makes; on a
# GPU an array may take the place of one that was let go, so that the sum is the most that it can be.
TOTALS = re.compile(r"Total allocations:(.*?)Peak usage:", re.DOTALL)
MADE = re.compile(r"^\s*(\S+)\s+\d+ \(([\d.]+) (\w+)\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Bytes:
    """What worlds take on a device.

    world   each further one: its state, its contacts, its row, and what a step makes for itself
    model   all of them, once
    """

    world: int
    model: int

    def of(self, count: int) -> int:
        """Return what `count` worlds take."""
        return self.model + count * self.world

    def fit(self, free: int) -> int:
        """Return how many worlds fit."""
        return max(free - self.model, 0) // self.world


def measured(packed: Packed, room: Room, device: str) -> Bytes:
    """Return what worlds take on a device, measured there with a few of them and with some more."""
    lib, few = library(), cut(packed, slice(FEW))
    with told(), lib.wp.ScopedDevice(device):
        model = uploaded(few)
        two, many = (data(few, count, room) for count in (FEW, MORE))
        state = (array_bytes(many) - array_bytes(two)) / (MORE - FEW)
        step = step_bytes(model, many) / MORE
        shared = array_bytes(model)
    row = sum(values.nbytes // len(values) for values in packed.rows.values())
    return Bytes(round(state + step) + row, shared)


def step_bytes(model: Any, state: Any) -> int:
    """Return the bytes of what a recorded step makes for itself on the current device."""
    lib = library()
    lib.mjw.step(model, state)  # kernels are loaded, and what all steps share is made
    with lib.wp.ScopedMemoryTracker(print=False):
        before = _made()
        with lib.wp.ScopedCapture():
            lib.mjw.step(model, state)
        after = _made()
    if after <= before:
        LOG.warning("Warp's report on memory is not as known; a step is taken for %d times a state", SEVERAL)
        return SEVERAL * array_bytes(state)
    return after - before


def _made() -> int:
    report = io.StringIO()
    library().wp.print_memory_report(report)
    return made_on(str(library().wp.get_device().alias), report.getvalue())


def made_on(device: str, report: str) -> int:
    """Return the bytes that were ever made on a device, of Warp's report on memory; 0 where it has none."""
    totals = TOTALS.search(report)
    made = MADE.findall(totals[1]) if totals else []
    return sum(int(float(number) * UNITS[unit]) for name, number, unit in made if name == device)


def array_bytes(thing: Any) -> int:
    """Return the bytes of all of Warp's arrays in a structure."""
    if is_dataclass(thing):
        return sum(array_bytes(getattr(thing, field.name, None)) for field in fields(thing))
    return int(thing.capacity) if isinstance(thing, library().wp.array) else 0


def free_bytes(device: str) -> int | None:
    """Return how many bytes are free on a device; None where nobody says."""
    if device.startswith("cuda"):
        return int(library().wp.get_device(device).free_memory)
    return memory.available()


def check(packed: Packed, room: Room, count: int, device: str) -> Bytes:
    """Return what worlds take; raises PocketworldError where `count` of them do not fit on a device."""
    sizes, free = measured(packed, room, device), free_bytes(device)
    if free is not None and sizes.of(count) > free:
        raise PocketworldError(
            f"{count} environments need about {sizes.of(count) / memory.GIB:.1f} GiB, {device} has "
            f"{free / memory.GIB:.1f} GiB free",
            f"at most {sizes.fit(free)} environments",
        )
    return sizes


def fitting(scenes: Sequence[Scene]) -> tuple[int, int | None, str]:
    """Return how many bytes an environment of these cousins takes, how many fit, and on which device."""
    made = compiled(scenes, len(scenes), Hand())
    device = chosen(None)
    sizes, free = measured(made.packed, made.room, device), free_bytes(device)
    return sizes.world, None if free is None else sizes.fit(free), device
