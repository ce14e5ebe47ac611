"""Where a camera stands that watches an episode: near the asked part and the robot, nothing in its way."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import Vec3
from pocketworld.scene import Scene
from pocketworld.sim.arrays import to_numpy
from pocketworld.sim.models.framing import FOVY, Framing, around, extent, facing, focus, sweep, within
from pocketworld.sim.tasks.words import sentence
from pocketworld.sim.worlds import Worlds

Array = NDArray[np.float64]
SHARES = (0.0, 0.5, 1.0)  # of the way from where the part begins to its goal
BEFORE = 0.04  # m before a front: where what holds its handle is
# m from the middle of the asked part's way: what is seen of the furniture and of the robot at least, where
# there is so much.
NEAR, ROBOT = 0.4, 0.7
# Towards the camera, as framing.VIEW, the best first: from the right and the left, then more from the side,
# from straight before, and from above.
SIDES, HEIGHTS = (0.62, -0.62, 1.3, -1.3, 0.0), (0.52, 1.1)
WIDE = 75.0  # degrees: for who stands in a narrow room
PART, HANDLE = 1.0, 8.0  # what it counts to see a corner of the part, and its handle
ENOUGH = 0.85  # of what the camera counts that sees most: a better place is worth as much
SELF = 0.2  # m: a robot's hand about the handle is what one wants to see, its arm before it is in the way
SOLID, SEEN = (1, 0, 0, 1, 0, 0), (0, 0, 1, 0, 0, 0)  # groups of geoms: floor and pieces, what eyes see


@dataclass(frozen=True, slots=True)
class Shot:
    """Where the camera stands in an episode, and what the episode asks for in words."""

    framing: Framing
    asked: str


@dataclass(frozen=True, eq=False, slots=True)
class _Way:
    """What an episode is to look like: the joint's places (k,), m or rad, and qpos (k, nq) then."""

    places: Array
    states: Array


def shot(worlds: Worlds, i: int, scene: Scene, model: mujoco.MjModel) -> Shot:
    """Return how to watch environment i, where an episode has begun, of a scene and its drawn model."""
    name = str(worlds.joints[i])
    asset, joint = next((a, j) for a, j in scene.joints() if f"{a.id}/{j.id}" == name)
    way, turn = _way(worlds, i, model), facing(asset, joint)
    parts = sweep(asset, joint, way.places.tolist(), BEFORE)
    swept = parts.reshape(-1, 3)
    middle = (swept.min(0) + swept.max(0)) / 2
    around_it = within(extent(focus(scene).assets, (0.0,)), turn, middle, NEAR)
    robot = within(_robot(model, scene, way.states), turn, middle, ROBOT)
    views = _views(np.concatenate([swept, around_it, robot]), turn)
    framing = _clearest(views, model, way.states, parts)
    return Shot(framing, sentence(worlds.task.name, asset, joint))


def _way(worlds: Worlds, i: int, model: mujoco.MjModel) -> _Way:
    """Return how the episode that has begun in environment i would go, as its drawn model orders joints.

    Joints are looked for by name: where a backend has them may be elsewhere. A hand that floats stays behind.
    """
    target = next(target for target in worlds.cousins[i].targets if target.id == worlds.joints[i])
    begin, goal = (float(to_numpy(of)[i]) for of in (worlds.begin, worlds.goal))
    places = begin + np.array(SHARES) * (goal - begin)
    states = np.repeat(worlds.physics.qpos(i)[None], len(places), 0)
    states[:, _at(model, target.id)] = places
    if target.reach is not None:
        order = np.argsort(target.reach.q)
        for name, angles in zip(worlds.robot.joints, target.reach.postures[order].T, strict=True):
            states[1:, _at(model, name)] = np.interp(places[1:], target.reach.q[order], angles)
    return _Way(places, states)


def _at(model: mujoco.MjModel, joint: str) -> int:
    return int(model.joint(joint).qposadr[0])


def _robot(model: mujoco.MjModel, scene: Scene, states: Array) -> Array:
    """Return corners (n, 3) of all that belongs to a robot, in all states."""
    furniture = {f"{asset.id}/{part.id}" for asset in scene.assets for part in asset.parts} | {"world"}
    own = np.array([model.body(body).name not in furniture for body in model.geom_bodyid])
    corner = np.array(list(product((-1.0, 1.0), repeat=3)))
    boxes = model.geom_aabb[own][:, None, :3] + corner * model.geom_aabb[own][:, None, 3:]
    out = []
    for data in _placed(model, states):
        turns, places = data.geom_xmat[own].reshape(-1, 3, 3), data.geom_xpos[own]
        out.append(np.einsum("gij,gcj->gci", turns, boxes) + places[:, None])
    return np.concatenate(out).reshape(-1, 3)


def _placed(model: mujoco.MjModel, states: Array) -> Iterator[mujoco.MjData]:
    data = mujoco.MjData(model)
    for state in states:
        data.qpos[:] = state
        mujoco.mj_kinematics(model, data)
        yield data


def _views(points: Array, turn: Array) -> list[Framing]:
    """Return the cameras to choose from, the best first."""
    views: list[Vec3] = [(x, -1.0, z) for z in HEIGHTS for x in SIDES]
    return [around(points, turn, view, fovy) for fovy in (FOVY, WIDE) for view in views]


def _clearest(framings: list[Framing], model: mujoco.MjModel, states: Array, parts: Array) -> Framing:
    """Return the first of the cameras that see nearly all of a part (k, n, 3) on its way that any sees."""
    seen = np.zeros(len(framings))
    weights = np.full(parts.shape[1], PART)
    weights[0] = HANDLE
    for data, points in zip(_placed(model, states), parts, strict=True):
        for at, framing in enumerate(framings):
            eye = np.array(framing.position)
            seen[at] += sum(w for w, point in zip(weights, points, strict=True) if _clear(data, point, eye))
    return framings[int(np.argmax(seen >= ENOUGH * seen.max()))]


def _clear(data: mujoco.MjData, point: Array, eye: Array) -> bool:
    """Say whether an eye (3,) sees a point (3,): past furniture, and past a robot that is not about it."""
    way = eye - point
    farther = point + way * (SELF / float(np.linalg.norm(way)))
    return not (_hit(data, point, eye, SOLID) or _hit(data, farther, eye, SEEN))


def _hit(data: mujoco.MjData, point: Array, eye: Array, groups: tuple[int, ...]) -> bool:
    share = mujoco.mj_ray(
        data.model, data, point, eye - point, np.array(groups, np.uint8), 1, -1, np.zeros(1, np.int32)
    )
    return bool(0 <= share < 1)
