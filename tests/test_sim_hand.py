"""The hand and how actions drive it; what the expert opens with it."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.feasible import gripped, made
from pocketworld.families.cabinet.grips import grip
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.families.cabinet.plan import field
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.grasp import blocked
from pocketworld.families.protocol import Refusal, Site
from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scene import Handle, HandleKind, Pose, Scene, Side
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots.fingers import REACH
from pocketworld.sim.robots.hand import FORCE, JOINTS, hand
from pocketworld.sim.robots.reach import LEASH, SQUEEZE, STRIDE, action_of, lead, opening
from pocketworld.sim.vectors import angles, cross, dot, length, near, turned, turned_back

Array = NDArray[np.float64]
SIDES = (
    (FrontKind.DRAWER, Side.NONE),
    (FrontKind.DOOR, Side.LEFT),
    (FrontKind.DOOR, Side.RIGHT),
    (FrontKind.DOOR, Side.TOP),
    (FrontKind.DOOR, Side.BOTTOM),
    (FrontKind.SLIDING, Side.LEFT),
    (FrontKind.SLIDING, Side.RIGHT),
)
KINDS = tuple(kind for kind in HandleKind if kind is not HandleKind.NONE)


def turns(count: int) -> Array:
    twists = stream(0, "turns").normal(size=(count, 6))
    return se3.exp(twists)[:, :3, :3]


def about(axis: int, angle: Array) -> Array:
    twist = np.zeros((len(angle), 6))
    twist[:, 3 + axis] = angle
    return se3.exp(twist)[:, :3, :3]


# Numbers


def test_angles_make_the_rotation_again() -> None:
    given = turns(200)
    yaw, pitch, roll = angles(given).T
    assert np.allclose(about(2, yaw) @ about(1, pitch) @ about(0, roll), given, atol=1e-12)


def test_angles_are_the_same_bits_alone_and_among_others() -> None:
    given = turns(37)
    together = angles(given)
    for i in range(37):
        assert np.array_equal(angles(given[i : i + 1])[0], together[i])
    assert np.array_equal(angles(given[5:18]), together[5:18])


def test_near_changes_by_whole_turns_only() -> None:
    angle, reference = stream(0, "near").uniform(-20, 20, (2, 100))
    moved = near(angle, reference)
    assert np.abs(moved - reference).max() <= math.pi + 1e-12
    whole = (moved - angle) / (2 * math.pi)
    assert whole == pytest.approx(np.round(whole), abs=1e-12)


def test_vectors_turn_as_matrices_say_and_back() -> None:
    given, v = turns(50), stream(0, "v").normal(size=(50, 3))
    w = stream(0, "w").normal(size=(50, 3))
    assert turned(given, v) == pytest.approx(np.einsum("nij,nj->ni", given, v))
    assert turned_back(given, turned(given, v)) == pytest.approx(v)
    assert dot(v, w) == pytest.approx((v * w).sum(1))
    assert length(v) == pytest.approx(np.linalg.norm(v, axis=1))
    assert cross(v, w) == pytest.approx(np.cross(v, w))


def test_openings_and_actions_are_each_others_inverse() -> None:
    action = np.linspace(-1, 1, 21)
    assert action_of(opening(action)) == pytest.approx(action)
    assert opening(np.array([-1.0, 1.0])) == pytest.approx([-SQUEEZE, REACH])


def test_the_target_moves_in_the_hands_frame_and_stays_on_its_leash() -> None:
    grip, turn = stream(0, "grip").normal(size=(20, 3)), turns(20)
    action = stream(0, "action").uniform(-1, 1, (20, 4))
    target = grip.copy()
    first = lead(grip, turn, target, action)
    assert turned_back(turn, first - target) == pytest.approx(action[:, :3] * STRIDE)
    for _ in range(50):
        target = lead(grip, turn, target, action)
    assert length(target - grip).max() <= LEASH + 1e-12


# The hand alone


def alone() -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = mjcf.document(Scene("empty", ()), visual=False, extra=hand()).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    data.qpos[2] = data.ctrl[2] = 1.0
    data.ctrl[6:] = REACH
    return model, data


def test_it_hangs_still_goes_where_it_is_asked_and_turns() -> None:
    model, data = alone()
    mujoco.mj_step(model, data, nstep=500)
    assert data.qpos[:6] == pytest.approx([0, 0, 1, 0, 0, 0], abs=1e-6)
    asked = np.array([0.1, -0.05, 1.1, 0.5, -0.3, 1.2, 0.0, 0.02])
    data.ctrl[:] = asked
    mujoco.mj_step(model, data, nstep=500)
    assert data.qpos == pytest.approx(asked, abs=2e-3)
    turn = about(2, asked[3:4]) @ about(1, asked[4:5]) @ about(0, asked[5:6])
    assert data.site("hand/grip").xmat.reshape(3, 3) == pytest.approx(turn[0], abs=5e-3)


def test_fingers_that_snap_shut_on_nothing_open_again() -> None:
    model, data = alone()
    data.ctrl[6:] = -SQUEEZE
    mujoco.mj_step(model, data, nstep=100)
    assert np.abs(data.qpos[6:]).max() < 1e-3
    data.ctrl[6:] = REACH
    mujoco.mj_step(model, data, nstep=100)
    assert data.qpos[6:] == pytest.approx([REACH, REACH], abs=1e-4)


def test_its_force_is_bounded() -> None:
    model, data = alone()
    assert [model.joint(name).id for name in JOINTS] == list(range(8))
    data.ctrl[:3] = 50.0
    mujoco.mj_step(model, data, nstep=3)
    assert np.abs(data.actuator_force[:3]).max() == pytest.approx(FORCE)
    assert (model.actuator_forcelimited == 1).all()


def test_it_stops_on_the_floor() -> None:
    model, data = alone()
    data.ctrl[2] = -1.0
    mujoco.mj_step(model, data, nstep=1000)
    assert data.qpos[2] > 0.005


# What is held


@pytest.mark.parametrize("kind", KINDS)
def test_the_site_of_a_handle_looks_out_and_along_it(kind: HandleKind) -> None:
    asset = build(Cabinet(0.5, 0.45, 0.4, Front(handle=usual(kind))), "cab")
    part = asset.parts[1]
    assert part.handle is not None
    place = mjcf.grasp(part)
    assert place[:3, 0] == pytest.approx(part.handle.out)
    assert abs(place[:3, 2] @ part.handle.along) == pytest.approx(1)
    assert np.linalg.det(place[:3, :3]) == pytest.approx(1)
    assert place[:3, 3] == pytest.approx(part.handle.grip)


def test_a_handle_turned_by_half_a_turn_is_held_the_same() -> None:
    part = build(Cabinet(0.5, 0.45, 0.4), "cab").parts[1]
    assert part.handle is not None
    x, y, z = part.handle.along
    assert np.array_equal(
        mjcf.grasp(part), mjcf.grasp(replace(part, handle=replace(part.handle, along=(-x, -y, -z))))
    )


def test_a_slanting_handle_gives_a_frame_all_the_same() -> None:
    part = build(Cabinet(0.5, 0.45, 0.4), "cab").parts[1]
    slanting = Handle(HandleKind.BAR, (0.0, -0.3, 0.2), (0.6, 0.3, 0.74), (0.0, -1.0, 0.0), 0.1, 0.01, 0.03)
    place = mjcf.grasp(replace(part, handle=slanting))
    assert place[:3, :3].T @ place[:3, :3] == pytest.approx(np.eye(3), abs=1e-12)


def test_what_has_no_handle_is_taken_at_its_front_or_its_middle() -> None:
    part = build(Cabinet(0.5, 0.45, 0.4, Front(handle=usual(HandleKind.NONE))), "cab").parts[1]
    assert part.front is not None
    place = mjcf.grasp(part)
    assert place[:3, 3] == pytest.approx(part.front.centre)
    assert place[:3, 0] == pytest.approx((0, -1, 0))
    assert mjcf.grasp(replace(part, front=None))[:3, 3] == pytest.approx(part.com)


# The expert


def single(kind: FrontKind, side: Side, handle: HandleKind, number: int) -> Scene | None:
    """Return a cabinet with one front, as a maker fits the handle, or None where none can be built."""
    draw = stream(number, "single", kind, side, handle)
    width, height = draw.uniform(0.35, 0.8), draw.uniform(0.3, 0.6)
    front = Front(kind, side, usual(handle), opening=1.6 if kind is FrontKind.DOOR else 0.85, damping=2.0)
    shell = Cabinet(width, 0.45, height + 0.1, front, plinth=0.1)
    face = field(shell)
    fitted = replace(
        shell, grid=replace(front, handle=grip(usual(handle), kind, side, face.width, face.height))
    )
    if kind is FrontKind.SLIDING:
        return None  # one alone has nowhere to slide; the sampled ones below have
    good = made(gripped(fitted))
    if isinstance(good, Refusal):
        return None
    asset = build(good[0], "cab")
    yaw = float(draw.uniform(-3, 3))
    return Scene("s", (replace(asset, pose=Pose.upright((0.0, 0.0, 0.0), yaw)),))


def opened(
    scenes: list[Scene], joints: Sequence[str | None] | None = None, seed: int = 0
) -> NDArray[np.bool_]:
    env = WorldEnv(scenes, threads=2)
    env.reset(seed=seed, options={"joint": joints})
    won, live = np.zeros(len(scenes), bool), np.ones(len(scenes), bool)
    while live.any():
        _, _, ended, cut, _ = env.step(expert(env.worlds))
        won |= ended & live
        live &= ~(ended | cut)
    assert not env.unstable_count.any()
    env.close()
    return won


def test_the_expert_opens_every_kind_of_handle_on_every_side() -> None:
    cases = [(kind, side, handle) for kind, side in SIDES for handle in KINDS]
    scenes = {case: single(*case, number=0) for case in cases}
    built = {case: scene for case, scene in scenes.items() if scene is not None}
    assert len(built) >= 28
    won = opened(list(built.values()))
    assert [case for case, ok in zip(built, won, strict=True) if not ok] == []


def test_the_expert_opens_what_is_sampled_each_joint_once() -> None:
    scenes, joints = [], []
    for number in range(24):
        asset = build(sample(partial(stream, number, "expert"), Site((2.0, 0.9, 2.4))), "cab")
        good = {joint.id for joint in asset.movable} - set(blocked(asset))
        scene = Scene(f"s{number}", (asset,))
        scenes += [scene] * len(good)
        joints += [f"cab/{joint.id}" for joint in asset.movable if joint.id in good]
    assert len(scenes) > 50
    assert opened(scenes, joints).mean() >= 0.95


def test_the_expert_can_not_open_what_has_no_handle() -> None:
    bare = build(Cabinet(0.5, 0.45, 0.3, Front(handle=usual(HandleKind.NONE))), "bare")
    assert not opened([Scene("s", (bare,))]).any()


def test_the_expert_keeps_no_state() -> None:
    scene = single(FrontKind.DRAWER, Side.NONE, HandleKind.BAR, 0)
    assert scene is not None
    env = WorldEnv([scene], threads=1)
    env.reset(seed=0)
    for _ in range(20):
        action = expert(env.worlds)
        assert np.array_equal(action, expert(env.worlds))
        assert (np.abs(action) <= 1).all()
        env.step(action)
