"""The torch face: the same episodes as the gymnasium one, tensors on the physics' own memory."""

from collections.abc import Iterator
from dataclasses import fields, replace
from math import radians
from types import SimpleNamespace
from typing import Any

import array_api_compat.torch
import numpy as np
import pytest
import torch

from pocketworld.bench.replay import batches
from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.rng import stream
from pocketworld.scene import Pose, Scene
from pocketworld.sim.arrays import Arrays, columns, namespace, to_numpy, torch_arrays
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.robots.robot import Aim
from pocketworld.sim.senses import Senses
from pocketworld.sim.tasks.episode import Eyes
from pocketworld.sim.tasks.observation import POLICY, SIZES, TOLD, policy_view, privileged_view
from pocketworld.sim.tasks.reward import potential, reward
from pocketworld.sim.tensor_env import TensorEnv
from pocketworld.sim.worlds import RANGE, Worlds


def drawn(number: int) -> Scene:
    asset = build(sample(lambda name: stream(number, "tensor", name), Site((2.0, 0.9, 2.4))), "cab")
    pose = Pose.upright((0.5, -1.0, 0.0), float(stream(number, "yaw").uniform(-3, 3)))
    return Scene(f"drawn {number}", (replace(asset, pose=pose),), provenance={"cousin": f"test/{number}"})


SCENES = [scene for scene in map(drawn, range(8)) if scene.assets[0].movable][:5]
N = len(SCENES)


@pytest.fixture(params=["open", "close"])
def both(request: pytest.FixtureRequest) -> Iterator[tuple[WorldEnv, TensorEnv]]:
    options: dict[str, Any] = {"task": request.param, "threads": 1, "max_steps": 9}
    pair = WorldEnv(SCENES, **options), TensorEnv(SCENES, **options)
    yield pair
    for env in pair:
        env.close()


# The same episodes


def test_both_faces_show_the_same_episodes(both: tuple[WorldEnv, TensorEnv]) -> None:
    """To the bit, with resets on the way; only the rewards' type is narrower."""
    ours, theirs = both
    seen, _ = ours.reset(seed=4)
    tensors = theirs.reset(seed=4)
    ends = 0
    for t in range(25):
        assert all(np.array_equal(seen[name], tensors[name].numpy()) for name in ("policy", "privileged"))
        action = stream(t, "action").uniform(-1, 1, (N, 4))
        seen, rewards, success, cut, info = ours.step(action)
        out = theirs.step(torch.from_numpy(action))
        tensors = out.seen
        assert np.array_equal(rewards.astype(np.float32), out.reward.numpy())
        assert np.array_equal(success, out.terminated.numpy())
        assert np.array_equal(cut, out.truncated.numpy())
        for i in np.flatnonzero(success | cut):
            ends += 1
            for name in seen:
                assert np.array_equal(info["final_obs"][i][name], out.last[name][i].numpy())
                assert not np.array_equal(out.seen["policy"][i], out.last["policy"][i])
    assert ends >= 2 * N


def test_what_is_seen_last_is_what_is_seen_where_nothing_ended(both: tuple[WorldEnv, TensorEnv]) -> None:
    env = both[1]
    env.reset(seed=0)
    out = env.step(torch.zeros(N, 4))
    assert not out.done.any()
    assert all(torch.equal(out.last[name], out.seen[name]) for name in out.seen)


def test_tensors_that_were_given_away_do_not_change(both: tuple[WorldEnv, TensorEnv]) -> None:
    env = both[1]
    first = env.reset(seed=0)
    kept = {name: values.clone() for name, values in first.items()}
    out = env.step(torch.ones(N, 4))
    reward_then, progress_then = out.reward.clone(), out.progress.clone()
    for _ in range(10):
        env.step(-torch.ones(N, 4))
    assert all(torch.equal(kept[name], first[name]) for name in first)
    assert torch.equal(reward_then, out.reward)
    assert torch.equal(progress_then, out.progress)


