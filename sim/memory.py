"""How much memory there is, and how much models and environments take."""
# pyright: reportAttributeAccessIssue=false
# MuJoCo's names come out of compiled modules without stubs.

import resource
from pathlib import Path
from typing import Any

from pocketworld.errors import PocketworldError

GIB = 1 << 30
# Resident bytes, fitted to models of a pedestal and of a kitchen (MuJoCo 3.17; 0.06 and 0.28 MB), and held to
# what `pytest -m slow -k takes_about_as_much tests/test_sim_compiling.py` measures. Of a model Python keeps
# views of each thing that has a name or could have one; its targets are counted with it.
VIEW, LEAST = 512, 1 << 17
# A batch has two copies of one model, its own book-keeping, and one mjData (what it says, and that part of
# its arena that contacts have touched); one more of each environment whose things may sleep.
COPIES, BATCH, ARENA = 2, 5 << 14, 5 << 15
_LIMITS = (  # of a container: limit and use, cgroup 2 and 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def model_bytes(model: Any) -> int:
    """Return about how much memory a compiled model takes."""
    things = model.nbody + model.njnt + model.ngeom + model.nsite + model.nmesh + model.nexclude
    return int(model.nbuffer + VIEW * things) + LEAST


def batch_bytes(model: Any, environments: int, persistent: bool = False) -> int:
    """Return about how much memory a batch of environments of one layout takes, beside their models.

    persistent   whether each environment keeps an mjData of its own
    """
    import mujoco

    state = int(model.nq + 4 * model.nv + 2 * model.nu + 6 * model.nbody)
    seen = int(12 * model.nsite + 6 * model.njnt)
    data = (int(mujoco.MjData(model).nbuffer) + ARENA) * (1 + environments if persistent else 1)
    return int(BATCH + COPIES * model.nbuffer + data + 8 * environments * (2 * state + seen))


def available() -> int | None:
    """Return the bytes that this process may still take, None where nobody says."""
    known = [_machine(), *(_container(Path(limit), Path(use)) for limit, use in _LIMITS), _user()]
    least = [value for value in known if value is not None]
    return max(min(least), 0) if least else None


def check(needed: int, what: str) -> None:
    """Raise PocketworldError where `what` needs more bytes than there are."""
    there = available()
    if there is not None and needed > there:
        raise PocketworldError(
            f"{what} need about {needed / GIB:.1f} GiB of memory, {there / GIB:.1f} GiB are free",
            "fewer environments, or fewer different cousins",
        )


def _machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return found[0] if found else None


def _container(limit: Path, use: Path) -> int | None:
    try:
        return int(limit.read_text()) - int(use.read_text())
    except (OSError, ValueError):  # there is none; it is "max"
        return None


def _user() -> int | None:
    """Return what `ulimit -v` leaves of the address space."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return None
    return limit - pages * resource.getpagesize()
