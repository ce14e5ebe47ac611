"""Colour that lies some pixels beside the depth: found by edges, corrected in the colour camera.

Where depth jumps, pictures mostly have an edge too. The shift at which most jumps lie on edges along them is
the one between the two cameras (as in Levinson and Thrun 2013, "Automatic online calibration of cameras and
lasers").
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import CaptureError
from pocketworld.findings import Finding, Severity
from pocketworld.scan.agreement import known
from pocketworld.scan.capture import Camera, Capture, Frame
from pocketworld.scan.moments import Loader, Moment

Map = NDArray[np.float32]
Array = NDArray[np.float64]

FRAMES = 24  # evenly over the capture: 0.6 s, and each half of them finds the kitchenette's shift
WIDTH = 640  # pixels: pictures are compared at this width, about 1.6 mrad a pixel
FARTHEST = 12  # pixels of WIDTH: 3 cm at 1.5 m, what two cameras side by side differ by at most
JUMP = 0.1  # of the depth: the edge of a thing, not a slanting face
SPAN = 256  # pixels: sensors blur a jump over about one pixel of a picture as wide as this
COARSE = 256  # pixels: of a picture less wide, one pixel is more than what is looked for
BLUR = 1.0  # pixels of WIDTH
FEWEST = 1000  # jumps: each score is then known to a few percent
PLAIN = 0.3  # of a picture's mean gradient, by which edges along jumps must be stronger than around
WORSE = 0.6  # of the best shift's gain: what is left at no shift where the shift is sure
APART = 2  # pixels of WIDTH: how far the two halves of the frames may be from the whole
_SHAPE = (2, 2 * FARTHEST + 1, 2 * FARTHEST + 1)


@dataclass(frozen=True, slots=True)
class Shift:
    """How far the picture of a point lies from where the depth says: as a share of the picture's width.

    right, down   du, dv / width of the picture
    sure          whether frames say so together, and plainly
    """

    right: float
    down: float
    sure: bool


def registered(capture: Capture) -> Capture:
    """Return the capture with its colour cameras moved onto the depth where these are surely apart, and said.

    A few frames are read. A capture that does not come from files is given back as it is.
    """
    if not isinstance(capture.load, Loader):
        return capture
    shift = measured(capture)
    if shift is None or not shift.sure:
        return capture
    moments = [_moved(moment, shift) for moment in capture.load.moments]
    width = next(moment.colour_camera.width for moment in moments if moment.colour_camera)
    pixels = {"right_px": shift.right * width, "down_px": shift.down * width, "width_px": float(width)}
    text = "pictures lie beside the depth, as edges show; their cameras are moved onto it"
    finding = Finding("colour-shifted", Severity.NOTE, "scan", capture.name, text, pixels)
    return replace(
        capture, load=replace(capture.load, moments=moments), findings=(*capture.findings, finding)
    )


def measured(capture: Capture) -> Shift | None:
    """Return the shift between pictures and depth; None where there are too few jumps of depth to tell."""
    which = np.flatnonzero(capture.coloured)
    some = which[np.unique(np.linspace(0, len(which) - 1, FRAMES).astype(int))] if len(which) else which
    scores, jumps = np.zeros((2, *_SHAPE)), np.zeros(2)
    for k, i in enumerate(some.tolist()):
        try:
            score, count = _scores(capture[i])
        except CaptureError:
            continue  # is said when the surface is fused (`Damage`)
        scores[k % 2] += score
        jumps += count
    return _judged(scores, jumps) if jumps.sum() >= FEWEST else None


def _judged(scores: Array, jumps: Array) -> Shift:
    """Return the best shift, and whether both halves of the frames find it and it mends much.

    scores   (halves, axes, down, right): jumps in a row tell nothing of shifts along it, so that what is
             mended is asked of each axis
    """
    best = _peak(scores.sum((0, 1)))
    apart = max(np.abs(_peak(half.sum(0)) - best).max() for half in scores)
    plain = any(
        _mended(axis / count, best)
        for axis, count in zip(scores.sum(0), jumps, strict=True)
        if count > FEWEST / 4
    )
    sure = plain and apart <= APART and float(np.abs(best).max()) < FARTHEST
    return Shift(float(best[0]) / WIDTH, float(best[1]) / WIDTH, bool(sure))


def _mended(scores: Array, best: NDArray[np.int64]) -> bool:
    """Return whether jumps lie on edges at this shift, and plainly less so without."""
    gain = scores - scores.mean()
    there, here = float(gain[FARTHEST + best[1], FARTHEST + best[0]]), float(gain[FARTHEST, FARTHEST])
    return there > PLAIN and here < WORSE * there


def _peak(scores: Array) -> NDArray[np.int64]:
    row, column = np.unravel_index(np.argmax(scores), scores.shape)
    return np.array([column, row]) - FARTHEST


def _scores(frame: Frame) -> tuple[Array, Array]:
    """Return the sum of gradients across jumps (axes, down, right) for each shift, and the jumps (axes,)."""
    assert frame.colour is not None
    assert frame.colour_camera is not None
    width, height = WIDTH, max(1, round(frame.colour.shape[0] * WIDTH / frame.colour.shape[1]))
    camera = frame.colour_camera.resized(width, height)
    scores, counts = np.zeros(_SHAPE), np.zeros(2)
    if height <= 2 * FARTHEST or frame.depth is None or frame.colour.shape[1] < COARSE:
        return scores, counts
    grey = np.asarray(cv2.cvtColor(frame.colour, cv2.COLOR_RGB2GRAY))
    small = np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    small = np.asarray(cv2.GaussianBlur(small, (0, 0), BLUR), np.float32)
    for axis in (0, 1):
        jumps = _seen(_jumps(frame, axis), frame, camera)[FARTHEST:-FARTHEST, FARTHEST:-FARTHEST]
        scores[axis] = cv2.matchTemplate(_gradient(small, axis), np.ascontiguousarray(jumps), cv2.TM_CCORR)
        counts[axis] = jumps.sum()
    return scores, counts


def _gradient(grey: Map, axis: int) -> Map:
    """Return the gradient along an axis, over its mean, bounded: strong edges must not outvote all others."""
    steep = np.abs(cv2.Sobel(grey, cv2.CV_32F, axis, 1 - axis))
    bounded = steep / (steep + 2 * steep.mean() + 1e-6)
    return np.asarray(bounded / (bounded.mean() + 1e-6), np.float32)


def _jumps(frame: Frame, axis: int) -> NDArray[np.bool_]:
    """Return (h, w): the middles of jumps of depth along an axis (1: from left to right)."""
    assert frame.depth is not None
    reach = max(1, round(frame.depth.shape[1] / SPAN))
    depth, sound = np.where(known(frame), frame.depth, 1), known(frame)
    before, after = (np.roll(depth, way, axis) for way in (reach, -reach))
    both = np.roll(sound, reach, axis) & np.roll(sound, -reach, axis)
    jump = np.where(both, np.abs(before - after) / np.minimum(before, after), 0).astype(np.float32)
    for edge in (slice(None, reach), slice(-reach, None)):
        jump[(slice(None), edge) if axis == 1 else (edge, slice(None))] = 0
    run = (3, 1) if axis == 1 else (1, 3)
    smooth = np.asarray(cv2.blur(jump, run))
    around = np.ones((1, 2 * reach + 1) if axis == 1 else (2 * reach + 1, 1), np.uint8)
    middles: NDArray[np.bool_] = (jump > JUMP) & (smooth >= np.asarray(cv2.dilate(smooth, around)))
    return middles


def _seen(jumps: NDArray[np.bool_], frame: Frame, camera: Camera) -> Map:
    """Return the jumps (h, w) in the picture: how many lie on each of its pixels if there is no shift."""
    assert frame.depth_camera is not None
    from_depth = frame.depth_camera
    v, u = np.nonzero(jumps)
    columns = np.rint((u - from_depth.cx) / from_depth.fx * camera.fx + camera.cx).astype(int)
    rows = np.rint((v - from_depth.cy) / from_depth.fy * camera.fy + camera.cy).astype(int)
    inside = (rows >= 0) & (columns >= 0) & (rows < camera.height) & (columns < camera.width)
    seen = np.zeros((camera.height, camera.width), np.float32)
    np.add.at(seen, (rows[inside], columns[inside]), 1)
    return seen


def _moved(moment: Moment, shift: Shift) -> Moment:
    """Return a frame's files, seen by a colour camera whose centre is moved."""
    camera = moment.colour_camera
    if camera is None:
        return moment
    centre = camera.cx + shift.right * camera.width, camera.cy + shift.down * camera.width
    return replace(moment, colour_camera=replace(camera, cx=centre[0], cy=centre[1]))
