"""Ovens by their windows: drawn fronts read back, and fronts that are no oven's."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import FrontKind
from pocketworld.families.oven import Oven
from pocketworld.families.protocol import Elevation, Line, SeenHandle
from pocketworld.reconstruct.fronts.panes import Pane, pane
from pocketworld.reconstruct.runs.appliances import UNSEEN_HANDLE, Rival, held
from pocketworld.reconstruct.runs.ovens import oven
from pocketworld.reconstruct.runs.units import Hull
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, JointKind, Side

Grey = NDArray[np.float64]
Rect = tuple[float, float, float, float]  # left, low, right, high, m

PIXEL = 0.003
WIDTH, HEIGHT, PLINTH = 0.6, 0.72, 0.1
HULL = Hull((WIDTH, 0.58, PLINTH + HEIGHT), PLINTH, 0.0, 0.05, False)
WINDOW: Rect = (0.05, 0.08, 0.55, 0.47)
TOP = 0.60  # m: where the door ends and the panel begins
GAP = Line(False, TOP, 0.01, 0.59, 0.002, 0.95)
BAR = SeenHandle(HandleKind.BAR, 0.3, 0.55, 0.4, 0.014, 0.045, False, 0.95)
KNOBS = tuple(SeenHandle(HandleKind.KNOB, u, 0.66, 0.04, 0.04, 0.02, False, 0.9) for u in (0.15, 0.45))
EDGES = (
    Line(True, 0.05, 0.08, 0.47, 0.002, 1.0),
    Line(True, 0.55, 0.08, 0.47, 0.002, 1.0),
    Line(False, 0.08, 0.05, 0.55, 0.002, 1.0),
    Line(False, 0.47, 0.05, 0.55, 0.002, 1.0),
)


def drawn(
    door: float = 200.0,
    dark: tuple[tuple[Rect, float], ...] = ((WINDOW, 40.0),),
    size: tuple[float, float] = (WIDTH, HEIGHT),
    noise: float = 1.5,
) -> Elevation:
    """A front of one brightness with rectangles of others on it."""
    width, height = size
    grey: Grey = np.full((round(height / PIXEL), round(width / PIXEL)), door)
    for (left, low, right, high), level in dark:
        rows = slice(round((height - high) / PIXEL), round((height - low) / PIXEL))
        grey[rows, round(left / PIXEL) : round(right / PIXEL)] = level
    grey += stream(0, "front").normal(0, noise, grey.shape)
    colour = np.repeat(np.clip(grey, 1, 255).astype(np.uint8)[:, :, None], 3, 2)
    return Elevation("front", width, height, PIXEL, colour, frames=3)


def seen(front: Elevation, handles: tuple[SeenHandle, ...] = (BAR,)) -> Elevation:
    return replace(front, lines=(GAP, *EDGES), handles=handles)


def read(front: Elevation, hull: Hull = HULL) -> Rival | None:
    return oven(front, hull)


def off(found: Pane | None, window: Rect = WINDOW) -> float:
    """Return by how much a window was missed at its worst edge, m."""
    assert found is not None
    return float(np.abs(np.subtract((found.left, found.low, found.right, found.high), window)).max())


# --- the window --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("door", "glass"), [(200.0, 40.0), (60.0, 45.0), (46.0, 40.0), (255.0, 100.0)])
def test_a_window_is_found_where_it_is(door: float, glass: float) -> None:
    assert off(pane(drawn(door, ((WINDOW, glass),), noise=1.0))) < 0.011


def test_a_window_is_found_behind_its_handle() -> None:
    bar = ((0.1, 0.45, 0.5, 0.49), 230.0)
    assert off(pane(drawn(dark=((WINDOW, 40.0), bar)))) < 0.045


def test_mirrored_it_is_the_same_window() -> None:
    front = drawn(dark=(((0.06, 0.08, 0.55, 0.47), 40.0),))
    assert front.colour is not None
    turned = pane(replace(front, colour=front.colour[:, ::-1]))
    straight = pane(front)
    assert straight is not None
    assert turned is not None
    assert turned.left == pytest.approx(WIDTH - straight.right, abs=0.0051)
    assert (turned.low, turned.high) == pytest.approx((straight.low, straight.high), abs=0.0051)


@pytest.mark.parametrize(
    "dark",
    [
        (),
        (((0.0, 0.0, WIDTH, 0.3), 40.0),),  # a dark front below a bright one
        (((0.05, 0.08, 0.35, 0.47), 40.0),),  # a window at one side, as a microwave's
        (((0.05, 0.62, 0.55, 0.68), 40.0),),  # a vent, too low for a window
        ((WINDOW, 198.0),),  # hardly darker
        ((WINDOW, 150.0),),  # a frame with a filling
        (((0.05, 0.08, 0.55, 0.1), 40.0), ((0.05, 0.45, 0.55, 0.47), 40.0)),  # shadows of two bars
    ],
)
def test_what_is_no_window_is_none(dark: tuple[tuple[Rect, float], ...]) -> None:
    assert pane(drawn(dark=dark)) is None


def test_soft_light_on_a_front_is_no_window() -> None:
    v, u = np.mgrid[0:240, 0:200]
    grey = 60 + 120 * ((u - 100) ** 2 / 1e4 + (v - 120) ** 2 / 1.44e4)
    colour = np.repeat(np.clip(grey, 1, 255).astype(np.uint8)[:, :, None], 3, 2)
    assert pane(replace(drawn(), colour=colour)) is None


def test_what_no_picture_shows_is_no_window() -> None:
    front = drawn(dark=())
    assert front.colour is not None
    colour = front.colour.copy()
    colour[80:210, 20:180] = 0
    assert pane(replace(front, colour=colour)) is None
    assert pane(replace(front, colour=None)) is None


def test_a_front_too_narrow_for_a_window_has_none() -> None:
    assert pane(drawn(dark=(((0.03, 0.1, 0.22, 0.5), 40.0),), size=(0.25, HEIGHT))) is None


# --- the oven ----------------------------------------------------------------------------------------------


def test_a_front_with_a_window_is_an_oven() -> None:
    found = read(seen(drawn()))
    assert found is not None
    assert found.family == "oven"
    assert found.p > 0.9
    ((share, p),) = found.forms
    assert share == 1.0
    assert isinstance(p, Oven)
    assert [f.kind for f in p.fronts] == [FrontKind.FIXED, FrontKind.DOOR]
    assert p.fronts[1].side is Side.BOTTOM
    assert p.heights[0] == pytest.approx(HEIGHT - TOP, abs=0.01)
    assert p.plinth == PLINTH


def test_it_is_built_where_it_was_seen() -> None:
    found = read(seen(drawn()))
    assert found is not None
    both = held("oven", found.forms[0][1], "oven")
    assert both is not None
    _, asset = both
    (joint,) = asset.movable
    front, handle = asset.part(joint.child).front, asset.part(joint.child).handle
    assert (joint.kind, joint.belief.best.side) == (JointKind.HINGE, Side.BOTTOM)
    assert front is not None
    assert handle is not None
    assert front.centre[2] + front.height / 2 == pytest.approx(PLINTH + TOP, abs=0.01)
    assert front.centre[2] - front.height / 2 == pytest.approx(PLINTH, abs=0.01)
    assert handle.grip[2] == pytest.approx(PLINTH + BAR.v, abs=0.01)
    assert handle.grip[0] == pytest.approx(0.0, abs=0.01)


def test_a_door_whose_handle_did_not_show_has_a_usual_one() -> None:
    found = read(seen(drawn(), ()))
    assert found is not None
    assert found.p > 0.9
    door = found.forms[0][1].fronts[1]
    assert door.side is Side.BOTTOM
    assert door.handle.kind is HandleKind.BAR
    assert door.handle.v > 0.8
    assert UNSEEN_HANDLE in door.evidence


def test_a_handle_that_shows_is_not_guessed() -> None:
    found = read(seen(drawn()))
    assert found is not None
    assert all(UNSEEN_HANDLE not in front.evidence for front in found.forms[0][1].fronts)


def test_knobs_on_the_panel_are_counted_and_open_nothing() -> None:
    found = read(seen(drawn(), (BAR, *KNOBS)))
    assert found is not None
    p = found.forms[0][1]
    assert p.knobs == len(KNOBS)
    assert p.fronts[0].kind is FrontKind.FIXED
    chance = {c.kind: c.p for c in p.fronts[0].chances}
    assert chance[FrontKind.FIXED] > 0.9
    # So far as it is a cabinet after all, it is a drawer with knobs.
    assert 0 < chance[FrontKind.DRAWER] < 1 - found.p + 1e-9


def test_edges_of_its_handle_make_it_no_cabinet() -> None:
    front = seen(drawn())
    bars = tuple(Line(False, at, 0.02, 0.58, 0.002, 1.0) for at in (0.46, 0.49, 0.51, 0.525))
    found = read(replace(front, lines=(*front.lines, *bars)))
    assert found is not None
    assert found.p > 0.9
    assert len(found.forms[0][1].fronts) == 2


def test_no_panel_where_no_gap_shows() -> None:
    front = seen(drawn())
    found = read(replace(front, lines=EDGES))
    assert found is not None
    assert [f.kind for f in found.forms[0][1].fronts] == [FrontKind.DOOR]


def test_a_drawer_below_is_found() -> None:
    front = drawn(dark=(((0.05, 0.25, 0.55, 0.50), 40.0),))
    below = Line(False, 0.18, 0.01, 0.59, 0.002, 0.95)
    found = read(replace(front, lines=(GAP, below), handles=(replace(BAR, v=0.57),)))
    assert found is not None
    kinds = [f.kind for f in found.forms[0][1].fronts]
    assert kinds == [FrontKind.FIXED, FrontKind.DOOR, FrontKind.DRAWER]


def test_chances_of_each_front_sum_to_one() -> None:
    found = read(seen(drawn(), (BAR, *KNOBS)))
    assert found is not None
    for front in found.forms[0][1].fronts:
        assert sum(c.p for c in front.chances) == pytest.approx(1.0)


def test_an_odd_width_is_less_surely_an_oven() -> None:
    usual = read(seen(drawn()))
    window: Rect = (0.05, 0.08, 0.67, 0.47)
    odd = drawn(dark=((window, 40.0),), size=(0.72, HEIGHT))
    wide = read(replace(odd, lines=(replace(GAP, end=0.71),)), replace(HULL, size=(0.72, 0.58, 0.82)))
    assert usual is not None
    assert wide is not None
    assert wide.p < usual.p


def test_a_cabinet_s_front_is_no_oven() -> None:
    assert read(replace(drawn(dark=()), lines=(GAP,), handles=(BAR,))) is None


def test_the_door_is_painted_as_it_is_around_its_window() -> None:
    bright, dark = read(seen(drawn(200.0))), read(seen(drawn(60.0)))
    assert bright is not None
    assert dark is not None
    assert min(bright.forms[0][1].face.colour) > 0.5 > 0.1 > max(dark.forms[0][1].face.colour)


def test_what_was_read_is_kept_as_json() -> None:
    found = read(seen(drawn()))
    assert found is not None
    both = held("oven", found.forms[0][1], "oven")
    assert both is not None
    assert registry.rebuild(both[1]) == both[0]
