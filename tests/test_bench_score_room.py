"""Laws of the scorer on rooms: things as wholes, what opens that never does, the baseline, truth files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.bench import truth as truths
from pocketworld.bench import truth_file
from pocketworld.bench.instances import IOU, instances, iou
from pocketworld.bench.kitchen import kitchen
from pocketworld.bench.rectangles import corners
from pocketworld.bench.score import Score, score
from pocketworld.bench.truth import Truth, TruthError
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.geometry import se3
from pocketworld.scene import Asset, Joint, JointKind, Matrix4, Pose, Scene, Side

BUILDING = {"wall", "room_door"}


@pytest.fixture(scope="module")
def scene() -> Scene:
    motion = se3.exp(np.array([0.4, -1.0, 2.0, np.pi / 2, 0.1, -0.2]))
    return replace(kitchen(2), scene_from_capture=matrix(motion))


@pytest.fixture(scope="module")
def truth(scene: Scene) -> Truth:
    return truths.of(scene)


@pytest.fixture(scope="module")
def perfect(scene: Scene, truth: Truth) -> Score:
    return score(scene, truth)


def matrix(motion: se3.Array) -> Matrix4:
    a, b, c, d = ((float(w), float(x), float(y), float(z)) for w, x, y, z in motion)
    return (a, b, c, d)


def changed(scene: Scene, *assets: Asset) -> Scene:
    by = {asset.id: asset for asset in assets}
    return replace(scene, assets=tuple(by.get(asset.id, asset) for asset in scene.assets))


def without(scene: Scene, *ids: str) -> Scene:
    return replace(scene, assets=tuple(a for a in scene.assets if a.id not in ids), relations=())


def shifted(asset: Asset, *by: float) -> Asset:
    x, y, z = (a + b for a, b in zip(asset.pose.position, by, strict=True))
    return replace(asset, pose=Pose((x, y, z), asset.pose.wxyz))


def test_a_room_is_as_good_as_itself(scene: Scene, truth: Truth, perfect: Score) -> None:
    for parts in (perfect.standard, perfect.tight):
        assert [c.f1 for c in (parts.part, parts.m, parts.ma, parts.mao)] == [1, 1, 1, 1]
    assert len(perfect.refined.parts) == sum(1 for _ in scene.joints()) == len(truth.parts)
    assert (perfect.missed, perfect.false, perfect.on_still, perfect.hinge_sides) == ((), (), (), 1.0)
    assert perfect.instances is not None
    assert perfect.instances.counts.f1 == 1
    assert {a for a, b in perfect.instances.found if a == b} == {
        a.id for a in scene.assets if a.family not in BUILDING
    }
    assert perfect.refined.box is None


def test_a_lost_unit_costs_its_parts_and_one_thing(scene: Scene, truth: Truth) -> None:
    gone = next(a for a in scene.assets if a.family == "cabinet" and len(a.movable) >= 2)
    result = score(without(scene, gone.id), truth)
    assert set(result.missed) == {f"{gone.id}/{joint.child}" for joint in gone.movable}
    assert result.standard.part.precision == 1.0
    assert result.instances is not None
    assert (result.instances.missed, result.instances.false) == ((gone.id,), ())


def test_all_drawers_find_the_same_fronts_but_the_kinds_of_drawers_alone(
    scene: Scene, truth: Truth, perfect: Score
) -> None:
    """Fixed fronts become false parts of the baseline; what it is called otherwise does not matter to it."""
    drawers = sum(part.kind is JointKind.SLIDE for part in truth.parts)
    fronts = sum(part.front is not None for a in scene.assets for part in a.parts)
    counts = perfect.drawers
    assert counts.part.right == len(truth.parts)
    assert counts.part.predicted == fronts > len(truth.parts)
    assert (counts.m.right, counts.ma.right, counts.mao.right) == (drawers,) * 3
    blind = replace(scene, assets=tuple(all_fixed(asset) for asset in scene.assets))
    again = score(blind, truth)
    assert again.standard.part.right == 0
    assert again.drawers == counts


def all_fixed(asset: Asset) -> Asset:
    still = tuple(replace(joint, kind=JointKind.FIXED, range=(0.0, 0.0), state=0.0) for joint in asset.joints)
    return replace(asset, joints=still)


def test_a_door_on_a_wall_a_table_or_a_thing_is_said(scene: Scene, truth: Truth) -> None:
    """A drawer's twin moved before the wall, the table and a box: each is false, and named."""
    unit = next(a for a in scene.assets if a.family == "cabinet" and a.movable)
    thing = next(a for a in scene.assets if a.id.startswith("thing"))
    for other in (scene.asset("table"), thing, scene.asset("wall-2")):
        low, high = truths.outer(other)
        at = other.pose.matrix @ [*(low[:2] + high[:2]) / 2 - (0, (high - low)[1] / 2), high[2] / 2, 1]
        front = unit.part(unit.movable[0].child).front
        assert front is not None
        there = Pose((float(at[0]), float(at[1]), float(at[2])), other.pose.wxyz)
        x, y, z = there.matrix[:3, :3] @ front.centre
        stray = shifted(replace(unit, id="stray", pose=there), -x, -y, -z)
        stray = only(stray, unit.movable[0])
        result = score(replace(scene, assets=(*scene.assets, stray)), truth)
        assert result.false == result.on_still == (f"stray/{unit.movable[0].child}",), other.id
        assert result.standard.part.right == len(truth.parts)


def only(asset: Asset, joint: Joint) -> Asset:
    parts = tuple(p for p in asset.parts if p.id in (joint.parent, joint.child))
    return replace(asset, parts=parts, joints=(joint,))


