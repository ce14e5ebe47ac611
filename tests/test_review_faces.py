"""Faces with what was found drawn on them, and pictures as data: URIs."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.families.protocol import Elevation, Line, SeenHandle
from pocketworld.geometry.convex import Vec3
from pocketworld.review.report import embed
from pocketworld.review.report.faces import FACES, LARGE, NORMALS, SMALL, faces, spread
from pocketworld.rng import stream
from pocketworld.scene import (
    Asset,
    Belief,
    HandleKind,
    Hypothesis,
    Joint,
    JointKind,
    Part,
    Rectangle,
    Side,
)

Pixels = NDArray[np.uint8]
WIDE, HIGH = 0.8, 0.6
GRID = Split(False, (0.3, 0.5), (Front(), Front(FrontKind.DOOR, Side.RIGHT)))
CABINET = registry.family("cabinet").build(Cabinet(WIDE, 0.5, HIGH, GRID, gap=0.004), "c")


def decoded(uri: str) -> Pixels:
    head, _, data = uri.partition(",")
    assert head == "data:image/webp;base64"
    return np.array(Image.open(io.BytesIO(base64.b64decode(data, validate=True))))


def seen(face: str = "front", width: float = WIDE, height: float = HIGH) -> Elevation:
    shape = (round(height * 500), round(width * 500), 3)
    return Elevation(face, width, height, 0.002, np.full(shape, 60, np.uint8), frames=3)


def points(corners: str) -> NDArray[np.float64]:
    return np.array([[float(x) for x in pair.split(",")] for pair in corners.split()])


def one_front(face: str, right: Vec3, centre: Vec3) -> Asset:
    """An asset 1 m in each direction with one slide, whose front is 0.2 wide and 0.1 high."""
    body = Part("body", "body", (), (), 1.0, (0, 0, 0), (1, 1, 1, 0, 0, 0))
    leaf = replace(body, id="leaf", role="drawer", front=Rectangle(centre, right, (0.0, 0.0, 1.0), 0.2, 0.1))
    belief = Belief((Hypothesis(JointKind.SLIDE, Side.NONE, 1.0),))
    normal = tuple(float(n) for n in NORMALS[face])
    joint = Joint("0", JointKind.SLIDE, "body", "leaf", belief, (normal[0], normal[1], 0.0), range=(0, 0.1))
    return Asset("a", "solid", {}, (body, leaf), (joint,))


@pytest.mark.parametrize("face", FACES)
def test_a_front_is_drawn_where_someone_who_looks_at_its_face_sees_it(face: str) -> None:
    normal = np.array(NORMALS[face], float)
    right = np.cross(-normal, (0.0, 0.0, 1.0))  # of someone who looks along -normal with z up
    centre = 0.5 * normal + 0.3 * right + (0.0, 0.0, 0.9)
    x, y, _ = (float(v) for v in right)
    asset = one_front(face, (x, y, 0.0), (float(centre[0]), float(centre[1]), 0.9))
    shown = faces(asset, [seen(name, 1.0, 1.0) for name in FACES])
    assert [f.name for f in shown if f.marks] == [face]
    drawn = points(shown[0].marks[0].corners)
    assert (drawn.min(0), drawn.max(0)) == (pytest.approx((700, 50)), pytest.approx((900, 150)))


def test_marks_cover_the_face_but_for_the_gaps() -> None:
    (front,) = faces(CABINET, [seen()])
    areas = [np.prod(np.ptp(points(mark.corners), axis=0)) for mark in front.marks]
    assert sum(areas) == pytest.approx(WIDE * HIGH * 1e6, rel=0.03)
    assert [mark.label for mark in front.marks] == ["1  slide 1.00", "2  hinge right 1.00"]
    assert [mark.colour for mark in front.marks] == ["slide", "hinge"]
    assert front.found == "2 fronts"


@pytest.mark.parametrize("height", [0.01, 0.02, 0.1])
def test_labels_stay_inside_low_fronts(height: float) -> None:
    asset = one_front("front", (1.0, 0.0, 0.0), (0.0, -0.5, 0.5))
    leaf = asset.parts[1]
    assert leaf.front is not None
    low = replace(asset, parts=(asset.parts[0], replace(leaf, front=replace(leaf.front, height=height))))
    (front,) = faces(low, [seen("front", 1.0, 1.0)])
    (mark,) = front.marks
    assert mark.text < height * 1000
    assert mark.text == pytest.approx(min(front.text, 700 * height))


def test_faces_without_fronts_come_after_and_say_so() -> None:
    shown = faces(CABINET, [seen("left"), seen("front"), seen("back")])
    assert [face.name for face in shown] == ["front", "left", "back"]
    assert [face.found for face in shown] == ["2 fronts", "no fronts found", "no fronts found"]
    assert shown[0].shown / shown[0].width <= LARGE[0] / (WIDE * 1000) + 1e-9
    assert all(face.shown <= SMALL[0] + 1e-9 for face in shown[1:])


def test_faces_of_a_kind_are_drawn_to_one_scale() -> None:
    _, left, back = faces(CABINET, [seen("front"), seen("left", 0.5), seen("back", WIDE)])
    assert left.shown / left.width == pytest.approx(back.shown / back.width)


def test_a_front_without_a_picture_is_still_drawn() -> None:
    (front,) = faces(CABINET, ())
    assert (front.colour, front.relief, front.source) == (None, None, "no picture of it is kept")
    assert (front.width, front.height) == pytest.approx((WIDE * 1000, HIGH * 1000))
    assert len(front.marks) == 2


def test_a_part_that_moves_without_a_front_is_on_no_face() -> None:
    asset = one_front("front", (1.0, 0.0, 0.0), (0.0, -0.5, 0.5))
    frontless = replace(asset, parts=(asset.parts[0], replace(asset.parts[1], front=None)))
    assert [face.found for face in faces(frontless, [seen()])] == ["no fronts found"]


def test_lines_and_handles_are_where_they_were_found() -> None:
    lines = (
        Line(False, 0.4, 0.1, 0.7, 0.001, 0.93),
        Line(True, 0.3, 0.05, 0.55, 0.002, 0.5),
        Line(False, 0.395, 0.0, 0.8, 0.001, 0.31),
    )
    handles = (
        SeenHandle(HandleKind.BOW, 0.2, 0.5, 0.16, 0.02, 0.03, False, 0.8),
        SeenHandle(HandleKind.BAR, 0.7, 0.3, 0.16, 0.02, 0.03, True, 0.8),
    )
    (front,) = faces(CABINET, [replace(seen(), lines=lines, handles=handles)])
    level, near, upright = front.rules
    assert (level.x1, level.y1, level.x2, level.y2) == pytest.approx((100, 200, 700, 200))
    assert (upright.x1, upright.y1, upright.x2, upright.y2) == pytest.approx((300, 550, 300, 50))
    assert (level.score, near.score, upright.score) == (0.93, 0.31, 0.5)
    assert near.label[1] - level.label[1] == pytest.approx(front.text)
    assert level.label[0] > front.width
    assert upright.label[1] < 0
    assert "± 1.0 mm" in level.title
    bow, bar = front.grips
    assert (bow.x, bow.y, bow.width, bow.height) == pytest.approx((120, 90, 160, 20))
    assert (bar.x, bar.y, bar.width, bar.height) == pytest.approx((690, 220, 20, 160))
    assert bow.title.startswith("bow handle, 160 mm long, 30 mm proud")


@given(st.lists(st.floats(0, 1000), max_size=20).map(sorted), st.floats(0.1, 100))
def test_spread_keeps_order_distance_and_mean(wanted: list[float], gap: float) -> None:
    out = np.array(spread(wanted, gap))
    assert len(out) == len(wanted)
    assert (np.diff(out) >= gap - 1e-6).all()
    if wanted:
        assert out.mean() == pytest.approx(np.mean(wanted), abs=1e-6)
        assert spread(out.tolist(), gap - 1e-5) == pytest.approx(out.tolist(), abs=1e-6)


@given(st.lists(st.integers(0, 50), max_size=10, unique=True).map(sorted))
def test_spread_moves_nothing_that_has_room(wanted: list[int]) -> None:
    assert spread([10.0 * place for place in wanted], 9.9) == pytest.approx([10.0 * w for w in wanted])


def test_a_picture_comes_back_from_its_uri() -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    picture = np.broadcast_to(ramp[None, :, None], (48, 64, 3)).astype(np.uint8)
    uri = embed.webp(picture)
    assert uri == embed.webp(picture.copy())
    back = decoded(uri)
    assert back.shape == picture.shape
    assert np.abs(back.astype(int) - picture).mean() < 3


def test_transparency_comes_back_from_the_uri() -> None:
    picture = np.zeros((20, 20, 4), np.uint8)
    picture[:, :10] = (200, 100, 50, 255)
    back = decoded(embed.webp(picture))
    assert (back[:, :10, 3] == 255).all()
    assert (back[:, 10:, 3] == 0).all()


@pytest.mark.parametrize(("height", "width"), [(400, 100), (100, 400), (3, 2000)])
def test_shrinking_keeps_the_shape(height: int, width: int) -> None:
    picture = stream(0, "shrink").integers(0, 255, (height, width, 3), dtype=np.uint8)
    small = embed.shrunk(picture, 100)
    assert max(small.shape[:2]) == 100
    assert small.shape[0] / small.shape[1] == pytest.approx(height / width, rel=0.05, abs=0.01)
    assert small.mean() == pytest.approx(picture.mean(), abs=3)
    assert embed.shrunk(picture, 2000) is picture


@given(st.integers(0, 255), st.floats(1, 10))
def test_lighting_up_never_darkens(level: int, most: float) -> None:
    picture = np.full((8, 8, 3), level, np.uint8)
    bright, gain = embed.lit(picture, most)
    assert 1 <= gain <= most
    assert (bright >= picture).all()
    assert bright.max() <= max(level * gain, level) + 1


def test_a_relief_is_dark_behind_bright_proud_and_clear_where_unseen() -> None:
    relief = np.tile(np.linspace(-0.01, 0.03, 100, dtype=np.float32), (50, 1))
    relief[:5] = np.nan
    picture, low, high = embed.heights(relief)
    assert (low, high) == pytest.approx((-0.01, 0.03), abs=1e-3)
    assert (picture[:5, :, 3] == 0).all()
    assert (picture[5:, :, 3] == 255).all()
    brightness = picture[10, :, :3].astype(int).sum(1)
    assert brightness[0] < brightness[50] < brightness[-1]


def test_a_relief_of_which_nothing_was_seen() -> None:
    picture, low, high = embed.heights(np.full((4, 5), np.nan, np.float32))
    assert (low, high) == (0.0, 0.0)
    assert (picture[..., 3] == 0).all()


def test_the_relief_is_shown_beside_the_colour() -> None:
    relief = np.zeros((300, 400), np.float32)
    (front,) = faces(CABINET, [replace(seen(), relief=relief)])
    assert front.relief is not None
    assert decoded(front.relief).shape[:2] == (300, 400)
    assert front.scale == "dark is +0 mm, bright +0 mm before the face"
    assert front.source == "3 pictures, lit up 4.0 times"
