"""A scripted expert: line up, go in, close, pull the way the part opens. It may know what a teacher knows."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.control import STRIDE, action_of
from pocketworld.sim.hand import REACH, TIP
from pocketworld.sim.observation import way
from pocketworld.sim.senses import turned_back
from pocketworld.sim.task import FACTS

if TYPE_CHECKING:
    from pocketworld.sim.environment import OpenEnv

Array = NDArray[np.float64]
BESIDE = (
    0.0065  # m: free on each side of what is to be gripped as the fingers go in; the next thing may be near
)
BEFORE = 0.05  # m: how far in front of the handle the hand lines up
LINED, LOST = 0.002, 0.008  # m aside: good enough to go in; to stay in
DEEP = 0.02  # m: so near to its place, out of the front, it counts as in
PLACED = 0.008  # m: and so near it closes
TIGHT = 0.004  # m: fingers that are no further apart than what they hold by this have closed on it
APPROACH, CENTRE = (
    0.6,
    10.0,
)  # share of the way that it goes in a step; pull back into the fingers' middle, 1/m


def expert(env: "OpenEnv") -> Array:
    """Return the expert's actions (n, 4) for where all environments are now; it keeps no state."""
    senses, facts = env.senses, env.facts
    half = facts[:, FACTS.index("handle_thickness_m")] / 2
    error = turned_back(senses.grip_turn, senses.handle - senses.grip)
    error[:, 0] += _shallow(facts)
    aside = np.sqrt(error[:, 1] ** 2 + error[:, 2] ** 2)
    lined = (aside < LINED) | ((np.abs(error[:, 0]) < DEEP) & (aside < LOST))
    there = lined & (np.abs(error[:, 0]) < PLACED)
    holds = there & ((senses.hand[:, 6] + senses.hand[:, 7]) / 2 < half + TIGHT)
    aim = error.copy()
    aim[:, 0] += np.where(lined, 0.0, BEFORE)
    pull = turned_back(senses.grip_turn, way(senses, facts)) + error * CENTRE
    move = np.where(holds[:, None], pull, aim / STRIDE * APPROACH)
    fingers = np.where(there, -1.0, action_of(np.minimum(half + BESIDE, REACH)))
    out: Array = np.clip(np.concatenate([move, fingers[:, None]], 1), -1, 1)
    return out


def _shallow(facts: Array) -> Array:
    """Return how much less deep (n,) than its grip a handle is taken, m: so that the tips stay off the front.

    A handle in a recess, whose grip lies behind the face, has a slot for the fingers.
    """
    standoff = facts[:, FACTS.index("handle_standoff_m")]
    out: Array = np.where(standoff > 0, np.maximum(TIP + LINED - standoff, 0.0), 0.0)
    return out
