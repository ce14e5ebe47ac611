"""Which family a thing belongs to: each is told by its own surface, however it stands; a heap is none."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.chair import Chair
from pocketworld.families.cylinder import Cylinder
from pocketworld.families.protocol import Draw, Site
from pocketworld.families.shelf import Shelf
from pocketworld.families.table import Table
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.backing import backed, coloured
from pocketworld.reconstruct.objects.choose import SUBSTANTIAL, choose, fits
from pocketworld.reconstruct.objects.depthbox import box_of
from pocketworld.reconstruct.objects.emptiness import seen_empty
from pocketworld.reconstruct.objects.patches import evidence, noise
from pocketworld.reconstruct.objects.things import Thing, find_things
from pocketworld.reconstruct.room.walls import walls_of
from pocketworld.reconstruct.surfaces.paint import GREY
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream
from pocketworld.scene import Base, Pose, Relation

Array = NDArray[np.float64]

NOWHERE = np.zeros((0, 3))
NOISE = 0.004
THINGS: dict[str, Any] = {
    "box": Box(0.4, 0.3, 0.25),
    "table": Table(1.2, 0.7, 0.74),
    "chair": Chair(0.46, 0.52, 0.86, 0.45, lean=0.08),
    "shelf": Shelf(0.8, 0.35, 1.2, (0.1, 0.6, 1.2), back=0.006),
    "cylinder": Cylinder(0.15, 0.35, 1.2, open=True, wall=0.01, bottom=0.01),
}
STOOD = se3.exp(np.array([1.5, -0.7, 0, 0, 0, 0.6]))


def mesh_of(name: str, p: Any) -> Any:
    """Return what one sees of a family's asset, in small triangles."""
    looks = registry.family(name).build(p, name).parts[0].meshes
    whole: Any = trimesh.util.concatenate(
        [trimesh.Trimesh(m.vertices, m.faces, process=False) for m in looks]
    )
    return whole.subdivide_to_size(0.025, max_iter=12)


def thing_of(mesh: Any, world: Array = STOOD, shake: float = NOISE, seed: int = 0) -> Thing:
    """Return a thing whose surface is a mesh, shaken, and stood somewhere."""
    normals = np.array(mesh.vertex_normals, float)
    up_and_down = shake * stream(seed, "shake").normal(size=(len(normals), 1))
    vertices = np.array(mesh.vertices, float) + up_and_down * normals
    count = len(vertices)
    colours = np.full((count, 3), (200, 30, 30), np.uint8)
    local = Surface(
        vertices, np.array(mesh.faces, np.int32), normals, colours, np.ones(count), 0.01, np.eye(4)
    )
    surface = local.moved(world)
    found = box_of(surface.vertices, surface.normals, surface.vertex_areas(), 0.015, 0.03)
    return Thing("thing-1", surface, found, 0.9)


def seen_of(mesh: Any, towards: tuple[float, float, float]) -> Any:
    """Return the triangles that face a direction."""
    part = mesh.copy()
    part.update_faces(part.face_normals @ np.array(towards) > 0)
    part.remove_unreferenced_vertices()
    return part


@pytest.mark.slow
@pytest.mark.parametrize("name", THINGS)
def test_each_family_is_told_from_its_own_surface(name: str) -> None:
    p = THINGS[name]
    thing = thing_of(mesh_of(name, p))
    placed = choose(thing, "thing-1", NOWHERE)
    asset = placed.asset
    assert (asset.id, asset.family) == ("thing-1", name)
    found = registry.rebuild(asset)
    size = (
        found.size
        if name != "table" or found.width > found.depth
        else (found.depth, found.width, found.height)
    )
    assert size == pytest.approx(p.size, abs=0.03)
    assert np.linalg.norm(asset.pose.matrix[:3, 3] - STOOD[:3, 3]) < 0.02
    finding = placed.findings[0]
    assert finding.code == "family-chosen"
    assert finding.numbers["backed"] > 0.6
    assert finding.numbers["explained"] > 0.8
    assert SUBSTANTIAL < finding.numbers["beyond_chance"] <= 1
    assert finding.numbers["lead_nats"] > 0
    assert placed.relations == (Relation("on", "thing-1", "floor"),)
    colour = np.array(asset.parts[0].meshes[0].material.colour)
    assert colour[0] > 10 * colour[1]


