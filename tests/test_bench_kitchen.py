"""Drawn kitchens: what each promises to hold, that all of it opens and stands, and that they differ."""

import math
from itertools import pairwise

import numpy as np
import pytest

from pocketworld.bench.kitchen import kitchen
from pocketworld.bench.kitchen_rows import BESIDE
from pocketworld.bench.kitchen_units import DARK, HANDLES
from pocketworld.bench.route import corners_of
from pocketworld.bench.truth import outer
from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet, FrontKind, fronts
from pocketworld.families.worktop import Worktop
from pocketworld.geometry.across import among
from pocketworld.geometry.sweep import sweep
from pocketworld.scene import Asset, Base, HandleKind, JointKind, Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.stability import stand

SEEDS = range(12)


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed{seed}")
def scene(request: pytest.FixtureRequest) -> Scene:
    return kitchen(request.param)


def cabinets(scene: Scene) -> dict[str, Cabinet]:
    return {a.id: registry.rebuild(a) for a in scene.assets if a.family == "cabinet"}


def test_the_same_seed_gives_the_same_kitchen_and_another_another() -> None:
    one, same, other = kitchen(3), kitchen(3), kitchen(4)
    assert [a.parameters for a in one.assets] == [a.parameters for a in same.assets]
    assert [a.pose for a in one.assets] == [a.pose for a in same.assets]
    assert [a.parameters for a in one.assets] != [a.parameters for a in other.assets]


def test_it_has_what_a_kitchen_has(scene: Scene) -> None:
    ids = [asset.id for asset in scene.assets]
    for id in (
        "fridge",
        "oven",
        "sink-unit",
        "table",
        "chair-1",
        "chair-2",
        "room-door",
        "wall-1",
        "wall-2",
        "wall-unit-1",
    ):
        assert id in ids
    assert {"cabinet", "fridge", "oven", "worktop", "table", "wall", "room_door"} <= {
        a.family for a in scene.assets
    }
    assert 2 <= sum(id.startswith("wall-") and "unit" not in id for id in ids) <= 4
    tops = [registry.rebuild(a) for a in scene.assets if a.family == "worktop"]
    assert sum(isinstance(p, Worktop) and p.cutout is not None for p in tops) == 1


def test_it_is_not_kind(scene: Scene) -> None:
    """Small gaps, three sorts of handles, one dark unit, unequal modules, a front that opens nothing."""
    units = cabinets(scene)
    assert len({p.gap for p in units.values()}) == 1
    assert all(0.002 <= p.gap <= 0.004 for p in units.values())
    kinds = {f.handle.kind for p in units.values() for _, f in fronts(p.grid)} - {HandleKind.NONE}
    assert len(kinds) == HANDLES
    assert sum(max(p.face.colour) <= 1.5 * DARK for p in units.values()) == 1
    assert any(f.kind is FrontKind.FIXED for _, f in fronts(units["sink-unit"].grid))
    widths = {round(p.width, 3) for p in units.values()}
    assert len(widths) >= 2
    assert min(widths) >= 0.3
    assert max(widths) <= 0.9


def test_everything_opens_through_nothing(scene: Scene) -> None:
    assert [hit for asset in scene.assets for hit in sweep(asset)] == []
    assert among(scene.assets) == ()


def test_it_stands_still_and_shut_on_a_floor_that_leans(scene: Scene) -> None:
    model = mjcf.document(scene, visual=False).compile()
    for tilt in (0.0, math.radians(2)):
        standing = stand(model, seconds=0.5, tilt=tilt)
        assert standing.still, standing


def test_neighbours_of_a_row_are_a_gap_apart_and_flush(scene: Scene) -> None:
    gap = cabinets(scene)["sink-unit"].gap
    for relation in scene.relations:
        if relation.kind == "flush_with" and scene.asset(relation.a).family != "worktop":
            a, b = scene.asset(relation.a), scene.asset(relation.b)
            if a.id.startswith("wall-unit"):
                continue  # what hangs may leave a place for a hood
            turn = a.pose.matrix[:3, :3]
            right = (corners_of(a) @ turn)[:, 0].max()
            left = (corners_of(b) @ turn)[:, 0].min()
            beside_fridge = "fridge" in (a.id, b.id)
            assert left - right == pytest.approx(BESIDE if beside_fridge else gap, abs=1e-6)


