"""Cabinets mutated: drawn from the belief, varied on purpose, refused with reasons."""

import math
from collections import Counter
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.doubt import drawn
from pocketworld.families.cabinet.feasible import Reason, refusal
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.mutate import WIDEST, mutate
from pocketworld.families.cabinet.parameters import (
    MOVABLE,
    Cabinet,
    Chance,
    Front,
    FrontKind,
    HandleSpec,
    Split,
    fronts,
    layout,
)
from pocketworld.families.cabinet.plan import field, plan
from pocketworld.families.protocol import Draw, Refusal, Spread
from pocketworld.geometry.sweep import clean
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, JointKind, Material, Side

BOW = HandleSpec(HandleKind.BOW, 0.5, 0.5, 0.165, 0.010, 0.030)
KNOB = usual(HandleKind.KNOB)
UPRIGHT = usual(HandleKind.BAR, 0.9, 0.5, vertical=True)
DRAWER = Front(handle=BOW, friction=20.0)
LEFT = Front(FrontKind.DOOR, Side.LEFT, UPRIGHT, opening=1.7, friction=3.0)
RIGHT = Front(FrontKind.DOOR, Side.RIGHT, replace(UPRIGHT, u=0.1), opening=1.7, friction=3.0)
SHELF = Front(FrontKind.OPEN, handle=HandleSpec(HandleKind.NONE), opening=0.0)
PANEL = Front(FrontKind.FIXED, handle=HandleSpec(HandleKind.NONE), opening=0.0)
PAIR = Split(
    False,
    (1.0, 1.0),
    (
        Front(FrontKind.SLIDING, Side.RIGHT, replace(usual(HandleKind.RECESSED), u=0.2), opening=0.9),
        Front(FrontKind.SLIDING, Side.LEFT, replace(usual(HandleKind.RECESSED), u=0.8), opening=0.9),
    ),
)
PEDESTAL = Cabinet(
    0.438,
    0.784,
    0.559,
    Split(True, (0.052, 0.151, 0.1525, 0.1815), (DRAWER,) * 4),
    plinth=0.010,
    worktop=0.0145,
)
KITCHEN = Cabinet(
    1.4,
    0.55,
    0.86,
    Split(
        False,
        (0.4, 0.5, 0.5),
        (
            Split(True, (0.15, 0.6), (DRAWER, LEFT)),
            Split(True, (0.15, 0.3, 0.3), (DRAWER, DRAWER, DRAWER)),
            Split(True, (0.3, 0.4), (SHELF, Split(False, (1.0, 1.0), (LEFT, RIGHT)))),
        ),
    ),
    plinth=0.10,
    worktop=0.03,
)
WARDROBE = Cabinet(
    1.2, 0.6, 2.0, Split(True, (1.6, 0.2, 0.2), (PAIR, DRAWER, PANEL)), feet=0.08, gap=0.004, overlay=True
)
INSET = Cabinet(
    0.5, 0.4, 0.7, Front(FrontKind.DOOR, Side.LEFT, KNOB, opening=1.7, friction=20.0), overlay=False
)
TWINS = {"pedestal": PEDESTAL, "kitchen": KITCHEN, "wardrobe": WARDROBE, "inset": INSET}
ANY = pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)

DOUBTED = replace(
    PEDESTAL,
    sigma=0.003,
    grid=Split(
        True,
        (0.2, 0.3),
        (
            replace(
                DRAWER,
                chances=(
                    Chance(FrontKind.DRAWER, Side.NONE, 0.55),
                    Chance(FrontKind.DOOR, Side.TOP, 0.15),
                    Chance(FrontKind.FIXED, Side.NONE, 0.30),
                ),
            ),
            replace(
                LEFT,
                chances=(Chance(FrontKind.DOOR, Side.LEFT, 0.8), Chance(FrontKind.DOOR, Side.RIGHT, 0.2)),
            ),
        ),
    ),
)


def draws(index: int, seed: int = 0) -> Draw:
    return lambda name: stream(seed, "cousin", index, "cabinet", name)


