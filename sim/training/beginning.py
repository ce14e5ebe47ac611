"""What is looked at before cousins are drawn: a training that can't go on says so at once."""

from collections.abc import Mapping
from typing import Any

from pocketworld.cousins import spec as specs
from pocketworld.cousins.spec import Spec
from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim import backends, memory, robots
from pocketworld.sim.compiling.cousin import compile_cousin
from pocketworld.sim.tasks.observation import PRIVILEGED, policy_names
from pocketworld.sim.tasks.task import task
from pocketworld.sim.training.origin import changes
from pocketworld.sim.training.run_folder import SPEC, RunFolder
from pocketworld.sim.training.settings import Settings

SINGLE = 4  # bytes of a number that is learnt from


def possible(settings: Settings, device: str | None) -> None:
    """Raise PocketworldError for a task, a robot, a backend, a device that there is not, or for short legs.

    In these no episode would come to its end, as each leg begins them all anew.
    """
    least = -(-settings.max_steps // settings.steps)
    if settings.checkpoint_every < least:
        raise PocketworldError(
            f"checkpoint_every is {settings.checkpoint_every}",
            f"at least {least}, as an episode has {settings.max_steps} steps, and after each all begin anew",
        )
    task(settings.task)
    robots.named(settings.robot)
    backends.check(settings.backend, device)


def whole(run: RunFolder, settings: Settings) -> None:
    """Raise PocketworldError where a training's checkpoints are gone, or the last one is damaged."""
    run.complete()
    if run.last:
        run.checkpoint(run.last, robots.named(settings.robot))


def same(run: RunFolder, settings: Settings, origin: Mapping[str, Any], spec: Spec) -> None:
    """Raise PocketworldError, in one line, for the first thing that is not as a training began with it."""
    told = list(changes(specs.load(run.path / SPEC), spec))
    if told:
        more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
        raise run.changed(f"the spec changed under the training: {told[0]}{more}")
    run.fits(settings, origin)


def room(twin: Scene, settings: Settings) -> None:
    """Raise PocketworldError for more environments than fit into memory, by the twin's measure.

    Less than they take: `Batches`, and what a GPU holds, is reckoned with once the cousins are there.
    """
    seen = len(policy_names(robots.named(settings.robot))) + len(PRIVILEGED)
    needed = settings.envs * settings.steps * seen * SINGLE
    if settings.backend == "mujoco":
        # With the hand: an arm may reach nothing in the twin, and in its cousins all.
        needed += memory.batch_bytes(compile_cousin(twin).model, settings.envs, persistent=True)
    memory.check(needed, f"{settings.envs} environments")
