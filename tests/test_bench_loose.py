"""What stands loose in a room is found, missed or invented; by kind, and with what it is off by."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.bench import truth as truths
from pocketworld.bench.kitchen import kitchen
from pocketworld.bench.loose import BUILT_IN, IOU, loose
from pocketworld.bench.score import score
from pocketworld.bench.truth import Truth
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.geometry import se3
from pocketworld.scene import Asset, Pose, Scene

BUILDING = {"wall", "room_door"}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return kitchen(2)


@pytest.fixture(scope="module")
def truth(scene: Scene) -> Truth:
    return truths.of(scene)


def things(scene: Scene) -> list[Asset]:
    return [asset for asset in scene.assets if asset.family not in {*BUILDING, *BUILT_IN}]


def without(scene: Scene, *ids: str) -> Scene:
    return replace(scene, assets=tuple(a for a in scene.assets if a.id not in ids), relations=())


def with_(scene: Scene, *assets: Asset) -> Scene:
    by = {asset.id: asset for asset in assets}
    kept = tuple(by.pop(asset.id, asset) for asset in scene.assets)
    return replace(scene, assets=(*kept, *by.values()))


def shifted(asset: Asset, *by: float) -> Asset:
    x, y, z = (a + b for a, b in zip(asset.pose.position, by, strict=True))
    return replace(asset, pose=Pose((x, y, z), asset.pose.wxyz))


def test_a_room_finds_all_of_itself_as_what_it_is(scene: Scene, truth: Truth) -> None:
    found = loose(scene, truth, np.eye(4))
    assert {(one.predicted, one.true) for one in found.found} == {(a.id, a.id) for a in things(scene)}
    assert all(one.place_mm < 1e-6 and one.size_mm < 1e-6 for one in found.found)
    assert found.counts.f1 == 1
    assert all(n == m == t for n, m, t in found.kinds.values())
    assert {"table", "chair"} <= set(found.kinds)


def test_what_is_gone_is_missed_and_what_is_new_is_invented(scene: Scene, truth: Truth) -> None:
    new = replace(
        registry.family("box").build(Box(0.3, 0.3, 0.3), "ghost"), pose=Pose.upright((9, 9, 0), 0.0)
    )
    found = loose(with_(without(scene, "table"), new), truth, np.eye(4))
    assert (found.missed, found.invented) == ((("table", "table"),), ("ghost",))
    assert found.kinds["table"] == (0, 0, 1)
    assert found.counts.recall < 1
    assert found.counts.precision < 1


def test_what_is_built_in_is_no_loose_thing_whatever_it_is_taken_for(scene: Scene, truth: Truth) -> None:
    assert loose(without(scene, "fridge"), truth, np.eye(4)).missed == ()
    fridge = scene.asset("fridge")
    plain = replace(registry.family("box").build(Box(0.6, 0.6, 1.8), "plain"), pose=fridge.pose)
    assert loose(with_(without(scene, "fridge"), plain), truth, np.eye(4)).invented == ("plain",)


def test_another_family_in_its_place_is_found_but_not_as_such(scene: Scene, truth: Truth) -> None:
    low, high = truths.outer(scene.asset("table"))
    width, depth, height = (float(v) for v in high - low)
    crate = replace(
        registry.family("box").build(Box(width, depth, height), "table"), pose=scene.asset("table").pose
    )
    found = loose(with_(scene, crate), truth, np.eye(4))
    assert found.kinds["table"] == (1, 0, 1)


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05), st.floats(-0.02, 0.02))
def test_it_says_how_far_off_a_thing_is(scene: Scene, truth: Truth, x: float, y: float, z: float) -> None:
    found = loose(with_(scene, shifted(scene.asset("table"), x, y, z)), truth, np.eye(4))
    (table,) = [one for one in found.found if one.true == "table"]
    assert table.place_mm == pytest.approx(1000 * np.linalg.norm((x, y, z)), abs=1e-6)
    assert table.size_mm == pytest.approx(0, abs=1e-6)


def test_a_quarter_turn_changes_no_size_and_another_frame_nothing(scene: Scene) -> None:
    box = registry.family("box")
    one, two = box.build(Box(0.3, 0.2, 0.4), "a"), box.build(Box(0.2, 0.3, 0.4), "b")
    room = replace(scene, assets=(one, replace(scene.asset("table"), pose=Pose.upright((5, 0, 0), 0.0))))
    turned = replace(room, assets=(replace(two, pose=Pose.upright((0, 0, 0), np.pi / 2)), *room.assets[1:]))
    own = truths.of(room)
    assert loose(turned, own, np.eye(4)).found[0].size_mm == pytest.approx(0, abs=1e-6)
    motion = se3.exp(np.array([1.0, 2.0, 0.3, 0.1, 0.2, 0.3]))
    seen = replace(turned, scene_from_capture=tuple(map(tuple, motion.tolist())))
    assert len(loose(seen, own, motion).found) == 2
    assert len(loose(seen, own, np.eye(4)).found) == 0


def test_a_box_that_shares_too_little_is_both_missed_and_invented(scene: Scene, truth: Truth) -> None:
    thing = next(a for a in things(scene) if a.id.startswith("thing"))
    low, high = truths.outer(thing)
    high_m = float(high[2] - low[2])
    for share, right in ((IOU + 0.05, True), (IOU - 0.05, False)):
        up = high_m * (1 - share) / (1 + share)
        found = loose(with_(scene, shifted(thing, 0, 0, up)), truth, np.eye(4))
        assert (found.invented == ()) is right
        assert (found.missed == ()) is right


def test_the_score_of_a_room_says_it_and_that_of_one_piece_does_not(scene: Scene, truth: Truth) -> None:
    result = score(without(scene, "table"), truth)
    text = result.text()
    assert "missed 1, invented 0" in text
    assert "table 0 (0 as such) of 1" in text
    data = json.loads(json.dumps(result.to_json()))["loose"]
    assert data["missed"] == [["table", "table"]]
    assert data["recall"] < data["precision"] == 1
    alone = Scene("one", (scene.asset("table"),))
    assert score(alone, truths.of(alone)).loose is None
