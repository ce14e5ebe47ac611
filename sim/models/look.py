"""What a scene looks like in MuJoCo: meshes, materials, lights and the ground."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pocketworld.geometry.convex import Vec3
from pocketworld.scene import Mesh, Scene
from pocketworld.sim.models.framing import WALL, extent, focus

Array = NDArray[np.float64]
FACES = 200_000  # the most that MuJoCo reads from one STL file
SHADES = 4  # levels a channel into which scanned colours are sorted: MuJoCo draws one colour a geom
# Where the key light shines to, in the focus's frame; between walls from higher, as these cast shadows too.
KEY, INDOORS = (0.45, 1.0, -1.1), (0.14, 0.32, -1.1)
FEW = 4  # faces of one shade: fewer may share three corners


@dataclass(frozen=True, slots=True)
class Look:
    """Pieces of MJCF for the eye; empty where nobody looks. geoms: by asset/part; files: meshes by path."""

    assets: str = ""
    geoms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    visual: str = ""
    lights: str = ""
    floor: str = ""


@dataclass(frozen=True, slots=True)
class _Patch:
    """Faces of one colour."""

    vertices: Array
    colour: Vec3
    roughness: float
    metallic: float


def looks(scene: Scene) -> Look:
    """Return a scene's visual geoms, named by content, with lights and a ground."""
    files: dict[str, bytes] = {}
    materials: dict[str, str] = {}
    geoms: dict[str, tuple[str, ...]] = {}
    for asset in scene.assets:
        for part in asset.parts:
            patches = [patch for mesh in part.meshes for patch in _patches(mesh)]
            geoms[f"{asset.id}/{part.id}"] = tuple(_geom(patch, files, materials) for patch in patches)
    meshes = "".join(f'<mesh name="{_stem(f)}" file="{f}" inertia="shell"/>\n' for f in sorted(files))
    painted = "".join(materials[name] for name in sorted(materials))
    return Look(
        _GROUND + painted + meshes, geoms, files, _visual(scene), _lights(scene), ' material="ground"'
    )


def _patches(mesh: Mesh) -> Iterator[_Patch]:
    """Split a mesh into patches of one colour; scanned colours are sorted into SHADES levels a channel."""
    corners = np.asarray(mesh.vertices, float)[mesh.faces]
    look = mesh.material
    if not len(corners):
        return
    if mesh.colours is None:
        yield _Patch(corners, look.colour, look.roughness, look.metallic)
        return
    shades = np.asarray(mesh.colours, float)[mesh.faces].mean(1) / 255
    level = np.minimum((shades * SHADES).astype(int), SHADES - 1)
    code = _common(level @ (SHADES * SHADES, SHADES, 1))
    for value in np.unique(code):
        which = code == value
        linear = tuple(float(c) for c in shades[which].mean(0) ** 2.2)
        yield _Patch(corners[which], (linear[0], linear[1], linear[2]), 1.0, 0.0)


def _common(code: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the faces' shades (n,), rare ones made the commonest: MuJoCo wants 4 vertices a mesh."""
    shades, inverse, counts = np.unique(code, return_inverse=True, return_counts=True)
    kept = np.where(counts < FEW, shades[np.argmax(counts)], shades)
    return np.asarray(kept[inverse], np.intp)


def _geom(patch: _Patch, files: dict[str, bytes], materials: dict[str, str]) -> str:
    material = _material(patch, materials)
    out = ""
    for piece in np.array_split(patch.vertices, math.ceil(len(patch.vertices) / FACES)):
        data = stl(piece)
        file = f"meshes/{hashlib.sha256(data).hexdigest()[:16]}.stl"
        files[file] = data
        out += f'<geom class="visual" type="mesh" mesh="{_stem(file)}" material="{material}"/>\n'
    return out


def _material(patch: _Patch, materials: dict[str, str]) -> str:
    """Name a material by what it is; colours are linear in the scene and sRGB in MuJoCo."""
    rgb = [round(255 * min(max(c, 0.0), 1.0) ** (1 / 2.2)) for c in patch.colour]
    shiny = 1 - min(max(patch.roughness, 0.0), 1.0)
    name = f"m{rgb[0]:02x}{rgb[1]:02x}{rgb[2]:02x}-{round(100 * shiny)}-{round(100 * patch.metallic)}"
    colour = " ".join(f"{c / 255:.4g}" for c in rgb)
    materials[name] = (
        f'<material name="{name}" rgba="{colour} 1" specular="{0.1 + 0.5 * shiny:.3g}" '
        f'shininess="{0.1 + 0.6 * shiny:.3g}" reflectance="0"/>\n'
    )
    return name


def stl(corners: Array) -> bytes:
    """Return a binary STL of faces (n, 3, 3), m."""
    out = np.zeros(len(corners), [("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")])
    out["v"] = corners
    return b"\0" * 80 + len(corners).to_bytes(4, "little") + out.tobytes()


def _stem(file: str) -> str:
    return file.removeprefix("meshes/").removesuffix(".stl")


def _lights(scene: Scene) -> str:
    """Return a key light from the front left above that casts shadows, and a weak one from the right."""
    turn = focus(scene).turn
    middle = _middle(scene)[0]
    key = INDOORS if any(asset.family == WALL for asset in scene.assets) else KEY
    out = ""
    for way, strength, shadow in ((key, 0.55, "true"), ((-0.9, 0.5, -0.5), 0.18, "false")):
        x, y, z = turn @ way
        px, py, pz = middle - 2 * np.array((x, y, z))
        out += (
            f'<light type="directional" dir="{x:.6g} {y:.6g} {z:.6g}" pos="{px:.6g} {py:.6g} {pz:.6g}" '
            f'castshadow="{shadow}" diffuse="{strength} {strength} {strength}" specular="0.25 0.25 0.25"/>\n'
        )
    return out


def _middle(scene: Scene) -> tuple[Array, float]:
    """Return the middle of what is in a scene, and half its diagonal: what MuJoCo scales its views by."""
    points = extent(scene.assets)
    low, high = points.min(0), points.max(0)
    return (low + high) / 2, float(np.linalg.norm(high - low)) / 2


def _visual(scene: Scene) -> str:
    middle, size = _middle(scene)
    return (
        f'<statistic center="{middle[0]:.6g} {middle[1]:.6g} {middle[2]:.6g}" extent="{size:.6g}"/>\n'
        '<visual><global offwidth="1920" offheight="1440"/><quality shadowsize="4096" offsamples="4"/>'
        '<headlight ambient="0.34 0.34 0.34" diffuse="0.2 0.2 0.2" specular="0 0 0"/>'
        '<map znear="0.02" zfar="60" shadowclip="2.5"/></visual>\n'
    )


_GROUND = (
    '<texture name="sky" type="skybox" builtin="gradient" rgb1="0.93 0.95 0.97" rgb2="0.72 0.76 0.8" '
    'width="64" height="384"/>\n'
    '<texture name="ground" type="2d" builtin="checker" rgb1="0.86 0.85 0.83" rgb2="0.81 0.8 0.78" '
    'width="128" height="128"/>\n'
    '<material name="ground" texture="ground" texrepeat="2 2" texuniform="true" specular="0.05" '
    'shininess="0.1" reflectance="0"/>\n'
)
