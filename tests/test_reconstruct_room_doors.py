"""Doors in walls, from rendered captures to assets: where they are, how they open, what is only believed."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.families.room_door.parameters import Look, Swing
from pocketworld.families.wall import PLASTER, Opening, OpeningKind
from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.fronts.colours import linear
from pocketworld.reconstruct.fronts.rectify import FaceGrid
from pocketworld.reconstruct.room.room_doors import RoomDoors, find_room_doors
from pocketworld.reconstruct.room.wall_assets import (
    LEAF,
    THICKNESS,
    Door,
    belief,
    door_asset,
    fitting,
    opening,
    paint_of,
    parameters,
    thickness_of,
    wall_asset,
)
from pocketworld.reconstruct.room.wall_picture import WallPicture
from pocketworld.reconstruct.room.walls import Wall, walls_of
from pocketworld.reconstruct.surfaces.fusion import fuse
from pocketworld.reconstruct.surfaces.paint import GREY as UNSEEN
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream
from pocketworld.scan.capture import Capture, Frame
from pocketworld.scene import HandleKind, JointKind, Relation, Side

Array = NDArray[np.float64]
NOISE = 0.008  # m: of depth
LENGTH, DOOR, BACK = 5.0, (1.9, 2.85), 0.12  # m: of the wall, the door's opening, its leaf behind the face
WHITE, DARK, GREY, STEEL = 220.0, 60.0, 110.0, 255.0


def slab(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> UprightBox:
    middle = ((x[0] + x[1]) / 2, (y[0] + y[1]) / 2, z[0])
    return UprightBox(middle, 0.0, (x[1] - x[0], y[1] - y[0], z[1] - z[0]))


FLOOR = slab((-2, 7), (-3, 0.3), (-0.1, 0))
PLAIN = ((FLOOR, GREY), (slab((0, LENGTH), (0, 0.2), (0, 2.5)), WHITE))
WITH_DOOR = (
    (FLOOR, GREY),
    (slab((0, DOOR[0]), (0, 0.2), (0, 2.5)), WHITE),
    (slab((DOOR[1], LENGTH), (0, 0.2), (0, 2.5)), WHITE),
    (slab(DOOR, (0, 0.2), (2.05, 2.5)), WHITE),
    (slab(DOOR, (BACK, 0.2), (0, 2.05)), DARK),
    (slab((DOOR[0] + 0.1, DOOR[0] + 0.24), (BACK - 0.04, BACK - 0.01), (0.94, 0.965)), STEEL),
)
WALK = [
    looking(np.array([x, -1.5, 1.5]), np.array([x + ahead, 0.0, 1.15]))
    for ahead in (0.6, -0.6)
    for x in np.arange(-0.4, 5.2, 0.55)
]


def noisy(capture: Capture) -> Capture:
    def load(i: int) -> Frame:
        frame = capture.load(i)
        assert frame.depth is not None
        error = NOISE * stream(i, "depth").normal(size=frame.depth.shape).astype(np.float32)
        return replace(frame, depth=np.where(frame.depth > 0, frame.depth + error, 0).astype(np.float32))

    return replace(capture, load=load)


def turned(boxes: Any, poses: list[Array], motion: Array) -> tuple[Any, list[Array]]:
    """Return a place and a walk through it elsewhere, turned about z."""
    yaw = math.atan2(motion[1, 0], motion[0, 0])
    moved = [
        (replace(box, foot=tuple(se3.apply(motion, np.array([box.foot]))[0]), yaw=box.yaw + yaw), grey)
        for box, grey in boxes
    ]
    return moved, [motion @ pose for pose in poses]


def found(room: Callable[..., Any], boxes: Any, poses: list[Array]) -> tuple[list[Wall], RoomDoors]:
    capture = noisy(room(tuple(b for b, _ in boxes), tuple(g for _, g in boxes)).capture(poses))
    surface = fuse(capture).surface
    walls = walls_of(surface)
    return walls, find_room_doors(capture, capture.world_from_camera, surface, walls)


@pytest.mark.slow
@pytest.mark.parametrize("yaw", [0.0, 2.1])
def test_a_door_is_found_where_it_is(room: Callable[..., Any], yaw: float) -> None:
    motion = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    motion[:2, 3] = 0.7 * yaw, -0.4 * yaw
    walls, doors = found(room, *turned(WITH_DOOR, WALK, motion))
    assert len(walls) == 1
    wall, door = (placed.asset for placed in doors.placed)
    middle = se3.apply(motion, np.array([[sum(DOOR) / 2, 0.0, 0.0]]))[0]
    off = np.array(door.pose.position) - middle
    along, out = np.array(walls[0].along), np.array(walls[0].normal)
    assert abs(off[:2] @ along) < 0.02
    assert -0.2 < off[:2] @ out < 0
    assert door.parameters["width"] == pytest.approx(DOOR[1] - DOOR[0], abs=0.03)
    assert door.parameters["height"] == pytest.approx(2.05, abs=0.06)
    assert door.parameters["recess"] == pytest.approx(BACK, abs=0.015)
    ((hole,),) = doors.openings
    assert hole.width == door.parameters["width"]
    assert wall.pose.wxyz == door.pose.wxyz
    (joint,) = door.joints
    # The lever is at the left of who faces it: it is hinged at the right.
    assert joint.belief.p(JointKind.HINGE, Side.RIGHT) > 0.8
    assert Relation("inside", "door-1", "wall-1") in doors.placed[1].relations


@pytest.mark.slow
def test_in_a_mirrored_place_it_is_hinged_at_the_other_side(room: Callable[..., Any]) -> None:
    def mirror(box: UprightBox) -> UprightBox:
        return replace(box, foot=(LENGTH - box.foot[0], *box.foot[1:]))

    _, doors = found(room, [(mirror(box), grey) for box, grey in WITH_DOOR], WALK)
    (joint,) = doors.placed[1].asset.joints
    assert joint.belief.p(JointKind.HINGE, Side.LEFT) > 0.8
    x = doors.placed[1].asset.pose.position[0]
    assert x == pytest.approx(LENGTH - sum(DOOR) / 2, abs=0.02)


@pytest.mark.slow
def test_a_plain_wall_stays_whole(room: Callable[..., Any]) -> None:
    _, doors = found(room, PLAIN, WALK)
    assert [placed.asset.family for placed in doors.placed] == ["wall"]
    assert doors.openings == ((),)
    assert [f.code for f in doors.placed[0].findings] == ["wall-assumed"]
    assert doors.findings == ()


@pytest.mark.slow
def test_an_opening_wider_than_leaves_are_has_two(room: Callable[..., Any]) -> None:
    low, high = 1.8, 3.2
    boxes = (
        (FLOOR, GREY),
        (slab((0, low), (0, 0.2), (0, 2.5)), WHITE),
        (slab((high, LENGTH), (0, 0.2), (0, 2.5)), WHITE),
        (slab((low, high), (0, 0.2), (2.05, 2.5)), WHITE),
        (slab((low, high), (BACK, 0.2), (0, 2.05)), DARK),
        (slab((low + 0.1, low + 0.24), (BACK - 0.04, BACK - 0.01), (0.94, 0.965)), STEEL),
    )
    _, doors = found(room, boxes, WALK)
    (door,) = (one.asset for one in doors.placed if one.asset.family == "room_door")
    assert door.parameters["width"] == pytest.approx(high - low, abs=0.03)
    assert door.parameters["look"] == "board"
    assert len(door.joints) == 2
    assert (door.parameters["leaves"], door.parameters["side"]) == (2, "none")
    assert [f.code for f in doors.placed[0].findings] == ["wall-assumed"]  # not one of glass


def test_without_walls_it_says_so(room: Callable[..., Any]) -> None:
    capture = room((FLOOR,), (GREY,)).capture(WALK[:1])
    doors = find_room_doors(capture, capture.world_from_camera, fuse(capture).surface, [])
    assert doors.placed == ()
    assert doors.openings == ()
    assert [(f.code, f.severity, f.subject) for f in doors.findings] == [
        ("no-walls", Severity.NOTE, capture.name)
    ]


@pytest.mark.slow
def test_without_pictures_doors_are_placed_by_depth_and_that_is_said(room: Callable[..., Any]) -> None:
    boxes, greys = zip(*WITH_DOOR, strict=True)
    capture = room(boxes, greys).capture(WALK, colour=False)
    surface = fuse(capture).surface
    doors = find_room_doors(capture, capture.world_from_camera, surface, walls_of(surface))
    (hole,) = doors.openings[0]
    assert type(hole.width) is float  # a scene's file holds plain numbers
    assert hole.width == pytest.approx(DOOR[1] - DOOR[0], abs=0.06)
    assert {f.code for f in doors.placed[0].findings} == {"door-edges-by-depth", "wall-assumed"}
    (unseen,) = doors.findings
    assert (unseen.code, unseen.severity) == ("walls-without-pictures", Severity.DEGRADED)
    assert unseen.numbers == {"count": 1}
    (joint,) = doors.placed[1].asset.joints
    assert joint.belief.p(JointKind.HINGE, Side.LEFT) == pytest.approx(
        joint.belief.p(JointKind.HINGE, Side.RIGHT)
    )


WALL = Wall((0.0, -1.0), -1.0, -2.0, 3.0, 2.2)
GRID = FaceGrid(5.0, 2.4, 0.0, 0.02)
PICTURE = WallPicture(GRID, np.full((*GRID.shape, 3), 128, np.float32), np.ones(GRID.shape, np.float32), 4)
SINGLE = Door(1.0, 2.0, 2.05, 0.12, 0.02)
DOUBLE = Door(2.5, 4.2, 2.1, 0.0, 0.06, leaves=2, glass=True, backset=0.12)


@given(
    st.sampled_from([Side.LEFT, Side.RIGHT, Side.NONE]),
    st.sampled_from([Side.LEFT, Side.RIGHT, Side.NONE]),
    st.booleans(),
    st.floats(0, 0.3),
)
def test_only_a_plain_lever_makes_sure_of_the_hinge(
    handle: Side, hidden: Side, blind: bool, behind: float
) -> None:
    door = replace(SINGLE, handle=handle, hidden=hidden, blind=blind, behind=behind)
    chances, evidence = belief(door)
    assert sum(c.p for c in chances) == pytest.approx(1)
    assert evidence
    sides = {s: sum(c.p for c in chances if c.side is s) for s in (Side.LEFT, Side.RIGHT)}
    if handle is Side.NONE:
        assert max(sides.values()) < 0.8
    else:
        assert sides[handle] < 0.1
    if hidden is Side.NONE and handle is Side.NONE:
        assert sides[Side.LEFT] == pytest.approx(sides[Side.RIGHT])


def test_a_leaf_set_back_more_probably_opens_away_and_a_niche_not_at_all() -> None:
    swing = {behind: _p(belief(replace(SINGLE, behind=behind))[0], Swing.AWAY) for behind in (0.0, 0.12)}
    assert swing[0.12] > swing[0.0]
    assert _p(belief(replace(SINGLE, blind=True))[0], Swing.FIXED) > 0.5
    assert _p(belief(SINGLE)[0], Swing.FIXED) < 0.5


def _p(chances: Any, swing: Swing) -> float:
    return math.fsum(c.p for c in chances if c.swing is swing)


def test_a_wall_and_its_doors_fit_each_other() -> None:
    doors = (SINGLE, DOUBLE)
    thick = thickness_of(doors)
    assert thick == pytest.approx(0.12 + LEAF)
    assert thickness_of(()) == THICKNESS
    whole = wall_asset(
        WALL, "wall-1", doors, (Opening(2.2, 0.0, 0.5, 2.0, OpeningKind.PASSAGE),), PICTURE, PLASTER
    )
    for i, door in enumerate(doors):
        made = door_asset(WALL, "wall-1", f"door-{i}", door, thick)
        hole = opening(door, 5.0)
        local = se3.apply(se3.inverse(_pose(whole.asset)), _pose(made.asset)[None, :3, 3])[0]
        assert np.allclose(local, (hole.at, 0, 0), atol=1e-9)
        assert made.asset.parameters["width"] == hole.width
        assert made.asset.parameters["depth"] == whole.asset.parameters["thickness"]
        assert len(made.asset.joints) == door.leaves
    openings: Any = whole.asset.parameters["openings"]
    assert len(openings) == 3
    assert [f.code for f in whole.findings] == ["wall-assumed"]


def test_openings_that_do_not_fit_are_left_out_and_that_is_said() -> None:
    over = replace(SINGLE, u0=1.8, u1=2.8)
    out = replace(SINGLE, u0=4.5, u1=5.1)
    ways = (Opening(2.2, 0.0, 0.5, 2.0, OpeningKind.PASSAGE), Opening(0.0, 0.0, 9.0, 2.0))
    assert fitting((SINGLE, over, out), ways, 5.0) == ((SINGLE,), ways[:1])
    whole = wall_asset(WALL, "wall-1", (SINGLE, over, out), ways, PICTURE, PLASTER)
    openings: Any = whole.asset.parameters["openings"]
    assert len(openings) == 2
    (left_out,) = (f for f in whole.findings if f.code == "openings-left-out")
    assert (left_out.severity, left_out.subject, left_out.numbers) == (Severity.LOST, "wall-1", {"count": 3})


def _pose(asset: Any) -> Array:
    return np.asarray(asset.pose.matrix, float)


def test_a_wall_stands_behind_its_face_and_looks_into_the_room() -> None:
    asset = wall_asset(WALL, "wall-1", (), (), PICTURE, PLASTER).asset
    pose = _pose(asset)
    assert np.allclose(-pose[:3, 1], (*WALL.normal, 0))  # its front is at -y
    face = pose[:3, 3] - pose[:3, 1] * THICKNESS / 2
    assert 0 <= WALL.distance - face[:2] @ np.array(WALL.normal) < 0.01
    assert np.allclose(pose[:3, 3] @ np.array([*WALL.along, 0]), (WALL.low + WALL.high) / 2)


def test_handles_are_where_they_were_seen() -> None:
    seen = parameters(replace(SINGLE, handle=Side.LEFT, handle_height=0.93), 0.16)
    assert seen.handle_height == 0.93
    assert seen.side is Side.RIGHT
    assert parameters(SINGLE, 0.16).handle_height > 0.9
    assert parameters(DOUBLE, 0.16).backset == 0.12


def test_two_leaves_of_wood_have_levers_where_they_meet() -> None:
    wide = parameters(replace(SINGLE, u1=2.7, leaves=2), 0.16)
    assert (wide.look, wide.handle, wide.side) == (Look.BOARD, HandleKind.LEVER, Side.NONE)
    assert wide.handle_length == parameters(SINGLE, 0.16).handle_length
    assert math.fsum(c.p for c in wide.chances) == pytest.approx(1)
    assert (
        len(door_asset(WALL, "wall-1", "door-1", replace(SINGLE, u1=2.7, leaves=2), 0.16).asset.joints) == 2
    )


def test_findings_name_walls() -> None:
    finding: Finding = wall_asset(WALL, "wall-7", (), (), PICTURE, PLASTER).findings[0]
    assert finding.subject == "wall-7"
    assert finding.numbers["thickness_m"] == THICKNESS


def _sheet(u: tuple[float, float], out: float, colour: tuple[int, int, int]) -> Surface:
    """Return points that face as WALL does, `out` m before it."""
    along, normal = np.array([*WALL.along, 0.0]), np.array([*WALL.normal, 0.0])
    us, zs = (grid.ravel() for grid in np.meshgrid(np.linspace(*u, 40), np.linspace(0.2, 2.0, 30)))
    vertices = (WALL.low + us)[:, None] * along + (WALL.distance + out) * normal + zs[:, None] * (0, 0, 1)
    colours = np.tile(np.array(colour, np.uint8), (len(vertices), 1))
    faces = np.zeros((0, 3), np.int32)
    normals = np.tile(normal, (len(vertices), 1))
    return Surface(vertices, faces, normals, colours, np.ones(len(vertices)), 0.02, np.eye(4))


def _all(*sheets: Surface) -> Surface:
    def joined(name: str) -> Any:
        return np.concatenate([getattr(one, name) for one in sheets])

    names = ("vertices", "normals", "colours", "distance")
    return replace(sheets[0], **{name: joined(name) for name in names})


def test_a_wall_is_of_its_own_colour_not_of_what_stands_before_it_or_of_its_doors() -> None:
    red, white, black = (200, 20, 30), (250, 250, 250), (5, 5, 5)
    own = _sheet((0.1, 1.0), 0.01, red)
    before = [_sheet((0.1, 4.9), 0.3, white) for _ in range(3)]
    door = _sheet((SINGLE.u0 + 0.02, SINGLE.u1 - 0.02), 0.0, black)
    expected = pytest.approx(tuple(linear(np.array(red))))
    assert paint_of(_all(own, *before, door, door), WALL, (SINGLE,)) == expected
    unseen = [_sheet((1.0, 4.9), 0.01, (UNSEEN, UNSEEN, UNSEEN)) for _ in range(2)]
    assert paint_of(_all(own, *unseen), WALL, ()) == expected
    assert paint_of(_all(*unseen), WALL, ()) == PLASTER
    assert paint_of(_all(*before), WALL, ()) == PLASTER
    assert paint_of(replace(own, colours=None), WALL, ()) == PLASTER
