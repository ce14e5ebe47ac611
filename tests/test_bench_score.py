"""Laws of the scorer: what it must say of scenes that differ from the truth in one known way."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.bench import truth as truths
from pocketworld.bench import truth_file
from pocketworld.bench.calibration import ENOUGH, Believed, calibration, pooled
from pocketworld.bench.counts import Counts
from pocketworld.bench.rectangles import moved
from pocketworld.bench.score import Score, Spread, score
from pocketworld.bench.truth import Truth
from pocketworld.geometry import se3
from pocketworld.geometry.convex import BoxPiece, Vec3
from pocketworld.scene import (
    Asset,
    Belief,
    Handle,
    HandleKind,
    Hypothesis,
    Joint,
    JointKind,
    Matrix4,
    Part,
    Pose,
    Rectangle,
    Scene,
    Side,
)

WIDTH, DEPTH, HEIGHT, BOARD = 0.45, 0.6, 0.9, 0.02
INERTIA = (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)


def piece(part_id: str, role: str, box: BoxPiece, front: Rectangle | None = None) -> Part:
    handle = None
    if front is not None:
        x, y, z = front.centre
        handle = Handle(HandleKind.BAR, (x, y - 0.03, z + 0.02), (1.0, 0, 0), (0, -1.0, 0), 0.16, 0.01, 0.03)
    return Part(part_id, role, (), (box,), 1.0, box.centre, INERTIA, front, handle)


def joint(part_id: str, kind: JointKind, side: Side, axis: Vec3, origin: Vec3) -> Joint:
    sure = Hypothesis(kind, side, 0.9, axis, 0.01, origin, range=0.4)
    belief = Belief((sure, Hypothesis(JointKind.FIXED, Side.NONE, 0.1)))
    top = 0.0 if kind is JointKind.FIXED else 0.4
    return Joint(f"{part_id}-joint", kind, "body", part_id, belief, axis, origin, (0.0, top))


def door_asset(id: str = "cabinet") -> Asset:
    """Two drawers above a door hinged at the left: one of each thing that the scorer tells apart."""
    body = piece("body", "body", BoxPiece((0, BOARD / 2, HEIGHT / 2), (WIDTH, DEPTH - BOARD, HEIGHT)))
    parts, joints, top = [body], [], HEIGHT
    for name, height, kind in (
        ("a", 0.2, JointKind.SLIDE),
        ("b", 0.2, JointKind.SLIDE),
        ("c", 0.4, JointKind.HINGE),
    ):
        centre = (0.0, -DEPTH / 2, top - height / 2)
        face = Rectangle(centre, (1.0, 0, 0), (0, 0, 1.0), WIDTH, height)
        panel = BoxPiece((0, -DEPTH / 2 + BOARD / 2, centre[2]), (WIDTH, BOARD, height))
        parts.append(piece(name, "front", panel, face))
        hinge = kind is JointKind.HINGE
        axis: Vec3 = (0.0, 0.0, -1.0) if hinge else (0.0, -1.0, 0.0)
        origin: Vec3 = (-WIDTH / 2, -DEPTH / 2, centre[2]) if hinge else centre
        joints.append(joint(name, kind, Side.LEFT if hinge else Side.NONE, axis, origin))
        top -= height
    return Asset(id, "cabinet", {}, tuple(parts), tuple(joints), Pose.upright((1.0, 2.0, 0.0), 0.3))


def scene(asset: Asset | None = None) -> Scene:
    motion = se3.inverse(rigid(0.7, (3.0, -1.0, 0.5)))
    return Scene("room", (asset or door_asset(),), scene_from_capture=matrix(motion))


def rigid(yaw: float, shift: Vec3) -> se3.Array:
    return se3.exp(np.array([*shift, 0.1 * yaw, -0.2 * yaw, yaw]))


def matrix(motion: se3.Array) -> Matrix4:
    a, b, c, d = ((float(w), float(x), float(y), float(z)) for w, x, y, z in motion)
    return (a, b, c, d)


def without(asset: Asset, part_id: str) -> Asset:
    return replace(
        asset,
        parts=tuple(p for p in asset.parts if p.id != part_id),
        joints=tuple(j for j in asset.joints if j.child != part_id),
    )


def with_joint(asset: Asset, part_id: str, **changes: Any) -> Asset:
    """Change the joint that holds a part; its belief follows with the same certainty."""
    joints = []
    for old in asset.joints:
        if old.child == part_id:
            old = replace(old, **changes)
            first = replace(old.belief.best, kind=old.kind, axis=old.axis, origin=old.origin)
            old = replace(old, belief=Belief((first, *old.belief.hypotheses[1:])))
        joints.append(old)
    return replace(asset, joints=tuple(joints))


def with_front(asset: Asset, part_id: str, **changes: Any) -> Asset:
    parts = []
    for part in asset.parts:
        if part.id == part_id:
            assert part.front is not None
            part = replace(part, front=replace(part.front, **changes))
        parts.append(part)
    return replace(asset, parts=tuple(parts))


@pytest.fixture(scope="module")
def truth() -> Truth:
    return truths.of(scene())


def f1(result: Score) -> tuple[float, float, float, float]:
    parts = result.standard
    return (parts.part.f1, parts.m.f1, parts.ma.f1, parts.mao.f1)


def test_the_truth_against_itself_is_perfect(truth: Truth) -> None:
    result = score(scene(), truth)
    assert f1(result) == (1, 1, 1, 1)
    assert result.tight.mao.f1 == 1
    assert (result.missed, result.false, result.hinge_sides) == ((), (), 1.0)
    for frame in (result.refined, result.raw):
        s = frame.spreads
        for spread in (s.axis_deg, s.line_mm, s.range_percent, s.state, s.edges_mm, s.handle_mm):
            assert spread.count > 0
            assert spread.p90 == pytest.approx(0, abs=1e-5)  # arccos near 1 leaves 1e-6 of a degree
        assert frame.box is not None
        box = frame.box
        for name in (
            "width",
            "depth",
            "height",
            "left",
            "right",
            "front",
            "back",
            "bottom",
            "top",
            "yaw_deg",
        ):
            assert getattr(box, name) == pytest.approx(0, abs=1e-8)
        for error in frame.parts:
            assert error.iou == pytest.approx(1, abs=1e-12)
            assert error.slab_iou == pytest.approx(1, abs=1e-9)


@settings(max_examples=25)
@given(
    st.floats(-3, 3),
    st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.floats(-5, 5)),
    st.floats(-0.03, 0.03),
)
def test_a_rigid_motion_of_both_changes_nothing(yaw: float, shift: Vec3, off: float) -> None:
    """The capture's frame is arbitrary: moving truth and scene in it together is no change."""
    truth, guess = truths.of(scene()), scene(with_front(door_asset(), "a", width=WIDTH + off, height=0.19))
    moved_from_capture = rigid(yaw, shift)
    scene_from_moved = np.array(guess.scene_from_capture) @ se3.inverse(moved_from_capture)
    there = truths.of(
        replace(
            scene(),
            scene_from_capture=matrix(np.array(scene().scene_from_capture) @ se3.inverse(moved_from_capture)),
        )
    )
    here, again = (
        score(guess, truth),
        score(replace(guess, scene_from_capture=matrix(scene_from_moved)), there),
    )
    assert f1(here) == f1(again)
    for mine, other in zip(here.refined.parts, again.refined.parts, strict=True):
        assert mine.iou == pytest.approx(other.iou, abs=1e-9)
        assert mine.edges.worst == pytest.approx(other.edges.worst, abs=1e-6)
        assert mine.axis_deg == pytest.approx(other.axis_deg, abs=1e-5)
    assert here.refined.box is not None
    assert again.refined.box is not None
    assert here.refined.box.front == pytest.approx(again.refined.box.front, abs=1e-6)


