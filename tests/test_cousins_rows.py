"""Parameters as rows and back."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.cousins.rows import (
    DEEPEST,
    GONE,
    Row,
    Source,
    applied,
    decode,
    differences,
    encode,
    flatten,
    unflatten,
)
from pocketworld.errors import PocketworldError

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
NAMES = st.text("abcdefgh_", min_size=1, max_size=3)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, JSON, min_size=1, max_size=4)


def exactly(a: object, b: object) -> bool:
    return repr(a) == repr(b)


@given(JSON)
def test_leaves_bring_back_what_they_were(data: object) -> None:
    assert exactly(unflatten(flatten(data)), ordered(data))


def ordered(data: object) -> object:
    """Return the same, an object's fields in the order in which rows keep them: as they came."""
    if isinstance(data, dict):
        return {key: ordered(value) for key, value in data.items()}
    return [ordered(value) for value in data] if isinstance(data, list) else data


@given(OBJECTS, OBJECTS, OBJECTS)
def test_rows_make_the_cousin_of_the_twin(twin: object, believed: object, cousin: object) -> None:
    rows = differences(twin, believed, cousin, "thing")
    values = {row.path.removeprefix("thing/"): row.value for row in rows}
    made = applied(twin, values)
    assert made == cousin
    assert flatten(made) == flatten(cousin)


@given(OBJECTS, OBJECTS)
def test_what_the_belief_drew_is_the_beliefs(twin: object, believed: object) -> None:
    assert all(row.source is Source.BELIEF for row in differences(twin, believed, believed, "thing"))
    assert all(row.source is Source.SPEC for row in differences(twin, twin, believed, "thing"))
    assert differences(twin, believed, twin, "thing") == ()


@given(st.one_of(LEAVES, st.just([]), st.just({}), st.just(GONE)))
def test_leaves_survive_the_table(value: object) -> None:
    number, text = encode(value)
    assert number is None or text is None
    assert exactly(decode(number, text), value)


@pytest.mark.parametrize(
    ("value", "cells"),
    [
        (0.5, (0.5, None)),
        ("door", (None, "door")),
        (3, (None, "3")),
        (True, (None, "true")),
        ("12", (None, '"12"')),
        ("true", (None, '"true"')),
        ([], (None, "[]")),
        (None, (None, "null")),
        (GONE, (None, None)),
        ("[" * 100_000, (None, '"' + "[" * 100_000 + '"')),
        ("9" * 10_000, (None, '"' + "9" * 10_000 + '"')),
    ],
    ids=lambda value: str(value)[:20],
)
def test_cells_read_well(value: object, cells: tuple[float | None, str | None]) -> None:
    assert encode(value) == cells
    assert exactly(decode(*cells), value)


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, "9" * 10_000])
def test_cells_that_nothing_reads_are_an_error_of_values(text: str) -> None:
    with pytest.raises(ValueError, match=r"nested too deep|digits"):
        decode(None, text)


def test_a_path_without_end_is_refused() -> None:
    fits = "/".join("a" * DEEPEST)
    assert flatten(applied({"b": 0}, {fits: 1})) == {fits: 1, "b": 0}
    for keys in (DEEPEST + 1, 20_000):
        with pytest.raises(PocketworldError, match=f"^draws: a/a/.* has {keys} keys; at most 200$"):
            applied({}, {"/".join("a" * keys): 1})


def test_one_changed_leaf_is_one_row() -> None:
    twin = {
        "width": 0.4,
        "grid": {"parts": [{"kind": "drawer"}, {"kind": "drawer"}], "chances": [{"p": 1.0}]},
    }
    cousin = {"width": 0.4, "grid": {"parts": [{"kind": "door"}], "chances": []}}
    assert differences(twin, {**twin, "width": 0.5}, cousin, "cabinet") == (
        Row("cabinet/grid/chances", [], Source.SPEC),
        Row("cabinet/grid/parts/0/kind", "door", Source.SPEC),
        Row("cabinet/grid/parts/1/kind", GONE, Source.SPEC),
    )
    assert differences({"n": 1}, {"n": 1}, {"n": 1.0}, "x") == ()
    assert len(differences({"n": 1}, {"n": 1}, {"n": True}, "x")) == 1


def test_what_a_neighbour_stops_is_the_neighbours() -> None:
    twin, believed, free = ({"opening": q, "width": w} for q, w in ((1.5, 0.4), (1.7, 0.4), (1.7, 0.5)))
    cousin = {"opening": 1.2, "width": 0.5}
    assert differences(twin, believed, cousin, "cabinet", free) == (
        Row("cabinet/opening", 1.2, Source.NEIGHBOUR),
        Row("cabinet/width", 0.5, Source.SPEC),
    )
    assert [row.source for row in differences(twin, free, cousin, "c", free)] == [
        Source.NEIGHBOUR,
        Source.BELIEF,
    ]


@given(OBJECTS, OBJECTS)
def test_no_row_is_of_what_another_row_stands_for(twin: object, cousin: object) -> None:
    rows = differences(twin, twin, cousin, "x")
    replaced = [f"{row.path}/" for row in rows if row.value is not GONE]
    assert not [row for row in rows if row.path.startswith(tuple(replaced))]


@given(OBJECTS, OBJECTS)
def test_rows_below_a_leaf_that_is_given_change_nothing(twin: object, cousin: object) -> None:
    """Worlds of before have such: each leaf that is gone had a row of its own."""
    old, new = flatten(twin), flatten(cousin)
    every = {path: new.get(path, GONE) for path in {**old, **new}}
    assert applied(twin, every) == unflatten(new)


def test_what_no_row_is_of_is_not_copied() -> None:
    kept = {"sizes": [1.0, 2.0]}
    made = applied({"a": kept, "b": 1}, {"b": 2})
    assert made == {"a": kept, "b": 2}
    assert isinstance(made, dict)
    assert made["a"] is kept
    assert applied({"b": 1}, {"b": GONE}) == []
    assert applied({"a": {"b": 1}}, {"a//c": 3}) == {"a": {"b": 1, "": {"c": 3}}}


def test_a_path_that_many_cousins_have_is_kept_once() -> None:
    """Also where they come from other processes, each cousin by a pickle of its own."""
    several = [
        differences({"handle": {"length": 0.1}}, None, {"handle": {"length": value}}, f"{'cab'}inet")
        for value in (0.2, 0.3)
    ]
    sent = [pickle.loads(pickle.dumps(rows)) for rows in several]
    assert sent == several
    for (one,), (other,) in (several, sent):
        assert one.path == "cabinet/handle/length"
        assert one.path is other.path
