"""Things in few convex pieces: apart, holding what was seen, leaving free what was seen to be empty."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from pocketworld.geometry.box import UprightBox
from pocketworld.geometry.convex import HullPiece
from pocketworld.geometry.separating import depths, shape
from pocketworld.reconstruct.objects.emptiness import BEHIND, PLACES
from pocketworld.reconstruct.objects.pieces import MOST, parted
from pocketworld.rng import stream

Array = NDArray[np.float64]
Boxes = Sequence[tuple[tuple[float, float, float], tuple[float, float, float]]]  # centre, size, m

LEGS = [(x, y) for x in (-1, 1) for y in (-1, 1)]
BOOT: Boxes = [((0, 0, 0.1), (0.6, 0.4, 0.2)), ((-0.2, 0, 0.4), (0.2, 0.4, 0.4))]
TRAY: Boxes = [((0, 0, 0.05), (0.6, 0.4, 0.1)), *(((x, 0, 0.3), (0.1, 0.4, 0.4)) for x in (-0.25, 0.25))]
CHAIR: Boxes = [
    ((0, 0, 0.43), (0.45, 0.45, 0.04)),
    ((0, 0.21, 0.7), (0.45, 0.03, 0.5)),
    *(((0.2 * x, 0.2 * y, 0.205), (0.04, 0.04, 0.41)) for x, y in LEGS),
]
TABLE: Boxes = [
    ((0, 0, 0.7), (1.2, 0.8, 0.04)),
    *(((0.55 * x, 0.35 * y, 0.34), (0.06, 0.06, 0.68)) for x, y in LEGS),
]
SPOOL: Boxes = [((0, 0, z), (0.4, 0.4, 0.04)) for z in (0.02, 0.43)] + [((0, 0, 0.22), (0.06, 0.06, 0.38))]
NAMES = ("boot", "tray", "chair", "table", "spool")


def mesh_of(boxes: Boxes, fine: float = 0.03) -> Any:
    made = [trimesh.creation.box(size).apply_translation(centre) for centre, size in boxes]
    return trimesh.util.concatenate([one.subdivide_to_size(fine) for one in made])


def box_of(points: Array) -> UprightBox:
    """Return the box of points that are centred on it already."""
    x, y, _ = (float(v) for v in np.ptp(points, axis=0))
    return UprightBox((0.0, 0.0, 0.0), 0.0, (x, y, float(points[:, 2].max())))


def grid(box: UprightBox) -> Array:
    """Return about PLACES places (n, 3) spread evenly over a box."""
    size = np.array(box.size)
    counts = np.round(size / (size.prod() / PLACES) ** (1 / 3)).astype(int)
    axes = [(np.arange(n) + 0.5) / n * s for n, s in zip(counts, size, strict=True)]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3) - (size[0] / 2, size[1] / 2, 0)
    return np.asarray(places)


def off(places: Array, boxes: Boxes, by: float) -> Array:
    """Return those of places (n, 3) that are by so much beside every box."""
    beside = [(np.abs(places - c) > np.array(s) / 2 + by).any(1) for c, s in boxes]
    return np.asarray(places[np.all(beside, axis=0)])


def pieces(points: Array, edges: NDArray[np.intp], free: Array, box: UprightBox) -> list[Array]:
    held = ConvexHull(points).volume / np.prod(box.size) * PLACES
    return parted(points, edges, free, box, float(held))


def walked_around(boxes: Boxes) -> tuple[list[Array], Array, Any]:
    """Return the pieces of a thing that was seen from everywhere, the places seen empty, and its surface."""
    mesh = mesh_of(boxes)
    points = np.array(mesh.vertices)
    free = off(grid(box_of(points)), boxes, BEHIND)
    return pieces(points, mesh.edges_unique, free, box_of(points)), free, mesh


def within(places: Array, found: Sequence[Array], tolerance: float = 1e-9) -> NDArray[np.bool_]:
    hulls = [ConvexHull(points).equations for points in found]
    inside = np.any([(places @ h[:, :3].T + h[:, 3] <= tolerance).all(1) for h in hulls], axis=0)
    return np.asarray(inside)


def deepest(found: Sequence[Array]) -> float:
    """Return how deep the hulls of any two pieces stand in each other, m."""
    shapes = [shape(HullPiece(tuple(map(tuple, p[ConvexHull(p).vertices].tolist())))) for p in found]
    pairs = itertools.combinations(shapes, 2)
    return max((float(depths(a, b, np.eye(4)[None])[0]) for a, b in pairs), default=0.0)


@pytest.mark.parametrize(
    ("boxes", "most"), [(BOOT, 2), (TRAY, 3), (CHAIR, 6), (TABLE, 5), (SPOOL, 3)], ids=NAMES
)
def test_what_was_seen_from_everywhere_leaves_free_what_is(boxes: Boxes, most: int) -> None:
    found, free, mesh = walked_around(boxes)
    assert 2 <= len(found) <= most
    hull = ConvexHull(mesh.vertices).volume
    swallowed = within(free, [np.array(mesh.vertices)]).sum()
    assert within(free, found).sum() <= 0.01 * swallowed
    true = sum(float(np.prod(size)) for _, size in boxes)
    volume = sum(ConvexHull(points).volume for points in found)
    assert true * (1 - 1e-6) <= volume < true + 0.1 * (hull - true)


@pytest.mark.parametrize("boxes", [BOOT, TRAY, CHAIR, TABLE, SPOOL], ids=NAMES)
def test_pieces_are_apart_and_hold_all_that_was_seen(boxes: Boxes) -> None:
    found, _, mesh = walked_around(boxes)
    assert deepest(found) < 1e-9
    assert within(np.array(mesh.vertices), found).all()
    # Where the surface is cut the pieces meet: no gap for a finger.
    middles = np.array(mesh.vertices)[mesh.edges_unique].mean(1)
    assert within(middles, found).all()


BOX = st.tuples(
    st.tuples(*[st.floats(-0.4, 0.4)] * 2, st.floats(0.2, 0.8)), st.tuples(*[st.floats(0.05, 0.4)] * 3)
)


@settings(max_examples=8, deadline=None)
@given(st.lists(BOX, min_size=1, max_size=5), st.integers(0, 9))
def test_whatever_it_is_pieces_are_few_apart_and_swallow_no_more(boxes: Boxes, seed: int) -> None:
    mesh = mesh_of(boxes, 0.1)
    mesh.vertices -= [*(mesh.bounds.mean(0)[:2]), 0.0]
    points = np.array(mesh.vertices)
    box = box_of(points)
    free = grid(box)[stream(seed, "seen").uniform(size=len(grid(box))) < 0.5]
    found = pieces(points, mesh.edges_unique, free, box)
    assert 1 <= len(found) <= MOST
    solid = [p for p in found if np.linalg.matrix_rank(p - p[0], 1e-6) == 3]
    assert deepest(solid) < 1e-9
    assert within(free, solid).sum() <= within(free, [points]).sum()


def test_a_hull_of_which_nothing_was_seen_empty_stays_one() -> None:
    mesh = mesh_of(BOOT)
    points = np.array(mesh.vertices)
    outside = grid(box_of(points))
    outside = outside[~within(outside, [points])]
    (found,) = pieces(points, mesh.edges_unique, outside, box_of(points))
    assert within(points, [found]).all()


def test_what_no_cut_frees_is_not_cut() -> None:
    """A block whose middle was seen empty, which no plane alone opens."""
    block: Boxes = [((0, 0, 0.2), (0.4, 0.4, 0.4))]
    mesh = mesh_of(block)
    middle = np.array([[0.0, 0.0, 0.2]])
    assert len(pieces(np.array(mesh.vertices), mesh.edges_unique, middle, box_of(mesh.vertices))) == 1


def test_neither_the_order_of_points_nor_a_quarter_turn_changes_pieces() -> None:
    mesh = mesh_of(CHAIR)
    points, edges = np.array(mesh.vertices), mesh.edges_unique
    free = off(grid(box_of(points)), CHAIR, BEHIND)
    found = pieces(points, edges, free, box_of(points))

    def same(other: Sequence[Array]) -> bool:
        ours, theirs = (sorted(ConvexHull(p).volume for p in some) for some in (found, other))
        return len(theirs) == len(ours) and bool(np.allclose(ours, theirs, rtol=1e-6))

    order = stream(1, "order").permutation(len(points))
    back = np.argsort(order)
    assert same(pieces(points[order], back[edges], free[::-1], box_of(points)))
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    assert same(pieces(points @ turn.T, edges, free @ turn.T, box_of(points @ turn.T)))


def test_the_same_thing_gives_the_same_bytes() -> None:
    one, other = (walked_around(CHAIR)[0] for _ in range(2))
    assert [p.tobytes() for p in one] == [p.tobytes() for p in other]


def test_what_lies_unseen_between_what_was_seen_is_solid() -> None:
    """A coffee machine: of its black column there is no depth; before that one looks through."""
    foot, head = ((0.0, 0, 0.05), (0.3, 0.5, 0.1)), ((0.0, 0, 0.5), (0.3, 0.5, 0.1))
    mesh = mesh_of([foot, head])
    points = np.array(mesh.vertices)
    box = box_of(points)
    before = grid(box)[(grid(box)[:, 1] < -0.05)]
    free = off(before, [foot, head], BEHIND)
    found = pieces(points, mesh.edges_unique, free, box)
    column = grid(box)[(grid(box)[:, 1] > 0.1)]
    assert within(column, found).mean() > 0.9
    assert within(free, found).sum() <= 0.1 * len(free)
    assert len(found) <= 4


def test_what_is_as_thin_as_paper_has_a_lattice_of_few_cells() -> None:
    """By its volume alone a sheet of 4 m² would be cut into 100 million cells."""
    draw = stream(2, "paper")
    points = draw.uniform((-1, -1e-9, 0), (1, 1e-9, 2), (400, 3))
    free = draw.uniform((-1, -1e-9, 0), (1, 1e-9, 2), (50, 3))
    edges = np.stack([np.arange(399), np.arange(1, 400)], -1)
    found = parted(points, edges, free, UprightBox((0.0, 0.0, 0.0), 0.0, (2.0, 2e-9, 2.0)), 1500.0)
    assert 1 <= len(found) <= MOST
    assert len(np.unique(np.concatenate(found), axis=0)) >= 400
