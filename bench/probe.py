"""One stage's cost in a process of its own: `python -m pocketworld.bench.probe JOB RESULT` (JSON files).

A fresh process for each measurement: neither caches nor memory that the allocator keeps from one stage colour
the next one's figures. What is imported is paid before the clock starts.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.cost import metered
from pocketworld.errors import PocketworldError
from pocketworld.scan import readers
from pocketworld.scan.capture import Capture, Frame

# m. Fusion takes but one look from one and the same place (fusion.SAME, 0.1 mm, rounded): repeated frames
# would be skipped, and their memory not measured. Twice that is another place, and far below a voxel, so that
# a repetition sees the same surface and the memory for it must not grow.
APART = 2e-4


@dataclass(frozen=True, slots=True)
class Job:
    """A stage, and the frames of a capture it gets: every `stride`-th, at most `most`, `times` times over.

    Each time over, the cameras stand APART further along the world's x.
    """

    stage: str
    capture: str
    stride: int = 1
    most: int | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Point:
    """What a stage cost with a number of frames.

    size          of the depth maps, pixels
    seconds, cpu_seconds   passed, and of all threads
    base_mb, peak_mb       memory held before, and at most
    failed        the stage's own error, else empty
    """

    stage: str
    frames: int
    size: tuple[int, int]
    seconds: float
    cpu_seconds: float
    base_mb: float
    peak_mb: float
    failed: str = ""

    @property
    def cpu_ms_per_frame(self) -> float:
        """Return CPU milliseconds a frame."""
        return self.cpu_seconds / self.frames * 1000


def measure(job: Job) -> Point:
    """Run a job in a fresh process.

    Raises PocketworldError where the process dies (out of memory, a crash).
    """
    with tempfile.TemporaryDirectory() as name:
        files = Path(name) / "job.json", Path(name) / "result.json"
        files[0].write_text(json.dumps(asdict(job)))
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, *map(str, files)],
            env={"OMP_WAIT_POLICY": "passive", **os.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        if not files[1].is_file():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise PocketworldError(f"measuring {job.stage} ended with code {done.returncode}: {last}")
        data: dict[str, Any] = json.loads(files[1].read_text())
        data["size"] = tuple(data["size"])
        return Point(**data)


def chosen(job: Job) -> Capture:
    """Return the capture with the job's frames."""
    capture = readers.read(job.capture)[:: job.stride][: job.most]
    load, whole = capture.load, max(capture.order) + 1

    def aside(number: int) -> Frame:
        time, i = divmod(number, whole)
        frame = load(i)
        return replace(frame, world_from_camera=_moved(frame.world_from_camera, time))

    times = range(job.times)
    return replace(
        capture,
        load=aside,
        order=tuple(i + time * whole for time in times for i in capture.order),
        world_from_camera=np.concatenate([_moved(capture.world_from_camera, time) for time in times]),
        coloured=np.tile(capture.coloured, job.times),
    )


def _moved(poses: NDArray[np.float64], time: int) -> NDArray[np.float64]:
    out = poses.copy()
    out[..., 0, 3] += time * APART
    return out


def run(job: Job) -> Point:
    """Run a job in this process."""
    work = _stages()[job.stage]()
    capture = chosen(job)
    depth = capture[0].depth
    size = (0, 0) if depth is None else (depth.shape[1], depth.shape[0])
    failed = ""
    with metered() as cost:
        before = cost()
        try:
            work(capture)
        except PocketworldError as error:
            failed = str(error)
        after = cost()
    return Point(
        job.stage,
        len(capture),
        size,
        after.seconds,
        after.cpu_seconds,
        before.peak_mb,
        after.peak_mb,
        failed,
    )


def _stages() -> dict[str, Callable[[], Callable[[Capture], object]]]:
    """Return what imports a stage and gives its function."""
    return {"read": lambda: _read, "scan": _scan, "fusion": _fusion, "twin": _twin}


def _read(capture: Capture) -> None:
    """Read frame after frame, as every stage does."""
    for frame in capture:
        del frame


def _scan() -> Callable[[Capture], object]:
    from pocketworld.scan import quality

    return lambda capture: quality.assess(capture)


def _fusion() -> Callable[[Capture], object]:
    import open3d  # noqa: F401  # fusion imports it when it is first called

    from pocketworld.reconstruct.surfaces import fusion

    return lambda capture: fusion.fuse(capture, voxel=0.01, reach=5.0)


def _twin() -> Callable[[Capture], object]:
    import open3d  # noqa: F401

    from pocketworld.reconstruct import twin

    return lambda capture: twin.reconstruct(capture)


if __name__ == "__main__":
    job_file, result_file = map(Path, sys.argv[1:])
    point = run(Job(**json.loads(job_file.read_text())))
    result_file.write_text(json.dumps(asdict(point)))
