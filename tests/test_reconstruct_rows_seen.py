"""Rows as cameras see them: units of our own families, fused from noisy depth, and the real kitchenette."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.geometry import se3
from pocketworld.geometry.convex import Vec3
from pocketworld.reconstruct.objects.things import find_things
from pocketworld.reconstruct.room.floor import Floor, find_floor
from pocketworld.reconstruct.room.walls import walls_of
from pocketworld.reconstruct.runs.row_things import things_on
from pocketworld.reconstruct.runs.rows import EndKind, Rows, Run, RunKind, find_rows
from pocketworld.reconstruct.surfaces.fusion import fuse
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream
from pocketworld.scan import readers
from pocketworld.scan.capture import Camera, Capture, Frame
from pocketworld.scene import Asset, Pose, Side

Array = NDArray[np.float64]

CAMERA = Camera(220.0, 220.0, 127.5, 95.5, 256, 192)
DRAWERS = Split(True, (0.14, 0.28, 0.28), (Front(), Front(), Front()))
DOOR = Front(FrontKind.DOOR, Side.LEFT)
BACK = 0.6  # m: y of the wall


def unit(id: str, left: float, width: float, height: float, depth: float = 0.58, z: float = 0.0) -> Asset:
    """A cabinet with its back at the wall."""
    grid = DRAWERS if width > 0.55 and z == 0 and height < 1 else DOOR
    p = Cabinet(width, depth, height, grid, plinth=0.0 if z else 0.1, plinth_setback=0.05)
    asset = registry.family("cabinet").build(p, id)
    return at(asset, (left + width / 2, BACK - depth / 2, z))


def slab(id: str, size: Vec3, place: Vec3) -> Asset:
    return at(registry.family("box").build(Box(*size), id), place)


def at(asset: Asset, place: Vec3) -> Asset:
    return replace(asset, pose=Pose(place))


def seen(assets: Sequence[Asset], poses: Sequence[Array], noise: float, seed: int) -> Capture:
    """What a depth camera sees of assets on a floor."""
    o3d: Any = import_module("open3d")
    rays = o3d.t.geometry.RaycastingScene(nthreads=1)
    for asset in assets:
        for mesh in (mesh for part in asset.parts for mesh in part.meshes):
            points = se3.apply(asset.pose.matrix, mesh.vertices.astype(float)).astype(np.float32)
            rays.add_triangles(o3d.core.Tensor(points), o3d.core.Tensor(mesh.faces.astype(np.uint32)))
    v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
    local = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(u.shape)], -1)

    def load(i: int) -> Frame:
        way = local @ poses[i][:3, :3].T
        both = np.concatenate([np.broadcast_to(poses[i][:3, 3], way.shape), way], -1)
        depth = rays.cast_rays(o3d.core.Tensor(both.astype(np.float32)), nthreads=1)["t_hit"].numpy()
        hit = np.isfinite(depth)
        off = stream(seed, "depth", i).normal(size=depth.shape) * noise
        metres = np.where(hit, np.where(hit, depth, 0) + off, 0).astype(np.float32)
        return Frame(i, str(i), poses[i], None, None, metres, CAMERA)

    which = tuple(range(len(poses)))
    return Capture(
        "row", Path(), "rendered", np.array(poses), np.eye(4), load, which, np.zeros(len(which), bool)
    )


def walk() -> Iterator[Array]:
    """Along the row, looking at its fronts and at what hangs; and at both ends from before them."""
    for x in np.linspace(-0.6, 2.8, 9):
        yield looking(np.array([x, -1.3, 1.5]), np.array([x + 0.1, 0.0, 0.6]))
        yield looking(np.array([x, -1.6, 1.5]), np.array([x - 0.1, 0.3, 1.5]))
    for x, to in ((3.3, 2.2), (-1.0, 0.3), (3.2, 2.2), (-0.9, 0.2), (-0.8, 0.2)):
        yield looking(np.array([x, -0.9, 1.5]), np.array([to, 0.2, 0.6]))


ROOM = (
    slab("floor", (6.0, 4.0, 0.02), (1.0, -1.0, -0.02)),
    slab("wall", (6.0, 0.1, 2.5), (1.0, BACK + 0.05, 0.0)),
)
UNITS = tuple(
    unit(f"base-{i}", x, w, 0.82) for i, (x, w) in enumerate(((0, 0.6), (0.603, 0.45), (1.056, 0.8)))
)
END = 1.856
WORKTOP = slab("worktop", (END, 0.6, 0.04), (END / 2, BACK - 0.3, 0.82))
HUNG = tuple(unit(f"wall-{i}", x, 0.5, 0.7, 0.35, 1.4) for i, x in enumerate((0.2, 0.703)))
FRIDGE = unit("tall", END + 0.005, 0.6, 2.0, 0.6)
KETTLE = slab("kettle", (0.2, 0.2, 0.25), (0.9, 0.3, 0.86))


def scanned(assets: Sequence[Asset], noise: float, seed: int = 0) -> tuple[Surface, Floor]:
    surface = fuse(seen(assets, list(walk()), noise, seed)).surface
    floor = find_floor(surface, "row")
    return surface.moved(floor.scene_from_world), floor


def front(run: Run) -> Array:
    """The middle of the lower edge of a run's front."""
    return np.asarray(run.box.world_from_box @ [0, -run.box.size[1] / 2, 0, 1])[:3]


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.004, 0.010])
def test_units_of_our_own_are_found_in_noisy_depth(noise: float) -> None:
    surface, floor = scanned((*ROOM, *UNITS, WORKTOP, *HUNG, FRIDGE, KETTLE), noise)
    rows = find_rows(surface, floor, (), "row")
    world_from_scene = se3.inverse(floor.scene_from_world)
    assert [run.kind for run in rows.runs] == [RunKind.BASE, RunKind.WALL, RunKind.TALL]
    expected = (
        (0.0, END, 0.02, 0.0, 0.82),
        (0.2, 1.203, 0.25, 1.4, 2.1),
        (END + 0.005, END + 0.605, 0.0, 0.0, 2.0),
    )
    for run, (left, right, y, low, high) in zip(rows.runs, expected, strict=True):
        middle = se3.apply(world_from_scene, front(run)[None])[0]
        assert middle[1] == pytest.approx(y, abs=0.008)
        assert middle[0] == pytest.approx((left + right) / 2, abs=0.02)
        assert run.box.size[0] == pytest.approx(right - left, abs=0.03)
        assert (middle[2], middle[2] + run.box.size[2]) == pytest.approx((low, high), abs=0.03)
        assert middle[1] + run.box.size[1] == pytest.approx(BACK, abs=0.01)
        assert abs(math.degrees(run.box.yaw)) < 0.5
    base = rows.runs[0]
    assert base.worktop is not None
    assert base.worktop.box.foot[2] + base.worktop.box.size[2] == pytest.approx(0.86, abs=0.01)
    assert [end.kind for end in base.ends] == [EndKind.PANEL, EndKind.NEIGHBOUR]
    (kettle,), _ = things_on(surface, rows, base)
    assert kettle.box.size == pytest.approx((0.2, 0.2, 0.25), abs=0.05)
    assert kettle.box.foot[2] == pytest.approx(0.86, abs=0.01)


