"""Policies as functions of `Worlds`: a network that learns, or what a run has exported, on any backend."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.extras import require
from pocketworld.sim import robots
from pocketworld.sim.arrays import Array, to_numpy
from pocketworld.sim.policy import Policy
from pocketworld.sim.robots import Robot
from pocketworld.sim.tasks.observation import TOLD, policy_names
from pocketworld.sim.tasks.task import task as task_named
from pocketworld.sim.worlds import RATE, Worlds

WEIGHTS, SPEC = "policy.onnx", "policy.json"
SEEN, DONE = "policy", "actions"  # the network's input and output
Pictures = Mapping[str, Sequence[int]]  # shapes of rgb and depth


def greedy(actor: Any) -> Policy:
    """Return what a network of rsl_rl does without exploring."""
    import torch
    from tensordict import TensorDict

    def act(worlds: Worlds) -> Array:
        seen = torch.as_tensor(worlds.observe()["policy"], device=next(actor.parameters()).device)
        with one_thread(), torch.inference_mode():
            actions = actor(TensorDict({"policy": seen}, batch_size=[worlds.num_envs]))
        return worlds.arrays.reals(actions if worlds.arrays.on_torch else actions.cpu().numpy())

    return act


def load(folder: Path) -> Policy:
    """Return the policy that a run has exported.

    Raises PocketworldError where there is none, where it is damaged, and, as it first acts, where the task is
    another, or a robot senses or does other things, than the policy was taught with.
    """
    session, spec = session_of(folder / WEIGHTS), spec_in(folder, folder)
    as_wide(session, spec, folder)
    agreed: list[tuple[str, str, bool]] = []

    def act(worlds: Worlds) -> Array:
        asked = worlds.robot.name, worlds.task.name, worlds.sight is None
        if asked not in agreed:
            fits(spec, worlds.robot, folder, pictures_of(worlds))
            taught(spec, worlds.task.name, folder)
            agreed.append(asked)
        seen: NDArray[np.float32] = to_numpy(worlds.observe()["policy"])
        return worlds.arrays.reals(np.clip(session.run([DONE], {SEEN: seen})[0], -1, 1))

    return act


def load_for(folder: Path, options: Mapping[str, Any]) -> Policy:
    """Return the policy that a run has exported, for environments of these options: robot, task, observation.

    Raises PocketworldError where it is not for these, before any is made; and see `load`.
    """
    spec, robot = spec_in(folder, folder), robots.named(options.get("robot", "hand"))
    fits(spec, robot, folder, {} if options.get("observation") == "rgbd" else None)
    taught(spec, task_named(options.get("task", "open")).name, folder)
    return load(folder)


def pictures_of(worlds: Worlds) -> Pictures | None:
    """Return the shapes of the pictures that environments give; None where they give none."""
    return None if worlds.sight is None else {k: box.shape for k, box in worlds.sight.spaces.items()}


def spec_of(robot: Robot, pictures: Pictures | None = None) -> dict[str, Any]:
    """Return what a policy of a robot sees and does, number by number.

    pictures   shapes of what it sees besides; who has eyes is told nothing of the handle
    """
    names = policy_names(robot)
    return {
        "robot": robot.name,
        "control_hz": RATE,
        "observation": list(names if pictures is None else names[TOLD:]),
        "pictures": None if pictures is None else {k: list(shape) for k, shape in pictures.items()},
        "action": list(robot.actions),
        "action_low": -1.0,
        "action_high": 1.0,
    }


def fits(spec: dict[str, Any], robot: Robot, where: Path, pictures: Pictures | None = None) -> None:
    """Raise PocketworldError where a policy is of another robot, or sees or does other things."""
    for name, now in spec_of(robot, pictures).items():
        if spec.get(name) != now:
            was = _difference(spec.get(name), now)
            raise PocketworldError(f"{where}: the policy's {name} is another: {was}", "train one for this")


def taught(spec: dict[str, Any], task: str, where: Path) -> None:
    """Raise PocketworldError where a policy was taught another task."""
    if spec.get("task") != task:
        was = _difference(spec.get("task"), task)
        raise PocketworldError(f"{where}: the policy's task is another: {was}", f"--task {spec.get('task')}")


def as_wide(session: Any, spec: dict[str, Any], folder: Path) -> None:
    """Raise PocketworldError where a network takes or gives other numbers than its spec says, or pictures."""
    if spec.get("pictures"):
        raise PocketworldError(f"{folder}: the policy sees pictures", "only those that see numbers run here")
    for name, found, told in (
        (SEEN, session.get_inputs(), spec.get("observation")),
        (DONE, session.get_outputs(), spec.get("action")),
    ):
        widths = {one.name: list(one.shape)[-1:] for one in found}
        if not isinstance(told, list) or widths != {name: [len(told)]}:
            raise PocketworldError(f"{folder}: {WEIGHTS} and {SPEC} are not of one policy", "train again")


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
