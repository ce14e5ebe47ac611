"""Differential kinematics with numpy's and torch's arrays."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.sim.robots.differential import jacobian, pulled, solved, times, turn_between

Array = NDArray[np.float64]


def numbers(name: str, *shape: int) -> Array:
    return stream(0, name).normal(size=shape)


def test_the_jacobian_is_how_the_grip_moves() -> None:
    anchor, axis, grip = numbers("anchor", 9, 4, 3), numbers("axis", 9, 4, 3), numbers("grip", 9, 3)
    axis /= np.linalg.norm(axis, axis=2, keepdims=True)
    made = jacobian(anchor, axis, (False, True, False, False), grip)
    assert made.shape == (9, 6, 4)
    for i in range(4):
        shift = axis[:, i] if i == 1 else np.cross(axis[:, i], grip - anchor[:, i])
        assert made[:, :3, i] == pytest.approx(shift)
        assert made[:, 3:, i] == pytest.approx(0 * shift if i == 1 else axis[:, i])


def test_solved_and_times_are_linear_algebra() -> None:
    root, right = numbers("root", 20, 6, 8), numbers("right", 20, 6)
    square = root @ root.transpose(0, 2, 1)
    expected = np.linalg.solve(square + 0.1 * np.eye(6), right[:, :, None])[:, :, 0]
    assert solved(square, right, 0.1) == pytest.approx(expected)
    assert times(root, numbers("v", 20, 8)) == pytest.approx(
        np.einsum("nij,nj->ni", root, numbers("v", 20, 8))
    )


def test_pulled_undoes_the_error_and_is_small_where_it_can_not() -> None:
    moves, error = numbers("moves", 20, 6, 7), numbers("error", 20, 6)
    assert times(moves, pulled(moves, error, 1e-6)) == pytest.approx(error, abs=1e-6)
    stuck = moves.copy()
    stuck[:, 0] = 1e-9
    assert np.abs(pulled(stuck, error, 0.05)).max() < 100


@pytest.mark.parametrize("count", [1, 3, 16])
def test_the_bits_are_the_same_alone_and_among_others(count: int) -> None:
    moves, error = numbers("moves", 33, 6, 7), numbers("error", 33, 6)
    together = pulled(moves, error, 0.05)
    for i in range(0, 33 - count, 5):
        some = slice(i, i + count)
        assert np.array_equal(pulled(moves[some].copy(), error[some].copy(), 0.05), together[some])


def test_torch_finds_the_same() -> None:
    moves, error = numbers("moves", 8, 6, 7), numbers("error", 8, 6)
    theirs = pulled(torch.tensor(moves), torch.tensor(error), 0.05)
    assert theirs.numpy() == pytest.approx(pulled(moves, error, 0.05), abs=1e-12)
    one, other = (se3.exp(numbers(name, 8, 6))[:, :3, :3] for name in "ab")
    assert turn_between(torch.tensor(one), torch.tensor(other)).numpy() == pytest.approx(
        turn_between(one, other)
    )


def test_the_turn_between_is_axis_times_sine_and_whole_beyond_a_right_angle() -> None:
    axis = np.array([0.0, 0.6, 0.8])
    for angle, size in ((0.3, np.sin(0.3)), (-1.2, -np.sin(1.2)), (2.0, 1.0), (3.0, 1.0), (0.0, 0.0)):
        start = se3.exp(numbers("start", 1, 6))[:, :3, :3]
        turn = se3.exp(np.array([[0, 0, 0, *(angle * axis)]]))[:, :3, :3]
        assert turn_between(start, turn @ start)[0] == pytest.approx(size * axis, abs=1e-6)
