"""Things: what stands on the floor is found, walls are not, boxes are told from what is no box."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.bench.trajectory import looking
from pocketworld.geometry import se3
from pocketworld.geometry.box import UprightBox
from pocketworld.reconstruct.objects.depthbox import DepthBox, box_of, explain, main_yaw
from pocketworld.reconstruct.objects.things import Thing, Things, completeness, find_things
from pocketworld.reconstruct.room.floor import Floor, find_floor
from pocketworld.reconstruct.room.walls import Wall, belongs, find_walls, up_to, walls_of
from pocketworld.reconstruct.surfaces.fusion import fuse
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.rng import stream

Array = NDArray[np.float64]

FLOOR = UprightBox((0, 0, -0.1), 0.0, (5, 5, 0.1))
BOX = UprightBox((0.3, 0.2, 0), 0.5, (0.6, 0.4, 0.7))


def ring(count: int = 12, far: float = 1.5, high: float = 1.2) -> list[Array]:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + 0.1
    return [
        looking(np.array([far * math.cos(a), far * math.sin(a), high]), np.array([0, 0, 0.3])) for a in angles
    ]


def stood(fuse_result: Any) -> tuple[Surface, Floor, Things]:
    floor = find_floor(fuse_result.surface, "room")
    surface = fuse_result.surface.moved(floor.scene_from_world)
    return surface, floor, find_things(surface, floor, walls_of(surface), "room")


def legs(box: UprightBox) -> tuple[UprightBox, ...]:
    """A seat with a back on four legs."""
    (x, y, _), (w, d, _) = box.foot, box.size
    seat = replace(box, foot=(x, y, 0.42), size=(w, d, 0.04))
    back = replace(box, foot=(x, y + d / 2 - 0.02, 0.46), size=(w, 0.04, 0.45))
    corners = [(x + sx * (w / 2 - 0.03), y + sy * (d / 2 - 0.03)) for sx in (-1, 1) for sy in (-1, 1)]
    return (seat, back, *(UprightBox((*corner, 0.0), 0.0, (0.05, 0.05, 0.42)) for corner in corners))


@pytest.fixture(scope="module")
def place(room: Callable[..., Any]) -> tuple[Surface, Floor, Things]:
    """A box and a chair, both seen from all around."""
    chair = legs(UprightBox((-0.6, -0.4, 0), 0.0, (0.45, 0.45, 0.9)))
    boxes = (FLOOR, BOX, *chair)
    return stood(fuse(room(boxes, (200.0, 90.0, *[140.0] * len(chair))).capture(ring(14))))


def test_both_are_found_and_only_one_is_a_box(place: tuple[Surface, Floor, Things]) -> None:
    things = place[2]
    assert [thing.id for thing in things.things] == ["thing-1", "thing-2"]
    box = next(thing for thing in things.things if thing.box_like)
    (chair,) = [thing for thing in things.things if not thing.box_like]
    assert np.allclose(box.box.foot, BOX.foot, atol=4e-3)
    assert np.allclose(sorted(box.box.size), sorted(BOX.size), atol=6e-3)
    assert math.degrees((box.box.yaw - BOX.yaw + math.pi / 4) % (math.pi / 2) - math.pi / 4) == pytest.approx(
        0, abs=0.3
    )
    assert np.allclose(chair.box.size, (0.45, 0.45, 0.91), atol=0.03)
    assert chair.box.foot[2] == 0
    assert chair.found.share < 0.5
    assert things.findings == ()  # what becomes of the chair, its family says


def test_a_box_seen_from_all_around_is_complete(place: tuple[Surface, Floor, Things]) -> None:
    box = next(thing for thing in place[2].things if thing.box_like)
    assert box.completeness > 0.95
    half = box.surface.part(se3.apply(se3.inverse(box.box.world_from_box), box.surface.vertices)[:, 0] > 0.02)
    assert completeness(half, box.box) < 0.9
    front = box.surface.part((box.surface.normals @ box.box.world_from_box[:3, 1]) < -0.5)
    assert completeness(front, box.box) < 0.6


def test_turned_and_moved_they_are_the_same_things(place: tuple[Surface, Floor, Things]) -> None:
    surface, floor, things = place
    motion = se3.exp(np.array([2.0, -1.0, 0, 0, 0, math.radians(30)]))
    walls = [wall.moved(motion) for wall in walls_of(surface)]
    others = find_things(surface.moved(motion), floor, walls, "room")
    assert others.findings == things.findings
    for one, other in zip(things.things, others.things, strict=True):
        assert len(one.surface.vertices) == len(other.surface.vertices)
        assert np.allclose(other.box.foot, se3.apply(motion, np.array([one.box.foot]))[0], atol=1e-6)
        turn = (other.box.yaw - one.box.yaw - math.radians(30)) / (math.pi / 2)
        assert turn == pytest.approx(round(turn), abs=1e-6)
        assert other.found.share == pytest.approx(one.found.share, abs=1e-6)


def test_the_order_of_vertices_does_not_matter(place: tuple[Surface, Floor, Things]) -> None:
    surface, floor, things = place
    order = stream(0, "order").permutation(len(surface.vertices))
    number = np.argsort(order).astype(np.int32)
    shuffled = replace(
        surface,
        vertices=surface.vertices[order],
        normals=surface.normals[order],
        distance=surface.distance[order],
        colours=None,
        faces=number[surface.faces],
    )
    others = find_things(shuffled, floor, walls_of(shuffled), "room")
    assert [t.id for t in others.things] == [t.id for t in things.things]
    for one, other in zip(things.things, others.things, strict=True):
        assert np.allclose(other.box.size, one.box.size, atol=1e-6)


def test_furniture_against_a_wall_reaches_it_and_the_wall_is_left_out(room: Callable[..., Any]) -> None:
    """The last centimetres before a wall can't be told from it; a thing that ends there stands against it."""
    walls = (
        UprightBox((0, 1.25, 0), 0.0, (5, 0.1, 2.6)),
        UprightBox((-1.95, 0, 0), 0.0, (0.1, 5, 2.6)),
    )
    cabinet = UprightBox((0.2, 0.95, 0), 0.0, (0.8, 0.5, 0.9))
    eyes = [np.array([x, -1.2 + 0.1 * abs(x), 1.5]) for x in np.linspace(-1.3, 1.8, 8)]
    poses = [looking(eye, np.array([0.1 * eye[0], 0.9, 0.7])) for eye in eyes]
    poses += [looking(np.array([0.1 * i, -0.5, 1.5]), np.array([-1.9, 0.2 * i - 0.5, 1.0])) for i in range(5)]
    seen = room((FLOOR, *walls, cabinet), (200.0, 180.0, 170.0, 90.0)).capture(poses)
    _, _, things = stood(fuse(seen))
    (thing,) = things.things
    assert thing.box_like
    assert np.allclose(thing.box.size, cabinet.size, atol=0.015)
    assert np.allclose(thing.box.foot, cabinet.foot, atol=0.01)
    assert things.findings == ()


