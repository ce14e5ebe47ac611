"""Rows of furniture in cousins: side by side, flush, under their worktop, with what stands on it."""

import math
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from pocketworld.cousins import spec as specs
from pocketworld.cousins.draw import build, draw_cousin, findings_of
from pocketworld.cousins.extent import outer, seen_from
from pocketworld.cousins.layout import NEAR
from pocketworld.cousins.runs import Top, runs
from pocketworld.cousins.together import ATTEMPTS, Reason
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.parameters import fronts, layout
from pocketworld.families.protocol import Spread
from pocketworld.families.wall import Wall
from pocketworld.geometry.across import among
from pocketworld.geometry.depth import depth
from pocketworld.scene import Asset, Base, Pose, Relation, Scene

UNITS = ("unit-1", "unit-2", "unit-3", "fridge")
MEDIUM = specs.preset("medium")
AXES = np.eye(3)
TOUCH = 1e-6  # m


@cache
def cousins(twin_of: int, preset: str, count: int) -> tuple[Scene, ...]:
    twin, spec = TWINS[twin_of], specs.preset(preset)
    return tuple(build(twin, draw_cousin(twin, spec, 0, index), "c") for index in range(count))


TWINS: dict[int, Scene] = {}


@pytest.fixture(scope="module")
def twin(row_kitchen: Scene) -> Scene:
    TWINS[0] = row_kitchen
    return row_kitchen


def ends(scene: Scene, id: str) -> tuple[float, float]:
    low, high = seen_from(scene.asset(id), AXES)
    return float(low[0]), float(high[0])


def gaps(scene: Scene, ids: tuple[str, ...]) -> list[float]:
    spans = [ends(scene, id) for id in ids]
    return [b[0] - a[1] for a, b in pairwise(spans)]


def turned(scene: Scene, yaw: float, x: float, y: float) -> Scene:
    """Return the scene turned and moved as a whole."""
    by = Pose.upright((x, y, 0.0), yaw).matrix

    def posed(asset: Asset) -> Asset:
        matrix = by @ asset.pose.matrix
        px, py, pz = (float(v) for v in matrix[:3, 3])
        return replace(asset, pose=Pose.upright((px, py, pz), math.atan2(matrix[1, 0], matrix[0, 0])))

    return replace(scene, assets=tuple(map(posed, scene.assets)))


def test_a_row_is_its_units_from_the_left_and_the_tops_on_them(twin: Scene) -> None:
    found = {run.id: run for run in runs(twin)}
    assert found["fridge"].units == UNITS
    assert found["fridge"].tops == (Top("worktop", UNITS[:3]),)
    assert found["hung-1"].units == ("hung-1", "hung-2")
    alone = {id for run in found.values() if len(run.members) == 1 for id in run.members}
    assert alone == {"parcel", "tin", "crate", "wall", "left", "right"}


@pytest.mark.parametrize("yaw", [0.0, 0.7, math.pi, -2.0])
def test_rows_do_not_depend_on_the_order_of_things_nor_where_the_room_lies(twin: Scene, yaw: float) -> None:
    other = turned(twin, yaw, 3.0, -2.0)
    other = replace(other, assets=other.assets[::-1], relations=other.relations[::-1])
    assert set(runs(other)) == set(runs(twin))