@pytest.mark.slow
def test_one_unit_alone_is_a_thing_and_no_row() -> None:
    alone = unit("alone", 0.6, 0.6, 0.8)
    for assets in ((*ROOM, alone), (ROOM[0], at(alone, (0.9, -0.2, 0.0)))):
        surface, floor = scanned(assets, 0.004)
        rows = find_rows(surface, floor, (), "row")
        assert rows.runs == ()
        assert not rows.taken.any()
        (thing,) = find_things(surface, floor, walls_of(surface), "row").things
        assert thing.box_like


@pytest.fixture(scope="module")
def kitchenette(captures: Path) -> tuple[Surface, Floor, Rows, Array]:
    """The real row, and (4, 4) to its truth's frame: x along the row, y into it, z up from the floor."""
    capture = readers.read(captures / "hololens_kitchenette")
    fused = fuse(capture).surface
    floor = find_floor(fused, capture.name)
    surface = fused.moved(floor.scene_from_world)
    truth = json.loads((captures / "truth" / "hololens_kitchenette.json").read_text())
    up, out = np.array(truth["world_up"]), np.array(truth["base_front_plane"]["normal_out_of_cabinet"])
    row_from_truth = np.eye(4)
    row_from_truth[:3, :3] = [np.cross(up, out), -out, up]
    row_from_truth[:3, 3] = 0.0, truth["base_front_plane"]["offset"], -truth["floor_y"]
    scene_from_truth = floor.scene_from_world @ capture.world_from_capture
    rows = find_rows(surface, floor, (), capture.name)
    return surface, floor, rows, row_from_truth @ se3.inverse(scene_from_truth)


def kind(rows: Rows, kind: RunKind) -> Run:
    (run,) = [run for run in rows.runs if run.kind is kind]
    return run


def span(run: Run, row_from_scene: Array) -> tuple[float, float, float]:
    """The left and the right end of a run's front, and how far it lies behind the true plane, m."""
    (x, y, _), half = se3.apply(row_from_scene, front(run)[None])[0], run.box.size[0] / 2
    return float(x - half), float(x + half), float(y)


