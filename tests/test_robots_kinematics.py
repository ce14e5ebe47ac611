"""Forward and inverse kinematics against MuJoCo's own, and laws that they keep."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pocketworld.geometry import se3
from pocketworld.rng import stream
from pocketworld.sim.robots.build import alone
from pocketworld.sim.robots.description import GRIP, Arm
from pocketworld.sim.robots.kinematics import CLOSE, Chain, close, difference
from tests.arms import plain_arm

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Arm:
    return plain_arm(tmp_path_factory.mktemp("arm"))


def postures(chain: Chain, count: int, name: str = "postures") -> Array:
    return stream(0, name).uniform(chain.low, chain.high, (count, len(chain.low)))


def test_grip_and_jacobian_are_mujocos(arm: Arm) -> None:
    model = alone(arm.physics)
    data, site = mujoco.MjData(model), model.site(GRIP).id
    shift, turn = np.zeros((3, model.nv)), np.zeros((3, model.nv))
    given = postures(arm.chain, 20)
    grips, jacobians = arm.chain.forward(given)
    for q, grip, jacobian in zip(given, grips, jacobians, strict=True):
        data.qpos[4:-2] = q
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_jacSite(model, data, shift, turn, site)
        assert grip[:3, 3] == pytest.approx(data.site_xpos[site], abs=1e-9)
        assert grip[:3, :3] == pytest.approx(data.site_xmat[site].reshape(3, 3), abs=1e-9)
        assert jacobian == pytest.approx(np.concatenate([shift, turn])[:, 4:-2], abs=1e-9)


def test_a_slide_in_the_arm_counts_as_one(arm: Arm) -> None:
    """A chain of one slide and one hinge, worked out by hand."""
    one, zero = np.eye(4), np.zeros(3)
    chain = Chain(
        np.array([True, False]),
        np.eye(3)[:2],
        np.array([zero, zero]),
        -np.ones(2),
        np.ones(2),
        one,
        np.zeros(2),
    )
    grips, jacobian = chain.forward(np.array([[0.3, 0.5]]))
    assert grips[0, :3, 3] == pytest.approx([0.3, 0, 0])
    assert grips[0, :3, :3] == pytest.approx(Rotation.from_rotvec([0, 0.5, 0]).as_matrix())
    assert jacobian[0, :, 0] == pytest.approx([1, 0, 0, 0, 0, 0])
    assert jacobian[0, :, 1] == pytest.approx([0, 0, 0, 0, 1, 0])


def test_what_can_be_reached_is_found_and_within_limits(arm: Arm) -> None:
    chain = arm.chain
    there = postures(chain, 200)
    wanted, _ = chain.forward(there)
    near = np.clip(there + stream(0, "near").normal(size=there.shape) * 0.3, chain.low, chain.high)
    found, solved = chain.solve(near, wanted, 60)
    assert solved.mean() > 0.9
    at, _ = chain.forward(found[solved])
    assert close(difference(at, wanted[solved])).all()
    assert (found >= chain.low).all()
    assert (found <= chain.high).all()


def test_what_is_out_of_reach_is_not_found(arm: Arm) -> None:
    wanted = np.tile(np.eye(4), (3, 1, 1))
    wanted[:, 0, 3] = 3.0
    assert not arm.chain.solve(np.tile(arm.chain.rest, (3, 1)), wanted, 40)[1].any()


def test_a_solution_does_not_depend_on_what_else_is_solved(arm: Arm) -> None:
    chain = arm.chain
    there = postures(chain, 12)
    wanted, _ = chain.forward(there)
    start = np.tile(chain.rest, (12, 1))
    together, solved = chain.solve(start, wanted, 40)
    order = stream(0, "order").permutation(12)
    assert np.array_equal(chain.solve(start, wanted[order], 40)[0], together[order])
    for i in range(12):
        alone_, one = chain.solve(start[:1], wanted[i : i + 1], 40)
        assert one[0] == solved[i]
        assert alone_[0] == pytest.approx(together[i], abs=1e-6)


def test_what_freedom_is_left_goes_to_rest(arm: Arm) -> None:
    chain = arm.chain
    wanted, _ = chain.forward(chain.rest[None])
    off = chain.rest + stream(0, "off").normal(size=7) * 0.2
    q = np.clip(off, chain.low, chain.high)[None]
    for _ in range(150):
        q, _ = chain.step(q, wanted)
    assert q[0] == pytest.approx(chain.rest, abs=0.02)


def test_manipulability_is_nothing_where_the_arm_is_straight(arm: Arm) -> None:
    straight = np.zeros((1, 7))
    assert arm.chain.manipulability(straight)[0] < 1e-6
    assert arm.chain.manipulability(arm.chain.rest[None])[0] > 0.01


def test_difference_is_the_way_there() -> None:
    one, other = (se3.exp(stream(0, name).normal(size=(50, 6)) * 0.8) for name in "ab")
    way = difference(one, other)
    assert one[:, :3, 3] + way[:, :3] == pytest.approx(other[:, :3, 3])
    for a, b, turn in zip(one, other, way[:, 3:], strict=True):
        made = Rotation.from_rotvec(turn).as_matrix() @ a[:3, :3]
        assert made == pytest.approx(b[:3, :3], abs=1e-9)


def test_close_is_close_in_place_and_turn() -> None:
    far, off = CLOSE
    errors = np.zeros((3, 6))
    errors[1, 0], errors[2, 4] = 1.01 * far, 1.01 * off
    assert close(errors).tolist() == [True, False, False]


def test_home_is_where_the_file_says(tmp_path: Path) -> None:
    chain = plain_arm(tmp_path).chain
    grip, _ = chain.forward(chain.rest[None])
    assert grip[0, 0, 3] > 0.3, "ahead of it"
    assert grip[0, :3, 0] == pytest.approx((-1, 0, 0), abs=0.1), "pointing ahead"


def test_the_jacobian_is_the_derivative_of_where_the_grip_is(arm: Arm) -> None:
    """By central differences, of an arm whose second joint slides."""
    slides = np.arange(7) == 1
    chain = replace(arm.chain, slides=slides)
    given, tiny = postures(chain, 10, "derivative"), 1e-6
    _, jacobian = chain.forward(given)
    for i in range(7):
        (low, _), (high, _) = (chain.forward(given + sign * tiny * np.eye(7)[i]) for sign in (-1, 1))
        assert jacobian[:, :, i] == pytest.approx(difference(low, high) / (2 * tiny), abs=1e-7)


def test_a_posture_alone_has_the_grip_it_has_among_others(arm: Arm) -> None:
    given = postures(arm.chain, 30)
    grips, jacobians = arm.chain.forward(given)
    for i in range(30):
        grip, jacobian = arm.chain.forward(given[i : i + 1])
        assert grip[0] == pytest.approx(grips[i], abs=1e-14)
        assert jacobian[0] == pytest.approx(jacobians[i], abs=1e-14)