def test_where_physics_blows_up_what_was_seen_before_is_the_last(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it is
    env = TensorEnv(SCENES, threads=1)
    env.reset(seed=0)
    before = env.step(torch.zeros(N, 4)).seen
    physics = env.worlds.physics
    row = physics.group_of[2], physics.row_of[2]  # type: ignore[attr-defined]
    physics.groups[row[0]].qvel[row[1], 0] = np.nan
    out = env.step(torch.zeros(N, 4))
    assert out.unstable.tolist() == out.truncated.tolist() == [i == 2 for i in range(N)]
    assert torch.equal(out.last["policy"][2], before["policy"][2])
    assert all(values.isfinite().all() for values in (*out.seen.values(), *out.last.values(), out.reward))


def test_joints_are_asked_for_by_name() -> None:
    env = TensorEnv([SCENES[0]], 3, threads=1)
    name = env.worlds.cousins[0].targets[-1].id
    env.reset(joint=[None, name, name])
    assert env.worlds.joints.tolist()[1:] == [name] * 2


@pytest.mark.parametrize(
    ("actions", "line"),
    [
        (torch.zeros(N, 3), rf"^actions have shape \({N}, 3\); give \({N}, 4\)$"),
        (torch.full((N, 4), torch.nan), r"^actions of environments \[0, 1, 2, 3, 4\] are not finite; give"),
    ],
)
def test_wrong_actions_are_one_line(actions: torch.Tensor, line: str) -> None:
    env = TensorEnv(SCENES, threads=1)
    with pytest.raises(PocketworldError, match=r"^step before reset; call reset first$"):
        env.step(torch.zeros(N, 4))
    env.reset(seed=0)
    with pytest.raises(PocketworldError, match=line):
        env.step(actions)


# One code for numpy and torch


def on_torch(values: Any) -> Any:
    """Return a dataclass's arrays as double-precision tensors."""
    parts = {f.name: torch.from_numpy(np.array(getattr(values, f.name))) for f in fields(values)}
    return type(values)(**parts)


@pytest.fixture(scope="module")
def running() -> Worlds:
    """Worlds of which some have closed on their handle, seen by eyes that are off."""
    env = WorldEnv(SCENES, 20, threads=1, eyes=Eyes(0.01, radians(3)))
    env.reset(seed=1)
    for _ in range(14):
        env.step(expert(env.worlds))
    return env.worlds


def test_tensors_and_arrays_give_the_same_numbers(running: Worlds) -> None:
    """All that a step computes besides physics: rounding is all that differs."""
    senses, aim = on_torch(running.senses), on_torch(running.aim)
    facts, progress = torch.from_numpy(running.facts), torch.from_numpy(running.progress)
    sense, time = torch.from_numpy(running.sense), torch.from_numpy(running.steps / 9)
    actions = stream(0, "actions").uniform(-1, 1, (20, 4))
    robot = running.robot

    def close(ours: Any, theirs: torch.Tensor) -> None:
        assert theirs.numpy() == pytest.approx(ours, abs=1e-6 if ours.dtype == np.float32 else 1e-12)

    own = policy_view(robot, running.senses, running.facts, running.aim)
    close(own, policy_view(robot, senses, facts, aim))
    known = privileged_view(running.senses, running.facts, running.progress, running.sense, running.steps / 9)
    close(known, privileged_view(senses, facts, progress, sense, time))
    worth = potential(running.senses, running.facts, running.progress)
    close(worth, potential(senses, facts, progress))
    success = running.progress > 0.1
    ours = reward(worth, worth * 2, actions, success)
    close(ours, reward(*map(torch.from_numpy, (worth, worth * 2, actions, success))))
    asked, same = (
        robot.aim(running.senses, running.aim, actions),
        robot.aim(senses, aim, torch.from_numpy(actions)),
    )
    for part in fields(Aim):
        close(getattr(asked, part.name), getattr(same, part.name))
    there: Any = SimpleNamespace(senses=senses, facts=facts, sense=sense)
    close(expert(running), expert(there))


def test_arrays_are_made_of_their_library_type_and_device() -> None:
    made = torch_arrays("cpu")
    assert made.on_torch
    assert made.zeros(2, 3).dtype == made.reals(np.ones(2)).dtype == torch.float32
    assert made.ints(np.ones(2)).dtype == torch.int64
    assert made.bools([True]).dtype == torch.bool
    double = Arrays(array_api_compat.torch, torch.float64, "cpu")
    assert double.zeros(1).dtype == torch.float64
    assert namespace(made.zeros(1)) is array_api_compat.torch


def test_columns_stand_side_by_side() -> None:
    a, b = np.arange(3.0), np.arange(6.0).reshape(3, 2)
    assert np.array_equal(columns([a, b]), np.column_stack([a, b]))
    assert np.array_equal(
        to_numpy(columns([torch.from_numpy(a), torch.from_numpy(b)])), np.column_stack([a, b])
    )


# Eyes


def test_sharp_eyes_see_the_handle_where_it_is() -> None:
    env = WorldEnv(SCENES, threads=1)
    env.reset(seed=0)
    assert env.worlds.senses.seen_handle is env.worlds.senses.handle
    env.close()


def test_eyes_are_off_by_as_much_as_said_and_for_a_whole_episode() -> None:
    eyes = Eyes(0.01, radians(3))
    env = WorldEnv(SCENES, 200, threads=1, eyes=eyes)
    env.reset(seed=0)
    senses = env.worlds.senses

    def off() -> tuple[np.ndarray, np.ndarray]:
        turn = senses.handle_turn
        place = np.einsum("nji,nj->ni", turn, senses.seen_handle - senses.handle)
        return place, np.einsum("nji,njk->nik", turn, senses.seen_turn)

    place, turn = off()
    assert place.std(0) == pytest.approx([0.01] * 3, rel=0.2)
    angle = np.arccos(np.clip((np.trace(turn, axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert np.sqrt((angle**2).mean()) == pytest.approx(radians(3) * 3**0.5, rel=0.15)
    for _ in range(10):
        env.step(stream(1, "some").uniform(-1, 1, (200, 4)))
    later, _ = off()
    assert later == pytest.approx(place, abs=1e-9)
    env.reset(seed=1)
    assert not np.allclose(off()[0], place)
    env.close()


def test_eyes_change_what_is_seen_and_nothing_else() -> None:
    seen = [WorldEnv(SCENES, threads=1, eyes=eyes).reset(seed=3)[0] for eyes in (Eyes(), Eyes(0.01, 0.05))]
    assert np.array_equal(seen[0]["privileged"], seen[1]["privileged"])
    assert not np.array_equal(seen[0]["policy"], seen[1]["policy"])
    differs = (seen[0]["policy"] != seen[1]["policy"]).any(0)
    where = {name for name, one in zip(POLICY, differs, strict=True) if one}
    sizes = {name.removesuffix("_m") + "_20" for name in SIZES}
    assert where == set(POLICY[:TOLD]) - sizes, "the handle's place and axes, no more"


def test_senses_are_read_alone_as_among_others_with_blurred_eyes() -> None:
    eyes = Eyes(0.01, 0.05)
    together = WorldEnv(SCENES, threads=1, eyes=eyes).reset(seed=3)[0]["policy"]
    alone = WorldEnv([SCENES[3]], threads=1, eyes=eyes).reset(seed=3)[0]["policy"]
    assert np.array_equal(together[3], alone[0])


def test_an_arms_joints_are_read_only_where_a_robot_has_an_arm() -> None:
    env = WorldEnv(SCENES[:2], threads=1)
    assert env.worlds.senses.robot_anchor.shape == (2, 0, 3)
    senses = Senses.empty(2, 9, 7, True, env.worlds.arrays)
    assert senses.robot_anchor.shape == senses.robot_axis.shape == (2, 7, 3)
    assert batches(env).arrays is env.worlds.arrays


# Whoever calls


def test_tensors_may_be_written_whatever_mode_the_caller_was_in() -> None:
    """Trainers roll out in inference mode and reset outside of it; nothing keeps a graph of what it did."""
    env = TensorEnv(SCENES[:2], threads=1, max_steps=3)
    with torch.inference_mode():
        env.reset(seed=0)
        for _ in range(4):
            out = env.step(torch.zeros(2, 4))
    env.reset(seed=1)
    wild = torch.zeros(2, 4, requires_grad=True)
    out = env.step(torch.tanh(wild))
    assert not any(
        values.requires_grad or values.is_inference() for values in (*out.seen.values(), out.reward)
    )


def test_what_blew_up_is_as_far_as_it_began(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is known any more nothing is claimed: a part to be closed is not shut by a NaN."""
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it is
    env = WorldEnv(SCENES, task="close", threads=1)
    env.reset(seed=0)
    began = env.worlds.begin[1] / env.worlds.facts[1, RANGE]
    physics = batches(env)
    physics.groups[physics.group_of[1]].qvel[physics.row_of[1], 0] = np.nan
    _, reward_, success, cut, info = env.step(np.zeros((N, 4)))
    assert (bool(success[1]), bool(cut[1]), float(reward_[1])) == (False, True, 0.0)
    assert info["final_info"]["opened"][1] == pytest.approx(began)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"max_steps": 0}, r"^max_steps is 0; at least 1$"),
        ({"threads": 0}, r"^threads is 0; at least 1$"),
        ({"threads": -3}, r"^threads is -3; at least 1$"),
    ],
)
def test_less_than_one_is_one_line(options: dict[str, Any], line: str) -> None:
    with pytest.raises(PocketworldError, match=line):
        WorldEnv(SCENES[:1], **options)


def test_bad_seeds_and_half_a_first_reset_are_one_line() -> None:
    env = WorldEnv(SCENES[:2], threads=1)
    with pytest.raises(PocketworldError, match=r"^seed is -1; 0 or more$"):
        env.reset(seed=-1)
    with pytest.raises(
        PocketworldError, match=r"^reset_mask leaves out environments without an episode; reset"
    ):
        env.reset(options={"reset_mask": np.array([True, False])})


def test_of_thousands_of_scenes_only_those_that_are_drawn_are_built_for_the_eye() -> None:
    class Counted(list[Scene]):
        asked = 0

        def __getitem__(self, index: Any) -> Any:
            Counted.asked += not isinstance(index, slice)
            return super().__getitem__(index)

    env = WorldEnv(Counted(SCENES), threads=1, render_mode="rgb_array")
    env.reset(seed=0)
    before = Counted.asked
    env.draw([0, 1])
    assert Counted.asked - before == 2
    env.close()
