"""What environments are asked for, as far as more than one thing hangs on it: its defaults in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from pocketworld.sim import robots
from pocketworld.sim.robots.robot import Robot
from pocketworld.sim.tasks.task import Task
from pocketworld.sim.tasks.task import task as task_named


@dataclass(frozen=True, slots=True)
class Asked:
    """Those of the options of environments that what acts in them, and where they run, has to fit.

    task, robot, backend, device, observation   as `api.make_env` takes them
    """

    task: str = "open"
    robot: str | Robot = "hand"
    backend: str = "mujoco"
    device: str | None = None
    observation: str = "state"

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Return them from all options, of which others are left out."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in options.items() if name in names})

    def who(self) -> Robot:
        """Return the robot; raise PocketworldError for one that there is not."""
        return robots.named(self.robot)

    def goal(self) -> Task:
        """Return the task; raise PocketworldError for one that there is not."""
        return task_named(self.task)

    @property
    def pictures(self) -> bool:
        """Say whether pictures are seen."""
        return self.observation == "rgbd"

    @property
    def gpus(self) -> int:
        """Return how many GPUs it takes: on "warp" one, unless it is told to do without."""
        return int(self.backend == "warp" and self.device != "cpu")
