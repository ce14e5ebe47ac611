"""The command that lets a policy work in a world's cousins, in shards, on one machine or many."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pocketworld import api, world
from pocketworld.api import Tick
from pocketworld.errors import PocketworldError

if TYPE_CHECKING:
    from pocketworld.scene import Scene
    from pocketworld.sim.asked import Asked
    from pocketworld.sim.shards.rollout import Arrays, Job
    from pocketworld.sim.shards.shard import Shard, Source
    from pocketworld.sim.shards.tally import Evaluation
    from pocketworld.sim.shards.weights import Weights


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

    Cousins in which the robot reaches nothing are left out; a finding says so.

    policy    "expert", or a training: its folder, or its name in the world
    envs      environment i holds cousin i modulo their number [as many as there are cousins]
    address   of a Ray cluster; "local" makes one of this machine; None computes in this process
    send      whether the twin and the cousins' draws travel to the workers; else each opens the world's path
    options   those of `api.make_env`: task, robot, backend, device
    """
    from pocketworld.sim.asked import Asked
    from pocketworld.sim.compiling import in_reach
    from pocketworld.sim.shards.pools import answers
    from pocketworld.sim.shards.rollout import Job
    from pocketworld.sim.shards.shard import Some, split
    from pocketworld.sim.shards.tally import Evaluation

    asked = Asked.of(options)
    asked.goal()  # an error before anything starts, as is a world that can't be opened
    if address is not None:
        answers(address)  # before anything is loaded
    weights = _weights(folder, policy, asked)
    every = api.scenes_of(folder, name)
    kept, left = in_reach.places(every, asked.who(), "evaluate", tick=tick)
    if envs is None and isinstance(every, tuple) and shards > 1:
        raise PocketworldError(
            f"{folder} has no cousins, so its twin alone works, which makes no {shards} shards",
            f"pocketworld cousins {folder} makes some; or ask for --envs {shards}",
        )
    there = Some(_source(folder, name, every, send), tuple(kept))
    parts = split(there, envs or len(kept), shards, options)
    whole, lost = _done(parts, address, Job(seed, weights), tick)
    who = f"the policy {weights.name}" if weights.files else f"the {weights.name}"
    return Evaluation(f"{who} {asked.goal().done}", whole, shards, lost, left)


def _weights(folder: Path, policy: str, asked: "Asked") -> "Weights":
    """Return what acts; raise PocketworldError where it is not for what is asked for."""
    from pocketworld.sim.shards.weights import EXPERT, Weights

    weights = Weights.read(policy if policy == EXPERT else world.run_of(folder, Path(policy)))
    weights.check(asked)
    return weights


def _source(folder: Path, name: str | None, scenes: "Sequence[Scene]", send: bool) -> "Source":
    """Return where workers find a world's scenes: they are sent along, or opened by its path."""
    from pocketworld.sim.shards.shard import Sent

    return Sent(scenes) if send else partial(api.scenes_of, folder.absolute(), name)


def _done(parts: "Sequence[Shard]", address: str | None, job: "Job", tick: Tick) -> "tuple[Arrays, int]":
    """Return what a job comes to in all shards together, and how often a worker was lost."""
    from pocketworld.sim.shards.pools import pool
    from pocketworld.sim.shards.tally import together

    tick("workers start")
    workers = pool(parts, address)
    try:
        return together(workers.do(job, tick)), workers.lost
    finally:
        workers.close()
