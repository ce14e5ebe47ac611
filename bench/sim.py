"""Environment steps a second, ours against bare `mujoco.batch` on the same models, doing the same physics.

The expert drives our environment once while all controls and all resets are recorded. Then the same stretch
of steps is stepped by turns by our environment (given the recorded actions) and by nothing but `mujoco.batch`
(given the recorded controls, put back where ours was), a few steps each: whatever else runs hits all alike.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from pocketworld.bench.machine import Machine, machine
from pocketworld.errors import PocketworldError
from pocketworld.sim.batch import CURRENT, NOTHING, Batches, batch_of, divide, signature
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.expert import expert
from pocketworld.sim.physics import Group, Ids, Look, Write

Array = NDArray[np.float64]

ROUND = 5  # steps by one, before the other's turn
SEED = 0


@dataclass(frozen=True, slots=True)
class Ratio:
    """Median over rounds, and the interval that holds the median with 95 % (order statistics, no model)."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float] | Array) -> "Ratio":
        """Take the rounds' ratios; with fewer than 6 the interval is all that was seen, and holds less."""
        ordered = np.sort(values)
        below = max(int(binom.ppf(0.025, len(ordered), 0.5)) - 1, 0)
        return cls(float(np.median(ordered)), float(ordered[below]), float(ordered[-1 - below]))

    def text(self) -> str:
        """Return it in words."""
        return f"{self.median:.3f} (95 %: {self.low:.3f} .. {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class SimSpeed:
    """Steps a second (medians over rounds, all environments together), ours and bare.

    ours, split, plain   environment steps a second: WorldEnv; bare batches of one thread each, in a pool; one
                         bare batch a signature with the threads inside
    ratio     of ours to the faster of the bare two, by the clock;  cpu_ratio: by CPU time, all threads
    same      whether all ended in the same state, to the bit: then all did the same physics
    """

    envs: int
    models: int
    signatures: int
    substeps: int
    threads: int
    rounds: int
    ours: float
    split: float
    plain: float
    ratio: Ratio
    cpu_ratio: Ratio
    same: bool
    machine: Machine

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
            f"WorldEnv                               {self.ours:>10.0f} environment steps/s",
            f"mujoco.batch, groups in a pool        {self.split:>10.0f}",
            f"mujoco.batch, one batch a signature   {self.plain:>10.0f}",
            f"ours / the faster bare one, by the clock   {self.ratio.text()}",
            f"                            by CPU time    {self.cpu_ratio.text()}",
            f"states at the end: {same}",
            self.machine.text(),
        )
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, eq=False, slots=True)
class Put:
    """Environments `which` (k,) are put into a state: controls (k, nu), and each one's qpos."""

    which: Ids
    controls: Array
    qpos: list[Array]


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """What our environment told its batches in one step: controls (n, nu), then who was put where."""

    controls: Array
    resets: list[Put] = field(default_factory=list)


class Recorder(Batches):
    """Our batches, writing down all that they are told."""

    def __init__(self, batches: Batches) -> None:
        super().__init__(batches.models, batches.threads)
        self.starts: list[Put] = []
        self.steps: list[Step] = []

    def step(self, substeps: int, before: Look, after: Look) -> None:
        """Write the controls down on the way."""
        controls = np.zeros((len(self.models), self.models[0].nu))

        def noted(group: Group) -> None:
            before(group)
            controls[group.ids] = group.ctrl

        super().step(substeps, noted, after)
        self.steps.append(Step(controls))

    def reset(self, which: Ids, write: Write, after: Look) -> None:
        """Write down where the environments are put; the first time, where they start."""
        super().reset(which, write, after)
        controls = [self.groups[self.group_of[i]].ctrl[self.row_of[i]] for i in which]
        put = Put(which, np.array(controls), [self.qpos(int(i)) for i in which])
        (self.steps[-1].resets if self.steps else self.starts).append(put)


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
    for bare in (split, plain):
        for put in starts:
            bare.put(put)
    env.reset(seed=SEED)
    walls, cpus = _by_turns(env, actions, [split, plain], log)
    ends = [states(env), split.states(), plain.states()]
    for bare in (split, plain):
        bare.close()
    return _result(env, walls, cpus, len(groups), same(ends))


def record(env: WorldEnv, steps: int) -> tuple[list[Array], list[Put], list[Step]]:
    """Let the expert drive; return its actions (n, 4) each step, where all started, and what was told."""
    own = batches(env)
    recorder = Recorder(own)
    env.worlds.physics = recorder
    try:
        env.reset(seed=SEED)
        actions = []
        for _ in range(steps):
            actions.append(expert(env.worlds))
            env.step(actions[-1])
    finally:
        recorder.close()
        env.worlds.physics = own
    return actions, recorder.starts, recorder.steps


