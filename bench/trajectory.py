"""How a person walks around a thing, or through a room, a camera in the hand.

World z up; cameras x right, y down, z forward.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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


@dataclass(frozen=True, slots=True)
class Stroll:
    """A walk from look to look.

    step, turn   the most from frame to frame, m and rad, unless that makes more than `frames`
    sway, aim    of the hand and of what it is aimed at, m;  roll: of the hand, rad (standard deviations)
    pace         frames over which they wander
    """

    frames: int = 80
    step: float = 0.15
    turn: float = float(np.radians(11))
    sway: float = 0.02
    aim: float = 0.05
    roll: float = float(np.radians(1.5))
    pace: float = 4.0


def through(stroll: Stroll, looks: Sequence[tuple[Vec3, Vec3]], rng: np.random.Generator) -> Array:
    """Return world_from_camera (n, 4, 4) of a walk past places, each with a target that is looked at there.

    Between two of them place and target go straight, in as many frames as neither step nor turn is too large.
    """
    places, targets = (np.array([look[i] for look in looks], float) for i in (0, 1))
    needed = np.array([_frames(stroll, a, b) for a, b in pairwise(looks)])
    shares = np.maximum(1, np.ceil(needed * min(1.0, stroll.frames / needed.sum()))).astype(int)
    at = np.concatenate([i + np.arange(n) / n for i, n in enumerate(shares)] + [[len(looks) - 1]])
    known = np.arange(len(looks))
    place, target = (
        np.stack([np.interp(at, known, ends[:, axis]) for axis in range(3)], 1) for ends in (places, targets)
    )
    place += stroll.sway * wander(len(at), 3, stroll.pace, rng)
    target += stroll.aim * wander(len(at), 3, stroll.pace, rng)
    level = np.stack([looking(p, t) for p, t in zip(place, target, strict=True)])
    roll = np.zeros((len(at), 6))
    roll[:, 5] = stroll.roll * wander(len(at), 1, stroll.pace, rng)[:, 0]
    out: Array = level @ se3.exp(roll)
    return out


def _frames(stroll: Stroll, a: tuple[Vec3, Vec3], b: tuple[Vec3, Vec3]) -> float:
    """Return in how many frames one gets from a look to the next."""
    share = np.linspace(0, 1, 33)[:, None]
    place, target = ((1 - share) * a[i] + share * np.array(b[i]) for i in (0, 1))
    ray = target - place
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    turned = np.arccos(np.clip((ray[1:] * ray[:-1]).sum(1), -1, 1)).sum()
    moved = float(np.linalg.norm(np.subtract(b[0], a[0])))
    return float(max(moved / stroll.step, turned / stroll.turn))


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
