"""Records what a policy does as a LeRobot dataset: what the robot senses, does and sees, and what for."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from itertools import count as count_up
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.rng import stream
from pocketworld.scene import Scene
from pocketworld.sim.arrays import Array, to_numpy
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.lerobot.features import Features, Limits
from pocketworld.sim.lerobot.words import sentence
from pocketworld.sim.lerobot.writer import Episode, Image, writing
from pocketworld.sim.mjcf import name_of
from pocketworld.sim.observation import policy_names
from pocketworld.sim.robots import Robot
from pocketworld.sim.views import Views
from pocketworld.sim.worlds import Worlds

Policy = Callable[[Worlds], Array]
Tick = Callable[[str], None]
CAMERA = "observation.images.front"
AT_ONCE = 64  # environments at most: each keeps its running episode's numbers, some 100 kB
IN_VAIN = 3  # rounds without any success, after which it is no use to go on


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded.

    episodes, frames   in the dataset;  tried: episodes that ended, of which `succeeded` did
    unstable           episodes in which the physics blew up: never kept
    tasks              in words
    """

    folder: Path
    episodes: int
    frames: int
    tried: int
    succeeded: int
    unstable: int
    tasks: tuple[str, ...]

    def text(self) -> str:
        """Return one line."""
        some = f"; unstable: {self.unstable}" if self.unstable else ""
        share = f"succeeded: {self.succeeded} of {self.tried}{some}"
        sizes = f"{self.episodes} episodes, {self.frames} frames, {len(self.tasks)} tasks"
        return f"{sizes} ({share}): {self.folder}"

    def to_json(self) -> dict[str, object]:
        """Return what JSON can hold."""
        return {**asdict(self), "folder": str(self.folder), "tasks": list(self.tasks)}


@dataclass(eq=False, slots=True)
class _Take:
    """What environment `which` did in an episode of which (seed, its cousin's id, replica) is all drawn.

    states (t, nq) before each step, seen (t, n), actions (t, m), rewards (t,)
    """

    which: int
    seed: int
    joint: str
    states: list[NDArray[np.float64]] = field(default_factory=list)
    seen: list[NDArray[np.float32]] = field(default_factory=list)
    actions: list[NDArray[np.float32]] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    ended: bool = False
    success: bool = False
    unstable: bool = False


class _Eyes:
    """Draws scenes, one after another: what draws a kitchen takes 30 MB."""

    def __init__(self, scenes: Sequence[Scene], robot: Robot, size: tuple[int, int]) -> None:
        self._scenes, self._robot, self._size = scenes, robot, size
        self._which, self._views = -1, Views((), robot, size)

    def draw(self, which: int, state: NDArray[np.float64]) -> Image:
        """Return a picture (height, width, 3) of scene `which` in a state (nq,)."""
        if which != self._which:
            self.close()
            self._which = which
            self._views = Views([self._scenes[which]], self._robot, self._size)
        return self._views.draw(0, state)

    def close(self) -> None:
        """Free what draws."""
        self._views.close()


@dataclass(eq=False, slots=True)
class _Counts:
    tried: int = 0
    succeeded: int = 0
    unstable: int = 0


def record(
    scenes: Sequence[Scene],
    target: Path,
    episodes: int,
    policy: Policy = expert,
    *,
    seed: int = 0,
    failed: bool = False,
    size: tuple[int, int] = (320, 240),
    limits: Limits | None = None,
    tick: Tick = lambda _: None,
    **options: Any,
) -> Recorded:
    """Record episodes of a policy in scenes, in rounds of one episode each; write them to a new folder.

    policy    returns actions (n, len(robot.actions)) for where all environments are
    failed    keep episodes that failed too; else successful ones only
    size      of the pictures: width and height, pixels, even numbers
    options   of the environment: task, robot, max_steps, threads, eyes ... (see `WorldEnv`)
    Raises PocketworldError where nothing succeeds, and where `target` is there already. Pictures are drawn as
    they are written, from the states that were met: only episodes that are kept are drawn.
    """
    if episodes < 1:
        raise PocketworldError(f"{episodes} episodes", "at least 1")
    count = min(episodes, AT_ONCE)
    shown = [scenes[i] for i in range(min(len(scenes), count))]
    with ExitStack() as used:
        env = used.enter_context(closing(WorldEnv(shown, count, **options)))
        views = used.enter_context(closing(_Eyes(shown, env.worlds.robot, size)))
        writer = used.enter_context(writing(target, features(env, size), limits))
        takes = _kept(env, len(shown), policy, seed, failed, counts := _Counts())
        for take in islice(takes, episodes):
            episode = _episode(take, env, shown, views)
            tick(episode.task)
            writer.add(episode)
    return Recorded(
        target, writer.episodes, writer.frames, counts.tried, counts.succeeded, counts.unstable, writer.tasks
    )


