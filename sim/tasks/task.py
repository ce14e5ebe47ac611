"""What can be asked of a joint: from where to where it is to be moved."""

from dataclasses import dataclass

from pocketworld.errors import PocketworldError


@dataclass(frozen=True, slots=True)
class Task:
    """A joint stands at a share of its range, drawn from `start`, and is to be moved to the share `goal`.

    done   what has been done to it then
    """

    name: str
    done: str
    start: tuple[float, float]
    goal: float


OPEN = Task("open", "opened", (0.0, 0.0), 0.8)
# Left open as one leaves things after using them: about as far as OPEN opens them, and not at their stop, on
# which they could lean. Shut is 2 %: 8 mm of a drawer, 2 degrees of a door; what is left a soft close pulls
# in, and a seal or a tilt of the twin keeps no one from getting there.
CLOSE = Task("close", "closed", (0.6, 0.9), 0.02)
TASKS = {task.name: task for task in (OPEN, CLOSE)}


def task(name: str) -> Task:
    """Return a task by its name; raise PocketworldError for one that there is not."""
    if name not in TASKS:
        raise PocketworldError(f"no task {name!r}", f"there are: {', '.join(TASKS)}")
    return TASKS[name]
