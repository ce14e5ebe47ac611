"""Families by name; parameters to plain JSON and back."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind, HandleSpec, Split
from pocketworld.families.protocol import Evidence, Family, Refusal, Site, Spread
from pocketworld.rng import stream
from pocketworld.scene import Asset, HandleKind, Part, Side

SITE = Site((2.0, 0.8, 2.3))
numbers = st.floats(allow_nan=False, allow_infinity=False)
sizes = st.floats(1e-3, 1e3)


@st.composite
def any_fronts(draw: st.DrawFn) -> Front:
    u, v, length, thickness, standoff = (draw(numbers) for _ in range(5))
    kind, vertical = draw(st.sampled_from(HandleKind)), draw(st.booleans())
    handle = HandleSpec(kind, u, v, length, thickness, standoff, vertical)
    chance = st.builds(Chance, st.sampled_from(FrontKind), st.sampled_from(Side), st.floats(0, 1))
    return Front(
        draw(st.sampled_from(FrontKind)),
        draw(st.sampled_from(Side)),
        handle,
        tuple(draw(st.lists(chance, max_size=3))),
        tuple(draw(st.lists(st.text(max_size=20), max_size=2))),
        *(draw(numbers) for _ in range(4)),
    )


def splits(parts: st.SearchStrategy[Front | Split]) -> st.SearchStrategy[Front | Split]:
    def make(rows: bool, both: list[tuple[Front | Split, float]]) -> Front | Split:
        return Split(rows, tuple(size for _, size in both), tuple(part for part, _ in both))

    return st.builds(make, st.booleans(), st.lists(st.tuples(parts, sizes), min_size=2, max_size=3))


grids = st.recursive(any_fronts(), splits, max_leaves=5)


@given(grids, st.lists(numbers, min_size=3, max_size=3), numbers)
def test_any_cabinet_comes_back_exactly_from_json(
    grid: Front | Split, outer: list[float], gap: float
) -> None:
    p = Cabinet(outer[0], outer[1], outer[2], grid, gap=gap)
    text = json.dumps(registry.to_json(p))
    assert registry.from_json("cabinet", json.loads(text)) == p


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from(registry.names()))
def test_every_family_builds_what_it_samples_and_gives_it_back(seed: int, name: str) -> None:
    family = registry.family(name)
    p = family.sample(lambda n: stream(seed, name, n), SITE)
    assert isinstance(p, family.parameters)
    asset = family.build(p, "thing")
    assert (asset.id, asset.family) == ("thing", name)
    assert registry.rebuild(asset) == p
    assert json.loads(json.dumps(asset.parameters)) == asset.parameters


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(registry.names()))
def test_every_family_mutates_into_itself_or_refuses(seed: int, name: str) -> None:
    family = registry.family(name)
    p = family.sample(lambda n: stream(seed, name, n), SITE)
    other = family.mutate(p, family.widest, lambda n: stream(seed, "mutate", n))
    assert isinstance(other, family.parameters | Refusal)
    same = family.mutate(p, Spread(), lambda n: stream(seed, "mutate", n))
    assert same == p


def test_names_are_known_and_families_are_kept() -> None:
    assert registry.names()[:2] == ("cabinet", "box")
    assert len(set(registry.names())) == len(registry.names())
    for name in registry.names():
        family: Family[Any] = registry.family(name)
        assert family.name == name
        assert registry.family(name) is family
    with pytest.raises(PocketworldError, match=r"^there is no family 'sofa'; families are cabinet, box, "):
        registry.family("sofa")


def test_what_no_family_built_has_no_parameters() -> None:
    solid = Asset("rock", "solid", {}, (Part("body", "body", (), (), 1.0, (0, 0, 0), (1, 1, 1, 0, 0, 0)),))
    with pytest.raises(PocketworldError, match="there is no family 'solid'"):
        registry.rebuild(solid)


def broken(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    grid = Split(True, (1.0, 2.0), (Front(chances=(Chance(FrontKind.DRAWER, Side.NONE, 1.0),)), Front()))
    data = registry.to_json(Cabinet(0.5, 0.5, 0.5, grid))
    change(data)
    return data


BAD: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (lambda d: d.update(colour="red"), "colour is unknown; a field is misspelt, or of a newer version"),
    (lambda d: d["body"].update(shine=1.0), "body.shine is unknown"),
    (lambda d: d["grid"]["parts"][0].update(knob=1), "grid.parts.0.knob is unknown"),
    (lambda d: d["grid"]["parts"][0]["chances"][0].update(q=0.5), "grid.parts.0.chances.0.q is unknown"),
    (lambda d: d["grid"].update(columns=True), "grid.columns is unknown"),
    (lambda d: d.pop("width"), "width: Field required"),
    (lambda d: d.update(width="wide"), "width: Input should be a valid number"),
    (lambda d: d.update(overlay=1), "overlay: Input should be a valid boolean"),
    (lambda d: d["metal"].update(colour=[0.1, 0.2]), "metal.colour"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[m[:25] for _, m in BAD])
def test_fields_that_do_not_belong_are_refused_in_one_line(
    change: Callable[[dict[str, Any]], None], message: str
) -> None:
    with pytest.raises(PocketworldError, match=f"^parameters of cabinet: {message}") as error:
        registry.from_json("cabinet", broken(change))
    assert "\n" not in str(error.value)


def nested(depth: int) -> object:
    inner: object = 1
    for _ in range(depth):
        inner = [inner]
    return inner


NO_JSON: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (lambda d: d["grid"]["parts"][0].update(kind="\ud800"), "surrogates not allowed"),
    (lambda d: d.update({"\ud800": 1}), "surrogates not allowed"),
    (lambda d: d.update(width=nested(300)), "depth exceeded"),
    (lambda d: d.update(width=nested(100_000)), "depth exceeded"),
    (lambda d: d.update(width=object()), "unknown type"),
    (lambda d: d["grid"]["parts"][1].update(kind=b"door"), r"grid\.parts\.1\.kind is of type bytes"),
    (lambda d: d["grid"].update(sizes={1.0, 2.0}), r"grid\.sizes is of type set"),
]


@pytest.mark.parametrize(("change", "message"), NO_JSON, ids=[str(i) for i in range(len(NO_JSON))])
def test_what_is_no_json_is_refused_in_one_line(
    change: Callable[[dict[str, Any]], None], message: str
) -> None:
    with pytest.raises(PocketworldError, match=f"^parameters of cabinet: no JSON: .*{message}") as error:
        registry.from_json("cabinet", broken(change))
    assert str(error.value).isprintable()


def test_a_kind_that_is_not_known_is_refused() -> None:
    data = broken(lambda d: d["grid"]["parts"][0].update(kind="curtain"))
    with pytest.raises(PocketworldError, match=r"^parameters of cabinet: grid\.") as error:
        registry.from_json("cabinet", data)
    assert "\n" not in str(error.value)


def test_what_is_left_out_is_as_the_family_says() -> None:
    given = {"width": 0.5, "depth": 0.4, "height": 0.3}
    assert registry.from_json("box", given) == Box(0.5, 0.4, 0.3)
    assert registry.from_json("cabinet", given) == Cabinet(0.5, 0.4, 0.3)


def test_a_family_proposes_from_evidence_what_it_can_build() -> None:
    empty = np.zeros((0, 3))
    seen = Evidence(empty, empty, np.zeros(0), empty, (0.5, 0.4, 0.3), (0.01, 0.01, 0.01))
    family = registry.family("box")
    (first,) = family.propose(seen)
    assert first.size == (0.5, 0.4, 0.3)
    assert family.residual(first, seen) == pytest.approx(np.zeros(3))
    assert family.residual(replace(first, width=0.52), seen) == pytest.approx((2, 0, 0))


@pytest.mark.parametrize("name", registry.names())
def test_what_nobody_looks_at_is_the_same_but_for_its_meshes(name: str) -> None:
    family = registry.family(name)
    for seed in range(4):
        p = family.sample(partial(stream, seed, "bare", name), Site((4.0, 2.0, 2.6)))
        seen, bare = family.build(p, "a"), family.build(p, "a", visual=False)
        assert all(part.meshes for part in seen.parts)
        assert not any(part.meshes for part in bare.parts)
        assert bare == replace(seen, parts=tuple(replace(part, meshes=()) for part in seen.parts))
