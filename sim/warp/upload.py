"""Packed worlds as MuJoCo Warp's model and state, on the current device."""

from typing import Any

import numpy as np

from pocketworld.sim.warp.installed import library
from pocketworld.sim.warp.packed import Packed
from pocketworld.sim.warp.room import Room


def uploaded(packed: Packed) -> Any:
    """Return MuJoCo Warp's model on the current device, each field that differs with a row per world."""
    sizes = {name: len(rows) for name, rows in packed.rows.items()}
    model = library().mjw.put_model(packed.base, batch_sizes=sizes)
    for name, rows in packed.rows.items():
        # Assigned, not replaced: a captured graph knows arrays by their addresses.
        field = getattr(model, name)
        field.assign(rows.reshape(field.numpy().shape))
    model.opt.warn_overflow = False
    # Boxes on boxes as C MuJoCo has them. By its default Warp takes the algorithm for any two convex shapes,
    # which drops shallow contacts of a small box on a large one: one step of a hand is then off by 1e-4 m.
    model.opt.disableflags |= int(library().mjw.DisableBit.NATIVECCD)
    if library().wp.get_device().is_cuda:
        # Graphs can end loops by themselves from CUDA 12.4 on; before, the solver takes all iterations.
        model.opt.graph_conditional = library().wp.is_conditional_graph_supported()
    return model


def data(packed: Packed, count: int, room: Room) -> Any:
    """Return MuJoCo Warp's state of `count` worlds on the current device."""
    made = library().mjw.make_data(packed.base, nworld=count, nconmax=room.contacts, njmax=room.rows)
    put_static(made, packed, count)
    return made


def put_static(made: Any, packed: Packed, count: int) -> None:
    """Write where geoms that never move are in each world: Warp reckons it once, for the base's."""
    for field, poses in ((made.geom_xpos, packed.places), (made.geom_xmat, packed.turns)):
        now = field.numpy()
        now[:, packed.static] = poses[np.arange(count) % len(poses)][:, packed.static]
        field.assign(now)
