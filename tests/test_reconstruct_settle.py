"""Things put on their supports: out of each other, level, and in an engine they lie still."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.families.box import Box, BoxFamily
from pocketworld.families.cylinder import Cylinder, CylinderFamily
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.geometry.convex import HullPiece
from pocketworld.geometry.inertia import inertia
from pocketworld.reconstruct.settle import AWAY, HANGS, settled
from pocketworld.rng import stream
from pocketworld.scene import Asset, Base, Mesh, Part, Pose, Relation, Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.stability import stand

ANGLES = st.floats(-math.pi, math.pi)
GAPS = st.floats(-0.03, 0.2)
TOP = 0.8


def box(id: str, size: tuple[float, float, float], pose: Pose, base: Base = Base.FREE) -> Asset:
    return replace(BoxFamily().build(Box(*size), id), pose=pose, base=base)


def table(yaw: float = 0.0) -> Asset:
    return box("table", (1.2, 0.8, TOP), Pose.upright((0.0, 0.0, 0.0), yaw), Base.FIXED)


def on(*pairs: tuple[str, str]) -> tuple[Relation, ...]:
    return tuple(Relation("on", a, b) for a, b in pairs)


def foot(asset: Asset) -> float:
    points = np.concatenate([piece.vertices for part in asset.parts for piece in part.pieces])
    return float(se3.apply(asset.pose.matrix, points)[:, 2].min())


def scanned(id: str, seed: int, noise: float, pose: Pose) -> Asset:
    """Return a stool as a scanner sees it: one hull whose four feet are not quite level."""
    draw = stream(seed, "stool")
    points = np.array([(x, y, z) for z in (0.0, 0.45) for x in (-0.2, 0.2) for y in (-0.2, 0.2)])
    points = points + draw.normal(0, noise, points.shape)
    piece = HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in points))
    part = Part("body", "body", (), (piece,), *inertia((piece,), (80.0,)))
    return Asset(id, "solid", {}, (part,), pose=pose, base=Base.FREE)


@given(GAPS, ANGLES, ANGLES)
def test_a_gap_is_closed_and_a_sunk_thing_raised(gap: float, yaw: float, turn: float) -> None:
    thing = box("thing", (0.2, 0.15, 0.1), Pose.upright((0.2, 0.1, TOP + gap), turn))
    scene, found = settled(Scene("s", (thing, table(yaw)), on(("thing", "table"))))
    now = scene.asset("thing")
    assert now.pose.position == pytest.approx((0.2, 0.1, TOP), abs=1e-9)
    assert now.pose.wxyz == thing.pose.wxyz
    assert scene.asset("table").pose == table(yaw).pose
    assert [f.code for f in found] == ["settled"] * (abs(gap) > 5e-3)


@given(st.floats(-0.04, HANGS - 0.01), ANGLES)
def test_what_stands_on_the_floor_gets_there(gap: float, yaw: float) -> None:
    thing = box("thing", (0.2, 0.15, 0.1), Pose.upright((3.0, 0.1, gap), yaw))
    scene, _ = settled(Scene("s", (thing, table())))
    assert scene.asset("thing").pose.position == pytest.approx((3.0, 0.1, 0.0), abs=1e-9)


def test_settling_twice_changes_nothing() -> None:
    things = (
        table(),
        scanned("stool", 3, 0.006, Pose((2.0, 0, 0.02))),
        box("b", (0.2, 0.2, 0.2), Pose((0, 0, 0.83))),
    )
    once, _ = settled(Scene("s", things))
    twice, found = settled(once)
    for a, b in zip(once.assets, twice.assets, strict=True):
        np.testing.assert_allclose(a.pose.matrix, b.pose.matrix, atol=1e-8)
    assert not found


@given(ANGLES, st.floats(-3, 3), st.floats(-3, 3))
def test_it_does_not_depend_on_where_the_room_lies_nor_on_the_order(yaw: float, x: float, y: float) -> None:
    things = (
        table(),
        box("a", (0.2, 0.2, 0.2), Pose.upright((0.1, 0.0, 0.81), 0.3)),
        box("b", (0.2, 0.2, 0.2), Pose.upright((0.22, 0.06, 0.79), 0.9)),
    )
    relations = on(("a", "table"), ("b", "table"))
    by = Pose.upright((x, y, 0.0), yaw).matrix

    def turned(asset: Asset) -> Asset:
        matrix = by @ asset.pose.matrix
        px, py, pz = (float(v) for v in matrix[:3, 3])
        return replace(asset, pose=Pose.upright((px, py, pz), math.atan2(matrix[1, 0], matrix[0, 0])))

    here, _ = settled(Scene("s", things, relations))
    there, _ = settled(Scene("s", tuple(map(turned, things[::-1])), relations))
    for id in ("a", "b"):
        np.testing.assert_allclose(by @ here.asset(id).pose.matrix, there.asset(id).pose.matrix, atol=1e-6)


@given(st.floats(0.001, 0.15), ANGLES)
def test_a_thing_is_pushed_out_of_furniture_by_as_much_as_it_takes(deep: float, yaw: float) -> None:
    wall = box("wall", (3.0, 0.1, 2.5), Pose((0.0, 0.05, 0.0)), Base.FIXED)
    reach = 0.15 * abs(math.cos(yaw)) + 0.2 * abs(math.sin(yaw))  # half of the thing, across the wall
    thing = box("thing", (0.4, 0.3, 0.5), Pose.upright((0.3, deep - reach, 0.0), yaw))
    scene, found = settled(Scene("s", (thing, wall)))
    moved = np.subtract(scene.asset("thing").pose.position, thing.pose.position)
    assert moved == pytest.approx((0.0, -deep, 0.0), abs=2e-4)
    assert scene.asset("wall") is wall
    assert len(found) == (deep > 5e-3) or abs(deep - 5e-3) < 2e-4


def test_what_stands_on_a_thing_goes_with_it() -> None:
    wall = box("wall", (3.0, 0.1, 2.5), Pose((0.0, 0.05, 0.0)), Base.FIXED)
    crate = box("crate", (0.4, 0.4, 0.4), Pose((0.0, -0.1, 0.03)))
    tin = box("tin", (0.1, 0.1, 0.1), Pose((0.05, -0.1, 0.44)))
    scene, found = settled(Scene("s", (tin, crate, wall), on(("tin", "crate"))))
    assert scene.asset("crate").pose.position == pytest.approx((0.0, -0.2, 0.0), abs=2e-4)
    assert scene.asset("tin").pose.position == pytest.approx((0.05, -0.2, 0.4), abs=2e-4)
    assert [f.subject for f in found] == ["crate", "tin"]


@pytest.mark.parametrize("seed", range(5))
def test_a_scanned_stool_is_turned_onto_its_feet_and_lies_still(seed: int) -> None:
    stool = scanned("stool", seed, 0.004, Pose.upright((1.5, 0.0, 0.01), 0.4))
    before = stand(mjcf.document(Scene("s", (stool,)), visual=False).compile(), 3.0)
    scene, _ = settled(Scene("s", (stool, table())))
    found = stand(mjcf.document(scene, visual=False).compile(), 30.0)
    assert found.still, found.text()
    assert found.moved_m < before.moved_m / 2
    assert foot(scene.asset("stool")) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("tilt", [0.0, math.radians(2)])
@pytest.mark.parametrize("seed", range(3))
def test_a_heap_of_things_put_down_badly_stands_30_s(seed: int, tilt: float) -> None:
    draw = stream(seed, "heap")
    things: list[Asset] = [table()]
    for i in range(8):
        x, y, turn = (
            float(draw.uniform(-0.4, 0.4)),
            float(draw.uniform(-0.25, 0.25)),
            float(draw.uniform(-3, 3)),
        )
        pose = Pose.upright((x, y, TOP + float(draw.uniform(-0.02, 0.02))), turn)
        tin = CylinderFamily().build(Cylinder(0.04, 0.1, open=bool(i % 2)), f"thing-{i}")
        things.append(box(f"thing-{i}", (0.12, 0.08, 0.1), pose) if i % 3 else replace(tin, pose=pose))
    things.append(scanned("stool", seed, 0.004, Pose((0.75, 0.1, 0.02))))
    relations = on(*((f"thing-{i}", "table") for i in range(8)))
    scene, _ = settled(Scene("s", tuple(things), relations))
    found = stand(mjcf.document(scene, visual=False).compile(), 30.0, tilt)
    assert found.still, found.text()


def test_what_has_no_room_stays_and_a_finding_says_so() -> None:
    block = box("block", (3.0, 3.0, 2.0), Pose(), Base.FIXED)
    lost = box("lost", (0.2, 0.2, 0.2), Pose((0.1, 0.2, 0.1)))
    scene, found = settled(Scene("s", (block, lost)))
    told = next(f for f in found if f.severity is Severity.DEGRADED)
    assert (told.code, told.subject) == ("not-settled", "lost")
    assert told.text == "lost is fixed where it is: it stands in something, and has no room beside it"
    way = np.subtract(scene.asset("lost").pose.position, lost.pose.position)
    assert np.linalg.norm(way[:2]) <= AWAY
    assert scene.asset("lost").base is Base.FIXED


def test_what_hangs_on_something_unseen_is_held_there() -> None:
    plate = box("plate", (0.9, 0.7, 0.04), Pose((0.0, 0.0, 0.72)))
    scene, (finding,) = settled(Scene("s", (plate,)))
    assert scene.asset("plate") == replace(plate, base=Base.FIXED)
    assert finding.text == "plate is fixed where it is: it hangs in the air: what holds it was not seen"


def test_what_is_wedged_goes_to_the_nearest_free_place_on_its_support() -> None:
    """Between two blocks that leave it no room neither push helps: it goes to where there is some."""
    left = box("left", (0.3, 0.8, 0.4), Pose((-0.2, 0.0, TOP)), Base.FIXED)
    right = box("right", (0.3, 0.4, 0.4), Pose((0.2, 0.2, TOP)), Base.FIXED)
    thing = box("thing", (0.2, 0.2, 0.1), Pose((0.0, 0.1, TOP)))
    relations = on(("thing", "table"), ("left", "table"), ("right", "table"))
    scene, (finding,) = settled(Scene("s", (table(), left, right, thing), relations))
    now = scene.asset("thing")
    assert (finding.code, now.base) == ("settled", Base.FREE)
    assert now.pose.position[2] == pytest.approx(TOP)
    assert 0.1 < np.linalg.norm(np.subtract(now.pose.position, thing.pose.position)) < 0.35
    assert stand(mjcf.document(scene, visual=False).compile(), 5.0).still


def test_what_would_tip_over_is_told() -> None:
    slanted = [(x + z, y, z) for x in (-0.1, 0.1) for y in (-0.1, 0.1) for z in (0.0, 0.5)]
    piece = HullPiece(tuple(slanted))
    part = Part("body", "body", (), (piece,), *inertia((piece,), (80.0,)))
    scene, (finding,) = settled(Scene("s", (Asset("tower", "solid", {}, (part,), base=Base.FREE),)))
    assert scene.asset("tower").base is Base.FREE
    assert finding.code == "not-settled"
    assert finding.text == "tower may not stand still: no side of it carries it"


def test_what_has_no_pieces_stays() -> None:
    flat = np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0.5]], np.float32)
    mesh = Mesh(flat, np.array([[0, 1, 2]], np.int32))
    ghost = Part("body", "body", (mesh,), (), 1.0, (0, 0, 0), (1, 1, 1, 0, 0, 0))
    scene = Scene("s", (Asset("ghost", "solid", {}, (ghost,), base=Base.FREE),))
    assert settled(scene) == (scene, ())
