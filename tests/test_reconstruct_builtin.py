"""Built-in furniture as assets: what was noticed of a run is told of an asset, by the name that it gets."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pocketworld.bench.sheets import Row, Sheet, box, surface, walls_of_room
from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.placed import named
from pocketworld.reconstruct.room.floor import Floor
from pocketworld.reconstruct.runs.builtin import BuiltIn, built_in
from pocketworld.reconstruct.runs.rows import Rows, find_rows
from pocketworld.scan.capture import Camera, Capture

CAMERA = Camera(50.0, 50.0, 31.5, 23.5, 64, 48)
FLOOR = Floor(np.eye(4), 0.004, 0.0, 0.0, 5.0, ())
OTHER = Finding("other", Severity.NOTE, "reconstruct", "room", "what is about no run")
CLOCK = box((1.6, 0.4, 1.2), (1.9, 0.5, 1.35))
# A slanted upper edge is the pictures': how high this wall unit is was not seen.
WALL_UNIT = [Sheet(1, -1, 0.25, (0.1 + 0.1 * i, 0.2 + 0.1 * i), (1.4, 2.1 - 0.04 * i)) for i in range(12)]


@pytest.fixture(scope="module")
def away(room: Callable[..., Any]) -> Capture:
    """A picture of something else, so that no front is read."""
    pose = se3.exp(np.array([50.0, 50.0, 1.0, 0, 0, 0]))
    return room([UprightBox((50, 50, 3), 0.0, (1, 1, 1))], [90.0], CAMERA).capture([pose])  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def made(away: Capture) -> tuple[Rows, BuiltIn]:
    row = Row(setback=0.0)
    whole = surface([*walls_of_room(), *row.sheets(), *CLOCK, *WALL_UNIT])
    rows = find_rows(whole, FLOOR, (), "room")
    told = Rows(rows.runs, rows.taken, (*rows.findings, OTHER))
    return rows, built_in(away, away.world_from_camera, whole, told, np.eye(4))


def test_all_that_was_noticed_of_a_run_is_told_of_an_asset(made: tuple[Rows, BuiltIn]) -> None:
    rows, fixed = made
    placed = named(fixed.placed)
    said = {(f.code, f.subject) for one in placed for f in one.findings}
    assert {subject for _, subject in said} <= {one.asset.id for one in placed}
    assert {f.code for f in rows.findings} <= {code for code, _ in said}
    assert fixed.findings == (OTHER,)


def test_a_worktop_or_else_the_first_unit_tells_of_its_run(made: tuple[Rows, BuiltIn]) -> None:
    _, fixed = made
    by = {code: one.asset.id for one in fixed.placed for code in (f.code for f in one.findings)}
    assert by["plinth-guessed"] == by["hanging-things-left-out"] == "run-1.worktop"
    assert by["run-top-unseen"] == "run-2.1"


def test_nothing_is_told_twice(made: tuple[Rows, BuiltIn]) -> None:
    _, fixed = made
    for one in fixed.placed:
        codes = [f.code for f in one.findings]
        assert len(codes) == len(set(codes)), one.asset.id
