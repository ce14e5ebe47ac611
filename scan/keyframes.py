"""Keyframes of long captures: few, so near that neighbours overlap, and the sharpest there.

What overlap needs is told by how far the view has moved, which poses say without reading a frame. Of the
frames of one such step, the sharpest picture is taken.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import CaptureError
from pocketworld.findings import Finding, Severity
from pocketworld.geometry import se3
from pocketworld.scan.capture import Capture
from pocketworld.scan.sharpness import edge_width

Array = NDArray[np.float64]

ALL = 400  # frames: a room at two frames a second; as many are worked with in any case
FEWEST = 100  # frames: noise is averaged over them where somebody hardly moved
STILL = 1e-4  # m a frame: time passes too, so that frames of a camera at rest are apart
LOOKS = 3  # pictures: of one step at most so many are decoded, to find the sharpest
AHEAD = 2.0  # m: rooms are looked at from about as far
# m, at AHEAD: what a view may move from one keyframe to the next. One of 60 degrees is 2.3 m wide there:
# neighbours overlap by 90 %, and ten of them see a place.
STEP = 0.23


def keyframes(capture: Capture) -> Capture:
    """Return the capture, or its keyframes where it has more than ALL frames, with a finding that says so.

    Some pictures are read; which are taken depends on the frames alone. A chosen frame is left as it is.
    """
    if len(capture) <= ALL:
        return capture
    steps = _steps(moved(capture.world_from_camera))
    which = np.array([_sharpest(capture, step) for step in steps])
    numbers = {"frames": float(len(which)), "of": float(len(capture))}
    text = f"{len(which)} of {len(capture)} frames are worked with: the sharpest of those that see the same"
    finding = Finding("keyframes", Severity.NOTE, "scan", capture.name, text, numbers)
    return replace(
        capture,
        world_from_camera=capture.world_from_camera[which].copy(),
        order=tuple(capture.order[i] for i in which.tolist()),
        coloured=capture.coloured[which].copy(),
        findings=(*capture.findings, finding),
    )


def moved(poses: Array) -> Array:
    """Return (n,), m: how far the view has moved up to each frame: what of it moves most counts."""
    there = np.array([[0, 0, AHEAD], [0, 0, 0], [AHEAD, 0, 0]])
    seen = np.stack([se3.apply(pose, there) for pose in poses])
    steps = np.linalg.norm(np.diff(seen, axis=0), axis=2).max(1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _steps(way: Array) -> list[NDArray[np.int64]]:
    """Return the frames of each step of the way: longer or shorter ones where that makes too many or few."""
    way = way + STILL * np.arange(len(way))
    step = max(float(way[-1]) / (ALL - 1), min(STEP, float(way[-1]) / FEWEST))
    number = np.floor(way / step).astype(np.int64)
    return np.split(np.arange(len(way)), np.flatnonzero(np.diff(number)) + 1)


def _sharpest(capture: Capture, step: NDArray[np.int64]) -> int:
    """Return the frame of the step with the narrowest edges; the middle one where no picture tells."""
    coloured = step[capture.coloured[step]]
    left = coloured if len(coloured) else step
    middle = int(left[len(left) // 2])
    if len(coloured) < 2:  # nothing to choose from
        return middle
    some = coloured[np.unique(np.linspace(0, len(coloured) - 1, LOOKS).astype(int))]
    widths = {int(i): _width(capture, int(i)) for i in some}
    told = [(width, i) for i, width in widths.items() if width is not None]
    return min(told)[1] if told else middle


def _width(capture: Capture, i: int) -> float | None:
    try:
        picture = capture[i].colour
    except CaptureError:
        return None  # is said when the surface is fused, if the frame is taken (`Damage`)
    return None if picture is None else edge_width(picture)
