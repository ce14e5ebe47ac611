"""Real captures run through: what is found stands, what no family explains is said."""

from pathlib import Path

import numpy as np
import pytest

from pocketworld import api
from pocketworld.families import registry
from pocketworld.families.box import Box
from pocketworld.findings import Severity
from pocketworld.geometry import se3
from pocketworld.reconstruct.placed import Placed
from pocketworld.reconstruct.record import Reconstruction
from pocketworld.reconstruct.twin import nothing_found, reconstruct

PLACES = [("3dscannerapp_chair", None), ("3dscannerapp_corridor", "0:40")]


@pytest.fixture(scope="module", params=PLACES, ids=["chair", "corridor"])
def made(request: pytest.FixtureRequest, captures: Path) -> tuple[str, Reconstruction]:
    name, frames = request.param
    told: list[str] = []
    made = reconstruct(api.read(captures / name, frames), told.append)
    assert told[0] == "the surface is fused"
    assert told[-1] == "what stands free is measured, its fronts are read"
    return name, made


def test_nothing_opens_but_doors_in_walls(made: tuple[str, Reconstruction]) -> None:
    name, twin = made
    opening = {asset.family for asset, _ in twin.scene.joints()}
    assert opening <= {"room_door"}
    assert bool(opening) == name.endswith("corridor")


def test_the_floor_is_at_zero_and_level(made: tuple[str, Reconstruction]) -> None:
    surface = made[1].surface
    level = surface.normals[:, 2] > np.cos(np.radians(15))
    heights = surface.vertices[level & (np.abs(surface.vertices[:, 2]) < 0.05), 2]
    assert len(heights) > 1000
    assert abs(np.median(heights)) < 0.005
    low = surface.vertices[level & (np.abs(surface.vertices[:, 2]) < 0.05)]
    slope, *_ = np.linalg.lstsq(np.c_[low[:, :2], np.ones(len(low))], low[:, 2], rcond=None)
    assert np.degrees(np.linalg.norm(slope[:2])) < 0.5


def test_only_where_nothing_was_placed_at_all_nothing_stands_there() -> None:
    (found,) = nothing_found((), "hall")
    assert (found.code, found.severity, found.subject) == ("no-things", Severity.LOST, "hall")
    box = registry.family("box").build(Box(1.0, 1.0, 1.0), "box")
    assert nothing_found((Placed(box),), "hall") == ()


def test_findings_say_what_no_family_explains(made: tuple[str, Reconstruction]) -> None:
    scene = made[1].scene
    subjects = {f.subject for f in scene.findings if f.code == "solid"}
    assert subjects == {asset.id for asset in scene.assets if asset.family == "solid"}
    assert subjects
    assert not {"solids", "no-things"} & {f.code for f in scene.findings}


def test_ids_are_plain_and_relations_name_them(made: tuple[str, Reconstruction]) -> None:
    name, twin = made
    scene = twin.scene
    assert scene.provenance["capture"] == name
    ids = {asset.id for asset in scene.assets}
    for asset in scene.assets:
        assert asset.id.rstrip("-0123456789") == asset.family
    for relation in scene.relations:
        assert relation.a in ids
        assert relation.b in {*ids, "floor"}
    for asset in scene.assets:
        if asset.family == "room_door":
            assert {r.b.split("-")[0] for r in scene.relations if (r.kind, r.a) == ("inside", asset.id)} == {
                "wall"
            }


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
