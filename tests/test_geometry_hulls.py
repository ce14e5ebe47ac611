"""Hulls' faces: those of boxes and prisms are known by their points' order, and are Qhull's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from pocketworld.families.cylinder import SIDES
from pocketworld.geometry import hulls
from pocketworld.geometry.convex import CORNERS
from pocketworld.geometry.hulls import MOST, crossed, faces
from pocketworld.rng import stream

Array = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)


def prism(corners: int) -> Array:
    """Return a prism of radius 1, the lower ring first."""
    around = 2 * np.pi * np.arange(corners) / corners
    ring = np.stack([np.cos(around), np.sin(around)], 1)
    return np.concatenate([np.c_[ring, np.full(corners, z)] for z in (0.0, 1.0)])


def woven(corners: int) -> Array:
    """Return the same prism, each corner's lower point and then its upper one."""
    return prism(corners).reshape(2, corners, 3).swapaxes(0, 1).reshape(-1, 3)


KNOWN = {
    "box": CORNERS,
    **{f"prism {n}": prism(n) for n in (3, 4, 7, 16, 32)},
    "woven": woven(4),
    "woven 5": woven(5),
}


def moved(points: Array, seed: int) -> Array:
    """Return points sheared, stretched, mirrored or not, and put elsewhere: a hull of the same form."""
    rng = stream(seed, "hulls")
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    skew = np.eye(3) + np.triu(rng.uniform(-0.5, 0.5, (3, 3)), 1)
    out: Array = points @ (np.diag(rng.uniform(0.01, 1.0, 3)) @ skew @ turn) + rng.uniform(-2, 2, 3)
    return out


def volume(points: Array, triangles: NDArray[np.int32]) -> float:
    """Return the volume between triangles and a point inside."""
    corners = points[triangles] - points.mean(0)
    return float(np.abs(np.linalg.det(corners)).sum() / 6)


def area(points: Array, triangles: NDArray[np.int32]) -> float:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


@pytest.mark.parametrize("form", KNOWN)
@given(seed=SEEDS)
def test_known_forms_have_the_surface_that_qhull_finds(form: str, seed: int) -> None:
    points = moved(KNOWN[form], seed)
    (found,) = faces(points[None])
    qhull = ConvexHull(points)
    assert volume(points, found) == pytest.approx(qhull.volume, rel=1e-9)
    assert area(points, found) == pytest.approx(qhull.area, rel=1e-9)


@pytest.mark.parametrize("form", KNOWN)
def test_known_forms_need_no_qhull(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(points: Array) -> None:
        raise AssertionError("Qhull was asked")

    monkeypatch.setattr("scipy.spatial.ConvexHull", never)
    for seed in range(20):
        faces(moved(KNOWN[form], seed)[None])
    with pytest.raises(AssertionError, match="Qhull was asked"):
        faces(stream(0, "hulls").normal(size=(1, 9, 3)))


@given(seed=SEEDS, count=st.integers(4, 20))
def test_any_other_points_have_qhulls_faces(seed: int, count: int) -> None:
    points = stream(seed, "hulls").normal(size=(3, count, 3))
    for one, found in zip(points, faces(points), strict=True):
        qhull = ConvexHull(one)
        assert volume(one, found) == pytest.approx(qhull.volume, rel=1e-9)
        assert area(one, found) == pytest.approx(qhull.area, rel=1e-9)


@given(seed=SEEDS, order=st.permutations(range(8)))
def test_a_box_in_any_order_is_the_same_hull(seed: int, order: list[int]) -> None:
    points = moved(CORNERS, seed)[order]
    (found,) = faces(points[None])
    assert volume(points, found) == pytest.approx(ConvexHull(points).volume, rel=1e-9)
    assert area(points, found) == pytest.approx(ConvexHull(points).area, rel=1e-9)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("a corner inside", (7, (0.2, 0.3, 0.1))),
        ("a corner outside its side's plane", (7, (1.0, 1.0, 1.3))),
        ("two corners in one place", (7, (1.0, 1.0, -1.0))),
        ("a side's corners in a line", (7, (1.0, 0.0, 0.0))),
    ],
)
def test_almost_a_box_is_left_to_qhull(what: str, change: tuple[int, tuple[float, float, float]]) -> None:
    points = CORNERS.copy()
    points[change[0]] = change[1]
    (found,) = faces(points[None])
    assert volume(points, found) == pytest.approx(ConvexHull(points).volume, rel=1e-12), what
    assert area(points, found) == pytest.approx(ConvexHull(points).area, rel=1e-12), what


