"""What the policy sees, and what only a teacher may know. All in the hand's own frame, of order one.

A policy that sees the hand and the handle only follows the handle; one that is told the cabinet's facts
learns cabinets by heart, and generalises far worse. So the two are kept apart.
"""

import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.senses import Senses, cross, length, turned_back
from pocketworld.sim.task import FACTS

Array = NDArray[np.float64]

POLICY = (
    *(f"handle_from_hand_{a}_5" for a in "xyz"),  # * 5: the unit is 0.2 m
    *(f"handle_{axis}_{a}" for axis in ("out", "along") for a in "xyz"),
    *(f"hand_velocity_{a}" for a in "xyz"),
    *(f"wrist_rate_{a}_0.2" for a in ("yaw", "pitch", "roll")),
    *(f"target_from_hand_{a}_20" for a in "xyz"),
    *(f"up_{a}" for a in "xyz"),
    "hand_height",
    "left_finger_20",
    "right_finger_20",
    "fingers_asked_20",
)
PRIVILEGED = (
    *FACTS,
    "opened",
    "opening_rate",
    *(f"axis_{a}" for a in "xyz"),
    *(f"axis_from_handle_{a}" for a in "xyz"),
    *(f"way_{a}" for a in "xyz"),
    "time",
)
UP = np.array([[0.0, 0.0, 1.0]])


def observe(
    senses: Senses, target: Array, fingers: Array, facts: Array, share: Array, time: Array
) -> dict[str, NDArray[np.float32]]:
    """Return policy (n, len(POLICY)) and privileged (n, len(PRIVILEGED)), float32.

    target (n, 3): where the hand is asked to be; fingers (n,): how far open they are asked to be, m;
    facts (n, len(FACTS)); share (n,): how far the joint is open, of what is asked; time (n,): share of the
    episode.
    """
    turn = senses.grip_turn

    def own(v: Array) -> Array:
        return turned_back(turn, v)

    policy = (
        own(senses.handle - senses.grip) * 5,
        own(senses.handle_turn[:, :, 0]),
        own(senses.handle_turn[:, :, 2]),
        own(senses.hand_speed[:, :3]),
        senses.hand_speed[:, 3:6] * 0.2,
        own(target - senses.grip) * 20,
        own(np.broadcast_to(UP, senses.grip.shape)),
        senses.grip[:, 2:],
        senses.hand[:, 6:8] * 20,
        fingers[:, None] * 20,
    )
    privileged = (
        facts,
        share[:, None],
        senses.speed[:, None],
        own(senses.axis),
        own(senses.anchor - senses.handle),
        own(way(senses, facts)),
        time[:, None],
    )
    return {
        "policy": np.concatenate(policy, 1).astype(np.float32),
        "privileged": np.concatenate(privileged, 1).astype(np.float32),
    }


def way(senses: Senses, facts: Array) -> Array:
    """Return the unit vectors (n, 3) along which handles move as their joints open, in the world's frame."""
    hinge = facts[:, FACTS.index("is_hinge")] > 0
    round_about = cross(senses.axis, senses.handle - senses.anchor)
    far = length(round_about)
    turning = round_about / np.where(far > 1e-9, far, 1.0)[:, None]
    out: Array = np.where(hinge[:, None], turning, senses.axis)
    return out
