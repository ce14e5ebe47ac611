"""Where an arm stands, what it reaches from there, and what it does not reach and why."""

from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.geometry.convex import BoxPiece
from pocketworld.rng import stream
from pocketworld.scene import Asset, HandleKind, Part, Pose, Scene, Side
from pocketworld.sim.robots import stand
from pocketworld.sim.robots.clearance import Clearance
from pocketworld.sim.robots.kinematics import close, difference
from pocketworld.sim.robots.panda import panda
from pocketworld.sim.robots.paths import AHEAD, CLOSED, SHARES, paths, towards
from pocketworld.sim.robots.search import REASONS, Search, frames, place_of, with_cart
from pocketworld.sim.robots.stand import COARSE, FINE, Candidates, candidates, reaches_some, stands
from pocketworld.sim.tasks.task import TASKS

Array = NDArray[np.float64]


@cache
def cabinet(lift: float = 0.0, yaw: float = 0.0, kind: FrontKind = FrontKind.DRAWER) -> Scene:
    side = Side.LEFT if kind is FrontKind.DOOR else Side.NONE
    front = Front(kind, side, usual(HandleKind.BAR), opening=1.5 if kind is FrontKind.DOOR else 0.85)
    asset = build(Cabinet(0.5, 0.45, 0.4, front), "cab")
    return Scene("s", (replace(asset, pose=Pose.upright((0.3, -0.2, lift), yaw)),))


def chest() -> Scene:
    front = Front(FrontKind.DRAWER, Side.NONE, usual(HandleKind.BAR))
    return Scene("s", (build(Cabinet(0.5, 0.45, 0.8, Split(True, (1.0, 1.0, 1.0), (front,) * 3)), "cab"),))


def box(id: str, centre: tuple[float, float, float], size: tuple[float, float, float]) -> Asset:
    piece = BoxPiece(centre, size)
    return Asset(id, "solid", {}, (Part("body", "body", (), (piece,), 1.0, centre, (1, 1, 1, 0, 0, 0)),))


@pytest.mark.parametrize("kind", [FrontKind.DRAWER, FrontKind.DOOR])
def test_a_path_comes_from_ahead_and_goes_with_the_handle(kind: FrontKind) -> None:
    scene = cabinet(yaw=0.7, kind=kind)
    (path,) = paths(scene)
    assert len(path.q) == len(AHEAD) + len(SHARES)
    closed = path.grips[CLOSED]
    for far, grip in zip(AHEAD, path.grips, strict=False):
        assert grip[:3, 3] - closed[:3, 3] == pytest.approx(far * closed[:3, 0])
    joint = scene.assets[0].movable[0]
    assert path.q[-1] > 0.8 * joint.range[1]
    moved = (
        scene.assets[0].pose.matrix @ joint.motion(path.q[-1]) @ np.linalg.inv(scene.assets[0].pose.matrix)
    )
    assert path.grips[-1] == pytest.approx(moved @ closed)
    assert np.hypot(*path.out) == pytest.approx(1)


def test_the_other_way_round_is_half_a_turn_about_the_way_out() -> None:
    wanted = paths(cabinet())
    same, other = (towards(wanted, np.array([way]))[0] for way in (0, 1))
    assert other[:, :3, 3] == pytest.approx(same[:, :3, 3])
    assert other[:, :3, 0] == pytest.approx(same[:, :3, 0])
    assert other[:, :3, 1:3] == pytest.approx(-same[:, :3, 1:3])


@pytest.mark.parametrize("kind", [FrontKind.DRAWER, FrontKind.DOOR])
@pytest.mark.parametrize("lift", [0.0, 0.5, 1.2])
def test_the_panda_reaches_a_cabinets_front(kind: FrontKind, lift: float) -> None:
    scene, arm = cabinet(lift, 0.4, kind), panda()
    found = stands(scene, arm)
    (path,) = paths(scene)
    reach = found.reached[path.id]
    assert found.best is not None
    assert place_of(reach) == pytest.approx(tuple(found.best.cart))
    assert not found.missed
    cart = np.array(place_of(reach))
    grips, _ = arm.chain.forward(reach.postures[:, 4:-2])
    world = frames(cart[None])[0] @ grips
    held = [close(difference(world, towards([path], np.array([way]))[0])).all() for way in (0, 1)]
    assert sum(held) == 1, "held one way or the other, all along"
    assert (reach.postures[:, 4:-2] >= arm.chain.low).all()
    assert (reach.postures[:, 4:-2] <= arm.chain.high).all()
    assert Clearance(scene, arm).passes(path, cart, reach.postures[:, 4:-2])
    assert np.abs(np.diff(reach.postures[:, 4:-2], axis=0)).max() < 1.0, "no leaps"


