"""One cousin: drawn from its own streams, checked, refused with reasons, built from its rows."""

import math
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pocketworld import scene_file
from pocketworld.cousins import spec as specs
from pocketworld.cousins.draw import Drawn, build, draw_cousin, findings_of
from pocketworld.cousins.rows import Row, Source, decode
from pocketworld.cousins.spec import Spec
from pocketworld.cousins.together import ATTEMPTS, Reason
from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.family import CabinetFamily
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Chance, Front, FrontKind, Split, layout
from pocketworld.families.protocol import Site, Spread
from pocketworld.findings import Severity
from pocketworld.geometry.convex import BoxPiece
from pocketworld.geometry.depth import depth
from pocketworld.rng import stream
from pocketworld.scene import Asset, Base, HandleKind, Part, Pose, Relation, Scene, Side

DRAWER = Front(handle=usual(HandleKind.BOW))
PEDESTAL = Cabinet(
    0.438,
    0.784,
    0.559,
    Split(True, (0.052, 0.151, 0.1525, 0.1815), (DRAWER,) * 4),
    plinth=0.010,
    worktop=0.0145,
    sigma=0.003,
)


def made(family: str, p: Any, id: str, pose: Pose | None = None) -> Asset:
    return replace(registry.family(family).build(p, id), pose=pose or Pose())


def room() -> Scene:
    """Return a pedestal against a wall with a parcel on it, a cabinet beside it, and a thing of no family."""
    thing = replace(
        made("box", Box(0.3, 0.3, 0.9), "chair", Pose.upright((0.2, -2.0, 0.0), 0.8)), family="solid"
    )
    assets = (
        made("box", Box(0.2, 0.15, 0.1), "parcel", Pose.upright((0.02, 0.1, 0.559), 0.3)),
        made("cabinet", PEDESTAL, "pedestal"),
        made("cabinet", replace(PEDESTAL, width=0.5), "other", Pose.upright((1.2, 0.0, 0.0), -0.1)),
        replace(thing, parameters={}),
    )
    relations = (Relation("on", "parcel", "pedestal"), Relation("against", "pedestal", "wall"))
    return Scene("room", assets, relations, provenance={"capture": "ours"})


ROOM = room()
ALONE = Scene("alone", (made("cabinet", PEDESTAL, "pedestal"),))
MEDIUM = specs.preset("medium")


def digest(scene: Scene, drawn: Drawn) -> str:
    return scene_file.digest(build(scene, drawn, "set"))


@pytest.mark.parametrize("preset", specs.PRESETS)
def test_a_cousin_is_the_same_in_any_order(preset: str) -> None:
    spec = specs.preset(preset)
    first = [draw_cousin(ROOM, spec, 7, index) for index in range(4)]
    again = {index: draw_cousin(ROOM, spec, 7, index) for index in (3, 1, 0, 2)}
    assert [again[index] for index in range(4)] == first
    assert [digest(ROOM, again[i]) for i in range(4)] == [digest(ROOM, one) for one in first]
    assert draw_cousin(ROOM, spec, 8, 0) != first[0]
    assert len({digest(ROOM, one) for one in first}) == 4


def test_a_thing_is_drawn_the_same_whatever_stands_beside() -> None:
    """Its streams are named by its own id; only a refusal, for want of room, could make a difference."""
    for index in range(5):
        among, alone = draw_cousin(ROOM, MEDIUM, 1, index), draw_cousin(ALONE, MEDIUM, 1, index)
        assert not among.refused
        ours = [row for row in among.rows if row.path.startswith("pedestal/parameters/")]
        assert ours == [row for row in alone.rows if row.path.startswith("pedestal/parameters/")]


def test_numbers_come_from_the_named_streams() -> None:
    spec = Spec("w", {"box": Spread(scale={"width": 0.3})})
    twin = Scene("t", (made("box", Box(0.4, 0.3, 0.2), "crate"),))
    for index in range(5):
        (row,) = draw_cousin(twin, spec, 11, index).rows
        factor = math.exp(stream(11, "cousin", index, "crate", "width").uniform(-0.3, 0.3))
        assert (row.path, row.value, row.source) == ("crate/parameters/width", 0.4 * factor, Source.SPEC)


