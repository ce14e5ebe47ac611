"""The command that lets a policy work in a world's cousins, in shards, on one machine or many."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pocketworld import api
from pocketworld.api import Tick

if TYPE_CHECKING:
    from pocketworld.sim.shards.shard import Source
    from pocketworld.sim.shards.tally import Evaluation


def evaluate(
    folder: Path,
    name: str | None,
    policy: str,
    *,
    envs: int | None,
    shards: int,
    seed: int,
    address: str | None,
    send: bool,
    options: Mapping[str, Any],
    tick: Tick,
) -> "Evaluation":
    """Run one episode in each environment, of a world's cousins or of its twin if it has none.

    policy    "expert", or the folder of a training run
    envs      environment i holds cousin i modulo their number [as many as there are cousins]
    address   of a Ray cluster; "local" makes one of this machine; None computes in this process
    send      whether the twin and the cousins' draws travel to the workers; else each opens the world's path
    options   those of `api.make_env`: task, robot, backend, device
    """
    from pocketworld.sim.shards.pools import pool
    from pocketworld.sim.shards.rollout import Job
    from pocketworld.sim.shards.shard import split
    from pocketworld.sim.shards.tally import Evaluation, together
    from pocketworld.sim.shards.weights import Weights
    from pocketworld.sim.tasks.task import task

    weights, done = Weights.read(policy), task(options.get("task", "open")).done
    weights.check(options.get("robot", "hand"))
    scenes = api.scenes_of(folder, name)  # a world that can't be opened is an error before anything starts
    parts = split(_source(folder, name, send), envs or len(scenes), shards, options)
    tick("workers start")
    workers = pool(parts, address)
    try:
        got = workers.do(Job(seed, weights), tick)
    finally:
        workers.close()
    return Evaluation(f"the {weights.name} {done}", together(got), shards, workers.lost)


def _source(folder: Path, name: str | None, send: bool) -> "Source":
    from pocketworld.sim.shards.shard import Sent

    return Sent(api.scenes_of(folder, name)) if send else partial(api.scenes_of, folder.absolute(), name)
