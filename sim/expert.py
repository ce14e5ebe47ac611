"""A scripted expert: line up, go in, close, move the part its way. It may know what a teacher knows."""

from pocketworld.sim.arrays import Array, columns, namespace
from pocketworld.sim.cousin import FACTS
from pocketworld.sim.robots.fingers import FINGER, REACH, TIP
from pocketworld.sim.robots.reach import STRIDE, action_of
from pocketworld.sim.tasks.observation import way
from pocketworld.sim.vectors import turned_back
from pocketworld.sim.worlds import Worlds

# m free on each side of what is to be gripped as the fingers go in; the next thing may be near
BESIDE = 0.0065
BEFORE = 0.05  # m: how far in front of the handle the hand lines up
LINED, LOST = 0.002, 0.008  # m aside: good enough to go in; to stay in
DEEP = 0.02  # m: so near to its place, out of the front, it counts as in
PLACED = 0.008  # m: and so near it closes
# m: so much deeper, and aside, it may come as it pushes a part shut. No finger's friction holds as hard as an
# arm pushes: it slips along the handle until its tips stand on the front behind, which pushes as well. And on
# its way round a hinge it lags behind; to let go then would drag the part open again.
PRESSED, LAGGED = 0.03, 0.02
TIGHT = 0.004  # m: fingers that are no further apart than what they hold by this have closed on it
# N that each finger holds with: enough not to slip off; harder held, a handle turns the wrist with it that
# leads a door around its hinge.
HELD = 30.0
APPROACH = 0.6  # share of the way that it goes in a step
CENTRE = 10.0  # pull back into the fingers' middle, 1/m


def expert(worlds: Worlds) -> Array:
    """Return the expert's actions (n, 4) for where all environments are now; it keeps no state."""
    senses, facts = worlds.senses, worlds.facts
    xp = namespace(facts)
    half = facts[:, FACTS.index("handle_thickness_m")] / 2
    error = turned_back(senses.grip_turn, senses.handle - senses.grip)
    error[:, 0] += _shallow(facts)
    aside = xp.sqrt(error[:, 1] ** 2 + error[:, 2] ** 2)
    shuts = worlds.sense < 0
    deeper, lost = xp.where(shuts, PRESSED, 0.0), xp.where(shuts, LAGGED, LOST)
    lined = (aside < LINED) | (_within(error[:, 0], DEEP, deeper) & (aside < lost))
    there = lined & _within(error[:, 0], PLACED, deeper)
    holds = there & ((senses.robot[:, -2] + senses.robot[:, -1]) / 2 < half + TIGHT)
    aim = xp.asarray(error, copy=True)
    aim[:, 0] += xp.where(lined, 0.0, BEFORE)
    pull = turned_back(senses.grip_turn, way(senses, facts, worlds.sense)) + error * CENTRE
    move = xp.where(holds[:, None], pull, aim / STRIDE * APPROACH)
    closed, wide = half - HELD / FINGER.stiffness, xp.clip(half + BESIDE, max=REACH)
    fingers = action_of(xp.where(there, closed, wide))
    return xp.clip(columns([move, fingers]), -1, 1)


def _within(short: Array, near: float, deeper: Array) -> Array:
    """Say whether (n,) a hand, `short` of being as far out as its place, is near it, or deeper by so much."""
    xp = namespace(short)
    return (short > -near) & (short < xp.clip(deeper, min=near))


def _shallow(facts: Array) -> Array:
    """Return how much less deep (n,) than its grip a handle is taken, m: so that the tips stay off the front.

    A handle in a recess, whose grip lies behind the face, has a slot for the fingers.
    """
    standoff = facts[:, FACTS.index("handle_standoff_m")]
    xp = namespace(standoff)
    return xp.where(standoff > 0, xp.clip(TIP + LINED - standoff, min=0.0), 0.0)
