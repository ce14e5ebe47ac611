import subprocess
import sys
import time

from pocketworld.cost import metered


def test_work_costs_cpu_and_waiting_does_not() -> None:
    with metered() as idle:
        time.sleep(0.2)
    waited = idle()
    with metered() as busy:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            sum(range(1000))
    worked = busy()
    assert waited.seconds >= 0.2
    assert waited.cpu_seconds < 0.1
    assert worked.cpu_seconds >= 0.2


PEAKS = """
import numpy as np
from pocketworld.cost import metered
with metered() as large:
    block = np.ones(80_000_000, np.uint8)  # 80 MB, touched
    seen = large().peak_mb
del block
with metered() as small:
    pass
assert seen - small().peak_mb > 40, (seen, small())
"""


def test_the_peak_is_the_blocks_own() -> None:
    # In a process of its own: what other tests loaded and freed decides what an allocation adds.
    done = subprocess.run([sys.executable, "-c", PEAKS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
