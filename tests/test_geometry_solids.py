import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.geometry.convex import IDENTITY, BoxPiece, HullPiece, Piece, Vec3, span
from pocketworld.geometry.solids import Triangles, boxes, hull, merge, prism, surfaces
from pocketworld.rng import stream

seeds = st.integers(0, 10**6)


def mesh(surface: Triangles) -> trimesh.Trimesh:
    return trimesh.Trimesh(*surface, process=False)


def some_boxes(seed: int, count: int = 4, turned: bool = False) -> list[BoxPiece]:
    """Return boxes that lie apart along x."""
    draw = stream(seed, "boxes")
    out = []
    for i in range(count):
        a, b, c = draw.uniform(0.05, 0.5, 3).tolist()
        q = draw.normal(size=4)
        w, x, y, z = (q / np.linalg.norm(q)).tolist()
        turn = (w, x, y, z) if turned else IDENTITY
        out.append(BoxPiece((2.0 * i, 0.3, -1.0), (a, b, c), turn))
    return out


def some_hull(seed: int) -> HullPiece:
    points = stream(seed, "hull").normal(size=(14, 3))
    return HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in points))


@given(seeds, st.booleans())
def test_boxes_are_closed_and_face_outwards(seed: int, turned: bool) -> None:
    pieces = some_boxes(seed, turned=turned)
    found = mesh(boxes(pieces))
    assert found.is_watertight
    assert found.is_winding_consistent
    assert found.volume == pytest.approx(sum(piece.volume for piece in pieces))
    assert np.allclose(found.vertices.reshape(-1, 8, 3), [piece.vertices for piece in pieces])


@given(seeds)
def test_a_hull_is_closed_and_faces_outwards(seed: int) -> None:
    piece = some_hull(seed)
    found = mesh(hull(piece))
    assert found.volume == pytest.approx(piece.volume)
    # Points inside are unused vertices: what the triangles use is closed.
    found.remove_unreferenced_vertices()
    assert found.is_watertight


@given(seeds, st.integers(0, 2), st.integers(3, 24), st.booleans())
def test_a_prism_has_the_volume_of_its_polygon(seed: int, axis: int, sides: int, down: bool) -> None:
    draw = stream(seed, "prism")
    start, length = draw.normal(size=3), float(draw.uniform(0.1, 2))
    end = start.copy()
    end[axis] += -length if down else length
    radii = (float(draw.uniform(0.01, 1)), float(draw.uniform(0.01, 1)))
    a, b = ((float(p[0]), float(p[1]), float(p[2])) for p in (start, end))
    found = mesh(prism(a, b, radii, sides))
    assert found.is_watertight
    area = sides / 2 * np.sin(2 * np.pi / sides) * radii[0] * radii[1]
    assert found.volume == pytest.approx(area * length)
    assert np.allclose(found.vertices[:, axis].min(), min(a[axis], b[axis]))
    assert np.allclose(found.vertices[:, axis].max(), max(a[axis], b[axis]))


@pytest.mark.parametrize(
    ("end", "extent"),
    [((1, 0, 0), (1, 0.2, 0.4)), ((0, 1, 0), (0.2, 1, 0.4)), ((0, 0, 1), (0.2, 0.4, 1))],
)
def test_the_radii_of_a_prism_go_with_the_other_axes_in_order(end: Vec3, extent: Vec3) -> None:
    vertices, _ = prism((0, 0, 0), end, (0.1, 0.2), 4)
    assert np.allclose(np.ptp(vertices, axis=0), extent)


@given(seeds)
def test_surfaces_take_boxes_and_hulls_together(seed: int) -> None:
    pieces: list[Piece] = [some_hull(seed), *some_boxes(seed)]
    assert mesh(surfaces(pieces)).volume == pytest.approx(sum(piece.volume for piece in pieces))
    alone = surfaces([some_hull(seed)])
    assert mesh(alone).volume == pytest.approx(pieces[0].volume)


@given(seeds)
def test_merging_keeps_each_surface(seed: int) -> None:
    parts = [boxes([piece]) for piece in some_boxes(seed)]
    vertices, faces = merge(parts)
    assert faces.dtype == np.int32
    for i, (points, triangles) in enumerate(parts):
        assert np.array_equal(vertices[8 * i : 8 * i + 8], points)
        assert np.array_equal(vertices[faces[12 * i : 12 * i + 12]], points[triangles])


def test_what_is_kept_of_a_prism_is_not_changed_by_who_uses_it() -> None:
    _, faces = merge([prism((0, 0, 0), (0, 0, 1), (1, 1)), prism((0, 0, 0), (0, 0, 1), (1, 1))])
    faces += 100
    _, again = merge([prism((0, 0, 0), (0, 0, 1), (1, 1))])
    assert again.max() == 23
    assert len(boxes([span((0, 0, 0), (1, 1, 1))])[1]) == 12
