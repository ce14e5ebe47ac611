"""What no family explains stays as scanned, with one hull that MuJoCo can bump into."""

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.depthbox import DepthBox
from pocketworld.reconstruct.solid import solid
from pocketworld.reconstruct.surface import Surface
from pocketworld.reconstruct.things import Thing

Array = NDArray[np.float64]
BOX = UprightBox((1.0, 2.0, 0.0), 0.5, (0.4, 0.6, 0.8))


def thing(mesh: trimesh.Trimesh, box: UprightBox = BOX) -> Thing:
    """Return a thing whose surface is a mesh given in the box's own frame."""
    mesh = mesh.copy().apply_transform(box.world_from_box)
    count = len(mesh.vertices)
    surface = Surface(
        np.array(mesh.vertices, float),
        np.array(mesh.faces, np.int32),
        np.array(mesh.vertex_normals, float),
        np.full((count, 3), 120, np.uint8),
        np.ones(count),
        0.01,
        np.eye(4),
    )
    found = DepthBox(box, share=0.1, filled=(0.1, 0.1, 0.1, 0.1, 0.1))
    return Thing("thing-1", surface, found, 0.7)


def block() -> trimesh.Trimesh:
    mesh = trimesh.creation.box((0.4, 0.6, 0.8)).apply_translation((0, 0, 0.4))
    return mesh.subdivide().subdivide()


def test_it_stands_where_it_was_scanned_and_does_not_open() -> None:
    asset, findings = solid(thing(block()), "solid-1")
    assert (asset.family, asset.joints) == ("solid", ())
    np.testing.assert_allclose(asset.pose.matrix, BOX.world_from_box, atol=1e-12)
    (part,) = asset.parts
    np.testing.assert_allclose(part.meshes[0].vertices, block().vertices, atol=1e-6)
    assert part.meshes[0].seen
    assert part.meshes[0].colours is not None
    assert [(f.code, f.subject) for f in findings] == [("solid", "solid-1")]
    assert findings[0].numbers["mass_kg"] == pytest.approx(part.mass)


def test_the_hull_of_a_block_is_the_block() -> None:
    asset, _ = solid(thing(block()), "solid-1")
    (hull,) = asset.parts[0].pieces
    assert hull.volume == pytest.approx(0.4 * 0.6 * 0.8, rel=1e-6)
    assert asset.parts[0].com == pytest.approx((0, 0, 0.4), abs=1e-9)


def test_the_hull_of_a_ball_has_few_corners_and_most_of_its_volume() -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=0.3).apply_translation((0, 0, 0.3))
    asset, _ = solid(thing(ball), "solid-1")
    (hull,) = asset.parts[0].pieces
    assert len(hull.vertices) <= 64
    assert 0.85 <= hull.volume / ball.volume <= 1.0


def test_the_same_thing_turned_has_the_same_mass() -> None:
    there = UprightBox((-3.0, 0.5, 0.0), -2.0, BOX.size)
    one, other = (solid(thing(block(), box), "s")[0].parts[0] for box in (BOX, there))
    assert one.mass == pytest.approx(other.mass)
    np.testing.assert_allclose(one.inertia, other.inertia, atol=1e-9)


def test_what_is_flat_has_no_volume() -> None:
    sheet = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], [[0, 1, 2], [1, 3, 2]])
    with pytest.raises(PocketworldError, match=r"^solid-1 has no volume: its 4 points lie in a plane$"):
        solid(thing(sheet), "solid-1")