def test_what_faces_another_way_is_another_row(twin: Scene) -> None:
    at = twin.asset("fridge")
    around = replace(at, pose=Pose.upright(at.pose.position, math.pi / 2))
    bent = replace(twin, assets=tuple(around if a.id == "fridge" else a for a in twin.assets))
    assert UNITS[:3] in {run.units for run in runs(bent)}
    assert ("fridge",) in {run.units for run in runs(bent)}


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["near", "medium", "far"])
def test_units_stand_side_by_side_with_the_gaps_of_the_twin(twin: Scene, preset: str) -> None:
    for one in cousins(0, preset, 6):
        np.testing.assert_allclose(gaps(one, UNITS), gaps(twin, UNITS), atol=TOUCH)
        np.testing.assert_allclose(
            gaps(one, ("hung-1", "hung-2")), gaps(twin, ("hung-1", "hung-2")), atol=TOUCH
        )
    widths = {round(ends(one, "unit-1")[1] - ends(one, "unit-1")[0], 6) for one in cousins(0, preset, 6)}
    assert len(widths) == 6


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["near", "medium", "far"])
def test_fronts_and_tops_of_a_row_stay_flush(twin: Scene, preset: str) -> None:
    changed = 0
    for one in cousins(0, preset, 6):
        fronts_at = [float(seen_from(one.asset(id), AXES)[0][1]) for id in UNITS]
        tops_at = [float(seen_from(one.asset(id), AXES)[1][2]) for id in UNITS[:3]]
        assert np.ptp(fronts_at) < TOUCH
        assert np.ptp(tops_at) < TOUCH
        changed += abs(tops_at[0] - 0.86) > 0.005
    assert changed >= 4


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["near", "medium", "far"])
def test_the_worktop_spans_its_units_and_lies_on_them(twin: Scene, preset: str) -> None:
    was, (left, right) = twin.asset("worktop"), ends(twin, "worktop")
    over = ends(twin, "unit-1")[0] - left, right - ends(twin, "unit-3")[1]
    for one in cousins(0, preset, 6):
        top = one.asset("worktop")
        left, right = ends(one, "worktop")
        assert (ends(one, "unit-1")[0] - left, right - ends(one, "unit-3")[1]) == pytest.approx(
            over, abs=TOUCH
        )
        front = seen_from(one.asset("unit-1"), AXES)[0][1] - seen_from(top, AXES)[0][1]
        assert front == pytest.approx(
            seen_from(twin.asset("unit-1"), AXES)[0][1] - seen_from(was, AXES)[0][1]
        )
        assert top.pose.position[2] == pytest.approx(seen_from(one.asset("unit-1"), AXES)[1][2])


@pytest.mark.slow
def test_the_sink_stays_over_its_unit(twin: Scene) -> None:
    for one in cousins(0, "medium", 6):
        top = one.asset("worktop")
        cutout = registry.rebuild(top).cutout
        at = top.pose.position[0] + cutout.at
        low, high = ends(one, "unit-3")
        assert low < at - cutout.width / 2
        assert at + cutout.width / 2 < high


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["near", "medium", "far"])
def test_things_ride_on_the_worktop_and_stay_on_it(twin: Scene, preset: str) -> None:
    for one in cousins(0, preset, 6):
        top = one.asset("worktop")
        low, high = seen_from(top, AXES)
        for id in ("parcel", "tin"):
            thing = one.asset(id)
            a, b = seen_from(thing, AXES)
            assert thing.pose.position[2] == pytest.approx(high[2])
            assert (a[:2] >= low[:2] - TOUCH).all()
            assert (b[:2] <= high[:2] + TOUCH).all()


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["near", "medium", "far"])
def test_nothing_stands_in_anything_and_doors_clear_their_neighbours(twin: Scene, preset: str) -> None:
    for one in cousins(0, preset, 6):
        for i, a in enumerate(one.assets):
            for b in one.assets[:i]:
                if {a.id, b.id} != {"worktop", "unit-3"}:  # the basin hangs in its unit
                    assert depth(a, b) <= 1.001e-3, (a.id, b.id)
        assert (
            max((hit.depth for hit in among([a for a in one.assets if a.base is Base.FIXED])), default=0)
            < 2e-3
        )


@pytest.mark.slow
def test_wall_units_keep_their_clear_height_over_what_rose(twin: Scene) -> None:
    clear = twin.asset("hung-1").pose.position[2] - seen_from(twin.asset("worktop"), AXES)[1][2]
    rose = sank = 0
    for one in cousins(0, "medium", 6):
        top, foot = seen_from(one.asset("worktop"), AXES)[1][2], one.asset("hung-1").pose.position[2]
        if top > 0.898:
            rose += 1
            assert foot - top == pytest.approx(clear)
        else:
            sank += 1
            assert foot == pytest.approx(1.45)
        assert one.asset("hung-2").pose.position[2] == pytest.approx(foot)
    assert rose
    assert sank


