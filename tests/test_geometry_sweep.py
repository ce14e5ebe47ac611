import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.parameters import Cabinet, Front, Split
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.geometry import sweep as module
from pocketworld.geometry.convex import BoxPiece, HullPiece, Piece, Vec3, span
from pocketworld.geometry.sweep import TOLERANCE, Overlap, clean, sweep
from pocketworld.rng import stream
from pocketworld.scene import Asset, Belief, Hypothesis, Joint, JointKind, Part, Side

CERTAIN = Belief((Hypothesis(JointKind.FIXED, Side.NONE, 1.0),))
ROOM = Site((2.0, 0.8, 2.3))
DOWN: Vec3 = (0.0, -1.0, 0.0)


def part(id: str, *pieces: Piece) -> Part:
    return Part(id, id, (), pieces, 1.0, (0, 0, 0), (1, 1, 1, 0, 0, 0))


def slide(id: str, child: str, far: float, parent: str = "body", axis: Vec3 = DOWN) -> Joint:
    return Joint(id, JointKind.SLIDE, parent, child, CERTAIN, axis, range=(0.0, far))


def hinge(id: str, child: str, far: float, parent: str = "body", origin: Vec3 = (0, 0, 0)) -> Joint:
    return Joint(id, JointKind.HINGE, parent, child, CERTAIN, (0, 0, 1), origin, (0.0, far))


def pedestal() -> Asset:
    sizes = (0.052, 0.151, 0.152, 0.182)
    grid = Split(True, sizes, tuple(Front() for _ in sizes))
    return build(Cabinet(0.438, 0.784, 0.559, grid, worktop=0.0145, plinth=0.01), "pedestal")


def cabinet(seed: int) -> Asset:
    return build(sample(lambda name: stream(seed, "sweep", name), ROOM), "cabinet")


def widened(asset: Asset, id: str, more: float) -> Asset:
    """Return the asset with a drawer that was planted too wide: its sides stand out by half of more each."""
    old = asset.part(id)
    assert old.front is not None
    middle = old.front.centre[0]
    half = max(abs(float(x) - middle) for piece in old.pieces for x in piece.vertices[:, 0])

    def wider(piece: Piece) -> Piece:
        if not isinstance(piece, BoxPiece):
            return piece
        x, y, z = piece.centre
        if piece.size[0] > half:  # what reaches from side to side
            return replace(piece, size=(piece.size[0] + more, *piece.size[1:]))
        aside = abs(x - middle) > half / 2
        return replace(piece, centre=(x + math.copysign(more / 2, x - middle), y, z)) if aside else piece

    new = replace(old, pieces=tuple(wider(piece) for piece in old.pieces))
    return replace(asset, parts=tuple(new if p.id == id else p for p in asset.parts))


def turned(asset: Asset, angle: float) -> Asset:
    """Return the asset turned about z as a whole, its pieces as hulls."""
    c, s = math.cos(angle), math.sin(angle)

    def turn(v: Vec3) -> Vec3:
        return (c * v[0] - s * v[1], s * v[0] + c * v[1], v[2])

    def moved(piece: Piece) -> HullPiece:
        return HullPiece(tuple(turn((float(x), float(y), float(z))) for x, y, z in piece.vertices))

    parts = tuple(replace(p, pieces=tuple(moved(piece) for piece in p.pieces)) for p in asset.parts)
    joints = tuple(replace(j, axis=turn(j.axis), origin=turn(j.origin)) for j in asset.joints)
    return replace(asset, parts=parts, joints=joints)


def test_a_pedestal_is_clean_and_swept_in_no_time() -> None:
    asset = pedestal()
    start = time.process_time()
    assert sweep(asset) == ()
    assert time.process_time() - start < 0.3
    assert clean(asset)


@settings(max_examples=25)
@given(st.integers(1, 4), st.floats(0.004, 0.02))
def test_a_drawer_planted_too_wide_fails(which: int, more: float) -> None:
    asset = widened(pedestal(), f"drawer_{which - 1}", more)
    (found,) = sweep(asset)
    assert found.parts == ("body", f"drawer_{which - 1}")
    # What was added, less the play between a drawer and its rail.
    assert found.depth == pytest.approx(min(more / 2 - 0.001, 0.012), abs=1e-9)
    assert not clean(asset)


def test_a_drawer_planted_4_mm_too_wide_fails_in_whatever_cabinet() -> None:
    tried = 0
    for seed in range(40):
        asset = cabinet(seed)
        drawer = next((p.id for p in asset.parts if p.role == "drawer"), None)
        if drawer is not None:
            tried += 1
            found = sweep(widened(asset, drawer, 0.004))
            assert any(drawer in o.parts and o.depth > 0.5e-3 for o in found), seed
    assert tried >= 15


def test_cabinets_of_all_kinds_are_clean() -> None:
    for seed in range(80):
        assert sweep(cabinet(seed)) == (), seed


@pytest.mark.slow
def test_hundreds_of_cabinets_of_all_kinds_are_clean() -> None:
    for seed in range(80, 600):
        assert sweep(cabinet(seed)) == (), seed


def test_no_finer_sweep_finds_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP", 0.0007)
    for seed in range(12):
        assert sweep(cabinet(seed)) == (), seed


def test_a_door_meets_a_post_at_the_angle_that_geometry_says() -> None:
    # The door lies along +x from the hinge, 20 mm thick; the post stands at 60 degrees, 0.3 m out.
    post = (0.3 * math.cos(1.2), 0.3 * math.sin(1.2))
    body = part("body", BoxPiece((*post, 0.5), (0.01, 0.01, 1.0)))
    door = part("door", span((0.02, -0.01, 0.0), (0.5, 0.01, 1.0)))
    (found,) = sweep(Asset("a", "solid", {}, (body, door), (hinge("j", "door", 1.5),)))
    assert found.joint == "j"
    assert found.q == pytest.approx(1.2, abs=0.02)
    assert 0.01 < found.depth <= 0.01 + 0.01 * math.sqrt(0.5)
    short = Asset("a", "solid", {}, (body, door), (hinge("j", "door", 1.1),))
    assert sweep(short) == ()


