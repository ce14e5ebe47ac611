"""Pictures of the fused surface: rays cast on the CPU (Embree, through Open3D)."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Mesh, Scene
from pocketworld.sim.models.framing import extent, focus

Array = NDArray[np.float64]
SIZE = (480, 360)
# Rays a pixel along each side: edges are averaged, and what is half covered becomes half transparent.
FINE = 2
# Walls and ceilings are seen from behind and looked through: so many of them, one behind the other.
LAYERS = 6
# From top to bottom of the picture.
FIELD = np.radians(36)
# Directions from which one looks, in the frame of what one looks at: (name, to the eye).
SIDES = (
    ("from the front", (0.55, -1.0, 0.55)),
    ("from the back", (-0.75, 0.9, 0.6)),
    ("from above", (0.0, -0.25, 1.0)),
)
# How much is shown around the assets, as a multiple of its size.
AROUND = 1.35
# Without an asset, so many percent of the surface may fall out of the picture at each end of each axis, as
# told from about so many points.
OUTLIERS = 2
POINTS = 20_000
# What is farther from its centre, as a multiple of the ball's radius, is left out of the picture.
SCENERY = 3.0
# A ray goes on so far behind a face that it looks through, m.
STEP = 1e-3


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """One picture: what it shows, and RGBA (h, w, 4) uint8, transparent where nothing was seen."""

    title: str
    image: NDArray[np.uint8]


@dataclass(frozen=True, eq=False, slots=True)
class Focus:
    """What to look at.

    points   (n, 3) that are all to be seen, m;  turn: rotation (3, 3) from SIDES to the scene
    around   how much is shown around it, as a multiple of its size
    """

    points: Array
    turn: Array
    around: float

    @property
    def centre(self) -> Array:
        """Return the middle of their bounding box."""
        return np.asarray((self.points.min(0) + self.points.max(0)) / 2)

    @property
    def radius(self) -> float:
        """Return the radius of a ball about the centre that holds them, with room around, m."""
        return self.around * float(np.linalg.norm(np.ptp(self.points, axis=0))) / 2


@dataclass(frozen=True, eq=False, slots=True)
class _Model:
    """What rays meet: Open3D's scene of the faces (m, 3), and of each vertex its normal and RGB (0..255)."""

    caster: Any
    faces: NDArray[np.int32]
    normals: Array
    colours: Array


def views(surface: Mesh, scene: Scene) -> tuple[View, ...]:
    """Return the surface (in the scene's frame) from three sides; of nothing where it has no faces.

    What opens is in the picture, with what stands on it, all assets where nothing opens; where there is no
    asset, the surface as a whole is. What stands before that is cut away, and what shows its back is looked
    through.
    """
    if not len(surface.faces):
        return ()
    focus = _focus(surface, scene)
    model = _model(surface, focus)
    return tuple(View(title, _view(model, focus, np.array(eye))) for title, eye in SIDES)


