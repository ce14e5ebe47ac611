"""The floor plan: areas that are known, what was seen too little, and the picture of it."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scan import coverage as plans
from pocketworld.scan.capture import Camera, Frame
from pocketworld.scan.coverage import CELL, REACH, VIEWS, Coverage, Plan
from pocketworld.scan.plan_picture import FEW, HOLE, MANY, MARGIN, ONCE, PAPER, THIN, WALK, draw

Array = NDArray[np.float64]
CAMERA = Camera(110.0, 110.0, 99.5, 99.5, 200, 200)
DOWN = np.diag([1.0, -1.0, -1.0, 1.0])  # looks along -z, up in the picture is +y


def above(x: float, y: float, height: float = 2.0, tilt: float = 0.0) -> Array:
    pose = DOWN.copy()
    pose[:3, :3] = se3.exp(np.array([0, 0, 0, tilt, 0, 0]))[:3, :3] @ DOWN[:3, :3]
    pose[:3, 3] = x, y, height
    return pose


def floor(pose: Array, index: int = 0, hole: tuple[float, float, float] | None = None) -> Frame:
    """Return what a camera sees of a floor at z = 0; nothing in a round hole (x, y, radius)."""
    v, u = np.mgrid[0 : CAMERA.height, 0 : CAMERA.width]
    ways = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(u.shape)], -1)
    ways = ways @ pose[:3, :3].T
    depth = pose[2, 3] / np.maximum(-ways[..., 2], 1e-3)
    depth[ways[..., 2] > -1e-3] = 0
    if hole is not None:
        at = pose[:2, 3] + depth[..., None] * ways[..., :2]
        depth[np.hypot(*(at - hole[:2]).transpose(2, 0, 1)) < hole[2]] = 0
    return Frame(index, f"{index:05d}", pose, depth=depth.astype(np.float32), depth_camera=CAMERA)


def covered(frames: list[Frame]) -> Coverage:
    plan = Plan(np.array([frame.world_from_camera[:2, 3] for frame in frames]))
    for frame in frames:
        plan.add(frame)
    return plan.result()


def walk(hole: tuple[float, float, float] | None = None, shift: tuple[float, float] = (0, 0)) -> list[Frame]:
    """Return frames from all around (1, 1), so that the middle is well seen."""
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    places = [(1 + shift[0] + 0.8 * np.cos(a), 1 + shift[1] + 0.8 * np.sin(a)) for a in angles]
    moved = None if hole is None else (hole[0] + shift[0], hole[1] + shift[1], hole[2])
    return [floor(above(x, y), k, moved) for k, (x, y) in enumerate(places)]


def test_the_area_that_is_seen_is_the_area_of_the_view() -> None:
    width = 2.0 * CAMERA.width / CAMERA.fx
    one = covered([floor(above(0.3, 0.2))])
    assert one.seen_area == pytest.approx(width**2, rel=0.1), "cells at the border count whole"
    assert set(np.unique(one.frames)) == {0, 1}
    two = covered([floor(above(0.3, 0.2)), floor(above(0.3 + width / 2, 0.2), 1)])
    assert two.seen_area == pytest.approx(1.5 * width**2, rel=0.1)
    assert (two.frames == 2).sum() * CELL**2 == pytest.approx(0.5 * width**2, rel=0.1)


def test_it_takes_several_frames_from_several_directions() -> None:
    pose = above(0.0, 0.0)
    assert not covered([floor(pose, k) for k in range(VIEWS + 3)]).well.any(), "always from the same place"
    few = covered([floor(above(0.8 * k, 0.0), k) for k in range(VIEWS - 1)])
    assert not few.well.any(), "by too few frames"
    assert few.thin == 1
    assert few.place_area == 0
    assert few.patches == ()
    enough = covered([floor(above(0.8 * k, 0.0), k) for k in range(VIEWS)])
    assert enough.well.any()
    assert (enough.frames[enough.well] >= VIEWS).all()


def test_directions_count_from_where_the_camera_was_not_from_where_it_looked() -> None:
    looking = covered([floor(above(0.0, 0.0, tilt=0.2 * (k - 2)), k) for k in range(5)])
    assert not looking.well.any(), "turning the camera shows nothing from another side"


@pytest.mark.parametrize("radius", [0.3, 0.5])
def test_a_place_that_was_not_seen_is_found_with_its_size(radius: float) -> None:
    plan = covered(walk(hole=(1.2, 0.9, radius)))
    assert plan.patches
    patch = plan.patches[0]
    assert patch.centre == pytest.approx((1.2, 0.9), abs=0.03)
    assert patch.area == pytest.approx(np.pi * (radius - CELL / 2) ** 2, rel=0.1), (
        "cells at its rim were seen"
    )
    assert plan.thin >= sum(p.area for p in plan.patches) / plan.place_area
    assert covered(walk()).thin < 0.02


def test_places_that_were_seen_too_little_come_largest_first() -> None:
    frames = []
    for k, frame in enumerate(walk(hole=(1.6, 1.0, 0.3))):
        other = floor(frame.world_from_camera, k, (0.6, 1.0, 0.15))
        assert frame.depth is not None
        assert other.depth is not None
        frames.append(replace(frame, depth=np.where(other.depth == 0, np.float32(0), frame.depth)))
    patches = covered(frames).patches
    assert [patch.centre for patch in patches[:2]] == [
        pytest.approx((1.6, 1), abs=0.05),
        pytest.approx((0.6, 1), abs=0.05),
    ]
    areas = [patch.area for patch in patches]
    assert areas == sorted(areas, reverse=True)


def test_moving_everything_moves_the_plan_and_changes_nothing() -> None:
    here, there = covered(walk((1, 1, 0.4))), covered(walk((1, 1, 0.4), shift=(7.0, -3.0)))
    # Pixels that hit the border of two cells may fall on either side.
    assert (here.frames != there.frames).mean() < 0.003
    assert (here.well != there.well).mean() < 0.003
    np.testing.assert_allclose(np.subtract(there.corner, here.corner), [7, -3], atol=1e-9)


def test_the_order_of_frames_does_not_matter() -> None:
    frames = walk((1, 1, 0.4))
    mixed = [frames[k] for k in stream(0, "order").permutation(len(frames))]
    np.testing.assert_array_equal(covered(frames).frames, covered(mixed).frames)
    np.testing.assert_array_equal(covered(frames).well, covered(mixed).well)


def test_what_is_far_or_unsure_is_not_seen() -> None:
    assert covered([floor(above(0, 0, REACH + 1))]).seen_area == 0
    frame = floor(above(0, 0))
    assert frame.depth is not None
    unsure = replace(frame, confidence=np.full(frame.depth.shape, 0.5, np.float32))
    assert covered([unsure]).seen_area == 0
    lonely = np.zeros_like(frame.depth)
    lonely[100, 100] = frame.depth[100, 100]
    assert covered([replace(frame, depth=lonely)]).seen_area == 0, "one pixel may be a point in mid-air"


def test_a_long_walk_gets_larger_cells_and_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    long = Plan(np.array([[0.0, 0], [400, 300]]))
    assert long.cell == pytest.approx(0.4)
    assert long.frames.size <= plans.CELLS
    monkeypatch.setattr(plans, "CELLS", 500)
    coarse = covered(walk((1, 1, 0.5)))
    assert coarse.cell > 0.3
    assert coarse.seen_area == pytest.approx(covered(walk()).seen_area, rel=0.3)


def test_the_walk_is_in_the_plan_though_nothing_was_seen_there() -> None:
    frame = floor(above(0, 0))
    plan = Plan(np.array([[0.0, 0], [4, 0]]))
    plan.add(frame)
    result = plan.result()
    assert result.frames.shape[1] * result.cell > 5.5


def colour_at(result: Coverage, x: float, y: float) -> tuple[int, ...]:
    picture = draw(result)
    row, column = round((picture.top - y) / picture.scale), round((x - picture.left) / picture.scale)
    return tuple(picture.pixels[row, column].tolist())


def test_the_picture_shows_each_place_where_it_says() -> None:
    result = covered(walk((1.0, 1.0, 0.4)))
    assert colour_at(result, 1.0, 1.0) == HOLE
    assert colour_at(result, 1.8, 1.0) == WALK, "where the first frame was"
    assert colour_at(result, result.corner[0] - 0.01, 1.0) == PAPER
    green = np.array(colour_at(result, 1.05, 0.45))
    assert (green >= np.minimum(FEW, MANY)).all()
    assert (green <= np.maximum(FEW, MANY)).all()
    edge = colour_at(result, *(np.array(result.corner) + result.cell * 2.5))
    assert edge in (PAPER, ONCE)


def test_what_few_frames_saw_has_a_colour_of_its_own() -> None:
    frames = walk((1.0, 1.0, 0.4))
    frames[0] = floor(frames[0].world_from_camera)  # one of twelve saw the hole
    assert colour_at(covered(frames), 1.0, 1.0) == THIN


@pytest.mark.parametrize("length", [0.0, 5.0, 60.0, 900.0])
def test_a_picture_fits_a_page_and_has_a_scale(length: float) -> None:
    frames = [floor(above(0, 0)), floor(above(0, length), 1)]
    result = covered(frames)
    picture = draw(result)
    height, width, channels = picture.pixels.shape
    assert (picture.pixels.dtype, channels) == (np.dtype(np.uint8), 3)
    assert height < 2000
    assert width < 2000
    assert picture.scale * (height - 2 * MARGIN) >= result.frames.shape[0] * result.cell - 1e-9
    assert (picture.pixels[-2 * MARGIN :] != PAPER).any(), "the scale at the foot"
