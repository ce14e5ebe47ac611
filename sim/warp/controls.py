"""What is wrong on purpose, to show that the comparison with C MuJoCo would see it."""

from collections.abc import Callable, Mapping

import numpy as np

from pocketworld.sim.warp.accuracy import Error, Record, Rig
from pocketworld.sim.warp.upload import put_static

Undo = Callable[[], None]
Control = Callable[[Rig], Undo]


def errors_with(rig: Rig, record: Record, name: str) -> dict[str, Error]:
    """Return the errors of the record's steps with one of CONTROLS."""
    undo = CONTROLS[name](rig)
    try:
        return rig.errors(record)
    finally:
        undo()


def next_world(*fields: str) -> Control:
    """Return a control: each world has these fields of the next one."""

    def control(rig: Rig) -> Undo:
        kept = {name: getattr(rig.warp.model, name).numpy().copy() for name in fields}
        for name, rows in kept.items():
            getattr(rig.warp.model, name).assign(np.roll(rows, 1, 0))

        def undo() -> None:
            for name, rows in kept.items():
                getattr(rig.warp.model, name).assign(rows)

        return undo

    return control


def same_statics(rig: Rig) -> Undo:
    """Leave what never moves where the first world has it, as Warp does by itself."""
    static = rig.warp.packed.static
    for field in (rig.warp.data.geom_xpos, rig.warp.data.geom_xmat):
        now = field.numpy()
        now[:, static] = now[:1, static]
        field.assign(now)
    return lambda: put_static(rig.warp.data, rig.warp.packed, len(rig.scenes))


def other_boxes(rig: Rig) -> Undo:
    """Let boxes meet boxes as Warp has it by default, by the algorithm for any two convex shapes."""
    warp = rig.warp
    kept = warp.model.opt.disableflags

    def put(flags: int) -> None:
        warp.model.opt.disableflags = flags
        warp.close()  # what was recorded has the other kernels

    put(kept & ~int(warp.lib.mjw.DisableBit.NATIVECCD))
    return lambda: put(kept)


CONTROLS: Mapping[str, Control] = {
    "sizes": next_world("geom_size"),
    "mesh": next_world("geom_dataid"),
    "friction": next_world("dof_frictionloss"),
    "damping": next_world("dof_damping"),
    "mass": next_world("body_mass"),
    "axis": next_world("jnt_axis"),
    "range": next_world("jnt_range"),
    "statics": same_statics,
    "boxes": other_boxes,
}
