"""What files call a pose: a rigid motion, exactly, or none."""

import numpy as np
import pytest

from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.scan.poses import OPENGL_FROM_OPENCV, Z_UP_FROM_Y_UP, rigid

MOTIONS = se3.exp(stream(0, "poses").normal(0, 2, (50, 6)))


def test_rounded_motions_become_exact_ones() -> None:
    rounded = MOTIONS.round(4)
    exact, sound = rigid(rounded)
    assert sound.all()
    np.testing.assert_allclose(exact, MOTIONS, atol=2e-4)
    turns = exact[:, :3, :3]
    np.testing.assert_allclose(turns @ turns.swapaxes(1, 2), np.tile(np.eye(3), (50, 1, 1)), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(turns), 1)


def test_motions_stay_what_they_are() -> None:
    exact, sound = rigid(MOTIONS)
    assert sound.all()
    np.testing.assert_allclose(exact, MOTIONS, atol=1e-14)
    assert rigid(np.zeros((0, 4, 4)))[0].shape == (0, 4, 4)


@pytest.mark.parametrize(
    "broken",
    [
        np.zeros((4, 4)),
        np.full((4, 4), np.nan),
        np.where(np.eye(4) > 0, np.inf, 0),
        np.diag([1.0, 1, -1, 1]),  # a mirror
        np.diag([2.0, 2, 2, 1]),  # a stretch
        np.diag([1.0, 1, 1, 2]),
        MOTIONS[0].T,  # column by column
        np.array([[1.0, 0.1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
        np.array([[1.0, 0, 0, 2000], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    ],
)
def test_what_is_no_motion_is_found_out_and_harms_no_other(broken: np.ndarray) -> None:
    exact, sound = rigid(np.stack([MOTIONS[0], broken, MOTIONS[1]]))
    assert sound.tolist() == [True, False, True]
    np.testing.assert_allclose(exact[[0, 2]], MOTIONS[:2], atol=1e-14)


def test_axes_turn_the_right_way() -> None:
    for turn in (Z_UP_FROM_Y_UP, OPENGL_FROM_OPENCV):
        assert rigid(turn[None])[1].all()
    up_in_capture, forward_of_opencv = np.array([0.0, 1, 0]), np.array([0.0, 0, 1])
    np.testing.assert_array_equal(Z_UP_FROM_Y_UP[:3, :3] @ up_in_capture, [0, 0, 1])
    np.testing.assert_array_equal(OPENGL_FROM_OPENCV[:3, :3] @ forward_of_opencv, [0, 0, -1])