def test_the_order_of_parts_does_not_matter(truth: Truth) -> None:
    asset = with_front(door_asset(), "b", height=0.18)
    turned = replace(asset, parts=(asset.parts[0], *asset.parts[:0:-1]), joints=asset.joints[::-1])
    one, other = score(scene(asset), truth), score(scene(turned), truth)
    assert one.refined.parts == other.refined.parts
    assert f1(one) == f1(other)
    shuffled = replace(truth, parts=truth.parts[::-1])
    third = score(scene(asset), shuffled)
    for mine, theirs in zip(one.refined.parts, third.refined.parts[::-1], strict=True):
        assert (mine.true, mine.predicted) == (theirs.true, theirs.predicted)
        assert mine.iou == pytest.approx(theirs.iou)
        assert mine.edges.worst == pytest.approx(theirs.edges.worst, abs=1e-9)


def test_a_missing_drawer_lowers_recall_alone(truth: Truth) -> None:
    result = score(scene(without(door_asset(), "b")), truth)
    parts = result.standard.part
    assert (parts.recall, parts.precision) == (2 / 3, 1.0)
    assert parts.f1 == pytest.approx(0.8)
    assert result.missed == ("b",)
    assert result.false == ()


def test_a_false_part_on_another_face_lowers_precision_alone(truth: Truth) -> None:
    asset = door_asset()
    side = Rectangle((WIDTH / 2, 0, 0.45), (0, 1.0, 0), (0, 0, 1.0), 0.4, 0.3)
    extra = piece("x", "drawer", BoxPiece((WIDTH / 2, 0, 0.45), (0.01, 0.4, 0.3)), side)
    hold = joint("x", JointKind.SLIDE, Side.NONE, (1.0, 0, 0), side.centre)
    asset = replace(asset, parts=(*asset.parts, extra), joints=(*asset.joints, hold))
    result = score(scene(asset), truth)
    assert (result.standard.part.recall, result.standard.part.precision) == (1.0, 3 / 4)
    assert result.false == ("cabinet/x",)