@pytest.mark.parametrize("form", KNOWN)
@pytest.mark.parametrize("bump", [1e-6, 1e-8, 1e-10, 1e-12])
def test_a_bump_that_is_hardly_there_counts(form: str, bump: float) -> None:
    """A corner moved by so much of the size, each way: the surface stays Qhull's to a part in 1e12."""
    size = np.ptp(KNOWN[form], axis=0).max()
    for way in (*np.eye(3), *-np.eye(3), np.ones(3)):
        points = KNOWN[form].copy()
        points[-1] += bump * size * way
        (found,) = faces(points[None])
        assert volume(points, found) == pytest.approx(ConvexHull(points).volume, rel=1e-12)
        assert area(points, found) == pytest.approx(ConvexHull(points).area, rel=1e-12)


@pytest.mark.parametrize("corners", [4, 5, 6])
def test_a_twisted_prism_is_left_to_qhull(corners: int) -> None:
    """Its upper ring is another way around: some sides lie in a plane and cross themselves."""
    points = prism(corners) * (0.5, 0.2, 1.0)
    upper = np.arange(corners)
    for turn in range(corners):
        for ring in (np.roll(upper, turn), np.roll(upper[::-1], turn)):
            twisted = points[[*upper, *(ring + corners)]]
            (found,) = faces(twisted[None])
            assert volume(twisted, found) == pytest.approx(ConvexHull(twisted).volume, rel=1e-12)
            assert area(twisted, found) == pytest.approx(ConvexHull(twisted).area, rel=1e-12)


def test_hulls_of_many_points_are_left_to_qhull(monkeypatch: pytest.MonkeyPatch) -> None:
    """No order of them is looked for: that would take longer than Qhull does."""
    asked: list[int] = []
    orders = hulls._orders

    def seen(count: int) -> object:
        asked.append(count)
        return orders(count)

    monkeypatch.setattr(hulls, "_orders", seen)
    for corners in (MOST // 2, MOST // 2 + 1, MOST):
        (found,) = faces(prism(corners)[None])
        assert volume(prism(corners), found) == pytest.approx(ConvexHull(prism(corners)).volume, rel=1e-12)
    assert asked == [MOST]
    assert MOST >= 2 * SIDES  # the cylinder family's own


def test_a_ring_that_goes_around_twice_is_no_prism() -> None:
    star = prism(5)[[0, 2, 4, 1, 3, 5, 7, 9, 6, 8]]
    (found,) = faces(star[None])
    assert volume(star, found) == pytest.approx(ConvexHull(star).volume, rel=1e-12)


def test_hulls_side_by_side_have_each_its_own_faces() -> None:
    """Of several at once those that have a known form get it, whoever stands beside them."""
    mixed = np.array([moved(CORNERS, 0), stream(1, "hulls").normal(size=(8, 3)), moved(woven(4), 2)])
    alone = [faces(one[None])[0] for one in mixed]
    for one, other in zip(faces(mixed), alone, strict=True):
        assert np.array_equal(one, other)
    assert hulls.faces(np.zeros((0, 8, 3))) == []


@given(seed=SEEDS)
def test_the_cross_product_is_numpys(seed: int) -> None:
    a, b = stream(seed, "hulls").normal(size=(2, 4, 5, 3))
    assert np.array_equal(crossed(a, b), np.cross(a, b))
