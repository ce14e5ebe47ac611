"""From scenes to compiled cousins: built only while they are compiled, in processes where that pays."""

import gc
import multiprocessing
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from pocketworld.cousins.draw import Drawn, build
from pocketworld.cousins.rows import Row, Source
from pocketworld.cousins.sequence import Cousins
from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene
from pocketworld.sim import memory
from pocketworld.sim.compiling.cousin import compile_cousin
from pocketworld.sim.cousin import Cousin
from pocketworld.sim.robots.hand import Hand
from pocketworld.sim.robots.robot import Robot

FIRST = 8  # cousins compiled before it is decided whether further processes pay
START = 2.0  # s that a new process takes to import MuJoCo and the families; no result depends on it
CHUNK = 16  # cousins that a process is sent at once: few enough to hold in memory, enough to hide the twin
AHEAD = 3  # such chunks a process that are sent or waited for: none idles, and only so many lie about packed

Values = tuple[tuple[str, ...], tuple[object, ...]]  # paths and values of a cousin's rows


@dataclass(frozen=True, slots=True)
class _Order:
    """Cousins for a process to compile: their indices and rows, packed: a thousand rows pickle slowly."""

    twin: Scene
    name: str
    robot: Robot
    rows: tuple[tuple[int, Values], ...]


def compile_all(scenes: Sequence[Scene], robot: Robot | None = None, *, workers: int = 1) -> list[Cousin]:
    """Compile scenes with a robot [the floating hand]; what stands there several times is compiled once.

    workers   processes, at most: they are used for `Cousins` that are still to be built, where they pay, and
              change no model. A script needs `if __name__ == "__main__":` around its work then.

    Of `Cousins` no more than one is built at a time. Raises PocketworldError for a scene in which nothing
    moves, and for more of them than fit into memory.
    """
    if workers < 1:
        raise PocketworldError(f"workers is {workers}", "at least 1")
    bare = scenes.bare() if isinstance(scenes, Cousins) else scenes
    places, several = _once(bare)
    made: list[Cousin] = []
    for cousin in _compiled(several, robot or Hand(), workers):
        if not made:
            memory.check(len(several) * memory.model_bytes(cousin.model), f"{len(several)} different cousins")
        made.append(cousin)
    return [made[place] for place in places]


def _once(scenes: Sequence[Scene]) -> tuple[list[int], Sequence[Scene]]:
    """Return for each scene the place of what it is among those that differ, and these."""
    marks = [id(one) for one in (scenes.drawn if isinstance(scenes, Cousins) else scenes)]
    first = {mark: place for place, mark in reversed(list(enumerate(marks)))}
    kept = sorted(first.values())
    rank = {place: k for k, place in enumerate(kept)}
    several = scenes.take(kept) if isinstance(scenes, Cousins) else [scenes[place] for place in kept]
    return [rank[first[mark]] for mark in marks], several


def _compiled(scenes: Sequence[Scene], robot: Robot, workers: int) -> Iterator[Cousin]:
    """Give the scenes compiled, in their order."""
    began = time.perf_counter()
    for i in range(min(len(scenes), FIRST)):
        if i == 1:  # the first one also imports what it needs
            began = time.perf_counter()
        yield one(scenes, i, robot)
    rest = range(min(len(scenes), FIRST), len(scenes))
    each = (time.perf_counter() - began) / (FIRST - 1)
    if isinstance(scenes, Cousins) and each * len(rest) * (1 - 1 / workers) > START:
        yield from in_processes(scenes[FIRST:], robot, workers)
    else:
        yield from (one(scenes, i, robot) for i in rest)


def one(scenes: Sequence[Scene], i: int, robot: Robot) -> Cousin:
    """Return scene i compiled, built only now if it is one of `Cousins`."""
    with _uncollected():
        return compile_cousin(scenes[i], robot)


def in_processes(cousins: Cousins, robot: Robot, workers: int) -> Iterator[Cousin]:
    """Give cousins compiled in other processes: the same models to the bit.

    Each process is new (spawn): none inherits threads or a GPU's handles in the middle of something.

    Raises PocketworldError where a process ends before it has answered, as from a script it can't import.
    """
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            waiting: deque[Future[list[Cousin]]] = deque()
            for order in _orders(cousins, robot):
                waiting.append(pool.submit(_work, order))
                if len(waiting) > AHEAD * workers:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool as error:
            raise PocketworldError(
                f"one of {workers} processes that compile cousins ended early",
                'a script needs `if __name__ == "__main__":` around its work; or workers=1',
            ) from error


def _orders(cousins: Cousins, robot: Robot) -> Iterator[_Order]:
    for i in range(0, len(cousins), CHUNK):
        several = tuple((drawn.index, _packed(drawn)) for drawn in cousins.drawn[i : i + CHUNK])
        yield _Order(cousins.twin, cousins.name, robot, several)


def _packed(drawn: Drawn) -> Values:
    return tuple(row.path for row in drawn.rows), tuple(row.value for row in drawn.rows)


def _work(order: _Order) -> list[Cousin]:
    """Compile cousins, in a process of its own."""
    gc.freeze()  # what is imported stays
    out = []
    for index, (paths, values) in order.rows:
        rows = tuple(Row(path, value, Source.SPEC) for path, value in zip(paths, values, strict=True))
        with _uncollected():
            scene = build(order.twin, Drawn(index, rows), order.name, visual=False)
            out.append(compile_cousin(scene, order.robot))
    return out


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from looking for cycles among all that lives: a scene has none, and it takes a fifth."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
