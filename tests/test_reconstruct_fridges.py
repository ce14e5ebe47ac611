"""Fridges by how they stand to the row beside them, and what their fronts are believed to be."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pocketworld.families.cabinet.parameters import FrontKind
from pocketworld.families.fridge import Fridge
from pocketworld.families.protocol import Elevation, Line, SeenHandle
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.grammar import explain
from pocketworld.reconstruct.runs.appliances import UNSEEN_HANDLE, Rival, guessed, held
from pocketworld.reconstruct.runs.fridges import FEET, Beside, beside, fridge
from pocketworld.reconstruct.runs.row_parts import End, EndKind, Run, RunKind
from pocketworld.reconstruct.runs.units import Hull
from pocketworld.scene import HandleKind, Side

WIDTH, LOW, HEIGHT = 0.6, 0.1, 1.8
HULL = Hull((WIDTH, 0.63, HEIGHT), LOW, 0.0, 0.05, False)
SPLIT = 0.6  # m over where the front was read
LINE = Line(False, SPLIT, 0.01, 0.59, 0.002, 0.95)
UPRIGHT = SeenHandle(HandleKind.BAR, 0.05, 1.0, 0.4, 0.014, 0.045, True, 0.95)
LEVEL = SeenHandle(HandleKind.BAR, 0.3, 0.5, 0.4, 0.014, 0.045, False, 0.95)
APART, IN_LINE = Beside(0.04, -0.3), Beside(0.002, 0.005)
ENDS = (End(EndKind.PANEL, 0.01), End(EndKind.FREE, 0.02))


def run(
    kind: RunKind,
    front: float,
    top: float,
    sigma: float = 0.003,
    turn: float = 0.0,
    away: tuple[float, float] = (0, 0),
) -> Run:
    """A run whose front is that far before y = 0, its back 0.6 m behind that, in a room that is turned."""
    depth, low = 0.6 + front, {RunKind.WALL: 1.4}.get(kind, 0.0)
    x, y = {RunKind.TALL: 2.0}.get(kind, 0.0), 0.6 - depth / 2
    c, s = math.cos(turn), math.sin(turn)
    foot = (c * x - s * y + away[0], s * x + c * y + away[1], low)
    box = UprightBox(foot, turn, (0.6, depth, top - low))
    return Run(str(kind), kind, box, None, None, ENDS, (0.003, 0.003, sigma))


def read(
    handles: tuple[SeenHandle, ...] = (), stands: Beside = APART, lines: tuple[Line, ...] = (LINE,)
) -> Rival:
    """What a tall unit may be, of which lines and handles were seen."""
    seen = Elevation("front", WIDTH, HEIGHT - LOW, 0.003, None, None, lines, handles)
    found = fridge(seen, HULL, explain(seen.width, seen.height, lines, handles), stands)
    assert found is not None
    return found


# --- how it stands -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [0.0, 0.7, -2.0])
def test_how_far_it_stands_out_and_above_does_not_hang_on_the_room_s_place(turn: float) -> None:
    rows = [
        run(kind, front, top, turn=turn, away=(3.0, -1.0))
        for kind, front, top in (
            (RunKind.BASE, 0, 0.85),
            (RunKind.WALL, -0.25, 2.1),
            (RunKind.TALL, 0.04, 1.8),
        )
    ]
    found = beside(rows[2], rows)
    assert found is not None
    assert found.over is not None
    assert (found.proud, found.over) == pytest.approx((0.04, -0.3))


def test_only_tall_runs_stand_beside_a_row() -> None:
    rows = [run(RunKind.BASE, 0, 0.85), run(RunKind.WALL, -0.25, 2.1), run(RunKind.TALL, 0.04, 1.8)]
    assert [beside(each, rows) is None for each in rows] == [True, True, False]
    assert beside(rows[2], rows[2:]) is None


@pytest.mark.parametrize("blind", [1, 2])
def test_a_top_that_was_not_seen_is_not_compared(blind: int) -> None:
    rows = [run(RunKind.BASE, 0, 0.85), run(RunKind.WALL, -0.25, 2.1), run(RunKind.TALL, 0.04, 1.8)]
    rows[blind] = replace(rows[blind], sigma=(0.003, 0.003, 0.3))
    found = beside(rows[2], rows)
    assert found is not None
    assert found.over is None


def test_what_stands_apart_is_a_fridge_and_what_is_in_line_is_not() -> None:
    assert read(stands=APART).p > 0.9
    assert read(stands=IN_LINE).p < 0.1
    assert 0.2 < read(stands=Beside(0.014, None)).p < 0.8


def test_the_farther_it_stands_out_the_more_it_is_a_fridge() -> None:
    found = [read(stands=Beside(x, None)).p for x in (0.0, 0.01, 0.02, 0.03)]
    assert np.all(np.diff(found) > 0)


def test_doors_side_by_side_are_hardly_a_fridge_s() -> None:
    beside_each_other = Line(True, 0.3, 0.01, 1.69, 0.002, 0.95)
    assert read(lines=(beside_each_other,)).p < read().p


@pytest.mark.parametrize("width", [0.3, 1.2])
def test_nothing_as_narrow_or_wide_is_a_fridge(width: float) -> None:
    seen = Elevation("front", width, HEIGHT - LOW, 0.003)
    hull = replace(HULL, size=(width, 0.63, HEIGHT))
    assert fridge(seen, hull, explain(width, HEIGHT - LOW, (), ()), APART) is None


# --- its fronts --------------------------------------------------------------------------------------------


def test_its_fronts_go_from_its_feet_to_its_top() -> None:
    found = read((UPRIGHT, LEVEL))
    p = found.forms[0][1]
    assert isinstance(p, Fridge)
    assert p.feet == FEET
    both = held("fridge", p, "fridge")
    assert both is not None
    ends = []
    for part in both[1].parts:
        if part.front is not None:
            ends += [part.front.centre[2] + s * part.front.height / 2 for s in (1, -1)]
    np.testing.assert_allclose(ends, [HEIGHT, LOW + SPLIT, LOW + SPLIT, FEET], atol=0.012)


def test_a_handle_at_the_left_hangs_the_door_at_the_right() -> None:
    door = read((UPRIGHT, LEVEL)).forms[0][1].fronts[0]
    assert (door.kind, door.side) == (FrontKind.DOOR, Side.RIGHT)
    other = read((replace(UPRIGHT, u=0.55), LEVEL)).forms[0][1].fronts[0]
    assert (other.kind, other.side) == (FrontKind.DOOR, Side.LEFT)


def test_mirrored_handles_mirror_the_belief() -> None:
    def sides(u: float) -> list[float]:
        front = read((replace(UPRIGHT, u=u), LEVEL)).forms[0][1].fronts[0]
        chance = {(c.kind, c.side): c.p for c in front.chances}
        return [chance[FrontKind.DOOR, side] for side in (Side.LEFT, Side.RIGHT)]

    assert sides(0.05) == pytest.approx(sides(0.55)[::-1])


def test_a_low_front_with_a_level_handle_is_a_drawer() -> None:
    handle = replace(LEVEL, v=0.3)
    drawer = read((UPRIGHT, handle), lines=(replace(LINE, at=0.4),))
    assert drawer.forms[0][1].fronts[1].kind is FrontKind.DRAWER


def test_a_tall_front_without_a_handle_is_a_door_whose_side_nobody_knows() -> None:
    door = read().forms[0][1].fronts[0]
    chance = {(c.kind, c.side): c.p for c in door.chances}
    assert door.kind is FrontKind.DOOR
    assert chance[FrontKind.DOOR, Side.LEFT] == pytest.approx(chance[FrontKind.DOOR, Side.RIGHT])
    assert sum(chance.values()) == pytest.approx(1.0)
    assert door.handle.kind is not HandleKind.NONE
    assert UNSEEN_HANDLE in door.evidence


def test_of_a_usual_handle_only_where_none_shows() -> None:
    upper, lower = read((UPRIGHT,)).forms[0][1].fronts
    assert [UNSEEN_HANDLE in one.evidence for one in (upper, lower)] == [False, True]
    both = held("fridge", read((UPRIGHT,)).forms[0][1], "fridge")
    assert both is not None
    assert [f.code for f in guessed(both[0], "reconstruct", "it")] == ["handle-guessed", "feet-guessed"]


@pytest.mark.parametrize("handles", [(), (UPRIGHT,), (LEVEL,), (UPRIGHT, LEVEL)])
def test_all_that_is_read_can_be_built_and_opens(handles: tuple[SeenHandle, ...]) -> None:
    for _, p in read(handles).forms:
        both = held("fridge", p, "fridge")
        assert both is not None
        assert both[1].movable
        assert all(joint.range[1] > 0 for joint in both[1].movable)


def test_shares_of_its_forms_sum_to_one() -> None:
    faint = replace(LINE, end=0.40, score=0.85)
    assert sum(share for share, _ in read(lines=(faint,)).forms) == pytest.approx(1.0)


def test_nobody_looks_into_a_drawer_as_high_as_a_door() -> None:
    bar = replace(LEVEL, v=1.55)
    top = read((bar,), lines=(replace(LINE, at=1.4),)).forms[0][1].fronts[0]
    assert top.kind is not FrontKind.DRAWER
