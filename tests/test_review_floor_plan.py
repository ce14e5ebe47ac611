"""The floor plan: the same however the scene is turned, every asset once, doors swing where they do."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, HandleSpec, Split
from pocketworld.findings import Finding, Severity
from pocketworld.review.report.floor_plan import LARGEST, MARGIN, FloorPlan, floor_plan
from pocketworld.scene import Asset, HandleKind, Pose, Scene, Side

DOOR = Front(
    FrontKind.DOOR, Side.LEFT, HandleSpec(HandleKind.BAR, 0.9, 0.8, vertical=True), opening=math.pi / 2
)
DRAWER = Front(handle=HandleSpec())


def cabinet(id: str, *fronts: Front, pose: Pose | None = None) -> Asset:
    grid = fronts[0] if len(fronts) == 1 else Split(True, (0.3,) * len(fronts), fronts)
    made = registry.family("cabinet").build(Cabinet(0.6, 0.5, 0.8, grid), id)
    return replace(made, pose=pose or Pose())


def box(id: str, width: float, depth: float, pose: Pose) -> Asset:
    return replace(registry.family("box").build(Box(width, depth, 0.4), id), pose=pose)


def room() -> Scene:
    return Scene(
        "room",
        (
            cabinet("cabinet-1", DOOR),
            cabinet("cabinet-2", DRAWER, DRAWER, pose=Pose.upright((0.7, 0.0, 0.0), 0.0)),
            box("box", 2.0, 0.3, Pose.upright((0.3, 1.5, 0.0), 0.0)),
        ),
    )


def moved(scene: Scene, yaw: float, x: float, y: float) -> Scene:
    turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])

    def carried(asset: Asset) -> Asset:
        px, py = turn @ asset.pose.position[:2] + (x, y)
        heading = 2 * math.atan2(asset.pose.wxyz[3], asset.pose.wxyz[0]) + yaw
        return replace(asset, pose=Pose.upright((float(px), float(py), asset.pose.position[2]), heading))

    return replace(scene, assets=tuple(carried(asset) for asset in scene.assets))


def drawn(text: str) -> NDArray[np.float64]:
    return np.array([[float(v) for v in pair.split(",")] for pair in text.split()])


def plan_of(scene: Scene, *findings: Finding) -> FloorPlan:
    found = floor_plan(scene, findings)
    assert found is not None
    return found


def test_nothing_has_no_plan() -> None:
    assert floor_plan(Scene("empty", ()), ()) is None


@given(st.floats(-math.pi, math.pi), st.floats(-20, 20), st.floats(-20, 20))
@settings(max_examples=20, deadline=None)
def test_it_is_the_same_however_the_scene_is_turned(yaw: float, x: float, y: float) -> None:
    one, other = plan_of(room()), plan_of(moved(room(), yaw, x, y))
    assert (other.width, other.height) == pytest.approx((one.width, one.height), abs=0.1)
    for a, b in zip(one.items, other.items, strict=True):
        assert (b.x, b.y) == pytest.approx((a.x, a.y), abs=0.1)
        for here, there in zip((*a.ways, *a.outlines), (*b.ways, *b.outlines), strict=True):
            apart = np.abs(drawn(here)[:, None] - drawn(there)[None]).max(-1)
            assert apart.min(0).max() <= 1.0  # mm: the same corners, wherever an outline begins
            assert apart.min(1).max() <= 1.0


def test_every_asset_is_on_it_in_order_within_the_margin() -> None:
    plan = plan_of(room())
    assert [(item.number, item.id) for item in plan.items] == [(1, "cabinet-1"), (2, "cabinet-2"), (3, "box")]
    for item in plan.items:
        for outline in map(drawn, item.outlines):
            assert outline.min() >= MARGIN * 1000 - 1
            assert (outline.max(0) <= np.array([plan.width, plan.height]) - MARGIN * 1000 + 1).all()
    assert max(plan.shown, plan.shown * plan.height / plan.width) == pytest.approx(LARGEST)


def test_an_outline_is_as_large_as_its_asset() -> None:
    outline = drawn(plan_of(room()).items[2].outlines[0])
    assert np.ptp(outline, axis=0) == pytest.approx([2000, 300], abs=1)


def test_what_opens_stays_on_the_plan() -> None:
    wide = Scene("wide", (cabinet("only", DOOR),))
    plan = plan_of(wide)
    ways = np.concatenate([drawn(way) for item in plan.items for way in item.ways])
    assert ways.min() >= MARGIN * 1000 - 1
    assert (ways.max(0) <= np.array([plan.width, plan.height]) - MARGIN * 1000 + 1).all()


@given(st.lists(st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)), min_size=2, max_size=12))
@settings(max_examples=20, deadline=None)
def test_no_number_covers_another(places: list[tuple[float, float]]) -> None:
    things = [box(f"box-{i}", 0.2, 0.2, Pose.upright((x, y, 0.0), 0.0)) for i, (x, y) in enumerate(places)]
    plan = plan_of(Scene("pile", (*things, box("floor", 6.0, 5.0, Pose()))))
    middles = np.array([(item.x, item.y) for item in plan.items])
    apart = np.linalg.norm(middles[:, None] - middles[None], axis=2) + np.eye(len(middles)) * 1e9
    assert apart.min() > 2 * plan.dot * 0.98


def test_numbers_that_have_room_stay_in_the_middle() -> None:
    for item in plan_of(room()).items[2:]:
        assert (item.x, item.y) == pytest.approx(drawn(item.outlines[0]).mean(0), abs=1)


def test_a_name_stands_where_it_has_room() -> None:
    large, small = box("table", 2.0, 1.5, Pose()), box("tin", 0.1, 0.1, Pose.upright((3.0, 0.0, 0.0), 0.0))
    assert [item.named for item in plan_of(Scene("s", (large, small))).items] == [True, False]
    below = box("cup", 0.1, 0.1, Pose.upright((0.0, -0.05, 0.8), 0.0))
    assert [item.named for item in plan_of(Scene("s", (large, below))).items] == [False, False]


def test_what_hangs_over_the_cut_is_told_apart() -> None:
    low = box("low", 0.5, 0.5, Pose())
    high = box("high", 0.5, 0.5, Pose.upright((1.0, 0.0, 1.4), 0.0))
    assert [item.hung for item in plan_of(Scene("s", (low, high))).items] == [False, True]


def test_a_door_swings_about_its_hinge_and_a_drawer_goes_straight() -> None:
    door, drawers, plain = plan_of(room()).items
    (way,) = map(drawn, door.ways)
    from_hinge = np.linalg.norm(way[1:] - way[0], axis=1)
    assert from_hinge == pytest.approx(
        np.full(len(from_hinge), from_hinge[0]), abs=25
    )  # about a pivot beside it
    assert way[-1][1] < way[1][1]  # open is nearer to the viewer, who stands at the bottom, than closed
    for way in map(drawn, drawers.ways):
        assert len(way) == 3
        assert way[1][0] == pytest.approx(way[2][0], abs=1)
        assert way[1][1] > way[2][1] + 100
    assert len(drawers.ways) == 2
    assert plain.ways == ()


def test_numbers_carry_the_worst_finding_about_their_asset() -> None:
    def finding(severity: Severity, subject: str) -> Finding:
        return Finding("code", severity, "reconstruct", subject, "text")

    noted = (
        finding(Severity.NOTE, "box"),
        finding(Severity.DEGRADED, "cabinet-1"),
        finding(Severity.LOST, "cabinet-1"),
        finding(Severity.DEGRADED, "cabinet-2"),
        finding(Severity.LOST, "room"),
    )
    for order in (noted, noted[::-1]):
        said = {item.id: (item.worst, item.findings) for item in plan_of(room(), *order).items}
        assert said == {"cabinet-1": ("lost", 2), "cabinet-2": ("degraded", 1), "box": ("", 0)}


def test_the_scale_fits_and_says_its_length() -> None:
    small = Scene("small", (box("box", 0.2, 0.1, Pose()),))
    large = Scene("large", (box("box", 30.0, 2.0, Pose()),))
    for scene, said in ((small, "10 cm"), (room(), "50 cm"), (large, "5 m")):
        plan = plan_of(scene)
        assert plan.said == said
        assert plan.bar <= plan.width
