"""What a dataset's cameras see: a whole scene from its front, or what is before the hand from its wrist."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim.arrays import to_numpy
from pocketworld.sim.pictures.picture import Image
from pocketworld.sim.pictures.sight import Sight
from pocketworld.sim.pictures.views import Views
from pocketworld.sim.robots import Robot
from pocketworld.sim.worlds import Worlds

Array = NDArray[np.float64]
Size = tuple[int, int]  # pixels, width and height


@dataclass(frozen=True, eq=False, slots=True)
class Moment:
    """What a picture is drawn of: qpos (nq,); where the grip is, (3,) m, and how turned, (3, 3)."""

    qpos: Array
    grip: Array
    turn: Array

    @classmethod
    def of(cls, worlds: Worlds, i: int) -> "Moment":
        """Return what environment i is in now."""
        grip, turn = (np.array(to_numpy(of[i])) for of in (worlds.senses.grip, worlds.senses.grip_turn))
        return cls(worlds.physics.qpos(i), grip, turn)


Draw = Callable[[Moment], Image]


def _front(scene: Scene, robot: Robot, size: Size, used: ExitStack) -> Draw:
    views = used.enter_context(closing(Views([scene], robot, size)))
    return lambda moment: views.draw(0, moment.qpos)


def _wrist(scene: Scene, robot: Robot, size: Size, used: ExitStack) -> Draw:
    sight = used.enter_context(closing(Sight([scene], robot, size)))
    return lambda moment: sight.draw(0, moment.qpos, moment.grip, moment.turn)[0]


MADE = {"front": _front, "wrist": _wrist}


class Cameras:
    """Draw scenes, one after another: what draws a kitchen takes 30 MB."""

    def __init__(self, names: Sequence[str], scenes: Sequence[Scene], robot: Robot, size: Size) -> None:
        if unknown := sorted(set(names) - set(MADE)):
            raise PocketworldError(f"no camera {unknown[0]!r}", f"there are: {', '.join(MADE)}")
        self._names, self._scenes, self._robot, self._size = sorted(set(names)), scenes, robot, size
        self._which, self._used, self._draws = -1, ExitStack(), dict[str, Draw]()

    @property
    def features(self) -> dict[str, tuple[int, int]]:
        """Return height and width of pictures, by what they are called in a dataset."""
        width, height = self._size
        return {called(name): (height, width) for name in self._names}

    def see(self, which: int, moment: Moment) -> dict[str, Image]:
        """Return the pictures (height, width, 3) of scene `which` at a moment."""
        if which != self._which:
            self.close()
            self._which = which
            scene = self._scenes[which]
            for name in self._names:
                self._draws[called(name)] = MADE[name](scene, self._robot, self._size, self._used)
        return {name: draw(moment) for name, draw in self._draws.items()}

    def close(self) -> None:
        """Free what draws."""
        self._draws.clear()
        self._used.close()


def called(camera: str) -> str:
    """Return what a camera's pictures are called in a dataset."""
    return f"observation.images.{camera}"
