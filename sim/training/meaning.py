"""What each number that a policy sees and does means: its unit, scale and frame, and what it is in words."""

import re
from collections.abc import Sequence
from typing import Any

from pocketworld.sim.robots import Robot
from pocketworld.sim.robots.reach import LEASH, opening

HAND = "the hand's: x out of the fingertips back to the palm, y the way the fingers close, z along the handle"
STRAYS = (
    "add normal noise of these standard deviations to the network's output, a new one each step, as it learnt"
)
NORMALISED = "the network takes numbers as they are named here; what normalises them is inside it"
# What is seen, by its name without axis and scale: unit, frame, what it is.
SEEN = {
    "handle_from_hand": ("m", "hand", "from between the fingertips to the handle"),
    "handle_out": ("unit vector", "hand", "the handle's way out of its front"),
    "handle_along": ("unit vector", "hand", "the way along the handle"),
    "handle_thickness": ("m", "", "how thick the handle is, between the fingers"),
    "handle_standoff": ("m", "", "how far the handle stands out of its front"),
    "hand_velocity": ("m/s", "hand", "how the hand moves as the step ends"),
    "wrist_rate": ("rad/s", "", "how the hand turns as the step ends"),
    "target_from_hand": ("m", "hand", "from between the fingertips to where the hand is asked to be"),
    "left_finger": ("m", "", "how far the finger on the side of +y is open, from the middle"),
    "right_finger": ("m", "", "how far the finger on the side of -y is open, from the middle"),
    "fingers_asked": ("m", "", "how far each finger is asked to be open, from the middle"),
}
WRIST = "its yaw, pitch and roll joints'"  # the floating hand's; an arm's turn is in the hand's frame
AXES = ("x", "y", "z")
LED = {
    "out": "x: away from the front",
    "across": "y: the way the fingers close",
    "along": "z: along the handle",
}
OPEN, JOINT = "open", "rad, or m where it slides"
NAME = re.compile(r"(?P<stem>.+?)(?:_(?P<axis>[xyz]|yaw|pitch|roll))?(?:_(?P<scale>[0-9.]+))?$")


def meaning(robot: Robot, seen: Sequence[str]) -> dict[str, Any]:
    """Return what the numbers that a policy of a robot sees (their names) and does mean, as JSON."""
    return {
        "hand_frame": HAND,
        "normalisation": NORMALISED,
        "deviation": STRAYS,
        "observation": {name: _seen(robot, name) for name in seen},
        "action": {name: _done(robot, name) for name in robot.actions},
    }


def _seen(robot: Robot, name: str) -> dict[str, Any]:
    """Return what a number is; it is `scale` times what is measured in `unit`."""
    if name in robot.seen:
        joint = name.removeprefix("joint_")
        return {"unit": JOINT, "scale": 1.0, "frame": "", "meaning": f"where the arm's joint {joint} is"}
    parts = NAME.match(name)
    assert parts is not None
    unit, frame, words = SEEN[parts["stem"]]
    if parts["stem"] == "wrist_rate":
        frame = "hand" if parts["axis"] in AXES else WRIST
    about = f": {parts['axis']}" if parts["axis"] else ""
    return {"unit": unit, "scale": float(parts["scale"] or 1), "frame": frame, "meaning": words + about}


def _done(robot: Robot, name: str) -> dict[str, Any]:
    """Return what an action of -1..1 asks for: a place of its own, or a move in each step."""
    if name == OPEN:
        low, high = (round(float(opening(action)), 9) for action in (-1, 1))
        words = "how far each finger is asked to be open, from the middle; below 0 they press"
        return {"unit": "m", "frame": "", "at_-1": low, "at_1": high, "meaning": words}
    if name in LED:
        words = f"moves where the hand is asked to be along {LED[name]}; at most {LEASH} m ahead of it"
        return {"unit": "m", "frame": "hand", "a_step_at_1": robot.stride, "meaning": words}
    words = f"moves what the joint {name} is asked for"
    return {"unit": JOINT, "frame": "", "a_step_at_1": robot.stride, "meaning": words}
