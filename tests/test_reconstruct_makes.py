"""Bars in a picture, which handles of a row to believe, and units made of divided fronts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.parameters import FrontKind, fronts
from pocketworld.families.protocol import SeenHandle
from pocketworld.reconstruct.fronts.belief import FIXED, Guess, believe
from pocketworld.reconstruct.fronts.bright import bars
from pocketworld.reconstruct.fronts.cabinets import stacked, trimmed
from pocketworld.reconstruct.fronts.grammar import Cell, Cut, bounds, cells
from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.reconstruct.runs.makes import joined, of_one_make, within_reach
from pocketworld.reconstruct.runs.units import Hull, between, unit
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, Side

Picture = NDArray[np.float32]
Box = tuple[float, float, float, float]  # left, low, right, high, m

GRID = FaceGrid(0.6, 0.7, 0.03, 0.0015)
BAR: Box = (0.2, 0.60, 0.38, 0.615)


def drawn(*boxes: Box, face: float = 90.0, bar: float = 200.0) -> Picture:
    """Return a face with bars on it, as a camera sees it."""
    out = np.full(GRID.shape, face)
    u, v = np.meshgrid(GRID.u, GRID.v)
    for left, low, right, high in boxes:
        out[(u > left) & (u < right) & (v > low) & (v < high)] = bar
    noise = stream(5, "noise").normal(0, 1.5, GRID.shape)
    return np.asarray(gaussian_filter(out, 1.5) + noise, np.float32)


def handle(u: float, v: float, **more: object) -> SeenHandle:
    plain = SeenHandle(HandleKind.BAR, u, v, 0.18, 0.012, 0.03, False, 1.0)
    return replace(plain, **more)  # type: ignore[arg-type]


# --- bars --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("face", "bar"), [(90.0, 200.0), (60.0, 110.0), (200.0, 60.0)])
def test_a_bar_is_found_where_it_is_lighter_or_darker(face: float, bar: float) -> None:
    (found,) = bars(drawn(BAR, face=face, bar=bar), GRID, ())
    assert not found.vertical
    assert (found.u, found.v) == pytest.approx((0.29, 0.6075), abs=0.003)
    assert found.length == pytest.approx(0.18, abs=0.008)


def test_an_upright_bar_is_found_as_well() -> None:
    (found,) = bars(drawn((0.52, 0.2, 0.535, 0.4)), GRID, ())
    assert found.vertical
    assert (found.u, found.v) == pytest.approx((0.5275, 0.3), abs=0.003)


@pytest.mark.parametrize("bar", [20.0, 90.0])
def test_the_slots_of_a_vent_are_no_bars(bar: float) -> None:
    slots = tuple((0.1, 0.5 + k * 0.02, 0.3, 0.508 + k * 0.02) for k in range(5))
    assert bars(drawn(*slots, bar=bar), GRID, ()) == ()


@pytest.mark.parametrize(
    "box",
    [(0.0, 0.3, 0.6, 0.315), (0.2, 0.2, 0.4, 0.4), (0.3, 0.3, 0.33, 0.312)],
    ids=["from edge to edge", "a patch", "a dot"],
)
def test_what_no_hand_takes_hold_of_is_no_bar(box: Box) -> None:
    assert bars(drawn(box), GRID, ()) == ()


def test_a_face_that_no_picture_shows_has_no_bars() -> None:
    assert bars(np.full(GRID.shape, np.nan, np.float32), GRID, ()) == ()


def test_a_bars_shadow_is_no_bar() -> None:
    picture = drawn(BAR)
    v, u = GRID.v[:, None], GRID.u
    picture[(v > 0.57) & (v < 0.585) & (u > 0.2) & (u < 0.38)] -= 50
    assert len(bars(picture, GRID, ())) == 1


# --- makes -------------------------------------------------------------------------------------------------


def test_what_depth_and_colour_both_see_is_one_handle() -> None:
    (found,) = joined([handle(0.30, 0.60, length=0.16)], [handle(0.30, 0.62, score=0.45)])
    assert found.v == pytest.approx(0.61)
    assert (found.length, found.score) == (0.18, 1.0)
    knob = handle(0.30, 0.60, kind=HandleKind.KNOB, length=0.03)
    (found,) = joined([knob], [handle(0.30, 0.62, score=0.45)])
    assert (found.v, found.kind) == (0.62, HandleKind.BAR)


@pytest.mark.parametrize("vertical", [False, True])
@pytest.mark.parametrize("swapped", [False, True])
def test_who_saw_a_part_of_a_bar_tells_nothing_of_its_middle_or_length(vertical: bool, swapped: bool) -> None:
    """Across it, both tell where it is."""
    whole = handle(0.30, 0.60, length=0.19, vertical=vertical)
    aside, along = (0.01, 0.05) if vertical else (0.05, 0.01)
    part = replace(whole, u=0.30 + aside, v=0.60 + along, length=0.09)
    (found,) = joined([part], [whole]) if swapped else joined([whole], [part])
    place = (0.305, 0.60) if vertical else (0.30, 0.605)
    assert (found.u, found.v) == pytest.approx(place)
    assert found.length == pytest.approx(0.19)


def test_what_only_one_sees_stays() -> None:
    assert len(joined([handle(0.3, 0.6)], [handle(0.3, 0.3)])) == 2
    assert joined([], []) == ()


def test_faint_handles_are_believed_if_they_are_like_the_sure_ones() -> None:
    sure, twin = handle(0.3, 0.6), handle(0.3, 0.4, score=0.3, length=0.17)
    ((kept,), (other,)) = of_one_make([(0.6, [sure]), (0.6, [twin])])
    assert (kept, other) == (sure, twin)
    for odd in (replace(twin, length=0.4), replace(twin, vertical=True), replace(twin, u=0.02)):
        assert of_one_make([(0.6, [sure]), (0.6, [odd])])[1] == ()


def test_faint_knobs_are_noise_and_sure_ones_are_knobs() -> None:
    knob = handle(0.3, 0.4, kind=HandleKind.KNOB, length=0.03, score=0.7)
    assert of_one_make([(0.6, [knob])]) == ((),)
    sure = replace(knob, score=0.95)
    assert of_one_make([(0.6, [sure, handle(0.3, 0.6)])])[0] == (sure, handle(0.3, 0.6))


@given(st.permutations(range(4)))
def test_units_are_judged_alike_in_any_order(order: list[int]) -> None:
    every = [
        (0.6, (handle(0.3, 0.6), handle(0.2, 0.3, score=0.3))),
        (0.5, (handle(0.2, 0.3, score=0.6, length=0.15),)),
        (0.4, (handle(0.2, 0.3, score=0.6, length=0.5),)),
        (0.4, ()),
    ]
    there = of_one_make(every)
    mixed = of_one_make([every[i] for i in order])
    assert mixed == tuple(there[i] for i in order)


def test_what_depth_and_colour_both_see_is_surer_than_either() -> None:
    depth, colour = handle(0.3, 0.6, score=0.8), handle(0.3, 0.6, score=0.45)
    (both,) = joined([depth], [colour])
    assert max(depth.score, colour.score) < both.score < 1
    (alone,) = joined([], [colour])
    assert alone.score == colour.score


def test_a_unit_s_own_sure_handle_tells_of_its_faint_ones() -> None:
    """A row of three makes: no length is that of most."""
    others = [(0.6, [handle(0.3, v, length=length) for v in (0.2, 0.4, 0.6)]) for length in (0.3, 0.2)]
    own = [handle(0.15, 0.5, length=0.11), handle(0.15, 0.3, length=0.11, score=0.45)]
    assert of_one_make([*others, (0.3, own)])[-1] == tuple(own)
    upright = [own[0], replace(own[1], vertical=True)]
    assert of_one_make([*others, (0.3, upright)])[-1] == (own[0],)
    long = [own[0], replace(own[1], length=0.16)]
    assert of_one_make([*others, (0.3, long)])[-1] == (own[0],)


def test_what_seems_to_be_a_handle_out_of_reach_is_none() -> None:
    low, high = handle(0.3, 0.1), handle(0.3, 0.62)
    assert within_reach([low, high], 0.7) == (low,)
    assert within_reach([low], 0.7) == (low,)


# --- units -------------------------------------------------------------------------------------------------

HULL = Hull((0.6, 0.58, 0.85), 0.1, 0.0, 0.05, False)
STACK = Cut(
    True,
    (
        Cell(0, 0.62, 0.6, 0.78, (handle(0.3, 0.7),)),
        Cell(0, 0.35, 0.6, 0.62, (handle(0.3, 0.5),)),
        Cell(0, 0.0, 0.6, 0.35, (handle(0.3, 0.2),)),
    ),
)


def nothing(_cell: Cell, _count: int) -> Guess:
    return Guess(*FIXED, (), ())


@given(st.floats(0.0, 0.15), st.floats(0.68, 0.85))
def test_a_division_fills_what_it_is_told_to_and_keeps_its_inner_lines(low: float, high: float) -> None:
    whole = between(STACK, low, high)
    assert (bounds(whole).v0, bounds(whole).v1) == (low, high)
    assert [c.v0 for c in cells(whole)] == [0.62, 0.35, low]


def test_rows_beyond_its_ends_are_gone() -> None:
    assert [c.v1 for c in cells(between(STACK, 0.0, 0.63))] == [0.63, 0.35]
    assert [c.v0 for c in cells(between(STACK, 0.34, 0.78))] == [0.62, 0.34]


def test_a_unit_fills_its_module_from_plinth_to_worktop() -> None:
    made = unit(STACK, replace(HULL, below=0.04), nothing)
    assert (made.height, made.plinth) == pytest.approx((0.85, 0.14))
    assert 0.6 - 0.006 < made.width < 0.6
    asset = build(made, "unit")
    tops = [f.centre[2] + f.height / 2 for p in asset.parts if (f := p.front)]
    np.testing.assert_allclose(tops, [0.85, 0.72, 0.45], atol=0.003)


def test_what_hangs_begins_where_its_fronts_do() -> None:
    made = unit(STACK, Hull((0.6, 0.35, 0.8), 0.0, 0.03, 0.0, True), nothing)
    assert (made.height, made.plinth) == pytest.approx((0.77, 0.0))


def test_a_guess_is_told_how_many_fronts_are_stacked() -> None:
    counts = []

    def guess(cell: Cell, count: int) -> Guess:
        counts.append(count)
        return nothing(cell, count)

    unit(STACK, HULL, guess)
    assert counts == [2, 2, 2]
    beside = Cut(False, (replace(STACK.parts[0], u1=0.3), replace(STACK.parts[1], u0=0.3)))  # type: ignore[arg-type]
    assert stacked(beside) == {}


def test_a_plinth_behind_boards_edges_is_a_plinth() -> None:
    """Without the boards' edges beside the fronts, what is below these lies at the end of the stack."""
    inner = Cut(True, (Cell(0.02, 0.05, 0.6, 0.78, (handle(0.3, 0.5),)), Cell(0.02, 0.0, 0.6, 0.05)))
    face = trimmed(Cut(False, (Cell(0, 0, 0.02, 0.78), inner)))
    assert face.below == pytest.approx(0.05)
    assert isinstance(face.tree, Cell)


