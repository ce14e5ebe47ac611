"""Rows of built-in furniture: found where they are, alike wherever that is, and not where none are."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.bench.sheets import Row, Sheet, box, joined, surface, walls_of_room
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.reconstruct.room.floor import Floor
from pocketworld.reconstruct.room.walls import Wall
from pocketworld.reconstruct.runs.rows import EndKind, Rows, Run, RunKind, find_rows
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream

Array = NDArray[np.float64]

FLOOR = Floor(np.eye(4), 0.004, 0.0, 0.0, 5.0, ())
ROW = Row()
DISHWASHER = (0.6, 1.2)
TALL = box((-0.6, 0.0, 0.0), (0.0, 0.6, 2.1))
WALL_UNITS = box((0.3, 0.25, 1.4), (1.8, 0.6, 2.1))


def found(surface: Surface, walls: tuple[Wall, ...] = ()) -> Rows:
    return find_rows(surface, FLOOR, walls, "room")


def of(rows: Rows, kind: RunKind) -> list[Run]:
    return [run for run in rows.runs if run.kind is kind]


def base(rows: Rows) -> Run:
    (run,) = of(rows, RunKind.BASE)
    return run


def corners(run: Run) -> tuple[Array, Array]:
    """The lowest and the highest corner of a run that faces -y."""
    half = np.array(run.box.size[:2]) / 2
    assert run.box.yaw == pytest.approx(0, abs=math.radians(1))
    low = np.array([*(run.box.foot[:2] - half), run.box.foot[2]])
    return low, low + run.box.size


def codes(rows: Rows) -> set[str]:
    return {finding.code for finding in rows.findings}


KITCHEN = surface([*walls_of_room(), *ROW.sheets(), *TALL, *WALL_UNITS])


def test_a_kitchen_has_its_three_runs_where_they_are() -> None:
    rows = found(KITCHEN)
    assert [(run.id, run.kind) for run in rows.runs] == [
        ("run-1", RunKind.BASE),
        ("run-2", RunKind.WALL),
        ("run-3", RunKind.TALL),
    ]
    expected = (
        ((0.0, 0.0, 0.0), (2.4, 0.6, 0.82)),
        ((0.3, 0.25, 1.4), (1.8, 0.6, 2.1)),
        ((-0.6, 0.0, 0.0), (0.0, 0.6, 2.1)),
    )
    for run, (low, high) in zip(rows.runs, expected, strict=True):
        assert np.allclose(corners(run), (low, high), atol=0.011), run.id


def test_the_worktop_lies_on_the_base_run() -> None:
    run = base(found(KITCHEN))
    assert run.worktop is not None
    plate = run.worktop
    assert plate.box.foot[2] + plate.box.size[2] == pytest.approx(0.86, abs=1e-3)
    assert plate.box.foot[2] == pytest.approx(run.box.foot[2] + run.box.size[2])
    assert plate.box.size[2] == pytest.approx(0.04, abs=0.006)
    assert plate.overhang == pytest.approx(0.02, abs=1e-3)
    assert plate.box.size[1] == pytest.approx(0.62, abs=2e-3)
    assert plate.measured
    assert plate.sink is None
    assert plate.sigma < 1e-3


def test_its_plinth_is_measured_where_it_steps_back() -> None:
    plinth = base(found(KITCHEN)).plinth
    assert plinth is not None
    assert plinth.measured
    assert (plinth.height, plinth.setback) == pytest.approx((0.1, 0.05), abs=6e-3)


def test_a_plinth_that_does_not_show_is_a_usual_one() -> None:
    rows = found(surface([*walls_of_room(), *replace(ROW, setback=0.0).sheets()]))
    plinth = base(rows).plinth
    assert plinth is not None
    assert not plinth.measured
    assert plinth.setback > 0
    assert "plinth-guessed" in codes(rows)
    assert "plinth-guessed" not in codes(found(surface([*walls_of_room(), *ROW.sheets()])))


@pytest.mark.parametrize(("yaw", "x", "y"), [(0.3, 2.0, -1.0), (-2.8, -5.0, 3.0), (math.pi / 2, 0.01, 4.0)])
def test_a_capture_turned_and_moved_has_the_same_runs(yaw: float, x: float, y: float) -> None:
    motion = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    motion[:2, 3] = x, y
    # Sheets end on the very borders of cells, where rounding would decide; real surfaces do not.
    uneven = KITCHEN.vertices + 1e-3 * stream(0, "uneven").normal(size=KITCHEN.vertices.shape)
    kitchen = replace(KITCHEN, vertices=uneven)
    rows, others = found(kitchen), found(kitchen.moved(motion))
    assert [f.code for f in others.findings] == [f.code for f in rows.findings]
    assert np.array_equal(rows.taken, others.taken)
    for run, other in zip(rows.runs, others.runs, strict=True):
        assert np.allclose(other.box.world_from_box, motion @ run.box.world_from_box, atol=1e-6)
        assert np.allclose(other.box.size, run.box.size, atol=1e-6)
        assert [end.kind for end in other.ends] == [end.kind for end in run.ends]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("noise", [0.004, 0.010])
def test_another_grid_noise_and_holes_hardly_change_it(noise: float, seed: int) -> None:
    """The bars of the real kitchenette: 15 mm and 1 degree of the front, 20 mm of the top, 50 mm of ends."""
    yaw = float(stream(seed, "yaw").uniform(-math.pi, math.pi))
    motion = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    noisy = surface([*walls_of_room(), *ROW.sheets(), *TALL, *WALL_UNITS], noise, 0.38, seed)
    turned = replace(noisy.moved(motion), from_grid=np.eye(4))
    rows = found(turned)
    run = base(rows)
    back = motion.T @ run.box.world_from_box
    assert abs(math.degrees(math.atan2(back[1, 0], back[0, 0]))) < 1
    front = back @ [0, -run.box.size[1] / 2, 0, 1]
    assert abs(front[1]) < 0.008
    assert back[0, 3] == pytest.approx(1.2, abs=0.03)
    assert run.box.size[0] == pytest.approx(2.4, abs=0.06)
    assert run.worktop is not None
    assert run.worktop.box.foot[2] + run.worktop.box.size[2] == pytest.approx(0.86, abs=0.01)
    assert {RunKind.WALL, RunKind.TALL} <= {other.kind for other in rows.runs}


def test_the_order_of_vertices_does_not_matter() -> None:
    order = stream(0, "order").permutation(len(KITCHEN.vertices))
    number = np.argsort(order).astype(np.int32)
    shuffled = replace(
        KITCHEN,
        vertices=KITCHEN.vertices[order],
        normals=KITCHEN.normals[order],
        distance=KITCHEN.distance[order],
        faces=number[KITCHEN.faces],
    )
    rows, others = found(KITCHEN), found(shuffled)
    assert np.array_equal(rows.taken[order], others.taken)
    for run, other in zip(rows.runs, others.runs, strict=True):
        assert np.allclose(other.box.size, run.box.size, atol=1e-9)


@pytest.mark.parametrize("bend", [0.02, 0.033, 0.05])
def test_what_slants_back_low_down_and_handles_do_not_bend_the_front(bend: float) -> None:
    """Depth of dark fronts, seen at a slant, lies behind them; bars of handles stand before them."""
    kitchen = surface([*walls_of_room(), *ROW.sheets(), Sheet(1, -1, -0.035, (0.2, 2.2), (0.72, 0.75))])
    points = kitchen.vertices.copy()
    low = (np.abs(points[:, 1]) < 0.01) & (points[:, 2] < 0.4) & (points[:, 2] > 0)
    points[low, 1] += bend * (0.4 - points[low, 2]) / 0.4 * np.where(points[low, 0] > 1.2, 1.0, 0.3)
    run = base(found(replace(kitchen, vertices=points)))
    assert corners(run)[0][1] == pytest.approx(0, abs=3e-3)
    assert abs(math.degrees(run.box.yaw)) < 0.2


def ajar(angle: float) -> Surface:
    """The door of a dishwasher, hinged at the bottom, that stands open by an angle, rad."""
    door = surface([Sheet(1, -1, 0.0, DISHWASHER, (0.0, 0.7))])
    hinge = np.array([0.0, 0.0, 0.12])
    turn = se3.exp(np.array([0, 0, 0, angle, 0, 0]))
    turn[:3, 3] = hinge
    return door.moved(turn)


@pytest.mark.parametrize("degrees", [5, 8, 15, 25])
def test_a_front_that_is_ajar_is_told_and_does_not_bend_the_row(degrees: float) -> None:
    door = ajar(math.radians(degrees))
    whole = joined(surface([*walls_of_room(), *replace(ROW, open=(DISHWASHER,)).sheets()]), door)
    rows = found(whole)
    run = base(rows)
    assert np.allclose(corners(run), ((0, 0, 0), (2.4, 0.6, 0.82)), atol=0.016)
    (one,) = run.ajar
    middle = run.box.foot[0]
    assert (one.place.left + middle, one.place.right + middle) == pytest.approx(DISHWASHER, abs=0.051)
    # Its upper half, which stands out, is there to be measured, and nothing of the closed fronts beside it.
    assert one.surface.vertices[:, 1].min() == pytest.approx(door.vertices[:, 1].min(), abs=0.01)
    assert one.surface.vertices[:, 1].max() < -0.03
    assert rows.taken[-len(door.vertices) :].mean() > 0.95
    assert "front-ajar" not in codes(rows)  # its unit says so


def test_a_gap_with_nothing_before_it_or_somebody_in_the_way_is_not_ajar() -> None:
    """A black front shows no depth; what stands a step away and hides the row is no part of it."""
    gap = [*walls_of_room(), *replace(ROW, open=(DISHWASHER,)).sheets()]
    somebody = box((0.6, -0.6, 0.0), (1.2, -0.2, 1.0))
    for sheets in (gap, [*gap, *somebody]):
        rows = found(surface(sheets))
        assert base(rows).ajar == ()
        assert corners(base(rows))[1][0] == pytest.approx(2.4, abs=0.011)
    assert not rows.taken[-len(surface(somebody).vertices) :].any()


def test_of_a_corner_each_run_has_its_own_fronts() -> None:
    """An L: the longer run's top goes on into the corner, behind the other's fronts."""
    long = Row(3.2)
    turn = se3.exp(np.array([0, 0, 0, 0, 0, math.pi / 2]))
    turn[:2, 3] = 0.6, -1.8
    short = surface(Row(1.78).sheets(panel=False)).moved(turn)
    points = surface([*walls_of_room(), *long.sheets(), Sheet(0, 1, 0.0, (-2.5, 0.6), (0.0, 2.4))])
    behind = (points.vertices[:, 0] < 0.6) & (points.vertices[:, 1] < 0.01) & (points.vertices[:, 2] < 0.84)
    behind &= points.vertices[:, 0] > 0.01
    rows = found(joined(points.part(~behind), replace(short, from_grid=np.eye(4))))
    first, second = sorted(of(rows, RunKind.BASE), key=lambda run: abs(run.box.yaw))
    assert np.allclose(corners(first), ((0.6, 0.0, 0.0), (3.2, 0.6, 0.82)), atol=0.021)
    assert first.worktop is not None
    assert first.worktop.box.size[0] == pytest.approx(3.2, abs=0.02)
    assert first.ends[0].kind is second.ends[1].kind is EndKind.NEIGHBOUR
    front = second.box.world_from_box @ [0, -second.box.size[1] / 2, 0, 1]
    assert front[0] == pytest.approx(0.6, abs=5e-3)
    assert second.box.size[0] == pytest.approx(1.78, abs=0.03)


BACK = Wall((0.0, -1.0), -0.6, -1.5, 4.0, 2.5)


def test_a_run_stands_at_a_wall_seen_or_known() -> None:
    """An island is furniture that one walks around: it is left to those who look for that."""
    island = surface([Sheet(2, 1, 0.0, (-1.5, 4.0), (-2.0, 0.0)), *ROW.sheets()])
    assert found(island).runs == ()
    assert not found(island).taken.any()
    assert base(found(island, (BACK,))).box.size[1] == pytest.approx(0.6, abs=5e-3)
    for other in (
        replace(BACK, normal=(0.0, 1.0), distance=0.6),
        replace(BACK, distance=-2.0),
        replace(BACK, high=0.0),
    ):
        assert found(island, (other,)).runs == ()


@pytest.mark.parametrize(
    "things",
    [
        box((0.0, 0.0, 0.0), (0.6, 0.5, 0.8)),  # a pedestal before a wall
        box((0.0, -1.5, 0.0), (2.4, -0.9, 0.8)),  # a sideboard in the room
        box((0.0, 0.0, 0.0), (2.4, 0.55, 1.9)),  # a wardrobe
        box((0.0, 0.0, 0.0), (2.0, 0.55, 0.45)),  # a bench
        [*box((0.0, 0.0, 0.7), (1.8, 0.6, 0.76)), *box((0.0, 0.0, 0.0), (0.05, 0.05, 0.7))],  # a table
        [Sheet(2, 1, 0.9, (0.0, 2.4), (0.3, 0.6)), Sheet(1, -1, 0.3, (0.0, 2.4), (0.86, 0.9))],  # a shelf
        [],
    ],
)
def test_what_is_no_built_in_row_has_none(things: list[Sheet]) -> None:
    rows = found(surface([*walls_of_room(), *things]))
    assert rows.runs == ()
    assert rows.findings == ()
    assert not rows.taken.any()


def test_what_belongs_to_runs_is_taken_and_nothing_else() -> None:
    things = box((1.0, 0.2, 0.86), (1.3, 0.5, 1.1))
    whole = surface([*ROW.sheets(), *TALL, *WALL_UNITS, *walls_of_room(), *things])
    own = len(surface([*ROW.sheets(), *TALL, *WALL_UNITS]).vertices)
    rows = found(whole)
    assert rows.taken[:own].mean() > 0.97  # but for what touches the floor
    points, rest = whole.vertices[~rows.taken], whole.vertices[rows.taken]
    assert rest[:, 2].min() > 0.02
    floor = points[:, 2] < 0.035
    beside = np.abs(points[:, 0] - 0.9) > 1.5
    thing = (np.abs(points[:, :2] - (1.15, 0.35)) < 0.151).all(1) & (points[:, 2] > 0.86)
    over = (points[:, 1] > 0.55) & (points[:, 2] > 2.1)  # of the wall, above what stands before it
    assert (floor | beside | thing | over).all()
    assert thing.sum() > 0.9 * len(surface(things).vertices)


def test_findings_are_about_the_run_and_no_worse_than_it_is() -> None:
    rows = found(KITCHEN)
    assert {finding.severity for finding in rows.findings} <= {Severity.NOTE, Severity.DEGRADED}
    assert {finding.subject for finding in rows.findings} <= {f"room/{run.id}" for run in rows.runs}
    assert len(rows.taken) == len(KITCHEN.vertices)


def test_a_row_of_which_every_front_is_hidden_is_still_one() -> None:
    """Something stands before all of it, too far out for fronts that are ajar: no step of it is shut."""
    curtain = Sheet(1, -1, -0.2, (-0.1, 2.5), (0.25, 0.55))
    run = base(found(surface([*walls_of_room(), *ROW.sheets(), curtain])))
    assert run.ajar == ()
    assert run.box.size[0] == pytest.approx(2.4, abs=0.06)


def test_a_few_vertices_beside_a_row_are_no_unit_of_it() -> None:
    speck = surface([Sheet(1, -1, 0.0, (-1.2, -1.16), (0.4, 0.42))])
    wide = replace(speck, vertices=(speck.vertices - (-1.2, 0, 0)) * (5, 1, 1) + (-1.2, 0, 0))
    rows = found(joined(KITCHEN, wide))
    assert [run.kind for run in rows.runs] == [RunKind.BASE, RunKind.WALL, RunKind.TALL]
