"""Where fronts, gaps, cavities and dividers lie."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Grid, Split, fronts
from pocketworld.families.cabinet.plan import Plan, Rect, divided, field, inside, plan
from pocketworld.scene import Side

DRAWER, DOOR, SLIDING = Front(), Front(FrontKind.DOOR, Side.LEFT), Front(FrontKind.SLIDING, Side.RIGHT)
RIGHT = Front(FrontKind.DOOR, Side.RIGHT)
OPEN, FIXED = Front(FrontKind.OPEN), Front(FrontKind.FIXED)

leaves = st.sampled_from([DRAWER, DOOR, RIGHT, SLIDING, OPEN, FIXED])


def splits(parts: st.SearchStrategy[Grid]) -> st.SearchStrategy[Grid]:
    def make(rows: bool, both: list[tuple[Grid, float]]) -> Grid:
        return Split(rows, tuple(size for _, size in both), tuple(part for part, _ in both))

    return st.builds(
        make, st.booleans(), st.lists(st.tuples(parts, st.floats(0.5, 2)), min_size=2, max_size=3)
    )


grids = st.recursive(leaves, splits, max_leaves=8)


@st.composite
def cabinets(draw: st.DrawFn) -> Cabinet:
    """Return large cabinets of any grid: what is small may have no room."""
    return Cabinet(
        draw(st.floats(4, 6)),
        draw(st.floats(0.4, 0.8)),
        draw(st.floats(4, 6)),
        draw(grids),
        plinth=draw(st.sampled_from([0.0, 0.1])),
        plinth_setback=draw(st.sampled_from([0.0, 0.05])),
        feet=draw(st.sampled_from([0.0, 0.08])),
        worktop=draw(st.sampled_from([0.0, 0.03])),
        gap=draw(st.floats(0, 0.005)),
        overlay=draw(st.booleans()),
    )


def faces(where: Plan) -> np.ndarray:
    return np.array([(c.face.x0, c.face.x1, c.face.z0, c.face.z1) for c in where.cells])


def area(rect: Rect) -> float:
    return rect.width * rect.height


def gaps(grid: Grid, rect: Rect, gap: float) -> float:
    """Return the area of the gaps that a grid leaves in its rectangle, m²."""
    if isinstance(grid, Front):
        return 0.0
    extent = rect.height if grid.rows else rect.width
    free = extent - gap * (len(grid.parts) - 1)
    total, at = 0.0, 0.0
    for part, size in zip(grid.parts, grid.sizes, strict=True):
        length = free * size / sum(grid.sizes)
        inner = Rect(0, rect.width, 0, length) if grid.rows else Rect(0, length, 0, rect.height)
        total += gaps(part, inner, gap)
        at += length + gap
    across = rect.width if grid.rows else rect.height
    return total + gap * across * (len(grid.parts) - 1)


@given(cabinets())
def test_fronts_and_gaps_fill_the_field_exactly(p: Cabinet) -> None:
    where, whole = plan(p), field(p)
    covered = sum(area(cell.face) for cell in where.cells)
    assert covered + gaps(p.grid, whole, p.gap) == pytest.approx(area(whole), abs=1e-9)
    edges = faces(where)
    assert edges[:, 0].min() == pytest.approx(whole.x0, abs=1e-12)
    assert edges[:, 1].max() == pytest.approx(whole.x1, abs=1e-12)
    assert edges[:, 2].min() == pytest.approx(whole.z0, abs=1e-12)
    assert edges[:, 3].max() == pytest.approx(whole.z1, abs=1e-12)


@given(cabinets())
def test_no_two_fronts_come_nearer_than_a_gap(p: Cabinet) -> None:
    edges = faces(plan(p))
    for i, a in enumerate(edges):
        for b in edges[:i]:
            aside = max(a[0] - b[1], b[0] - a[1])
            above = max(a[2] - b[3], b[2] - a[3])
            assert max(aside, above) >= p.gap - 1e-12


@given(cabinets())
def test_cells_come_in_the_order_and_with_the_ids_of_the_grid(p: Cabinet) -> None:
    where = plan(p)
    assert [(cell.path, cell.front) for cell in where.cells] == list(fronts(p.grid))


@given(cabinets(), st.floats(0.1, 10))
def test_only_the_ratio_of_sizes_counts(p: Cabinet, scale: float) -> None:
    def scaled(grid: Grid) -> Grid:
        if isinstance(grid, Front):
            return grid
        sizes = tuple(size * scale for size in grid.sizes)
        return Split(grid.rows, sizes, tuple(scaled(part) for part in grid.parts))

    assert np.allclose(faces(plan(replace(p, grid=scaled(p.grid)))), faces(plan(p)), atol=1e-12)


@given(cabinets(), st.floats(0.5, 3))
def test_a_cabinet_twice_as_large_has_everything_twice_as_large(p: Cabinet, scale: float) -> None:
    lengths = ("width", "depth", "height", "board", "front", "back", "plinth", "plinth_setback", "feet")
    large = p
    for name in (*lengths, "worktop", "gap"):
        large = replace(large, **{name: scale * getattr(p, name)})
    assert np.allclose(faces(plan(large)), scale * faces(plan(p)), atol=1e-9)


@given(st.lists(st.floats(0.1, 1), min_size=2, max_size=5), st.booleans())
def test_faces_have_the_ratios_that_were_asked_for(sizes: list[float], rows: bool) -> None:
    p = Cabinet(2, 0.5, 2, Split(rows, tuple(sizes), (DRAWER,) * len(sizes)))
    found = [c.face.height if rows else c.face.width for c in plan(p).cells]
    assert np.allclose(np.array(found) / sum(found), np.array(sizes) / sum(sizes))


def test_rows_run_from_the_top_and_columns_from_the_left() -> None:
    p = Cabinet(1, 0.5, 1, Split(True, (1, 2), (DRAWER, Split(False, (1, 2), (DOOR, OPEN)))))
    top, left, right = plan(p).cells
    assert top.face.z0 > left.face.z1
    assert left.face.x1 < right.face.x0
    assert (top.path, left.path, right.path) == ("0", "1.0", "1.1")
    assert top.face.height < left.face.height


@given(cabinets())
def test_cavities_lie_inside_and_apart_from_dividers(p: Cabinet) -> None:
    where, room = plan(p), inside(p)
    blocks = [cell.cavity for cell in where.cells] + list(where.dividers)
    for rect in blocks:
        assert rect.x0 >= room.x0 - 1e-12
        assert rect.x1 <= room.x1 + 1e-12
        assert rect.z0 >= room.z0 - 1e-12
        assert rect.z1 <= room.z1 + 1e-12
    # Cavities and dividers fill the inside: they overlap nowhere, and nothing is left.
    assert sum(map(area, blocks)) == pytest.approx(area(room), abs=1e-9)


@given(cabinets())
def test_a_divider_stands_behind_the_middle_of_a_gap(p: Cabinet) -> None:
    where = plan(p)
    edges = faces(where)
    for rect in where.dividers:
        upright = abs(rect.width - p.board) < 1e-9
        middle = (rect.x0 + rect.x1) / 2 if upright else (rect.z0 + rect.z1) / 2
        # A gap's two sides: the faces that end there.
        ends = edges[:, [1, 0]] if upright else edges[:, [3, 2]]
        assert np.abs(ends[:, 0] + p.gap / 2 - middle).min() < 1e-9
        assert np.abs(ends[:, 1] - p.gap / 2 - middle).min() < 1e-9


@pytest.mark.parametrize(
    ("a", "b", "rows", "board"),
    [
        (DRAWER, DRAWER, True, False),
        (DRAWER, DRAWER, False, True),
        (DRAWER, DOOR, True, True),
        (DOOR, RIGHT, False, False),
        (RIGHT, DOOR, False, True),
        (DOOR, DOOR, False, True),
        (DOOR, RIGHT, True, True),
        (SLIDING, SLIDING, False, False),
        (SLIDING, FIXED, False, False),
        (FIXED, SLIDING, False, False),
        (FIXED, FIXED, False, True),
        (SLIDING, OPEN, False, True),
        (SLIDING, SLIDING, True, True),
        (DRAWER, Split(True, (1, 1), (DRAWER, DRAWER)), True, True),
    ],
)
def test_boards_stand_where_a_joiner_puts_them(a: Grid, b: Grid, rows: bool, board: bool) -> None:
    assert divided(a, b, rows) is board
    where = plan(Cabinet(2, 0.5, 2, Split(rows, (1, 1), (a, b))))
    assert len(where.dividers) == board


def test_sliding_doors_lie_in_turn_in_front_and_behind() -> None:
    def tracks(*parts: Front) -> list[int]:
        grid = Split(False, (1.0,) * len(parts), parts)
        return [cell.track for cell in plan(Cabinet(4, 0.5, 1, grid)).cells]

    assert tracks(SLIDING, SLIDING) == [0, 1]
    assert tracks(SLIDING, SLIDING, SLIDING, SLIDING) == [0, 1, 0, 1]
    assert tracks(FIXED, SLIDING) == [0, 1]
    assert tracks(DRAWER, SLIDING, FIXED) == [0, 0, 1]
    assert tracks(SLIDING, OPEN, SLIDING) == [0, 0, 0]
    assert tracks(DOOR, RIGHT) == [0, 0]
    rows = plan(Cabinet(1, 0.5, 4, Split(True, (1, 1), (SLIDING, SLIDING))))
    assert [cell.track for cell in rows.cells] == [0, 0]


def test_boards_make_room_for_two_tracks() -> None:
    plain = plan(Cabinet(2, 0.5, 1, Split(False, (1, 1), (DRAWER, FIXED))))
    sliding = plan(Cabinet(2, 0.5, 1, Split(False, (1, 1), (SLIDING, FIXED))))
    assert plain.inner_y == pytest.approx(-0.25 + 0.018)
    assert sliding.inner_y == pytest.approx(-0.25 + 2 * 0.018 + 0.004)
    assert plain.face_y == sliding.face_y == -0.25
    assert plain.back_y == sliding.back_y == 0.25 - 0.006


@pytest.mark.parametrize("overlay", [True, False])
def test_the_field_keeps_off_what_stands_around_it(overlay: bool) -> None:
    p = Cabinet(1, 0.5, 1, gap=0.004, overlay=overlay, plinth=0.1)
    edge = 0.0 if overlay else 0.018 + 0.004
    assert field(p) == Rect(-0.5 + edge, 0.5 - edge, 0.1 + edge, 1 - edge)
    top = field(replace(p, worktop=0.03))
    assert top.z1 == pytest.approx(1 - 0.03 - 0.004)
    floor = field(replace(p, plinth=0.0))
    assert floor.z0 == pytest.approx(0.004 if overlay else edge)
    flush = field(replace(p, plinth_setback=0.01))
    assert flush.z0 == pytest.approx(0.104 if overlay else 0.1 + edge)


def test_neighbours_share_the_gaps_middle() -> None:
    p = Cabinet(0.438, 0.784, 0.559, Split(True, (52, 151, 152, 182), (DRAWER,) * 4), worktop=0.0145)
    cells = plan(p).cells
    for above, below in pairwise(cells):
        assert above.face.z0 - below.face.z1 == pytest.approx(p.gap)
        assert above.cavity.z0 == pytest.approx((above.face.z0 + below.face.z1) / 2)
        assert below.cavity.z1 == above.cavity.z0


@pytest.mark.parametrize(
    ("p", "subject"),
    [
        (Cabinet(0.1, 0.5, 1, Split(False, (1.0,) * 9, (DRAWER,) * 9), gap=0.02), "0"),
        (Cabinet(0.1, 0.5, 1, Split(False, (1.0,) * 5, (DRAWER,) * 5)), "[0-4]"),
        (Cabinet(0.5, 0.5, 0.1, Split(True, (2, 1), (DRAWER, Split(True, (1, 9), (OPEN, OPEN))))), "1.0"),
    ],
)
def test_a_grid_without_room_is_refused(p: Cabinet, subject: str) -> None:
    with pytest.raises(PocketworldError, match=rf"^cabinet: no room for front {subject} of .* m; make the"):
        plan(p)
