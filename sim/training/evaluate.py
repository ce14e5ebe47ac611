"""How often a policy succeeds: one episode for each joint that is asked for, by kind, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import radians
from typing import Any

import numpy as np

from pocketworld.cousins.sequence import taken
from pocketworld.errors import PocketworldError
from pocketworld.scene import Asset, HandleKind, Joint, Scene
from pocketworld.sim import backends, robots
from pocketworld.sim.arrays import to_numpy
from pocketworld.sim.models.mjcf import name_of
from pocketworld.sim.policy import Policy, begin, finish
from pocketworld.sim.robots import Robot
from pocketworld.sim.share import Share, by_kind, kinds_of, lines
from pocketworld.sim.tasks import episode
from pocketworld.sim.training.settings import Settings
from pocketworld.sim.worlds import RATE, Worlds

EPISODES = 256  # of one evaluation at most: the interval at 95 % is then +- 3 %


class NothingToAsk(PocketworldError):
    """There is no joint in some scenes that a robot could be asked for."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of one episode for each joint asked for.

    kinds      drawer, door, flap, as far as there are
    failed     "COUSIN ASSET/JOINT", with how far each came at best;  unstable: whose physics blew up
    unheld     joints that were left out: they have no handle, no hand opens them
    far        joints that were left out: they have one that is out of the robot's reach
    seconds    that a success took, median; None where there was none
    """

    where: str
    whole: Share
    kinds: dict[str, Share]
    failed: tuple[tuple[str, float], ...]
    unstable: tuple[str, ...]
    unheld: int
    far: int
    seconds: float | None

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
            "out_of_reach": self.far,
            "median_seconds_to_success": self.seconds,
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
    """Ask for the joints in the robot's reach, each once, or evenly chosen ones where there are too many.

    scenes     of `Cousins` no more than one is built at a time
    settings   task, robot, how well is seen and how long; `options` go to `backends.worlds`: backend, device
    """
    there = joints(scenes, robots.named(settings.robot))
    if not there.held:
        why = f"the {settings.robot} reaches none of {there.far}" if there.far else "no joint has a handle"
        raise NothingToAsk(f"{where}: {why}", "nothing can be asked for")
    chosen = spread(there.held, episodes)
    worlds = backends.worlds(
        taken(scenes, [place for place, _ in chosen]),
        task=settings.task,
        robot=settings.robot,
        max_steps=settings.max_steps,
        eyes=eyes(settings),
        threads=threads,
        **options,
    )
    try:
        came = run(policy, worlds, [name for _, name in chosen], settings.seed)
        return _evaluation(where, worlds, *came, there)
    finally:
        worlds.close()


@dataclass(frozen=True, slots=True)
class Joints:
    """Joints to ask for, each a scene's place and asset/joint; how many have no handle, are out of reach."""

    held: tuple[tuple[int, str], ...]
    unheld: int
    far: int


def joints(scenes: Sequence[Scene], robot: Robot) -> Joints:
    """Return the joints of scenes that have a handle and are in a robot's reach: those that compile."""
    held: list[tuple[int, str]] = []
    unheld = far = 0
    for place, scene in enumerate(scenes):
        fitted = robot.fitted(scene)
        for asset, joint in scene.joints():
            if not _holdable(asset, joint):
                unheld += 1
            elif fitted.reaches(asset, joint):
                held.append((place, name_of(asset, joint)))
            else:
                far += 1
    return Joints(tuple(held), unheld, far)


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
    return episode.Eyes(settings.noise_mm / 1000, radians(settings.noise_deg))


def _holdable(asset: Asset, joint: Joint) -> bool:
    handle = asset.part(joint.child).handle
    return handle is not None and handle.kind is not HandleKind.NONE


def _evaluation(
    where: str, worlds: Worlds, won: Any, steps: Any, best: Any, wild: Any, there: Joints
) -> Evaluation:
    names = [f"{cousin.id} {joint}" for cousin, joint in zip(worlds.cousins, worlds.joints, strict=True)]
    lost = tuple((names[i], round(float(best[i]), 3)) for i in np.flatnonzero(~won))
    return Evaluation(
        where,
        Share(int(won.sum()), len(won)),
        by_kind(won, kinds_of(to_numpy(worlds.facts))),
        lost,
        tuple(names[i] for i in np.flatnonzero(wild)),
        there.unheld,
        there.far,
        float(np.median(steps[won]) / RATE) if won.any() else None,
    )
