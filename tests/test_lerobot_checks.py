"""The independent reader of LeRobot datasets refuses each way in which a dataset can be wrong."""

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pocketworld.errors import PocketworldError
from pocketworld.sim.lerobot.checks import check
from pocketworld.sim.lerobot.features import Features
from pocketworld.sim.lerobot.writer import Episode, writing

CAMERA = "observation.images.front"
DATA, ROWS = "data/chunk-000/file-000.parquet", "meta/episodes/chunk-000/file-000.parquet"
VIDEO = f"videos/{CAMERA}/chunk-000/file-000.mp4"
Wrong = Callable[[Path], None]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("lerobot") / "set"
    features = Features(20, {"action": ("x", "y")}, ("next.done",), {CAMERA: (32, 48)})
    level = np.add.outer(np.arange(32), np.arange(48)).astype(np.uint8)
    with writing(target, features) as writer:
        for i in range(3):
            columns = {"action": np.arange(12.0).reshape(6, 2) * i, "next.done": np.arange(6) == 5}
            images = ({CAMERA: np.repeat((level + 9 * k)[..., None], 3, 2)} for k in range(6))
            writer.add(Episode(f"task {i % 2}", columns, images))
    check(target)
    return target


def info(change: Callable[[dict[str, Any]], object]) -> Wrong:
    return lambda root: edit(root / "meta/info.json", change)


def stats(change: Callable[[dict[str, Any]], object]) -> Wrong:
    return lambda root: edit(root / "meta/stats.json", change)


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(file.read_text())
    change(value)
    file.write_text(json.dumps(value))


def cell(name: str, values: list[Any], file: str = ROWS) -> Wrong:
    """Replace the first values of a column, its type and the file's row groups kept."""

    def wrong(root: Path) -> None:
        source = pq.ParquetFile(root / file)
        groups = [source.read_row_group(i) for i in range(source.num_row_groups)]
        whole = groups[0].column(name).to_pylist()
        kind = groups[0].schema.field(name).type
        column = pa.array([*values, *whole[len(values) :]], kind)
        groups[0] = groups[0].set_column(groups[0].schema.get_field_index(name), name, column)
        write(root / file, groups)

    return wrong


def write(file: Path, groups: list[pa.Table]) -> None:
    with pq.ParquetWriter(file, groups[0].schema) as out:
        for group in groups:
            out.write_table(group)


def lists_of_any_length(root: Path) -> None:
    table = pq.ParquetFile(root / DATA)
    groups = [table.read_row_group(i) for i in range(3)]
    loose = pa.list_(pa.float32())
    write(root / DATA, [g.set_column(0, "action", g["action"].cast(loose)) for g in groups])


def one_row_group(root: Path) -> None:
    pq.write_table(pq.read_table(root / DATA), root / DATA)


def tasks_without_an_index(root: Path) -> None:
    file = root / "meta/tasks.parquet"
    pq.write_table(pq.read_table(file).replace_schema_metadata(None), file)


def coded(shift: int = 0, drop: int = 0, pixels: str = "yuv420p", **options: str) -> Wrong:
    """Encode the video again in another way; shift: of the times, frames; drop: of the last frames."""

    def wrong(root: Path) -> None:
        with av.open(str(root / VIDEO)) as source:
            images = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
        with av.open(str(root / VIDEO), "w") as out:
            stream = out.add_stream("libx264", rate=20, options={"g": "2", "bf": "0", "crf": "18"} | options)
            stream.height, stream.width, stream.pix_fmt = 32, 48, pixels
            stream.time_base = Fraction(1, 20)
            for i, image in enumerate(images[: len(images) - drop]):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = i + shift * (i > 3), Fraction(1, 20)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))

    return wrong


