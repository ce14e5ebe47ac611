"""Where a cousin's things stand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.cousins.place import borne, clash, fits, kept, nearby, place, supports_first
from pocketworld.families import registry
from pocketworld.families.box import Box, BoxFamily
from pocketworld.families.protocol import Draw, Spread
from pocketworld.families.worktop import Sink, Worktop
from pocketworld.geometry.convex import HullPiece
from pocketworld.geometry.depth import depth
from pocketworld.rng import stream
from pocketworld.scene import (
    Asset,
    Base,
    Belief,
    Hypothesis,
    Joint,
    JointKind,
    Mesh,
    Part,
    Pose,
    Relation,
    Scene,
    Side,
)

STILL = Spread(doubt=False)
MOVING = Spread(shift={"x": 0.3, "y": 0.2, "yaw": 0.5}, doubt=False)
ANGLES = st.floats(-math.pi, math.pi)
SHIFTS = st.floats(-2, 2)


def box(id: str, width: float, depth: float, height: float, pose: Pose | None = None) -> Asset:
    made = BoxFamily().build(Box(width, depth, height), id)
    return replace(made, pose=pose or Pose())


def draws(index: int = 0) -> Draw:
    return lambda name: stream(4, "cousin", index, "thing", name)


def face(asset: Asset, side: int) -> np.ndarray:
    """Return the middle of the back (side 1) or front (-1) of a box in the scene, on its foot."""
    points = asset.parts[0].pieces[0].vertices
    there: np.ndarray = asset.pose.matrix @ [0.0, side * np.abs(points[:, 1]).max(), 0.0, 1.0]
    return there[:3]


@given(ANGLES, SHIFTS, SHIFTS, st.floats(0.2, 2.0))
def test_the_back_stays_where_it_was(yaw: float, x: float, y: float, deep: float) -> None:
    pose = Pose.upright((x, y, 0.3), yaw)
    was = box("thing", 0.5, 0.6, 0.7, pose)
    now = box("thing", 0.8, deep, 0.5, pose)
    new = replace(now, pose=place(now, was, Scene("s", (was,)), {}, STILL, draws()))
    np.testing.assert_allclose(face(new, 1), face(was, 1), atol=1e-9)
    np.testing.assert_allclose(new.pose.matrix[:3, :3], was.pose.matrix[:3, :3], atol=1e-9)


def test_what_keeps_its_depth_keeps_its_pose_to_the_bit() -> None:
    was = box("thing", 0.5, 0.6, 0.7, Pose((0.1, 0.2, 0.3), (0.6, 0.0, 0.0, 0.8)))
    now = replace(was, parts=box("thing", 0.4, 0.6, 0.9).parts)
    assert place(now, was, Scene("s", (was,)), {}, STILL, draws()) is was.pose


@given(ANGLES, st.integers(0, 50))
def test_things_move_within_the_spread_on_their_floor(yaw: float, index: int) -> None:
    was = box("thing", 0.5, 0.6, 0.7, Pose.upright((1.0, 2.0, 0.3), yaw))
    pose = place(was, was, Scene("s", (was,)), {}, MOVING, draws(index))
    local = np.linalg.inv(was.pose.matrix) @ pose.matrix
    assert abs(local[0, 3]) <= 0.3
    assert abs(local[1, 3]) <= 0.2
    assert abs(local[2, 3]) < 1e-12
    assert abs(math.atan2(local[1, 0], local[0, 0])) <= 0.5 + 1e-9
    assert pose != was.pose


@pytest.mark.parametrize("kind", ["against", "flush_with"])
def test_what_stands_against_something_only_moves_along_it(kind: str) -> None:
    was = box("thing", 0.5, 0.6, 0.7, Pose.upright((1.0, 2.0, 0.0), 0.4))
    scene = Scene("s", (was,), (Relation(kind, "thing", "wall"),))
    pose = place(was, was, scene, {}, MOVING, draws())
    local = np.linalg.inv(was.pose.matrix) @ pose.matrix
    assert abs(local[0, 3]) > 0
    np.testing.assert_allclose(local[1:3, 3], 0, atol=1e-12)
    np.testing.assert_allclose(local[:3, :3], np.eye(3), atol=1e-12)


@given(ANGLES, ANGLES, SHIFTS, SHIFTS)
def test_what_stands_on_a_thing_goes_with_it(yaw: float, turned: float, x: float, y: float) -> None:
    low = box("low", 0.6, 0.6, 0.5, Pose.upright((1.0, 1.0, 0.0), yaw))
    on = box("on", 0.1, 0.1, 0.1, Pose.upright((1.1, 1.05, 0.5), 0.7))
    scene = Scene("s", (on, low), (Relation("on", "on", "low"),))
    now = replace(box("low", 0.6, 0.6, 0.8), pose=Pose.upright((x, y, 0.0), turned))
    pose = place(on, on, scene, {"low": now}, STILL, draws())
    assert pose.position[2] == pytest.approx(0.8)
    before = np.linalg.inv(low.pose.matrix) @ on.pose.matrix
    after = np.linalg.inv(now.pose.matrix) @ pose.matrix
    np.testing.assert_allclose(after[:2], before[:2], atol=1e-9)
    assert depth(replace(on, pose=pose), now) < 1e-9


def test_supports_come_first() -> None:
    names = ("cup", "tray", "table", "chair")
    things = tuple(box(name, 0.1, 0.1, 0.1) for name in names)
    on = (Relation("on", "cup", "tray"), Relation("on", "tray", "table"), Relation("on", "table", "floor"))
    order = [asset.id for asset in supports_first(Scene("s", things, on))]
    assert order == ["table", "chair", "tray", "cup"]
    circle = (Relation("on", "cup", "tray"), Relation("on", "tray", "cup"))
    assert len(supports_first(Scene("s", things, circle))) == 4
    assert [a.id for a in supports_first(Scene("s", things))] == list(names)


@given(ANGLES, SHIFTS, SHIFTS)
def test_depth_does_not_depend_on_the_frame_or_the_order(yaw: float, x: float, y: float) -> None:
    a, b = box("a", 0.4, 0.4, 0.4), box("b", 0.4, 0.4, 0.4, Pose.upright((0.3, 0.1, 0.2), 0.3))
    deep = depth(a, b)
    assert 0.1 < deep < 0.2
    assert depth(b, a) == pytest.approx(deep)
    by = Pose.upright((x, y, 0.0), yaw).matrix
    moved = [replace(one, pose=upright(by @ one.pose.matrix)) for one in (a, b)]
    assert depth(*moved) == pytest.approx(deep)


def upright(matrix: np.ndarray) -> Pose:
    x, y, z = (float(v) for v in matrix[:3, 3])
    return Pose.upright((x, y, z), math.atan2(matrix[1, 0], matrix[0, 0]))


def test_only_what_is_deeper_than_in_the_twin_clashes() -> None:
    a, b = box("a", 0.4, 0.4, 0.4), box("b", 0.4, 0.4, 0.4, Pose((0.45, 0.0, 0.0)))
    scene = Scene("s", (a, b))
    assert clash(b, {"a": a}, scene) == 0
    assert clash(b, {}, scene) == 0
    wider = box("a", 0.6, 0.4, 0.4)
    assert clash(b, {"a": wider}, scene) == pytest.approx(0.05)
    tight = Scene("s", (wider, b))
    assert clash(b, {"a": wider}, tight) == 0
    assert clash(b, {"a": box("a", 0.62, 0.4, 0.4)}, tight) > 0.05


def test_what_nothing_bumps_into_is_in_nobodys_way() -> None:
    flat = np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0.5]], np.float32)
    seen = Part(
        "body", "body", (Mesh(flat, np.array([[0, 1, 2]], np.int32)),), (), 1.0, (0, 0, 0), (1, 1, 1, 0, 0, 0)
    )
    ghost = Asset("ghost", "solid", {}, (seen,))
    thing = box("thing", 0.4, 0.4, 0.4)
    assert depth(ghost, thing) == 0
    scene = Scene("s", (thing, ghost))
    assert place(ghost, ghost, scene, {"thing": thing}, STILL, draws()) == Pose()
    assert place(ghost, ghost, scene, {}, MOVING, draws()) != Pose()


def test_what_has_no_pieces_neither_bears_nor_weighs() -> None:
    flat = Mesh(np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0.5]], np.float32), np.array([[0, 1, 2]], np.int32))
    seen = Part("seen", "body", (flat,), (), 1.0, (0, 0, 0), (1, 1, 1, 0, 0, 0))
    ghost = Asset("ghost", "solid", {}, (seen,), base=Base.FREE)
    thing = replace(box("thing", 0.4, 0.4, 0.4), base=Base.FREE)
    held = Belief((Hypothesis(JointKind.FIXED, Side.NONE, 1.0),))
    held_by = Joint("0", JointKind.FIXED, thing.parts[0].id, "seen", held)
    half = replace(thing, parts=(*thing.parts, seen), joints=(held_by,))
    for one in (ghost, thing, half):
        for support in (ghost, half):
            above, below = replace(one, id="above"), replace(support, id="below")
            scene = Scene("s", (above, below), (Relation("on", "above", "below"),))
            assert borne(above, scene, {"below": below})
            assert clash(above, {"below": below}, scene) == 0


def test_hulls_clash_too() -> None:
    corners = tuple(
        (float(x), float(y), float(z)) for x in (-0.2, 0.2) for y in (-0.2, 0.2) for z in (0.0, 0.4)
    )
    part = replace(box("hull", 0.4, 0.4, 0.4).parts[0], pieces=(HullPiece(corners),))
    hull = Asset("hull", "solid", {}, (part,))
    assert depth(hull, box("b", 0.4, 0.4, 0.4, Pose((0.3, 0.0, 0.0)))) == pytest.approx(0.1)


def on_plate(thing: Asset, plate: Asset, *others: Asset) -> Scene:
    """Return a scene in which a thing lies on a plate."""
    return Scene("s", (plate, thing, *others), (Relation("on", thing.id, plate.id),))


@given(ANGLES, SHIFTS, st.floats(0.5, 1.5))
def test_what_stays_goes_with_what_it_stands_on(yaw: float, x: float, high: float) -> None:
    cup = replace(box("cup", 0.1, 0.1, 0.1, Pose((0.2, 0.1, 0.8))), base=Base.FREE)
    scene = on_plate(cup, box("plate", 1.0, 0.6, 0.8))
    plate = box("plate", 1.0, 0.6, high, Pose.upright((x, 0.5, 0.0), yaw))
    there = kept(cup, scene, {"plate": plate})
    assert there.position[2] == pytest.approx(high)
    local = np.linalg.inv(plate.pose.matrix) @ [*there.position, 1.0]
    assert local[:2] == pytest.approx([0.2, 0.1], abs=1e-9)
    assert kept(cup, scene, {"plate": scene.asset("plate")}).position == pytest.approx(cup.pose.position)


def test_what_stays_gives_way_by_as_little_as_helps_and_only_if_it_is_free() -> None:
    plate = box("plate", 1.0, 0.6, 0.8)
    jar, grown = (
        box("jar", 0.1, 0.1, 0.3, Pose((0.2, 0.0, 0.8))),
        box("jar", 0.3, 0.1, 0.3, Pose((0.2, 0.0, 0.8))),
    )
    cup = replace(box("cup", 0.1, 0.1, 0.1, Pose((0.05, 0.0, 0.8))), base=Base.FREE)
    scene, standing = on_plate(cup, plate, jar), {"plate": plate, "jar": grown}
    assert clash(cup, standing, scene) > 0
    there = replace(cup, pose=kept(cup, scene, standing))
    assert clash(there, standing, scene) == 0
    assert borne(there, scene, standing)
    assert math.dist(there.pose.position, cup.pose.position) < 0.13
    fixed = replace(cup, base=Base.FIXED)
    assert kept(fixed, on_plate(fixed, plate, jar), standing).position == pytest.approx(cup.pose.position)


def test_what_stays_does_not_stay_over_a_hole() -> None:
    family = registry.family("worktop")
    twin = family.build(Worktop(2.0, 0.6, 0.04, Sink(0.5)), "top")
    now = family.build(Worktop(2.0, 0.6, 0.04, Sink(0.1)), "top")
    cup = replace(box("cup", 0.1, 0.1, 0.1, Pose((0.1, 0.0, 0.04))), base=Base.FREE)
    scene = on_plate(cup, twin)
    assert not borne(cup, scene, {"top": now})
    there = replace(cup, pose=kept(cup, scene, {"top": now}))
    assert borne(there, scene, {"top": now})
    assert there.pose.position[2] == pytest.approx(0.04)


@pytest.mark.parametrize("bases", [(Base.FREE, Base.FIXED), (Base.FIXED, Base.FREE), (Base.FREE, Base.FREE)])
def test_what_is_free_is_not_deeper_in_anything_than_touching(bases: tuple[Base, Base]) -> None:
    """Deeper it would be thrown out as a simulation starts; two that are fixed may overlap as measured."""
    a, b = (
        replace(box(id, 0.4, 0.4, 0.4, Pose((x, 0.0, 0.0))), base=Base.FIXED)
        for id, x in (("a", 0.0), ("b", 0.3995))
    )
    apart = Scene("s", (a, replace(b, pose=Pose((1.0, 0.0, 0.0)))))
    assert clash(b, {"a": a}, apart) == 0
    a, b = replace(a, base=bases[0]), replace(b, base=bases[1])
    assert clash(b, {"a": a}, apart) == pytest.approx(0.0005)
    nearly = replace(b, pose=Pose((0.39995, 0.0, 0.0)))
    assert clash(nearly, {"a": a}, apart) == 0


@given(ANGLES, SHIFTS, SHIFTS, st.floats(0.5, 1.2))
def test_furniture_that_grew_keeps_a_side_where_it_was(yaw: float, x: float, y: float, width: float) -> None:
    pose = Pose.upright((x, y, 0.0), yaw)
    was, now = box("thing", 0.5, 0.6, 0.7, pose), box("thing", width, 0.6, 0.7, pose)
    places = list(nearby(now, was, Scene("s", (was,)), {}))
    assert len(places) == (0 if width == 0.5 else 2)
    for where, sign in zip(places, (-1, 1), strict=False):
        kept_side = where.matrix @ [sign * width / 2, 0.0, 0.0, 1.0]
        np.testing.assert_allclose(kept_side, pose.matrix @ [sign * 0.25, 0.0, 0.0, 1.0], atol=1e-9)
        assert where.wxyz == pose.wxyz


def on_a_table(*relations: Relation) -> tuple[Scene, Asset, Asset]:
    """Return a table with a thing on it, and something that has come where the thing is."""
    table = replace(box("table", 2.0, 1.0, 0.7), base=Base.FIXED)
    thing = replace(box("thing", 0.2, 0.2, 0.2, Pose((0.3, 0.1, 0.7))), base=Base.FREE)
    was = replace(box("other", 0.2, 0.2, 0.5, Pose((0.8, 0.1, 0.7))), base=Base.FIXED)
    now = replace(was, pose=Pose((0.35, 0.1, 0.7)))
    return Scene("s", (table, thing, was), (Relation("on", "thing", "table"), *relations)), thing, now


def test_what_stands_on_something_finds_the_nearest_place_on_it() -> None:
    scene, thing, now = on_a_table()
    standing = {"table": scene.asset("table"), "other": now}
    assert not fits(thing, standing, scene)
    ways = [math.dist(p.position, thing.pose.position) for p in nearby(thing, thing, scene, standing)]
    assert ways[0] == 0
    assert ways == pytest.approx(sorted(ways))
    assert max(ways) <= 0.3 + 1e-9
    found = next(
        p for p in nearby(thing, thing, scene, standing) if fits(replace(thing, pose=p), standing, scene)
    )
    assert 0.15 <= math.dist(found.position, thing.pose.position) < 0.15 + 0.04


def test_what_is_against_something_goes_along_it_only() -> None:
    scene, thing, now = on_a_table(Relation("against", "thing", "wall"))
    standing = {"table": scene.asset("table"), "other": now}
    assert {p.position[1] for p in nearby(thing, thing, scene, standing)} == {0.1}
