"""What a task is worth: the difference of a potential, so that no loop pays, and a bonus at the end."""

from pocketworld.sim.arrays import Array, namespace
from pocketworld.sim.cousin import FACTS
from pocketworld.sim.robots.fingers import REACH
from pocketworld.sim.senses import Senses
from pocketworld.sim.vectors import length, turned_back

BONUS, TIME, EFFORT = 4.0, 0.01, 0.002  # on success; a step; a step at full action
ALMOST = 0.03  # m: half of what coming nearer at last pays is for these
# m: within this closing the fingers pays. Less than the 17 mm at which tips too wide for a recess meet the
# front: else closing there pays, a policy does that, and never finds that narrower fingers go in.
NEAR = 0.015
FREE, FIT = 0.006, 0.5  # m free on each side of the handle on the way there, and what that is worth
# m: half of what lining up across the handle pays is for these, and what it pays. Of a distance to the handle
# alone what fingers are off across it is a small part, and in front of a recess it is all that matters.
ASIDE, LINED = 0.005, 0.5


def potential(senses: Senses, facts: Array, progress: Array) -> Array:
    """Return how good a state is (n,): near the handle, fingers closed on it, and above all far on its way.

    On the way to the handle fingers are worth most that are lined up and just wide enough for it: others meet
    what stands beside it, and the edge of a recess.

    Differences add up to what the end has more than the beginning, by whatever way: without a discount no
    loop pays. With a discount g they are not quite the shaping that Ng, Harada, Russell 1999 prove to change
    no best policy (g * after - before, and 0 after the end): beyond it a step earns (1 - g) * after, which
    asks for good states soon, too.
    progress (n,): how far the joint is on its way, 1 where it is to be.
    """
    xp = namespace(senses.grip)
    away = length(senses.handle - senses.grip)
    beside = (senses.robot[:, -2] + senses.robot[:, -1] - facts[:, FACTS.index("handle_thickness_m")]) / 2
    there = xp.clip(1 - away / NEAR, 0, 1)
    held = there * (1 - xp.clip(beside / REACH, 0, 1))
    fitting = FIT * (1 - there) * (1 - xp.clip(xp.abs(beside - FREE) / REACH, 0, 1))
    aside = xp.abs(turned_back(senses.grip_turn, senses.handle - senses.grip)[:, 1])
    coming = -2 * xp.clip(away, max=0.6) - away / (away + ALMOST) - LINED * aside / (aside + ASIDE)
    return coming + fitting + held + 8 * xp.clip(progress, 0, 1)


def reward(before: Array, after: Array, actions: Array, success: Array) -> Array:
    """Return the reward (n,) of a step between two potentials."""
    effort = sum(actions[:, i] ** 2 for i in range(actions.shape[1]))
    return after - before - TIME - EFFORT * effort + BONUS * namespace(after).astype(success, after.dtype)
