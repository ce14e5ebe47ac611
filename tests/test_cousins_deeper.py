"""What is deeper than in the twin."""

import pytest

from pocketworld.cousins.deeper import deeper
from pocketworld.families.box import Box, BoxFamily
from pocketworld.geometry.depth import SLACK, TOUCH
from pocketworld.scene import Asset, Scene

TWIN = Scene("s", tuple(BoxFamily().build(Box(0.4, 0.4, 0.4), id) for id in ("a", "b", "c")))


def measured(a: Asset, b: Asset) -> float:
    return {"ab": 0.05}.get(a.id + b.id, 0.0)


@pytest.mark.parametrize("slack", [SLACK, TOUCH])
def test_only_more_than_in_the_twin_is_deeper(slack: float) -> None:
    assert not deeper(0.05 + 0.9 * slack, "a", "b", TWIN, measured, slack)
    assert deeper(0.05 + 1.1 * slack, "a", "b", TWIN, measured, slack)
    assert not deeper(0.9 * slack, "b", "a", TWIN, measured, slack)
    assert deeper(1.1 * slack, "b", "a", TWIN, measured, slack)


def test_each_measure_has_its_own_twin() -> None:
    assert not deeper(0.04, "a", "b", TWIN, measured)
    assert deeper(0.04, "a", "b", TWIN, lambda a, b: 0.0)
    assert not deeper(0.0, "a", "not there", TWIN, measured)
