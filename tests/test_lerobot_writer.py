"""LeRobot datasets: what is written is read back; whole or not at all; the same bytes; bounded files."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from pocketworld.errors import PocketworldError
from pocketworld.rng import stream
from pocketworld.sim.lerobot.checks import check
from pocketworld.sim.lerobot.features import Features, Limits
from pocketworld.sim.lerobot.statistics import QUANTILES, Pixels
from pocketworld.sim.lerobot.video import Clip
from pocketworld.sim.lerobot.writer import Episode, Image, writing

FRONT, WRIST = "observation.images.front", "observation.images.wrist"
SIZE = (48, 64)
FEATURES = Features(
    25,
    {"observation.state": ("a", "b", "c"), "action": ("x", "y"), "next.reward": ("reward",)},
    ("next.done", "next.success"),
    {FRONT: SIZE, WRIST: (32, 32)},
    "hand",
)
TASKS = ("open the top drawer", "open the door", "open the top drawer")


def smooth(number: int, frame: int, size: tuple[int, int]) -> Image:
    """A picture that H.264 keeps well, and that differs from those before and after."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    level = np.stack([rows * 2 + frame * 5, columns + number * 40, rows + columns + frame * 3], -1)
    return (127 + 100 * np.sin(level / 30)).astype(np.uint8)


def columns(number: int, count: int) -> dict[str, NDArray[Any]]:
    draw = stream(number, "columns")
    last = np.arange(count) == count - 1
    return {
        "observation.state": draw.normal(size=(count, 3)),
        "action": draw.uniform(-1, 1, (count, 2)),
        "next.reward": draw.normal(size=count),
        "next.done": last,
        "next.success": last & (number % 2 == 0),
    }


def pictures(number: int, count: int) -> Iterator[dict[str, Image]]:
    for frame in range(count):
        yield {name: smooth(number, frame, size) for name, size in FEATURES.cameras.items()}


def episode(number: int, count: int = 0) -> Episode:
    count = count or 7 + 3 * number
    return Episode(
        TASKS[number % 3], columns(number, count), pictures(number, count), {"cousin": f"medium/{number}"}
    )


def written(target: Path, numbers: tuple[int, ...] = (0, 1, 2)) -> Path:
    with writing(target, FEATURES) as writer:
        for number in numbers:
            writer.add(episode(number))
    return target


def digests(root: Path) -> dict[str, str]:
    files = [file for file in sorted(root.rglob("*")) if file.is_file()]
    return {str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def decoded(file: Path) -> list[Image]:
    with av.open(str(file)) as source:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in source.decode(video=0)]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("lerobot") / "set")


# Laws


def test_it_is_what_the_independent_reader_wants(dataset: Path) -> None:
    seen = check(dataset)
    assert (seen.episodes, seen.frames, seen.pictures) == (3, 30, 60)
    assert seen.tasks == TASKS[:2]


def test_numbers_are_read_back_to_the_bit(dataset: Path) -> None:
    table = pq.read_table(dataset / "data/chunk-000/file-000.parquet")
    for name in FEATURES.vectors:
        read = np.array(table[name].to_pylist(), np.float32).reshape(30, -1)
        parts = [columns(i, 7 + 3 * i)[name].reshape(7 + 3 * i, -1) for i in range(3)]
        assert np.array_equal(read, np.concatenate(parts).astype(np.float32))
    assert table["next.success"].to_pylist() == [i in (6, 29) for i in range(30)]
    assert table["task_index"].to_pylist() == [0] * 7 + [1] * 10 + [0] * 13


@pytest.mark.parametrize("camera", [FRONT, WRIST])
def test_pictures_come_back_in_order_and_nearly_as_they_were(dataset: Path, camera: str) -> None:
    read = decoded(dataset / f"videos/{camera}/chunk-000/file-000.mp4")
    given = [images[camera] for i in range(3) for images in pictures(i, 7 + 3 * i)]
    error = np.array([[np.abs(a.astype(float) - b).mean() for b in given] for a in read])
    assert (np.argmin(error, 1) == np.arange(30)).all(), "each is nearest to the one that was given"
    assert np.diag(error).max() < 6  # of 255


def test_the_same_episodes_give_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    assert digests(written(tmp_path / "again")) == digests(dataset)


@pytest.mark.slow  # with x264's macroblock tree one in 300 differs
def test_a_clip_is_the_same_each_time_whatever_lies_in_memory() -> None:
    draw = stream(0, "junk")
    seen = set()
    for _ in range(300):
        junk = [np.full(int(draw.integers(100, 60000)), draw.integers(255), np.uint8) for _ in range(50)]
        clip = Clip(25, SIZE)
        for frame in range(20):
            clip.add(smooth(2, frame, SIZE))
        seen.add(hashlib.sha256(clip.finish().getvalue()).hexdigest())
        del junk
    assert len(seen) == 1


def test_another_order_gives_others(dataset: Path, tmp_path: Path) -> None:
    assert digests(written(tmp_path / "other", (1, 0, 2))) != digests(dataset)