def test_it_stands_the_same_each_time_and_is_turned_with_the_furniture() -> None:
    one, again = stands(cabinet(), panda()), stands(cabinet(), panda())
    turned = stands(cabinet(yaw=2.0), panda())
    a, b, c = (next(iter(found.reached.values())) for found in (one, again, turned))
    assert np.array_equal(a.postures, b.postures)
    assert c.postures[:, 4:] == pytest.approx(a.postures[:, 4:], abs=0.1)


def test_it_stands_where_it_opens_most_and_of_these_where_it_has_most_freedom() -> None:
    scene, arm = chest(), panda()
    wanted, clearance = paths(scene), Clearance(scene, arm)
    carts = np.array([cart for cart in candidates(wanted) if clearance.stands(cart, arm.home)])
    from_each: dict[int, dict[str, float]] = {}
    for (c, j), reach in Search(wanted, carts, arm.chain, clearance, COARSE.starts).run().items():
        from_each.setdefault(c, {})[wanted[j].id] = reach.freedom
    freedoms = [np.mean(list(one.values())) for one in from_each.values() if len(one) == len(wanted)]
    assert max(freedoms) > 1.1 * min(freedoms), "equal stands, but for this"
    found = stands(scene, arm)
    assert found.best is not None
    assert set(found.best.reached) == set(found.reached) == {path.id for path in wanted}
    assert found.best.freedom == pytest.approx(max(freedoms))
    for id, reach in found.best.reached.items():
        assert found.reached[id] is reach


