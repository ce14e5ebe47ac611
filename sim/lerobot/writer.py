"""Writes a LeRobot v3.0 dataset, an episode at a time: whole, or not at all."""

import fcntl
import io
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pocketworld import world
from pocketworld.errors import PocketworldError
from pocketworld.sim.lerobot import catalogue
from pocketworld.sim.lerobot.features import DATA, EPISODES, ORIGINS, TIME, Features, Limits
from pocketworld.sim.lerobot.shards import Tables
from pocketworld.sim.lerobot.statistics import Pixels, Statistics, of_numbers
from pocketworld.sim.lerobot.video import Clip, Films, Span

Values = NDArray[Any]
Image = NDArray[np.uint8]
LOCK = ".lock"
ROWS = 64  # episodes whose rows are written together: one alone takes 35 kB, six take 62 kB


@dataclass(frozen=True, eq=False, slots=True)
class Episode:
    """One episode of t frames; what is seen in a frame is seen before its action.

    task      what was to be done, in words
    columns   vectors (t, n) and flags (t,), by name
    pictures  t times a picture (height, width, 3) of each camera, by name; drawn as they are asked for
    origin    what else one may want to know of it: JSON, a line each in meta/origins.jsonl
    """

    task: str
    columns: Mapping[str, Values]
    pictures: Iterable[Mapping[str, Image]] = ()
    origin: Mapping[str, object] = field(default_factory=dict)


@contextmanager
def writing(
    target: Path,
    features: Features,
    limits: Limits | None = None,
    check: Callable[[Path], object] = lambda _: None,
) -> Iterator["Writer"]:
    """Give a writer of a dataset; the folder `target` is there on leaving, or nothing is after an error.

    check   looks at all of it before it is put in its place, and raises what is wrong with it
    What a killed run has left beside it is deleted. Raises PocketworldError if `target` is there already, or
    no episode was added.
    """
    free(target)
    _clear(target)
    with world.folder(target) as new, (new / LOCK).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with ExitStack() as files:
            writer = Writer(new, features, limits or Limits(), files)
            yield writer
            writer.complete()
        writer.finish()
        check(new)
        free(target)  # another may have been quicker
        (new / LOCK).unlink()


def free(target: Path) -> None:
    """Raise PocketworldError where something is there already, or nothing can be made."""
    if target.exists():
        raise PocketworldError(f"{target} is there already", "name another folder, or delete it")
    world.check_writable(target)


def _clear(target: Path) -> None:
    """Delete what runs that were killed have left; one that still runs holds its lock."""
    for left in target.parent.glob(f".{target.name}.new-*"):
        if not (left / LOCK).exists():  # it is just beginning, or done
            continue
        with (left / LOCK).open("a") as held, ExitStack() as undo:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            undo.callback(shutil.rmtree, left, ignore_errors=True)


class Writer:
    """Appends episodes; see `writing`. Of pictures one is kept in memory, of episodes the running one."""

    def __init__(self, root: Path, features: Features, limits: Limits, files: ExitStack) -> None:
        self.features, self.limits = features, limits
        self.episodes, self.frames = 0, 0
        self._root, self._tasks, self._pending = root, dict[str, int](), list[catalogue.Row]()
        sizes = limits.data_mb, limits.chunk_files
        self._data = files.enter_context(Tables(root, DATA, features.schema(), *sizes))
        rows = catalogue.episode_schema(features)
        self._rows = files.enter_context(Tables(root, EPISODES, rows, *sizes))
        self._films = {
            name: files.enter_context(Films(root, name, features.fps, limits.video_mb, limits.chunk_files))
            for name in features.cameras
        }
        self._pixels = {name: Pixels() for name in features.cameras}
        (root / ORIGINS).parent.mkdir()
        self._origins = files.enter_context((root / ORIGINS).open("w"))

    @property
    def tasks(self) -> tuple[str, ...]:
        """Return all tasks, in words."""
        return tuple(self._tasks)

    def add(self, episode: Episode) -> None:
        """Append an episode. One that is wrong, or whose pictures fail, leaves the dataset as it was."""
        columns = _checked(episode, self.features)
        origin = _line(episode.origin, self.episodes)
        clips, pixels = _encoded(episode.pictures, self.features, len(columns[TIME]))
        spans = {name: self._films[name].append(clip) for name, clip in clips.items()}
        for name, seen in pixels.items():
            self._pixels[name].merge(seen)
        statistics = {name: of_numbers(values) for name, values in self._counted(episode.task, columns)}
        statistics |= {name: seen.statistics() for name, seen in pixels.items()}
        self._append(episode.task, columns, spans, statistics)
        self._origins.write(origin)

    def _counted(self, task: str, columns: dict[str, Values]) -> Iterator[tuple[str, Values]]:
        """Fill in the counters; yield all columns as (t, n)."""
        count = len(columns[TIME])
        number = self._tasks.setdefault(task, len(self._tasks))
        columns["frame_index"] = np.arange(count)
        columns["episode_index"] = np.full(count, self.episodes)
        columns["index"] = self.frames + np.arange(count)
        columns["task_index"] = np.full(count, number)
        yield from ((name, columns[name].reshape(count, -1)) for name, _ in self.features.columns())

    def _append(
        self,
        task: str,
        columns: Mapping[str, Values],
        spans: Mapping[str, Span],
        statistics: Mapping[str, Statistics],
    ) -> None:
        count = len(columns[TIME])
        table = _table(columns, self.features)
        data = self._data.locate(table.nbytes)
        self._data.append(table)
        row = catalogue.episode_row(self.episodes, task, count, self.frames, data)
        self._pending.append(row | catalogue.of_spans(spans) | catalogue.of_statistics(statistics))
        if len(self._pending) == ROWS:
            self._flush()
        self.episodes, self.frames = self.episodes + 1, self.frames + count

    def complete(self) -> None:
        """Write what is still to be written of the episodes."""
        if not self.episodes:
            raise PocketworldError("a dataset without episodes", "add at least one")
        if self._pending:
            self._flush()

    def _flush(self) -> None:
        """Write the rows of the last episodes: each tells which file it is in itself."""
        place = self._rows.locate(pa.Table.from_pylist(self._pending).nbytes)
        where = {"meta/episodes/chunk_index": place.chunk, "meta/episodes/file_index": place.file}
        rows = [row | where for row in self._pending]
        self._rows.append(pa.Table.from_pylist(rows, schema=self._rows.schema))
        self._pending.clear()

    def finish(self) -> None:
        """Write what describes the whole, its data files being closed."""
        statistics = {name: of_numbers(values) for name, values in self._written()}
        statistics |= {name: seen.statistics() for name, seen in self._pixels.items()}
        catalogue.write(self._root, self.features, self.limits, self.episodes, self.frames, self._tasks)
        catalogue.write_statistics(self._root, self.features, statistics)

    def _written(self) -> Iterator[tuple[str, Values]]:
        """Yield each column of all episodes as (frames, n), read back: one at a time is in memory."""
        files = sorted(self._root.glob("data/*/*.parquet"))
        for name, size in self.features.columns():
            read = (pq.read_table(file, columns=[name])[name].combine_chunks() for file in files)
            flat = [(part.flatten() if size > 1 else part).to_numpy(zero_copy_only=False) for part in read]
            yield name, np.concatenate(flat).reshape(-1, size)


