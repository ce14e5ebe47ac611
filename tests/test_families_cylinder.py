"""Round things: outlines turned about an axis, walls to bump into, axes found from one side."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld.errors import PocketworldError
from pocketworld.families.box import Box, BoxFamily
from pocketworld.families.cylinder import Cylinder, CylinderFamily, axis, check, pieces, profile
from pocketworld.families.protocol import Evidence
from pocketworld.rng import stream
from pocketworld.scene import Pose, Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.stability import stand

FAMILY = CylinderFamily()
POT = Cylinder(0.14, 0.3, 1.25, open=True, wall=0.008, bottom=0.008)


@st.composite
def cylinders(pick: st.DrawFn) -> Cylinder:
    radius, height, taper = pick(st.floats(0.03, 0.5)), pick(st.floats(0.05, 1)), pick(st.floats(0.7, 1.5))
    bottom = pick(st.floats(0.002, 0.9 * height))
    return Cylinder(radius, height, taper, pick(st.booleans()), pick(st.floats(0.002, 0.01)), bottom)


def evidence(p: Cylinder, points: np.ndarray, normals: np.ndarray | None = None) -> Evidence:
    looks = np.zeros_like(points) if normals is None else normals
    return Evidence(points, looks, np.full(len(points), 100.0), np.zeros((0, 3)), p.size, (0.01, 0.01, 0.01))


def shell(p: Cylinder, seed: int, count: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Return points and normals on the outer wall."""
    rng = stream(seed, "shell")
    turn, z = rng.uniform(0, 2 * np.pi, count), rng.uniform(0, p.height, count)
    radius = p.radius * (1 + (p.taper - 1) * z / p.height)
    slope = p.radius * (p.taper - 1) / p.height
    normals = np.stack([np.cos(turn), np.sin(turn), np.full(count, -slope)], -1) / math.hypot(1, slope)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn), z], -1), normals


@given(cylinders(), st.integers(0, 10**6))
def test_points_on_its_wall_leave_no_residual_and_those_off_it_their_distance(p: Cylinder, seed: int) -> None:
    points, normals = shell(p, seed)
    assert FAMILY.residual(p, evidence(p, points))[3:] == pytest.approx(np.zeros(len(points)), abs=1e-6)
    off = points + 0.001 * normals
    inner = (off[:, 2] > 0.002) & (off[:, 2] < p.height - 0.002)
    assert FAMILY.residual(p, evidence(p, off))[3:][inner] == pytest.approx(
        np.full(inner.sum(), 0.1), rel=0.01
    )


@given(cylinders())
def test_its_pieces_fill_its_volume(p: Cylinder) -> None:
    outline = profile(p)
    r, z = outline.T
    following = np.roll(outline, -1, 0).T
    # Pappus: the volume of a turned polygon, by its edges.
    edges = (r * following[1] - following[0] * z) * (r + following[0])
    volume = math.pi / 3 * abs(edges.sum())
    round_ = 16 / 2 / math.pi * math.sin(2 * math.pi / 16)  # of a circle's area that 16 corners span
    assert sum(piece.volume for piece in pieces(p)) == pytest.approx(volume * round_, rel=1e-6)


def test_an_open_one_holds_what_is_put_in() -> None:
    pot = FAMILY.build(POT, "pot")
    die = replace(BoxFamily().build(Box(0.06, 0.06, 0.06), "die"), pose=Pose((0, 0, POT.wall)))
    found = stand(mjcf.document(Scene("s", (pot, die)), visual=False).compile(), 5.0)
    assert found.still, found
    closed = FAMILY.build(replace(POT, open=False), "pot")
    stuck = stand(mjcf.document(Scene("s", (closed, die)), visual=False).compile(), 0.1)
    assert stuck.deepest_contact_m > 0.01


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (replace(POT, taper=0.0), "taper is 0; a number"),
        (replace(POT, taper=5.0), "taper is 5; at most 1.5"),
        (replace(POT, wall=0.2), "wall is 0.2; at most"),
        (replace(POT, wall=1e-4), "wall is 0.0001; a number, at least 0.0015"),
        (replace(POT, radius=1e-3), "radius is 0.001"),
    ],
)
def test_what_is_no_round_thing_is_refused(p: Cylinder, message: str) -> None:
    with pytest.raises(PocketworldError, match=f"^cylinder: {message}"):
        check(p)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 6), st.integers(0, 99))
def test_the_axis_is_found_from_one_side_wherever_it_stands(
    x: float, y: float, yaw: float, seed: int
) -> None:
    points, normals = shell(POT, seed, 900)
    seen = normals[:, 0] * math.cos(yaw) + normals[:, 1] * math.sin(yaw) > 0.2
    noise = 0.004 * stream(seed, "noise").normal(size=points.shape)
    found = axis((points + noise)[seen] + (x, y, 0), normals[seen], np.ones(seen.sum()))
    assert found[:2] == pytest.approx((x, y), abs=0.006)
    assert 0.14 < found[2] < 0.175


def test_what_looks_only_up_has_its_axis_in_its_middle_and_nothing_has_it_nowhere() -> None:
    points = np.array([[1.0, 2, 0], [3, 2, 0]])
    assert axis(points, np.tile((0.0, 0, 1), (2, 1)), np.ones(2)) == (2, 2, 0)
    assert axis(points[:0], points[:0], np.ones(0)) == (0, 0, 0)


def test_proposals_have_the_radius_taper_and_height_seen() -> None:
    points, normals = shell(POT, 1)
    closed, hollow = FAMILY.propose(evidence(POT, points, normals))
    soil = np.array([[0.0, 0.0, 0.25]] * 50)
    up = np.tile((0.0, 0.0, 1.0), (50, 1))
    full = FAMILY.propose(evidence(POT, np.concatenate([points, soil]), np.concatenate([normals, up])))[2]
    assert full.open
    assert full.bottom == pytest.approx(0.25)
    assert (closed.open, hollow.open) == (False, True)
    assert (closed.radius, closed.taper, closed.height) == pytest.approx((0.14, 1.25, 0.3), abs=0.01)
    check(hollow)
    empty = evidence(POT, points[:0])
    assert FAMILY.propose(empty)[0].radius == pytest.approx(0.175)


def test_what_is_in_it_weighs_as_contents_do() -> None:
    full = replace(POT, bottom=0.2)
    floor, *walls = pieces(full)
    part = FAMILY.build(full, "p").parts[0]
    assert part.mass == pytest.approx(500 * floor.volume + 1000 * sum(wall.volume for wall in walls))
    empty = FAMILY.build(POT, "p").parts[0]
    assert empty.mass == pytest.approx(1000 * sum(piece.volume for piece in pieces(POT)))
    assert (len(part.meshes), len(empty.meshes)) == (1, 1)
