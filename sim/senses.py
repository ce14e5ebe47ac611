"""What is read of all environments after each step, as arrays over all of them.

Rotations are applied number by number, never by a matrix product of a whole batch: the order in which a
library sums may depend on the batch's size, and an environment alone must give the same bits as among
others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.batch import Group, Ids
from pocketworld.sim.task import Cousin, Target

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Places:
    """Where MuJoCo keeps what is read, for each environment (n,); the joints change with each episode."""

    hand_qpos: Ids
    hand_dof: Ids
    grip: Ids
    qpos: Ids
    dof: Ids
    joint: Ids
    site: Ids

    @classmethod
    def of(cls, cousins: Sequence[Cousin]) -> "Places":
        """Return the hands' places, and room for those of the joints that will be asked for."""
        out = cls(*(np.zeros(len(cousins), np.int64) for _ in range(7)))
        for i, cousin in enumerate(cousins):
            out.hand_qpos[i], out.hand_dof[i], out.grip[i] = cousin.hand_qpos, cousin.hand_dof, cousin.grip
        return out

    def ask(self, i: int, target: Target) -> None:
        """Look at a target in environment i from now on."""
        self.qpos[i], self.dof[i], self.joint[i], self.site[i] = (
            target.qpos,
            target.dof,
            target.joint,
            target.site,
        )


@dataclass(frozen=True, slots=True)
class Senses:
    """The state that tasks look at, in the world's frame.

    hand       (n, 8) the hand's joint positions; hand_speed (n, 8) their rates
    grip       (n, 3) between the fingertips; grip_turn (n, 3, 3) world_from_hand
    handle     (n, 3) where to hold the asked part; handle_turn (n, 3, 3)
    q, speed   (n,) of the asked joint: m or rad, and a second
    anchor, axis   (n, 3) a point on its axis, and the axis, where it is now
    """

    hand: Array
    hand_speed: Array
    grip: Array
    grip_turn: Array
    handle: Array
    handle_turn: Array
    q: Array
    speed: Array
    anchor: Array
    axis: Array

    @classmethod
    def empty(cls, n: int) -> "Senses":
        """Return senses to be read into."""
        shapes = ((8,), (8,), (3,), (3, 3), (3,), (3, 3), (), (), (3,), (3,))
        return cls(*(np.zeros((n, *shape)) for shape in shapes))

    def forget(self, which: NDArray[np.bool_]) -> None:
        """Put zeros where (n,) what was read may be no number."""
        if which.any():
            for name in self.__slots__:
                getattr(self, name)[which] = 0.0

    def read(self, group: Group, places: Places) -> None:
        """Copy a group's state out of its batch."""
        ids, rows = group.ids, np.arange(len(group.ids))
        eight = np.arange(8)
        self.hand[ids] = group.qpos[rows[:, None], places.hand_qpos[ids, None] + eight]
        self.hand_speed[ids] = group.qvel[rows[:, None], places.hand_dof[ids, None] + eight]
        grip, site, joint = places.grip[ids], places.site[ids], places.joint[ids]
        self.grip[ids] = group.site_xpos[rows, grip]
        self.grip_turn[ids] = group.site_xmat[rows, grip].reshape(-1, 3, 3)
        self.handle[ids] = group.site_xpos[rows, site]
        self.handle_turn[ids] = group.site_xmat[rows, site].reshape(-1, 3, 3)
        self.q[ids] = group.qpos[rows, places.qpos[ids]]
        self.speed[ids] = group.qvel[rows, places.dof[ids]]
        self.anchor[ids] = group.xanchor[rows, joint]
        self.axis[ids] = group.xaxis[rows, joint]


def turned(turn: Array, v: Array) -> Array:
    """Return turn @ v for each (n, 3, 3) and (n, 3)."""
    return np.stack([dot(turn[:, i], v) for i in range(3)], 1)


def turned_back(turn: Array, v: Array) -> Array:
    """Return turn.T @ v for each (n, 3, 3) and (n, 3)."""
    return np.stack([dot(turn[:, :, i], v) for i in range(3)], 1)


def dot(a: Array, b: Array) -> Array:
    """Return the inner products (n,) of (n, 3) and (n, 3)."""
    out: Array = a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]
    return out


def length(v: Array) -> Array:
    """Return the lengths (n,) of (n, 3)."""
    out: Array = np.sqrt(dot(v, v))
    return out


def cross(a: Array, b: Array) -> Array:
    """Return the cross products (n, 3)."""
    x, y, z = (
        a[:, (i + 1) % 3] * b[:, (i + 2) % 3] - a[:, (i + 2) % 3] * b[:, (i + 1) % 3] for i in range(3)
    )
    return np.stack([x, y, z], 1)
