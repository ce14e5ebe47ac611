"""How an action moves what the hand is asked for: a target that leads it, and how far its fingers open."""

from pocketworld.sim.arrays import Array, namespace
from pocketworld.sim.robots.fingers import REACH
from pocketworld.sim.vectors import length, turned

STRIDE = 0.02  # m that the hand's target moves in a step at full action
LEASH = 0.06  # m: the target leads the hand by this at most, which bounds how hard it pulls
SQUEEZE = 0.01  # m: fingers that close are asked to pass each other by this, to hold on to thin things


def lead(grip: Array, turn: Array, target: Array, actions: Array, stride: float = STRIDE) -> Array:
    """Return the hand's next target (n, 3) in the world, moved by actions (n, 3..) in the hand's frame.

    grip (n, 3), turn (n, 3, 3): where the hand is;  stride: how far a full action goes, m.
    """
    xp = namespace(grip)
    ahead = target - grip + turned(turn, actions[:, :3] * stride)
    return grip + ahead * xp.clip(LEASH / xp.clip(length(ahead), min=1e-12), max=1.0)[:, None]


def opening(action: Array) -> Array:
    """Return how far each finger is asked to open (m) for an action in -1..1."""
    return (1 + action) / 2 * (REACH + SQUEEZE) - SQUEEZE


def action_of(opening: Array) -> Array:
    """Return the action that asks for an opening (m): the inverse of `opening`."""
    return 2 * (opening + SQUEEZE) / (REACH + SQUEEZE) - 1