def test_belief_and_spec_are_told_apart() -> None:
    doubt = {row.path: row for row in draw_cousin(ALONE, specs.preset("twin"), 0, 0).rows}
    assert {row.source for row in doubt.values()} == {Source.BELIEF}
    assert {"pedestal/parameters/width", "pedestal/parameters/sigma"} <= set(doubt)
    spec = Spec("d", {"cabinet": Spread(scale={"depth": 0.1})}, Spread(shift={"x": 0.2}, doubt=False))
    both = {row.path: row.source for row in draw_cousin(ALONE, spec, 0, 0).rows}
    assert both["pedestal/parameters/width"] is Source.BELIEF
    assert both["pedestal/parameters/depth"] is Source.SPEC
    assert both["pedestal/pose/position/0"] is Source.SPEC


def test_where_the_spec_puts_things_is_the_specs() -> None:
    """Also of what has no family, is in no doubt, or is only carried by what the spec moved."""
    thing = made("box", Box(0.2, 0.15, 0.1), "thing", Pose.upright((0.0, 0.0, 0.559), 0.3))
    twin = Scene(
        "t",
        (made("cabinet", PEDESTAL, "pedestal"), replace(thing, family="solid", parameters={})),
        (Relation("on", "thing", "pedestal"),),
    )
    sure = {"cabinet": Spread(doubt=False)}
    moved = draw_cousin(twin, Spec("m", sure, Spread(shift={"x": 0.1, "yaw": 0.1}, doubt=False)), 0, 0).rows
    assert {row.path for row in moved} >= {"pedestal/pose/position/0", "thing/pose/position/0"}
    assert {row.source for row in moved if "/pose/" in row.path} == {Source.SPEC}
    believed = {row.path: row.source for row in draw_cousin(twin, specs.preset("twin"), 0, 0).rows}
    assert believed["thing/pose/position/2"] is Source.BELIEF
    deeper = Spec("d", {"cabinet": Spread(scale={"depth": 0.1})})
    both = {row.path: row.source for row in draw_cousin(twin, deeper, 0, 0).rows}
    assert both["pedestal/pose/position/1"] is Source.SPEC
    assert both["thing/pose/position/2"] is Source.BELIEF


def test_a_certain_twin_has_one_cousin_at_the_preset_twin() -> None:
    """But for frictions that would not hold its drawers, which are raised."""
    sure = Scene("sure", (made("cabinet", replace(PEDESTAL, sigma=0.0), "pedestal"),))
    drawn = [draw_cousin(sure, specs.preset("twin"), 0, index) for index in range(3)]
    assert len({one.rows for one in drawn}) == 1
    assert all(row.path.endswith("/friction") for row in drawn[0].rows)


def test_layouts_come_as_often_as_the_belief_says() -> None:
    other, third = Box(0.5, 0.3, 0.2), Box(0.4, 0.6, 0.2)
    crate = made("box", Box(0.4, 0.3, 0.2), "crate")
    alternatives = ((0.25, registry.to_json(other)), (0.1, registry.to_json(third)))
    twin = Scene("t", (replace(crate, alternatives=alternatives),))
    seen: Counter[tuple[float, float]] = Counter()
    for index in range(600):
        p = registry.rebuild(build(twin, draw_cousin(twin, specs.preset("twin"), 3, index), "s").assets[0])
        seen[p.width, p.depth] += 1
    found = [seen[0.5, 0.3], seen[0.4, 0.6], seen[0.4, 0.3]]
    assert sum(found) == 600
    assert stats.chisquare(found, [150, 60, 390]).pvalue > 1e-3
    certain = Spec("c", {"box": Spread(doubt=False)})
    assert not any(draw_cousin(twin, certain, 3, index).rows for index in range(20))


