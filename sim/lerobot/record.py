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
from pocketworld.sim import backends
from pocketworld.sim.arrays import Array, to_numpy
from pocketworld.sim.expert import expert
from pocketworld.sim.lerobot.cameras import Cameras, Moment
from pocketworld.sim.lerobot.checks import check
from pocketworld.sim.lerobot.features import Features, Limits
from pocketworld.sim.lerobot.writer import Episode, writing
from pocketworld.sim.models.mjcf import name_of
from pocketworld.sim.policy import Policy, begin, finish
from pocketworld.sim.tasks.words import sentence
from pocketworld.sim.worlds import RATE, Outcome, Worlds

Tick = Callable[[str], None]
AT_ONCE = 64  # environments at most: each keeps its running episode's numbers, some 100 kB
# Episodes one after another of which none is kept, after which it is no use to go on: of a policy that
# succeeds in one of 20, one wait in 30 000 is longer.
IN_VAIN = 200


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

    moments, seen (t, n): before each step;  actions (t, m), rewards (t,)
    """

    which: int
    seed: int
    joint: str
    moments: list[Moment] = field(default_factory=list)
    seen: list[NDArray[np.float32]] = field(default_factory=list)
    actions: list[NDArray[np.float32]] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    ended: bool = False
    success: bool = False
    unstable: bool = False

    def act(self, worlds: Worlds, seen: NDArray[np.float32], actions: NDArray[np.float32]) -> None:
        """Note what there is before a step, and what is done in it."""
        self.moments.append(Moment.of(worlds, self.which))
        self.seen.append(seen[self.which])
        self.actions.append(actions[self.which])

    def end(self, came: Outcome) -> None:
        """Note what the step came to."""
        i = self.which
        self.rewards.append(float(came.reward[i]))
        self.success, self.unstable = bool(came.success[i]), bool(came.unstable[i])
        self.ended = bool(came.done[i])


@dataclass(eq=False, slots=True)
class _Counts:
    tried: int = 0
    succeeded: int = 0
    unstable: int = 0
    kept: int = 0
    in_vain: int = 0  # since the last one that was kept

    def add(self, take: _Take, kept: bool) -> None:
        self.tried += 1
        self.succeeded += take.success
        self.unstable += take.unstable
        self.kept += kept
        self.in_vain = 0 if kept else self.in_vain + 1


def record(
    scenes: Sequence[Scene],
    target: Path,
    episodes: int,
    policy: Policy = expert,
    *,
    seed: int = 0,
    failed: bool = False,
    size: tuple[int, int] = (320, 240),
    cameras: Sequence[str] = ("front",),
    limits: Limits | None = None,
    tick: Tick = lambda _: None,
    **options: Any,
) -> Recorded:
    """Record episodes of a policy in scenes, in rounds of one episode each; write them to a new folder.

    It is read back before it is put in its place.

    policy    returns actions (n, len(robot.actions)) for where all environments are
    failed    keep episodes that failed too; else successful ones only
    size      of the pictures: width and height, pixels, even numbers
    cameras   front: the whole scene; wrist: what is before the hand
    options   of the environments: task, robot, backend, max_steps, threads, eyes ... (see `backends.worlds`)
    Raises PocketworldError where none of IN_VAIN episodes on end is kept, and where `target` is there
    already. Pictures are drawn as they are written, of the moments that were met: only of what is kept.
    """
    if episodes < 1:
        raise PocketworldError(f"{episodes} episodes", "at least 1")
    count = min(episodes, AT_ONCE)
    shown = [scenes[i] for i in range(min(len(scenes), count))]
    with ExitStack() as used:
        worlds = used.enter_context(closing(backends.worlds(shown, count, **options)))
        eyes = used.enter_context(closing(Cameras(cameras, shown, worlds.robot, size)))
        writer = used.enter_context(writing(target, features(worlds, eyes), limits, _checked(tick)))
        takes = _kept(worlds, len(shown), policy, seed, failed, counts := _Counts())
        for take in islice(takes, episodes):
            episode = _episode(take, worlds, shown, eyes)
            tick(episode.task)
            writer.add(episode)
    return Recorded(
        target, writer.episodes, writer.frames, counts.tried, counts.succeeded, counts.unstable, writer.tasks
    )


def features(worlds: Worlds, cameras: Cameras) -> Features:
    """Return what is recorded of environments: their `policy` observation as the state, never what only a
    teacher knows.
    """
    vectors = {
        "observation.state": worlds.policy_names,
        "action": tuple(worlds.robot.actions),
        "next.reward": ("reward",),
    }
    flags = ("next.done", "next.success")
    return Features(RATE, vectors, flags, cameras.features, worlds.robot.name)


def _checked(tick: Tick) -> Callable[[Path], object]:
    def read_back(folder: Path) -> None:
        tick("reading it back")
        check(folder)

    return read_back


def _kept(
    worlds: Worlds, scenes: int, policy: Policy, seed: int, failed: bool, counts: _Counts
) -> Iterator[_Take]:
    """Yield episodes that are kept, round by round and scene by scene."""
    for number in count_up():
        takes = _round(worlds, policy, _seed(seed, number))
        for take in sorted(takes, key=lambda take: take.which % scenes):
            kept = not take.unstable and (take.success or failed)
            counts.add(take, kept)
            if kept:
                yield take
            elif counts.in_vain == IN_VAIN:
                raise _vain(counts, failed)


def _vain(counts: _Counts, failed: bool) -> PocketworldError:
    what = f"kept {counts.kept} of {counts.tried} episodes, and none of the last {IN_VAIN}"
    hint = "ask for fewer episodes" if counts.kept else "ask for another policy or task"
    return PocketworldError(what, hint if failed else f"{hint}; --failed keeps those that fail too")


def _seed(seed: int, number: int) -> int:
    """Return a round's seed: the first is as given, so that its episodes are those of `pocketworld sim`."""
    return seed if number == 0 else int(stream(seed, "record", number).integers(2**31))


