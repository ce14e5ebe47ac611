"""Captures with damage that nobody thought of, and places where there is nothing: one line, or findings."""

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from pocketworld import api
from pocketworld.cli.main import main
from pocketworld.errors import LONGEST, PocketworldError

KITCHENETTE = Path(__file__).parents[1] / "examples" / "kitchenette"
# What numbers in texts are replaced by.
WRONG = ("NaN", "inf", "1e999", "-1", "0", "1e30", "abc", '""', "", "1" + "0" * 5000, "null", "[]", "0x10")
TEXTS, PICTURES = (".json", ".csv", ".txt"), (".png", ".jpg", ".exr")
TIMES = 25  # damaged copies of each capture


def app(source: Path, to: Path) -> None:
    for k in range(3):
        for file in (source / "3dscannerapp_chair").glob(f"*_{k:05d}.*"):
            shutil.copy(file, to)


def stray(source: Path, to: Path) -> None:
    chair = source / "strayscanner_chair"
    lines = (chair / "odometry.csv").read_text().splitlines()[:4]
    (to / "odometry.csv").write_text("\n".join(lines) + "\n")
    shutil.copy(chair / "camera_matrix.csv", to)
    for kind in ("depth", "confidence"):
        (to / kind).mkdir()
        for line in lines[1:]:
            shutil.copy(chair / kind / f"{line.split(',')[1].strip()}.png", to / kind)


def record3d(source: Path, to: Path) -> None:
    handle = source / "record3d_door_handle" / "EXR_RGBD"
    shutil.copy(handle / "metadata.json", to)
    (to / "depth").mkdir()
    (to / "rgb").mkdir()
    for file in sorted((handle / "depth").glob("*.exr"))[:3]:
        shutil.copy(file, to / "depth")
        shutil.copy(handle / "rgb" / f"{file.stem}.jpg", to / "rgb")


def tum(source: Path, to: Path) -> None:
    cabinet = source / "tum_fr3_cabinet"
    for name in ("rgb", "depth"):
        lines = (cabinet / f"{name}.txt").read_text().splitlines()
        kept = [line for line in lines if not line.startswith("#")][:3]
        (to / f"{name}.txt").write_text("\n".join(kept) + "\n")
        (to / name).mkdir()
        for line in kept:
            shutil.copy(cabinet / line.split()[1], to / name)
    rows = (cabinet / "groundtruth.txt").read_text().splitlines()[:300]
    (to / "groundtruth.txt").write_text("\n".join(rows) + "\n")


def nerfstudio(source: Path, to: Path, frames: int = 3) -> None:
    data = json.loads((KITCHENETTE / "transforms.json").read_text())
    data["frames"] = data["frames"][:frames]
    (to / "transforms.json").write_text(json.dumps(data))
    for name in ("images", "depth"):
        (to / name).mkdir()
    for frame in data["frames"]:
        for key in ("file_path", "depth_file_path"):
            shutil.copy(KITCHENETTE / frame[key], to / frame[key])


def damage(folder: Path, rng: random.Random) -> str:
    """Do one wrong thing to a capture; return what."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    file = rng.choice(files)
    if file.suffix in TEXTS and rng.random() < 0.7:
        text = file.read_text()
        numbers = list(re.finditer(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?", text))
        found, wrong = rng.choice(numbers[:200]), rng.choice(WRONG)
        file.write_text(text[: found.start()] + wrong + text[found.end() :])
        return f"{file.name}: {found[0]} became {wrong[:12]}"
    kind = rng.choice(("gone", "cut", "another", "noise"))
    data = bytearray(file.read_bytes())
    if kind == "gone":
        file.unlink()
    elif kind == "cut":
        file.write_bytes(data[: rng.randrange(len(data))])
    elif kind == "another":
        file.write_bytes(rng.choice(files).read_bytes())
    else:
        for _ in range(50):
            data[rng.randrange(len(data))] = rng.randrange(256)
        file.write_bytes(data)
    return f"{file.name}: {kind}"


@pytest.mark.slow
@pytest.mark.captures
@pytest.mark.parametrize("sample", [app, stray, record3d, tum, nerfstudio])
def test_damage_is_a_finding_or_one_line(
    sample: Callable[[Path, Path], None], captures: Path, tmp_path: Path
) -> None:
    (tmp_path / "whole").mkdir()
    sample(captures, tmp_path / "whole")
    assert len(api.read(tmp_path / "whole")) == 3
    rng = random.Random(sample.__name__)
    lines: list[str] = []
    for k in range(TIMES):
        folder = tmp_path / str(k)
        shutil.copytree(tmp_path / "whole", folder)
        done = damage(folder, rng)
        try:
            api.assess(api.read(folder))
        except PocketworldError as error:
            lines.append(f"{error} ({done})")
    assert all(line.isprintable() and len(line) < LONGEST + 100 for line in lines), lines
    assert len(lines) < TIMES  # one damaged file is mostly no end


def run(folder: Path, *words: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(main, [*words[:1], str(folder), *words[1:]])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stderr.splitlines()


@pytest.mark.slow
def test_one_frame_is_a_world_that_says_how_little_it_knows(tmp_path: Path) -> None:
    code, said = run(KITCHENETTE, "run", "-o", str(tmp_path / "w"), "--frames", "0:1")
    assert code == 0
    assert "lost scan kitchenette: nothing was seen by enough frames from enough directions" in said
    assert not any(True for _ in api.twin_of(tmp_path / "w").joints())
    code, said = run(tmp_path / "w", "sim", "--envs", "2")
    assert code == 1
    assert "none of its joints moves" in said[-1]


@pytest.mark.slow
def test_depth_of_nothing_is_one_line_and_no_twin(tmp_path: Path) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    nerfstudio(tmp_path, folder, 5)
    for file in (folder / "depth").iterdir():
        file.write_bytes(cv2.imencode(".png", np.zeros((360, 540), np.uint16))[1].tobytes())
    code, said = run(folder, "run", "-o", str(tmp_path / "w"))
    assert code == 1
    assert said[-1] == "Error: nothing: no surface in 5 frames; see `pocketworld scan`"
    assert not (tmp_path / "w" / "twin").exists()
    assert not list((tmp_path / "w").glob(".*.new-*"))


@pytest.mark.slow
def test_a_place_painted_white_is_a_world_too(tmp_path: Path) -> None:
    folder = tmp_path / "white"
    folder.mkdir()
    nerfstudio(tmp_path, folder, 24)
    for file in (folder / "images").iterdir():
        file.write_bytes(cv2.imencode(".jpg", np.full((360, 540, 3), 255, np.uint8))[1].tobytes())
    code, _ = run(folder, "run", "-o", str(tmp_path / "w"))
    assert code == 0
    assert (tmp_path / "w" / "report" / "index.html").is_file()