@pytest.mark.slow
def test_a_chair_faces_where_one_sits_whichever_way_it_stands() -> None:
    mesh = mesh_of("chair", THINGS["chair"])
    for quarter in range(4):
        world = se3.exp(np.array([0, 0, 0, 0, 0, 0.2 + quarter * math.pi / 2]))
        asset = choose(thing_of(mesh, world), "c", NOWHERE).asset
        assert asset.family == "chair"
        assert float(asset.pose.matrix[:3, 1] @ world[:3, 1]) > 0.99
        assert registry.rebuild(asset).seat == pytest.approx(0.45, abs=0.01)


@pytest.mark.slow
def test_moved_or_in_another_order_it_is_the_same() -> None:
    mesh = mesh_of("cylinder", THINGS["cylinder"])
    one = thing_of(mesh)
    moved = se3.exp(np.array([3.0, 1.0, 0, 0, 0, -1.1]))
    surface = one.surface.moved(moved)
    found = replace(one.found, box=replace(one.box, **_stood(one, moved)))
    order = stream(1, "order").permutation(len(surface.vertices))
    number = np.argsort(order).astype(np.int32)
    shuffled = replace(
        surface,
        vertices=surface.vertices[order],
        normals=surface.normals[order],
        distance=surface.distance[order],
        colours=None,
        faces=number[surface.faces],
    )
    first, other = (
        choose(thing, "t", NOWHERE).asset for thing in (one, replace(one, surface=shuffled, found=found))
    )
    a, b = registry.rebuild(first), registry.rebuild(other)
    assert (a.radius, a.height, a.taper) == pytest.approx((b.radius, b.height, b.taper), abs=2e-3)
    assert moved[:3, :3] @ first.pose.position + moved[:3, 3] == pytest.approx(other.pose.position, abs=3e-3)


def _stood(thing: Thing, moved: Array) -> dict[str, Any]:
    x, y, z = se3.apply(moved, np.array([thing.box.foot]))[0]
    return {"foot": (float(x), float(y), float(z)), "yaw": thing.box.yaw - 1.1}


def heap() -> Any:
    """Return a heap: plates that lie anywhere, any way round."""
    rng = stream(5, "heap")
    plates = []
    for _ in range(40):
        plate = trimesh.creation.box((0.12, 0.08, 0.01))
        spot = se3.exp(np.concatenate([np.zeros(3), rng.normal(size=3)]))
        spot[:3, 3] = rng.uniform((-0.3, -0.3, 0.1), (0.3, 0.3, 0.6))
        plates.append(plate.apply_transform(spot))
    whole: Any = trimesh.util.concatenate(plates)
    return whole.subdivide_to_size(0.025)


@pytest.mark.slow
def test_a_heap_is_a_solid_and_says_what_comes_nearest() -> None:
    placed = choose(thing_of(heap()), "heap", NOWHERE)
    assert placed.asset.family == "solid"
    (nearest,) = [f for f in placed.findings if f.code == "no-family"]
    assert nearest.numbers["beyond_chance"] < SUBSTANTIAL
    assert "comes nearest" in nearest.text


@pytest.mark.slow
def test_a_box_is_none_where_one_looked_through_it() -> None:
    """Seen from the front and above, a table's outside is much like a box's; what is beneath is not."""
    table = THINGS["table"]
    thing = thing_of(mesh_of("table", table))
    under = stream(0, "under").uniform((-0.45, -0.25, 0.1), (0.45, 0.25, 0.55), (600, 3))
    blind, looked = (
        {fit.family: fit for fit in fits(thing, free, NOISE, 0.0)}
        for free in (NOWHERE, se3.apply(STOOD, under))
    )
    assert looked["box"].explained < 0.7 * blind["box"].explained
    assert looked["table"].explained == pytest.approx(blind["table"].explained, abs=0.05)


@pytest.mark.slow
def test_a_pot_seen_from_one_side_is_round() -> None:
    pot = seen_of(mesh_of("cylinder", THINGS["cylinder"]), (-0.6, -0.5, 0.6))
    asset = choose(thing_of(pot), "pot", NOWHERE).asset
    assert asset.family == "cylinder"
    assert registry.rebuild(asset).size[0] == pytest.approx(0.36, abs=0.03)
    assert np.linalg.norm(asset.pose.matrix[:2, 3] - STOOD[:2, 3]) < 0.03


