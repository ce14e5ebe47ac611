"""The floor: found whatever stands on it, put at 0, levelled only where its tilt is measured."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.room.floor import Floor, find_floor
from pocketworld.reconstruct.surfaces.fusion import fuse
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream
from pocketworld.scan import readers

Array = NDArray[np.float64]

CELL = 0.05


def sheet(
    low: tuple[float, float], high: tuple[float, float], z: float, noise: float = 0.0, seed: int = 0
) -> Surface:
    """A level sheet of triangles, looking up, seen from 1.5 m; its heights as noisy as depth is."""
    count = [max(2, round((b - a) / CELL) + 1) for a, b in zip(low, high, strict=True)]
    x, y = np.meshgrid(
        *(np.linspace(a, b, n) for a, b, n in zip(low, high, count, strict=True)), indexing="ij"
    )
    heights = z + noise * stream(seed, "sheet").normal(size=x.size)
    corner = np.arange(x.size).reshape(x.shape)
    a, b, c, d = (
        part.ravel() for part in (corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:])
    )
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    vertices = np.stack([x.ravel(), y.ravel(), heights], 1)
    up = np.tile([0.0, 0, 1], (len(vertices), 1))
    return Surface(vertices, faces, up, None, np.full(len(vertices), 1.5), 0.01, np.eye(4))


def joined(*parts: Surface) -> Surface:
    start = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return Surface(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + np.int32(n) for part, n in zip(parts, start, strict=False)]),
        np.concatenate([part.normals for part in parts]),
        None,
        np.concatenate([part.distance for part in parts]),
        0.01,
        np.eye(4),
    )


def tilted(degrees: float, heading: float = 0.7) -> Array:
    axis = np.array([math.cos(heading), math.sin(heading), 0])
    return se3.exp(np.concatenate([np.zeros(3), axis * math.radians(degrees)]))


def height_of(floor: Floor, place: tuple[float, float, float]) -> float:
    return float(se3.apply(floor.scene_from_world, np.array([place]))[0, 2])


@given(st.floats(-50, 50), st.integers(0, 1000))
@settings(max_examples=20)
def test_the_floor_is_put_at_zero_wherever_it_was(z: float, seed: int) -> None:
    floor = find_floor(sheet((-2, -1), (2, 2), z, 0.008, seed), "room")
    assert height_of(floor, (0.3, 0.2, z)) == pytest.approx(0, abs=1.5e-3)
    assert floor.noise == pytest.approx(0.008, rel=0.15)
    assert floor.area == pytest.approx(12, rel=0.1)
    assert floor.findings == ()


def test_a_table_a_rug_and_a_ceiling_are_no_floor() -> None:
    floor, table, rug = (
        sheet((-2, -2), (2, 2), 0.1),
        sheet((-1, -1), (1, 0.5), 0.8),
        sheet((0, 0), (0.6, 0.6), 0.0),
    )
    assert height_of(find_floor(joined(table, floor, rug), "room"), (0, 0, 0.1)) == pytest.approx(0, abs=1e-3)


def test_reflections_below_the_floor_are_no_floor() -> None:
    floor, mirrored = sheet((-2, -2), (2, 2), 0.0), sheet((-0.5, -0.5), (0.5, 0.5), -2.4)
    assert height_of(find_floor(joined(mirrored, floor), "room"), (0, 0, 0.0)) == pytest.approx(0, abs=1e-3)


def test_near_looks_count_more_than_far_ones() -> None:
    """Depth from afar is biased by centimetres: it must not move the floor under what was scanned."""
    near, far = sheet((-1, -1), (1, 1), 0.0), sheet((1.1, -3), (4, 3), -0.02)
    far = Surface(
        far.vertices, far.faces, far.normals, None, np.full(len(far.vertices), 4.5), 0.01, np.eye(4)
    )
    assert height_of(find_floor(joined(near, far), "room"), (0, 0, 0.0)) == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize("degrees", [1.0, 3.0])
def test_a_measured_tilt_is_levelled(degrees: float) -> None:
    surface = sheet((-2, -2), (2, 2), 0.4, 0.005).moved(tilted(degrees))
    floor = find_floor(surface, "room")
    levelled = surface.moved(floor.scene_from_world)
    assert np.abs(levelled.vertices[:, 2]).mean() < 0.006
    (found,) = floor.findings
    assert (found.code, found.severity) == ("floor-levelled", Severity.NOTE)
    assert found.numbers["tilt_deg"] == pytest.approx(degrees, abs=0.1)
    assert np.allclose(floor.scene_from_world[:3, :3] @ floor.scene_from_world[:3, :3].T, np.eye(3))


def test_levelling_does_not_shift_what_stands_on_the_floor() -> None:
    surface = sheet((8, 4), (12, 8), 0.0, 0.002).moved(tilted(2.0))
    floor = find_floor(surface, "room")
    middle = surface.vertices.mean(0)
    assert np.allclose(se3.apply(floor.scene_from_world, middle[None])[0], [*middle[:2], 0], atol=1e-3)


def test_a_tilt_within_its_error_is_left_alone() -> None:
    floor = find_floor(sheet((-0.6, -0.6), (0.6, 0.6), 0.0, 0.012).moved(tilted(0.2)), "room")
    assert floor.tilt_sigma > math.radians(0.2)
    assert np.array_equal(floor.scene_from_world[:3, :3], np.eye(3))


def test_a_ramp_is_left_as_it_is_and_said_so() -> None:
    floor = find_floor(sheet((-2, -2), (2, 2), 0.0, 0.001).moved(tilted(5.5)), "room")
    assert np.array_equal(floor.scene_from_world[:3, :3], np.eye(3))
    assert [(f.code, f.severity) for f in floor.findings] == [("floor-slopes", Severity.DEGRADED)]


def test_without_a_floor_the_lowest_is_zero_and_it_is_said() -> None:
    seat = sheet((0, 0), (0.4, 0.4), 0.45)
    floor = find_floor(seat, "room")
    assert height_of(floor, (0, 0, 0.45)) == pytest.approx(0, abs=1e-9)
    (found,) = floor.findings
    assert (found.code, found.severity) == ("no-floor", Severity.LOST)
    assert found.numbers["lowest_m"] == pytest.approx(0.45)


def test_a_wall_alone_is_no_floor() -> None:
    wall = sheet((0, 0), (2, 2), 0.0).moved(tilted(90))
    assert [f.code for f in find_floor(wall, "room").findings] == ["no-floor"]


def test_turned_and_moved_it_is_the_same_floor() -> None:
    surface = joined(sheet((-2, -1), (2, 2), 0.1, 0.008), sheet((0, 0), (1, 1), 0.7))
    motion = se3.exp(np.array([2.0, -1.0, 0.4, 0, 0, 0.5]))
    one, other = find_floor(surface, "room"), find_floor(surface.moved(motion), "room")
    between = other.scene_from_world @ motion @ se3.inverse(one.scene_from_world)
    assert np.allclose(between, np.diag([1, 1, 1, 1]) @ _flat(between), atol=1e-9)
    assert other.tilt == pytest.approx(one.tilt, abs=1e-9)


def _flat(motion: Array) -> Array:
    """The same motion without any height or tilt: what may lie between two scenes of one floor."""
    out = np.eye(4)
    out[:2, :2], out[:2, 3] = motion[:2, :2], motion[:2, 3]
    return out


def test_the_floor_of_a_rendered_room(room: Callable[..., Any]) -> None:
    boxes = (UprightBox((0, 0, -0.35), 0.0, (5, 5, 0.1)), UprightBox((0.1, 0.2, -0.25), 0.4, (0.8, 0.6, 0.5)))
    ring = [
        looking(np.array([1.4 * math.cos(a), 1.4 * math.sin(a), 0.9]), np.array([0, 0, 0.0]))
        for a in np.linspace(0, 2 * np.pi, 8, endpoint=False) + 0.1
    ]
    floor = find_floor(fuse(room(boxes, (200.0, 90.0)).capture(ring)).surface, "room")
    assert height_of(floor, (0, 0, -0.25)) == pytest.approx(0, abs=1e-3)
    assert floor.noise < 1e-3


@pytest.mark.captures
@pytest.mark.parametrize(
    ("name", "height", "tilt"),
    # As measured before, apart from this program.
    [("tum_fr3_cabinet", 0.001, 0.22), ("3dscannerapp_corridor", -1.356, 0.13)],
)
def test_real_floors_are_where_they_were_measured(
    captures: Path, fused_scan: Callable[[str], Any], name: str, height: float, tilt: float
) -> None:
    floor = find_floor(fused_scan(name).surface, name)
    eye = readers.read(captures / name).world_from_camera[0, :3, 3]
    assert height_of(floor, (eye[0], eye[1], height)) == pytest.approx(0, abs=0.02)
    assert math.degrees(floor.tilt) == pytest.approx(tilt, abs=0.3)
    assert 0.002 < floor.noise < 0.015
    assert not [f for f in floor.findings if f.severity is not Severity.NOTE]