def test_what_is_large_low_far_or_hangs_on_a_wall_is_no_thing(place: tuple[Surface, Floor, Things]) -> None:
    _, floor, things = place
    box = next(thing for thing in things.things if thing.box_like).surface
    distant = replace(box, distance=np.full(len(box.vertices), 4.5))
    stretched = stretch(box, (6.0, 1.0, 1.0))
    high = stretch(box, (1.0, 1.0, 3.2))
    flat = stretch(box, (1.0, 1.0, 0.11))
    thin = stretch(box, (1.0, 0.05, 0.3)).moved(se3.exp(np.array([0, 0, 1.0, 0, 0, 0])))
    for part, code in (
        (distant, "far-things-left-out"),
        (stretched, "structure-left-out"),
        (high, "structure-left-out"),
        (flat, None),
    ):
        others = find_things(part, floor, (), "room")
        assert (others.things, others.sheets) == ((), ())
        assert [f.code for f in others.findings] == ([code] if code else [])
    end = float(thin.vertices[:, 0].max()) + 0.1  # it stands out from a wall
    on_wall = find_things(thin, floor, [Wall((-1.0, 0.0), -end, -2.0, 2.0, 2.4)], "room")
    assert (on_wall.things, on_wall.sheets) == ((), ())
    assert [f.code for f in on_wall.findings] == ["flat-at-wall-left-out"]
    in_air = find_things(thin, floor, (), "room")
    assert (in_air.things, in_air.findings, [sheet.id for sheet in in_air.sheets]) == ((), (), ["thing-1"])


