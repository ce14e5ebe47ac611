"""A scene on disk: scene.json, checked by a versioned schema, and meshes/*.glb named by their content."""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pocketworld.errors import PocketworldError, WorldError
from pocketworld.scene import Asset, Material, Mesh, Part, Scene

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORMAT = 1
# glTF's y points up: a turn at the root stands the asset upright in other people's viewers, our numbers stay.
GLTF_FROM_ASSET = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


def save(scene: Scene, folder: Path) -> None:
    """Write scene.json and meshes/ (one file a part, in the asset's frame, m) into a folder that is there."""
    (folder / "meshes").mkdir(exist_ok=True)
    names = {}
    for asset in scene.assets:
        for part in asset.parts:
            data = glb(part.meshes)
            names[f"{asset.id}/{part.id}"] = name = f"{hashlib.sha256(data).hexdigest()[:16]}.glb"
            (folder / "meshes" / name).write_bytes(data)
    document = _document(scene) | {"files": names}
    (folder / "scene.json").write_text(json.dumps(document, indent=1, allow_nan=False) + "\n")


def load(folder: Path, *, visual: bool = True) -> Scene:
    """Read a scene that `save` wrote, without its visual meshes if they are not asked for.

    Raises WorldError for a scene that is missing, damaged, or of a newer format than we know.
    """
    file = folder / "scene.json"
    try:
        document = json.loads(file.read_text())
        if document["format"] > FORMAT:
            raise WorldError(
                f"{file} has format {document['format']}, known is up to {FORMAT}", "update pocketworld"
            )
        scene = _schema().validate_python(document["scene"])
        if not visual:
            return scene
        assets = (_with_meshes(asset, document, folder) for asset in scene.assets)
        return replace(scene, assets=tuple(assets))
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = error.filename or file
        raise WorldError(
            f"{missing} does not exist", "pocketworld run CAPTURE -o WORLD makes a world"
        ) from None
    except WorldError:
        raise
    except (PocketworldError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        why = " ".join(str(error).split())[:200]
        raise WorldError(f"{file} is no scene we know: {why}", "make the stage again") from error


def digest(scene: Scene) -> str:
    """Return the sha256 of all that a scene holds: equal for scenes that are the same to the bit."""
    total = hashlib.sha256(json.dumps(_document(scene), sort_keys=True).encode())
    for asset in scene.assets:
        for mesh in (mesh for part in asset.parts for mesh in part.meshes):
            for array in (mesh.vertices, mesh.faces, mesh.colours):
                total.update(b"-" if array is None else array.tobytes())
    return total.hexdigest()


def glb(meshes: tuple[Mesh, ...]) -> bytes:
    """Return meshes as one binary glTF file, z up by a turn at its root; no meshes give an empty file."""
    import trimesh
    from trimesh.exchange.gltf import export_glb
    from trimesh.visual import ColorVisuals, TextureVisuals
    from trimesh.visual.material import PBRMaterial

    if not meshes:
        return b""
    whole = trimesh.Scene()
    for i, mesh in enumerate(meshes):
        shape = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
        if mesh.colours is not None:
            shape.visual = ColorVisuals(shape, vertex_colors=mesh.colours)
        else:
            m = mesh.material
            pbr = PBRMaterial(
                baseColorFactor=[*m.colour, 1.0], roughnessFactor=m.roughness, metallicFactor=m.metallic
            )
            shape.visual = TextureVisuals(material=pbr)
        whole.add_geometry(shape, geom_name=f"mesh{i}", node_name=f"mesh{i}", transform=GLTF_FROM_ASSET)
    return bytes(export_glb(whole))


def _document(scene: Scene) -> dict[str, Any]:
    """Return the scene as plain JSON, the meshes' arrays left out."""
    looks = {f"{a.id}/{p.id}": [_look(m) for m in p.meshes] for a in scene.assets for p in a.parts}
    bare = replace(scene, assets=tuple(_without_meshes(asset) for asset in scene.assets))
    return {"format": FORMAT, "scene": _schema().dump_python(bare, mode="json"), "looks": looks}


def _look(mesh: Mesh) -> dict[str, Any]:
    m = mesh.material
    return {"colour": list(m.colour), "roughness": m.roughness, "metallic": m.metallic, "seen": mesh.seen}


def _without_meshes(asset: Asset) -> Asset:
    return replace(asset, parts=tuple(replace(part, meshes=()) for part in asset.parts))


def _with_meshes(asset: Asset, document: Mapping[str, Any], folder: Path) -> Asset:
    parts = (_fill(part, f"{asset.id}/{part.id}", document, folder) for part in asset.parts)
    return replace(asset, parts=tuple(parts))


def _fill(part: Part, id: str, document: Mapping[str, Any], folder: Path) -> Part:
    import trimesh

    looks = document["looks"][id]
    if not looks:
        return part
    file = folder / "meshes" / Path(document["files"][id]).name
    shapes = trimesh.load_scene(io.BytesIO(file.read_bytes()), file_type="glb", process=False).geometry
    return replace(part, meshes=tuple(_mesh(shapes[f"mesh{i}"], look) for i, look in enumerate(looks)))


def _mesh(shape: Any, look: Mapping[str, Any]) -> Mesh:
    material = Material(tuple(look["colour"]), look["roughness"], look["metallic"])
    coloured = shape.visual.kind == "vertex"
    colours = np.array(shape.visual.vertex_colors[:, :3], np.uint8) if coloured else None
    vertices, faces = np.array(shape.vertices, np.float32), np.array(shape.faces, np.int32)
    return Mesh(vertices, faces, material, colours, look["seen"])


@cache
def _schema() -> "TypeAdapter[Scene]":
    from pydantic import TypeAdapter

    return TypeAdapter(Scene)