# --- beliefs -----------------------------------------------------------------------------------------------


def test_a_kitchen_front_with_a_bar_on_top_may_be_many_things() -> None:
    front = Cell(0, 0, 0.6, 0.7, (handle(0.3, 0.65),))
    chances = believe(front, False, 0.0).chances
    assert max(c.p for c in chances) < 0.7
    likely = {(c.kind, c.side) for c in chances if c.p > 0.08}
    doors = {(FrontKind.DOOR, side) for side in (Side.LEFT, Side.RIGHT, Side.BOTTOM)}
    assert {*doors, (FrontKind.DRAWER, Side.NONE)} <= likely


@given(st.floats(0.1, 0.6), st.integers(1, 4))
def test_stacked_fronts_are_rather_drawers(height: float, count: int) -> None:
    cell = Cell(0, 0, 0.6, height, (handle(0.3, height / 2),))

    def drawer(stack: int) -> float:
        return sum(c.p for c in believe(cell, False, 0.0, stack).chances if c.kind is FrontKind.DRAWER)

    assert drawer(0) <= drawer(1) <= drawer(count) + 1e-12


def test_fronts_of_a_unit_are_named_in_order() -> None:
    made = unit(STACK, HULL, nothing)
    assert [path for path, _ in fronts(made.grid)] == ["0", "1", "2"]
