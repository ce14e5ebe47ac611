"""Worktops: a slab with a hole for the sink, a basin in which things lie, resized with the units below."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.box import Box, BoxFamily
from pocketworld.families.misfit import distance
from pocketworld.families.protocol import Draw, Evidence, Refusal, Site, Spread
from pocketworld.families.worktop import BORDER, Sink, Worktop, WorktopFamily, basin, check, resized, slab
from pocketworld.geometry.convex import BoxPiece
from pocketworld.geometry.sweep import clean
from pocketworld.rng import stream
from pocketworld.scene import Base, Pose, Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.stability import stand

FAMILY = WorktopFamily()
SITE = Site((2.4, 0.65, 0.5))
SINK = Sink(0.3, 0.5, 0.4, 0.16, 0.09)
PLAIN = Worktop(2.4, 0.61, 0.04, SINK)
NOTHING = np.zeros((0, 3))


def draw(seed: int) -> Draw:
    return lambda name: stream(seed, "worktop", name)


@st.composite
def worktops(pick: st.DrawFn) -> Worktop:
    """Draw a worktop with a sink anywhere within it."""
    width, depth, thickness = pick(st.floats(0.6, 4)), pick(st.floats(0.5, 0.9)), pick(st.floats(0.01, 0.06))
    wide, deep = pick(st.floats(0.1, width - 0.1)), pick(st.floats(0.1, depth - 0.1))
    at = pick(st.floats(-1, 1)) * (width / 2 - wide / 2 - 0.01)
    setback = 0.01 + pick(st.floats(0, 1)) * (depth - deep - 0.02)
    basin = thickness + pick(st.floats(0.02, 0.2))
    return Worktop(width, depth, thickness, Sink(at, wide, deep, basin, setback))


def inside(points: np.ndarray, pieces: list[BoxPiece]) -> np.ndarray:
    """Return in how many boxes each point lies."""
    low = np.array([box.vertices.min(0) for box in pieces])
    high = np.array([box.vertices.max(0) for box in pieces])
    return np.asarray(((points[:, None] > low) & (points[:, None] < high)).all(2).sum(1))


@given(worktops(), st.integers(0, 10**6))
def test_no_two_pieces_overlap_and_the_basin_is_free(p: Worktop, seed: int) -> None:
    sink = p.cutout
    assert sink is not None
    low = np.array((-p.width / 2, -p.depth / 2, p.thickness - sink.basin))
    points = stream(seed, "points").uniform(0, 1, (500, 3)) * (np.array(p.size) - (0, 0, low[2])) + low
    filled = inside(points, [*slab(p), *basin(p, sink)])
    assert filled.max() <= 1
    y0 = sink.setback - p.depth / 2
    within = np.abs(points[:, 0] - sink.at) < sink.width / 2 - 0.003
    within &= (points[:, 1] > y0 + 0.003) & (points[:, 1] < y0 + sink.depth - 0.003)
    within &= points[:, 2] > p.thickness - sink.basin + 0.003
    assert not filled[within].any()
    aside = (np.abs(points[:, 0] - sink.at) > sink.width / 2) & (points[:, 2] > 0)
    assert (filled[aside] == 1).all()


@given(worktops())
def test_it_is_one_fixed_part_whose_underside_is_z_0(p: Worktop) -> None:
    asset = FAMILY.build(p, "top-1")
    (part,) = asset.parts
    assert (asset.id, asset.family, asset.base, asset.joints) == ("top-1", "worktop", Base.FIXED, ())
    assert registry.rebuild(asset) == p
    corners = np.concatenate([piece.vertices for piece in part.pieces[:4]])
    assert corners.min(0) == pytest.approx((-p.width / 2, -p.depth / 2, 0))
    assert corners.max(0) == pytest.approx((p.width / 2, p.depth / 2, p.thickness))


def test_it_weighs_what_it_is_made_of() -> None:
    plain = FAMILY.build(replace(PLAIN, cutout=None), "w").parts[0]
    assert plain.mass == pytest.approx(2.4 * 0.61 * 0.04 * 700)
    cut = FAMILY.build(PLAIN, "w").parts[0]
    sheet = (0.5 * 0.4 + 2 * (0.5 + 0.4) * 0.16) * 0.001  # m³ of steel of 1 mm
    assert cut.mass == pytest.approx(plain.mass - 0.5 * 0.4 * 0.04 * 700 + sheet * 7900, rel=0.01)


def test_a_parcel_dropped_into_the_sink_lies_on_its_bottom() -> None:
    top = replace(FAMILY.build(PLAIN, "top"), pose=Pose((0, 0, 0.87)))
    y = SINK.setback - PLAIN.depth / 2 + SINK.depth / 2
    bottom = 0.87 + PLAIN.thickness - SINK.basin + 0.003
    parcel = replace(BoxFamily().build(Box(0.1, 0.1, 0.1), "cup"), pose=Pose((SINK.at, y, bottom)))
    found = stand(mjcf.document(Scene("s", (top, parcel)), visual=False).compile(), 5.0)
    assert found.still, found


BAD: list[tuple[Worktop, str]] = [
    (Worktop(0, 0.6), "width is 0; a number, at least 0.001"),
    (Worktop(2, math.nan), "depth is nan"),
    (Worktop(2, 0.6, -0.03), "thickness is -0.03"),
    (Worktop(2, 0.6, density=0.0), "density is 0"),
    (replace(PLAIN, cutout=replace(SINK, at=1.0)), "its sink: reach to a side is 1.25; at most 1.199 here"),
    (replace(PLAIN, cutout=replace(SINK, at=math.inf)), "its sink: at is inf"),
    (replace(PLAIN, cutout=replace(SINK, depth=0.55)), "its sink: setback and depth is 0.64; at most"),
    (replace(PLAIN, cutout=replace(SINK, basin=0.03)), "its sink: basin is 0.03; a number, at least 0.046"),
    (replace(PLAIN, cutout=replace(SINK, width=0.0)), "its sink: width is 0"),
]


@pytest.mark.parametrize(("p", "message"), BAD, ids=[m[:22] for _, m in BAD])
def test_what_is_no_worktop_is_refused_in_one_line(p: Worktop, message: str) -> None:
    with pytest.raises(PocketworldError, match=f"^worktop: {message}") as error:
        FAMILY.build(p, "w")
    assert "\n" not in str(error.value)


@given(worktops(), st.floats(0.5, 2), st.floats(0.7, 1.5))
def test_resized_its_sink_stays_inside_with_as_much_slab_around(
    p: Worktop, wider: float, deeper: float
) -> None:
    width, depth = p.width * wider, p.depth * deeper
    assert p.cutout is not None
    # A sink shrinks where it must, but not below what one is.
    assume(min(wider * p.width, deeper * p.depth) > max(p.cutout.width, p.cutout.depth, 0.36) + 2 * BORDER)
    out = resized(p, width, depth)
    check(out)
    assert (out.width, out.depth, out.thickness) == (width, depth, p.thickness)
    assert out.cutout is not None
    if wider >= 1 and deeper >= 1:
        assert (out.cutout.width, out.cutout.depth) == (p.cutout.width, p.cutout.depth)


@given(worktops())
def test_resized_to_its_own_size_it_is_itself(p: Worktop) -> None:
    same = resized(p, p.width, p.depth)
    assert p.cutout is not None
    assert same.cutout is not None
    for name in ("at", "width", "depth", "basin", "setback"):
        assert getattr(same.cutout, name) == pytest.approx(getattr(p.cutout, name), abs=1e-9)


def test_a_worktop_without_a_sink_takes_any_size_and_one_with_refuses_the_smallest() -> None:
    assert resized(Worktop(2, 0.6), 0.3, 0.1).size == (0.3, 0.1, 0.038)
    with pytest.raises(PocketworldError, match=r"^worktop: 0.3 x 0.61 m leave no room for its sink of 0.5 m"):
        resized(PLAIN, 0.3, 0.61)


def test_sampled_worktops_fit_differ_and_are_clean() -> None:
    many = [FAMILY.sample(draw(seed), SITE) for seed in range(64)]
    for p in many:
        assert (np.array(p.size) <= SITE.free).all()
        assert clean(FAMILY.build(p, "w"))
    assert 24 < sum(p.cutout is not None for p in many) < 56
    with pytest.raises(PocketworldError, match=r"^no worktop fits: its depth is at least 0.6 m; 0.5 m are"):
        FAMILY.sample(draw(0), Site((2.4, 0.5, 0.5)))


@given(st.integers(0, 10**6))
def test_mutated_it_can_be_built_and_covers_the_same_units(seed: int) -> None:
    out = FAMILY.mutate(PLAIN, FAMILY.widest, draw(seed))
    assert isinstance(out, Worktop)
    check(out)
    assert (out.width, out.depth) == (PLAIN.width, PLAIN.depth)
    assert FAMILY.mutate(PLAIN, Spread(), draw(seed)) == PLAIN


def test_a_sheet_is_refused() -> None:
    thin = Worktop(2, 0.6, 0.0011)
    out = [FAMILY.mutate(thin, FAMILY.widest, draw(seed)) for seed in range(20)]
    assert 0 < sum(isinstance(o, Refusal) for o in out) < 20


def surface(p: Worktop, seed: int, count: int = 400) -> np.ndarray:
    """Return points on what one sees of a worktop from above: its top, and the bottom of its basin."""
    points = stream(seed, "top").uniform(-0.5, 0.5, (count, 3)) * (p.width, p.depth, 0) + (0, 0, p.thickness)
    if p.cutout is not None:
        y = p.cutout.setback + p.cutout.depth / 2 - p.depth / 2
        over = np.abs(points[:, 0] - p.cutout.at) < p.cutout.width / 2
        over &= np.abs(points[:, 1] - y) < p.cutout.depth / 2
        points[over, 2] = p.thickness - p.cutout.basin + 0.003
    return np.asarray(points)


def evidence(points: np.ndarray, size: Any, free: np.ndarray = NOTHING) -> Evidence:
    normals = np.tile((0.0, 0.0, 1.0), (len(points), 1))
    return Evidence(points, normals, np.full(len(points), 100.0), free, size, (0.01, 0.01, 0.01))


@given(worktops(), st.integers(0, 10**6))
def test_its_own_surface_leaves_no_residual_and_places_in_the_slab_do(p: Worktop, seed: int) -> None:
    points = surface(p, seed)
    seen = evidence(points, p.size, points - (0, 0, 0.004))
    out = FAMILY.residual(p, seen)
    assert len(out) == 3 + 2 * len(points)
    assert out[: 3 + len(points)] == pytest.approx(np.zeros(3 + len(points)), abs=1e-6)
    deep = np.minimum(-distance(seen.free, [*slab(p), *basin(p, p.cutout or SINK)]), 0.03)
    assert (out[3 + len(points) :] > 0).sum() == (deep > 0).sum() > 0


def test_it_is_proposed_in_the_size_seen_with_the_sinks_found() -> None:
    nothing = evidence(np.zeros((0, 3)), (1.8, 0.6, 0.03))
    assert FAMILY.propose(nothing) == [Worktop(1.8, 0.6, 0.03)]
    (found,) = FAMILY.propose(replace(nothing, layouts=((1.0, PLAIN), (0.5, Box(1, 1, 1)))))
    assert found.size == (1.8, 0.6, 0.03)
    assert found.cutout is not None
