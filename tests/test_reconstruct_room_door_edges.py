"""Edges of doors that stand back: what colour moves never makes two doors of a wall overlap."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.reconstruct.room.room_door_edges import BY_COLOUR, BY_DEPTH, Edges, apart, by_depth, edges
from pocketworld.reconstruct.room.room_door_recess import Recess
from pocketworld.reconstruct.room.wall_picture import WallPicture

LENGTH = 4.0
LEFT = Recess(0.5, 1.4, 0.12, (0.6, 1.3), 2.05, True, 0.0)
RIGHT = replace(LEFT, u0=1.5, u1=2.4, seen=(1.6, 2.3))
NEXT = replace(LEFT, u0=2.5, u1=3.4, seen=(2.6, 3.3))


def shown(dark: list[tuple[float, float]]) -> WallPicture:
    """A picture of a white wall that is dark between some places."""
    grid = FaceGrid(LENGTH, 2.4, 0.0, 0.01)
    colour = np.full((*grid.shape, 3), 220.0, np.float32)
    for u0, u1 in dark:
        colour[:, (grid.u > u0) & (grid.u < u1)] = 60.0
    return WallPicture(grid, colour, np.ones(grid.shape, np.float32), 4)


def test_plain_edges_are_colours_and_the_others_depths() -> None:
    first, second = edges([LEFT, NEXT], shown([(0.53, 1.43), (2.53, 2.8)]), LENGTH)
    assert (first.u0, first.u1) == pytest.approx((0.53, 1.43), abs=0.015)
    assert first.sigma == BY_COLOUR
    assert second.u0 == pytest.approx(2.53, abs=0.015)
    assert (second.u1, second.sigma) == (NEXT.u1, BY_DEPTH)


def test_where_one_dark_place_is_both_doors_edges_they_are_depths() -> None:
    """Of the left leaf little was seen, so colour may move its edge far: into the right door."""
    known = [replace(LEFT, seen=(0.6, 1.25)), replace(RIGHT, u0=1.45, seen=(1.45, 2.4))]
    picture = shown([(0.5, 1.53), (2.4, LENGTH)])  # the left door seems to end in the right one
    moved = edges(known, picture, LENGTH)
    assert moved[0].u1 <= moved[1].u0
    alone = edges(known[:1], picture, LENGTH)
    assert alone[0].u1 > known[1].u0  # colour alone goes over it
    assert moved[0] == by_depth(known[0])
    assert moved[0].sigma == BY_DEPTH


def test_what_would_stick_out_of_its_wall_is_depths() -> None:
    known = [by_depth(LEFT), by_depth(NEXT)]
    for out in (Edges(-0.01, 1.4, BY_COLOUR), Edges(0.5, LENGTH + 0.01, BY_COLOUR)):
        assert apart([out, known[1]], known, LENGTH) == known


def test_what_is_exchanged_is_looked_at_again() -> None:
    """The first two overlap; the second's edges by depth then overlap the third's by colour."""
    known = [by_depth(one) for one in (LEFT, RIGHT, NEXT)]
    first = [Edges(0.5, 1.56, BY_COLOUR), Edges(1.52, 2.3, BY_COLOUR), Edges(2.35, 3.4, BY_COLOUR)]
    assert apart(first, known, LENGTH) == known


@given(st.lists(st.tuples(st.floats(-0.15, 0.15), st.floats(-0.15, 0.15)), min_size=3, max_size=3))
def test_they_never_overlap_where_depths_do_not(moves: list[tuple[float, float]]) -> None:
    known = [by_depth(one) for one in (LEFT, RIGHT, NEXT)]
    first = [Edges(e.u0 + a, e.u1 + b, BY_COLOUR) for e, (a, b) in zip(known, moves, strict=True)]
    out = apart(first, known, LENGTH)
    assert all(a.u1 <= b.u0 for a, b in pairwise(out))
    assert all(e.u0 >= 0 and e.u1 <= LENGTH for e in out)
    assert all(e in (one, other) for e, one, other in zip(out, first, known, strict=True))
    quiet = all(a.u1 <= b.u0 for a, b in pairwise(first))
    assert not quiet or out == first
