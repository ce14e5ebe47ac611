"""Does a scene stand still, stay shut, and hold what is put into it? MuJoCo is asked, without a hand."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import math
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.scene import Asset, Joint, JointKind, Scene
from pocketworld.sim import mjcf

Array = NDArray[np.float64]
MOVED, TURNED, DEPTH = 1e-3, math.radians(0.2), 0.5e-3  # m, rad, m: what counts as still, and as touching
GRAVITY = 9.81
BALL, BALL_MASS = 0.020, 0.05  # m (radius), kg
SETTLE = 3.0  # s that a dropped ball gets to come to rest


@dataclass(frozen=True, slots=True)
class Standing:
    """How still a scene stood.

    moved_m, turned_rad   the most that any part's centre of mass moved, that any part turned
    opened                joints that moved by themselves by more than MOVED or TURNED
    deepest_contact_m     at the start
    """

    moved_m: float
    turned_rad: float
    opened: tuple[str, ...]
    deepest_contact_m: float

    @property
    def still(self) -> bool:
        """Say whether it stands: nothing moved, nothing opened, nothing stuck in anything."""
        quiet = self.moved_m <= MOVED and self.turned_rad <= TURNED
        return quiet and not self.opened and self.deepest_contact_m <= DEPTH


def stand(model: mujoco.MjModel, seconds: float = 30.0, tilt: float = 0.0, state: str = "closed") -> Standing:
    """Leave a scene alone, from a keyframe (closed, captured, open), and return the worst that happens.

    tilt (rad): gravity leans by this, in turn towards -y, +x, +y and -x of the scene, for `seconds` each. The
    whole time is stepped: a thing that creeps never rests, and one that rests may still fall.
    """
    ways = [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)] if tilt else [(0.0, 0.0)]
    lean, down = GRAVITY * math.sin(tilt), -GRAVITY * math.cos(tilt)
    runs = [_left_alone(model, seconds, (lean * x, lean * y, down), state) for x, y in ways]
    return Standing(
        max(run.moved_m for run in runs),
        max(run.turned_rad for run in runs),
        tuple(sorted({joint for run in runs for joint in run.opened})),
        max(run.deepest_contact_m for run in runs),
    )


def stand_alone(scene: Scene) -> Standing:
    """Compile a scene and leave it alone for half a minute, closed: a worker's whole job."""
    return stand(mjcf.document(scene, visual=False).compile())


@dataclass(frozen=True, slots=True)
class Dropped:
    """Where a ball came to rest: in the drawer or not, how far from its middle (m), how fast still (m/s)."""

    inside: bool
    off_m: float
    speed: float


def drop(scene: Scene, joint: str) -> Dropped:
    """Open a drawer ("asset/joint"), drop a 40 mm ball into it and say where it lies SETTLE seconds later."""
    asset, slide = _drawer(scene, joint)
    low, high = _room(asset, slide)
    opened, axis = slide.range[1], np.array(slide.axis)
    # The drawer's own frame is the asset's, closed: `opened` metres behind its front stand out.
    middle = low[1] + min(opened, high[1] - low[1]) / 2
    mouth = np.array([(low[0] + high[0]) / 2, middle, high[2] + BALL])
    pose = asset.pose.matrix
    start = pose[:3, :3] @ (mouth + opened * axis) + pose[:3, 3]
    ball = mjcf.Fragment(_BALL, qpos=(*(float(x) for x in start), 1.0, 0.0, 0.0, 0.0))
    model = mjcf.document(scene, visual=False, extra=ball).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, model.key("closed").id)
    data.joint(joint).qpos = opened
    mujoco.mj_step(model, data, nstep=round(SETTLE / model.opt.timestep))
    slid = float(data.joint(joint).qpos[0]) * axis
    lies = pose[:3, :3].T @ (data.body("ball").xpos - pose[:3, 3]) - slid
    return Dropped(
        bool((lies > low).all() and (lies < high).all()) and _carried(data, f"{asset.id}/{slide.child}"),
        float(np.linalg.norm((lies - (low + high) / 2)[:2])),
        float(np.linalg.norm(data.joint("ball").qvel[:3])),
    )


def _carried(data: mujoco.MjData, drawer: str) -> bool:
    """Say whether the ball touches a drawer and nothing else: to be within its outer box is not enough."""
    model, ball = data.model, data.body("ball").id
    touched = set()
    for contact in data.contact:
        bodies = {int(model.geom_bodyid[geom]) for geom in contact.geom}
        if ball in bodies:
            touched |= bodies - {ball}
    return {model.body(body).name for body in touched} == {drawer}


def _drawer(scene: Scene, joint: str) -> tuple[Asset, Joint]:
    pairs = {mjcf.name_of(asset, found): (asset, found) for asset, found in scene.joints()}
    if joint not in pairs:
        raise PocketworldError(f"scene {scene.name} has no joint {joint!r}", f"it has {sorted(pairs)}")
    if (kind := pairs[joint][1].kind) is not JointKind.SLIDE:
        raise PocketworldError(f"joint {joint} is a {kind}", "a ball drops into a drawer: name a slide")
    return pairs[joint]


def _room(asset: Asset, joint: Joint) -> tuple[Array, Array]:
    """Return the corners of a drawer's outer box, closed, without its handle."""
    part = asset.part(joint.child)
    points = np.concatenate([piece.vertices for piece in part.pieces])
    low, high = points.min(0), points.max(0)
    if part.front is not None:
        low[1] = part.front.centre[1]
    return low, high


def _left_alone(
    model: mujoco.MjModel, seconds: float, gravity: tuple[float, float, float], state: str
) -> Standing:
    leaning = copy(model)
    leaning.opt.gravity[:] = gravity
    data = mujoco.MjData(leaning)
    mujoco.mj_resetDataKeyframe(leaning, data, leaning.key(state).id)
    mujoco.mj_forward(leaning, data)
    deepest = max((-float(contact.dist) for contact in data.contact), default=0.0)
    places, turns, start = data.xipos.copy(), data.xquat.copy(), data.qpos.copy()
    mujoco.mj_step(leaning, data, nstep=round(seconds / leaning.opt.timestep))
    mujoco.mj_kinematics(leaning, data)
    same = np.abs(np.sum(data.xquat * turns, 1)).clip(0, 1)
    return Standing(
        float(np.linalg.norm(data.xipos - places, axis=1).max()),
        float(2 * np.arccos(same).max()),
        tuple(_opened(leaning, start, data.qpos)),
        max(deepest, 0.0),
    )


def _opened(model: mujoco.MjModel, start: Array, end: Array) -> Iterator[str]:
    """Name the joints that moved more than what counts as still."""
    most = {mujoco.mjtJoint.mjJNT_SLIDE: MOVED, mujoco.mjtJoint.mjJNT_HINGE: TURNED}
    for i in range(model.njnt):
        joint = model.joint(i)
        at = int(joint.qposadr[0])
        if abs(end[at] - start[at]) > most.get(mujoco.mjtJoint(int(joint.type[0])), np.inf):
            yield joint.name


_BALL = (
    '<body name="ball"><freejoint name="ball"/>'
    f'<geom class="thing" type="sphere" size="{BALL}" mass="{BALL_MASS}" condim="6" '
    'friction="0.6 0.005 0.002"/>'
    "</body>\n"
)
