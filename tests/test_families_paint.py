"""Surfaces painted anew, residuals of boxes: what several families share."""

import colorsys
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.families.misfit import OTHER, distance, misfit
from pocketworld.families.paint import DARKEST, LIGHTEST, ROUGHEST, SMOOTHEST, painted
from pocketworld.families.protocol import Draw, Evidence, Spread
from pocketworld.families.vary import Vary
from pocketworld.geometry.convex import BoxPiece, span
from pocketworld.rng import stream
from pocketworld.scene import Material

seeds = st.integers(0, 10**6)
shares = st.floats(0, 1)
materials = st.builds(Material, st.tuples(shares, shares, shares), shares, shares)
FREE = {"hue": 0.5, "saturation": 0.5, "value": 0.5, "roughness": 0.5}
OAK = Material((0.5, 0.35, 0.2), 0.6)


def draw(seed: int) -> Draw:
    return lambda name: stream(seed, "paint", name)


@given(materials, seeds)
def test_what_is_painted_is_of_a_real_paint(material: Material, seed: int) -> None:
    out = painted(material, "face", Vary(Spread(shift=FREE), draw(seed)))
    assert all(0 <= c <= LIGHTEST + 1e-9 for c in out.colour)
    assert max(out.colour) >= DARKEST - 1e-9
    assert SMOOTHEST <= out.roughness <= ROUGHEST
    assert out.metallic == material.metallic


@given(materials, seeds)
def test_without_its_words_nothing_is_painted(material: Material, seed: int) -> None:
    spread = Spread(scale={"width": 0.3}, shift={"gap": 0.1})
    assert painted(material, "face", Vary(spread, draw(seed))) is material


@given(st.tuples(*[st.floats(0.1, 0.8)] * 3), seeds)
def test_bare_metal_keeps_its_hue(colour: tuple[float, float, float], seed: int) -> None:
    out = painted(Material(colour, 0.3, 1.0), "metal", Vary(Spread(shift=FREE), draw(seed)))
    before, after = colorsys.rgb_to_hsv(*colour), colorsys.rgb_to_hsv(*out.colour)
    assert after[1] == pytest.approx(before[1])
    if before[1] > 0.01:
        assert math.cos(2 * math.pi * (after[0] - before[0])) == pytest.approx(1)


def test_each_part_is_painted_by_its_own_stream() -> None:
    vary = Vary(Spread(shift=FREE), draw(3))
    assert painted(OAK, "face", vary) == painted(OAK, "face", vary)
    assert painted(OAK, "face", vary) != painted(OAK, "body", vary)


def test_a_grey_is_tinted_warm_not_red() -> None:
    """A grey has no hue of its own; 0 would be red."""
    spread = Spread(shift={"saturation": 0.5})
    tints = [painted(Material((0.5, 0.5, 0.5)), "face", Vary(spread, draw(seed))) for seed in range(40)]
    hues = {round(colorsys.rgb_to_hsv(*t.colour)[0], 6) for t in tints if np.ptp(t.colour) > 1e-9}
    assert hues == {0.08}


# Distances from boxes

places = st.lists(st.tuples(*[st.floats(-3, 3)] * 3), min_size=1, max_size=20)
points: st.SearchStrategy[np.ndarray] = places.map(np.array)


@st.composite
def solids(pick: st.DrawFn) -> list[BoxPiece]:
    """Draw boxes that may overlap."""
    out = []
    for _ in range(pick(st.integers(1, 4))):
        low = np.array([pick(st.floats(-2, 1.5)) for _ in range(3)])
        high = low + [pick(st.floats(0.1, 1.5)) for _ in range(3)]
        out.append(span((low[0], low[1], low[2]), (high[0], high[1], high[2])))
    return out


@given(points, solids())
def test_more_boxes_are_never_farther(at: np.ndarray, boxes: list[BoxPiece]) -> None:
    assert (distance(at, boxes) <= distance(at, boxes[:1]) + 1e-12).all()
    assert distance(at, boxes) == pytest.approx(distance(at, boxes[::-1]))


@given(points, solids(), st.tuples(*[st.floats(-5, 5)] * 3))
def test_a_distance_moves_along(
    at: np.ndarray, boxes: list[BoxPiece], by: tuple[float, float, float]
) -> None:
    there = [BoxPiece((b.centre[0] + by[0], b.centre[1] + by[1], b.centre[2] + by[2]), b.size) for b in boxes]
    assert distance(at + by, there) == pytest.approx(distance(at, boxes), abs=1e-9)


@given(points, points, solids())
def test_a_distance_changes_no_faster_than_one_walks(
    at: np.ndarray, other: np.ndarray, boxes: list[BoxPiece]
) -> None:
    """Of one box; where two touch, inside is too shallow (and says so)."""
    count = min(len(at), len(other))
    a, b = at[:count], other[:count]
    change = np.abs(distance(a, boxes[:1]) - distance(b, boxes[:1]))
    assert (change <= np.linalg.norm(a - b, axis=1) + 1e-9).all()


@given(points)
def test_what_is_far_off_pulls_no_more_than_another_thing(at: np.ndarray) -> None:
    none = np.zeros((0, 3))
    seen = Evidence(at, at, np.full(len(at), 50.0), none, (1, 1, 1), (0.1, 0.1, 0.1))
    off = misfit((1.2, 1.0, 0.9), [span((-0.5, -0.5, 0), (0.5, 0.5, 1))], seen)
    assert off[:3] == pytest.approx((2, 0, -1))
    assert (np.abs(off[3:]) <= 50 * OTHER + 1e-9).all()
