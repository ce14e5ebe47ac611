"""How often a policy succeeds: one episode for each joint that is asked for, by kind, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import radians
from typing import Any

import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.scene import Asset, HandleKind, Joint, Scene
from pocketworld.sim import backends, episode
from pocketworld.sim.arrays import to_numpy
from pocketworld.sim.mjcf import name_of
from pocketworld.sim.policy import Policy, begin, finish
from pocketworld.sim.share import Share, by_kind, kinds_of, lines
from pocketworld.sim.training.settings import Settings
from pocketworld.sim.worlds import RATE, Worlds

EPISODES = 256  # of one evaluation at most: the interval at 95 % is then +- 3 %


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of one episode for each joint asked for.

    kinds      drawer, door, flap, as far as there are
    failed     "COUSIN ASSET/JOINT", with how far each came at best;  unstable: whose physics blew up
    unheld     joints that were left out: they have no handle, no hand opens them
    seconds    that those which succeeded took, median
    """

    where: str
    whole: Share
    kinds: dict[str, Share]
    failed: tuple[tuple[str, float], ...]
    unstable: tuple[str, ...]
    unheld: int
    seconds: float

    def text(self) -> str:
        """Return lines for a person."""
        return f"{self.where}: {self.whole.text()}{lines(self.kinds)}"

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "where": self.where,
            "all": self.whole.to_json(),
            "kinds": {kind: share.to_json() for kind, share in self.kinds.items()},
            "failed": [list(one) for one in self.failed],
            "unstable": list(self.unstable),
            "without_handle": self.unheld,
            "seconds": self.seconds,
        }


def evaluate(
    policy: Policy,
    scenes: Sequence[Scene],
    settings: Settings,
    where: str,
    *,
    episodes: int = EPISODES,
    threads: int | None = None,
    **options: Any,
) -> Evaluation:
    """Ask for the scenes' joints, each once, or evenly chosen ones of them where there are too many.

    settings   task, robot, how well is seen and how long; `options` go to `backends.worlds`: backend, device
    """
    built = list(scenes)
    every = [(scene, *pair) for scene in built for pair in scene.joints()]
    held = [one for one in every if _holdable(*one[1:])]
    if not held:
        raise PocketworldError(f"{where}: no joint has a handle", "nothing can be asked for")
    chosen = spread(held, episodes)
    worlds = backends.worlds(
        [scene for scene, _, _ in chosen],
        task=settings.task,
        robot=settings.robot,
        max_steps=settings.max_steps,
        eyes=eyes(settings),
        threads=threads,
        **options,
    )
    try:
        won, steps, best, wild = run(policy, worlds, [name_of(a, j) for _, a, j in chosen], settings.seed)
    finally:
        worlds.physics.close()
    return _evaluation(
        where,
        worlds,
        won,
        steps,
        best,
        wild,
        len(every) - len(held),
    )


def run(policy: Policy, worlds: Worlds, joints: Sequence[str], seed: int) -> tuple[Any, Any, Any, Any]:
    """Run one episode in each environment; return who won, the steps, progress at best, who was unstable."""
    begin(worlds, seed, joints)
    n = worlds.num_envs
    won, wild, steps, best = np.zeros(n, bool), np.zeros(n, bool), np.zeros(n, int), np.zeros(n)
    for live, came in finish(worlds, policy):
        steps += live
        best = np.where(live, np.fmax(best, to_numpy(worlds.progress)), best)
        won |= came.success
        wild |= came.unstable
    return won, steps, best, wild


def spread(items: Sequence[Any], most: int) -> list[Any]:
    """Return at most so many, evenly chosen."""
    if len(items) <= most:
        return list(items)
    return [items[int(i)] for i in np.linspace(0, len(items) - 1, most).round()]


def eyes(settings: Settings) -> episode.Eyes:
    """Return how well a robot sees."""
    return episode.Eyes(settings.place_mm / 1000, radians(settings.turn_deg))


def _holdable(asset: Asset, joint: Joint) -> bool:
    handle = asset.part(joint.child).handle
    return handle is not None and handle.kind is not HandleKind.NONE


def _evaluation(
    where: str, worlds: Worlds, won: Any, steps: Any, best: Any, wild: Any, unheld: int
) -> Evaluation:
    names = [f"{cousin.id} {joint}" for cousin, joint in zip(worlds.cousins, worlds.joints, strict=True)]
    lost = tuple((names[i], round(float(best[i]), 3)) for i in np.flatnonzero(~won))
    return Evaluation(
        where,
        Share(int(won.sum()), len(won)),
        by_kind(won, kinds_of(to_numpy(worlds.facts))),
        lost,
        tuple(names[i] for i in np.flatnonzero(wild)),
        unheld,
        float(np.median(steps[won]) / RATE) if won.any() else 0.0,
    )
