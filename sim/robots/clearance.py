"""Whether an arm at a stand is inside furniture, by MuJoCo's own collision detection."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots.description import CARRIES, CART, FINGERS, Arm
from pocketworld.sim.robots.paths import Path

Array = NDArray[np.float64]
# m: the arm keeps so far from everything, since it won't go exactly where it is planned to; its hand, which
# has to get between things, may touch them
CLEAR, TOUCH = 0.008, -0.002
HAND = ("robot/hand", *FINGERS)


class Clearance:
    """A scene with an arm, put into one posture after the other."""

    def __init__(self, scene: Scene, arm: Arm) -> None:
        self.model = mjcf.document(scene, visual=False, extra=arm.physics).compile()
        self._data = mujoco.MjData(self.model)
        self._closed = self.model.key("closed").qpos.copy()
        first = int(self.model.joint(CART[0]).qposadr[0])
        self._own = slice(first, first + len(arm.joints))
        cart = self.model.body(CARRIES).id
        self._robot = self.model.body_rootid == cart
        hand = np.isin(np.arange(self.model.nbody), [self.model.body(name).id for name in HAND])
        self._hand = hand
        arm_geoms = (self._robot & ~hand)[self.model.geom_bodyid]
        self.model.geom_margin[arm_geoms] = CLEAR

    def stands(self, cart: tuple[float, ...] | Array, home: tuple[float, ...] | Array) -> bool:
        """Say whether the arm can wait at a stand: cart (4,), its joints (n,), everything closed."""
        self._put(np.concatenate([cart, home, (0, 0)]))
        return not self._hits(-1)

    def passes(self, path: Path, cart: Array, postures: Array) -> bool:
        """Say whether the arm clears everything in postures (k, n) along a path and half-way between them.

        Its hand may touch the part that it opens.
        """
        joint = self.model.joint(path.id)
        part, at = int(self.model.jnt_bodyid[joint.id]), int(joint.qposadr[0])
        for q, posture in zip(halved(path.q), halved(postures), strict=True):
            self._put(np.concatenate([cart, posture, (path.opening,) * 2]))
            self._data.qpos[at] = q
            if self._hits(part):
                return False
        return True

    def _put(self, robot: Array) -> None:
        self._data.qpos[:] = self._closed
        self._data.qpos[self._own] = robot

    def _hits(self, asked: int) -> bool:
        mujoco.mj_kinematics(self.model, self._data)
        mujoco.mj_collision(self.model, self._data)
        contact = self._data.contact
        bodies = self.model.geom_bodyid[contact.geom]
        ours, hand = self._robot[bodies], self._hand[bodies].any(1)
        near = contact.dist < np.where(hand, TOUCH, CLEAR)
        opened = hand & (bodies == asked).any(1)
        return bool((near & ours.any(1) & ~opened).any())


def halved(values: Array) -> Array:
    """Return values (k, ...) with what is half-way between neighbours in between (2 k - 1, ...)."""
    out = np.repeat(values, 2, axis=0)[:-1]
    out[1::2] = (values[1:] + values[:-1]) / 2
    return out
