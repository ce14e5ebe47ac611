"""Pictures of environments while they run: models with visual meshes that follow the batch's state."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import atexit
import weakref
from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from pocketworld.scene import Scene
from pocketworld.sim.models import mjcf
from pocketworld.sim.models.framing import FOVY, Framing
from pocketworld.sim.pictures.close_up import Shot, shot
from pocketworld.sim.pictures.picture import Image, open_renderer
from pocketworld.sim.robots import Robot
from pocketworld.sim.worlds import Worlds

Array = NDArray[np.float64]
KEPT = 16  # renderers: each has an OpenGL context of its own, which takes 0.2 s to make


class Views:
    """Scenes for the eye, with a robot; the physics is the batch's alone, so that looking changes nothing."""

    def __init__(self, scenes: Sequence[Scene], robot: Robot, size: tuple[int, int] = (320, 240)) -> None:
        self.size, self._robot = size, robot
        self._scenes = scenes
        self._looked: dict[int, Scene] = {}
        self._models: dict[int, mujoco.MjModel] = {}
        self._renderers: dict[int, mujoco.Renderer] = {}
        self._stood: dict[int, Framing | None] = {}  # where each renderer's camera last stood

    def draw(self, which: int, qpos: Array, framing: Framing | None = None) -> Image:
        """Return a picture (height, width, 3) of scene `which` in a state (nq,).

        Seen from where `framing` is, else all of it from its front. Without shadows: on a CPU they take ten
        times as long as all the rest.
        """
        model = self._model(which)
        data = mujoco.MjData(model)
        data.qpos[:] = qpos
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        model.cam("front").fovy = framing.fovy if framing else FOVY
        if framing is not None:
            _move(data, framing)
        renderer = self._renderer(which)
        if which not in self._stood or self._stood[which] != framing:
            # An endless floor is laid about where the camera stood in the last picture: so it is laid anew.
            renderer.update_scene(data, "front")
            self._stood[which] = framing
        renderer.update_scene(data, "front")
        image: Image = renderer.render()
        return image

    def shot(self, which: int, worlds: Worlds, i: int) -> Shot:
        """Return how to watch the episode that has begun in environment i, of scene `which`."""
        model = self._model(which)
        return shot(worlds, i, self._looked[which], model)

    def close(self) -> None:
        """Free the renderers."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()
        self._stood.clear()

    def _model(self, which: int) -> mujoco.MjModel:
        # Compiled when first looked at: of thousands of environments a film shows a few.
        if which not in self._models:
            scene = self._looked[which] = self._scenes[which]
            model = mjcf.document(scene, extra=self._robot.drawn()).compile()
            model.vis.quality.shadowsize = 0  # no shadows, and no room for them
            self._models[which] = model
        return self._models[which]

    def _renderer(self, which: int) -> mujoco.Renderer:
        if which not in self._renderers:
            while len(self._renderers) >= KEPT:
                first = next(iter(self._renderers))
                self._renderers.pop(first).close()
                self._stood.pop(first, None)
            self._renderers[which] = open_renderer(self._model(which), self.size)
            if len(self._renderers) == 1:  # after OpenGL is loaded: so it is freed before OpenGL ends itself
                atexit.register(_close, weakref.ref(self))
        return self._renderers[which]


def _move(data: mujoco.MjData, framing: Framing) -> None:
    """Put the camera "front" elsewhere, in one state."""
    front = data.cam("front")
    right, up = np.array(framing.right), np.array(framing.up)
    front.xpos[:], front.xmat[:] = framing.position, np.stack([right, up, np.cross(right, up)], 1).ravel()


def _close(views: "weakref.ref[Views]") -> None:
    """Free at Python's end what nobody has closed: renderers that it finds open complain at length."""
    left = views()
    if left is not None:
        left.close()