def test_pictures_are_drawn_one_by_one_and_not_kept(tmp_path: Path) -> None:
    alive: list[weakref.ref[Any]] = []
    most = 0

    def drawn() -> Iterator[dict[str, Image]]:
        nonlocal most
        for images in pictures(0, 40):
            alive.extend(weakref.ref(image) for image in images.values())
            most = max(most, sum(ref() is not None for ref in alive))
            yield images

    with writing(tmp_path / "set", FEATURES) as writer:
        writer.add(Episode("open", columns(0, 40), drawn()))
    assert len(alive) == 80
    assert most <= 4  # this frame's, and the one before


def test_a_buffer_that_is_drawn_into_again_and_again_is_read_in_time(dataset: Path, tmp_path: Path) -> None:
    def reused(number: int, count: int) -> Iterator[dict[str, Image]]:
        buffers = {name: np.zeros((*size, 3), np.uint8) for name, size in FEATURES.cameras.items()}
        for images in pictures(number, count):
            for name, image in images.items():
                buffers[name][:] = image
            yield buffers

    with writing(tmp_path / "set", FEATURES) as writer:
        for i in range(3):
            whole = episode(i)
            writer.add(Episode(whole.task, whole.columns, reused(i, 7 + 3 * i), whole.origin))
    assert digests(tmp_path / "set") == digests(dataset)


@pytest.mark.parametrize("count", [1, 2, 3, 500])
def test_pixels_counted_equal_those_of_all_pictures_at_once(count: int) -> None:
    images = stream(count, "pixels").integers(0, 256, (count, 6, 4, 3)).astype(np.uint8)
    halves = [Pixels(), Pixels()]
    for i, image in enumerate(images):
        halves[i % 2].add(image)
    halves[0].merge(halves[1])
    told, flat = halves[0].statistics(), images.reshape(-1, 3) / 255
    assert told["count"] == [count]
    for name in ("min", "max", "mean", "std"):
        assert np.allclose(np.ravel(told[name]), getattr(flat, name)(0), rtol=0, atol=1e-12)
    for name, share in QUANTILES.items():
        exact = np.quantile(flat, share, axis=0, method="inverted_cdf")
        assert np.allclose(np.ravel(told[name]), exact, rtol=0, atol=1e-12)


# Whole or not at all


