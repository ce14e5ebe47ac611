"""The commands that learn, or record what others learn from: in a world's cousins, and in how many."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pocketworld import api, world
from pocketworld.api import Tick
from pocketworld.workflow import Made

if TYPE_CHECKING:
    from pocketworld.bench.transfer import Transfer
    from pocketworld.cousins.sequence import Cousins
    from pocketworld.scene import Scene
    from pocketworld.sim.training.split import Split

RUNS = world.RUNS
PRESET, COUSINS = "medium", 64


def train(
    folder: Path,
    name: str,
    asked: Mapping[str, Any],
    *,
    preset: str | None,
    spec: Path | None,
    train: int | None,
    held: int | None,
    resume: bool,
    threads: int | None,
    device: str | None,
    film: bool,
    tick: Tick,
) -> Made:
    """Learn in `train` cousins of a world's twin, judge on `held` others and on the twin; all in runs/NAME.

    Nothing is written before all is there to learn in.

    asked   settings that differ from the defaults; going on, from those that it began with
    preset, spec, train, held   None: medium, COUSINS, COUSINS; going on, what it began with
    """
    from pocketworld.cousins import spec as specs
    from pocketworld.cousins.spec import checked_name
    from pocketworld.sim import robots
    from pocketworld.sim.compiling.in_reach import in_reach
    from pocketworld.sim.training import beginning
    from pocketworld.sim.training import train as training
    from pocketworld.sim.training.origin import HELD_OUT, LEARNT_IN, origin
    from pocketworld.sim.training.progress import Pace
    from pocketworld.sim.training.run_folder import SPEC, RunFolder, write
    from pocketworld.sim.training.settings import Settings
    from pocketworld.sim.training.split import needed, split

    training.needs()
    run = RunFolder(folder / RUNS / checked_name(name, "--name"))
    if not resume:
        run.free()
    began, came_from = run.config if resume else (Settings(), {})
    settings = replace(began, **asked)
    beginning.possible(settings, device)
    goes_on = resume and run.trained
    if goes_on:
        beginning.whole(run, began)
    train = int(train or came_from.get(LEARNT_IN, COUSINS))
    held = int(held or came_from.get(HELD_OUT, COUSINS))
    if resume and preset is None and spec is None:
        spec = run.path / SPEC
    twin = api.twin_of(folder, visual=True)
    drawn = partial(api.make_cousins, twin, preset or PRESET, spec=spec, seed=settings.seed)
    first = drawn(count=1)
    come_from = origin(folder.name, first, train, held)
    if goes_on:
        beginning.same(run, settings, come_from, first.spec)
    beginning.room(twin, settings)

    def begin() -> None:
        run.go_on(settings, come_from) if goes_on else run.begin(settings, come_from)
        write(run.path / SPEC, specs.dump(first.spec).encode())

    with run.held():
        cousins = drawn(count=needed(train, held))
        parts = split(cousins, train, held)
        tick(f"{cousins_in_words(train)} to learn in, {held} held out")
        robot = robots.named(settings.robot)
        scenes, left = in_reach(parts.train.bare(), robot, "train", tick=tick)
        pace = Pace(settings.iterations)
        training.learn(run, scenes, settings, lambda now: tick(pace.text(now)), threads, device, begin=begin)
        places = _places(cousins, parts, settings.backend, training.other(settings.backend))
        judged, findings = training.judge(run, settings, places, tick, threads, device)
        shown = []
        if film:
            tick("film")
            some, _ = in_reach(parts.held, robot, "train", training.FILMED)  # told where they are judged
            shown = [training.filmed(run, some, settings)]
    lines = (*(one.text() for one in judged), *(f"film: {file}" for file in shown), f"policy: {run.path}")
    data = {"run": str(run.path), "evaluations": [one.to_json() for one in judged]}
    return Made(lines, data, (*left, *findings))


def _places(
    cousins: "Cousins", parts: "Split", backend: str, other: str
) -> list[tuple[str, "Sequence[Scene]", str]]:
    """Return where a policy is judged: what that is called, the scenes, on which backend."""
    twin = (cousins.bare().twin,)
    return [
        (f"{cousins_in_words(len(parts.train))} learnt in", parts.train.bare(), backend),
        (f"{cousins_in_words(len(parts.held))} held out", parts.held.bare(), backend),
        ("the twin", twin, backend),
        (f"the twin on {other}", twin, other),
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
