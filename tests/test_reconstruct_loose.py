"""What stands free as assets: furniture with what it carries, and what is left out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pocketworld.bench.sheets import Sheet, box, surface
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.loose import loose
from pocketworld.reconstruct.objects.things import Things, thing_of
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.room.floor import Floor
from pocketworld.scan.capture import Camera, Capture
from pocketworld.scene import Relation

FLOOR = Floor(np.eye(4), 0.004, 0.0, 0.0, 5.0, ())
CAMERA = Camera(50.0, 50.0, 31.5, 23.5, 64, 48)
TOP = 0.74  # m


@pytest.fixture(scope="module")
def away(room: Callable[..., Any]) -> Capture:
    """Pictures of something else: nothing was seen to be empty."""
    pose = se3.exp(np.array([50.0, 50.0, 1.0, 0, 0, 0]))
    return room([UprightBox((50, 50, 3), 0.0, (1, 1, 1))], [90.0], CAMERA).capture([pose])  # type: ignore[no-any-return]


def table() -> list[Sheet]:
    plate = box((-0.6, -0.4, TOP - 0.04), (0.6, 0.4, TOP))
    corners = [(sx * 0.55, sy * 0.35) for sx in (-1, 1) for sy in (-1, 1)]
    legs = [s for x, y in corners for s in box((x - 0.04, y - 0.04, 0), (x + 0.04, y + 0.04, TOP - 0.04))]
    return [*plate, *legs]


def carton(x: float, y: float, low: float = TOP) -> list[Sheet]:
    return box((x - 0.12, y - 0.12, low), (x + 0.12, y + 0.12, low + 0.3))


def made(away: Capture, *clusters: list[Sheet]) -> tuple[list[Placed], dict[str, float]]:
    whole = [surface(sheets, 0.002) for sheets in clusters]
    things = tuple(thing_of(f"thing-{i}", own, (), 0.02) for i, own in enumerate(whole, 1))
    placed, noticed = loose(Things(things, ()), (), away, FLOOR, whole[0])
    return placed, {finding.code: finding.numbers["count"] for finding in noticed}


def test_a_table_carries_what_stands_on_it(away: Capture) -> None:
    placed, left_out = made(away, [*table(), *carton(0.2, 0.1)])
    by = {one.asset.id: one for one in placed}
    assert {id: one.asset.family for id, one in by.items()} == {"thing-1": "table", "thing-1-on-1": "box"}
    assert by["thing-1"].relations == (Relation("on", "thing-1", "floor"),)
    assert by["thing-1-on-1"].relations == (Relation("on", "thing-1-on-1", "thing-1"),)
    assert by["thing-1-on-1"].asset.pose.position == pytest.approx((0.2, 0.1, TOP), abs=0.02)
    assert left_out == {}


def test_a_leg_apart_does_not_stand_alone(away: Capture) -> None:
    whole, leg = table()[:-5], table()[-5:]
    placed, _ = made(away, whole, leg)
    assert [one.asset.family for one in placed] == ["table"]


def test_a_shred_in_the_air_is_left_out_and_counted(away: Capture) -> None:
    shreds = [
        Sheet(1, -1, 0.1 * i, (0.2 * (i % 3), 0.2 * (i % 3) + 0.2), (0.7 + 0.15 * i, 0.85 + 0.15 * i))
        for i in range(4)
    ]
    placed, left_out = made(away, shreds)
    assert placed == []
    assert left_out == {"fragments-left-out": 1}


def test_upright_sheets_without_a_sibling_are_fragments_too(away: Capture) -> None:
    back = thing_of("thing-2", surface([Sheet(1, -1, 2.0, (0.0, 0.4), (0.5, 0.9))]), (), 0.02)
    own = surface(table(), 0.002)
    cluster = thing_of("thing-1", own, (), 0.02)
    placed, noticed = loose(Things((cluster,), (), (back,)), (), away, FLOOR, own)
    assert [one.asset.id for one in placed] == ["thing-1"]
    assert [(f.code, f.numbers["count"]) for f in noticed] == [("fragments-left-out", 1)]


def test_of_nothing_there_is_nothing(away: Capture) -> None:
    assert loose(Things((), ()), (), away, FLOOR, surface(table())) == ([], ())
