"""A floating hand with two fingers: slides x, y, z, then yaw, pitch and roll, then the fingers.

Its frame: origin between the fingertips, x out of the fingers' tips back to the palm (a handle's way out
when it holds one), y the way the fingers close, z along the handle. Every joint has a position actuator of
bounded force, and gravity does not pull it: it stands for the end of an arm whose own controller carries
its weight.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.mjcf import Fragment, row

Array = NDArray[np.float64]
JOINTS = ("hand/x", "hand/y", "hand/z", "hand/yaw", "hand/pitch", "hand/roll", "hand/left", "hand/right")
GRIP = "hand/grip"  # the site of its frame
REACH = 0.045  # m: how far each finger opens from the middle; 90 mm in all, as a common gripper's
PALM = 0.058  # m from the frame's origin to the palm; TIP: to the fingers' tips, the other way
TIP = 0.012
PAD, WIDE = 0.005, 0.018  # m: thickness and width of a finger
LIP, HOOK = (
    0.003,
    0.0025,
)  # m: how long, and how far in, the lip at each tip is that reaches behind what it holds
FORCE = 100.0  # N that its slides push and pull with at most


@dataclass(frozen=True, slots=True)
class Servo:
    """A position actuator: stiffness, damping (critical for the mass it moves), most force; SI units."""

    stiffness: float
    mass: float
    most: float

    @property
    def damping(self) -> float:
        """Return what damps critically."""
        return 2 * math.sqrt(self.stiffness * self.mass)


ARM = Servo(1600.0, 0.9, FORCE)
WRIST = Servo(25.0, 0.012, 6.0)
FINGER = Servo(1200.0, 0.15, 45.0)


def hand() -> Fragment:
    """Return the hand, open, at the scene's origin: put it somewhere before stepping."""
    return Fragment(_body(), _actuators(), (0.0,) * 6 + (REACH, REACH))


def angles(turn: Array) -> Array:
    """Return yaw, pitch, roll (n, 3) with Rz(yaw) Ry(pitch) Rx(roll) the rotations given (n, 3, 3).

    At a pitch of 90 degrees yaw and roll are the same turn; then they come out arbitrary, but sum up right.
    """
    flat = np.hypot(turn[:, 0, 0], turn[:, 1, 0])
    ups = np.stack([turn[:, 1, 0], -turn[:, 2, 0], turn[:, 2, 1]], 1)
    overs = np.stack([turn[:, 0, 0], flat, turn[:, 2, 2]], 1)
    return _arctan2(ups, overs)


def near(angle: Array, reference: Array) -> Array:
    """Return the angles turned by whole turns to be the nearest to a reference."""
    turns: Array = np.round((reference - angle) / (2 * math.pi))
    return angle + 2 * math.pi * turns


def _arctan2(y: Array, x: Array) -> Array:
    """Return arctan2 to the same bit for an environment alone and among others.

    numpy may take another code path for the last few numbers of an array than for the rest: fill up to whole
    vectors, so that each number goes through the same one.
    """
    size = -(-y.size // 16) * 16
    ys, xs = np.zeros(size), np.ones(size)
    ys[: y.size], xs[: x.size] = y.ravel(), x.ravel()
    out: Array = np.arctan2(ys, xs)[: y.size].reshape(y.shape)
    return out


def _body() -> str:
    slides = "".join(
        f'<joint name="{name}" type="slide" axis="{axis}" armature="0.1"/>'
        for name, axis in zip(JOINTS[:3], ("1 0 0", "0 1 0", "0 0 1"), strict=True)
    )
    turns = "".join(
        f'<joint name="{name}" type="hinge" axis="{axis}" armature="0.01"/>'
        for name, axis in zip(JOINTS[3:6], ("0 0 1", "0 1 0", "1 0 0"), strict=True)
    )
    palm = _box((PALM + 0.014, 0, 0), (0.014, 0.016, 0.012))
    return (
        f'<body name="hand" gravcomp="1" childclass="hand">{slides}{turns}'
        '<inertial pos="0.05 0 0" mass="0.7" diaginertia="0.002 0.002 0.002"/>'
        f'<site name="{GRIP}" size="0.004" group="4"/>{palm}'
        f"{_finger(JOINTS[6], 1)}{_finger(JOINTS[7], -1)}</body>\n"
    )


def _finger(joint: str, side: int) -> str:
    """Return a finger: a slim pad and a lip at its tip that reaches behind what it holds."""
    pad = _box(((PALM - TIP) / 2, side * PAD / 2, 0), ((PALM + TIP) / 2, PAD / 2, WIDE / 2))
    lip = _box((LIP / 2 - TIP, -side * HOOK / 2, 0), (LIP / 2, HOOK / 2, WIDE / 2))
    return (
        f'<body name="{joint}" gravcomp="1"><joint name="{joint}" type="slide" axis="0 {side} 0" '
        f'range="0 {REACH}" armature="0.1"/>'
        f'<inertial pos="0.02 {side * 0.0035} 0" mass="0.05" diaginertia="3e-5 3e-5 3e-5"/>{pad}{lip}</body>'
    )


def _box(centre: tuple[float, float, float], half: tuple[float, float, float]) -> str:
    return f'<geom type="box" pos="{row(centre)}" size="{row(half)}" group="2" rgba="0.95 0.5 0.12 1"/>'


def _actuators() -> str:
    servos = (ARM,) * 3 + (WRIST,) * 3 + (FINGER,) * 2
    return "".join(
        f'<position name="{name}" joint="{name}" kp="{servo.stiffness:.9g}" kv="{servo.damping:.9g}" '
        f'forcerange="{-servo.most:.9g} {servo.most:.9g}"/>\n'
        for name, servo in zip(JOINTS, servos, strict=True)
    )