def test_walls_stay_where_they_are(twin: Scene) -> None:
    for one in cousins(0, "medium", 2):
        for id in ("wall", "left", "right"):
            assert one.asset(id).pose == twin.asset(id).pose
            np.testing.assert_array_equal(outer(one.asset(id)), outer(twin.asset(id)))


def niche(left: float, right: float) -> Scene:
    """Return three boxes in a row, 1.5 m long, that much (m) from the walls at its ends."""

    def fixed(id: str, size: tuple[float, float, float], x: float, y: float, yaw: float = 0.0) -> Asset:
        made = registry.family("box").build(Box(*size), id)
        return replace(made, pose=Pose.upright((x, y, 0.0), yaw), base=Base.FIXED)

    def wall(id: str, x: float) -> Asset:
        made = registry.family("wall").build(Wall(2.0, 2.4, 0.1), id)
        return replace(made, pose=Pose.upright((x, -0.5, 0.0), math.pi / 2))

    units = tuple(fixed(f"u{i}", (0.5, 0.6, 0.8), 0.25 + 0.5 * i, -0.3) for i in range(3))
    walls = wall("a", -left - 0.05), wall("b", 1.5 + right + 0.05)
    flush = (Relation("flush_with", "u0", "u1"), Relation("flush_with", "u1", "u2"))
    return Scene("niche", (*units, *walls), flush)


WIDER = specs.Spec("w", {"box": Spread(scale={"width": 0.4})}, Spread(shift={"x": 0.5}, doubt=False))
ROW = ("u0", "u1", "u2")


@pytest.mark.parametrize("index", range(8))
def test_between_two_walls_widths_fill_the_niche(index: int) -> None:
    twin = niche(0.0, 0.05)
    drawn = draw_cousin(twin, WIDER, 0, index)
    one = build(twin, drawn, "c")
    assert not drawn.refused
    assert (ends(one, "u0")[0], ends(one, "u2")[1]) == pytest.approx((0.0, 1.5), abs=TOUCH)
    assert abs(ends(one, "u0")[1] - 0.5) > 1e-3


@pytest.mark.parametrize("index", range(8))
def test_a_row_that_ends_at_one_wall_grows_from_it(index: int) -> None:
    twin = niche(0.1, 3.0)
    one = build(twin, draw_cousin(twin, WIDER, 0, index), "c")
    assert ends(one, "u0")[0] == pytest.approx(0.0, abs=TOUCH)
    twin = niche(3.0, 0.1)
    one = build(twin, draw_cousin(twin, WIDER, 0, index), "c")
    assert ends(one, "u2")[1] == pytest.approx(1.5, abs=TOUCH)


@pytest.mark.parametrize("index", range(8))
def test_a_free_row_moves_and_grows_as_far_as_there_is_room(index: int) -> None:
    twin = niche(0.4, 0.4)
    one = build(twin, draw_cousin(twin, WIDER, 0, index), "c")
    low, high = ends(one, "u0")[0], ends(one, "u2")[1]
    assert low >= NEAR - 0.4 - TOUCH
    assert high <= 1.9 - NEAR + TOUCH
    assert (low, high) != pytest.approx((0.0, 1.5), abs=1e-3)
    np.testing.assert_allclose(gaps(one, ROW), 0, atol=TOUCH)


@pytest.mark.slow
def test_a_cousin_of_a_room_is_the_same_alone_and_anywhere_in_it(twin: Scene) -> None:
    """Also where the room lies turned: all but the poses are the same."""
    first = draw_cousin(twin, MEDIUM, 3, 7)
    draw_cousin(twin, MEDIUM, 3, 6)
    assert draw_cousin(twin, MEDIUM, 3, 7) == first
    around = turned(twin, 1.0, 2.0, 0.5)
    again = draw_cousin(around, MEDIUM, 3, 7)
    ours, theirs = ({r.path: r.value for r in d.rows if "/parameters/" in r.path} for d in (first, again))
    assert ours.keys() == theirs.keys()
    for path, value in ours.items():
        assert theirs[path] == (pytest.approx(value, abs=1e-6) if isinstance(value, float) else value), path
    moved, there = turned(build(twin, first, "c"), 1.0, 2.0, 0.5), build(around, again, "c")
    for a, b in zip(moved.assets, there.assets, strict=True):
        np.testing.assert_allclose(a.pose.matrix, b.pose.matrix, atol=1e-6)


