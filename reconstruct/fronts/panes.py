"""The window of an oven's door: a dark rectangle on a front, as far from its left side as from its right.

Glass before a dark hole is darker than the door around it, even than a black one. Each of its edges earns by
how much of it is seen, as the gaps between fronts do (`grammar`), so that both are weighed in one currency.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.families.protocol import Elevation
from pocketworld.reconstruct.fronts.elevation import brightness
from pocketworld.reconstruct.fronts.grammar import CUT, EARNS, PARTIAL

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

CELL = 0.005  # m: places that are compared
BESIDE = 2  # cells on either side of an edge, that its blur leaves
DARKER = 2.5, 0.04  # by so many grey levels, and such a share of how bright it is around, glass is darker
GLASS = 70.0, 0.5  # grey levels, or a share of the frame's: no window is brighter
FRAME = 0.02, 0.14  # m of door at either side of its window
SKEW = 0.015  # m: one side's frame is as wide as the other's
WIDE, HIGH = 0.25, 0.20  # m: windows are at least that; vents are lower
NUMBERS = 4  # how far it is from the sides, where it begins and ends, how dark it is


@dataclass(frozen=True, slots=True)
class Pane:
    """A window on a front, m from the face's lower left corner; earned: nats, its price paid."""

    left: float
    right: float
    low: float
    high: float
    earned: float


def pane(seen: Elevation) -> Pane | None:
    """Return the window that a face shows best, None where none earns its price."""
    if seen.colour is None or seen.width < WIDE + 2 * FRAME[0] or seen.height < HIGH:
        return None
    grey = _cells(seen)
    best = max(_fits(grey), key=lambda found: found.earned, default=None)
    if best is None or best.earned <= 0 or not _glassy(grey, best):
        return None
    return best


def _cells(seen: Elevation) -> Array:
    """Return the brightness (rows, columns) of a face by cells, from below; nan where unseen."""
    assert seen.colour is not None
    rows, columns = max(1, round(seen.height / CELL)), max(1, round(seen.width / CELL))
    known = seen.colour.any(2).astype(np.float32)
    size = (columns, rows)
    total = cv2.resize(brightness(seen.colour.astype(np.float32)) * known, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    grey = np.where(share > 0.5, total / np.maximum(share, 1e-6), np.nan)
    return np.asarray(grey[::-1], float)


def _edges(grey: Array) -> Flags:
    """Return where (rows, columns + 1) it is darker to the right of an upright line between two columns."""
    columns = grey.shape[1]
    padded = np.pad(grey, ((0, 0), (BESIDE, BESIDE)), constant_values=np.nan)
    strips = np.stack([padded[:, k : k + columns + 1 + BESIDE] for k in range(BESIDE)]).mean(0)
    before, after = strips[:, : columns + 1], strips[:, BESIDE : columns + 1 + BESIDE]
    with np.errstate(invalid="ignore"):
        return np.asarray(before - after > np.maximum(DARKER[0], DARKER[1] * before))


def _fits(grey: Array) -> Iterator[Pane]:
    """Give the best window for each pair of sides."""
    columns = grey.shape[1]
    left, right = _edges(grey), _edges(grey[:, ::-1])[:, ::-1]
    low, high = _edges(grey.T).T, _edges(grey.T[:, ::-1])[:, ::-1].T
    skew = round(SKEW / CELL)
    for i in range(round(FRAME[0] / CELL), round(FRAME[1] / CELL) + 1):
        for j in range(columns - i - skew, min(columns, columns - i + skew) + 1):
            if (j - i) * CELL >= WIDE:
                sides = left[:, i].astype(float) + right[:, j]
                found = _between(i, j, sides, low[:, i:j].sum(1), high[:, i:j].sum(1))
                if found is not None:
                    yield found


def _between(i: int, j: int, sides: Array, low: Array, high: Array) -> Pane | None:
    """Return the best window between two sides.

    sides      (rows,) how many of the sides are seen;  low, high: (rows + 1,) cells of an edge that are seen
    """
    total = np.concatenate([[0.0], np.cumsum(sides)])
    tall = np.arange(len(total))
    beside = _earned(total[None] - total[:, None], 2.0 * (tall[None] - tall[:, None]))
    # A handle stands before the upper edge, and hides it.
    upper = np.maximum(_earned(high, j - i), 0.0)
    score = np.where(
        (tall[None] - tall[:, None]) * CELL >= HIGH,
        beside + _earned(low, j - i)[:, None] + upper[None],
        -np.inf,
    )
    a, b = np.unravel_index(int(np.argmax(score)), score.shape)
    if not np.isfinite(score[a, b]):
        return None
    return Pane(i * CELL, j * CELL, int(a) * CELL, int(b) * CELL, float(score[a, b]) - NUMBERS * CUT)


def _earned(seen: Array, length: Any) -> Array:
    """Return what an edge earns that is seen along so many of its cells, nats."""
    return np.asarray(EARNS * CELL * (seen - PARTIAL * length) / (1 - PARTIAL))


def _glassy(grey: Array, found: Pane) -> bool:
    """Say whether it is dark inside, and the door is brighter at its left, its right and below.

    Above it a handle may stand, of any brightness.
    """
    i, j, a, b = (round(x / CELL) for x in (found.left, found.right, found.low, found.high))
    inside = float(np.nanmedian(grey[a:b, i:j]))
    frames = [grey[a:b, :i], grey[a:b, j:], grey[max(0, a - 2 * BESIDE) : a, i:j]]
    around = [float(np.nanmedian(part)) for part in frames if np.isfinite(part).any()]
    least = min(around, default=0.0)
    darker = least - inside > max(DARKER[0], DARKER[1] * least)
    return len(around) == len(frames) and darker and inside < max(GLASS[0], GLASS[1] * least)