def test_a_movable_part_without_a_front_is_a_false_part(truth: Truth) -> None:
    asset = door_asset()
    wheel = piece("wheel", "wheel", BoxPiece((0, 0, 0.05), (0.1, 0.1, 0.1)))
    hold = joint("wheel", JointKind.HINGE, Side.NONE, (1.0, 0, 0), (0, 0, 0.05))
    result = score(scene(replace(asset, parts=(*asset.parts, wheel), joints=(*asset.joints, hold))), truth)
    assert result.false == ("cabinet/wheel",)


def test_what_does_not_move_is_not_predicted(truth: Truth) -> None:
    asset = with_joint(door_asset(), "a", kind=JointKind.FIXED, range=(0.0, 0.0))
    result = score(scene(asset), truth)
    assert result.missed == ("a",)
    assert result.standard.part.precision == 1.0


def test_a_wrong_kind_lowers_everything_but_the_part(truth: Truth) -> None:
    asset = with_joint(door_asset(), "a", kind=JointKind.HINGE)
    assert f1(score(scene(asset), truth)) == pytest.approx((1, 2 / 3, 2 / 3, 2 / 3))


def test_a_wrong_hinge_side_is_a_wrong_kind(truth: Truth) -> None:
    other = Hypothesis(JointKind.HINGE, Side.RIGHT, 1.0, (0.0, 0.0, 1.0))
    joints = tuple(replace(j, belief=Belief((other,))) if j.child == "c" else j for j in door_asset().joints)
    result = score(scene(replace(door_asset(), joints=joints)), truth)
    assert f1(result)[:2] == pytest.approx((1, 2 / 3))
    assert result.hinge_sides == 0.0


@pytest.mark.parametrize(("degrees", "standard", "tight"), [(1, 3, 3), (3, 3, 2), (6, 2, 2)])
def test_a_turned_axis_lowers_only_the_axis_counts(
    truth: Truth, degrees: float, standard: int, tight: int
) -> None:
    tilt = np.radians(degrees)
    axis = (float(np.sin(tilt)), float(-np.cos(tilt)), 0.0)
    result = score(scene(with_joint(door_asset(), "a", axis=axis)), truth)
    assert (result.standard.part.right, result.standard.m.right) == (3, 3)
    assert (result.standard.ma.right, result.tight.ma.right) == (standard, tight)
    error = next(e for e in result.refined.parts if e.true == "a")
    assert error.axis_deg == pytest.approx(degrees, abs=1e-6)
    # The belief says 0.01 rad: 95 % of a direction's errors are then within 1.4 degrees.
    assert error.axis_inside is (degrees == 1)


def test_an_axis_the_wrong_way_round_is_wrong(truth: Truth) -> None:
    result = score(scene(with_joint(door_asset(), "a", axis=(0.0, 1.0, 0.0))), truth)
    assert result.standard.m.right == 3
    assert result.standard.ma.right == 2


@pytest.mark.parametrize(("shift", "standard", "tight"), [(0.005, 3, 3), (0.03, 3, 2), (0.06, 2, 2)])
def test_a_shifted_hinge_line_lowers_only_mao(truth: Truth, shift: float, standard: int, tight: int) -> None:
    at = (-WIDTH / 2 + shift, -DEPTH / 2, 5.0)  # the height along the line does not matter
    result = score(scene(with_joint(door_asset(), "c", origin=at)), truth)
    assert result.standard.ma.right == 3
    assert (result.standard.mao.right, result.tight.mao.right) == (standard, tight)
    error = next(e for e in result.refined.parts if e.true == "c")
    assert error.line_mm == pytest.approx(shift * 1000, abs=1e-6)


