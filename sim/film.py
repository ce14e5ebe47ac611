"""Films of environments side by side, as MP4 that browsers play."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.sim.environment import WorldEnv
from pocketworld import world
from pocketworld.sim.pictures.picture import Image, tile
from pocketworld.sim.policy import Bools, Policy, finish
from pocketworld.sim.worlds import RATE

Array = NDArray[np.float64]
# OpenCV's wheels hold no H.264 encoder; VP9 in MP4 is the one they hold that browsers play.
CODEC = "vp09"
FPS = RATE  # pictures a second: one a step, so that the film runs in real time
HOLD = FPS  # pictures for which the last one stays
SHOWN = 16  # environments at most
OPEN, SHUT, TRACK = (70, 170, 95), (200, 75, 65), (225, 225, 225)


def film(
    env: WorldEnv,
    policy: Policy,
    file: Path,
    *,
    seed: int = 0,
    joints: Sequence[str | None] | None = None,
    columns: int = 4,
) -> tuple[Bools, Bools, int]:
    """Film one episode of the first SHOWN environments.

    Return which of all succeeded (n,), whose physics blew up (n,), and the steps.

    A bar below each picture shows how far the asked part is open, of what is asked; the picture stops as its
    episode ends. `env` is made with render_mode="rgb_array". Raises PocketworldError where the file can't be
    written; a film that is not finished leaves nothing, and an older one there as it was.
    """
    env.reset(seed=seed, options={"joint": joints})
    shown = list(range(min(env.num_envs, SHOWN)))
    won, wild = np.zeros(env.num_envs, bool), np.zeros(env.num_envs, bool)
    live, images, steps = ~won, env.draw(shown), 0
    with _Writer(file) as out:
        out.write(_sheet(images, env.progress, won, live, columns))
        for acted, came in finish(env.worlds, policy):
            steps += 1
            won |= came.success
            wild |= came.unstable
            live = acted & ~came.done
            moving = [i for i in shown if live[i]]
            for i, image in zip(moving, env.draw(moving), strict=True):
                images[i] = image
            out.write(_sheet(images, np.where(live, env.progress, won), won, live, columns))
        for _ in range(HOLD):
            out.write(_sheet(images, won.astype(float), won, live, columns))
    return won, wild, steps


def check(file: Path) -> None:
    """Raise PocketworldError where a film can't be written as that file."""
    if file.suffix.lower() != ".mp4" or not file.parent.is_dir():
        raise _refusal(file)


def _refusal(file: Path) -> PocketworldError:
    return PocketworldError(f"can't write the film {file}", "name a .mp4 in a folder that is there")


def _sheet(images: Sequence[Image], progress: Array, won: Bools, live: Bools, columns: int) -> Image:
    """Return the pictures side by side, a bar below each."""
    out = []
    for i, image in enumerate(images):
        framed = image.copy()
        height, width = framed.shape[:2]
        thick = max(height // 40, 3)
        framed[-thick:] = TRACK
        framed[-thick:, : int(width * np.clip(progress[i], 0, 1))] = OPEN
        if not live[i] and not won[i]:
            framed[-thick:] = SHUT
        out.append(framed)
    return tile(out, columns)


class _Writer:
    """An MP4 file, sized by the first picture; written beside its place and put there when it is whole."""

    def __init__(self, file: Path) -> None:
        self._file = file
        # OpenCV takes the format from the name's end.
        self._new = file.with_name(f".{file.stem}.new{file.suffix}")
        self._writer: cv2.VideoWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
    world.check_writable(file)
            self._writer.release()
        try:
            if kind is None:
                self._new.replace(self._file)
        except OSError as wrong:
            raise _refusal(self._file) from wrong
        finally:
            self._new.unlink(missing_ok=True)

    def write(self, image: Image) -> None:
        """Append a picture (height, width, 3), RGB; sides are cut to even numbers, as video wants."""
        height, width = (side // 2 * 2 for side in image.shape[:2])
        if self._writer is None:
            code = cv2.VideoWriter.fourcc(*CODEC)
            self._writer = cv2.VideoWriter(str(self._new), code, FPS, (width, height))
            if not self._writer.isOpened():
                raise _refusal(self._file)
        self._writer.write(np.ascontiguousarray(image[:height, :width, ::-1]))
