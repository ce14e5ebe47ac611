"""An explanation of furniture is kept as it is built: with frictions that hold every part still."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld import scene_file
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.joints import holding_friction
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split, fronts
from pocketworld.reconstruct.objects.freestanding import built, on_floor
from pocketworld.scene import Base, JointKind, Pose, Relation, Scene, Side
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.stability import stand

SLIPPERY = Front(friction=0.01)
DRAWERS = Cabinet(0.438, 0.784, 0.559, Split(True, (0.2, 0.3), (SLIPPERY, SLIPPERY)), plinth=0.01)
DOOR = replace(
    DRAWERS, grid=Split(True, (0.2, 0.3), (SLIPPERY, Front(FrontKind.DOOR, Side.LEFT, friction=0.01)))
)


@settings(max_examples=10)
@given(st.sampled_from([DRAWERS, DOOR]), st.floats(0.3, 0.9), st.floats(0.3, 0.8))
def test_what_is_kept_builds_what_stands(p: Cabinet, width: float, depth: float) -> None:
    found = built(replace(p, width=width, depth=depth), "a")
    assert found is not None
    kept, asset = found
    again = registry.family("cabinet").build(kept, "a")
    assert registry.to_json(kept) == asset.parameters
    assert scene_file.digest(Scene("s", (again,))) == scene_file.digest(Scene("s", (asset,)))


@pytest.mark.parametrize("p", [DRAWERS, DOOR])
def test_frictions_are_raised_to_what_holds_each_part(p: Cabinet) -> None:
    found = built(p, "a")
    assert found is not None
    kept, asset = found
    assert isinstance(kept, Cabinet)
    for (_, front), joint in zip(fronts(kept.grid), asset.movable, strict=True):
        assert front.friction == joint.frictionloss
        if joint.kind is JointKind.SLIDE:
            assert joint.frictionloss >= holding_friction(asset.part(joint.child).mass) * (1 - 1e-9)
    fixed = replace(asset, base=Base.FIXED)
    standing = stand(mjcf.document(Scene("s", (fixed,)), visual=False).compile(), 5.0, math.radians(2))
    assert standing.opened == (), standing.text()


def test_a_box_is_as_it_was_read_and_what_makes_nothing_is_none() -> None:
    box = Box(0.4, 0.3, 0.6)
    found = built(box, "a")
    assert found is not None
    assert found[0] == box
    assert found[1].family == "box"
    assert built(replace(DRAWERS, depth=0.01), "a") is None
    assert built(replace(box, height=-1.0), "a") is None


def test_what_stands_at_the_floors_height_is_on_it() -> None:
    asset = registry.family("box").build(Box(0.4, 0.3, 0.6), "a")
    assert on_floor(asset) == (Relation("on", "a", "floor"),)
    assert on_floor(replace(asset, pose=Pose((0.0, 0.0, 0.2)))) == ()