@pytest.mark.slow
def test_few_are_refused_and_layouts_differ(twin: Scene) -> None:
    drawn = [draw_cousin(twin, MEDIUM, 0, index) for index in range(32)]
    refused = sum(len(one.refused) for one in drawn)
    assert refused <= 0.2 * (refused + 32 * len(twin.assets))
    scenes = (build(twin, one, "c") for one in drawn)
    cabinets = ([a for a in scene.assets if a.family == "cabinet"] for scene in scenes)
    assert len({tuple(layout(registry.rebuild(a).grid) for a in some) for some in cabinets}) >= 24


@pytest.mark.slow
def test_kinds_and_sides_follow_the_belief_in_a_room(twin: Scene) -> None:
    """All fronts together, at the preset `twin`, through all refusals."""
    count, spec = 200, specs.preset("twin")
    wanted = {
        (asset.id, path): front.chances
        for asset in twin.assets
        if asset.family == "cabinet"
        for path, front in fronts(registry.rebuild(asset).grid)
        if front.chances
    }
    seen: Counter[tuple[str, str, object]] = Counter()
    for index in range(count):
        drawn = {row.path: row.value for row in draw_cousin(twin, spec, 5, index).rows}
        for (id, path), _ in wanted.items():
            where = f"{id}/parameters/grid" + "".join(
                f"/parts/{i}" for i in path.split(".") if "parts" in _grid(twin, id)
            )
            first = dict(fronts(registry.rebuild(twin.asset(id)).grid))[path]
            kind, side = (
                drawn.get(f"{where}/kind", first.kind.value),
                drawn.get(f"{where}/side", first.side.value),
            )
            seen[id, path, (kind, side)] += 1
    found = [seen[id, path, (c.kind.value, c.side.value)] for (id, path), cs in wanted.items() for c in cs]
    expected = [count * c.p for cs in wanted.values() for c in cs]
    assert sum(found) == count * len(wanted)
    chi = float(np.sum((np.array(found) - expected) ** 2 / expected))
    assert stats.chi2.sf(chi, len(found) - len(wanted)) > 1e-3


def _grid(twin: Scene, id: str) -> dict[str, object]:
    grid = twin.asset(id).parameters["grid"]
    assert isinstance(grid, dict)
    return grid


def test_an_edge_under_a_worktop_that_stands_out_is_refused(twin: Scene) -> None:
    """Fingers don't come past the worktop: with edge profiles only, units below it stay as they are."""
    edges = Spread(choices={"handle": ("edge",)}, chance={"handle": 1.0}, doubt=False)
    spec = specs.Spec("e", {"cabinet": edges})
    drawn = draw_cousin(twin, spec, 0, 0)
    reasons = Counter((one.asset, one.refusal.reason) for one in drawn.refused)
    assert {asset for asset, reason in reasons if reason is Reason.REACH} <= set(UNITS[:3])
    assert sum(count for (_, reason), count in reasons.items() if reason is Reason.REACH) == ATTEMPTS
    assert {f.subject.split("/")[1] for f in findings_of(drawn)} == {*UNITS, "worktop"}
    assert any(row.path.startswith("hung-1/") for row in drawn.rows)


@pytest.mark.slow
def test_what_hangs_gets_no_feet(twin: Scene) -> None:
    """Units on the floor get feet or plinths by chance; wall units begin where they hang."""
    stands: set[bool] = set()
    for one in cousins(0, "far", 6):
        for id in ("hung-1", "hung-2"):
            p = registry.rebuild(one.asset(id))
            assert (p.feet, p.plinth) == (0.0, 0.0)
        stands.add(registry.rebuild(one.asset("unit-1")).feet > 0)
    assert stands == {True, False}
