"""A cousin as rows: which of the twin's numbers and words became what, and what says so.

Nested parameters are flattened to paths: {"grid": {"parts": [{"kind": "door"}]}} has "grid/parts/0/kind".
A row says a leaf's new value, which stands for all that the twin has below it, too, or that the cousin has no
such leaf (`GONE`); the twin's other leaves stay.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from sys import intern
from typing import Any, Final

from pocketworld.errors import PocketworldError


class Gone(Enum):
    """The value of a leaf that is no more."""

    GONE = "gone"


GONE: Final = Gone.GONE


class Source(StrEnum):
    """Where a leaf comes from: what we do not know, what the spec varies, a neighbour that stops a door."""

    BELIEF = "belief"
    SPEC = "spec"
    NEIGHBOUR = "neighbour"


@dataclass(frozen=True, slots=True)
class Row:
    """One leaf of a cousin that differs from the twin's: "asset/parameter/...", its value, its source.

    Thousands of cousins have the same paths: each is kept once (`sys.intern`), or they would fill the memory.
    Also where rows come from other processes.
    """

    path: str
    value: object
    source: Source

    def __reduce__(self) -> tuple[Any, ...]:
        return _row, (self.path, self.value, self.source)


def _row(path: str, value: object, source: Source) -> Row:
    """Return a row whose path is kept once."""
    return Row(intern(path), value, source)


def flatten(data: object, path: str = "") -> dict[str, object]:
    """Return the leaves of plain JSON by path; an empty list or object is a leaf."""
    return dict(_leaves(data, path))


def _leaves(data: object, path: str) -> Iterator[tuple[str, object]]:
    """Give the leaves of plain JSON with their paths."""
    if isinstance(data, dict | Mapping) and data:
        items: Iterable[tuple[object, object]] = data.items()
    elif isinstance(data, list | tuple) and data:
        items = enumerate(data)
    else:
        yield path, list(data) if isinstance(data, tuple) else data
        return
    for key, value in items:
        at = f"{path}/{key}" if path else str(key)
        if isinstance(value, str | float | int):
            yield at, value
        else:
            yield from _leaves(value, at)


def unflatten(leaves: Mapping[str, object]) -> object:
    """Return the plain JSON whose leaves these are; keys that count from 0 make a list."""
    if "" in leaves:
        return leaves[""]
    inner: dict[str, dict[str, object]] = {}
    for path, value in leaves.items():
        key, _, rest = path.partition("/")
        inner.setdefault(key, {})[rest] = value
    if set(inner) == {str(i) for i in range(len(inner))}:
        return [unflatten(inner[str(i)]) for i in range(len(inner))]
    return {key: unflatten(below) for key, below in inner.items()}


def differences(
    twin: object, believed: object, cousin: object, at: str, free: object = None
) -> tuple[Row, ...]:
    """Return the rows that make the cousin's plain JSON of the twin's.

    believed   what the belief alone drew: a leaf that is the same there comes from the belief, any other from
               the spec
    free       the cousin as it was drawn, before neighbours stopped its doors: a leaf that is another there
               comes from the neighbour [as it is]
    """
    if twin is cousin:
        return ()
    old, new = flatten(twin), flatten(cousin)
    middle = new if believed is cousin else flatten(believed)
    drawn = new if free is None else flatten(free)

    def source(path: str, value: object) -> Source:
        if not same(value, drawn.get(path, GONE)):
            return Source.NEIGHBOUR
        return Source.BELIEF if same(value, middle.get(path, GONE)) else Source.SPEC

    now = ((path, new.get(path, GONE)) for path in sorted({**old, **new}))
    return tuple(
        Row(intern(f"{at}/{path}"), value, source(path, value))
        for path, value in now
        if not same(old.get(path, GONE), value) and not (value is GONE and _below(path, new))
    )


def _below(path: str, leaves: Mapping[str, object]) -> bool:
    """Say whether a path lies below one of some leaves."""
    while path:
        path = path.rpartition("/")[0]
        if path in leaves:
            return True
    return False


def same(a: object, b: object) -> bool:
    """Say whether two leaves are the same; 1 and 1.0 are, 1 and True aren't."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def applied(twin: object, rows: Mapping[str, object]) -> object:
    """Return the twin's plain JSON with its leaves replaced by rows (path -> value)."""
    if rows.get("", GONE) is not GONE:
        return rows[""]
    made = merged(GONE if "" in rows and not _children(twin) else twin, tree_of(rows.items()))
    return [] if made is GONE else made


