"""Examines the machine: what is installed, what renders, what is missing and the line that mends it."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CORE = (
    "click",
    "gymnasium",
    "jinja2",
    "mujoco",
    "numpy",
    "open3d",
    "opencv-python-headless",
    "pillow",
    "pyarrow",
    "pydantic",
    "rich",
    "scipy",
    "trimesh",
)
LIBRARIES = {"egl": "libegl1", "osmesa": "libosmesa6"}
DRAW = (
    "import mujoco; m = mujoco.MjModel.from_xml_string('<mujoco><worldbody><light/></worldbody></mujoco>')\n"
    + ("with mujoco.Renderer(m, 16, 16) as r: r.update_scene(mujoco.MjData(m)); r.render()")
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: whether it is as it should be, what was seen, and the line that mends it."""

    name: str
    ok: bool
    seen: str
    mend: str = ""

    def __str__(self) -> str:
        """Return one line."""
        return f"{'ok     ' if self.ok else 'absent '} {self.name}: {self.seen}" + (
            f"; {self.mend}" if self.mend and not self.ok else ""
        )

    def to_json(self) -> dict[str, object]:
        """Return what JSON can hold."""
        return asdict(self)


def examine() -> tuple[Check, ...]:
    """Look at Python, the core libraries, pictures without a screen, and the captures for tests."""
    return (_machine(), *_libraries(), *_pictures(), _captures())


def _machine() -> Check:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpu = "an NVIDIA GPU" if shutil.which("nvidia-smi") else "no NVIDIA GPU (none is needed)"
    seen = f"Python {platform.python_version()}, {os.cpu_count()} cores, {memory:.0f} GiB, {gpu}"
    return Check("machine", sys.version_info >= (3, 11), seen, "Python 3.11 or newer is needed")


def _libraries() -> Iterator[Check]:
    for name in CORE:
        try:
            yield Check(name, True, version(name))
        except PackageNotFoundError:
            yield Check(name, False, "not installed", "pip install pocketworld")


def _pictures() -> Iterator[Check]:
    """Draw one picture each way, in a process of its own: a broken driver takes its process down."""
    for way, package in LIBRARIES.items():
        done = subprocess.run(
            [sys.executable, "-c", DRAW],
            env={**os.environ, "MUJOCO_GL": way},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        last = (done.stderr.strip().splitlines() or ["it died"])[-1]
        seen = "draws without a screen" if done.returncode == 0 else last
        yield Check(f"pictures by {way}", done.returncode == 0, seen, f"apt-get install {package}")


def _captures() -> Check:
    folder = Path(os.environ.get("POCKETWORLD_CAPTURES", "../shared/captures"))
    found = folder.is_dir()
    seen = str(folder) if found else f"{folder} is not there (only our own tests need it)"
    return Check("captures for tests", found, seen, "set POCKETWORLD_CAPTURES")
