"""Puts figures into a page such as docs/benchmark.md: a section a measurement, each with its command.

A section stands between two comments that name it. Measuring again replaces it where it stands; what people
wrote around it stays.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from pocketworld.bench.machine import machine
from pocketworld.bench.reach import Reached
from pocketworld.bench.score import Score
from pocketworld.bench.sim import SimSpeed
from pocketworld.bench.speed import SpeedReport
from pocketworld.bench.transfer import Transfer
from pocketworld.bench.warp import WarpFigures
from pocketworld.errors import PocketworldError

HEAD = """# Benchmark

Each figure stands with the command that gave it; `--document docs/benchmark.md` put it here. Real captures
are found through `$POCKETWORLD_CAPTURES`.
"""

# Where the captures that our tests use were published.
SOURCES: Mapping[str, str] = {
    "tum_fr3_cabinet": "a subset of rgbd_dataset_freiburg3_cabinet, TUM RGB-D benchmark "
    "(https://cvg.cit.tum.de/data/datasets/rgbd-dataset), as in github.com/shichaoy/cube_slam; "
    "truth surveyed by us",
    "3dscannerapp_corridor": "github.com/hyunJIN7/3dScannerApp_samples (MIT)",
    "3dscannerapp_chair": "github.com/laanlabs/3dScannerApp_samples (MIT)",
    "rendered": "a pedestal that pocketworld renders itself",
}


class Result(Protocol):
    """What a measurement gives."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        ...

    def text(self) -> str:
        """Return a table."""
        ...


def put(page: Path, result: Result, command: str) -> None:
    """Write or replace a measurement's section; the page is made where there is none.

    The same result and command leave the same bytes. Raises PocketworldError for a page that can't be read.
    """
    try:
        old = page.read_text() if page.exists() else HEAD
    except (OSError, UnicodeDecodeError) as error:
        raise PocketworldError(f"{page} can't be read: {error}", "name a text file for --document") from None
    key, title, about = describe(result)
    new = section(key, title, about, neutral(command), result.text())
    found = re.compile(rf"{re.escape(_begin(key))}.*?{re.escape(_end(key))}\n", re.DOTALL)
    text = found.sub(lambda _: new, old, count=1) if found.search(old) else f"{old.rstrip()}\n\n{new}"
    page.parent.mkdir(parents=True, exist_ok=True)
    beside = page.with_name(f".{page.name}.new")
    beside.write_text(text)
    beside.replace(page)


def describe(result: Result) -> tuple[str, str, str]:
    """Return a section's key, title, and a line on what was measured."""
    match result:
        case Score():
            return f"score {result.capture}", f"Truth of {result.capture}", _source(result.capture)
        case SpeedReport():
            return f"speed {result.capture}", f"Speed on {result.capture}", _source(result.capture)
        case SimSpeed():
            about = "WorldEnv against bare `mujoco.batch` on the same models, controls and resets, by turns."
            return "sim", "Environment steps a second", about
        case Reached():
            about = "Joints in an arm's reach, and what the scripted expert opens of them in 200 steps (8 s)."
            return (
                f"reach {result.robot} {result.world}",
                f"What a {result.robot} reaches in {result.world}",
                about,
            )
        case Transfer():
            about = "Success on cousins that none learnt in, against how many were learnt in."
            return f"transfer {result.world}", "What more cousins are worth", about
        case WarpFigures():
            about = "Different cousins in one MuJoCo Warp batch against copies of one, and against C MuJoCo."
            return f"warp {result.device}", f"The backend warp on {result.device}", about
    raise PocketworldError(
        f"{type(result).__name__} has no place in the page", "a score, a speed or a sim has"
    )


def section(key: str, title: str, about: str, command: str, text: str) -> str:
    """Return a section's Markdown; its table names the machine if it does not already."""
    body = text.rstrip("\n")
    on = machine().text()
    lines = [f"## {title}", about, f"    {command}", f"```text\n{body}\n```"]
    lines += [f"On {on}."] * (on not in body)
    joined = "\n\n".join(line for line in lines if line)
    return f"{_begin(key)}\n{joined}\n{_end(key)}\n"


def neutral(command: str) -> str:
    """Return a command that names no folder of this machine: captures by their variable."""
    folders = {os.environ.get("POCKETWORLD_CAPTURES", ""), str(Path("..", "shared", "captures"))} - {""}
    for folder in sorted(folders, key=len, reverse=True):
        command = command.replace(folder.rstrip("/"), "$POCKETWORLD_CAPTURES")
    return command


def _source(capture: str) -> str:
    known = SOURCES.get(capture)
    return f"Capture: {known}." if known else ""


def _begin(key: str) -> str:
    return f"<!-- begin {key} -->"


def _end(key: str) -> str:
    return f"<!-- end {key} -->"
