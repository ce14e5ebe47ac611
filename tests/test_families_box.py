import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from pocketworld.errors import PocketworldError
from pocketworld.families.box import Box, BoxFamily
from pocketworld.families.protocol import Draw, Evidence, Refusal, Site, Spread
from pocketworld.rng import stream
from pocketworld.scene import Base

FAMILY = BoxFamily()
sides = st.floats(0.01, 3)
boxes = st.builds(Box, sides, sides, sides, st.floats(1, 8000))


def evidence(p: Box, points: np.ndarray, size: tuple[float, float, float], sigma: float = 0.01) -> Evidence:
    weights = np.full(len(points), 100.0)
    return Evidence(points, np.zeros_like(points), weights, np.zeros((0, 3)), size, (sigma, sigma, sigma))


def surface(p: Box, seed: int, count: int = 300) -> np.ndarray:
    """Return points on a box's faces."""
    draw = stream(seed, "surface")
    half = np.array(p.size) / 2
    points = draw.uniform(-half, half, (count, 3))
    axis = draw.integers(0, 3, count)
    points[np.arange(count), axis] = np.sign(points[np.arange(count), axis]) * half[axis]
    points[:, 2] += half[2]
    return np.asarray(points)


@given(boxes)
def test_a_box_is_one_free_part_of_its_size_and_mass(p: Box) -> None:
    asset = FAMILY.build(p, "parcel")
    (part,) = asset.parts
    (piece,) = part.pieces
    assert asset.base is Base.FREE
    assert asset.joints == ()
    assert piece.vertices.min(0) == pytest.approx((-p.width / 2, -p.depth / 2, 0))
    assert piece.vertices.max(0) == pytest.approx((p.width / 2, p.depth / 2, p.height))
    mass = p.width * p.depth * p.height * p.density
    assert part.mass == pytest.approx(mass)
    assert part.com == pytest.approx((0, 0, p.height / 2))
    assert part.inertia[2] == pytest.approx(mass * (p.width**2 + p.depth**2) / 12)
    assert part.meshes[0].vertices.max(0) == pytest.approx(piece.vertices.max(0), abs=1e-6)
    assert part.meshes[0].material == p.material


@pytest.mark.parametrize(
    "p",
    [
        Box(0, 1, 1),
        Box(1, 0.004, 1),
        Box(1, 1, -1),
        Box(1, 1, 1, 0.0),
        Box(math.nan, 1, 1),
        Box(1, math.inf, 1),
    ],
)
def test_what_is_no_box_is_refused(p: Box) -> None:
    with pytest.raises(
        PocketworldError, match=r"^box: .* m of .* kg/m³; sides of at least 0.005 m and a dens"
    ):
        FAMILY.build(p, "parcel")


@given(st.integers(0, 10**6), st.tuples(*[st.floats(0.15, 1)] * 3))
def test_a_sampled_box_fits_its_site(seed: int, free: tuple[float, float, float]) -> None:
    p = FAMILY.sample(lambda name: stream(seed, name), Site(free))
    assert all(0.1 <= side <= most for side, most in zip(p.size, free, strict=True))
    assert 60 <= p.density <= 500


@given(boxes, st.integers(0, 10**6))
def test_points_on_its_surface_leave_no_residual(p: Box, seed: int) -> None:
    seen = evidence(p, surface(p, seed), p.size)
    assert FAMILY.residual(p, seen) == pytest.approx(np.zeros(303), abs=1e-9)


@given(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_residual_is_the_distance_to_the_surface(x: float, y: float, z: float) -> None:
    p = Box(0.4, 0.6, 0.2)
    outside = np.array([[0.2 + x, 0.3 + y, 0.2 + z]])
    assert FAMILY.residual(p, evidence(p, outside, p.size))[3] == pytest.approx(100 * math.hypot(x, y, z))
    inside = np.array([[0.2 - min(x, 0.1), 0.0, 0.1]])
    deep = min(min(x, 0.1), 0.1)
    assert FAMILY.residual(p, evidence(p, inside, p.size))[3] == pytest.approx(-100 * deep)


def test_a_fit_finds_the_box_that_points_were_taken_from() -> None:
    true = Box(0.42, 0.31, 0.25)
    seen = evidence(true, surface(true, 1, 600), (0.40, 0.33, 0.22), sigma=0.05)
    (first,) = FAMILY.propose(seen)

    def residual(v: np.ndarray) -> np.ndarray:
        return FAMILY.residual(replace(first, width=v[0], depth=v[1], height=v[2]), seen)

    found = least_squares(residual, first.size).x
    assert found == pytest.approx(true.size, abs=1e-3)


@given(boxes, st.integers(0, 10**6))
def test_a_mutation_stays_within_its_spread(p: Box, seed: int) -> None:
    spread = Spread(scale={"width": 0.2, "density": 0.5})
    other = FAMILY.mutate(p, spread, lambda name: stream(seed, name))
    assert isinstance(other, Box)
    assert abs(math.log(other.width / p.width)) <= 0.2 + 1e-12
    assert abs(math.log(other.density / p.density)) <= 0.5 + 1e-12
    assert (other.depth, other.height, other.material) == (p.depth, p.height, p.material)
    assert FAMILY.mutate(p, Spread(), lambda name: stream(seed, name)) == p


def test_a_mutation_that_is_too_thin_is_refused() -> None:
    def draw(seed: int) -> Draw:
        return lambda name: stream(seed, name)

    out = [FAMILY.mutate(Box(0.006, 1, 1), FAMILY.widest, draw(i)) for i in range(40)]
    refused = [o for o in out if isinstance(o, Refusal)]
    assert 0 < len(refused) < 40
    assert all(o.reason == "too-thin" and o.numbers["least_m"] < 0.005 for o in refused)
