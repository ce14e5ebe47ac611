"""Legs that stand apart under a plate are the table's; what else is under it is not."""

import numpy as np
import pytest

from pocketworld.bench.sheets import Sheet, box, surface
from pocketworld.reconstruct.objects.legs import NARROW, UNDER, with_legs
from pocketworld.reconstruct.objects.things import Thing, thing_of
from pocketworld.reconstruct.surfaces.surface import Surface

TOP = 0.74  # m


def thing(id: str, sheets: list[Sheet]) -> Thing:
    return thing_of(id, surface(sheets, 0.002), (), 0.02)


def post(x: float, y: float, width: float = 0.06, high: float = TOP - 0.1) -> list[Sheet]:
    half = width / 2
    return box((x - half, y - half, 0.0), (x + half, y + half, high))


PLATE = thing("thing-1", [Sheet(2, 1, TOP, (-0.6, 0.6), (-0.4, 0.4))])
LEG = thing("thing-2", post(0.52, 0.32))


def together(*things: Thing) -> tuple[Thing, ...]:
    return with_legs(things, (), 0.02)


def test_a_leg_apart_is_the_tables() -> None:
    (table,) = together(PLATE, LEG)
    assert table.id == "thing-1"
    assert len(table.surface.vertices) == len(PLATE.surface.vertices) + len(LEG.surface.vertices)
    assert table.surface.faces.max() == len(table.surface.vertices) - 1
    assert table.surface.vertex_areas().sum() == pytest.approx(
        PLATE.surface.vertex_areas().sum() + LEG.surface.vertex_areas().sum()
    )
    assert (table.box.foot[2], table.box.size[2]) == pytest.approx((0.0, TOP), abs=0.01)
    assert together(LEG, PLATE)[0].id == "thing-1"


@pytest.mark.parametrize(
    "other",
    [
        post(0.45, 0.2, width=NARROW + 0.05),  # a bin
        post(0.75, 0.32),  # beside it
        post(0.0, 0.0),  # no leg stands in the middle, far from all edges
        post(0.52, 0.32, high=TOP - UNDER - 0.1),  # a bottle under it
        post(0.52, 0.32, high=TOP + 0.2),  # a lamp through it
    ],
)
def test_what_else_is_under_or_beside_a_plate_stays_apart(other: list[Sheet]) -> None:
    found = together(PLATE, thing("thing-2", other))
    assert [one.id for one in found] == ["thing-1", "thing-2"]
    assert found[0] is PLATE


def test_without_legs_all_stays_as_it_is() -> None:
    assert together() == ()
    assert together(PLATE) == (PLATE,)
    assert together(LEG) == (LEG,)


def test_colours_stay_with_their_vertices() -> None:
    def coloured(one: Thing, grey: int) -> Thing:
        own = one.surface
        colours = np.full((len(own.vertices), 3), grey, np.uint8)
        held = Surface(own.vertices, own.faces, own.normals, colours, own.distance, own.voxel, own.from_grid)
        return thing_of(one.id, held, (), 0.02)

    (table,) = together(coloured(PLATE, 10), coloured(LEG, 20))
    assert table.surface.colours is not None
    low = table.surface.vertices[:, 2] < TOP - 0.05
    assert set(table.surface.colours[low].ravel().tolist()) == {20}
