"""What a robot is to an environment: what it adds to a scene, where it starts, what its actions ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Asset, Joint, Scene
from pocketworld.sim.arrays import Array
from pocketworld.sim.cousin import Hold, Reach
from pocketworld.sim.models.mjcf import Fragment, name_of
from pocketworld.sim.senses import Senses


@dataclass(frozen=True, slots=True)
class Fitted:
    """A robot in a scene: its MJCF there, and how it opens the joints (asset/joint) in its reach.

    None means that it reaches everything, however it stands.
    missed   the others, and why it does not reach them
    """

    fragment: Fragment
    reached: Mapping[str, Reach] | None = None
    missed: Mapping[str, str] = field(default_factory=dict)

    def reaches(self, asset: Asset, joint: Joint) -> bool:
        """Say whether a joint is in its reach."""
        return self.reached is None or name_of(asset, joint) in self.reached

    def reach(self, id: str) -> Reach | None:
        """Return how it opens a joint."""
        return None if self.reached is None else self.reached[id]


@dataclass(frozen=True, eq=False, slots=True)
class Aim:
    """What robots are asked for.

    target (n, 3)     of the grip, in the world, m;  fingers (n,): how far each is to open, m
    command (n, nu)   what the actuators are asked for
    """

    target: Array
    fingers: Array
    command: Array


class Robot(Protocol):
    """A robot; what it computes is for all environments at once, with numpy's or torch's arrays.

    joints   names of all its joints, in the order of qpos, one number each, the last two its fingers'; its
             actuators are as many, in the same order, and take positions
    arm      how many of them, the first ones, carry the grip as an arm's do: where they are is read
    grip     the site between its fingertips (see `fingers.py` for its frame)
    actions  names of an action's numbers, each in [-1, 1], the last one opens the fingers
    stride   how far an action of 1 moves what it asks for in a step, m, or rad where it leads joints
    turns    what each of the three rates of `motion` is about: joints of a wrist, or axes of the hand's frame
    seen     names of what it adds to the observation `policy`
    """

    @property
    def name(self) -> str:
        """Return what it is called."""
        ...

    @property
    def joints(self) -> tuple[str, ...]:
        """Return its joints' names."""
        ...

    @property
    def arm(self) -> int:
        """Return how many joints its arm has."""
        ...

    @property
    def grip(self) -> str:
        """Return its grip's site."""
        ...

    @property
    def actions(self) -> tuple[str, ...]:
        """Return its actions' names."""
        ...

    @property
    def stride(self) -> float:
        """Return how far a full action moves what it asks for in a step, m or rad."""
        ...

    @property
    def turns(self) -> tuple[str, ...]:
        """Return what its three rates of turning are about."""
        ...

    @property
    def seen(self) -> tuple[str, ...]:
        """Return the names of what it adds to what is seen."""
        ...

    @property
    def roams(self) -> bool:
        """Return whether it goes anywhere: every joint is in its reach then, in any scene."""
        ...

    def fitted(self, scene: Scene) -> Fitted:
        """Return the robot placed in a scene."""
        ...

    def reaches_some(self, scene: Scene) -> bool:
        """Say whether any joint of a scene is in its reach, sooner than `fitted` says which."""
        ...

    def drawn(self) -> Fragment:
        """Return what it adds to a scene for the eye: the same joints and actuators in the same order."""
        ...

    def start(
        self, hold: Hold, where: NDArray[np.float64], reach: Reach | None = None
    ) -> NDArray[np.float64]:
        """Return joint positions (len(joints),) to start with, the grip near a place (3,), if it can."""
        ...

    def aim(self, senses: Senses, aim: Aim, actions: Array) -> Aim:
        """Return what is asked for after actions (n, len(actions))."""
        ...

    def motion(self, senses: Senses) -> tuple[Array, Array]:
        """Return the grip's velocity (n, 3) in the world, and how it turns (n, 3), rad/s (see `turns`)."""
        ...

    def sensed(self, senses: Senses) -> tuple[Array, ...]:
        """Return what `seen` names, (n, ...) each."""
        ...