def test_a_hinge_lying_across_has_no_line_to_compare(truth: Truth) -> None:
    result = score(scene(with_joint(door_asset(), "c", axis=(1.0, 0.0, 0.0))), truth)
    error = next(e for e in result.refined.parts if e.true == "c")
    assert error.line_mm is None
    assert error.axis_deg == pytest.approx(90)


def test_equal_fronts_shifted_by_half_lose_their_match(truth: Truth) -> None:
    """Half of the height leaves an IoU of a third with either neighbour."""
    asset = door_asset()
    for part_id, z in (("a", HEIGHT - 0.2), ("b", HEIGHT - 0.4)):
        asset = with_front(asset, part_id, centre=(0.0, -DEPTH / 2, z))
    result = score(scene(asset), truth)
    assert {e.true for e in result.refined.parts} == {"c"}
    assert result.missed == ("a", "b")
    assert set(result.false) == {"cabinet/a", "cabinet/b"}


def test_matching_takes_the_greatest_overlap_one_to_one(truth: Truth) -> None:
    """Two predictions over one true part: the better one matches, the other is false."""
    asset = door_asset()
    face = asset.part("a").front
    assert face is not None
    twice = piece("a2", "front", BoxPiece(face.centre, (WIDTH, BOARD, 0.15)), replace(face, height=0.15))
    hold = joint("a2", JointKind.SLIDE, Side.NONE, (0, -1.0, 0), face.centre)
    asset = replace(asset, parts=(*asset.parts, twice), joints=(hold, *asset.joints))
    result = score(scene(asset), truth)
    assert result.false == ("cabinet/a2",)


@pytest.mark.parametrize(
    ("forward", "turn", "matches"), [(0.04, 0, True), (0.06, 0, False), (0, 12, True), (0, 18, False)]
)
def test_planes_and_normals_gate_the_match(truth: Truth, forward: float, turn: float, matches: bool) -> None:
    c, s = float(np.cos(np.radians(turn))), float(np.sin(np.radians(turn)))
    centre = (0.0, -DEPTH / 2 - forward, HEIGHT - 0.1)
    result = score(scene(with_front(door_asset(), "a", centre=centre, right=(c, s, 0.0))), truth)
    assert ("a" not in result.missed) is matches


def test_edges_and_sizes_are_signed_and_in_mm(truth: Truth) -> None:
    """Front b is 10 mm too high at its top alone: +10 there, and nothing elsewhere, before alignment."""
    centre = (0.0, -DEPTH / 2, HEIGHT - 0.3 + 0.005)
    result = score(scene(with_front(door_asset(), "b", centre=centre, height=0.21)), truth)
    error = next(e for e in result.raw.parts if e.true == "b")
    edges = error.edges
    assert (edges.top, edges.bottom, edges.left, edges.right) == pytest.approx((10, 0, 0, 0), abs=1e-6)
    assert (edges.height, edges.width, edges.worst) == pytest.approx((10, 0, 10), abs=1e-6)
    assert error.iou == pytest.approx(200 / 210)
    # Aligned, the three fronts share the error: the mean of the corners' is taken off.
    after = next(e for e in result.refined.parts if e.true == "b")
    assert after.edges.top < 10
    assert after.edges.height == pytest.approx(10, abs=1e-3)


def test_a_front_named_from_another_corner_is_the_same(truth: Truth) -> None:
    """A rectangle whose `right` runs up is the same rectangle."""
    asset = with_front(door_asset(), "a", right=(0.0, 0.0, 1.0), up=(-1.0, 0.0, 0.0), width=0.2, height=WIDTH)
    result = score(scene(asset), truth)
    error = next(e for e in result.refined.parts if e.true == "a")
    assert error.iou == pytest.approx(1)
    assert error.edges.worst == pytest.approx(0, abs=1e-6)
    assert result.alignment.refined


def test_handles_are_measured_on_the_face(truth: Truth) -> None:
    asset = door_asset()
    part = asset.part("a")
    assert part.handle is not None
    x, y, z = part.handle.grip
    lower = replace(part.handle, grip=(x + 0.003, y - 0.5, z - 0.004), length=0.17)
    parts = tuple(replace(p, handle=lower) if p.id == "a" else p for p in asset.parts)
    result = score(scene(replace(asset, parts=parts)), truth)
    error = next(e for e in result.refined.parts if e.true == "a").handle
    assert error is not None
    assert (error.right, error.up, error.length) == pytest.approx((3, -4, 10), abs=1e-6)
    assert error.distance == pytest.approx(5)


