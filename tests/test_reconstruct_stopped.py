"""What opens into its neighbour in a twin stands aside of it or stops before it, and that is told."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.feasible import LEAST_WAY
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind
from pocketworld.geometry.across import across
from pocketworld.geometry.depth import SLACK, TOUCH, depth
from pocketworld.reconstruct.aside import FARTHEST, STEP, aside
from pocketworld.reconstruct.clearance import crossings
from pocketworld.reconstruct.stopped import stopped
from pocketworld.scene import Asset, Base, HandleKind, Pose, Relation, Scene, Side

WIDE = 1.7  # rad that the door opens where nothing stops it
BAR = usual(HandleKind.BAR, 0.9, 0.5, vertical=True)


def unit(kind: FrontKind = FrontKind.DOOR, id: str = "unit") -> Asset:
    """Return a unit, its door hinged left; its front is at y = -0.3."""
    side = Side.LEFT if kind is FrontKind.DOOR else Side.NONE
    front = Front(kind, side, BAR, opening=WIDE if kind is FrontKind.DOOR else 0.4)
    made = registry.family("cabinet").build(Cabinet(0.6, 0.6, 0.8, front), id)
    return replace(made, base=Base.FIXED)


def grid(asset: Asset) -> Front:
    found = registry.rebuild(asset).grid
    assert isinstance(found, Front)
    return found


def post(gap: float, out: float, base: Base = Base.FIXED) -> Asset:
    """Return a post at the left of the unit that stands out before its front, m."""
    made = registry.family("box").build(Box(0.1, 0.6 + out, 0.9), "post")
    return replace(made, base=base, pose=Pose((-0.35 - gap, -out / 2, 0.0)))


def turned(scene: Scene, yaw: float) -> Scene:
    by = Pose.upright((0.4, -1.3, 0.0), yaw).matrix

    def there(asset: Asset) -> Asset:
        x, y, z = (float(v) for v in (by @ asset.pose.matrix)[:3, 3])
        return replace(asset, pose=Pose.upright((x, y, z), yaw))

    return replace(scene, assets=tuple(map(there, scene.assets)))


def shifted(scene: Scene, ways: list[np.ndarray]) -> Scene:
    def by(asset: Asset, way: np.ndarray) -> Asset:
        x, y, z = (float(v) for v in np.add(asset.pose.position, way))
        return replace(asset, pose=Pose((x, y, z), asset.pose.wxyz))

    return replace(scene, assets=tuple(by(a, w) for a, w in zip(scene.assets, ways, strict=True)))


def codes(scene: Scene) -> list[str]:
    return [finding.code for finding in scene.findings]


@pytest.mark.parametrize("yaw", [0.0, 0.7, math.pi])
def test_what_meets_its_neighbour_by_millimetres_stands_aside(yaw: float) -> None:
    scene = turned(Scene("s", (unit(), post(-0.004, 0.02))), yaw)
    assert list(crossings(scene))
    out = aside(scene)
    assert not list(crossings(out))
    ways = [np.subtract(out.asset(a.id).pose.position, a.pose.position) for a in scene.assets]
    moved = [float(np.linalg.norm(way)) for way in ways]
    assert sorted(m > 0 for m in moved) == [False, True]
    assert max(moved) <= FARTHEST + TOUCH
    assert list(crossings(shifted(scene, [way * (1 - 1.1 * STEP / max(moved)) for way in ways])))
    assert codes(out) == ["moved-aside"]
    assert out.findings[0].numbers["moved_m"] == pytest.approx(max(moved), abs=1e-4)
    assert aside(out) == out


def test_it_moves_along_its_own_front() -> None:
    scene = turned(Scene("s", (unit(), post(-0.004, 0.02))), 0.7)
    out = aside(scene)
    for asset in scene.assets:
        way = np.subtract(out.asset(asset.id).pose.position, asset.pose.position)
        assert np.allclose(np.cross(way, asset.pose.matrix[:3, 0]), 0, atol=1e-12)


def test_nothing_is_moved_into_something_else() -> None:
    """On the other side stands another post: the unit in between has no room, the first one has."""
    wedge = replace(post(0.0, 0.0), id="wedge", pose=Pose((0.35, 0.0, 0.0)))
    out = aside(Scene("s", (unit(), post(-0.004, 0.02), wedge)))
    assert out.asset("unit").pose == Pose()
    assert out.asset("post").pose.position[0] < post(-0.004, 0.02).pose.position[0]
    assert depth(out.asset("unit"), out.asset("wedge")) <= TOUCH


def test_what_carries_something_and_what_meets_by_more_stays() -> None:
    near, far = Scene("s", (unit(), post(-0.004, 0.02))), Scene("s", (unit(), post(-2 * FARTHEST, 0.02)))
    carrying = (Relation("on", "cup", "unit"), Relation("on", "jar", "post"))
    held = replace(near, relations=carrying, assets=(*near.assets, *_loose("cup", "jar")))
    for scene in (held, far):
        assert aside(scene) == scene
        assert list(crossings(scene))


@pytest.mark.parametrize(
    "relation",
    [Relation("inside", "post", "wall"), Relation("on", "post", "unit"), Relation("against", "unit", "post")],
)
def test_what_holds_others_or_is_held_stays_and_the_other_moves(relation: Relation) -> None:
    """A wall with a door, a door in it, a worktop on its units: none slides out of what it belongs to."""
    scene = Scene("s", (unit(), post(-0.004, 0.02)))
    assert aside(scene).asset("post").pose != scene.asset("post").pose
    out = aside(replace(scene, relations=(relation,)))
    assert out.asset("post").pose == scene.asset("post").pose
    if relation.b != "unit":
        assert out.asset("unit").pose != scene.asset("unit").pose
    kept = replace(scene, relations=(Relation("on", "post", "floor"), Relation("against", "post", "wall")))
    assert aside(kept).asset("post").pose == aside(scene).asset("post").pose


def _loose(*ids: str) -> tuple[Asset, ...]:
    box = registry.family("box").build(Box(0.05, 0.05, 0.05), "x")
    return tuple(replace(box, id=id, base=Base.FREE, pose=Pose((i + 3.0, 0, 0))) for i, id in enumerate(ids))


def test_a_clear_kitchen_stays_as_it_is(row_kitchen: Scene) -> None:
    assert aside(row_kitchen) == row_kitchen
    assert stopped(row_kitchen) == row_kitchen


def test_a_door_stops_before_what_stands_beside_it() -> None:
    scene = Scene("s", (unit(), post(0.03, 0.5)))
    assert list(crossings(scene))
    out = stopped(scene)
    (joint,) = out.asset("unit").movable
    assert math.pi / 2 < joint.range[1] < WIDE
    assert not across(out.asset("unit"), [out.asset("post")], SLACK)
    assert codes(out) == ["stops-at-neighbour"]
    assert out.findings[0].numbers["opens_rad"] == pytest.approx(joint.range[1], abs=1e-3)
    assert stopped(out) == out


def test_the_stop_is_in_the_parameters_and_all_else_is_as_it_was() -> None:
    before = unit()
    after = stopped(Scene("s", (before, post(0.03, 0.5)))).asset("unit")
    assert grid(after).opening == after.movable[0].range[1]
    assert replace(grid(after), opening=WIDE, friction=0.0) == replace(grid(before), friction=0.0)
    assert (after.pose, after.base, after.alternatives) == (before.pose, before.base, before.alternatives)
    assert [part.id for part in after.parts] == [part.id for part in before.parts]
    assert [len(part.meshes) for part in after.parts] == [len(part.meshes) for part in before.parts]


def test_a_door_that_could_hardly_open_a_drawer_and_what_is_free_change_nothing() -> None:
    blocked = replace(post(0.03, 0.5), pose=Pose((0.0, -0.45, 0.0)))
    for scene in (
        Scene("s", (unit(), blocked)),
        Scene("s", (unit(FrontKind.DRAWER), blocked)),
        Scene("s", (unit(), post(0.03, 0.5, Base.FREE))),
    ):
        assert stopped(scene) == scene
    assert math.pi / 2 > LEAST_WAY * WIDE
