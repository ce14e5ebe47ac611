"""The backends: scenes in, all their environments out, with the physics that steps them."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim import robots
from pocketworld.sim.compiling.processes import compile_all
from pocketworld.sim.cousin import Cousin
from pocketworld.sim.given import check_replicas, check_scenes, check_text, check_whole
from pocketworld.sim.physics import Physics
from pocketworld.sim.robots import Robot
from pocketworld.sim.tasks.episode import SHARP, Eyes
from pocketworld.sim.tasks.task import task as task_named
from pocketworld.sim.worlds import Sees, Worlds

BACKENDS = ("mujoco", "warp")
OBSERVATIONS = ("state", "rgbd")


def worlds(
    scenes: Sequence[Scene],
    num_envs: int | None = None,
    *,
    task: str = "open",
    backend: str = "mujoco",
    device: str | None = None,
    robot: str | Path | Robot = "hand",
    threads: int | None = None,
    replicas: Sequence[int] | None = None,
    max_steps: int = 200,
    eyes: Eyes | None = None,
    sleep: bool = True,
    workers: int = 1,
    observation: str = "state",
    picture: tuple[int, int] = (64, 64),
) -> Worlds:
    """Return environments of a task, scene i modulo their number in environment i.

    num_envs     [as many as there are scenes];  the others: see `make`, `Worlds` and the environments
    observation  "state", or "rgbd": pictures of a size (width, height) instead of where the handle is
    eyes         None: SHARP

    Raises PocketworldError, in one line, for what can't be.
    """
    check_scenes(scenes)
    count = len(scenes) if num_envs is None else num_envs
    check_whole(num_envs=count, max_steps=max_steps, workers=workers, **_given(threads=threads))
    check_text(task=task, backend=backend, observation=observation, **_given(device=device))
    check_replicas(replicas)
    if not isinstance(eyes, Eyes | None):
        raise PocketworldError(f"eyes is {eyes!r}", "give pocketworld.sim.tasks.episode.Eyes")
    asked, arm = task_named(task), _robot(robot)
    cousins, physics = make(
        backend, scenes, count, arm, threads=threads, device=device, sleep=sleep, workers=workers
    )
    sight = _sight(backend, scenes, min(count, len(scenes)), arm, observation, picture)
    return Worlds(cousins, physics, arm, asked, replicas, max_steps, eyes or SHARP, sight)


def _given(**values: Any) -> dict[str, Any]:
    """Return what is not None."""
    return {name: value for name, value in values.items() if value is not None}


def _robot(robot: str | Path | Robot) -> Robot:
    """Return a robot by its name or its file's path, or one that is there already."""
    if isinstance(robot, str | Path):
        return robots.named(str(robot))
    if not hasattr(robot, "fitted"):
        raise PocketworldError(f"robot is {robot!r}", "a name, the path of an MJCF file, or a robot")
    return robot


def _sight(
    backend: str,
    scenes: Sequence[Scene],
    count: int,
    robot: Robot,
    observation: str,
    picture: tuple[int, int],
) -> Sees | None:
    if observation not in OBSERVATIONS:
        raise PocketworldError(f"no observation {observation!r}", f"there are: {', '.join(OBSERVATIONS)}")
    if observation == "state":
        return None
    if backend == "warp":
        from pocketworld.sim.warp.sight import WarpSight

        return WarpSight(picture)
    from pocketworld.sim.pictures.sight import Sight

    return Sight([scenes[i] for i in range(count)], robot, picture)


def make(
    backend: str,
    scenes: Sequence[Scene],
    count: int,
    robot: Robot,
    *,
    threads: int | None = None,
    device: str | None = None,
    sleep: bool = True,
    workers: int = 1,
) -> tuple[list[Cousin], Physics]:
    """Return `count` environments, scene i modulo their number in environment i, and their physics.

    threads   of the backend "mujoco" [all cores]; sleep: whether what has come to rest sleeps there, until
              it is touched
    workers   processes that compile cousins, where that pays (`compile_all`)
    device:   of "warp" ["cuda" where there is one, else "cpu"]; it has no use for threads, sleep and workers

    Raises PocketworldError for a backend that there is not, or that is not installed.
    """
    check(backend, device)
    if backend == "warp":
        from pocketworld.sim.warp import physics

        return physics.make(scenes, count, robot, device)
    from pocketworld.sim.batch import Batches, let_sleep

    made = compile_all(scenes[:count], robot, workers=workers)
    for cousin in made if sleep else ():
        let_sleep(cousin.model)
    cousins = [made[i % len(made)] for i in range(count)]
    return cousins, Batches([cousin.model for cousin in cousins], cores() if threads is None else threads)


def check(backend: str, device: str | None = None) -> None:
    """Raise PocketworldError for a backend or device that there is not, or one that is not installed."""
    if backend not in BACKENDS:
        raise PocketworldError(f"no backend {backend!r}", f"there are: {', '.join(BACKENDS)}")
    if backend == "warp":
        from pocketworld.sim.warp.installed import chosen

        chosen(device)
    elif device not in (None, "cpu"):
        raise PocketworldError(f"the backend mujoco runs on no {device!r}", 'on "cpu"; "warp" runs on a GPU')


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
