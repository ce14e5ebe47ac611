"""Where a run's front is parted: drawn lines of many runs."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.families.protocol import Line
from pocketworld.reconstruct.runs.modules import Front, Module, modules

HEIGHT, COLUMNS, BRIGHT, DARK = 0.75, 1000, 60.0, 12.0


def line(at: float, start: float = 0.0, end: float = HEIGHT, score: float = 0.9) -> Line:
    return Line(True, at, start, end, 0.001, score)


def front(width: float, *lines: Line, dark: tuple[float, ...] = (), **more: object) -> Front:
    """Return a front with some lines, dark at some places, evenly lit."""
    places = (np.arange(COLUMNS) + 0.5) * width / COLUMNS
    shade = np.zeros(COLUMNS)
    for at in dark:
        shade[np.abs(places - at) < 0.004] = DARK
    plain = Front(
        width, HEIGHT, lines, np.ones(COLUMNS), shade, np.full(COLUMNS, BRIGHT) - shade, (0.01, 0.01)
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def run(*widths: float) -> Front:
    gaps = np.cumsum(widths)[:-1].tolist()
    return front(sum(widths), *map(line, gaps), dark=tuple(gaps))


def edges(found: tuple[Module, ...]) -> list[float]:
    return [found[0].left, *(m.right for m in found)]


@given(st.lists(st.floats(0.25, 1.0), min_size=1, max_size=7))
def test_gaps_that_go_all_the_way_up_part_a_run_whatever_its_units_widths(widths: list[float]) -> None:
    found = modules(run(*widths))
    np.testing.assert_allclose([m.width for m in found], widths, atol=0.004)
    assert all(a.right == b.left for a, b in pairwise(found))


@given(st.permutations(range(5)))
def test_the_order_of_lines_does_not_matter(order: list[int]) -> None:
    whole = run(0.6, 0.45, 0.9, 0.3, 0.6, 0.5)
    mixed = replace(whole, lines=tuple(whole.lines[i] for i in order))
    assert modules(mixed) == modules(whole)


@given(st.lists(st.floats(0.25, 1.0), min_size=2, max_size=5))
def test_a_mirrored_run_is_parted_likewise(widths: list[float]) -> None:
    there, back = edges(modules(run(*widths))), edges(modules(run(*widths[::-1])))
    np.testing.assert_allclose(there, [sum(widths) - at for at in back[::-1]], atol=0.004)


def test_two_edges_with_a_board_between_them_are_one_gap_in_the_middle_of_the_dark() -> None:
    whole = front(1.2, line(0.588), line(0.612), dark=(0.592, 0.600, 0.608))
    left, right = modules(whole)
    assert left.right == pytest.approx(0.6, abs=0.003)
    assert left.sigma[1] > 0.001
    assert right.width == pytest.approx(0.6, abs=0.003)


def test_pieces_that_together_go_up_are_a_gap() -> None:
    pieces = (line(0.601, 0.0, 0.3), line(0.598, 0.28, 0.5), line(0.603, 0.5, HEIGHT))
    assert len(modules(front(1.2, *pieces, dark=(0.6,)))) == 2


@pytest.mark.parametrize("end", [0.1, 0.25, 0.35])
def test_edges_on_one_front_part_nothing(end: float) -> None:
    assert len(modules(front(0.9, line(0.4, 0.05, end), dark=(0.4,)))) == 1


def test_a_line_that_is_neither_dark_nor_a_step_parts_nothing() -> None:
    assert len(modules(front(0.9, line(0.45)))) == 1


def test_soft_light_is_no_step_but_another_colour_is() -> None:
    whole = front(1.2, line(0.6))
    soft = replace(whole, level=np.linspace(80, 40, COLUMNS))
    step = replace(whole, level=np.where(np.arange(COLUMNS) < COLUMNS / 2, 80.0, 40.0))
    assert len(modules(soft)) == 1
    assert len(modules(step)) == 2


def test_what_is_not_seen_speaks_neither_for_nor_against_a_gap() -> None:
    half = front(1.2, line(0.6, HEIGHT / 2, HEIGHT), dark=(0.6,))
    assert len(modules(half)) == 1
    assert len(modules(replace(half, known=np.full(COLUMNS, 0.5)))) == 2


def test_a_front_that_stands_open_tells_where_its_unit_ends() -> None:
    hidden = front(1.2, line(0.61, 0.5, HEIGHT))
    assert len(modules(hidden)) == 1
    left, _ = modules(replace(hidden, parted=(0.59,)))
    assert left.right == pytest.approx(0.61)
    left, _ = modules(front(1.2, parted=(0.59,)))
    assert left.right == pytest.approx(0.59)


def test_a_strip_at_an_unsure_end_is_no_unit() -> None:
    whole = front(1.25, line(0.05), line(0.65), dark=(0.05, 0.65), ends=(0.03, 0.03))
    assert [m.width for m in modules(whole)] == pytest.approx([0.6, 0.6], abs=0.004)


def test_of_two_places_too_near_for_a_unit_the_surer_is_the_gap() -> None:
    whole = front(1.2, line(0.6), line(0.66, 0.1, 0.6), dark=(0.6, 0.66))
    assert edges(modules(whole)) == pytest.approx([0, 0.6, 1.2], abs=0.004)


@pytest.mark.parametrize("turned", [False, True])
def test_a_dark_front_beside_the_frame_of_a_window_is_parted_from_it(turned: bool) -> None:
    """An oven: a bright frame of 5 cm, then glass as dark as the neighbour."""
    level = np.full(COLUMNS, 45.0)
    level[500:542] = level[958:] = 230.0
    whole = front(1.2, line(0.6), level=level[::-1] if turned else level)
    assert len(modules(whole)) == 2