def _line(origin: Mapping[str, object], number: int) -> str:
    try:
        return json.dumps({"episode_index": number, **origin}) + "\n"
    except (TypeError, ValueError) as error:
        raise PocketworldError(f"an episode's origin: {error}", "give what JSON can hold") from error


def _checked(episode: Episode, features: Features) -> dict[str, Values]:
    """Return an episode's columns as they are stored, with its time, or raise PocketworldError."""
    expected = {*features.vectors, *features.flags}
    if set(episode.columns) != expected:
        raise PocketworldError(f"an episode has {sorted(episode.columns)}", f"give {sorted(expected)}")
    if not episode.task.strip():
        raise PocketworldError("an episode without a task", "say in words what was to be done")
    lengths = {len(values) for values in episode.columns.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise PocketworldError(f"an episode's columns have {sorted(lengths)} frames", "the same, at least 1")
    count = lengths.pop()
    out = {name: _vector(name, values, size) for name, values, size in _vectors(episode, features)}
    out |= {name: _flag(name, episode.columns[name]) for name in features.flags}
    return out | {TIME: (np.arange(count) / features.fps).astype(np.float32)}


def _vectors(episode: Episode, features: Features) -> Iterator[tuple[str, Values, int]]:
    return ((name, episode.columns[name], len(numbers)) for name, numbers in features.vectors.items())


def _vector(name: str, values: Values, size: int) -> Values:
    kept = np.asarray(values, np.float32)
    if kept.shape != (len(kept), size) and not (size == 1 and kept.ndim == 1):
        raise PocketworldError(f"{name} has shape {kept.shape}", f"give {(len(kept), size)}")
    if not np.isfinite(kept).all():
        raise PocketworldError(f"{name} is not finite", "give numbers that float32 holds")
    return kept.reshape(-1, size)


def _flag(name: str, values: Values) -> Values:
    kept = np.asarray(values)
    if kept.dtype != bool or kept.ndim != 1:
        raise PocketworldError(f"{name} is {kept.dtype} of shape {kept.shape}", "give bool, one a frame")
    return kept


def _encoded(
    pictures: Iterable[Mapping[str, Image]], features: Features, count: int
) -> tuple[dict[str, io.BytesIO], dict[str, Pixels]]:
    """Encode an episode's pictures as they come, as MP4s; without cameras none is asked for."""
    clips = {name: Clip(features.fps, size) for name, size in features.cameras.items()}
    pixels = {name: Pixels() for name in clips}
    try:
        given = 0
        for given, images in enumerate(pictures if clips else (), 1):
            _check_images(images, features, given, count)
            for name, clip in clips.items():
                clip.add(images[name])
                pixels[name].add(images[name])
        if clips and given != count:
            raise PocketworldError(f"an episode of {count} frames has {given} pictures", "give one a frame")
    except BaseException:
        for clip in clips.values():
            clip.abandon()
        raise
    return {name: clip.finish() for name, clip in clips.items()}, pixels


def _check_images(images: Mapping[str, Image], features: Features, given: int, count: int) -> None:
    if given > count:
        raise PocketworldError(f"an episode of {count} frames has more pictures", "give one a frame")
    shapes = {name: (np.shape(image), np.asarray(image).dtype.name) for name, image in images.items()}
    expected = {name: ((*size, 3), "uint8") for name, size in features.cameras.items()}
    if shapes != expected:
        raise PocketworldError(f"pictures are {shapes}", f"give {expected}")


def _table(columns: Mapping[str, Values], features: Features) -> pa.Table:
    arrays = [
        pa.FixedSizeListArray.from_arrays(pa.array(columns[name].ravel()), size)
        if size > 1
        else pa.array(columns[name].ravel())
        for name, size in features.columns()
    ]
    return pa.table(arrays, schema=features.schema())