def _round(worlds: Worlds, policy: Policy, seed: int) -> list[_Take]:
    """Run one episode in each environment."""
    begin(worlds, seed)
    takes = [_Take(i, seed, str(joint)) for i, joint in enumerate(worlds.joints)]

    def noted(worlds: Worlds) -> Array:
        # In the precision that is written: so that what is written, done again, does the same.
        actions = np.clip(to_numpy(policy(worlds)), -1, 1).astype(np.float32)
        seen = to_numpy(worlds.observe()["policy"])
        for take in takes:
            if not take.ended:
                take.act(worlds, seen, actions)
        return actions

    for live, came in finish(worlds, noted):
        for i in np.flatnonzero(live):
            takes[i].end(came)
    return takes


def _episode(take: _Take, worlds: Worlds, scenes: Sequence[Scene], eyes: Cameras) -> Episode:
    """Return what is written of a take; its pictures are drawn as they are asked for."""
    which, steps = take.which % len(scenes), len(take.moments)
    cousin, last = worlds.cousins[take.which], np.arange(steps) == steps - 1
    columns: dict[str, NDArray[Any]] = {
        "observation.state": np.array(take.seen),
        "action": np.array(take.actions),
        "next.reward": np.array(take.rewards),
        "next.done": last,
        "next.success": last & take.success,
    }
    drawn = (eyes.see(which, moment) for moment in take.moments)
    task = _task(worlds, scenes[which], take.joint)
    replica = worlds.replicas[take.which]
    origin = {"cousin": cousin.id, "replica": replica, "seed": take.seed, "joint": take.joint}
    return Episode(task, columns, drawn, origin)


def _task(worlds: Worlds, scene: Scene, name: str) -> str:
    asset, joint = next((a, j) for a, j in scene.joints() if name_of(a, j) == name)
    return sentence(worlds.task.name, asset, joint)
