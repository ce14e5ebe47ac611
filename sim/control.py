"""How an action becomes what the hand's actuators are asked for, 25 times a second."""

import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.hand import REACH, angles, near
from pocketworld.sim.senses import Senses, length, turned

Array = NDArray[np.float64]
SUBSTEPS = 10  # of 4 ms
STRIDE = 0.02  # m that the hand's target moves in a step at full action
LEASH = 0.06  # m: the target leads the hand by this at most, which bounds how hard it pulls
SQUEEZE = 0.01  # m: fingers that close are asked to pass each other by this, to hold on to thin things


def lead(senses: Senses, target: Array, actions: Array) -> Array:
    """Return the hand's next target (n, 3) in the world, moved by actions (n, 4) in the hand's frame."""
    ahead = target - senses.grip + turned(senses.grip_turn, actions[:, :3] * STRIDE)
    out: Array = senses.grip + ahead * np.minimum(1.0, LEASH / np.maximum(length(ahead), 1e-12))[:, None]
    return out


def command(senses: Senses, target: Array, fingers: Array) -> Array:
    """Return the actuators' set points (n, 8); the wrist is kept square to the handle as that turns."""
    wrist = near(angles(senses.handle_turn), senses.hand[:, 3:6])
    return np.concatenate([target, wrist, fingers[:, None], fingers[:, None]], 1)


def opening(action: Array) -> Array:
    """Return how far each finger is asked to open (m) for an action in -1..1."""
    out: Array = (1 + action) / 2 * (REACH + SQUEEZE) - SQUEEZE
    return out


def action_of(opening: Array) -> Array:
    """Return the action that asks for an opening (m): the inverse of `opening`."""
    out: Array = 2 * (opening + SQUEEZE) / (REACH + SQUEEZE) - 1
    return out