def test_an_episode_whose_pictures_fail_leaves_the_dataset_as_it_was(dataset: Path, tmp_path: Path) -> None:
    def failing() -> Iterator[dict[str, Image]]:
        yield from pictures(0, 4)
        raise RuntimeError("no more light")

    with writing(tmp_path / "set", FEATURES) as writer:
        writer.add(episode(0))
        with pytest.raises(RuntimeError, match="light"):
            writer.add(Episode("a task of its own", columns(0, 9), failing()))
        writer.add(episode(1))
        writer.add(episode(2))
    assert digests(tmp_path / "set") == digests(dataset)


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with writing(tmp_path / "set", FEATURES) as writer:
            writer.add(episode(0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_no_episode_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(PocketworldError, match="without episodes"), writing(tmp_path / "set", FEATURES):
        pass
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys, time
from pathlib import Path
from tests.test_lerobot_writer import FEATURES, episode, writing
with writing(Path(sys.argv[1]), FEATURES) as writer:
    writer.add(episode(0))
    print("added", flush=True)
    time.sleep(60)
"""


def started(target: Path) -> "subprocess.Popen[bytes]":
    root = Path(__file__).parents[1]
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, target], stdout=subprocess.PIPE, cwd=root, env=dict(os.environ)
    )
    assert run.stdout is not None
    assert run.stdout.readline() == b"added\n"
    return run


@pytest.mark.slow  # a process of its own
def test_a_killed_run_leaves_no_dataset_and_the_next_deletes_what_it_left(tmp_path: Path) -> None:
    target = tmp_path / "set"
    running, killed = started(target), started(target)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert not target.exists()
    assert len(list(tmp_path.iterdir())) == 2
    written(target)
    assert len(list(tmp_path.iterdir())) == 2, "what is still being written is not touched"
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    check(target)


# Bounded files


@pytest.mark.slow  # it takes noise, and much of it, to fill a file
def test_files_end_before_they_get_too_large_and_fill_chunks(tmp_path: Path) -> None:
    features = Features(10, {"action": tuple(f"a{i}" for i in range(2000))}, (), {FRONT: (128, 128)})
    draw = stream(0, "noise")

    def noise() -> Image:  # grey: H.264 blurs colours
        return draw.integers(0, 256, (128, 128, 1)).astype(np.uint8).repeat(3, 2)

    with writing(tmp_path / "set", features, Limits(1, 1, 2)) as writer:
        for _ in range(7):
            images = ({FRONT: noise()} for _ in range(40))
            writer.add(Episode("noise", {"action": draw.normal(size=(40, 2000))}, images))
    seen = check(tmp_path / "set")  # the sizes too
    assert (seen.episodes, seen.pictures) == (7, 280)
    data = sorted(
        str(f.relative_to(tmp_path / "set/data")) for f in (tmp_path / "set/data").rglob("*.parquet")
    )
    assert data[:3] == [
        "chunk-000/file-000.parquet",
        "chunk-000/file-001.parquet",
        "chunk-001/file-000.parquet",
    ]
    assert len(list((tmp_path / "set/videos" / FRONT).rglob("*.mp4"))) > 2
    info = json.loads((tmp_path / "set/meta/info.json").read_text())
    assert (info["data_files_size_in_mb"], info["video_files_size_in_mb"], info["chunks_size"]) == (1, 1, 2)


def test_more_episodes_than_are_written_together(tmp_path: Path) -> None:
    features = Features(10, {"action": ("a",)})
    with writing(tmp_path / "set", features) as writer:
        for i in range(130):
            writer.add(Episode(f"task {i % 3}", {"action": np.full(1 + i % 2, i)}))
    assert check(tmp_path / "set").frames == 195
    assert pq.ParquetFile(tmp_path / "set/meta/episodes/chunk-000/file-000.parquet").num_row_groups == 3
    assert not (tmp_path / "set/videos").exists()


# Errors, in one line

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no action": ({"action": None}, "an episode has"),
    "one too many": ({"extra": np.zeros(9)}, "an episode has"),
    "other lengths": ({"action": np.zeros((8, 2))}, r"\[8, 9\] frames"),
    "nothing": ({name: columns(0, 9)[name][:0] for name in columns(0, 9)}, r"\[0\] frames"),
    "too wide": ({"action": np.zeros((9, 3))}, r"action has shape \(9, 3\); give \(9, 2\)"),
    "not finite": ({"action": np.full((9, 2), np.nan)}, "action is not finite"),
    "too large for float32": ({"next.reward": np.full(9, 1e300)}, "next.reward is not finite"),
    "a flag of numbers": ({"next.done": np.zeros(9)}, "next.done is float64"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_wrong_columns_are_one_line(name: str, tmp_path: Path) -> None:
    changed, said = BAD[name]
    given = {k: v for k, v in (columns(0, 9) | changed).items() if v is not None}
    with writing(tmp_path / "set", FEATURES) as writer:
        with pytest.raises(PocketworldError, match=said):
            writer.add(Episode("open", given, pictures(0, 9)))
        writer.add(episode(0))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda: pictures(0, 8), "9 frames has 8 pictures"),
        (lambda: pictures(0, 10), "9 frames has more pictures"),
        (lambda: ({FRONT: smooth(0, 0, SIZE)} for _ in range(9)), "pictures are"),
        (lambda: ({FRONT: smooth(0, 0, (32, 32)), WRIST: smooth(0, 0, (32, 32))} for _ in range(9)), "are"),
        (lambda: ({k: v / 255 for k, v in images.items()} for images in pictures(0, 9)), "float64"),
    ],
)
def test_wrong_pictures_are_one_line(given: Any, said: str, tmp_path: Path) -> None:
    with writing(tmp_path / "set", FEATURES) as writer:
        with pytest.raises(PocketworldError, match=said):
            writer.add(Episode("open", columns(0, 9), given()))
        writer.add(episode(0))


def test_a_task_is_said_in_words(tmp_path: Path) -> None:
    with (
        pytest.raises(PocketworldError, match="without a task"),
        writing(tmp_path / "set", FEATURES) as writer,
    ):
        writer.add(Episode(" ", columns(0, 9), pictures(0, 9)))


def test_an_origin_is_json(dataset: Path, tmp_path: Path) -> None:
    lines = (dataset / "meta/origins.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"episode_index": i, "cousin": f"medium/{i}"} for i in range(3)
    ]
    with writing(tmp_path / "set", FEATURES) as writer:
        with pytest.raises(PocketworldError, match="what JSON can hold"):
            writer.add(Episode("open", columns(0, 9), pictures(0, 9), {"cousin": {1, 2}}))
        for i in range(3):
            writer.add(episode(i))
    assert digests(tmp_path / "set") == digests(dataset)


def test_what_is_there_is_not_written_over(dataset: Path) -> None:
    before = digests(dataset)
    with pytest.raises(PocketworldError, match="there already"):
        written(dataset)
    assert digests(dataset) == before


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (lambda: Features(0, {"action": ("a",)}), "fps is 0"),
        (lambda: Features(25, {"action": ()}), "holds nothing"),
        (lambda: Features(25, {"a/b": ("a",)}), "without a slash"),
        (lambda: Features(25, {"index": ("a",)}), "each once"),
        (lambda: Features(25, {"action": ("a",)}, (), {FRONT: (48, 63)}), "even"),
        (lambda: Limits(data_mb=0), "at least 1"),
    ],
)
def test_wrong_features_are_one_line(features: Any, said: str) -> None:
    with pytest.raises(PocketworldError, match=said):
        features()


def test_without_the_library_for_video_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with (
        pytest.raises(PocketworldError, match=r"pip install 'pocketworld\[lerobot\]'"),
        writing(tmp_path / "set", FEATURES) as writer,
    ):
        writer.add(episode(0))
    assert list(tmp_path.iterdir()) == []
