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
from pocketworld.sim.pictures.picture import Image, open_renderer
from pocketworld.sim.robots import Robot

Array = NDArray[np.float64]
KEPT = 16  # renderers: each has an OpenGL context of its own, which takes 0.2 s to make


class Views:
    """Scenes for the eye, with a robot; the physics is the batch's alone, so that looking changes nothing."""

    def __init__(self, scenes: Sequence[Scene], robot: Robot, size: tuple[int, int] = (320, 240)) -> None:
        self.size, self._robot = size, robot
        self._scenes = scenes
        self._models: dict[int, mujoco.MjModel] = {}
        self._renderers: dict[int, mujoco.Renderer] = {}

    def draw(self, which: int, qpos: Array) -> Image:
        """Return a picture (height, width, 3) of scene `which` in a state (nq,), from its front camera.

        Without shadows: on a CPU they take ten times as long as all the rest.
        """
        model = self._model(which)
        data = mujoco.MjData(model)
        data.qpos[:] = qpos
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        renderer = self._renderer(which)
        renderer.update_scene(data, "front")
        image: Image = renderer.render()
        return image

    def close(self) -> None:
        """Free the renderers."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    def _model(self, which: int) -> mujoco.MjModel:
        # Compiled when first looked at: of thousands of environments a film shows a few.
        if which not in self._models:
            scene = self._scenes[which]
            model = mjcf.document(scene, extra=self._robot.drawn()).compile()
            model.vis.quality.shadowsize = 0  # no shadows, and no room for them
            self._models[which] = model
        return self._models[which]

    def _renderer(self, which: int) -> mujoco.Renderer:
        if which not in self._renderers:
            while len(self._renderers) >= KEPT:
                self._renderers.pop(next(iter(self._renderers))).close()
            self._renderers[which] = open_renderer(self._model(which), self.size)
            if len(self._renderers) == 1:  # after OpenGL is loaded: so it is freed before OpenGL ends itself
                atexit.register(_close, weakref.ref(self))
        return self._renderers[which]


def _close(views: "weakref.ref[Views]") -> None:
    """Free at Python's end what nobody has closed: renderers that it finds open complain at length."""
    left = views()
    if left is not None:
        left.close()