def test_relations_name_what_is_there_and_say_what_is_so(scene: Scene) -> None:
    known = {asset.id for asset in scene.assets} | {"floor"}
    assert {r.kind for r in scene.relations} == {"on", "against", "flush_with", "inside"}
    for relation in scene.relations:
        assert {relation.a, relation.b} <= known
        low = corners_of(scene.asset(relation.a))[:, 2].min()
        if relation.kind == "on" and relation.b == "floor":
            assert low == pytest.approx(0, abs=1e-9)
        elif relation.kind == "on" and scene.asset(relation.a).family != "worktop":
            assert low == pytest.approx(corners_of(scene.asset(relation.b))[:, 2].max(), abs=1e-6)


def test_what_stands_on_something_stands_within_it_and_beside_the_others(scene: Scene) -> None:
    for relation in scene.relations:
        if relation.kind == "on" and relation.a.startswith("thing"):
            top = scene.asset(relation.b)
            away = np.linalg.inv(top.pose.matrix)
            own = corners_of(scene.asset(relation.a)) @ away[:3, :3].T + away[:3, 3]
            low, high = outer(top)
            assert (own[:, :2] > low[:2]).all()
            assert (own[:, :2] < high[:2]).all()
    things = [a for a in scene.assets if a.id.startswith("thing")]
    assert {a.base for a in things} == {Base.FREE}
    for a, b in pairwise(things):
        apart = np.maximum(
            corners_of(a).min(0) - corners_of(b).max(0), corners_of(b).min(0) - corners_of(a).max(0)
        )
        assert apart.max() >= -1e-9


def test_nothing_of_a_wall_a_table_or_a_thing_moves(scene: Scene) -> None:
    still = [a for a in scene.assets if a.family not in ("cabinet", "fridge", "oven", "room_door")]
    assert len(still) >= 5
    assert not any(asset.joints for asset in still)
    assert {j.kind for _, j in scene.joints()} == {JointKind.SLIDE, JointKind.HINGE}


def test_kitchens_differ() -> None:
    scenes = [kitchen(seed) for seed in SEEDS]

    def layout(scene: Scene) -> tuple[str, ...]:
        return tuple(f"{a.id}:{len(a.joints)}" for a in scene.assets)

    assert len({layout(scene) for scene in scenes}) >= 10
    cornered = sum(any(a.id == "worktop-2" for a in scene.assets) for scene in scenes)
    assert 1 <= cornered <= 10
    counts = [sum(1 for _ in scene.joints()) for scene in scenes]
    assert min(counts) >= 10
    assert max(counts) - min(counts) >= 4


def test_a_kitchen_keeps_to_its_walls(scene: Scene) -> None:
    """No unit reaches behind the wall that it stands against."""
    for relation in scene.relations:
        if relation.kind == "against":
            asset, wall = scene.asset(relation.a), scene.asset(relation.b)
            assert in_front(asset, wall) >= 0


def test_the_door_fills_its_opening(scene: Scene) -> None:
    (inside,) = (r for r in scene.relations if r.kind == "inside")
    wall, door = scene.asset(inside.b), scene.asset(inside.a)
    (hole,) = registry.rebuild(wall).openings
    away = np.linalg.inv(wall.pose.matrix)
    points = np.concatenate([piece.vertices for piece in door.parts[0].pieces])
    placed = points @ (away @ door.pose.matrix)[:3, :3].T + (away @ door.pose.matrix)[:3, 3]
    assert placed[:, 0].min() == pytest.approx(hole.left, abs=1e-6)
    assert placed[:, 0].max() == pytest.approx(hole.right, abs=1e-6)
    assert placed[:, 2].max() == pytest.approx(hole.top, abs=1e-6)


def in_front(asset: Asset, wall: Asset) -> float:
    """Return how far the asset's back is before the wall's face, m."""
    away = np.linalg.inv(wall.pose.matrix)
    back = (corners_of(asset) @ away[:3, :3].T + away[:3, 3])[:, 1].max()
    return float(outer(wall)[0][1] - back)
