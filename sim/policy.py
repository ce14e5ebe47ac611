"""What acts, and one episode of it in every environment."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.arrays import Array, to_numpy
from pocketworld.sim.tasks import episode
from pocketworld.sim.worlds import Outcome, Worlds

Bools = NDArray[np.bool_]
Policy = Callable[
    [Worlds], Array
]  # actions (n, len(robot.actions)) in [-1, 1] for where all environments are


def begin(worlds: Worlds, seed: int, joints: Any = None) -> None:
    """Start the first episode of a seed everywhere; `joints` are asked for as `episode.asked_for` says."""
    everyone = np.arange(worlds.num_envs)
    worlds.seed(everyone, [seed] * worlds.num_envs)
    worlds.start(everyone, episode.asked_for(worlds.cousins, joints))


def finish(worlds: Worlds, policy: Policy) -> Iterator[tuple[Bools, Outcome]]:
    """Run all episodes that have begun to their ends; yield each step: whose it was (n,), what it came to.

    In numpy's arrays. What has ended goes on unseen until all have: nothing of it is in what a step came to.
    """
    live = np.ones(worlds.num_envs, bool)
    while live.any():
        out = worlds.advance(worlds.checked(policy(worlds)))
        success, truncated, unstable = (
            to_numpy(values) & live for values in (out.success, out.truncated, out.unstable)
        )
        yield live, Outcome(np.where(live, to_numpy(out.reward), 0.0), success, truncated, unstable)
        live = live & ~(success | truncated)
