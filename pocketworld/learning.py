"""The commands that learn, or record what others learn from: in a world's cousins, and in how many."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pocketworld import api, world
from pocketworld.api import Tick
from pocketworld.findings import Finding
from pocketworld.workflow import Made

if TYPE_CHECKING:
    from pocketworld.bench.transfer import Transfer
    from pocketworld.cousins.sequence import Cousins
    from pocketworld.cousins.spec import Spec
    from pocketworld.sim.training.evaluate import Evaluation
    from pocketworld.sim.training.run_folder import Origin, RunFolder
    from pocketworld.sim.training.settings import Settings
    from pocketworld.sim.training.split import Split
    from pocketworld.sim.training.train import Place

RUNS = world.RUNS
PRESET, COUSINS = "medium", 64


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a training; None: as one that goes on began, else the default.

    settings      those that differ from the defaults
    preset, spec  of the cousins: medium, or a file
    train, held   how many cousins to learn in, and to judge on: COUSINS
    threads, device   of the physics
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    preset: str | None = None
    spec: Path | None = None
    train: int | None = None
    held: int | None = None
    resume: bool = False
    threads: int | None = None
    device: str | None = None
    film: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A training that can begin, or go on; nothing of it is drawn or written.

    draw    returns as many cousins as it is asked for (`count`)
    begin   writes what is asked for into its folder
    """

    run: "RunFolder"
    settings: "Settings"
    train: int
    held: int
    draw: "Callable[..., Cousins]"
    begin: Callable[[], None]


def train(folder: Path, name: str, wanted: Wanted, tick: Tick) -> Made:
    """Learn in cousins of a world's twin, judge on others and on the twin; all in runs/NAME.

    Nothing is written before all is there to learn in.
    """
    from pocketworld.sim.training.split import needed, split

    plan = _plan(folder, name, wanted)
    with plan.run.held():
        cousins = plan.draw(count=needed(plan.train, plan.held))
        parts = split(cousins, plan.train, plan.held)
        tick(f"{cousins_in_words(plan.train)} to learn in, {plan.held} held out")
        left = _learn(plan, parts, wanted, tick)
        judged, findings = _judge(plan, cousins, parts, wanted, tick)
        shown = [_film(plan, parts, tick)] if wanted.film else []
    path = plan.run.path
    lines = (*(one.text() for one in judged), *(f"film: {file}" for file in shown), f"policy: {path}")
    data = {"run": str(path), "evaluations": [one.to_json() for one in judged]}
    return Made(lines, data, (*left, *findings))


def _plan(folder: Path, name: str, wanted: Wanted) -> Plan:
    """Look whether a training can begin, or go on, before anything is drawn.

    Raises PocketworldError, in one line, for the first thing that stands against it.
    """
    from pocketworld.cousins.spec import checked_name
    from pocketworld.sim.training import beginning
    from pocketworld.sim.training import train as training
    from pocketworld.sim.training.origin import HELD_OUT, LEARNT_IN, origin
    from pocketworld.sim.training.run_folder import RunFolder
    from pocketworld.sim.training.settings import Settings

    training.needs()
    run = RunFolder(folder / RUNS / checked_name(name, "--name"))
    if not wanted.resume:
        run.free()
    began, came_from = run.config if wanted.resume else (Settings(), {})
    settings = replace(began, **wanted.settings)
    beginning.possible(settings, wanted.device)
    goes_on = wanted.resume and run.trained
    if goes_on:
        beginning.whole(run, began)
    train = int(wanted.train or came_from.get(LEARNT_IN, COUSINS))
    held = int(wanted.held or came_from.get(HELD_OUT, COUSINS))
    twin = api.twin_of(folder, visual=True)
    draw = partial(
        api.make_cousins, twin, wanted.preset or PRESET, spec=_spec(run, wanted), seed=settings.seed
    )
    first = draw(count=1)
    come_from = origin(folder.name, first, train, held)
    if goes_on:
        beginning.same(run, settings, come_from, first.spec)
    beginning.room(twin, settings)
    begin = partial(_write, run, settings, come_from, first.spec, goes_on)
    return Plan(run, settings, train, held, draw, begin)


def _spec(run: "RunFolder", wanted: Wanted) -> Path | None:
    """Return the file of the cousins' spec; going on, the one that it began with where none is asked for."""
    from pocketworld.sim.training.run_folder import SPEC

    kept = wanted.resume and wanted.preset is None and wanted.spec is None
    return run.path / SPEC if kept else wanted.spec


def _write(run: "RunFolder", settings: "Settings", come_from: "Origin", spec: "Spec", goes_on: bool) -> None:
    """Write what is asked for into a training's folder."""
    from pocketworld.cousins import spec as specs
    from pocketworld.sim.training.run_folder import SPEC, write

    (run.go_on if goes_on else run.begin)(settings, come_from)
    write(run.path / SPEC, specs.dump(spec).encode())


def _learn(plan: Plan, parts: "Split", wanted: Wanted, tick: Tick) -> tuple[Finding, ...]:
    """Learn; return what is said of cousins that are left out."""
    from pocketworld.sim import robots
    from pocketworld.sim.compiling.in_reach import in_reach
    from pocketworld.sim.training import train as training
    from pocketworld.sim.training.progress import Pace

    robot = robots.named(plan.settings.robot)
    scenes, left = in_reach(parts.train.bare(), robot, "train", tick=tick)
    pace = Pace(plan.settings.iterations)
    training.learn(
        plan.run,
        scenes,
        plan.settings,
        lambda now: tick(pace.text(now)),
        wanted.threads,
        wanted.device,
        begin=plan.begin,
    )
    return left


