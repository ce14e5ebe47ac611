"""An arm on a cart as a robot: it stands where it reaches, and is led by its grip or joint by joint.

Both ways end in the same: positions that the joints' servos are asked for, which lead where the joints are
by little enough that what the arm pushes with stays bounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Scene
from pocketworld.sim.arrays import Array, columns, namespace
from pocketworld.sim.cousin import Hold, Reach
from pocketworld.sim.models.mjcf import Fragment
from pocketworld.sim.robots import stand
from pocketworld.sim.robots.convert import OWN
from pocketworld.sim.robots.description import CART, GRIP, Arm
from pocketworld.sim.robots.differential import jacobian, pulled, times, turn_between
from pocketworld.sim.robots.fingers import REACH
from pocketworld.sim.robots.known import known_stands
from pocketworld.sim.robots.paths import OTHER_WAY
from pocketworld.sim.robots.reach import lead, opening
from pocketworld.sim.robots.robot import Aim, Fitted
from pocketworld.sim.robots.search import frames
from pocketworld.sim.senses import Senses
from pocketworld.sim.vectors import dot, turned_back

DAMPING = 0.05  # of the least squares
RESTING = 0.02  # share of the way to its rest posture that the arm's spare freedom goes in a step
# m that the grip's target moves in a step at full action, 0.25 m/s. At the floating hand's 0.02 the arm's own
# inertia throws the grip 5 mm aside as it starts.
STRIDE = 0.01
AHEAD = 0.2  # rad: servos are asked for no more than this beyond where a joint is
NUDGE = 0.08  # rad that a joint's set point moves in a step at full action
STARTS = 25  # iterations of inverse kinematics to where an episode begins
# Where it begins if not where it was drawn: m straight before the handle, and the shares of the way from
# there to the drawn place. Of a closed part it begins at last where its path does (see `paths.AHEAD`).
BEFORE, ASIDE = (0.16, 0.1, 0.05), (0.75, 0.5, 0.25, 0.0)
FIRST, LAST = len(CART), -2  # of the arm's joints among all


@dataclass(frozen=True, eq=False, slots=True)
class Standing:
    """What is common to both ways of leading an arm."""

    made: Arm

    @property
    def name(self) -> str:
        """Return what it is called."""
        return self.made.name

    @property
    def joints(self) -> tuple[str, ...]:
        """Return its joints' names."""
        return self.made.joints

    @property
    def arm(self) -> int:
        """Return how many joints carry its grip: its cart's and its arm's."""
        return len(self.made.joints) + LAST

    @property
    def grip(self) -> str:
        """Return its grip's site."""
        return GRIP

    @property
    def turns(self) -> tuple[str, ...]:
        """Return the axes about which it is told to turn: the hand's."""
        return ("x", "y", "z")

    @property
    def seen(self) -> tuple[str, ...]:
        """Return the names of what it adds to what is seen: how its arm stands."""
        return tuple(f"joint_{name.removeprefix(OWN)}" for name in self.made.arm)

    def fitted(self, scene: Scene) -> Fitted:
        """Return the arm in a scene, and how it reaches which joints."""
        found = known_stands(scene, self.made)
        return Fitted(self.made.physics, found.reached, found.missed)

    @property
    def roams(self) -> bool:
        """Return whether it goes anywhere: no, it stands where it stands."""
        return False

    def reaches_some(self, scene: Scene) -> bool:
        """Say whether any joint of a scene is in its reach."""
        return stand.reaches_some(scene, self.made)

    def drawn(self) -> Fragment:
        """Return what is added for the eye."""
        return self.made.drawn

    def start(
        self, hold: Hold, where: NDArray[np.float64], reach: Reach | None = None
    ) -> NDArray[np.float64]:
        """Return its joint positions (joints,) at its stand, the grip square to the handle and near a place.

        Where inverse kinematics does not get there, it begins nearer to straight before the handle, or nearer
        to the handle (see `nearer`); `placed` says whether it got to any of that.
        """
        assert reach is not None, "an arm is asked only for what it reaches"
        return self.placed(hold, where, reach)[0]

    def placed(
        self, hold: Hold, where: NDArray[np.float64], reach: Reach
    ) -> tuple[NDArray[np.float64], int | None]:
        """Return its joint positions (joints,) as `start` does, and which of the places `nearer` it is at.

        0: the one asked for; None: none of them. Looked for from the posture of the joint's own path whose
        grip is nearest.
        """
        chain, world_from_cart = self.made.chain, frames(reach.postures[:1, :FIRST])[0]
        grips, _ = chain.forward(reach.postures[:, FIRST:LAST])
        nearest = int(np.argmin(np.linalg.norm((world_from_cart @ grips)[:, :3, 3] - where, axis=1)))
        begun = reach.postures[nearest, None, FIRST:LAST]
        joints, at = begun, None
        for i, place in enumerate(nearer(hold, where)):
            wanted = np.eye(4)
            wanted[:3, :3], wanted[:3, 3] = hold.turn, place
            cart_from_grip = np.linalg.inv(world_from_cart) @ wanted
            if grips[nearest, :3, 1] @ cart_from_grip[:3, 1] < 0:
                cart_from_grip = cart_from_grip @ OTHER_WAY
            joints, solved = chain.solve(begun, cart_from_grip[None], STARTS)
            if solved[0]:
                at = i
                break
        return np.concatenate([reach.postures[0, :FIRST], joints[0], (REACH, REACH)]), at

    def motion(self, senses: Senses) -> tuple[Array, Array]:
        """Return the grip's velocity (n, 3) in the world, and its turn (n, 3) about its own axes, rad/s."""
        moved = times(self.jacobian(senses), senses.robot_speed[:, FIRST:LAST])
        return moved[:, :3], turned_back(senses.grip_turn, moved[:, 3:])

    def sensed(self, senses: Senses) -> tuple[Array, ...]:
        """Return the arm's joint positions (n, arm)."""
        return (senses.robot[:, FIRST:LAST],)

    def jacobian(self, senses: Senses) -> Array:
        """Return how the arm's joints move its grip (n, 6, arm)."""
        slides = tuple(bool(slide) for slide in self.made.chain.slides)
        return jacobian(senses.robot_anchor[:, FIRST:], senses.robot_axis[:, FIRST:], slides, senses.grip)

    def asked(self, senses: Senses, aim: Aim, joints: Array, fingers: Array) -> Array:
        """Return set points (n, joints) of all servos: the cart's as they were, the arm's within limits."""
        xp = namespace(joints)
        now, like = senses.robot[:, FIRST:LAST], {"dtype": joints.dtype, "device": joints.device}
        low, high = (xp.asarray(limit, **like) for limit in (self.made.chain.low, self.made.chain.high))
        near = xp.clip(joints, now - AHEAD, now + AHEAD)
        within = xp.minimum(xp.maximum(near, low), high)
        return columns([aim.command[:, :FIRST], within, fingers, fingers])


