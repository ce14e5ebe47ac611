import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from pocketworld.geometry import separating
from pocketworld.geometry.convex import BoxPiece, HullPiece, Piece, Vec3, span
from pocketworld.geometry.se3 import exp
from pocketworld.geometry.separating import bounds, corners, depths, shape, shapes
from pocketworld.rng import stream

seeds = st.integers(0, 10**6)
STILL = np.eye(4)[None]


def depth(a: Piece, b: Piece, motion: np.ndarray | None = None) -> float:
    return float(depths(shape(a), shape(b), STILL if motion is None else motion[None])[0])


def hull(points: np.ndarray) -> HullPiece:
    return HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in points))


def moved(piece: Piece, motion: np.ndarray) -> HullPiece:
    return hull(piece.vertices @ motion[:3, :3].T + motion[:3, 3])


def pair(seed: int) -> tuple[Piece, Piece]:
    """Return two pieces of any sort, near each other."""
    draw = stream(seed, "pair")
    out: list[Piece] = []
    for _ in range(2):
        x, y, z = draw.uniform(-0.6, 0.6, 3).tolist()
        a, b, c = draw.uniform(0.1, 1.0, 3).tolist()
        q = draw.normal(size=4)
        w, i, j, k = (q / np.linalg.norm(q)).tolist()
        kinds: list[Piece] = [
            BoxPiece((x, y, z), (a, b, c)),
            BoxPiece((x, y, z), (a, b, c), (w, i, j, k)),
            hull(draw.normal(size=(8, 3)) * 0.3 + (x, y, z)),
        ]
        out.append(kinds[int(draw.integers(3))])
    return out[0], out[1]


def apart(a: Piece, b: Piece) -> float:
    """Return how far a plane can keep the two apart (less than 0: no plane does), by linear programming."""
    # max t: n.v >= d + t on a, n.v <= d - t on b, |n|_inf <= 1, so that t = 0 is always possible.
    va, vb = a.vertices, b.vertices
    rows = np.concatenate(
        [
            np.column_stack([-va, np.ones(len(va)), np.ones(len(va))]),
            np.column_stack([vb, -np.ones(len(vb)), np.ones(len(vb))]),
        ]
    )
    bounds = [(-1, 1)] * 3 + [(None, None)] * 2
    found = linprog([0, 0, 0, 0, -1.0], A_ub=rows, b_ub=np.zeros(len(rows)), bounds=bounds)
    return float(found.x[4])


@given(st.tuples(*[st.floats(-1, 1)] * 3), st.tuples(*[st.floats(0.1, 1)] * 3))
def test_upright_boxes_overlap_by_the_least_of_three(shift: Vec3, size: Vec3) -> None:
    a, b = BoxPiece((0, 0, 0), (1, 1, 1)), BoxPiece(shift, size)
    expected = min((1 + s) / 2 - abs(d) for s, d in zip(size, shift, strict=True))
    assert depth(a, b) == pytest.approx(max(expected, 0), abs=1e-12)


@given(seeds)
def test_both_sides_see_one_depth(seed: int) -> None:
    a, b = pair(seed)
    assert depth(a, b) == pytest.approx(depth(b, a), abs=1e-9)


@settings(max_examples=200)
@given(seeds)
def test_there_is_a_depth_exactly_where_no_plane_parts_them(seed: int) -> None:
    a, b = pair(seed)
    deep, free = depth(a, b), apart(a, b)
    if deep > 1e-6:
        assert free <= 1e-7
    elif deep == 0:
        assert free >= -1e-9
    if free > 1e-6:
        assert deep == 0


@given(seeds)
def test_a_motion_of_both_changes_nothing(seed: int) -> None:
    a, b = pair(seed)
    motion = exp(stream(seed, "motion").normal(size=6))
    assert depth(moved(a, motion), moved(b, motion)) == pytest.approx(depth(a, b), abs=1e-6)


@given(seeds)
def test_a_motion_given_is_a_motion_made(seed: int) -> None:
    a, b = pair(seed)
    motion = exp(stream(seed, "motion").normal(size=6) * 0.3)
    assert depth(a, b, motion) == pytest.approx(depth(moved(a, motion), b), abs=1e-6)


@given(seeds, st.floats(0, 0.5))
def test_a_shift_changes_the_depth_by_no_more_than_itself(seed: int, far: float) -> None:
    a, b = pair(seed)
    way = stream(seed, "way").normal(size=3)
    motion = np.eye(4)
    motion[:3, 3] = far * way / np.linalg.norm(way)
    assert abs(depth(a, b, motion) - depth(a, b)) <= far + 1e-9


