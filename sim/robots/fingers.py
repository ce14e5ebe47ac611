"""The fingers that our hands hold with: two slim pads that slide, a lip at each tip.

Their frame: origin between the fingertips, x out of the tips back to the palm (a handle's way out when they
hold one), y the way the fingers close, z along the handle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from pocketworld.sim.models.mjcf import row

REACH = 0.045  # m: how far each finger opens from the middle; 90 mm in all, as a common gripper's
PALM = 0.058  # m from the frame's origin to the palm; TIP: to the fingers' tips, the other way
TIP = 0.012
THICK = 0.014  # m: half of the palm's thickness
PAD, WIDE = 0.005, 0.018  # m: thickness and width of a finger
# m: how long, and how far in, the lip at each tip is that reaches behind what it holds
LIP, HOOK = 0.003, 0.0025


@dataclass(frozen=True, slots=True)
class Servo:
    """A position actuator: stiffness, damping (critical for the mass it moves), most force; SI units."""

    stiffness: float
    mass: float
    most: float

    @property
    def damping(self) -> float:
        """Return what damps critically."""
        return 2 * sqrt(self.stiffness * self.mass)


# 70 N, as common grippers have, for 14 mm short of what is asked. A hand presses each tip on a front with up
# to 50 N; at 1200 N/m friction then held fingers where they were, and none got from there into a recess.
FINGER = Servo(5000.0, 0.15, 70.0)


def palm() -> str:
    """Return the palm's geom in the fingers' frame."""
    return box((PALM + THICK, 0, 0), (THICK, 0.016, 0.012))


def finger(joint: str, side: int) -> str:
    """Return a finger's body on a slide `joint`; side 1 is left, -1 right."""
    pad = box(((PALM - TIP) / 2, side * PAD / 2, 0), ((PALM + TIP) / 2, PAD / 2, WIDE / 2))
    lip = box((LIP / 2 - TIP, -side * HOOK / 2, 0), (LIP / 2, HOOK / 2, WIDE / 2))
    return (
        f'<body name="{joint}" gravcomp="1"><joint name="{joint}" type="slide" axis="0 {side} 0" '
        f'range="0 {REACH}" armature="0.1"/>'
        f'<inertial pos="0.02 {side * 0.0035} 0" mass="0.05" diaginertia="3e-5 3e-5 3e-5"/>{pad}{lip}</body>'
    )


def servos(joints: Sequence[str], all_of: Sequence[Servo]) -> str:
    """Return position actuators, named as the joints they move."""
    return "".join(
        f'<position name="{name}" joint="{name}" kp="{servo.stiffness:.9g}" kv="{servo.damping:.9g}" '
        f'forcerange="{-servo.most:.9g} {servo.most:.9g}"/>\n'
        for name, servo in zip(joints, all_of, strict=True)
    )


def box(centre: tuple[float, float, float], half: tuple[float, float, float]) -> str:
    """Return a geom of the hand."""
    return f'<geom type="box" pos="{row(centre)}" size="{row(half)}" group="2" rgba="0.95 0.5 0.12 1"/>'
