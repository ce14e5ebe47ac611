"""What cousins may vary: a name, a spread per family, how far things are moved; as TOML, some as presets.

    name = "mine"
    [cabinet.scale]
    width = 0.2                # multiplied by exp(uniform(-0.2, 0.2))
    [cabinet.choices]
    handle = ["bar", "knob"]
    [cabinet.chance]
    handle = 0.5
    [placement.shift]
    yaw = 0.1                  # rad

A family's words and how far each may go are its `widest` spread; what a spec does not name stays as it is.
"""

import hashlib
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.protocol import Spread

PRESETS = ("twin", "near", "medium", "far")
PLACEMENT = Spread(shift={"x": 2.0, "y": 2.0, "yaw": math.pi}, doubt=False)
"""How far a thing may be moved: to its right and inwards (m), turned about the vertical (rad)."""

_TABLES = ("scale", "shift", "choices", "chance")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")  # a folder of its own in any file system


class SpecError(PocketworldError):
    """A spec that says what can't be done."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What may vary.

    name        the first half of a cousin's id
    families    family's name -> spread; a family that is not named is drawn from the belief only
    placement   how far things are moved (`PLACEMENT` names the words)
    """

    name: str
    families: Mapping[str, Spread] = field(default_factory=dict)
    placement: Spread = field(default_factory=lambda: Spread(doubt=False))

    def spread(self, family: str) -> Spread:
        """Return the spread of a family: our doubt alone where the spec does not name it."""
        return self.families.get(family, Spread())


def preset(name: str) -> Spec:
    """Return a preset: "twin" (our doubt only), "near", "medium" or "far"."""
    if name not in PRESETS:
        raise SpecError(
            f"no preset {name!r}", f"there are {', '.join(PRESETS)}; --spec takes a file of your own"
        )
    text = (resources.files("pocketworld.cousins") / "presets" / f"{name}.toml").read_text()
    return parse(text, f"preset {name}")


def load(file: Path) -> Spec:
    """Read a spec of the user's own.

    Raises SpecError, in one line with file and field, for what is missing, unknown, of a wrong type, too far.
    """
    try:
        return parse(file.read_text(), str(file))
    except FileNotFoundError:
        raise SpecError(f"{file} does not exist", "give a TOML file with a spec") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{file} can't be read: {error}", "give a TOML file with a spec") from None


def parse(text: str, where: str) -> Spec:
    """Return the spec that a TOML text says; `where` names it in errors."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{where} is no TOML: {error}") from None
    name = checked_name(data.pop("name", None), where)
    widest = {family: registry.family(family).widest for family in registry.names()}
    allowed = {**widest, "placement": PLACEMENT}
    spreads = {key: _spread(data[key], _known(key, allowed, where), f"{where}: {key}") for key in data}
    placement = spreads.pop("placement", Spread(doubt=False))
    return Spec(name, spreads, placement)


def checked_name(name: object, where: str = "cousins") -> str:
    """Return the name of a spec or a set of cousins; `where` says in errors whose it is.

    Raises SpecError, in one line, for what can't be a folder's name and the first half of an id ("NAME/7").
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        allowed = "letters, digits, - and _, the first a letter or digit; 64 at most"
        raise SpecError(f"{where}: name is {name!r}", allowed)
    return name


def dump(spec: Spec) -> str:
    """Return the spec as TOML, from which `parse` makes the same spec."""
    lines = [f'name = "{spec.name}"']
    for key, spread in {**spec.families, "placement": spec.placement}.items():
        if key != "placement":
            lines += ["", f"[{key}]", f"doubt = {json.dumps(spread.doubt)}"]
        for table in _TABLES:
            words = getattr(spread, table)
            if words:
                lines += [
                    "",
                    f"[{key}.{table}]",
                    *(f"{word} = {_toml(value)}" for word, value in words.items()),
                ]
    return "\n".join(lines) + "\n"


def digest(spec: Spec) -> str:
    """Return the sha256 of what a spec says, whatever the order in which it says it."""
    return hashlib.sha256(json.dumps(asdict(spec), sort_keys=True).encode()).hexdigest()


def _known(key: str, allowed: Mapping[str, Spread], where: str) -> Spread:
    if key not in allowed:
        raise SpecError(f"{where}: unknown key {key!r}", f"known are name, {', '.join(sorted(allowed))}")
    return allowed[key]


def _spread(data: object, widest: Spread, where: str) -> Spread:
    """Return the checked spread that a TOML table says."""
    if not isinstance(data, dict):
        raise SpecError(f"{where} is {data!r}", f"a table of {', '.join(_TABLES)}")
    fields: dict[str, Mapping[str, object]] = {}
    for key, value in data.items():
        if key == "doubt" and widest.doubt and isinstance(value, bool):
            continue
        if key not in _TABLES:
            hint = "true or false" if key == "doubt" and widest.doubt else f"known are {', '.join(_TABLES)}"
            raise SpecError(
                f"{where}.{key} is {value!r}" if key == "doubt" else f"{where}: unknown key {key!r}", hint
            )
        if not isinstance(value, dict):
            raise SpecError(f"{where}.{key} is {value!r}", "a table of words and values")
        fields[key] = {
            word: _value(key, found, _limit(key, word, widest, where), f"{where}.{key}.{word}")
            for word, found in value.items()
        }
    return Spread(**fields, doubt=data.get("doubt", widest.doubt))  # type: ignore[arg-type]


def _limit(table: str, word: str, widest: Spread, where: str) -> object:
    words: Mapping[str, object] = getattr(widest, table)
    if word not in words:
        raise SpecError(f"{where}.{table}: unknown key {word!r}", f"known are {', '.join(words) or 'none'}")
    return words[word]


def _value(table: str, value: object, limit: object, where: str) -> object:
    """Return a value that lies within its limit."""
    if table == "choices":
        assert isinstance(limit, tuple)
        chosen = (
            isinstance(value, list) and value and all(isinstance(one, str) and one in limit for one in value)
        )
        if not chosen:
            raise SpecError(f"{where} is {value!r}", f"a list of some of {', '.join(limit)}")
        return tuple(value)  # type: ignore[arg-type]
    assert isinstance(limit, float | int)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= limit:  # type: ignore[operator]
        raise SpecError(f"{where} is {value!r}", f"a number from 0 to {limit:.4g}")
    return float(value)  # type: ignore[arg-type]


def _toml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)