def test_kinds_come_as_often_as_the_belief_says_through_refusals_and_all() -> None:
    chances = (
        Chance(FrontKind.DRAWER, Side.NONE, 0.6),
        Chance(FrontKind.DOOR, Side.LEFT, 0.3),
        Chance(FrontKind.FIXED, Side.NONE, 0.1),
    )
    p = Cabinet(0.5, 0.4, 0.4, replace(DRAWER, chances=chances), sigma=0.002)
    twin = Scene("t", (made("cabinet", p, "c"),))
    seen: Counter[object] = Counter()
    for index in range(200):
        values = {row.path: row.value for row in draw_cousin(twin, specs.preset("twin"), 2, index).rows}
        seen[values.get("c/parameters/grid/kind", "drawer")] += 1
    assert stats.chisquare([seen["drawer"], seen["door"], seen["fixed"]], [120, 60, 20]).pvalue > 1e-3


def test_a_built_cousin_is_the_twin_but_for_its_rows() -> None:
    drawn = draw_cousin(ROOM, MEDIUM, 0, 3)
    scene = build(ROOM, drawn, "mine")
    assert scene.provenance == {"capture": "ours", "cousin": "mine/3"}
    assert [a.id for a in scene.assets] == [a.id for a in ROOM.assets]
    assert scene.relations == ROOM.relations
    assert scene.asset("parcel").base is Base.FREE
    assert scene.asset("pedestal").base is Base.FIXED
    assert scene.asset("chair").parts is ROOM.asset("chair").parts
    assert scene.asset("chair").pose != ROOM.asset("chair").pose
    empty = build(ROOM, Drawn(5, ()), "mine")
    for a, b in zip(empty.assets, ROOM.assets, strict=True):
        assert (a.parameters, a.pose) == (b.parameters, b.pose)


def test_things_keep_their_places() -> None:
    """The pedestal's back stays at its wall, the parcel on the pedestal, nothing in anything."""
    for index in range(12):
        scene = build(ROOM, draw_cousin(ROOM, MEDIUM, 0, index), "s")
        pedestal, parcel = scene.asset("pedestal"), scene.asset("parcel")
        points = np.concatenate([piece.vertices for part in pedestal.parts for piece in part.pieces])
        assert points[:, 1].max() + pedestal.pose.position[1] == pytest.approx(0.784 / 2)
        assert pedestal.pose.wxyz == (1.0, 0.0, 0.0, 0.0)
        assert parcel.pose.position[2] == pytest.approx(points[:, 2].max())
        for a in scene.assets:
            assert all(depth(a, b) < 1.001e-3 for b in scene.assets if b is not a)


def test_no_place_is_a_reason_and_drawn_again() -> None:
    row = Scene(
        "row",
        (made("cabinet", PEDESTAL, "a"), made("cabinet", PEDESTAL, "b", Pose((0.45, 0.0, 0.0)))),
    )
    spec = Spec("w", {"cabinet": Spread(scale={"width": 0.2}, doubt=False)})
    refused = 0
    for index in range(12):
        drawn = draw_cousin(row, spec, 0, index)
        assert [one.attempt for one in drawn.refused] == list(range(len(drawn.refused)))
        assert {one.refusal.reason for one in drawn.refused} <= {Reason.PLACE}
        assert all(one.refusal.numbers["overlap_m"] > 0 and one.asset == "b" for one in drawn.refused)
        scene = build(row, drawn, "s")
        assert depth(*scene.assets) < 1.001e-3
        refused += len(drawn.refused)
    assert refused


def test_what_never_works_stays_and_a_finding_says_so() -> None:
    spec = Spec("none", {"cabinet": Spread(choices={"kind": ("open",)}, chance={"swap": 1.0, "equal": 1.0})})
    drawn = draw_cousin(ALONE, spec, 0, 4)
    assert drawn.rows == ()
    assert len(drawn.refused) == ATTEMPTS
    assert {one.refusal.reason for one in drawn.refused} == {"nothing-opens"}
    (finding,) = findings_of(drawn)
    assert (finding.code, finding.severity) == ("cousin-not-varied", Severity.DEGRADED)
    assert finding.subject == "4/pedestal"
    assert build(ALONE, drawn, "s").findings == (finding,)
    assert findings_of(draw_cousin(ALONE, MEDIUM, 0, 0)) == ()


