"""Lines, handles and the grammar that explains them, on drawn faces of many layouts."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from pocketworld.families.protocol import Line, SeenHandle
from pocketworld.reconstruct.fronts.bars import colour_bars
from pocketworld.reconstruct.fronts.grammar import Cell, Cut, Layout, Tree, bounds, cells, explain
from pocketworld.reconstruct.fronts.handles import find_handles, raised
from pocketworld.reconstruct.fronts.lines import Span, find_lines
from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.rng import stream
from pocketworld.scene import HandleKind

Picture = NDArray[np.float32]
Heights = NDArray[np.float32]
Segment = tuple[bool, float, float, float]  # vertical, at, start, end

MM = 1e-3
WIDTH, HEIGHT = 0.44, 0.56
GRID = FaceGrid(WIDTH, HEIGHT, 0.03, 0.001)
INNER = Span(0.008, WIDTH - 0.008, 0.008, HEIGHT - 0.008)
NOWHERE = np.zeros(GRID.shape, bool)

# --- lines -------------------------------------------------------------------------------------------------


def drawn(
    *gaps: Segment, grid: FaceGrid = GRID, level: float = 35, deep: float = 6, noise: float = 1, seed: int = 0
) -> Picture:
    """Return the brightness of a dark face with 3 mm gaps, a few grey levels darker, as a camera sees it."""
    u, v = np.meshgrid(grid.u, grid.v)
    out = np.full(grid.shape, level, float)
    for vertical, at, start, end in gaps:
        across, along = (u, v) if vertical else (v, u)
        out[(np.abs(across - at) < 0.0015) & (along >= start) & (along <= end)] -= deep
    blurred = gaussian_filter(out, 0.0012 / grid.pixel)
    # Noise that hangs together over some pixels, as after demosaicking and JPEG.
    rough = gaussian_filter(stream(seed, "noise").normal(size=grid.shape), 1.5)
    return np.asarray(blurred + noise * rough / rough.std(), np.float32)


def found(
    picture: Picture, grid: FaceGrid = GRID, hidden: NDArray[np.bool_] | None = None
) -> tuple[Line, ...]:
    span = Span(0.008, grid.width - 0.008, 0.008, grid.height - 0.008)
    return find_lines(picture, grid, np.zeros(grid.shape, bool) if hidden is None else hidden, span)


def agree(
    lines: tuple[Line, ...], gaps: tuple[Segment, ...], off: float = 1.5 * MM, ends: float = 0.02
) -> None:
    """Assert that the lines are the gaps and nothing else."""
    assert len(lines) == len(gaps), lines
    for vertical, at, start, end in gaps:
        mine = [line for line in lines if line.vertical == vertical and abs(line.at - at) < off]
        assert len(mine) == 1, (vertical, at, lines)
        assert abs(mine[0].start - start) < ends
        assert abs(mine[0].end - end) < ends
        assert 0 < mine[0].sigma < 2 * MM
        assert mine[0].score > 0.6


def across(at: float) -> Segment:
    return (False, at, 0.008, WIDTH - 0.008)


def upright(at: float) -> Segment:
    return (True, at, 0.008, HEIGHT - 0.008)


LAYOUTS: dict[str, tuple[Segment, ...]] = {
    "pedestal": (across(0.189), across(0.341), across(0.492), across(0.544)),
    "two doors": (upright(0.22),),
    "drawer over two doors": (across(0.42), (True, 0.22, 0.008, 0.42)),
    "columns": (upright(0.15), upright(0.29), (False, 0.3, 0.15, 0.29), (False, 0.1, 0.29, WIDTH - 0.008)),
    "plain": (),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("deep", [4.0, 15.0])
def test_gaps_are_found_where_they_are_and_as_long_as_they_are(name: str, deep: float) -> None:
    agree(found(drawn(*LAYOUTS[name], deep=deep)), LAYOUTS[name])


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 3.0), (4.0, -40.0)])
def test_exposure_does_not_matter(gain: float, offset: float) -> None:
    gaps = LAYOUTS["pedestal"]
    picture = drawn(*gaps, deep=8) * np.float32(gain) + np.float32(offset)
    agree(found(picture), gaps)


def test_a_mirrored_face_has_mirrored_lines() -> None:
    picture = drawn(*LAYOUTS["columns"])
    lines, mirrored = found(picture), found(np.ascontiguousarray(picture[:, ::-1]))
    assert len(lines) == len(mirrored)
    for line in lines:
        at, ends = line.at, (line.start, line.end)
        if line.vertical:
            at = WIDTH - at
        else:
            ends = (WIDTH - line.end, WIDTH - line.start)
        assert any(
            other.vertical == line.vertical
            and abs(other.at - at) < 1 * MM
            and abs(other.start - ends[0]) < 0.02
            and abs(other.end - ends[1]) < 0.02
            for other in mirrored
        )


def test_a_face_on_its_side_has_its_lines_on_their_side() -> None:
    turned = FaceGrid(HEIGHT, WIDTH, GRID.margin, GRID.pixel)
    gaps = LAYOUTS["columns"]
    # What was up is to the left now: u of the turned face is the height from the top.
    there = tuple(
        (False, at, HEIGHT - end, HEIGHT - start) if vertical else (True, HEIGHT - at, start, end)
        for vertical, at, start, end in gaps
    )
    picture = np.ascontiguousarray(np.rot90(drawn(*gaps)))
    flipped = tuple((v, a if v else turned.height - a, s, e) for v, a, s, e in there)
    lines = found(picture, turned)
    assert len(lines) == len(flipped)


@pytest.mark.parametrize("level", [30.0, 120.0])
def test_noise_alone_makes_hardly_any_line(level: float) -> None:
    alarms = sum(
        len(found(drawn(level=level, noise=noise, seed=seed))) for seed in range(6) for noise in (0.3, 2, 6)
    )
    assert alarms <= 18 * 0.1 + 3  # ALARMS a face, and three standard deviations of a count of two


def test_even_shading_and_blotches_are_no_lines() -> None:
    u, v = np.meshgrid(GRID.u, GRID.v)
    shaded = drawn() + (40 * v + 30 * u).astype(np.float32)
    assert found(shaded) == ()
    blotch = drawn() + (20 * np.exp(-((u - 0.2) ** 2 + (v - 0.3) ** 2) / 0.05**2)).astype(np.float32)
    assert [line for line in found(blotch) if line.end - line.start > 0.2] == []


def test_a_step_of_brightness_is_a_line_where_it_is() -> None:
    _, v = np.meshgrid(GRID.u, GRID.v)
    worktop = gaussian_filter(np.where(v > 0.50, 70.0, 40.0), 1.5) + drawn() - 35
    agree(found(worktop.astype(np.float32)), (across(0.50),))


def test_a_gap_is_one_line_and_not_its_two_sides() -> None:
    lines = found(drawn(across(0.3), deep=20, noise=0.3))
    assert len(lines) == 1
    assert lines[0].at == pytest.approx(0.3, abs=1 * MM)


def test_what_is_hidden_speaks_neither_for_nor_against_a_line() -> None:
    gap = across(0.3)
    hidden = np.zeros(GRID.shape, bool)
    u, v = np.meshgrid(GRID.u, GRID.v)
    hidden[(u > 0.15) & (u < 0.29) & (np.abs(v - 0.3) < 0.03)] = True
    picture = drawn(gap)
    picture[hidden] = 150  # a handle right on the gap
    lines = [line for line in found(picture, hidden=hidden) if line.end - line.start > 0.3]
    agree(tuple(lines), (gap,))
    unseen = drawn(gap)
    unseen[hidden] = np.nan
    agree(found(unseen), (gap,))
    assert found(np.full(GRID.shape, np.nan, np.float32)) == ()


def test_lines_outside_the_span_are_the_faces_own_edges() -> None:
    picture = drawn(across(0.02), across(0.3))
    inner = Span(0.008, WIDTH - 0.008, 0.05, HEIGHT - 0.008)
    assert [round(line.at, 2) for line in find_lines(picture, GRID, NOWHERE, inner)] == [0.3]


def test_a_coarser_picture_shows_the_same_gaps() -> None:
    coarse = FaceGrid(WIDTH, HEIGHT, 0.03, 0.002)
    gaps = LAYOUTS["pedestal"][:3]
    agree(found(drawn(*gaps, grid=coarse, deep=12), coarse), gaps, off=2 * MM)


# --- handles -----------------------------------------------------------------------------------------------

CELLS = FaceGrid(WIDTH, HEIGHT, 0.0, 0.004)


def standing(
    *handles: tuple[float, float, float, float, float], noise: float = 1 * MM, seed: int = 0
) -> Heights:
    """Return a relief on which boxes (u, v, width, height, out) stand, blurred as depth is."""
    u, v = np.meshgrid(CELLS.u, CELLS.v)
    out = np.zeros(CELLS.shape)
    for at_u, at_v, wide, tall, proud in handles:
        out[(np.abs(u - at_u) < wide / 2) & (np.abs(v - at_v) < tall / 2)] = proud
    return np.asarray(
        gaussian_filter(out, 0.8) + stream(seed, "depth").normal(0, noise, out.shape), np.float32
    )


BAR = (0.22, 0.30, 0.16, 0.014, 0.03)
POST = (0.38, 0.25, 0.014, 0.20, 0.03)
KNOB = (0.10, 0.45, 0.03, 0.03, 0.025)


def test_bars_posts_and_knobs_are_found_where_they_are() -> None:
    knob, bar, post = find_handles(standing(BAR, POST, KNOB), CELLS)
    for handle, truth in ((bar, BAR), (post, POST), (knob, KNOB)):
        assert math.hypot(handle.u - truth[0], handle.v - truth[1]) < 4 * MM
        assert handle.length == pytest.approx(max(truth[2:4]), abs=0.02)
        assert handle.score > 0.5
    assert (bar.kind, bar.vertical) == (HandleKind.BAR, False)
    assert (post.kind, post.vertical) == (HandleKind.BAR, True)
    assert knob.kind is HandleKind.KNOB
    assert bar.standoff > 0.01


def test_a_bow_is_lower_at_its_ends_and_one_face_has_one_kind() -> None:
    u, v = np.meshgrid(CELLS.u, CELLS.v)
    bow = np.where(
        (np.abs(u - 0.2) < 0.08) & (np.abs(v - 0.4) < 0.008), 0.03 * np.cos((u - 0.2) / 0.08 * 1.3), 0
    )
    relief = standing() + np.asarray(gaussian_filter(bow, 0.6), np.float32)
    (seen,) = find_handles(relief, CELLS)
    assert seen.kind is HandleKind.BOW
    two_bars = find_handles(relief + standing(BAR, (0.22, 0.15, 0.16, 0.014, 0.03), noise=0), CELLS)
    assert [handle.kind for handle in two_bars] == [HandleKind.BAR] * 3


def test_a_flat_face_has_no_handles() -> None:
    for seed in range(8):
        assert find_handles(standing(noise=2 * MM, seed=seed), CELLS) == ()
    assert find_handles(np.full(CELLS.shape, np.nan, np.float32), CELLS) == ()


def test_what_is_thick_huge_or_far_out_is_no_handle() -> None:
    assert find_handles(standing((0.22, 0.3, 0.2, 0.2, 0.03)), CELLS) == ()
    assert find_handles(standing((0.22, 0.3, 0.16, 0.014, 0.2)), CELLS) == ()
    assert find_handles(standing((0.22, 0.3, 0.008, 0.004, 0.02)), CELLS) == ()


def test_a_moulding_from_edge_to_edge_is_no_handle() -> None:
    assert find_handles(standing((0.22, 0.05, WIDTH, 0.03, 0.012)), CELLS) == ()


def test_the_shape_of_the_face_itself_is_no_handle() -> None:
    u, v = np.meshgrid(CELLS.u, CELLS.v)
    bent = standing(BAR) + (0.03 * (u - 0.2) + 0.2 * (v - 0.3) ** 2).astype(np.float32)
    (seen,) = find_handles(bent, CELLS)
    assert math.hypot(seen.u - BAR[0], seen.v - BAR[1]) < 5 * MM


def test_the_lower_edge_of_fronts_over_a_plinth_is_no_handle() -> None:
    _, v = np.meshgrid(CELLS.u, CELLS.v)
    over_plinth = np.where(v < 0.06, -0.04, standing(BAR)).astype(np.float32)
    (seen,) = find_handles(over_plinth, CELLS)
    assert seen.v == pytest.approx(BAR[1], abs=5 * MM)
    in_recess = over_plinth + standing((0.3, 0.03, 0.03, 0.02, 0.02), noise=0)
    assert len(find_handles(in_recess, CELLS)) == 1


def test_holes_in_depth_do_not_break_a_handle() -> None:
    relief = standing(BAR)
    relief[:, 52:54] = np.nan
    relief[(np.abs(CELLS.v - 0.2) < 0.01)] = np.nan
    (seen,) = find_handles(relief, CELLS)
    assert seen.length == pytest.approx(0.16, abs=0.025)


def test_handles_do_not_hang_on_left_and_right() -> None:
    relief = standing(BAR, POST, KNOB)
    here = find_handles(relief, CELLS)
    there = find_handles(np.ascontiguousarray(relief[:, ::-1]), CELLS)
    for a, b in zip(here, there, strict=True):
        assert a.v == pytest.approx(b.v, abs=1e-6)
        assert a.u == pytest.approx(WIDTH - b.u, abs=1e-6)


def test_raised_is_about_both_sides() -> None:
    step = np.zeros(CELLS.shape, np.float32)
    step[: CELLS.shape[0] // 2] = 0.05
    assert np.abs(raised(step, CELLS)).max() < 1e-6
    assert np.isnan(raised(np.full(CELLS.shape, np.nan, np.float32), CELLS)).all()


# --- handles by colour -------------------------------------------------------------------------------------

WHOLE = Span(0, WIDTH, 0, HEIGHT)


def short(at: float, start: float, end: float, vertical: bool = False) -> Line:
    return Line(vertical, at, start, end, 0.3 * MM, 1.0)


def test_short_lines_are_handles_only_where_depth_is_blind() -> None:
    lines = (short(0.3, 0.14, 0.30), short(0.32, 0.15, 0.29), short(0.5, 0.008, 0.43))
    flat = np.zeros(CELLS.shape, np.float32)
    assert colour_bars(lines, flat, CELLS, WHOLE) == ()
    (blind,) = colour_bars(lines, None, CELLS, WHOLE)
    assert (round(blind.u, 6), blind.v, blind.vertical) == (0.22, 0.3, False)
    assert blind.score < 0.5
    hole = flat.copy()
    hole[np.abs(CELLS.v - 0.3) < 0.03] = np.nan
    assert len(colour_bars(lines, hole, CELLS, WHOLE)) == 1


def test_upright_bars_by_colour_and_lines_that_are_none() -> None:
    (post,) = colour_bars((short(0.1, 0.2, 0.4, vertical=True),), None, CELLS, WHOLE)
    assert post.vertical
    assert post.length == pytest.approx(0.2)
    flat = np.zeros(CELLS.shape, np.float32)
    assert colour_bars((short(0.1, 0.2, 0.4, vertical=True),), flat, CELLS, WHOLE) == ()
    assert colour_bars((short(0.3, 0.2, 0.24), short(0.2, 0.01, 0.2)), None, CELLS, WHOLE) == ()


# --- the grammar -------------------------------------------------------------------------------------------


def handle(u: float, v: float, vertical: bool = False, length: float = 0.1) -> SeenHandle:
    return SeenHandle(HandleKind.BAR, u, v, length, 0.012, 0.03, vertical, 1.0)


def seams(tree: Tree) -> list[Line]:
    """Return the lines that a division shows: each cut as long as its rectangle."""
    if isinstance(tree, Cell):
        return []
    out = []
    whole = bounds(tree)
    for a, b in pairwise(tree.parts):
        if tree.rows:
            out.append(Line(False, bounds(a).v0, whole.u0, whole.u1, 0.5 * MM, 1.0))
        else:
            out.append(Line(True, bounds(b).u0, whole.v0, whole.v1, 0.5 * MM, 1.0))
    return out + [line for part in tree.parts for line in seams(part)]


def places(tree: Tree) -> list[tuple[float, ...]]:
    return sorted(tuple(round(x, 6) for x in (c.u0, c.v0, c.u1, c.v1)) for c in cells(tree))


def rows(width: float, *heights: float, base: float = 0.0) -> Cut:
    """Return rows from the top down."""
    top, parts = base + sum(heights), []
    for height in heights:
        parts.append(Cell(0.0, top - height, width, top))
        top -= height
    return Cut(True, tuple(parts))


def held(tree: Tree) -> list[SeenHandle]:
    return [
        handle((c.u0 + c.u1) / 2, (c.v0 + c.v1) / 2) for c in cells(tree) if min(c.width, c.height) > 0.04
    ]


def best(width: float, height: float, lines: list[Line], handles: list[SeenHandle]) -> Layout:
    layouts = explain(width, height, lines, handles)
    assert sum(layout.p for layout in layouts) == pytest.approx(1)
    assert [x.p for x in layouts] == sorted((x.p for x in layouts), reverse=True)
    return layouts[0]


def test_the_pedestal_comes_out_with_its_unequal_drawers() -> None:
    truth = rows(0.438, 0.0145, 0.052, 0.151, 0.152, 0.182)
    found_one = best(0.438, 0.5515, seams(truth), held(truth))
    assert places(found_one.tree) == places(truth)
    assert [len(c.handles) for c in cells(found_one.tree)] == [0, 1, 1, 1, 1]
    assert found_one.p > 0.9


@st.composite
def trees(draw: st.DrawFn, u0: float, v0: float, u1: float, v1: float, depth: int, by_rows: bool) -> Tree:
    """Draw a division whose cells are at least 9 cm wide and high."""
    size = v1 - v0 if by_rows else u1 - u0
    most = min(3, int(size / 0.15))
    if depth == 0 or most < 2:
        return Cell(u0, v0, u1, v1)
    count = draw(st.integers(2, most))
    shares = [draw(st.floats(1, 2)) for _ in range(count)]
    ends = [sum(shares[:i]) / sum(shares) for i in range(count + 1)]
    parts = []
    for a, b in pairwise(ends):
        low, high = (v1 - b * size, v1 - a * size) if by_rows else (u0 + a * size, u0 + b * size)
        box = (u0, low, u1, high) if by_rows else (low, v0, high, v1)
        parts.append(draw(trees(*box, depth - 1, not by_rows)))
    return Cut(by_rows, tuple(parts))


faces = st.builds(lambda w, h: (w, h), st.floats(0.5, 1.2), st.floats(0.5, 1.0)).flatmap(
    lambda size: st.tuples(st.just(size), st.booleans().flatmap(lambda r: trees(0.0, 0.0, *size, 2, r)))
)


def distinct(tree: Tree) -> bool:
    """Say whether no two seams lie so near each other that they could be one."""
    lines = seams(tree)
    return all(a is b or a.vertical != b.vertical or abs(a.at - b.at) > 0.02 for a in lines for b in lines)


@settings(max_examples=60)
@given(faces, st.randoms(use_true_random=False))
def test_every_division_is_found_from_its_seams_in_any_order(
    face: tuple[tuple[float, float], Tree], shuffle: object
) -> None:
    (width, height), truth = face
    if not distinct(truth):
        return
    lines, handles = seams(truth), held(truth)
    shuffle.shuffle(lines)  # type: ignore[attr-defined]
    shuffle.shuffle(handles)  # type: ignore[attr-defined]
    assert places(best(width, height, lines, handles).tree) == places(truth)


@settings(max_examples=30)
@given(faces)
def test_a_mirrored_face_is_divided_in_mirror_image(face: tuple[tuple[float, float], Tree]) -> None:
    (width, height), truth = face
    if not distinct(truth):
        return
    mirrored = [
        replace(line, at=width - line.at)
        if line.vertical
        else replace(line, start=width - line.end, end=width - line.start)
        for line in seams(truth)
    ]
    handles = [replace(h, u=width - h.u) for h in held(truth)]
    there = places(best(width, height, mirrored, handles).tree)
    here = places(best(width, height, seams(truth), held(truth)).tree)
    flipped = sorted(tuple(round(x, 6) for x in (width - u1, v0, width - u0, v1)) for u0, v0, u1, v1 in here)
    np.testing.assert_allclose(there, flipped, atol=2e-6)


def test_short_false_lines_are_not_cut_along() -> None:
    truth = rows(0.44, 0.2, 0.18, 0.18)
    shadows = [Line(False, v, 0.17, 0.27, 0.5 * MM, 1.0) for v in (0.05, 0.24, 0.42)]
    edge = Line(True, 0.43, 0.05, 0.25, 0.5 * MM, 0.8)
    assert places(best(0.44, 0.56, [*seams(truth), *shadows, edge], held(truth)).tree) == places(truth)


def test_a_line_seen_in_pieces_is_one_line() -> None:
    pieces = [Line(False, 0.30, 0.0, 0.17, 0.5 * MM, 1.0), Line(False, 0.303, 0.17, 0.44, 0.5 * MM, 0.9)]
    tree = best(0.44, 0.56, pieces, [handle(0.22, 0.15), handle(0.22, 0.45)]).tree
    (upper, lower) = cells(tree)
    assert upper.v0 == lower.v1 == pytest.approx(0.3018, abs=0.5 * MM)


def test_no_cut_goes_through_a_handle() -> None:
    line = Line(False, 0.30, 0.0, 0.44, 0.5 * MM, 1.0)
    assert isinstance(best(0.44, 0.56, [line], [handle(0.22, 0.301)]).tree, Cell)
    post = handle(0.22, 0.3, vertical=True, length=0.2)
    assert isinstance(best(0.44, 0.56, [replace(line, at=0.33)], [post]).tree, Cell)
    assert isinstance(best(0.44, 0.56, [Line(True, 0.221, 0.0, 0.56, 0.5 * MM, 1.0)], [post]).tree, Cell)


def test_a_gap_seen_all_along_makes_a_doubtful_handle_false() -> None:
    line = Line(False, 0.30, 0.0, 0.44, 0.5 * MM, 1.0)
    doubtful = replace(handle(0.05, 0.301, vertical=True, length=0.2), score=0.9)
    tree = best(0.44, 0.56, [line], [doubtful]).tree
    assert isinstance(tree, Cut)
    assert [cell.handles for cell in cells(tree)] == [(), ()]
    short = replace(line, end=0.2)
    assert isinstance(best(0.44, 0.56, [short], [doubtful]).tree, Cell)


def test_a_half_seen_line_leaves_the_layout_in_doubt() -> None:
    half = Line(False, 0.28, 0.0, 0.31, 0.5 * MM, 1.0)
    layouts = explain(0.44, 0.56, [half], [handle(0.22, 0.42)])
    assert len(layouts) == 2
    assert min(layout.p for layout in layouts) > 0.02


def test_two_handles_ask_for_a_line_between_them() -> None:
    weak = Line(False, 0.28, 0.0, 0.29, 0.5 * MM, 0.95)  # seen along 63 per cent: as good as nothing
    one = explain(0.44, 0.56, [weak], [handle(0.22, 0.42)])[0].tree
    two = explain(0.44, 0.56, [weak], [handle(0.22, 0.42), handle(0.22, 0.14)])[0].tree
    assert isinstance(one, Cell)
    assert isinstance(two, Cut)
    beside = explain(0.9, 0.2, [], [handle(0.25, 0.1), handle(0.65, 0.1)])  # a wide drawer has two
    assert isinstance(beside[0].tree, Cell)


def test_nothing_on_a_face_is_one_cell() -> None:
    (alone,) = explain(0.6, 0.8, [], [])
    assert (alone.p, alone.tree) == (1.0, Cell(0.0, 0.0, 0.6, 0.8))


def test_of_very_many_lines_the_best_are_kept() -> None:
    truth = rows(0.44, 0.28, 0.28)
    wood = [Line(False, 0.02 + 0.026 * i, 0.0, 0.14, 0.5 * MM, 0.9) for i in range(20)]
    assert places(best(0.44, 0.56, [*wood, *seams(truth)], held(truth)).tree) == places(truth)


# --- together ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_drawn_face_is_divided_as_it_was_drawn(seed: int) -> None:
    rng = stream(seed, "face")
    heights = rng.uniform(0.06, 0.2, 4)
    heights *= 0.548 / heights.sum()
    truth = rows(WIDTH, *heights, base=0.012)
    gaps = tuple((False, line.at, 0.0, WIDTH) for line in seams(truth))
    seen = drawn(*gaps, deep=float(rng.uniform(4, 12)), seed=seed)
    middles = [(WIDTH / 2, (c.v0 + c.v1) / 2, 0.12, 0.012, 0.03) for c in cells(truth)]
    handles = find_handles(standing(*middles, seed=seed), CELLS)
    lines = find_lines(seen, GRID, NOWHERE, INNER)
    tree = best(WIDTH, HEIGHT, list(lines), list(handles)).tree
    got = [c.height for c in cells(tree)]
    np.testing.assert_allclose(got[:3], heights[:3], atol=2.5 * MM)
    assert [len(c.handles) for c in cells(tree)] == [1, 1, 1, 1]
