"""The families by name, and the parameters of an asset to and from plain JSON."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from pocketworld.errors import PocketworldError
from pocketworld.families import codec
from pocketworld.families.protocol import Family
from pocketworld.scene import Asset

# The module and class of each, imported on demand.
_FAMILIES = {
    "cabinet": "pocketworld.families.cabinet.family:CabinetFamily",
    "box": "pocketworld.families.box:BoxFamily",
    "wall": "pocketworld.families.wall:WallFamily",
    "worktop": "pocketworld.families.worktop:WorktopFamily",
    "table": "pocketworld.families.table:TableFamily",
    "cylinder": "pocketworld.families.cylinder:CylinderFamily",
    "shelf": "pocketworld.families.shelf:ShelfFamily",
    "chair": "pocketworld.families.chair:ChairFamily",
    "room_door": "pocketworld.families.room_door.family:RoomDoorFamily",
    "fridge": "pocketworld.families.fridge:FridgeFamily",
    "oven": "pocketworld.families.oven:OvenFamily",
}


def names() -> tuple[str, ...]:
    """Return the names of all families."""
    return tuple(_FAMILIES)


@cache
def family(name: str) -> Family[Any]:
    """Return the family of that name, imported on demand; raises PocketworldError where there is none."""
    if name not in _FAMILIES:
        raise PocketworldError(f"there is no family {name!r}", f"families are {', '.join(_FAMILIES)}")
    module, _, which = _FAMILIES[name].partition(":")
    made: Family[Any] = getattr(import_module(module), which)()
    return made


def to_json(p: Any) -> dict[str, Any]:
    """Return a family's parameters as plain JSON."""
    return codec.to_json(p)


def from_json(name: str, data: Mapping[str, object]) -> Any:
    """Return the parameters, of the class of the family of that name, that `to_json` wrote; exactly the same.

    Raises PocketworldError in one line where a field is unknown, missing or of the wrong type.
    """
    return codec.from_json(family(name).parameters, data, name)


def rebuild(asset: Asset) -> Any:
    """Return the parameters that an asset was built from; PocketworldError where none built it."""
    return from_json(asset.family, asset.parameters)
