"""What opening is worth: the difference of a potential, so that no detour pays, and a bonus at the end."""

import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.hand import REACH
from pocketworld.sim.senses import Senses, length
from pocketworld.sim.task import FACTS

Array = NDArray[np.float64]
BONUS, TIME, EFFORT = 4.0, 0.01, 0.002  # on success; a step; a step at full action
NEAR = 0.03  # m: at this distance from the handle closing the fingers begins to pay


def potential(senses: Senses, facts: Array, share: Array) -> Array:
    """Return how good a state is (n,): near the handle, fingers closed on it, and above all open.

    Ng, Harada, Russell 1999: rewards that are differences of a potential change no best policy.
    share (n,): how far the joint is open, of what is asked.
    """
    away = length(senses.handle - senses.grip)
    thin = facts[:, FACTS.index("handle_thickness_m")]
    loose = np.clip((senses.hand[:, 6] + senses.hand[:, 7] - thin) / (2 * REACH), 0, 1)
    held = np.clip(1 - away / NEAR, 0, 1) * (1 - loose)
    out: Array = -2 * np.minimum(away, 0.6) - away / (away + NEAR) + held + 8 * np.clip(share, 0, 1)
    return out


def reward(before: Array, after: Array, actions: Array, success: NDArray[np.bool_]) -> Array:
    """Return the reward (n,) of a step between two potentials."""
    effort = actions[:, 0] ** 2 + actions[:, 1] ** 2 + actions[:, 2] ** 2 + actions[:, 3] ** 2
    return after - before - TIME - EFFORT * effort + BONUS * success