def half(file: str) -> Wrong:
    """Cut a file off."""

    def wrong(root: Path) -> None:
        whole = (root / file).read_bytes()
        (root / file).write_bytes(whole[: len(whole) // 2])

    return wrong


def dark(root: Path) -> None:
    """Statistics of pictures of other pictures."""
    edit(root / "meta/stats.json", lambda v: v[CAMERA].update(mean=[[[0.9]], [[0.9]], [[0.9]]]))


WRONG: dict[str, tuple[Wrong, str]] = {
    "another version": (info(lambda v: v.update(codebase_version="v2.1")), "version v2.1"),
    "no splits": (info(lambda v: v.pop("splits")), "info.json has"),
    "other splits": (info(lambda v: v.update(splits={"train": "0:2"})), "splits"),
    "frames counted wrong": (info(lambda v: v.update(total_frames=17)), "total_frames"),
    "episodes counted wrong": (
        info(lambda v: v.update(total_episodes=4, splits={"train": "0:4"})),
        "3 episodes",
    ),
    "tasks counted wrong": (info(lambda v: v.update(total_tasks=1)), "tasks are numbered"),
    "a time of float64": (info(lambda v: v["features"]["timestamp"].update(dtype="float64")), "timestamp"),
    "another rate": (info(lambda v: v.update(fps=25)), "timestamp of episode 0"),
    "names for others": (info(lambda v: v["features"]["action"].update(names=["x"])), "action names"),
    "a feature that is not there": (
        info(lambda v: v["features"].update(z={"dtype": "float32", "shape": [1], "names": ["z"]})),
        "schema",
    ),
    "pictures of another size": (info(lambda v: v["features"][CAMERA].update(shape=[48, 32, 3])), "is"),
    "lists of any length": (lists_of_any_length, "schema"),
    "one row group for all": (one_row_group, "1 row groups"),
    "tasks without an index": (tasks_without_an_index, "index of pandas"),
    "times that stand still": (cell("timestamp", [0.0, 0.0], DATA), "timestamp of episode 0"),
    "an index from one": (cell("index", [1], DATA), "index of episode 0"),
    "frames from one": (cell("frame_index", [1], DATA), "frame_index of episode 0"),
    "a frame of another episode": (cell("episode_index", [1], DATA), "episode_index of episode 0"),
    "a frame of another task": (cell("task_index", [1], DATA), "tasks of episode 0"),
    "an action that nobody took": (cell("action", [[7.0, 0.0]], DATA), "episode 0, action: max"),
    "no number": (cell("action", [[float("nan"), 0.0]], DATA), "action is not finite"),
    "an episode too long": (cell("length", [7]), r"episode 0 has frames \(0, 6\)"),
    "episodes out of order": (cell("episode_index", [1, 0]), "numbered 1"),
    "a row in another file": (cell("meta/episodes/file_index", [1]), "says it is in"),
    "numbers in another file": (cell("data/file_index", [1]), "data files are"),
    "pictures from later on": (cell(f"videos/{CAMERA}/from_timestamp", [0.05]), "is from 0.05"),
    "pictures for longer": (cell(f"videos/{CAMERA}/to_timestamp", [0.35]), "to 0.35"),
    "statistics of others": (cell("stats/action/mean", [[9.0, 9.0]]), "mean is"),
    "quantiles of others": (cell("stats/action/q99", [[9.0, 9.0]]), "q99 is"),
    "a count of others": (cell("stats/action/count", [[5]]), "count is"),
    "statistics of all of others": (
        stats(lambda v: v["action"].update(std=[9.0, 9.0])),
        "stats.json, action",
    ),
    "no statistics of a feature": (stats(lambda v: v.pop("action")), "stats.json is about"),
    "no quantiles": (stats(lambda v: v["action"].pop("q50")), "statistics are"),
    "flat statistics of pictures": (
        stats(lambda v: v[CAMERA].update(mean=[0.1, 0.1, 0.1])),
        "statistics of pictures",
    ),
    "levels up to 255": (
        stats(lambda v: v[CAMERA].update({k: [[[99.0]]] * 3 for k in ("q90", "q99", "max")})),
        "not in 0..1",
    ),
    "statistics of other pictures": (dark, "mean of pictures"),
    "key frames too rare": (coded(g="12"), "far from a key frame"),
    "frames that refer to later ones": (coded(g="12", bf="2"), "between others|far from"),
    "other colours": (coded(pixels="yuv444p"), "yuv444p"),
    "times with a gap": (coded(shift=1), "frame 4 of .* is at|runs at"),
    "a frame less": (coded(drop=1), "17 frames where episodes have 18"),
    "half a table": (half(DATA), "PAR1|[Pp]arquet"),
    "half a video": (half(VIDEO), "Invalid data|frame"),
    "half of info": (half("meta/info.json"), "is no LeRobot dataset"),
    "no tasks": (lambda root: (root / "meta/tasks.parquet").unlink(), "tasks.parquet"),
    "no video": (lambda root: (root / VIDEO).unlink(), "No such file"),
    "a file too many": (lambda root: (root / "left.mp4").touch(), "left.mp4"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(name: str, good: Path, tmp_path: Path) -> None:
    wrong, said = WRONG[name]
    shutil.copytree(good, tmp_path / "set")
    wrong(tmp_path / "set")
    with pytest.raises(PocketworldError, match=said):
        check(tmp_path / "set")


@pytest.mark.parametrize("gone", ["meta/info.json", "meta"])
def test_a_folder_that_is_no_dataset_is_one_line(gone: str, good: Path, tmp_path: Path) -> None:
    shutil.copytree(good, tmp_path / "set")
    (shutil.rmtree if (good / gone).is_dir() else Path.unlink)(tmp_path / "set" / gone)
    with pytest.raises(PocketworldError, match="is no LeRobot dataset"):
        check(tmp_path / "set")


def test_the_same_video_coded_anew_is_as_good(good: Path, tmp_path: Path) -> None:
    """What the ways above change is what is found, not that they coded it again."""
    shutil.copytree(good, tmp_path / "set")
    coded()(tmp_path / "set")
    check(tmp_path / "set")


def test_what_is_hidden_is_no_part_of_it(good: Path, tmp_path: Path) -> None:
    """A lock that is held while it is read, or what the Hub keeps beside a dataset."""
    shutil.copytree(good, tmp_path / "set")
    (tmp_path / "set/.lock").touch()
    (tmp_path / "set/.cache").mkdir()
    (tmp_path / "set/.cache/of the hub").touch()
    assert check(tmp_path / "set") == check(good)
