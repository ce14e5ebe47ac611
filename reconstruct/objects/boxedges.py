"""The twelve edges of an upright box: where they lie, who sees them, and how they move with the box."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SAMPLES = 32  # along an edge
SLANT = 0.05  # m in front of a face's plane a camera must be for its edges to lie apart in the picture
MARGIN = 0.06  # of an edge's length: at corners three edges meet, and any would do
VALUES = 7  # yaw, low ends, high ends


def _places() -> tuple[Array, NDArray[np.intp]]:
    """Return where samples lie between low (0) and high (1) ends, and the two faces of each edge.

    places (12, SAMPLES, 3); faces (12, 2, 2), each (end, axis)
    """
    along = np.linspace(MARGIN, 1 - MARGIN, SAMPLES)
    places, faces = np.zeros((12, SAMPLES, 3)), np.zeros((12, 2, 2), np.intp)
    ends = [(axis, first, second) for axis in range(3) for first in (0, 1) for second in (0, 1)]
    for edge, (axis, first, second) in enumerate(ends):
        b, c = (axis + 1) % 3, (axis + 2) % 3
        places[edge, :, axis], places[edge, :, b], places[edge, :, c] = along, first, second
        faces[edge] = (first, b), (second, c)
    return places, faces


PLACES, FACES = _places()
ALONG = np.repeat(np.arange(3), 4)  # the axis along which each edge runs


@dataclass(frozen=True, eq=False, slots=True)
class EdgeBox:
    """An upright box: values (7,) are its yaw (rad), then low and high ends along its own axes, m."""

    values: Array

    @property
    def turn(self) -> Array:
        """Return (3, 3): from the box's axes to the frame it is in."""
        c, s = np.cos(self.values[0]), np.sin(self.values[0])
        return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])

    @property
    def ends(self) -> Array:
        """Return (2, 3): low and high ends along its own axes."""
        return self.values[1:].reshape(2, 3)

    @property
    def middle(self) -> Array:
        """Return the middle (3,) in the frame."""
        return np.asarray(self.turn @ self.ends.mean(0))

    def corners(self) -> Array:
        """Return the corners (8, 3) in the frame."""
        low, high = self.ends
        which = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
        places: Array = low + which * (high - low)
        return places @ self.turn.T

    def samples(self) -> Array:
        """Return points on the edges (12, SAMPLES, 3) in the frame."""
        low, high = self.ends
        places: Array = low + PLACES * (high - low)
        return places @ self.turn.T

    def slopes(self) -> Array:
        """Return (12, SAMPLES, 3, 7): how the points move with the values."""
        low, high = self.ends
        turn = self.turn
        spin = np.array([[0, -1.0, 0], [1, 0, 0], [0, 0, 0]]) @ turn
        out = np.empty((*PLACES.shape, VALUES))
        out[..., 0] = (low + PLACES * (high - low)) @ spin.T
        out[..., 1:4] = turn * (1 - PLACES)[..., None, :]
        out[..., 4:7] = turn * PLACES[..., None, :]
        return out

    def edges_seen(self, eye: Array) -> NDArray[np.bool_]:
        """Return which edges (12,) a camera at `eye` (3,) can see: those of the faces turned to it."""
        own = eye @ self.turn
        low, high = self.ends
        faces = np.stack([low - own > SLANT, own - high > SLANT])
        first, second = (faces[FACES[:, i, 0], FACES[:, i, 1]] for i in (0, 1))
        return np.asarray(first | second)
