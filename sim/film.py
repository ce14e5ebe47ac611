"""Films of environments side by side, as MP4 that browsers play."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld import world
from pocketworld.errors import PocketworldError
from pocketworld.sim.environment import WorldEnv
from pocketworld.sim.pictures.caption import Caption, End, captioned
from pocketworld.sim.pictures.picture import Image, tile
from pocketworld.sim.policy import Bools, Policy, finish
from pocketworld.sim.worlds import RATE, Outcome

Array = NDArray[np.float64]
# OpenCV's wheels hold no H.264 encoder; VP9 in MP4 is the one they hold that browsers play.
CODEC = "vp09"
FPS = RATE  # pictures a second: one a step, so that the film runs in real time
HOLD = FPS  # pictures for which the last one stays
SHOWN = 16  # environments at most


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

    Each is seen closely, from one place all along; words say what is asked, how far it is on its way to the
    goal, and how it ended, where its picture stops. `env` is made with render_mode="rgb_array". Raises
    PocketworldError where the file can't be written; a film that is not finished leaves nothing, and an older
    one there as it was.
    """
    env.reset(seed=seed, options={"joint": joints})
    shown = list(range(min(env.num_envs, SHOWN)))
    won, wild = np.zeros(env.num_envs, bool), np.zeros(env.num_envs, bool)
    shots = env.shots(shown)
    live, images, steps = ~won, env.draw(shown, shots), 0
    takes = [
        _Take(shot.asked, env.worlds.cousins[i].id, env.worlds.task.done) for i, shot in enumerate(shots)
    ]
    with _Writer(file) as out:
        out.write(_sheet(images, takes, columns))
        for acted, came in finish(env.worlds, policy):
            steps += 1
            won |= came.success
            wild |= came.unstable
            live, progress = acted & ~came.done, env.progress
            takes = [
                take.after(steps, float(progress[i]), came, i) if acted[i] else take
                for i, take in enumerate(takes)
            ]
            moving = [i for i in shown if live[i]]
            for i, image in zip(moving, env.draw(moving, [shots[i] for i in moving]), strict=True):
                images[i] = image
            out.write(_sheet(images, takes, columns))
        for _ in range(HOLD):
            out.write(_sheet(images, takes, columns))
    return won, wild, steps


@dataclass(frozen=True, slots=True)
class _Take:
    """One episode of a film: what is asked, in which cousin, how far it is; done: what has been done then."""

    asked: str
    cousin: str
    done: str
    steps: int = 0
    share: float = 0.0
    won: bool = False
    wild: bool = False
    live: bool = True

    def after(self, steps: int, share: float, came: Outcome, i: int) -> "_Take":
        """Return it after so many steps, the last of which came to `came` of environment i."""
        won, wild, done = (bool(of[i]) for of in (came.success, came.unstable, came.done))
        return replace(self, steps=steps, share=share, won=won, wild=wild, live=not done)

    @property
    def caption(self) -> Caption:
        """Return it in words."""
        time, way = f"{self.steps / RATE:.1f} s", f"{math.floor(100 * max(self.share, 0.0))} %"
        if self.live:
            return Caption(self.asked, f"{time}   {way} of the way", self.cousin, self.share)
        if self.won:
            return Caption(self.asked, f"{self.done.upper()} in {time}", self.cousin, 1.0, End.DONE)
        why = "physics blew up" if self.wild else f"{way} of the way"
        return Caption(self.asked, f"FAILED in {time}: {why}", self.cousin, self.share, End.FAILED)


def check(file: Path) -> None:
    """Raise PocketworldError where a film can't be written as that file."""
    if file.suffix.lower() != ".mp4" or not file.parent.is_dir():
        raise _refusal(file)
    world.check_writable(file)


def _refusal(file: Path) -> PocketworldError:
    return PocketworldError(f"can't write the film {file}", "name a .mp4 in a folder that is there")


def _sheet(images: Sequence[Image], takes: Sequence[_Take], columns: int) -> Image:
    """Return the pictures side by side, with their words."""
    return tile([captioned(image, take.caption) for image, take in zip(images, takes, strict=True)], columns)


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
