"""Vectors and rotations of all environments at once.

Written out number by number, never as a matrix product of a whole batch: the order in which a library sums
may depend on the batch's size, and an environment alone must give the same bits as among others.
"""

import math

import numpy as np

from pocketworld.sim.arrays import Array, namespace

WHOLE = 16  # numbers: more than any vector unit takes at once


def dot(a: Array, b: Array) -> Array:
    """Return the inner products (n,) of (n, 3) and (n, 3)."""
    return a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]


def length(v: Array) -> Array:
    """Return the lengths (n,) of (n, 3)."""
    return namespace(v).sqrt(dot(v, v))


def cross(a: Array, b: Array) -> Array:
    """Return the cross products (n, 3)."""
    x, y, z = (
        a[:, (i + 1) % 3] * b[:, (i + 2) % 3] - a[:, (i + 2) % 3] * b[:, (i + 1) % 3] for i in range(3)
    )
    return namespace(a).stack([x, y, z], axis=1)


def turned(turn: Array, v: Array) -> Array:
    """Return turn @ v for each (n, 3, 3) and (n, 3)."""
    return namespace(v).stack([dot(turn[:, i], v) for i in range(3)], axis=1)


def turned_back(turn: Array, v: Array) -> Array:
    """Return turn.T @ v for each (n, 3, 3) and (n, 3)."""
    return namespace(v).stack([dot(turn[:, :, i], v) for i in range(3)], axis=1)


def angles(turn: Array) -> Array:
    """Return yaw, pitch, roll (n, 3) with Rz(yaw) Ry(pitch) Rx(roll) the rotations given (n, 3, 3).

    At a pitch of 90 degrees yaw and roll are the same turn; then they come out arbitrary, but sum up right.
    """
    xp = namespace(turn)
    flat = xp.hypot(turn[:, 0, 0], turn[:, 1, 0])
    ups = xp.stack([turn[:, 1, 0], -turn[:, 2, 0], turn[:, 2, 1]], axis=1)
    overs = xp.stack([turn[:, 0, 0], flat, turn[:, 2, 2]], axis=1)
    return _atan2(ups, overs)


def near(angle: Array, reference: Array) -> Array:
    """Return the angles turned by whole turns to be the nearest to a reference."""
    turns = namespace(angle).round((reference - angle) / (2 * math.pi))
    return angle + 2 * math.pi * turns


def _atan2(y: Array, x: Array) -> Array:
    """Return atan2 to the same bit for an environment alone and among others.

    numpy may take another code path for the last few numbers of an array than for the rest: fill up to whole
    vectors, so that each number goes through the same one.
    """
    if not isinstance(y, np.ndarray):
        return namespace(y).atan2(y, x)
    size = -(-y.size // WHOLE) * WHOLE
    ys, xs = np.zeros(size), np.ones(size)
    ys[: y.size], xs[: x.size] = y.ravel(), x.ravel()
    return np.arctan2(ys, xs)[: y.size].reshape(y.shape)
