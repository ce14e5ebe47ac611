"""Folders of the TUM RGB-D benchmark: pictures and depth of a Kinect, poses of a motion capture system.

Format and cameras: https://cvg.cit.tum.de/data/datasets/rgbd-dataset/file_formats and Sturm et al. 2012, "A
benchmark for the evaluation of RGB-D SLAM systems". The world's z points up already; cameras are OpenCV's.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pocketworld.errors import CaptureError
from pocketworld.findings import Finding, Severity
from pocketworld.scan.capture import Camera, Capture
from pocketworld.scan.licence import licence
from pocketworld.scan.losses import TEXTS, Losses
from pocketworld.scan.moments import Loader, Moment, seen_by
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

_TEXTS = TEXTS | {"frame-unposed": "have no pose near their time and are left out"}


@dataclass(frozen=True, slots=True)
class _Files:
    """What rgb.txt or depth.txt lists, by time."""

    stamps: Array
    names: tuple[str, ...]


def knows(source: Source) -> bool:
    """Return whether at least two of the three lists are there."""
    return sum(name in source for name in LISTS) >= 2


def read(source: Source) -> Capture:
    """Read the lists and poses; a frame is a depth map with the picture and the pose nearest in time.

    Raises CaptureError where a list is missing or broken, or no frame is left.
    """
    for name in LISTS:
        if name not in source:
            raise CaptureError(f"{source.where(name)} is missing", f"a {NAME} folder has {', '.join(LISTS)}")
    depths, losses = _listed(source, "depth.txt"), Losses()
    camera, findings = _camera(source)
    poses, moments = _moments(source, depths, camera, losses)
    world_from_camera = np.array(poses).reshape(-1, 4, 4)
    losses.refuse_if_all(source, len(depths.names), len(moments), _TEXTS)
    return Capture(
        source.name,
        source.path,
        NAME,
        world_from_camera,
        np.eye(4),
        Loader(source, moments, world_from_camera, PER_METRE),
        tuple(range(len(moments))),
        np.array([moment.colour is not None for moment in moments]),
        "Kinect or Xtion",
        licence(source),
        (*findings, *losses.findings(source.name, len(depths.names), _TEXTS)),
    )


def _moments(
    source: Source, depths: _Files, camera: Camera, losses: Losses
) -> tuple[list[Array], list[Moment]]:
    """Return the poses and files of the frames that can be used."""
    colours = _listed(source, "rgb.txt")
    stamps, poses, sound = _trajectory(source)
    tolerance = _tolerance(depths.stamps)
    pose_of = _nearest(depths.stamps, stamps, tolerance)
    colour_of = _nearest(depths.stamps, colours.stamps, tolerance)
    used, moments = [], []
    for k, name in enumerate(depths.names):
        if pose_of[k] < 0 or not sound[pose_of[k]]:
            losses.add("frame-unposed" if pose_of[k] < 0 else "frame-absurd", name)
            continue
        colour = colours.names[colour_of[k]] if colour_of[k] >= 0 else None
        moment = _moment(source, camera, float(depths.stamps[k] - depths.stamps[0]), name, colour, losses)
        if moment is not None:
            used.append(poses[pose_of[k]])
            moments.append(moment)
    return used, moments


def _moment(
    source: Source, camera: Camera, time: float, depth: str, colour: str | None, losses: Losses
) -> Moment | None:
    """Return a frame whose files are there and sound, without its picture if need be; None without depth."""
    name = depth.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    try:
        moment = Moment(name, time, depth, seen_by(camera, source, depth, "uint16"))
    except CaptureError as error:
        losses.add("depth-unusable", str(error))
        return None
    try:
        if colour is None:
            raise CaptureError(f"{source.where('rgb.txt')} lists no picture near the time of {depth}")
        seen = seen_by(camera, source, colour, "colour", "uint8")
    except CaptureError as error:
        losses.add("colour-unusable", str(error))
        return moment
    return replace(moment, colour=colour, colour_camera=seen)


def _rows(source: Source, name: str, columns: int) -> list[list[str]]:
    """Return the lines of a list, split; comments are left out."""
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
