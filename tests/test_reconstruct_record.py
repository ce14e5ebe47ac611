"""What a reconstruction leaves on disk comes back as it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pocketworld.errors import WorldError
from pocketworld.families.protocol import Elevation, Line, SeenHandle
from pocketworld.reconstruct import record
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scene import HandleKind, Scene

LINE = Line(vertical=False, at=0.2, start=0.0, end=0.4, sigma=0.001, score=0.9)
HANDLE = SeenHandle(HandleKind.BOW, 0.2, 0.3, 0.16, 0.01, 0.03, vertical=False, score=0.8)


def elevation(face: str, *, pictures: bool) -> Elevation:
    rows = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    relief = np.array([[0.0, np.nan, 0.01, -0.02]] * 2, np.float32)
    return Elevation(
        face, 0.4, 0.2, 0.001, rows if pictures else None, relief if pictures else None, (LINE,), (HANDLE,), 3
    )


@pytest.fixture
def made() -> record.Reconstruction:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.5]], float)
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    normals = np.tile([0.0, 0, 1], (3, 1))
    surface = Surface(
        vertices, np.array([[0, 1, 2]], np.int32), normals, colours, np.ones(3), 0.01, np.eye(4)
    )
    faces = (elevation("back", pictures=False), elevation("front", pictures=True))
    return record.Reconstruction(Scene("s", ()), surface, {"cabinet": faces})


def test_elevations_come_back(made: record.Reconstruction, tmp_path: Path) -> None:
    record.save(made, tmp_path)
    (back, front) = record.load_elevations(tmp_path)["cabinet"]
    assert (back.face, back.lines, back.handles, back.frames) == ("back", (LINE,), (HANDLE,), 3)
    assert back.colour is None
    assert back.relief is None
    sent = made.elevations["cabinet"][1]
    np.testing.assert_array_equal(front.colour, sent.colour)
    np.testing.assert_array_equal(front.relief, sent.relief)


def test_the_surface_comes_back(made: record.Reconstruction, tmp_path: Path) -> None:
    record.save(made, tmp_path)
    mesh = record.load_surface(tmp_path)
    np.testing.assert_array_equal(mesh.vertices, made.surface.vertices)
    np.testing.assert_array_equal(mesh.faces, made.surface.faces)
    np.testing.assert_array_equal(mesh.colours, made.surface.colours)
    assert mesh.seen


def test_a_surface_without_colours_comes_back(made: record.Reconstruction, tmp_path: Path) -> None:
    record.save(replace(made, surface=replace(made.surface, colours=None)), tmp_path)
    assert record.load_surface(tmp_path).colours is None


def test_two_saves_are_the_same_bytes(made: record.Reconstruction, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        record.save(made, tmp_path / name)
    a, b = (
        {p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()}
        for f in (tmp_path / "a", tmp_path / "b")
    )
    assert a == b


def test_no_surface_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"surface\.glb does not exist; pocketworld run"):
        record.load_surface(tmp_path)
    assert record.load_elevations(tmp_path) == {}


@pytest.mark.parametrize(
    "name", ["surface.glb", *(f"evidence/cabinet/front.{end}" for end in ("json", "png", "npy"))]
)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, None])
def test_a_damaged_file_is_one_line(
    made: record.Reconstruction, tmp_path: Path, name: str, share: float | None
) -> None:
    """Cut short (in a PNG, before its pixels end), or other bytes in its place."""
    record.save(made, tmp_path)
    file = tmp_path / name
    data = file.read_bytes()
    file.write_bytes(b"\x93nothing of it" * 9 if share is None else data[: int(share * len(data))])
    with pytest.raises(WorldError, match=f"{file} is damaged: .+; make the stage again$") as caught:
        (record.load_surface if name == "surface.glb" else record.load_elevations)(tmp_path)
    assert "\n" not in str(caught.value)