def _focus(surface: Mesh, scene: Scene) -> Focus:
    if scene.assets:
        look = focus(scene)
        return Focus(extent(look.assets, states=(0.0,)), look.turn, AROUND)
    points = surface.vertices[:: 1 + len(surface.vertices) // POINTS].astype(float)
    low, high = np.percentile(points, [OUTLIERS, 100 - OUTLIERS], axis=0)
    return Focus(points[((points >= low) & (points <= high)).all(1)], np.eye(3), 1.0)


def _model(surface: Mesh, focus: Focus) -> _Model:
    """Return what can come into the picture, ready for rays."""
    import open3d as o3d

    near = np.linalg.norm(surface.vertices - focus.centre, axis=1) < SCENERY * focus.radius
    faces = surface.faces[near[surface.faces].all(1)]
    colours = (
        np.full(surface.vertices.shape, 190.0) if surface.colours is None else surface.colours.astype(float)
    )
    caster = o3d.t.geometry.RaycastingScene(nthreads=1)
    vertices = o3d.core.Tensor.from_numpy(np.ascontiguousarray(surface.vertices))
    caster.add_triangles(vertices, o3d.core.Tensor.from_numpy(faces.astype(np.uint32)))
    return _Model(caster, faces, _normals(surface.vertices.astype(float), faces), colours)


def _normals(vertices: Array, faces: NDArray[np.int32]) -> Array:
    """Return (n, 3): the mean of the normals of the faces around each vertex, weighted by their areas."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    across = np.repeat(np.cross(b - a, c - a), 3, axis=0)
    total = [np.bincount(faces.ravel(), across[:, i], len(vertices)) for i in range(3)]
    normals = np.stack(total, 1)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))


def _view(model: _Model, focus: Focus, eye: Array) -> NDArray[np.uint8]:
    """Return RGBA (h, w, 4) as seen from the direction `eye`, near enough to fill the picture."""
    axes = _axes(-focus.turn @ (eye / np.linalg.norm(eye)))
    seen = focus.points @ axes.T
    centre, half = (seen.min(0) + seen.max(0)) / 2, np.ptp(seen, axis=0) / 2
    fill = focus.around * max(half[0] * SIZE[1] / SIZE[0], half[1]) / np.tan(FIELD / 2)
    distance = float(fill + half[2])
    directions = _rays(axes)
    start = max(distance - focus.radius, 0.0)  # what stands before it is cut away
    origins = centre @ axes - distance * axes[2] + start * directions
    image = _cast(model, _lit(model, axes[2]), origins, directions)
    return np.asarray(cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def _lit(model: _Model, forward: Array) -> NDArray[np.float32]:
    """Return the vertices' RGB (0..255), lit from the eye and from above."""
    facing = np.clip(-model.normals @ forward, 0, 1)
    shade = 0.45 + 0.35 * facing + 0.2 * np.clip(model.normals[:, 2], 0, 1)
    return (model.colours * shade[:, None]).astype(np.float32)


def _axes(forward: Array) -> Array:
    """Return unit vectors (3, 3) to the right, up and forward of an upright camera."""
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(right, forward), forward])


def _rays(axes: Array) -> Array:
    """Return the unit directions (h, w, 3) of the rays of a camera with these axes."""
    width, height = SIZE[0] * FINE, SIZE[1] * FINE
    u, v = np.meshgrid(np.arange(width) - (width - 1) / 2, (height - 1) / 2 - np.arange(height))
    focal = height / 2 / np.tan(FIELD / 2)
    directions = np.stack([u / focal, v / focal, np.ones_like(u)], -1) @ axes
    return np.asarray(directions / np.linalg.norm(directions, axis=-1, keepdims=True))


def _cast(
    model: _Model, colours: NDArray[np.float32], origins: Array, directions: Array
) -> NDArray[np.uint8]:
    """Return RGBA of the first face along each ray that shows its outside; colours: of the vertices."""
    image = np.zeros((*directions.shape[:2], 4), np.uint8)
    pixels = image.reshape(-1, 4)
    rays = np.concatenate([origins, directions], -1).reshape(-1, 6).astype(np.float32)
    left = np.arange(len(rays))
    for _ in range(LAYERS):
        hit = {name: found.numpy() for name, found in model.caster.cast_rays(rays, nthreads=1).items()}
        met = np.isfinite(hit["t_hit"])
        outside = met & (np.einsum("ki,ki->k", hit["primitive_normals"], rays[:, 3:]) < 0)
        u, v = hit["primitive_uvs"][outside].T
        corners = colours[model.faces[hit["primitive_ids"][outside]]]
        pixels[left[outside], :3] = np.einsum("kci,ck->ki", corners, np.stack([1 - u - v, u, v]))
        pixels[left[outside], 3] = 255
        on = met & ~outside
        rays, left = rays[on], left[on]
        rays[:, :3] += (hit["t_hit"][on, None] + STEP) * rays[:, 3:]
    return image
