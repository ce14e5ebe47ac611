"""Scenes compiled for one batch: each in the common form, compiled, and kept as a row of numbers."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.cousins.sequence import Cousins
from pocketworld.scene import Base, Scene
from pocketworld.sim import memory
from pocketworld.sim.compiling.cousin import cousin_of
from pocketworld.sim.cousin import Cousin
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots.robot import Robot
from pocketworld.sim.warp.packed import Packed, World, cut, own_bytes, pack, world
from pocketworld.sim.warp.pool import Pool, text_of
from pocketworld.sim.warp.room import Room, at_rest, met
from pocketworld.sim.warp.superset import Element, Superset, padded

MEASURED = (
    8  # worlds of which contacts are counted with a hand on handles and joints in motion; at rest: of all
)
COPIES = 2  # of each row while they are stacked

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


@dataclass(frozen=True, eq=False, slots=True)
class _One:
    """A scene compiled in the common form, its MJCF, and where the common form has its places."""

    cousin: Cousin
    root: Element
    files: dict[str, bytes]
    order: tuple[Ids, Ids]


def superset_of(scenes: Sequence[Scene], kept: Iterable[Scene]) -> Superset:
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
    """Compile the first `count` scenes with a robot, one at a time: of each only its row is kept.

    `Cousins` are built twice: once to see what form holds all of them, once to be compiled in it.

    Raises PocketworldError for scenes of different twins, and for more than fit into memory.
    """
    light = scenes.bare() if isinstance(scenes, Cousins) else scenes
    superset = superset_of(scenes, (bare(light[i]) for i in range(count)))
    first = _one(bare(light[0]), superset, robot)
    base_world, pool = world(first.cousin.id, first.cousin.model), Pool()
    measured = set(np.linspace(0, count - 1, min(count, MEASURED), dtype=int).tolist())
    made: list[Cousin] = []
    worlds: list[World] = []
    orders: list[tuple[Ids, Ids]] = []
    rest, more = Room(), Room()
    for i in range(count):
        one = _one(bare(light[i]), superset, robot) if i else first
        pool.add(one.root)
        worlds.append(world(one.cousin.id, one.cousin.model, base_world) if i else base_world)
        if i == 1:
            needed = COPIES * count * own_bytes(base_world, worlds[1])
            memory.check(needed, f"{count} different cousins in one batch")
        still = at_rest(one.cousin, robot)
        rest |= still
        more |= met(one.cousin, robot).beyond(still) if i in measured else Room()
        orders.append(one.order)
        # Of the models only the first stays: 4096 of them would fill the memory.
        made.append(replace(one.cousin, model=first.cousin.model))
    base = pool.base(first.root, first.files)
    qpos, dof = zip(*orders, strict=True)
    placed = tuple(replace(cousin, model=base) for cousin in made)
    return Compiled(placed, pack(base, worlds), qpos, dof, (rest + more).with_spare())


def copies(made: Compiled, which: int) -> Compiled:
    """Return one cousin alone in the form of all: a batch of it is one of copies."""
    own = slice(which, which + 1)
    qpos, dof = made.scene_qpos[own], made.scene_dof[own]
    return Compiled(made.cousins[own], cut(made.packed, own), qpos, dof, made.room)


def _one(scene: Scene, superset: Superset, robot: Robot) -> _One:
    fitted = robot.fitted(scene)  # once: an arm's takes longer than all the rest
    document = mjcf.document(scene, visual=False, extra=fitted.fragment)
    root = padded(document, scene, superset)
    cousin = cousin_of(text_of(root, document.files).compile(), scene, robot, fitted)
    return _One(cousin, root, document.files, order(cousin.model, scene, robot))


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
