"""What looks at depth alone gets depth alone, and the very same."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from pocketworld.scan.moments import depth_alone
from pocketworld.scan.readers import read

CHAIR = Path(__file__).parent / "data" / "chair"


def test_depth_is_the_same_without_the_pictures() -> None:
    capture = read(CHAIR)
    bare = depth_alone(capture)
    assert capture.coloured.any()
    assert not bare.coloured.any()
    np.testing.assert_array_equal(bare.world_from_camera, capture.world_from_camera)
    for with_picture, without in zip(capture, bare, strict=True):
        assert without.colour is None
        assert without.colour_camera is None
        assert (without.index, without.name, without.time) == (
            with_picture.index,
            with_picture.name,
            with_picture.time,
        )
        assert without.depth is not None
        assert with_picture.depth is not None
        np.testing.assert_array_equal(without.depth, with_picture.depth)
        assert without.confidence is not None
        assert with_picture.confidence is not None
        np.testing.assert_array_equal(without.confidence, with_picture.confidence)


def test_a_choice_of_frames_stays_chosen() -> None:
    capture = read(CHAIR)
    assert [frame.name for frame in depth_alone(capture[1:])] == [frame.name for frame in capture[1:]]


def test_what_comes_from_no_files_is_given_back() -> None:
    capture = read(CHAIR)
    made_up = replace(capture, load=lambda i: capture.load(i))
    assert depth_alone(made_up) is made_up
