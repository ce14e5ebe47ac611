"""A policy's spec says what its numbers mean, as they are; and which policies are for which environments."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest

from pocketworld import scene_file, workflow, world
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front
from pocketworld.scene import HandleKind, Scene
from pocketworld.sim import backends, robots
from pocketworld.sim.asked import Asked
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.robots.reach import LEASH, opening
from pocketworld.sim.tasks.observation import policy_names
from pocketworld.sim.training.meaning import NAME, meaning
from pocketworld.sim.training.policy import fits, load_for, spec_of
from pocketworld.sim.worlds import Worlds

SCENE = Scene("some", (build(Cabinet(0.5, 0.45, 0.3, Front(handle=usual(HandleKind.BAR))), "chest"),))
NAMES = robots.ROBOTS


def of(name: str) -> dict[str, Any]:
    robot = robots.named(name)
    return meaning(robot, policy_names(robot))


def seen(worlds: Worlds) -> dict[str, float]:
    """Return what is seen in environment 0, in the units and scales that its meaning tells."""
    told = meaning(worlds.robot, worlds.policy_names)["observation"]
    values = np.asarray(worlds.observe()["policy"])[0]
    return {n: float(v) / told[n]["scale"] for n, v in zip(worlds.policy_names, values, strict=True)}


# Laws


@pytest.mark.parametrize("name", NAMES)
def test_every_number_has_a_unit_a_scale_and_words(name: str) -> None:
    robot, told = robots.named(name), of(name)
    assert tuple(told["observation"]) == policy_names(robot)
    assert tuple(told["action"]) == robot.actions
    for number in (*told["observation"].values(), *told["action"].values()):
        assert number["unit"]
        assert len(number["meaning"]) > 10
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("name", NAMES)
def test_a_scale_is_the_one_in_its_name(name: str) -> None:
    for number, told in of(name)["observation"].items():
        last = number.rsplit("_", 1)[1]
        assert told["scale"] == (float(last) if last[0].isdigit() and "joint" not in number else 1)
        assert NAME.match(number) is not None


def test_what_is_seen_is_what_it_says() -> None:
    """Of the floating hand, from what the core knows: places in m, in the hand's frame, speeds in m/s."""
    worlds = backends.worlds([SCENE], threads=1)
    worlds.start(np.arange(1))
    for _ in range(4):
        worlds.advance(np.array([[-1.0, 0.3, 0.2, 0.5]]))
    told, senses = seen(worlds), worlds.senses
    turn, grip = np.asarray(senses.grip_turn)[0], np.asarray(senses.grip)[0]
    apart, asked = np.asarray(senses.handle)[0] - grip, np.asarray(worlds.aim.target)[0] - grip
    held, dof = np.asarray(senses.handle_turn)[0], int(worlds.places.robot_dof[0])
    slid = np.asarray(worlds.physics.groups[0].qvel)[0, dof : dof + 3]  # as the step ended
    assert np.linalg.norm(slid) > 0.05
    words = of("hand")["observation"]
    for i, axis in enumerate("xyz"):
        for name, unit, way in (
            (f"handle_from_hand_{axis}_5", "m", apart),
            (f"target_from_hand_{axis}_20", "m", asked),
            (f"handle_out_{axis}", "unit vector", held[:, 0]),
            (f"handle_along_{axis}", "unit vector", held[:, 2]),
            (f"hand_velocity_{axis}", "m/s", slid),
        ):
            assert told[name] == pytest.approx(float(turn[:, i] @ way), abs=1e-6)
            assert (words[name]["unit"], words[name]["frame"]) == (unit, "hand")
    handle = SCENE.assets[0].part(SCENE.assets[0].movable[0].child).handle
    assert handle is not None
    fingers = np.asarray(senses.robot)[0, -2:]
    for name, value in (
        ("left_finger_20", fingers[0]),
        ("right_finger_20", fingers[1]),
        ("fingers_asked_20", opening(np.array([0.5]))[0]),
        ("handle_thickness_20", handle.thickness),
        ("handle_standoff_20", handle.standoff),
    ):
        assert told[name] == pytest.approx(float(value), abs=1e-6)
        assert words[name]["unit"] == "m"
    worlds.close()


def test_fingers_and_the_palm_are_on_the_sides_it_says() -> None:
    worlds = backends.worlds([SCENE], threads=1)
    worlds.start(np.arange(1))
    data = mujoco.MjData(worlds.physics.models[0])
    data.qpos[:] = worlds.physics.qpos(0)
    mujoco.mj_forward(data.model, data)
    turn, grip = np.asarray(worlds.senses.grip_turn)[0], np.asarray(worlds.senses.grip)[0]
    told = of("hand")
    for name, joint in (("left", "hand/left"), ("right", "hand/right")):
        body = int(data.model.joint(joint).bodyid[0])
        (geoms,) = np.nonzero(data.model.geom_bodyid == body)
        side = turn[:, 1] @ (data.geom_xpos[geoms].mean(0) - grip)
        assert abs(side) > 0.01
        assert (
            f"on the side of {'+' if side > 0 else '-'}y"
            in told["observation"][f"{name}_finger_20"]["meaning"]
        )
    palm = data.xipos[data.model.body("hand").id] - grip
    assert "x out of the fingertips back to the palm" in told["hand_frame"]
    assert turn[:, 0] @ palm == pytest.approx(np.linalg.norm(palm))
    worlds.close()


