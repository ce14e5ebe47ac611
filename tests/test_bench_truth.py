"""Truth files: what the survey says is what is read; what is no truth file is an error of one line."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.bench import truth as truths
from pocketworld.bench import truth_file
from pocketworld.bench.rectangles import area, corners, from_corners, moved, normal, on_plane, overlap, vec3
from pocketworld.bench.truth import Truth, TruthError
from pocketworld.errors import PocketworldError
from pocketworld.geometry import se3
from pocketworld.geometry.convex import BoxPiece
from pocketworld.scene import (
    Asset,
    Belief,
    Handle,
    HandleKind,
    Hypothesis,
    Joint,
    JointKind,
    Part,
    Pose,
    Rectangle,
    Scene,
    Side,
)

INERTIA = (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
angles = st.floats(-3.1, 3.1)
places = st.tuples(*[st.floats(-5, 5)] * 3)
sizes = st.floats(0.05, 2)


@st.composite
def rectangles(draw: st.DrawFn) -> Rectangle:
    own = Rectangle((0, 0, 0), (1, 0, 0), (0, 0, 1), draw(sizes), draw(sizes))
    return moved(se3.exp(np.array([*draw(places), *(draw(angles) / 2 for _ in range(3))])), own)


@given(rectangles())
def test_a_rectangle_is_its_corners(face: Rectangle) -> None:
    again = from_corners(corners(face))
    np.testing.assert_allclose(corners(again), corners(face), atol=1e-9)
    np.testing.assert_allclose(normal(again), normal(face), atol=1e-9)
    assert area(on_plane(corners(face), face)[::-1]) == pytest.approx(face.width * face.height)


@given(rectangles(), st.floats(-2, 2), st.floats(-2, 2))
def test_overlap_of_shifted_rectangles_is_the_product_of_overlaps(
    face: Rectangle, x: float, y: float
) -> None:
    """Also from behind, where the corners turn the other way."""
    mine = on_plane(corners(face), face)
    other = mine + np.array([x, y])
    shared = max(0.0, face.width - abs(x)) * max(0.0, face.height - abs(y))
    assert overlap(mine, other) == pytest.approx(shared, abs=1e-12)
    assert overlap(other, mine[::-1]) == pytest.approx(shared, abs=1e-12)


def test_overlap_of_a_square_and_itself_on_its_corner() -> None:
    square = np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    tipped = np.sqrt(2) * np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    assert overlap(square, tipped) == pytest.approx(8 * (np.sqrt(2) - 1))  # a regular octagon


def hinge_asset(handle: HandleKind | None = HandleKind.KNOB) -> Asset:
    face = Rectangle((0.0, -0.25, 0.5), (1.0, 0, 0), (0, 0, 1.0), 0.5, 0.8)
    grip = None
    if handle is not None:
        grip = Handle(handle, (0.2, -0.28, 0.6), (0, 0, 1.0), (0, -1.0, 0), 0.03, 0.03, 0.03)
    body = Part(
        "body", "body", (), (BoxPiece((0, 0.01, 0.45), (0.5, 0.48, 0.9)),), 9.0, (0, 0, 0.45), INERTIA
    )
    pieces = (BoxPiece((0, -0.24, 0.5), (0.5, 0.02, 0.8)), BoxPiece((0.2, -0.3, 0.6), (0.02, 0.1, 0.02)))
    door = Part("door", "door", (), pieces, 2.0, face.centre, INERTIA, face, grip)
    how = Hypothesis(JointKind.HINGE, Side.LEFT, 1.0)
    hinge = Joint(
        "hinge",
        JointKind.HINGE,
        "body",
        "door",
        Belief((how,)),
        (0, 0, -1.0),
        (-0.25, -0.25, 0.1),
        (0, 1.5),
        0.2,
    )
    return Asset("cupboard", "cabinet", {}, (body, door), (hinge,), Pose.upright((1.0, -2.0, 0.0), 1.1))


def test_the_truth_of_a_scene_stands_in_the_frame_of_its_capture() -> None:
    scene_from_capture = se3.exp(np.array([0.3, 1.0, -0.2, 1.5, 0.1, 0.2]))
    rows = tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in scene_from_capture)
    truth = truths.of(Scene("s", (hinge_asset(),), scene_from_capture=(rows[0], rows[1], rows[2], rows[3])))
    # The handle sticks out of the box, which ends at the front's face.
    assert truth.box.size == pytest.approx((0.5, 0.5, 0.9))
    (door,) = truth.parts
    assert (door.kind, door.side, door.range, door.state) == (JointKind.HINGE, Side.LEFT, 1.5, 0.2)
    capture_from_asset = se3.inverse(scene_from_capture) @ hinge_asset().pose.matrix
    asset_from_capture = se3.inverse(capture_from_asset)
    assert door.handle is not None
    assert door.origin is not None
    points = se3.apply(asset_from_capture, np.array([door.front.centre, door.handle.centre, door.origin]))
    np.testing.assert_allclose(points, [[0, -0.25, 0.5], [0.2, -0.25, 0.6], [-0.25, -0.25, 0.1]], atol=1e-12)
    np.testing.assert_allclose(asset_from_capture[:3, :3] @ door.axis, [0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(truth.box.capture_from_box, capture_from_asset, atol=1e-12)


@pytest.mark.parametrize("handle", [None, HandleKind.NONE])
def test_no_handle_is_no_handle(handle: HandleKind | None) -> None:
    assert truths.of(Scene("s", (hinge_asset(handle),))).parts[0].handle is None


def test_truth_needs_one_asset_whose_parts_have_fronts() -> None:
    with pytest.raises(TruthError, match="scene s has 0 assets"):
        truths.of(Scene("s", ()))
    asset = hinge_asset()
    bare = replace(asset, parts=(asset.parts[0], replace(asset.parts[1], front=None)))
    with pytest.raises(TruthError, match="part cupboard/door moves but has no front"):
        truths.of(Scene("s", (bare,)))
    empty = Asset("air", "box", {}, (replace(asset.parts[0], pieces=()),))
    with pytest.raises(PocketworldError, match="asset air: no collision pieces and no fronts"):
        truths.outer(empty)


def test_a_truth_is_read_as_it_was_written(tmp_path: Path) -> None:
    truth = truths.of(Scene("s", (hinge_asset(),)))
    truth_file.write(truth, tmp_path / "t.json")
    again = truth_file.load(tmp_path / "t.json")
    near(again, truth)
    assert json.loads((tmp_path / "t.json").read_text())["doors"][0]["kind"] == "hinge"


def near(one: Truth, other: Truth) -> None:
    """Compare two truths up to rounding."""
    np.testing.assert_allclose(one.box.capture_from_box, other.box.capture_from_box, atol=1e-12)
    assert one.box.size == pytest.approx(other.box.size)
    assert (one.capture, one.how, one.thickness) == (other.capture, other.how, other.thickness)
    for mine, theirs in zip(one.parts, other.parts, strict=True):
        np.testing.assert_allclose(corners(mine.front), corners(theirs.front), atol=1e-12)
        assert mine.axis == pytest.approx(theirs.axis)
        front, axis = theirs.front, theirs.axis
        assert replace(mine, front=front, axis=axis) == theirs


def survey(captures: Path) -> Path:
    return captures / "truth" / "tum_fr3_cabinet.json"


def test_the_surveyed_pedestal(captures: Path, tmp_path: Path) -> None:
    truth = truth_file.load(survey(captures))
    # From the survey: 0.438 wide as one faces the drawers, 0.784 deep; they face +x, turned by -2.49 degrees.
    assert truth.box.size == pytest.approx((0.4379, 0.7839, 0.5587))
    out = normal(truth.box.face)
    assert np.degrees(np.arctan2(out[1], out[0])) == pytest.approx(-2.49, abs=0.01)
    assert [part.id for part in truth.parts] == ["drawer_1", "drawer_2", "drawer_3", "drawer_4"]
    assert [part.front.height for part in truth.parts] == pytest.approx([0.0522, 0.1508, 0.1525, 0.1815])
    assert [part.sure for part in truth.parts] == [0.003, 0.003, 0.003, 0.008]
    assert truth.thickness == 0.019
    for part in truth.parts:
        assert part.kind is JointKind.SLIDE
        assert (part.range, part.state) == (None, 0.0)  # never opened, and closed
        np.testing.assert_allclose(part.axis, normal(part.front), atol=2e-3)
        assert part.handle is not None
        assert part.handle.length == 0.165
        u, v = on_plane(np.array([part.handle.centre]), part.front)[0]
        assert abs(u) < 0.001
        assert abs(v) < part.front.height / 2
    truth_file.write(truth, tmp_path / "again.json")
    near(truth_file.load(tmp_path / "again.json"), truth)


def good() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(truth_file.to_json(truths.of(Scene("s", (hinge_asset(),))))))
    return data


def change(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def apply(data: dict[str, Any]) -> None:
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        place: Any = data
        for step in way:
            place = place[step]
        place[last] = value

    return apply


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (change("box", None), "box: Input should be"),
        (change("box.size_xyz_m", [1, 2]), "box.size_xyz_m"),
        (change("box.x_axis_world", [0, 0, 0]), "a direction has a length above 0"),
        (change("front_face.corners_world.top_left", [1e999, 0, 0]), "finite"),
        (change("front_face.front_panel_thickness_m", 0), "greater than 0"),
        (change("doors.0.kind", "flap"), "part door has kind 'flap'; allowed: slide, hinge"),
        (change("doors.0.axis_origin_world", None), "part door is a hinge without axis_origin_world"),
        (change("doors.0.side", "middle"), "doors.0.side"),
    ],
)
def test_wrong_files_are_one_line(tmp_path: Path, spoil: Callable[[Any], None], said: str) -> None:
    data = good()
    spoil(data)
    file = tmp_path / "t.json"
    file.write_text(json.dumps(data).replace("Infinity", "1e999"))
    with pytest.raises(TruthError) as caught:
        truth_file.load(file)
    line = str(caught.value)
    assert said in line
    assert str(file) in line
    assert "\n" not in line


def test_flat_corners_span_no_front(tmp_path: Path) -> None:
    data = good()
    point = data["doors"][0]["front_corners_world"]["top_left"]
    data["doors"][0]["front_corners_world"] = dict.fromkeys(
        ("top_left", "top_right", "bottom_right", "bottom_left"), point
    )
    (tmp_path / "t.json").write_text(json.dumps(data))
    with pytest.raises(TruthError, match="the corners span no rectangle"):
        truth_file.load(tmp_path / "t.json")


def test_names_stand_once(tmp_path: Path) -> None:
    data = good()
    data["doors"] *= 2
    (tmp_path / "t.json").write_text(json.dumps(data))
    with pytest.raises(TruthError, match="a name stands twice"):
        truth_file.load(tmp_path / "t.json")


@pytest.mark.parametrize("content", [None, b"", b"[1]", b"\xff\xfe", b"{"])
def test_what_is_no_truth_at_all(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "t.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TruthError) as caught:
        truth_file.load(file)
    assert "\n" not in str(caught.value)


def test_other_surveys_say_what_they_lack(captures: Path) -> None:
    with pytest.raises(TruthError, match="is no truth file: box: Field required"):
        truth_file.load(captures / "truth" / "corridor.json")


def test_vec3_is_plain() -> None:
    assert [type(v) for v in vec3(np.array([1, 2, 3], float))] == [float] * 3
