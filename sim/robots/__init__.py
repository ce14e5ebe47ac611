"""Robots: what each adds to a scene, its actions, and how these become what its actuators are asked for."""

from pathlib import Path

from pocketworld.errors import PocketworldError
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.robots.robot import Robot as Robot

ROBOTS = ("hand", "panda", "panda:joints")
BY_JOINTS = ":joints"  # after an arm's name: it is led joint by joint, not by its grip


def named(robot: str | Robot) -> Robot:
    """Return a robot by its name, or of an MJCF file ("my_arm.xml"); one that is there already as it is.

    Raises PocketworldError for a name that there is not, and for a file that holds no arm.
    """
    if not isinstance(robot, str):
        return robot
    if robot == "hand":
        return Hand()
    name, by_joints = robot.removesuffix(BY_JOINTS), robot.endswith(BY_JOINTS)
    if name != "panda" and not name.endswith(".xml"):
        known = ", ".join(ROBOTS)
        raise PocketworldError(
            f"no robot {robot!r}", f"there are: {known}, or the path of an MJCF file, .xml"
        )
    from pocketworld.sim.robots.from_mjcf import from_mjcf
    from pocketworld.sim.robots.panda import panda
    from pocketworld.sim.robots.standing import ByGrip, ByJoints

    made = panda() if name == "panda" else from_mjcf(Path(name))
    return ByJoints(made) if by_joints else ByGrip(made)