def _judge(
    plan: Plan, cousins: "Cousins", parts: "Split", wanted: Wanted, tick: Tick
) -> "tuple[tuple[Evaluation, ...], tuple[Finding, ...]]":
    """Judge what was learnt where it was learnt, on what was held out and on the twin, here and elsewhere."""
    from pocketworld.sim.training import train as training

    backend = plan.settings.backend
    places = _places(cousins, parts, backend, training.other(backend))
    return training.judge(plan.run, plan.settings, places, tick, wanted.threads, wanted.device)


def _film(plan: Plan, parts: "Split", tick: Tick) -> Path:
    """Film what was learnt in some of the cousins held out; return the film."""
    from pocketworld.sim import robots
    from pocketworld.sim.compiling.in_reach import in_reach
    from pocketworld.sim.training import train as training

    tick("film")
    robot = robots.named(plan.settings.robot)
    some, _ = in_reach(parts.held, robot, "train", training.FILMED)  # told where they are judged
    return training.filmed(plan.run, some, plan.settings)


def _places(cousins: "Cousins", parts: "Split", backend: str, other: str) -> "list[Place]":
    """Return where a policy is judged, and how."""
    from pocketworld.sim.training.policy import load_mean
    from pocketworld.sim.training.train import Place

    twin, held = (cousins.bare().twin,), f"{cousins_in_words(len(parts.held))} held out"
    return [
        Place(f"{cousins_in_words(len(parts.train))} learnt in", parts.train.bare(), backend),
        Place(held, parts.held.bare(), backend),
        Place(f"{held}, without its deviation", parts.held.bare(), backend, load_mean),
        Place("the twin", twin, backend),
        Place(f"the twin on {other}", twin, other),
    ]


def cousins_in_words(count: int) -> str:
    """Return how many cousins, in words."""
    return f"{count} cousin{'s' if count > 1 else ''}"


def kept(folder: Path, name: str) -> str:
    """Return in words what a training that was stopped leaves."""
    from pocketworld.sim.training.run_folder import RunFolder

    run = RunFolder(folder / RUNS / name)
    if run.last:
        kept = f"checkpoint {run.last} is kept: --resume goes on from there"
        return f"stopped after iteration {max(run.learnt, run.last)}; {kept}"
    if run.trained:
        return f"stopped after iteration {run.learnt}, before a checkpoint: the same command begins anew"
    return "stopped before the first iteration: the same command begins anew"


def record(
    folder: Path,
    target: Path,
    episodes: int,
    *,
    name: str | None,
    run: Path | None,
    seed: int,
    failed: bool,
    size: tuple[int, int],
    cameras: Sequence[str],
    tick: Tick,
    options: Mapping[str, Any],
) -> Made:
    """Record a policy in a world's cousins, or its twin if it has none, as a LeRobot dataset.

    Scenes in which the robot reaches nothing are left out; a finding says so.

    run       a training, its folder or its name in the world, or None for the expert
    options   of the environments: task, robot, backend, device
    """
    from pocketworld.sim.asked import Asked
    from pocketworld.sim.compiling.in_reach import in_reach
    from pocketworld.sim.expert import expert
    from pocketworld.sim.lerobot import record as recording
    from pocketworld.sim.lerobot.writer import free
    from pocketworld.sim.training.policy import load_for

    asked = Asked.of(options)
    free(target)  # before anything is loaded
    policy = expert if run is None else load_for(world.run_of(folder, run), asked)
    every = api.scenes_of(folder, name, visual=True)
    most = min(max(episodes, 1), recording.AT_ONCE)
    scenes, left = in_reach(every, asked.who(), "record", most, tick)
    made = recording.record(
        scenes,
        target,
        episodes,
        policy,
        seed=seed,
        failed=failed,
        size=size,
        cameras=cameras,
        tick=tick,
        **options,
    )
    return Made((made.text(),), made.to_json(), left)


def measure_transfer(
    folder: Path,
    into: Path,
    *,
    preset: str,
    counts: tuple[int, ...],
    seeds: int,
    steps: int,
    held: int,
    picture: Path | None,
    document: Path | None,
    tick: Tick,
) -> "Transfer":
    """Measure success held out against the number of cousins learnt in; results are kept in `into`."""
    from pocketworld.bench import document as page
    from pocketworld.bench import transfer
    from pocketworld.bench.transfer_picture import draw
    from pocketworld.sim.training import train as training

    training.needs()
    count = transfer.wanted(counts, seeds, held)
    cousins = api.make_cousins(folder, preset, count=count).bare()
    settings = transfer.settings(steps)
    result = transfer.measure(
        cousins, into, settings, tick, world=folder.name, counts=counts, seeds=seeds, held=held
    )
    if picture is not None:
        draw(result, picture)
    if document is not None:
        asked = f"--preset {preset} --counts {','.join(map(str, counts))} --seeds {seeds} --steps {steps}"
        command = f"pocketworld bench transfer {folder.name} --into {into.name} {asked} --held-out {held}"
        page.put(document, result, command)
    return result