@pytest.mark.slow
def test_a_narrow_strip_of_a_round_wall_makes_no_round_thing() -> None:
    whole = mesh_of("cylinder", replace(THINGS["cylinder"], radius=0.5))
    strip = seen_of(whole, (-0.9, 0, 0)).copy()
    turn = np.arctan2(strip.triangles_center[:, 1], -strip.triangles_center[:, 0])
    strip.update_faces(np.abs(turn) < 0.4)
    strip.remove_unreferenced_vertices()
    placed = choose(thing_of(strip), "strip", NOWHERE)
    assert placed.asset.family != "cylinder"


@pytest.mark.slow
def test_a_top_in_mid_air_is_a_table_unless_it_lies_on_something() -> None:
    table = THINGS["table"]
    top = seen_of(mesh_of("table", table), (0, 0, 1))
    thing = thing_of(top)
    assert thing.box.foot[2] > 0.6
    free = choose(thing, "t", NOWHERE).asset
    assert (free.family, free.pose.position[2]) == ("table", 0)
    assert registry.rebuild(free).height == pytest.approx(table.height, abs=0.01)
    lying = choose(thing, "t", NOWHERE, thing.box.foot[2]).asset
    assert lying.family != "table"
    assert lying.pose.position[2] > 0.6


@pytest.mark.slow
def test_what_hangs_in_mid_air_is_fixed_and_what_lies_on_something_is_free() -> None:
    mesh = mesh_of("box", THINGS["box"]).apply_translation((0, 0, 1.2))
    thing = thing_of(mesh)
    hung, lying = choose(thing, "clock", NOWHERE), choose(thing, "clock", NOWHERE, thing.box.foot[2])
    assert (hung.asset.family, lying.asset.family) == ("box", "box")
    assert (hung.asset.base, lying.asset.base) == (Base.FIXED, Base.FREE)
    assert [f.code for f in hung.findings] == ["family-chosen", "hangs"]
    assert hung.findings[-1].numbers["above_m"] == pytest.approx(1.2, abs=0.02)
    assert "hangs" not in [f.code for f in lying.findings]
    assert hung.relations == ()


@pytest.mark.slow
def test_what_smears_behind_a_pot_is_left_out_and_said() -> None:
    pot = seen_of(mesh_of("cylinder", THINGS["cylinder"]), (-0.6, -0.5, 0.6))
    smear = trimesh.creation.box((0.25, 0.05, 0.2)).apply_translation((0.33, 0, 0.15)).subdivide_to_size(0.03)
    placed = choose(thing_of(trimesh.util.concatenate([pot, smear])), "pot", NOWHERE)
    assert placed.asset.family == "cylinder"
    assert registry.rebuild(placed.asset).size[0] == pytest.approx(0.36, abs=0.04)
    (left,) = [f for f in placed.findings if f.code == "surface-left-out"]
    assert 0.2 < left.numbers["share"] < 0.5


def test_half_of_what_is_seen_from_one_side_is_backed() -> None:
    box = registry.family("box").build(Box(0.4, 0.4, 0.4), "box")
    mesh = trimesh.creation.box((0.4, 0.4, 0.4)).apply_translation((0, 0, 0.2)).subdivide_to_size(0.02)
    asset = replace(box, pose=Pose.upright((1.5, -0.7, 0.0), 0.6))
    stood = asset.pose.matrix

    def share(towards: tuple[float, float, float], near: float = 0.01) -> float:
        part = seen_of(mesh, towards) if any(towards) else mesh
        return backed(asset, thing_of(part, stood, 0.0).surface, near)

    assert share((0, 0, 0), 0.02) == 1
    assert share((1, 0, 0)) == pytest.approx(1 / 5, abs=0.08)  # of four sides and a top
    assert share((0.5, 0.5, 0.5)) == pytest.approx(3 / 5, abs=0.08)


def test_materials_take_the_colours_of_what_is_beside_them() -> None:
    asset = registry.family("table").build(THINGS["table"], "table")
    thing = thing_of(mesh_of("table", THINGS["table"]), np.eye(4), 0.0)
    colours = np.full((len(thing.surface.vertices), 3), (20, 20, 200), np.uint8)
    colours[thing.surface.vertices[:, 2] > 0.71] = (200, 20, 20)
    colours[::7] = GREY  # no picture shows them
    p = coloured(THINGS["table"], asset, replace(thing.surface, colours=colours))
    assert p.board.colour[0] > 5 * p.board.colour[2]
    assert p.frame.colour[2] > 5 * p.frame.colour[0]
    unseen = replace(thing.surface, colours=np.full_like(colours, GREY))
    assert coloured(THINGS["table"], asset, unseen) == THINGS["table"]
    assert coloured(THINGS["table"], asset, replace(thing.surface, colours=None)) == THINGS["table"]