Tree = dict[str | None, Any]
"""Rows by the keys of their paths: under each key the tree below it, under None the values right below."""

DEEPEST = 200  # keys of a path: JSON nested deeper is read by nothing here


def tree_of(rows: Iterable[tuple[str, object]]) -> Tree:
    """Return rows (path, value) as a tree; raises PocketworldError for a path of more than `DEEPEST` keys."""
    tree: Tree = {}
    nodes = {"": tree}  # by their paths, "a/b/": rows side by side mostly share them
    leaves: dict[str, dict[str, object]] = {}
    for path, value in rows:
        head, slash, last = path.rpartition("/")
        above = head + slash
        found = leaves.get(above)
        if found is None:
            if above.count("/") >= DEEPEST:
                raise PocketworldError(
                    f"draws: {path[:40]}... has {path.count('/') + 1} keys", f"at most {DEEPEST}"
                )
            found = leaves[above] = _node(nodes, above).setdefault(None, {})
        found[last] = value
    return tree


def _node(nodes: dict[str, Tree], path: str) -> Tree:
    """Return the node at a path that ends with "/", made with all above it where it is not there."""
    found = nodes.get(path)
    if found is None:
        head, slash, last = path[:-1].rpartition("/")
        found = nodes[path] = _node(nodes, head + slash).setdefault(last, {})
    return found


def merged(node: object, tree: Tree) -> object:
    """Return plain JSON with the rows below it applied, GONE if nothing is left; the rest is not copied."""
    inner = _children(node)
    if not inner and node is not GONE:
        return list(node) if isinstance(node, tuple) else node  # a leaf: what is below it is not there
    given = tree.get(None, {})
    count = len(inner)
    for key, value in given.items():
        if value is not GONE:
            inner[key] = list(value) if isinstance(value, tuple) else value
        elif not _children(inner.get(key, GONE)):
            inner.pop(key, None)
            count = -1
    for key, below in tree.items():
        if key is not None and given.get(key, GONE) is GONE:
            inner[key] = merged(inner.get(key, GONE), below)
            if inner[key] is GONE:
                del inner[key]
                count = -1
    if not inner:
        return GONE
    if count == len(inner) and isinstance(node, list | tuple):  # nothing came or went: still in order
        return list(inner.values())
    if "0" in inner and inner.keys() == {str(i) for i in range(len(inner))}:
        return [inner[str(i)] for i in range(len(inner))]
    return inner


def _children(node: object) -> dict[str, object]:
    """Return what plain JSON holds by key; nothing for a leaf."""
    if type(node) is dict:
        return dict(node)  # JSON's keys are text
    if isinstance(node, list | tuple):
        return {str(i): value for i, value in enumerate(node)}
    return {str(key): value for key, value in node.items()} if isinstance(node, Mapping) else {}


def encode(value: object) -> tuple[float | None, str | None]:
    """Return a leaf as (number, text): a float, or text that `decode` reads; GONE is (None, None).

    Words stand as they are; what JSON would read as something else (3, true, [], "12") stands as JSON.
    """
    if value is GONE:
        return None, None
    if isinstance(value, float):
        return value, None
    if isinstance(value, str) and not _is_json(value):
        return None, value
    return None, json.dumps(value)


def decode(number: float | None, text: str | None) -> object:
    """Return the leaf that `encode` wrote; raises ValueError for nesting or digits without end."""
    if text is None:
        return GONE if number is None else number
    try:
        return json.loads(text) if _is_json(text) else text
    except RecursionError:
        raise ValueError(f"{text[:40]}... is nested too deep") from None


def _is_json(text: str) -> bool:
    """Say whether JSON would read a text as something else, or tries and gives up."""
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    except (RecursionError, ValueError):  # nested too deep, digits without end
        return True
    return True