def features(env: WorldEnv, size: tuple[int, int]) -> Features:
    """Return what is recorded of an environment: its `policy` observation as the state, never what only a
    teacher knows.
    """
    robot = env.worlds.robot
    vectors = {
        "observation.state": policy_names(robot),
        "action": tuple(robot.actions),
        "next.reward": ("reward",),
    }
    width, height = size
    flags = ("next.done", "next.success")
    return Features(env.metadata["render_fps"], vectors, flags, {CAMERA: (height, width)}, robot.name)


def _kept(
    env: WorldEnv, scenes: int, policy: Policy, seed: int, failed: bool, counts: _Counts
) -> Iterator[_Take]:
    """Yield episodes that are kept, round by round and scene by scene."""
    for number in count_up():
        for take in sorted(_round(env, policy, _seed(seed, number)), key=lambda take: take.which % scenes):
            counts.tried += 1
            counts.succeeded += take.success
            counts.unstable += take.unstable
            if not take.unstable and (take.success or failed):
                yield take
        if number + 1 >= IN_VAIN and not (counts.tried - counts.unstable if failed else counts.succeeded):
            raise PocketworldError(
                f"the policy succeeded in none of {counts.tried} episodes",
                "--failed keeps those that fail too",
            )


def _seed(seed: int, number: int) -> int:
    """Return a round's seed: the first is as given, so that its episodes are those of `pocketworld sim`."""
    return seed if number == 0 else int(stream(seed, "record", number).integers(2**31))


def _round(env: WorldEnv, policy: Policy, seed: int) -> list[_Take]:
    """Run one episode in each environment."""
    seen, info = env.reset(seed=seed)
    takes = [_Take(i, seed, str(joint)) for i, joint in enumerate(info["joint"])]
    while live := [take for take in takes if not take.ended]:
        # In the precision that is written: so that what is written, done again, does the same.
        actions = np.clip(to_numpy(policy(env.worlds)), -1, 1).astype(np.float32)
        for take in live:
            take.states.append(env.worlds.physics.qpos(take.which))
            take.seen.append(seen["policy"][take.which])
            take.actions.append(actions[take.which])
        seen, rewards, success, cut, info = env.step(actions.astype(np.float64))
        for take in live:
            i = take.which
            take.rewards.append(float(rewards[i]))
            take.success, take.unstable = bool(success[i]), bool(info["unstable"][i])
            take.ended = bool(success[i] | cut[i])
    return takes


def _episode(take: _Take, env: WorldEnv, scenes: Sequence[Scene], views: _Eyes) -> Episode:
    """Return what is written of a take; its pictures are drawn as they are asked for."""
    which, steps = take.which % len(scenes), len(take.states)
    cousin, last = env.worlds.cousins[take.which], np.arange(steps) == steps - 1
    columns: dict[str, NDArray[Any]] = {
        "observation.state": np.array(take.seen),
        "action": np.array(take.actions),
        "next.reward": np.array(take.rewards),
        "next.done": last,
        "next.success": last & take.success,
    }
    drawn: Iterator[dict[str, Image]] = ({CAMERA: views.draw(which, state)} for state in take.states)
    task = _task(env, scenes[which], take.joint)
    replica = env.worlds.replicas[take.which]
    origin = {"cousin": cousin.id, "replica": replica, "seed": take.seed, "joint": take.joint}
    return Episode(task, columns, drawn, origin)


def _task(env: WorldEnv, scene: Scene, name: str) -> str:
    asset, joint = next((a, j) for a, j in scene.joints() if name_of(a, j) == name)
    return sentence(env.worlds.task.name, asset, joint)
