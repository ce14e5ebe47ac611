"""Standing still, staying shut, holding a ball: the bars, and worlds that must fail them."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import math
from dataclasses import replace

import mujoco
import numpy as np
import pytest

from pocketworld.errors import PocketworldError
from pocketworld.families.box import Box, BoxFamily
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.cylinder import Cylinder, CylinderFamily
from pocketworld.families.protocol import Site
from pocketworld.geometry.convex import BoxPiece, HullPiece
from pocketworld.geometry.inertia import inertia
from pocketworld.rng import stream
from pocketworld.scene import Asset, Base, HandleKind, Joint, JointKind, Part, Pose, Scene, Side
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.stability import (
    DEPTH,
    FREE_MOVED,
    FREE_TURNED,
    MOVED,
    TURNED,
    Motion,
    Standing,
    drop,
    stand,
)

TILT = math.radians(2)
PARCEL = BoxFamily().build(Box(0.2, 0.2, 0.1), "parcel")


def chest(friction: float = 3.0) -> Asset:
    fronts = (
        Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR), state=0.5, friction=friction),
        Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.KNOB), state=0.5, friction=friction / 5),
        Front(FrontKind.DOOR, Side.BOTTOM, usual(HandleKind.BOW), state=0.5, friction=friction),
    )
    return build(Cabinet(0.5, 0.45, 0.8, Split(True, (1.0, 1.0, 1.0), fronts)), "chest")


def standing(scene: Scene, tilt: float = 0.0, state: str = "closed", seconds: float = 30.0) -> Standing:
    return stand(mjcf.document(scene, visual=False).compile(), seconds, tilt, state)


@pytest.mark.parametrize("tilt", [0.0, TILT])
@pytest.mark.parametrize("state", ["closed", "captured", "open"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_cabinets_stand_30_s_shut_ajar_and_open_level_and_leaning(
    number: int, state: str, tilt: float
) -> None:
    asset = build(sample(lambda name: stream(number, "stand", name), Site((2.0, 0.9, 2.4))), "cab")
    found = standing(Scene("s", (replace(asset, pose=Pose.upright((0, 0, 0), 1.0 * number)),)), tilt, state)
    assert found.still, found
    assert found.moved_m <= 1e-4


@pytest.mark.parametrize("tilt", [0.0, TILT])
def test_a_parcel_on_the_floor_and_one_on_a_cabinet_stand(tilt: float) -> None:
    on = replace(PARCEL, id="on", pose=Pose((0.0, 0.1, 0.8)))
    beside = replace(PARCEL, pose=Pose((1.0, 0.0, 0.0)))
    found = standing(Scene("s", (chest(), on, beside)), tilt)
    assert found.still, found


def test_drawers_without_friction_open_by_themselves_where_it_leans() -> None:
    asset = chest()
    loose = tuple(replace(joint, frictionloss=0.0) for joint in asset.joints)
    found = standing(Scene("s", (replace(asset, joints=loose),)), TILT)
    assert not found.still
    drawer, door, flap = (f"chest/{joint.id}" for joint in asset.movable)
    assert set(found.opened) == {drawer, door}
    assert flap not in found.opened, "its mass lies behind its hinge, 9 mm in 130: it takes 4 degrees"
    assert found.moved_m > 0.1


def test_all_ways_of_leaning_are_tried() -> None:
    """A sliding door that only a lean to the right opens is found, though the lean begins to the front."""
    front = Front(FrontKind.SLIDING, Side.RIGHT, usual(HandleKind.BAR))
    shelf = Front(FrontKind.OPEN, handle=usual(HandleKind.NONE))
    asset = build(Cabinet(1.0, 0.45, 0.6, Split(False, (1.0, 1.0), (front, shelf))), "chest")
    loose = tuple(replace(joint, frictionloss=0.0) for joint in asset.joints)
    for yaw in (0.0, math.pi):
        turned = replace(asset, joints=loose, pose=Pose.upright((0, 0, 0), yaw))
        assert standing(Scene("s", (turned,)), TILT, seconds=5).opened == (f"chest/{asset.movable[0].id}",)


def test_what_hangs_in_the_air_falls_and_what_is_sunk_is_deep() -> None:
    high = standing(Scene("s", (replace(PARCEL, pose=Pose((0, 0, 0.05))),)), seconds=2)
    assert high.moved_m == pytest.approx(0.05, abs=1e-3)
    assert high.opened == ()
    sunk = standing(Scene("s", (replace(PARCEL, pose=Pose((0, 0, -0.003))),)), seconds=2)
    assert sunk.deepest_contact_m == pytest.approx(0.003, abs=1e-5)
    assert not sunk.still


def test_a_pole_on_its_end_turns_over() -> None:
    pole = BoxFamily().build(Box(0.02, 0.02, 1.0), "pole")
    lean = Pose((0, 0, 0), (math.cos(0.05), math.sin(0.05), 0, 0))
    found = standing(Scene("s", (replace(pole, pose=lean),)), seconds=5)
    assert found.turned_rad > math.radians(45)


SHUT = Motion("a/door", MOVED, TURNED)
LOOSE = Motion("b/body", FREE_MOVED, FREE_TURNED, free=True)


@pytest.mark.parametrize(
    ("found", "still"),
    [
        (Standing((SHUT, LOOSE), (), DEPTH), True),
        (Standing((replace(SHUT, moved_m=MOVED * 1.01),), (), 0), False),
        (Standing((replace(SHUT, turned_rad=TURNED * 1.01),), (), 0), False),
        (Standing((replace(LOOSE, moved_m=FREE_MOVED * 1.01),), (), 0), False),
        (Standing((replace(LOOSE, turned_rad=FREE_TURNED * 1.01),), (), 0), False),
        (Standing((replace(LOOSE, moved_m=1.0, rolls=True),), (), 0), True),
        (Standing((), ("a/b",), 0), False),
        (Standing((), (), DEPTH * 1.01), False),
    ],
)
def test_the_bars_of_what_is_held_and_of_what_is_free(found: Standing, still: bool) -> None:
    assert (MOVED, FREE_MOVED, DEPTH) == (1e-3, 5e-3, 0.5e-3)
    assert pytest.approx((math.radians(0.2), math.radians(1))) == (TURNED, FREE_TURNED)
    assert found.still is still


def test_a_standing_names_its_worst_body_and_what_rolls() -> None:
    ball = Motion("ball/body", 1.0, 3.0, free=True, rolls=True)
    found = Standing((SHUT, replace(LOOSE, moved_m=0.02), ball), ("a/b",), 0.0001)
    assert found.worst == replace(LOOSE, moved_m=0.02)
    assert (found.moved_m, found.turned_rad) == (0.02, FREE_TURNED)
    assert found.rollers == ("ball/body",)
    assert found.text() == (
        "does not stand: deepest contact 0.1 mm; most: b/body by 20 mm, 1 degrees; opened: a/b; "
        "left out, as they roll: ball/body"
    )
    assert Standing((), (), 0).text() == "stands: deepest contact 0 mm"


def cylinder(id: str, pose: Pose, **sizes: float | bool) -> Asset:
    return replace(CylinderFamily().build(Cylinder(**sizes), id), pose=pose)  # type: ignore[arg-type]


def chair(id: str, pose: Pose) -> Asset:
    """Return a thing of one hull: four feet, a seat, a back that leans."""
    feet = [(x, y, 0.0) for x in (-0.22, 0.22) for y in (-0.2, 0.24)]
    seat = [(x, -0.24, 0.45) for x in (-0.24, 0.24)]
    back = [(x, 0.3, 0.9) for x in (-0.2, 0.2)]
    points = np.array(feet + seat + back)
    piece = HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in points))
    part = Part("body", "body", (), (piece,), *inertia((piece,), (80.0,)))
    return Asset(id, "solid", {}, (part,), pose=pose, base=Base.FREE)


def things() -> Scene:
    """Return a table of things: box, cup, bottle, one box on another, and a chair and a bin on the floor."""
    table = replace(BoxFamily().build(Box(1.2, 0.6, 0.8), "table"), base=Base.FIXED)
    top = 0.8
    assets = (
        table,
        replace(PARCEL, id="box", pose=Pose.upright((-0.4, 0.0, top), 0.3)),
        replace(PARCEL, id="upon", pose=Pose.upright((-0.4, 0.02, top + 0.1), 1.0)),
        cylinder("cup", Pose((0.0, 0.1, top)), radius=0.035, height=0.09, open=True, wall=0.005, taper=1.15),
        cylinder("bottle", Pose((0.2, 0.0, top)), radius=0.036, height=0.31),
        cylinder("bin", Pose((1.2, 0.0, 0.0)), radius=0.14, height=0.5, open=True, wall=0.004, taper=1.2),
        chair("chair", Pose.upright((1.5, 1.0, 0.0), 2.0)),
    )
    return Scene("things", assets)


@pytest.mark.parametrize("tilt", [0.0, TILT])
def test_things_on_a_table_and_on_the_floor_stand_30_s(tilt: float) -> None:
    found = standing(things(), tilt)
    assert found.still, found.text()
    assert not found.rollers
    assert [one.body for one in found.bodies] == [f"{a.id}/body" for a in things().assets[1:]]
    assert all(one.free for one in found.bodies)
    assert found.moved_m < 1e-3


def test_a_tin_on_its_side_rolls_and_is_left_out() -> None:
    """Of its sixteen sides the lowest lies on the floor."""
    half = math.sqrt(0.5)
    flat = 0.05 * math.cos(math.pi / 16)
    lying = cylinder("tin", Pose((0.0, 0.06, flat), (half, half, 0.0, 0.0)), radius=0.05, height=0.12)
    upright = cylinder("can", Pose((0.5, 0.0, 0.0)), radius=0.05, height=0.12)
    found = standing(Scene("s", (lying, upright)), seconds=1.0)
    assert found.rollers == ("tin/body",)


@pytest.mark.slow
@pytest.mark.parametrize("tilt", [0.0, TILT])
def test_a_whole_kitchen_stands_30_s(row_kitchen: Scene, tilt: float) -> None:
    found = standing(row_kitchen, tilt)
    assert found.still, found.text()
    assert sum(one.free for one in found.bodies) == 3


def test_units_of_a_row_do_not_rub_on_each_other(row_kitchen: Scene) -> None:
    """A drawer's front that touches the worktop is no contact, shut or open; what stands on that is one."""
    model = mjcf.document(row_kitchen, visual=False).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, model.key("open").id)
    mujoco.mj_step(model, data, nstep=50)
    free = {model.body(f"{id}/body").id for id in ("parcel", "tin", "crate")}
    pairs = [{int(model.geom_bodyid[g]) for g in contact.geom} for contact in data.contact]
    assert pairs
    assert all(pair & free for pair in pairs)
    assert {next(iter(pair & free)) for pair in pairs} == free


