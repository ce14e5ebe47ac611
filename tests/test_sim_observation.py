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
from pocketworld.scene import HandleKind, Scene, Side
from pocketworld.sim.cousin import FACTS
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.senses import Senses
from pocketworld.sim.tasks.observation import POLICY, SIZES, TOLD, policy_view
from pocketworld.sim.worlds import Worlds

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


def test_a_door_with_an_upright_handle_begins_as_a_drawer_with_a_lying_one() -> None:
    kinds = ((FrontKind.DRAWER, Side.NONE), (FrontKind.DOOR, Side.LEFT))
    scenes = [replace(scene(HandleKind.BAR, *kind), name="one") for kind in kinds]
    drawer, door = (WorldEnv([one], threads=1).reset(seed=0)[0]["policy"] for one in scenes)
    assert door == pytest.approx(drawer, abs=1e-5)


def test_what_is_told_of_the_handle_comes_first() -> None:
    assert all(name.startswith("handle_") for name in POLICY[:TOLD])
    assert not any("handle" in name for name in POLICY[TOLD:])
    assert len(SIZES) == sum(name.removesuffix("_20") + "_m" in FACTS for name in POLICY)
