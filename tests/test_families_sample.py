"""Sampled cabinets: that they fit, differ, and can be opened."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.joints import holding_friction
from pocketworld.families.cabinet.parameters import MOVABLE, Cabinet, FrontKind, fronts, layout
from pocketworld.families.cabinet.sample import FORMS, sample
from pocketworld.families.grasp import blocked
from pocketworld.families.protocol import Draw, Site
from pocketworld.geometry.sweep import clean
from pocketworld.rng import stream
from pocketworld.scene import HandleKind, JointKind, Side

ROOM = Site((2.0, 0.8, 2.3))
seeds = st.integers(0, 10**6)


def draw(seed: int) -> Draw:
    return lambda name: stream(seed, "sample", name)


@pytest.fixture(scope="module")
def many() -> list[Cabinet]:
    return [sample(draw(seed), ROOM) for seed in range(150)]


@settings(max_examples=30)
@given(seeds, st.floats(0.5, 2), st.floats(0.5, 1), st.floats(0.7, 2.4))
def test_a_cabinet_fits_its_site(seed: int, width: float, depth: float, height: float) -> None:
    p = sample(draw(seed), Site((width, depth, height)))
    assert p.width <= width
    assert p.depth <= depth
    assert p.height <= height


@settings(max_examples=30)
@given(seeds)
def test_a_seed_gives_one_cabinet(seed: int) -> None:
    assert sample(draw(seed), ROOM) == sample(draw(seed), ROOM)


def test_cabinets_differ_in_layout_size_and_handle(many: list[Cabinet]) -> None:
    assert len({layout(p.grid) for p in many}) > 40
    for name, least in (("width", 0.3), ("depth", 0.1), ("height", 0.3)):
        values = np.array([getattr(p, name) for p in many])
        assert values.std() / values.mean() > least
    kinds = Counter(front.kind for p in many for _, front in fronts(p.grid))
    assert set(kinds) == set(FrontKind)
    handles = Counter(f.handle.kind for p in many for _, f in fronts(p.grid) if f.kind in MOVABLE)
    assert set(handles) == set(HandleKind) - {HandleKind.NONE, HandleKind.LEVER}
    sides = {f.side for p in many for _, f in fronts(p.grid) if f.kind is FrontKind.DOOR}
    assert sides == {Side.LEFT, Side.RIGHT, Side.TOP, Side.BOTTOM}
    for name in ("plinth", "feet", "worktop"):
        assert 0.1 < np.mean([getattr(p, name) > 0 for p in many]) < 0.9
    assert 0.5 < np.mean([p.overlay for p in many]) < 0.9


def test_all_of_them_can_be_opened_by_two_fingers_and_clear(many: list[Cabinet]) -> None:
    for p in many:
        asset = build(p, "c")
        assert blocked(asset) == ()
        assert clean(asset)


def test_all_of_them_hold_still_in_a_cabinet_that_leans(many: list[Cabinet]) -> None:
    for p in many:
        asset = build(p, "c")
        for joint in asset.movable:
            part = asset.part(joint.child)
            lever = 1.0
            if joint.kind is JointKind.HINGE:
                lever = float(np.linalg.norm(np.cross(np.subtract(part.com, joint.origin), joint.axis)))
            assert joint.frictionloss >= holding_friction(part.mass, lever) * (1 - 1e-9)
            assert joint.range[1] > (0.2 if joint.kind is JointKind.SLIDE else math.pi / 4)


def test_where_something_stands_above_there_is_no_worktop() -> None:
    tall = [sample(draw(seed), replace(ROOM, above=True)) for seed in range(25)]
    assert not any(p.worktop for p in tall)


def test_a_place_too_small_for_any_is_refused() -> None:
    with pytest.raises(
        PocketworldError, match=r"^no cabinet fits into 0.2 x 0.2 x 0.2 m; leave it more room$"
    ):
        sample(draw(0), Site((0.2, 0.2, 0.2)))


def test_every_form_is_of_sizes_that_grow() -> None:
    for form in FORMS.values():
        for low, high in (form.width, form.depth, form.height, form.column):
            assert 0 < low < high
        assert sum(form.stacks.values()) == pytest.approx(1)
