"""What all families of one part share: samples that fit and stand, surfaces that explain themselves, fits."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.protocol import Draw, Evidence, Refusal, Site, Spread
from pocketworld.geometry.sweep import clean
from pocketworld.reconstruct.fronts.fit import fitted, numbers
from pocketworld.rng import stream
from pocketworld.scene import Asset, Base, Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.stability import stand

NAMES = ("table", "cylinder", "shelf", "chair")
SITE = Site((2.2, 1.1, 2.0))
FAR = np.array((0.0, 0.0, 5.0))
NOTHING = np.zeros((0, 3))


def draw(seed: int, name: str) -> Draw:
    return lambda what: stream(seed, name, what)


def sampled(name: str, seed: int) -> tuple[Any, Asset]:
    p = registry.family(name).sample(draw(seed, name), SITE)
    return p, registry.family(name).build(p, name)


def outer(asset: Asset) -> np.ndarray:
    """Return the lowest and highest corner (2, 3) of an asset's pieces."""
    corners = np.concatenate([piece.vertices for piece in asset.parts[0].pieces])
    return np.stack([corners.min(0), corners.max(0)])


def surface(asset: Asset, seed: int, count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Return points and normals on what one sees of an asset."""
    meshes: Any = [trimesh.Trimesh(m.vertices, m.faces, process=False) for m in asset.parts[0].meshes]
    whole: Any = trimesh.util.concatenate(meshes)
    rng = stream(seed, "surface")
    faces = rng.choice(len(whole.faces), count, p=whole.area_faces / whole.area)
    u, v = rng.random((2, count))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    a, b, c = whole.triangles[faces].transpose(1, 0, 2)
    return a + u[:, None] * (b - a) + v[:, None] * (c - a), np.asarray(whole.face_normals[faces])


def evidence(asset: Asset, seed: int, noise: float = 0.0, free: np.ndarray = NOTHING) -> Evidence:
    points, normals = surface(asset, seed)
    points = points + noise * stream(seed, "noise").normal(size=points.shape)
    low, high = outer(asset)
    sigma = max(noise, 0.002)
    size = tuple(float(s) for s in high - low)
    weights = np.full(len(points), 1 / (sigma * math.sqrt(len(points))))
    return Evidence(points, normals, weights, free, size, (sigma,) * 3)  # type: ignore[arg-type]


@settings(max_examples=40)
@given(st.sampled_from(NAMES), st.integers(0, 10**6))
def test_samples_fit_their_site_and_are_one_clean_part_on_the_floor(name: str, seed: int) -> None:
    p, asset = sampled(name, seed)
    low, high = outer(asset)
    assert low[2] == pytest.approx(0, abs=1e-9)
    assert (high - low <= np.array(SITE.free) + 1e-9).all()
    assert low[:2] == pytest.approx(-high[:2], abs=1e-6)
    assert tuple(high - low) == pytest.approx(p.size, abs=1e-6)
    assert (asset.joints, len(asset.parts)) == ((), 1)
    assert clean(asset)
    assert registry.rebuild(asset) == p
    assert 0.05 < asset.parts[0].mass < 150


@settings(max_examples=30)
@given(st.sampled_from(NAMES), st.integers(0, 10**6))
def test_its_own_surface_leaves_no_residual(name: str, seed: int) -> None:
    p, asset = sampled(name, seed)
    seen = evidence(asset, seed)
    residual = registry.family(name).residual(p, seen)
    # Where pieces touch, some of their triangles lie inside; what is round is drawn with flat sides.
    assert np.median(np.abs(residual[3:])) < 1e-2
    assert np.abs(residual[:3]).max() < 1e-3


@settings(max_examples=20)
@given(st.sampled_from(NAMES), st.integers(0, 10**6))
def test_places_inside_count_only_where_it_is(name: str, seed: int) -> None:
    p, asset = sampled(name, seed)
    points, normals = surface(asset, seed)
    inside, outside = points - 0.003 * normals, points + 0.003 * normals
    low, high = outer(asset)
    far = stream(seed, "far").uniform(low + FAR, high + 2 * FAR, (50, 3))
    family = registry.family(name)
    filled = family.residual(p, evidence(asset, seed, free=inside))[3 + len(points) :]
    empty = family.residual(p, evidence(asset, seed, free=outside))[3 + len(points) :]
    assert filled.mean() > 5 * empty.mean()
    assert not family.residual(p, evidence(asset, seed, free=far))[3 + len(points) :].any()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fit_comes_back_to_what_the_points_were_taken_from(name: str, seed: int) -> None:
    p, asset = sampled(name, seed)
    family = registry.family(name)
    seen = evidence(asset, seed, noise=0.004)
    starts = [fitted(start, lambda q: family.residual(q, seen)) for start in family.propose(seen)]
    best, _ = min(starts, key=lambda found: found[1])
    assert best.size == pytest.approx(p.size, abs=0.015)
    true = family.residual(p, seen)
    assert starts[0][1] < 1e9
    assert min(cost for _, cost in starts) < 4 * float(true @ true / 2) + 1


@settings(max_examples=40)
@given(st.sampled_from(NAMES), st.integers(0, 10**6))
def test_mutated_they_can_be_built_or_say_why_not(name: str, seed: int) -> None:
    family, (p, _) = registry.family(name), sampled(name, seed)
    out = family.mutate(p, family.widest, draw(seed, "mutate"))
    if isinstance(out, Refusal):
        assert out.reason in ("no-room", "too-thin")
        assert all(map(math.isfinite, out.numbers.values()))
    else:
        assert clean(family.build(out, name))
    assert family.mutate(p, Spread(), draw(seed, "mutate")) == p


@pytest.mark.parametrize("name", NAMES)
def test_numbers_that_are_none_are_refused_in_one_line(name: str) -> None:
    p, _ = sampled(name, 0)
    refused = 0
    for field in dataclasses.fields(p):
        if not isinstance(getattr(p, field.name), float):
            continue
        for bad in (math.nan, math.inf, -0.1):
            with pytest.raises(PocketworldError, match=f"^{name}: ") as error:
                registry.family(name).build(dataclasses.replace(p, **{field.name: bad}), "x")
            assert "\n" not in str(error.value)
            refused += 1
    assert refused >= 9
    assert len(list(numbers(p))) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_where_it_is_too_narrow_none_is_sampled(name: str) -> None:
    with pytest.raises(PocketworldError, match=f"^no {name} fits"):
        registry.family(name).sample(draw(0, name), Site((0.02, 0.02, 0.02)))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tilt", [0.0, math.radians(2)])
def test_they_stand_still(name: str, tilt: float) -> None:
    for seed in range(4):
        _, asset = sampled(name, seed)
        found = stand(mjcf.document(Scene("s", (asset,)), visual=False).compile(), 10.0, tilt)
        assert found.still, (seed, found)


def test_what_can_be_pushed_is_free() -> None:
    assert all(sampled(name, 0)[1].base is Base.FREE for name in NAMES if name != "shelf")