def test_a_false_part_of_a_unit_is_not_on_something_still(scene: Scene, truth: Truth) -> None:
    unit = scene.asset("sink-unit")
    fixed = next(joint for joint in unit.joints if not joint.movable)
    opens = replace(fixed, kind=JointKind.SLIDE, axis=(0.0, -1.0, 0.0), range=(0.0, 0.3))
    joints = tuple(opens if joint is fixed else joint for joint in unit.joints)
    result = score(changed(scene, replace(unit, joints=joints)), truth)
    assert result.false == (f"sink-unit/{fixed.child}",)
    assert result.on_still == ()


def test_hinges_on_the_wrong_side_cost_their_kind(scene: Scene, truth: Truth) -> None:
    asset = next(a for a in scene.assets if a.family == "cabinet" and len(a.movable) == 1)
    (joint,) = asset.movable
    assert joint.kind is JointKind.HINGE
    other = Side.RIGHT if joint.belief.best.side is Side.LEFT else Side.LEFT
    (belief,) = joint.belief.hypotheses
    turned = replace(joint, belief=replace(joint.belief, hypotheses=(replace(belief, side=other),)))
    joints = tuple(turned if j is joint else j for j in asset.joints)
    result = score(changed(scene, replace(asset, joints=joints)), truth)
    hinges = sum(part.kind is JointKind.HINGE for part in truth.parts)
    assert result.hinge_sides == pytest.approx(1 - 1 / hinges)
    assert result.standard.m.right == len(truth.parts) - 1


@settings(max_examples=30)
@given(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9), st.floats(-3, 3))
def test_iou_of_shifted_boxes_is_that_of_their_overlaps(x: float, y: float, yaw: float) -> None:
    family = registry.family("box")
    asset = replace(family.build(Box(1.0, 1.0, 0.5), "a"), pose=Pose.upright((0.3, -0.2, 0.1), yaw))
    box = truths.of(Scene("s", (asset,))).box
    along = asset.pose.matrix[:3, :3] @ (x, y, 0)
    there = shifted(asset, *(float(v) for v in along))
    shared = (1 - abs(x)) * (1 - abs(y))
    assert iou(there, there.pose.matrix, box) == pytest.approx(shared / (2 - shared), abs=1e-9)
    lifted = shifted(asset, 0.0, 0.0, 0.25)
    assert iou(lifted, lifted.pose.matrix, box) == pytest.approx(1 / 3)


def test_two_things_in_one_box_are_one_found_and_one_missed(scene: Scene, truth: Truth) -> None:
    """A run that was read as a single unit is none of those it is made of."""
    thing = next(a for a in scene.assets if a.id.startswith("thing"))
    moved = shifted(thing, 0.0, 0.0, 5.0)
    found = instances(changed(scene, moved), truth, np.eye(4))
    assert found.missed == found.false == (thing.id,)
    assert 0 < IOU < 1


def test_the_table_of_a_room_is_short_and_names_what_is_wrong(scene: Scene, truth: Truth) -> None:
    result = score(without(scene, "fridge"), truth)
    text = result.text()
    assert len(text.splitlines()) <= 25
    assert "if all were drawers" in text
    assert "open what never opens: none" in text
    assert "things missed: fridge" in text
    data = json.loads(json.dumps(result.to_json()))
    assert data["instances"]["missed"] == ["fridge"]
    assert data["all_drawers"]["part"]["f1"] == pytest.approx(result.drawers.part.f1)


def test_a_rooms_truth_is_read_as_it_was_written(truth: Truth, tmp_path: Path) -> None:
    truth_file.write(truth, tmp_path / "t.json")
    again = truth_file.load(tmp_path / "t.json")
    assert [part.id for part in again.parts] == [part.id for part in truth.parts]
    for mine, theirs in zip(again.boxes, truth.boxes, strict=True):
        assert (mine.asset, mine.family) == (theirs.asset, theirs.family)
        np.testing.assert_allclose(mine.capture_from_box, theirs.capture_from_box, atol=1e-9)
        assert mine.size == pytest.approx(theirs.size)
    for part, other in zip(again.parts, truth.parts, strict=True):
        np.testing.assert_allclose(corners(part.front), corners(other.front), atol=1e-9)
        assert (part.kind, part.side) == (other.kind, other.side)
        assert part.axis == pytest.approx(other.axis)
        assert part.origin == pytest.approx(other.origin)
    with pytest.raises(TruthError, match="boxes"):
        _ = again.box


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"form": 3}, "has form 3; we know 2"),
        ({"form": "two"}, "form: Input should be"),
        ({"assets": []}, "assets: Tuple should have at least 2"),
        ({"parts": [{"name": "a"}]}, "parts.0.kind"),
        ({"front_panel_thickness_m": 0}, "front_panel_thickness_m"),
    ],
)
def test_a_rooms_truth_that_is_none_is_an_error_of_one_line(
    truth: Truth, change: dict[str, object], said: str, tmp_path: Path
) -> None:
    (tmp_path / "t.json").write_text(json.dumps(truth_file.to_json(truth) | change))
    with pytest.raises(TruthError, match=said) as error:
        truth_file.load(tmp_path / "t.json")
    assert "\n" not in str(error.value)


def test_a_name_that_stands_twice_is_refused(truth: Truth, tmp_path: Path) -> None:
    data = truth_file.to_json(truth)
    data["assets"][1]["name"] = data["assets"][0]["name"]
    (tmp_path / "t.json").write_text(json.dumps(data))
    with pytest.raises(TruthError, match="a name stands twice"):
        truth_file.load(tmp_path / "t.json")
