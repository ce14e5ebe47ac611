"""The assets of a twin on the page: verdict, sizes, joints in words, other layouts."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.families import registry
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import (
    Cabinet,
    Chance,
    Front,
    FrontKind,
    Grid,
    HandleSpec,
    Split,
)
from pocketworld.review.report import furniture, joints
from pocketworld.review.report.size import corners, size
from pocketworld.review.report.words import SPACE
from pocketworld.scene import (
    Asset,
    Base,
    Belief,
    HandleKind,
    Hypothesis,
    Joint,
    JointKind,
    Part,
    Pose,
    Rectangle,
    Scene,
    Side,
)

FIXED = Front(FrontKind.FIXED, handle=HandleSpec(HandleKind.NONE))
DOOR = Front(FrontKind.DOOR, Side.LEFT, evidence=("a handle at the right edge",))


def drawer(p: float) -> Front:
    chances = (Chance(FrontKind.DRAWER, Side.NONE, p), Chance(FrontKind.FIXED, Side.NONE, 1 - p))
    return Front(chances=chances, evidence=("a bow", "two gaps"))


def rows_of(fronts: Sequence[Front]) -> Grid:
    return Split(True, (0.2,) * len(fronts), tuple(fronts)) if len(fronts) > 1 else fronts[0]


def cabinet(*fronts: Front, id: str = "cabinet") -> Asset:
    return registry.family("cabinet").build(Cabinet(0.5, 0.4, 0.2 * len(fronts) + 0.1, rows_of(fronts)), id)


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def test_the_verdict_names_what_opens_and_how_sure() -> None:
    scene = Scene("s", (cabinet(drawer(0.81), drawer(0.97), drawer(0.9), drawer(0.93)),))
    assert furniture.verdict(scene) == "1 cabinet; 4 drawers that open, surest 0.97, least sure 0.81."


def test_the_verdict_is_about_what_the_twin_is_built_as() -> None:
    # Built as a drawer although it more probably is none: then the twin's drawer is as sure as that.
    assert furniture.verdict(Scene("s", (cabinet(drawer(0.4)),))) == (
        "1 cabinet; 1 drawer that opens, sure 0.40."
    )


def test_the_commonest_comes_first_in_the_verdict() -> None:
    scene = Scene("s", (cabinet(DOOR, drawer(1.0), drawer(1.0)), cabinet(drawer(1.0), id="other")))
    assert furniture.verdict(scene) == (
        "2 cabinets; 3 drawers, 1 door that open, surest 1.00, least sure 1.00."
    )


def test_the_verdict_of_what_does_not_open() -> None:
    still = cabinet(FIXED)
    assert furniture.verdict(Scene("s", (still,))) == "1 cabinet, nothing that opens."
    assert furniture.verdict(Scene("s", (replace(still, family="solid"),))) == (
        "1 solid, nothing that opens."
    )
    assert furniture.verdict(Scene("s", ())) == "No furniture was found."


@pytest.mark.parametrize("kind", list(HandleKind))
@pytest.mark.parametrize("overlay", [True, False])
def test_the_size_is_the_outer_box_without_handles(kind: HandleKind, overlay: bool) -> None:
    front = Front(handle=usual(kind))
    p = Cabinet(0.5, 0.45, 0.7, rows_of([front, front]), overlay=overlay, plinth=0.06)
    assert size(registry.family("cabinet").build(p, "c")) == pytest.approx((0.5, 0.45, 0.7), abs=1e-9)


def test_nothing_has_no_size() -> None:
    ghost = Part("ghost", "body", (), (), 1.0, (0, 0, 0), (1, 1, 1, 0, 0, 0))
    assert size(Asset("a", "solid", {}, (ghost,))) == (0.0, 0.0, 0.0)


@given(st.floats(0.1, 2), st.floats(0.1, 2), st.floats(-3, 3), st.floats(-3, 3))
def test_a_fronts_corners_are_its_rectangle(width: float, height: float, x: float, turn: float) -> None:
    right = (math.cos(turn), math.sin(turn), 0.0)
    found = corners(Rectangle((x, 1.0, 2.0), right, (0.0, 0.0, 1.0), width, height))
    assert found.mean(0) == pytest.approx((x, 1.0, 2.0))
    assert found[1] - found[0] == pytest.approx([width * r for r in right])
    assert found[3] - found[0] == pytest.approx((0.0, 0.0, height))


@given(st.lists(st.sampled_from([drawer(0.9), drawer(0.3), DOOR, FIXED]), min_size=1, max_size=4))
def test_each_front_has_a_row_and_its_belief_fills_the_bar(fronts: list[Front]) -> None:
    rows = joints.rows(cabinet(*fronts))
    assert [row.number for row in rows] == list(range(1, len(fronts) + 1))
    for row in rows:
        assert sum(bar.share for bar in row.bars) == pytest.approx(1)
        assert [bar.share for bar in row.bars] == sorted((bar.share for bar in row.bars), reverse=True)


def test_a_drawers_row_in_words() -> None:
    (row,) = joints.rows(cabinet(drawer(0.9)))
    assert (row.role, row.colour) == ("drawer", "slide")
    assert [bar.label for bar in row.bars] == ["slide 0.90", "fixed 0.10"]
    assert [bar.colour for bar in row.bars] == ["slide", "fixed"]
    minus = "\N{MINUS SIGN}"
    assert plain(row.axis).startswith(f"(0.00, {minus}1.00, 0.00)")
    assert plain(row.opening).split(" ± ")[0].endswith(" mm")
    assert plain(row.handle) == "bar, 130 mm, 30 mm proud"
    assert row.evidence == ("a bow", "two gaps")


def test_a_doors_row_in_words() -> None:
    (row,) = joints.rows(cabinet(DOOR))
    assert (row.role, row.colour, row.bars[0].label) == ("door", "hinge", "hinge left 1.00")
    assert plain(row.opening).split(" ± ")[0].endswith("°")
    assert row.state == "closed"


def test_only_what_was_estimated_has_a_sigma() -> None:
    asset = cabinet(drawer(0.9))
    joint = asset.joints[0]
    slide, fixed = sorted(joint.belief.hypotheses, key=lambda h: -h.p)
    sure = replace(slide, axis_sigma=0.0, origin_sigma=0.0, range_sigma=0.0)
    doubted = replace(slide, axis_sigma=0.01, origin_sigma=0.004, range_sigma=0.09)
    for estimated, hypothesis in ((False, sure), (True, doubted)):
        held = replace(joint, belief=Belief((hypothesis, fixed)), state=joint.range[1] / 2)
        (row,) = joints.rows(replace(asset, joints=(held,)))
        for text in (row.axis, row.origin, row.opening):
            assert ("±" in text) == estimated
        assert row.state.startswith("at ")
    assert plain(row.axis).endswith(" ± 0.6°")
    assert plain(row.origin).endswith(" m ± 4 mm")
    assert plain(row.opening).endswith(" mm ± 90 mm")


def test_a_door_is_told_as_it_is_hung() -> None:
    # A cousin's door may hang at the less probable side: its label names that side, and how sure that was.
    chances = (Chance(FrontKind.DOOR, Side.LEFT, 0.7), Chance(FrontKind.DOOR, Side.RIGHT, 0.3))
    for side, p in ((Side.LEFT, 0.7), (Side.RIGHT, 0.3)):
        joint = cabinet(Front(FrontKind.DOOR, side, chances=chances)).joints[0]
        taken = joints.taken_for(joint)
        assert (taken.side, taken.p) == (side, p)


def test_a_fixed_front_has_a_row_without_a_motion() -> None:
    (row,) = joints.rows(cabinet(FIXED))
    assert (row.colour, row.axis, row.origin, row.opening, row.state) == ("fixed", "", "", "", "")
    assert row.handle == "none"


def test_what_the_belief_does_not_hold_is_not_hidden() -> None:
    # A joint of a kind that its belief does not name: its row shows the belief's own best.
    belief = Belief((Hypothesis(JointKind.FIXED, Side.NONE, 1.0),))
    joint = Joint("j", JointKind.SLIDE, "a", "b", belief, range=(0.0, 0.3))
    assert joints.taken_for(joint) is belief.hypotheses[0]


def test_what_is_improbable_is_told_as_one() -> None:
    p = {JointKind.SLIDE: 0.984, JointKind.FIXED: 0.007, JointKind.HINGE: 0.009}
    belief = Belief(tuple(Hypothesis(kind, Side.NONE, share) for kind, share in p.items()))
    asset = cabinet(drawer(0.9))
    doubted = replace(asset, joints=(replace(asset.joints[0], belief=belief),))
    (row,) = joints.rows(doubted)
    assert [bar.label for bar in row.bars] == ["slide 0.98", "others 0.02"]
    assert sum(bar.share for bar in row.bars) == pytest.approx(1)


def test_boards_and_shelves_are_no_rows() -> None:
    asset = cabinet(drawer(0.9))
    body, front = asset.parts[0], asset.parts[1]
    shelf = replace(body, id="shelf")
    belief = Belief((Hypothesis(JointKind.FIXED, Side.NONE, 1.0),))
    held = Joint("held", JointKind.FIXED, body.id, "shelf", belief)
    whole = replace(asset, parts=(*asset.parts, shelf), joints=(*asset.joints, held))
    assert [row.role for row in joints.rows(whole)] == [front.role]


def test_things_say_their_facts() -> None:
    asset = replace(cabinet(drawer(0.9)), pose=Pose.upright((1, 2, 0), 0.3))
    (thing,) = furniture.things(Scene("s", (asset,)), {})
    mass = sum(part.mass for part in asset.parts)
    times = "\N{MULTIPLICATION SIGN}"
    assert thing.facts == (
        f"500 {times} 400 {times} 300 mm (width, depth, height), {mass:.1f} kg, fixed to the building"
    )
    (free,) = furniture.things(Scene("s", (replace(asset, base=Base.FREE),)), {})
    assert free.facts.endswith("free to be pushed")


def test_other_layouts_are_drawn_with_their_probability() -> None:
    other = registry.to_json(Cabinet(0.5, 0.4, 0.5, rows_of([drawer(0.9), drawer(0.8), drawer(0.7)])))
    asset = replace(cabinet(drawer(0.9), drawer(0.8)), alternatives=((0.2, other),))
    (thing,) = furniture.things(Scene("s", (asset,)), {})
    assert [len(face.marks) for face in thing.faces] == [2]
    ((p, faces),) = [(a.p, a.faces) for a in thing.alternatives]
    assert p == 0.2
    assert [len(face.marks) for face in faces] == [3]
