"""Walls: slabs around their openings, refused where they are none, the same after JSON."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.misfit import distance
from pocketworld.families.protocol import Draw, Evidence, Site, Spread
from pocketworld.families.wall import MASONRY, Opening, OpeningKind, Wall, WallFamily, slabs
from pocketworld.geometry.convex import BoxPiece, span
from pocketworld.geometry.sweep import clean
from pocketworld.rng import stream
from pocketworld.scene import Base, Scene
from pocketworld.sim.models.stability import stand_alone

FAMILY = WallFamily()
SITE = Site((5.0, 0.3, 2.7))
DOOR = Opening(0.4, 0.0, 1.0, 2.1)
PLAIN = Wall(4.0, 2.5, 0.15, (DOOR, Opening(-1.2, 0.9, 1.2, 1.1, OpeningKind.WINDOW)))


def draw(seed: int) -> Draw:
    return lambda name: stream(seed, "wall", name)


@st.composite
def walls(pick: st.DrawFn) -> Wall:
    """Draw a wall with openings side by side, and some above each other."""
    length, height = pick(st.floats(2, 9)), pick(st.floats(2, 4))
    edges = sorted(pick(st.lists(st.floats(-length / 2, length / 2), max_size=6)))
    kinds = st.sampled_from(OpeningKind)
    openings = []
    for left, right in zip(edges[::2], edges[1::2], strict=False):
        assume(right - left > 1e-3)
        at, width = (left + right) / 2, right - left
        sill = pick(st.floats(0, height * 0.4))
        openings.append(Opening(at, sill, width, height * 0.3, pick(kinds)))
        if pick(st.booleans()):
            openings.append(Opening(at, sill + height * 0.35, width, height * 0.2, pick(kinds)))
    return Wall(length, height, pick(st.floats(0.08, 0.4)), tuple(openings))


def inside(points: np.ndarray, boxes: list[BoxPiece]) -> np.ndarray:
    """Return in how many boxes each point lies."""
    low = np.array([box.vertices.min(0) for box in boxes])
    high = np.array([box.vertices.max(0) for box in boxes])
    return np.asarray(((points[:, None] > low) & (points[:, None] < high)).all(2).sum(1))


@given(walls(), st.integers(0, 10**6))
def test_every_place_is_wall_once_or_in_an_opening(p: Wall, seed: int) -> None:
    points = stream(seed, "points").uniform(-0.5, 0.5, (400, 3)) * p.size + (0, 0, p.height / 2)
    in_opening = np.zeros(400, bool)
    for one in p.openings:
        aside, up = np.abs(points[:, 0] - one.at), np.abs(points[:, 2] - one.bottom - one.height / 2)
        in_opening |= (aside < one.width / 2) & (up < one.height / 2)
    assert np.array_equal(inside(points, slabs(p)), ~in_opening)


@given(walls())
def test_its_volume_is_the_slab_less_its_openings(p: Wall) -> None:
    solid = sum(piece.volume for piece in slabs(p))
    free = sum(o.width * o.height for o in p.openings) * p.thickness
    assert solid == pytest.approx(math.prod(p.size) - free, abs=1e-5)


@given(walls())
def test_it_is_one_fixed_part_that_comes_back_from_json(p: Wall) -> None:
    asset = FAMILY.build(p, "wall-1")
    (part,) = asset.parts
    assert (asset.id, asset.family, asset.base, asset.joints) == ("wall-1", "wall", Base.FIXED, ())
    assert registry.rebuild(asset) == p
    corners = np.concatenate([piece.vertices for piece in part.pieces])
    assert (np.abs(corners[:, :2]) <= np.array(p.size[:2]) / 2 + 1e-9).all()
    assert corners[:, 2].min() >= -1e-9
    assert corners[:, 2].max() <= p.height + 1e-9
    # Of each slab's 12 triangles the two that face away from the room are left out, and the wall's top.
    tops = sum(bool(piece.vertices[:, 2].max() > p.height - 1e-6) for piece in part.pieces)
    assert sum(len(mesh.faces) for mesh in part.meshes) == 10 * len(part.pieces) - 2 * tops


def test_one_walks_through_doors_and_passages_but_not_through_glass() -> None:
    for kind, free in zip(OpeningKind, (True, True, False, False), strict=True):
        p = replace(PLAIN, openings=(replace(DOOR, kind=kind),))
        pieces = FAMILY.build(p, "w").parts[0].pieces
        through = np.array([[DOOR.at, 0.0, 1.0]])
        assert inside(through, [piece for piece in pieces if isinstance(piece, BoxPiece)])[0] == (not free)


def test_a_wall_weighs_what_masonry_does() -> None:
    assert FAMILY.build(Wall(2, 2, 0.1), "w").parts[0].mass == pytest.approx(0.4 * MASONRY)


BAD = [
    (Wall(0, 2.5), "it is 0 x 0.125 x 2.5 m; length"),
    (Wall(4, math.nan), "it is 4 x 0.125 x nan m"),
    (Wall(4, 2.5, -0.1), "it is 4 x -0.1"),
    (Wall(4, 2.5, colour=(0.5, 2.0, 0.5)), "its colour is"),
    (replace(PLAIN, openings=(replace(DOOR, at=1.6),)), "opening 0 sticks out by 0.1 m; keep it inside 4 x"),
    (replace(PLAIN, openings=(replace(DOOR, height=2.6),)), "opening 0 sticks out by 0.1 m"),
    (replace(PLAIN, openings=(replace(DOOR, bottom=-0.2),)), "opening 0 sticks out by 0.2 m"),
    (replace(PLAIN, openings=(replace(DOOR, width=0),)), "opening 0 is 0 x 2.1 m; numbers, above 0"),
    (replace(PLAIN, openings=(replace(DOOR, at=math.inf),)), "opening 0 is"),
    (replace(PLAIN, openings=(DOOR, replace(DOOR, at=1.3))), "openings 0 and 1 overlap by 0.1 x 2.1 m; move"),
    (Wall(2, 2, 0.1, (Opening(0, 0, 2, 2),)), "its openings leave nothing of it"),
]


@pytest.mark.parametrize(("p", "message"), BAD, ids=[m[:22] for _, m in BAD])
def test_what_is_no_wall_is_refused_in_one_line(p: Wall, message: str) -> None:
    with pytest.raises(PocketworldError, match=f"^wall: {message}") as error:
        FAMILY.build(p, "w")
    assert "\n" not in str(error.value)


def test_openings_may_touch_each_other_and_the_edges() -> None:
    beside = (Opening(-1, 0, 2, 2.5, OpeningKind.GLASS), Opening(0.5, 0, 1, 2.5, OpeningKind.PASSAGE))
    assert len(slabs(Wall(4, 2.5, 0.1, beside))) == 1


def test_sampled_walls_fit_differ_and_are_clean() -> None:
    many = [FAMILY.sample(draw(seed), SITE) for seed in range(64)]
    for p in many:
        assert (np.array(p.size) <= SITE.free).all()
        assert clean(FAMILY.build(p, "w"))
    assert 16 < sum(bool(p.openings) for p in many) < 48
    assert len({p.thickness for p in many}) > 2
    with pytest.raises(PocketworldError, match=r"^no wall fits into 5 x 0.05 x 2.7 m"):
        FAMILY.sample(draw(0), Site((5.0, 0.05, 2.7)))


def test_it_stands() -> None:
    scene = Scene("room", (FAMILY.build(PLAIN, "wall"),))
    assert stand_alone(scene).still


def seen(p: Wall, points: np.ndarray) -> Evidence:
    weights = np.full(len(points), 100.0)
    return Evidence(points, np.zeros_like(points), weights, np.zeros((0, 3)), p.size, (0.01, 0.01, 0.01))


@given(walls(), st.integers(0, 10**6))
def test_points_on_its_front_leave_no_residual_and_those_in_an_opening_do(p: Wall, seed: int) -> None:
    points = stream(seed, "front").uniform(-0.5, 0.5, (100, 3)) * p.size + (0, 0, p.height / 2)
    solid = inside(points, slabs(p)) == 1
    points[:, 1] = -p.thickness / 2
    off = FAMILY.residual(p, seen(p, points))
    assert off[:3] == pytest.approx(0)
    assert off[3:][solid] == pytest.approx(0, abs=1e-6)
    assert (off[3:][~solid] > 0).all()


def test_a_distance_is_that_to_the_nearest_surface() -> None:
    pair = [span((0, 0, 0), (1, 1, 1)), span((1, 0, 0), (3, 1, 1))]
    points = np.array([[0.5, 0.5, 1.2], [4, 2, 0.5], [2, 0.5, 0.7], [0.1, 0.4, 0.5], [0.5, 0, 0.5]])
    assert distance(points, pair) == pytest.approx([0.2, math.sqrt(2), -0.3, -0.1, 0])


def test_it_proposes_the_layouts_found_in_the_size_seen() -> None:
    empty = replace(seen(PLAIN, np.zeros((0, 3))), size=(3.0, 0.2, 2.4))
    assert FAMILY.propose(empty) == [Wall(3.0, 2.4, 0.2)]
    found = replace(empty, layouts=((0.3, Wall(1, 1)), (0.7, PLAIN)))
    assert [p.openings for p in FAMILY.propose(found)] == [PLAIN.openings, ()]


@settings(max_examples=30)
@given(walls(), st.integers(0, 10**6))
def test_a_mutation_leaves_the_room_as_it_is(p: Wall, seed: int) -> None:
    other = FAMILY.mutate(p, FAMILY.widest, draw(seed))
    assert isinstance(other, Wall)
    assert (other.size, other.openings) == (p.size, p.openings)
    assert other.colour != p.colour
    assert FAMILY.mutate(p, Spread(), draw(seed)) == p
    FAMILY.build(other, "w")


@given(walls(), st.randoms(use_true_random=False))
def test_the_order_of_openings_tells_nothing(p: Wall, order: random.Random) -> None:
    mixed = list(p.openings)
    order.shuffle(mixed)
    assert slabs(replace(p, openings=tuple(mixed))) == slabs(p)


@given(walls())
def test_a_wall_in_a_mirror_is_the_wall_of_mirrored_openings(p: Wall) -> None:
    other = replace(p, openings=tuple(replace(one, at=-one.at) for one in p.openings))
    places, mirrored = (
        sorted(tuple(np.round([side * b.centre[0], b.centre[2], *b.size], 6) + 0.0) for b in slabs(q))
        for side, q in ((1, p), (-1, other))
    )
    assert np.allclose(places, mirrored, atol=2e-6)


def test_a_window_has_a_frame_around_its_pane_and_glass_has_none() -> None:
    one = Opening(0, 0.9, 1.2, 1.1, OpeningKind.WINDOW)
    window = FAMILY.build(Wall(4, 2.5, 0.2, (one,)), "w").parts[0]
    glass = FAMILY.build(Wall(4, 2.5, 0.2, (replace(one, kind=OpeningKind.GLASS),)), "w").parts[0]
    assert len(window.meshes) == len(glass.meshes) + 1 == 3
    panes = [part.pieces[-1].vertices for part in (window, glass)]
    assert np.ptp(panes[1], axis=0) == pytest.approx((1.2, 0.012, 1.1))
    assert (np.ptp(panes[0], axis=0) < np.ptp(panes[1], axis=0) + 1e-9).all()
    through = np.array([[0.0, 0.0, 1.0]])
    for part in (window, glass):
        assert inside(through, [q for q in part.pieces if isinstance(q, BoxPiece)])[0] == 1
