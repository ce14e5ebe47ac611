"""One scene compiled with a robot."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections import Counter
from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.scene import Asset, HandleKind, Joint, JointKind, Scene
from pocketworld.sim.cousin import Cousin, Hold, Target, facts
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.robots.robot import Fitted, Robot


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
    targets = _targets(
        model, data, [(asset, joint) for asset, joint in joints if fitted.reaches(asset, joint)], fitted
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


def _targets(
    model: mujoco.MjModel, data: mujoco.MjData, joints: Sequence[tuple[Asset, Joint]], fitted: Fitted
) -> tuple[Target, ...]:
    """Return joints as targets, with where they are in the world as `data` stands."""
    names = [mjcf.name_of(asset, joint) for asset, joint in joints]
    at = np.array([_id(model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in names], int)
    sites = np.array([_id(model, mujoco.mjtObj.mjOBJ_SITE, name) for name in names], int)
    holds = Hold.several(data.site_xpos[sites], data.site_xmat[sites].reshape(-1, 3, 3))
    anchors, axes = data.xanchor[at], data.xaxis[at]
    places = zip(at, model.jnt_qposadr[at], model.jnt_dofadr[at], sites, strict=True)
    return tuple(
        Target(
            names[i],
            part.handle is not None and part.handle.kind is not HandleKind.NONE,
            int(qpos),
            int(dof),
            int(id),
            int(site),
            facts(part, joint),
            joint.range[1],
            holds[i],
            joint.kind is JointKind.HINGE,
            anchors[i],
            axes[i],
            fitted.reach(names[i]),
        )
        for i, ((asset, joint), (id, qpos, dof, site)) in enumerate(zip(joints, places, strict=True))
        for part in (asset.part(joint.child),)
    )
