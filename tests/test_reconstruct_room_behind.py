"""No front is believed to be a drawer where a neighbour is in its box's place."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind, Split, fronts
from pocketworld.findings import Severity
from pocketworld.reconstruct.room_behind import with_room
from pocketworld.scene import Asset, Base, HandleKind, Pose, Scene, Side

DRAWER, DOOR, FIXED, SLIDING = (
    (FrontKind.DRAWER, Side.NONE),
    (FrontKind.DOOR, Side.LEFT),
    (FrontKind.FIXED, Side.NONE),
    (FrontKind.SLIDING, Side.LEFT),
)


def front(**p: float) -> Front:
    """Return a front, acted on as the first of some kinds, that may be all of them."""
    kinds = {"drawer": DRAWER, "door": DOOR, "fixed": FIXED, "sliding": SLIDING}
    chances = tuple(Chance(*kinds[name], share) for name, share in p.items())
    return Front(chances[0].kind, chances[0].side, usual(HandleKind.BAR), chances)


SINK = Split(True, (0.3, 0.4), (front(door=0.6, drawer=0.3, fixed=0.1), front(drawer=0.9, door=0.1)))


def room(grid: Split = SINK, basin: float = 0.7, base: Base = Base.FIXED) -> Scene:
    """Return a unit, 0.8 m high, into which something hangs from above down to `basin`, m."""
    unit = registry.family("cabinet").build(Cabinet(0.6, 0.6, 0.8, grid), "unit")
    hung = registry.family("box").build(Box(0.4, 0.3, 0.9 - basin), "basin")
    return Scene(
        "s",
        (
            replace(unit, base=Base.FIXED),
            replace(hung, base=base, pose=Pose((0.0, 0.0, basin))),
        ),
    )


def shares(asset: Asset) -> list[dict[FrontKind, float]]:
    return [{c.kind: c.p for c in one.chances} for _, one in fronts(registry.rebuild(asset).grid)]


def test_a_drawer_does_not_run_where_a_basin_hangs() -> None:
    scene = with_room(room())
    upper, lower = shares(scene.asset("unit"))
    assert upper == pytest.approx({FrontKind.DOOR: 6 / 7, FrontKind.FIXED: 1 / 7})
    assert lower == {FrontKind.DRAWER: 0.9, FrontKind.DOOR: 0.1}
    (finding,) = scene.findings
    assert (finding.code, finding.severity) == ("drawer-without-room", Severity.DEGRADED)
    assert (finding.subject, finding.numbers) == ("unit", {"p": 0.3})
    assert "front 0 " in finding.text
    assert with_room(scene) == scene


@pytest.mark.parametrize("change", [{"basin": 0.79}, {"base": Base.FREE}, {"basin": 0.3, "base": Base.FREE}])
def test_what_hangs_less_deep_or_lies_loose_takes_no_room(change: dict[str, object]) -> None:
    scene = room(**change)  # type: ignore[arg-type]
    assert with_room(scene) == scene


def test_what_was_taken_for_a_drawer_there_becomes_something_else() -> None:
    grid = replace(SINK, parts=(front(drawer=0.8, door=0.15, fixed=0.05), SINK.parts[1]))
    was = room(grid)
    now = with_room(was).asset("unit")
    assert was.asset("unit").parts[1].role == "drawer"
    assert now.parts[1].role == "door"
    assert now.pose == was.asset("unit").pose


@pytest.mark.parametrize("upper", [{"drawer": 1.0}, {"drawer": 0.8, "sliding": 0.2}])
def test_where_nothing_else_can_be_the_belief_stays_and_that_is_said(upper: dict[str, float]) -> None:
    """A door alone slides nowhere: without the drawer the unit can't be built."""
    was = room(replace(SINK, parts=(front(**upper), SINK.parts[1])))
    scene = with_room(was)
    assert scene.asset("unit") == was.asset("unit")
    (finding,) = scene.findings
    assert (finding.code, finding.severity) == ("drawer-in-neighbour", Severity.DEGRADED)
    assert (finding.subject, finding.numbers) == ("unit", {"p": upper["drawer"]})
    assert "front 0 " in finding.text


def test_a_drawer_that_may_be_nothing_else_but_has_room_is_not_told() -> None:
    grid = replace(SINK, parts=(front(drawer=1.0), SINK.parts[1]))
    assert with_room(room(grid, basin=0.79)).findings == ()


def test_other_layouts_are_looked_at_too() -> None:
    scene = room()
    unit = scene.asset("unit")
    unit = replace(unit, alternatives=((0.7, unit.parameters), (0.3, unit.parameters)))
    now = with_room(replace(scene, assets=(unit, scene.asset("basin")))).asset("unit")
    assert [p for p, _ in now.alternatives] == [0.7, 0.3]
    for _, q in now.alternatives:
        assert shares(replace(now, parameters=q)) == shares(now)
        assert FrontKind.DRAWER not in shares(now)[0]


def test_where_the_room_lies_changes_nothing() -> None:
    by = Pose.upright((3.0, -2.0, 0.0), 0.8).matrix

    def posed(asset: Asset) -> Asset:
        x, y, z = (float(v) for v in (by @ np.array([*asset.pose.position, 1.0]))[:3])
        return replace(asset, pose=Pose((x, y, z), (math.cos(0.4), 0.0, 0.0, math.sin(0.4))))

    here = room()
    there = with_room(replace(here, assets=tuple(map(posed, here.assets))))
    assert there.asset("unit").parameters == with_room(here).asset("unit").parameters
