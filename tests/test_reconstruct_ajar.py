"""Fronts that stand open: parts of built cabinets, opened by their joints, as a surface."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, HandleSpec
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.belief import believe_open, decided
from pocketworld.reconstruct.fronts.grammar import Cell
from pocketworld.reconstruct.runs.ajar import likelihoods, opened, told, ways_open
from pocketworld.reconstruct.runs.row_parts import Patch
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, Side

Array = NDArray[np.float64]

WIDTH, DEPTH, HEIGHT, PLINTH = 0.6, 0.58, 0.82, 0.1
BOX = UprightBox((1.2, -0.4, 0.0), 0.7, (WIDTH, DEPTH, HEIGHT))
PLACE = Patch(-WIDTH / 2, WIDTH / 2, PLINTH, HEIGHT)
KINDS = [
    (FrontKind.DOOR, Side.BOTTOM),
    (FrontKind.DOOR, Side.TOP),
    (FrontKind.DOOR, Side.LEFT),
    (FrontKind.DOOR, Side.RIGHT),
    (FrontKind.DRAWER, Side.NONE),
]


def seen(kind: FrontKind, side: Side, amount: float, box: UprightBox = BOX, noise: float = 0.003) -> Surface:
    """Return the outer face of the one front of a cabinet in `box`, opened by an angle or a way."""
    opening = 1.5 if kind is FrontKind.DOOR else 0.8
    grid = Front(kind, side, HandleSpec(HandleKind.NONE), opening=opening)
    asset = build(Cabinet(WIDTH, DEPTH, HEIGHT, grid, plinth=PLINTH), "unit")
    (joint,) = asset.joints
    face = asset.part(joint.child).front
    assert face is not None
    rng = stream(3, "ajar")
    u, v = rng.uniform(-0.5, 0.5, (2, 1500))
    points = np.array(face.centre) + np.outer(u, [face.width, 0, 0]) + np.outer(v, [0, 0, face.height])
    points[:, 1] += rng.normal(0, noise, len(points))
    motion = joint.motion(amount)
    out = motion[:3, :3] @ (0.0, -1.0, 0.0)
    normals = np.tile(out, (len(points), 1))
    told_in = se3.apply(motion, points)
    plain = Surface(told_in, np.zeros((0, 3), np.int32), normals, None, np.ones(1500), 0.01, np.eye(4))
    return plain.moved(box.world_from_box)


@pytest.mark.parametrize(("kind", "side"), KINDS)
@pytest.mark.parametrize("amount", [0.12, 0.25, 0.4])
def test_each_way_of_opening_is_told_from_the_others(kind: FrontKind, side: Side, amount: float) -> None:
    best, *others = ways_open(seen(kind, side, amount), PLACE, BOX)
    assert (best.kind, best.side) == (kind, side)
    assert best.amount == pytest.approx(amount, abs=math.radians(1.5) if side is not Side.NONE else 0.005)
    assert all(other.likelihood < 0.1 for other in others)
    assert str(round(math.degrees(amount) if side is not Side.NONE else amount * 1000)) in told(best)


@given(st.floats(-3, 3), st.floats(-5, 5), st.floats(-5, 5))
def test_where_the_run_stands_in_the_world_does_not_matter(yaw: float, x: float, y: float) -> None:
    box = UprightBox((x, y, 0.0), yaw, BOX.size)
    here = ways_open(seen(FrontKind.DOOR, Side.BOTTOM, 0.2), PLACE, BOX)
    there = ways_open(seen(FrontKind.DOOR, Side.BOTTOM, 0.2, box), PLACE, box)
    assert [(w.kind, w.side) for w in here] == [(w.kind, w.side) for w in there]
    np.testing.assert_allclose([w.amount for w in here], [w.amount for w in there], atol=1e-6)


@pytest.mark.parametrize(("kind", "side"), KINDS)
def test_a_shut_front_does_not_stand_open(kind: FrontKind, side: Side) -> None:
    assert ways_open(seen(kind, side, 0.0), PLACE, BOX) == ()


def test_a_few_points_tell_nothing() -> None:
    whole = seen(FrontKind.DOOR, Side.BOTTOM, 0.2)
    few = whole.part(np.arange(len(whole.vertices)) < 8)
    assert ways_open(few, PLACE, BOX) == ()


def test_of_the_upper_edge_alone_an_angle_and_a_way_are_alike_and_belief_says_so() -> None:
    """A dark dishwasher shows only its upper edge: then what is usual decides, and not for sure."""
    whole = seen(FrontKind.DOOR, Side.BOTTOM, 0.2)
    local = whole.moved(se3.inverse(BOX.world_from_box)).vertices
    edge = whole.part(local[:, 2] > 0.78)
    ways = ways_open(edge, PLACE, BOX)
    by = likelihoods(ways)
    assert by[FrontKind.DRAWER, Side.NONE] > 0.1
    bottom = next(w for w in ways if w.side is Side.BOTTOM)
    assert bottom.amount == pytest.approx(0.2, abs=math.radians(3))
    guess = believe_open(Cell(0, 0, WIDTH, HEIGHT - PLINTH), by, "stands open")
    assert (guess.kind, guess.side) == (FrontKind.DOOR, Side.BOTTOM)
    assert 0.5 < max(c.p for c in guess.chances) < 0.9, guess.chances
    assert decided(guess.chances) == (guess.kind, guess.side)


@pytest.mark.parametrize(("kind", "side"), KINDS)
def test_an_open_front_keeps_its_place_and_says_how_far_it_was_open(kind: FrontKind, side: Side) -> None:
    front = opened(Front(kind, side, HandleSpec(HandleKind.NONE), opening=0.8), 0.2, WIDTH, 0.72, DEPTH)
    whole = 0.8 * DEPTH if kind is FrontKind.DRAWER else 0.8
    assert front.state == pytest.approx(0.2 / whole)
    assert front.handle.kind is HandleKind.BAR
    build(Cabinet(WIDTH, DEPTH, HEIGHT, front, plinth=PLINTH), "unit")


def test_what_does_not_move_does_not_stand_open() -> None:
    fixed = Front(FrontKind.FIXED, handle=HandleSpec(HandleKind.NONE))
    assert opened(fixed, 0.2, WIDTH, 0.72, DEPTH) == fixed
