"""What a measurement ran on: figures mean nothing without it."""

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

LIBRARIES = ("mujoco", "numpy", "open3d", "opencv-python-headless", "scipy")


@dataclass(frozen=True, slots=True)
class Machine:
    """Processor, cores this process may use, memory in GB, operating system, and versions."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    versions: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self) | {"versions": dict(self.versions)}

    def text(self) -> str:
        """Return one line."""
        what = ", ".join(f"{name} {number}" for name, number in self.versions)
        return f"{self.processor}, {self.cores} cores, {self.memory_gb:.0f} GB, {self.system}; {what}"


def machine() -> Machine:
    """Describe the machine that this runs on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = (("Python", platform.python_version()), *((name, version(name)) for name in LIBRARIES))
    system = f"{platform.system()} {platform.machine()}"
    return Machine(_processor(), len(os.sched_getaffinity(0)), round(memory, 1), system, versions)


def _processor() -> str:
    """Return the processor's name; where the system tells none, its architecture."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
