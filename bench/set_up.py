"""What it takes from a cousin's row of draws to its compiled model, stage by stage."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pocketworld.bench.ratio import Ratio
from pocketworld.cousins.sequence import Cousins
from pocketworld.scene import Scene
from pocketworld.sim.compiling.cousin import cousin_of
from pocketworld.sim.models import mjcf
from pocketworld.sim.robots.hand import Hand

MOST = 32  # cousins that are measured
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SetUp:
    """Milliseconds of CPU time a cousin: built from its row, written as MJCF, compiled, its targets found.

    cousins   how many were measured
    """

    cousins: int
    build: Ratio
    write: Ratio
    compile: Ratio
    targets: Ratio
    whole: Ratio

    def text(self) -> str:
        """Return it in words."""
        names = ("build", "write", "compile", "targets")
        parts = ", ".join(f"{name} {getattr(self, name).median:.2f}" for name in names)
        return f"a cousin's set-up, ms of CPU time               {self.whole.text()}: {parts}"


def measure(scenes: Sequence[Scene], repeats: int = 3) -> SetUp:
    """Set up some cousins with the floating hand, each `repeats` times, the least of which counts.

    Scenes that are built already take no time to build.
    """
    bare = scenes.bare() if isinstance(scenes, Cousins) else scenes
    count = min(len(bare), MOST)
    stages(bare, 0)  # imports what it needs
    gc.collect()
    gc.disable()  # as while cousins are compiled
    try:
        found = np.array([np.min([stages(bare, i) for _ in range(repeats)], 0) for i in range(count)])
    finally:
        gc.enable()
    ms = 1e3 * found.T
    build, write, compiled, targets = (Ratio.of(stage) for stage in ms)
    return SetUp(count, build, write, compiled, targets, Ratio.of(ms.sum(0)))


def stages(scenes: Sequence[Scene], i: int) -> tuple[float, float, float, float]:
    """Return the seconds of CPU time that scene i takes: to build, write, compile, find targets in."""
    scene, build = _timed(lambda: scenes[i])
    robot = Hand()
    fitted = robot.fitted(scene)
    text, write = _timed(lambda: mjcf.document(scene, visual=False, extra=fitted.fragment))
    model, compiled = _timed(text.compile)
    _, targets = _timed(lambda: cousin_of(model, scene, robot, fitted))
    return build, write, compiled, targets


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.process_time()
    made = work()
    return made, time.process_time() - began
