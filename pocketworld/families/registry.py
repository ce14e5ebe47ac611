"""The families by name, and the parameters of an asset to and from plain JSON."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pocketworld.errors import PocketworldError
from pocketworld.families import codec
from pocketworld.families.protocol import Family
from pocketworld.scene import Asset

_NAMES = ("cabinet", "box")


def names() -> tuple[str, ...]:
    """Return the names of all families."""
    return _NAMES


@cache
def family(name: str) -> Family[Any]:
    """Return the family of that name, imported on demand; raises PocketworldError where there is none."""
    if name == "cabinet":
        from pocketworld.families.cabinet.family import CabinetFamily

        return CabinetFamily()
    if name == "box":
        from pocketworld.families.box import BoxFamily

        return BoxFamily()
    raise PocketworldError(f"there is no family {name!r}", f"families are {', '.join(_NAMES)}")


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