@dataclass(frozen=True, eq=False, slots=True)
class ByGrip(Standing):
    """An arm led by its grip, as the floating hand is; the wrist is kept square to the handle."""

    @property
    def actions(self) -> tuple[str, ...]:
        """Return its actions' names: those of the hand."""
        return ("out", "across", "along", "open")

    @property
    def stride(self) -> float:
        """Return how far a full action moves its grip's target in a step, m."""
        return STRIDE

    def aim(self, senses: Senses, aim: Aim, actions: Array) -> Aim:
        """Lead the target by actions (n, 4), and the joints after it."""
        xp = namespace(actions)
        target = lead(senses.grip, senses.grip_turn, aim.target, actions, STRIDE)
        square = as_held(senses.grip_turn, senses.seen_turn)
        error = xp.concat([target - senses.grip, turn_between(senses.grip_turn, square)], axis=1)
        now, moves = senses.robot[:, FIRST:LAST], self.jacobian(senses)
        rest = xp.asarray(self.made.chain.rest, dtype=now.dtype, device=now.device)
        idle = (rest - now) * RESTING
        change = idle + pulled(moves, error - times(moves, idle), DAMPING)
        fingers = opening(actions[:, 3])
        return Aim(target, fingers, self.asked(senses, aim, now + change, fingers))


@dataclass(frozen=True, eq=False, slots=True)
class ByJoints(Standing):
    """An arm led joint by joint."""

    @property
    def actions(self) -> tuple[str, ...]:
        """Return its actions' names: one a joint, and the fingers'."""
        return (*(name.removeprefix(OWN) for name in self.made.arm), "open")

    @property
    def stride(self) -> float:
        """Return how far a full action moves a joint's set point in a step, rad."""
        return NUDGE

    def aim(self, senses: Senses, aim: Aim, actions: Array) -> Aim:
        """Move the joints' set points by actions (n, arm + 1)."""
        fingers = opening(actions[:, -1])
        command = self.asked(senses, aim, aim.command[:, FIRST:LAST] + actions[:, :-1] * NUDGE, fingers)
        led = times(self.jacobian(senses), command[:, FIRST:LAST] - senses.robot[:, FIRST:LAST])
        return Aim(senses.grip + led[:, :3], fingers, command)


def nearer(hold: Hold, where: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Give a place (3,) to begin at, then places on the way from there to before the handle."""
    yield where
    for ahead in BEFORE:
        middle = hold.grip + ahead * hold.turn[:, 0]
        for share in ASIDE:
            yield middle + share * (where - middle)


def as_held(grip: Array, handle: Array) -> Array:
    """Return how to hold handles (n, 3, 3), or half a turn about their way out: which is nearer to a grip."""
    xp = namespace(grip)
    same = dot(grip[:, :, 1], handle[:, :, 1]) >= 0
    sign = xp.where(same, 1 + 0 * grip[:, 0, 0], -1 + 0 * grip[:, 0, 0])[:, None]
    return xp.stack([handle[:, :, 0], handle[:, :, 1] * sign, handle[:, :, 2] * sign], axis=2)