def mutated(p: Cabinet, spread: Spread, count: int, seed: int = 0) -> list[Cabinet]:
    out = (mutate(p, spread, draws(i, seed)) for i in range(count))
    return [one for one in out if isinstance(one, Cabinet)]


def share(part: float) -> Spread:
    """Return a spread with every word, at a share of how far it may go."""
    return Spread(
        {k: v * part for k, v in WIDEST.scale.items()},
        {k: v * part for k, v in WIDEST.shift.items()},
        WIDEST.choices,
        {k: v * part for k, v in WIDEST.chance.items()},
    )


SPREADS = st.builds(
    lambda scale, shift, chance, choices, doubt: Spread(scale, shift, choices, chance, doubt),
    st.fixed_dictionaries({}, optional={k: st.floats(0, v) for k, v in WIDEST.scale.items()}),
    st.fixed_dictionaries({}, optional={k: st.floats(0, v) for k, v in WIDEST.shift.items()}),
    st.fixed_dictionaries({}, optional={k: st.floats(0, v) for k, v in WIDEST.chance.items()}),
    st.fixed_dictionaries(
        {},
        optional={
            k: st.lists(st.sampled_from(v), min_size=1, unique=True).map(tuple)
            for k, v in WIDEST.choices.items()
        },
    ),
    st.booleans(),
)


@given(st.sampled_from([*TWINS.values(), DOUBTED]), SPREADS, st.integers(0, 2**32))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_drawn_builds_opens_and_sweeps_or_has_a_reason(
    p: Cabinet, spread: Spread, seed: int
) -> None:
    out = mutate(p, spread, draws(0, seed))
    if isinstance(out, Refusal):
        assert out.reason in set(Reason)
        assert out.numbers
        assert all(math.isfinite(value) for value in out.numbers.values())
        return
    asset = build(out, "cabinet")
    assert clean(asset)
    certain = not spread.doubt or p is not DOUBTED
    assert asset.movable or not certain
    for joint in asset.movable:
        assert joint.range[1] > 0.02
        handle = asset.part(joint.child).handle
        assert handle is not None or spread.choices.get("handle") is not None
    if spread.doubt:
        assert out.sigma == 0
        assert not any(front.chances for _, front in fronts(out.grid))


@ANY
def test_a_spread_that_names_nothing_changes_nothing(twin: Cabinet) -> None:
    asset = build(twin, "cabinet")
    for doubt in (True, False):
        out = mutate(twin, Spread(doubt=doubt), draws(3))
        assert isinstance(out, Cabinet)
        assert layout(out.grid) == layout(twin.grid)
        for before, after in zip(asset.parts, build(out, "cabinet").parts, strict=True):
            assert after.pieces == before.pieces
            assert after.mass == before.mass


@ANY
def test_the_same_draws_give_the_same_cabinet(twin: Cabinet) -> None:
    spread = share(0.4)
    many = mutated(twin, spread, 6)
    assert mutated(twin, spread, 6) == many
    assert len(set(many)) == len(many) > 1


CONTINUOUS = ("width", "depth", "board", "front", "density")


@pytest.mark.parametrize("word", CONTINUOUS)
def test_one_more_word_shifts_no_other(word: str) -> None:
    alone = Spread(scale={word: 0.2})
    every = share(0.2)
    without = replace(every, chance={}, scale={k: min(v, 0.2) for k, v in every.scale.items()} | {word: 0.2})
    for i in range(6):
        a, b = mutate(PEDESTAL, alone, draws(i)), mutate(PEDESTAL, without, draws(i))
        assert isinstance(a, Cabinet)
        if isinstance(b, Cabinet):
            assert getattr(a, word) == getattr(b, word) != getattr(PEDESTAL, word)


