"""What a wrist camera sees on the backend "warp": MuJoCo Warp's ray tracer draws all worlds at once.

Pictures stay where the physics is: they are tensors on its device. What is drawn is what things collide with,
as the batch's model has no meshes for the eye: depths are those of `pocketworld.sim.pictures.sight` but for
rounded details; colours are not: the furniture is grey, only a robot has its own.
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import mujoco
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from pocketworld.sim.arrays import Array
from pocketworld.sim.pictures.sight import FAR, FOVY, GAZE, PLACE, SIZE, checked, spaces_of
from pocketworld.sim.warp.installed import library, told
from pocketworld.sim.warp.physics import Warp
from pocketworld.sim.warp.superset import NEVER, SPARE, content
from pocketworld.sim.worlds import Worlds

GROUPS = [0, 2, 3]  # the floor; a robot's own shapes; what things collide with
LIGHT = {"ambient": 0.35, "diffuse": 0.55, "specular": 0.0}  # of the lamp at the camera: no world has another
AWAY = 1e3  # m: where what is absent is drawn


class WarpSight:
    """Pictures of all environments of the backend "warp". See `pocketworld.sim.pictures.sight.Sight`."""

    def __init__(self, size: Sequence[int] = SIZE) -> None:
        self.size = checked(size)
        self._drawer: _Drawer | None = None

    @property
    def spaces(self) -> dict[str, Box]:
        """Return what a picture and its depth are made of."""
        return spaces_of(self.size)

    def see(self, worlds: Worlds) -> dict[str, Array]:
        """Return rgb (n, h, w, 3) uint8 and depth (n, h, w) float32, m along the camera's axis."""
        if self._drawer is None:
            self._drawer = _Drawer(cast(Warp, worlds.physics), self.size)
        return self._drawer.draw(worlds.senses.grip, worlds.senses.grip_turn)

    def close(self) -> None:
        """Free what draws."""
        self._drawer = None


class _Drawer:
    """Draws the worlds of one physics."""

    def __init__(self, physics: Warp, size: tuple[int, int]) -> None:
        self.physics, self.lib, self.size = physics, library(), size
        reals = physics.arrays.reals
        self._place, self._turn = reals(PLACE), reals(turned())
        n, (width, height) = len(physics.ids), size
        with _scope(physics.device):
            self._model = _without_absent(physics)
            self._context = self.lib.mjw.create_render_context(
                _lit(physics.packed.base), nworld=n, cam_res=size, render_rgb=True, render_depth=True,
                render_seg=False, use_textures=False, enabled_geom_groups=GROUPS,
            )  # fmt: skip
            self._nothing = _hide_spares(physics.packed.base, self._context)
            self._rgb = self.lib.wp.zeros((n, height, width), dtype=self.lib.wp.vec3)

    def draw(self, grip: Array, turn: Array) -> dict[str, Array]:
        """Return pictures as seen from the grips (n, 3), (n, 3, 3)."""
        mjw, wp, torch = self.lib.mjw, self.lib.wp, self.lib.torch
        data, (width, height) = self.physics.data, self.size
        with _scope(self.physics.device):
            wp.to_torch(data.cam_xpos)[:, 0] = grip + turn @ self._place
            wp.to_torch(data.cam_xmat)[:, 0] = turn @ self._turn
            mjw.refit_bvh(self._model, data, self._context)
            mjw.render(self._model, data, self._context)
            mjw.get_rgb(self._context, 0, self._rgb)
            rgb = (wp.to_torch(self._rgb).clamp(0, 1) * 255).round().to(torch.uint8)
            far = wp.to_torch(self._context.depth_data).reshape(-1, height, width)
            return {"rgb": rgb, "depth": torch.where(far > 0, far, FAR).clamp(max=FAR)}


def turned() -> NDArray[np.float64]:
    """Return grip_from_camera (3, 3): x right, y up, z against the gaze."""
    back = -GAZE / np.linalg.norm(GAZE)
    up = np.array([0.0, 0.0, 1.0])
    up = up - back * (back @ up)
    up /= np.linalg.norm(up)
    return np.stack([np.cross(up, back), up, back], 1)


@contextmanager
def _scope(device: str) -> Iterator[None]:
    """Let Warp work on a device, on torch's stream: each sees what the other has written."""
    lib = library()
    on_gpu = device.startswith("cuda")
    stream = lib.wp.stream_from_torch(lib.torch.cuda.current_stream(device)) if on_gpu else None
    with told(), lib.wp.ScopedStream(stream) if on_gpu else lib.wp.ScopedDevice(device):
        yield


def _lit(base: mujoco.MjModel) -> mujoco.MjModel:
    """Return a model with the camera's angle, and a lamp on it."""
    model = copy.copy(base)
    model.cam_fovy[:] = FOVY
    for name, value in LIGHT.items():
        getattr(model.vis.headlight, name)[:] = value
    return model


def _without_absent(physics: Warp) -> Any:
    """Return Warp's model for the ray tracer alone: boxes that a world lacks have no size.

    All else in it is the physics' own.
    """
    base, rows, model = physics.packed.base, physics.packed.rows, copy.copy(physics.model)
    margins, sizes = (
        rows[name] if name in rows else np.array(getattr(base, name))[None]
        for name in ("geom_margin", "geom_size")
    )
    sizes = np.where((margins == float(NEVER))[..., None], 0.0, sizes).astype(np.float32)
    model.geom_size = library().wp.array(sizes, dtype=library().wp.vec3)
    return model


def _hide_spares(base: mujoco.MjModel, context: Any) -> Any:
    """Draw hulls that a world lacks, which are all one mesh, where nobody looks; return what is drawn."""
    spare, wp = mujoco.mj_name2id(base, mujoco.mjtObj.mjOBJ_MESH, content(SPARE)), library().wp
    if spare < 0:
        return None
    points = np.full((3, 3), AWAY) + np.eye(3) * 1e-3
    mesh = wp.Mesh(wp.array(points, dtype=wp.vec3), wp.array([0, 1, 2], dtype=int))
    ids = context.mesh_bvh_id.numpy()
    ids[spare] = mesh.id
    context.mesh_bvh_id.assign(ids)
    return mesh