def test_what_a_front_may_be_but_cannot_be_built_is_drawn_again() -> None:
    """A front that can't be the drawer it may be (the tray is too low) comes out as what it can be."""
    chances = (Chance(FrontKind.DRAWER, Side.NONE, 0.5), Chance(FrontKind.FIXED, Side.NONE, 0.5))
    flat = replace(DRAWER, kind=FrontKind.FIXED, handle=usual(HandleKind.NONE), chances=chances)
    p = replace(PEDESTAL, grid=Split(True, (0.025, 0.5), (flat, DRAWER)), sigma=0.0)
    twin = Scene("t", (made("cabinet", p, "c"),))
    drawn = [draw_cousin(twin, specs.preset("twin"), 0, index) for index in range(12)]
    assert {one.refusal.reason for each in drawn for one in each.refused} == {"cannot-be-built"}
    for one in drawn:
        assert layout(registry.rebuild(build(twin, one, "s").assets[0]).grid) == "r[fixed drawer]"


class _Wide(CabinetFamily):
    """Cabinets whose drawers' boxes are 4 mm too wide at each side for their slides."""

    def build(self, p: Cabinet, id: str, *, visual: bool = True) -> Asset:
        asset = super().build(p, id, visual=visual)
        return replace(asset, parts=tuple(map(self._widened, asset.parts)))

    def _widened(self, part: Part) -> Part:
        if part.role != "drawer":
            return part
        pieces = (
            replace(piece, size=(piece.size[0] + 0.008, *piece.size[1:]))
            if isinstance(piece, BoxPiece) and piece.size[1] > 0.1
            else piece
            for piece in part.pieces
        )
        return replace(part, pieces=tuple(pieces))


def test_a_drawer_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry.family
    monkeypatch.setattr(registry, "family", lambda name: _Wide() if name == "cabinet" else known(name))
    drawn = draw_cousin(ALONE, specs.preset("near"), 0, 0)
    assert {one.refusal.reason for one in drawn.refused} == {Reason.SWEEP}
    assert all(0.002 < one.refusal.numbers["depth_m"] < 0.02 for one in drawn.refused)


def test_any_sampled_cabinet_has_cousins() -> None:
    """At most a fifth of the draws at `medium` is refused, for cabinets of every sort."""
    refused = tries = 0
    for i in range(8):
        p = registry.family("cabinet").sample(partial(stream, i, "site"), Site((1.6, 0.6, 2.0)))
        twin = Scene("t", (made("cabinet", p, "c"),))
        drawn = [draw_cousin(twin, MEDIUM, 0, index) for index in range(6)]
        assert not any(findings_of(one) for one in drawn)
        refused += sum(len(one.refused) for one in drawn)
        tries += sum(len(one.refused) + 1 for one in drawn)
    assert refused <= 0.2 * tries


def test_rows_of_what_the_twin_has_not_are_refused_in_one_line() -> None:
    twin = Scene("s", (replace(CabinetFamily().build(Cabinet(0.4, 0.5, 0.6), "cabinet"), base=Base.FIXED),))
    for path in ("table/parameters/width", "table", ""):
        drawn = Drawn(3, (Row(path, 1.0, Source.SPEC),))
        with pytest.raises(PocketworldError, match="cousin mine/3: the twin has no"):
            build(twin, drawn, "mine")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pedestal/parameters/grid/parts/0/kind", '"\\ud800"'),
        ("pedestal/parameters/width", "[" * 300 + "]" * 300),
        (f"pedestal/parameters{'/a' * 150}", "1"),
        (f"pedestal/parameters{'/a' * 400}", "1"),
        (f"pedestal/parameters{'/a' * 20_000}", "1"),
        ("pedestal/pose", '"x"'),
        ("pedestal/pose/position", "[]"),
        ("pedestal/pose/position/0", '"x"'),
        ("pedestal/pose/position/0", "NaN"),
        ("pedestal/pose/position/3", "1.0"),
        ("pedestal/pose/wxyz", "null"),
        ("pedestal/pose/turned", "1"),
    ],
    ids=lambda text: text[:30],
)
def test_hostile_rows_are_refused_in_one_line(path: str, text: str) -> None:
    row = Row(path, decode(None, text), Source.SPEC)
    begins = r"^(parameters of (cabinet|pedestal's pose): |draws: pedestal/|pose: position )"
    with pytest.raises(PocketworldError, match=begins) as error:
        build(ROOM, Drawn(0, (row,)), "mine")
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 600
