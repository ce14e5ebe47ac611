"""What a small camera on the wrist sees: colours and depth of every environment, drawn by MuJoCo on the CPU.

The backend "warp" has its own eyes, `pocketworld.sim.warp.sight`.

On the wrist, as a handle of 1 cm is less than a pixel of 64 from where a whole kitchen is seen, and several
from the hand. The physics is the batch's alone: scenes for the eye follow its state, so that looking changes
nothing.

The floating hand's own wrist still keeps square to the handle, as `Hand.aim` does: what eyes have to find is
where the handle is.
"""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import atexit
import math
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import mujoco
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim.arrays import to_numpy
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots import Robot
from pocketworld.sim.worlds import Worlds

Array = NDArray[np.float64]
SIZE = (64, 64)  # pixels, width and height
LARGEST = 1024
# In the grip's frame (out of the fingertips, across, along): beside the palm, looking at the fingertips.
PLACE, GAZE = np.array([0.10, 0.0, 0.07]), np.array([-1.0, 0.0, -0.62])
FOVY = 75.0  # degrees: the fingertips below the middle, and half a metre of front before them
# Shadows and mirrors take long, and the sky is painted on a wall 3 m away, which would be its depth.
OFF = (
    mujoco.mjtRndFlag.mjRND_SHADOW,
    mujoco.mjtRndFlag.mjRND_REFLECTION,
    mujoco.mjtRndFlag.mjRND_SKYBOX,
)
NEAR, FAR = 0.01, 5.0  # m: nothing nearer or farther is seen; depth is FAR where nothing is


