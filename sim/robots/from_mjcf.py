"""An arm of any make, from the MJCF file that its user brings.

What is kept: the bodies between the world and the site where it holds, what is fixed to them, their joints
and the gains of their position actuators. Its own gripper is replaced by our fingers (see `description.py`);
its floor, lights, cameras, sensors and keyframes are left behind, all but the keyframe "home".
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from pathlib import Path

import mujoco
import numpy as np

from pocketworld.errors import PocketworldError
from pocketworld.sim.robots.build import TURNS, arm_joints, build, chain_to, load
from pocketworld.sim.robots.description import Arm, lagging
from pocketworld.sim.robots.fingers import Servo

SITES = ("grip", "pinch", "attachment_site")  # where it holds, the first that is there
STRONG = 1e4  # N m or N: what a servo without a limit may do; MJCF wants a number
FASTENED = int(mujoco.mjtEq.mjEQ_CONNECT), int(mujoco.mjtEq.mjEQ_WELD)
NUMBERS = (
    "body_mass", "body_inertia", "body_pos", "body_quat", "body_ipos", "jnt_range", "jnt_pos", "jnt_axis",
    "geom_pos", "geom_size", "dof_damping", "actuator_gainprm", "key_qpos",
)  # fmt: skip
FEWEST = 6  # joints: with fewer a grip can't be where it is wanted and square to the handle


def from_mjcf(file: Path, site: str | None = None) -> Arm:
    """Return the arm in a file that ends in a site [grip, pinch or attachment_site].

    Raises PocketworldError, in one line, for what is missing.
    """
    spec = load(file)
    try:
        model = spec.compile()
    except ValueError as error:
        raise PocketworldError(f"MuJoCo refuses {file}: {error}") from error
    held = _site(model, file, site)
    chain = chain_to(model, int(model.site(held).bodyid[0]))
    joints = arm_joints(model, chain)
    _check(model, file, joints, chain)
    servos = tuple(_servo(model, file, joint) for joint in joints)
    return build(spec, file.stem, held, _home(model, joints), servos)


def _site(model: mujoco.MjModel, file: Path, asked: str | None) -> str:
    there = [model.site(i).name for i in range(model.nsite)]
    for name in (asked,) if asked else SITES:
        if name in there:
            return name
    wanted = asked or " or ".join(SITES)
    raise PocketworldError(f"{file} has no site {wanted}", f"its sites: {', '.join(there) or 'none'}")


def _check(model: mujoco.MjModel, file: Path, joints: list[int], chain: list[int]) -> None:
    odd = [model.joint(j).name or str(j) for j in joints if int(model.jnt_type[j]) not in TURNS]
    if odd:
        raise PocketworldError(
            f"{file}: joint {odd[0]} neither turns nor slides", "an arm that is bolted down"
        )
    if len(joints) < FEWEST:
        raise PocketworldError(
            f"{file}: {len(joints)} joints carry the site", f"an arm needs at least {FEWEST} to hold squarely"
        )
    if not all(np.isfinite(getattr(model, name)).all() for name in NUMBERS):
        raise PocketworldError(f"{file}: its numbers are not all finite")
    if _tied(model, joints, chain):
        raise PocketworldError(f"{file}: an equality constrains the arm", "an arm whose joints move freely")
    if _strung(model, joints, chain):
        raise PocketworldError(f"{file}: a tendon is strung over the arm", "an arm whose joints move freely")
    _check_joints(model, file, joints)
    if unnamed := [j for j in joints if not model.joint(j).name]:
        raise PocketworldError(f"{file}: joint {unnamed[0]} has no name", "name the arm's joints")
    if unnamed := [b for b in chain if not model.body(b).name]:
        raise PocketworldError(f"{file}: body {unnamed[0]} has no name", "name the arm's bodies")


def _check_joints(model: mujoco.MjModel, file: Path, joints: list[int]) -> None:
    """Refuse what a joint of ours would not have: it would move otherwise than in its file."""
    for joint in joints:
        name, dof = model.joint(joint).name, int(model.jnt_dofadr[joint])
        if model.qpos0[model.jnt_qposadr[joint]] != 0:
            raise PocketworldError(
                f"{file}: joint {name} has a ref", "joints that are at 0 as they are drawn"
            )
        if model.jnt_stiffness[joint] != 0 or model.jnt_stiffnesspoly[joint].any():
            raise PocketworldError(f"{file}: joint {name} has a spring", "joints that only their servos move")
        if model.dof_dampingpoly[dof].any():
            raise PocketworldError(
                f"{file}: joint {name} is damped by a polynomial", "damping that is one number"
            )


def _strung(model: mujoco.MjModel, joints: list[int], chain: list[int]) -> bool:
    """Say whether a tendon pulls at the arm itself: one that ends on a gripper's parts goes with these."""
    for first, count in zip(model.tendon_adr, model.tendon_num, strict=True):
        bodies: set[int] = set()
        for kind, id in zip(
            model.wrap_type[first : first + count].tolist(),
            model.wrap_objid[first : first + count].tolist(),
            strict=True,
        ):
            if kind == int(mujoco.mjtWrap.mjWRAP_JOINT) and id in joints:
                return True
            if kind == int(mujoco.mjtWrap.mjWRAP_SITE):
                bodies.add(int(model.site_bodyid[id]))
        if len(bodies & {0, *chain}) > 1:
            return True
    return False


