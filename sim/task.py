"""What there is to open in a scene: each joint's facts, and where MuJoCo keeps its numbers."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.scene import Asset, HandleKind, Joint, JointKind, Scene, Side
from pocketworld.sim import mjcf
from pocketworld.sim.hand import angles, hand

Array = NDArray[np.float64]
SUCCESS = 0.8  # of its range is open
KINDS, SIDES, HANDLES = tuple(JointKind)[1:], tuple(Side), tuple(HandleKind)


@dataclass(frozen=True, eq=False, slots=True)
class Target:
    """A joint that can be asked for.

    id           asset/joint;  holdable: whether there is a handle
    qpos, dof, joint, site   where MuJoCo keeps it
    facts        fixed numbers about it, see FACTS
    grip (3,), turn (3, 3)   where and how to hold it while everything is closed, in the world; wrist: as yaw,
                             pitch, roll
    """

    id: str
    holdable: bool
    qpos: int
    dof: int
    joint: int
    site: int
    facts: tuple[float, ...]
    grip: Array
    turn: Array
    wrist: tuple[float, float, float]


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
    """A scene compiled with a hand, and what can be asked for in it.

    id       the cousin's id ("medium/7"), else the scene's name
    start    qpos with everything closed
    hand     qpos, dof of the hand's first joint; grip: its site
    """

    id: str
    model: mujoco.MjModel
    targets: tuple[Target, ...]
    start: Array
    hand_qpos: int
    hand_dof: int
    grip: int


def compile_all(scenes: Sequence[Scene]) -> list[Cousin]:
    """Compile scenes with a hand; one that stands there several times, once."""
    made: dict[int, Cousin] = {}
    return [made.get(id(scene)) or made.setdefault(id(scene), compile_cousin(scene)) for scene in scenes]


def compile_cousin(scene: Scene) -> Cousin:
    """Compile a scene with a hand, without visual meshes.

    Raises PocketworldError for a scene in which nothing opens.
    """
    model = mjcf.document(scene, visual=False, extra=hand()).compile()
    data = mujoco.MjData(model)
    data.qpos[:] = model.key("closed").qpos
    mujoco.mj_kinematics(model, data)
    targets = tuple(_target(model, data, asset, joint) for asset, joint in scene.joints())
    if not targets:
        raise PocketworldError(f"scene {scene.name}: none of its joints moves", "open needs one that does")
    first = model.joint("hand/x")
    return Cousin(
        scene.provenance.get("cousin", scene.name),
        model,
        targets,
        model.key("closed").qpos.copy(),
        int(first.qposadr[0]),
        int(first.dofadr[0]),
        model.site("hand/grip").id,
    )


def _target(model: mujoco.MjModel, data: mujoco.MjData, asset: Asset, joint: Joint) -> Target:
    name = mjcf.name_of(asset, joint)
    part, at = asset.part(joint.child), model.joint(name)
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
    site = model.site(name).id
    turn = data.site_xmat[site].reshape(3, 3).copy()
    yaw, pitch, roll = (float(a) for a in angles(turn[None])[0])
    return Target(
        name,
        kind is not HandleKind.NONE,
        int(at.qposadr[0]),
        int(at.dofadr[0]),
        at.id,
        site,
        facts,
        data.site_xpos[site].copy(),
        turn,
        (yaw, pitch, roll),
    )
