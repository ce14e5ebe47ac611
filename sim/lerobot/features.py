"""What each frame of a dataset holds, in the words of LeRobot's info.json and of Arrow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pocketworld.errors import PocketworldError

VERSION = "v3.0"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
INFO, STATS, TASKS, ORIGINS = "meta/info.json", "meta/stats.json", "meta/tasks.parquet", "meta/origins.jsonl"
TIME = "timestamp"
COUNTERS = ("frame_index", "episode_index", "index", "task_index")  # int64, in every dataset
CODEC, PIXELS = "h264", "yuv420p"


@dataclass(frozen=True, slots=True)
class Limits:
    """How large files get, MB, and how many of them a folder holds."""

    data_mb: int = 100
    video_mb: int = 200
    chunk_files: int = 1000

    def __post_init__(self) -> None:
        if min(self.data_mb, self.video_mb, self.chunk_files) < 1:
            raise PocketworldError(f"limits of files are {self}", "each is at least 1")


@dataclass(frozen=True, slots=True)
class Features:
    """What each frame holds, besides its time and counters.

    fps        frames a second, a whole number
    vectors    by name, what each number of it is called: float32
    flags      names of what is true or false
    cameras    by name, height and width of its pictures, pixels: even numbers, as H.264 wants
    robot      what the robot is called
    """

    fps: int
    vectors: Mapping[str, tuple[str, ...]]
    flags: tuple[str, ...] = ()
    cameras: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    robot: str = ""

    def __post_init__(self) -> None:
        names = [*self.vectors, *self.flags, *self.cameras, TIME, *COUNTERS]
        if len(set(names)) < len(names) or not all(name and "/" not in name for name in names):
            raise PocketworldError(f"features are named {names}", "each once, without a slash")
        if self.fps < 1:
            raise PocketworldError(f"fps is {self.fps}", "at least 1")
        for name, numbers in self.vectors.items():
            if not numbers:
                raise PocketworldError(f"feature {name} holds nothing", "name its numbers")
        for name, size in self.cameras.items():
            if any(side < 2 or side % 2 for side in size):
                raise PocketworldError(f"camera {name} is {size} pixels", "height and width are even")

    def columns(self) -> Iterator[tuple[str, int]]:
        """Yield what stands in data files, by name, and how many numbers it holds."""
        yield from ((name, len(numbers)) for name, numbers in self.vectors.items())
        yield from ((name, 1) for name in (*self.flags, TIME, *COUNTERS))

    def schema(self) -> pa.Schema:
        """Return the schema of data files: vectors as lists of fixed size, single numbers as scalars."""
        kinds = {name: pa.bool_() for name in self.flags} | {name: pa.int64() for name in COUNTERS}
        return pa.schema([pa.field(name, _kind(kinds, name, size)) for name, size in self.columns()])

    def to_json(self) -> dict[str, Any]:
        """Return `features` of info.json."""
        out: dict[str, Any] = {
            name: {"dtype": "float32", "shape": [len(numbers)], "names": list(numbers)}
            for name, numbers in self.vectors.items()
        }
        out |= {name: _scalar("bool") for name in self.flags}
        out |= {name: _video(size, self.fps) for name, size in self.cameras.items()}
        return out | {TIME: _scalar("float32")} | {name: _scalar("int64") for name in COUNTERS}


def _kind(kinds: Mapping[str, pa.DataType], name: str, size: int) -> pa.DataType:
    kind = kinds.get(name, pa.float32())
    return pa.list_(kind, size) if size > 1 else kind


def _scalar(kind: str) -> dict[str, Any]:
    return {"dtype": kind, "shape": [1], "names": None}


def _video(size: tuple[int, int], fps: int) -> dict[str, Any]:
    height, width = size
    info = {
        "video.height": height,
        "video.width": width,
        "video.codec": CODEC,
        "video.pix_fmt": PIXELS,
        "video.fps": fps,
        "video.channels": 3,
        "has_audio": False,
        "is_depth_map": False,
    }
    shape, names = [height, width, 3], ["height", "width", "channels"]
    return {"dtype": "video", "shape": shape, "names": names, "info": info}
