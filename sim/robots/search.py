"""Postures of an arm at candidate stands along paths, for all pairs of the two at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pocketworld.rng import stream
from pocketworld.sim.cousin import Reach
from pocketworld.sim.robots.clearance import Clearance
from pocketworld.sim.robots.description import CART
from pocketworld.sim.robots.fingers import REACH
from pocketworld.sim.robots.kinematics import Chain
from pocketworld.sim.robots.paths import CLOSED, Path, towards

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
# Of a search; of a step along a path. Twice as many found none more in four kitchens.
ITERATIONS, FOLLOW = 20, 8
# rad or m that a joint moves at most between a path's points: one that has to swing further goes over to
# another posture on the way, which servos that follow the handle never do
LEAP = 0.8


# Why a path was not found, by how far it got
REASONS = (
    "no free place to stand is near enough",
    "the arm does not reach the closed handle",
    "the arm does not follow it all the way as it opens",
    "the arm would be inside something",
)


class Search:
    """Looks for postures for each pair of a candidate (m, 4) and a path: pairs (c, j).

    What it finds for a pair does not depend on what other pairs there are.
    """

    def __init__(
        self, wanted: Sequence[Path], carts: Array, chain: Chain, clearance: Clearance, starts: int = 1
    ) -> None:
        """Prepare; `starts`: drawn postures besides the one at rest that a solution is looked for from."""
        self.wanted, self.carts, self.chain, self.clearance = wanted, carts, chain, clearance
        self._starts = starts
        self._reasons = np.zeros(len(wanted), int)
        self._found: dict[tuple[int, int], Reach] = {}

    def run(self) -> dict[tuple[int, int], Reach]:
        """Return what was found, by pair."""
        pairs = self._near()
        generator, n = stream(0, "stand"), len(self.chain.rest)
        starts = [self.chain.rest, *generator.uniform(self.chain.low, self.chain.high, (self._starts, n))]
        for start in starts:
            for way in (0, 1):
                if len(pairs):
                    pairs = self._round(pairs, start, way)
        return self._found

    def got(self, j: int) -> int:
        """Return how far a path that was not found got: which of `REASONS` it ended at."""
        return int(self._reasons[j])

    def _near(self) -> Ints:
        """Return the pairs (m, 2) whose path is within the length of the arm."""
        out = []
        far = farthest(self.chain)
        first = np.array([*self.chain.anchor[0], 1.0])
        shoulders = (frames(self.carts) @ first)[:, :3]
        for j, path in enumerate(self.wanted):
            away = np.linalg.norm(path.grips[None, :, :3, 3] - shoulders[:, None], axis=2)
            out += [(int(c), j) for c in np.flatnonzero((away < far).all(1))]
        if out:
            self._reasons[np.array(out)[:, 1]] = 1
        return np.array(out, int).reshape(-1, 2)

    def _round(self, pairs: Ints, start: Array, way: int) -> Ints:
        """Try all open pairs from one posture; return those that are open still."""
        some = [self.wanted[j] for j in pairs[:, 1]]
        grips = towards(some, np.full(len(some), way))
        grips = np.linalg.inv(frames(self.carts[pairs[:, 0]]))[:, None] @ grips
        postures, reasons = follow(self.chain, grips, start)
        for (c, j), posture, reason in zip(pairs, postures, reasons, strict=True):
            good = reason == 3
            self._reasons[j] = max(self._reasons[j], reason)
            if good and self.clearance.passes(self.wanted[j], self.carts[c], posture):
                freedom = float(self.chain.manipulability(posture).min())
                whole = with_cart(self.carts[c], posture)
                self._found[int(c), int(j)] = Reach(whole, self.wanted[j].q, freedom)
        return np.array(
            [pair for pair in pairs if (int(pair[0]), int(pair[1])) not in self._found], int
        ).reshape(-1, 2)


def farthest(chain: Chain) -> float:
    """Return how far a grip can be from the first joint at most, m: its slides all the way out."""
    joints = np.concatenate([chain.anchor, chain.grip[None, :3, 3]])
    slides = np.maximum(np.abs(chain.low), np.abs(chain.high))[chain.slides]
    return float(np.linalg.norm(np.diff(joints, axis=0), axis=1).sum() + slides.sum())


def frames(carts: Array) -> Array:
    """Return world_from_cart (m, 4, 4) of stands (m, 4)."""
    out = np.tile(np.eye(4), (len(carts), 1, 1))
    out[:, 0, 0] = out[:, 1, 1] = np.cos(carts[:, 3])
    out[:, 1, 0] = np.sin(carts[:, 3])
    out[:, 0, 1] = -out[:, 1, 0]
    out[:, :3, 3] = carts[:, :3]
    return out


def with_cart(cart: Array, postures: Array) -> Array:
    """Return all joint positions (k, joints) for an arm's (k, n) at a stand, the fingers open."""
    k = len(postures)
    return np.concatenate([np.tile(cart, (k, 1)), postures, np.full((k, 2), REACH)], 1)


def place_of(reach: Reach) -> tuple[float, ...]:
    """Return the cart (4,) that a reach stands on."""
    return tuple(float(x) for x in reach.postures[0, : len(CART)])


def follow(chain: Chain, grips: Array, start: Array) -> tuple[Array, Ints]:
    """Return postures (m, k, n) along paths (m, k, 4, 4), and how far that went (m,).

    1: not to the closed handle; 2: not all the way; 3: all the way, without a leap.
    """
    m, k = grips.shape[:2]
    postures = np.zeros((m, k, len(chain.low)))
    closed, solved = chain.solve(np.tile(start, (m, 1)), grips[:, CLOSED], ITERATIONS)
    postures[:, CLOSED] = closed
    live = np.flatnonzero(solved)
    reasons = np.where(solved, 2, 1)
    for way in (range(CLOSED + 1, k), range(CLOSED - 1, -1, -1)):
        at = closed[live]
        for i in way:
            next_, solved = chain.solve(at, grips[live, i], FOLLOW)
            solved &= np.abs(next_ - at).max(1) <= LEAP
            live, at = live[solved], next_[solved]
            postures[live, i] = at
    reasons[live] = 3
    return postures, reasons
