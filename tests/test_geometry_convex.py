import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pocketworld.errors import PocketworldError
from pocketworld.geometry import se3
from pocketworld.geometry.convex import BoxPiece, HullPiece, Vec3, rotation, span

places = st.tuples(*[st.floats(-5, 5)] * 3)
sizes = st.tuples(*[st.floats(0.001, 3)] * 3)
turns = arrays(float, 4, elements=st.floats(-1, 1)).filter(lambda q: np.linalg.norm(q) > 0.1)


def unit(q: np.ndarray) -> tuple[float, float, float, float]:
    w, x, y, z = (q / np.linalg.norm(q)).tolist()
    return (w, x, y, z)


@given(places, sizes)
def test_a_span_reaches_from_corner_to_corner(low: Vec3, size: Vec3) -> None:
    high = (low[0] + size[0], low[1] + size[1], low[2] + size[2])
    box = span(low, high)
    assert np.allclose(box.vertices.min(0), low, atol=1e-12)
    assert np.allclose(box.vertices.max(0), high, atol=1e-12)
    assert box.volume == pytest.approx(np.prod(size))


@given(places, sizes, turns)
def test_the_corners_of_a_turned_box_keep_their_distances(centre: Vec3, size: Vec3, q: np.ndarray) -> None:
    plain = BoxPiece(centre, size).vertices - centre
    turned = BoxPiece(centre, size, unit(q)).vertices - centre
    assert np.allclose(turned @ turned.T, plain @ plain.T, atol=1e-9)


@given(turns)
def test_a_rotation_is_one_and_gives_its_quaternion_back(q: np.ndarray) -> None:
    wxyz = unit(q)
    turn = rotation(wxyz)
    assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.isclose(np.linalg.det(turn), 1)
    assert np.isclose(abs(se3.quaternion(turn) @ wxyz), 1)


@given(places, sizes, turns)
def test_a_box_and_the_hull_of_its_corners_have_one_volume(centre: Vec3, size: Vec3, q: np.ndarray) -> None:
    assume(min(size) > 0.01)
    box = BoxPiece(centre, size, unit(q))
    hull = HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in box.vertices))
    assert hull.volume == pytest.approx(box.volume)
    assert np.array_equal(hull.vertices, box.vertices)


def test_a_tetrahedron_has_a_sixth_of_its_cube() -> None:
    assert HullPiece(((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))).volume == pytest.approx(1 / 6)


@pytest.mark.parametrize("size", [(0.0, 1, 1), (1, -0.1, 1), (1, 1, float("nan"))])
def test_a_box_without_volume_is_refused(size: Vec3) -> None:
    with pytest.raises(PocketworldError, match=r"^collision box at .* has size .*; all must be > 0$"):
        BoxPiece((0, 0, 0), size)


def test_a_span_of_corners_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(PocketworldError, match="all must be > 0"):
        span((1, 0, 0), (0, 1, 1))