class Sight:
    """Pictures of environments: environment i holds scene i modulo their number.

    One OpenGL context draws all of them; each scene has its meshes and textures in it, from when it is first
    looked at.
    """

    def __init__(self, scenes: Sequence[Scene], robot: Robot, size: Sequence[int] = SIZE) -> None:
        self.size, self._scenes, self._robot = checked(size), tuple(scenes), robot
        self._drawers: dict[int, _Drawer] = {}
        self._gl: Any = None

    @property
    def spaces(self) -> dict[str, Box]:
        """Return what a picture and its depth are made of."""
        return spaces_of(self.size)

    def see(self, worlds: Worlds) -> dict[str, NDArray[Any]]:
        """Return rgb (n, h, w, 3) uint8 and depth (n, h, w) float32, m along the camera's axis."""
        width, height = self.size
        rgb = np.empty((worlds.num_envs, height, width, 3), np.uint8)
        depth = np.empty((worlds.num_envs, height, width), np.float32)
        grips, turns = to_numpy(worlds.senses.grip), to_numpy(worlds.senses.grip_turn)
        self._current()
        for i in range(worlds.num_envs):
            drawer = self._drawer(i % len(self._scenes))
            drawer.draw(worlds.physics.qpos(i), grips[i], turns[i], rgb[i], depth[i])
        return {"rgb": rgb, "depth": depth}

    def draw(
        self, which: int, qpos: Array, grip: Array, turn: Array
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return rgb (h, w, 3) and depth (h, w) of scene `which`, state qpos, from a grip (3,), (3, 3)."""
        width, height = self.size
        rgb, depth = np.empty((height, width, 3), np.uint8), np.empty((height, width), np.float32)
        self._current()
        self._drawer(which).draw(qpos, grip, turn, rgb, depth)
        return rgb, depth

    def close(self) -> None:
        """Free what draws."""
        if self._gl is not None:
            self._gl.make_current()
            for drawer in self._drawers.values():
                drawer.context.free()
            self._drawers.clear()
            self._gl.free()
            self._gl = None

    def _current(self) -> None:
        if self._gl is None:
            with _can_draw():
                self._gl = mujoco.GLContext(*self.size)
            atexit.register(_close, weakref.ref(self))  # after OpenGL is loaded: before it ends itself
        self._gl.make_current()

    def _drawer(self, which: int) -> "_Drawer":
        if which not in self._drawers:
            with _can_draw():
                self._drawers[which] = _Drawer(self._scenes[which], self._robot, self.size)
        return self._drawers[which]


def checked(size: Sequence[int]) -> tuple[int, int]:
    """Return a picture's width and height; raises PocketworldError for what can be none."""
    if len(size) != 2 or any(side not in range(1, LARGEST + 1) for side in size):
        raise PocketworldError(f"pictures of {size} pixels", f"(width, height), each 1 to {LARGEST}")
    return int(size[0]), int(size[1])


def spaces_of(size: tuple[int, int]) -> dict[str, Box]:
    """Return what pictures (width, height) and their depths are made of."""
    width, height = size
    rgb = Box(0, 255, (height, width, 3), np.uint8)
    return {"rgb": rgb, "depth": Box(0.0, FAR, (height, width), np.float32)}


@contextmanager
def _can_draw() -> Iterator[None]:
    """Raise PocketworldError in one line where OpenGL does not work."""
    try:
        yield
    except (mujoco.FatalError, ImportError, AttributeError, RuntimeError) as error:
        why = " ".join(str(error).split())[:120]
        what = f"MuJoCo can't draw here: {why}"
        raise PocketworldError(what, "set MUJOCO_GL to egl or osmesa before Python starts") from error


class _Drawer:
    """Draws one scene; the context that it was made in is current."""

    def __init__(self, scene: Scene, robot: Robot, size: tuple[int, int]) -> None:
        self.model = model = mjcf.document(scene, extra=robot.drawn()).compile()
        # Shadows and smooth edges take ten times as long as all the rest.
        model.vis.quality.shadowsize = model.vis.quality.offsamples = 0
        model.vis.global_.offwidth, model.vis.global_.offheight = size
        self.data, self.scene = mujoco.MjData(model), mujoco.MjvScene(model, maxgeom=model.ngeom + 100)
        for flag in OFF:
            self.scene.flags[flag] = False
        self.option, self.camera = mujoco.MjvOption(), mujoco.MjvCamera()
        self.context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self.context)
        self.context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self.rect = mujoco.MjrRect(0, 0, *size)

    def draw(
        self, qpos: Array, grip: Array, turn: Array, rgb: NDArray[np.uint8], depth: NDArray[np.float32]
    ) -> None:
        """Fill rgb (h, w, 3) and depth (h, w) with a state (nq,) as seen from a grip (3,), (3, 3)."""
        self.data.qpos[:] = qpos
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)
        everything, aspect = mujoco.mjtCatBit.mjCAT_ALL, self.rect.width / self.rect.height
        # Before, as an endless floor is laid about the eyes, else about those of the last picture; and after,
        # as the update puts them elsewhere.
        _look(self.scene, grip + turn @ PLACE, turn @ GAZE, turn[:, 2], aspect)
        mujoco.mjv_updateScene(self.model, self.data, self.option, None, self.camera, everything, self.scene)
        _look(self.scene, grip + turn @ PLACE, turn @ GAZE, turn[:, 2], aspect)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self.context)
        mujoco.mjr_render(self.rect, self.scene, self.context)
        mujoco.mjr_readPixels(rgb, depth, self.rect, self.context)
        rgb[:], depth[:] = rgb[::-1].copy(), metres(depth[::-1])


def _close(sight: "weakref.ref[Sight]") -> None:
    """Free at Python's end what nobody has closed."""
    left = sight()
    if left is not None:
        left.close()


def metres(buffer: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distances along the axis that a depth buffer (1 at NEAR, 0 at FAR) stands for, m."""
    far_less = 1 / FAR + buffer.astype(np.float64) * (1 / NEAR - 1 / FAR)
    return (1 / far_less).astype(np.float32)


def _look(scene: mujoco.MjvScene, place: Array, gaze: Array, up: Array, aspect: float) -> None:
    """Put the camera to a place, looking along `gaze`; MuJoCo's own are two eyes, here in one place."""
    forward = gaze / np.linalg.norm(gaze)
    above = up - forward * (forward @ up)
    half = NEAR * math.tan(math.radians(FOVY) / 2)
    for eye in scene.camera:
        eye.pos[:], eye.forward[:], eye.up[:] = place, forward, above / np.linalg.norm(above)
        eye.frustum_near, eye.frustum_far = NEAR, FAR
        eye.frustum_bottom, eye.frustum_top = -half, half
        eye.frustum_center, eye.frustum_width = 0.0, half * aspect