def test_one_word_changes_one_thing() -> None:
    for word in CONTINUOUS:
        out = mutate(PEDESTAL, Spread(scale={word: 0.1}), draws(1))
        assert isinstance(out, Cabinet)
        changed = {f.name for f in fields(out) if getattr(out, f.name) != getattr(PEDESTAL, f.name)}
        assert changed - {"grid"} == {word}
    out = mutate(PEDESTAL, Spread(shift={"hue": 0.2, "value": 0.3}), draws(1))
    assert isinstance(out, Cabinet)
    assert replace(out, body=PEDESTAL.body, face=PEDESTAL.face, metal=PEDESTAL.metal) == PEDESTAL
    assert out.face != PEDESTAL.face


def test_sizes_are_drawn_evenly_on_a_logarithmic_scale() -> None:
    spread = Spread(scale={"width": 0.2, "density": 0.3})
    many = mutated(PEDESTAL, spread, 200)
    assert len(many) == 200
    for name, s in spread.scale.items():
        u = np.log([getattr(p, name) / getattr(PEDESTAL, name) for p in many])
        assert stats.kstest(u, stats.uniform(-s, 2 * s).cdf).pvalue > 1e-3
    assert abs(np.corrcoef([p.width for p in many], [p.density for p in many])[0, 1]) < 0.2


@ANY
def test_a_wider_spread_goes_further(twin: Cabinet) -> None:
    words = ("width", "depth", "height", "density")
    drawn = [mutated(twin, Spread(scale=dict.fromkeys(words, s)), 10) for s in (0.03, 0.1, 0.2)]
    for name in words:
        spreads = [np.std([getattr(p, name) for p in many]) for many in drawn]
        assert all(a < b for a, b in pairwise(spreads))


@ANY
def test_fronts_and_gaps_fill_the_face(twin: Cabinet) -> None:
    for p in mutated(twin, share(0.3), 12):
        whole, where = field(p), plan(p)
        seams = whole.width * whole.height - sum(c.face.width * c.face.height for c in where.cells)
        longest = (whole.width + whole.height) * len(where.cells)
        assert -1e-9 <= seams <= p.gap * longest
        for a, b in ((a, b) for a in where.cells for b in where.cells if a.path < b.path):
            over_x = min(a.face.x1, b.face.x1) - max(a.face.x0, b.face.x0)
            over_z = min(a.face.z1, b.face.z1) - max(a.face.z0, b.face.z0)
            assert min(over_x, over_z) <= 1e-9


@ANY
def test_designs_keep_what_opens(twin: Cabinet) -> None:
    many = mutated(twin, share(0.5), 40)
    assert len(many) >= 10
    assert all(any(front.kind in MOVABLE for _, front in fronts(p.grid)) for p in many)


@ANY
def test_friction_holds_in_a_cabinet_that_leans(twin: Cabinet) -> None:
    spread = Spread(scale={"friction": 2.0, "density": 0.5, "depth": 0.3})
    weak = replace(twin, grid=loose(twin.grid))
    for p in mutated(weak, spread, 10):
        asset = build(p, "cabinet")
        for joint in asset.movable:
            part = asset.part(joint.child)
            weight = 9.81 * part.mass * math.sin(math.radians(2))
            arm = np.linalg.norm(np.cross(joint.axis, np.subtract(part.com, joint.origin)))
            assert joint.frictionloss > weight * (arm if joint.kind is JointKind.HINGE else 1.0)


def loose(grid: Front | Split) -> Front | Split:
    if isinstance(grid, Front):
        return replace(grid, friction=0.01)
    return replace(grid, parts=tuple(loose(part) for part in grid.parts))


def test_kinds_come_as_often_as_the_belief_says() -> None:
    """Chi-square over many draws of each front."""
    spread, count = Spread(), 800
    seen: dict[str, Counter[tuple[str, str]]] = {"0": Counter(), "1": Counter()}
    for i in range(count):
        out = mutate(DOUBTED, spread, draws(i, seed=5))
        if isinstance(out, Cabinet):
            for path, front in fronts(out.grid):
                seen[path][front.kind, front.side] += 1
    for path, front in fronts(DOUBTED.grid):
        total = seen[path].total()
        assert total > 0.98 * count
        assert set(seen[path]) == {(c.kind, c.side) for c in front.chances}
        found = [seen[path][c.kind, c.side] for c in front.chances]
        assert stats.chisquare(found, [c.p * total for c in front.chances]).pvalue > 1e-3


