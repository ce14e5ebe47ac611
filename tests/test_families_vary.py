"""Draws from a spread, each by its own stream."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.families.protocol import Spread
from pocketworld.families.vary import Vary
from pocketworld.rng import stream

NAMES = st.text("abc/.", min_size=1, max_size=4)


def vary(spread: Spread, seed: int = 0) -> Vary:
    return Vary(spread, lambda name: stream(seed, name))


@given(st.floats(0.01, 10), st.floats(0.001, 2), st.integers(0, 99), NAMES)
def test_scaled_and_shifted_stay_within_the_spread(value: float, far: float, seed: int, at: str) -> None:
    one = vary(Spread({"size": far}, {"size": far}), seed)
    assert abs(math.log(one.scaled(value, "size", at) / value)) <= far + 1e-9
    assert abs(one.shifted(value, "size", at) - value) <= far + 1e-9
    assert one.scaled(value, "size", at) == one.scaled(value, "size", at)


@given(st.floats(0.01, 10), NAMES)
def test_what_is_not_named_stays_and_draws_nothing(value: float, at: str) -> None:
    def never(name: str) -> np.random.Generator:
        raise AssertionError(name)

    one = Vary(Spread(), never)
    assert one.scaled(value, "size", at) == one.shifted(value, "size", at) == value
    assert not one.happens("merge", at)
    assert one.chosen("handle") == ()


def test_each_place_and_word_has_its_own_stream() -> None:
    one = vary(Spread({"a": 1.0, "b": 1.0}))
    drawn = [one.scaled(1.0, word, at) for word in "ab" for at in ("", "0", "1.0")]
    assert len(set(drawn)) == 6
    more = vary(Spread({"a": 1.0, "b": 0.5, "c": 1.0}))
    assert more.scaled(1.0, "a", "0") == one.scaled(1.0, "a", "0")


def test_chances_and_choices_come_as_often_as_they_should() -> None:
    count = 600
    each = [vary(Spread(chance={"merge": 0.3}), seed) for seed in range(count)]
    assert abs(sum(one.happens("merge") for one in each) - 0.3 * count) < 4 * math.sqrt(0.21 * count)
    which = [one.one_of(("bar", "bow", "knob"), "handle") for one in each]
    assert all(abs(which.count(kind) - count / 3) < 4 * math.sqrt(2 / 9 * count) for kind in set(which))
    assert len(set(which)) == 3
    assert all(vary(Spread(chance={"merge": 1.0}), seed).happens("merge") for seed in range(20))
    happened = [one.happens("merge") for one in each]
    first = [kind == "bar" for kind in which]
    assert abs(np.corrcoef(happened, first)[0, 1]) < 0.15