@pytest.mark.parametrize("shake", [0.006, 0.01, 0.02])
def test_noise_is_measured_from_the_surface(shake: float) -> None:
    flat = trimesh.creation.box((1.0, 0.8, 0.4)).subdivide_to_size(0.04)
    assert noise(thing_of(flat, shake=shake).surface) == pytest.approx(shake, rel=0.2)


def test_a_smooth_surface_is_as_sure_as_half_a_voxel() -> None:
    flat = trimesh.creation.box((1.0, 0.8, 0.4)).subdivide_to_size(0.04)
    near, far = (
        noise(replace(surface, distance=np.full(len(surface.vertices), away)))
        for surface, away in (
            (thing_of(flat, shake=0.0).surface, 0.1),
            (thing_of(flat, shake=0.0).surface, 5.0),
        )
    )
    assert near == pytest.approx(0.005, rel=1e-3)
    assert far == pytest.approx(math.hypot(0.005, 0.04))  # depth errs by the square of the distance


def test_a_smear_of_few_triangles_counts_for_little() -> None:
    mesh = trimesh.creation.box((0.4, 0.4, 0.4)).subdivide_to_size(0.025)
    thing = thing_of(mesh, shake=0.0)
    seen = evidence(thing, NOWHERE, 0.005)
    assert 200 <= len(seen.points) <= 500
    assert seen.weights.mean() == pytest.approx(1 / 0.005, rel=0.2)
    low = seen.points[:, 2] < 0.35
    assert low.any()
    assert seen.size_sigma[0] >= 0.015


def test_places_are_empty_where_frames_look_through_them(room: Callable[..., Any]) -> None:
    floor, box = UprightBox((0, 0, -0.1), 0.0, (5, 5, 0.1)), UprightBox((0.3, 0.2, 0), 0.5, (0.6, 0.4, 0.7))
    turns = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    poses = [
        looking(np.array([1.5 * math.cos(a), 1.5 * math.sin(a), 1.2]), np.array([0, 0, 0.3])) for a in turns
    ]
    capture = room((floor, box), (200.0, 90.0)).capture(poses)
    above = replace(box, foot=(0.3, 0.2, 0.75), size=(0.3, 0.3, 0.1))
    within, over = seen_empty(capture, np.eye(4), [box, above])
    assert not len(within)
    assert len(over) > 1000
    half = replace(capture, order=capture.order[:1], world_from_camera=capture.world_from_camera[:1].copy())
    assert not len(seen_empty(half, np.eye(4), [above])[0])  # one look is not enough


@pytest.mark.slow
@pytest.mark.captures
def test_the_garden_chair_is_a_chair(fused_scan: Callable[[str], Any]) -> None:
    from pocketworld.reconstruct.room.floor import find_floor

    surface = fused_scan("3dscannerapp_chair").surface
    floor = find_floor(surface, "chair")
    there = surface.moved(floor.scene_from_world)
    thing = find_things(there, floor, walls_of(there), "chair").things[0]
    asset = choose(thing, "chair", NOWHERE).asset
    assert asset.family == "chair"
    p = registry.rebuild(asset)
    assert (p.width, p.depth, p.height) == pytest.approx((0.60, 0.69, 0.93), abs=0.05)
    assert (p.seat, p.arms) == pytest.approx((0.40, 0.61), abs=0.04)


def draw(seed: int) -> Draw:
    return lambda name: stream(seed, "choose", name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["table", "chair"])
@pytest.mark.parametrize("seed", [3, 4])
def test_drawn_furniture_is_told_too(name: str, seed: int) -> None:
    p = registry.family(name).sample(draw(seed), Site((1.6, 0.9, 1.2)))
    asset = choose(thing_of(mesh_of(name, p), seed=seed), "t", NOWHERE).asset
    assert asset.family == name
    assert registry.rebuild(asset).height == pytest.approx(p.height, abs=0.02)
