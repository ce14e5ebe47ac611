"""A training from its folder's last checkpoint to its end, and what is made of the policy then."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from pocketworld.errors import PocketworldError
from pocketworld.extras import require
from pocketworld.findings import Finding, Severity
from pocketworld.scene import Scene
from pocketworld.sim import backends, film
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.policy import Policy
from pocketworld.sim.training import policy as policies
from pocketworld.sim.training.curve import curve
from pocketworld.sim.training.evaluate import Evaluation, NothingToAsk, evaluate, eyes
from pocketworld.sim.training.origin import WORLD
from pocketworld.sim.training.progress import Progress
from pocketworld.sim.training.run_folder import EVALUATION, Row, RunFolder, write, write_json
from pocketworld.sim.training.settings import Settings

FILMED = 4  # environments: a cousin of a kitchen takes 0.2 s of CPU a picture
NEEDS = {"mujoco": ("mujoco",), "warp": ("warp", "mujoco_warp", "torch")}  # by backend
PLOTTED = 5  # iterations between pictures of the curve
Watch = Callable[[Progress], None]


class Place(NamedTuple):
    """Where a policy is judged: what that is called, on which backend, and how the policy is loaded."""

    name: str
    scenes: Sequence[Scene]
    backend: str
    loaded: Callable[[Path], Policy] = policies.load


def needs() -> None:
    """Raise PocketworldError where what learning needs is not installed."""
    require("train", "matplotlib", "onnx", "onnxruntime", "rsl_rl", "torch")


def options(settings: Settings, device: str | None = None) -> dict[str, Any]:
    """Return the options of environments as the settings ask for them, on a device of their backend."""
    return {
        "device": device,
        "task": settings.task,
        "robot": settings.robot,
        "backend": settings.backend,
        "max_steps": settings.max_steps,
        "eyes": eyes(settings),
    }


def learn(
    run: RunFolder,
    scenes: Sequence[Scene],
    settings: Settings,
    watch: Watch,
    threads: int | None = None,
    device: str | None = None,
    *,
    begin: Callable[[], None] = lambda: None,
) -> None:
    """Learn from the last checkpoint on, keeping one a whole leg; then export the policy.

    begin   writes what is asked for into the folder, once there are environments to learn in

    An interruption leaves the last checkpoint: going on from it does again what was done since, alike.
    """
    from pocketworld.sim.training.export import export
    from pocketworld.sim.training.ppo import Counted, Learner

    done = run.last
    rows = run.rows(done)
    before, began = run.cpu_s, time.process_time()
    with closing(Counted(scenes, settings.envs, threads=threads, **options(settings, device))) as env:
        robot = env.worlds.robot
        learner = Learner(env, settings)
        begin()
        if done:
            learner.restore(run.checkpoint(done, robot))
        while done < settings.iterations:
            for now in learner.leg(done):
                rows.append(Row(now, round(before + time.process_time() - began, 2)))
                run.write_rows(rows)
                if now.iteration % PLOTTED == 0:
                    plot(run, rows)
                watch(now)
            done = rows[-1].progress.iteration
            # From within a leg none can go on as if it had not stopped.
            if done % settings.checkpoint_every == 0:
                run.keep(done, learner.state(), robot)
        plot(run, rows)
        export(learner.actor, robot, run.path, {"task": settings.task, "settings": settings.to_json()})


def plot(run: RunFolder, rows: Sequence[Row]) -> None:
    """Draw the curve."""
    if rows:
        settings, origin = run.config
        title = f"{origin.get(WORLD)}: {settings.task}, training {run.path.name}"
        write(run.path / "curve.png", curve(rows, title))


def judge(
    run: RunFolder,
    settings: Settings,
    places: Sequence[Place],
    tick: Callable[[str], None],
    threads: int | None = None,
    device: str | None = None,
) -> tuple[tuple[Evaluation, ...], tuple[Finding, ...]]:
    """Let the exported policy try in places; write evaluation.json.

    device   of the backend that was learnt on. Another one that is not installed is a note; one that fails
             leaves the evaluation degraded: what was learnt and judged on its own backend stands.
    """
    done: list[Evaluation] = []
    found: list[Finding] = []
    for name, scenes, backend, loaded in places:
        own = backend == settings.backend
        severity = Severity.NOTE
        tick(f"the policy tries: {name}")
        try:
            if not own:
                require(backend, *NEEDS[backend])
                severity = Severity.DEGRADED
            on: dict[str, Any] = {"backend": backend, "device": device if own else None}
            done.append(evaluate(loaded(run.path), scenes, settings, name, threads=threads, **on))
        except NothingToAsk as error:  # an arm may reach nothing in the twin, and in its cousins all
            found.append(Finding("not-evaluated", Severity.DEGRADED, "train", run.path.name, str(error)))
        except PocketworldError as error:
            if own:
                raise
            found.append(Finding("not-evaluated", severity, "train", run.path.name, f"{name}: {error}"))
    whole = {"iteration": settings.iterations, "evaluations": [one.to_json() for one in done]}
    write_json(run.path / EVALUATION, whole)
    return tuple(done), tuple(found)


def filmed(run: RunFolder, scenes: Sequence[Scene], settings: Settings) -> Path:
    """Film the exported policy in the first scenes; return the film."""
    file = run.path / "film.mp4"
    shown = options(settings) | {"backend": "mujoco"}  # the one that pictures are drawn from
    env = WorldEnv(scenes[:FILMED], min(len(scenes), FILMED), render_mode="rgb_array", **shown)
    with closing(env):
        film.film(env, policies.load(run.path), file, seed=settings.seed, columns=2)
    return file


def other(backend: str) -> str:
    """Return the other backend."""
    return next(name for name in backends.BACKENDS if name != backend)