class Bare:
    """Nothing but `mujoco.batch`: groups of environments, one batch each."""

    def __init__(self, models: Sequence[Any], groups: Sequence[Ids], *, threads: int, pool: int) -> None:
        self.count, self.groups = len(models), tuple(groups)
        self.batches = [batch_of([models[i] for i in ids], threads) for ids in groups]
        self.views = [(batch.bind("qpos"), batch.bind("ctrl")) for batch in self.batches]
        self.place = {int(i): (k, row) for k, ids in enumerate(groups) for row, i in enumerate(ids)}
        self.pool = ThreadPoolExecutor(pool) if pool > 1 else None

    def step(self, substeps: int, step: Step) -> None:
        """Write controls, advance, and put back what our environment put back."""

        def one(k: int) -> None:
            self.views[k][1][:] = step.controls[self.groups[k]]
            self.batches[k].step(nstep=substeps, stage=CURRENT)

        for _ in (
            self.pool.map(one, range(len(self.groups))) if self.pool else map(one, range(len(self.groups)))
        ):
            pass
        for put in step.resets:
            self.put(put)

    def put(self, put: Put) -> None:
        """Start environments anew."""
        where = [self.place[int(i)] for i in put.which]
        for k in sorted({k for k, _ in where}):
            chosen = [j for j, (group, _) in enumerate(where) if group == k]
            rows = np.array([where[j][1] for j in chosen])
            order = np.argsort(rows)
            batch, (places, controls) = self.batches[k], self.views[k]
            batch.reset(rows[order], stage=NOTHING)
            for j, row in zip(chosen, rows, strict=True):
                places[row], controls[row] = put.qpos[j], put.controls[j]
            batch.forward(rows[order], stage=CURRENT)

    def states(self) -> list[Array]:
        """Return qpos of each environment."""
        where = (self.place[i] for i in range(self.count))
        return [self.views[k][0][row].copy() for k, row in where]

    def close(self) -> None:
        """End the threads."""
        if self.pool:
            self.pool.shutdown()


def _signatures(models: Sequence[Any]) -> list[list[int]]:
    together: dict[tuple[int, ...], list[int]] = {}
    for i, model in enumerate(models):
        together.setdefault(signature(model), []).append(i)
    return list(together.values())


def _by_turns(
    env: WorldEnv, actions: Sequence[Array], bares: Sequence[Bare], log: Sequence[Step]
) -> tuple[Array, Array]:
    """Return seconds by the clock and of CPU (rounds, 3): ours and each bare one; who begins goes round."""

    def ours(t: int) -> None:
        env.step(actions[t])

    runs: list[Callable[[int], object]] = [
        ours,
        *(_stepper(bare, env.worlds.substeps, log) for bare in bares),
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


def _stepper(bare: Bare, substeps: int, log: Sequence[Step]) -> Callable[[int], object]:
    return lambda t: bare.step(substeps, log[t])


def batches(env: WorldEnv) -> Batches:
    """Return the physics of an environment on C MuJoCo.

    Raises PocketworldError for another backend.
    """
    if not isinstance(env.worlds.physics, Batches):
        raise PocketworldError("bench sim compares C MuJoCo with itself", 'take backend="mujoco"')
    return env.worlds.physics


def states(env: WorldEnv) -> list[Array]:
    """Return qpos of each environment."""
    return [env.worlds.physics.qpos(i) for i in range(env.num_envs)]


def same(ends: Sequence[Sequence[Array]]) -> bool:
    """Say whether all ended in the same states, to the bit."""
    first, *others = ends
    return all(np.array_equal(a, b) for other in others for a, b in zip(first, other, strict=True))


def _result(env: WorldEnv, walls: Array, cpus: Array, signatures: int, same: bool) -> SimSpeed:
    rates = env.num_envs * ROUND / np.median(walls, axis=0)
    best = 1 + int(np.argmax(rates[1:]))
    return SimSpeed(
        envs=env.num_envs,
        models=len({id(model) for model in env.worlds.physics.models}),
        signatures=signatures,
        substeps=env.worlds.substeps,
        threads=batches(env).threads,
        rounds=len(walls),
        ours=float(rates[0]),
        split=float(rates[1]),
        plain=float(rates[2]),
        ratio=Ratio.of(walls[:, best] / walls[:, 0]),
        cpu_ratio=Ratio.of(cpus[:, best] / cpus[:, 0]),
        same=same,
        machine=machine(),
    )
