"""Exports of Stray Scanner: depth, confidence, one odometry.csv, and a film.

Format: https://docs.strayrobots.io/formats/data.html. What it does not say was found by measuring: poses in
odometry.csv are world from camera with OpenCV's axes already (gravity in imu.csv, turned by them, points down
within 0.2 degrees), in a world with y up. Intrinsics are for the film's size; older versions of the app write
one camera_matrix.csv, newer ones columns fx, fy, cx, cy beside each pose. Frame 000012 has depth/000012.png
in mm, confidence/000012.png with 0 the worst and 2 the best, and picture number 12 of rgb.mp4.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pocketworld.errors import CaptureError
from pocketworld.findings import Finding, Severity
from pocketworld.scan.capture import Camera, Capture
from pocketworld.scan.film import Film
from pocketworld.scan.licence import licence
from pocketworld.scan.losses import TEXTS, Losses
from pocketworld.scan.moments import Loader, Moment, seen_by
from pocketworld.scan.pictures import colour as no_film
from pocketworld.scan.poses import Z_UP_FROM_Y_UP, rigid
from pocketworld.scan.source import Source

Array = NDArray[np.float64]

NAME = "Stray Scanner"
POSES, MATRIX, FILM = "odometry.csv", "camera_matrix.csv", "rgb.mp4"
PER_METRE = 1000.0
BEST = 2
WIDTHS = (640, 960, 1280, 1440, 1920, 3840, 4032)  # pixels: of pictures 4:3 that ARKit gives
ROUNDED = 0.01  # of a quaternion's length: files round
_POSE = ("x", "y", "z", "qx", "qy", "qz", "qw")
_CAMERA = ("fx", "fy", "cx", "cy")
_FRAME = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, eq=False, slots=True)
class _Rows:
    """What odometry.csv lists: names, times (n,) s, poses (n, 4, 4), which move, cameras (n, 4)."""

    names: list[str]
    times: Array
    poses: Array
    sound: NDArray[np.bool_]
    cameras: Array


def knows(source: Source) -> bool:
    """Return whether there is an odometry.csv, and a camera_matrix.csv or a folder of depth."""
    return POSES in source and (MATRIX in source or _with_depth(source))


def read(source: Source) -> Capture:
    """Read all poses; frames without depth, confidence or a sound pose are left out, and said.

    Raises CaptureError where a list is broken, there is no depth at all, or no frame is left.
    """
    if not _with_depth(source):
        raise CaptureError(
            f"{source.path} has no depth: depth/*.png is missing", "export the whole recording, with depth"
        )
    rows, losses = _rows(source), Losses()
    film, findings = _film(source)
    size, guessed = _size(source, film, rows)
    poses, moments = _moments(source, rows, film, size, losses)
    losses.refuse_if_all(source, len(rows.names), len(moments), TEXTS)
    world_from_camera = Z_UP_FROM_Y_UP @ np.array(poses)
    return Capture(
        source.name,
        source.path,
        NAME,
        world_from_camera,
        Z_UP_FROM_Y_UP.copy(),
        Loader(source, moments, world_from_camera, PER_METRE, BEST, film or no_film),
        tuple(range(len(moments))),
        np.array([moment.colour is not None for moment in moments]),
        f"iPhone or iPad with LiDAR, {NAME}",
        licence(source),
        (
            *findings,
            *guessed,
            *losses.findings(source.name, len(rows.names), TEXTS),
            *_lacking(source.name, moments),
        ),
    )


def _with_depth(source: Source) -> bool:
    return any(name.startswith("depth/") and name.endswith(".png") for name in source)


def _moments(
    source: Source, rows: _Rows, film: Film | None, size: tuple[int, int], losses: Losses
) -> tuple[list[Array], list[Moment]]:
    """Return the poses and files of the usable frames."""
    confident = any(name.startswith("confidence/") for name in source)
    used, moments = [], []
    for k, name in enumerate(rows.names):
        if not rows.sound[k]:
            losses.add("frame-absurd", f"{source.where(POSES)}, frame {name}")
            continue
        fx, fy, cx, cy = rows.cameras[k].tolist()
        camera = Camera(fx, fy, cx, cy, *size)
        time = float(rows.times[k] - rows.times[0])
        moment = _moment(source, name, time, camera, confident, losses)
        if moment is not None:
            used.append(rows.poses[k])
            moments.append(_with_picture(moment, camera, source, film, losses))
    return used, moments


def _moment(
    source: Source, name: str, time: float, camera: Camera, confident: bool, losses: Losses
) -> Moment | None:
    """Return a frame whose depth (and confidence, where others have one) is there and sound; else None."""
    depth, confidence = f"depth/{name}.png", f"confidence/{name}.png"
    try:
        moment = Moment(name, time, depth, seen_by(camera, source, depth, "uint16"))
    except CaptureError as error:
        losses.add("depth-unusable", str(error))
        return None
    if not confident:
        return moment
    try:
        if seen_by(camera, source, confidence, "uint8") != moment.depth_camera:
            raise CaptureError(f"{source.where(confidence)} is not as large as {depth}")
    except CaptureError as error:
        losses.add("confidence-unusable", str(error))
        return None
    return replace(moment, confidence=confidence)


def _with_picture(
    moment: Moment, camera: Camera, source: Source, film: Film | None, losses: Losses
) -> Moment:
    """Return the frame with the number of its picture, if the film goes on for so long."""
    if film is None:
        return moment
    if int(moment.name) >= len(film):
        losses.add("colour-unusable", f"{source.where(FILM)} ends before frame {moment.name}")
        return moment
    return replace(moment, colour=str(int(moment.name)), colour_camera=camera)


def _film(source: Source) -> tuple[Film | None, tuple[Finding, ...]]:
    """Return the film, or None and why."""
    try:
        return Film(source, FILM), ()
    except CaptureError as error:
        text = f"no frame has a picture: {error}"
        return None, (Finding("colour-missing", Severity.LOST, "scan", source.name, text),)


def _size(source: Source, film: Film | None, rows: _Rows) -> tuple[tuple[int, int], tuple[Finding, ...]]:
    """Return the size that intrinsics are for: the film's; without one, that whose middle is nearest."""
    if film is not None:
        return (film.width, film.height), ()
    width = min(WIDTHS, key=lambda width: abs(width / 2 - float(np.median(rows.cameras[:, 2]))))
    text = "without a film nothing says for which size of picture the intrinsics are: the likeliest is taken"
    found = Finding("size-guessed", Severity.NOTE, "scan", source.name, text, {"width_px": float(width)})
    return (width, width * 3 // 4), (found,)


def _rows(source: Source) -> _Rows:
    """Return what odometry.csv lists, in its order. Raises CaptureError where a line is broken."""
    head, *lines = [
        [field.strip() for field in line.split(",")]
        for line in source.text(POSES).splitlines()
        if line.strip()
    ] or [[]]
    column = {name: k for k, name in enumerate(head)}
    if lacking := [name for name in ("timestamp", "frame", *_POSE) if name not in column]:
        raise CaptureError(f"{source.where(POSES)} has no column {', '.join(lacking)}")
    if not lines:
        raise CaptureError(f"{source.where(POSES)} lists nothing")
    names = [line[column["frame"]] if len(line) == len(head) else "" for line in lines]
    for number, name in enumerate(names, 2):
        if not _FRAME.fullmatch(name):
            raise CaptureError(
                f"{source.where(POSES)}, line {number}: not {len(head)} fields with a frame's number"
            )
    own = all(name in column for name in _CAMERA)
    wanted = ["timestamp", *_POSE, *(_CAMERA if own else ())]
    numbers = _numbers(source, POSES, [[line[column[name]] for name in wanted] for line in lines])
    poses, sound = _poses(numbers[:, 1:8])
    cameras = numbers[:, 8:] if own else np.tile(_matrix(source), (len(lines), 1))
    sound &= np.isfinite(cameras).all(1) & (cameras[:, :2] > 0).all(1)
    return _Rows(names, numbers[:, 0], poses, sound, cameras)


def _numbers(source: Source, name: str, rows: list[list[str]]) -> Array:
    try:
        return np.array(rows, float)
    except ValueError as error:
        raise CaptureError(f"{source.where(name)} is broken: {error}") from error


def _poses(rows: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return poses (n, 4, 4) of rows x y z qx qy qz qw, and which are motions."""
    length = np.linalg.norm(rows[:, 3:], axis=1)
    unit = np.abs(length - 1) < ROUNDED
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    poses[:, :3, 3] = rows[:, :3]
    poses[unit, :3, :3] = Rotation.from_quat(rows[unit, 3:]).as_matrix()
    poses, sound = rigid(poses)
    return poses, sound & unit


def _matrix(source: Source) -> Array:
    """Return fx, fy, cx, cy of camera_matrix.csv."""
    rows = [line.split(",") for line in source.text(MATRIX).splitlines() if line.strip()]
    matrix = _numbers(source, MATRIX, rows)
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or min(matrix[0, 0], matrix[1, 1]) <= 0:
        raise CaptureError(f"{source.where(MATRIX)} is no camera matrix of 3 by 3")
    return matrix[[0, 1, 0, 1], [0, 1, 2, 2]]


def _lacking(name: str, moments: list[Moment]) -> tuple[Finding, ...]:
    if moments[0].confidence is not None:
        return ()
    text = "no frame says how sure its depth is: all of it is trusted"
    return (Finding("confidence-missing", Severity.DEGRADED, "scan", name, text),)
