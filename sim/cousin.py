"""A scene as a task knows it: each joint's facts, how it is held, where MuJoCo keeps its numbers."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Mapping
from dataclasses import dataclass, field

import mujoco
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pocketworld.scene import HandleKind, Joint, JointKind, Part, Side
from pocketworld.sim.vectors import angles

Array = NDArray[np.float64]
KINDS, SIDES, HANDLES = tuple(JointKind)[1:], tuple(Side), tuple(HandleKind)


@dataclass(frozen=True, eq=False, slots=True)
class Hold:
    """Where (3,) and how (3, 3) a part is held in the world, m; the wrist's yaw, pitch and roll then."""

    grip: Array
    turn: Array
    wrist: tuple[float, float, float]

    @classmethod
    def of(cls, grip: Array, turn: Array) -> "Hold":
        """Return the hold, with the wrist's angles that belong to it."""
        return cls.several(grip[None], turn[None])[0]

    @classmethod
    def several(cls, grips: Array, turns: Array) -> "list[Hold]":
        """Return the holds of grips (n, 3) and turns (n, 3, 3)."""
        wrists = angles(turns).tolist()
        return [
            cls(grip, turn, (yaw, pitch, roll))
            for grip, turn, (yaw, pitch, roll) in zip(grips, turns, wrists, strict=True)
        ]


@dataclass(frozen=True, eq=False, slots=True)
class Reach:
    """How a robot opens a joint: its own joint positions (k, joints), with the joint at q (k,), m or rad.

    freedom   the least manipulability on the way
    """

    postures: Array
    q: Array
    freedom: float


@dataclass(frozen=True, eq=False, slots=True)
class Target:
    """A joint that can be asked for.

    id           asset/joint;  holdable: whether there is a handle
    qpos, dof, joint, site   where MuJoCo keeps it
    facts        fixed numbers about it, see FACTS
    range        how far it goes, m or rad
    closed       where and how to hold it while everything is closed
    anchor, axis (3,)   a point on its axis, and the axis, in the world
    reach        how the robot opens it, None for one that goes anywhere
    """

    id: str
    holdable: bool
    qpos: int
    dof: int
    joint: int
    site: int
    facts: tuple[float, ...]
    range: float
    closed: Hold
    hinge: bool
    anchor: Array
    axis: Array
    reach: Reach | None = None

    def hold(self, q: float) -> Hold:
        """Return where and how to hold it with its joint at q (m or rad), all else closed."""
        if q == 0:
            return self.closed
        if not self.hinge:
            return Hold(self.closed.grip + q * self.axis, self.closed.turn, self.closed.wrist)
        turn = Rotation.from_rotvec(q * self.axis).as_matrix()
        return Hold.of(self.anchor + turn @ (self.closed.grip - self.anchor), turn @ self.closed.turn)


FACTS = (
    *(f"is_{kind}" for kind in KINDS),
    *(f"side_{side}" for side in SIDES),
    *(f"handle_{kind}" for kind in HANDLES),
    "handle_length_m",
    "handle_thickness_m",
    "handle_standoff_m",
    "mass_kg",
    "damping",
    "frictionloss",
    "range",
)


def facts(part: Part, joint: Joint) -> tuple[float, ...]:
    """Return FACTS of a joint, in their order."""
    kind = part.handle.kind if part.handle else HandleKind.NONE
    side = joint.belief.best.side
    sizes = (part.handle.length, part.handle.thickness, part.handle.standoff) if part.handle else (0.0,) * 3
    return (
        *(float(joint.kind is k) for k in KINDS),
        *(float(side is s) for s in SIDES),
        *(float(kind is k) for k in HANDLES),
        *sizes,
        part.mass,
        joint.damping,
        joint.frictionloss,
        joint.range[1],
    )


@dataclass(frozen=True, eq=False, slots=True)
class Cousin:
    """A scene compiled with a robot, and what can be asked for in it.

    id       the cousin's id ("medium/7"), else the scene's name
    targets  joints in the robot's reach;  missed: the others, and why it does not reach them
    robot_qpos, robot_dof, robot_joint   of the robot's first joint; grip: its site
    """

    id: str
    model: mujoco.MjModel
    targets: tuple[Target, ...]
    robot_qpos: int
    robot_dof: int
    robot_joint: int
    grip: int
    missed: Mapping[str, str] = field(default_factory=dict)
