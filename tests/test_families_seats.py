"""Tables, shelves and chairs: what is proposed from points, which parts they have, what they refuse."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.chair import Chair, ChairFamily, ChairStand
from pocketworld.families.layers import layer, layers
from pocketworld.families.misfit import distance
from pocketworld.families.protocol import Evidence
from pocketworld.families.shelf import Shelf, ShelfFamily, Sides
from pocketworld.families.table import Stand, Table, TableFamily, pieces
from pocketworld.geometry.convex import BoxPiece
from pocketworld.geometry.separating import depths, shape
from pocketworld.rng import stream
from pocketworld.scene import Asset

TABLE = Table(1.4, 0.8, 0.74)
SHELF = Shelf(0.8, 0.3, 1.5, (0.1, 0.55, 1.0, 1.5), back=0.005)
CHAIR = Chair(0.5, 0.55, 0.9, 0.45, lean=0.08, arms=0.67)
EVERY = {"table": TABLE, "shelf": SHELF, "chair": CHAIR}


def level(heights: Any, size: tuple[float, float, float]) -> Evidence:
    """Return evidence of level surface at some heights."""
    points = np.stack([np.zeros(len(heights)), np.zeros(len(heights)), np.asarray(heights, float)], -1)
    looks = np.tile((0.0, 0.0, 1.0), (len(points), 1))
    return Evidence(points, looks, np.full(len(points), 50.0), np.zeros((0, 3)), size, (0.01, 0.01, 0.01))


@given(st.floats(0.2, 1.0), st.integers(20, 60), st.integers(0, 99))
def test_the_fullest_layer_is_found_among_noise(height: float, count: int, seed: int) -> None:
    rng = stream(seed, "layer")
    noise = rng.uniform(0, 1.2, count // 2)
    seen = level(np.concatenate([height + 0.004 * rng.normal(size=count), noise]), (1, 1, 1.2))
    found, share = layer(seen, 0.1, 1.1)
    assert found == pytest.approx(height, abs=0.012)
    assert share > 0.5
    assert any(abs(z - height) < 0.02 for z in layers(seen, 0.3, 0.1))


def test_where_no_surface_looks_up_there_is_no_layer() -> None:
    assert layer(level([], (1, 1, 1)), 0.2, 0.6) == (0.4, 0.0)
    assert layers(level([], (1, 1, 1)), 0.1, 0.1) == []
    upright = level([0.5] * 9, (1, 1, 1))
    assert layers(replace(upright, normals=upright.normals[:, ::-1]), 0.1, 0.1) == []


def test_layers_lie_apart_and_hold_their_share() -> None:
    heights = [0.3] * 40 + [0.34] * 20 + [0.8] * 30 + [1.1] * 2
    assert layers(level(heights, (1, 1, 1.2)), 0.1, 0.1) == pytest.approx([0.3, 0.8])


def solid(asset: Asset) -> list[Any]:
    return [shape(piece) for piece in asset.parts[0].pieces]


OTHERS = [
    TABLE,
    replace(TABLE, stand=Stand.PEDESTAL, leg=0.1),
    replace(TABLE, apron=0.0),
    SHELF,
    replace(SHELF, sides=Sides.POSTS, side=0.04, back=0.0),
    CHAIR,
    replace(CHAIR, arms=0.0),
    replace(CHAIR, stand=ChairStand.CANTILEVER),
]


@pytest.mark.parametrize("p", OTHERS, ids=lambda p: type(p).__name__)
def test_no_two_pieces_of_it_overlap_and_each_touches_another(p: Any) -> None:
    asset = registry.family(type(p).__name__.lower()).build(p, "x")
    corners = [piece.vertices for piece in asset.parts[0].pieces]
    low, high = np.array([c.min(0) for c in corners]), np.array([c.max(0) for c in corners])
    apart = np.maximum(low[:, None] - high, low - high[:, None]).max(-1)
    np.fill_diagonal(apart, np.inf)
    assert (apart.min(1) < 1e-9).all()
    inside = np.argwhere(apart < -1e-6)
    # The bounds of a leaning back and of an arm overlap; they themselves do not.
    shapes = solid(asset)
    for a, b in inside:
        assert float(np.max(depths(shapes[a], shapes[b], np.eye(4)[None]))) < 1e-6


def test_a_table_has_what_it_says() -> None:
    assert len(pieces(TABLE)) == 1 + 4 + 4
    assert len(pieces(replace(TABLE, apron=0.0))) == 5
    assert len(pieces(replace(TABLE, stand=Stand.PEDESTAL, leg=0.1))) == 3
    knees = np.array([[0.0, -0.3, 0.4], [0.4, 0.2, 0.6]])
    assert (distance(knees, pieces(TABLE)) > 0.05).all()


def test_a_table_is_proposed_at_its_top() -> None:
    seen = level([0.74] * 80 + [0.1] * 20, (1.4, 0.8, 0.80))
    for p in TableFamily().propose(seen):
        assert (p.width, p.depth) == (1.4, 0.8)
        assert p.height == pytest.approx(0.74)
        TableFamily().build(p, "t")


def test_a_shelf_is_proposed_with_the_boards_seen_and_one_on_top() -> None:
    seen = level([0.1] * 30 + [0.55] * 30 + [1.0] * 30 + [1.5] * 30, (0.8, 0.3, 1.5))
    for p in ShelfFamily().propose(seen):
        assert p.boards == pytest.approx((0.1, 0.55, 1.0, 1.5))
        ShelfFamily().build(p, "s")


def test_a_chair_is_proposed_at_its_seat_with_its_lean() -> None:
    seen = level([0.42] * 80 + [0.9] * 20, (0.5, 0.6, 0.95))
    rising = np.linspace(0.5, 0.95, 60)
    back = np.stack([np.zeros(60), 0.1 + 0.3 * (rising - 0.42), rising], -1)
    seen = replace(
        seen,
        points=np.concatenate([seen.points, back]),
        normals=np.concatenate([seen.normals, np.tile((0.0, -1.0, 0.0), (60, 1))]),
    )
    found = ChairFamily().propose(seen)
    assert {bool(p.arms) for p in found} == {True, False}
    for p in found:
        assert p.seat == pytest.approx(0.42)
        assert p.lean == pytest.approx(0.3 * (0.95 - 0.42), abs=0.02)
        ChairFamily().build(p, "c")


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (replace(TABLE, leg=0.4), "table: leg is 0.4; at most"),
        (replace(TABLE, apron=0.73), "table: top and apron is"),
        (replace(SHELF, boards=(0.1, 0.115)), "shelf: board is 0.02; at most"),
        (replace(SHELF, boards=(0.1, 1.6)), "shelf: board 1 is 1.6; at most 1.5"),
        (replace(SHELF, boards=(math.nan,)), "shelf: board 0 is nan"),
        (replace(SHELF, side=0.4), "shelf: side is 0.4; at most"),
        (replace(CHAIR, seat=0.95), "chair: seat is 0.95; at most"),
        (replace(CHAIR, lean=0.4), "chair: lean is 0.4; at most"),
        (replace(CHAIR, arms=0.95), "chair: arms is 0.95; at most"),
        (replace(CHAIR, pad=0.44), "chair: pad is 0.44; at most"),
    ],
)
def test_parts_without_room_are_refused_in_one_line(p: Any, message: str) -> None:
    with pytest.raises(PocketworldError, match=f"^{message}") as error:
        registry.family(type(p).__name__.lower()).build(p, "x")
    assert "\n" not in str(error.value)


def test_a_back_leans_and_what_lies_behind_it_is_off_it() -> None:
    family = ChairFamily()
    straight, leaning = replace(CHAIR, lean=0.0, arms=0.0), replace(CHAIR, arms=0.0)
    top = np.array([[0.0, CHAIR.depth / 2, CHAIR.height - 0.01]])
    below = np.array([[0.0, CHAIR.depth / 2, CHAIR.seat + 0.05]])

    def off(p: Chair, points: np.ndarray) -> float:
        weights = np.ones(len(points))
        seen = Evidence(points, points, weights, np.zeros((0, 3)), p.size, (1.0, 1.0, 1.0))
        return abs(float(family.residual(p, seen)[3]))

    assert off(leaning, top) < 0.005
    assert off(straight, top) < 1e-9
    assert off(leaning, below) > 0.02
    assert off(straight, below) < 1e-9


def test_shelves_that_grow_keep_their_boards_inside() -> None:
    family = ShelfFamily()
    for seed in range(40):
        out = family.mutate(SHELF, family.widest, lambda name, seed=seed: stream(seed, name))  # type: ignore[misc]
        if isinstance(out, Shelf):
            assert max(out.boards) == pytest.approx(out.height)
            assert len(out.boards) == len(SHELF.boards)
            assert all(isinstance(piece, BoxPiece) for piece in family.build(out, "s").parts[0].pieces)