def test_what_was_drawn_is_what_is_built() -> None:
    for i in range(20):
        out = mutate(DOUBTED, Spread(), draws(i))
        assert isinstance(out, Cabinet)
        asset = build(out, "cabinet")
        for path, front in fronts(out.grid):
            joint = next(j for j in asset.joints if j.id == path)
            assert joint.movable == (front.kind in MOVABLE)
            assert joint.belief.p(joint.kind) == 1.0


def test_edges_move_by_their_doubt() -> None:
    many = [mutate(DOUBTED, Spread(), draws(i)) for i in range(300)]
    cabinets = [p for p in many if isinstance(p, Cabinet)]
    edge = [next(c for c in plan(p).cells if c.path == "1").face.z1 for p in cabinets]
    top = [p.height for p in cabinets]
    deep = {p.depth for p in cabinets}
    assert np.std(top) == pytest.approx(math.sqrt(2) * 0.003, rel=0.15)
    assert np.std(edge) == pytest.approx(0.003, rel=0.5)
    assert deep == {DOUBTED.depth}
    sure = replace(DOUBTED, sigma=0.0)
    assert {mutate(sure, Spread(), draws(i)).height for i in range(5)} == {sure.height}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("u", "expected"), [(0.0, 0), (0.1999, 0), (0.2, 1), (0.69, 1), (0.7, 2), (0.9999999, 2)]
)
def test_chances_divide_the_unit_interval(u: float, expected: int) -> None:
    chances = tuple(Chance(FrontKind.DOOR, side, p) for side, p in zip(Side, (0.2, 0.5, 0.3), strict=False))
    assert drawn(chances, u) is chances[expected]


@pytest.mark.parametrize("kind", [kind for kind in HandleKind if kind is not HandleKind.NONE])
def test_each_kind_of_handle_is_fitted(kind: HandleKind) -> None:
    spread = Spread(choices={"handle": (kind.value,)}, chance={"handle": 1.0})
    for twin in (PEDESTAL, KITCHEN, INSET):
        out = mutate(twin, spread, draws(0))
        assert isinstance(out, Cabinet)
        asset = build(out, "cabinet")
        for joint in asset.movable:
            handle = asset.part(joint.child).handle
            assert handle is not None
            assert handle.kind is kind


def test_handles_are_chosen_that_fit_every_front() -> None:
    tray = replace(PEDESTAL, grid=Split(True, (0.03, 0.2, 0.2), (DRAWER,) * 3))
    spread = Spread(choices={"handle": ("recessed", "knob")}, chance={"handle": 1.0})
    for p in mutated(tray, spread, 6):
        assert {front.handle.kind for _, front in fronts(p.grid)} == {HandleKind.KNOB}
    large = Spread(choices={"handle": ("recessed",)}, chance={"handle": 1.0})
    found = [mutate(tray, large, draws(i)) for i in range(4)]
    assert {one.reason for one in found if isinstance(one, Refusal)} == {Reason.LOW}


def test_panels_get_no_handles() -> None:
    """Nor need a handle fit one: here the panel is too low for a cup."""
    p = replace(PEDESTAL, grid=Split(True, (0.025, 0.2, 0.2), (PANEL, DRAWER, DRAWER)))
    spread = Spread(
        scale={"handle_length": 0.1},
        shift={"handle_up": 0.01},
        choices={"handle": ("cup",)},
        chance={"handle": 1.0},
    )
    found = mutated(p, spread, 6)
    assert len(found) == 6
    for one in found:
        kinds = [(front.kind, front.handle.kind) for _, front in fronts(one.grid)]
        assert kinds[0] == (FrontKind.FIXED, HandleKind.NONE)
        assert {kind for _, kind in kinds[1:]} == {HandleKind.CUP}
        assert next(front for _, front in fronts(one.grid)) == PANEL


