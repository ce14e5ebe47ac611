"""A family's parameters as plain JSON and back, exactly; unknown fields are refused."""

from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from pocketworld.errors import PocketworldError

P = TypeVar("P")


def to_json(p: Any) -> dict[str, Any]:
    """Return frozen parameters as dicts, lists, numbers and text."""
    made: dict[str, Any] = _known(cast(Hashable, type(p))).serializer.to_python(
        p, mode="json", warnings=False
    )
    return made


def from_json(kind: type[P], data: Mapping[str, object], what: str) -> P:
    """Return the parameters that `to_json` wrote; what: for the error, whose they are.

    Raises PocketworldError in one line where a field is unknown, missing or of the wrong type, or no JSON.
    """
    from pydantic import ValidationError
    from pydantic_core import PydanticSerializationError
    from pydantic_core import to_json as text

    known = _known(cast(Hashable, kind))
    try:
        p: P = known.validator.validate_json(text(data), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "all of it"
        raise PocketworldError(f"parameters of {what}: {place}: {first['msg']}") from None
    except PydanticSerializationError as error:  # a lone surrogate, nesting without end, an object
        why = " ".join(str(error).split())
        raise PocketworldError(f"parameters of {what}: no JSON: {why}") from None
    kept = to_json(p)
    if kept == data:
        return p
    if strange := _no_json(data, ""):  # bytes and sets, which pydantic writes as text and lists
        raise PocketworldError(f"parameters of {what}: no JSON: {strange}")
    if extra := _unknown(data, kept, ""):
        raise PocketworldError(
            f"parameters of {what}: {extra} is unknown", "a field is misspelt, or of a newer version"
        )
    return p


@cache
def _known(kind: Hashable) -> Any:
    """Return pydantic's reader and writer of a class; made on demand, as pydantic takes long to import."""
    from pydantic import TypeAdapter

    return TypeAdapter(cast(type[Any], kind))


def _no_json(given: object, place: str) -> str:
    """Return where something is of a type that JSON has not, and its name, or nothing."""
    if isinstance(given, Mapping):
        items: Iterable[tuple[object, object]] = given.items()
    elif isinstance(given, list | tuple):
        items = enumerate(given)
    else:
        plain = given is None or isinstance(given, str | int | float)
        return "" if plain else f"{place} is of type {type(given).__name__}"
    return next(filter(None, (_no_json(v, f"{place}.{k}" if place else str(k)) for k, v in items)), "")


def _unknown(given: object, kept: object, place: str) -> str:
    """Return where something was given that was not kept, or nothing."""
    if isinstance(given, Mapping) and isinstance(kept, Mapping):
        for name, value in given.items():
            inner = f"{place}.{name}" if place else str(name)
            if name not in kept:
                return inner
            if found := _unknown(value, kept[name], inner):
                return found
    if isinstance(given, list | tuple) and isinstance(kept, list):
        for i, (a, b) in enumerate(zip(given, kept, strict=True)):
            if found := _unknown(a, b, f"{place}.{i}"):
                return found
    return ""
