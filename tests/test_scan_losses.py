"""What a reader leaves out is said by kind: why nothing is left, and what is missing where something is."""

import re
from pathlib import Path

import pytest

from pocketworld.errors import CaptureError
from pocketworld.findings import Severity
from pocketworld.scan.losses import TEXTS, Losses
from pocketworld.scan.source import Source

TEXT = TEXTS | {"frame-unposed": "have no pose and are left out"}


def losses(**counts: int) -> Losses:
    """Return losses of kinds (with _ for -), in the order they are met."""
    out = Losses()
    for kind, count in counts.items():
        for i in range(count):
            out.add(kind.replace("_", "-"), f"{kind} {i}")
    return out


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "frame.txt").touch()
    return Source.of(tmp_path)


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ({}, "there is none"),
        ({"depth_unusable": 10}, "10 have no depth that can be read; the first: depth_unusable 0"),
        (
            {"frame_unposed": 1, "colour_unusable": 9, "depth_unusable": 9},
            "9 have no depth that can be read, 1 have no pose; the first: depth_unusable 0",
        ),
        (
            {"frame_absurd": 5, "frame_unposed": 5},
            "5 have a pose that is no motion, 5 have no pose; the first: frame_absurd 0",
        ),
    ],
)
def test_where_nothing_is_left_all_kinds_that_cost_a_frame_are_named(
    source: Source, counts: dict[str, int], why: str
) -> None:
    with pytest.raises(CaptureError, match=f": none of 10 frames can be used: {re.escape(why)}$"):
        losses(**counts).refuse_if_all(source, 10, 0, TEXT)


def test_where_a_frame_is_left_nothing_is_refused(source: Source) -> None:
    met = losses(depth_unusable=9, colour_unusable=1)
    met.refuse_if_all(source, 10, 1, TEXT)
    first, other = met.findings("walk", 10, TEXT)
    said = "9 of 10 frames have no depth that can be read and are left out; the first: depth_unusable 0"
    assert first.text == said
    assert (first.severity, first.numbers) == (Severity.DEGRADED, {"frames": 9, "of": 10})
    assert other.code == "colour-unusable"
