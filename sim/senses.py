"""What is read of all environments after each step, as arrays over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pocketworld.sim.arrays import Array, Arrays, namespace
from pocketworld.sim.cousin import Cousin, Target
from pocketworld.sim.physics import Group
from pocketworld.sim.vectors import turned


@dataclass(frozen=True, eq=False, slots=True)
class Places:
    """Where MuJoCo keeps what is read, for each environment (n,); the joints change with each episode.

    robot_qpos, robot_dof, robot_joint   of the robot's first joint, the others follow
    off (n, 3), off_turn (n, 3, 3)       how far off the handle is seen, in its own frame: m, a rotation
    """

    robot_qpos: Array
    robot_dof: Array
    robot_joint: Array
    grip: Array
    qpos: Array
    dof: Array
    joint: Array
    site: Array
    off: Array
    off_turn: Array

    @classmethod
    def of(cls, cousins: Sequence[Cousin], arrays: Arrays) -> "Places":
        """Return the robots' places, and room for those of the joints that will be asked for."""
        n = len(cousins)
        fixed = np.array([(c.robot_qpos, c.robot_dof, c.robot_joint, c.grip) for c in cousins])
        qpos, dof, joint, grip = (arrays.ints(column) for column in fixed.T)
        free = [arrays.ints(np.zeros(n)) for _ in range(4)]
        sharp = arrays.reals(np.tile(np.eye(3), (n, 1, 1)))
        return cls(qpos, dof, joint, grip, free[0], free[1], free[2], free[3], arrays.zeros(n, 3), sharp)

    def ask(self, which: Array, targets: Sequence[Target], arrays: Arrays) -> None:
        """Look at targets in environments `which` from now on."""
        found = arrays.ints([(t.qpos, t.dof, t.joint, t.site) for t in targets])
        for i, name in enumerate(("qpos", "dof", "joint", "site")):
            getattr(self, name)[which] = found[:, i]


@dataclass(frozen=True, eq=False, slots=True)
class Senses:
    """The state that tasks look at, in the world's frame.

    robot, robot_speed       (n, joints) the robot's joint positions and their rates; its fingers come last
    robot_anchor, robot_axis (n, arm, 3) where the joints of its arm are, its first ones, and their axes
    grip       (n, 3) between the fingertips; grip_turn (n, 3, 3) world_from_grip
    handle     (n, 3) where to hold the asked part; handle_turn (n, 3, 3)
    seen_handle, seen_turn   likewise, as the robot takes it to be: the very same where its eyes are sharp
    q, speed   (n,) of the asked joint: m or rad, and a second
    anchor, axis   (n, 3) a point on its axis, and the axis, where it is now
    """

    robot: Array
    robot_speed: Array
    robot_anchor: Array
    robot_axis: Array
    grip: Array
    grip_turn: Array
    handle: Array
    handle_turn: Array
    seen_handle: Array
    seen_turn: Array
    q: Array
    speed: Array
    anchor: Array
    axis: Array

    @classmethod
    def empty(cls, n: int, joints: int, arm: int, sharp: bool, arrays: Arrays) -> "Senses":
        """Return senses to be read into; sharp: what is seen of the handle is what is there."""
        zeros = arrays.zeros
        handle, turn = zeros(n, 3), zeros(n, 3, 3)
        return cls(
            robot=zeros(n, joints),
            robot_speed=zeros(n, joints),
            robot_anchor=zeros(n, arm, 3),
            robot_axis=zeros(n, arm, 3),
            grip=zeros(n, 3),
            grip_turn=zeros(n, 3, 3),
            handle=handle,
            handle_turn=turn,
            seen_handle=handle if sharp else zeros(n, 3),
            seen_turn=turn if sharp else zeros(n, 3, 3),
            q=zeros(n),
            speed=zeros(n),
            anchor=zeros(n, 3),
            axis=zeros(n, 3),
        )

    def forget(self, which: Array, q: Array) -> None:
        """Put zeros where (n,) what was read may be no number; their joints at q (n,)."""
        if namespace(which).any(which):
            for name in self.__slots__:
                getattr(self, name)[which] = 0.0
            self.q[which] = q[which]

    def read(self, group: Group, places: Places) -> None:
        """Copy a group's state out of its batch."""
        xp, ids = namespace(group.qpos), group.ids
        device = places.grip.device
        rows, joints = xp.arange(len(ids), device=device), xp.arange(self.robot.shape[1], device=device)
        row = rows[:, None]
        self.robot[ids] = group.qpos[row, places.robot_qpos[ids][:, None] + joints]
        self.robot_speed[ids] = group.qvel[row, places.robot_dof[ids][:, None] + joints]
        if arm := self.robot_anchor.shape[1]:
            its_joints = places.robot_joint[ids][:, None] + joints[:arm]
            self.robot_anchor[ids] = group.xanchor[row, its_joints]
            self.robot_axis[ids] = group.xaxis[row, its_joints]
        grip, site, joint = places.grip[ids], places.site[ids], places.joint[ids]
        self.grip[ids] = group.site_xpos[rows, grip]
        self.grip_turn[ids] = group.site_xmat[rows, grip].reshape(-1, 3, 3)
        self.handle[ids] = group.site_xpos[rows, site]
        self.handle_turn[ids] = group.site_xmat[rows, site].reshape(-1, 3, 3)
        self.q[ids] = group.qpos[rows, places.qpos[ids]]
        self.speed[ids] = group.qvel[rows, places.dof[ids]]
        self.anchor[ids] = group.xanchor[rows, joint]
        self.axis[ids] = group.xaxis[rows, joint]

    def look(self, places: Places) -> None:
        """Take the handle to be where eyes that are off have it."""
        if self.seen_handle is self.handle:
            return
        turn, off = self.handle_turn, places.off_turn
        self.seen_handle[:] = self.handle + turned(turn, places.off)
        for k in range(3):
            self.seen_turn[:, :, k] = turned(turn, off[:, :, k])
