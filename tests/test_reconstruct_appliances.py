"""Appliances against cabinets: how probable, what their fronts are then, and what is told."""

from dataclasses import replace

import pytest

from pocketworld.families.cabinet.parameters import Chance, FrontKind
from pocketworld.families.fridge import Fridge
from pocketworld.families.oven import DOOR, Oven
from pocketworld.findings import Severity
from pocketworld.reconstruct.fronts.belief import BOTTOM, DRAWER, FIXED, Guess
from pocketworld.reconstruct.runs.appliances import (
    SUREST,
    UNSEEN_HANDLE,
    Rival,
    guessed,
    held,
    mixed,
    probability,
    told,
)
from pocketworld.scene import HandleKind

LOOKS = Guess(*DRAWER, (Chance(*DRAWER, 0.7), Chance(*FIXED, 0.3)), ("look: level handle",))


def test_what_explains_nothing_more_stays_as_common_as_it_is() -> None:
    assert probability(0.08, 0.0) == pytest.approx(0.08)


def test_odds_are_even_where_the_lead_makes_up_for_the_prior() -> None:
    assert probability(0.2, 1.3862943611) == pytest.approx(0.5)


def test_it_grows_with_the_lead_and_never_is_certain() -> None:
    found = [probability(0.1, lead) for lead in (-50, -3, 0, 3, SUREST, 50)]
    assert found[:5] == sorted(found[:5])
    assert found[4] == found[5] < 1
    assert found[0] > 0


def test_what_is_no_picture_s_is_not_limited() -> None:
    assert probability(0.1, 50, -20) < 1e-3


@pytest.mark.parametrize("p", [0.0, 0.3, 0.9, 1.0])
def test_a_front_is_both_as_far_as_the_unit_is(p: float) -> None:
    chances = {(c.kind, c.side): c.p for c in mixed(p, {BOTTOM: 0.8, FIXED: 0.2}, LOOKS, "why").chances}
    assert sum(chances.values()) == pytest.approx(1.0)
    assert chances.get(BOTTOM, 0.0) == pytest.approx(0.8 * p)
    assert chances.get(DRAWER, 0.0) == pytest.approx(0.7 * (1 - p))
    assert chances[FIXED] == pytest.approx(0.2 * p + 0.3 * (1 - p))


def test_one_acts_on_the_likelier() -> None:
    kinds = [mixed(p, {BOTTOM: 1.0}, LOOKS, "why").kind for p in (0.1, 0.9)]
    assert kinds == [FrontKind.DRAWER, FrontKind.DOOR]


def test_why_comes_before_how_it_looks() -> None:
    assert mixed(0.5, {BOTTOM: 1.0}, LOOKS, "why").evidence == ("why", "look: level handle")


@pytest.mark.parametrize(
    ("family", "p"), [("oven", Oven(0.6, 0.58, 0.82)), ("fridge", Fridge(0.6, 0.62, 1.8))]
)
def test_what_is_held_is_of_its_family_and_lies_still(family: str, p: object) -> None:
    both = held(family, p, "it")
    assert both is not None
    assert (both[1].family, both[1].id) == (family, "it")
    again = held(family, both[0], "it")
    assert again is not None
    assert again[0] == both[0]


def test_what_can_t_be_built_is_none() -> None:
    assert held("oven", Oven(0.6, 0.58, 0.1), "it") is None


@pytest.mark.parametrize(
    ("p", "chosen", "codes"),
    [
        (0.99, "oven", ["family-chosen"]),
        (0.7, "oven", ["family-chosen", "family-open"]),
        (0.3, "cabinet", ["family-open"]),
        (0.01, "cabinet", []),
        (0.95, "cabinet", ["appliance-unbuildable"]),
        (0.7, "cabinet", ["appliance-unbuildable", "family-open"]),
    ],
)
def test_what_was_chosen_is_told_and_what_stayed_open(p: float, chosen: str, codes: list[str]) -> None:
    said = list(told([Rival("oven", p, (), "a window")], chosen, "reconstruct", "unit"))
    assert [f.code for f in said] == codes
    assert all(f.subject == "unit" and "a window" in f.text for f in said)
    serious = {"family-open", "appliance-unbuildable"}
    assert all((f.severity is Severity.DEGRADED) is (f.code in serious) for f in said)


def test_a_handle_and_feet_that_nobody_saw_are_told_as_guessed() -> None:
    bare, seen = replace(DOOR, evidence=("look", UNSEEN_HANDLE)), replace(DOOR, evidence=("look",))
    none = replace(bare, handle=replace(DOOR.handle, kind=HandleKind.NONE))
    said = list(guessed(Oven(0.6, 0.58, 0.82, (seen, bare, none)), "reconstruct", "unit"))
    assert [(f.code, f.severity, f.subject) for f in said] == [("handle-guessed", Severity.NOTE, "unit")]
    assert "front 1 " in said[0].text
    (feet,) = guessed(Fridge(0.6, 0.62, 1.8, (seen, seen), feet=0.03), "reconstruct", "unit")
    assert (feet.code, feet.severity, feet.numbers) == ("feet-guessed", Severity.NOTE, {"feet_m": 0.03})
