"""Folders of the TUM RGB-D benchmark: pictures and depth of a Kinect, poses of a motion capture system.

Format and cameras: https://cvg.cit.tum.de/data/datasets/rgbd-dataset/file_formats and Sturm et al. 2012, "A
benchmark for the evaluation of RGB-D SLAM systems". The world's z points up already; cameras are OpenCV's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pocketworld.errors import CaptureError
from pocketworld.findings import Finding, Severity
from pocketworld.scan import pictures
from pocketworld.scan.capture import Camera, Capture, Frame
from pocketworld.scan.licence import licence
from pocketworld.scan.losses import Losses
from pocketworld.scan.poses import rigid
from pocketworld.scan.source import Source

Array = NDArray[np.float64]

NAME = "TUM RGB-D"
LISTS = ("rgb.txt", "depth.txt", "groundtruth.txt")
PER_METRE = 5000.0
SLOWEST = 0.02  # s: how far apart the benchmark's own tool lets a pair be

# The benchmark's own calibration of each camera, and ROS's default for the sensor. Depth is registered to the
# pictures. The third camera's pictures are published without distortion.
CAMERAS = {
    "1": Camera(517.3, 516.5, 318.6, 255.3, 640, 480),
    "2": Camera(520.9, 521.0, 325.1, 249.7, 640, 480),
    "3": Camera(535.4, 539.2, 320.1, 247.6, 640, 480),
}
ANY = Camera(525.0, 525.0, 319.5, 239.5, 640, 480)
DISTORTED = ("1", "2")
_CAMERA = re.compile(r"(?<![a-z])fr(?:eiburg)?([123])(?![0-9])", re.IGNORECASE)

_TEXTS = {
    "frame-unposed": "have no pose near their time and are left out",
    "frame-absurd": "have a pose that is no motion and are left out",
    "depth-unusable": "have no depth that can be read and are left out",
    "colour-unusable": "have no picture",
}


@dataclass(frozen=True, slots=True)
class _Files:
    """What rgb.txt or depth.txt lists, by time."""

    stamps: Array
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Moment:
    """The files of one frame."""

    name: str
    time: float
    depth: str
    depth_camera: Camera
    colour: str | None
    colour_camera: Camera | None


@dataclass(frozen=True, eq=False, slots=True)
class _Loader:
    """Reads one frame when it is asked for."""

    source: Source
    moments: Sequence[_Moment]
    poses: Array

    def __call__(self, index: int) -> Frame:
        moment = self.moments[index]
        return Frame(
            index,
            moment.name,
            self.poses[index],
            pictures.colour(self.source, moment.colour) if moment.colour else None,
            moment.colour_camera,
            pictures.depth(self.source, moment.depth, PER_METRE),
            moment.depth_camera,
            time=moment.time,
        )


def knows(source: Source) -> bool:
    """Return whether at least two of the three lists are there."""
    return sum(name in source for name in LISTS) >= 2


def read(source: Source) -> Capture:
    """Read the lists and poses; a frame is a depth map with the picture and the pose nearest in time.

    Raises CaptureError where a list is missing or broken, or no frame is left.
    """
    colours, depths = _listed(source, "rgb.txt"), _listed(source, "depth.txt")
    stamps, poses, sound = _trajectory(source)
    losses = Losses()
    tolerance = _tolerance(depths.stamps)
    pose_of, colour_of = (
        _nearest(depths.stamps, stamps, tolerance),
        _nearest(depths.stamps, colours.stamps, tolerance),
    )
    camera, findings = _camera(source)
    moments, kept = [], []
    for k, name in enumerate(depths.names):
        if pose_of[k] < 0 or not sound[pose_of[k]]:
            losses.add("frame-unposed" if pose_of[k] < 0 else "frame-absurd", name)
            continue
        picture = colours.names[colour_of[k]] if colour_of[k] >= 0 else None
        moment = _moment(source, camera, depths.stamps[k] - depths.stamps[0], name, picture, losses)
        if moment is not None:
            moments.append(moment)
            kept.append(pose_of[k])
    if not moments:
        why = next(iter(losses.cases.values()))[0]
        raise CaptureError(f"{source.path}: none of {len(depths.names)} frames can be used; the first: {why}")
    findings += losses.findings(source.name, len(depths.names), _TEXTS)
    return _capture(source, moments, poses[kept], findings)


def _capture(source: Source, moments: list[_Moment], poses: Array, findings: tuple[Finding, ...]) -> Capture:
    return Capture(
        source.name,
        source.path,
        NAME,
        poses,
        np.eye(4),
        _Loader(source, moments, poses),
        tuple(range(len(moments))),
        np.array([moment.colour is not None for moment in moments]),
        "Kinect or Xtion",
        licence(source),
        findings,
    )


def _moment(
    source: Source, camera: Camera, time: float, depth: str, colour: str | None, losses: Losses
) -> _Moment | None:
    """Return a frame whose files are there and sound, without its picture if need be; None without depth."""
    try:
        size = pictures.header(source, depth, "uint16")
    except CaptureError as error:
        losses.add("depth-unusable", str(error))
        return None
    depth_camera, colour_camera = camera.resized(size.width, size.height), None
    if colour is None:
        losses.add("colour-unusable", f"{depth} has no picture near its time")
    else:
        try:
            size = pictures.header(source, colour, "colour", "uint8")
            colour_camera = camera.resized(size.width, size.height)
        except CaptureError as error:
            losses.add("colour-unusable", str(error))
            colour = None
    name = depth.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    return _Moment(name, float(time), depth, depth_camera, colour, colour_camera)


def _rows(source: Source, name: str, columns: int) -> list[list[str]]:
    """Return the lines of a list, split; comments are left out."""
    if name not in source:
        raise CaptureError(f"{source.where(name)} is missing", f"a {NAME} folder has {', '.join(LISTS)}")
    rows = []
    for number, line in enumerate(source.text(name).splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        if len(fields) != columns:
            raise CaptureError(f"{source.where(name)}, line {number}: {len(fields)} fields, not {columns}")
        rows.append(fields)
    if not rows:
        raise CaptureError(f"{source.where(name)} lists nothing")
    return rows


def _numbers(source: Source, name: str, rows: list[list[str]]) -> Array:
    """Return rows (n, k) of numbers, in the order of the first, the time."""
    try:
        numbers = np.array(rows, float)
    except ValueError as error:
        raise CaptureError(f"{source.where(name)} is broken: {error}") from error
    if not np.isfinite(numbers[:, 0]).all():
        raise CaptureError(f"{source.where(name)} is broken: a time is no number")
    return numbers[np.argsort(numbers[:, 0], kind="stable")]


def _listed(source: Source, name: str) -> _Files:
    rows = _rows(source, name, 2)
    stamps = _numbers(source, name, [row[:1] for row in rows])[:, 0]
    order = np.argsort([float(row[0]) for row in rows], kind="stable")
    return _Files(stamps, tuple(rows[k][1] for k in order))


def _trajectory(source: Source) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return times (n,), poses (n, 4, 4) and which are motions; a row is time, place, quaternion x y z w."""
    rows = _numbers(source, "groundtruth.txt", _rows(source, "groundtruth.txt", 8))
    place, turn = rows[:, 1:4], rows[:, 4:]
    length = np.linalg.norm(turn, axis=1)
    unit = np.abs(length - 1) < 0.01  # files round to 4 digits: what is farther off is no rotation
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    poses[:, :3, 3] = place
    poses[unit, :3, :3] = Rotation.from_quat(turn[unit]).as_matrix()
    poses, sound = rigid(poses)
    return rows[:, 0], poses, sound & unit


