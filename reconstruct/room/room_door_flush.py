"""Doors that lie in the face of their wall, by colour alone: a leaf between two edges, with a lever.

Depth does not see them, and pictures and panels have edges too. So only what reaches from near the floor to
above hands counts, if it is as wide as leaves are, looks unlike the wall beside it, and has a plain lever.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.reconstruct.fronts.elevation import brightness
from pocketworld.reconstruct.room.room_door_looks import lever
from pocketworld.reconstruct.room.wall_picture import WallPicture, beside
from pocketworld.scene import Side

Array = NDArray[np.float64]

LOW, HIGH = (0.3, 0.7), (1.2, 1.6)  # m above the floor: below hands and above them an edge is seen
SHADE = 0.03  # m: to both sides of an edge
DARK = 2.0  # grey levels: below it all is noise
PLAIN = 0.12  # of an edge, in natural logarithms of brightness
APART = 0.06  # m: the two sides of a frame are one edge
LEAF = (0.6, 1.25)  # m: leaves of one-leaf doors (0.61 to 1.235: DIN 18101)
UNLIKE = 0.15  # in logarithms: a leaf against the wall on both sides
BESIDE = 0.25  # m of wall beside a door
FRAME = 0.044  # m: the edge is the leaf's, its frame is about as wide, with the gap


@dataclass(frozen=True, slots=True)
class FlushDoor:
    """A door in its wall's u, m: the opening that its frame fills, the side of its lever and its height."""

    u0: float
    u1: float
    handle: Side
    handle_height: float


def flush_doors(picture: WallPicture, taken: list[tuple[float, float]]) -> list[FlushDoor]:
    """Return the doors that lie flush in a wall, from left to right; `taken` (u0, u1) is known already."""
    light = np.log(brightness(picture.colour).astype(float) + DARK)
    u, step = picture.grid.u, _edges(light, picture)
    n = max(1, round(APART / picture.grid.pixel))
    strength = [float(s) for s in np.abs(step)]
    peaks = [i for i, s in enumerate(strength) if s > PLAIN and s == max(strength[max(0, i - n) : i + n + 1])]
    level = picture.over(light, (LOW[0], HIGH[1]))
    pairs = [
        (min(strength[i], strength[j]), i, j)
        for k, i in enumerate(peaks)
        for j in peaks[k + 1 :]
        if LEAF[0] <= u[j] - u[i] <= LEAF[1] and step[i] * step[j] < 0 and _unlike(level, u, i, j)
    ]
    found: list[FlushDoor] = []
    for _, i, j in sorted(pairs, reverse=True):
        u0, u1 = float(u[i]) - FRAME, float(u[j]) + FRAME
        if all(u1 <= a or u0 >= b for a, b in [*taken, *((d.u0, d.u1) for d in found)]):
            seen = lever(picture.crop(float(u[i]), float(u[j]), picture.grid.height))
            if seen.side is not Side.NONE:
                found.append(FlushDoor(u0, u1, seen.side, seen.height))
    return sorted(found, key=lambda door: door.u0)


def _edges(light: Array, picture: WallPicture) -> Array:
    """Return (columns,) by how much it gets brighter there to the right, below and above hands alike."""
    n = max(1, round(SHADE / picture.grid.pixel))
    change = beside(light, n) - beside(light, -n)
    low, high = (picture.over(change, z) for z in (LOW, HIGH))
    same = np.sign(low) == np.sign(high)
    both = np.nan_to_num(np.where(same, np.sign(low) * np.minimum(np.abs(low), np.abs(high)), 0.0))
    # A step shows over all of 2 n columns: their mean is highest in the middle.
    return np.convolve(both, np.ones(2 * n + 1) / (2 * n + 1), "same")


def _unlike(level: Array, u: Array, i: int, j: int) -> bool:
    """Say whether what lies between two edges looks unlike the wall on both sides of it."""
    inside = (u > u[i] + SHADE) & (u < u[j] - SHADE)
    left = (u < u[i] - APART) & (u > u[i] - APART - BESIDE)
    right = (u > u[j] + APART) & (u < u[j] + APART + BESIDE)
    values = [level[part][np.isfinite(level[part])] for part in (inside, left, right)]
    if min(map(len, values)) == 0:
        return False
    mine, one, other = (float(np.median(v)) for v in values)
    return (mine - one) * (mine - other) > 0 and min(abs(mine - one), abs(mine - other)) > UNLIKE