def stretch(surface: Surface, by: tuple[float, float, float]) -> Surface:
    """Stretch about the origin; good for boxes, whose normals stay right."""
    yaw = main_yaw(surface.normals, surface.vertex_areas())
    turn = se3.exp(np.array([0, 0, 0, 0, 0, -yaw]))
    straight = surface.moved(turn)
    return replace(straight, vertices=straight.vertices * by)


def test_an_empty_floor_holds_nothing(room: Callable[..., Any]) -> None:
    _, _, things = stood(fuse(room((FLOOR,), (200.0,)).capture(ring(4))))
    assert things.things == ()
    assert things.findings == ()


def test_walls_are_those_of_the_room_however_little_of_them_is_left(
    place: tuple[Surface, Floor, Things],
) -> None:
    """Of the wall behind a row a strip is left, too little to find it in; it is known."""
    _, floor, things = place
    box = next(thing for thing in things.things if thing.box_like).surface
    wall = Wall((0.0, -1.0), -2.0, -2.0, 2.0, 2.4)  # the plane y = 2
    u, z = np.meshgrid(np.arange(-0.6, 0.6, 0.02), np.arange(1.0, 1.5, 0.02))
    corner = np.arange(u.size).reshape(u.shape)[:-1, :-1].ravel() + len(box.vertices)
    wide = u.shape[1]
    faces = np.stack([corner, corner + 1, corner + wide, corner + 1, corner + wide + 1, corner + wide], 1)
    both = replace(
        box,
        vertices=np.concatenate([box.vertices, np.stack([u, np.full(u.shape, 2.0), z], 2).reshape(-1, 3)]),
        normals=np.concatenate([box.normals, np.tile([0, -1.0, 0], (u.size, 1))]),
        distance=np.concatenate([box.distance, np.full(u.size, 1.0)]),
        colours=None,
        faces=np.concatenate([box.faces, faces.reshape(-1, 3).astype(np.int32)]),
    )
    assert walls_of(both) == []
    lost, known = find_things(both, floor, (), "room"), find_things(both, floor, [wall], "room")
    assert [len(found.sheets) for found in (lost, known)] == [1, 0]
    assert known.findings == ()
    assert [thing.box_like for thing in known.things] == [True]


def scattered(box: UprightBox, count: int, noise: float, seed: int) -> tuple[Array, Array, Array]:
    """Points on the sides and the top of a box, as noisy as depth."""
    rng = stream(seed, "box")
    size = np.array(box.size)
    sides = [(0, -1), (0, 1), (1, -1), (1, 1), (2, 1)]
    areas = np.array([size.prod() / size[axis] for axis, _ in sides])
    which = rng.choice(5, count, p=areas / areas.sum())
    local = (rng.random((count, 3)) - [0.5, 0.5, 0]) * size
    normals = np.zeros((count, 3))
    for n, (axis, sign) in enumerate(sides):
        mine = which == n
        end = size[axis] if axis == 2 else sign * size[axis] / 2
        local[mine, axis] = end + noise * rng.normal(size=mine.sum())
        normals[mine, axis] = sign
    turn = box.world_from_box[:3, :3]
    return se3.apply(box.world_from_box, local), normals @ turn.T, np.full(count, areas.sum() / count)


def test_corners_that_lost_their_triangles_do_not_turn_a_box() -> None:
    """One alone looks along +y: it has no area, so it says nothing."""
    box = UprightBox((0.0, 0.0, 0.0), 0.0, BOX.size)
    points, normals, weights = scattered(box, 6000, 0.0, 1)
    others = normals[:, 1] < 0.5
    found = box_of(
        np.append(points[others], [[0.0, BOX.size[1] / 2, 0.35]], axis=0),
        np.append(normals[others], [[0.0, 1.0, 0.0]], axis=0),
        np.append(weights[others], 0.0),
        0.015,
        0.05,
    ).box
    assert found.yaw == pytest.approx(0.0, abs=1e-6)
    assert found.size == pytest.approx(BOX.size, abs=0.01)  # of what is uneven a hundredth is trimmed


