"""The share of episodes that succeed is told truly, whatever part of them has ended, or is cut short."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pocketworld.rng import stream
from pocketworld.sim.training.success import Success

CPU = torch.device("cpu")
LIMIT, ENVS = 40, 400
Ages = NDArray[np.int64]
# How long a success takes, in steps; longer than LIMIT where there is none. 0.6 succeed.
TIMES = stream(3, "times").permutation(np.repeat(np.arange(5, 35, 0.1).astype(int), 10))
TRUE = 0.6


def drawn(n: int, mark: int) -> Ages:
    """Return when n episodes succeed: the same for each mark."""
    generator = stream(0, "success", mark)
    return np.where(generator.random(n) < TRUE, generator.choice(TIMES, n), 10 * LIMIT)


def runs(success: Success, steps: int, clocks: Ages | None = None, wild: float = 0.0) -> list[float | None]:
    """Run environments for some steps; return the share after each. Their clocks begin where they are put."""
    time, age = np.zeros(ENVS, int) if clocks is None else clocks.copy(), np.zeros(ENVS, int)
    when, chance, told = drawn(ENVS, 0), stream(1, "wild"), []
    success.begin()
    for count in range(steps):
        time, age = time + 1, age + 1
        lost = chance.random(ENVS) < wild
        won = (age == when) & ~lost
        done = won | lost | (time >= LIMIT)
        success.step(*map(torch.as_tensor, (won, lost, done)))
        again = drawn(ENVS, count + 1)
        time, age, when = (np.where(done, *pair) for pair in ((0, time), (0, age), (again, when)))
        told.append(success.share)
    return told


def fresh(limit: int = LIMIT, envs: int = ENVS) -> Success:
    return Success(envs, limit, CPU)


def test_where_all_episodes_are_seen_through_it_is_the_plain_share() -> None:
    success, when = fresh(), drawn(200, 5)
    came, won = (
        [int(of(when, age).sum()) for age in range(1, LIMIT + 1)] for of in (np.greater_equal, np.equal)
    )
    lost = [0] * LIMIT
    success.restore({"came": torch.tensor(came), "won": torch.tensor(won), "lost": torch.tensor(lost)})
    assert success.share == pytest.approx((when <= LIMIT).mean(), abs=1e-12)


def test_before_any_has_ended_it_is_not_known() -> None:
    success = fresh()
    assert success.share is None
    nothing = torch.zeros(ENVS, dtype=torch.bool)
    for _ in range(LIMIT - 1):
        success.step(nothing, nothing, nothing)
        assert success.share is None
    success.step(nothing, nothing, ~nothing)
    assert success.share == 0


@pytest.mark.parametrize("spread", [False, True])
def test_it_is_true_whether_or_not_time_limits_are_spread(spread: bool) -> None:
    clocks = stream(2, "clocks").integers(0, LIMIT, ENVS) if spread else None
    last = runs(fresh(), 12 * LIMIT, clocks)[-1]
    assert last == pytest.approx(TRUE, abs=0.03)


def test_what_ends_in_a_window_flatters_and_this_does_not() -> None:
    """Of what ends, too many succeed: those that fail last longest. With 0.6 it would be said to be more."""
    success = fresh()
    runs(success, 10 * LIMIT)
    before = success.share
    for _ in range(4):
        success.fade()
    shares = runs(success, LIMIT // 4, stream(7, "clocks").integers(0, LIMIT, ENVS))
    assert before == pytest.approx(TRUE, abs=0.03)
    assert all(share is not None and abs(share - TRUE) < 0.08 for share in shares)


@pytest.mark.parametrize("begin", ["all anew", "with time limits spread"])
def test_a_leg_that_begins_makes_it_neither_fall_nor_rise(begin: str) -> None:
    success = fresh()
    runs(success, 10 * LIMIT)
    success.fade()
    clocks = None if begin == "all anew" else stream(8, "clocks").integers(0, LIMIT, ENVS)
    shares = np.array(runs(success, 3 * LIMIT, clocks), float)
    assert np.abs(shares - TRUE).max() < 0.06


def test_unstable_physics_is_no_success_nor_cut_short() -> None:
    """With 5 % lost in each step, a third of those that would succeed are: none is left out of the count."""
    kept = np.mean(0.95 ** (TIMES - 1.0) * 0.95)
    assert runs(fresh(), 20 * LIMIT, wild=0.05)[-1] == pytest.approx(TRUE * kept, abs=0.03)


def test_it_follows_a_policy_that_gets_better() -> None:
    success = fresh()
    nothing = torch.zeros(ENVS, dtype=torch.bool)
    for _ in range(5 * LIMIT):
        success.step(nothing, nothing, success.ages >= LIMIT - 1)
    assert success.share == 0
    for _ in range(6):
        success.fade()
        runs(success, LIMIT)
    assert success.share == pytest.approx(TRUE, abs=0.05)


def test_episodes_that_ended_are_those_with_all_their_time() -> None:
    success = Success(4, 3, CPU)
    yes, no = torch.ones(4, dtype=torch.bool), torch.zeros(4, dtype=torch.bool)
    some = torch.tensor([True, False, False, False])
    other = torch.tensor([False, True, False, False])
    assert success.step(some, other, torch.tensor([True, True, True, False])).tolist() == [1, 1, 0, 0]
    assert success.ages.tolist() == [0, 0, 0, 1]
    success.step(no, no, no)
    assert success.step(no, no, yes).tolist() == [0, 0, 0, 1]


def test_it_goes_on_from_what_was_kept_and_not_from_that_of_other_limits() -> None:
    success, other = fresh(), fresh()
    runs(success, 3 * LIMIT)
    kept = success.state()
    expected = runs(success, LIMIT)
    other.restore(kept)
    assert runs(other, LIMIT) == expected
    with pytest.raises(ValueError, match="shape"):
        fresh(LIMIT + 1).restore(kept)
