"""Cabinets against evidence: what a fit starts from, and residuals that are zero where all agrees."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.families.cabinet.fit import FAR, divisions, propose, residual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, HandleSpec, Split
from pocketworld.families.cabinet.plan import plan
from pocketworld.families.protocol import Elevation, Evidence, Line, SeenHandle
from pocketworld.families.registry import family
from pocketworld.reconstruct.fronts.fit import fitted, numbers, with_numbers
from pocketworld.rng import stream
from pocketworld.scene import HandleKind

DRAWER = Front(handle=HandleSpec(HandleKind.BAR, 0.5, 0.6))
DOOR = Front(FrontKind.DOOR, opening=1.7, handle=HandleSpec(HandleKind.NONE))
ROWS = Cabinet(
    0.44, 0.6, 0.56, Split(True, (0.05, 0.15, 0.16, 0.17), (DRAWER,) * 4), worktop=0.013, feet=0.01
)
MIXED = Cabinet(
    0.9, 0.5, 0.8,
    Split(False, (0.4, 0.5), (Split(True, (0.3, 0.4), (DRAWER, DRAWER)), DRAWER)),
    worktop=0.02,
)  # fmt: skip


def surface(
    p: Cabinet, count: int = 300, noise: float = 0.0
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return points on the four upright faces of a cabinet."""
    rng = stream(0, "surface")
    half = np.array([p.width, p.depth]) / 2
    points = np.column_stack([rng.uniform(-half, half, (count, 2)), rng.uniform(0, p.height, count)])
    axis = rng.integers(0, 2, count)
    points[np.arange(count), axis] = half[axis] * rng.choice([-1, 1], count)
    return np.asarray(points + rng.normal(0, noise, points.shape) if noise else points, np.float64)


def evidence(p: Cabinet, noise: float = 0.0) -> Evidence:
    """Return what a perfect look at a cabinet says."""
    lines = tuple(Line(vertical, at, start, end, 0.001, 1.0) for vertical, at, start, end in divisions(p))
    handles = []
    for cell in plan(p).cells:
        spec = cell.front.handle
        if spec.kind is not HandleKind.NONE:
            u = cell.face.x0 + spec.u * cell.face.width + p.width / 2
            v = cell.face.z0 + spec.v * cell.face.height
            handles.append(SeenHandle(spec.kind, u, v, 0.13, 0.012, 0.03, False, 1.0))
    front = Elevation("front", p.width, p.height, 0.001, lines=lines, handles=tuple(handles))
    points = surface(p, noise=noise)
    weights = np.full(len(points), 1 / (0.015 * np.sqrt(len(points))))
    size = (p.width, p.depth, p.height)
    return Evidence(
        points, np.zeros_like(points), weights, np.zeros((0, 3)), size, (0.003, 0.003, 0.003), (front,),
        ((0.3, replace(p, grid=DOOR)), (0.7, p)),
    )  # fmt: skip


@pytest.mark.parametrize("p", [ROWS, MIXED])
def test_a_cabinet_agrees_with_what_it_looks_like(p: Cabinet) -> None:
    off = residual(p, evidence(p))
    np.testing.assert_allclose(off, 0, atol=1e-6)


@pytest.mark.parametrize("p", [ROWS, MIXED])
def test_divisions_are_the_middles_of_gaps(p: Cabinet) -> None:
    parts = divisions(p)
    assert len(parts) == 3 if p is ROWS else 2
    for vertical, at, start, end in parts:
        assert 0 <= start < end <= (p.height if vertical else p.width)
        edges = [
            x + p.width / 2 if vertical else x
            for cell in plan(p).cells
            for x in ((cell.face.x0, cell.face.x1) if vertical else (cell.face.z0, cell.face.z1))
        ]
        assert sum(abs(abs(edge - at) - p.gap / 2) < 1e-9 for edge in edges) >= 2
    assert divisions(replace(p, grid=DOOR)) == []


