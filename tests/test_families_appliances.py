"""Fridges and ovens: hollow boxes with thick walls, whose fronts open as believed and whose cousins work."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.appliance import HANDLES, together
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.joints import holding_friction
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind, Split
from pocketworld.families.fridge import DOOR, FREEZER, Fridge, FridgeFamily
from pocketworld.families.grasp import blocked
from pocketworld.families.oven import DOOR as FLAP
from pocketworld.families.oven import DRAWER, KNOB, PANEL, Oven, OvenFamily
from pocketworld.families.protocol import Draw, Evidence, Refusal, Site, Spread
from pocketworld.geometry.convex import Piece, span
from pocketworld.geometry.inertia import inertia
from pocketworld.geometry.sweep import clean
from pocketworld.rng import stream
from pocketworld.scene import Asset, HandleKind, JointKind, Scene, Side
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.models.stability import stand_alone

FRIDGES, OVENS = FridgeFamily(), OvenFamily()
FAMILIES: tuple[Any, ...] = (FRIDGES, OVENS)
SITE = Site((1.0, 0.75, 2.2))
COMBI = Fridge(0.6, 0.62, 1.85, (DOOR, FREEZER), (0.65, 0.35))
COOKER = Oven(0.6, 0.6, 0.88, (PANEL, FLAP, DRAWER), (0.12, 0.46, 0.2), plinth=0.07, hob=0.03, knobs=5)
seeds = st.integers(0, 10**6)
families = st.sampled_from(FAMILIES)


def draw(seed: int) -> Draw:
    return lambda name: stream(seed, "appliance", name)


@pytest.fixture(scope="module", params=FAMILIES, ids=["fridge", "oven"])
def sampled(request: pytest.FixtureRequest) -> tuple[Any, list[Any]]:
    family = request.param
    return family, [family.sample(draw(seed), SITE) for seed in range(64)]


def hollow(pieces: Sequence[Piece], points: np.ndarray) -> np.ndarray:
    """Return which points lie in none of some boxes."""
    low = np.array([piece.vertices.min(0) for piece in pieces])
    high = np.array([piece.vertices.max(0) for piece in pieces])
    within = np.asarray(((points[:, None] > low) & (points[:, None] < high)).all(2))
    return np.logical_not(within.any(axis=1))


# What is sampled


def test_they_fit_are_clean_can_be_pulled_and_come_back(sampled: tuple[Any, list[Any]]) -> None:
    family, many = sampled
    for p in many:
        asset = family.build(p, "it")
        assert (np.array([p.width, p.depth, p.height]) <= SITE.free).all()
        assert clean(asset)
        assert blocked(asset) == ()
        assert len(asset.movable) >= 1
        assert registry.from_json(family.name, json.loads(json.dumps(asset.parameters))) == p


def test_they_stand_and_stay_shut(sampled: tuple[Any, list[Any]]) -> None:
    family, many = sampled
    assert all(stand_alone(Scene("s", (family.build(p, "it"),))).still for p in many)


def test_they_hold_still_in_a_house_that_leans(sampled: tuple[Any, list[Any]]) -> None:
    family, many = sampled
    for p in many:
        asset = family.build(p, "it")
        for joint in asset.movable:
            part = asset.part(joint.child)
            lever = 1.0
            if joint.kind is JointKind.HINGE:
                lever = float(np.linalg.norm(np.cross(np.subtract(part.com, joint.origin), joint.axis)))
            assert joint.frictionloss >= holding_friction(part.mass, lever) * (1 - 1e-6)


def test_they_differ(sampled: tuple[Any, list[Any]]) -> None:
    family, many = sampled
    assert len({tuple(front.kind for front in p.fronts) for p in many}) >= 2
    assert len({p.width for p in many}) >= (4 if family is FRIDGES else 2)
    assert np.std([p.height for p in many]) > 0.1
    assert len({p.face for p in many}) >= 3


def test_fridges_open_to_both_sides_and_oven_doors_down() -> None:
    doors = [
        [f for seed in range(64) for f in family.sample(draw(seed), SITE).fronts if f.kind is FrontKind.DOOR]
        for family in FAMILIES
    ]
    assert {front.side for front in doors[0]} == {Side.LEFT, Side.RIGHT}
    assert {front.side for front in doors[1]} == {Side.BOTTOM}


def test_where_something_stands_above_there_is_no_hob() -> None:
    above = [OVENS.sample(draw(seed), replace(SITE, above=True)) for seed in range(24)]
    assert not any(p.hob for p in above)
    assert any(OVENS.sample(draw(seed), SITE).hob for seed in range(24))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_place_too_small_is_refused(family: Any) -> None:
    with pytest.raises(
        PocketworldError, match=rf"^no {family.name} fits into 0.3 x 0.75 x 2.2 m; leave it mo"
    ):
        family.sample(draw(0), replace(SITE, free=(0.3, 0.75, 2.2)))


# What is built


@settings(max_examples=30)
@given(seeds, families)
def test_they_are_hollow_behind_thick_walls(seed: int, family: Any) -> None:
    p = family.sample(draw(seed), SITE)
    asset = family.build(p, "it")
    corners = np.concatenate([q.vertices for q in asset.parts[0].pieces])
    assert corners[:, :2].max(0) == pytest.approx((p.width / 2, p.depth / 2))
    assert (corners[:, 2].min(), corners[:, 2].max()) == pytest.approx((0, p.height))
    points = stream(seed, "inside").uniform(-0.5, 0.5, (2000, 3)) * (p.width, p.depth, p.height)
    points[:, 2] += p.height / 2
    wall = np.abs(points[:, 0]) > p.width / 2 - p.wall
    deep = (points[:, 1] > p.door - p.depth / 2) & (np.abs(points[:, 2] - p.height / 2) < 0.3 * p.height)
    free = hollow(asset.parts[0].pieces, points)
    assert not free[wall & deep].any()
    assert free[~wall & deep].mean() > 0.6
    assert sum(part.mass for part in asset.parts) < 130


def test_the_front_is_divided_as_the_heights_say() -> None:
    fronts = [part.front for part in FRIDGES.build(COMBI, "f").parts[1:]]
    heights = [front.height for front in fronts if front]
    assert len(heights) == 2
    assert heights[0] / sum(heights) == pytest.approx(0.65)
    assert sum(heights) == pytest.approx(COMBI.height - COMBI.feet - 2 * COMBI.gap)
    assert [part.role for part in OVENS.build(COOKER, "o").parts] == ["body", "panel", "door", "drawer"]


def test_an_oven_has_a_rack_a_window_knobs_and_plates() -> None:
    asset = OVENS.build(COOKER, "o")
    plain = build(OVENS.box(COOKER), "o")
    body, panel, door, drawer = (
        (len(a.pieces) - len(b.pieces), len(a.meshes) - len(b.meshes), a.mass - b.mass)
        for a, b in zip(asset.parts, plain.parts, strict=True)
    )
    assert body[:2] == (1, 2)
    assert 0.5 < body[2] < 2
    assert panel[:2] == (COOKER.knobs, 1)
    assert panel[2] > 0
    assert list(door) == [0, 1, 0]
    assert list(drawer) == [0, 0, 0]
    knobs = np.concatenate([q.vertices for q in asset.parts[1].pieces[1:]])
    assert np.ptp(knobs[:, 2]) == pytest.approx(2 * KNOB)
    assert knobs[:, 0].sum() == pytest.approx(0)
    assert [j.belief for j in asset.joints] == [j.belief for j in plain.joints]


def test_bodies_as_one_weigh_what_their_pieces_do() -> None:
    a, b = [span((0, 0, 0), (1, 2, 3))], [span((2, 0, 1), (3, 1, 2)), span((-1, 0, 0), (0, 1, 1))]
    whole = inertia([*a, *b], [3.0, 5.0, 5.0])
    mass, com, moments = together([inertia(a, [3.0]), inertia(b, [5.0, 5.0])])
    assert mass == pytest.approx(whole[0])
    assert com == pytest.approx(whole[1])
    assert moments == pytest.approx(whole[2])


BAD: list[tuple[Any, str]] = [
    (replace(COMBI, heights=(1.0,)), r"fridge: 2 fronts of heights 1; 1 to 6 fronts, each with a height"),
    (replace(COMBI, heights=(1.0, -1.0)), r"fridge: 2 fronts of heights 1, -1"),
    (replace(COMBI, fronts=(), heights=()), r"fridge: 0 fronts of heights ;"),
    (replace(COMBI, width=math.nan), r"fridge: width is nan; a number, more than 0"),
    (replace(COMBI, wall=0.4), r"fridge: no room inside 0.6 x 0.62 x 1.85 m"),
    (replace(COMBI, fronts=(DOOR, replace(DOOR, side=Side.NONE))), r"fridge: front 1: the side of a door"),
    (replace(COOKER, knobs=-1), r"oven: it has -1 knobs; 0 to 12"),
    (replace(COOKER, depth=0.09), r"oven: no room inside 0.6 x 0.09"),
    (replace(COOKER, heights=(0.001, 0.46, 0.2)), r"oven: "),
]


@pytest.mark.parametrize(("p", "message"), BAD, ids=[m[:30] for _, m in BAD])
def test_what_is_none_is_refused_in_one_line(p: Any, message: str) -> None:
    family: Any = FRIDGES if isinstance(p, Fridge) else OVENS
    with pytest.raises(PocketworldError, match=f"^{message}") as error:
        family.build(p, "it")
    assert "\n" not in str(error.value)


# Belief

CHANCES = (
    Chance(FrontKind.DOOR, Side.LEFT, 0.55),
    Chance(FrontKind.DOOR, Side.RIGHT, 0.25),
    Chance(FrontKind.DRAWER, Side.NONE, 0.15),
    Chance(FrontKind.FIXED, Side.NONE, 0.05),
)


def test_what_is_believed_of_a_front_is_in_its_joint_and_drawn() -> None:
    unsure = replace(
        COMBI, fronts=(replace(DOOR, chances=CHANCES, evidence=("a seal",)), FREEZER), sigma=0.01
    )
    joint = FRIDGES.build(unsure, "f").joints[0]
    assert joint.belief.p(JointKind.HINGE, Side.LEFT) == pytest.approx(0.55)
    assert joint.belief.p(JointKind.SLIDE) == pytest.approx(0.15)
    assert joint.belief.evidence == ("a seal",)
    out = [FRIDGES.mutate(unsure, Spread(), draw(seed)) for seed in range(400)]
    made = [q for q in out if isinstance(q, Fridge)]
    assert len(made) >= 0.97 * len(out)
    found = Counter((q.fronts[0].kind, q.fronts[0].side) for q in made)
    expected = [len(made) * chance.p for chance in CHANCES]
    assert chisquare([found[c.kind, c.side] for c in CHANCES], expected).pvalue > 0.001
    assert all(q.sigma == 0 and q.fronts[0].chances == () for q in made)
    assert np.std([q.height for q in made]) == pytest.approx(math.sqrt(2) * 0.01, rel=0.2)


# Mutation


@settings(max_examples=40)
@given(seeds, families)
def test_a_mutation_keeps_its_fronts_and_works(seed: int, family: Any) -> None:
    p = family.sample(draw(seed), SITE)
    assert family.mutate(p, Spread(), draw(seed)) == p
    q = family.mutate(p, family.widest, draw(seed + 1))
    assert isinstance(q, family.parameters | Refusal)
    if isinstance(q, Refusal):
        return
    assert [(f.kind, f.side) for f in q.fronts] == [(f.kind, f.side) for f in p.fronts]
    assert (q.wall, q.door, q.gap) == (p.wall, p.door, p.gap)
    asset = family.build(q, "it")
    assert clean(asset)
    assert blocked(asset) == ()
    assert registry.rebuild(asset) == q


def test_most_mutations_can_be_and_they_differ(sampled: tuple[Any, list[Any]]) -> None:
    family, many = sampled
    out = [family.mutate(p, family.widest, draw(seed)) for seed, p in enumerate(many)]
    made = [q for q in out if not isinstance(q, Refusal)]
    assert len(made) >= 48
    kinds = {f.handle.kind for q in made for f in q.fronts if f.kind is not FrontKind.FIXED}
    assert kinds == set(map(HandleKind, HANDLES))


def test_words_of_cabinets_that_would_make_something_else_are_left_out() -> None:
    spread = Spread(
        chance={"merge": 1.0, "divide": 1.0, "swap": 1.0, "column": 1.0}, choices={"kind": ("open",)}
    )
    p = FRIDGES.sample(draw(3), SITE)
    assert FRIDGES.mutate(p, spread, draw(4)) == p


# Evidence


def test_it_proposes_what_was_found_in_the_size_seen() -> None:
    none = np.zeros((0, 3))
    seen = Evidence(none, none, np.zeros(0), none, (0.7, 0.65, 1.9), (0.01, 0.01, 0.01))
    (plain,) = FRIDGES.propose(seen)
    assert (plain.width, plain.depth, plain.height, plain.fronts) == (0.7, 0.65, 1.9, (DOOR,))
    assert FRIDGES.residual(plain, seen) == pytest.approx(np.zeros(3))
    unsure = replace(DOOR, chances=CHANCES)
    rows = Cabinet(0.6, 0.6, 1.8, Split(True, (2.0, 1.0), (unsure, FREEZER)))
    columns = Cabinet(0.6, 0.6, 1.8, Split(False, (1.0, 1.0), (DOOR, DOOR)))
    found = FRIDGES.propose(replace(seen, layouts=((0.2, COMBI), (0.3, rows), (0.5, columns))))
    assert [p.fronts for p in found] == [(unsure, FREEZER), (DOOR, FREEZER)]
    assert found[0].heights == (2.0, 1.0)
    assert OVENS.propose(seen)[0].width == 0.7


# The expert


def opened(assets: list[Asset], joints: list[str]) -> list[bool]:
    env = WorldEnv([Scene(f"s{i}", (asset,)) for i, asset in enumerate(assets)], threads=2)
    env.reset(seed=0, options={"joint": joints})
    won, live = np.zeros(len(assets), bool), np.ones(len(assets), bool)
    while live.any():
        _, _, ended, cut, _ = env.step(expert(env.worlds))
        won |= ended & live
        live &= ~(ended | cut)
    env.close()
    return [bool(w) for w in won]


def test_the_expert_opens_them() -> None:
    pairs = []
    for family in FAMILIES:
        for seed in range(12):
            asset = family.build(family.sample(draw(seed), SITE), "it")
            pairs += [(asset, f"it/{joint.id}") for joint in asset.movable]
    won = opened([asset for asset, _ in pairs], [joint for _, joint in pairs])
    assert np.mean(won) >= 0.95


def test_a_front_without_a_handle_stays_without() -> None:
    bare = Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.NONE), opening=1.7)
    q = FRIDGES.mutate(replace(COMBI, fronts=(bare,), heights=(1.0,)), Spread(shift={"hue": 0.5}), draw(0))
    assert isinstance(q, Fridge)
    assert q.fronts[0].handle.kind is HandleKind.NONE
