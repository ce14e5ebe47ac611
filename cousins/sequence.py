"""Cousins: a lazy sequence of scenes, each drawn once and built when it is asked for."""

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import chain
from typing import overload

import numpy as np

from pocketworld.cousins.draw import Drawn, build, draw_cousin, findings_of
from pocketworld.cousins.spec import Spec, checked_name
from pocketworld.errors import PocketworldError
from pocketworld.findings import Finding, Severity
from pocketworld.scene import Part, Scene

FIRST = 8  # cousins drawn before it is decided whether further processes pay
START = 1.5  # s that a new process takes to import and to be sent the twin; no result depends on it


@dataclass(frozen=True, eq=False, slots=True)
class Cousins(Sequence[Scene]):
    """Cousins of a twin: `cousins[i]` is built on demand, a slice or `take` is again Cousins.

    name    first half of each cousin's id ("NAME/7"), which a scene has in its provenance wherever it stands
    drawn   their rows of draws, in this sequence's order
    visual  whether what families build of them has meshes for the eye
    """

    twin: Scene
    spec: Spec
    seed: int
    name: str
    drawn: tuple[Drawn, ...]
    visual: bool = True

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self.drawn)

    @overload
    def __getitem__(self, index: int) -> Scene: ...
    @overload
    def __getitem__(self, index: slice) -> "Cousins": ...
    def __getitem__(self, index: int | slice) -> "Scene | Cousins":
        """Return one scene, or several still to be built."""
        if isinstance(index, slice):
            return replace(self, drawn=self.drawn[index])
        return build(self.twin, self.drawn[index], self.name, visual=self.visual)

    def __iter__(self) -> Iterator[Scene]:
        """Go through the scenes, building one at a time."""
        return (build(self.twin, drawn, self.name, visual=self.visual) for drawn in self.drawn)

    def take(self, places: Iterable[int]) -> "Cousins":
        """Return those at the given places, in that order."""
        return replace(self, drawn=tuple(self.drawn[place] for place in places))

    def bare(self) -> "Cousins":
        """Return the same without what only eyes need: built in less time, and sent to processes sooner."""
        return replace(self, twin=without_meshes(self.twin), visual=False)

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the cousins' ids, without building them."""
        return tuple(f"{self.name}/{drawn.index}" for drawn in self.drawn)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return how many draws were refused and why, and what was not varied though the spec asks for it."""
        refused = Counter(one.refusal.reason for drawn in self.drawn for one in drawn.refused)
        found = tuple(chain.from_iterable(map(findings_of, self.drawn)))
        if not refused:
            return found
        tries = len(self.drawn) * len(self.twin.assets) + refused.total()
        text = f"{refused.total()} of {tries} draws were refused and drawn again"
        numbers = {reason: float(n) for reason, n in sorted(refused.items())}
        return (Finding("cousins-refused", Severity.NOTE, "cousins", self.name, text, numbers), *found)


def make(
    twin: Scene, spec: Spec, *, seed: int = 0, count: int = 64, name: str | None = None, workers: int = 1
) -> Cousins:
    """Return cousins 0 to count - 1 of a twin.

    name      the first half of each cousin's id [the spec's name]
    workers   processes, at most; they are used where they pay, and change no cousin

    Raises PocketworldError for a seed that is no whole number from 0 on, a count or workers that are none
    from 1 on, a name that can't be one (`spec.checked_name`).
    """
    label = checked_name(spec.name if name is None else name)
    if not _whole(seed):
        raise PocketworldError(f"cousins: seed is {seed!r}", "a whole number >= 0")
    if not _whole(count) or not _whole(workers) or min(count, workers) < 1:
        raise PocketworldError(f"cousins: count {count!r}, workers {workers!r}", "whole numbers >= 1")
    drawn = _draw(twin, spec, seed, range(1))  # the first one also imports what it needs
    began = time.perf_counter()
    drawn += _draw(twin, spec, seed, range(1, min(count, FIRST)))
    each = (time.perf_counter() - began) / max(len(drawn) - 1, 1)
    rest = range(len(drawn), count)
    if each * len(rest) * (1 - 1 / workers) > START:
        drawn += draw_parallel(twin, spec, seed, rest, workers)
    else:
        drawn += _draw(twin, spec, seed, rest)
    return Cousins(twin, spec, int(seed), label, tuple(drawn))


def draw_parallel(twin: Scene, spec: Spec, seed: int, indices: Sequence[int], workers: int) -> list[Drawn]:
    """Return the draws of cousins by their indices, made in other processes.

    Each process is new (spawn): none inherits threads or a GPU's handles in the middle of something.

    Raises PocketworldError where a process ends before it has answered, as from a script it can't import.
    """
    bare = without_meshes(twin)
    size = max(1, -(-len(indices) // (4 * workers)))
    chunks = [indices[i : i + size] for i in range(0, len(indices), size)]
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            done = [pool.submit(_draw, bare, spec, seed, chunk) for chunk in chunks]
            return [drawn for job in done for drawn in job.result()]
        except BrokenProcessPool as error:
            raise PocketworldError(
                f"cousins: one of {workers} processes ended early",
                'a script needs `if __name__ == "__main__":` around its work; or workers=1',
            ) from error


def _whole(number: object) -> bool:
    """Say whether this is a whole number from 0 on, as streams and ranges take it."""
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        return False
    return int(number) >= 0


def without_meshes(twin: Scene) -> Scene:
    """Return a scene without what only eyes need; the same one where there is nothing of it."""
    if not any(part.meshes and part.pieces for asset in twin.assets for part in asset.parts):
        return twin
    return replace(twin, assets=tuple(replace(a, parts=tuple(map(_bare, a.parts))) for a in twin.assets))


def _bare(part: Part) -> Part:
    return replace(part, meshes=()) if part.pieces else part


def _draw(twin: Scene, spec: Spec, seed: int, indices: Iterable[int]) -> list[Drawn]:
    return [draw_cousin(twin, spec, seed, index) for index in indices]


def taken(scenes: Sequence[Scene], places: Iterable[int]) -> Sequence[Scene]:
    """Return the scene at each place modulo their number; of `Cousins` those, still to be built."""
    wrapped = [place % len(scenes) for place in places]
    if isinstance(scenes, Cousins):
        return scenes.take(wrapped)
    made = {place: scenes[place] for place in sorted(set(wrapped))}
    return [made[place] for place in wrapped]