def _tolerance(stamps: Array) -> float:
    """Return how far apart two times of one frame may be, s: nearer than to the next frame."""
    return min(float(np.median(np.diff(stamps))) / 2, SLOWEST) if len(stamps) > 1 else SLOWEST


def _nearest(times: Array, others: Array, tolerance: float) -> NDArray[np.int64]:
    """Return for each time which of the sorted others is nearest, -1 where none is within tolerance."""
    after = np.clip(np.searchsorted(others, times), 1, max(1, len(others) - 1))
    pair = np.stack([after - 1, np.minimum(after, len(others) - 1)])
    apart = np.abs(others[pair] - times)
    best = np.argmin(apart, 0)
    columns = np.arange(len(times))
    return np.where(apart[best, columns] <= tolerance, pair[best, columns], -1)


def _camera(source: Source) -> tuple[Camera, tuple[Finding, ...]]:
    """Return the camera that the lists' comments name, else the folder's name, and what is wrong with it."""
    comments = [line for name in LISTS for line in source.text(name).splitlines() if line.startswith("#")]
    named = set(_CAMERA.findall("\n".join(comments))) or set(_CAMERA.findall(source.name))
    if len(named) != 1:
        text = "neither lists nor name tell which camera (freiburg1, 2 or 3) took this: ROS's default is used"
        return ANY, (Finding("camera-unknown", Severity.DEGRADED, "scan", source.name, text, {"fx": ANY.fx}),)
    which = named.pop()
    if which in DISTORTED:
        text = f"the lens of camera freiburg{which} distorts its pictures; that is not corrected"
        return CAMERAS[which], (Finding("distortion", Severity.DEGRADED, "scan", source.name, text),)
    return CAMERAS[which], ()