@given(st.floats(-0.01, 0.01), st.integers(0, 2))
def test_an_outer_size_that_is_off_costs_what_it_is_off(off: float, axis: int) -> None:
    name = ("width", "depth", "height")[axis]
    size = [ROWS.width, ROWS.depth, ROWS.height]
    seen = evidence(ROWS)
    size[axis] += off
    other = replace(
        seen,
        size=(size[0], size[1], size[2]),
        points=seen.points[:0],
        normals=seen.normals[:0],
        weights=seen.weights[:0],
    )
    assert residual(ROWS, other)[axis] == pytest.approx(-off / 0.003)
    assert getattr(ROWS, name) > 0


def test_an_edge_without_a_line_and_a_handle_that_was_not_seen_cost_the_most() -> None:
    seen = evidence(ROWS)
    (front,) = seen.elevations
    blank = replace(seen, elevations=(replace(front, lines=front.lines[1:]),))
    assert sorted(residual(ROWS, blank))[-1] == FAR
    bare = replace(seen, elevations=(replace(front, handles=()),))
    assert (residual(ROWS, bare) == FAR).sum() == 8
    cut = tuple(replace(line, end=0.1) for line in front.lines)
    short = replace(seen, elevations=(replace(front, lines=cut),))
    assert (residual(ROWS, short) == FAR).sum() == 3
    faceless = replace(seen, elevations=())
    assert len(residual(ROWS, faceless)) == 3 + len(seen.points)


def test_far_points_hardly_pull() -> None:
    seen = evidence(ROWS)
    shifted = replace(seen, points=seen.points - np.array([0, 0.3, 0]))
    most = np.abs(residual(ROWS, shifted)[3 : 3 + len(seen.points)]).max()
    assert most <= 0.03 * seen.weights.max() + 1e-9


def test_proposals_are_the_layouts_in_the_size_seen_the_likeliest_first() -> None:
    seen = replace(evidence(ROWS), size=(0.45, 0.61, 0.57))
    first, second = propose(seen)
    assert first.grid == ROWS.grid
    assert second.grid == DOOR
    assert (first.width, first.depth, first.height) == seen.size
    assert propose(replace(seen, layouts=())) == []
    assert family("cabinet").propose(seen) == [first, second]


@pytest.mark.parametrize("p", [ROWS, MIXED])
def test_a_fit_finds_the_sizes_that_the_evidence_has(p: Cabinet) -> None:
    seen = evidence(p, noise=0.003)
    assert isinstance(p.grid, Split)
    sizes = tuple(s + d for s, d in zip(p.grid.sizes, (0.006, -0.004, 0.005, -0.007), strict=False))
    start = replace(p, width=p.width + 0.004, grid=replace(p.grid, sizes=sizes))
    best, cost = fitted(start, lambda q: residual(q, seen))
    assert cost < 0.5
    assert cost < float(np.sum(residual(start, seen) ** 2) / 2)
    for (_, a, *_), (_, b, *_) in zip(divisions(best), divisions(p), strict=True):
        assert abs(a - b) < 0.002
    assert best.density == start.density
    assert best.back == start.back


# --- the optimiser itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [ROWS, MIXED])
def test_numbers_come_back_where_they_were(p: Cabinet) -> None:
    values = list(numbers(p))
    assert with_numbers(p, iter(values)) == p
    doubled = with_numbers(p, iter([2 * v for v in values]))
    assert doubled.width == 2 * p.width
    assert list(numbers(doubled)) == [2 * v for v in values]
    assert isinstance(doubled.grid, Split)
    assert doubled.overlay == p.overlay


def test_what_nothing_measures_stays() -> None:
    best, cost = fitted(ROWS, lambda p: np.array([(p.width - 0.5) / 0.001]))
    assert best.width == pytest.approx(0.5, abs=1e-3)
    assert replace(best, width=ROWS.width) == ROWS
    assert cost < 1
    same, cost = fitted(ROWS, lambda p: np.array([2.0]))
    assert same == ROWS
    assert cost == 2.0


def test_a_fit_refines_and_does_not_invent() -> None:
    best, _ = fitted(ROWS, lambda p: np.array([(p.width - 5.0) / 0.001, p.plinth - 0.1]))
    assert best.width <= 1.5 * ROWS.width + 1e-9
    assert best.plinth == 0.0  # what is not there does not appear
