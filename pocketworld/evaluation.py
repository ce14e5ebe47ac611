"""The command that lets a policy work in a world's cousins, in shards, on one machine or many."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pocketworld import api, world
from pocketworld.api import Tick
from pocketworld.errors import PocketworldError

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

    Cousins in which the robot reaches nothing are left out; a finding says so.

    policy    "expert", or a training: its folder, or its name in the world
    envs      environment i holds cousin i modulo their number [as many as there are cousins]
    address   of a Ray cluster; "local" makes one of this machine; None computes in this process
    send      whether the twin and the cousins' draws travel to the workers; else each opens the world's path
    options   those of `api.make_env`: task, robot, backend, device
    """
    from pocketworld.sim import robots
    from pocketworld.sim.compiling import in_reach
    from pocketworld.sim.shards.pools import answers, pool
    from pocketworld.sim.shards.rollout import Job
    from pocketworld.sim.shards.shard import Sent, Some, split
    from pocketworld.sim.shards.tally import Evaluation, together
    from pocketworld.sim.shards.weights import EXPERT, Weights
    from pocketworld.sim.tasks.task import task

    asked = task(options.get("task", "open"))
    if address is not None:
        answers(address)  # before anything is loaded
    run = policy if policy == EXPERT else world.run_of(folder, Path(policy))
    weights, robot = Weights.read(run), robots.named(options.get("robot", "hand"))
    # Of what shape pictures are does not matter: no policy that sees any runs here.
    weights.check(robot, asked.name, {} if options.get("observation") == "rgbd" else None)
    every = api.scenes_of(folder, name)  # a world that can't be opened is an error before anything starts
    kept, left = in_reach.places(every, robot, "evaluate", tick=tick)
    here: Source = Sent(every) if send else partial(api.scenes_of, folder.absolute(), name)
    if envs is None and isinstance(every, tuple) and shards > 1:
        raise PocketworldError(
            f"{folder} has no cousins, so its twin alone works, which makes no {shards} shards",
            f"pocketworld cousins {folder} makes some; or ask for --envs {shards}",
        )
    parts = split(Some(here, tuple(kept)), envs or len(kept), shards, options)
    tick("workers start")
    workers = pool(parts, address)
    try:
        got = workers.do(Job(seed, weights), tick)
    finally:
        workers.close()
    who = f"the policy {weights.name}" if weights.files else f"the {weights.name}"
    return Evaluation(f"{who} {asked.done}", together(got), shards, workers.lost, left)
