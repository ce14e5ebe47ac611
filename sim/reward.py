"""What a task is worth: the difference of a potential, so that no detour pays, and a bonus at the end."""

from pocketworld.sim.arrays import Array, namespace
from pocketworld.sim.robots.fingers import REACH
from pocketworld.sim.senses import Senses
from pocketworld.sim.task import FACTS
from pocketworld.sim.vectors import length

BONUS, TIME, EFFORT = 4.0, 0.01, 0.002  # on success; a step; a step at full action
NEAR = 0.03  # m: at this distance from the handle closing the fingers begins to pay


def potential(senses: Senses, facts: Array, progress: Array) -> Array:
    """Return how good a state is (n,): near the handle, fingers closed on it, and above all far on its way.

    Ng, Harada, Russell 1999: rewards that are differences of a potential change no best policy.
    progress (n,): how far the joint is on its way, 1 where it is to be.
    """
    xp = namespace(senses.grip)
    away = length(senses.handle - senses.grip)
    thin = facts[:, FACTS.index("handle_thickness_m")]
    loose = xp.clip((senses.robot[:, -2] + senses.robot[:, -1] - thin) / (2 * REACH), 0, 1)
    held = xp.clip(1 - away / NEAR, 0, 1) * (1 - loose)
    return -2 * xp.clip(away, max=0.6) - away / (away + NEAR) + held + 8 * xp.clip(progress, 0, 1)


def reward(before: Array, after: Array, actions: Array, success: Array) -> Array:
    """Return the reward (n,) of a step between two potentials."""
    effort = sum(actions[:, i] ** 2 for i in range(actions.shape[1]))
    return after - before - TIME - EFFORT * effort + BONUS * namespace(after).astype(success, after.dtype)
