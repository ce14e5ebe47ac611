"""Real captures run through: what is found stands, what can't be done yet is said."""

from pathlib import Path

import numpy as np
import pytest

from pocketworld import api
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.reconstruct.record import Reconstruction
from pocketworld.reconstruct.twin import reconstruct
from pocketworld.scene import JointKind

PLACES = [("3dscannerapp_chair", None), ("3dscannerapp_corridor", "0:40")]


@pytest.fixture(scope="module", params=PLACES, ids=["chair", "corridor"])
def made(request: pytest.FixtureRequest, captures: Path) -> tuple[str, Reconstruction]:
    name, frames = request.param
    told: list[str] = []
    made = reconstruct(api.read(captures / name, frames), told.append)
    assert told[0] == "the surface is fused"
    assert told[-1] == "furniture is measured, its fronts are read"
    return name, made


def test_nothing_opens(made: tuple[str, Reconstruction]) -> None:
    assert list(made[1].scene.joints()) == []
    for asset in made[1].scene.assets:
        assert all(joint.kind is JointKind.FIXED for joint in asset.joints)


def test_the_floor_is_at_zero_and_level(made: tuple[str, Reconstruction]) -> None:
    surface = made[1].surface
    level = surface.normals[:, 2] > np.cos(np.radians(15))
    heights = surface.vertices[level & (np.abs(surface.vertices[:, 2]) < 0.05), 2]
    assert len(heights) > 1000
    assert abs(np.median(heights)) < 0.005
    low = surface.vertices[level & (np.abs(surface.vertices[:, 2]) < 0.05)]
    slope, *_ = np.linalg.lstsq(np.c_[low[:, :2], np.ones(len(low))], low[:, 2], rcond=None)
    assert np.degrees(np.linalg.norm(slope[:2])) < 0.5


def test_findings_say_what_is_not_done_yet(made: tuple[str, Reconstruction]) -> None:
    name, twin = made
    codes = {finding.code for finding in twin.scene.findings}
    assert "solid" in codes
    if name.endswith("corridor"):
        lost = [f.text for f in twin.scene.findings if f.severity is Severity.LOST]
        assert any("walls are not built yet" in text for text in lost)
    subjects = {f.subject for f in twin.scene.findings if f.code == "solid"}
    assert subjects == {asset.id for asset in twin.scene.assets if asset.family == "solid"}


def test_ids_are_plain_and_provenance_is_kept(made: tuple[str, Reconstruction]) -> None:
    name, twin = made
    assert twin.scene.provenance["capture"] == name
    for number, asset in enumerate(twin.scene.assets, 1):
        assert asset.id == f"solid-{number}"
    assert {relation.b for relation in twin.scene.relations} == {"floor"}


def test_the_captures_own_frame_is_kept(made: tuple[str, Reconstruction], captures: Path) -> None:
    name, twin = made
    capture = api.read(captures / name, "0:1")
    scene_from_capture = np.array(twin.scene.scene_from_capture)
    np.testing.assert_allclose(
        scene_from_capture[:3, :3] @ scene_from_capture[:3, :3].T, np.eye(3), atol=1e-9
    )
    world_from_capture = capture.world_from_capture
    scene_from_world = scene_from_capture @ se3.inverse(world_from_capture)
    eye = se3.apply(scene_from_world, capture.world_from_camera[:, :3, 3])[0]
    assert 1.0 < eye[2] < 2.0  # a person holds a phone there
