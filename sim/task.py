"""What there is to open in a scene: each joint's facts, and where MuJoCo keeps its numbers."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import mujoco
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pocketworld.errors import PocketworldError
from pocketworld.scene import Asset, HandleKind, Joint, JointKind, Scene, Side
from pocketworld.sim import mjcf
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.robots.robot import Fitted, Reach, Robot
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
        yaw, pitch, roll = (float(a) for a in angles(turn[None])[0])
        return cls(grip, turn, (yaw, pitch, roll))


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


def compile_cousin(scene: Scene, robot: Robot | None = None) -> Cousin:
    """Compile a scene with a robot [the floating hand], without visual meshes.

    Raises PocketworldError for a scene in which nothing moves, or nothing that the robot reaches.
    """
    robot = robot or Hand()
    fitted = robot.fitted(scene)
    return cousin_of(
        mjcf.document(scene, visual=False, extra=fitted.fragment).compile(), scene, robot, fitted
    )


def cousin_of(model: mujoco.MjModel, scene: Scene, robot: Robot, fitted: Fitted) -> Cousin:
    """Return where a compiled scene keeps its robot, and what can be asked for in it."""
    data = mujoco.MjData(model)
    data.qpos[:] = model.key_qpos[_id(model, mujoco.mjtObj.mjOBJ_KEY, "closed")]
    mujoco.mj_kinematics(model, data)
    joints = list(scene.joints())
    if not joints:
        raise PocketworldError(f"scene {scene.name}: none of its joints moves", "a task needs one that does")
    targets = tuple(
        _target(model, data, asset, joint, fitted) for asset, joint in joints if fitted.reaches(asset, joint)
    )
    if not targets:
        raise PocketworldError(
            f"scene {scene.name}: the {robot.name} reaches none of its {len(joints)} joints"
            f" ({why(fitted.missed)})",
            "another robot, or another place for it",
        )
    first = _id(model, mujoco.mjtObj.mjOBJ_JOINT, robot.joints[0])
    return Cousin(
        scene.provenance.get("cousin", scene.name),
        model,
        targets,
        int(model.jnt_qposadr[first]),
        int(model.jnt_dofadr[first]),
        first,
        _id(model, mujoco.mjtObj.mjOBJ_SITE, robot.grip),
        dict(fitted.missed),
    )


def why(missed: Mapping[str, str]) -> str:
    """Return in words why joints are out of reach, counted: "2: it has no handle; 1: ..."."""
    counted = Counter(missed.values())
    return "; ".join(f"{count}: {reason}" for reason, count in sorted(counted.items()))


def _id(model: mujoco.MjModel, kind: mujoco.mjtObj, name: str) -> int:
    """Return where a model has what is called so: ten times as fast as its named views."""
    return int(mujoco.mj_name2id(model, kind, name))


def _target(model: mujoco.MjModel, data: mujoco.MjData, asset: Asset, joint: Joint, fitted: Fitted) -> Target:
    name = mjcf.name_of(asset, joint)
    part, at = asset.part(joint.child), _id(model, mujoco.mjtObj.mjOBJ_JOINT, name)
    kind = part.handle.kind if part.handle else HandleKind.NONE
    sizes = (part.handle.length, part.handle.thickness, part.handle.standoff) if part.handle else (0.0,) * 3
    facts = (
        *(float(joint.kind is k) for k in KINDS),
        *(float(joint.belief.best.side is s) for s in SIDES),
        *(float(kind is k) for k in HANDLES),
        *sizes,
        part.mass,
        joint.damping,
        joint.frictionloss,
        joint.range[1],
    )
    site = _id(model, mujoco.mjtObj.mjOBJ_SITE, name)
    hold = Hold.of(data.site_xpos[site].copy(), data.site_xmat[site].reshape(3, 3).copy())
    return Target(
        name,
        kind is not HandleKind.NONE,
        int(model.jnt_qposadr[at]),
        int(model.jnt_dofadr[at]),
        at,
        site,
        facts,
        joint.range[1],
        hold,
        joint.kind is JointKind.HINGE,
        data.xanchor[at].copy(),
        data.xaxis[at].copy(),
        fitted.reach(name),
    )