@given(
    st.floats(-math.pi, math.pi),
    st.floats(0.3, 1.2),
    st.floats(0.3, 1.2),
    st.floats(0.3, 1.8),
    st.integers(0, 99),
)
def test_a_box_is_measured_from_its_points(
    yaw: float, width: float, depth: float, height: float, seed: int
) -> None:
    box = UprightBox((0.4, -0.3, 0), yaw, (width, depth, height))
    found = box_of(*scattered(box, 6000, 0.005, seed), 0.015, 0.05)
    turns = (found.box.yaw - yaw) / (math.pi / 2)
    assert turns == pytest.approx(round(turns), abs=0.02)
    expected = (depth, width) if round(turns) % 2 else (width, depth)
    assert np.allclose(found.box.size, (*expected, height), atol=4e-3)
    assert np.allclose(found.box.foot, box.foot, atol=4e-3)
    assert found.share > 0.97


def test_what_sticks_out_does_not_make_it_larger() -> None:
    """A handle stands out of the front; the front is where the front is."""
    points, normals, weights = scattered(BOX, 8000, 0.004, 1)
    bar, out, light = scattered(UprightBox((0, -0.22, 0.5), 0.0, (0.15, 0.03, 0.02)), 150, 0.004, 2)
    handle = se3.apply(BOX.world_from_box, bar)
    found = box_of(
        np.concatenate([points, handle]),
        np.concatenate([normals, out @ BOX.world_from_box[:3, :3].T]),
        np.concatenate([weights, light]),
        0.015,
        0.05,
    )
    assert np.allclose(sorted(found.box.size), sorted(BOX.size), atol=4e-3)


