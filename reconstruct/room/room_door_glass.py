"""Double doors that depth can't see, by their handles: a pair of upright bars astride a stile.

A glass door lies flush in its wall, and its posts look like those of the fixed panes beside it. What only
a door has are bars at the height of hands, which end where hands end, one on each leaf beside the stile where
they meet.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.reconstruct.fronts.elevation import brightness
from pocketworld.reconstruct.room.wall_picture import WallPicture, beside

Array = NDArray[np.float64]

HANDS = (0.8, 1.25)  # m above the floor: where an upright bar handle is, however long
BELOW, ABOVE = (0.2, 0.55), (1.5, 1.9)  # m: where it is not, and a stile is
THIN = 0.04  # m: to both sides of a bar it looks otherwise
DARK = 2.0  # grey levels: below it all is noise
FAINT, PLAIN = 0.05, 0.2  # in natural logarithms of brightness: each bar of a pair, and the better one
APART = (0.12, 0.45)  # m: two hands, with the meeting stile between them
STILE = 0.05  # in logarithms: above and below the bars
LEAF = (0.55, 1.25)  # m: half of a double door
SHADE = 0.03  # m: beside a stile and astride its edge
AROUND = 0.05  # m: bars stand before the glass, so they are seen a little beside where they are
FIRST = 0.55  # of the plainest edge: as plain is the leaf's own


@dataclass(frozen=True, slots=True)
class DoubleDoor:
    """A double door in its wall's u, m: its opening, where its leaves meet, and how plain its bars are."""

    u0: float
    u1: float
    meeting: float
    bars: tuple[float, float]
    score: float


def double_doors(picture: WallPicture, taken: list[tuple[float, float]]) -> list[DoubleDoor]:
    """Return the double doors of a wall's picture, from left to right; `taken` (u0, u1) is known already."""
    light = np.log(brightness(picture.colour).astype(float) + DARK)
    u = picture.grid.u
    bar, ways = _bars(light, picture)
    for u0, u1 in taken:
        bar[(u > u0 - THIN) & (u < u1 + THIN)] = 0.0
    n = max(1, round(THIN / picture.grid.pixel))
    peaks = [i for i in np.flatnonzero(bar >= FAINT) if bar[i] == bar[max(0, i - n) : i + n + 1].max()]
    upright = _upright(light, picture)
    pairs = [
        (float(bar[i] + bar[j]), int(i), int(j))
        for k, i in enumerate(peaks)
        for j in peaks[k + 1 :]
        if APART[0] <= u[j] - u[i] <= APART[1] and max(bar[i], bar[j]) >= PLAIN and ways[i] == ways[j]
    ]
    found: list[DoubleDoor] = []
    for score, i, j in sorted(pairs, reverse=True):
        door = _door(u, upright, i, j, score)
        if door and all(door.u1 <= o.u0 or door.u0 >= o.u1 for o in found):
            found.append(door)
    clear = [d for d in found if all(d.u1 <= u0 or d.u0 >= u1 for u0, u1 in taken)]
    return sorted(clear, key=lambda door: door.u0)


def _bars(light: Array, picture: WallPicture) -> tuple[Array, NDArray[np.intp]]:
    """Return (columns,) how much each stands out at the height of hands, and only there; and which way."""
    n = max(1, round(THIN / picture.grid.pixel))
    left, right = light - beside(light, -n), light - beside(light, n)
    ridge = np.where(left * right > 0, np.sign(left) * np.minimum(np.abs(left), np.abs(right)), 0.0)
    ridge[np.isnan(left + right)] = np.nan
    hands, below, above = (picture.over(ridge, z) for z in (HANDS, BELOW, ABOVE))
    both = np.stack(
        [np.minimum.reduce([s * (hands - below), s * (hands - above), s * hands]) for s in (1, -1)]
    )
    return np.nan_to_num(both.max(0)).clip(0), np.argmax(np.nan_to_num(both), 0)


def _upright(light: Array, picture: WallPicture) -> Array:
    """Return (columns,) how much brightness changes there from floor to lintel: posts and stiles."""
    n = max(1, round(SHADE / picture.grid.pixel))
    change = np.abs(beside(light, -n) - beside(light, n))
    out = np.minimum(*(np.nan_to_num(picture.over(change, z)) for z in (BELOW, ABOVE)))
    return np.asarray(out, float)


def _door(u: Array, upright: Array, i: int, j: int, score: float) -> DoubleDoor | None:
    """Return the door of a pair of bars: the stile between them, and posts as far off to both sides."""
    between = (u > u[i] - AROUND) & (u < u[j] + AROUND)
    if not between.any() or upright[between].max() < STILE:
        return None
    plain = np.where(between & (upright >= 0.8 * upright[between].max()), upright, 0.0)
    meeting = float(plain @ u / plain.sum())
    halves = np.arange(*LEAF, u[1] - u[0])
    sides = [np.interp(meeting + way * halves, u, upright, left=0.0, right=0.0) for way in (-1, 1)]
    half = float(halves[_nearest(np.sqrt(sides[0]) + np.sqrt(sides[1]), AROUND / (u[1] - u[0]))])
    return DoubleDoor(meeting - half, meeting + half, meeting, (float(u[i]), float(u[j])), score)


def _nearest(plain: Array, reach: float) -> int:
    """Return the first of the plain peaks: behind a leaf's edge come the post's two."""
    first = int(np.argmax(plain >= FIRST * plain.max()))
    return first + int(np.argmax(plain[first : first + round(reach) + 1]))
