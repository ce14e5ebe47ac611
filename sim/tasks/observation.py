"""What the policy sees, and what only a teacher may know. All in the hand's own frame, of order one.

But one thing: how fast the floating hand turns is seen as its wrist's joints turn, one by one (an arm's grip:
about its own axes).

A policy that sees the hand and the handle only follows the handle; one that is told the cabinet's facts
learns cabinets by heart, and generalises far worse. So the two are kept apart. Of the handle it sees what
eyes see that find its place: how thick it is and how far it stands out of the face. Without these a knob,
for which fingers have to be far apart, and the lip of a recess, whose slots take them only close together,
would look alike.

How the room lies about the hand (what is up, how high it is) is not seen. It changes nothing of what is to be
done, and a policy that sees it where nearly all handles lie does not know an upright one again.
"""

from collections.abc import Sequence

from pocketworld.sim.arrays import Array, columns, namespace
from pocketworld.sim.cousin import FACTS
from pocketworld.sim.robots.robot import Aim, Robot
from pocketworld.sim.senses import Senses
from pocketworld.sim.vectors import cross, length, turned_back


def common(turns: Sequence[str]) -> tuple[str, ...]:
    """Return the names of what every robot senses; turns: those of how it turns (see `Robot.turns`)."""
    return (
        *(f"handle_from_hand_{a}_5" for a in "xyz"),  # * 5: the unit is 0.2 m
        *(f"handle_{axis}_{a}" for axis in ("out", "along") for a in "xyz"),
        "handle_thickness_20",  # across: how far apart fingers have to be
        "handle_standoff_20",  # out of the face; in a recess its grip lies behind
        *(f"hand_velocity_{a}" for a in "xyz"),
        *(f"wrist_rate_{a}_0.2" for a in turns),
        *(f"target_from_hand_{a}_20" for a in "xyz"),
        "left_finger_20",
        "right_finger_20",
        "fingers_asked_20",
    )


POLICY = common(("yaw", "pitch", "roll"))  # what the floating hand's sees
SIZES = ("handle_thickness_m", "handle_standoff_m")
TOLD = sum(name.startswith("handle_") for name in POLICY)  # they come first: what no one senses without eyes
PRIVILEGED = (
    *FACTS,
    "progress",
    "progress_rate",
    *(f"axis_{a}" for a in "xyz"),
    *(f"axis_from_handle_{a}" for a in "xyz"),
    *(f"way_{a}" for a in "xyz"),
    "time",
)


def policy_names(robot: Robot) -> tuple[str, ...]:
    """Return the names of `policy`'s numbers: what every robot senses, then what this one adds."""
    return (*common(robot.turns), *robot.seen)


def policy_view(robot: Robot, senses: Senses, facts: Array, aim: Aim) -> Array:
    """Return what the policy sees (n, len(policy_names(robot))), single precision.

    facts (n, len(FACTS)): of which it sees two of the handle's sizes
    """
    turn = senses.grip_turn
    velocity, rates = robot.motion(senses)
    seen = (
        turned_back(turn, senses.seen_handle - senses.grip) * 5,
        turned_back(turn, senses.seen_turn[:, :, 0]),
        turned_back(turn, senses.seen_turn[:, :, 2]),
        *(facts[:, FACTS.index(name)] * 20 for name in SIZES),
        turned_back(turn, velocity),
        rates * 0.2,
        turned_back(turn, aim.target - senses.grip) * 20,
        senses.robot[:, -2:] * 20,
        aim.fingers * 20,
        *robot.sensed(senses),
    )
    return _single(columns(seen))


def privileged_view(senses: Senses, facts: Array, progress: Array, sense: Array, time: Array) -> Array:
    """Return what only a teacher knows (n, len(PRIVILEGED)), single precision.

    facts (n, len(FACTS)); progress (n,): how far the joint is on its way; sense (n,): 1 where it is to be
    opened, -1 where closed; time (n,): share of the episode.
    """
    turn = senses.grip_turn
    known = (
        facts,
        progress,
        senses.speed * sense,
        turned_back(turn, senses.axis),
        turned_back(turn, senses.anchor - senses.handle),
        turned_back(turn, way(senses, facts, sense)),
        time,
    )
    return _single(columns(known))


def way(senses: Senses, facts: Array, sense: Array) -> Array:
    """Return the unit vectors (n, 3) along which handles are to move, in the world's frame."""
    xp = namespace(senses.axis)
    hinge = facts[:, FACTS.index("is_hinge")] > 0
    round_about = cross(senses.axis, senses.handle - senses.anchor)
    far = length(round_about)
    turning = round_about / xp.where(far > 1e-9, far, 1.0)[:, None]
    return xp.where(hinge[:, None], turning, senses.axis) * sense[:, None]


def _single(values: Array) -> Array:
    xp = namespace(values)
    return xp.astype(values, xp.float32)
