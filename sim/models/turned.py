"""Which hulls of a part are one shape, turned about the vertical.

The wall of a mug is one piece many times: as one mesh it takes a tenth of the time to compile, and a tenth
of the memory.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import HullPiece, Piece

Array = NDArray[np.float64]
Quat = tuple[float, float, float, float]
Turned = tuple[int, Quat]  # a piece's place, and the turn wxyz about z that makes another of it
MANY = 3  # hulls of as many points from which on it pays to look
SAME = 1e-9  # m: points that are no further apart are the same


def turned(pieces: Sequence[Piece]) -> dict[int, Turned]:
    """Return the places of hulls that are a first one turned, and how.

    The first is the first of as many points: what is alike only among later ones stays as it is.
    """
    alike: dict[int, list[int]] = {}
    for i, piece in enumerate(pieces):
        if isinstance(piece, HullPiece):
            alike.setdefault(len(piece.points), []).append(i)
    out: dict[int, Turned] = {}
    for places in alike.values():
        if len(places) >= MANY:
            quats, off = _from_first(np.array([pieces[i].vertices for i in places]))
            several = zip(places[1:], quats[1:].tolist(), off[1:].tolist(), strict=True)
            out |= {i: (places[0], (w, x, y, z)) for i, (w, x, y, z), apart in several if apart < SAME}
    return out


def _from_first(hulls: Array) -> tuple[Array, Array]:
    """Return the turns (h, 4) that bring the first of hulls (h, n, 3) to each, and how far it is off, m."""
    x, y, z = hulls.transpose(2, 0, 1)
    way = np.arctan2(y.mean(1), x.mean(1))
    way -= way[0]
    cos, sin = np.cos(way)[:, None], np.sin(way)[:, None]
    off = np.abs([cos * x + sin * y - x[0], cos * y - sin * x - y[0], z - z[0]]).max((0, 2))
    nothing = np.zeros(len(way))
    return np.stack([np.cos(way / 2), nothing, nothing, np.sin(way / 2)], 1), off
