"""Reads a LeRobot v3.0 dataset with no word of what wrote it, and says where it is not one.

Its numbers, times and counters are worked out anew from the files, and every frame of every video is decoded.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.sim.lerobot import checks_video

Row = Mapping[str, Any]
INFO_KEYS = {
    "codebase_version", "fps", "features", "total_episodes", "total_frames", "total_tasks", "chunks_size",
    "data_files_size_in_mb", "video_files_size_in_mb", "data_path", "video_path", "robot_type", "splits",
}  # fmt: skip
COUNTED = {"timestamp": "float32"} | dict.fromkeys(
    ("frame_index", "episode_index", "index", "task_index"), "int64"
)
QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
NEAR = 1e-9  # relative: statistics are float64 of float32


@dataclass(frozen=True, slots=True)
class Checked:
    """What was read: episodes, frames, tasks, pictures decoded."""

    episodes: int
    frames: int
    tasks: tuple[str, ...]
    pictures: int


def check(root: Path) -> Checked:
    """Read a dataset and return what is in it; raise PocketworldError where it is no v3.0."""
    try:
        return _check(root)
    except (ValueError, LookupError, TypeError, OSError) as error:  # PyArrow's and PyAV's are such
        why = " ".join(str(error).split()) or type(error).__name__
        raise PocketworldError(f"not a LeRobot v3.0 dataset: {why}", "record it again") from error


def _check(root: Path) -> Checked:
    info = _info(root)
    tasks = _tasks(root, info)
    rows = _rows(root, info)
    _require(info["total_frames"] == rows[-1]["dataset_to_index"], "total_frames is not what episodes have")
    total: dict[str, list[NDArray[Any]]] = {}
    for row, table in zip(rows, _episodes(root, info, rows), strict=True):
        columns = _columns(table, info)
        _counters(row, columns, info, tasks)
        for name, values in columns.items():
            _statistics(values, _told(row, name), f"episode {row['episode_index']}, {name}")
            total.setdefault(name, []).append(values)
    whole = json.loads((root / "meta/stats.json").read_text())
    _require(set(whole) == set(info["features"]), f"stats.json is about {sorted(whole)}")
    for name, parts in total.items():
        _statistics(np.concatenate(parts), whole[name], f"stats.json, {name}")
    pictures = checks_video.check(root, info, rows, whole)
    _no_others(root, info, rows)
    return Checked(len(rows), info["total_frames"], tuple(tasks), pictures)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise PocketworldError(f"not a LeRobot v3.0 dataset: {what}")


def _info(root: Path) -> dict[str, Any]:
    try:
        info: dict[str, Any] = json.loads((root / "meta/info.json").read_text())
    except (OSError, ValueError) as error:
        raise PocketworldError(f"{root} is no LeRobot dataset", "it needs meta/info.json") from error
    _require(set(info) == INFO_KEYS, f"info.json has {sorted(info)}")
    _require(info["codebase_version"] == "v3.0", f"version {info['codebase_version']}")
    _require(info["splits"] == {"train": f"0:{info['total_episodes']}"}, f"splits are {info['splits']}")
    for name, feature in info["features"].items():
        _feature(name, feature)
    for name, kind in COUNTED.items():
        expected = {"dtype": kind, "shape": [1], "names": None}
        _require(info["features"].get(name) == expected, f"feature {name}")
    return info


def _feature(name: str, feature: Row) -> None:
    kind, shape = feature["dtype"], feature["shape"]
    if kind == "video":
        _require(feature["names"] == ["height", "width", "channels"], f"names of {name}")
        _require(len(shape) == 3 and shape[2] == 3 and not (shape[0] % 2 or shape[1] % 2), f"{name}: {shape}")
        return
    _require(kind in ("float32", "int64", "bool"), f"{name} is {kind}")
    _require(len(shape) == 1 and shape[0] > 0, f"{name} has shape {shape}")
    names = feature["names"]
    _require(names is None or len(names) == shape[0], f"{name} names {names}")


def _tasks(root: Path, info: Row) -> list[str]:
    table = pq.read_table(root / "meta/tasks.parquet")
    indexed = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
    _require(indexed.get("index_columns") == ["task"], "tasks.parquet has no index of pandas named task")
    _require(table.schema.field("task_index").type == pa.int64(), "task_index is not int64")
    numbers, tasks = table["task_index"].to_pylist(), list[str](table["task"].to_pylist())
    _require(numbers == list(range(info["total_tasks"])), f"tasks are numbered {numbers}")
    _require(len(set(tasks)) == len(tasks) and all(tasks), f"tasks are {tasks}")
    return tasks


def _rows(root: Path, info: Row) -> list[dict[str, Any]]:
    """Return the rows of meta/episodes, which say in which file they themselves are."""
    rows: list[dict[str, Any]] = []
    for file in sorted((root / "meta/episodes").glob("*/*.parquet")):
        for row in pq.read_table(file).to_pylist():
            where = _file(row, "meta/episodes", "meta/episodes/chunk-{:03d}/file-{:03d}.parquet")
            _require(root / where == file, f"a row of {file} says it is in {where}")
            rows.append(row)
    _require(len(rows) == info["total_episodes"] > 0, f"{len(rows)} episodes")
    expected = 0
    for number, row in enumerate(rows):
        _require(row["episode_index"] == number, f"episode {number} is numbered {row['episode_index']}")
        span = (row["dataset_from_index"], row["dataset_to_index"])
        _require(span == (expected, expected + row["length"]), f"episode {number} has frames {span}")
        _require(row["length"] > 0 and len(row["tasks"]) > 0, f"episode {number} is empty")
        expected = span[1]
    return rows


def _file(row: Row, kind: str, pattern: str) -> str:
    return pattern.format(row[f"{kind}/chunk_index"], row[f"{kind}/file_index"])


def _episodes(root: Path, info: Row, rows: Sequence[Row]) -> Iterator[pa.Table]:
    """Yield each episode's numbers: one row group each, in files that are no larger than they may be."""
    expected = _schema(info)
    by_file: dict[str, list[Row]] = {}
    for row in rows:
        where = info["data_path"].format(
            chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
        )
        by_file.setdefault(where, []).append(row)
    _require(list(by_file) == _successive(info, len(by_file)), f"data files are {list(by_file)}")
    for where, held in by_file.items():
        size = (root / where).stat().st_size
        _require(size <= info["data_files_size_in_mb"] * 1024**2, f"{where} has {size} bytes")
        file = pq.ParquetFile(root / where)
        _require(file.schema_arrow.equals(expected), f"{where} has the schema {file.schema_arrow}")
        _require(file.num_row_groups == len(held), f"{where} has {file.num_row_groups} row groups")
        yield from (file.read_row_group(i) for i in range(len(held)))


