"""What a piece of work costs: seconds on the clock and on the processor, and the most memory held."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds passed, seconds of CPU (all threads), and the highest resident memory in MB."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


@contextmanager
def metered() -> Iterator[Callable[[], Cost]]:
    """Measure the block; call what it gives, inside or after, for the cost so far.

    On Linux the peak is this block's own; elsewhere, or where /proc is closed, it is the process's so far.
    """
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM (man 5 proc)
    start, cpu = time.perf_counter(), time.process_time()

    def cost() -> Cost:
        return Cost(time.perf_counter() - start, time.process_time() - cpu, _peak_mb())

    yield cost


def _peak_mb() -> float:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
