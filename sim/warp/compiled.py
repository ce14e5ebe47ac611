"""Scenes compiled for one batch: each in the common form, compiled, and kept as a row of numbers."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.cousins.sequence import Cousins
from pocketworld.scene import Base, Scene
from pocketworld.sim import mjcf
from pocketworld.sim.robots.robot import Robot
from pocketworld.sim.task import Cousin, cousin_of
from pocketworld.sim.warp.packed import Packed, World, pack, world
from pocketworld.sim.warp.pool import Pool, text_of
from pocketworld.sim.warp.room import Room, met
from pocketworld.sim.warp.superset import Element, Superset, padded

MEASURED = 8  # worlds of which the contacts are counted

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Compiled:
    """Cousins whose places are those of the common form, their rows, and the room that they need.

    scene_qpos, scene_dof   where in the common qpos and qvel each cousin's own are, in its scene's order
    """

    cousins: tuple[Cousin, ...]
    packed: Packed
    scene_qpos: tuple[Ids, ...]
    scene_dof: tuple[Ids, ...]
    room: Room


def superset_of(scenes: Sequence[Scene], kept: Sequence[Scene]) -> Superset:
    """Return the common form of those scenes that are kept: as their spec has it, where they are of one."""
    around = Superset.around(kept)
    return Superset.of(scenes.twin, scenes.spec) | around if isinstance(scenes, Cousins) else around


def bare(scene: Scene) -> Scene:
    """Return a scene without what only eyes need: thousands of them fit into memory."""
    assets = (
        replace(a, parts=tuple(replace(part, meshes=()) if part.pieces else part for part in a.parts))
        for a in scene.assets
    )
    return replace(scene, assets=tuple(assets))


def compiled(scenes: Sequence[Scene], count: int, robot: Robot) -> Compiled:
    """Compile the first `count` scenes with a robot, one at a time: of each only its row is kept."""
    light = scenes.bare() if isinstance(scenes, Cousins) else scenes
    kept = [bare(light[i]) for i in range(count)]
    superset, pool, room = superset_of(scenes, kept), Pool(), Room()
    measured = set(np.linspace(0, count - 1, min(count, MEASURED), dtype=int).tolist())
    cousins: list[Cousin] = []
    worlds: list[World] = []
    orders: list[tuple[Ids, Ids]] = []
    for i, scene in enumerate(kept):
        cousin, meshes = _one(scene, superset, robot)
        pool.add(meshes)
        worlds.append(world(cousin.id, cousin.model))
        orders.append(order(cousin.model, scene, robot))
        room |= met(cousin.model) if i in measured else Room()
        # Of the models only the base stays: 4096 of them would fill the memory.
        cousins.append(replace(cousin, model=cousins[0].model if cousins else cousin.model))
    base = pool.base(*_text(kept[0], superset, robot))
    placed = tuple(replace(cousin, model=base) for cousin in cousins)
    qpos, dof = zip(*orders, strict=True)
    return Compiled(placed, pack(base, worlds), qpos, dof, room.with_spare())


def _one(scene: Scene, superset: Superset, robot: Robot) -> tuple[Cousin, Element]:
    """Return a scene compiled in the common form, and its MJCF."""
    root, files = _text(scene, superset, robot)
    return cousin_of(text_of(root, files).compile(), scene, robot, robot.fitted(scene)), root


def _text(scene: Scene, superset: Superset, robot: Robot) -> tuple[Element, dict[str, bytes]]:
    document = mjcf.document(scene, visual=False, extra=robot.fitted(scene).fragment)
    return padded(document, scene, superset), document.files


def order(model: mujoco.MjModel, scene: Scene, robot: Robot) -> tuple[Ids, Ids]:
    """Return where a padded model's qpos and qvel have a scene's own, as its MJCF alone orders them."""
    names: list[str] = []
    for asset in scene.assets:
        names += [f"{asset.id}/free"] if asset.base is Base.FREE else []
        names += [mjcf.name_of(asset, j) for _, j in mjcf.order(asset) if j is not None and j.movable]
    qpos: list[int] = []
    dof: list[int] = []
    for name in (*names, *robot.joints):
        joint = model.joint(name)
        qpos += range(int(joint.qposadr[0]), int(joint.qposadr[0]) + len(joint.qpos0))
        dof += range(int(joint.dofadr[0]), int(joint.dofadr[0]) + len(joint.damping))
    return np.array(qpos, np.int64), np.array(dof, np.int64)
