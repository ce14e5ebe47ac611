"""How an episode begins: which joint is asked for, how far it is open, where the hand starts.

All is drawn from a stream of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pocketworld.errors import PocketworldError
from pocketworld.rng import stream
from pocketworld.sim.cousin import Cousin, Hold, Target
from pocketworld.sim.given import check_seeds
from pocketworld.sim.tasks.task import Task

Array = NDArray[np.float64]
# Where the hand starts, in the handle's frame (out, across, along), m from the handle: in reach of a few
# strides, and out far enough to stand clear of the handle's neighbours.
START_LOW, START_HIGH = (0.10, -0.12, -0.12), (0.22, 0.12, 0.12)
ABOVE_FLOOR = 0.08  # m: the hand itself has room there


@dataclass(frozen=True, slots=True)
class Episode:
    """What one episode asks for: the target's joint goes from q to goal (m or rad).

    hold     where and how the target is held as it begins;  start (3,): where the hand is then, m
    off (3,), off_turn (3, 3)   how far off the handle is seen all along, in its own frame: m, a rotation
    """

    target: Target
    q: float
    goal: float
    hold: Hold
    start: Array
    off: Array
    off_turn: Array


@dataclass(frozen=True, slots=True)
class Eyes:
    """How well the robot knows where the handle is: standard deviations along and about each axis, m and rad.

    An error lasts for an episode, as that of a detector that looks once does; no average takes it out. It is
    one of where the camera is, so how large a handle is, is seen as it is.
    """

    place: float = 0.0
    turn: float = 0.0


SHARP = Eyes()


def draw(
    cousin: Cousin,
    task: Task,
    seed: int,
    replica: int,
    number: int,
    asked: Target | None = None,
    eyes: Eyes = SHARP,
) -> Episode:
    """Draw episode `number` of an environment; the joint too, of those with a handle, if none is asked for.

    In a cousin without any handle all its joints are drawn from: no hand can open them, which is the truth.
    """
    generator = stream(seed, "episode", cousin.id, replica, number)
    choice, offset = generator.random(), generator.uniform(START_LOW, START_HIGH)
    if asked is None:
        some = [target for target in cousin.targets if target.holdable] or list(cousin.targets)
        asked = some[int(choice * len(some))]
    q = float(generator.uniform(*task.start)) * asked.range
    hold = asked.hold(q)
    start = hold.grip + hold.turn @ offset
    start[2] = max(start[2], ABOVE_FLOOR)
    off, turn = generator.normal(size=3) * eyes.place, generator.normal(size=3) * eyes.turn
    off_turn = Rotation.from_rotvec(turn).as_matrix() if eyes.turn else np.eye(3)
    return Episode(asked, q, task.goal * asked.range, hold, start, off, off_turn)


def asked_for(cousins: Sequence[Cousin], joints: Any) -> list[Target | None]:
    """Return the target asked for in each environment: joints has an id or None for each, or one id for all.

    Raises PocketworldError for a joint that an environment does not have.
    """
    if joints is None or isinstance(joints, str):
        joints = [joints] * len(cousins)
    if not isinstance(joints, Sequence | np.ndarray):
        raise PocketworldError(f"joint is {joints!r}", '"asset/joint", or one an environment')
    if len(joints) != len(cousins):
        raise PocketworldError(f"{len(joints)} joints for {len(cousins)} environments", "one each, or None")
    return [None if id is None else _find(cousin, id) for cousin, id in zip(cousins, joints, strict=True)]


def numbered(ids: Sequence[str], given: Sequence[int] | None) -> tuple[int, ...]:
    """Return what tells environments of one cousin apart: as given, or how many of it there were before."""
    if given is not None:
        if len(given) != len(ids):
            raise PocketworldError(f"{len(given)} replicas for {len(ids)} environments", "one each")
        return tuple(int(replica) for replica in given)
    seen: dict[str, int] = {}
    out = []
    for id in ids:
        out.append(seen.get(id, 0))
        seen[id] = out[-1] + 1
    return tuple(out)


def seeds(given: int | Sequence[int | None] | None, count: int) -> list[int | None]:
    """Return each environment's new seed: one for all, or one each; None keeps what it had."""
    check_seeds(given)
    if given is None or isinstance(given, int | np.integer):
        given = [given] * count
    if len(given) != count:
        raise PocketworldError(f"{len(given)} seeds for {count} environments", "one each, or one for all")
    new = [None if one is None else int(one) for one in given]
    if any(one is not None and one < 0 for one in new):
        raise PocketworldError(f"seed is {min(one for one in new if one is not None)}", "0 or more")
    return new


def _find(cousin: Cousin, id: str) -> Target:
    for target in cousin.targets:
        if target.id == id:
            return target
    known = [target.id for target in cousin.targets]
    raise PocketworldError(f"cousin {cousin.id} has no joint {id!r}", f"it has {known}")
