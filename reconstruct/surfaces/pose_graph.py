"""Poses from pairs of looks that disagree: the smallest corrections under which they agree.

A pose graph (Grisetti et al. 2010) with robust edges (Geman and McClure 1987; as in Choi, Zhou and Koltun
2015). The tracker is believed where surfaces say nothing: from pose to pose, and about gravity. What is wrong
in all frames alike is no drift, so it is solved for and left: one scale of all depth, and how the depth
camera sits in the one that is tracked, which also takes up how depth is bent. Corrections are small: one
linear system, which is sparse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from pocketworld.geometry import se3
from pocketworld.reconstruct.surfaces.pair import Pair

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# What a tracker errs by from a pose to the next, over STEP of the way: m and rad. It grows as the way's root.
STEP = 0.2
SHIFT, TURN = 0.002, float(np.radians(0.03))
LEAST = 0.1  # of STEP: standing still is no proof
# What it errs by over all: m, rad about the vertical, and against gravity, which its accelerometer measures.
ASTRAY, HEADING, TILT = 0.03, float(np.radians(0.3)), float(np.radians(0.1))
# What is alike in all frames: the depth camera's place (m) and turn in the one that is tracked (half a pixel
# of a phone's depth is 0.13 degrees), and by what share depth is long (a phone's up to 2 %).
SEAT, AIM, SCALE = 0.005, float(np.radians(0.2)), 0.02
BELIEVED = 3.0  # standard deviations at which an edge is half disbelieved
ROUNDS = 6  # of believing less what disagrees


@dataclass(frozen=True, eq=False, slots=True)
class Solved:
    """Poses that were corrected.

    poses      (n, 4, 4) world_from_camera
    aim        (6,) twist of the camera's frame that all depth asks for alike, and
    scale      by what share it is long: of depth rather than of poses, so nothing is done about them
    believed   (m,): of each pair, 0..1
    """

    poses: Array
    aim: Array
    scale: float
    believed: Array


@dataclass(frozen=True, eq=False, slots=True)
class _Edges:
    """m edges: `rows (m, 6, 6) @ (twist[i] - twist[j]) + common (m, 6, 7) @ alike` should be `told` (m, 6).

    count   (m,): how many of the six say something;  alike: twist of the camera and scale, of all frames
    """

    i: Index
    j: Index
    rows: Array
    common: Array
    told: Array
    count: Array

    def weights(self, twists: Array, alike: Array) -> Array:
        """Return (m,) how far each is believed."""
        off = np.einsum("mij,mj->mi", self.rows, twists[self.i] - twists[self.j])
        error = ((off + self.common @ alike - self.told) ** 2).sum(1) / self.count
        return np.asarray((BELIEVED**2 / (BELIEVED**2 + error)) ** 2)


def solve(poses: Array, way: Array, pairs: Sequence[Pair]) -> Solved:
    """Return poses (n, 4, 4) corrected so that pairs agree; on average nothing is moved, turned or tilted.

    way   (n,) m: how far the view has moved up to each pose (`scan.keyframes.moved`); poses are in its order
    """
    middle = np.eye(4)
    middle[:3, 3] = -poses[:, :3, 3].mean(0)
    centred = middle @ poses
    into = _adjoint(se3.inverse(centred))
    paired, tracked, anchored = _paired(pairs, into), _tracked(way, into), _anchored(centred)
    believed, followed = np.ones(len(pairs)), np.ones(len(poses) - 1)
    twists, alike = np.zeros((len(poses), 6)), np.zeros(7)
    for _ in range(ROUNDS):
        twists, alike = _linear(anchored, ((paired, believed), (tracked, followed)))
        believed, followed = paired.weights(twists, alike), tracked.weights(twists, alike)
    corrected = se3.inverse(middle) @ se3.exp(twists) @ centred
    return Solved(corrected, alike[:6], float(alike[6]), believed)


def _linear(anchored: Array, edges: Sequence[tuple[_Edges, Array]]) -> tuple[Array, Array]:
    """Return twists (n, 6) of the world, and what is alike in all frames (7,), that fit best.

    What is alike couples all twists, so it is eliminated last (Schur): without it the system is sparse.
    """
    n = len(anchored)
    every = np.arange(n)
    entries = [_block(every, every, anchored)]
    side, own = np.zeros((n, 6, 8)), np.zeros((7, 8))
    own[:, :7] = np.diag([*[SEAT**-2] * 3, *[AIM**-2] * 3, SCALE**-2])
    for edge, weight in edges:
        turned = np.swapaxes(edge.rows, 1, 2) * weight[:, None, None]
        right = np.concatenate([edge.common, edge.told[..., None]], 2)
        block, lean = turned @ edge.rows, turned @ right
        for one, other, sign in ((edge.i, edge.j, 1), (edge.j, edge.i, -1)):
            entries += [_block(one, one, block), _block(one, other, -block)]
            np.add.at(side, one, sign * lean)
        own += np.einsum("m,mia,mib->ab", weight, edge.common, right)
    value, row, column = (np.concatenate([entry[k].ravel() for entry in entries]) for k in range(3))
    matrix = sparse.csc_matrix((value, (row, column)), shape=(6 * n, 6 * n))
    flat = side.reshape(6 * n, 8)
    solved = np.asarray(splu(matrix).solve(flat))
    left = own - flat[:, :7].T @ solved
    alike = np.linalg.solve(left[:, :7], left[:, 7])
    return (solved[:, 7] - solved[:, :7] @ alike).reshape(n, 6), alike


def _block(i: Index, j: Index, values: Array) -> tuple[Array, Index, Index]:
    """Return values (m, 6, 6) and their rows and columns in a matrix of blocks."""
    six = np.arange(6)
    row = 6 * i[:, None, None] + six[:, None]
    column = 6 * j[:, None, None] + six
    row, column = np.broadcast_arrays(row, column)
    return values, row, column


def _paired(pairs: Sequence[Pair], into: Array) -> _Edges:
    """Return edges of pairs, in standard deviations; rows beyond the directions that are bound are zero."""
    rows, common, told = (np.zeros((len(pairs), *shape)) for shape in ((6, 6), (6, 7), (6,)))
    for m, pair in enumerate(pairs):
        white = np.linalg.inv(np.linalg.cholesky(pair.covariance))
        k, seen = len(white), white @ pair.rows
        rows[m, :k], told[m, :k] = seen @ into[pair.b], white @ pair.moved
        common[m, :k, :6] = seen @ (_adjoint(pair.b_from_a[None])[0] - np.eye(6))
        common[m, :k, 6] = seen[:, :3] @ pair.b_from_a[:3, 3]  # long depth: as much farther apart
    i, j = (np.array([getattr(pair, end) for pair in pairs], np.intp) for end in "ab")
    return _Edges(i, j, rows, common, told, np.array([float(len(pair.moved)) for pair in pairs]))


def _tracked(way: Array, into: Array) -> _Edges:
    """Return edges from each pose to the next, as the tracker has them."""
    steps = np.maximum(np.diff(way) / STEP, LEAST)
    sigma = np.sqrt(steps)[:, None] * np.array([SHIFT] * 3 + [TURN] * 3)
    m, first = len(steps), np.arange(len(steps))
    none = np.zeros((m, 6, 7)), np.zeros((m, 6))
    return _Edges(first, first + 1, into[:-1] / sigma[..., None], *none, np.full(m, 6.0))


def _anchored(centred: Array) -> Array:
    """Return (n, 6, 6): what binds each pose to where the tracker had it."""
    sigma = np.array([ASTRAY] * 3 + [TILT, TILT, HEADING])
    at_camera = np.tile(np.eye(6), (len(centred), 1, 1))
    at_camera[:, :3, 3:] = -se3.hat(centred[:, :3, 3])
    at_camera /= sigma[:, None]
    return np.asarray(np.swapaxes(at_camera, 1, 2) @ at_camera)


def _adjoint(a_from_b: Array) -> Array:
    """Return (n, 6, 6): twists of frame b as those of frame a."""
    turn = a_from_b[:, :3, :3]
    out = np.zeros((len(a_from_b), 6, 6))
    out[:, :3, :3] = out[:, 3:, 3:] = turn
    out[:, :3, 3:] = se3.hat(a_from_b[:, :3, 3]) @ turn
    return out
