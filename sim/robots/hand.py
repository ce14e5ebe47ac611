"""A floating hand with two fingers: slides x, y, z, then yaw, pitch and roll, then the fingers.

Every joint has a position actuator of bounded force, and gravity does not pull it: it stands for the end of
an arm whose own controller carries its weight. Its frame is its fingers' (see `fingers.py`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Scene
from pocketworld.sim.arrays import Array, columns
from pocketworld.sim.cousin import Hold, Reach
from pocketworld.sim.models.mjcf import Fragment
from pocketworld.sim.robots.fingers import FINGER, REACH, Servo, finger, palm, servos
from pocketworld.sim.robots.reach import STRIDE, lead, opening
from pocketworld.sim.robots.robot import Aim, Fitted
from pocketworld.sim.senses import Senses
from pocketworld.sim.vectors import angles, near

JOINTS = ("hand/x", "hand/y", "hand/z", "hand/yaw", "hand/pitch", "hand/roll", "hand/left", "hand/right")
GRIP = "hand/grip"  # the site of its frame
FORCE = 100.0  # N that its slides push and pull with at most
ARM = Servo(1600.0, 0.9, FORCE)
WRIST = Servo(25.0, 0.012, 6.0)
# Fingers that snap shut on nothing shoot past each other within a substep; contacts between them would then
# lock their lips for good. Their joints' ranges keep them apart.
APART = f'<contact><exclude body1="{JOINTS[6]}" body2="{JOINTS[7]}"/></contact>\n'


@dataclass(frozen=True, slots=True)
class Hand:
    """The floating hand as a robot: it goes anywhere, so every joint is in its reach."""

    name: str = "hand"
    joints: tuple[str, ...] = JOINTS
    arm: int = 0
    grip: str = GRIP
    actions: tuple[str, ...] = ("out", "across", "along", "open")
    stride: float = STRIDE
    turns: tuple[str, ...] = ("yaw", "pitch", "roll")
    seen: tuple[str, ...] = ()
    roams: bool = True

    def fitted(self, scene: Scene) -> Fitted:
        """Return what is added to a scene's MJCF."""
        return Fitted(hand())

    def reaches_some(self, scene: Scene) -> bool:
        """Say whether any joint of a scene is in its reach: if there is one."""
        return any(True for _ in scene.joints())

    def drawn(self) -> Fragment:
        """Return what is added for the eye: the same."""
        return hand()

    def start(
        self, hold: Hold, where: NDArray[np.float64], reach: Reach | None = None
    ) -> NDArray[np.float64]:
        """Return its joint positions (8,) with its grip at a place (3,), square to the handle, open."""
        return np.array([*where, *hold.wrist, REACH, REACH])

    def aim(self, senses: Senses, aim: Aim, actions: Array) -> Aim:
        """Lead the target by actions (n, 4); the wrist is kept square to the handle as that turns."""
        target = lead(senses.grip, senses.grip_turn, aim.target, actions)
        wrist = near(angles(senses.seen_turn), senses.robot[:, 3:6])
        fingers = opening(actions[:, 3])
        return Aim(target, fingers, columns([target, wrist, fingers, fingers]))

    def motion(self, senses: Senses) -> tuple[Array, Array]:
        """Return the hand's velocity (n, 3) in the world, and its yaw, pitch and roll rates (n, 3)."""
        return senses.robot_speed[:, :3], senses.robot_speed[:, 3:6]

    def sensed(self, senses: Senses) -> tuple[Array, ...]:
        """Return what else a policy sees: nothing."""
        return ()


def hand() -> Fragment:
    """Return the hand, open, at the scene's origin: put it somewhere before stepping."""
    return Fragment(
        _body(),
        servos(JOINTS, (ARM,) * 3 + (WRIST,) * 3 + (FINGER,) * 2),
        (0.0,) * 6 + (REACH, REACH),
        others=APART,
    )


def _body() -> str:
    slides = "".join(
        f'<joint name="{name}" type="slide" axis="{axis}" armature="0.1"/>'
        for name, axis in zip(JOINTS[:3], ("1 0 0", "0 1 0", "0 0 1"), strict=True)
    )
    turns = "".join(
        f'<joint name="{name}" type="hinge" axis="{axis}" armature="0.01"/>'
        for name, axis in zip(JOINTS[3:6], ("0 0 1", "0 1 0", "1 0 0"), strict=True)
    )
    return (
        f'<body name="hand" gravcomp="1" childclass="hand">{slides}{turns}'
        '<inertial pos="0.05 0 0" mass="0.7" diaginertia="0.002 0.002 0.002"/>'
        f'<site name="{GRIP}" size="0.004" group="4"/>{palm()}'
        f"{finger(JOINTS[6], 1)}{finger(JOINTS[7], -1)}</body>\n"
    )
