"""How much memory a batch takes, and how many worlds fit on a device."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim import memory
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.warp.compiled import compiled
from pocketworld.sim.warp.library import chosen, library, told
from pocketworld.sim.warp.packed import Packed
from pocketworld.sim.warp.room import Room
from pocketworld.sim.warp.upload import data

# Times what stands between steps: what a step takes for itself (its solver's and its pairs' arrays) was not
# measured on a GPU; of a pedestal it is a third by their shapes.
STEP = 1.5


def world_bytes(packed: Packed, room: Room) -> int:
    """Return about how many bytes each further world takes: its state, its contacts, its row."""
    with told(), library().wp.ScopedDevice("cpu"):
        two, three = (array_bytes(data(packed, count, room)) for count in (2, 3))
    rows = sum(values.nbytes // len(values) for values in packed.rows.values())
    return int(STEP * (three - two)) + rows


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


def check(packed: Packed, room: Room, count: int, device: str) -> None:
    """Raise PocketworldError where `count` worlds do not fit on a device."""
    each, free = world_bytes(packed, room), free_bytes(device)
    if free is not None and each * count > free:
        raise PocketworldError(
            f"{count} environments need about {each * count / memory.GIB:.1f} GiB, {device} has "
            f"{free / memory.GIB:.1f} GiB free",
            f"at most {free // each} environments",
        )


def fitting(scenes: Sequence[Scene]) -> tuple[int, int | None, str]:
    """Return how many bytes an environment of these cousins takes, how many fit, and on which device."""
    made = compiled(scenes, len(scenes), Hand())
    device = chosen(None)
    each, free = world_bytes(made.packed, made.room), free_bytes(device)
    return each, None if free is None else free // each, device
