"""Where an arm stands to open things, and what it can open from there, computed beforehand.

Candidates stand on the floor around each handle. From each, inverse kinematics looks for postures at the
closed handle, follows it out and in front of it, and MuJoCo says whether the arm is inside anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Scene
from pocketworld.sim.cousin import Reach
from pocketworld.sim.robots.clearance import Clearance
from pocketworld.sim.robots.description import CART, Arm
from pocketworld.sim.robots.paths import CLOSED, Path, paths
from pocketworld.sim.robots.search import REASONS, Search

Array = NDArray[np.float64]
GRID = 0.05  # m: candidates of several handles that are nearer are one


@dataclass(frozen=True, slots=True)
class Candidates:
    """Where around a handle to try to stand, m: out from it, to its side; how high the arm is bolted down.

    starts   postures besides the one at rest from which a solution is looked for, the hand both ways
    """

    out: tuple[float, ...]
    aside: tuple[float, ...]
    lifts: tuple[float, ...]
    starts: int


COARSE = Candidates((0.4, 0.55, 0.7, 0.85), (-0.6, -0.3, 0.0, 0.3, 0.6), (0.0, 0.4, 0.8), 1)
# For what the coarse ones miss: 22 of 181 joints in nine kitchens, in 23 s. These found 9 of the 22 in 8 s.
# From postures at rest alone both found 3 fewer in all. Closer still found none more.
FINE = Candidates(
    (0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95),
    (-0.9, -0.75, -0.6, -0.45, -0.3, -0.15, 0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9),
    (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    3,
)


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
    places, coarse = _tried(wanted, arm, clearance, COARSE)
    found = {id for place in places for id in place.reached}
    more, finer = _tried([path for path in wanted if path.id not in found], arm, clearance, FINE)
    missed |= {id: REASONS[max(got, finer.get(id, 0))] for id, got in coarse.items()}
    order = sorted([*places, *more], key=lambda p: (-len(p.reached), -p.freedom))
    reached: dict[str, Reach] = {}
    for place in order:
        for id, reach in place.reached.items():
            reached.setdefault(id, reach)
    return Stands(order[0] if order else None, reached, {k: v for k, v in missed.items() if k not in reached})


def reaches_some(scene: Scene, arm: Arm) -> bool:
    """Say whether an arm reaches any joint of a scene: whether `stands` finds one, in far less time."""
    wanted, clearance = paths(scene), Clearance(scene, arm)
    for way in (COARSE, FINE):
        carts = _free(wanted, arm, clearance, way)
        if any(Search([path], carts, arm.chain, clearance, way.starts).run() for path in wanted):
            return True
    return False


def _tried(
    wanted: Sequence[Path], arm: Arm, clearance: Clearance, way: Candidates
) -> tuple[list[Stand], dict[str, int]]:
    """Return the stands from which something is in reach, and how far each path got (see `REASONS`)."""
    carts = _free(wanted, arm, clearance, way)
    search = Search(wanted, carts, arm.chain, clearance, way.starts)
    found = search.run()
    by_cart: dict[int, dict[str, Reach]] = {}
    for (c, j), reach in sorted(found.items(), key=lambda item: item[0]):
        by_cart.setdefault(c, {})[wanted[j].id] = reach
    got = {path.id: search.got(j) for j, path in enumerate(wanted)}
    return [Stand(carts[c], reached) for c, reached in by_cart.items()], got


def _free(wanted: Sequence[Path], arm: Arm, clearance: Clearance, way: Candidates) -> Array:
    """Return the candidates (m, 4) where the arm can wait."""
    free = [cart for cart in candidates(wanted, way) if clearance.stands(cart, arm.home)]
    return np.array(free).reshape(-1, len(CART))


def candidates(wanted: Sequence[Path], way: Candidates = COARSE) -> list[tuple[float, float, float, float]]:
    """Return places (x, y, lift, yaw) around handles, facing the furniture; sorted, none twice."""
    made: dict[tuple[int, ...], tuple[float, float, float, float]] = {}
    for path in wanted:
        grip, out = path.grips[CLOSED, :2, 3], path.out
        side = np.array([-out[1], out[0]])
        yaw = float(np.arctan2(-out[1], -out[0]))
        for away in way.out:
            for aside in way.aside:
                x, y = grip + away * out + aside * side
                for lift in way.lifts:
                    key = (round(x / GRID), round(y / GRID), round(lift / GRID), round(yaw / 0.1))
                    made.setdefault(key, (float(x), float(y), lift, yaw))
    return sorted(made.values())
