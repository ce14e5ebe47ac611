"""What stands on wall and tall units is seen over their upper edges; the wall and the ceiling are not it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.bench.sheets import Sheet, box, surface
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.findings import Severity
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.things import Thing
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.runs.row_ends import UNSEEN
from pocketworld.reconstruct.runs.row_parts import AIR, Rows, Run, RunKind
from pocketworld.reconstruct.runs.row_taken import WALL
from pocketworld.reconstruct.runs.row_tops import HIDDEN, REACH, carrier, things_on_top
from pocketworld.scene import Pose

TOP, DEPTH, WIDTH = 2.0, 0.36, 1.2  # m: the run hangs before the wall y = DEPTH, from x = 0 on
BACK = [Sheet(1, -1, DEPTH, (-1.0, 2.5), (0.0, 2.5))]
CEILING = [Sheet(2, -1, 2.5, (-1.0, 2.5), (-1.0, DEPTH))]


def run(kind: RunKind = RunKind.WALL, sigma: float = 0.003) -> Run:
    low = 0.0 if kind is RunKind.TALL else 1.4
    hull = UprightBox((WIDTH / 2, DEPTH / 2, low), 0.0, (WIDTH, DEPTH, TOP - low))
    return Run("run-2", kind, hull, None, None, (AIR, AIR), (0.003, 0.003, sigma))


def found(sheets: list[Sheet], of: Run) -> tuple[tuple[Thing, ...], list[str]]:
    whole = surface([*BACK, *CEILING, *sheets], 0.002)
    taken: NDArray[np.bool_] = np.zeros(len(whole.vertices), bool)
    things, findings = things_on_top(whole, Rows((of,), taken, ()), of)
    assert all((f.severity, f.subject) == (Severity.LOST, "run-2") for f in findings)
    return things, [f.code for f in findings]


def carton(x: float = 0.4, low: float = TOP, high: float = 0.3, width: float = 0.3) -> list[Sheet]:
    return box((x - width / 2, 0.02, low), (x + width / 2, 0.27, low + high))


@pytest.mark.parametrize("kind", [RunKind.WALL, RunKind.TALL])
@pytest.mark.parametrize("unseen", [0.0, 0.1])
def test_what_stands_on_units_is_found_however_little_of_its_foot_is(kind: RunKind, unseen: float) -> None:
    (thing,), findings = found(carton(low=TOP + unseen, high=0.3 - unseen), run(kind))
    assert thing.id == "run-2-thing-1"
    assert np.allclose(thing.box.foot, (0.4, 0.145, TOP), atol=0.01)
    assert np.allclose(thing.box.size, (0.3, 0.25, 0.3), atol=0.02)
    assert findings == []


def test_two_are_two_the_larger_first() -> None:
    things, _ = found([*carton(0.9, high=0.15, width=0.15), *carton(0.3)], run())
    assert [(one.id, round(one.box.foot[0], 1)) for one in things] == [
        ("run-2-thing-1", 0.3),
        ("run-2-thing-2", 0.9),
    ]


def test_the_wall_the_ceiling_and_what_is_smeared_over_the_edge_are_nothing() -> None:
    assert found([], run()) == ((), [])
    smear = [Sheet(1, -1, 0.0, (0.0, WIDTH), (TOP, TOP + 0.06))]
    assert found(smear, run()) == ((), [])
    assert found([Sheet(1, -1, DEPTH - 0.8 * WALL[0], (0.0, WIDTH), (TOP, 2.4))], run()) == ((), [])


def test_what_closes_up_to_the_ceiling_or_hangs_from_it_is_left_out_and_said() -> None:
    panel = [Sheet(1, -1, 0.0, (0.0, WIDTH), (TOP, 2.5))]
    assert found(panel, run()) == ((), ["over-units-left-out"])
    lamp = carton(low=TOP + HIDDEN + 0.05, high=0.15)
    assert found(lamp, run()) == ((), ["over-units-left-out"])
    assert found(carton(low=TOP + REACH + 0.1), run()) == ((), [])


def test_on_a_run_whose_end_was_not_seen_or_under_a_worktop_nothing_is() -> None:
    assert found(carton(), run(sigma=UNSEEN)) == ((), [])
    assert found(carton(), run(RunKind.BASE)) == ((), [])


def test_it_stands_on_the_unit_below_it() -> None:
    things, _ = found([*carton(0.25, width=0.3), *carton(0.9, high=0.15, width=0.2)], run())
    assert [carrier(thing, units(0.6, 0.6)) for thing in things] == ["run-2.1", "run-2.2"]


def units(*widths: float, turn: float = 0.0) -> list[Placed]:
    """Return units beside each other from x = 0 on, of these widths; all turned about the origin."""
    c, s = math.cos(turn), math.sin(turn)
    out = []
    for i, width in enumerate(widths):
        x, y = sum(widths[:i]) + width / 2, DEPTH / 2
        built = registry.family("box").build(Box(width, DEPTH, 0.6), f"run-2.{i + 1}")
        pose = Pose.upright((c * x - s * y, s * x + c * y, 1.4), turn)
        out.append(Placed(replace(built, pose=pose)))
    return out


@pytest.mark.parametrize("turn", [0.0, 0.7, -2.0])
@pytest.mark.parametrize(
    ("x", "unit"), [(-0.05, 1), (0.6, 1), (1.05, 1), (1.15, 1), (1.25, 2), (1.45, 2), (1.6, 2)]
)
def test_on_a_wide_unit_it_stands_though_the_middle_of_a_narrow_one_is_nearer(
    x: float, unit: int, turn: float
) -> None:
    (thing,), _ = found(carton(0.6, width=0.2), run())
    c, s = math.cos(turn), math.sin(turn)
    y = DEPTH / 2
    there = replace(thing.box, foot=(c * x - s * y, s * x + c * y, TOP))
    moved = replace(thing, found=replace(thing.found, box=there))
    assert carrier(moved, units(1.2, 0.3, turn=turn)) == f"run-2.{unit}"
