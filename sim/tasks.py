"""What can be asked of a joint: from where to where it is to be moved."""

from dataclasses import dataclass

from pocketworld.errors import PocketworldError


@dataclass(frozen=True, slots=True)
class Task:
    """A joint stands at a share of its range, drawn from `start`, and is to be moved to the share `goal`."""

    name: str
    start: tuple[float, float]
    goal: float


OPEN = Task("open", (0.0, 0.0), 0.8)
CLOSE = Task("close", (0.6, 0.9), 0.02)
TASKS = {task.name: task for task in (OPEN, CLOSE)}


def task(name: str) -> Task:
    """Return a task by its name; raise PocketworldError for one that there is not."""
    if name not in TASKS:
        raise PocketworldError(f"no task {name!r}", f"there are: {', '.join(TASKS)}")
    return TASKS[name]
