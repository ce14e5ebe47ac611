"""Blur of pictures: a width in pixels that is what was put in, and pictures that stand out."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.rng import stream
from pocketworld.scan.readers import read
from pocketworld.scan.sharpness import WIDTH, blurred, edge_width

Picture = NDArray[np.uint8]


def scene(index: int = 0, width: int = WIDTH) -> Picture:
    """Return overlapping rectangles of all sizes, turned anyhow, with sharp edges; at any width the same."""
    draw = stream(0, "scene", index)
    picture = np.full((width * 3 // 4, width, 3), 128, np.uint8)
    for _ in range(60):
        place, size = draw.uniform(0, 1, 2) * [width, width * 0.75], draw.uniform(0.05, 0.3, 2) * width
        corners = cv2.boxPoints((place.tolist(), size.tolist(), float(draw.uniform(0, 90))))
        colour = draw.integers(0, 255, 3).tolist()
        cv2.fillConvexPoly(picture, np.rint(corners * 16).astype(np.int32), colour, cv2.LINE_AA, 4)
    return picture


def soft(picture: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def moved(picture: Picture, pixels: int, angle: float) -> Picture:
    """Return the picture as a camera sees it that moves while it looks."""
    kernel = np.zeros((2 * pixels + 1,) * 2, np.float32)
    reach = pixels / 2 * np.array([np.cos(angle), np.sin(angle)])
    start, end = (tuple(np.rint(pixels + k * reach).astype(int).tolist()) for k in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.uint8)


def width_of(picture: Picture) -> float:
    width = edge_width(picture)
    assert width is not None
    return width


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_blur_is_measured_as_wide_as_it_is(index: int, sigma: float) -> None:
    sharp = width_of(scene(index))
    assert 0.7 < sharp < 0.9, "what pixels and the gradient itself blur"
    assert width_of(soft(scene(index), sigma)) == pytest.approx(np.hypot(sharp, sigma), rel=0.12)


@pytest.mark.parametrize(("contrast", "light"), [(0.5, 0), (0.3, 120), (0.9, 20)])
def test_contrast_and_light_do_not_matter(contrast: float, light: float) -> None:
    picture = soft(scene(), 1.5)
    dim = (picture * contrast + light).astype(np.uint8)
    assert width_of(dim) == pytest.approx(width_of(picture), rel=0.05)


def test_a_picture_is_as_sharp_turned_and_mirrored() -> None:
    picture = soft(scene()[:480, :480], 1.2)
    for same in (picture[::-1], picture[:, ::-1], picture.transpose(1, 0, 2)):
        assert width_of(np.ascontiguousarray(same)) == pytest.approx(width_of(picture), rel=0.03)


def test_the_unit_is_an_angle_whatever_the_size() -> None:
    assert width_of(soft(scene(width=1920), 6.0)) == pytest.approx(width_of(soft(scene(), 2.0)), rel=0.1)
    small = np.asarray(cv2.resize(soft(scene(), 3.0), (320, 240), interpolation=cv2.INTER_AREA), np.uint8)
    assert width_of(small) == pytest.approx(3.0, rel=0.2)


@pytest.mark.parametrize("angle", [0.0, np.pi / 4, np.pi / 2, 2.0])
def test_a_moving_camera_blurs_whichever_way_it_moves(angle: float) -> None:
    """Moving by 8 pixels spreads an edge across the way by 8 / sqrt(12), and leaves edges along it sharp."""
    widths = [width_of(scene(k)) for k in range(5)]
    widths[2] = width_of(moved(scene(2), 8, angle))
    assert widths[2] > 1.5
    assert blurred(widths).tolist() == [False, False, True, False, False]


def test_where_there_is_nothing_to_see_nothing_is_said() -> None:
    assert edge_width(np.full((480, 640, 3), 90, np.uint8)) is None
    assert edge_width(np.zeros((1, 1, 3), np.uint8)) is None


def test_blurred_is_what_stands_out_in_its_own_surroundings() -> None:
    assert blurred([]).tolist() == []
    assert blurred([9.0]).tolist() == [False], "with nothing to compare nothing stands out"
    assert blurred([1.0, 3.0]).tolist() == [False, True]
    assert not blurred([3.0] * 9).any(), "that all are soft is told by their width"
    assert not blurred(np.linspace(1, 3, 30).tolist()).any(), "nor does what changes slowly stand out"
    assert blurred([1, 1, 1, 2, 1, 1, 1.3, 1]).tolist() == [False] * 3 + [True] + [False] * 4


def test_the_unit_does_not_matter_to_what_stands_out() -> None:
    widths = np.exp(stream(0, "widths").normal(0, 0.4, 50))
    assert 0 < blurred(widths.tolist()).sum() < 25
    np.testing.assert_array_equal(blurred(widths.tolist()), blurred((widths * 7).tolist()))
    np.testing.assert_array_equal(blurred(widths[::-1].tolist())[::-1], blurred(widths.tolist()))


def test_the_one_picture_of_the_corridor_that_people_call_blurred_is_found(captures: Path) -> None:
    """Of the pictures 129 to 153, the camera swung in 141: its tiles and door frames are smeared."""
    frames = [
        frame for frame in read(captures / "3dscannerapp_corridor", "129:154:3") if frame.colour is not None
    ]
    widths = [width_of(frame.colour) for frame in frames if frame.colour is not None]
    assert [frame.name for frame, bad in zip(frames, blurred(widths), strict=True) if bad] == ["00141"]
    for k in (2, 6):  # any other picture, shaken by hand
        picture = frames[k].colour
        assert picture is not None
        shaken = [*widths[:k], width_of(moved(picture, 24, np.pi / 2)), *widths[k + 1 :]]
        assert blurred(shaken)[k]
