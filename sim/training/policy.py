"""Policies as functions of `Worlds`: a network that learns, or what a run has exported, on any backend."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.extras import require
from pocketworld.sim.arrays import Array, to_numpy
from pocketworld.sim.asked import Asked
from pocketworld.sim.policy import Policy
from pocketworld.sim.robots import Robot
from pocketworld.sim.tasks.observation import policy_names
from pocketworld.sim.tasks.task import Task
from pocketworld.sim.worlds import RATE, Worlds

WEIGHTS, SPEC = "policy.onnx", "policy.json"
Deviation = NDArray[np.float64]
SEEN, DONE = "policy", "actions"  # the network's input and output
DEVIATION = "deviation"  # in the spec; and the name of the streams that a policy strays by


def learnt(actor: Any) -> Policy:
    """Return what a network of rsl_rl does, with its deviation."""
    return straying(greedy(actor), deviation_of(actor))


def greedy(actor: Any) -> Policy:
    """Return what a network of rsl_rl does without its deviation, not yet cut to -1..1."""
    import torch
    from tensordict import TensorDict

    def act(worlds: Worlds) -> Array:
        seen = torch.as_tensor(worlds.observe()["policy"], device=next(actor.parameters()).device)
        with one_thread(), torch.inference_mode():
            actions = actor(TensorDict({"policy": seen}, batch_size=[worlds.num_envs]))
        return worlds.arrays.reals(actions if worlds.arrays.on_torch else actions.cpu().numpy())

    return act


def deviation_of(actor: Any) -> Deviation:
    """Return the standard deviation of each action of a network of rsl_rl."""
    deviation: Deviation = actor.distribution.log_std_param.detach().exp().cpu().double().numpy()
    return deviation


def cut(network: Policy) -> Policy:
    """Return a policy that does what a network says, cut to -1..1."""

    def act(worlds: Worlds) -> Array:
        return worlds.arrays.xp.clip(network(worlds), -1, 1)

    return act


def straying(network: Policy, deviation: Deviation) -> Policy:
    """Return a policy that strays from a network by normal noise (standard deviations, one an action).

    It learnt so. A policy without memory that does the same wherever things are the same stays where it is
    stuck once, a centimetre before a handle; one that strays by a little does not (see docs/benchmark.md).
    The noise is of each episode's and step's own stream, so that episodes replay.
    """

    def act(worlds: Worlds) -> Array:
        noise = [one.normal(size=len(deviation)) * deviation for one in worlds.streams(DEVIATION)]
        return network(worlds) + worlds.arrays.reals(np.array(noise))

    return cut(act)


def load(folder: Path) -> Policy:
    """Return the policy that a run has exported, which strays as it did while it learnt.

    Raises PocketworldError where there is none, where it is damaged, and, as it acts, where the task is
    another, or a robot senses or does other things, than the policy was taught with.
    """
    network = _network(folder)  # which looks at the spec
    return straying(network, deviation_in(spec_in(folder, folder), folder))


def load_mean(folder: Path) -> Policy:
    """Return the policy that a run has exported without its deviation; raises PocketworldError as `load`."""
    return cut(_network(folder))


def _network(folder: Path) -> Policy:
    """Return what an exported network says, not yet cut to -1..1."""
    session, spec = session_of(folder / WEIGHTS), spec_in(folder, folder)
    as_wide(session, spec, folder)

    def act(worlds: Worlds) -> Array:
        suits(spec, worlds.robot, worlds.task, folder, pictures=worlds.sight is not None)
        seen: NDArray[np.float32] = to_numpy(worlds.observe()["policy"])
        return worlds.arrays.reals(session.run([DONE], {SEEN: seen})[0])

    return act


def load_for(folder: Path, asked: Asked) -> Policy:
    """Return the policy that a run has exported, for environments that are asked for.

    Raises PocketworldError where it is not for these, before any is made; and see `load`.
    """
    suits(spec_in(folder, folder), asked.who(), asked.goal(), folder, pictures=asked.pictures)
    return load(folder)


def suits(spec: dict[str, Any], robot: Robot, task: Task, where: Path, *, pictures: bool) -> None:
    """Raise PocketworldError where a policy is not for a robot and a task, or where there are pictures."""
    if pictures:
        raise PocketworldError("observation rgbd: policies here see numbers only", "ask for state")
    fits(spec, robot, where)
    taught(spec, task.name, where)


def spec_of(robot: Robot) -> dict[str, Any]:
    """Return what a policy of a robot sees and does, number by number."""
    return {
        "robot": robot.name,
        "control_hz": RATE,
        "observation": list(policy_names(robot)),
        "action": list(robot.actions),
        "action_low": -1.0,
        "action_high": 1.0,
    }


def fits(spec: dict[str, Any], robot: Robot, where: Path) -> None:
    """Raise PocketworldError where a policy is of another robot, or sees or does other things."""
    for name, now in spec_of(robot).items():
        if spec.get(name) != now:
            was = _difference(spec.get(name), now)
            raise PocketworldError(f"{where}: the policy's {name} is another: {was}", "train one for this")


def taught(spec: dict[str, Any], task: str, where: Path) -> None:
    """Raise PocketworldError where a policy was taught another task."""
    if spec.get("task") != task:
        was = _difference(spec.get("task"), task)
        raise PocketworldError(f"{where}: the policy's task is another: {was}", f"--task {spec.get('task')}")


def as_wide(session: Any, spec: dict[str, Any], folder: Path) -> None:
    """Raise PocketworldError where a network takes or gives other numbers than its spec says."""
    for name, found, told in (
        (SEEN, session.get_inputs(), spec.get("observation")),
        (DONE, session.get_outputs(), spec.get("action")),
    ):
        widths = {one.name: list(one.shape)[-1:] for one in found}
        if not isinstance(told, list) or widths != {name: [len(told)]}:
            raise PocketworldError(f"{folder}: {WEIGHTS} and {SPEC} are not of one policy", "train again")


def deviation_in(spec: dict[str, Any], where: Path) -> Deviation:
    """Return the deviation in the spec of a policy that fits; raise PocketworldError where it is none."""
    told, count = spec.get(DEVIATION), len(spec["action"])
    numbers = told if isinstance(told, list) else []
    if len(numbers) != count or not all(type(one) in (int, float) and 0 <= one < np.inf for one in numbers):
        raise PocketworldError(
            f"{where}/{SPEC}: {DEVIATION} is {told!r}, not {count} numbers from 0 on", "train again"
        )
    return np.array(numbers, float)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread: small networks gain nothing by more, and sums keep their order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _difference(was: object, now: object) -> str:
    if not isinstance(was, list) or not isinstance(now, list):
        return f"{was!r}, not {now!r}"
    odd = [name for name in was if name not in now] + [name for name in now if name not in was]
    if len(was) == len(now):
        place = next(i for i in range(len(was)) if was[i] != now[i])
        return f"number {place + 1} of {len(now)} is {was[place]!r}, not {now[place]!r}"
    return f"{len(was)} numbers, not {len(now)}; it differs in {', '.join(map(str, odd[:3])) or 'order'}"


def spec_in(folder: Path, called: Path) -> dict[str, Any]:
    """Return the spec in a policy's folder, which is called so in errors."""
    file = called / SPEC
    try:
        spec = json.loads((folder / SPEC).read_text())
    except FileNotFoundError:
        raise PocketworldError(f"{file} does not exist", "pocketworld train makes it") from None
    except (OSError, ValueError) as error:
        raise PocketworldError(f"{file} can't be read: {error}", "train again") from None
    if not isinstance(spec, dict):
        raise PocketworldError(f"{file} is no policy's spec", "train again")
    return spec


def session_of(file: Path) -> Any:
    """Open a network; on one thread, as it is small, and so that its sums are always the same."""
    require("train", "onnxruntime")
    import onnxruntime

    if not file.is_file():
        raise PocketworldError(f"{file} does not exist", "pocketworld train makes it")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise PocketworldError(f"{file} is empty or damaged", "train again") from error
