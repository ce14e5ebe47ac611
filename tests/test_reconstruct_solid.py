"""What no family explains stays as scanned, in few convex pieces; it is free where it stands safely."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from pocketworld import api, scene_file
from pocketworld.families.box import Box, BoxFamily
from pocketworld.findings import Severity
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.choose import choose_all
from pocketworld.reconstruct.objects.depthbox import DepthBox
from pocketworld.reconstruct.objects.emptiness import BEHIND, PLACES
from pocketworld.reconstruct.objects.pieces import MOST
from pocketworld.reconstruct.objects.solid import DENSITY, FlatError, _why_fixed, solid
from pocketworld.reconstruct.objects.things import Thing
from pocketworld.reconstruct.settle import settled
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.reconstruct.twin import reconstruct
from pocketworld.rng import stream
from pocketworld.scene import Asset, Base, Pose, Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.stability import Standing, stand

Array = NDArray[np.float64]
BOX = UprightBox((1.0, 2.0, 0.0), 0.5, (0.4, 0.6, 0.8))


def thing(mesh: Any, box: UprightBox = BOX) -> Thing:
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


def block() -> Any:
    mesh = trimesh.creation.box((0.4, 0.6, 0.8)).apply_translation((0, 0, 0.4))
    return mesh.subdivide().subdivide()


def stands(asset: Asset, tilt: float = 0.0) -> Standing:
    return stand(mjcf.document(Scene("s", (asset,)), visual=False).compile(), 10.0, tilt)


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


SHEET = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], [[0, 1, 2], [1, 3, 2]])


@pytest.mark.parametrize("bump", [0.0, 1e-9, 2e-4])
@pytest.mark.parametrize("upright", [False, True])
def test_what_is_flat_has_no_volume(upright: bool, bump: float) -> None:
    film: Any = SHEET.subdivide()
    film.vertices[-1, 2] += bump
    if upright:
        film.vertices = film.vertices[:, [0, 2, 1]]
    with pytest.raises(FlatError, match=r"^solid-1 has no volume: its 9 points lie in a plane$"):
        solid(thing(film), "solid-1")


def test_what_is_flat_is_left_out_and_said_and_the_rest_stands() -> None:
    things = [replace(thing(mesh), id=id) for id, mesh in (("a", SHEET), ("b", ragged()), ("c", SHEET))]
    made, (finding,) = choose_all([(one, np.zeros((0, 3)), 0.0) for one in things], "room")
    assert list(made) == ["b"]
    assert (finding.code, finding.severity) == ("flat-thing-left-out", Severity.LOST)
    assert finding.numbers == {"count": 2}
    assert choose_all([], "room") == ({}, ())


def ragged() -> Any:
    """Return a block that no family explains."""
    mesh = block()
    mesh.vertices *= 1 + 0.3 * stream(0, "ragged").uniform(-1, 1, (len(mesh.vertices), 1))
    return mesh


def test_what_stands_on_all_but_a_line_is_fixed() -> None:
    keel = np.array([[-0.2, 0, 0], [0.2, 0, 0], [0, 1e-17, 0]])[:, :2]
    assert _why_fixed(1.0, (0.0, 0.0, 0.3), keel) == "what it stands on was not seen"


def cut(mesh: Any, height: float) -> Any:
    """Return a mesh without what is nearer to the floor than that: taken for floor, or not seen."""
    part = mesh.copy()
    part.update_faces((part.vertices[part.faces][:, :, 2] > height).all(1))
    part.remove_unreferenced_vertices()
    return part


def test_what_is_light_and_stands_wide_is_free_and_stands_still_at_once() -> None:
    scanned = cut(
        block().subdivide_to_size(0.03), 0.03
    )  # the last centimetres above the floor were taken for floor
    asset, (finding,) = solid(thing(scanned), "solid-1")
    assert asset.base is Base.FREE
    assert "free to be pushed" in finding.text
    low = min(piece.vertices[:, 2].min() for piece in asset.parts[0].pieces)
    assert low == 0
    for tilt in (0.0, math.radians(2)):
        found = stands(asset, tilt)
        assert found.still, found


def test_what_is_heavy_tips_or_has_no_foot_is_fixed_and_says_why() -> None:
    heavy = trimesh.creation.box((1.0, 1.0, 1.0)).apply_translation((0, 0, 0.5)).subdivide().subdivide()
    post = trimesh.creation.box((0.1, 0.1, 1.5)).apply_translation((0, 0, 0.75)).subdivide_to_size(0.05)
    hung = block().apply_translation((0, 0, 0.3))
    for mesh, why in (
        (heavy, "it is heavy"),
        (post, "it would tip over on what was seen of its foot"),
        (hung, "what it stands on was not seen"),
    ):
        asset, (finding,) = solid(thing(mesh), "solid-1")
        assert asset.base is Base.FIXED
        assert why in finding.text


def test_what_leans_out_over_its_foot_is_fixed() -> None:
    leaning = block()
    leaning.vertices[:, 0] += 0.8 * leaning.vertices[:, 2]
    asset, _ = solid(thing(leaning), "solid-1")
    assert asset.base is Base.FIXED


def test_a_finding_says_how_much_of_its_hull_was_seen_to_be_empty() -> None:
    axes = [(np.arange(10) + 0.5) / 10 * s for s in BOX.size]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3) - (0.2, 0.3, 0.0)
    world = grid @ BOX.world_from_box[:3, :3].T + BOX.world_from_box[:3, 3]
    full = thing(block())
    none, half, every = (
        solid(full, "s", free)[1][0].numbers["hull_seen_empty"]
        for free in (None, world[grid[:, 2] > 0.4], world)
    )
    assert none == 0
    assert half == pytest.approx(500 / PLACES, rel=0.01)
    assert every == pytest.approx(1000 / PLACES, rel=0.01)


TOP = ((0.0, 0.0, 0.42), (0.5, 0.5, 0.06))
LEGS = [((0.2 * x, 0.2 * y, 0.2), (0.06, 0.06, 0.4)) for x in (-1, 1) for y in (-1, 1)]
HERE = UprightBox((1.0, 2.0, 0.0), 0.5, (0.5, 0.5, 0.45))


def stool(box: UprightBox = HERE) -> tuple[Thing, Array]:
    """Return a stool on four legs as one that walked around it sees it, and the places seen empty."""
    boxes = [trimesh.creation.box(size).apply_translation(c) for c, size in (TOP, *LEGS)]
    mesh = trimesh.util.concatenate([one.subdivide_to_size(0.03) for one in boxes])
    axes = [(np.arange(n) + 0.5) / n * s for n, s in zip((12, 12, 11), HERE.size, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3) - (0.25, 0.25, 0.0)
    beside = [(np.abs(grid - c) > np.array(size) / 2 + BEHIND).any(1) for c, size in (TOP, *LEGS)]
    free = grid[np.all(beside, axis=0)]
    return thing(cut(mesh, 0.02), box), free @ box.world_from_box[:3, :3].T + box.world_from_box[:3, 3]


def test_a_stool_is_a_seat_on_legs_and_its_finding_says_what_is_swallowed() -> None:
    asset, (finding,) = solid(*stool()[:1], "s", stool()[1])
    (part,) = asset.parts
    assert len(part.pieces) == finding.numbers["pieces"] == 5
    assert "5 convex pieces to bump into" in finding.text
    assert finding.numbers["hull_seen_empty"] > 0.3
    assert finding.numbers["pieces_seen_empty"] < 0.01
    assert sum(piece.volume for piece in part.pieces) < 0.3 * 0.5 * 0.5 * 0.45


def test_its_mass_is_as_of_its_hull_and_lies_where_its_pieces_are() -> None:
    scanned, free = stool()
    one, several = (solid(scanned, "s", places)[0].parts[0] for places in (None, free))
    assert (len(one.pieces), len(several.pieces)) == (1, 5)
    assert several.mass == pytest.approx(one.mass)
    volumes = np.array([piece.volume for piece in several.pieces])
    middles = np.array([(piece.vertices.min(0) + piece.vertices.max(0)) / 2 for piece in several.pieces])
    assert several.com == pytest.approx(tuple(volumes @ middles / volumes.sum()), abs=5e-3)
    assert several.com[2] > one.com[2]
    xx, yy, zz = several.inertia[:3]
    assert max(xx, yy, zz) < sum((xx, yy, zz)) / 2  # a body's moments are sides of a triangle


def test_a_stool_elsewhere_is_the_same_stool() -> None:
    there = UprightBox((-3.0, 0.5, 0.0), -2.0, HERE.size)
    one, other = (solid(*stool(box)[:1], "s", stool(box)[1])[0].parts[0] for box in (HERE, there))
    np.testing.assert_allclose(one.com, other.com, atol=1e-6)
    np.testing.assert_allclose(one.inertia, other.inertia, atol=1e-6)
    assert [p.volume for p in one.pieces] == pytest.approx([p.volume for p in other.pieces], rel=1e-3)


def room() -> Scene:
    """Return a room with a stool, and a crate between its legs."""
    scanned, free = stool()
    asset, _ = solid(scanned, "stool", free)
    crate = replace(BoxFamily().build(Box(0.2, 0.2, 0.25), "crate"), base=Base.FREE)
    return Scene("s", (asset, replace(crate, pose=Pose.upright(HERE.foot, HERE.yaw))))


@pytest.mark.parametrize("tilt", [0.0, math.radians(2)])
def test_it_stands_still_on_its_legs_with_something_under_it(tilt: float) -> None:
    scene, found = settled(room())
    assert not found
    assert all(asset.base is Base.FREE for asset in scene.assets)
    assert scene.asset("crate").pose.position == pytest.approx(HERE.foot, abs=1e-3)
    standing = stand(mjcf.document(scene, visual=False).compile(), 30.0, tilt)
    assert standing.still, standing.text()
    assert standing.deepest_contact_m < 1e-4


def test_it_keeps_its_pieces_on_disk_and_in_the_engine(tmp_path: Path) -> None:
    scene = room()
    scene_file.save(scene, tmp_path)
    assert scene_file.digest(scene_file.load(tmp_path)) == scene_file.digest(scene)
    model = mjcf.document(scene, visual=False).compile()
    stool_geoms = model.geom_bodyid == model.body("stool/body").id
    assert stool_geoms.sum() == 5
    assert model.body("stool/body").mass[0] == pytest.approx(scene.asset("stool").parts[0].mass, rel=1e-6)


def test_a_sheet_among_pieces_is_as_thick_as_it_is_known() -> None:
    """A seat with a back as thin as paper, that one may not go through."""
    seat = trimesh.creation.box((0.4, 0.4, 0.4)).apply_translation((0, 0, 0.2)).subdivide_to_size(0.03)
    back = trimesh.Trimesh(
        [[-0.2, 0.2, 0.4], [0.2, 0.2, 0.4], [-0.2, 0.2, 0.9], [0.2, 0.2, 0.9]], [[0, 1, 2], [1, 3, 2]]
    )
    scanned = thing(trimesh.util.concatenate([seat, back.subdivide_to_size(0.03)]), HERE)
    box = UprightBox(HERE.foot, HERE.yaw, (0.4, 0.4, 0.9))
    scanned = replace(scanned, found=replace(scanned.found, box=box))
    axes = [(np.arange(n) + 0.5) / n * s for n, s in zip((9, 9, 19), box.size, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3) - (0.2, 0.2, 0.0)
    free = grid[(grid[:, 2] > 0.4 + BEHIND) & (grid[:, 1] < 0.2 - BEHIND)]
    free = free @ box.world_from_box[:3, :3].T + box.world_from_box[:3, 3]
    pieces = solid(scanned, "s", free)[0].parts[0].pieces
    assert len(pieces) == 2
    thin = max(pieces, key=lambda piece: piece.vertices[:, 2].max())
    assert np.ptp(thin.vertices[:, 1]) >= scanned.surface.voxel * (1 - 1e-9)


def test_two_sheets_too_thin_for_pieces_of_their_own_keep_their_hull() -> None:
    sheets = [[[x, y, z] for x in (-0.2, 0.2) for z in (0.1, 0.9)] for y in (-0.2, 0.2)]
    both = [trimesh.Trimesh(corners, [[0, 1, 2], [1, 3, 2]]).subdivide_to_size(0.05) for corners in sheets]
    box = UprightBox(HERE.foot, HERE.yaw, (0.4, 0.4, 0.9))
    scanned = thing(trimesh.util.concatenate(both), box)
    scanned = replace(scanned, surface=replace(scanned.surface, voxel=1e-4))
    axes = [(np.arange(n) + 0.5) / n * s for n, s in zip((9, 9, 19), box.size, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3) - (0.2, 0.2, 0.0)
    free = grid[np.abs(grid[:, 1]) < 0.2 - BEHIND] @ box.world_from_box[:3, :3].T + box.world_from_box[:3, 3]
    part = solid(scanned, "s", free)[0].parts[0]
    assert [piece.volume for piece in part.pieces] == pytest.approx([0.4 * 0.4 * 0.8])
    assert part.mass == pytest.approx(DENSITY * 0.4 * 0.4 * 0.8)


@pytest.mark.slow
@pytest.mark.captures
def test_things_of_a_real_garden_leave_free_what_was_seen_empty(captures: Path) -> None:
    """Pots, a plant stand, half a table: one hull of each swallows up to half of it."""
    scene = reconstruct(api.read(captures / "3dscannerapp_chair")).scene
    found = [finding.numbers for finding in scene.findings if finding.code == "solid"]
    assert len(found) >= 5
    assert all(1 <= n["pieces"] <= MOST for n in found)
    solids = {asset.id: asset.parts[0] for asset in scene.assets if asset.family == "solid"}
    hulls = sum(n["hull_seen_empty"] * n["mass_kg"] / DENSITY for n in found)
    volumes = {id: sum(piece.volume for piece in part.pieces) for id, part in solids.items()}
    told = {f.subject: f.numbers["pieces_seen_empty"] for f in scene.findings if f.code == "solid"}
    swallowed = sum(told[id] * volume for id, volume in volumes.items())
    assert swallowed < 0.25 * hulls
    for tilt in (0.0, math.radians(2)):
        assert stand(mjcf.document(scene, visual=False).compile(), 30.0, tilt).still
