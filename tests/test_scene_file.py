"""A scene survives the disk to the bit; what is damaged is one line."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketworld import scene_file
from pocketworld.errors import WorldError
from pocketworld.findings import Finding, Severity
from pocketworld.geometry.convex import BoxPiece, HullPiece
from pocketworld.scene import (
    Asset,
    Base,
    Belief,
    Handle,
    HandleKind,
    Hypothesis,
    Joint,
    JointKind,
    Material,
    Mesh,
    Part,
    Pose,
    Rectangle,
    Relation,
    Scene,
    Side,
)

TRIANGLE = np.array([[0, 1, 2]], np.int32)


def mesh(shift: float = 0.0, coloured: bool = False) -> Mesh:
    vertices = np.eye(3, dtype=np.float32) + np.float32(shift)
    colours = np.array([[1, 2, 3], [4, 5, 6], [250, 0, 9]], np.uint8) if coloured else None
    return Mesh(vertices, TRIANGLE.copy(), Material((0.1, 0.2, 0.3), 0.4, 0.5), colours, seen=coloured)


@pytest.fixture
def kitchen() -> Scene:
    """One of everything that a scene can hold."""
    hull = HullPiece(((0.0, 0, 0), (1.0, 0, 0), (0.0, 1, 0), (0.0, 0, 1)))
    inertia = (1.0, 1.0, 1.0, 0.0, 0.0, 0.1)
    body = Part(
        "body",
        "body",
        (mesh(), mesh(0.1, True)),
        (BoxPiece((0, 0, 0.5), (1, 1, 1)), hull),
        9.5,
        (0, 0, 0.5),
        inertia,
    )
    front = Rectangle((0, -0.5, 0.5), (1, 0, 0), (0, 0, 1), 0.4, 0.2)
    handle = Handle(HandleKind.BOW, (0, -0.53, 0.5), (1, 0, 0), (0, -1, 0), 0.13, 0.01, 0.03)
    drawer = Part(
        "drawer_0",
        "drawer",
        (mesh(0.2),),
        (BoxPiece((0, -0.5, 0.5), (0.4, 0.02, 0.2)),),
        1.0,
        (0, 0, 0),
        inertia,
        front,
        handle,
    )
    slide = Hypothesis(JointKind.SLIDE, Side.NONE, 0.9, (0, -1, 0), 0.01, (0, 0, 0), 0.002, 0.4, 0.1)
    fixed = Hypothesis(JointKind.FIXED, Side.NONE, 0.1)
    joint = Joint(
        "0",
        JointKind.SLIDE,
        "body",
        "drawer_0",
        Belief((slide, fixed), ("a bow",)),
        (0, -1, 0),
        (0, 0, 0),
        (0, 0.4),
        0.1,
        5.0,
        2.0,
    )
    asset = Asset(
        "cabinet",
        "cabinet",
        {"width": 0.5, "grid": {"sizes": [1, 2]}},
        (body, drawer),
        (joint,),
        Pose.upright((1, 2, 0), 0.3),
        Base.FREE,
        ((0.2, {"width": 0.4}),),
    )
    finding = Finding("size-guessed", Severity.NOTE, "reconstruct", "cabinet", "a guess", {"sigma_m": 0.01})
    return Scene(
        "kitchen",
        (asset,),
        (Relation("on", "cabinet", "floor"),),
        provenance={"licence": "MIT"},
        findings=(finding,),
    )


def test_what_is_saved_comes_back_to_the_bit(kitchen: Scene, tmp_path: Path) -> None:
    scene_file.save(kitchen, tmp_path)
    again = scene_file.load(tmp_path)
    assert scene_file.digest(again) == scene_file.digest(kitchen)
    assert again.assets[0].joints == kitchen.assets[0].joints
    assert again.assets[0].parts[0].pieces == kitchen.assets[0].parts[0].pieces
    assert again.findings == kitchen.findings
    for old, new in zip(kitchen.assets[0].parts, again.assets[0].parts, strict=True):
        for a, b in zip(old.meshes, new.meshes, strict=True):
            np.testing.assert_array_equal(a.vertices, b.vertices)
            assert (a.material, a.seen) == (b.material, b.seen)


def test_two_saves_are_the_same_bytes(kitchen: Scene, tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        scene_file.save(kitchen, folder)
    a, b = ({p.name: p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in folders)
    assert a == b


def test_without_meshes_all_else_is_the_same(kitchen: Scene, tmp_path: Path) -> None:
    scene_file.save(kitchen, tmp_path)
    for file in (tmp_path / "meshes").iterdir():
        file.unlink()
    bare = scene_file.load(tmp_path, visual=False)
    assert all(part.meshes == () for part in bare.assets[0].parts)
    assert bare.assets[0].joints == kitchen.assets[0].joints
    with pytest.raises(WorldError, match=r"\.glb does not exist"):
        scene_file.load(tmp_path)


@given(st.floats(0.125, 100, width=32), st.integers(0, 5))
def test_the_digest_sees_each_number(value: float, which: int) -> None:
    part = Part("p", "body", (mesh(),), (BoxPiece((0, 0, 0), (1, 1, 1)),), 1.0, (0, 0, 0), (1, 1, 1, 0, 0, 0))
    scene = Scene("s", (Asset("a", "box", {}, (part,)),))
    changed = [
        replace(part, mass=1.0 + value),
        replace(part, com=(value, 0, 0)),
        replace(part, meshes=(mesh(value),)),
        replace(part, meshes=()),
        replace(part, pieces=(BoxPiece((value, 0, 0), (1, 1, 1)),)),
        replace(part, meshes=(mesh(0, True),)),
    ][which]
    other = replace(scene, assets=(replace(scene.assets[0], parts=(changed,)),))
    assert scene_file.digest(other) != scene_file.digest(scene)


def test_a_foreign_viewer_sees_it_upright(tmp_path: Path) -> None:
    import trimesh

    tall = Mesh(np.array([[0, 0, 0], [1, 0, 0], [0, 0, 5]], np.float32), TRIANGLE.copy())
    (tmp_path / "a.glb").write_bytes(scene_file.glb((tall,)))
    low, high = trimesh.load_scene(tmp_path / "a.glb").bounds
    np.testing.assert_allclose(high - low, [1, 5, 0])  # y is up in glTF


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda d: d.update(format=99), r"scene\.json has format 99, known is up to 1; update pocketworld$"),
        (lambda d: d["scene"].pop("assets"), r"scene\.json is no scene we know: .*assets"),
        (lambda d: d.pop("looks"), r"scene\.json is no scene we know: 'looks'"),
        (lambda d: d["scene"]["assets"][0]["joints"][0].update(axis=[1, 1, 1]), "axis has length 1.7"),
        (lambda d: d["scene"]["assets"][0]["parts"][0].update(mass="heavy"), "is no scene we know: .*mass"),
        (lambda d: d.pop("format"), r"scene\.json is no scene we know: 'format'"),
        (
            lambda d: d["scene"]["assets"][0]["pose"].update(position=[0, math.nan, 0]),
            r"scene\.json .*pose: pos",
        ),
        (
            lambda d: d["scene"]["assets"][0]["parts"][0].update(mass=math.inf),
            r"scene\.json .*part body: its mass",
        ),
        (
            lambda d: d["scene"]["assets"][0]["joints"][0].update(damping=math.nan),
            r"scene\.json .*joint 0: its",
        ),
    ],
)
def test_a_damaged_scene_is_one_line(kitchen: Scene, tmp_path: Path, break_it: object, says: str) -> None:
    scene_file.save(kitchen, tmp_path)
    document = json.loads((tmp_path / "scene.json").read_text())
    break_it(document)  # type: ignore[operator]
    (tmp_path / "scene.json").write_text(json.dumps(document))
    with pytest.raises(Exception, match=says) as caught:
        scene_file.load(tmp_path)
    assert "\n" not in str(caught.value)
    assert type(caught.value).__module__ == "pocketworld.errors"


def test_no_scene_and_no_json(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"scene\.json does not exist; pocketworld run"):
        scene_file.load(tmp_path)
    (tmp_path / "scene.json").write_text("{")
    with pytest.raises(WorldError, match=r"is no scene we know"):
        scene_file.load(tmp_path)
