"""The real pedestal (TUM fr3/cabinet): what a newcomer is promised, against its truth."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pocketworld import api, scene_file
from pocketworld.bench import truth as truths
from pocketworld.bench import truth_file
from pocketworld.bench.score import Score, score
from pocketworld.families.protocol import Elevation
from pocketworld.geometry import se3
from pocketworld.geometry.sweep import sweep
from pocketworld.reconstruct import record
from pocketworld.scan.capture import Frame
from pocketworld.scene import JointKind, Scene

Array = NDArray[np.float64]
MM = 1e-3


@pytest.fixture(scope="module")
def truth(captures: Path) -> truths.Truth:
    return truth_file.load(captures / "truth" / "tum_fr3_cabinet.json")


@pytest.fixture(scope="module")
def twin(pedestal_world: Path) -> Scene:
    return scene_file.load(pedestal_world / "twin")


@pytest.fixture(scope="module")
def result(twin: Scene, truth: truths.Truth) -> Score:
    return score(twin, truth)


def test_one_cabinet_stands_on_the_floor(twin: Scene) -> None:
    (asset,) = twin.assets
    assert asset.family == "cabinet"
    assert asset.pose.position[2] == pytest.approx(0, abs=1e-9)
    lowest = min(piece.vertices[:, 2].min() for part in asset.parts for piece in part.pieces)
    assert lowest == pytest.approx(0, abs=1e-6)


def test_it_is_as_large_as_the_real_one(result: Score) -> None:
    assert result.raw.box is not None
    box = result.raw.box
    assert max(map(abs, (box.width, box.depth, box.height))) <= 20
    assert abs(box.yaw_deg) <= 2


def test_all_four_drawers_and_nothing_else_opens(result: Score, twin: Scene) -> None:
    assert [joint.kind for _, joint in twin.joints()] == [JointKind.SLIDE] * 4
    assert (result.missed, result.false) == ((), ())
    assert result.standard.part.f1 == result.standard.m.f1 == 1
    assert result.standard.ma.f1 == result.standard.mao.f1 == 1


def test_each_front_is_where_the_real_one_is(result: Score) -> None:
    for part in result.raw.parts:
        lowest = part.true.startswith("drawer_4")
        assert abs(part.edges.height) <= (14 if lowest else 8), part
        sides = (part.edges.top, part.edges.left, part.edges.right, *(() if lowest else (part.edges.bottom,)))
        assert max(map(abs, sides)) <= 15, part
        assert abs(part.edges.bottom) <= (14 if lowest else 15), part


def test_each_handle_is_where_the_real_one_is(result: Score) -> None:
    for part in result.raw.parts:
        assert part.handle is not None
        assert part.handle.distance <= 20, part
        assert part.axis_deg <= 2, part


def test_drawers_are_hollow_open_far_and_sweep_clean(twin: Scene) -> None:
    (asset,) = twin.assets
    assert all(overlap.depth <= 0.5 * MM for overlap in sweep(asset))
    for joint in asset.movable:
        assert joint.range[1] >= 0.25
        drawer = asset.part(joint.child)
        assert drawer.front is not None
        inside = np.add(drawer.front.centre, (0, 0.15, 0))
        for piece in drawer.pieces:
            low, high = piece.vertices.min(0), piece.vertices.max(0)
            assert not ((low < inside) & (inside < high)).all()


def test_the_other_faces_are_plain(pedestal_world: Path) -> None:
    (elevations,) = record.load_elevations(pedestal_world / "twin").values()
    assert sorted(e.face for e in elevations) == ["back", "front", "left", "right"]
    front: Elevation = next(e for e in elevations if e.face == "front")
    assert front.frames >= 3
    assert len(front.handles) == 4


def moved_tum(source: Path, target: Path, motion: Array) -> Path:
    """Return the same TUM capture in a world that is turned and moved by `motion` (4, 4)."""
    target.mkdir()
    for name in ("rgb", "depth"):
        shutil.copytree(source / name, target / name)
        shutil.copy(source / f"{name}.txt", target)
    lines = []
    for line in (source / "groundtruth.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        stamp, *numbers = line.split()
        x, y, z, qx, qy, qz, qw = map(float, numbers)
        pose = np.eye(4)
        pose[:3, :3] = rotation_of(np.array([qw, qx, qy, qz]))
        pose[:3, 3] = x, y, z
        pose = motion @ pose
        w, a, b, c = se3.quaternion(pose[:3, :3])
        row = [*pose[:3, 3], a, b, c, w]
        lines.append(" ".join([stamp, *(f"{value:.9f}" for value in row)]))
    (target / "groundtruth.txt").write_text("# moved\n" + "\n".join(lines) + "\n")
    return target


def rotation_of(wxyz: Array) -> Array:
    from pocketworld.geometry.convex import rotation

    w, x, y, z = wxyz / np.linalg.norm(wxyz)
    return rotation((w, x, y, z))


def turned(yaw_deg: float, shift: tuple[float, float, float]) -> Array:
    return se3.exp(np.array([*shift, 0, 0, 0])) @ se3.exp(np.array([0, 0, 0, 0, 0, np.radians(yaw_deg)]))


@pytest.mark.slow
def test_turned_and_moved_it_is_the_same_twin(captures: Path, tmp_path: Path, twin: Scene) -> None:
    motion = turned(30, (2.0, -1.0, 0.0))
    source = moved_tum(captures / "tum_fr3_cabinet", tmp_path / "moved", motion)
    other = api.build_twin(api.read(source))
    (a,), (b,) = twin.assets, other.assets
    assert [j.id for j in a.movable] == [j.id for j in b.movable]
    mine, theirs = (
        se3.inverse(np.array(scene.scene_from_capture)) @ asset.pose.matrix
        for scene, asset in ((twin, a), (other, b))
    )
    off = se3.log(se3.inverse(motion @ mine) @ theirs)
    assert np.linalg.norm(off[:3]) <= 2 * MM
    assert np.degrees(np.linalg.norm(off[3:])) <= 0.2
    for part in a.parts:
        twin_part = b.part(part.id)
        if part.front is not None and twin_part.front is not None:
            ours, other_front = part.front, twin_part.front
            np.testing.assert_allclose(ours.centre, other_front.centre, atol=2 * MM)
            assert ours.height == pytest.approx(other_front.height, abs=2 * MM)
            assert ours.width == pytest.approx(other_front.width, abs=2 * MM)


@pytest.mark.slow
def test_every_second_frame_shows_the_same_parts(captures: Path, twin: Scene, truth: truths.Truth) -> None:
    half = api.build_twin(api.read(captures / "tum_fr3_cabinet", "::2"))
    assert [j.id for _, j in half.joints()] == [j.id for _, j in twin.joints()]
    again = score(half, truth)
    assert again.standard.mao.f1 == 1
    assert again.false == ()


def paint_over(frame: Frame, truth: truths.Truth) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return the frame's colour with the drawers' fronts filled by their median, its depth with them flat."""
    assert frame.colour is not None
    assert frame.depth is not None
    face = truth.box.face
    right, up = np.array(face.right), np.array(face.up)
    out = np.cross(right, up)
    centre = np.array(face.centre)
    eye = frame.world_from_camera[:3, 3]
    if (eye - centre) @ out < 0.1:
        return frame.colour, frame.depth
    # A little more than the face, and a little before it: handles stand out.
    corners = [
        centre + sx * right * (face.width / 2 - 0.004) + sy * up * (face.height / 2 - 0.004)
        for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    camera = frame.depth_camera
    assert camera is not None
    seen = se3.apply(se3.inverse(frame.world_from_camera), np.array(corners))
    pixels = seen[:, :2] / seen[:, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    mask = np.zeros(frame.depth.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(pixels).astype(np.int32), 1)
    inside = mask.astype(bool)
    colour, depth = frame.colour.copy(), frame.depth.copy()
    colour[inside] = np.median(colour[inside], axis=0)
    v, u = np.nonzero(inside)
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(len(u))], -1)
    rays = rays @ frame.world_from_camera[:3, :3].T
    depth[inside] = ((centre - eye) @ out) / (rays @ out)
    return colour, depth


@pytest.mark.slow
def test_painted_over_and_flattened_no_drawer_opens(
    captures: Path, tmp_path: Path, truth: truths.Truth
) -> None:
    source = captures / "tum_fr3_cabinet"
    target = tmp_path / "painted"
    target.mkdir()
    capture = api.read(source)
    for name in ("groundtruth.txt", "rgb.txt", "depth.txt"):
        shutil.copy(source / name, target)
    names = {
        kind: [
            line.split()[1] for line in (source / f"{kind}.txt").read_text().splitlines() if line[0] != "#"
        ]
        for kind in ("rgb", "depth")
    }
    for kind in names:
        (target / kind).mkdir()
    (target / "rgb.txt").write_text((source / "rgb.txt").read_text().replace(".jpg", ".png"))
    for frame, rgb, deep in zip(capture, names["rgb"], names["depth"], strict=True):
        colour, depth = paint_over(frame, truth)
        cv2.imwrite(str((target / rgb).with_suffix(".png")), np.ascontiguousarray(colour[..., ::-1]))
        cv2.imwrite(str(target / deep), np.round(depth * 5000).astype(np.uint16))
    twin = api.build_twin(api.read(target))
    assert len(twin.assets) == 1
    assert list(twin.joints()) == []
