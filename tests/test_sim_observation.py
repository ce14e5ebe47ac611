"""What the policy sees: hand and handle, whichever way the room lies about them, and two of its sizes."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, Pose, Scene, Side
from pocketworld.sim import backends
from pocketworld.sim.batch import CURRENT
from pocketworld.sim.cousin import FACTS
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.senses import Senses
from pocketworld.sim.tasks.observation import POLICY, SIZES, TOLD, policy_names, policy_view
from pocketworld.sim.vectors import angles
from pocketworld.sim.worlds import Worlds

# Postures: of the hand before a drawer; of a Panda on its cart (x, y, lift, yaw)
HELD = (0.0, -0.6, 0.6, -1.5, 0.1, 1.3, 0.03, 0.03)
STOOD = (0.1, -0.9, 0.2, 1.5, 0.2, -0.6, 0.1, -2.2, 0.1, 1.7, 0.8, 0.03, 0.03)
KINDS = (HandleKind.BAR, HandleKind.KNOB, HandleKind.RECESSED)


def scene(kind: HandleKind, front: FrontKind = FrontKind.DRAWER, side: Side = Side.NONE) -> Scene:
    made = Front(kind=front, side=side, handle=usual(kind))
    return Scene(f"{kind} {side}", (build(Cabinet(0.5, 0.45, 0.3, made), "cab"),))


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    env = WorldEnv([scene(kind) for kind in KINDS], 6, threads=1)
    env.reset(seed=0)
    for _ in range(6):
        env.step(expert(env.worlds))
    return env.worlds


def view(worlds: Worlds, senses: Senses | None = None) -> NDArray[np.float32]:
    seen: NDArray[np.float32] = policy_view(worlds.robot, senses or worlds.senses, worlds.facts, worlds.aim)
    return seen


def test_of_all_facts_it_sees_how_thick_a_handle_is_and_how_far_it_stands_out(worlds: Worlds) -> None:
    robot, facts = worlds.robot, worlds.facts
    for name in FACTS:
        other = facts.copy()
        other[:, FACTS.index(name)] += 0.01
        changed = (policy_view(robot, worlds.senses, other, worlds.aim) != view(worlds)).sum(1)
        assert changed.tolist() == [int(name in SIZES)] * 6, name


def test_a_recess_does_not_look_like_a_bar(worlds: Worlds) -> None:
    standoff = view(worlds)[:, POLICY.index("handle_standoff_20")]
    assert (standoff[2::3] < 0).all()
    assert (standoff[0::3] > 0).all()
    assert (standoff[1::3] > 0).all()


@pytest.mark.parametrize("number", range(8))
def test_it_sees_the_same_whichever_way_the_room_lies(worlds: Worlds, number: int) -> None:
    """Up is no direction of its own, and no height another: an upright handle is one that lies, turned."""
    rng = stream(number, "turned room")
    turn, by = Rotation.random(rng=rng).as_matrix(), rng.normal(size=3)
    was, aim = worlds.senses, worlds.aim
    speed = was.robot_speed.copy()
    speed[:, :3] = speed[:, :3] @ turn.T
    senses = replace(
        was,
        robot_speed=speed,
        grip=was.grip @ turn.T + by,
        grip_turn=turn @ was.grip_turn,
        seen_handle=was.seen_handle @ turn.T + by,
        seen_turn=turn @ was.seen_turn,
    )
    turned = policy_view(worlds.robot, senses, worlds.facts, replace(aim, target=aim.target @ turn.T + by))
    assert turned == pytest.approx(view(worlds), abs=1e-5)


def posed(robot: str, yaw: float) -> Worlds:
    """Return a drawer's world, all of it turned by a yaw, the robot's posture and motion drawn."""
    (cabinet,) = scene(HandleKind.BAR).assets
    lifted = replace(cabinet, pose=Pose.upright((0.0, 0.0, 0.3), yaw))
    worlds = backends.worlds([Scene("one", (lifted,))], robot=robot, threads=1)
    worlds.start(np.arange(1))
    rng, n = stream(0, "posed"), len(worlds.robot.joints)
    base = {"hand": HELD, "panda": STOOD}[robot]
    at, speed = np.array(base) + rng.normal(0, 0.1, n), rng.normal(0, 0.5, n)
    speed[:4] *= robot == "hand"  # a cart stands
    turn = Rotation.from_euler("z", yaw).as_matrix()
    at[:3], speed[:3] = turn @ at[:3], turn @ speed[:3]
    at[3] += yaw
    worlds.aim = replace(worlds.aim, target=(turn @ (0.1, -0.5, 0.6))[None])
    group = worlds.physics.groups[0]
    qpos, dof = int(worlds.places.robot_qpos[0]), int(worlds.places.robot_dof[0])
    group.qpos[0, qpos : qpos + n], group.qvel[0, dof : dof + n] = at, speed
    look(worlds)
    return worlds


def look(worlds: Worlds, ahead: float = 0.0) -> None:
    """See the state as it is some seconds ahead, if all goes on moving as it does."""
    group, places, n = worlds.physics.groups[0], worlds.places, len(worlds.robot.joints)
    qpos, dof = int(places.robot_qpos[0]), int(places.robot_dof[0])
    was = group.qpos.copy()
    group.qpos[0, qpos : qpos + n] += ahead * group.qvel[0, dof : dof + n]
    group.handle.forward(np.arange(1), stage=CURRENT)
    worlds.senses.read(group, places)
    worlds.senses.look(places)
    group.qpos[:] = was


@pytest.mark.parametrize("robot", ["hand", "panda"])
def test_the_wrist_turns_as_is_seen(robot: str) -> None:
    """Of the hand the rates of its joints; of an arm the turn about the hand's own axes."""
    worlds, step = posed(robot, 0.7), 1e-5
    names = policy_names(worlds.robot)
    rates = [i for i, name in enumerate(names) if name.startswith("wrist_rate")]
    told = view(worlds)[0, rates] / 0.2
    turns = []
    for ahead in (-step, step):
        look(worlds, ahead)
        turns.append(worlds.senses.grip_turn.copy())
    if robot == "hand":
        assert names[rates[0] : rates[-1] + 1] == tuple(
            f"wrist_rate_{a}_0.2" for a in ("yaw", "pitch", "roll")
        )
        turned = (angles(turns[1]) - angles(turns[0]))[0]
    else:
        assert names[rates[0] : rates[-1] + 1] == tuple(f"wrist_rate_{a}_0.2" for a in "xyz")
        turned = Rotation.from_matrix(turns[0][0].T @ turns[1][0]).as_rotvec()
    assert np.abs(told).min() > 0.05
    assert told == pytest.approx(turned / (2 * step), abs=1e-5)
    worlds.close()


@pytest.mark.parametrize("robot", ["hand", "panda"])
def test_a_handle_on_another_wall_looks_the_same(robot: str) -> None:
    views = []
    for yaw in (0.0, 0.7):
        worlds = posed(robot, yaw)
        views.append(view(worlds))
        worlds.close()
    assert np.abs(views[0]).max() > 0.5
    assert views[1] == pytest.approx(views[0], abs=1e-6)


def test_a_door_with_an_upright_handle_begins_as_a_drawer_with_a_lying_one() -> None:
    kinds = ((FrontKind.DRAWER, Side.NONE), (FrontKind.DOOR, Side.LEFT))
    scenes = [replace(scene(HandleKind.BAR, *kind), name="one") for kind in kinds]
    drawer, door = (WorldEnv([one], threads=1).reset(seed=0)[0]["policy"] for one in scenes)
    assert door == pytest.approx(drawer, abs=1e-5)


def test_what_is_told_of_the_handle_comes_first() -> None:
    assert all(name.startswith("handle_") for name in POLICY[:TOLD])
    assert not any("handle" in name for name in POLICY[TOLD:])
    assert len(SIZES) == sum(name.removesuffix("_20") + "_m" in FACTS for name in POLICY)
