"""Decodes every frame of a dataset's videos and compares times, coding and colours with what is told."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError

Row = Mapping[str, Any]
KEY_EVERY = 2  # frames: loaders seek at random
# Of 0..1: how far colours are off after coding, at most; the mean of a channel, and its spread.
OFF = {"mean": 0.02, "std": 0.03}
EXACT = 1e-9  # s


def check(root: Path, info: Row, rows: Sequence[Row], whole: Row) -> int:
    """Return how many pictures were decoded; raise PocketworldError where something is not as it is told."""
    return sum(_check(root, info, rows, whole[camera], camera) for camera in cameras(info))


def cameras(info: Row) -> list[str]:
    """Return the names of what is stored as video."""
    return [name for name, feature in info["features"].items() if feature["dtype"] == "video"]


def file_of(row: Row, camera: str, info: Row) -> str:
    """Return the video in which an episode is."""
    chunk, file = row[f"videos/{camera}/chunk_index"], row[f"videos/{camera}/file_index"]
    path: str = info["video_path"].format(video_key=camera, chunk_index=chunk, file_index=file)
    return path


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise PocketworldError(f"not a LeRobot v3.0 dataset: {what}")


def _check(root: Path, info: Row, rows: Sequence[Row], told: Row, camera: str) -> int:
    by_file: dict[str, list[Row]] = {}
    for row in rows:
        by_file.setdefault(file_of(row, camera, info), []).append(row)
    sums, pictures = np.zeros((2, 3)), 0
    for where, held in by_file.items():
        size = (root / where).stat().st_size
        _require(size <= info["video_files_size_in_mb"] * 1024**2, f"{where} has {size} bytes")
        seen = _moments(root / where, camera, info)
        _spans(held, camera, info["fps"], len(seen))
        start = 0
        for row in held:
            part = seen[start : start + row["length"]]
            _colours(part.sum(0), len(part), _told(row, camera), f"episode {row['episode_index']}")
            start += row["length"]
        sums, pictures = sums + seen.sum(0), pictures + len(seen)
    _colours(sums, pictures, told, "stats.json")
    return pictures


def _moments(file: Path, camera: str, info: Row) -> NDArray[np.float64]:
    """Return the means of each frame's levels and of their squares (frames, 2, 3), each frame decoded."""
    import av
    from av.video.frame import PictureType

    height, width, _ = info["features"][camera]["shape"]
    out, key = [], -KEY_EVERY
    with av.open(str(file)) as source:
        stream = source.streams.video[0]
        kind = (stream.codec_context.name, stream.codec_context.pix_fmt, stream.height, stream.width)
        _require(kind == ("h264", "yuv420p", height, width), f"{file.name} of {camera} is {kind}")
        _require(len(source.streams) == 1, f"{file.name} of {camera} holds more than pictures")
        _require(stream.average_rate == info["fps"], f"{camera} runs at {stream.average_rate}")
        for number, frame in enumerate(source.decode(stream)):
            time = Fraction(frame.pts or 0) * Fraction(frame.time_base or 0)
            _require(time == Fraction(number, info["fps"]), f"frame {number} of {camera} is at {time} s")
            _require(frame.pict_type != PictureType.B, f"frame {number} is between others")
            key = number if frame.key_frame else key
            _require(number - key < KEY_EVERY, f"frame {number} of {camera} is far from a key frame")
            level = frame.to_ndarray(format="rgb24") / 255.0
            out.append([level.mean((0, 1)), (level**2).mean((0, 1))])
    return np.array(out)


def _spans(held: Sequence[Row], camera: str, fps: int, frames: int) -> None:
    """Refuse episodes that do not follow each other in a file, or leave frames over."""
    start = 0
    for row in held:
        told = (row[f"videos/{camera}/from_timestamp"], row[f"videos/{camera}/to_timestamp"])
        exact = (start / fps, (start + row["length"]) / fps)
        near = np.allclose(told, exact, rtol=0, atol=EXACT)
        _require(bool(near), f"episode {row['episode_index']} is from {told[0]} to {told[1]} s of {camera}")
        start += row["length"]
    _require(start == frames, f"{camera}: {frames} frames where episodes have {start}")


def _told(row: Row, camera: str) -> dict[str, Any]:
    head = f"stats/{camera}/"
    return {name.removeprefix(head): value for name, value in row.items() if name.startswith(head)}


def _colours(sums: NDArray[np.float64], count: int, told: Row, where: str) -> None:
    """Compare statistics of pictures (3, 1, 1) with sums of frames' means and of their squares (2, 3)."""
    _require(told["count"] == [count], f"{where}: {told['count']} pictures, not {count}")
    mean, square = sums / count
    known = {"mean": mean, "std": np.sqrt(np.maximum(square - mean**2, 0))}
    shapes = {name: np.shape(values) for name, values in told.items() if name != "count"}
    _require(set(shapes.values()) == {(3, 1, 1)}, f"{where}: statistics of pictures are {shapes}")
    for name, expected in known.items():
        far = np.abs(np.array(told[name])[:, 0, 0] - expected).max()
        _require(far < OFF[name], f"{where}: {name} of pictures is {told[name]}, not {expected.tolist()}")
    levels = np.array([told[name] for name in ("min", "q01", "q10", "q50", "q90", "q99", "max")])
    ordered = (np.diff(levels, axis=0) >= 0).all() and levels.min() >= 0 and levels.max() <= 1
    _require(bool(ordered), f"{where}: quantiles of pictures are not in order, or not in 0..1")
