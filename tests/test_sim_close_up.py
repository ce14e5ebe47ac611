"""Where a film's camera stands: near the asked part and the robot, with nothing in its way."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.scene import Asset, HandleKind, Pose, Scene, Side
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.framing import FOVY, Framing, camera
from pocketworld.sim.pictures.close_up import Shot
from pocketworld.sim.tasks.task import TASKS

Array = NDArray[np.float64]
DRAWER = Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR))


def door(side: Side) -> Front:
    return Front(FrontKind.DOOR, side, usual(HandleKind.KNOB, 0.9 if side is Side.LEFT else 0.1, 0.5))


def cabinet(id: str, front: Front, x: float = 0.0, y: float = 0.0, yaw: float = 0.0) -> Asset:
    made = registry.family("cabinet").build(Cabinet(0.5, 0.45, 0.7, front), id)
    return replace(made, pose=Pose.upright((x, y, 0.0), yaw))


def row(count: int, front: Front = DRAWER) -> Scene:
    return Scene("row", tuple(cabinet(f"c{i}", front, x=0.5 * i) for i in range(count)))


@contextmanager
def episode(scene: Scene, joint: str | None = None, task: str = "open") -> Iterator[tuple[WorldEnv, Shot]]:
    env = WorldEnv([scene], threads=1, render_mode="rgb_array", task=task)
    env.reset(seed=0, options={"joint": joint})
    yield env, env.shots([0])[0]
    env.close()


def seen(framing: Framing, points: Array) -> Array:
    """Return where points (n, 3) are in the picture, -1..1 to the right and up, and how far away, m."""
    right, up = np.array(framing.right), np.array(framing.up)
    there = (points - framing.position) @ np.stack([right, up, -np.cross(right, up)]).T
    tall = math.tan(math.radians(framing.fovy) / 2)
    return np.column_stack([there[:, :2] / there[:, 2:] / (tall * 4 / 3, tall), there[:, 2]])


def grips(env: WorldEnv) -> Array:
    """Return where the handle is from where the episode begins to its goal (3, 3)."""
    (target,) = (t for t in env.worlds.cousins[0].targets if t.id == env.worlds.joints[0])
    begin, goal = float(env.worlds.begin[0]), float(env.worlds.goal[0])
    return np.stack([target.hold(begin + share * (goal - begin)).grip for share in (0, 0.5, 1)])


def blocked(scene: Scene, eye: Array, point: Array) -> bool:
    """Say whether furniture, all closed, is between an eye and a point just before its front."""
    model = mjcf.document(scene).compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    share = mujoco.mj_ray(model, data, point, eye - point, None, 1, -1, None)
    return bool(0 <= share < 1)


@pytest.mark.parametrize("task", sorted(TASKS))
@pytest.mark.parametrize("front", [DRAWER, door(Side.LEFT), door(Side.RIGHT)])
def test_the_handles_whole_way_and_the_hand_are_in_the_picture(task: str, front: Front) -> None:
    with episode(row(5, front), "c2/0", task) as (env, shot):
        places = seen(shot.framing, np.concatenate([grips(env), env.worlds.senses.grip]))
    assert (np.abs(places[:, :2]) < 0.95).all()
    assert (places[:, 2] > 0.3).all()


def test_in_a_long_row_one_part_is_as_large_as_in_a_short_one() -> None:
    distances = []
    for count in (3, 9):
        with episode(row(count), f"c{count // 2}/0") as (env, shot):
            distances.append(seen(shot.framing, grips(env))[0, 2])
            across = 2 * distances[-1] * math.tan(math.radians(FOVY) / 2) * 4 / 3
            whole = seen(camera(row(count)), grips(env))[0, 2]
        assert 0.8 < across < 2.0
    assert distances[0] == pytest.approx(distances[1], rel=1e-6)
    assert whole > 1.5 * distances[1]


def test_of_a_small_thing_all_is_seen() -> None:
    scene = row(1)
    with episode(scene) as (_, shot):
        corners = np.array([(x, y, z) for x in (-0.25, 0.25) for y in (-0.22, 0.22) for z in (0.0, 0.7)])
        assert (np.abs(seen(shot.framing, corners)[:, :2]) < 1.0).all()


@pytest.mark.parametrize(("side", "sign"), [(Side.LEFT, -1), (Side.RIGHT, 1)])
def test_a_door_is_watched_from_where_its_handle_stays_in_sight(side: Side, sign: int) -> None:
    """Wide open, its outer face looks to the side of its hinge; from the other side the hand is behind it."""
    (alone,) = row(1, door(side)).assets
    wide = replace(alone, joints=tuple(replace(joint, range=(0.0, 2.6)) for joint in alone.joints))
    with episode(Scene("wide", (wide,))) as (_, shot):
        assert np.sign(shot.framing.position[0]) == sign


def test_turned_and_moved_furniture_is_watched_as_it_was_at_home() -> None:
    home, away = row(3), []
    turn = Pose.upright((3.0, -2.0, 0.0), 2.2)
    for asset in home.assets:
        place = turn.matrix @ asset.pose.matrix
        away.append(replace(asset, pose=Pose.upright((place[0, 3], place[1, 3], 0.0), 2.2)))
    shots = []
    for scene in (home, replace(home, assets=tuple(away))):
        with episode(scene, "c1/0") as (_, shot):
            shots.append(shot.framing)
    moved = turn.matrix @ np.array([*shots[0].position, 1.0])
    assert np.array(shots[1].position) == pytest.approx(moved[:3], abs=0.02)


def test_it_looks_past_what_stands_in_the_way() -> None:
    """What stands where the camera would is no longer between it and the handle, nor about it."""
    free = row(3)
    with episode(free, "c1/0") as (env, shot):
        eye, handle = np.array(shot.framing.position), grips(env)[0] + (0, -0.06, 0)
    assert not blocked(free, eye, handle)
    for share in (0.5, 1.0):
        x, y, _ = handle + share * (eye - handle)
        tall = registry.family("box").build(Box(0.4, 0.4, 2.5), "tower")
        scene = replace(free, assets=(*free.assets, replace(tall, pose=Pose.upright((x, y, 0), 0.3))))
        assert blocked(scene, eye, handle)
        with episode(scene, "c1/0") as (_, shot):
            assert not blocked(scene, np.array(shot.framing.position), handle)


def test_in_a_narrow_room_a_wide_lens_sees_the_handle() -> None:
    wall = registry.family("box").build(Box(6.0, 0.1, 6.0), "wall")
    walls = (
        replace(wall, pose=Pose.upright((0.5, -1.3, 0.0), 0.0)),
        replace(wall, id="left", pose=Pose.upright((-0.6, 0.0, 0.0), math.pi / 2)),
        replace(wall, id="right", pose=Pose.upright((1.6, 0.0, 0.0), math.pi / 2)),
    )
    scene = replace(row(3), assets=(*row(3).assets, *walls))
    with episode(scene, "c1/0") as (env, shot):
        assert shot.framing.fovy > FOVY
        assert not blocked(scene, np.array(shot.framing.position), grips(env)[0] + (0, -0.06, 0))


def test_the_camera_stays_where_it_is_and_each_picture_can_have_its_own() -> None:
    with episode(row(7), "c3/0") as (env, shot):
        before = [env.draw([0])[0], env.draw([0], [shot])[0]]
        (again,) = env.draw([0])
        assert np.array_equal(before[0], again)
        assert (np.abs(before[0].astype(int) - before[1]).max(-1) > 5).mean() > 0.1
        assert np.array_equal(env.draw([0], [shot])[0], before[1])
        images = []
        for _ in range(3):
            env.step(expert(env.worlds))
            images.append(env.draw([0], [shot])[0].astype(int))
    for one, other in pairwise(images):  # nothing but the hand moves in the first steps
        assert (np.abs(one - other).max(-1) > 30).mean() < 0.05


def test_it_says_what_is_asked_for() -> None:
    with episode(row(2), "c1/0", "close") as (_, shot):
        assert shot.asked == "close the drawer of c1"


def test_the_same_episode_is_watched_from_the_same_place() -> None:
    framings = []
    for _ in range(2):
        with episode(row(3)) as (_, shot):
            framings.append(shot.framing)
    assert framings[0] == framings[1]