@given(seeds)
def test_a_box_and_the_hull_of_its_corners_are_one(seed: int) -> None:
    a, b = pair(seed)
    assert depth(hull(a.vertices), hull(b.vertices)) == pytest.approx(depth(a, b), abs=1e-6)


@given(st.floats(0.9, 1.6))
def test_two_edges_across_each_other_meet_along_neither_face(distance: float) -> None:
    # One box lies on an edge along x, the other below on one along y: only their cross product parts them.
    half = np.pi / 8
    lower = BoxPiece((0, 0, 0), (1, 1, 1), (np.cos(half), np.sin(half), 0, 0))
    upper = BoxPiece((0, 0, distance), (1, 1, 1), (np.cos(half), 0, np.sin(half), 0))
    assert depth(lower, upper) == pytest.approx(max(np.sqrt(2) - distance, 0), abs=1e-9)


def test_one_inside_the_other_must_go_all_the_way_out() -> None:
    inner, outer = BoxPiece((0.2, 0, 0), (0.1, 0.1, 0.1)), BoxPiece((0, 0, 0), (1, 2, 3))
    assert depth(inner, outer) == pytest.approx(0.5 - 0.2 + 0.05)


def test_touching_is_no_depth() -> None:
    assert depth(span((0, 0, 0), (1, 1, 1)), span((1, 0, 0), (2, 1, 1))) == 0
    assert depth(span((0, 0, 0), (1, 1, 1)), span((1, 1, 1), (2, 2, 2))) == 0


def test_many_motions_at_once_give_what_each_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = pair(3)
    motions = exp(stream(3, "motions").normal(size=(40, 6)) * 0.2)
    together = depths(shape(a), shape(b), motions)
    assert together == pytest.approx([depth(a, b, motion) for motion in motions], abs=1e-12)
    monkeypatch.setattr(separating, "CHUNK", 1)
    assert np.allclose(depths(shape(a), shape(b), motions), together)


def test_parallel_normals_and_edges_are_kept_once() -> None:
    box = BoxPiece((0, 0, 0), (1, 2, 3))
    found = shape(hull(box.vertices))
    assert len(found.normals) == 3
    # Three edges, and the diagonals by which the hull's faces are cut into triangles.
    assert 3 <= len(found.edges) <= 9
    assert shape(box) is shape(BoxPiece((0, 0, 0), (1, 2, 3)))


@given(seeds)
def test_shapes_made_at_once_are_those_made_one_by_one(seed: int) -> None:
    pieces = [piece for i in range(4) for piece in pair(seed + i)]
    for together, alone in zip(shapes(pieces), map(shape, pieces), strict=True):
        for name in ("vertices", "normals", "edges"):
            np.testing.assert_allclose(getattr(together, name), getattr(alone, name), atol=1e-12)
    low, high = bounds(tuple(pieces))
    points = np.concatenate([piece.vertices for piece in pieces])
    np.testing.assert_array_equal((low, high), (points.min(0), points.max(0)))
    assert shapes([]) == ()


def test_boxes_whose_edges_alone_are_apart_do_not_meet() -> None:
    """Two boxes turned so that no face parts them, but the cross product of an edge of each does."""
    a = BoxPiece((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.9238795325112867, 0.3826834323650898, 0.0, 0.0))
    b = BoxPiece((0.0, 0.0, 1.4), (1.0, 1.0, 1.0), (0.9238795325112867, 0.0, 0.3826834323650898, 0.0))
    assert depth(a, b) == pytest.approx(np.sqrt(2) - 1.4)
    higher = BoxPiece((0.0, 0.0, 1.42), b.size, b.wxyz)
    assert depth(a, higher) == 0.0
    faces = np.concatenate([shape(a).normals, shape(higher).normals])
    reach = [shape(p).vertices @ faces.T for p in (a, higher)]
    assert (np.minimum(reach[0].max(0), reach[1].max(0)) > np.maximum(reach[0].min(0), reach[1].min(0))).all()


@pytest.mark.parametrize("seed", range(6))
def test_corners_are_all_vertices(seed: int) -> None:
    pieces = [piece for i in range(4) for piece in pair(seed + i)]
    found = {tuple(point) for point in corners(pieces).tolist()}
    assert found == {tuple(point) for piece in pieces for point in piece.vertices.tolist()}
    assert corners([]).shape == (0, 3)
