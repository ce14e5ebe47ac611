"""How a person walks around a thing, or through a room, a camera in the hand.

World z up; cameras x right, y down, z forward.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.geometry.convex import Vec3

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Walk:
    """A round about a thing, from behind over its front to behind again.

    frames   pictures;  distance: from the thing's middle, m;  height: of the camera above the floor, m
    linger   0..1: how much slower the walk is before the front than on average
    sway     of the hand, m, and of the aim on the thing, m (standard deviations)
    pace     frames over which hand and aim wander
    """

    frames: int = 44
    distance: float = 1.5
    height: float = 1.15
    linger: float = 0.5
    sway: float = 0.03
    aim: float = 0.03
    pace: float = 3.0


def around(walk: Walk, middle: Vec3, towards_front: float, rng: np.random.Generator) -> Array:
    """Return world_from_camera (frames, 4, 4) of a walk around `middle` (m).

    towards_front   direction (rad, about z) in which the thing's front looks: the middle of the walk
    """
    s = np.linspace(-np.pi, np.pi, walk.frames, endpoint=False) + np.pi / walk.frames
    angle = towards_front + s - walk.linger * np.sin(s)
    place = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], 1) * walk.distance
    place += (middle[0], middle[1], walk.height)
    place += walk.sway * wander(walk.frames, 3, walk.pace, rng)
    target = np.array(middle) + walk.aim * wander(walk.frames, 3, walk.pace, rng)
    return np.stack([looking(p, t) for p, t in zip(place, target, strict=True)])


FINE = 32  # steps from look to look in which a walk is measured


@dataclass(frozen=True, slots=True)
class Stroll:
    """A walk from look to look.

    step, turn   the most from frame to frame, m and rad, unless that makes more than `frames`
    sway, aim    of the hand and of what it is aimed at, m;  roll: of the hand, rad (standard deviations)
    pace         frames over which they wander
    """

    frames: int = 90
    step: float = 0.15
    turn: float = float(np.radians(13))
    sway: float = 0.02
    aim: float = 0.05
    roll: float = float(np.radians(1.5))
    pace: float = 4.0


def through(stroll: Stroll, looks: Sequence[tuple[Vec3, Vec3]], rng: np.random.Generator) -> Array:
    """Return world_from_camera (n, 4, 4) of a walk past places, each with a target that is looked at there.

    Between two of them place and target go straight, as fast as step and turn allow.
    """
    known = np.arange(len(looks), dtype=float)
    fine = np.linspace(0, len(looks) - 1, FINE * (len(looks) - 1) + 1)
    place, target = (_between(looks, which, known, fine) for which in (0, 1))
    effort = np.concatenate([[0.0], np.cumsum(_effort(stroll, place, target))])
    count = max(2, min(stroll.frames, int(np.ceil(effort[-1])) + 1))
    at = np.interp(np.linspace(0, effort[-1], count), effort, fine)
    place, target = (_between(looks, which, known, at) for which in (0, 1))
    place += stroll.sway * wander(count, 3, stroll.pace, rng)
    target += stroll.aim * wander(count, 3, stroll.pace, rng)
    level = np.stack([looking(p, t) for p, t in zip(place, target, strict=True)])
    roll = np.zeros((count, 6))
    roll[:, 5] = stroll.roll * wander(count, 1, stroll.pace, rng)[:, 0]
    out: Array = level @ se3.exp(roll)
    return out


def _between(looks: Sequence[tuple[Vec3, Vec3]], which: int, known: Array, at: Array) -> Array:
    """Return (n, 3): places or targets at fractions of the way from look to look."""
    ends = np.array([look[which] for look in looks], float)
    return np.stack([np.interp(at, known, ends[:, axis]) for axis in range(3)], 1)


def _effort(stroll: Stroll, place: Array, target: Array) -> Array:
    """Return in how many frames one gets from each look (n, 3) to the next."""
    level = np.stack([looking(p, t) for p, t in zip(place, target, strict=True)])
    moved = se3.log(se3.inverse(level[:-1]) @ level[1:])
    step, turn = (np.linalg.norm(part, axis=1) for part in (moved[:, :3], moved[:, 3:]))
    out: Array = np.maximum(step / stroll.step, turn / stroll.turn)
    return out


def looking(place: Array, target: Array) -> Array:
    """Return world_from_camera (4, 4) of a level camera at a place that looks at a target (3,), (3,)."""
    forward = (target - place) / np.linalg.norm(target - place)
    right = np.cross(forward, (0, 0, 1.0))
    right /= np.linalg.norm(right)
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = np.stack([right, np.cross(forward, right), forward], 1), place
    return out


def wander(count: int, axes: int, pace: float, rng: np.random.Generator) -> Array:
    """Return (count, axes): noise of unit variance at each moment that forgets itself over `pace` moments."""
    keep = np.exp(-1 / pace)
    steps = rng.standard_normal((count, axes))
    out = steps.copy()
    for i in range(1, count):
        out[i] = keep * out[i - 1] + np.sqrt(1 - keep**2) * steps[i]
    return out


def tracked(
    world_from_camera: Array, shift: float, turn: float, pace: float, rng: np.random.Generator
) -> Array:
    """Return poses (n, 4, 4) as a tracker tells them: off by `shift` m and `turn` rad on each camera axis."""
    count = len(world_from_camera)
    off = np.concatenate([shift * wander(count, 3, pace, rng), turn * wander(count, 3, pace, rng)], axis=1)
    told: Array = world_from_camera @ se3.exp(off)
    return told
