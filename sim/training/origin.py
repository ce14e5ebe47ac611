"""What a training learns in, by which a change of it is known."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pocketworld.cousins import spec as specs
from pocketworld.cousins.sequence import Cousins
from pocketworld.cousins.spec import Spec
from pocketworld.cousins.table import twin_digest

WORLD = "world"
LEARNT_IN, HELD_OUT = "cousins learnt in", "cousins held out"


def changes(was: Spec, now: Spec) -> tuple[str, ...]:
    """Name what a spec says differently, as "cabinet.scale.width was 0.2, is 0.3"."""
    before, after = (_flat(asdict(spec)) for spec in (was, now))
    return tuple(
        f"{key} was {_told(before.get(key))}, is {_told(after.get(key))}"
        for key in sorted({*before, *after}, key=lambda key: (key != "name", key))
        if before.get(key) != after.get(key)
    )


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return what nested tables hold, by their keys with dots between, as a TOML file has them."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        name = before + key
        if isinstance(value, Mapping):
            out |= _flat(value, "" if name == "families" else f"{name}.")
        else:
            out[name] = value
    return out


def _told(value: object) -> str:
    return "not there" if value is None else json.dumps(value, ensure_ascii=False)


def origin(world: str, cousins: Cousins, train: int, held: int) -> dict[str, Any]:
    """Return what JSON can hold: the world's name, digests of its twin and of the spec, and how many."""
    return {
        WORLD: world,
        "twin": twin_digest(cousins.twin),
        "spec": specs.digest(cousins.spec),
        "spec's name": cousins.spec.name,
        "cousins' seed": cousins.seed,
        LEARNT_IN: train,
        HELD_OUT: held,
    }