def test_standing_leaves_the_model_as_it_was() -> None:
    model = mjcf.document(Scene("s", (chest(),)), visual=False).compile()
    before = model.opt.gravity.copy(), model.qpos0.copy()
    stand(model, 1.0, TILT)
    assert np.array_equal(model.opt.gravity, before[0])
    assert np.array_equal(model.qpos0, before[1])


@pytest.mark.parametrize("number", range(6))
def test_a_ball_lies_in_every_open_drawer(number: int) -> None:
    asset = build(sample(lambda name: stream(number, "ball", name), Site((2.0, 0.9, 2.4))), "cab")
    scene = Scene("s", (replace(asset, pose=Pose.upright((1.0, 2.0, 0.0), 0.9 * number)),))
    drawers = [joint.id for joint in asset.movable if asset.part(joint.child).role == "drawer"]
    for id in drawers:
        found = drop(scene, f"cab/{id}")
        assert found.inside, (id, found)
        assert found.speed < 0.01


def filled(asset: Asset, joint: Joint) -> Asset:
    """The same, its drawer one solid block."""
    part = asset.part(joint.child)
    points = np.concatenate([piece.vertices for piece in part.pieces])
    low, high = points.min(0), points.max(0)
    middle, size = ((low + high) / 2).tolist(), (high - low).tolist()
    block = BoxPiece((middle[0], middle[1], middle[2]), (size[0], size[1], size[2]))
    parts = tuple(replace(p, pieces=(block,)) if p.id == part.id else p for p in asset.parts)
    return replace(asset, parts=parts)


