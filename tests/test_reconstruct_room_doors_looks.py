"""What colour says of doors: edges of openings, levers, and the handles of glass doors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.reconstruct.room.room_door_glass import double_doors
from pocketworld.reconstruct.room.room_door_looks import edge, lever, profile
from pocketworld.reconstruct.room.wall_picture import WallPicture
from pocketworld.rng import stream
from pocketworld.scene import Side

Grey = NDArray[np.float32]
NOISE = 3.0  # grey levels


def shown(grey: Grey, grid: FaceGrid) -> WallPicture:
    colour = np.repeat(grey[..., None], 3, 2).astype(np.float32)
    return WallPicture(grid, colour, np.ones(grid.shape, np.float32), 3)


def plain(grid: FaceGrid, grey: float, seed: int = 0) -> Grey:
    noise = NOISE * stream(seed, "grey").normal(size=grid.shape)
    return (grey + noise).clip(0.5, 255).astype(np.float32)


def box(picture: Grey, grid: FaceGrid, u: tuple[float, float], v: tuple[float, float], grey: float) -> None:
    """Paint a rectangle."""
    rows, columns = (grid.v > v[0]) & (grid.v < v[1]), (grid.u > u[0]) & (grid.u < u[1])
    picture[np.ix_(rows, columns)] = grey


WALL = FaceGrid(6.0, 2.4, 0.0, 0.01)
LEAF = FaceGrid(1.0, 2.05, 0.0, 0.005)


@settings(max_examples=20)
@given(
    st.floats(1, 4),
    st.sampled_from([(180, 60), (60, 180), (120, 100)]),
    st.floats(-0.1, 0.1),
    st.integers(0, 99),
)
def test_an_edge_is_where_brightness_steps(
    at: float, greys: tuple[float, float], off: float, seed: int
) -> None:
    grey = plain(WALL, greys[0], seed)
    grey[:, WALL.u > at] += greys[1] - greys[0]
    found = edge(profile(shown(grey, WALL)), WALL.u, at + off, 0.15)
    assert found == pytest.approx(at, abs=0.011)


@settings(max_examples=20)
@given(st.integers(0, 999))
def test_a_plain_wall_has_no_edge(seed: int) -> None:
    assert edge(profile(shown(plain(WALL, 120, seed), WALL)), WALL.u, 3.0, 0.15) is None


def test_shade_is_no_edge_and_what_is_far_is_not_meant() -> None:
    shade = plain(WALL, 100) + 40 * (WALL.u / 6)[None].astype(np.float32)
    assert edge(profile(shown(shade, WALL)), WALL.u, 3.0, 0.15) is None
    grey = plain(WALL, 180)
    grey[:, WALL.u > 2.0] -= 100
    assert edge(profile(shown(grey, WALL)), WALL.u, 2.4, 0.15) is None


def test_of_two_edges_the_one_within_reach_is_meant() -> None:
    grey = plain(WALL, 180)
    grey[:, WALL.u > 2.0] = 140
    grey[:, WALL.u > 2.1] = 40
    bright = profile(shown(grey, WALL))
    assert edge(bright, WALL.u, 2.01, 0.05) == pytest.approx(2.0, abs=0.011)
    assert edge(bright, WALL.u, 2.01, 0.15) == pytest.approx(2.1, abs=0.011)


def test_what_was_not_seen_has_no_edge() -> None:
    grey = plain(WALL, 120)
    grey[:, WALL.u > 2.0] = np.nan
    assert edge(profile(shown(grey, WALL)), WALL.u, 2.0, 0.15) is None
    assert edge(np.full(600, np.nan), WALL.u, 2.0, 0.15) is None


@pytest.mark.parametrize("metal", [200.0, 5.0])
@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_a_plain_lever_is_at_its_side(side: Side, metal: float) -> None:
    grey = plain(LEAF, 60)
    u = (0.06, 0.2) if side is Side.LEFT else (0.8, 0.94)
    box(grey, LEAF, u, (0.93, 0.96), metal)
    found = lever(shown(grey, LEAF))
    assert found.side is side
    assert found.height == pytest.approx(0.945, abs=0.01)


def test_a_mirrored_leaf_has_its_lever_mirrored() -> None:
    grey = plain(LEAF, 60)
    box(grey, LEAF, (0.06, 0.2), (0.93, 0.96), 200)
    assert lever(shown(grey[:, ::-1].copy(), LEAF)).side is Side.RIGHT


OTHERS = {
    "a notice": ((0.6, 0.9), (1.4, 1.7)),
    "a post": ((0.05, 0.08), (0.0, 2.05)),
    "a bar across": ((0.0, 1.0), (0.93, 0.97)),
    "something in the middle": ((0.45, 0.58), (0.93, 0.96)),
    "a dot": ((0.06, 0.075), (0.93, 0.945)),
    "a pane": ((0.05, 0.3), (0.8, 1.2)),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_lever_is_none(what: str) -> None:
    grey = plain(LEAF, 60)
    box(grey, LEAF, *OTHERS[what], 200)
    found = lever(shown(grey, LEAF))
    assert found.side is Side.NONE
    assert found.hidden is Side.NONE


@settings(max_examples=20)
@given(st.integers(0, 999), st.sampled_from([4.0, 30.0, 120.0]))
def test_noise_has_no_lever(seed: int, grey: float) -> None:
    assert lever(shown(plain(LEAF, grey, seed), LEAF)).side is Side.NONE


def test_a_lever_may_be_where_the_leaf_is_hidden() -> None:
    grey = plain(LEAF, 60)
    grey[:, LEAF.u > 0.8] = np.nan
    assert lever(shown(grey, LEAF)).hidden is Side.RIGHT
    grey[:, LEAF.u < 0.2] = np.nan
    assert lever(shown(grey, LEAF)).hidden is Side.NONE
    assert lever(shown(np.full(LEAF.shape, np.nan, np.float32), LEAF)).side is Side.NONE


def glazed(seed: int = 0) -> Grey:
    """Return a glass wall: fixed panes 1.2 m wide between posts, and a double door between 2.4 and 4.1 m."""
    grey = plain(WALL, 110, seed)
    for post in (0.0, 1.2, 2.4, 4.1, 5.3):
        box(grey, WALL, (post - 0.03, post + 0.03), (0, 2.4), 160)
    box(grey, WALL, (3.23, 3.27), (0, 2.4), 150)
    box(grey, WALL, (0, 6), (1.36, 1.42), 70)
    return grey


def handles(grey: Grey, *at: float, v: tuple[float, float] = (0.7, 1.35)) -> Grey:
    for u in at:
        box(grey, WALL, (u - 0.015, u + 0.015), v, 45)
    return grey


@settings(max_examples=10)
@given(st.integers(0, 999), st.floats(0.08, 0.18))
def test_a_pair_of_bars_astride_a_stile_is_a_double_door(seed: int, off: float) -> None:
    (door,) = double_doors(shown(handles(glazed(seed), 3.25 - off, 3.25 + off), WALL), [])
    assert (door.u0, door.u1) == pytest.approx((2.4, 4.1), abs=0.06)
    assert door.meeting == pytest.approx(3.25, abs=0.04)


def test_a_mirrored_glass_wall_has_its_door_mirrored() -> None:
    grey = handles(glazed(), 3.13, 3.37)[:, ::-1].copy()
    (door,) = double_doors(shown(grey, WALL), [])
    assert door.meeting == pytest.approx(6 - 3.25, abs=0.04)


@settings(max_examples=10)
@given(st.integers(0, 999))
def test_fixed_panes_do_not_open(seed: int) -> None:
    assert double_doors(shown(glazed(seed), WALL), []) == []
    assert double_doors(shown(plain(WALL, 110, seed), WALL), []) == []


@pytest.mark.parametrize(
    "bars",
    [
        ((3.13,), (0.7, 1.35)),  # one handle: no pair
        ((1.7, 1.9), (0.7, 1.35)),  # no stile between
        ((2.9, 3.6), (0.7, 1.35)),  # too far apart
        ((3.13, 3.37), (0.0, 2.4)),  # posts
        ((3.13, 3.37), (1.3, 1.9)),  # above hands
    ],
)
def test_other_bars_make_no_door(bars: tuple[tuple[float, ...], tuple[float, float]]) -> None:
    grey = handles(glazed(), *bars[0], v=bars[1])
    assert double_doors(shown(grey, WALL), []) == []


def test_where_a_door_is_known_there_is_no_other() -> None:
    grey = handles(glazed(), 3.13, 3.37)
    assert double_doors(shown(grey, WALL), [(3.0, 4.0)]) == []
    assert len(double_doors(shown(grey, WALL), [(5.0, 6.0)])) == 1


def test_a_wall_that_no_picture_shows_has_none() -> None:
    assert double_doors(shown(np.full(WALL.shape, np.nan, np.float32), WALL), []) == []
