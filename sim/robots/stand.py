"""Where an arm stands to open things, and what it can open from there, computed beforehand.

Candidates stand on the floor around each handle. From each, inverse kinematics looks for postures at the
closed handle, follows it out and in front of it, and MuJoCo says whether the arm is inside anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.rng import stream
from pocketworld.scene import Scene
from pocketworld.sim.cousin import Reach
from pocketworld.sim.robots.clearance import Clearance
from pocketworld.sim.robots.description import CART, Arm
from pocketworld.sim.robots.fingers import REACH
from pocketworld.sim.robots.kinematics import Chain
from pocketworld.sim.robots.paths import CLOSED, Path, paths, towards

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
# Around a handle, m: out from it, to its side; and how high the arm is bolted down.
OUT, ASIDE, LIFTS = (0.4, 0.55, 0.7, 0.85), (-0.6, -0.3, 0.0, 0.3, 0.6), (0.0, 0.4, 0.8)
GRID = 0.05  # m: candidates of several handles that are nearer are one
STARTS = 1  # postures besides the one at rest from which a solution is looked for, the hand both ways
ITERATIONS, FOLLOW = 40, 12  # of a search; of a step along a path
# rad or m that a joint moves at most between a path's points: one that has to swing further goes over to
# another posture on the way, which servos that follow the handle never do
LEAP = 0.8


@dataclass(frozen=True, eq=False, slots=True)
class Stand:
    """One place: cart (4,) x, y, lift, yaw, and the joints in reach there."""

    cart: Array
    reached: Mapping[str, Reach]

    @property
    def freedom(self) -> float:
        """Return the least manipulability of its reaches, on average."""
        return float(np.mean([reach.freedom for reach in self.reached.values()]))


@dataclass(frozen=True, eq=False, slots=True)
class Stands:
    """What an arm can open in a scene.

    best      the place from which it opens most, None if there is none
    reached   by joint ("asset/joint"), from the place that suits it best: of those that reach it, the one
              that reaches most
    missed    by joint, why not
    """

    best: Stand | None
    reached: Mapping[str, Reach]
    missed: Mapping[str, str]


def stands(scene: Scene, arm: Arm) -> Stands:
    """Return where an arm stands to open the joints of a scene, and which it can; the same each time."""
    wanted = paths(scene)
    missed = {f"{asset.id}/{joint.id}": "it has no handle" for asset, joint in scene.joints()}
    clearance = Clearance(scene, arm)
    free = [cart for cart in candidates(wanted) if clearance.stands(cart, arm.home)]
    carts = np.array(free).reshape(-1, len(CART))
    search = Search(wanted, carts, arm.chain, clearance)
    found = search.run()
    missed |= {path.id: search.why(j) for j, path in enumerate(wanted)}
    places = [
        Stand(cart, {wanted[j].id: reach for (c, j), reach in found.items() if c == i})
        for i, cart in enumerate(carts)
    ]
    order = sorted((p for p in places if p.reached), key=lambda p: (-len(p.reached), -p.freedom))
    reached: dict[str, Reach] = {}
    for place in order:
        for id, reach in place.reached.items():
            reached.setdefault(id, reach)
    return Stands(order[0] if order else None, reached, {k: v for k, v in missed.items() if k not in reached})


def candidates(wanted: Sequence[Path]) -> list[tuple[float, float, float, float]]:
    """Return places (x, y, lift, yaw) around handles, facing the furniture; sorted, none twice."""
    made: dict[tuple[int, ...], tuple[float, float, float, float]] = {}
    for path in wanted:
        grip, out = path.grips[CLOSED, :2, 3], path.out
        side = np.array([-out[1], out[0]])
        yaw = float(np.arctan2(-out[1], -out[0]))
        for away in OUT:
            for aside in ASIDE:
                x, y = grip + away * out + aside * side
                for lift in LIFTS:
                    key = (round(x / GRID), round(y / GRID), round(lift / GRID), round(yaw / 0.1))
                    made.setdefault(key, (float(x), float(y), lift, yaw))
    return sorted(made.values())


class Search:
    """Looks for postures for each pair of a candidate and a path: pairs (c, j)."""

    def __init__(self, wanted: Sequence[Path], carts: Array, chain: Chain, clearance: Clearance) -> None:
        self.wanted, self.carts, self.chain, self.clearance = wanted, carts, chain, clearance
        self._reasons = np.zeros(len(wanted), int)
        self._found: dict[tuple[int, int], Reach] = {}

    def run(self) -> dict[tuple[int, int], Reach]:
        """Return what was found, by pair."""
        pairs = self._near()
        generator, n = stream(0, "stand"), len(self.chain.rest)
        starts = [self.chain.rest, *generator.uniform(self.chain.low, self.chain.high, (STARTS, n))]
        for start in starts:
            for way in (0, 1):
                if len(pairs):
                    pairs = self._round(pairs, start, way)
        return self._found

    def why(self, j: int) -> str:
        """Return why a path was not found."""
        return (
            "no free place to stand is near enough",
            "the arm does not reach the closed handle",
            "the arm does not follow it all the way as it opens",
            "the arm would be inside something",
        )[self._reasons[j]]

    def _near(self) -> Ints:
        """Return the pairs (m, 2) whose path is within the length of the arm."""
        out = []
        far = self.chain_length()
        first = np.array([*self.chain.anchor[0], 1.0])
        shoulders = (frames(self.carts) @ first)[:, :3]
        for j, path in enumerate(self.wanted):
            away = np.linalg.norm(path.grips[None, :, :3, 3] - shoulders[:, None], axis=2)
            out += [(int(c), j) for c in np.flatnonzero((away < far).all(1))]
        if out:
            self._reasons[np.array(out)[:, 1]] = 1
        return np.array(out, int).reshape(-1, 2)

    def chain_length(self) -> float:
        """Return how far a grip can be from the first joint at most, m: its slides all the way out."""
        joints = np.concatenate([self.chain.anchor, self.chain.grip[None, :3, 3]])
        slides = np.maximum(np.abs(self.chain.low), np.abs(self.chain.high))[self.chain.slides]
        return float(np.linalg.norm(np.diff(joints, axis=0), axis=1).sum() + slides.sum())

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