@pytest.mark.parametrize("kind", [None, HandleKind.NONE])
def test_a_front_without_a_handle_has_no_handle_error(truth: Truth, kind: HandleKind | None) -> None:
    asset = door_asset()
    old = asset.part("a").handle
    assert old is not None
    none = None if kind is None else replace(old, kind=kind)
    parts = tuple(replace(p, handle=none) if p.id == "a" else p for p in asset.parts)
    result = score(scene(replace(asset, parts=parts)), truth)
    assert next(e for e in result.refined.parts if e.true == "a").handle is None
    assert result.refined.spreads.handle_mm.count == 2


@pytest.mark.parametrize("yaw", [0.0, np.pi / 2])
def test_the_outer_box_is_compared_as_the_true_front_sees_it(truth: Truth, yaw: float) -> None:
    """A box that calls another side its front has the same outer size, though no front matches."""
    box = (WIDTH + 0.01, DEPTH - 0.02, HEIGHT + 0.003)
    size = box if yaw == 0 else (box[1], box[0], box[2])
    body = piece("body", "body", BoxPiece((0, 0, size[2] / 2), size))
    pose = Pose.upright((1.0, 2.0, 0.0), 0.3 + yaw)
    error = score(scene(Asset("plain", "box", {}, (body,), pose=pose)), truth).refined.box
    assert error is not None
    assert (error.width, error.depth, error.height) == pytest.approx((10, -20, 3))
    assert (error.left, error.right, error.front, error.back) == pytest.approx((5, 5, -10, -10))
    assert (error.bottom, error.top, error.yaw_deg) == pytest.approx((0, 3, 0), abs=1e-9)


def test_an_empty_scene_misses_everything(truth: Truth) -> None:
    result = score(Scene("empty", ()), truth)
    assert result.refined.box is None
    assert result.standard.part == Counts(0, 0, 3)
    assert f1(result) == (0, 0, 0, 0)
    assert result.alignment.reason == "no front matches"
    assert "outer box" not in result.text()


def test_nothing_to_find_and_nothing_said_is_right(truth: Truth) -> None:
    plain = replace(truth, parts=())
    body = replace(door_asset(), parts=door_asset().parts[:1], joints=())
    assert f1(score(scene(body), plain)) == (1, 1, 1, 1)
    assert Counts(0, 0, 0).precision == Counts(0, 0, 0).recall == 1


def moved_by(motion: se3.Array) -> Scene:
    """Return the scene with a capture's frame that is wrong by a motion in the capture's own frame."""
    known = scene()
    return replace(known, scene_from_capture=matrix(np.array(known.scene_from_capture) @ motion))


def test_a_small_error_of_the_frame_is_taken_out(truth: Truth) -> None:
    centre = np.mean([p.front.centre for p in truth.parts], 0)
    about = se3.exp(np.array([*centre, 0, 0, 0]))
    motion = about @ se3.exp(np.array([0.01, -0.008, 0.004, 0.005, -0.003, 0.01])) @ se3.inverse(about)
    result = score(moved_by(motion), truth)
    assert result.alignment.refined
    assert result.alignment.offset == pytest.approx(np.linalg.norm([0.01, -0.008, 0.004]), rel=0.05)
    assert max(e.edges.worst for e in result.raw.parts) > 3
    assert max(e.edges.worst for e in result.refined.parts) < 1e-6
    np.testing.assert_allclose(result.alignment.truth_from_capture, motion, atol=1e-9)


def test_a_large_error_is_not_taken_out(truth: Truth) -> None:
    """3 degrees about the fronts' centre keep the match, but are more than frames can be off."""
    centre = np.mean([p.front.centre for p in truth.parts], 0)
    about = se3.exp(np.array([*centre, 0, 0, 0]))
    motion = about @ se3.exp(np.array([0, 0, 0, 0, 0, np.radians(3)])) @ se3.inverse(about)
    result = score(moved_by(motion), truth)
    assert not result.alignment.refined
    assert "too far off" in result.alignment.reason
    assert result.refined == result.raw
    np.testing.assert_array_equal(result.alignment.truth_from_capture, np.eye(4))


