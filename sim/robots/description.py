"""An arm as data: its MJCF, on a cart and with our fingers, its joints in order, and where it holds.

The cart stands for a base that drives and lifts and then stays put: its four joints are held stiffly where
an episode begins. So a stand is nothing but joint positions, and one model serves all stands. The fingers
are the floating hand's (`fingers.py`): what is learned about holding with one robot holds for all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.sim.models.mjcf import FURNITURE, HAND, THING, Fragment, row
from pocketworld.sim.robots.fingers import FINGER, PALM, REACH, THICK, Servo, box, finger, palm, servos
from pocketworld.sim.robots.kinematics import Chain

CART = ("robot/x", "robot/y", "robot/lift", "robot/yaw")
FINGERS = ("robot/left", "robot/right")
GRIP = "robot/grip"
CARRIES = "robot/cart"  # the body that the arm is bolted to
COLUMN = 0.08, 0.6  # m: half the width of what the arm stands on, half its height; too much is underground
# What holds the cart: 0.5 mm and 2 mrad under 100 N at arm's length.
ROLL, LIFT, TURN = Servo(2e5, 60.0, 5e3), Servo(2e5, 60.0, 5e3), Servo(5e4, 15.0, 2e3)
# s: how far an arm's joints lag behind what they are asked for, all alike and damped by far more than
# critically: so the grip goes straight even as they start and stop. Much more is too slow for 25 Hz.
LAG = 0.07
AROUND = FURNITURE | THING  # a robot passes through itself; fingers are kept apart by their joints' ranges

CLASSES = (
    f'<default class="robot/base"><geom contype="0" conaffinity="{AROUND}" friction="0.6 0.005 0.0001"/>'
    "</default>\n"
    f'<default class="robot/arm"><geom contype="{HAND}" conaffinity="{AROUND}" friction="0.6 0.005 0.0001"/>'
    "</default>\n"
    f'<default class="robot/hand"><geom contype="{HAND}" conaffinity="{AROUND}" condim="4" '
    'friction="1.2 0.01 0.0001"/></default>\n'
    '<default class="robot/seen"><geom contype="0" conaffinity="0" group="2"/></default>\n'
)


@dataclass(frozen=True, eq=False, slots=True)
class Arm:
    """An arm on a cart, with fingers.

    physics   its MJCF;  drawn: the same for the eye: the same bodies and joints, in the same order
    arm       the joints that move the grip, in order; each joint has an actuator of its name
    home      (len(arm),) where they wait
    chain     their kinematics in the cart's frame
    Its frame's origin is where the arm is bolted down, x ahead, z up; its grip's frame is its fingers'.
    """

    name: str
    physics: Fragment
    drawn: Fragment
    arm: tuple[str, ...]
    home: tuple[float, ...]
    chain: Chain

    @property
    def joints(self) -> tuple[str, ...]:
        """Return all joints: the cart's, the arm's, the fingers'."""
        return (*CART, *self.arm, *FINGERS)


def on_cart(arm: str) -> str:
    """Return the bodies of an arm, bolted to a cart."""
    wide, deep = COLUMN
    axes = ("slide", "1 0 0"), ("slide", "0 1 0"), ("slide", "0 0 1"), ("hinge", "0 0 1")
    joints = "".join(
        f'<joint name="{name}" type="{kind}" axis="{axis}"/>'
        for name, (kind, axis) in zip(CART, axes, strict=True)
    )
    return (
        f'<body name="{CARRIES}" gravcomp="1">{joints}'
        f'<inertial pos="0 0 {-deep}" mass="40" diaginertia="5 5 5"/>'
        f'<geom class="robot/base" type="box" pos="0 0 {-deep}" size="{wide} {wide} {deep}" group="2" '
        f'rgba="0.3 0.32 0.35 1"/>\n{arm}</body>\n'
    )


def hand_at(turn: NDArray[np.float64], place: NDArray[np.float64], flange: float) -> str:
    """Return the palm, the fingers and the grip's site at a frame (3, 3), (3,) of the body they are in.

    flange   where that body ends, m from the grip: what is between it and the palm is filled up
    """
    x, y = turn[:, 0], turn[:, 1]
    gap = (flange - PALM - 2 * THICK) / 2
    wrist = box((flange - gap, 0, 0), (gap, 0.014, 0.01)) if gap > 0 else ""
    return (
        f'<body name="robot/hand" pos="{row(place)}" xyaxes="{row((*x, *y))}" gravcomp="1" '
        f'childclass="robot/hand"><inertial pos="{PALM} 0 0" mass="0.5" diaginertia="1e-3 1e-3 1e-3"/>'
        f'<site name="{GRIP}" size="0.004" group="4"/>{palm()}{wrist}'
        f"{finger(FINGERS[0], 1)}{finger(FINGERS[1], -1)}</body>\n"
    )


def actuators(joints: tuple[str, ...], all_of: tuple[Servo, ...]) -> str:
    """Return the actuators of cart, arm and fingers."""
    return servos((*CART, *joints, *FINGERS), (ROLL, ROLL, LIFT, TURN, *all_of, FINGER, FINGER))


def lagging(stiffness: float, most: float) -> Servo:
    """Return an arm joint's servo."""
    return Servo(stiffness, stiffness * LAG**2 / 4, most)


def at_home(home: tuple[float, ...]) -> tuple[float, ...]:
    """Return all joint positions with the cart at the origin, the arm at home, the fingers open."""
    return (0.0,) * len(CART) + home + (REACH, REACH)
