"""What the page shows of a world folder."""

import json
import shlex
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from pocketworld import world
from pocketworld.cousins import sequence, table
from pocketworld.cousins import spec as specs
from pocketworld.errors import WorldError
from pocketworld.families import registry
from pocketworld.families.cabinet.parameters import Cabinet
from pocketworld.families.protocol import Elevation
from pocketworld.findings import Finding, Severity
from pocketworld.reconstruct import record
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.review.report.gather import gather
from pocketworld.review.report.page import write
from pocketworld.review.report.scan_facts import LEGEND, scan_facts
from pocketworld.scan import quality, readers
from pocketworld.scene import Scene

ROOT = Path(__file__).parents[1]
ASSET = registry.family("cabinet").build(Cabinet(0.4, 0.5, 0.6), "cabinet")
TWIN = Scene("a place", (ASSET,), provenance={"licence": "CC0"})
SEEN = Elevation("front", 0.4, 0.6, 0.01, np.full((60, 40, 3), 90, np.uint8), frames=4)


def reconstruction() -> record.Reconstruction:
    shape = trimesh.creation.box((0.4, 0.5, 0.6))
    vertices = np.array(shape.vertices)
    count = len(vertices)
    normals, colours = np.array(shape.vertex_normals), np.full((count, 3), 99, np.uint8)
    surface = Surface(
        vertices, np.array(shape.faces, np.int32), normals, colours, np.ones(count), 0.01, np.eye(4)
    )
    return record.Reconstruction(TWIN, surface, {"cabinet": (SEEN,)})


def build(new: Path) -> Iterable[Finding]:
    record.save(reconstruction(), new)
    return [Finding("guess", Severity.NOTE, "reconstruct", "cabinet", "a guess")]


def assess(new: Path) -> Iterable[Finding]:
    found = quality.assess(readers.read(ROOT / "tests" / "data" / "chair"))
    (new / "quality.json").write_text(json.dumps(found.to_json()))
    Image.fromarray(found.picture().pixels).save(new / "coverage.png")
    return found.findings


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A world with a twin and nothing else."""
    folder = tmp_path / "place.world"
    world.create(folder)
    world.run_stage(folder, "twin", {}, {}, {}, build)
    world.summarise(folder, {"pocketworld": "0.1.0", "versions": {"numpy": "2.0"}})
    return folder


def test_a_world_with_a_twin_only(bare: Path) -> None:
    data = gather(bare)
    assert (data.name, data.licence, data.scan, data.cousins) == ("a place", "CC0", None, ())
    assert [asset.id for asset in data.scene.assets] == ["cabinet"]
    assert any(mesh.vertices.size for part in data.scene.assets[0].parts for mesh in part.meshes)
    assert data.surface is not None
    assert len(data.surface.faces) == 12
    assert [e.face for e in data.elevations["cabinet"]] == ["front"]
    assert [f.code for f in data.findings] == ["guess"]
    assert list(data.costs) == ["twin"]
    assert data.versions == {"pocketworld": "0.1.0", "numpy": "2.0"}
    assert data.commands[0] == f"python -m mujoco.viewer --mjcf={bare / 'mjcf' / 'scene.xml'}"


def test_a_whole_world_becomes_a_page(bare: Path) -> None:
    world.run_stage(bare, "scan", {}, {}, {}, assess)

    def draw(new: Path) -> Iterable[Finding]:
        table.save(sequence.make(TWIN, specs.preset("near"), count=2, name="some"), new)
        return ()

    world.run_stage(bare, "cousins/some", {}, {}, {}, draw)
    data = gather(bare)
    assert data.scan is not None
    assert data.scan.verdict.startswith("Poor: ")
    assert data.scan.plan is not None
    assert [(cousins.name, len(cousins)) for cousins in data.cousins] == [("some", 2)]
    assert f"pocketworld sim {bare} --name some --record some.mp4" in data.commands
    assert list(data.costs) == ["twin", "scan", "cousins/some"]
    write(replace(data, scene=Scene("a place", ()), cousins=()), bare / "page.html")
    assert "a place" in (bare / "page.html").read_text(encoding="utf-8")


def test_commands_can_be_typed_whatever_the_folder_is_called(bare: Path) -> None:
    odd = bare.with_name("my place; rm -rf.world")
    bare.rename(odd)
    *_, cousins = gather(odd).commands
    assert shlex.split(cousins) == ["pocketworld", "cousins", str(odd)]


def test_a_world_without_a_twin_is_refused(tmp_path: Path) -> None:
    world.create(tmp_path / "w")
    with pytest.raises(WorldError, match="does not exist"):
        gather(tmp_path / "w")


@pytest.mark.parametrize("name", ["world.json", "scan/quality.json", "scan/coverage.png"])
@pytest.mark.parametrize("bytes_", [b"", b"{}", b"[1, 2", b"\x89PNG\r\n\x1a\n broken"])
def test_a_damaged_file_is_named_in_one_line(bare: Path, name: str, bytes_: bytes) -> None:
    world.run_stage(bare, "scan", {}, {}, {}, assess)
    (bare / name).write_bytes(bytes_)
    with pytest.raises(WorldError, match=f"{name} is damaged") as caught:
        gather(bare)
    assert "\n" not in str(caught.value)


def test_a_scan_in_words() -> None:
    found = quality.assess(readers.read(ROOT / "tests" / "data" / "chair"))
    facts = scan_facts(found.to_json(), found.picture().pixels)
    said = {name: text.replace("\N{NO-BREAK SPACE}", " ") for name, text in facts.facts}
    assert said["frames"] == "3"
    assert said["pictures"] == "1, 0% of them blurred"
    assert said["depth known"] == "100% of the pixels"
    assert said["depth the device is sure of"] == "76% of the pixels"
    assert said["neighbouring frames agree to"] == "2 mm (median), 8 mm (nine in ten)"
    assert facts.plan is not None
    shown = {tuple(colour) for colour in facts.plan.reshape(-1, 3).tolist()}
    assert {colour for colour, _ in LEGEND} <= shown  # the legend's colours are those of the plan


def test_what_was_not_measured_is_left_out() -> None:
    whole = quality.assess(readers.read(ROOT / "tests" / "data" / "chair")).to_json()
    nothing = dict.fromkeys(whole["agreement"])
    less = whole | {"agreement": nothing, "seconds": None, "sure_share": None, "edge_width_px": None}
    said = dict(scan_facts(less | {"unreadable": ["00007: cut short"]}).facts)
    assert set(said) == {"frames", "pictures", "walk", "depth known", "place seen"}
    assert said["frames"] == "3, 1 more can't be read"
    assert said["walk"].endswith(" m")
