"""What a front is believed to be, and how a divided face becomes the parameters of a cabinet."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.parameters import (
    MOVABLE,
    Cabinet,
    Chance,
    Front,
    FrontKind,
    Split,
    fronts,
    layout,
)
from pocketworld.families.cabinet.plan import plan
from pocketworld.families.protocol import SeenHandle
from pocketworld.reconstruct.fronts import belief
from pocketworld.reconstruct.fronts.belief import Guess, believe, decided
from pocketworld.reconstruct.fronts.cabinets import FLOOR, GAP, TOP, absorbed, cabinet, front, trimmed
from pocketworld.reconstruct.fronts.grammar import Cell, Cut, Tree, bounds, cells
from pocketworld.scene import HandleKind, JointKind, Side

MM = 1e-3
SWAPPED = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}


def handle(
    u: float, v: float, vertical: bool = False, kind: HandleKind = HandleKind.BAR, score: float = 1.0
) -> SeenHandle:
    return SeenHandle(kind, u, v, 0.03 if kind is HandleKind.KNOB else 0.13, 0.012, 0.03, vertical, score)


def cell(width: float, height: float, *handles: SeenHandle) -> Cell:
    return Cell(0.0, 0.0, width, height, handles)


def at(width: float, height: float, across: float, up: float, **more: object) -> Cell:
    """Return a cell with one handle at shares of its width and height."""
    return cell(width, height, handle(across * width, up * height, **more))  # type: ignore[arg-type]


def chance(guess: Guess, kind: FrontKind, side: Side | None = None) -> float:
    return sum(c.p for c in guess.chances if c.kind is kind and side in (None, c.side))


def moves(guess: Guess) -> float:
    return sum(c.p for c in guess.chances if c.kind in MOVABLE)


# --- the model ---------------------------------------------------------------------------------------------


def test_the_tables_are_distributions_over_the_same_kinds() -> None:
    assert sum(belief.PRIOR.values()) == pytest.approx(1)
    for table in (belief.GRIP, belief.ACROSS, belief.UP):
        assert set(table) == set(belief.PRIOR)
        for row in table.values():
            assert sum(row) == pytest.approx(1)
            assert min(row) > 0
    assert set(belief.SIZE) == set(belief.PRIOR)


def test_left_and_right_are_treated_alike() -> None:
    mirrored = {kind: (kind[0], SWAPPED.get(kind[1], kind[1])) for kind in belief.PRIOR}
    for kind, other in mirrored.items():
        assert belief.PRIOR[kind] == belief.PRIOR[other]
        assert belief.GRIP[kind] == belief.GRIP[other]
        assert belief.UP[kind] == belief.UP[other]
        assert belief.SIZE[kind] == belief.SIZE[other]
        assert belief.ACROSS[kind] == belief.ACROSS[other][::-1]


sides = st.floats(0.05, 2.0)
shares = st.floats(0.02, 0.98)
seen = st.builds(
    lambda w, h, a, b, vertical, kind, score, some: (
        at(w, h, a, b, vertical=vertical, kind=kind, score=score) if some else cell(w, h)
    ),
    sides, sides, shares, shares, st.booleans(),
    st.sampled_from([HandleKind.BAR, HandleKind.BOW, HandleKind.KNOB]), st.floats(0, 1), st.booleans(),
)  # fmt: skip
depths = st.one_of(st.none(), st.floats(-0.05, 0.6))


@given(seen, st.booleans(), depths)
def test_chances_are_a_distribution_and_the_decision_follows_it(
    one: Cell, whole: bool, behind: float | None
) -> None:
    guess = believe(one, whole, behind)
    assert sum(c.p for c in guess.chances) == pytest.approx(1)
    assert [c.p for c in guess.chances] == sorted((c.p for c in guess.chances), reverse=True)
    assert (guess.kind in MOVABLE) == (moves(guess) > 0.5)
    rivals = [c.p for c in guess.chances if (c.kind in MOVABLE) == (guess.kind in MOVABLE)]
    assert chance(guess, guess.kind, guess.side) == pytest.approx(max(rivals))
    assert guess.evidence
    assert all(": " in word for word in guess.evidence)


@given(seen, st.booleans(), depths)
def test_a_mirrored_front_is_hinged_on_the_other_side(one: Cell, whole: bool, behind: float | None) -> None:
    flipped = replace(one, handles=tuple(replace(h, u=one.width - h.u) for h in one.handles))
    if any(abs(3 * h.u / one.width % 1) < 1e-6 or h.u * 2 == one.width for h in one.handles):
        return  # on the border between two thirds it may fall either way
    here, there = believe(one, whole, behind), believe(flipped, whole, behind)
    for c in here.chances:
        assert chance(there, c.kind, SWAPPED.get(c.side, c.side)) == pytest.approx(c.p, rel=1e-6, abs=1e-12)


@given(sides, sides, st.booleans(), st.one_of(st.none(), st.floats(-0.05, 0.04)))
def test_what_has_no_handle_does_not_open(
    width: float, height: float, whole: bool, behind: float | None
) -> None:
    guess = believe(cell(width, height), whole, behind)
    assert guess.kind not in MOVABLE
    if whole:
        assert guess.kind is FrontKind.FIXED
        assert moves(guess) < 0.35


# --- furniture as everybody knows it -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "kind", "side"),
    [
        (at(0.44, 0.15, 0.5, 0.6), FrontKind.DRAWER, Side.NONE),
        (at(0.44, 0.052, 0.5, 0.5), FrontKind.DRAWER, Side.NONE),
        (at(0.44, 0.18, 0.5, 0.75), FrontKind.DRAWER, Side.NONE),
        (at(0.90, 0.25, 0.5, 0.5, kind=HandleKind.KNOB), FrontKind.DRAWER, Side.NONE),
        (at(0.40, 0.70, 0.9, 0.5, vertical=True), FrontKind.DOOR, Side.LEFT),
        (at(0.40, 0.70, 0.1, 0.8, vertical=True), FrontKind.DOOR, Side.RIGHT),
        (at(0.50, 0.60, 0.92, 0.5, kind=HandleKind.KNOB), FrontKind.DOOR, Side.LEFT),
        (at(0.60, 0.40, 0.5, 0.08), FrontKind.DOOR, Side.TOP),
        (at(0.60, 0.45, 0.5, 0.93), FrontKind.DOOR, Side.BOTTOM),
        (cell(0.44, 0.7), FrontKind.FIXED, Side.NONE),
    ],
)
def test_usual_fronts_are_what_they_look_like(one: Cell, kind: FrontKind, side: Side) -> None:
    guess = believe(one, False, 0.0)
    assert (guess.kind, guess.side) == (kind, side)
    assert chance(guess, kind, side) > 0.5


def test_two_handles_at_one_height_are_those_of_a_wide_drawer() -> None:
    guess = believe(cell(0.9, 0.2, handle(0.25, 0.1), handle(0.65, 0.1)), False, 0.0)
    assert guess.kind is FrontKind.DRAWER
    assert any("2 x" in word for word in guess.evidence)


def test_where_nothing_is_it_stands_open() -> None:
    guess = believe(cell(0.6, 0.35), False, 0.3)
    assert guess.kind is FrontKind.OPEN
    assert chance(guess, FrontKind.OPEN) > 0.8
    assert any("behind the face" in word for word in guess.evidence)


def test_a_doubtful_handle_makes_a_doubtful_drawer() -> None:
    chances = [
        moves(believe(at(0.44, 0.15, 0.5, 0.5, score=score), False, None)) for score in (0, 0.1, 0.5, 1)
    ]
    assert chances == sorted(chances)
    assert chances[0] < 0.5 < chances[2]


def test_the_decision_is_the_scenes_own_rule() -> None:
    chances = (
        Chance(FrontKind.DOOR, Side.LEFT, 0.3),
        Chance(FrontKind.DRAWER, Side.NONE, 0.25),
        Chance(FrontKind.FIXED, Side.NONE, 0.45),
    )
    assert decided(chances) == (FrontKind.DOOR, Side.LEFT)
    p = Cabinet(0.4, 0.5, 0.7, Front(FrontKind.DOOR, Side.LEFT, chances=chances, opening=1.7))
    (joint,) = build(p, "thing").joints
    assert joint.kind is JointKind.HINGE
    assert joint.belief.best.side is Side.LEFT


# --- from a division to parameters -------------------------------------------------------------------------


def none(_: Cell) -> None:
    return None


def rows(width: float, *heights: float, held: int = -1) -> Cut:
    """Return rows from the top down; those higher than 4 cm, or all but `held`, have a handle."""
    top, parts = sum(heights), []
    for i, height in enumerate(heights):
        grip = (handle(width / 2, top - height / 2),) if height > 0.04 and i != held else ()
        parts.append(Cell(0.0, top - height, width, top, grip))
        top -= height
    return Cut(True, tuple(parts))


def beside(tree: Tree, left: float, right: float) -> Cut:
    """Return a division between two bare strips."""
    b = bounds(tree)
    return Cut(False, (Cell(b.u0 - left, b.v0, b.u0, b.v1), tree, Cell(b.u1, b.v0, b.u1 + right, b.v1)))


def test_plates_above_and_plinths_below_are_no_fronts() -> None:
    face = trimmed(rows(0.44, 0.007, 0.008, 0.2, 0.25, 0.09, held=4))
    assert face.above == pytest.approx(0.015)
    assert face.below == pytest.approx(0.09)
    assert [round(c.height, 3) for c in cells(face.tree)] == [0.2, 0.25]
    assert trimmed(rows(0.44, 0.2, 0.25)).above == 0


def test_what_is_too_tall_for_a_plate_is_a_panel() -> None:
    tall = trimmed(rows(0.44, 0.15, 0.25, held=0))
    assert tall.above == 0
    assert len(list(cells(tall.tree))) == 2
    assert trimmed(rows(0.44, *[0.03] * 4, 0.3)).above <= TOP


def test_strips_between_fronts_go_half_to_either_side() -> None:
    tree = absorbed(rows(0.44, 0.2, 0.02, 0.2))
    upper, lower = cells(tree)
    assert upper.v0 == lower.v1 == pytest.approx(0.21)
    three = absorbed(beside(rows(0.44, 0.2, 0.2), 0.015, 0.02))
    assert bounds(three).width == pytest.approx(0.475)
    assert len(list(cells(three))) == 2
    only = absorbed(Cut(True, (Cell(0, 0.02, 0.4, 0.04), Cell(0, 0.0, 0.4, 0.02))))
    assert only == Cell(0, 0.0, 0.4, 0.04)


def test_rows_that_absorbing_leaves_in_rows_are_rows() -> None:
    inner = Cut(False, (Cell(-0.01, 0.0, 0.0, 0.4), rows(0.44, 0.2, 0.2)))
    outer = Cut(True, (Cell(-0.01, 0.4, 0.44, 0.6, (handle(0.2, 0.5),)), inner))
    tree = absorbed(outer)
    assert isinstance(tree, Cut)
    assert tree.rows
    assert len(tree.parts) == 3


SIZE = (0.44, 0.6, 0.56)


def pedestal() -> Cabinet:
    return cabinet(rows(0.44, 0.0145, 0.052, 0.151, 0.152, 0.1805), SIZE, 0.010, none)


def test_the_pedestal_becomes_a_cabinet_of_four_drawers_at_their_heights() -> None:
    p = pedestal()
    assert layout(p.grid) == "r[drawer drawer drawer drawer]"
    assert (p.width, p.depth, p.height) == SIZE
    assert p.feet == pytest.approx(0.010)
    assert p.overlay
    tops = [cell.face.z1 for cell in plan(p).cells]
    bottoms = [cell.face.z0 for cell in plan(p).cells]
    # Lines are at 0.5455, 0.4935, 0.3425 and 0.1905; each face keeps half a gap from them.
    np.testing.assert_allclose(tops, [0.544, 0.492, 0.341, 0.189], atol=1e-9)
    np.testing.assert_allclose(bottoms, [0.495, 0.344, 0.192, 0.010], atol=1e-9)
    built = build(p, "pedestal")
    assert [joint.kind for joint in built.movable] == [JointKind.SLIDE] * 4
    assert all(joint.range[1] > 0.25 for joint in built.movable)


def test_gaps_are_where_lines_were() -> None:
    cut = (0.5455, 0.4935, 0.3425, 0.1905)
    faces = [cell.face for cell in plan(pedestal()).cells]
    for line, above, below in zip(cut[1:], faces, faces[1:], strict=False):
        assert (above.z0 + below.z1) / 2 == pytest.approx(line)
        assert above.z0 - below.z1 == pytest.approx(GAP)


def test_edges_of_boards_on_both_sides_make_inset_fronts() -> None:
    inset = cabinet(beside(rows(0.40, 0.25, 0.3), 0.018, 0.019), SIZE, 0.0, none)
    assert not inset.overlay
    assert inset.board == pytest.approx(0.0185)
    one_sided = cabinet(beside(rows(0.40, 0.25, 0.3), 0.018, 0.003), SIZE, 0.0, none)
    assert one_sided.overlay


def test_fronts_do_not_touch_the_floor_and_plinths_are_told_from_feet() -> None:
    assert cabinet(rows(0.44, 0.25, 0.3), SIZE, 0.0, none).feet == FLOOR
    low, high = (cabinet(rows(0.44, 0.25, 0.3), SIZE, bottom, none) for bottom in (0.02, 0.08))
    assert (low.feet, low.plinth) == (0.02, 0.0)
    assert (high.feet, high.plinth) == (0.0, 0.08)


def test_columns_and_doors_keep_their_places() -> None:
    left, right = (
        Cell(0.0, 0.0, 0.4, 0.6, (handle(0.36, 0.3, True),)),
        Cell(0.4, 0.0, 0.9, 0.6, (handle(0.44, 0.3, True),)),
    )
    p = cabinet(Cut(False, (left, right)), (0.9, 0.5, 0.62), 0.01, none)
    assert layout(p.grid) == "c[door.left door.right]"
    first, second = plan(p).cells
    assert (first.face.x1 + second.face.x0) / 2 == pytest.approx(-0.05)
    assert first.front.opening == pytest.approx(1.7)


def test_a_handle_stays_where_it_was_seen_and_can_be_built() -> None:
    seen_at = replace(handle(0.1, 0.12), length=0.16, thickness=0.022, standoff=0.012)
    made = front(Cell(0.0, 0.1, 0.4, 0.3, (seen_at,)), Guess(FrontKind.DRAWER, Side.NONE, (), ()))
    assert made.handle.u == pytest.approx(0.25)
    assert made.handle.v == pytest.approx(0.1, abs=0.03)
    assert made.handle.length == 0.16
    # Depth shows a thin bar too thick and too near: what is usual is taken then.
    assert made.handle.thickness < 0.015
    assert made.handle.standoff >= 0.02
    far = front(
        Cell(0.0, 0.1, 0.4, 0.3, (replace(seen_at, standoff=0.05),)),
        Guess(FrontKind.DRAWER, Side.NONE, (), ()),
    )
    assert far.handle.standoff == pytest.approx(0.05)
    shelf = front(Cell(0.0, 0.1, 0.4, 0.3, (seen_at,)), Guess(FrontKind.OPEN, Side.NONE, (), ()))
    assert shelf.handle.kind is HandleKind.NONE


def test_what_lies_behind_the_face_is_asked_for_each_cell() -> None:
    asked: list[float] = []

    def behind(one: Cell) -> float:
        asked.append(one.v0)
        return 0.3 if one.v0 > 0.2 else 0.0

    shelf = Cell(0.0, 0.3, 0.6, 0.6)
    drawer = Cell(0.0, 0.0, 0.6, 0.3, (handle(0.3, 0.15),))
    p = cabinet(Cut(True, (shelf, drawer)), (0.6, 0.4, 0.62), 0.01, behind)
    assert sorted(asked) == [0.0, 0.3]
    assert [f.kind for _, f in fronts(p.grid)] == [FrontKind.OPEN, FrontKind.DRAWER]


@given(st.lists(st.floats(0.08, 0.4), min_size=1, max_size=5), st.floats(0.3, 0.9))
def test_whatever_rows_there_are_they_fill_the_cabinet(heights: list[float], width: float) -> None:
    size = (width, 0.5, sum(heights) + 0.01)
    tree = rows(width, *heights) if len(heights) > 1 else Cell(0.0, 0.0, width, heights[0])
    p = cabinet(tree, size, 0.01, none)
    faces = [cell.face for cell in plan(p).cells]
    assert len(faces) == len(heights)
    np.testing.assert_allclose([f.z1 for f in faces][1:], [f.z0 - GAP for f in faces][:-1])
    ends = 0.01 + np.cumsum(heights[::-1])[::-1]
    np.testing.assert_allclose([f.z1 for f in faces][1:], ends[1:] - GAP / 2)
    assert math.isclose(faces[0].width, width)
    if isinstance(p.grid, Split):
        assert p.grid.rows


def test_a_knob_beside_the_middle_of_what_is_low_and_wide_is_no_sure_drawer() -> None:
    """Ovens have such panels; six virtual kitchens had four of them, said to be drawers with p over 0.95."""
    for across in (0.15, 0.85):
        doubtful = believe(at(0.46, 0.16, across, 0.5, kind=HandleKind.KNOB), False, None)
        assert 0.4 < chance(doubtful, FrontKind.DRAWER) < 0.96
    assert chance(believe(at(0.46, 0.16, 0.5, 0.5), False, None), FrontKind.DRAWER) > 0.97


def test_a_door_hangs_opposite_its_upright_handle_nine_times_in_ten() -> None:
    for across, side in ((0.08, Side.RIGHT), (0.92, Side.LEFT)):
        guess = believe(at(0.5, 0.7, across, 0.85, vertical=True), False, None)
        assert 0.85 < chance(guess, FrontKind.DOOR, side) < 0.97
