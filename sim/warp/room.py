"""How many contacts and constraints a batch must have room for: as C MuJoCo meets them, times two."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from dataclasses import dataclass

import mujoco
import numpy as np

SETTLE = 60  # steps: a quarter of a second, in which what lies there has come down
SPARE = 2.0  # times what was met: more of it may open and fall than in the short run
# What a robot adds that was not near anything yet: two fingers of two pieces each on a handle of three, four
# contacts a pair at most; each of condim 4 gives four rows.
GRIP, ROWS = 48, 4


@dataclass(frozen=True, slots=True)
class Room:
    """contacts: of one world, on average; rows: constraints of the fullest one."""

    contacts: int = 0
    rows: int = 0

    def __or__(self, other: "Room") -> "Room":
        """Return room for either."""
        return Room(max(self.contacts, other.contacts), max(self.rows, other.rows))

    def with_spare(self) -> "Room":
        """Return room for what may come."""
        return Room(int(SPARE * self.contacts) + GRIP, int(SPARE * self.rows) + GRIP * ROWS)


def met(model: mujoco.MjModel) -> Room:
    """Return the most contacts and constraints of a short run, everything closed, and of one half open."""
    data, out = mujoco.MjData(model), Room()
    for share in (0.0, 0.5):
        mujoco.mj_resetDataKeyframe(model, data, model.key("closed").id)
        limited = model.jnt_limited.astype(bool)
        at, (low, high) = model.jnt_qposadr[limited], model.jnt_range[limited].T
        data.qpos[at] = np.clip(data.qpos[at] + share * (high - low), low, high)
        for _ in range(SETTLE):
            mujoco.mj_step(model, data)
            out |= Room(int(data.ncon), int(data.nefc))
    return out
