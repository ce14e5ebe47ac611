"""All environments of one task at once, on any backend: where episodes begin, what a step does, what is seen.

It computes with its backend's arrays (numpy's, or torch's where the physics is); the faces that libraries
know (`environment.py`, `tensor_env.py`) stand on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.rng import stream
from pocketworld.sim.arrays import Array, to_numpy
from pocketworld.sim.cousin import FACTS, Cousin, Target
from pocketworld.sim.given import numbers
from pocketworld.sim.models.mjcf import TIMESTEP
from pocketworld.sim.physics import Group, Ids, Physics
from pocketworld.sim.robots.robot import Aim, Robot
from pocketworld.sim.senses import Places, Senses
from pocketworld.sim.tasks import episode
from pocketworld.sim.tasks.observation import TOLD, policy_names, policy_view, privileged_view
from pocketworld.sim.tasks.reward import potential, reward
from pocketworld.sim.tasks.task import Task

SUBSTEPS = 10  # of physics in a step of an environment
RATE = round(1 / (SUBSTEPS * TIMESTEP))  # steps of an environment a second
RANGE = FACTS.index("range")


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """What a step came to, (n,) each.

    success    the episode ended so; truncated: was cut short by time, or because the physics was unstable
    """

    reward: Array
    success: Array
    truncated: Array
    unstable: Array

    @property
    def done(self) -> Array:
        """Return whose episode ended."""
        return self.success | self.truncated


class Sees(Protocol):
    """What draws what environments' cameras see; each backend has its own."""

    @property
    def spaces(self) -> dict[str, Box]:
        """Return what a picture and its depth are made of."""
        ...

    def see(self, worlds: "Worlds") -> dict[str, Any]:
        """Return rgb (n, h, w, 3) uint8 and depth (n, h, w) float32, m along the camera's axis."""
        ...

    def close(self) -> None:
        """Free what draws."""
        ...


