"""Policies as functions of `Worlds`: a network that learns, or what a run has exported, on any backend."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.sim.arrays import Array, to_numpy
from pocketworld.sim.observation import policy_names
from pocketworld.sim.policy import Policy
from pocketworld.sim.robots import Robot
from pocketworld.sim.worlds import RATE, Worlds

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS, SPEC = "policy.onnx", "policy.json"
SEEN, DONE = "policy", "actions"  # the network's input and output


def greedy(actor: Any) -> Policy:
    """Return what a network of rsl_rl does without exploring."""
    import torch
    from tensordict import TensorDict

    def act(worlds: Worlds) -> Array:
        seen = torch.as_tensor(worlds.observe()["policy"], device=next(actor.parameters()).device)
        with torch.inference_mode():
            actions = actor(TensorDict({"policy": seen}, batch_size=[worlds.num_envs]))
        return worlds.arrays.reals(actions if worlds.arrays.on_torch else actions.cpu().numpy())

    return act


def load(folder: Path) -> Policy:
    """Return the policy that a run has exported.

    Raises PocketworldError where there is none, where it is damaged, and, as it first acts, where a robot
    senses or does other things than the policy was taught with.
    """
    session, spec = session_of(folder / WEIGHTS), _spec(folder / SPEC)
    agreed: list[str] = []

    def act(worlds: Worlds) -> Array:
        if worlds.robot.name not in agreed:
            fits(spec, worlds.robot, folder)
            agreed.append(worlds.robot.name)
        seen: NDArray[np.float32] = to_numpy(worlds.observe()["policy"])
        return worlds.arrays.reals(np.clip(session.run([DONE], {SEEN: seen})[0], -1, 1))

    return act


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


def _difference(was: object, now: object) -> str:
    if not isinstance(was, list) or not isinstance(now, list):
        return f"{was!r}, not {now!r}"
    odd = [name for name in was if name not in now] + [name for name in now if name not in was]
    return f"{len(was)} numbers, not {len(now)}; it differs in {', '.join(map(str, odd[:3])) or 'order'}"


def _spec(file: Path) -> dict[str, Any]:
    try:
        spec = json.loads(file.read_text())
    except FileNotFoundError:
        raise PocketworldError(f"{file} does not exist", "pocketworld train makes it") from None
    except (OSError, ValueError) as error:
        raise PocketworldError(f"{file} can't be read: {error}", "train again") from None
    if not isinstance(spec, dict):
        raise PocketworldError(f"{file} is no policy's spec", "train again")
    return spec


def session_of(file: Path) -> Any:
    """Open a network; on one thread, as it is small, and so that its sums are always the same."""
    try:
        import onnxruntime
    except ImportError:
        raise PocketworldError("running a policy needs onnxruntime", "pip install onnxruntime") from None
    if not file.is_file():
        raise PocketworldError(f"{file} does not exist", "pocketworld train makes it")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise PocketworldError(f"{file} is no network: {error}", "train again") from error
