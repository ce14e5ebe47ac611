"""How many contacts and constraints a batch must have room for: as C MuJoCo meets them, times two."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from dataclasses import dataclass

import mujoco
import numpy as np

from pocketworld.sim.cousin import Cousin, Target
from pocketworld.sim.robots.robot import Robot
from pocketworld.sim.tasks.episode import START_HIGH, START_LOW

SETTLE = 60  # steps: a quarter of a second, in which what lies there has come down
REST = 5  # steps after which what stands on something touches it
SPARE = 2.0  # times what was met: more of it may open and fall than in the short run
EAGER = 2.0  # ranges a second that joints are pushed with: some meet their stops
# What a robot may still meet besides: two fingers of two pieces each on a handle of three, four contacts a
# pair at most; each of condim 4 gives four rows.
GRIP, ROWS = 48, 4


@dataclass(frozen=True, slots=True)
class Room:
    """contacts: of one world, on average; rows: constraints of the fullest one."""

    contacts: int = 0
    rows: int = 0

    def __or__(self, other: "Room") -> "Room":
        """Return room for either."""
        return Room(max(self.contacts, other.contacts), max(self.rows, other.rows))

    def __add__(self, other: "Room") -> "Room":
        """Return room for both."""
        return Room(self.contacts + other.contacts, self.rows + other.rows)

    def beyond(self, other: "Room") -> "Room":
        """Return what this one has more than another."""
        return Room(max(self.contacts - other.contacts, 0), max(self.rows - other.rows, 0))

    def with_spare(self) -> "Room":
        """Return room for what may come."""
        return Room(int(SPARE * self.contacts) + GRIP, int(SPARE * self.rows) + GRIP * ROWS)


def begin(
    cousin: Cousin, robot: Robot, data: mujoco.MjData, target: Target, share: float, held: bool
) -> None:
    """Put all joints a share of their range open, the robot before a target's handle, or on it, and holding.

    The robot is where an episode begins: a closed keyframe has it in the floor.
    """
    model = cousin.model
    mujoco.mj_resetDataKeyframe(model, data, model.key("closed").id)
    for one in cousin.targets:
        data.qpos[one.qpos] = share * one.range
    hold = target.hold(share * target.range)
    aside = np.zeros(3) if held else np.mean([START_LOW, START_HIGH], axis=0)
    at = robot.start(hold, hold.grip + hold.turn @ aside, target.reach)
    data.qpos[cousin.robot_qpos :][: len(at)] = data.ctrl[:] = at
    if held:
        data.ctrl[-2:] = 0.0  # its fingers close


def at_rest(cousin: Cousin, robot: Robot) -> Room:
    """Return the most contacts and constraints of a few steps, everything closed, the robot in the open."""
    data = mujoco.MjData(cousin.model)
    begin(cousin, robot, data, cousin.targets[0], 0.0, held=False)
    return _most(cousin.model, data, REST)


def met(cousin: Cousin, robot: Robot) -> Room:
    """Return the most contacts and constraints of short runs: all closed, and half open and in motion.

    The robot holds the first and the last joint's handle.
    """
    data, out = mujoco.MjData(cousin.model), Room()
    held = [target for target in cousin.targets if target.holdable] or list(cousin.targets)
    for share, target in ((0.0, held[0]), (0.5, held[-1])):
        begin(cousin, robot, data, target, share, held=True)
        for k, one in enumerate(cousin.targets if share else ()):
            data.qvel[one.dof] = EAGER * one.range * (-1) ** k
        out |= _most(cousin.model, data, SETTLE)
    return out


def _most(model: mujoco.MjModel, data: mujoco.MjData, steps: int) -> Room:
    out = Room()
    for _ in range(steps):
        mujoco.mj_step(model, data)
        out |= Room(int(data.ncon), int(data.nefc))
    return out
