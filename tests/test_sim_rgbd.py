"""What a wrist camera sees: exact depth, the same bytes again, and a policy that is told of no handle."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.scene import HandleKind, Pose, Scene, Side
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.models import mjcf
from pocketworld.sim.pictures.sight import FAR, FOVY, GAZE, NEAR, PLACE, metres
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.tasks.observation import POLICY, TOLD


def chest(number: int) -> Scene:
    fronts = (
        Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR)),
        Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.KNOB, 0.9, 0.5)),
    )
    asset = build(Cabinet(0.5 + 0.05 * number, 0.45, 0.7, Split(True, (1.0, 1.5), fronts)), "chest")
    pose = Pose.upright((0.3 * number, -1.0, 0.0), 0.8 * number)
    return Scene(f"s{number}", (replace(asset, pose=pose),), provenance={"cousin": f"test/{number}"})


SCENES = [chest(number) for number in range(3)]


def seen(scenes: Sequence[Scene], steps: int = 12, **options: Any) -> list[dict[str, NDArray[Any]]]:
    """Let the expert work; return what was seen."""
    env = WorldEnv(scenes, threads=1, **{"observation": "rgbd", **options})
    out = [env.reset(seed=3)[0]]
    out += [env.step(expert(env.worlds))[0] for _ in range(steps)]
    env.close()
    return out


def same(a: list[dict[str, NDArray[Any]]], b: list[dict[str, NDArray[Any]]], which: list[int]) -> bool:
    return all(np.array_equal(x[n][which], y[n]) for x, y in zip(a, b, strict=True) for n in y)


# Laws


def test_the_same_episode_gives_the_same_bytes_in_any_company() -> None:
    together = seen([*SCENES, SCENES[0]])
    assert same(together, seen([*SCENES, SCENES[0]]), [0, 1, 2, 3])
    assert same(together, seen([SCENES[2], SCENES[0]]), [2, 0])
    assert not np.array_equal(together[-1]["rgb"][0], together[-1]["rgb"][1])


def test_looking_changes_nothing() -> None:
    """The same numbers as without eyes, but for those of the handle, which are left out."""
    blind, sighted = seen(SCENES, observation="state"), seen(SCENES)
    for a, b in zip(blind, sighted, strict=True):
        assert np.array_equal(a["policy"][:, TOLD:], b["policy"])
        assert np.array_equal(a["privileged"], b["privileged"])
    assert not any("handle" in name for name in POLICY[TOLD:])
    assert all("handle" in name for name in POLICY[:TOLD])


def test_depth_is_what_rays_measure() -> None:
    """MuJoCo's own ray casting from the camera, through pixels of a picture that is no square."""
    width, height = 48, 32
    env = WorldEnv(SCENES, threads=1, observation="rgbd", picture=(width, height))
    observation, _ = env.reset(seed=1)
    for _ in range(10):
        observation, *_ = env.step(expert(env.worlds))
    agreed = []
    for i, scene in enumerate(SCENES):
        model = mjcf.document(scene, extra=Hand().drawn()).compile()
        data = mujoco.MjData(model)
        data.qpos[:] = env.worlds.physics.qpos(i)
        mujoco.mj_forward(model, data)
        turn, grip = env.worlds.senses.grip_turn[i], env.worlds.senses.grip[i]
        forward = turn @ GAZE / np.linalg.norm(GAZE)
        up = turn[:, 2] - forward * (forward @ turn[:, 2])
        up /= np.linalg.norm(up)
        right, half = np.cross(forward, up), math.tan(math.radians(FOVY) / 2)
        for row in range(1, height, 3):
            for column in range(1, width, 3):
                y = (1 - 2 * (row + 0.5) / height) * half
                x = (2 * (column + 0.5) / width - 1) * half * width / height
                ray, hit = forward + x * right + y * up, np.zeros(1, np.int32)
                length = np.linalg.norm(ray)
                groups = np.array([1, 1, 1, 0, 0, 0], np.uint8)  # what is drawn
                far = mujoco.mj_ray(model, data, grip + turn @ PLACE, ray / length, groups, 1, -1, hit)
                expected = min(far / length, FAR) if far >= 0 else FAR
                agreed.append(abs(observation["depth"][i, row, column] - expected) < 2e-3 * expected + 1e-4)
    env.close()
    # All but pixels that an edge goes through.
    assert np.mean(agreed) > 0.97


