"""Numbers and findings in words."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.findings import Finding, Severity
from pocketworld.review.report import words
from pocketworld.scene import Belief, Hypothesis, Joint, JointKind, Side

FINDINGS = st.lists(
    st.builds(
        Finding,
        code=st.sampled_from(["a", "b"]),
        severity=st.sampled_from(list(Severity)),
        stage=st.sampled_from(["scan", "twin"]),
        subject=st.text(max_size=5),
        text=st.text(max_size=20),
        numbers=st.dictionaries(st.text(max_size=8), st.floats(), max_size=3),
    ),
    max_size=12,
)
SURE = Belief((Hypothesis(JointKind.SLIDE, Side.NONE, 1.0),))


def slide() -> Joint:
    return Joint("j", JointKind.SLIDE, "a", "b", SURE, range=(0.0, 0.5))


def hinge() -> Joint:
    return Joint("j", JointKind.HINGE, "a", "b", SURE, range=(0.0, 1.6))


@given(FINDINGS)
def test_no_finding_is_lost_or_told_twice(findings: list[Finding]) -> None:
    groups = words.grouped(findings)
    said = [one for group in groups for *_, alike in group.codes for one in alike]
    assert sorted(one.subject for one in said) == sorted(f.subject for f in findings)
    assert [group.count for group in groups] == [sum(len(s) for *_, s in group.codes) for group in groups]


@given(FINDINGS)
def test_the_worst_stands_first_and_each_severity_once(findings: list[Finding]) -> None:
    order = [Severity.LOST, Severity.DEGRADED, Severity.NOTE]
    found = [group.severity for group in words.grouped(findings)]
    assert found == [severity for severity in order if severity in {f.severity for f in findings}]


@given(FINDINGS)
def test_findings_of_one_stage_and_code_are_beside_each_other(findings: list[Finding]) -> None:
    for group in words.grouped(findings):
        keys = [(stage, code) for stage, code, _ in group.codes]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ({"moved_m": 0.01, "frames": 3.0}, "moved 0.01 m, frames 3"),
        ({"area_m2": 2.5}, "area 2.5 m²"),
        ({"tilt_deg": 1.25}, "tilt 1.25°"),
        ({"seen_share": 0.12345}, "seen share 0.123"),
        ({"frames": 4000.0}, "frames 4000"),
        ({"m": 3.0}, "m 3"),
        ({"off_m": math.nan}, "off nan m"),
        ({"far_m": math.inf}, "far inf m"),
        ({}, ""),
    ],
)
def test_the_unit_ends_the_name(numbers: dict[str, float], text: str) -> None:
    assert words.amounts(numbers).replace(words.SPACE, " ") == text


@given(st.floats(-1e6, 1e6))
def test_a_number_is_told_to_half_a_percent(value: float) -> None:
    assert float(words.number(value)) == pytest.approx(value, rel=5.1e-3, abs=1e-300)


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "0.00"),
        (0.004, "<0.01"),
        (0.006, "0.01"),
        (0.81, "0.81"),
        (0.994, "0.99"),
        (0.996, ">0.99"),
        (1.0, "1.00"),
    ],
)
def test_only_what_is_certain_is_said_to_be(p: float, text: str) -> None:
    assert words.probability(p) == text


@given(st.floats(-50, 50))
def test_a_length_is_told_to_the_millimetre_or_to_half_a_percent(value: float) -> None:
    number, unit = words.length(value).split(words.SPACE)
    metres = float(number) / {"m": 1, "mm": 1000}[unit]
    assert metres == pytest.approx(value, rel=5.1e-3, abs=5.1e-4)


def test_a_hinge_opens_by_degrees_and_a_slide_by_a_length() -> None:
    assert words.opening(hinge(), math.pi / 2) == "90°"
    assert words.opening(slide(), 0.25) == f"250{words.SPACE}mm"


@pytest.mark.parametrize(
    ("count", "word", "text"),
    [
        (1, "door", "1 door"),
        (2, "sliding_door", "2 sliding doors"),
        (2, "box", "2 boxes"),
        (3, "shelf", "3 shelves"),
        (0, "drawer", "0 drawers"),
    ],
)
def test_plurals(count: int, word: str, text: str) -> None:
    assert words.plural(count, word) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("frames disagree", "Frames disagree"),
        ("good: all is well", "Good: all is well"),
        ("tum_fr3 has no depth", "tum_fr3 has no depth"),
        ("3 frames", "3 frames"),
        ("", ""),
    ],
)
def test_a_sentence_begins_with_a_capital_and_an_id_stays(text: str, said: str) -> None:
    assert words.sentence(text) == said


def test_millimetres_stand_beside_each_other() -> None:
    assert words.millimetres((0.4, 1.25)) == "400 \N{MULTIPLICATION SIGN} 1250 mm"


def test_the_commonest_is_counted_first() -> None:
    assert words.counted(Counter(["door", "drawer", "drawer"])) == "2 drawers, 1 door"
    assert words.counted(Counter()) == ""
