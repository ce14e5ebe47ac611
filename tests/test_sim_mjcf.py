"""Scenes as MJCF: what MuJoCo reads back is what the scene says; who collides with whom."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.families.box import Box, BoxFamily
from pocketworld.families.cabinet.build import build
from pocketworld.families.cabinet.handles import usual
from pocketworld.families.cabinet.parameters import Cabinet, Front, FrontKind, Split
from pocketworld.families.cabinet.sample import sample
from pocketworld.families.protocol import Site
from pocketworld.geometry.convex import BoxPiece, HullPiece
from pocketworld.rng import stream
from pocketworld.scene import Asset, Base, HandleKind, JointKind, Material, Mesh, Part, Pose, Scene, Side
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.framing import camera, extent, poses
from pocketworld.sim.robots.hand import hand

Array = NDArray[np.float64]
SITE = Site((2.0, 0.9, 2.4))


def drawn(number: int) -> Scene:
    asset = build(sample(lambda name: stream(number, "mjcf", name), SITE), "cab")
    way = stream(number, "pose")
    x, y, yaw = way.uniform(-2, 2), way.uniform(-2, 2), way.uniform(-3, 3)
    return Scene(f"drawn {number}", (replace(asset, pose=Pose.upright((x, y, 0.0), yaw)),))


def chest(*kinds: FrontKind, handle: HandleKind = HandleKind.BAR, state: float = 0.0) -> Asset:
    side = {FrontKind.DOOR: Side.LEFT, FrontKind.SLIDING: Side.RIGHT}
    fronts = tuple(Front(k, side.get(k, Side.NONE), usual(handle), state=state) for k in kinds)
    grid = fronts[0] if len(fronts) == 1 else Split(True, (1.0,) * len(fronts), fronts)
    return build(Cabinet(0.5, 0.45, 0.2 * len(fronts) + 0.1, grid), "chest")


def box(id: str, centre: tuple[float, float, float], side: float = 0.1) -> Asset:
    made = BoxFamily().build(Box(side, side, side), id)
    x, y, z = centre
    return replace(made, pose=Pose((x, y, z - side / 2)))


def forward(scene: Scene, **joints: float) -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = mjcf.document(scene, visual=False).compile()
    data = mujoco.MjData(model)
    mujoco.mj_resetDataKeyframe(model, data, 0)
    for name, q in joints.items():
        data.joint(f"chest/{name}").qpos = q
    mujoco.mj_forward(model, data)
    return model, data


def touching(model: mujoco.MjModel, data: mujoco.MjData) -> set[frozenset[str]]:
    bodies = model.geom_bodyid
    return {
        frozenset((model.body(bodies[c.geom1]).name, model.body(bodies[c.geom2]).name)) for c in data.contact
    }


@pytest.mark.parametrize("number", range(8))
def test_parts_stand_where_the_kernel_says_for_any_opening(number: int) -> None:
    scene = drawn(number)
    (asset,) = scene.assets
    model = mjcf.document(scene, visual=False).compile()
    data = mujoco.MjData(model)
    for openness in (0.0, 0.37, 1.0):
        for joint in asset.movable:
            data.joint(f"cab/{joint.id}").qpos = openness * joint.range[1]
        mujoco.mj_kinematics(model, data)
        for part, moved in poses(asset, openness).items():
            scene_from_part = asset.pose.matrix @ moved
            body = data.body(f"cab/{part}")
            assert np.allclose(body.xpos, scene_from_part[:3, 3], atol=1e-8)
            assert np.allclose(body.xmat.reshape(3, 3), scene_from_part[:3, :3], atol=1e-8)


@pytest.mark.parametrize("number", range(8))
def test_masses_ranges_and_friction_are_the_scenes(number: int) -> None:
    scene = drawn(number)
    (asset,) = scene.assets
    model = mjcf.document(scene, visual=False).compile()
    for part in asset.parts:
        body = model.body(f"cab/{part.id}")
        assert body.mass[0] == pytest.approx(part.mass, rel=1e-8)
        assert body.ipos == pytest.approx(np.array(part.com), abs=1e-8)
        turn = np.zeros(9)
        mujoco.mju_quat2Mat(turn, body.iquat)
        axes = turn.reshape(3, 3)
        ixx, iyy, izz, ixy, ixz, iyz = part.inertia
        full = np.array([[ixx, ixy, ixz], [ixy, iyy, iyz], [ixz, iyz, izz]])
        assert np.allclose(axes @ np.diag(body.inertia) @ axes.T, full, rtol=1e-6, atol=1e-9)
    for joint in asset.movable:
        made = model.joint(f"cab/{joint.id}")
        assert made.range == pytest.approx(np.array(joint.range), rel=1e-8)
        assert (made.damping[0], made.frictionloss[0]) == pytest.approx((joint.damping, joint.frictionloss))
        assert made.type[0] == (2 if joint.kind is JointKind.SLIDE else 3)
    assert model.nv == len(asset.movable)


def test_the_solver_is_set_so_that_things_keep_still() -> None:
    model = mjcf.document(Scene("s", (chest(FrontKind.DRAWER),)), visual=False).compile()
    option = model.opt
    assert option.integrator == mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    assert option.cone == mujoco.mjtCone.mjCONE_ELLIPTIC
    assert option.solver == mujoco.mjtSolver.mjSOL_NEWTON
    assert option.impratio == 10
    assert 0.002 <= option.timestep <= 0.004
    off = mujoco.mjtDisableBit.mjDSBL_ISLAND | mujoco.mjtDisableBit.mjDSBL_MULTICCD
    assert not option.disableflags & off
    assert (model.geom_solref[:, 0] >= 2 * option.timestep).all()
    assert model.dof_solref[:, 0] == pytest.approx(2 * option.timestep)
    assert model.dof_solimp[:, :2] == pytest.approx(0.9999)


def test_collision_geoms_are_in_group_3_and_visual_ones_in_group_2() -> None:
    scene = Scene("s", (chest(FrontKind.DRAWER, FrontKind.DOOR), box("parcel", (0, -1, 0.05))))
    model = mjcf.document(scene).compile()
    collides = (model.geom_contype != 0) | (model.geom_conaffinity != 0)
    floor = model.geom("floor").id
    inside = np.arange(model.ngeom) != floor
    assert set(model.geom_group[collides & inside]) == {3}
    assert set(model.geom_group[~collides]) == {2}
    pieces = sum(len(part.pieces) for asset in scene.assets for part in asset.parts)
    assert (collides & inside).sum() == pieces
    assert (model.geom_type[~collides] == mujoco.mjtGeom.mjGEOM_MESH).all()
    assert not (mjcf.document(scene, visual=False).compile().geom_group == 2).any()


def test_looks_change_no_physics() -> None:
    """The visual model has the same joints in the same order, and steps to the same bits."""
    scene = drawn(3)
    ends = []
    for visual in (False, True):
        model = mjcf.document(scene, visual=visual).compile()
        data = mujoco.MjData(model)
        mujoco.mj_resetDataKeyframe(model, data, 0)
        data.qvel[:] = 0.3
        mujoco.mj_step(model, data, nstep=200)
        ends.append(data.qpos.copy())
    assert np.array_equal(ends[0], ends[1])


# Who meets whom


def test_parts_of_one_asset_pass_through_each_other() -> None:
    """That they need not is proved by the sweep, with every filter off: a planted clash shows no contact."""
    asset = chest(FrontKind.DRAWER, FrontKind.DRAWER)
    lower = asset.parts[2]
    wide = tuple(
        replace(piece, size=(piece.size[0] * 1.5, *piece.size[1:])) if isinstance(piece, BoxPiece) else piece
        for piece in lower.pieces
    )
    clash = replace(asset, parts=(*asset.parts[:2], replace(lower, pieces=wide)))
    assert touching(*forward(Scene("s", (clash,)))) == set()


def test_things_meet_everything_the_insides_of_drawers_too() -> None:
    asset = chest(FrontKind.DRAWER)
    drawer = asset.movable[0]
    inside = box("parcel", (0.0, -0.32, 0.17), 0.06)
    model, data = forward(Scene("s", (asset, inside)), **{drawer.id: drawer.range[1]})
    mujoco.mj_step(model, data, nstep=500)
    parcel = f"parcel/{inside.parts[0].id}"
    assert touching(model, data) == {frozenset((parcel, f"chest/{drawer.child}"))}
    bottom = min(piece.vertices[:, 2].max() for piece in asset.part(drawer.child).pieces)
    assert data.body(parcel).xpos[2] == pytest.approx(bottom, abs=5e-4)


def test_things_meet_each_other_the_floor_and_what_stands() -> None:
    asset = chest(FrontKind.DRAWER)
    scene = Scene(
        "s",
        (
            asset,
            box("one", (1.0, 0, 0.0499)),
            box("two", (1.0, 0, 0.1497)),
            box("on", (0.0, 0.05, 0.3499)),
        ),
    )
    names = {asset.id: f"{asset.id}/{asset.parts[0].id}" for asset in scene.assets}
    pairs = touching(*forward(scene))
    assert pairs == {
        frozenset(("world", names["one"])),
        frozenset((names["one"], names["two"])),
        frozenset((names["on"], names["chest"])),
    }


def test_parts_of_different_assets_meet() -> None:
    """A drawer that is pulled out runs into the cabinet across."""
    one = chest(FrontKind.DRAWER)
    joint = one.movable[0]
    other = replace(build(Cabinet(0.5, 0.45, 0.3), "other"), pose=Pose((0.0, -0.65, 0.0)))
    model, data = forward(Scene("s", (one, other)), **{joint.id: joint.range[1]})
    assert frozenset((f"chest/{joint.child}", "other/body")) in touching(model, data)


def test_the_hand_meets_doors_drawers_and_the_floor() -> None:
    scene = Scene("s", (chest(FrontKind.DOOR),))
    model = mjcf.document(scene, visual=False, extra=hand()).compile()
    data = mujoco.MjData(model)
    door = scene.assets[0].parts[1]
    assert door.front is not None
    for at, met in ((door.front.centre, f"chest/{door.id}"), ((1.0, 1.0, 0.01), "world")):
        mujoco.mj_resetDataKeyframe(model, data, 0)
        first = int(model.joint("hand/x").qposadr[0])
        data.qpos[first : first + 3] = at
        data.qpos[first + 3] = -np.pi / 2
        mujoco.mj_forward(model, data)
        assert any(
            met in pair and any(name.startswith("hand") for name in pair) for pair in touching(model, data)
        )


def test_fixed_furniture_does_not_scrape_on_the_floor() -> None:
    """A front that begins at the floor touches nothing, whatever the noise in its size."""
    sunk = replace(chest(FrontKind.DRAWER), pose=Pose((0.0, 0.0, -0.01)))
    assert touching(*forward(Scene("s", (sunk,)))) == set()


# Keyframes, files, names


def test_keyframes_are_closed_captured_and_open() -> None:
    scene = Scene("s", (box("parcel", (1, 2, 0.05)), chest(FrontKind.DRAWER, FrontKind.DOOR, state=0.5)))
    model = mjcf.document(scene, visual=False).compile()
    joints = scene.assets[1].movable
    expected = {
        "closed": [0.0] * 2,
        "captured": [joint.state for joint in joints],
        "open": [joint.range[1] for joint in joints],
    }
    assert min(expected["captured"]) > 0.05
    for name, values in expected.items():
        qpos = model.key(name).qpos
        assert qpos[:7] == pytest.approx([1, 2, 0, 1, 0, 0, 0])
        adr = [int(model.joint(f"chest/{joint.id}").qposadr[0]) for joint in joints]
        assert qpos[adr] == pytest.approx(values, rel=1e-8)


def test_a_free_asset_falls_and_a_fixed_one_hangs() -> None:
    scene = Scene("s", (box("parcel", (1, 0, 0.5)), replace(box("still", (2, 0, 0.5)), base=Base.FIXED)))
    model, data = forward(scene)
    mujoco.mj_step(model, data, nstep=500)
    heights = [float(data.body(f"{asset.id}/{asset.parts[0].id}").xpos[2]) for asset in scene.assets]
    assert heights == pytest.approx([0.0, 0.45], abs=1e-3)


def test_hulls_and_turned_boxes_keep_volume_and_place() -> None:
    wedge = HullPiece(
        tuple((x, y, z) for x, y, z in product((0.0, 0.2), (0.0, 0.1), (0.0, 0.3)) if x == 0 or z == 0)
    )
    turned = BoxPiece((0.0, 0.0, 1.0), (0.2, 0.1, 0.05), (np.cos(0.3), 0.0, 0.0, np.sin(0.3)))
    part = Part("p", "body", (), (wedge, turned), 1.0, (0.1, 0.05, 0.1), (0.01, 0.01, 0.01, 0.0, 0.0, 0.0))
    model, data = forward(Scene("s", (Asset("odd", "solid", {}, (part,)),)))
    mesh = model.geom_dataid[model.geom_type == mujoco.mjtGeom.mjGEOM_MESH][0]
    where = model.mesh_vertadr[mesh], model.mesh_vertadr[mesh] + model.mesh_vertnum[mesh]
    geom = int(np.flatnonzero(model.geom_dataid == mesh)[0])
    turn = data.geom_xmat[geom].reshape(3, 3)
    made = model.mesh_vert[slice(*where)] @ turn.T + data.geom_xpos[geom]
    gaps = np.linalg.norm(made[:, None] - wedge.vertices, axis=-1)
    assert gaps.min(0).max() < 1e-6
    box_geom = int(np.flatnonzero(model.geom_type == mujoco.mjtGeom.mjGEOM_BOX)[0])
    assert data.geom_xpos[box_geom] == pytest.approx((0, 0, 1))
    assert model.geom_size[box_geom] == pytest.approx((0.1, 0.05, 0.025))


def test_odd_names_survive() -> None:
    asset = replace(chest(FrontKind.DRAWER), id='a & "b" <c>')
    model = mjcf.document(Scene('s & "t"', (asset,)), visual=False).compile()
    assert model.body('a & "b" <c>/body').id == 1


def test_what_is_written_opens_elsewhere_and_has_the_same_bytes_again(tmp_path: Path) -> None:
    scene = drawn(1)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert mjcf.write(scene, tmp_path / name) == tmp_path / name / "scene.xml"
    files = {
        name: {f.relative_to(tmp_path / name): f.read_bytes() for f in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("one", "two")
    }
    assert files["one"] == files["two"]
    assert len(files["one"]) > 3
    (tmp_path / "one").rename(tmp_path / "moved")
    command = "import mujoco, sys; m = mujoco.MjModel.from_xml_path(sys.argv[1]); print(m.njnt, m.nkey)"
    run = [sys.executable, "-c", command, str(tmp_path / "moved" / "scene.xml")]
    out = subprocess.run(run, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert out.split() == [str(len(scene.assets[0].movable)), "3"]


def test_equal_meshes_share_a_file() -> None:
    scene = drawn(2)
    twice = replace(
        scene, assets=(scene.assets[0], replace(scene.assets[0], id="again", pose=Pose((3.0, 0, 0))))
    )
    assert mjcf.document(twice).files.keys() == mjcf.document(scene).files.keys()


def test_a_part_without_mass_is_refused_in_one_line() -> None:
    asset = chest(FrontKind.DRAWER)
    light = replace(asset.parts[1], mass=0.0, inertia=(0.0,) * 6)
    scene = Scene("s", (replace(asset, parts=(asset.parts[0], light)),))
    with pytest.raises(
        PocketworldError, match=r"^MuJoCo refuses the scene: .*chest/drawer_0.*; each part needs mass"
    ):
        mjcf.document(scene).compile()


def test_an_empty_scene_is_a_floor() -> None:
    model = mjcf.document(Scene("empty", ())).compile()
    assert (model.nbody, model.ngeom, model.nkey) == (1, 1, 3)


# What one sees


def test_scanned_colours_become_a_few_patches_of_their_mean() -> None:
    base = box("scanned", (0, 0, 0.05))
    mesh = base.parts[0].meshes[0]
    corners = mesh.vertices[mesh.faces].reshape(-1, 3)  # no two faces share one
    n = len(corners)
    colours = np.where(np.arange(n)[:, None] < n // 2, (200, 60, 20), (20, 60, 200)).astype(np.uint8)
    painted = Mesh(corners, np.arange(n, dtype=np.int32).reshape(-1, 3), Material(), colours)
    scene = Scene("s", (replace(base, parts=(replace(base.parts[0], meshes=(painted,)),)),))
    model = mjcf.document(scene).compile()
    seen = model.mat_rgba[model.geom_matid[model.geom_group == 2]][:, :3]
    assert sorted(np.round(seen * 255).astype(int).tolist()) == [[20, 60, 200], [200, 60, 20]]
    faces = sum(int(model.mesh_facenum[i]) for i in model.geom_dataid[model.geom_group == 2])
    assert faces == len(mesh.faces)


def test_large_meshes_are_split_as_one_file_holds_so_many_faces() -> None:
    base = box("large", (0, 0, 0.05))
    grid = np.stack(
        [a.ravel() for a in (*np.meshgrid(np.arange(400.0), np.arange(300.0)), np.zeros((300, 400)))], 1
    )
    i = (np.arange(299)[:, None] * 400 + np.arange(399)).ravel()
    faces = np.concatenate([np.stack([i, i + 1, i + 400], 1), np.stack([i + 1, i + 401, i + 400], 1)])
    mesh = Mesh((grid * 1e-3).astype(np.float32), faces.astype(np.int32))
    scene = Scene("s", (replace(base, parts=(replace(base.parts[0], meshes=(mesh,)),)),))
    model = mjcf.document(scene).compile()
    assert int(model.mesh_facenum.sum()) == len(faces) > 200_000
    assert model.nmesh == 2


@pytest.mark.parametrize("number", range(4))
def test_the_front_camera_sees_all_closed_and_open(number: int) -> None:
    scene = drawn(number)
    frame = camera(scene)
    right, up = np.array(frame.right), np.array(frame.up)
    back = np.cross(right, up)
    seen = (extent(scene.assets) - frame.position) @ np.stack([right, up, back]).T
    depth = -seen[:, 2]
    tall = np.tan(np.radians(frame.fovy) / 2)
    x, y = np.abs(seen[:, 0]) / depth / (tall * 4 / 3), np.abs(seen[:, 1]) / depth / tall
    assert depth.min() > 0
    assert max(x.max(), y.max()) == pytest.approx(0.9, abs=0.08)
    front = scene.assets[0].pose.matrix[:3, :3] @ (0, -1, 0)
    assert back @ front > 0.5
    assert back[2] > 0.2


def test_the_camera_follows_the_furniture() -> None:
    """Turned and moved as a whole, a scene is framed the same."""
    scene = drawn(5)
    there = Pose.upright((3.0, -1.0, 0.0), 2.0)
    asset = scene.assets[0]
    home = replace(scene, assets=(replace(asset, pose=Pose()),))
    away = replace(scene, assets=(replace(asset, pose=there),))
    at_home, moved = camera(home), camera(away)
    expected = there.matrix @ (*at_home.position, 1)
    assert moved.position == pytest.approx(tuple(expected[:3]), abs=1e-9)
    assert moved.right == pytest.approx(tuple(there.matrix[:3, :3] @ at_home.right), abs=1e-9)
