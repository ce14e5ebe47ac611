import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.geometry.convex import BoxPiece, HullPiece, Piece, Vec3, rotation, span
from pocketworld.geometry.inertia import Inertia, inertia
from pocketworld.rng import stream

sizes = st.tuples(*[st.floats(0.01, 2)] * 3)
seeds = st.integers(0, 10**6)


def matrix(moments: Inertia) -> np.ndarray:
    xx, yy, zz, xy, xz, yz = moments
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def hull(points: np.ndarray) -> HullPiece:
    return HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in points))


def some(seed: int) -> tuple[list[Piece], list[float]]:
    """Return boxes, turned boxes and hulls somewhere, and their densities."""
    draw = stream(seed, "pieces")
    pieces: list[Piece] = []
    for i in range(6):
        x, y, z = draw.uniform(-1, 1, 3).tolist()
        a, b, c = draw.uniform(0.05, 0.5, 3).tolist()
        q = draw.normal(size=4)
        w, i_, j, k = (q / np.linalg.norm(q)).tolist()
        if i % 3 == 0:
            pieces.append(BoxPiece((x, y, z), (a, b, c)))
        elif i % 3 == 1:
            pieces.append(BoxPiece((x, y, z), (a, b, c), (w, i_, j, k)))
        else:
            pieces.append(hull(draw.normal(size=(12, 3)) * 0.2 + (x, y, z)))
    return pieces, draw.uniform(100, 3000, 6).tolist()


@given(sizes, st.floats(10, 8000))
def test_a_box_has_the_inertia_of_the_textbook(size: Vec3, density: float) -> None:
    mass, com, moments = inertia([BoxPiece((1, 2, 3), size)], [density])
    x, y, z = size
    assert mass == pytest.approx(x * y * z * density)
    assert com == pytest.approx((1, 2, 3))
    expected = (mass * (y * y + z * z) / 12, mass * (x * x + z * z) / 12, mass * (x * x + y * y) / 12)
    assert moments[:3] == pytest.approx(expected)
    assert moments[3:] == pytest.approx((0, 0, 0), abs=1e-12)


@given(sizes, st.floats(0.1, 0.9), st.integers(0, 2))
def test_a_box_cut_in_two_is_the_same_body(size: Vec3, share: float, axis: int) -> None:
    low, high = [0.0, 0.0, 0.0], list(size)
    middle_low, middle_high = list(low), list(high)
    middle_low[axis] = middle_high[axis] = share * size[axis]

    def box(a: list[float], b: list[float]) -> BoxPiece:
        return span((a[0], a[1], a[2]), (b[0], b[1], b[2]))

    whole = inertia([box(low, high)], [500.0])
    parts = inertia([box(low, middle_high), box(middle_low, high)], [500.0, 500.0])
    assert parts[0] == pytest.approx(whole[0])
    assert parts[1] == pytest.approx(whole[1])
    assert parts[2] == pytest.approx(whole[2], rel=1e-6, abs=1e-9)


@settings(max_examples=40)
@given(seeds)
def test_pieces_weigh_what_their_meshes_do(seed: int) -> None:
    pieces, densities = some(seed)
    meshes = [trimesh.convex.convex_hull(piece.vertices) for piece in pieces]
    masses = np.array([mesh.volume * d for mesh, d in zip(meshes, densities, strict=True)])
    com = masses @ np.array([mesh.center_mass for mesh in meshes]) / masses.sum()
    total = np.zeros((3, 3))
    for mesh, density, mass in zip(meshes, densities, masses, strict=True):
        off = np.array(mesh.center_mass) - com
        total += mesh.moment_inertia * density + mass * (off @ off * np.eye(3) - np.outer(off, off))
    found = inertia(pieces, densities)
    assert found[0] == pytest.approx(masses.sum())
    assert found[1] == pytest.approx(com, abs=1e-9)
    assert np.allclose(matrix(found[2]), total, rtol=1e-6, atol=1e-6 * np.trace(total))


@given(seeds)
def test_a_hull_of_a_boxs_corners_is_the_box(seed: int) -> None:
    pieces, densities = some(seed)
    hulls = [hull(piece.vertices) for piece in pieces]
    a, b = inertia(pieces, densities), inertia(hulls, densities)
    assert a[0] == pytest.approx(b[0])
    assert a[1] == pytest.approx(b[1], abs=1e-9)
    assert np.allclose(a[2], b[2], rtol=1e-6, atol=1e-9)


@given(seeds)
def test_inertia_moves_and_turns_with_the_body(seed: int) -> None:
    pieces, densities = some(seed)
    draw = stream(seed, "motion")
    q = draw.normal(size=4)
    w, x, y, z = (q / np.linalg.norm(q)).tolist()
    turn, shift = rotation((w, x, y, z)), draw.normal(size=3)
    moved = [hull(piece.vertices @ turn.T + shift) for piece in pieces]
    mass, com, moments = inertia(pieces, densities)
    there = inertia(moved, densities)
    assert there[0] == pytest.approx(mass)
    assert np.allclose(there[1], turn @ com + shift)
    assert np.allclose(matrix(there[2]), turn @ matrix(moments) @ turn.T)


@given(seeds)
def test_the_order_of_pieces_does_not_matter(seed: int) -> None:
    pieces, densities = some(seed)
    order = stream(seed, "order").permutation(len(pieces))
    a = inertia(pieces, densities)
    b = inertia([pieces[i] for i in order], [densities[i] for i in order])
    assert a[0] == pytest.approx(b[0])
    assert a[1] == pytest.approx(b[1], abs=1e-12)
    assert a[2] == pytest.approx(b[2], abs=1e-9)


@given(seeds)
def test_a_body_obeys_the_triangle_inequality_of_moments(seed: int) -> None:
    # What a simulator checks before it accepts an inertia.
    values = np.linalg.eigvalsh(matrix(inertia(*some(seed))[2]))
    assert values[0] > 0
    assert values[0] + values[1] >= values[2] * (1 - 1e-9)
