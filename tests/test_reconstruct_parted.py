"""What stands on furniture comes off it, and so does what was pushed under it; backs and arms stay."""

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.sheets import Sheet, box, surface
from pocketworld.geometry import se3
from pocketworld.reconstruct.objects.parted import ASIDE, SEAT, SPANS, Parted, part
from pocketworld.reconstruct.objects.plates import LEAST, Plate, plates
from pocketworld.reconstruct.objects.things import thing_of
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream

Array = NDArray[np.float64]

TOP = 0.74  # m
TOLERANCE = 0.02


def table(x: float = 0.0, y: float = 0.0) -> list[Sheet]:
    """A table of 1.2 x 0.8 m: its top, its edge and four legs."""
    plate = [
        sheet
        for sheet in box((x - 0.6, y - 0.4, TOP - 0.04), (x + 0.6, y + 0.4, TOP))
        if sheet.axis != 2 or sheet.sign > 0
    ]
    legs = [(x + sx * 0.55, y + sy * 0.35) for sx in (-1, 1) for sy in (-1, 1)]
    return [
        *plate,
        *(s for a, b in legs for s in box((a - 0.04, b - 0.04, 0), (a + 0.04, b + 0.04, TOP - 0.04))),
    ]


def chair(x: float, y: float) -> list[Sheet]:
    """A chair whose back is at +x: a seat, a back, four legs."""
    legs = [(x + sx * 0.18, y + sy * 0.18) for sx in (-1, 1) for sy in (-1, 1)]
    return [
        *box((x - 0.22, y - 0.22, 0.42), (x + 0.22, y + 0.22, 0.46)),
        *box((x + 0.18, y - 0.22, 0.46), (x + 0.22, y + 0.22, 0.9)),
        *(s for a, b in legs for s in box((a - 0.02, b - 0.02, 0), (a + 0.02, b + 0.02, 0.42))),
    ]


def carton(x: float, y: float, top: float = TOP, size: float = 0.24, high: float = 0.3) -> list[Sheet]:
    return box((x - size / 2, y - size / 2, top), (x + size / 2, y + size / 2, top + high))


def parted(sheets: Iterable[Sheet], noise: float = 0.002) -> Parted:
    return of(surface(sheets, noise))


def of(whole: Surface) -> Parted:
    return part(thing_of("thing-1", whole, (), TOLERANCE), (), TOLERANCE)


def test_a_table_is_one_plate_as_high_as_it_is() -> None:
    (plate,) = plates(surface(table(), 0.002))
    assert plate.top == pytest.approx(TOP, abs=2e-3)
    assert plate.area == pytest.approx(1.2 * 0.8, rel=0.05)
    beyond = plate.beyond(np.array([[0.0, 0.0], [0.7, 0.0], [0.0, -0.5]]))
    assert np.allclose(beyond, (-0.4, 0.1, 0.1), atol=0.01)
    assert plate.away(np.array([[0.7, 0.0, 5.0]])) == pytest.approx(0.1, abs=0.02)


def test_small_steep_and_covered_patches_are_no_plates() -> None:
    side = math.sqrt(LEAST)
    assert not plates(surface([Sheet(2, 1, 0.7, (0, 0.8 * side), (0, 0.8 * side))]))
    assert plates(surface([Sheet(2, 1, 0.7, (0, 1.2 * side), (0, 1.2 * side))]))
    assert not plates(surface([Sheet(1, 1, 0.7, (0, 1), (0, 1)), Sheet(2, -1, 0.7, (0, 1), (0, 1))]))
    shelf = [Sheet(2, 1, z, (0, 0.8), (0, 0.4)) for z in (0.4, 0.8, 1.2)]
    assert [round(plate.top, 3) for plate in plates(surface(shelf))] == [1.2]


def test_plates_of_one_height_that_lie_apart_are_two() -> None:
    two = plates(surface([*table(), *table(x=1.5)]))
    assert [round(plate.top, 2) for plate in two] == [TOP, TOP]
    assert sorted(round(float(np.mean(p.points[:, 0])), 1) for p in two) == [0.0, 1.5]


def test_what_stands_on_a_table_is_cut_off_it_and_the_table_is_as_high_as_without() -> None:
    bare, laden = (
        parted(table()),
        parted([*table(), *carton(0.2, 0.1), *carton(-0.3, -0.1, size=0.1, high=0.2)]),
    )
    assert not bare.on
    assert [thing.id for thing in laden.on] == ["thing-1-on-1", "thing-1-on-2"]
    large, small = (thing.box for thing in laden.on)
    assert np.allclose(large.foot, (0.2, 0.1, TOP), atol=0.01)
    assert np.allclose(large.size, (0.24, 0.24, 0.3), atol=0.015)
    assert np.allclose(small.foot, (-0.3, -0.1, TOP), atol=0.01)
    assert np.allclose(laden.base.box.size, bare.base.box.size, atol=0.01)
    assert laden.base.box.size[2] == pytest.approx(TOP, abs=0.01)