class Worlds:
    """Environment i is `cousins[i]`, of which it is replica `replicas[i]`.

    senses           what is read of all of them (see Senses)
    aim              what their robots are asked for
    facts (n, F)     of the asked joints; begin, goal (n,): from where to where they are to go, m or rad
    sense (n,)       1 where that opens them, -1 where it closes them
    steps (n,)       of the running episodes
    joints (n,)      names of the asked joints
    """

    def __init__(
        self,
        cousins: Sequence[Cousin],
        physics: Physics,
        robot: Robot,
        task: Task,
        replicas: Sequence[int] | None = None,
        max_steps: int = 200,
        eyes: episode.Eyes = episode.SHARP,
        sight: Sees | None = None,
    ) -> None:
        self.cousins, self.physics, self.robot = tuple(cousins), physics, robot
        self.task, self.eyes, self.sight = task, eyes, sight
        self.replicas = episode.numbered([cousin.id for cousin in cousins], replicas)
        self.max_steps, self.substeps, self.num_envs = max_steps, SUBSTEPS, len(cousins)
        self.arrays = arrays = physics.arrays
        n, width = self.num_envs, len(robot.joints)
        self.places = Places.of(cousins, arrays)
        self.senses = Senses.empty(n, width, robot.arm, eyes == episode.SHARP, arrays)
        self.aim = Aim(arrays.zeros(n, 3), arrays.zeros(n), arrays.zeros(n, width))
        self.facts, self.begin = arrays.zeros(n, len(FACTS)), arrays.zeros(n)
        self.goal, self.sense = arrays.zeros(n) + 1, arrays.zeros(n) + 1
        self.steps, self.joints = arrays.ints(np.zeros(n)), np.full(n, None, object)
        self._potential = arrays.zeros(n)
        self._seeds: list[int] = [0] * n
        self._episodes = np.full(n, -1, np.int64)

    @property
    def progress(self) -> Array:
        """Return how far the asked joints are on their way (n,): 0 as the episode began, 1 at its goal."""
        return (self.senses.q - self.begin) / (self.goal - self.begin)

    @property
    def opened(self) -> Array:
        """Return how far the asked joints are open (n,), of their range."""
        return self.arrays.xp.clip(self.senses.q / self.facts[:, RANGE], 0, 1)

    @property
    def has_begun(self) -> NDArray[np.bool_]:
        """Return which environments (n,) have an episode."""
        return self._episodes >= 0

    def seed(self, which: Ids, seeds: Sequence[int | None]) -> None:
        """Give environments `which` new seeds, where there is one (n,): their next episode is their first."""
        for i in which:
            given = seeds[i]
            if given is not None:
                self._seeds[i], self._episodes[i] = given, -1

    def streams(self, name: str) -> list[np.random.Generator]:
        """Return a generator for each environment, of its episode and step: for what happens there by chance.

        Replays thus hold, alone as among others.
        """
        steps, own = to_numpy(self.steps).tolist(), zip(self.cousins, self._seeds, self.replicas, strict=True)
        return [
            stream(seed, name, cousin.id, replica, int(number), step)
            for (cousin, seed, replica), number, step in zip(own, self._episodes, steps, strict=True)
        ]

    def start(self, which: Ids, asked: Sequence[Target | None] | None = None) -> None:
        """Begin an episode in environments `which` (k,): of the joint that is asked for (n,), else drawn."""
        if not len(which):
            return
        self._episodes[which] += 1
        drawn = [self._draw(i, asked[i] if asked else None) for i in which]
        self._begin(self.arrays.ints(which), drawn)
        self.joints[which] = [one.target.id for one in drawn]
        self.physics.reset(which, self._place, self._read)
        self.senses.look(self.places)
        at = self.arrays.ints(which)
        self.aim.target[at] = self.senses.grip[at]
        self._potential[at] = potential(self.senses, self.facts, self.progress)[at]

    def advance(self, actions: Array) -> Outcome:
        """Do actions (n, len(robot.actions)) in [-1, 1] for 1/RATE s."""
        xp = self.arrays.xp
        self.aim = self.robot.aim(self.senses, self.aim, actions)
        self.physics.step(self.substeps, self._write, self._read)
        self.senses.look(self.places)
        self.steps += 1
        unstable = self.physics.unstable()
        self.senses.forget(unstable, self.begin)
        progress = self.progress
        success = (progress >= 1) & ~unstable
        after = potential(self.senses, self.facts, progress)
        rewards = xp.where(unstable, 0.0, reward(self._potential, after, actions, success))
        self._potential = after
        truncated = ((self.steps >= self.max_steps) | unstable) & ~success
        return Outcome(rewards, success, truncated, unstable)

    def observe(self) -> dict[str, Array]:
        """Return what is seen now: `policy` and `privileged`, see tasks/observation.py.

        With a sight also `rgb` and `depth` (pictures/sight.py); then `policy` is told nothing of the handle.
        """
        time = self.arrays.xp.astype(self.steps, self.arrays.real) / self.max_steps
        known = privileged_view(self.senses, self.facts, self.progress, self.sense, time)
        seen = {"policy": policy_view(self.robot, self.senses, self.facts, self.aim), "privileged": known}
        if self.sight is None:
            return seen
        drawn = self.sight.see(self)
        own = {name: self.arrays.xp.asarray(drawn[name], device=self.arrays.device) for name in drawn}
        return seen | {"policy": seen["policy"][:, self._told :]} | own

    @property
    def policy_names(self) -> tuple[str, ...]:
        """Return the names of the numbers of `policy`."""
        return policy_names(self.robot)[self._told :]

    @property
    def _told(self) -> int:
        """Return how many of the policy's numbers, the first, are left out: who has eyes looks."""
        return 0 if self.sight is None else TOLD

    def close(self) -> None:
        """Free what the physics and the sight hold."""
        self.physics.close()
        if self.sight is not None:
            self.sight.close()

    def checked(self, actions: Array) -> Array:
        """Return actions as they are done, cut to [-1, 1].

        Raises PocketworldError where they are of the wrong shape or no numbers, and before the first episode.
        """
        if not self.has_begun.all():
            raise PocketworldError("step before reset", "call reset first")
        shape = (self.num_envs, len(self.robot.actions))
        act = self.arrays.reals(numbers(actions, shape))
        if tuple(act.shape) != shape:
            raise PocketworldError(f"actions have shape {tuple(act.shape)}", f"give {shape}")
        finite = self.arrays.xp.isfinite(act)
        if not finite.all():
            where = np.flatnonzero(~to_numpy(finite).all(1))[:8].tolist()
            raise PocketworldError(f"actions of environments {where} are not finite", "give numbers in -1..1")
        return self.arrays.xp.clip(act, -1, 1)

    def _draw(self, i: int, asked: Target | None) -> episode.Episode:
        number = int(self._episodes[i])
        cousin, seed, replica = self.cousins[i], self._seeds[i], self.replicas[i]
        return episode.draw(cousin, self.task, seed, replica, number, asked, self.eyes)

    def _begin(self, which: Array, drawn: Sequence[episode.Episode]) -> None:
        """Note what episodes drawn for environments `which` ask for."""
        reals = self.arrays.reals
        self.places.ask(which, [one.target for one in drawn], self.arrays)
        self.facts[which] = reals(np.array([one.target.facts for one in drawn]))
        self.places.off[which] = reals(np.array([one.off for one in drawn]))
        self.places.off_turn[which] = reals(np.array([one.off_turn for one in drawn]))
        self.begin[which] = reals(np.array([one.q for one in drawn]))
        self.goal[which] = reals(np.array([one.goal for one in drawn]))
        self.sense[which] = self.arrays.xp.sign(self.goal[which] - self.begin[which])
        starts = np.array([self.robot.start(one.hold, one.start, one.target.reach) for one in drawn])
        self.aim.command[which] = reals(starts)
        self.aim.fingers[which] = reals(starts[:, -1])
        self.steps[which] = 0

    def _write(self, group: Group) -> None:
        group.ctrl[:] = self.aim.command[group.ids]

    def _read(self, group: Group) -> None:
        self.senses.read(group, self.places)

    def _place(self, group: Group, rows: Array) -> None:
        """Put a group's rows to where their episodes begin."""
        ids, row = group.ids[rows], rows[:, None]
        joints = self.arrays.xp.arange(self.aim.command.shape[1], device=rows.device)
        group.qpos[rows] = group.start[rows]
        group.qpos[rows, self.places.qpos[ids]] = self.begin[ids]
        group.qpos[row, self.places.robot_qpos[ids][:, None] + joints] = self.aim.command[ids]
        group.ctrl[rows] = self.aim.command[ids]
