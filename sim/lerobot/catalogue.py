"""What describes a dataset: the rows of its episodes, its tasks, info.json and stats.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pocketworld.sim.lerobot.features import DATA, INFO, STATS, TASKS, VERSION, VIDEO, Features, Limits
from pocketworld.sim.lerobot.shards import Place
from pocketworld.sim.lerobot.statistics import NAMES, Statistics
from pocketworld.sim.lerobot.video import Span

Row = dict[str, Any]
COUNT, NUMBERS = pa.list_(pa.int64()), pa.list_(pa.float64())
BY_CHANNEL = pa.list_(pa.list_(NUMBERS))  # (3, 1, 1)


def episode_schema(features: Features) -> pa.Schema:
    """Return the schema of meta/episodes."""
    whole, real = pa.int64(), pa.float64()
    fields = [("episode_index", whole), ("tasks", pa.list_(pa.string())), ("length", whole)]
    fields += [("data/chunk_index", whole), ("data/file_index", whole)]
    fields += [("dataset_from_index", whole), ("dataset_to_index", whole)]
    for camera in features.cameras:
        fields += [(f"videos/{camera}/chunk_index", whole), (f"videos/{camera}/file_index", whole)]
        fields += [(f"videos/{camera}/from_timestamp", real), (f"videos/{camera}/to_timestamp", real)]
    kinds = {name: NUMBERS for name, _ in features.columns()} | dict.fromkeys(features.cameras, BY_CHANNEL)
    for feature, kind in kinds.items():
        fields += [(f"stats/{feature}/{name}", COUNT if name == "count" else kind) for name in NAMES]
    return pa.schema([*fields, ("meta/episodes/chunk_index", whole), ("meta/episodes/file_index", whole)])


def episode_row(number: int, task: str, length: int, start: int, data: Place) -> Row:
    """Return which episode this is and where its numbers are; `start`: frames before it."""
    return {
        "episode_index": number,
        "tasks": [task],
        "length": length,
        "data/chunk_index": data.chunk,
        "data/file_index": data.file,
        "dataset_from_index": start,
        "dataset_to_index": start + length,
    }


def of_spans(spans: Mapping[str, Span]) -> Row:
    """Return where an episode's pictures are, by camera."""
    out: Row = {}
    for camera, span in spans.items():
        out[f"videos/{camera}/chunk_index"] = span.place.chunk
        out[f"videos/{camera}/file_index"] = span.place.file
        out[f"videos/{camera}/from_timestamp"] = span.start
        out[f"videos/{camera}/to_timestamp"] = span.end
    return out


def of_statistics(statistics: Mapping[str, Statistics]) -> Row:
    """Return an episode's statistics, a column each."""
    return {
        f"stats/{feature}/{name}": values
        for feature, each in statistics.items()
        for name, values in each.items()
    }


def write(
    root: Path, features: Features, limits: Limits, episodes: int, frames: int, tasks: Mapping[str, int]
) -> None:
    """Write info.json and the tasks."""
    info = {
        "codebase_version": VERSION,
        "fps": features.fps,
        "features": features.to_json(),
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": len(tasks),
        "chunks_size": limits.chunk_files,
        "data_files_size_in_mb": limits.data_mb,
        "video_files_size_in_mb": limits.video_mb,
        "data_path": DATA,
        "video_path": VIDEO if features.cameras else None,
        "robot_type": features.robot or None,
        "splits": {"train": f"0:{episodes}"},
    }
    _write_json(root / INFO, info)
    table = pa.table({"task_index": pa.array(tasks.values(), pa.int64()), "task": pa.array(tasks)})
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(_INDEXED)}), root / TASKS)


def write_statistics(root: Path, features: Features, statistics: Mapping[str, Statistics]) -> None:
    """Write stats.json."""
    _write_json(root / STATS, {name: statistics[name] for name in features.to_json()})


def _write_json(file: Path, value: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(value, indent=4, ensure_ascii=False), encoding="utf-8")


# Loaders read tasks by pandas and want the words as the index, which pandas reads from here.
_INDEXED: dict[str, Any] = {
    "index_columns": ["task"],
    "column_indexes": [],
    "columns": [
        {
            "name": "task_index",
            "field_name": "task_index",
            "pandas_type": "int64",
            "numpy_type": "int64",
            "metadata": None,
        },
        {
            "name": "task",
            "field_name": "task",
            "pandas_type": "unicode",
            "numpy_type": "object",
            "metadata": None,
        },
    ],
    "attributes": {},
    "creator": {"library": "pyarrow", "version": pa.__version__},
    "pandas_version": "2.3.0",
}