def test_nothing_of_a_cluster_is_lost() -> None:
    whole = surface([*table(), *carton(0.2, 0.1)])
    found = of(whole)
    count = sum(len(thing.surface.vertices) for thing in (found.base, *found.on, *found.beside))
    assert count == len(whole.vertices)


def test_the_back_of_a_chair_is_the_chairs_and_a_bag_on_it_is_not() -> None:
    assert not parted(chair(0, 0)).on
    laden = parted([*chair(0, 0), *carton(-0.04, 0, top=0.46, size=0.14, high=0.2)])
    (bag,) = laden.on
    assert bag.box.foot[2] == pytest.approx(0.46, abs=0.01)
    assert laden.base.box.size[2] == pytest.approx(0.9, abs=0.02)


def test_what_spans_a_plate_is_of_its_furniture() -> None:
    def sideboard(share: float) -> list[Sheet]:
        return [
            *box((0, 0, 0), (1, 0.5, 0.8)),
            *box((0.5 - share / 2, 0.4, 0.8), (0.5 + share / 2, 0.48, 1.0)),
        ]

    assert not parted(sideboard(SPANS + 0.1)).on
    assert len(parted(sideboard(SPANS - 0.1)).on) == 1


def test_a_chair_pushed_under_a_table_is_a_thing_of_its_own() -> None:
    """Its back touches the table's edge: without the plate nothing holds the two together."""
    found = parted([*table(), *chair(0.46, 0.0)])
    (other,) = found.beside
    assert other.box.foot[0] == pytest.approx(0.46, abs=0.05)
    assert other.box.size[2] == pytest.approx(0.9, abs=0.02)
    assert found.base.box.size[2] == pytest.approx(TOP, abs=0.01)
    assert sorted(found.base.box.size[:2]) == pytest.approx([0.8, 1.2], abs=0.03)
    assert not found.on


def test_legs_that_stand_out_are_a_tables_and_a_seat_loses_none() -> None:
    low = [Sheet(2, 1, SEAT - 0.1, (-0.3, 0.3), (-0.3, 0.3))]
    splayed = [Sheet(0, 1, 0.3 + 2 * ASIDE, (-0.3, 0.3), (0.0, SEAT - 0.1))]
    assert not parted([*low, *splayed]).beside
    assert not parted(table()).beside


def test_what_hangs_over_a_plate_does_not_stand_on_it() -> None:
    lamp = carton(0.0, 0.0, top=TOP + 0.2)
    found = parted([*table(), *lamp])
    assert not found.on
    assert len(found.base.surface.vertices) == len(surface([*table(), *lamp]).vertices)


@settings(max_examples=5, deadline=None)
@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(-3, 3))
def test_the_room_moved_and_turned_holds_the_same_things(x: float, y: float, yaw: float) -> None:
    whole = surface([*table(), *carton(0.2, 0.1), *chair(0.46, 0.0)], 0.002)
    motion = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    motion[:2, 3] = x, y
    here, there = of(whole), of(whole.moved(motion))
    for one, other in zip(
        (here.base, *here.on, *here.beside), (there.base, *there.on, *there.beside), strict=True
    ):
        assert (one.id, len(one.surface.vertices)) == (other.id, len(other.surface.vertices))
        assert np.allclose(other.box.foot, se3.apply(motion, np.array([one.box.foot]))[0], atol=1e-6)


def test_the_order_of_vertices_does_not_matter() -> None:
    whole = surface([*table(), *carton(0.2, 0.1)], 0.002)
    order = stream(0, "order").permutation(len(whole.vertices))
    number = np.argsort(order).astype(np.int32)
    mixed = Surface(
        whole.vertices[order],
        number[whole.faces],
        whole.normals[order],
        None,
        whole.distance[order],
        whole.voxel,
        whole.from_grid,
    )
    one, other = of(whole), of(mixed)
    assert [len(t.surface.vertices) for t in one.on] == [len(t.surface.vertices) for t in other.on]
    assert np.allclose(one.on[0].box.size, other.on[0].box.size, atol=1e-9)


def test_a_plates_outline_is_of_what_was_seen() -> None:
    (plate,) = plates(surface(table()))
    assert isinstance(plate, Plate)
    assert (plate.beyond(plate.points) < 1e-9).all()
