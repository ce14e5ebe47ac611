"""What hands and joints do while the batch is compared with C MuJoCo: hold, pull, press, slide to stops."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Scene
from pocketworld.sim.cousin import FACTS, Cousin, Target
from pocketworld.sim.robots.fingers import TIP

Array = NDArray[np.float64]
EAGER = 2.0  # ranges a second that joints are pushed with at most: some meet their stops
PULL = 0.3  # m/s or rad/s by which a hand leads what it holds
BRISK = 0.5  # m/s or rad/s that joints are pushed with at most where they then run freely
PRESS = 4  # of so many hands one presses on what stands below it, the others hold and pull
HIGH = 4.0  # m: above all that stands
BOW = FACTS.index("handle_bow")
THICK, LENGTH, STANDOFF = (FACTS.index(f"handle_{name}_m") for name in ("thickness", "length", "standoff"))


@dataclass(frozen=True, eq=False, slots=True)
class Side:
    """A scene as C MuJoCo has it alone, and where its numbers are in the batch.

    qpos (nq,), dof (nv,)   places in the batch's;  group (nq,): which of GROUPS each of its positions is of
    """

    cousin: Cousin
    data: mujoco.MjData
    qpos: NDArray[np.int64]
    dof: NDArray[np.int64]
    group: NDArray[np.int64]


def script(side: Side, scene: Scene, i: int) -> Callable[[float], Array]:
    """Return where world i's hand is to be (8,) at a time (s): it holds and pulls, or presses from above.

    Before its time 0 it is open, beside what it is about to meet.
    """
    target = asked(side, i)
    if i % PRESS == PRESS - 1:
        return _presses(side, scene, target)
    q, half = float(side.data.qpos[target.qpos]), target.facts[THICK] / 2 + 0.002
    out = max(0.0, TIP + 0.002 - target.facts[STANDOFF]) if target.facts[STANDOFF] > 0 else 0.0
    # At its end a bow has its feet, which are hulls: the hand meets them too.
    along = (target.facts[LENGTH] / 2 - 0.012) * (i % PRESS == 2)

    def at(time: float) -> Array:
        hold = target.hold(q + PULL * max(time, 0.0))
        fingers = half if time < 0 else 0.0
        return np.array([*(hold.grip + hold.turn @ (out, 0.0, along)), *hold.wrist, fingers, fingers])

    return at


def _presses(side: Side, scene: Scene, target: Target) -> Callable[[float], Array]:
    """Return the way of a hand that comes down on what is highest behind a joint's handle, and rubs on it."""
    asset = scene.asset(target.id.partition("/")[0])
    place = target.closed.grip + 0.15 * asset.pose.matrix[:3, 1]
    above, down = np.array([*place[:2], HIGH]), np.array([0.0, 0.0, -1.0])
    met = np.zeros(1, np.int32)
    place[2] = HIGH - mujoco.mj_ray(side.cousin.model, side.data, above, down, None, 1, -1, met)

    def at(time: float) -> Array:
        height = TIP + (0.01 if time < 0 else -0.02)
        aside = 0.05 * np.sin(4 * time)
        return np.array([place[0] + aside, place[1], place[2] + height, 0.0, -pi / 2, 0.0, 0.0, 0.0])

    return at


def asked(side: Side, i: int) -> Target:
    """Return the joint that world i's hand holds: in every other world a door, in every fourth a bow's.

    Where there is none, any.
    """
    doors = [target for target in side.cousin.targets if target.hinge]
    bows = [target for target in side.cousin.targets if target.facts[BOW]]
    some = (doors if i % 2 else bows if i % PRESS == 2 else []) or side.cousin.targets
    return some[i // 2 % len(some)]


def kick(side: Side, held: Target | None, rng: np.random.Generator) -> None:
    """Push all joints but the one that is held, each at a speed of its own."""
    for target in side.cousin.targets:
        speed = rng.uniform(-EAGER, EAGER) * target.range
        if target is not held:
            side.data.qvel[target.dof] = speed


def push(side: Side, rng: np.random.Generator) -> None:
    """Push all joints once, as fast as hands move them."""
    for target in side.cousin.targets:
        side.data.qvel[target.dof] = rng.uniform(-BRISK, BRISK)
