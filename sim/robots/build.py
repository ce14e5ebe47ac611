"""Makes an arm of an MjSpec: what carries the grip is kept, written out, put on a cart and given fingers."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.sim.models.mjcf import TIMESTEP, Fragment
from pocketworld.sim.robots.convert import CORNERS, OWN, Written, bodies
from pocketworld.sim.robots.description import (
    CARRIES,
    CLASSES,
    GRIP,
    Arm,
    actuators,
    at_home,
    hand_at,
    on_cart,
)
from pocketworld.sim.robots.fingers import Servo
from pocketworld.sim.robots.kinematics import Chain

FLANGE = 0.1034  # m from a flange to between the fingertips, as a Franka hand's
TURNS = int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)


def load(file: Path) -> mujoco.MjSpec:
    """Return the MJCF in a file.

    Raises PocketworldError for a file that is not there or no MJCF.
    """
    if not file.is_file():
        raise PocketworldError(f"no robot file {file}", "give the path of an MJCF file")
    try:
        return mujoco.MjSpec.from_file(str(file))
    except (ValueError, OSError, UnicodeError) as error:
        raise PocketworldError(f"{file} is no MJCF that MuJoCo reads: {error}", "an XML file") from error


def build(
    spec: mujoco.MjSpec, name: str, site: str, home: tuple[float, ...], all_of: tuple[Servo, ...]
) -> Arm:
    """Return the arm that ends in a site of a spec.

    A joint that is too light for its servo at our time step, so that it would shake, gets a motor's inertia.
    The site is on its flange, z out of it: our hand is screwed on there. A site named "grip" or "pinch" is
    between its own fingers' tips, z away from the palm, y the way they close: ours come to be there.
    """
    for mesh in spec.meshes:
        mesh.maxhullvert = CORNERS
    model = spec.compile()
    tool = int(model.site(site).bodyid[0])
    carried = chain_to(model, tool)
    joints = tuple(OWN + model.joint(j).name for j in arm_joints(model, carried))
    for j, servo in zip(arm_joints(model, carried), all_of, strict=True):
        dof = model.jnt_dofadr[j]
        model.dof_armature[dof] = max(model.dof_armature[dof], servo.stiffness * TIMESTEP**2)
    hand = hand_at(*_grip(model, site), _ahead(site))
    made = []
    for drawn in (False, True):
        written = Written(model, drawn)
        text = bodies(written, carried[0], lambda b: b in carried or not _moves(model, b), {tool: hand})
        made.append(
            Fragment(
                on_cart(text),
                actuators(joints, all_of),
                at_home(home),
                CLASSES,
                "".join(written.assets.values()),
                files=written.files,
            )
        )
    chain = Chain.of(alone(made[0]), joints, GRIP, CARRIES, home)
    return Arm(name, made[0], made[1], joints, home, chain)


def alone(fragment: Fragment) -> mujoco.MjModel:
    """Return the model of a robot in an empty world.

    Raises PocketworldError for one that no engine could run.
    """
    try:
        return mujoco.MjModel.from_xml_string(
            '<mujoco><compiler angle="radian" autolimits="true" fusestatic="false"/>'
            f"<default>{fragment.defaults}</default><asset>{fragment.assets}</asset>"
            f"<worldbody>{fragment.bodies}</worldbody><actuator>{fragment.actuators}</actuator></mujoco>",
            fragment.files,
        )
    except ValueError as error:
        raise PocketworldError(f"MuJoCo refuses the robot: {error}") from error


def chain_to(model: mujoco.MjModel, tool: int) -> list[int]:
    """Return the bodies from the world, which is not among them, to the tool's."""
    out = [tool]
    while model.body_parentid[out[0]]:
        out.insert(0, int(model.body_parentid[out[0]]))
    return out


def arm_joints(model: mujoco.MjModel, chain: list[int]) -> list[int]:
    """Return the joints of bodies, in order."""
    return [j for b in chain for j in np.flatnonzero(model.jnt_bodyid == b).tolist()]


def _moves(model: mujoco.MjModel, body: int) -> bool:
    """Say whether a joint is on a body or on what it carries: a gripper of its own, which ours replaces."""
    inside = {body}
    for b in range(body + 1, model.nbody):
        if int(model.body_parentid[b]) in inside:
            inside.add(b)
    return any(model.body_jntnum[b] for b in inside)


def _grip(model: mujoco.MjModel, site: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the fingers' frame (3, 3), (3,) in the tool's body: x back along the site's z."""
    turn, at = np.zeros(9), model.site(site)
    mujoco.mju_quat2Mat(turn, at.quat)
    x, y, z = turn.reshape(3, 3).T
    return np.stack([-z, y, x], 1), at.pos + _ahead(site) * z


def _ahead(site: str) -> float:
    """Return how far in front of a site the grip is, m."""
    return 0.0 if site in ("grip", "pinch") else FLANGE