def test_doubt_and_design_draw_from_streams_of_their_own() -> None:
    def names(spread: Spread) -> set[str]:
        seen: set[str] = set()

        def draw(name: str) -> np.random.Generator:
            seen.add(name)
            return draws(0)(name)

        mutate(DOUBTED, spread, draw)
        return seen

    doubt, design = names(Spread()), names(replace(share(0.2), doubt=False))
    assert {"0/opening-doubt", "0/kind"} <= doubt
    assert "0/opening" in design or "0/swing" in design
    assert not doubt & design


def test_edge_profiles_stay_on_the_upper_edge() -> None:
    spread = Spread(shift={"handle_up": 0.05}, choices={"handle": ("edge",)}, chance={"handle": 1.0})
    for twin in (PEDESTAL, KITCHEN):
        for p in mutated(twin, spread, 8):
            asset = build(p, "cabinet")
            for joint in asset.movable:
                part = asset.part(joint.child)
                assert part.handle is not None
                assert part.front is not None
                assert part.handle.grip[2] > part.front.centre[2]


def test_a_handle_at_the_floor_is_out_of_reach() -> None:
    low = replace(KNOB, v=0.05)
    flat = replace(PEDESTAL, plinth=0.0, grid=Split(True, (0.3, 0.2), (DRAWER, replace(DRAWER, handle=low))))
    out = mutate(flat, Spread(scale={"depth": 0.01}), draws(0))
    assert isinstance(out, Refusal)
    assert (out.reason, out.numbers) == (Reason.GRASP, {"handles": 2.0, "blocked": 1.0})


def test_a_doors_handle_is_away_from_its_hinge() -> None:
    spread = Spread(choices={"handle": ("bar",)}, chance={"handle": 1.0})
    out = mutate(KITCHEN, spread, draws(0))
    assert isinstance(out, Cabinet)
    for _, front in fronts(out.grid):
        if front.kind is FrontKind.DOOR:
            assert (front.handle.u > 0.5) == (front.side is Side.LEFT)
            assert front.handle.vertical
        if front.kind is FrontKind.DRAWER:
            assert (front.handle.u, front.handle.v, front.handle.vertical) == (0.5, 0.5, False)


def only(**chance: float) -> Spread:
    return Spread(choices={"kind": ("drawer", "door", "sliding", "open")}, chance=chance, doubt=False)


def test_merging_makes_one_front_of_two() -> None:
    for p in mutated(PEDESTAL, only(merge=1.0), 20):
        assert isinstance(p.grid, Split)
        assert layout(p.grid) == "r[drawer drawer drawer]"
        assert sum(p.grid.sizes) == pytest.approx(0.537)
    for p in mutated(replace(INSET, grid=Split(True, (0.3, 0.3), (DRAWER, DRAWER))), only(merge=1.0), 5):
        assert layout(p.grid) in ("drawer", "r[drawer drawer]")


def test_dividing_makes_two_fronts_of_one() -> None:
    single = replace(INSET, width=0.9, grid=replace(LEFT, handle=KNOB), overlay=True)
    layouts = {layout(p.grid) for p in mutated(single, only(divide=1.0), 20)}
    assert layouts == {"r[door.left door.left]", "c[door.left door.right]"}
    for p in mutated(WARDROBE, only(divide=1.0), 5):
        assert layout(p.grid).startswith("r[c[sliding.right sliding.left] ")
        assert layout(p.grid).endswith(" fixed]")


def test_reordering_keeps_the_fronts() -> None:
    orders = set()
    for p in mutated(PEDESTAL, only(reorder=1.0), 20):
        assert isinstance(p.grid, Split)
        assert isinstance(PEDESTAL.grid, Split)
        assert sorted(p.grid.sizes) == sorted(PEDESTAL.grid.sizes)
        orders.add(p.grid.sizes)
    assert len(orders) > 5


def test_equal_fronts_are_equal() -> None:
    for p in mutated(PEDESTAL, only(equal=1.0), 3):
        heights = [cell.face.height for cell in plan(p).cells]
        assert np.ptp(heights) < 1e-12


