"""A scripted expert: line up, go in, close, pull the way the joint opens. It reads what only a teacher may know."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.control import STRIDE, action_of
from pocketworld.sim.hand import REACH
from pocketworld.sim.observation import way
from pocketworld.sim.senses import turned_back
from pocketworld.sim.task import FACTS

if TYPE_CHECKING:
    from pocketworld.sim.environment import OpenEnv

Array = NDArray[np.float64]


def expert(env: "OpenEnv") -> Array:
    """Return the expert's actions (n, 4) for where all environments are now; it keeps no state."""
    senses, facts = env.senses, env.facts
    thin = facts[:, FACTS.index("handle_thickness_m")] / 2
    error = turned_back(senses.grip_turn, senses.handle - senses.grip)
    aside = np.hypot(error[:, 1], error[:, 2])
    inside = np.abs(error[:, 0]) < 0.02
    lined = (aside < 0.002) | (inside & (aside < 0.008))
    aim = error + np.stack([np.where(lined, 0.0, 0.05), np.zeros_like(aside), np.zeros_like(aside)], 1)
    there = lined & (np.abs(error[:, 0]) < 0.008)
    opening = senses.hand[:, 6:8].mean(1)
    holds = there & (opening < thin + 0.004)
    pull = turned_back(senses.grip_turn, way(senses, facts))
    move = np.where(holds[:, None], pull + error * 10, aim / STRIDE * 0.6)
    room = np.where(facts[:, FACTS.index("handle_recessed")] > 0, 0.0045, 0.008)
    wide = action_of(np.minimum(thin + room, REACH))
    fingers = np.where(there, -1.0, wide)
    return np.clip(np.concatenate([move, fingers[:, None]], 1), -1, 1)