def test_of_what_is_no_box_the_extent_counts() -> None:
    rng = stream(3, "ball")
    normals = rng.normal(size=(5000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    found = box_of(normals * 0.3 + [0, 0, 0.3], normals, np.full(5000, 1.0), 0.01, 0.05)
    assert found.share < 0.5
    assert np.allclose(found.box.size, (0.6, 0.6, 0.6), atol=0.02)


def test_things_without_upright_faces_have_some_yaw() -> None:
    assert main_yaw(np.array([[0, 0, 1.0]]), np.ones(1)) == 0


def test_a_side_that_was_not_seen_is_not_filled() -> None:
    points, normals, weights = scattered(BOX, 8000, 0.004, 1)
    front = normals @ BOX.world_from_box[:3, 1] > -0.5
    found = explain(BOX, points[front], normals[front], weights[front], 0.015, 0.05)
    assert found.filled[0] == 0
    assert min(found.filled[1:]) > 0.9
    assert found.share > 0.97


def like(filled: tuple[float, float, float, float, float], share: float = 0.9, height: float = 0.8) -> bool:
    nothing = Surface(
        np.zeros((0, 3)), np.zeros((0, 3), np.int32), np.zeros((0, 3)), None, np.zeros(0), 0.01, np.eye(4)
    )
    box = DepthBox(UprightBox((0, 0, 0), 0.0, (0.5, 0.5, height)), share, filled)
    return Thing("thing-1", nothing, box, 1.0).box_like


def test_a_corner_of_closed_faces_makes_a_box() -> None:
    assert like((1, 0, 0, 1, 0))  # front and left
    assert like((1, 0, 0, 0, 1))  # front and top
    assert not like((1, 0, 1, 0, 0))  # two faces that do not meet: boards
    assert not like((0.4, 0.4, 0.4, 0.4, 0.4))
    assert not like((1, 1, 1, 1, 1), share=0.6)
    assert not like((1, 1, 1, 1, 1), height=0.2)


WALL = Wall((0.0, -1.0), -1.2, -2.0, 2.0, 2.4)  # the plane y = 1.2, the room before it


@given(st.floats(-math.pi, math.pi), st.floats(-5, 5), st.floats(-5, 5))
def test_a_wall_moved_is_the_same_wall(yaw: float, x: float, y: float) -> None:
    motion = se3.exp(np.array([0, 0, 0, 0, 0, yaw]))
    motion[:2, 3] = x, y
    points = np.array([[0, 1.2, 1], [1.9, 1.25, 1], [2.2, 1.2, 1], [0, 1.1, 1], [0, 1.35, 1], [0, 1.5, 1]])
    expected = [
        True,
        True,
        False,
        False,
        True,
        False,
    ]  # on it, behind its end, before it, in a recess, beyond
    assert belongs(points, WALL).tolist() == expected
    assert belongs(se3.apply(motion, points), WALL.moved(motion)).tolist() == expected


@pytest.mark.parametrize("quarters", range(4))
def test_only_the_side_at_the_wall_moves(quarters: int) -> None:
    cabinet = UprightBox((0.2, 0.9, 0), 0.0, (0.8, 0.44, 0.9)).turned(quarters)
    grown = up_to(WALL, cabinet).turned(-quarters)
    assert grown.yaw == pytest.approx(0)
    assert np.allclose(grown.size, (0.8, 0.52, 0.9))
    assert np.allclose(grown.foot, (0.2, 0.94, 0))


@pytest.mark.parametrize(
    "other",
    [
        UprightBox((0.2, 0.5, 0), 0.0, (0.8, 0.44, 0.9)),  # in the room
        UprightBox((0.2, 0.9, 0), 0.5, (0.8, 0.44, 0.9)),  # askew
        UprightBox((2.5, 0.9, 0), 0.0, (0.8, 0.44, 0.9)),  # past the wall's end
        UprightBox((0.2, 1.1, 0), 0.0, (0.8, 0.44, 0.9)),  # reaches into it already
    ],
)
def test_what_does_not_stand_against_the_wall_stays(other: UprightBox) -> None:
    assert up_to(WALL, other) == other


def test_large_upright_planes_are_walls_and_small_ones_are_not() -> None:
    x, z = (a.ravel() for a in np.meshgrid(np.arange(-1.5, 1.5, 0.02), np.arange(0, 2.4, 0.02)))
    points = np.stack([x, 1.2 + 0.01 * stream(0, "wall").normal(size=x.size), z], 1)
    normals, areas = np.tile([0, -1.0, 0], (len(x), 1)), np.full(len(x), 0.02**2)
    (wall,) = find_walls(points, normals, areas)
    assert wall.distance == pytest.approx(-1.2, abs=2e-3)
    assert np.allclose(wall.normal, (0, -1), atol=0.01)
    assert (wall.low, wall.high, wall.height) == pytest.approx((-1.5, 1.5, 2.4), abs=0.05)
    for few in (np.abs(x) < 0.4, z < 0.6):
        assert find_walls(points[few], normals[few], areas[few]) == []
    assert find_walls(points[:0], normals[:0], areas[:0]) == []


@pytest.mark.captures
def test_the_pedestal_is_the_one_thing_and_a_box(fused_scan: Callable[[str], Any]) -> None:
    _, _, things = stood(fused_scan("tum_fr3_cabinet"))
    (thing,) = things.things
    assert thing.box_like
    assert thing.found.share > 0.9
    assert thing.completeness > 0.95
    # Depth makes this one about 2 cm too large; it is the pictures' task to mend it.
    assert np.allclose(sorted(thing.box.size), (0.438, 0.559, 0.784), atol=0.03)


@pytest.mark.captures
def test_the_chair_is_a_thing_and_no_box(fused_scan: Callable[[str], Any]) -> None:
    _, _, things = stood(fused_scan("3dscannerapp_chair"))
    chair = things.things[0]
    assert np.allclose(chair.box.size, (0.60, 0.69, 0.93), atol=0.1)
    assert chair.box.foot[2] == 0
    assert not any(thing.box_like for thing in things.things)
    assert {f.code for f in things.findings} == {"far-things-left-out"}


@pytest.mark.captures
def test_the_corridor_holds_two_bins_an_extinguisher_and_walls(fused_scan: Callable[[str], Any]) -> None:
    _, _, things = stood(fused_scan("3dscannerapp_corridor"))
    *bins, extinguisher = things.things
    assert len(bins) == 2
    for thing in bins:
        assert np.allclose(thing.box.size, (0.3, 0.3, 0.45), atol=0.12)
    assert np.allclose(sorted(extinguisher.box.size), (0.17, 0.2, 0.4), atol=0.13)
    assert not any(thing.box_like for thing in things.things)
    assert "structure-left-out" in {f.code for f in things.findings}
