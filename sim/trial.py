"""Lets a policy try to open things once, and says what it did."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Scene
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.film import film
from pocketworld.sim.policy import Bools, Policy, finish


@dataclass(frozen=True, slots=True)
class Trial:
    """One episode in each environment: what was asked for and done.

    asked, failed   as "COUSIN ASSET/JOINT";  unstable: episodes whose physics blew up
    rate            environment steps a second, film and all
    did             who did what: "the expert opened"
    """

    asked: tuple[str, ...]
    failed: tuple[str, ...]
    unstable: int
    rate: float
    did: str = "the expert opened"

    @property
    def share(self) -> float:
        """Return the share that was done."""
        return 1 - len(self.failed) / len(self.asked)

    def text(self) -> str:
        """Return one line."""
        done = len(self.asked) - len(self.failed)
        worlds = len({name.split(" ")[0] for name in self.asked})
        some = f"; not: {', '.join(self.failed[:4])}{' ...' if len(self.failed) > 4 else ''}"
        told = f"{self.did} {done} of {len(self.asked)} (different worlds: {worlds})"
        return told + (some if self.failed else "")

    def to_json(self) -> dict[str, object]:
        """Return what JSON can hold."""
        return {**asdict(self), "share": self.share}


def run(
    env: WorldEnv,
    policy: Policy = expert,
    *,
    who: str = "the expert",
    seed: int = 0,
    joints: Sequence[str | None] | None = None,
) -> Trial:
    """Run one episode in each environment; `joints` are asked for, or drawn from the seed.

    who   what the policy is called
    """
    start, steps = time.perf_counter(), 0
    _, info = env.reset(seed=seed, options={"joint": joints})
    asked = _names(info)
    won, wild = np.zeros(env.num_envs, bool), np.zeros(env.num_envs, bool)
    for _, came in finish(env.worlds, policy):
        steps += 1
        won |= came.success
        wild |= came.unstable
    return _trial(env, who, asked, won, wild, steps / (time.perf_counter() - start))


def filmed(
    env: WorldEnv, file: Path, policy: Policy = expert, *, who: str = "the expert", seed: int = 0
) -> Trial:
    """Run one episode in each environment and film the first ones; `env` has render_mode="rgb_array"."""
    start = time.perf_counter()
    _, info = env.reset(seed=seed)
    asked = _names(info)
    won, wild, steps = film(env, policy, file, seed=seed)
    return _trial(env, who, asked, won, wild, steps / (time.perf_counter() - start))


def open_each(scenes: Sequence[Scene], *, threads: int | None = None, policy: Policy = expert) -> Trial:
    """Ask once for each joint of each scene, all at once."""
    pairs = [(scene, f"{asset.id}/{joint.id}") for scene in scenes for asset, joint in scene.joints()]
    env = WorldEnv([scene for scene, _ in pairs], threads=threads)
    try:
        return run(env, policy, joints=[name for _, name in pairs])
    finally:
        env.close()


def _names(info: dict[str, NDArray[np.object_]]) -> tuple[str, ...]:
    return tuple(f"{cousin} {joint}" for cousin, joint in zip(info["cousin"], info["joint"], strict=True))


def _trial(env: WorldEnv, who: str, asked: tuple[str, ...], won: Bools, wild: Bools, pace: float) -> Trial:
    failed = tuple(name for name, done in zip(asked, won, strict=True) if not done)
    did = f"{who} {env.worlds.task.done}"
    return Trial(asked, failed, int(wild.sum()), pace * env.num_envs, did)
