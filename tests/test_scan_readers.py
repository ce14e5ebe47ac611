"""Formats are found from content; thousands of frames are known in little memory."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pocketworld.errors import CaptureError
from pocketworld.scan.readers import READERS, read

ROOT = Path(__file__).parent / "data" / "chair"


def linked(folder: Path, frames: int) -> Path:
    """Return an export of many frames: three real ones again and again, by links."""
    (folder / "real").mkdir(parents=True)
    for k in range(3):
        for name in (f"frame_0000{k}.json", f"depth_0000{k}.png", f"conf_0000{k}.png"):
            shutil.copy(ROOT / name, folder / "real")
    shutil.copy(ROOT / "frame_00000.jpg", folder / "real")
    for k in range(frames):
        for name in ("frame_{}.json", "depth_{}.png", "conf_{}.png"):
            os.link(folder / "real" / name.format(f"0000{k % 3}"), folder / name.format(f"{k:05d}"))
        if k % 3 == 0:
            os.link(folder / "real" / "frame_00000.jpg", folder / f"frame_{k:05d}.jpg")
    return folder


def test_the_name_of_a_folder_tells_nothing(tmp_path: Path) -> None:
    shutil.copytree(ROOT, tmp_path / "tum_fr3_cabinet")
    capture = read(tmp_path / "tum_fr3_cabinet")
    assert (capture.format, capture.name, len(capture)) == ("3D Scanner App", "tum_fr3_cabinet", 3)


def test_an_unknown_capture_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    known = ", ".join(reader.name for reader in READERS)
    with pytest.raises(CaptureError) as caught:
        read(tmp_path)
    assert str(caught.value) == f"{tmp_path} is no capture of a known format; known are: {known}"
    with pytest.raises(CaptureError, match=r"gone does not exist; "):
        read(tmp_path / "gone")


def test_two_captures_in_one_folder_are_an_error(tmp_path: Path) -> None:
    shutil.copytree(ROOT, tmp_path / "both")
    (tmp_path / "both" / "rgb.txt").touch()
    (tmp_path / "both" / "depth.txt").touch()
    with pytest.raises(
        CaptureError, match=r"both looks like TUM RGB-D and 3D Scanner App; keep one capture a folder$"
    ):
        read(tmp_path / "both")


def test_frames_are_chosen_as_asked(tmp_path: Path) -> None:
    folder = linked(tmp_path / "x", 12)
    whole, some = read(folder), read(folder, "2:10:3")
    assert some.order == (2, 5, 8)
    for frame, index in zip(some, some.order, strict=True):
        again = whole[index]
        assert (frame.index, frame.name, frame.time) == (index, again.name, again.time)
        np.testing.assert_array_equal(frame.depth, again.depth)
    with pytest.raises(CaptureError, match=r"^frames '40:' chooses none of the 12 frames of "):
        read(folder, "40:")


PEAK = """
import json, sys
from pathlib import Path
from pocketworld.cost import metered
from pocketworld.scan.readers import read

with metered() as cost:
    capture = read(Path(sys.argv[1]))
    shapes = {frame.depth.shape for frame in capture[:: len(capture) // 20]}
print(json.dumps([len(capture), sorted(shapes), cost().peak_mb]))
"""


def peak_mb(folder: Path) -> tuple[int, float]:
    """Return how many frames there are and the most memory (MB) of a process that reads them."""
    done = subprocess.run([sys.executable, "-c", PEAK, folder], capture_output=True, text=True, check=True)
    count, shapes, peak = json.loads(done.stdout)
    assert shapes == [[192, 256]]
    return count, peak


def test_thousands_of_frames_are_known_in_little_memory(tmp_path: Path) -> None:
    few, many = peak_mb(linked(tmp_path / "few", 40)), peak_mb(linked(tmp_path / "many", 4000))
    assert (few[0], many[0]) == (40, 4000)
    assert many[1] - few[1] < 30, "the bar of the whole road; this is its first step"
