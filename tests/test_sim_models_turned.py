"""Hulls that are one shape turned: found where they are, and where MuJoCo has them nothing has moved."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import math
from collections.abc import Callable
from dataclasses import replace

import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pocketworld.families.cylinder import SIDES, Cylinder, CylinderFamily
from pocketworld.geometry.convex import BoxPiece, HullPiece, Piece, rotation
from pocketworld.rng import stream
from pocketworld.scene import Pose, Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.turned import SAME, turned

Array = NDArray[np.float64]
MUG = Cylinder(0.04, 0.1, 1.2, True, 0.004, 0.006)


def hull(points: Array) -> HullPiece:
    return HullPiece(tuple((float(x), float(y), float(z)) for x, y, z in points))


def about_z(angle: float) -> Array:
    turn: Array = rotation((math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2)))
    return turn


def some(seed: int, count: int = 8) -> Array:
    """Return points beside the axis."""
    out: Array = stream(seed, "turned").uniform(-0.1, 0.1, (count, 3)) + np.array([0.3, 0.1, 0.5])
    return out


@given(seed=st.integers(0, 2**32 - 1), angles=st.lists(st.floats(-3.1, 3.1), min_size=2, max_size=9))
def test_what_is_turned_is_found_and_turns_back(seed: int, angles: list[float]) -> None:
    first = some(seed)
    pieces: list[Piece] = [BoxPiece((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), hull(first)]
    pieces += [hull(first @ about_z(angle).T) for angle in angles]
    found = turned(pieces)
    assert sorted(found) == list(range(2, len(pieces)))
    for i, (of, wxyz) in found.items():
        assert of == 1
        assert np.abs(first @ rotation(wxyz).T - pieces[i].vertices).max() < 1e-12


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("higher", lambda p: p + np.array([0, 0, 1e-6])),
        ("further out", lambda p: p + np.array([1e-6, 0, 0])),
        ("mirrored", lambda p: p * (1, -1, 1)),
        ("turned about x", lambda p: p @ rotation((math.cos(0.1), math.sin(0.1), 0.0, 0.0)).T),
        ("its points in another order", lambda p: p[::-1]),
        ("one point more", lambda p: np.concatenate([p, p[:1] + 0.2])),
    ],
)
def test_what_is_another_shape_is_left_alone(what: str, change: Callable[[Array], Array]) -> None:
    first = some(3)
    pieces = [hull(first), hull(first @ about_z(1.0).T), hull(change(first)), hull(first @ about_z(2.0).T)]
    assert sorted(turned(pieces)) == [1, 3], what


def test_a_few_hulls_and_boxes_are_left_alone() -> None:
    first = some(1)
    assert turned([hull(first), hull(first @ about_z(1.0).T)]) == {}
    assert turned([BoxPiece((0.0, 0.0, 0.1 * i), (1.0, 1.0, 1.0)) for i in range(5)]) == {}
    assert turned([]) == {}


def test_a_point_that_is_off_by_a_little_more_than_nothing_counts() -> None:
    first = some(2)
    apart = about_z(1.0) @ np.array([0.0, 0.0, 3 * SAME])
    pieces = [hull(first), hull(first @ about_z(1.0).T), hull(first @ about_z(2.0).T)]
    moved = first @ about_z(1.0).T
    moved[0] += apart
    assert sorted(turned(pieces)) == [1, 2]
    assert sorted(turned([pieces[0], hull(moved), pieces[2]])) == [2]


def test_what_is_alike_only_among_later_ones_stays_as_it_is() -> None:
    first, other = some(4), some(5)
    assert turned([hull(first), hull(other), hull(other @ about_z(1.0).T)]) == {}


@pytest.mark.parametrize("visual", [False, True])
def test_a_mug_has_two_meshes_and_each_piece_is_where_it_was(visual: bool) -> None:
    """Corners of each geom in the world, by MuJoCo, against those of its piece, in single precision."""
    made = replace(CylinderFamily().build(MUG, "mug"), pose=Pose.upright((0.4, -0.3, 0.2), 0.7))
    model = mjcf.document(Scene("s", (made,)), visual=visual).compile()
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    solid = np.flatnonzero((model.geom_type == mujoco.mjtGeom.mjGEOM_MESH) & (model.geom_group == 3))
    pieces = made.parts[0].pieces
    assert len(solid) == len(pieces) == SIDES + 1
    assert len(set(model.geom_dataid[solid].tolist())) == 2
    matrix = made.pose.matrix
    for geom, piece in zip(solid, pieces, strict=True):
        mesh = model.geom_dataid[geom]
        points = model.mesh_vert[model.mesh_vertadr[mesh] :][: model.mesh_vertnum[mesh]]
        found = points @ data.geom_xmat[geom].reshape(3, 3).T + data.geom_xpos[geom]
        wanted = piece.vertices @ matrix[:3, :3].T + matrix[:3, 3]
        gaps = np.linalg.norm(found[:, None] - wanted, axis=2)
        assert max(gaps.min(0).max(), gaps.min(1).max()) < 2e-8


def test_a_mug_of_two_meshes_is_the_same_body_and_falls_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropped upside down, where its wall touches; against one whose pieces have each a mesh of its own."""
    tilt = (math.cos(1.4), math.sin(1.4), 0.0, 0.0)
    mug = replace(CylinderFamily().build(MUG, "mug"), pose=Pose((0.4, -0.3, 0.11), tilt))
    shared = mjcf.document(Scene("s", (mug,)), visual=False).compile()
    monkeypatch.setattr(mjcf, "turned", lambda pieces: {})
    whole = mjcf.document(Scene("s", (mug,)), visual=False).compile()
    assert (shared.nmesh, whole.nmesh) == (2, SIDES + 1)
    for name in ("body_mass", "body_inertia", "body_ipos", "body_iquat"):
        assert np.abs(getattr(shared, name) - getattr(whole, name)).max() < 1e-12, name
    for one, other in zip(dropped(shared), dropped(whole), strict=True):
        assert one.shape == other.shape
        assert np.abs(one - other).max() < 1e-6
    assert dropped(shared)[1].size


def dropped(model: mujoco.MjModel) -> tuple[Array, Array, Array]:
    """Return where all is 0.4 s later, and the places and depths of the contacts in order, m."""
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    mujoco.mj_step(model, data, 100)
    mujoco.mj_forward(model, data)
    order = np.lexsort(np.round(data.contact.pos, 5).T)
    return data.qpos.copy(), data.contact.pos[order], data.contact.dist[order]