def test_a_solid_drawer_holds_no_ball() -> None:
    asset = build(Cabinet(0.5, 0.45, 0.3), "chest")
    (joint,) = asset.movable
    assert drop(Scene("s", (asset,)), f"chest/{joint.id}").inside
    assert not drop(Scene("s", (filled(asset, joint),)), f"chest/{joint.id}").inside


def test_a_drawer_without_a_bottom_holds_no_ball() -> None:
    asset = build(Cabinet(0.5, 0.45, 0.3), "chest")
    (joint,) = asset.movable
    part = asset.part(joint.child)
    flat = min(part.pieces, key=lambda piece: float(np.ptp(piece.vertices[:, 2])))
    holed = replace(part, pieces=tuple(piece for piece in part.pieces if piece is not flat))
    parts = tuple(holed if p.id == part.id else p for p in asset.parts)
    assert not drop(Scene("s", (replace(asset, parts=parts),)), f"chest/{joint.id}").inside


def test_a_part_without_a_front_is_measured_by_its_pieces() -> None:
    asset = build(Cabinet(0.5, 0.45, 0.3), "chest")
    (joint,) = asset.movable
    parts = tuple(replace(p, front=None) if p.id == joint.child else p for p in asset.parts)
    assert drop(Scene("s", (replace(asset, parts=parts),)), f"chest/{joint.id}").inside


def test_a_ball_needs_a_drawer_that_is_there() -> None:
    scene = Scene("hall", (chest(),))
    door = next(joint for joint in scene.assets[0].movable if joint.kind is JointKind.HINGE)
    with pytest.raises(
        PocketworldError, match=r"^joint chest/\S+ is a hinge; a ball drops into a drawer: name a"
    ):
        drop(scene, f"chest/{door.id}")
    with pytest.raises(PocketworldError, match=r"^scene hall has no joint 'chest/x'; it has \['chest/"):
        drop(scene, "chest/x")