def test_swapping_makes_other_kinds_and_pairs_of_sliding_doors() -> None:
    text = " ".join(layout(p.grid) for p in mutated(KITCHEN, only(swap=1.0), 40))
    assert all(kind in text for kind in ("door.left", "door.right", "drawer", "open"))
    single = replace(INSET, width=0.9, height=1.0)
    assert {layout(p.grid) for p in mutated(single, only(swap=1.0), 20)} == {"c[sliding.right sliding.left]"}


def test_what_becomes_a_door_feels_the_same_at_its_handle() -> None:
    soft = replace(INSET, height=0.45, grid=replace(DRAWER, handle=KNOB, damping=8.0, friction=20.0))
    spread = replace(only(swap=1.0), choices={"kind": ("door",)})
    for p in mutated(soft, spread, 4):
        assert isinstance(p.grid, Front)
        width = plan(p).cells[0].face.width
        lever = p.grid.handle.u if p.grid.side is Side.LEFT else 1 - p.grid.handle.u
        assert p.grid.friction == pytest.approx(20.0 * lever * width, rel=0.02)
        assert p.grid.damping == pytest.approx(8.0 * (lever * width) ** 2, rel=0.02)
        for back in mutated(p, replace(spread, choices={"kind": ("drawer",)}), 2):
            assert isinstance(back.grid, Front)
            assert back.grid.friction == pytest.approx(20.0)
            assert back.grid.damping == pytest.approx(8.0)


def test_what_was_a_shelf_gets_the_handle_of_the_others() -> None:
    shelves = replace(PEDESTAL, grid=Split(True, (0.2, 0.3), (SHELF, replace(DRAWER, handle=KNOB))))
    spread = replace(only(swap=1.0, column=0.5), choices={"kind": ("drawer",)})
    for p in mutated(shelves, spread, 6):
        assert {front.handle.kind for _, front in fronts(p.grid)} == {HandleKind.KNOB}
    bare = replace(PEDESTAL, height=0.4, grid=SHELF)
    for p in mutated(bare, spread, 4):
        assert all(front.handle.kind is HandleKind.BAR for _, front in fronts(p.grid))


def test_a_column_makes_it_wider() -> None:
    many = mutated(PEDESTAL, only(column=1.0), 20)
    for p in many:
        assert 1.6 <= p.width / PEDESTAL.width <= 2.0
        assert layout(p.grid).startswith("c[")
        faces = [c.face for c in plan(p).cells if c.front.kind is FrontKind.DRAWER and c.front.handle == BOW]
        assert all(face.width == pytest.approx(PEDESTAL.width, abs=0.01) for face in faces[:4])
    assert {layout(p.grid).index("r[") == 2 for p in many} == {True, False}


def test_sliding_pairs_stay_as_they_are() -> None:
    spread = replace(only(merge=1.0, divide=1.0, reorder=1.0, equal=1.0, swap=1.0), scale={"sizes": 0.5})
    for p in mutated(WARDROBE, spread, 10):
        assert "c[sliding.right sliding.left]" in layout(p.grid)


def test_a_base_lifts_the_fronts_and_keeps_their_size() -> None:
    spread = Spread(choices={"base": ("plinth", "feet", "floor")}, chance={"base": 1.0})
    seen = set()
    for p in mutated(PEDESTAL, spread, 20):
        seen.add((p.plinth > 0, p.feet > 0))
        heights = [cell.face.height for cell in plan(p).cells]
        assert heights == pytest.approx([cell.face.height for cell in plan(PEDESTAL).cells], abs=0.002)
    assert seen == {(True, False), (False, True), (False, False)}


def test_plinth_gap_and_mount_are_drawn() -> None:
    spread = Spread(
        shift={"plinth": 0.02, "gap": 0.002}, choices={"mount": ("inset",)}, chance={"mount": 1.0}
    )
    many = mutated(PEDESTAL, spread, 10)
    assert len({p.plinth for p in many}) > 3
    assert all(0 <= p.plinth <= 0.03 for p in many)
    assert all(0.001 <= p.gap <= 0.005 for p in many)
    assert all(p.height - p.plinth == pytest.approx(PEDESTAL.height - 0.010) for p in many)
    assert not any(p.overlay for p in many)