@given(st.lists(st.floats(NEAR, FAR), min_size=1, max_size=20))
def test_depth_buffers_are_read_as_they_are_written(far: list[float]) -> None:
    distance = np.array(far)
    buffer = (1 / distance - 1 / FAR) / (1 / NEAR - 1 / FAR)
    assert metres(buffer.astype(np.float32)) == pytest.approx(distance, rel=2e-3)


# What is in a picture


def test_observations_are_of_their_space() -> None:
    env = WorldEnv(SCENES, 4, threads=1, observation="rgbd", picture=(40, 24))
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    assert observation["rgb"].shape == (4, 24, 40, 3)
    assert observation["rgb"].dtype == np.uint8
    assert observation["depth"].shape == (4, 24, 40)
    assert observation["depth"].dtype == np.float32
    assert observation["policy"].shape == (4, len(POLICY) - TOLD)
    assert env.worlds.policy_names == POLICY[TOLD:]
    env.close()


def test_the_fingers_are_below_the_middle_and_what_they_hold_between_them() -> None:
    """The hand is orange, and nothing else here is; as the expert closes on a handle, it is in the middle."""
    env = WorldEnv(SCENES, threads=1, observation="rgbd")
    observation, _ = env.reset(seed=0)
    rgb = observation["rgb"].astype(int)
    orange = (rgb[..., 0] > 2 * rgb[..., 2] + 40) & (rgb[..., 0] > 1.3 * rgb[..., 1])
    assert (orange[:, 48:].mean((1, 2)) > 0.15).all()
    assert (orange[:, :16].mean((1, 2)) < 0.02).all()
    for _ in range(25):
        observation, *_ = env.step(expert(env.worlds))
    near = observation["depth"][:, 20:30, 30:34].min((1, 2))
    assert (near < 0.25).all()
    env.close()


def test_what_ended_was_last_seen_as_it_ended() -> None:
    env = WorldEnv(SCENES, threads=1, observation="rgbd", max_steps=3)
    env.reset(seed=0)
    observation, _, _, cut, info = [env.step(np.zeros((3, 4))) for _ in range(3)][-1]
    assert cut.all()
    for i in range(3):
        last = info["final_obs"][i]
        assert env.single_observation_space.contains(last)
        assert not np.array_equal(last["rgb"], observation["rgb"][i])
    env.close()


@pytest.mark.slow
def test_tensors_are_the_same_pictures() -> None:
    import torch

    from pocketworld.sim.tensor_env import TensorEnv

    options: dict[str, Any] = {"threads": 1, "observation": "rgbd", "max_steps": 2}
    ours = WorldEnv(SCENES, **options)
    theirs = TensorEnv(SCENES, **options)
    observation, tensors = ours.reset(seed=2)[0], theirs.reset(seed=2)
    assert tensors["rgb"].dtype == torch.uint8
    for name in observation:
        assert np.array_equal(observation[name], tensors[name].numpy())
    observation, *_, info = [ours.step(np.ones((3, 4))) for _ in range(2)][-1]
    now = [theirs.step(torch.ones(3, 4)) for _ in range(2)][-1]
    for name in observation:
        assert np.array_equal(observation[name], now.seen[name].numpy())
        assert np.array_equal(np.stack([one[name] for one in info["final_obs"]]), now.last[name].numpy())
    ours.close()
    theirs.close()


@pytest.mark.slow
def test_who_closes_nothing_hears_nothing() -> None:
    program = (
        "from test_sim_rgbd import SCENES\nfrom pocketworld.sim.environment import WorldEnv\n"
        "env = WorldEnv(SCENES, threads=1, observation='rgbd')\nenv.reset()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parent,
    )  # fmt: skip
    assert "Error" not in done.stderr


# Bad input


def test_an_unknown_observation_is_one_line() -> None:
    with pytest.raises(PocketworldError, match="no observation 'smell'; there are: state, rgbd"):
        WorldEnv(SCENES, threads=1, observation="smell")


@pytest.mark.parametrize("size", [(0, 64), (64, 2000), (64, 64, 3), (64,), (10.5, 64)])
def test_pictures_of_a_size_that_can_not_be_are_one_line(size: Any) -> None:
    with pytest.raises(PocketworldError, match=r"pictures of .* pixels; \(width, height\), each 1 to 1024"):
        WorldEnv(SCENES, threads=1, observation="rgbd", picture=size)
