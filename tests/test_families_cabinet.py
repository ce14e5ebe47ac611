"""What a cabinet is built of: boards, hollow drawers, panels, masses, parts and their ids."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families import registry
from pocketworld.families.cabinet import joints
from pocketworld.families.cabinet.build import METAL, build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import (
    Cabinet,
    Chance,
    Front,
    FrontKind,
    Grid,
    HandleSpec,
    Split,
    fronts,
)
from pocketworld.families.cabinet.plan import plan
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.geometry.convex import BoxPiece, Piece
from pocketworld.geometry.se3 import apply
from pocketworld.geometry.separating import depths, shape
from pocketworld.geometry.sweep import sweep
from pocketworld.rng import stream
from pocketworld.scene import Asset, Base, HandleKind, JointKind, Part, Side

seeds = st.integers(0, 10**6)
SIZES = (0.052, 0.151, 0.152, 0.182)
PEDESTAL = Cabinet(0.438, 0.784, 0.559, Split(True, SIZES, (Front(),) * 4), worktop=0.0145, plinth=0.01)
NONE = usual(HandleKind.NONE)


def parameters(seed: int) -> Cabinet:
    return sample(lambda name: stream(seed, "cabinet", name), Site((2.0, 0.8, 2.3)))


def door(side: Side, opening: float = 1.6, handle: HandleSpec = NONE) -> Front:
    return Front(FrontKind.DOOR, side, handle, opening=opening)


def sliding(side: Side, handle: HandleSpec = NONE) -> Front:
    return Front(FrontKind.SLIDING, side, handle, opening=0.9)


def inside(pieces: Sequence[Piece], points: np.ndarray) -> np.ndarray:
    """Return (n,): whether each point lies in a piece (not only on its surface)."""
    out = np.zeros(len(points), bool)
    for piece in pieces:
        s = shape(piece)
        across, own = points @ s.normals.T, s.vertices @ s.normals.T
        out |= ((across > own.min(0) + 1e-9) & (across < own.max(0) - 1e-9)).all(1)
    return out


def bounds(pieces: Sequence[Piece]) -> tuple[np.ndarray, np.ndarray]:
    corners = np.concatenate([piece.vertices for piece in pieces])
    return corners.min(0), corners.max(0)


def panels(asset: Asset) -> list[Piece]:
    """Return what belongs to the outer box: all pieces but those of handles."""
    return [
        piece
        for part in asset.parts
        for piece in part.pieces
        if part.front is None or piece.vertices[:, 1].min() >= part.front.centre[1] - 1e-9
    ]


def mirrored(grid: Grid) -> Grid:
    if isinstance(grid, Split):
        parts = tuple(mirrored(part) for part in grid.parts)
        return grid if grid.rows and parts == grid.parts else _turned(grid, parts)
    other = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}
    handle = replace(grid.handle, u=1 - grid.handle.u)
    return replace(grid, side=other.get(grid.side, grid.side), handle=handle)


def _turned(grid: Split, parts: tuple[Grid, ...]) -> Split:
    if grid.rows:
        return replace(grid, parts=parts)
    return replace(grid, parts=parts[::-1], sizes=grid.sizes[::-1])


@settings(max_examples=30)
@given(seeds)
def test_a_cabinet_fills_its_outer_size(seed: int) -> None:
    p = parameters(seed)
    low, high = bounds(panels(build(p, "c")))
    assert low == pytest.approx([-p.width / 2, -p.depth / 2, 0], abs=1e-9)
    assert high == pytest.approx([p.width / 2, p.depth / 2, p.height], abs=1e-9)


@settings(max_examples=25)
@given(seeds)
def test_no_two_pieces_of_a_part_overlap(seed: int) -> None:
    # So that volumes add up to the mass.
    still = np.eye(4)[None]
    for part in build(parameters(seed), "c").parts:
        low = np.array([piece.vertices.min(0) for piece in part.pieces])
        high = np.array([piece.vertices.max(0) for piece in part.pieces])
        for i, j in combinations(range(len(part.pieces)), 2):
            if (np.minimum(high[i], high[j]) - np.maximum(low[i], low[j]) > 1e-9).all():
                pair = shape(part.pieces[i]), shape(part.pieces[j])
                assert depths(*pair, still)[0] < 1e-9


@settings(max_examples=25)
@given(seeds)
def test_parts_joints_and_ids_follow_from_the_fronts(seed: int) -> None:
    p = parameters(seed)
    asset = build(p, "c")
    closed = [(path, front) for path, front in fronts(p.grid) if front.kind is not FrontKind.OPEN]
    roles = {"drawer": "drawer", "door": "door", "sliding": "sliding_door", "fixed": "panel"}
    kinds = {"drawer": "slide", "door": "hinge", "sliding": "slide", "fixed": "fixed"}
    assert [joint.id for joint in asset.joints] == [path for path, _ in closed]
    assert asset.parts[0].id == asset.parts[0].role == "body"
    for (path, front), part, joint in zip(closed, asset.parts[1:], asset.joints, strict=True):
        assert part.role == roles[front.kind]
        assert part.id == f"{part.role}_{path}" == joint.child
        assert joint.parent == "body"
        assert joint.kind == kinds[front.kind]
        assert (part.handle.kind if part.handle else HandleKind.NONE) is front.handle.kind
    assert asset.base is Base.FIXED
    assert asset.family == "cabinet"


@settings(max_examples=25)
@given(seeds)
def test_a_fronts_rectangle_is_its_panels_outer_face(seed: int) -> None:
    p = parameters(seed)
    asset, cells = build(p, "c"), {cell.path: cell for cell in plan(p).cells}
    for joint in asset.joints:
        part, face = asset.part(joint.child), cells[joint.id].face
        assert part.front is not None
        assert np.cross(part.front.right, part.front.up) == pytest.approx((0, -1, 0))
        x, y, z = part.front.centre
        assert x - part.front.width / 2 == pytest.approx(face.x0)
        assert x + part.front.width / 2 == pytest.approx(face.x1)
        assert z - part.front.height / 2 == pytest.approx(face.z0)
        assert z + part.front.height / 2 == pytest.approx(face.z1)
        panel = [q for q in part.pieces if abs(q.vertices[:, 1].min() - y) < 1e-9]
        low, high = bounds([q for q in panel if abs(np.ptp(q.vertices[:, 1]) - p.front) < 1e-9])
        assert low == pytest.approx((face.x0, y, face.z0), abs=1e-9)
        assert high == pytest.approx((face.x1, y + p.front, face.z1), abs=1e-9)


@settings(max_examples=25)
@given(seeds)
def test_what_one_sees_lies_on_what_one_bumps_into(seed: int) -> None:
    for part in build(parameters(seed), "c").parts:
        low, high = bounds(part.pieces)
        seen = np.concatenate([mesh.vertices for mesh in part.meshes])
        # A round knob is narrower than its box by half the step of its sides.
        assert seen.min(0) == pytest.approx(low, abs=1.5e-3)
        assert seen.max(0) == pytest.approx(high, abs=1.5e-3)
        assert all(mesh.faces.max() < len(mesh.vertices) for mesh in part.meshes)


@pytest.mark.parametrize("seed", range(3))
def test_mass_and_inertia_are_those_of_many_points(seed: int) -> None:
    p = parameters(seed)
    draw = stream(seed, "points")
    for part in build(p, "c").parts[:2]:
        low, high = bounds(part.pieces)
        # Points at random in the cells of a grid: as good as many more cells.
        n = 50
        grid = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), -1).reshape(-1, 3)
        points = low + (grid + draw.random(grid.shape)) / n * (high - low)
        grip = [q for q in part.pieces if part.front and q.vertices[:, 1].min() < part.front.centre[1] - 1e-9]
        weights = np.where(inside(grip, points), METAL, p.density) * inside(part.pieces, points)
        weights *= np.prod(high - low) / n**3
        mass = weights.sum()
        com = weights @ points / mass
        off = points - com
        second = (off * weights[:, None]).T @ off
        moments = np.trace(second) * np.eye(3) - second
        xx, yy, zz, xy, xz, yz = part.inertia
        found = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        assert part.mass == pytest.approx(mass, rel=0.02)
        assert part.com == pytest.approx(com, abs=0.01 * float(np.linalg.norm(high - low)))
        assert np.allclose(found, moments, atol=0.03 * np.trace(moments))


@settings(max_examples=25)
@given(seeds)
def test_a_denser_cabinet_of_no_handles_weighs_as_much_more(seed: int) -> None:
    p = parameters(seed)

    def bare(grid: Grid) -> Grid:
        if isinstance(grid, Front):
            return replace(grid, handle=NONE)
        return replace(grid, parts=tuple(bare(part) for part in grid.parts))

    p = replace(p, grid=bare(p.grid))
    light, heavy = build(p, "c"), build(replace(p, density=2 * p.density), "c")
    for a, b in zip(light.parts, heavy.parts, strict=True):
        assert b.mass == pytest.approx(2 * a.mass)
        assert b.com == pytest.approx(a.com)
        assert b.inertia == pytest.approx(np.multiply(2, a.inertia))


@settings(max_examples=30)
@given(seeds)
def test_the_mirrored_parameters_give_the_mirrored_cabinet(seed: int) -> None:
    p = parameters(seed)
    if any(front.kind is FrontKind.SLIDING for _, front in fronts(p.grid)):
        return  # of two sliding doors the left one runs in front, mirrored or not
    asset, other = build(p, "c"), build(replace(p, grid=mirrored(p.grid)), "c")

    def places(part: Part, sign: int) -> np.ndarray:
        ends = np.concatenate([q.vertices * (sign, 1, 1) for q in part.pieces])
        return np.unique(np.round(ends, 6), axis=0)

    def key(part: Part, sign: int) -> tuple[float, ...]:
        centre = part.front.centre if part.front else (0.0, 0.0, -1.0)
        return (round(centre[2], 6), round(sign * centre[0], 6))

    mine = sorted(asset.parts, key=lambda part: key(part, -1))
    theirs = sorted(other.parts, key=lambda part: key(part, 1))
    for a, b in zip(mine, theirs, strict=True):
        assert np.allclose(places(a, -1), places(b, 1), atol=1e-5)
        assert b.mass == pytest.approx(a.mass)
        assert b.com == pytest.approx((-a.com[0], a.com[1], a.com[2]), abs=1e-9)
        xx, yy, zz, xy, xz, yz = a.inertia
        assert b.inertia == pytest.approx((xx, yy, zz, -xy, -xz, yz), abs=1e-9)
    ranges = {j.child: j.range[1] for j in asset.joints}
    others = {j.child: j.range[1] for j in other.joints}
    for a, b in zip(mine[1:], theirs[1:], strict=True):
        if a.id in ranges:
            assert others[b.id] == pytest.approx(ranges[a.id])


@settings(max_examples=25)
@given(seeds)
def test_an_open_drawer_is_hollow_and_open_above(seed: int) -> None:
    asset = build(parameters(seed), "c")
    for joint in asset.joints:
        part = asset.part(joint.child)
        if part.role != "drawer":
            continue
        # The box is what lies behind the panel: its bottom is the lowest, widest piece.
        box = [q for q in part.pieces if q.vertices[:, 1].min() > part.front.centre[1] + 1e-3]  # type: ignore[union-attr]
        low, high = bounds(box)
        bottom = min(box, key=lambda q: float(q.vertices[:, 2].max()))
        floor = float(bottom.vertices[:, 2].max())
        steps = [np.linspace(a + 0.013, b - 0.013, 5) for a, b in zip(low[:2], high[:2], strict=True)]
        heights = np.linspace(floor + 1e-4, high[2], 5)
        points = np.stack(np.meshgrid(*steps, heights, indexing="ij"), -1).reshape(-1, 3)
        for share in (0.0, 0.5, 1.0):
            there = apply(joint.motion(share * joint.range[1]), points)
            assert not inside(part.pieces, points).any()
            assert not inside(asset.parts[0].pieces, there).any()
        # It has a bottom everywhere, and sides all round.
        below = points - (0, 0, 1) * (points[:, 2:] - floor + 1e-3)
        assert inside(part.pieces, below).all()
        middle = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, floor + 1e-3])
        for way in ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0)):
            ray = middle + np.linspace(0, 2, 4001)[:, None] * way
            assert inside(part.pieces, ray).any()


@settings(max_examples=25)
@given(seeds)
def test_behind_doors_there_is_room(seed: int) -> None:
    p = parameters(seed)
    asset, where = build(p, "c"), plan(p)
    body = asset.parts[0].pieces
    draw = stream(seed, "room")
    for cell in where.cells:
        if cell.front.kind in (FrontKind.DOOR, FrontKind.SLIDING, FrontKind.OPEN):
            rect = cell.cavity
            low, high = (rect.x0, where.inner_y, rect.z0), (rect.x1, where.back_y, rect.z1)
            points = draw.uniform(low, high, (400, 3))
            # Shelves take some of it: one board for each 0.3 m at most.
            assert inside(body, points).mean() < 0.12
            assert not inside([q for part in asset.parts[1:] for q in part.pieces], points).any()


def test_open_fronts_have_shelves_and_no_part() -> None:
    p = Cabinet(0.8, 0.35, 2.0, Split(True, (1.6, 0.2), (Front(FrontKind.OPEN), Front(FrontKind.OPEN))))
    asset, (tall, low) = build(p, "c"), plan(p).cells
    assert [part.id for part in asset.parts] == ["body"]
    assert asset.joints == ()

    def shelves(low: float, high: float) -> list[float]:
        boards = [q for q in asset.parts[0].pieces if np.ptp(q.vertices[:, 2]) == pytest.approx(p.board)]
        heights = sorted(float(q.vertices[:, 2].mean()) for q in boards)
        return [z for z in heights if low < z < high]

    found = shelves(tall.cavity.z0, tall.cavity.z1)
    steps = np.diff([tall.cavity.z0 - p.board / 2, *found, tall.cavity.z1 + p.board / 2])
    assert len(found) == int(tall.cavity.height / 0.3) > 3
    assert np.ptp(steps) < 1e-9
    assert shelves(low.cavity.z0, low.cavity.z1) == []


def test_a_shallow_cavity_has_no_shelf_behind_its_door() -> None:
    deep, shallow = (
        build(Cabinet(0.5, depth, 1.2, door(Side.LEFT)), "c").parts[0].pieces for depth in (0.3, 0.08)
    )
    assert len(deep) == len(shallow) + 2


def test_boards_that_nothing_covers_reach_to_the_front() -> None:
    p = Cabinet(0.8, 0.35, 2.0, Split(True, (1, 1), (Front(FrontKind.OPEN), Front(FrontKind.OPEN))))
    assert bounds(build(p, "c").parts[0].pieces)[0][1] == pytest.approx(-0.175)
    half = replace(p, grid=Split(True, (1, 1), (Front(FrontKind.OPEN), Front(FrontKind.FIXED, handle=NONE))))
    assert bounds(build(half, "c").parts[0].pieces)[0][1] == pytest.approx(-0.175 + p.front)


def test_what_a_cabinet_stands_on() -> None:
    p = Cabinet(0.6, 0.5, 0.8, Front(handle=NONE), plinth=0.1, feet=0.05, plinth_setback=0.03)
    pieces = [q for q in build(p, "c").parts[0].pieces if isinstance(q, BoxPiece)]
    feet = [q for q in pieces if q.vertices[:, 2].min() == 0]
    assert len(feet) == 4
    assert all(q.size[2] == pytest.approx(0.05) for q in feet)
    plinth = [q for q in pieces if abs(q.vertices[:, 2].min() - 0.05) < 1e-9]
    assert len(plinth) == 4
    low, high = bounds([*feet, *plinth])
    assert low == pytest.approx((-0.3, -0.25 + 0.03, 0))
    assert high == pytest.approx((0.3, 0.25, 0.15))
    bare = build(replace(p, plinth=0, feet=0, height=0.65), "c").parts[0].pieces
    assert len(bare) == len(pieces) - 8


def test_a_worktop_reaches_to_the_fronts_faces_and_replaces_the_top_board() -> None:
    p = Cabinet(0.6, 0.5, 0.8, Front(handle=NONE), worktop=0.03)
    pieces = build(p, "c").parts[0].pieces
    (top,) = [q for q in pieces if q.vertices[:, 2].max() > 0.79]
    assert bounds([top])[0] == pytest.approx((-0.3, -0.25, 0.77))
    assert bounds([top])[1] == pytest.approx((0.3, 0.25, 0.8))
    plain = build(replace(p, worktop=0.0), "c").parts[0].pieces
    high = [q for q in plain if q.vertices[:, 2].max() > 0.79]
    assert len(high) == 3  # two sides and the top between them
    assert min(q.vertices[:, 1].min() for q in high) == pytest.approx(-0.25 + p.front)


def test_inset_fronts_lie_between_the_boards_edges() -> None:
    p = Cabinet(0.6, 0.5, 0.8, Front(handle=NONE), overlay=False)
    asset = build(p, "c")
    assert bounds(asset.parts[0].pieces)[0][1] == pytest.approx(-0.25)
    front = asset.part("drawer_0").front
    assert front is not None
    assert front.width == pytest.approx(0.6 - 2 * (0.018 + 0.003))
    assert front.height == pytest.approx(0.8 - 2 * (0.018 + 0.003))
    assert front.centre[1] == -0.25


def test_a_cabinet_without_a_back_has_none() -> None:
    p = Cabinet(0.6, 0.5, 0.8, Front(FrontKind.OPEN))
    assert len(build(replace(p, back=0.0), "c").parts[0].pieces) == len(build(p, "c").parts[0].pieces) - 1


def test_strips_close_the_gap_behind_fronts_beside_sliding_doors() -> None:
    stack = Split(True, (1, 1), (Front(handle=NONE), Front(handle=NONE)))
    row = Split(False, (1, 1, 1), (sliding(Side.RIGHT), sliding(Side.LEFT), stack))
    for overlay in (True, False):
        p = Cabinet(1.5, 0.5, 0.8, row, overlay=overlay)
        asset, where = build(p, "c"), plan(p)
        assert sweep(asset) == ()
        # Seen from the side, nothing shows through between a drawer's front and the side board.
        if overlay:
            edge = (p.width / 2 - 0.005, where.face_y + p.front + 0.005)
            seen = np.array([(*edge, z) for z in np.linspace(0.05, 0.75, 15)])
            assert inside(asset.parts[0].pieces, seen).mean() > 0.9
        # Behind the doors that slide there is room for the second track.
        track = np.array([(x, where.face_y + p.front + 0.005, 0.4) for x in np.linspace(-0.7, 0.2, 19)])
        assert not inside(asset.parts[0].pieces, track).any()


def test_building_again_gives_the_same_to_the_bit() -> None:
    for seed in range(10):
        p = parameters(seed)
        asset = build(p, "c")
        again = build(registry.rebuild(asset), "c")
        assert again.joints == asset.joints
        assert again.parameters == asset.parameters
        for a, b in zip(asset.parts, again.parts, strict=True):
            assert (a.pieces, a.mass, a.com, a.inertia, a.front, a.handle) == (
                b.pieces,
                b.mass,
                b.com,
                b.inertia,
                b.front,
                b.handle,
            )
            for m, n in zip(a.meshes, b.meshes, strict=True):
                assert m.vertices.tobytes() == n.vertices.tobytes()
                assert m.faces.tobytes() == n.faces.tobytes()


def test_handles_are_of_metal() -> None:
    with_bar, without = (build(replace(PEDESTAL, grid=Front(handle=h)), "c") for h in (HandleSpec(), NONE))
    bar = with_bar.part("drawer_0")
    metal = sum(q.volume for q in bar.pieces[len(without.part("drawer_0").pieces) :]) * METAL
    assert bar.mass - without.part("drawer_0").mass == pytest.approx(metal)
    assert bar.meshes[-1].material == PEDESTAL.metal
    assert [mesh.material for mesh in bar.meshes[:2]] == [PEDESTAL.face, PEDESTAL.body]


BAD: list[tuple[Cabinet, str]] = [
    (replace(PEDESTAL, width=0.0), r"width is 0; a number, more than 0"),
    (replace(PEDESTAL, depth=-1.0), r"depth is -1; a number, more than 0"),
    (replace(PEDESTAL, height=float("nan")), r"height is nan; a number, more than 0"),
    (replace(PEDESTAL, density=float("inf")), r"density is inf; a number, more than 0"),
    (replace(PEDESTAL, gap=-0.001), r"gap is -0.001; a number, 0 or more"),
    (replace(PEDESTAL, board=0.3), r"no room inside 0.438 x 0.784 x 0.559 m; boards leave -0.162 x .* m"),
    (replace(PEDESTAL, front=0.79), r"no room inside"),
    (replace(PEDESTAL, feet=0.6), r"no room inside"),
    (
        replace(PEDESTAL, plinth_setback=0.76),
        r"plinth_setback is 0.76 m; less than 0.748 m, of a depth of 0.784 m",
    ),
    (
        replace(PEDESTAL, grid=Split(True, (0.01, 1), (Front(), Front()))),
        r"front 0 is 0.438 x 0.0052.* m; at least",
    ),
    (
        replace(PEDESTAL, grid=Split(True, (0.022, 0.4), (Front(handle=NONE), Front()))),
        r"front 0: no drawer in",
    ),
    (replace(PEDESTAL, grid=Front(opening=0.0)), r"front 0: opening is 0; more than 0, up to 1"),
    (replace(PEDESTAL, grid=Front(opening=1.1)), r"front 0: opening is 1.1; more than 0, up to 1"),
    (replace(PEDESTAL, grid=Front(opening=float("nan"))), r"front 0: opening is nan; a finite number"),
    (replace(PEDESTAL, grid=door(Side.LEFT, 3.2)), r"front 0: opening is 3.2; more than 0, up to 3.142"),
    (replace(PEDESTAL, grid=Front(state=1.5)), r"front 0: state is 1.5; a share, 0 to 1"),
    (replace(PEDESTAL, grid=Front(damping=-1.0)), r"front 0: damping -1, friction 2; 0 or more"),
    (
        replace(PEDESTAL, grid=door(Side.NONE)),
        r"front 0: the side of a door front is none; one of left, right,",
    ),
    (
        replace(PEDESTAL, grid=sliding(Side.TOP)),
        r"front 0: the side of a sliding front is top; one of left, right",
    ),
    (
        replace(PEDESTAL, grid=Front(side=Side.LEFT)),
        r"front 0: the side of a drawer front is left; one of none",
    ),
    (
        replace(PEDESTAL, grid=Front(chances=(Chance(FrontKind.DRAWER, Side.NONE, 0.7),))),
        r"front 0: its chances sum to 0.7; they are >= 0 and sum to 1",
    ),
    (
        replace(PEDESTAL, grid=Front(chances=(Chance(FrontKind.SLIDING, Side.NONE, 1.0),))),
        r"front 0: the side of a sliding front is none",
    ),
    (replace(PEDESTAL, grid=sliding(Side.LEFT)), r"front 0: the door can't slide; leave it room beside"),
    (replace(PEDESTAL, grid=Front(handle=HandleSpec(length=0.5))), r"front 0: bar handle of 0.5 x 0.01 m at"),
    (replace(PEDESTAL, grid=Front(handle=HandleSpec(u=float("nan")))), r"front 0: handle u is nan; a finite"),
]


@pytest.mark.parametrize(("p", "message"), BAD, ids=[message[:30] for _, message in BAD])
def test_parameters_that_make_no_cabinet_are_refused_in_one_line(p: Cabinet, message: str) -> None:
    with pytest.raises(PocketworldError, match=rf"^cabinet: {message}") as error:
        build(p, "c")
    assert "\n" not in str(error.value)


def test_a_split_of_nothing_is_refused() -> None:
    for sizes, parts in [((1.0,), (Front(),)), ((1.0, 2.0), (Front(),)), ((1.0, 0.0), (Front(), Front()))]:
        with pytest.raises(PocketworldError, match=r"^cabinet: a split of sizes"):
            Split(True, sizes, parts)


def test_joint_kinds_of_all_front_kinds_are_known() -> None:
    assert set(joints.KINDS) == set(joints.USUAL) == set(FrontKind)
    assert joints.KINDS[FrontKind.FIXED] is JointKind.FIXED