@pytest.mark.slow
@pytest.mark.captures
def test_the_real_base_row_is_within_its_bars(kitchenette: tuple[Surface, Floor, Rows, Array]) -> None:
    _, _, rows, row_from_scene = kitchenette
    run = kind(rows, RunKind.BASE)
    turned = row_from_scene @ run.box.world_from_box
    assert abs(math.degrees(math.atan2(turned[1, 0], turned[0, 0]))) < 0.5
    assert math.degrees(math.acos(min(1.0, turned[2, 2]))) < 0.5
    left, right, behind = span(run, row_from_scene)
    assert abs(behind) < 0.008
    assert left == pytest.approx(1.58, abs=0.03)  # at the tall cupboard, where the dishwasher begins
    assert run.ends[0].kind is EndKind.NEIGHBOUR
    assert 4.35 < right < 4.55  # the last handle ends at 4.245, the window's sill begins at 4.6
    assert run.box.size[1] == pytest.approx(0.678, abs=0.02)
    assert run.worktop is not None
    assert run.worktop.box.foot[2] + run.worktop.box.size[2] == pytest.approx(0.857, abs=0.02)
    assert run.worktop.sink is not None


@pytest.mark.slow
@pytest.mark.captures
def test_the_real_dishwasher_is_ajar(kitchenette: tuple[Surface, Floor, Rows, Array]) -> None:
    _, _, rows, row_from_scene = kitchenette
    run = kind(rows, RunKind.BASE)
    (ajar,) = run.ajar
    left, right, _ = span(run, row_from_scene)
    middle = (left + right) / 2
    assert (ajar.place.left + middle, ajar.place.right + middle) == pytest.approx((1.6, 2.18), abs=0.05)
    y = se3.apply(row_from_scene, ajar.surface.vertices)[:, 1]
    assert -0.20 < y.min() < -0.10  # its handle, before its top edge


@pytest.mark.slow
@pytest.mark.captures
def test_the_real_wall_units_and_tall_doors(kitchenette: tuple[Surface, Floor, Rows, Array]) -> None:
    _, _, rows, row_from_scene = kitchenette
    hung, tall = kind(rows, RunKind.WALL), kind(rows, RunKind.TALL)
    left, right, behind = span(hung, row_from_scene)
    assert behind == pytest.approx(0.272, abs=0.015)
    assert (left, right) == pytest.approx((1.58, 4.0), abs=0.03)
    assert 1.36 < hung.box.foot[2] < 1.41
    (microwave,) = hung.dark
    assert microwave.right - microwave.left == pytest.approx(0.6, abs=0.08)
    left, right, behind = span(tall, row_from_scene)
    assert behind == pytest.approx(0.0, abs=0.015)
    assert right == pytest.approx(1.58, abs=0.03)
    assert left < 0.95  # a handle is at 0.91; farther left depth shows hardly anything
    assert tall.ends[0].kind is EndKind.CUT
    assert tall.box.size[2] > 1.9
    assert {"run-left-unseen", "run-top-unseen", "worktop-uneven"} <= {
        finding.code for finding in rows.findings
    }


@pytest.mark.slow
@pytest.mark.captures
def test_on_the_real_worktop_stand_things_and_nothing_of_the_wall(
    kitchenette: tuple[Surface, Floor, Rows, Array],
) -> None:
    surface, _, rows, row_from_scene = kitchenette
    things, _ = things_on(surface, rows, kind(rows, RunKind.BASE))
    assert 6 <= len(things) <= 14
    places = [se3.apply(row_from_scene, np.array([thing.box.foot]))[0] for thing in things]
    for thing, place in zip(things, places, strict=True):
        assert 1.58 < place[0] < 4.5
        assert 0.0 < place[1] < 0.66
        assert max(thing.box.size[:2]) < 0.6
        assert thing.box.size[2] < 0.65
    highest = max(range(len(things)), key=lambda i: things[i].box.size[2])
    assert places[highest][0] == pytest.approx(4.23, abs=0.1)  # the coffee machine
    rest = se3.apply(row_from_scene, surface.vertices[~rows.taken])
    fronts = (rest[:, 0] > 2.2) & (rest[:, 0] < 4.3) & (np.abs(rest[:, 1]) < 0.03)
    assert not (fronts & (rest[:, 2] > 0.1) & (rest[:, 2] < 0.8)).any()
    window = rest[(rest[:, 0] > 4.6) & (rest[:, 1] > 0)]
    assert len(window) > 500


@pytest.mark.slow
@pytest.mark.captures
@pytest.mark.parametrize("name", ["3dscannerapp_chair", "3dscannerapp_corridor", "tum_fr3_cabinet"])
def test_where_no_row_is_none_is_found(fused_scan: Callable[[str], Any], name: str) -> None:
    fused = fused_scan(name).surface
    floor = find_floor(fused, name)
    rows = find_rows(fused.moved(floor.scene_from_world), floor, (), name)
    assert rows.runs == ()
    assert rows.findings == ()
    assert not rows.taken.any()
