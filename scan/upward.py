"""Which axis of a capture's own frame points up, where the format does not say."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.findings import Finding, Severity

Array = NDArray[np.float64]

AXES = ("+x", "+y", "+z", "-x", "-y", "-z")
UPRIGHT = 0.5  # cosine: a camera held upright and tilted down by 60 degrees still has as much of "up" in it
AHEAD = 0.15  # cosine: cameras tilted by 45 degrees have as much of a wall's axis; 10 degrees less are enough
FORMATS = 2  # +z: what nerfstudio's own tools write


@dataclass(frozen=True, eq=False, slots=True)
class Up:
    """What was found: z_up (4, 4) turns the capture's frame so that this axis becomes z."""

    axis: str
    z_up: Array
    finding: Finding


def find_up(poses: Array, name: str) -> Up:
    """Return the axis that the pictures' up (mean over the cameras) is nearest to; +z where none is plain.

    poses   (n, 4, 4) from OpenCV cameras to the capture's frame
    People hold cameras upright and look around: what they look at cancels out, what is up adds up.
    """
    mean = -poses[:, :3, 1].mean(0)
    cosines = np.concatenate([mean, -mean])
    second, first = np.sort(cosines)[-2:]
    plain = first > UPRIGHT and first - second > AHEAD
    which = int(np.argmax(cosines)) if plain else FORMATS
    numbers = {"up_x": float(mean[0]), "up_y": float(mean[1]), "up_z": float(mean[2])}
    if plain:
        text = (
            f"the format does not say what is up: {AXES[which]} is taken, as the pictures' mean up is near it"
        )
        finding = Finding("up-guessed", Severity.NOTE, "scan", name, text, numbers)
    else:
        text = (
            "neither the format nor the pictures' mean up tell what is up: +z is taken, as nerfstudio writes"
        )
        finding = Finding("up-unknown", Severity.DEGRADED, "scan", name, text, numbers)
    return Up(AXES[which], z_up_from(which), finding)


def z_up_from(which: int) -> Array:
    """Return the quarter or half turn (4, 4) that brings axis number `which` of AXES to z, exactly."""
    up = np.zeros(3)
    up[which % 3] = 1.0 if which < 3 else -1.0
    across = np.array([1.0, 0, 0]) if which % 3 else np.array([0.0, 1, 0])
    turn = np.eye(4)
    turn[:3, :3] = [across, np.cross(up, across), up]
    return turn
