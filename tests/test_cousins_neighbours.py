"""Doors of cousins that would open into a neighbour stop before it, or are drawn again."""

import math
from collections import Counter
from dataclasses import replace

import pytest

from pocketworld.cousins import spec as specs
from pocketworld.cousins.draw import build, draw_cousin
from pocketworld.cousins.neighbours import crossing, stop
from pocketworld.cousins.rows import Source
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.feasible import LEAST_WAY, opening
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind
from pocketworld.geometry import across as module
from pocketworld.geometry import sweep
from pocketworld.geometry.across import across, across_once
from pocketworld.geometry.depth import SLACK
from pocketworld.scene import Asset, Base, HandleKind, Pose, Scene, Side

WIDE = 1.7  # rad that the door opens where nothing stops it
BAR = usual(HandleKind.BAR, 0.9, 0.5, vertical=True)


def door(*chances: Chance) -> Asset:
    """Return a unit with a door, hinged left unless it may be something else; its front is at y = -0.3."""
    front = Front(FrontKind.DOOR, Side.LEFT, BAR, chances, opening=WIDE)
    made = registry.family("cabinet").build(Cabinet(0.6, 0.6, 0.8, front), "unit")
    return replace(made, base=Base.FIXED)


def post(out: float) -> Asset:
    """Return a post at the left of the unit, 30 mm beside it, that stands out before its front, m."""
    made = registry.family("box").build(Box(0.1, 0.6 + out, 0.9), "post")
    return replace(made, base=Base.FIXED, pose=Pose((-0.38, -out / 2, 0.0)))


def limited(unit: Asset, q: float) -> Asset:
    p = opening(registry.rebuild(unit), "0", q)
    assert p is not None
    return replace(registry.family("cabinet").build(p, "unit"), base=Base.FIXED)


def test_a_door_stops_just_before_its_neighbour() -> None:
    """The post is 30 mm beside the hinge: the door's edge meets it past a right angle."""
    unit, other = door(), post(0.5)
    alone = Scene("s", (unit, replace(other, pose=Pose((-3.0, 0.0, 0.0)))))
    assert across(unit, [other], SLACK)
    q = stop(unit, "0", [other], alone)
    assert q is not None
    assert math.pi / 2 < q < WIDE
    assert not across(limited(unit, q), [other], SLACK)
    assert across(limited(unit, q + 0.02 * WIDE), [other], SLACK)


def test_a_door_that_would_hardly_open_has_no_stop() -> None:
    """A post right before it: it meets that at once."""
    unit, other = door(), replace(post(0.0), pose=Pose((0.1, -0.75, 0.0)))
    alone = Scene("s", (unit, replace(other, pose=Pose((-3.0, 0.0, 0.0)))))
    assert stop(unit, "0", [other], alone) is None


def test_what_is_free_or_was_met_in_the_twin_stops_nothing() -> None:
    unit, other = door(), post(0.5)
    as_it_is = Scene("s", (unit, other))
    assert stop(unit, "0", [other], as_it_is) == pytest.approx(WIDE, abs=0.02 * WIDE)
    loose = replace(other, base=Base.FREE)
    assert stop(unit, "0", [loose, unit], Scene("s", (unit, loose))) == pytest.approx(WIDE, abs=0.02 * WIDE)


def test_where_a_door_stops_leaves_nothing_behind() -> None:
    """Each try is asked once: to keep its way would only push out what is asked again."""
    unit, other = door(), post(0.5)
    alone = Scene("s", (unit, replace(other, pose=Pose((-3.0, 0.0, 0.0)))))
    across(alone.asset("unit"), [alone.asset("post")])
    caches = sweep._way, module._kept_moving
    before = [cache.cache_info().misses for cache in caches]
    assert stop(unit, "0", [other], alone)
    assert [cache.cache_info().misses for cache in caches] == before


def test_what_is_asked_once_meets_the_same() -> None:
    unit, other = door(), post(0.5)
    assert across(unit, [other])
    assert across_once(unit, [other]) == across(unit, [other])


def test_no_door_opens_further_than_it_did() -> None:
    p = registry.rebuild(door())
    assert opening(p, "0", 9.0) == p
    drawer = replace(p, grid=Front(FrontKind.DRAWER, handle=BAR))
    assert opening(drawer, "0", 0.1) is None


def test_hinge_sides_follow_the_belief_beside_a_neighbour() -> None:
    """The left door meets the post, the right one does not: both come out as often as believed."""
    chances = (Chance(FrontKind.DOOR, Side.RIGHT, 0.5), Chance(FrontKind.DOOR, Side.LEFT, 0.5))
    front = Front(FrontKind.DOOR, Side.RIGHT, usual(HandleKind.EDGE, 0.5, 1.0), chances, opening=WIDE)
    unit = replace(registry.family("cabinet").build(Cabinet(0.6, 0.6, 0.8, front), "unit"), base=Base.FIXED)
    twin = Scene("s", (post(0.5), unit))
    sides: Counter[Side] = Counter()
    for index in range(40):
        drawn = draw_cousin(twin, specs.preset("twin"), 0, index)
        assert drawn.refused == ()
        one = build(twin, drawn, "c")
        made = registry.rebuild(one.asset("unit")).grid
        sides[made.side] += 1
        limit = WIDE if made.side is Side.RIGHT else LEAST_WAY * WIDE
        assert limit <= made.opening <= WIDE
        assert (made.opening < WIDE) == (made.side is Side.LEFT)
        assert crossing({"unit": one.asset("unit")}, {"post": one.asset("post")}, twin) is None
    assert min(sides[Side.LEFT], sides[Side.RIGHT]) >= 10


def test_a_stop_is_the_neighbours_all_else_the_beliefs() -> None:
    """The belief may hinge it left, where it meets the post; it does not say how far it opens there."""
    chances = (Chance(FrontKind.DOOR, Side.RIGHT, 0.5), Chance(FrontKind.DOOR, Side.LEFT, 0.5))
    front = Front(FrontKind.DOOR, Side.RIGHT, usual(HandleKind.EDGE, 0.5, 1.0), chances, opening=WIDE)
    unit = replace(registry.family("cabinet").build(Cabinet(0.6, 0.6, 0.8, front), "unit"), base=Base.FIXED)
    twin, stopped = Scene("s", (post(0.5), unit)), 0
    for index in range(12):
        rows = {row.path: row.source for row in draw_cousin(twin, specs.preset("twin"), 0, index).rows}
        if "unit/parameters/grid/side" in rows:
            stopped += 1
            assert rows.pop("unit/parameters/grid/opening") is Source.NEIGHBOUR
        assert set(rows.values()) <= {Source.BELIEF}
    assert stopped >= 3