def test_the_deepest_is_told_once_a_pair_and_the_worst_pair_first() -> None:
    body = part("body", span((0, 0, 0), (1, 1, 1)))
    a = part("a", span((0.2, 1, 0), (0.4, 1.2, 1)), span((0.5, 1, 0), (0.6, 1.1, 1)))
    b = part("b", span((0.7, 1, 0), (0.9, 1.2, 1)))
    asset = Asset("x", "solid", {}, (body, a, b), (slide("1", "a", 0.03), slide("2", "b", 0.05)))
    found = sweep(asset)
    assert [(o.parts, o.joint) for o in found] == [(("body", "b"), "2"), (("body", "a"), "1")]
    assert [o.depth for o in found] == pytest.approx([0.05, 0.03])
    assert [o.q for o in found] == pytest.approx([0.05, 0.03])


def test_what_hangs_on_a_part_is_carried_along() -> None:
    # The box on the tray hits the wall although the tray itself passes below it.
    body = part("body", span((0, -1, 0.5), (1, -0.9, 1)))
    tray = part("tray", span((0, 0, 0), (1, 1, 0.1)))
    box = part("box", span((0.4, 0, 0.5), (0.6, 0.2, 0.7)))
    joints = (slide("1", "tray", 0.95), Joint("2", JointKind.FIXED, "tray", "box", CERTAIN))
    (found,) = sweep(Asset("x", "solid", {}, (body, tray, box), joints))
    assert found.parts == ("body", "box")
    assert found.joint == "1"
    assert found.depth == pytest.approx(0.05)


def test_parts_that_never_move_are_compared_where_they_stand() -> None:
    body, panel = part("body", span((0, 0, 0), (1, 1, 1))), part("panel", span((0.99, 0, 0), (2, 1, 1)))
    asset = Asset("x", "solid", {}, (body, panel), (Joint("1", JointKind.FIXED, "body", "panel", CERTAIN),))
    (found,) = sweep(asset)
    assert replace(found, depth=round(found.depth, 9)) == Overlap(("body", "panel"), "", 0.0, 0.01)


def test_touching_is_clean_and_the_tolerance_is_the_callers() -> None:
    body, front = part("body", span((0, 0, 0), (1, 1, 1))), part("front", span((0, -0.02, 0), (1, 0, 1)))
    asset = Asset("x", "solid", {}, (body, front), (slide("1", "front", 0.5),))
    assert sweep(asset) == ()
    close = replace(asset, parts=(body, part("front", span((0, -0.02, 0), (1, 0.003, 1)))))
    assert sweep(close, tolerance=0.004) == ()
    assert not clean(close)
    assert clean(close, 0.004)
    assert 0 < TOLERANCE < 0.5e-3


def test_what_has_nothing_to_hit_is_clean() -> None:
    lone = part("body", span((0, 0, 0), (1, 1, 1)))
    assert sweep(Asset("x", "solid", {}, (lone,))) == ()
    bare = Asset("x", "solid", {}, (part("body"), part("a", *lone.pieces)), (slide("1", "a", 1.0),))
    assert sweep(bare) == ()
    ghost = Asset("x", "solid", {}, (lone, part("a")), (slide("1", "a", 1.0),))
    assert sweep(ghost) == ()


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.floats(-3, 3))
def test_a_turn_of_the_whole_asset_changes_no_depth(seed: int, angle: float) -> None:
    draw = stream(seed, "turned")
    asset = widened(pedestal(), f"drawer_{draw.integers(4)}", float(draw.uniform(0.004, 0.02)))
    asset = replace(asset, joints=tuple(replace(j, range=(0.0, 0.1)) for j in asset.joints))
    plain, there = sweep(asset), sweep(turned(asset, angle))
    assert [o.parts for o in there] == [o.parts for o in plain]
    assert [o.depth for o in there] == pytest.approx([o.depth for o in plain], abs=1e-6)


@given(st.permutations(range(4)))
def test_the_order_of_joints_does_not_matter(order: list[int]) -> None:
    asset = widened(widened(pedestal(), "drawer_1", 0.004), "drawer_3", 0.008)
    shuffled = replace(asset, joints=tuple(asset.joints[i] for i in order))
    assert {(o.parts, round(o.depth, 9)) for o in sweep(shuffled)} == {
        (o.parts, round(o.depth, 9)) for o in sweep(asset)
    }


def test_no_corner_goes_further_than_a_step_between_samples() -> None:
    door = part("door", span((0, 0, 0), (0.8, 0.02, 2.0)), span((0.7, -0.05, 1.0), (0.72, 0, 1.2)))
    pieces = module.pieces_of((part("body"), door))
    for joint in (hinge("1", "door", 1.9), slide("1", "door", 0.6), hinge("1", "door", 0.001)):
        q, motions, low, high = module._samples(pieces, np.arange(2), joint, module.STEP)
        corners = module._moved(np.concatenate([p.vertices for p in door.pieces]), motions)
        assert np.linalg.norm(np.diff(corners, axis=0), axis=2).max() <= module.STEP + 1e-12
        assert q[0] == joint.range[0]
        assert q[-1] == joint.range[1]
        assert np.allclose(low.min(1), corners.min(1))
        assert np.allclose(high.max(1), corners.max(1))
