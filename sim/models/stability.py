"""Does a scene stand still, stay shut, and hold what is put into it? MuJoCo is asked, without a hand."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import math
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.geometry.convex import CORNERS
from pocketworld.geometry.resting import rolls
from pocketworld.scene import Asset, Joint, JointKind, Scene
from pocketworld.sim.models import mjcf

Array = NDArray[np.float64]
MOVED, TURNED, DEPTH = 1e-3, math.radians(0.2), 0.5e-3  # m, rad, m: what counts as still, and as touching
FREE_MOVED, FREE_TURNED = 5e-3, math.radians(1)  # m, rad: what counts as still of what nothing holds
GRAVITY = 9.81
BALL, BALL_MASS = 0.020, 0.05  # m (radius), kg
SETTLE = 3.0  # s that a dropped ball gets to come to rest


@dataclass(frozen=True, slots=True)
class Motion:
    """How far a body's centre of mass moved (m) and it turned (rad), at most.

    free    whether nothing but what it stands on holds it;  rolls: whether its shape rolls where it lies
    """

    body: str
    moved_m: float
    turned_rad: float
    free: bool = False
    rolls: bool = False

    @property
    def still(self) -> bool:
        """Say whether it stood still; what rolls has no say."""
        most = (FREE_MOVED, FREE_TURNED) if self.free else (MOVED, TURNED)
        return self.rolls or self.excess(*most) <= 1

    def excess(self, moved: float, turned: float) -> float:
        """Return its motion as a multiple of these bars, the greater of the two."""
        return max(self.moved_m / moved, self.turned_rad / turned)

    def text(self) -> str:
        """Return a few words: which body, how far it moved and turned."""
        return f"{self.body} by {1e3 * self.moved_m:.2g} mm, {math.degrees(self.turned_rad):.2g} degrees"


@dataclass(frozen=True, slots=True)
class Standing:
    """How still a scene stood.

    bodies                of all that can move, in the model's order
    opened                joints that moved by themselves by more than MOVED or TURNED
    deepest_contact_m     at the start
    """

    bodies: tuple[Motion, ...]
    opened: tuple[str, ...]
    deepest_contact_m: float

    @property
    def still(self) -> bool:
        """Say whether it stands: nothing moved, nothing opened, nothing stuck in anything."""
        return all(one.still for one in self.bodies) and not self.opened and self.deepest_contact_m <= DEPTH

    @property
    def moved_m(self) -> float:
        """Return the most that the centre of mass of any part moved, of those that don't roll."""
        return max((one.moved_m for one in self.bodies if not one.rolls), default=0.0)

    @property
    def turned_rad(self) -> float:
        """Return the most that any part turned, of those that don't roll."""
        return max((one.turned_rad for one in self.bodies if not one.rolls), default=0.0)

    @property
    def rollers(self) -> tuple[str, ...]:
        """Return the bodies that are left out, since their shape rolls where they lie."""
        return tuple(one.body for one in self.bodies if one.rolls)

    @property
    def worst(self) -> Motion | None:
        """Return the body that moved most, of those that don't roll, None where nothing can move."""
        some = [one for one in self.bodies if not one.rolls]
        return max(some, key=lambda one: one.excess(FREE_MOVED, FREE_TURNED), default=None)

    def text(self) -> str:
        """Return one line: whether it stands, and what is worst."""
        words = [f"deepest contact {1e3 * self.deepest_contact_m:.2g} mm"]
        if worst := self.worst:
            words.append(f"most: {worst.text()}")
        if self.opened:
            words.append(f"opened: {', '.join(self.opened)}")
        if self.rollers:
            words.append(f"left out, as they roll: {', '.join(self.rollers)}")
        return f"{'stands' if self.still else 'does not stand'}: {'; '.join(words)}"


def stand(model: mujoco.MjModel, seconds: float = 30.0, tilt: float = 0.0, state: str = "closed") -> Standing:
    """Leave a scene alone, from a keyframe (closed, captured, open), and return the worst that happens.

    tilt (rad): gravity leans by this, in turn towards -y, +x, +y and -x of the scene, for `seconds` each. The
    whole time is stepped: a thing that creeps never rests, and one that rests may still fall.
    """
    ways = [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)] if tilt else [(0.0, 0.0)]
    lean, down = GRAVITY * math.sin(tilt), -GRAVITY * math.cos(tilt)
    runs = [_left_alone(model, seconds, (lean * x, lean * y, down), state) for x, y in ways]
    bodies = zip(*(run.bodies for run in runs), strict=True)
    return Standing(
        tuple(
            replace(
                same[0],
                moved_m=max(one.moved_m for one in same),
                turned_rad=max(one.turned_rad for one in same),
            )
            for same in bodies
        ),
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
    kinds = [(id, *_kind(data, id)) for id in range(model.nbody) if model.body_weldid[id]]
    mujoco.mj_step(leaning, data, nstep=round(seconds / leaning.opt.timestep))
    mujoco.mj_kinematics(leaning, data)
    moved = np.linalg.norm(data.xipos - places, axis=1)
    turned = 2 * np.arccos(np.abs(np.sum(data.xquat * turns, 1)).clip(0, 1))
    bodies = (
        Motion(model.body(id).name, float(moved[id]), float(turned[id]), free, round)
        for id, free, round in kinds
    )
    return Standing(tuple(bodies), tuple(_opened(leaning, start, data.qpos)), max(deepest, 0.0))


def _kind(data: mujoco.MjData, body: int) -> tuple[bool, bool]:
    """Say whether a body is free, and whether it rolls where it is now."""
    model = data.model
    first = model.body_jntadr[model.body_rootid[body]]
    free = first >= 0 and model.jnt_type[first] == mujoco.mjtJoint.mjJNT_FREE
    geoms = [i for i in range(model.ngeom) if model.geom_bodyid[i] == body and model.geom_contype[i]]
    if not free or not geoms:
        return bool(free), False
    if all(model.geom_type[i] == mujoco.mjtGeom.mjGEOM_SPHERE for i in geoms):
        return True, len(geoms) == 1
    points = np.concatenate([_corners(data, i) for i in geoms])
    return True, rolls(points, data.xipos[body])


def _corners(data: mujoco.MjData, geom: int) -> Array:
    """Return points (n, 3) in the world whose hull is a geom's; of a round one, the box around it."""
    model = data.model
    if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_MESH:
        mesh = model.mesh(model.geom_dataid[geom])
        at = int(mesh.vertadr[0])
        local = model.mesh_vert[at : at + int(mesh.vertnum[0])]
    else:
        local = CORNERS * model.geom_aabb[geom, 3:] + model.geom_aabb[geom, :3]
    out: Array = local @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom]
    return out


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