def test_range_and_state_are_compared_where_known(truth: Truth) -> None:
    asset = with_joint(door_asset(), "a", range=(0.0, 0.5), state=0.1)
    error = next(e for e in score(scene(asset), truth).refined.parts if e.true == "a")
    assert error.range_percent == pytest.approx(25)
    assert error.state == pytest.approx(0.1)
    unknown = replace(truth, parts=tuple(replace(p, range=None, state=None) for p in truth.parts))
    result = score(scene(asset), unknown)
    assert {e.range_percent for e in result.refined.parts} == {None}
    assert result.refined.spreads.state == Spread(None, None, 0)


def test_spreads_are_of_sizes() -> None:
    assert Spread.of([-3.0, 1.0, None, 2.0]) == Spread(2.0, float(np.percentile([1, 2, 3], 90)), 3)


def test_beliefs_meet_the_truth_of_every_front(truth: Truth) -> None:
    asset = without(with_joint(door_asset(), "a", kind=JointKind.FIXED, range=(0.0, 0.0)), "b")
    fixed = replace(
        asset,
        joints=tuple(
            replace(
                j,
                belief=Belief(
                    (Hypothesis(JointKind.FIXED, Side.NONE, 0.7), Hypothesis(JointKind.SLIDE, Side.NONE, 0.3))
                ),
            )
            if j.child == "a"
            else j
            for j in asset.joints
        ),
    )
    result = score(scene(fixed), truth)
    assert [(b.joint, b.right) for b in result.beliefs] == [("cabinet/a", False), ("cabinet/c", True)]
    assert [b.p_true for b in result.beliefs] == pytest.approx([0.3, 0.9])
    assert result.calibration.expected_error is None
    assert "not applicable" in result.calibration.why_not


def test_calibration_of_honest_beliefs_is_near_zero_and_of_boasts_is_not() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    sure = rng.uniform(0.5, 1, 20_000)
    right = rng.uniform(size=sure.size) < sure
    honest = [
        Believed("j", float(p), bool(r), float(p if r else 1 - p)) for p, r in zip(sure, right, strict=True)
    ]
    boast = [Believed("j", 1.0, bool(r), 1.0 if r else 0.0) for r in right]
    good, bad = calibration(honest), pooled([boast[:9000], boast[9000:]])
    assert good.expected_error is not None
    assert bad.expected_error is not None
    assert good.expected_error < 0.02
    assert bad.expected_error == pytest.approx(1 - right.mean())
    assert good.log_loss is not None
    assert bad.log_loss is not None
    assert good.log_loss < bad.log_loss < np.inf
    assert calibration(honest[: ENOUGH - 1]).why_not


def test_a_score_is_json_and_text(truth: Truth) -> None:
    asset = with_joint(without(door_asset(), "b"), "a", kind=JointKind.HINGE)
    result = score(scene(asset), truth)
    data = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert data["standard"]["part"]["f1"] == pytest.approx(0.8)
    assert data["standard"]["+M"]["right"] == 1
    assert data["refined"]["parts"][0]["edges"]["top"] == pytest.approx(0, abs=1e-6)
    text = result.text()
    for word in ("F1 0.800 (2 of 2/3)", "missed: b", "WRONG KIND", "outer box of cabinet", "not applicable"):
        assert word in text


def test_the_surveyed_pedestal_is_its_own_truth(captures: Path) -> None:
    """A scene made of what the survey says scores perfectly against the survey."""
    truth = truth_file.load(captures / "truth" / "tum_fr3_cabinet.json")
    turn = truth.box.capture_from_box
    asset_from_capture = se3.inverse(turn)
    width, depth, height = truth.box.size
    body = piece("body", "body", BoxPiece((0, 0, height / 2), (width, depth, height)))
    parts, joints = [body], []
    for part in truth.parts:
        front = moved(asset_from_capture, part.front)
        axis = asset_from_capture[:3, :3] @ part.axis
        parts.append(piece(part.id, "drawer", BoxPiece(front.centre, (0.4, 0.01, 0.1)), front))
        unit = tuple(float(v) for v in axis / np.linalg.norm(axis))
        joints.append(joint(part.id, JointKind.SLIDE, Side.NONE, (unit[0], unit[1], unit[2]), front.centre))
    asset = Asset("pedestal", "cabinet", {}, tuple(parts), tuple(joints))
    result = score(Scene("twin", (asset,), scene_from_capture=matrix(asset_from_capture)), truth)
    assert f1(result) == (1, 1, 1, 1)
    assert result.tight.mao.f1 == 1
    assert max(e.edges.worst for e in result.raw.parts) < 1e-6
