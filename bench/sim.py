"""Environment steps a second, ours against bare `mujoco.batch` on the same models, doing the same physics.

The expert drives our environment once while all controls and all resets are recorded. Then the same stretch
of steps is stepped by turns by our environment (given the recorded actions) and by nothing but `mujoco.batch`
(given the recorded controls, put back where ours was), a few steps each: whatever else runs hits all alike.
"""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.bench.machine import Machine, machine
from pocketworld.bench.ratio import Ratio
from pocketworld.bench.replay import SEED, Bare, Seen, Step, batches, record, states
from pocketworld.bench.set_up import SetUp
from pocketworld.errors import PocketworldError
from pocketworld.sim.batch import divide, signature
from pocketworld.sim.environment import WorldEnv

Array = NDArray[np.float64]

ROUND = 5  # steps by one, before the other's turn
RESETS = 9  # times that all environments are put back, to be measured


@dataclass(frozen=True, slots=True)
class SimSpeed:
    """Steps a second (medians over rounds, all environments together), ours and bare.

    ours      environment steps a second of WorldEnv: actions, physics, observations, rewards, resets
    seen      of our physics alone, with what the policy sees of it
    split, plain   of bare batches of one thread each, in a pool; of one bare batch a signature with the
              threads inside
    ratio, seen_ratio   of ours, seen to the faster of the bare two, by the clock;  cpu_...: by CPU time
    reset     ms of CPU time for an environment's new episode
    peak      the most memory that the process had so far, MB
    same      whether all ended in the same state, to the bit: then all did the same physics
    set_up    what a cousin's model takes, where that was measured
    """

    envs: int
    models: int
    signatures: int
    substeps: int
    threads: int
    rounds: int
    ours: float
    seen: float
    split: float
    plain: float
    ratio: Ratio
    cpu_ratio: Ratio
    seen_ratio: Ratio
    cpu_seen_ratio: Ratio
    reset: Ratio
    peak: float
    same: bool
    machine: Machine
    set_up: SetUp | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self) | {"machine": self.machine.to_json()}

    def text(self) -> str:
        """Return lines for a person."""
        same = "the same to the bit" if self.same else "NOT the same: the figures compare different work"
        what = f"{self.models} models, {self.signatures} signatures"
        how = f"{self.substeps} substeps, {self.threads} threads, {self.rounds} rounds of {ROUND} steps"
        lines = (
            f"{self.envs} environments of {what}; {how}",
            f"WorldEnv                              {self.ours:>10.0f} environment steps/s",
            f"our physics, seen by the policy       {self.seen:>10.0f}",
            f"mujoco.batch, groups in a pool        {self.split:>10.0f}",
            f"mujoco.batch, one batch a signature   {self.plain:>10.0f}",
            f"WorldEnv / the faster bare one, by the clock   {self.ratio.text()}",
            f"                                by CPU time    {self.cpu_ratio.text()}",
            f"physics seen / the same,        by the clock   {self.seen_ratio.text()}",
            f"                                by CPU time    {self.cpu_seen_ratio.text()}",
            f"an environment's reset, ms of CPU time         {self.reset.text()}",
            *([self.set_up.text()] if self.set_up else []),
            f"states at the end: {same}; peak memory {self.peak:.0f} MB",
            self.machine.text(),
        )
        return "\n".join(lines) + "\n"


def measure(env: WorldEnv, steps: int = 100) -> SimSpeed:
    """Measure an environment over `steps` steps of the expert.

    Raises PocketworldError for fewer than 2 rounds of steps. The environment is used up: its episodes go on.
    """
    if steps < 2 * ROUND:
        raise PocketworldError(f"{steps} steps are too few to compare", f"give at least {2 * ROUND}")
    actions, starts, log = record(env, steps)
    physics = batches(env)
    models = physics.models
    groups = [list(ids) for ids in _signatures(models)]
    split = Bare(models, divide(models, physics.threads), threads=1, pool=physics.threads)
    plain = Bare(models, [np.array(ids) for ids in groups], threads=physics.threads, pool=1)
    others = (Seen(env), split, plain)
    for other in others:
        for put in starts:
            other.put(put)
    env.reset(seed=SEED)
    walls, cpus = _by_turns(env, actions, others, log)
    ends = [states(env), *(other.states() for other in others)]
    for other in others:
        other.close()
    return _result(env, walls, cpus, len(groups), same(ends))


def resets(env: WorldEnv) -> Ratio:
    """Return the CPU time, ms, of an environment's new episode, all begun at once."""
    which, out = np.arange(env.num_envs), []
    for _ in range(RESETS):
        began = time.process_time()
        env.worlds.start(which)
        out.append(1e3 * (time.process_time() - began) / env.num_envs)
    return Ratio.of(out)


def peak() -> float:
    """Return the most memory that this process had so far, MB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def _signatures(models: Sequence[Any]) -> list[list[int]]:
    together: dict[tuple[int, ...], list[int]] = {}
    for i, model in enumerate(models):
        together.setdefault(signature(model), []).append(i)
    return list(together.values())


def _by_turns(
    env: WorldEnv, actions: Sequence[Array], others: Sequence[Bare | Seen], log: Sequence[Step]
) -> tuple[Array, Array]:
    """Return seconds by the clock and of CPU (rounds, k): ours and each other; who begins goes round."""

    def ours(t: int) -> None:
        env.step(actions[t])

    runs: list[Callable[[int], object]] = [
        ours,
        *(_stepper(other, env.worlds.substeps, log) for other in others),
    ]
    rounds = len(actions) // ROUND
    walls, cpus = np.zeros((2, rounds, len(runs)))
    for turn in range(rounds):
        for k in np.roll(np.arange(len(runs)), turn):
            begin, used = time.perf_counter(), time.process_time()
            for t in range(turn * ROUND, (turn + 1) * ROUND):
                runs[k](t)
            walls[turn, k], cpus[turn, k] = time.perf_counter() - begin, time.process_time() - used
    return walls, cpus


def _stepper(other: Bare | Seen, substeps: int, log: Sequence[Step]) -> Callable[[int], object]:
    return lambda t: other.step(substeps, log[t])


def same(ends: Sequence[Sequence[Array]]) -> bool:
    """Say whether all ended in the same states, to the bit."""
    first, *others = ends
    return all(np.array_equal(a, b) for other in others for a, b in zip(first, other, strict=True))


def _result(env: WorldEnv, walls: Array, cpus: Array, signatures: int, same: bool) -> SimSpeed:
    rates = env.num_envs * ROUND / np.median(walls, axis=0)
    best = 2 + int(np.argmax(rates[2:]))
    return SimSpeed(
        envs=env.num_envs,
        models=len({id(model) for model in env.worlds.physics.models}),
        signatures=signatures,
        substeps=env.worlds.substeps,
        threads=batches(env).threads,
        rounds=len(walls),
        ours=float(rates[0]),
        seen=float(rates[1]),
        split=float(rates[2]),
        plain=float(rates[3]),
        ratio=Ratio.of(walls[:, best] / walls[:, 0]),
        cpu_ratio=Ratio.of(cpus[:, best] / cpus[:, 0]),
        seen_ratio=Ratio.of(walls[:, best] / walls[:, 1]),
        cpu_seen_ratio=Ratio.of(cpus[:, best] / cpus[:, 1]),
        reset=resets(env),
        peak=peak(),
        same=same,
        machine=machine(),
    )
