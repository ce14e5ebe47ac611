"""Pictures of the surface and of the twin."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, HandleSpec, Split
from pocketworld.geometry import se3
from pocketworld.review.report import pictures
from pocketworld.review.report.surface_view import SIDES, SIZE, views
from pocketworld.scene import Asset, HandleKind, Mesh, Pose, Scene

FRONTS = Split(True, (0.2, 0.2, 0.2), (Front(), Front(), Front()))
CABINET = registry.family("cabinet").build(Cabinet(0.4, 0.5, 0.6, FRONTS), "c")
STILL = registry.family("cabinet").build(
    Cabinet(0.4, 0.5, 0.6, Front(FrontKind.FIXED, handle=HandleSpec(HandleKind.NONE))), "s"
)
RED, GREEN, GREY = (200, 30, 30), (30, 200, 30), (128, 128, 128)


def surface(*shapes: tuple[trimesh.Trimesh, tuple[int, int, int]]) -> Mesh:
    first = np.cumsum([0, *(len(shape.vertices) for shape, _ in shapes)])
    return Mesh(
        np.concatenate([shape.vertices for shape, _ in shapes]).astype(np.float32),
        np.concatenate([shape.faces + at for (shape, _), at in zip(shapes, first[:-1], strict=True)]).astype(
            np.int32
        ),
        colours=np.repeat(np.array([colour for _, colour in shapes], np.uint8), np.diff(first), axis=0),
        seen=True,
    )


def box(size: tuple[float, float, float], centre: tuple[float, float, float]) -> trimesh.Trimesh:
    shape = trimesh.creation.box(size)
    shape.apply_translation(centre)
    return shape


def room() -> trimesh.Trimesh:
    """Walls, floor and ceiling, seen from inside."""
    shape = box((4, 4, 2.5), (0, 0, 1.25))
    shape.invert()
    return shape


def share(image: NDArray[np.uint8], channel: int) -> float:
    """The share of the picture in which a channel of colour stands out."""
    rgb = image[..., :3].astype(int)
    others = np.delete(rgb, channel, axis=-1).max(-1)
    return float((rgb[..., channel] > others + 40).mean())


def test_the_asset_fills_the_picture_from_three_sides() -> None:
    shown = views(surface((box((0.4, 0.5, 0.6), (0, 0, 0.3)), RED)), Scene("s", (CABINET,)))
    assert [view.title for view in shown] == [title for title, _ in SIDES]
    for view in shown:
        assert view.image.shape == (SIZE[1], SIZE[0], 4)
        assert 0.1 < share(view.image, 0) < 0.8
        assert view.image[..., 3].mean() / 255 == pytest.approx(share(view.image, 0), abs=0.02)


def test_the_front_is_seen_from_the_front() -> None:
    body, plate = box((0.4, 0.5, 0.6), (0, 0, 0.3)), box((0.4, 0.01, 0.6), (0, -0.255, 0.3))
    front, back, above = views(surface((body, GREY), (plate, GREEN)), Scene("s", (CABINET,)))
    assert share(front.image, 1) > 0.05
    assert share(back.image, 1) < 0.005  # the plate's upper edge
    assert share(front.image, 1) > share(above.image, 1)


def test_walls_and_ceilings_are_looked_through() -> None:
    inside = views(surface((box((0.4, 0.5, 0.6), (0, 0, 0.3)), RED), (room(), GREY)), Scene("s", (CABINET,)))
    alone = views(surface((box((0.4, 0.5, 0.6), (0, 0, 0.3)), RED)), Scene("s", (CABINET,)))
    for a, b in zip(inside, alone, strict=True):
        assert share(a.image, 0) == pytest.approx(share(b.image, 0), abs=0.01)


def test_what_stands_before_it_is_cut_away() -> None:
    towards = np.array(SIDES[0][1]) * 2.5
    x, y, z = (float(v) for v in towards)
    screen = box((1.5, 0.02, 1.5), (x, y, z))
    front, *_ = views(
        surface((box((0.4, 0.5, 0.6), (0, 0, 0.3)), RED), (screen, GREY)), Scene("s", (CABINET,))
    )
    assert share(front.image, 0) > 0.1


def test_the_picture_turns_with_the_asset() -> None:
    body, plate = box((0.4, 0.5, 0.6), (0, 0, 0.3)), box((0.4, 0.01, 0.6), (0, -0.255, 0.3))
    seen = surface((body, GREY), (plate, GREEN))
    pose = Pose.upright((3.0, -2.0, 0.0), 2.0)
    moved = replace(seen, vertices=se3.apply(pose.matrix, seen.vertices.astype(float)).astype(np.float32))
    still = views(seen, Scene("s", (CABINET,)))
    turned = views(moved, Scene("s", (replace(CABINET, pose=pose),)))
    for a, b in zip(still, turned, strict=True):
        assert np.abs(a.image.astype(int) - b.image).mean() < 1


def test_all_assets_are_in_the_picture() -> None:
    other = replace(CABINET, id="other", pose=Pose.upright((2.0, 0.5, 0.0), 0.7))
    seen = surface((box((0.4, 0.5, 0.6), (0, 0, 0.3)), RED), (box((0.4, 0.4, 0.6), (2, 0.5, 0.3)), GREEN))
    for view in views(seen, Scene("s", (CABINET, other))):
        assert share(view.image, 0) > 0.01
        assert share(view.image, 1) > 0.01


def test_without_an_asset_the_whole_surface_is_shown() -> None:
    shown = views(surface((box((4, 3, 1), (10, 0, 0.5)), RED)), Scene("s", ()))
    assert all(share(view.image, 0) > 0.1 for view in shown)


def test_a_surface_without_colours_is_grey() -> None:
    seen = replace(surface((box((0.4, 0.5, 0.6), (0, 0, 0.3)), RED)), colours=None)
    image = views(seen, Scene("s", (CABINET,)))[0].image
    rgb = image[image[..., 3] == 255][:, :3]
    assert (np.ptp(rgb.astype(int), axis=1) == 0).all()


def test_nothing_is_shown_of_nothing() -> None:
    assert views(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)), Scene("s", ())) == ()


def test_equal_surfaces_give_equal_pictures() -> None:
    seen = surface((box((0.4, 0.5, 0.6), (0, 0, 0.3)), RED), (room(), GREY))
    first, second = views(seen, Scene("s", (CABINET,))), views(seen, Scene("s", (CABINET,)))
    assert all((a.image == b.image).all() for a, b in zip(first, second, strict=True))


@given(st.floats(0, 1), st.floats(0, 1))
def test_things_only_open_on_the_way(a: float, b: float) -> None:
    low, high = sorted((a, b))
    scene = Scene("s", (CABINET,))
    before, after = pictures.shares(scene, low), pictures.shares(scene, high)
    assert all(0 <= before[id] <= after[id] <= 1 for id in before)


def test_the_lowest_drawer_opens_first() -> None:
    scene = Scene("s", (CABINET,))
    assert set(pictures.shares(scene, 0.0).values()) == {0.0}
    assert set(pictures.shares(scene, 1.0).values()) == {1.0}
    assert list(pictures.shares(scene, 0.6)) == ["c/2", "c/1", "c/0"]
    assert list(pictures.shares(scene, 0.6).values()) == pytest.approx([1.0, 0.7, 0.2])


def test_one_joint_alone_opens_too() -> None:
    scene = Scene("s", (one_drawer(),))
    assert pictures.shares(scene, 0.25) == {"one/0": 0.5}
    bare = one_drawer()
    frontless = replace(bare, parts=tuple(replace(part, front=None) for part in bare.parts))
    assert pictures.shares(Scene("s", (frontless,)), 1.0) == {"one/0": 1.0}


def one_drawer() -> Asset:
    return registry.family("cabinet").build(Cabinet(0.4, 0.5, 0.3, Front()), "one")


def test_pictures_from_closed_to_open() -> None:
    shown = pictures.opening(Scene("s", (one_drawer(),)))
    assert shown.problem == ""
    assert [shot.title for shot in shown.shots][:: len(pictures.STEPS) - 1] == ["closed", "open"]
    assert shown.shots[shown.first].title == "60% of the way"
    assert len({shot.image for shot in shown.shots[:3]}) == 3


def test_what_does_not_open_has_one_picture() -> None:
    shown = pictures.opening(Scene("s", (STILL,)))
    assert [shot.title for shot in shown.shots] == ["closed"]


def test_an_empty_twin_has_no_picture_and_says_so() -> None:
    assert pictures.opening(Scene("s", ())) == pictures.Shots(problem="the twin is empty")


def test_where_nothing_can_draw_the_reason_is_said() -> None:
    code = (
        "from pocketworld.families import registry\n"
        "from pocketworld.families.cabinet.parameters import Cabinet\n"
        "from pocketworld.review.report import pictures; from pocketworld.scene import Scene\n"
        "asset = registry.family('cabinet').build(Cabinet(0.4, 0.5, 0.3), 'c')\n"
        "shown = pictures.opening(Scene('s', (asset,)))\n"
        "assert shown.shots == (), shown.shots\n"
        "print(shown.problem)"
    )
    # GLFW is there, a screen is not.
    environ = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environ | {"MUJOCO_GL": "glfw"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("MuJoCo can't draw here: ")
    assert done.stdout.count("\n") == 1
