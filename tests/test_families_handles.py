"""Handles: that they are built as asked, lie on their panels, and that two fingers can take them."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families import grasp
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import CLEAR, LIMITS, Fitting, fit, fitted, usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, HandleSpec, Split
from pocketworld.families.cabinet.plan import Rect, plan
from pocketworld.families.grasp import blocked, fingers
from pocketworld.geometry.convex import Piece
from pocketworld.scene import Asset, HandleKind, Side

KINDS = tuple(LIMITS)
kinds = st.sampled_from(KINDS)
FACE = Rect(-0.3, 0.3, 0.1, 0.5)


@st.composite
def specs(draw: st.DrawFn) -> HandleSpec:
    """Return handles of any size and place, whether they can be or not."""
    return HandleSpec(
        draw(st.sampled_from(HandleKind)),
        draw(st.floats(-0.2, 1.2)),
        draw(st.floats(-0.2, 1.2)),
        draw(st.floats(0, 1)),
        draw(st.floats(0, 0.1)),
        draw(st.floats(-0.1, 0.2)),
        draw(st.booleans()),
    )


def made(spec: HandleSpec, face: Rect = FACE, y: float = -0.25, panel: float = 0.018) -> Fitting:
    out = fit(spec, face, y, panel, "0")
    assert out is not None
    return out


def ends(pieces: tuple[Piece, ...]) -> tuple[np.ndarray, np.ndarray]:
    corners = np.concatenate([piece.vertices for piece in pieces])
    return corners.min(0), corners.max(0)


def one_front(spec: HandleSpec, kind: FrontKind = FrontKind.DRAWER, side: Side = Side.NONE) -> Asset:
    return build(Cabinet(0.6, 0.5, 0.5, Front(kind, side, spec), plinth=0.05), "c")


@given(specs(), st.floats(0.02, 1.5), st.floats(0.02, 1.5))
def test_what_was_fitted_can_be_built_or_is_none(spec: HandleSpec, width: float, height: float) -> None:
    out = fitted(spec, width, height)
    face = Rect(-0.1, width - 0.1, 0.2, 0.2 + height)
    found = fit(out, face, -0.3, 0.018, "0")
    assert (found is None) == (out.kind is HandleKind.NONE)
    assert out.kind in (spec.kind, HandleKind.NONE)
    if found is not None:
        low, high = ends(found.pieces)
        assert low[0] >= face.x0 - 1e-9
        assert high[0] <= face.x1 + 1e-9
        assert low[2] >= face.z0 - 1e-9
        assert high[2] <= face.z1 + 1e-9


@given(specs(), st.floats(0.02, 1.5), st.floats(0.02, 1.5))
def test_fitting_twice_is_fitting_once(spec: HandleSpec, width: float, height: float) -> None:
    out = fitted(spec, width, height)
    again = fitted(out, width, height)
    assert again.kind is out.kind
    assert np.allclose(
        [again.u, again.v, again.length, again.thickness, again.standoff],
        [out.u, out.v, out.length, out.thickness, out.standoff],
        atol=1e-12,
    )


@given(kinds, st.floats(0.3, 0.7), st.floats(0.3, 0.7), st.booleans())
def test_a_handle_that_fits_is_left_alone(kind: HandleKind, u: float, v: float, vertical: bool) -> None:
    spec = usual(kind, u, v, vertical)
    assume(kind is not HandleKind.EDGE or spec.length <= 0.3)
    out = fitted(spec, 1.5, 1.5)
    assert (out.length, out.thickness, out.vertical) == (spec.length, spec.thickness, spec.vertical)
    assert (out.u, out.v) == (u, v)
    if kind is not HandleKind.RECESSED:
        assert out.standoff == spec.standoff


def test_without_room_there_is_no_handle() -> None:
    assert fitted(usual(HandleKind.RECESSED), 0.6, 0.04).kind is HandleKind.NONE
    assert fitted(usual(HandleKind.RECESSED), 0.6, 0.052).kind is HandleKind.RECESSED
    assert fitted(usual(HandleKind.BAR), 0.04, 0.6).kind is HandleKind.NONE
    assert fitted(usual(HandleKind.CUP), 0.6, 0.02).kind is HandleKind.NONE
    assert fitted(usual(HandleKind.NONE), 0.6, 0.4) == usual(HandleKind.NONE)
    assert fit(usual(HandleKind.NONE), FACE, 0.0, 0.018, "0") is None


@given(kinds, st.floats(0.3, 0.7), st.floats(0.3, 0.7), st.booleans())
def test_the_grip_is_where_the_parameters_say(kind: HandleKind, u: float, v: float, vertical: bool) -> None:
    spec = usual(kind, u, v, vertical)
    face = Rect(-0.6, 0.6, 0.1, 1.3)
    out = made(spec, face)
    handle = out.handle
    assert handle.kind is kind
    assert np.array_equal(handle.out, (0, -1, 0))
    assert np.array_equal(handle.along, (0, 0, 1) if spec.vertical else (1, 0, 0))
    assert handle.length == spec.length
    assert handle.thickness == spec.thickness
    assert -0.25 - handle.grip[1] == pytest.approx(handle.standoff)
    if kind is not HandleKind.EDGE:
        assert handle.grip[0] == pytest.approx(face.x0 + u * face.width)
        assert handle.grip[2] == pytest.approx(face.z0 + v * face.height)
    low, high = ends(out.pieces)
    size = (high - low)[[2, 0]] if spec.vertical else (high - low)[[0, 2]]
    assert size == pytest.approx((spec.length, spec.thickness))
    # It is there where the fingers close, and begins at the face.
    middle = np.array(handle.grip)
    if kind is not HandleKind.CUP:
        assert any(
            (q.vertices.min(0) <= middle).all() and (q.vertices.max(0) >= middle).all() for q in out.pieces
        )
    assert high[1] == pytest.approx(-0.25 + (0.01 if kind is HandleKind.RECESSED else 0))


@given(kinds, st.booleans())
def test_two_fingers_can_take_every_usual_handle(kind: HandleKind, vertical: bool) -> None:
    asset = one_front(usual(kind, vertical=vertical))
    assert blocked(asset) == ()


@given(kinds, st.booleans(), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_two_fingers_can_take_every_handle_within_the_limits(
    kind: HandleKind, vertical: bool, a: float, b: float, c: float
) -> None:
    limits = LIMITS[kind]

    def between(pair: tuple[float, float], share: float) -> float:
        return pair[0] + share * (pair[1] - pair[0])

    sizes = (
        between((limits.length[0], min(limits.length[1], 0.4)), a),
        between(limits.thickness, b),
        between(limits.standoff, c),
    )
    spec = fitted(HandleSpec(kind, 0.5, 0.5, *sizes, vertical), 0.55, 0.45)
    assert blocked(one_front(spec)) == ()


@given(kinds, st.booleans())
def test_nothing_of_a_handle_is_where_the_fingers_need_to_be(kind: HandleKind, vertical: bool) -> None:
    handle = made(usual(kind, vertical=vertical)).handle
    one, two = fingers(handle)
    across = np.abs(np.cross(handle.along, handle.out))
    # They lie on either side, as far apart as the handle is thick.
    apart = np.abs(np.subtract(two.centre, one.centre)) @ across
    assert apart - one.size @ across == pytest.approx(handle.thickness)
    assert one.size == two.size
    assert sorted(one.size) == pytest.approx([0.012, 0.022, 0.060])


def test_a_bar_has_room_behind_it() -> None:
    for thickness in (0.004, 0.01, 0.04):
        spec = fitted(HandleSpec(HandleKind.BAR, thickness=thickness, standoff=0.0), 1, 1)
        bar = made(spec).pieces[0]
        assert -0.25 - bar.vertices[:, 1].max() >= CLEAR - 1e-9


def test_a_bow_slopes_down_to_the_face_at_both_ends() -> None:
    out = made(usual(HandleKind.BOW))
    bar, left, right = out.pieces
    assert np.allclose(left.vertices * (-1, 1, 1), right.vertices)
    assert left.vertices[:, 1].max() == pytest.approx(-0.25)
    assert left.vertices[:, 1].min() == pytest.approx(bar.vertices[:, 1].min())
    low, high = ends(out.pieces)
    assert (high - low)[0] == pytest.approx(usual(HandleKind.BOW).length)


def test_a_cup_is_a_shell_that_is_open_below() -> None:
    out = made(usual(HandleKind.CUP))
    x, y, z = out.handle.grip
    below = np.array([(x, y, z - d) for d in np.linspace(0, 0.05, 20)])
    above = np.array([(x, y, z + d) for d in np.linspace(0, 0.05, 20)])

    def hits(ray: np.ndarray) -> bool:
        boxes = [(q.vertices.min(0), q.vertices.max(0)) for q in out.pieces]
        return any(((ray > low) & (ray < high)).all(1).any() for low, high in boxes)

    assert hits(above)
    assert not hits(below)
    with pytest.raises(PocketworldError, match=r"cup handle stands upright; a cup lies across"):
        made(replace(usual(HandleKind.CUP), vertical=True))
    assert not usual(HandleKind.CUP, vertical=True).vertical


@pytest.mark.parametrize("vertical", [False, True])
def test_a_recessed_handle_is_a_lip_in_a_window_of_the_panel(vertical: bool) -> None:
    spec = usual(HandleKind.RECESSED, 0.4, 0.6, vertical)
    out = made(spec)
    assert out.hole is not None
    size = (out.hole.height, out.hole.width) if vertical else (out.hole.width, out.hole.height)
    assert size == pytest.approx((spec.length, spec.thickness + 0.028))
    asset = build(Cabinet(0.6, 0.5, 0.5, Front(handle=spec)), "c")
    part = asset.part("drawer_0")
    assert part.front is not None
    area = sum(q.volume for q in part.pieces[:4]) / 0.018
    hole = out.hole.width * out.hole.height
    assert area == pytest.approx(part.front.width * part.front.height - hole)
    assert np.concatenate([q.vertices for q in part.pieces])[:, 1].min() == pytest.approx(-0.25)


@pytest.mark.parametrize(
    ("u", "v", "vertical", "edge"),
    [(0.5, 1.0, False, "z1"), (0.5, 0.2, False, "z0"), (0.9, 0.5, True, "x1"), (0.0, 0.5, True, "x0")],
)
def test_an_edge_profile_ends_flush_with_its_edge(u: float, v: float, vertical: bool, edge: str) -> None:
    out = made(usual(HandleKind.EDGE, u, v, vertical))
    low, high = ends(out.pieces)
    found = {"x0": low[0], "x1": high[0], "z0": low[2], "z1": high[2]}[edge]
    assert found == pytest.approx(getattr(FACE, edge))
    sheet, nose = out.pieces
    assert sheet.vertices[:, 1].max() == pytest.approx(-0.25)
    assert nose.vertices[:, 1].max() == pytest.approx(sheet.vertices[:, 1].min())


BAD = [
    (HandleSpec(HandleKind.BAR, length=0.7), "bar handle of 0.7 x 0.01 m at"),
    (HandleSpec(HandleKind.BAR, length=0.01), "bar handle has length 0.01 m; 0.05 to 2 can be gripped"),
    (HandleSpec(HandleKind.BAR, thickness=0.06), "bar handle has thickness 0.06 m; 0.004 to 0.04"),
    (HandleSpec(HandleKind.BAR, standoff=0.01), "bar handle has standoff 0.01 m; 0.017 to 0.08"),
    (HandleSpec(HandleKind.BAR, u=0.05), "bar handle of 0.13 x 0.01 m at"),
    (HandleSpec(HandleKind.KNOB, v=-0.1, length=0.03, thickness=0.03), "knob handle of 0.03 x 0.03 m at"),
    (HandleSpec(HandleKind.EDGE, u=0.9, length=0.5, standoff=0.02), "edge handle of 0.5 x 0.01 m at"),
    (replace(usual(HandleKind.EDGE), vertical=True, length=0.5), "edge handle of 0.01 x 0.5 m at"),
]


@pytest.mark.parametrize(("spec", "message"), BAD, ids=[m[:25] for _, m in BAD])
def test_a_handle_that_can_not_be_is_refused(spec: HandleSpec, message: str) -> None:
    with pytest.raises(PocketworldError, match=f"^cabinet: front 1.0: {message}"):
        fit(spec, FACE, 0.0, 0.018, "cabinet: front 1.0")


def test_a_neighbours_handle_may_be_in_the_fingers_way() -> None:
    def pair(share: float) -> Asset:
        doors = [
            Front(FrontKind.DOOR, side, usual(HandleKind.BAR, u, 0.5, True), opening=1.5)
            for side, u in ((Side.LEFT, 1 - share), (Side.RIGHT, share))
        ]
        return build(Cabinet(1.0, 0.5, 0.8, Split(False, (1, 1), tuple(doors))), "c")

    assert blocked(pair(0.1)) == ()
    assert blocked(pair(0.011)) == ("0", "1")


def test_a_joint_without_a_handle_can_not_be_taken() -> None:
    assert blocked(one_front(usual(HandleKind.NONE))) == ("0",)
    assert blocked(one_front(usual(HandleKind.NONE), FrontKind.FIXED)) == ()


def test_what_is_thicker_than_the_gripper_opens_can_not_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    asset = one_front(usual(HandleKind.CUP))
    assert blocked(asset) == ()
    monkeypatch.setattr(grasp, "OPENING", 0.02)
    assert blocked(asset) == ("0",)


def test_a_drawers_handle_moves_out_with_it() -> None:
    grid = Split(
        True, (1, 1), (Front(), Front(FrontKind.DOOR, Side.LEFT, usual(HandleKind.BAR, 0.9, 0.5, True)))
    )
    p = Cabinet(0.6, 0.5, 0.6, grid)
    asset = build(p, "c")
    for joint in asset.joints:
        handle = asset.part(joint.child).handle
        assert handle is not None
        start = np.array([*handle.grip, 1.0])
        for q in np.linspace(0, joint.range[1], 7)[1:]:
            moved = joint.motion(float(q)) @ start
            if joint.id == "0":
                assert moved[:3] - start[:3] == pytest.approx((0, -q, 0))
            else:
                arm, after = start[:3] - joint.origin, moved[:3] - joint.origin
                assert np.linalg.norm(after) == pytest.approx(np.linalg.norm(arm))
                assert moved[1] < start[1]
                angle = math.atan2(-after[1], after[0]) - math.atan2(-arm[1], arm[0])
                assert angle == pytest.approx(q)
    assert plan(p).face_y == -0.25
