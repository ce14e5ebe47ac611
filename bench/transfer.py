"""How well what is learnt in few or many cousins opens others: success held out against cousins learnt in.

Every run does as many environment steps and is judged on the same cousins, which none learns in; each seed
learns in cousins of its own. A run's result is a file of its own: what is there is not run again.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from pocketworld.bench.machine import Machine, machine
from pocketworld.cousins.sequence import Cousins
from pocketworld.errors import PocketworldError
from pocketworld.sim.share import Share
from pocketworld.sim.training.evaluate import Evaluation, evaluate
from pocketworld.sim.training.origin import origin
from pocketworld.sim.training.run_folder import write_json
from pocketworld.sim.training.settings import Settings
from pocketworld.sim.training.split import needed, split

HELD = 64
COUNTS = (1, 4, 16, 64)
SEEDS = 5
STEPS = 400_000
Tick = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """One training: in how many cousins, by which seed, and its success on its own and on held-out ones.

    episodes   on held-out cousins, of which `held` is the share that succeeded
    """

    count: int
    seed: int
    env_steps: int
    own: float
    held: float
    episodes: int
    kinds: dict[str, float]
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Row:
    """All seeds of one number of cousins: mean, and the interval that holds the mean with 95 %.

    The interval is Student's over the seeds, cut to 0..1: seeds differ far more than episodes do. Where they
    happen to agree it is no narrower than what the episodes alone leave open (Wilson's, of all together).
    episodes   of all seeds
    """

    count: int
    held: tuple[float, ...]
    own: float
    episodes: int

    @property
    def mean(self) -> float:
        """Return the mean success on held-out cousins."""
        return float(np.mean(self.held))

    @property
    def interval(self) -> tuple[float, float]:
        """Return the interval; of one seed nothing is known: 0..1."""
        if len(self.held) < 2:
            return 0.0, 1.0
        error = float(np.std(self.held, ddof=1)) / len(self.held) ** 0.5
        half = float(student.ppf(0.975, len(self.held) - 1)) * error
        low, high = Share(round(self.mean * self.episodes), self.episodes).interval
        return max(min(self.mean - half, low), 0.0), min(max(self.mean + half, high), 1.0)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Success on held-out cousins against the number of cousins learnt in."""

    world: str
    spec: str
    held: int
    runs: tuple[Run, ...]
    machine: Machine

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return a row for each number of cousins."""
        out = []
        for count in sorted({run.count for run in self.runs}):
            own = [run for run in self.runs if run.count == count]
            mean, episodes = float(np.mean([run.own for run in own])), sum(run.episodes for run in own)
            out.append(Row(count, tuple(run.held for run in own), mean, episodes))
        return tuple(out)

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self) | {"machine": self.machine.to_json()}

    def text(self) -> str:
        """Return a table."""
        each, cpu = {run.env_steps for run in self.runs}, np.mean([run.cpu_s for run in self.runs])
        lines = [
            f"{self.world}, cousins at {self.spec}, {self.held} held out; {len(self.runs)} runs, each of "
            f"{max(each) / 1e6:.2f} M environment steps, {cpu:.0f} s of CPU",
            f"{'cousins':>8}  {'own':>6}  {'held out':>8}  {'95 % of the mean':>18}   each seed",
        ]
        for row in self.rows:
            low, high = row.interval
            seeds = " ".join(f"{share:.3f}" for share in row.held)
            lines.append(
                f"{row.count:>8}  {row.own:>6.3f}  {row.mean:>8.3f}  {low:>9.3f} .. {high:.3f}   {seeds}"
            )
        return "\n".join([*lines, self.machine.text()]) + "\n"


def measure(
    cousins: Cousins,
    folder: Path,
    settings: Settings,
    tick: Tick,
    *,
    world: str,
    counts: Sequence[int] = COUNTS,
    seeds: int = SEEDS,
    held: int = HELD,
) -> Transfer:
    """Train and judge for each number of cousins and seed; results are kept in a folder, one file a run.

    Raises PocketworldError for a result in the folder that is of anything else than what is asked for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runs, here = [], machine()
    for seed in range(seeds):
        for count in counts:
            file = folder / f"cousins_{count}_seed_{seed}.json"
            skip = seed * max(counts)
            asked = made_of(world, cousins, replace(settings, seed=seed), count, held, skip, here)
            found = _known(file, asked)
            tick(f"{count} cousins, seed {seed}{': known' if found else ''}")
            runs.append(found or _run(cousins, count, replace(settings, seed=seed), held, skip, file, asked))
    return Transfer(world, cousins.spec.name, held, tuple(runs), here)


def made_of(
    world: str, cousins: Cousins, settings: Settings, count: int, held: int, skip: int, here: Machine
) -> dict[str, Any]:
    """Return all that a run's result hangs on, as JSON has it."""
    come_from = {**origin(world, cousins, count, held), "cousins left out": skip}
    whole = {"settings": settings.to_json(), "origin": come_from, "machine": here.to_json()}
    read: dict[str, Any] = json.loads(json.dumps(whole))
    return read


def settings(steps: int) -> Settings:
    """Return the settings with which so many environment steps are done, rounded up to whole iterations."""
    usual = Settings()
    return replace(usual, iterations=-(-steps // (usual.envs * usual.steps)))


def wanted(counts: Sequence[int], seeds: int, held: int) -> int:
    """Return how many cousins are needed in all."""
    return needed(max(counts), held, skip=(seeds - 1) * max(counts))


def _run(
    cousins: Cousins,
    count: int,
    settings: Settings,
    held: int,
    skip: int,
    file: Path,
    asked: Mapping[str, Any],
) -> Run:
    from pocketworld.sim.training.policy import learnt
    from pocketworld.sim.training.ppo import Counted, Learner
    from pocketworld.sim.training.train import options

    parts = split(cousins, count, held, skip=skip)
    began = time.process_time()
    with closing(Counted(parts.train, settings.envs, threads=1, **options(settings))) as env:
        learner = Learner(env, settings)
        for begin in range(0, settings.iterations, settings.checkpoint_every):
            for _ in learner.leg(begin):
                pass
    cpu = time.process_time() - began
    policy = learnt(learner.actor)
    judged = [evaluate(policy, part, settings, "", threads=1) for part in (parts.train, parts.held)]
    own, other = (one.whole for one in judged)
    shares = own.share, other.share, other.of
    run = Run(count, settings.seed, settings.env_steps, *shares, _kinds(judged[1]), round(cpu, 1))
    write_json(file, {**asked, "run": asdict(run)})
    return run


def _kinds(evaluation: Evaluation) -> dict[str, float]:
    return {kind: share.share for kind, share in evaluation.kinds.items()}


def _known(file: Path, asked: Mapping[str, Any]) -> Run | None:
    """Return a run that was done before; raise PocketworldError where it was another one."""
    if not file.is_file():
        return None
    try:
        data = json.loads(file.read_text())
        run, was = Run(**data["run"]), {part: dict(data[part]) for part in asked}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PocketworldError(f"{file} is no run: {error}", "delete it") from None
    for part, values in asked.items():
        for name in sorted({*values, *was[part]}):
            then, now = (json.dumps(one.get(name)) for one in (was[part], values))
            if then != now:
                told = f"{part}: {name} was {then}, is {now}"
                raise PocketworldError(f"{file} was another run: {told}", "name another folder")
    return run
