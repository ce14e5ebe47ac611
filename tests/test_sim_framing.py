"""Where one looks from: at what opens, from the side to which most of it opens."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, HandleSpec, Split
from pocketworld.rng import stream
from pocketworld.scene import Asset, HandleKind, Pose, Relation, Scene
from pocketworld.sim.models.framing import (
    around,
    camera,
    extent,
    facing,
    focus,
    poses,
    sweep,
    within,
)

DRAWER = Front(handle=HandleSpec())
PANEL = Front(FrontKind.FIXED, handle=HandleSpec(HandleKind.NONE))


def cabinet(id: str, *fronts: Front, x: float = 0.0, yaw: float = 0.0) -> Asset:
    grid = fronts[0] if len(fronts) == 1 else Split(True, (0.3,) * len(fronts), fronts)
    made = registry.family("cabinet").build(Cabinet(0.6, 0.5, 0.8, grid), id)
    return replace(made, pose=Pose.upright((x, 0.0, 0.0), yaw))


def box(id: str, x: float, y: float, z: float = 0.0) -> Asset:
    return replace(registry.family("box").build(Box(0.2, 0.2, 0.2), id), pose=Pose.upright((x, y, z), 0.0))


def test_what_opens_is_looked_at_and_not_what_stands_elsewhere() -> None:
    scene = Scene("s", (box("far", 9.0, 9.0), cabinet("cabinet", DRAWER), box("cup", 0.0, 0.0, 0.8)))
    on = replace(scene, relations=(Relation("on", "cup", "cabinet"), Relation("on", "far", "floor")))
    assert focus(scene).assets == (scene.asset("cabinet"),)
    assert focus(on).assets == (scene.asset("cabinet"), scene.asset("cup"))


def test_where_nothing_opens_all_but_walls_are_looked_at() -> None:
    still = Scene("s", (cabinet("cabinet", PANEL), box("box", 2.0, 0.0)))
    assert focus(still).assets == still.assets
    wall = replace(box("wall", 5.0, 5.0), family="wall")
    assert focus(replace(still, assets=(wall, *still.assets))).assets == still.assets
    assert focus(Scene("w", (wall,))).assets == (wall,)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_it_is_looked_at_from_where_most_opens(order: tuple[int, ...]) -> None:
    assets = (
        cabinet("alone", DRAWER, DRAWER, yaw=math.pi / 2, x=3.0),
        cabinet("one", DRAWER, DRAWER, x=0.0, yaw=0.1),
        cabinet("two", DRAWER, x=0.7, yaw=0.1),
    )
    turn = focus(Scene("s", tuple(assets[i] for i in order))).turn
    assert math.atan2(turn[1, 0], turn[0, 0]) == pytest.approx(0.1)


def test_the_camera_sees_all_of_the_focus() -> None:
    scene = Scene("s", (cabinet("one", DRAWER, DRAWER, yaw=2.0), cabinet("two", DRAWER, x=4.0, yaw=2.0)))
    frame = camera(scene)
    right, up = np.array(frame.right), np.array(frame.up)
    seen = (extent(scene.assets) - frame.position) @ np.stack([right, up, np.cross(right, up)]).T
    assert (seen[:, 2] < 0).all()
    tall = math.tan(math.radians(frame.fovy) / 2)
    assert (np.abs(seen[:, 1] / seen[:, 2]) <= tall).all()
    assert (np.abs(seen[:, 0] / seen[:, 2]) <= tall * 4 / 3).all()


def test_an_empty_scene_has_a_camera() -> None:
    assert np.isfinite(camera(Scene("empty", ())).position).all()


def test_extent_holds_every_piece_in_every_state_and_what_stands_still_once() -> None:
    asset = cabinet("cabinet", DRAWER, PANEL, x=1.0, yaw=0.4)
    found = extent((asset,))
    motions = [poses(asset, openness) for openness in (0.0, 0.5, 1.0)]
    for motion in motions:
        for part in asset.parts:
            move = asset.pose.matrix @ motion[part.id]
            for piece in part.pieces:
                points = piece.vertices @ move[:3, :3].T + move[:3, 3]
                gaps = np.linalg.norm(points[:, None] - found, axis=2).min(1)
                assert gaps.max() < 1e-12
    still = [part for part in asset.parts if part.role != "drawer"]
    moved = [part for part in asset.parts if part.role == "drawer"]
    assert len(found) == sum(8 * len(p.pieces) for p in still) + 3 * sum(8 * len(p.pieces) for p in moved)


def test_around_sees_all_points_from_any_side_and_through_any_lens() -> None:
    points = stream(0, "test", "around").uniform(-1, 2, (40, 3))
    turn = Pose.upright((0.0, 0.0, 0.0), 0.7).matrix[:3, :3]
    for view, fovy in (((0.62, -1.0, 0.52), 32.0), ((-1.3, -1.0, 1.1), 75.0), ((0.0, -1.0, 0.0), 50.0)):
        frame = around(points, turn, view, fovy)
        right, up = np.array(frame.right), np.array(frame.up)
        seen = (points - frame.position) @ np.stack([right, up, np.cross(right, up)]).T
        tall = math.tan(math.radians(fovy) / 2)
        assert (np.abs(seen[:, :2] / seen[:, 2:]) <= (tall * 4 / 3, tall)).all()
        assert np.cross(right, up) @ turn @ view == pytest.approx(np.linalg.norm(view))


@pytest.mark.parametrize("yaw", [0.0, 2.2, -1.0])
def test_a_part_is_faced_as_its_furniture_is_and_its_way_starts_before_it(yaw: float) -> None:
    asset = cabinet("cabinet", DRAWER, x=1.0, yaw=yaw)
    (joint,) = asset.movable
    turn = facing(asset, joint)
    assert turn == pytest.approx(asset.pose.matrix[:3, :3], abs=1e-9)
    way = sweep(asset, joint, (0.0, 0.1, 0.4), 0.08)
    assert (way[1:] - way[:1]) @ turn == pytest.approx(
        np.broadcast_to([[[0, -0.1, 0]], [[0, -0.4, 0]]], way[1:].shape), abs=1e-9
    )
    handle = asset.part(joint.child).handle
    assert handle is not None
    grip = asset.pose.matrix[:3, :3] @ handle.grip + asset.pose.position - 0.08 * turn[:, 1]
    assert way[0, 0] == pytest.approx(grip)


def test_what_has_no_front_is_faced_as_its_asset_and_sweeps_all_its_corners() -> None:
    asset = cabinet("cabinet", DRAWER, yaw=0.4)
    (joint,) = asset.movable
    bare = tuple(replace(part, front=None, handle=None) for part in asset.parts)
    plain = replace(asset, parts=bare)
    assert facing(plain, joint) == pytest.approx(facing(asset, joint))
    (way,) = sweep(plain, joint, (0.0,), 0.0)
    assert len(way) == 1 + 8 * len(plain.part(joint.child).pieces)


def test_within_leaves_what_is_near_and_brings_what_is_far_to_the_sides() -> None:
    turn = Pose.upright((0.0, 0.0, 0.0), 0.7).matrix[:3, :3]
    middle = np.array([1.0, 2.0, 0.5])
    near = middle + turn @ [0.3, -0.4, 0.1]
    far = middle + turn @ [7.0, -0.2, -3.0]
    brought = within(np.stack([near, far]), turn, middle, 0.5)
    assert brought[0] == pytest.approx(near)
    assert (brought[1] - middle) @ turn == pytest.approx([0.5, -0.2, -0.5])
    assert within(brought, turn, middle, 0.5) == pytest.approx(brought)
