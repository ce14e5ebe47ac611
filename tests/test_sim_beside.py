"""What stands beside what: found for all parts at once as it is for each two of them."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from pocketworld.families.box import Box, BoxFamily
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.geometry.convex import BoxPiece, HullPiece
from pocketworld.geometry.separating import around, bounds
from pocketworld.rng import stream
from pocketworld.scene import Asset, Base, Part, Pose
from pocketworld.sim.models.beside import BESIDE, beside

DRAWERS = Split(True, (0.3, 0.3), (Front(), Front(FrontKind.FIXED)))


def chest(id: str, x: float, y: float, yaw: float) -> Asset:
    made = build(Cabinet(0.5, 0.4, 0.7, DRAWERS), id)
    return replace(made, base=Base.FIXED, pose=Pose.upright((x, y, 0.0), yaw))


def block(id: str, x: float, base: Base = Base.FIXED, y: float = 0.0) -> Asset:
    made = BoxFamily().build(Box(0.1, 0.1, 0.7), id)
    return replace(made, base=base, pose=Pose((x, y, 0.0)))


def some(seed: int) -> list[Asset]:
    """Return chests that stand about, some turned, and things of hulls and turned boxes between them."""
    way = stream(seed, "beside")
    places = way.uniform(-0.9, 0.9, (5, 2))
    chests = [chest(f"c{i}", x, y, way.choice([0.0, 0.3, 1.6])) for i, (x, y) in enumerate(places)]
    points = tuple((float(x), float(y), float(z)) for x, y, z in way.uniform(-0.3, 0.3, (9, 3)))
    turned = BoxPiece((0, 0, 0.3), (0.2, 0.1, 0.4), (0.6, 0, 0, 0.8))
    odd = Part("body", "body", (), (HullPiece(points), turned), 1.0, (0, 0, 0), (1, 1, 1, 0, 0, 0))
    return [
        *chests,
        Asset("odd", "solid", {}, (odd,)),
        Asset("none", "solid", {}, (replace(odd, pieces=()),)),
    ]


def near(a: Asset, one: Part, b: Asset, other: Part) -> bool:
    """Say the same of two parts alone."""
    if not one.pieces or not other.pieces:
        return False
    low, high = bounds(one.pieces)
    b_low, b_high = around(bounds(other.pieces), np.linalg.inv(a.pose.matrix) @ b.pose.matrix)
    return bool((np.maximum(low, b_low) - np.minimum(high, b_high) <= BESIDE).all())


def by_hand(assets: list[Asset]) -> list[tuple[str, str, str, str]]:
    moving = {(a.id, j.child) for a in assets for j in a.joints if j.movable}
    return [
        (a.id, one.id, b.id, other.id)
        for a, b in combinations([a for a in assets if a.base is Base.FIXED], 2)
        for one, other in product(a.parts, b.parts)
        if ((a.id, one.id) in moving or (b.id, other.id) in moving) and near(a, one, b, other)
    ]


@pytest.mark.parametrize("seed", range(8))
def test_all_at_once_as_two_by_two(seed: int) -> None:
    assets = some(seed)
    found = [(a.id, one.id, b.id, other.id) for a, one, b, other in beside(assets)]
    assert found == by_hand(assets)


def test_some_are_and_some_are_not() -> None:
    assert sum(len(by_hand(some(seed))) for seed in range(8)) > 20
    for assets in map(some, range(8)):
        most = sum(len(a.parts) * len(b.parts) for a, b in combinations(assets, 2))
        assert len(by_hand(assets)) < most / 2


@pytest.mark.parametrize(("gap", "expected"), [(-0.02, True), (0.009, True), (0.011, False)])
def test_beside_ends_at_a_centimetre(gap: float, expected: bool) -> None:
    pairs = list(beside([chest("chest", 0.0, 0.0, 0.0), block("post", 0.3 + gap, y=-0.2)]))
    assert (("drawer_0", "body") in {(one.id, other.id) for _, one, _, other in pairs}) == expected


def test_what_moves_nothing_and_what_is_free_is_left_out() -> None:
    assert not list(beside([]))
    assert not list(beside([block("a", 0.0), block("b", 0.1)]))
    assert not list(beside([chest("chest", 0.0, 0.0, 0.0), block("post", 0.3, Base.FREE)]))
    assert list(beside([chest("chest", 0.0, 0.0, 0.0), block("post", 0.3, y=-0.2)]))
