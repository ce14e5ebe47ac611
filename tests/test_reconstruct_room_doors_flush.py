"""Doors in the face of their wall: by colour, edges from the floor up and a lever, or not at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.reconstruct.room.room_door_flush import FRAME, flush_doors
from pocketworld.reconstruct.room.wall_picture import WallPicture
from pocketworld.rng import stream
from pocketworld.scene import Side

Grey = NDArray[np.float32]
WALL = FaceGrid(6.0, 2.4, 0.0, 0.01)
NOISE, WHITE = 3.0, 190.0  # grey levels
LEVER = ((0.06, 0.19), (1.03, 1.06))  # m from the leaf's left edge, and up


def shown(grey: Grey) -> WallPicture:
    colour = np.repeat(grey[..., None], 3, 2).astype(np.float32)
    return WallPicture(WALL, colour, np.ones(WALL.shape, np.float32), 3)


def box(picture: Grey, u: tuple[float, float], v: tuple[float, float], grey: float) -> Grey:
    """Paint a rectangle."""
    rows, columns = (WALL.v > v[0]) & (WALL.v < v[1]), (WALL.u > u[0]) & (WALL.u < u[1])
    picture[np.ix_(rows, columns)] = grey
    return picture


def plain(seed: int = 0) -> Grey:
    return (WHITE + NOISE * stream(seed, "grey").normal(size=WALL.shape)).astype(np.float32)


def with_leaf(
    u0: float = 2.0,
    width: float = 0.9,
    grey: float = 80.0,
    v: tuple[float, float] = (0.0, 2.03),
    lever: bool = True,
    seed: int = 0,
) -> Grey:
    """Return a wall with a leaf in a narrow bright frame, its lever at the left."""
    picture = box(plain(seed), (u0 - FRAME, u0 + width + FRAME), (v[0], v[1] + FRAME), 215.0)
    rng = NOISE * stream(seed, "leaf").normal(size=WALL.shape)
    picture = box(picture, (u0, u0 + width), v, grey)
    if lever:
        box(picture, (u0 + LEVER[0][0], u0 + LEVER[0][1]), LEVER[1], 230.0 if grey < 150 else 40.0)
    return (picture + rng).clip(0.5, 255).astype(np.float32)


@settings(max_examples=20)
@given(st.floats(0.5, 4.0), st.floats(0.65, 1.2), st.sampled_from([30.0, 80.0, 130.0]), st.integers(0, 99))
def test_a_leaf_with_a_lever_is_a_door(u0: float, width: float, grey: float, seed: int) -> None:
    (door,) = flush_doors(shown(with_leaf(u0, width, grey, seed=seed)), [])
    assert (door.u0, door.u1) == pytest.approx((u0 - FRAME, u0 + width + FRAME), abs=0.04)
    assert door.handle is Side.LEFT
    assert door.handle_height == pytest.approx(1.045, abs=0.03)


def test_mirrored_its_lever_is_at_the_other_side() -> None:
    (door,) = flush_doors(shown(with_leaf()[:, ::-1].copy()), [])
    assert door.handle is Side.RIGHT
    assert (door.u0 + door.u1) / 2 == pytest.approx(6 - 2.45, abs=0.03)


OTHERS = {
    "no lever": with_leaf(lever=False),
    "a window": with_leaf(v=(0.9, 2.0)),
    "a cupboard": with_leaf(v=(0.0, 1.1), lever=False),
    "a board": with_leaf(width=0.4),
    "a wide panel": with_leaf(width=1.6),
    "the wall's own colour": with_leaf(grey=185.0),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_door_is_none(what: str) -> None:
    assert flush_doors(shown(OTHERS[what]), []) == []


@settings(max_examples=10)
@given(st.integers(0, 999))
def test_a_plain_wall_has_none(seed: int) -> None:
    assert flush_doors(shown(plain(seed)), []) == []


def test_where_walls_of_two_colours_meet_is_no_door() -> None:
    picture = box(plain(), (2.0, 6.0), (0, 2.4), 80.0)
    assert flush_doors(shown(box(picture, (2.1, 2.24), LEVER[1], 230.0)), []) == []


def test_what_is_known_is_not_found_again_and_two_are_two() -> None:
    grey = with_leaf(1.0)
    grey[:, 300:] = with_leaf(4.0)[:, 300:]
    assert len(flush_doors(shown(grey), [])) == 2
    assert len(flush_doors(shown(grey), [(1.2, 1.5)])) == 1


def test_what_was_not_seen_is_none() -> None:
    grey = with_leaf()
    grey[:, 205:] = np.nan
    assert flush_doors(shown(grey), []) == []
    assert flush_doors(shown(np.full(WALL.shape, np.nan, np.float32)), []) == []