def _tied(model: mujoco.MjModel, joints: list[int], chain: list[int]) -> bool:
    """Say whether an equality constrains the arm itself: what only a gripper needs is left behind with it."""
    for e in range(model.neq):
        ends = {int(model.eq_obj1id[e]), int(model.eq_obj2id[e])} - {-1}
        kind, of = int(model.eq_type[e]), int(model.eq_objtype[e])
        if kind == int(mujoco.mjtEq.mjEQ_JOINT) and ends & set(joints):
            return True
        if of == int(mujoco.mjtObj.mjOBJ_SITE):
            ends = {int(model.site_bodyid[site]) for site in ends}
        if kind in FASTENED and ends <= {0, *chain}:
            return True
    return False


def _servo(model: mujoco.MjModel, file: Path, joint: int) -> Servo:
    """Return the position actuator of a joint."""
    name = model.joint(joint).name
    drives = (model.actuator_trntype == int(mujoco.mjtTrn.mjTRN_JOINT)) & (
        model.actuator_trnid[:, 0] == joint
    )
    found = np.flatnonzero(drives)
    if not len(found):
        raise PocketworldError(f"{file}: no actuator moves joint {name}", "a <position> actuator for each")
    at = int(found[0])
    stiffness, gear = float(model.actuator_gainprm[at, 0]), float(model.actuator_gear[at, 0])
    follows = model.actuator_biasprm[at, 1] == -stiffness and stiffness > 0 and gear == 1
    if not follows or model.actuator_biastype[at] != int(mujoco.mjtBias.mjBIAS_AFFINE):
        raise PocketworldError(
            f"{file}: actuator {model.actuator(at).name} of joint {name} takes no position",
            "a <position> actuator with gear 1, not a motor",
        )
    damping = max(-float(model.actuator_biasprm[at, 2]), 0.0)
    most = float(np.abs(model.actuator_forcerange[at]).max()) if model.actuator_forcelimited[at] else STRONG
    return Servo(stiffness, damping**2 / (4 * stiffness), most) if damping else lagging(stiffness, most)


def _home(model: mujoco.MjModel, joints: list[int]) -> tuple[float, ...]:
    """Return the keyframe "home", else the middle of each limited joint and 0 of the others."""
    at = model.jnt_qposadr[joints]
    for k in range(model.nkey):
        if model.key(k).name == "home":
            return tuple(float(q) for q in model.key_qpos[k][at])
    middle = np.where(model.jnt_limited[joints], model.jnt_range[joints].mean(1), 0.0)
    return tuple(float(q) for q in middle)