@pytest.mark.parametrize("way", ["COARSE", "FINE"])
def test_a_door_is_found_only_from_a_drawn_start(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """At a stand where what begins at rest does not get along all of its path."""
    scene, here = cabinet(0.5, kind=FrontKind.DOOR), Candidates((0.7,), (0.0,), (0.0,), 0)
    monkeypatch.setattr(stand, "COARSE", here)
    monkeypatch.setattr(stand, "FINE", here)
    assert not stands(scene, panda()).reached
    assert not reaches_some(scene, panda())
    monkeypatch.setattr(stand, way, replace(here, starts=1))
    assert set(stands(scene, panda()).reached) == {"cab/0"}
    assert reaches_some(scene, panda())


def test_more_starts_are_drawn_for_what_coarse_ones_miss() -> None:
    assert 0 < COARSE.starts < FINE.starts


@pytest.mark.parametrize("swapped", [False, True])
def test_why_a_joint_is_missed_is_how_far_it_got_from_anywhere(
    monkeypatch: pytest.MonkeyPatch, swapped: bool
) -> None:
    away = Candidates((5.0,), (0.0,), (0.0,), 1)
    scene = cabinet(2.1)
    assert set(stands(scene, panda()).missed.values()) <= set(REASONS[1:])
    monkeypatch.setattr(stand, "COARSE", away)
    monkeypatch.setattr(stand, "FINE", away)
    assert stands(scene, panda()).missed == {"cab/0": REASONS[0]}
    monkeypatch.setattr(stand, "FINE" if swapped else "COARSE", FINE)
    assert stands(scene, panda()).missed == {"cab/0": REASONS[1]}


def test_what_is_too_high_is_missed() -> None:
    found = stands(cabinet(lift=3.0), panda())
    assert found.best is None
    assert found.missed == {"cab/0": "no free place to stand is near enough"}


def test_what_has_no_handle_is_missed() -> None:
    asset = build(Cabinet(0.5, 0.45, 0.3, Front(handle=usual(HandleKind.NONE))), "bare")
    assert stands(Scene("s", (asset,)), panda()).missed == {"bare/0": "it has no handle"}


def test_a_wall_in_front_leaves_no_place_and_a_post_another() -> None:
    open_ = cabinet()
    grip = paths(open_)[0].grips[CLOSED, :3, 3]
    ahead = (float(grip[0]), float(grip[1]) - 0.85, 1.0)
    wall = Scene("s", (*open_.assets, box("wall", ahead, (4.0, 1.2, 2.0))))
    assert stands(wall, panda()).best is None
    before = stands(open_, panda()).best
    assert before is not None
    post = box("post", (float(before.cart[0]), float(before.cart[1]), 0.5), (0.1, 0.1, 1.0))
    after = stands(Scene("s", (*open_.assets, post)), panda()).best
    assert after is not None
    assert np.hypot(*(after.cart - before.cart)[:2]) > 0.05


def test_candidates_stand_around_handles_and_none_twice() -> None:
    wanted = paths(cabinet())
    places = candidates(wanted)
    assert len(set(places)) == len(places) >= 30
    assert candidates([*wanted, *wanted]) == places
    grip = wanted[0].grips[CLOSED, :2, 3]
    assert all(0.3 < np.hypot(*(np.array(place[:2]) - grip)) < 1.2 for place in places)


def test_finer_candidates_contain_more_of_the_same_sort() -> None:
    wanted = paths(cabinet())
    fine = candidates(wanted, FINE)
    assert len(set(fine)) == len(fine) > 5 * len(candidates(wanted, COARSE))
    assert {place[2] for place in fine} == set(FINE.lifts)


def test_what_coarse_candidates_miss_is_looked_for_from_finer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    near = Candidates((0.85,), (0.0,), (0.0,), 1)
    monkeypatch.setattr(stand, "COARSE", near)
    scene = cabinet(1.2)
    (path,) = paths(scene)
    arm, clearance = panda(), Clearance(scene, panda())
    assert not Search([path], np.array(candidates([path], near)), arm.chain, clearance).run()
    assert set(stands(scene, arm).reached) == {path.id}
    assert reaches_some(scene, arm)


@pytest.mark.parametrize("lift", [0.0, 0.9, 1.6, 3.0])
@pytest.mark.parametrize("kind", [FrontKind.DRAWER, FrontKind.DOOR])
def test_whether_some_joint_is_reached_is_what_stands_find(lift: float, kind: FrontKind) -> None:
    scene = cabinet(lift, kind=kind)
    assert reaches_some(scene, panda()) == bool(stands(scene, panda()).reached)


def test_a_scene_without_handles_or_joints_has_nothing_in_reach() -> None:
    bare = build(Cabinet(0.5, 0.45, 0.3, Front(handle=usual(HandleKind.NONE))), "bare")
    for scene in (Scene("s", (bare,)), Scene("s", (box("post", (0, 0, 0.5), (0.1, 0.1, 1.0)),))):
        assert not reaches_some(scene, panda())
        assert not stands(scene, panda()).reached


def test_what_is_found_for_a_pair_does_not_depend_on_others() -> None:
    scene, arm = chest(), panda()
    wanted = paths(scene)
    carts, clearance = np.array(candidates(wanted))[::4], Clearance(scene, arm)
    whole = Search(wanted, carts, arm.chain, clearance).run()
    assert {j for _, j in whole} == {0, 1, 2}
    for j, path in enumerate(wanted):
        alone = Search([path], carts, arm.chain, clearance).run()
        assert {c for c, _ in alone} == {c for c, k in whole if k == j}
        for (c, _), reach in alone.items():
            assert np.array_equal(reach.postures, whole[c, j].postures)


def test_paths_go_as_far_as_any_task_has_a_part_open() -> None:
    assert SHARES[-1] >= max(task.goal for task in TASKS.values())
    assert SHARES[-1] >= max(share for task in TASKS.values() for share in task.start)


def test_a_cart_and_postures_make_all_joints() -> None:
    made = with_cart(np.array([1.0, 2, 3, 4]), np.zeros((5, 7)))
    assert made.shape == (5, 13)
    assert (made[:, :4] == (1, 2, 3, 4)).all()


@pytest.mark.slow
def test_of_sampled_cabinets_most_joints_are_reached() -> None:
    count = reached = 0
    for number in range(12):
        asset = build(sample(partial(stream, number, "stands"), Site((1.5, 0.7, 1.6))), "cab")
        scene = Scene("s", (asset,))
        count += len(asset.movable)
        reached += len(stands(scene, panda()).reached)
    assert reached >= 0.5 * count