def test_openings_stay_usual() -> None:
    spread = Spread(shift={"opening": 0.3, "swing": 0.8})
    for p in mutated(KITCHEN, spread, 20):
        for _, front in fronts(p.grid):
            if front.kind is FrontKind.DOOR:
                assert 0.9 <= front.opening <= math.radians(120)
            if front.kind is FrontKind.DRAWER:
                assert 0.5 <= front.opening <= 0.9
    wide = replace(INSET, grid=replace(LEFT, handle=KNOB, opening=3.0))
    openings = [front.opening for p in mutated(wide, spread, 20) for _, front in fronts(p.grid)]
    assert 2.2 <= min(openings) <= max(openings) <= 3.0


def test_colours_stay_colours() -> None:
    spread = Spread(shift={"hue": 0.5, "saturation": 0.5, "value": 0.5, "roughness": 0.4})
    black = replace(PEDESTAL, body=Material((0.0, 0.0, 0.0), 0.0))
    for p in mutated(black, spread, 20):
        for material in (p.body, p.face, p.metal):
            assert all(0 <= c <= 1 for c in material.colour)
            assert 0 <= material.roughness <= 1
    assert len({p.face.colour for p in mutated(black, spread, 20)}) == 20


REFUSED: dict[Reason, tuple[Cabinet, Spread]] = {
    Reason.OUTER: (replace(PEDESTAL, width=3.5), Spread(scale={"width": 0.5})),
    Reason.NOTHING: (PEDESTAL, Spread(choices={"kind": ("open",)}, chance={"swap": 1.0, "equal": 1.0})),
    Reason.FRONTS: (replace(PEDESTAL, width=0.11, board=0.05), Spread(scale={"board": 0.3})),
    Reason.LOW: (
        PEDESTAL,
        Spread(scale={"sizes": 0.8}, choices={"handle": ("recessed",)}, chance={"handle": 1.0}),
    ),
    Reason.NARROW: (
        replace(KITCHEN, grid=Split(False, (0.06, 1.3), (LEFT, DRAWER))),
        Spread(scale={"sizes": 0.8}, choices={"handle": ("recessed",)}, chance={"handle": 1.0}),
    ),
    Reason.INSIDE: (replace(PEDESTAL, overlay=True), Spread(scale={"sizes": 0.8})),
    Reason.STUCK: (
        replace(
            KITCHEN,
            grid=Split(
                False,
                (1.0, 1.0),
                (
                    replace(DRAWER, handle=replace(KNOB, u=0.93)),
                    replace(LEFT, handle=replace(KNOB, u=0.07), opening=3.0),
                ),
            ),
        ),
        Spread(scale={"handle_standoff": 0.4, "width": 0.2}),
    ),
    Reason.GRASP: (
        replace(
            INSET,
            grid=Split(
                False,
                (1.0, 1.0),
                (
                    replace(LEFT, handle=replace(UPRIGHT, u=0.98)),
                    replace(RIGHT, handle=replace(UPRIGHT, u=0.02)),
                ),
            ),
        ),
        Spread(scale={"width": 0.2}),
    ),
    Reason.BUILD: (replace(KITCHEN, gap=0.001, front=0.03), Spread(scale={"front": 0.3, "width": 0.5})),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_each_reason_has_its_case(reason: Reason) -> None:
    p, spread = REFUSED[reason]
    found = [mutate(p, spread, draws(i)) for i in range(60)]
    refusals = [one for one in found if isinstance(one, Refusal) and one.reason == reason]
    assert refusals
    assert all(one.numbers for one in refusals)


def test_what_was_refused_could_not_be_built() -> None:
    """No refusal for room or handles is over-careful: forced, the cabinet does not build with its handles."""
    tray = replace(
        PEDESTAL, grid=Split(True, (0.02, 0.5), (replace(DRAWER, handle=usual(HandleKind.CUP)), DRAWER))
    )
    found = refusal(tray, tray)
    assert found is not None
    with pytest.raises(PocketworldError):
        build(tray, "cabinet")