@pytest.mark.parametrize(("robot", "metres"), [("hand", 0.02), ("panda", 0.01)])
def test_a_full_action_moves_what_is_asked_for_as_far_as_it_says(robot: str, metres: float) -> None:
    told = of(robot)["action"]
    for i, (name, axis) in enumerate(zip(("out", "across", "along"), "xyz", strict=True)):
        assert told[name]["a_step_at_1"] == metres
        worlds = backends.worlds([SCENE], robot=robot, threads=1)
        worlds.start(np.arange(1))
        before, turn = np.array(worlds.aim.target)[0], np.array(worlds.senses.grip_turn)[0]
        worlds.advance(np.eye(4)[None, i])
        moved = turn.T @ (np.asarray(worlds.aim.target)[0] - before)
        assert moved == pytest.approx(np.eye(3)[i] * told[name]["a_step_at_1"], abs=1e-9), axis
        worlds.close()
    assert told["out"]["a_step_at_1"] < LEASH
    for action, at in ((-1.0, "at_-1"), (1.0, "at_1")):
        worlds = backends.worlds([SCENE], robot=robot, threads=1)
        worlds.start(np.arange(1))
        worlds.advance(np.array([[0, 0, 0, action]]))
        assert float(worlds.aim.fingers[0]) == pytest.approx(told["open"][at])
        worlds.close()


def test_a_joint_is_asked_to_move_as_far_as_it_says() -> None:
    told = of("panda:joints")["action"]
    worlds = backends.worlds([SCENE], robot="panda:joints", threads=1)
    for i, name in enumerate(list(told)[:-1]):
        assert told[name]["a_step_at_1"] == 0.08
        worlds.start(np.arange(1))
        before = np.array(worlds.aim.command)[0, 4:-2]
        worlds.advance(np.eye(8)[None, i])
        moved = np.asarray(worlds.aim.command)[0, 4:-2] - before
        assert moved == pytest.approx(np.eye(7)[i] * 0.08, abs=1e-6), name
    worlds.close()


def test_how_a_wrist_turns_is_said_of_its_joints_or_the_hands_axes() -> None:
    for name, axes, frame in (
        ("hand", ("yaw", "pitch", "roll"), "its yaw, pitch and roll joints'"),
        ("panda", ("x", "y", "z"), "hand"),
    ):
        told = of(name)["observation"]
        for axis in axes:
            one = told[f"wrist_rate_{axis}_0.2"]
            assert (one["unit"], one["frame"], one["scale"]) == ("rad/s", frame, 0.2)


def test_arms_are_led_slower_or_joint_by_joint() -> None:
    hand, grip, joints = (of(name)["action"] for name in ("hand", "panda", "panda:joints"))
    assert hand["out"]["a_step_at_1"] > grip["out"]["a_step_at_1"] > 0
    assert all("rad" in one["unit"] for name, one in joints.items() if name != "open")
    assert joints["open"] == hand["open"]


# Examples: which policy is for what


def said(call: Callable[[], object]) -> str:
    with pytest.raises(PocketworldError) as caught:
        call()
    return str(caught.value)


def test_one_number_that_is_another_is_named_with_its_place() -> None:
    spec = spec_of(Hand())
    names = list(spec["observation"])
    names[2] = "smell"
    odd = f"number 3 of {len(names)} is 'smell', not {policy_names(Hand())[2]!r}; train one for this"
    line = f"run: the policy's observation is another: {odd}"
    assert said(lambda: fits(spec | {"observation": names}, Hand(), Path("run"))) == line
    swapped = {"action": ["across", "out", "along", "open"]}
    line = "run: the policy's action is another: number 1 of 4 is 'across', not 'out'; train one for this"
    assert said(lambda: fits(spec | swapped, Hand(), Path("run"))) == line


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """A world with a training of the hand, as far as its spec."""
    (tmp_path / "k.world" / "twin").mkdir(parents=True)
    scene_file.save(SCENE, tmp_path / "k.world" / "twin")
    run = tmp_path / "k.world" / "runs" / "mine"
    run.mkdir(parents=True)
    (run / "policy.json").write_text(json.dumps(spec_of(Hand()) | {"task": "open"}))
    return tmp_path / "k.world"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"robot": "panda"}, "the policy's robot is another: 'hand', not 'panda'; train one for this"),
        ({"task": "close"}, "the policy's task is another: 'open', not 'close'; --task open"),
        ({"task": "shake"}, "no task 'shake'; there are: open, close"),
        ({}, "policy.onnx does not exist; pocketworld train makes it"),
    ],
)
def test_a_policy_for_others_is_refused_before_anything_is_compiled(
    kitchen: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], line: str
) -> None:
    monkeypatch.setattr("pocketworld.api.scenes_of", None)  # no scene is asked for
    run = Path("mine")
    ways: tuple[Callable[[], object], ...] = (
        lambda: load_for(kitchen / "runs" / "mine", Asked.of(options)),
        lambda: workflow.run_sim(kitchen, None, 1, 0, None, print, options, run),
    )
    for way in ways:
        assert said(way).endswith(line)


def test_a_training_is_found_by_its_folder_and_by_its_name(
    kitchen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = kitchen / "runs" / "mine"
    monkeypatch.chdir(tmp_path)
    assert world.run_of(kitchen, Path("mine")) == run
    assert world.run_of(kitchen, run) == run
    assert world.run_of(Path("k.world"), Path("k.world/runs/mine")) == Path("k.world/runs/mine")
    (tmp_path / "mine").mkdir()  # a folder of that name that holds none
    assert world.run_of(kitchen, Path("mine")) == run
    line = f"yours is no training: neither a folder nor a name in {kitchen / 'runs'}; there are: mine"
    assert said(lambda: world.run_of(kitchen, Path("yours"))) == line
    (run / "policy.json").unlink()
    run.rmdir()
    line = f"neither a folder nor a name in {kitchen / 'runs'}; pocketworld train makes one"
    assert said(lambda: world.run_of(kitchen, Path("mine"))) == f"mine is no training: {line}"
