"""Robots: what each adds to a scene, its actions, and how these become what its actuators are asked for."""

from pocketworld.errors import PocketworldError
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.robots.robot import Robot as Robot

ROBOTS = ("hand",)


def named(robot: str | Robot) -> Robot:
    """Return a robot by its name; one that is there already as it is.

    Raises PocketworldError for a name that there is not.
    """
    if not isinstance(robot, str):
        return robot
    if robot == "hand":
        return Hand()
    raise PocketworldError(f"no robot {robot!r}", f"there are: {', '.join(ROBOTS)}")
