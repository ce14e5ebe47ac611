"""Fridges and ovens hold things: their inside is free, shelves and racks carry, nothing is lost in JSON."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.appliance import grid, parts
from pocketworld.families.box import Box
from pocketworld.families.cabinet.carcass import SHELF
from pocketworld.families.cabinet.parameters import Front, FrontKind, Split, fronts
from pocketworld.families.cabinet.plan import plan
from pocketworld.families.fridge import DOOR, FREEZER, Fridge, FridgeFamily
from pocketworld.families.oven import Oven, OvenFamily
from pocketworld.families.protocol import Draw, Site
from pocketworld.families.room_door.parameters import RoomDoor
from pocketworld.families.wall import Opening, Wall
from pocketworld.geometry.convex import Vec3
from pocketworld.rng import stream
from pocketworld.scene import Asset, Pose, Scene, Side
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.stability import stand

FRIDGES, OVENS = FridgeFamily(), OvenFamily()
SITE = Site((1.0, 0.75, 2.2))
seeds = st.integers(0, 10**6)
families: st.SearchStrategy[Any] = st.sampled_from((FRIDGES, OVENS))


def draw(seed: int) -> Draw:
    return lambda name: stream(seed, "stored", name)


def boards(asset: Asset, p: Any) -> list[Vec3]:
    """Return the middles of the tops of what is inside between the walls and carries: shelves, racks."""
    out = []
    for piece in asset.parts[0].pieces:
        low, high = piece.vertices.min(0), piece.vertices.max(0)
        flat = high[2] - low[2] < SHELF + 1e-6 and high[0] - low[0] > 0.6 * p.width
        if flat and high[1] - low[1] > 0.2 and 0.1 < low[2] < p.height - 0.1:
            out.append((0.0, float(low[1] + high[1]) / 2, float(high[2])))
    return out


def settled(asset: Asset, at: Vec3) -> bool:
    """Say whether a small parcel put there lies still, and where it was put."""
    parcel = registry.family("box").build(Box(0.12, 0.1, 0.06), "parcel")
    scene = Scene("s", (asset, replace(parcel, pose=Pose(at))))
    found = stand(mjcf.document(scene, visual=False).compile(), 3.0)
    return found.moved_m < 1e-3 and found.turned_rad < 0.01


def drawn(family: Any, seed: int) -> tuple[Any, Asset]:
    p = family.sample(draw(seed), SITE)
    return p, family.build(p, "it")


def test_a_parcel_lies_still_on_every_shelf_and_rack() -> None:
    count = 0
    for family in (FRIDGES, OVENS):
        for seed in range(6):
            p, asset = drawn(family, seed)
            for place in boards(asset, p):
                assert settled(asset, place)
                count += 1
    assert count > 12


def test_an_oven_has_one_rack_and_a_fridge_shelves() -> None:
    racks, shelves = (
        [len(boards(asset, p)) for p, asset in (drawn(family, seed) for seed in range(20))]
        for family in (OVENS, FRIDGES)
    )
    assert set(racks) == {1}
    assert max(shelves) >= 3
    assert np.mean(np.array(shelves) >= 1) >= 0.75


def test_shelves_are_thin_where_walls_are_thick() -> None:
    p = Fridge(0.6, 0.62, 1.8, wall=0.06)
    heights = [np.ptp(q.vertices[:, 2]) for q in FRIDGES.build(p, "f").parts[0].pieces]
    assert min(heights) == pytest.approx(0.015)  # its feet
    assert sorted(set(np.round(heights, 6)))[1] == SHELF


# There and back

kinds = st.sampled_from(
    ((FrontKind.DOOR, Side.LEFT), (FrontKind.DOOR, Side.BOTTOM), (FrontKind.DRAWER, Side.NONE))
)


@given(st.lists(st.tuples(kinds, st.floats(0.1, 2)), min_size=1, max_size=6))
def test_fronts_are_the_same_as_a_cabinets(given: list[tuple[tuple[FrontKind, Side], float]]) -> None:
    rows = tuple(Front(kind, side) for (kind, side), _ in given)
    heights = tuple(height for _, height in given)
    made = grid("it", rows, heights)
    assert [front for _, front in fronts(made)] == list(rows)
    found = parts(made)
    assert found is not None
    assert found[0] == rows
    assert found[1] == (heights if len(rows) > 1 else (1.0,))


@pytest.mark.parametrize(
    "other",
    [
        Split(False, (1.0, 1.0), (DOOR, DOOR)),
        Split(True, (1.0, 1.0), (DOOR, Split(False, (1.0, 1.0), (FREEZER, FREEZER)))),
        Split(True, (1.0,) * 7, (FREEZER,) * 7),
    ],
)
def test_other_divisions_are_no_appliances(other: Split) -> None:
    assert parts(other) is None


@given(seeds, families)
def test_the_box_of_an_appliance_says_all_that_it_shares(seed: int, family: Any) -> None:
    p = family.sample(draw(seed), SITE)
    box = family.box(p)
    assert (box.width, box.depth, box.height) == (p.width, p.depth, p.height)
    assert [front for _, front in fronts(box.grid)] == list(p.fronts)
    assert family.unbox(p, box, *(parts(box.grid) or ((), ()))) == p
    changed = replace(box, width=0.66, density=99.0)
    back = family.unbox(p, changed, p.fronts, p.heights)
    assert family.box(back) == changed


@settings(max_examples=30)
@given(seeds, families)
def test_its_parts_are_a_cabinets_with_more_to_see(seed: int, family: Any) -> None:
    p = family.sample(draw(seed), SITE)
    asset, cells = family.build(p, "it"), plan(family.box(p)).cells
    assert [joint.id for joint in asset.joints] == [cell.path for cell in cells]
    for part, cell in zip(asset.parts[1:], cells, strict=True):
        assert part.front is not None
        assert (part.front.width, part.front.height) == pytest.approx((cell.face.width, cell.face.height))
        assert part.front.centre[1] == pytest.approx(-p.depth / 2)


# Hostile parameters


def wrong(name: str, p: Any, change: Callable[[dict[str, Any]], None]) -> str:
    data = json.loads(json.dumps(registry.to_json(p)))
    change(data)
    with pytest.raises(PocketworldError) as error:
        registry.from_json(name, data)
    assert "\n" not in str(error.value)
    return str(error.value)


HOLED = Wall(4.0, 2.5, 0.1, (Opening(0, 0, 1, 2),))
BAD: list[tuple[str, Any, Callable[[dict[str, Any]], None], str]] = [
    (
        "wall",
        Wall(4.0, 2.5, 0.1, (Opening(0, 0, 1, 2),)),
        lambda d: d["openings"][0].update(kind="hole"),
        "openings.0.kind",
    ),
    ("wall", Wall(4.0, 2.5), lambda d: d.update(openings=[{"at": 1.0}]), "openings.0.bottom"),
    ("wall", Wall(4.0, 2.5), lambda d: d.update(doors=[]), "doors is unknown"),
    ("wall", Wall(4.0, 2.5), lambda d: d.update(length="long"), "length"),
    ("room_door", RoomDoor(1.0, 2.1), lambda d: d.update(leaves=1.5), "leaves"),
    ("room_door", RoomDoor(1.0, 2.1), lambda d: d.update(swing="up"), "swing"),
    ("room_door", RoomDoor(1.0, 2.1), lambda d: d.update(chances=[{"p": 1.0}]), "chances.0.swing"),
    ("fridge", Fridge(0.6, 0.6, 1.8), lambda d: d["fronts"][0].update(kind="window"), "fronts.0.kind"),
    ("fridge", Fridge(0.6, 0.6, 1.8), lambda d: d.update(board=0.02), "board is unknown"),
    ("oven", Oven(0.6, 0.6, 0.6), lambda d: d.update(knobs="two"), "knobs"),
    ("oven", Oven(0.6, 0.6, 0.6), lambda d: d["fronts"][1].update(lamp=True), "fronts.1.lamp is unknown"),
]


@pytest.mark.parametrize(("name", "p", "change", "message"), BAD, ids=[f"{n} {m}" for n, _, _, m in BAD])
def test_parameters_that_are_none_are_refused(
    name: str, p: Any, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    assert wrong(name, p, change).startswith(f"parameters of {name}: {message}")