def _successive(info: Row, count: int) -> list[str]:
    """Return the first names of data files: a chunk is filled before the next begins."""
    places = (divmod(i, info["chunks_size"]) for i in range(count))
    return [info["data_path"].format(chunk_index=chunk, file_index=file) for chunk, file in places]


def _schema(info: Row) -> pa.Schema:
    kinds = {"float32": pa.float32(), "int64": pa.int64(), "bool": pa.bool_()}
    stored = {name: f for name, f in info["features"].items() if f["dtype"] != "video"}
    sized = {name: (kinds[f["dtype"]], f["shape"][0]) for name, f in stored.items()}
    return pa.schema([(name, pa.list_(k, n) if n > 1 else k) for name, (k, n) in sized.items()])


def _columns(table: pa.Table, info: Row) -> dict[str, NDArray[Any]]:
    out = {}
    for name in table.schema.names:
        values = np.array(table[name].to_pylist(), info["features"][name]["dtype"]).reshape(len(table), -1)
        _require(bool(np.isfinite(values).all()), f"{name} is not finite")
        out[name] = values
    return out


def _counters(row: Row, columns: Mapping[str, NDArray[Any]], info: Row, tasks: Sequence[str]) -> None:
    number, count = row["episode_index"], row["length"]
    frames = np.arange(count)
    expected = {
        "frame_index": frames,
        "episode_index": np.full(count, number),
        "index": row["dataset_from_index"] + frames,
        "timestamp": (frames / info["fps"]).astype(np.float32),
    }
    for name, values in expected.items():
        _require(np.array_equal(columns[name][:, 0], values), f"{name} of episode {number}")
    done = {tasks[i] for i in np.unique(columns["task_index"])}
    _require(done == set(row["tasks"]), f"tasks of episode {number}: {done} or {row['tasks']}")


def _told(row: Row, feature: str) -> dict[str, Any]:
    head = f"stats/{feature}/"
    return {name.removeprefix(head): value for name, value in row.items() if name.startswith(head)}


def _statistics(values: NDArray[Any], told: Row, where: str) -> None:
    """Compare statistics (n,) with those of values (t, n)."""
    exact = values.astype(np.float64)
    known = {
        "min": exact.min(0), "max": exact.max(0), "mean": exact.mean(0), "std": exact.std(0),
        "count": [len(values)], **{name: np.quantile(exact, q, axis=0) for name, q in QUANTILES.items()},
    }  # fmt: skip
    _require(set(told) == set(known), f"{where}: statistics are {sorted(told)}")
    for name, expected in known.items():
        got = np.array(told[name], float)
        same = got.shape == np.shape(expected) and np.allclose(got, expected, rtol=NEAR, atol=NEAR)
        _require(same, f"{where}: {name} is {told[name]}, not {np.asarray(expected).tolist()}")


def _no_others(root: Path, info: Row, rows: Sequence[Row]) -> None:
    """Refuse files that no episode is in."""
    known = {"meta/info.json", "meta/stats.json", "meta/tasks.parquet", "meta/origins.jsonl"}
    for row in rows:
        known.add(_file(row, "data", "data/chunk-{:03d}/file-{:03d}.parquet"))
        known.add(_file(row, "meta/episodes", "meta/episodes/chunk-{:03d}/file-{:03d}.parquet"))
        known |= {checks_video.file_of(row, camera, info) for camera in checks_video.cameras(info)}
    found = {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}
    found = {file for file in found if not file.startswith(".")}  # a lock, what the Hub keeps
    _require(found <= known, f"there are also {sorted(found - known)[:4]}")
