"""Examines the machine: what is installed, what renders, what is missing and the line that mends it."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from pocketworld.errors import PocketworldError
from pocketworld.scene import Scene

PACKAGE, CORE = "pocketworld", ""
OURS = "dev"  # the extra of who works on pocketworld itself
MEASURED = 8  # cousins from which it is reckoned how large an environment is
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


def examine(scenes: Sequence[Scene] = (), tick: Callable[[str], None] = lambda _: None) -> tuple[Check, ...]:
    """Look at Python, libraries, extras, pictures without a screen, the GPU, and the captures for tests.

    scenes   cousins of one twin: of them it is said how many fit into a batch of the backend warp
    """
    tick("libraries and pictures")
    found = [_machine(), *_libraries(), *_extras(), _panda(), *_pictures()]
    tick("the GPU and the backend warp")
    found += [_gpu(), _batch()]
    if scenes:
        tick(f"{len(scenes)} cousins are compiled for the backend warp, and stepped: half a minute or so")
        found.append(_worlds(scenes))
    return (*found, _captures())


def _machine() -> Check:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    seen = f"Python {platform.python_version()}, {os.cpu_count()} cores, {memory:.0f} GiB"
    return Check("machine", sys.version_info >= (3, 11), seen, "Python 3.11 or newer is needed")


def _libraries() -> Iterator[Check]:
    for name in wanted()[CORE]:
        seen = _version(name)
        yield Check(name, seen is not None, seen or "not installed", f"pip install {name}")


def _extras() -> Iterator[Check]:
    """Say of each extra what of it is installed, or is missing."""
    for extra, names in wanted().items():
        if extra == CORE:
            continue
        seen = {name: _version(name) for name in names}
        missing = [name for name in names if seen[name] is None]
        told = ", ".join(f"{name} {seen[name] or 'is missing'}" for name in names)
        yield Check(f"extra {extra}", not missing, told, f"pip install '{PACKAGE}[{extra}]'")


def wanted() -> dict[str, list[str]]:
    """Return the libraries that each extra brings, and under CORE those that all need, as we are packaged."""
    out: dict[str, list[str]] = {CORE: []}
    for line in requires(PACKAGE) or ():
        name, marked = re.match(r"[\w.-]+", line), re.search(r"""extra == ["'](\w+)["']""", line)
        extra = marked[1] if marked else CORE
        if name and extra != OURS:
            out.setdefault(extra, []).append(name[0])
    return {extra: sorted(names) for extra, names in out.items()}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _panda() -> Check:
    """Say whether the Panda's model files are there."""
    from pocketworld.sim.robots.panda import INSTALL, model_file

    try:
        return Check("robot panda", True, f"from {model_file().parts[-3]}")
    except PocketworldError:
        return Check("robot panda", False, "its model files are not installed", INSTALL)


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


def _gpu() -> Check:
    """Say what the GPU is, as its driver tells."""
    if shutil.which("nvidia-smi") is None:
        return Check("GPU", True, "no NVIDIA GPU (none is needed: the backend mujoco runs on the CPU)")
    asked = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("GPU", False, f"nvidia-smi: {type(error).__name__}", "see whether the driver hangs")
    found = "; ".join(done.stdout.strip().splitlines())
    if done.returncode or not found:
        last = (done.stderr.strip().splitlines() or ["nvidia-smi tells nothing"])[-1]
        return Check("GPU", False, last, "install the driver that goes with the GPU")
    return Check("GPU", True, found)


def _batch() -> Check:
    """Say whether the backend warp is installed, and where its kernels are kept."""
    from pocketworld.sim.warp.installed import EXTRA, TORCH, cache_folder, chosen, library

    try:
        lib, device = library(), chosen(None)
    except PocketworldError as error:
        return Check("backend warp", False, str(error).split(";")[0], EXTRA)
    except RuntimeError as error:  # Warp's own library can't start
        return Check("backend warp", False, _last(str(error)), "reinstall warp-lang, see the driver")
    if device == "cpu" and lib.wp.is_cuda_available():
        return Check("backend warp", False, f"torch {lib.torch.__version__} has no CUDA", TORCH)
    return Check("backend warp", True, f"on {device}; compiled kernels in {cache_folder()}")


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["it does not start"])[-1]


def _worlds(scenes: Sequence[Scene]) -> Check:
    """Say how many environments of these cousins fit into one batch on the device that it would run on."""
    name = "environments of this world"
    try:
        from pocketworld.sim.warp.size import fitting

        each, most, device = fitting(scenes)
    except (PocketworldError, RuntimeError) as error:
        return Check(name, False, _last(str(error)), "see above")
    many = "nobody says how many fit" if most is None else f"about {most:,} fit"
    return Check(name, True, f"{each / 1e6:.2f} MB each; {many} on {device}")


def _captures() -> Check:
    folder = Path(os.environ.get("POCKETWORLD_CAPTURES", "../shared/captures"))
    found = folder.is_dir()
    seen = str(folder) if found else f"{folder} is not there (only our own tests need it)"
    return Check("captures for tests", found, seen, "set POCKETWORLD_CAPTURES")
