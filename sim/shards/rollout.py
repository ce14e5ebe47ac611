"""What is asked of a shard, and the worker that does it: the same arrays wherever it runs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pocketworld.rng import stream
from pocketworld.sim.arrays import Array, to_numpy
from pocketworld.sim.policy import Policy, begin, finish
from pocketworld.sim.shards.shard import Shard
from pocketworld.sim.shards.weights import Weights
from pocketworld.sim.share import kinds_of
from pocketworld.sim.worlds import Worlds

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Job:
    """One call: all that a shard's result depends on, but the shard itself.

    call      the seed of its episodes, from their first on
    weights   what acts
    kind      "episodes": one in each environment;  "steps": so many in each, episode after episode
    explore   standard deviation of what is added to actions
    """

    call: int
    weights: Weights = field(default_factory=Weights)
    kind: Literal["episodes", "steps"] = "episodes"
    steps: int = 0
    explore: float = 0.0


class Worker:
    """Computes shards. It keeps their environments, compiled, from call to call, and nothing else."""

    def __init__(self) -> None:
        self._open: dict[int, Worlds] = {}

    def do(self, which: int, shard: Shard, job: Job) -> Arrays:
        """Return what a job comes to in a shard, which keeps its number: arrays over its environments."""
        if which not in self._open:
            self._open[which] = shard.open()
        worlds, numbers = self._open[which], shard.environments
        act = _exploring(job, numbers)
        begin(worlds, job.call)
        out = _episodes(worlds, act) if job.kind == "episodes" else _steps(worlds, act, job.steps)
        return {"environment": np.array(numbers), **out}

    def process(self) -> int:
        """Return its process's number."""
        return os.getpid()

    def close(self) -> None:
        """Free what it holds."""
        for worlds in self._open.values():
            worlds.close()
        self._open.clear()


def rollout(shard: Shard, job: Job) -> Arrays:
    """Return what a job comes to in a shard: a function of these two alone. See `Worker`.

    Of "episodes", (n,) each: environment, cousin, joint, kind (see share.KINDS), success, unstable, steps,
    reward, opened.
    Of "steps", T of them: environment (n,); policy and privileged (T + 1, n, ...), the first ones of what is
    seen before acting; actions (T, n, ...); reward, success, truncated, unstable (T, n).
    """
    worker = Worker()
    try:
        return worker.do(0, shard, job)
    finally:
        worker.close()


def _episodes(worlds: Worlds, act: Policy) -> Arrays:
    """Run one episode in each environment, to its end."""
    n, joints = worlds.num_envs, worlds.joints.copy()
    success, unstable, steps = np.zeros(n, bool), np.zeros(n, bool), np.zeros(n, np.int64)
    reward, opened = np.zeros(n), np.zeros(n)
    for live, came in finish(worlds, act):
        steps += live
        reward += came.reward
        success |= came.success
        unstable |= came.unstable
        opened = np.where(live, to_numpy(worlds.opened), opened)
    ids = np.array([cousin.id for cousin in worlds.cousins])
    told = {"cousin": ids, "joint": joints.astype(str), "kind": kinds_of(to_numpy(worlds.facts))}
    told |= {"success": success, "unstable": unstable}
    return {**told, "steps": steps, "reward": reward, "opened": opened}


def _steps(worlds: Worlds, act: Policy, count: int) -> Arrays:
    """Run on for so many steps; what ends starts anew."""
    seen, done = [worlds.observe()], []
    for _ in range(count):
        actions = worlds.checked(act(worlds))
        out = worlds.advance(actions)
        done.append((actions, out.reward, out.success, out.truncated, out.unstable))
        worlds.start(np.flatnonzero(to_numpy(out.done)))
        seen.append(worlds.observe())
    names = ("actions", "reward", "success", "truncated", "unstable")
    columns = zip(names, zip(*done, strict=True), strict=False)
    out_of = {name: np.stack([to_numpy(values) for values in column]) for name, column in columns}
    return out_of | {name: np.stack([to_numpy(one[name]) for one in seen]) for name in seen[0]}


def _exploring(job: Job, numbers: Sequence[int]) -> Policy:
    """Return what acts, with noise of each environment's own stream: no other shard shifts it."""
    act = job.weights.act()
    if not job.explore:
        return act
    draws = [stream(job.call, "explore", number) for number in numbers]

    def explored(worlds: Worlds) -> Array:
        actions = act(worlds)
        noise = np.stack([draw.normal(size=actions.shape[1]) for draw in draws]) * job.explore
        return actions + worlds.arrays.reals(noise)

    return explored
