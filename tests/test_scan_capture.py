"""Cameras and choices of frames: laws."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.errors import CaptureError
from pocketworld.scan.capture import Camera, Capture, Frame, chosen

SIZES = st.integers(1, 4000)
FOCALS = st.floats(0.02, 50)  # in sizes of the picture
CAMERAS = st.builds(
    lambda fx, fy, cx, cy, w, h: Camera(fx * w, fy * h, cx, cy, w, h),
    *(FOCALS, FOCALS, st.floats(-10, 4000), st.floats(-10, 4000), SIZES, SIZES),
)


def capture(count: int) -> Capture:
    """Return a capture that may not be read: knowing frames must not load them."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 0, 3] = np.arange(count)

    def load(index: int) -> Frame:
        raise AssertionError(f"frame {index} was read")

    order = tuple(range(count))
    return Capture("walk", Path("walk"), "none", poses, np.eye(4), load, order, np.arange(count) % 3 == 0)


def readable(count: int) -> Capture:
    return replace(capture(count), load=lambda i: Frame(i, f"{i:05d}", np.eye(4)))


@given(CAMERAS, SIZES, SIZES, SIZES, SIZES)
def test_resizing_twice_is_resizing_once(camera: Camera, w: int, h: int, w2: int, h2: int) -> None:
    once, twice = camera.resized(w2, h2), camera.resized(w, h).resized(w2, h2)
    np.testing.assert_allclose(twice.matrix, once.matrix, rtol=1e-9, atol=1e-6)
    there_and_back = camera.resized(w, h).resized(camera.width, camera.height)
    np.testing.assert_allclose(there_and_back.matrix, camera.matrix, rtol=1e-9, atol=1e-6)


@given(CAMERAS, SIZES, SIZES)
def test_a_resized_picture_covers_the_same_angles(camera: Camera, w: int, h: int) -> None:
    small = camera.resized(w, h)
    for at in (0.0, 0.3, 1.0):  # the borders of a picture are half a pixel outside its outermost centres
        wide, narrow = at * camera.width - 0.5, at * w - 0.5
        left, right = (wide - camera.cx) / camera.fx, (narrow - small.cx) / small.fx
        assert left == pytest.approx(right, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "numbers", [(0, 1, 0, 0, 1, 1), (1, -1, 0, 0, 1, 1), (1, 1, 0, 0, 0, 1), (1, 1, np.nan, 0, 1, 1)]
)
def test_a_camera_that_takes_no_pictures_is_refused(numbers: tuple[float, ...]) -> None:
    fx, fy, cx, cy, width, height = numbers
    with pytest.raises(
        CaptureError, match=r"is not possible; focal lengths and size are above 0 and finite$"
    ):
        Camera(fx, fy, cx, cy, int(width), int(height))


@pytest.mark.parametrize(
    "numbers", [(1e300, 1e300, 0, 0, 1, 1), (1e-9, 1e-9, 0, 0, 1, 1), (1, 500, 0, 0, 9, 4)]
)
def test_a_camera_that_no_lens_has_is_refused(numbers: tuple[float, ...]) -> None:
    fx, fy, cx, cy, width, height = numbers
    with pytest.raises(
        CaptureError, match=r"^no lens is that of camera .*; focal lengths are 0.01 to 100 times"
    ):
        Camera(fx, fy, cx, cy, int(width), int(height))


PARTS = st.one_of(st.none(), st.integers(-70, 70))


@given(st.integers(1, 60), PARTS, PARTS, st.one_of(st.none(), st.integers(1, 9)), st.booleans())
def test_a_choice_is_a_python_slice(
    count: int, start: int | None, stop: int | None, step: int | None, colon: bool
) -> None:
    whole = capture(count)
    text = ":".join("" if part is None else str(part) for part in (start, stop, step))
    text = text if colon or step is not None else text.removesuffix(":")
    expected = tuple(range(count))[start:stop:step]
    if not expected:
        with pytest.raises(CaptureError, match=rf"chooses none of the {count} frames of walk$"):
            chosen(whole, text)
        return
    some = chosen(whole, text)
    assert some.order == expected
    np.testing.assert_array_equal(some.world_from_camera[:, 0, 3], expected)
    np.testing.assert_array_equal(some.coloured, whole.coloured[list(expected)])


@pytest.mark.parametrize(
    "text",
    ["", "7", "a:b", "0:40:0", "0:40:-1", "0:40:2:1", "1.5:2", "0-40", "0:4O", "::00", f"{10**30}:", "٣:٤"],
)
def test_what_is_no_choice_is_one_line(text: str) -> None:
    with pytest.raises(
        CaptureError, match=r"is no choice; give START:STOP:STEP with STEP above 0, as 0:40:2$"
    ):
        chosen(capture(50), text)


def test_slices_of_slices_are_the_whole() -> None:
    whole = readable(50)
    evens = chosen(whole, "0:40:2")
    assert [frame.index for frame in evens] == list(range(0, 40, 2))
    assert evens[1:3].order == (2, 4)
    assert evens[-1].name == "00038"
    parts = [*whole[:7], *whole[7:20], *whole[20:]]
    assert [part.name for part in parts] == [frame.name for frame in whole]
    assert whole[:].order == whole.order


def test_arrays_are_checked_and_closed() -> None:
    whole = capture(5)
    with pytest.raises(ValueError, match="read-only"):
        whole.world_from_camera[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        whole[1:].coloured[0] = True
    with pytest.raises(
        CaptureError, match=r"^capture walk: world_from_camera has shape \(4, 4, 4\), not \(5, 4, 4\)$"
    ):
        replace(whole, world_from_camera=whole.world_from_camera[1:])
