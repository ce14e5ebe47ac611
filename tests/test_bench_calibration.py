"""Whether beliefs are as sure as they are right: counted by how sure they are, kinds and sides apart."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.bench.calibration import BINS, Believed, Claim, bins, compared, table
from pocketworld.bench.truth import TruePart
from pocketworld.scene import Belief, Hypothesis, JointKind, Rectangle, Side

CLAIMS = st.lists(st.builds(Claim, st.floats(0, 1), st.booleans()), max_size=60)
FRONT = Rectangle((0.0, 0.0, 0.5), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), 0.5, 0.7)


def believing(left: float, right: float, fixed: float) -> Belief:
    chances = ((JointKind.HINGE, Side.LEFT, left), (JointKind.HINGE, Side.RIGHT, right))
    return Belief((*(Hypothesis(*one) for one in chances), Hypothesis(JointKind.FIXED, Side.NONE, fixed)), ())


def told(claim: Claim | None) -> tuple[object, bool]:
    assert claim is not None
    return claim.sure, claim.right


def door(side: Side) -> TruePart:
    return TruePart("door", JointKind.HINGE, FRONT, (0.0, 0.0, 1.0), side, (0.0, 0.0, 0.0))


@given(CLAIMS)
def test_each_claim_is_counted_once_where_it_belongs(claims: list[Claim]) -> None:
    found = bins(claims)
    assert sum(b.count for b in found) == len(claims)
    assert sum(b.right * b.count for b in found) == pytest.approx(sum(c.right for c in claims))
    for b in found:
        assert b.high - b.low == pytest.approx(1 / BINS)
        assert b.low - 1e-9 <= b.said <= b.high + 1e-9
    assert [b.low for b in found] == sorted(b.low for b in found)


@given(CLAIMS, st.randoms(use_true_random=False))
def test_the_order_of_claims_does_not_matter(claims: list[Claim], shuffle: random.Random) -> None:
    turned = list(claims)
    shuffle.shuffle(turned)
    for a, b in zip(bins(claims), bins(turned), strict=True):
        assert (a.low, a.count) == (b.low, b.count)
        assert (a.said, a.right) == pytest.approx((b.said, b.right))


def test_who_claims_what_is_so_as_often_as_said_is_right() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    claims = [Claim(float(p), bool(rng.uniform() < p)) for p in rng.uniform(0.3, 1, 20_000)]
    for b in bins(claims):
        assert b.right == pytest.approx(b.said, abs=0.03)


def test_a_side_is_judged_where_something_truly_is_hinged_and_called_so() -> None:
    wrong_side = compared("j", believing(0.6, 0.3, 0.1), door(Side.RIGHT))
    assert told(wrong_side.kind) == (pytest.approx(0.9), True)
    assert told(wrong_side.side) == (pytest.approx(2 / 3), False)
    assert not wrong_side.right
    right = compared("j", believing(0.6, 0.3, 0.1), door(Side.LEFT))
    assert right.right
    assert told(right.side) == (pytest.approx(2 / 3), True)
    for belief, part in ((believing(0.6, 0.3, 0.1), None), (believing(0.2, 0.2, 0.6), door(Side.LEFT))):
        other = compared("j", belief, part)
        assert other.side is None
        assert other.kind is not None
        assert not other.kind.right


def test_what_matches_no_true_part_is_truly_fixed() -> None:
    assert compared("j", believing(0.1, 0.1, 0.8), None).right
    assert not compared("j", believing(0.8, 0.1, 0.1), None).right


def test_the_table_names_each_tenth_with_its_count() -> None:
    some = [compared("j", believing(0.6, 0.3, 0.1), door(Side.LEFT))] * 3
    lines = table([*some, compared("j", believing(0.1, 0.05, 0.85), None)]).splitlines()
    assert lines == [
        "belief      joints    said   right",
        "kind, 4",
        "0.8..0.9         1    0.85    1.00",
        "0.9..1.0         3    0.90    1.00",
        "side of what truly is hinged, 3",
        "0.6..0.7         3    0.67    1.00",
    ]


def test_joints_of_older_scores_without_claims_make_an_empty_table() -> None:
    assert len(table([Believed("j", 0.9, True, 0.9)]).splitlines()) == 3
