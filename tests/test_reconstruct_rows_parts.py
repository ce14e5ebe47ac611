"""What a run is made of: ends, worktops, sinks, dark parts, what stands on it; and where they start from."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.sheets import Row, Sheet, box, joined, surface, walls_of_room
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.reconstruct.room.floor import Floor
from pocketworld.reconstruct.runs.row_fronts import front_planes, fullest, straightened, weighted_median
from pocketworld.reconstruct.runs.row_things import things_on
from pocketworld.reconstruct.runs.rows import EndKind, Rows, Run, RunKind, find_rows
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream

Array = NDArray[np.float64]

FLOOR = Floor(np.eye(4), 0.004, 0.0, 0.0, 5.0, ())
ROW = Row()
TALL = box((2.4, 0.0, 0.0), (3.0, 0.6, 2.1))


def found(*sheets: Sheet) -> Rows:
    return find_rows(surface(sheets), FLOOR, (), "room")


def only(rows: Rows, kind: RunKind) -> Run:
    (run,) = [run for run in rows.runs if run.kind is kind]
    return run


def codes(rows: Rows, run: Run) -> set[str]:
    return {finding.code for finding in rows.findings if finding.subject == f"room/{run.id}"}


# Ends


def test_it_ends_at_its_own_panel_or_at_its_neighbours_side() -> None:
    own = only(found(*walls_of_room(), *ROW.sheets()), RunKind.BASE)
    assert own.ends[1].kind is EndKind.PANEL
    beside = only(found(*walls_of_room(), *ROW.sheets(panel=False), *TALL), RunKind.BASE)
    assert beside.ends[1].kind is EndKind.NEIGHBOUR
    for run in (own, beside):
        right = run.box.foot[0] + run.box.size[0] / 2
        assert right == pytest.approx(2.4, abs=2 * run.ends[1].sigma)


def test_it_ends_in_air_where_one_sees_past_it() -> None:
    past = [*walls_of_room(), *ROW.sheets(panel=False)]
    assert [end.kind for end in only(found(*past), RunKind.BASE).ends] == [EndKind.FREE, EndKind.FREE]


def test_where_the_pictures_end_nothing_is_known_and_a_finding_says_so() -> None:
    behind = [Sheet(2, 1, 0.0, (0.0, 2.4), (-2.0, 0.0)), Sheet(1, -1, 0.6, (0.0, 2.4), (0.86, 2.5))]
    rows = found(*behind, *ROW.sheets(panel=False))
    run = only(rows, RunKind.BASE)
    assert [end.kind for end in run.ends] == [EndKind.CUT, EndKind.CUT]
    assert run.ends[0].sigma > 0.1
    assert {"run-left-unseen", "run-right-unseen"} <= codes(rows, run)


def test_what_stands_on_the_end_of_a_worktop_is_no_neighbour() -> None:
    toaster = box((2.2, 0.2, 0.86), (2.38, 0.4, 1.06))
    run = only(found(*walls_of_room(), *ROW.sheets(panel=False), *toaster), RunKind.BASE)
    assert run.ends[1].kind is EndKind.FREE


# Worktops and sinks


@pytest.mark.parametrize("top", [0.75, 0.86, 0.95])
@pytest.mark.parametrize("thickness", [0.02, 0.04, 0.06])
def test_worktops_are_as_high_and_as_thick_as_they_are(top: float, thickness: float) -> None:
    row = replace(ROW, top=top, under=top - thickness)
    plate = only(found(*walls_of_room(), *row.sheets()), RunKind.BASE).worktop
    assert plate is not None
    assert plate.measured
    assert plate.box.foot[2] + plate.box.size[2] == pytest.approx(top, abs=1e-3)
    assert plate.box.size[2] == pytest.approx(thickness, abs=0.016)


def test_an_edge_that_is_flush_hides_how_thick_it_is() -> None:
    rows = found(*walls_of_room(), *replace(ROW, out=0.0).sheets())
    run = only(rows, RunKind.BASE)
    assert run.worktop is not None
    assert not run.worktop.measured
    assert run.worktop.overhang == pytest.approx(0, abs=1e-3)
    assert "worktop-guessed" not in codes(rows, run)  # the worktop says so


def test_a_plate_that_depth_puts_too_low_is_told() -> None:
    """As of a dark plate seen at a slant: its front edge, seen head on, is higher."""
    sunk = [replace(s, at=s.at - 0.03) if s.axis == 2 and s.at > 0.8 else s for s in ROW.sheets()]
    rows = found(*walls_of_room(), *sunk)
    run = only(rows, RunKind.BASE)
    (uneven,) = [finding for finding in rows.findings if finding.code == "worktop-uneven"]
    assert uneven.numbers["edge_m"] - uneven.numbers["plate_m"] == pytest.approx(0.03, abs=2e-3)
    assert run.worktop is not None
    assert run.box.size[2] < run.worktop.box.foot[2] + run.worktop.box.size[2]


SINK = (0.7, 1.2, 0.1, 0.5)


def test_a_basin_is_a_hole_in_the_worktop() -> None:
    plate = only(found(*walls_of_room(), *replace(ROW, sink=SINK).sheets()), RunKind.BASE).worktop
    assert plate is not None
    assert plate.sink is not None
    x, y, _ = plate.box.foot
    left, right, front, back = plate.sink
    assert (left + x, right + x, front + y, back + y) == pytest.approx(SINK, abs=0.02)
    assert -plate.box.size[1] / 2 < front < back < plate.box.size[1] / 2


def test_of_a_basin_half_hidden_by_its_rim_the_usual_depth_is_taken() -> None:
    sheets = replace(ROW, sink=SINK).sheets()
    half = [replace(s, v=(0.32, 0.5)) if s.axis == 2 and s.at == pytest.approx(0.7) else s for s in sheets]
    half = [s for s in half if not (s.axis == 0 and s.at == SINK[0])]
    plate = only(found(*walls_of_room(), *half), RunKind.BASE).worktop
    assert plate is not None
    assert plate.sink is not None
    assert plate.sink[3] - plate.sink[2] == pytest.approx(0.4, abs=0.01)


def test_no_basin_is_found_where_there_is_none_or_where_a_front_stands_open() -> None:
    whole = only(found(*walls_of_room(), *ROW.sheets()), RunKind.BASE).worktop
    assert whole is not None
    assert whole.sink is None
    # What one sees below the worktop through a dishwasher's open door is not in a sink.
    inside = Sheet(2, 1, 0.6, (0.65, 1.15), (0.1, 0.5))
    door = surface([Sheet(1, -1, 0.0, (0.6, 1.2), (0.0, 0.7))])
    turn = se3.exp(np.array([0, 0, 0, 0.3, 0, 0]))
    turn[2, 3] = 0.12
    row = replace(ROW, open=((0.6, 1.2),))
    rows = find_rows(
        joined(surface([*walls_of_room(), *row.sheets(), inside]), door.moved(turn)), FLOOR, (), "room"
    )
    run = only(rows, RunKind.BASE)
    assert len(run.ajar) == 1
    assert run.worktop is not None
    assert run.worktop.sink is None


# Wall units


def unit_with_hole(low: float, high: float) -> list[Sheet]:
    """A front at y = 0.25 from x = 0.3 to 2.1, z = 1.4 to 2.1, with a part without depth."""
    parts = [((0.3, 0.9), (1.4, 2.1)), ((1.5, 2.1), (1.4, 2.1))]
    parts += [((0.9, 1.5), (1.4, low)), ((0.9, 1.5), (high, 2.1))]
    return [Sheet(1, -1, 0.25, *part) for part in parts]


def test_a_part_without_depth_is_dark_and_does_not_part_the_run() -> None:
    rows = found(*walls_of_room(), *ROW.sheets(), *unit_with_hole(1.5, 1.85))
    run = only(rows, RunKind.WALL)
    assert run.box.size[0] == pytest.approx(1.8, abs=0.02)
    (dark,) = run.dark
    x, _, z = run.box.foot
    assert (dark.left + x, dark.right + x) == pytest.approx((0.9, 1.5), abs=0.06)
    assert (dark.low + z, dark.high + z) == pytest.approx((1.5, 1.85), abs=0.06)
    assert "front-dark" not in codes(rows, run)  # its unit says so


def test_wall_units_apart_are_two_runs() -> None:
    units = [*box((0.1, 0.25, 1.4), (0.8, 0.6, 2.1)), *box((1.5, 0.25, 1.4), (2.2, 0.6, 2.1))]
    rows = found(*walls_of_room(), *ROW.sheets(), *units)
    walls = sorted((run for run in rows.runs if run.kind is RunKind.WALL), key=lambda run: run.box.foot[0])
    assert [round(run.box.foot[0], 2) for run in walls] == [0.45, 1.85]
    assert [run.dark for run in walls] == [(), ()]


def test_an_upper_edge_that_the_pictures_cut_off_is_unsure() -> None:
    """A slanted upper edge is the pictures', not the furniture's."""
    slices = [Sheet(1, -1, 0.25, (0.3 + 0.1 * i, 0.4 + 0.1 * i), (1.4, 2.1 - 0.03 * i)) for i in range(18)]
    rows = found(*walls_of_room(), *ROW.sheets(), *slices)
    run = only(rows, RunKind.WALL)
    assert run.sigma[2] > 0.1
    assert "run-top-unseen" in codes(rows, run)
    sure = found(*walls_of_room(), *ROW.sheets(), *unit_with_hole(1.7, 1.7))
    assert only(sure, RunKind.WALL).sigma[2] < 0.02


def test_pictures_windows_and_shelves_on_the_wall_are_no_wall_units() -> None:
    picture = Sheet(1, -1, 0.57, (0.5, 1.5), (1.4, 2.0))
    shelf = Sheet(2, 1, 1.5, (0.3, 1.8), (0.4, 0.6))
    lamp = Sheet(1, -1, 0.3, (0.5, 0.8), (1.4, 1.6))
    rows = found(*walls_of_room(), *ROW.sheets(), picture, shelf, lamp)
    assert [run.kind for run in rows.runs] == [RunKind.BASE]


def test_a_tall_unit_apart_from_the_row_or_hung_is_none_of_its() -> None:
    apart = box((2.8, 0.0, 0.0), (3.4, 0.6, 2.1))
    hung = box((2.4, 0.0, 1.2), (3.0, 0.6, 2.1))
    for other in (apart, hung):
        rows = found(*walls_of_room(), *ROW.sheets(), *other)
        assert RunKind.TALL not in {run.kind for run in rows.runs}


def test_a_fridge_that_stands_out_is_a_tall_run_of_its_own_front() -> None:
    fridge = box((2.42, -0.06, 0.0), (3.0, 0.6, 1.8))
    run = only(found(*walls_of_room(), *ROW.sheets(), *fridge), RunKind.TALL)
    assert run.box.foot == pytest.approx((2.71, 0.27, 0.0), abs=0.011)
    assert run.box.size == pytest.approx((0.58, 0.66, 1.8), abs=0.021)


# What stands on a worktop

MACHINE = box((0.2, 0.1, 0.86), (0.5, 0.5, 1.3))
CUP = box((1.0, 0.2, 0.86), (1.08, 0.28, 0.95))
BOOK = box((1.15, 0.2, 0.86), (1.4, 0.4, 0.90))


def standing(*sheets: Sheet) -> tuple[Rows, Surface]:
    whole = surface([*walls_of_room(), *ROW.sheets(), *sheets])
    return find_rows(whole, FLOOR, (), "room"), whole


def test_what_stands_on_a_worktop_are_things_of_its_own() -> None:
    rows, whole = standing(*MACHINE, *CUP, *BOOK)
    things, left_out = things_on(whole, rows, rows.runs[0])
    assert left_out == ()
    assert [thing.id for thing in things] == [f"run-1-thing-{i}" for i in (1, 2, 3)]
    machine, book, cup = things
    left = {tuple(v) for v in whole.vertices[~rows.taken].tolist()}
    for thing, low, high in (
        (machine, (0.2, 0.1, 0.86), (0.5, 0.5, 1.3)),
        (book, (1.15, 0.2, 0.86), (1.4, 0.4, 0.90)),
        (cup, (1.0, 0.2, 0.86), (1.08, 0.28, 0.95)),
    ):
        assert thing.box.foot == pytest.approx((*np.add(low[:2], high[:2]) / 2, 0.86), abs=0.012)
        assert thing.box.size == pytest.approx(np.subtract(high, low), abs=0.021)
        assert thing.box.yaw == pytest.approx(0, abs=0.02)
        assert {tuple(v) for v in thing.surface.vertices.tolist()} <= left


def test_nothing_of_the_wall_the_worktop_or_what_hangs_is_a_thing() -> None:
    hanging = box((1.6, 0.5, 1.2), (1.9, 0.59, 1.35))
    unit = box((0.3, 0.25, 1.4), (2.0, 0.6, 2.1))
    rows, whole = standing(*hanging, *unit, *box((2.4, 0.0, 0.0), (3.0, 0.6, 2.1)))
    things, (left_out,) = things_on(whole, rows, rows.runs[0])
    assert things == ()
    assert (left_out.code, left_out.severity) == ("hanging-things-left-out", Severity.LOST)
    assert (left_out.subject, left_out.numbers["count"]) == (rows.runs[0].id, 1)
    seen = sum(surface([sheet]).vertex_areas().sum() for sheet in hanging)
    assert 0.5 * seen < left_out.numbers["area_m2"] <= seen
    assert [things_on(whole, rows, run) for run in rows.runs[1:]] == [((), ())] * (len(rows.runs) - 1)


def test_a_machine_of_which_the_middle_is_black_is_one_thing() -> None:
    foot, head = box((0.2, 0.1, 0.86), (0.5, 0.5, 0.93)), box((0.22, 0.12, 1.15), (0.48, 0.45, 1.3))
    rows, whole = standing(*foot, *head)
    (machine,), left_out = things_on(whole, rows, rows.runs[0])
    assert left_out == ()
    assert machine.box.size[2] == pytest.approx(0.44, abs=0.01)


def test_an_uneven_worktop_is_no_thing() -> None:
    rows, whole = standing(*CUP)
    points = whole.vertices.copy()
    plate = (np.abs(points[:, 2] - 0.86) < 1e-6) & (points[:, 1] > -0.01)
    points[plate, 2] += 0.03 * np.sin(points[plate, 0] * 2.5)
    wavy = replace(whole, vertices=points)
    rows = find_rows(wavy, FLOOR, (), "room")
    assert [len(thing.surface.vertices) > 0 for thing in things_on(wavy, rows, rows.runs[0])[0]] == [True]


UNEVEN = surface([*walls_of_room(), *Row(1.4).sheets(), *CUP])
THINGS = replace(
    UNEVEN, vertices=UNEVEN.vertices + 1e-3 * stream(0, "uneven").normal(size=UNEVEN.vertices.shape)
)
ROWS = find_rows(THINGS, FLOOR, (), "room")
EXPECTED = things_on(THINGS, ROWS, ROWS.runs[0])[0]


@pytest.mark.parametrize(("yaw", "x"), [(0.4, 2.0), (-2.0, 0.01), (math.pi, -3.0)])
def test_things_turn_with_the_room(yaw: float, x: float) -> None:
    motion = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    motion[0, 3] = x
    moved = THINGS.moved(motion)
    rows = find_rows(moved, FLOOR, (), "room")
    others, _ = things_on(moved, rows, rows.runs[0])
    assert len(others) == len(EXPECTED)
    for thing, other in zip(EXPECTED, others, strict=True):
        assert np.allclose(other.box.world_from_box, motion @ thing.box.world_from_box, atol=1e-6)


# Planes


@given(st.floats(-0.05, 0.05), st.floats(-0.02, 0.02), st.integers(0, 99))
def test_a_line_is_fitted_through_outliers(slope: float, offset: float, seed: int) -> None:
    rng = stream(seed, "line")
    along = rng.uniform(-1.2, 1.2, 600)
    behind = offset + slope * along + rng.normal(size=600) * 0.003
    behind[:120] -= 0.028  # handles
    behind[120:200] += 0.4
    frame = straightened(along, behind, np.ones(600))
    assert math.tan(math.atan2(frame[1, 0], frame[0, 0])) == pytest.approx(slope, abs=3e-3)
    assert frame[1, 3] == pytest.approx(offset, abs=2e-3)


def test_the_fullest_layer_holds_most_weight() -> None:
    values = np.array([0.0, 0.001, 0.002, 0.5, 0.501])
    assert fullest(values, np.ones(5)) == pytest.approx(0.001)
    assert fullest(values, np.array([1.0, 1, 1, 5, 5])) == pytest.approx(0.5005)


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=30))
def test_equal_weights_make_the_usual_median(values: list[float]) -> None:
    at = weighted_median(np.array(values), np.ones(len(values)))
    assert np.sum(np.array(values) < at) <= len(values) / 2
    assert np.sum(np.array(values) > at) <= len(values) / 2


def test_planes_come_largest_first_and_look_out() -> None:
    room = surface([*walls_of_room(), *ROW.sheets(), *box((-1.2, -1.5, 0.0), (-0.5, -1.0, 0.9))])
    frames = list(front_planes(room, room.vertex_areas()))
    assert frames[0][1, 3] == pytest.approx(0.6, abs=1e-3)  # the wall
    assert frames[1][1, 3] == pytest.approx(0.0, abs=1e-3)  # the row
    for frame in frames:
        assert np.allclose(frame[:3, :3].T @ frame[:3, :3], np.eye(3))
        assert np.linalg.det(frame[:3, :3]) == pytest.approx(1)
        assert frame[2].tolist() == [0, 0, 1, 0]
    floor = room.part(room.vertices[:, 2] < 0.1)
    assert list(front_planes(floor, floor.vertex_areas())) == []
