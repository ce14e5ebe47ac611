"""A reconstruction on disk: the scene, the surface it was read from, and each face's elevation."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pocketworld import scene_file
from pocketworld.errors import WorldError
from pocketworld.families.protocol import Elevation, Line, SeenHandle
from pocketworld.reconstruct.surfaces.surface import Surface
from pocketworld.scene import HandleKind, Mesh, Scene
from pocketworld.world import undamaged

NUMBERS = ("face", "width", "height", "pixel", "frames")


@dataclass(frozen=True, eq=False, slots=True)
class Reconstruction:
    """A twin and what it was read from: the surface (scene frame) and each asset's elevations."""

    scene: Scene
    surface: Surface
    elevations: Mapping[str, tuple[Elevation, ...]]


def save(made: Reconstruction, folder: Path) -> None:
    """Write scene.json, meshes/, surface.glb and evidence/ASSET/FACE.{json,png,npy} into a folder."""
    scene_file.save(made.scene, folder)
    mesh = surface_mesh(made.surface)
    (folder / "surface.glb").write_bytes(scene_file.glb((mesh,)))
    for asset, elevations in made.elevations.items():
        place = folder / "evidence" / asset
        place.mkdir(parents=True)
        for elevation in elevations:
            _save_elevation(elevation, place)


def load_elevations(folder: Path) -> dict[str, tuple[Elevation, ...]]:
    """Read the elevations of each asset that `save` wrote.

    Raises WorldError, one line that names the file, for one that is damaged.
    """
    places = sorted(p for p in (folder / "evidence").glob("*") if p.is_dir())
    return {p.name: tuple(_load_elevation(file) for file in sorted(p.glob("*.json"))) for p in places}


def load_surface(folder: Path) -> Mesh:
    """Read the surface that `save` wrote, in the scene's frame.

    Raises WorldError for a file that is missing or damaged.
    """
    import trimesh

    file = folder / "surface.glb"
    if not file.is_file():
        raise WorldError(f"{file} does not exist", "pocketworld run CAPTURE -o WORLD makes it")
    with undamaged(file):
        shape = next(iter(trimesh.load_scene(file, process=False).geometry.values()))
        coloured = shape.visual.kind == "vertex"
        colours = np.array(shape.visual.vertex_colors[:, :3], np.uint8) if coloured else None
        vertices, faces = np.array(shape.vertices, np.float32), np.array(shape.faces, np.int32)
        return Mesh(vertices, faces, colours=colours, seen=True)


def surface_mesh(surface: Surface) -> Mesh:
    """Return a surface as a visual mesh."""
    vertices, faces = surface.vertices.astype(np.float32), surface.faces.astype(np.int32)
    return Mesh(vertices, faces, colours=surface.colours, seen=True)


def _save_elevation(elevation: Elevation, place: Path) -> None:
    whole: dict[str, Any] = {name: getattr(elevation, name) for name in NUMBERS}
    whole["lines"] = [asdict(line) for line in elevation.lines]
    whole["handles"] = [asdict(handle) for handle in elevation.handles]
    stem = place / elevation.face
    stem.with_suffix(".json").write_text(json.dumps(whole, indent=1))
    if elevation.colour is not None:
        Image.fromarray(elevation.colour).save(stem.with_suffix(".png"), format="PNG")
    if elevation.relief is not None:
        np.save(stem.with_suffix(".npy"), elevation.relief.astype(np.float32))


def _load_elevation(file: Path) -> Elevation:
    colour, relief = _colour(file.with_suffix(".png")), _relief(file.with_suffix(".npy"))
    with undamaged(file):
        whole = json.loads(file.read_text())
        handles = (SeenHandle(**{**h, "kind": HandleKind(h["kind"])}) for h in whole["handles"])
        return Elevation(
            **{name: whole[name] for name in NUMBERS},
            lines=tuple(Line(**line) for line in whole["lines"]),
            handles=tuple(handles),
            colour=colour,
            relief=relief,
        )


def _colour(file: Path) -> NDArray[np.uint8] | None:
    if not file.is_file():
        return None
    with undamaged(file), Image.open(file) as image:
        return np.array(image)


def _relief(file: Path) -> NDArray[np.float32] | None:
    if not file.is_file():
        return None
    with undamaged(file):
        relief: NDArray[np.float32] = np.load(file)
        return relief
