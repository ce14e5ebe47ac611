"""Many compiled worlds as rows of one model: what differs is stacked, what may not differ is refused."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.sim.warp.installed import library
from pocketworld.sim.warp.pool import mesh_names, places_of

Rows = NDArray[Any]
# What changes with the meshes that a world has, which the base has all of; what only the test for sleeping
# bodies reads.
SHARED = ("mesh_", "oct_", "key_", "dof_length")
# What MuJoCo Warp does not keep itself, but makes its lists of pairs and its kernels from.
ALSO = ("geom_bodyid", "body_simple", "exclude_signature", "site_bodyid", "nM", "opt")


@dataclass(frozen=True, eq=False, slots=True)
class World:
    """One world's row: what Warp may keep per world, by field; what it may not; its own meshes' names.

    rows                of one that was compared with a first world: the first one's own arrays where equal
    fixed               nothing more in one that was compared
    start (nq,)         qpos with everything closed
    places, turns       (ngeom, 3), (ngeom, 3, 3) of geoms in the world, with everything closed
    """

    id: str
    rows: dict[str, Rows]
    fixed: dict[str, Rows]
    meshes: tuple[str, ...]
    start: NDArray[np.float64]
    places: NDArray[np.float32]
    turns: NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Packed:
    """All worlds: the base's model with everyone's meshes, and the rows (n, ...) of each field that differs.

    static (ngeom,)     which geoms never move: Warp reckons their poses once, from the base alone
    places, turns       (n, ngeom, 3), (n, ngeom, 3, 3) of all geoms, with everything closed
    """

    ids: tuple[str, ...]
    base: mujoco.MjModel
    rows: dict[str, Rows]
    start: NDArray[np.float64]
    static: NDArray[np.bool_]
    places: NDArray[np.float32]
    turns: NDArray[np.float32]


def world(id: str, model: mujoco.MjModel, first: World | None = None) -> World:
    """Return the row of a compiled world; raises PocketworldError where it has another structure.

    first   a world of the batch to be compared with

    Of a world that was compared only what differs takes memory: a batch has thousands.
    """
    per, fixed = _fields()
    rows = {name: _single(getattr(model, name)) for name in per}
    data = mujoco.MjData(model)
    data.qpos[:] = start = model.key("closed").qpos
    mujoco.mj_kinematics(model, data)
    places, turns = data.geom_xpos.astype(np.float32), data.geom_xmat.astype(np.float32)
    others = {name: np.array(getattr(model, name)) for name in fixed}
    one = World(id, rows, others, mesh_names(model), start.copy(), places, turns.reshape(-1, 3, 3))
    if first is None:
        return one
    _same(first, one)
    kept = {name: _shared(first.rows[name], row) for name, row in rows.items()}
    return replace(one, rows=kept, fixed={})


def own_bytes(first: World, one: World) -> int:
    """Return how many bytes a world's row takes beside the first one's."""
    rows = sum(row.nbytes for name, row in one.rows.items() if row is not first.rows[name])
    return rows + one.start.nbytes + one.places.nbytes + one.turns.nbytes


def pack(base: mujoco.MjModel, worlds: Sequence[World]) -> Packed:
    """Return worlds as rows of one model; raises PocketworldError where one has another structure."""
    first, place = worlds[0], {name: i for i, name in enumerate(mesh_names(base))}
    for one in worlds:
        _same(first, one)
    meshes = np.stack([places_of(one.meshes, place)[one.rows["geom_dataid"]] for one in worlds])
    stacks = {name: [one.rows[name] for one in worlds] for name in first.rows if name != "geom_dataid"}
    rows = {name: np.stack(stack) for name, stack in stacks.items() if _differ(stack)}
    rows |= {"geom_dataid": meshes} if _differ(list(meshes)) else {}
    static = base.body_weldid[base.geom_bodyid] == 0
    start, places, turns = (
        np.stack([getattr(one, name) for one in worlds]) for name in ("start", "places", "turns")
    )
    return Packed(tuple(one.id for one in worlds), base, rows, start, static, places, turns)


def cut(packed: Packed, which: slice) -> Packed:
    """Return some worlds' rows in the same model: with one, a batch has copies of it."""
    rows = {name: values[which] for name, values in packed.rows.items()}
    start, places, turns = packed.start[which], packed.places[which], packed.turns[which]
    return replace(packed, ids=packed.ids[which], rows=rows, start=start, places=places, turns=turns)


def _differ(stack: Sequence[Rows]) -> bool:
    return any(row is not stack[0] and not np.array_equal(row, stack[0]) for row in stack[1:])


def _shared(mine: Rows, its: Rows) -> Rows:
    return mine if np.array_equal(mine, its) else its


def _same(first: World, one: World) -> None:
    """Refuse a world that differs where no world can have its own."""
    shapes = (name for name, row in first.rows.items() if one.rows[name].shape != row.shape)
    values = (name for name, value in one.fixed.items() if not np.array_equal(first.fixed[name], value))
    for name in (*shapes, *values):
        raise PocketworldError(
            f"cousin {one.id}: its {name} is not that of {first.id}, and no world can have its own",
            "one batch holds cousins of one twin, by one spec, with one robot",
        )


def _single(values: Any) -> Rows:
    found = np.array(values)
    return found.astype(np.float32) if found.dtype.kind == "f" else found


@cache
def _fields() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the fields of a model that Warp may keep per world, and those that all worlds share."""
    arrays = {
        field.name: field.type.shape
        for field in library().mjw.Model.__dataclass_fields__.values()
        if hasattr(field.type, "dtype") and getattr(field.type, "shape", None)
    }
    known = {name: shape for name, shape in arrays.items() if hasattr(mujoco.MjModel, name)}
    per = tuple(name for name, shape in known.items() if shape[0] == "*")
    also = tuple(name for name in ALSO if isinstance(getattr(mujoco.MjModel, name, None), property))
    fixed = tuple(name for name, shape in known.items() if shape[0] != "*" and not name.startswith(SHARED))
    return per, tuple(dict.fromkeys((*fixed, *also)))
