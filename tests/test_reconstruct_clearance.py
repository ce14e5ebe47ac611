"""What opens into what stands beside it is told, however the room lies; what clears it is not."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.findings import Finding, Severity
from pocketworld.geometry.depth import SLACK
from pocketworld.reconstruct.clearance import crossings
from pocketworld.scene import Asset, Base, Pose, Scene


def shifted(scene: Scene, id: str, x: float, y: float) -> Scene:
    def there(asset: Asset) -> Asset:
        px, py, pz = asset.pose.position
        return replace(asset, pose=Pose((px + x, py + y, pz), asset.pose.wxyz))

    return replace(scene, assets=tuple(there(a) if a.id == id else a for a in scene.assets))


def turned(scene: Scene, yaw: float, x: float, y: float) -> Scene:
    by = Pose.upright((x, y, 0.0), yaw).matrix

    def there(asset: Asset) -> Asset:
        matrix = by @ asset.pose.matrix
        px, py, pz = (float(v) for v in matrix[:3, 3])
        return replace(asset, pose=Pose.upright((px, py, pz), math.atan2(matrix[1, 0], matrix[0, 0])))

    return replace(scene, assets=tuple(map(there, scene.assets)))


def told(scene: Scene) -> dict[str, Finding]:
    found = list(crossings(scene))
    assert len({finding.subject for finding in found}) == len(found), "one for each asset"
    return {finding.subject: finding for finding in found}


def test_a_kitchen_in_which_all_opens_has_none(row_kitchen: Scene) -> None:
    assert told(row_kitchen) == {}


def test_a_front_that_stands_in_its_neighbour_is_told_of_both(row_kitchen: Scene) -> None:
    found = told(shifted(row_kitchen, "fridge", -0.02, 0.0))
    assert {"fridge", "unit-3"} <= set(found)
    fridge = found["fridge"]
    assert (fridge.code, fridge.severity) == ("opens-into-neighbour", Severity.DEGRADED)
    assert fridge.numbers["depth_m"] > SLACK


def test_what_stands_before_a_front_is_in_its_way_if_it_is_fixed(row_kitchen: Scene) -> None:
    x, y, _ = row_kitchen.asset("fridge").pose.position
    cx, cy, _ = row_kitchen.asset("crate").pose.position
    before = shifted(row_kitchen, "crate", x - cx, y - 0.6 - cy)
    assert row_kitchen.asset("crate").base is Base.FREE
    assert told(before) == {}
    held = tuple(replace(a, base=Base.FIXED) if a.id == "crate" else a for a in before.assets)
    found = told(replace(before, assets=held))
    assert "into crate as it opens" in found["fridge"].text
    assert found["fridge"].numbers["q"] != 0


@settings(max_examples=10)
@given(yaw=st.floats(-math.pi, math.pi), x=st.floats(-3, 3), y=st.floats(-3, 3))
def test_it_does_not_depend_on_where_the_room_lies(row_kitchen: Any, yaw: float, x: float, y: float) -> None:
    here = shifted(row_kitchen, "fridge", -0.02, 0.0)
    found, again = told(here), told(turned(here, yaw, x, y))
    assert found.keys() == again.keys()
    for id, finding in found.items():
        assert again[id].numbers["depth_m"] == pytest.approx(finding.numbers["depth_m"], abs=2e-4)
