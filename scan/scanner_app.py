"""Exports "All Data" of 3D Scanner App (Laan Labs): depth, confidence, JSON, now and then a picture.

What the files mean was found by moving the depth of one frame into its neighbours. In frame_00012.json,
`cameraPoseARFrame` is row-major, world from camera, with the camera axes of OpenGL in ARKit's world (y up);
`intrinsics` is row-major, differs from frame to frame (autofocus), and is for the size of picture that
`projectionMatrix` was made for. depth_00012.png is in mm and as large as conf_00012.png, where 0 is the worst
and 2 the best. The JSONs also hold where on Earth the user was: that is read into nothing.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import CaptureError
from pocketworld.findings import Finding, Severity
from pocketworld.scan.capture import Camera, Capture
from pocketworld.scan.licence import licence
from pocketworld.scan.losses import TEXTS, Losses
from pocketworld.scan.moments import Loader, Moment, seen_by
from pocketworld.scan.pictures import header
from pocketworld.scan.poses import OPENGL_FROM_OPENCV, Z_UP_FROM_Y_UP, rigid
from pocketworld.scan.source import Source

Array = NDArray[np.float64]

NAME = "3D Scanner App"
PER_METRE = 1000.0
BEST = 2
INFO = "info.json"
_JSON = re.compile(r"frame_(\d+)\.json")
_BROKEN = (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError, CaptureError)
_DEPTH = re.compile(r"depth_(\d+)\.png")

_TEXTS = TEXTS | {
    "frame-unposed": "have no pose that can be read and are left out",
    "colour-unusable": "have a picture that can't be read",
}


@dataclass(frozen=True, slots=True)
class _Sidecar:
    """What a frame's JSON says and we use."""

    pose: Array
    camera: Camera
    time: float | None


def knows(source: Source) -> bool:
    """Return whether there are frame_*.json and depth_*.png."""
    return any(map(_JSON.fullmatch, source)) and any(map(_DEPTH.fullmatch, source))


def read(source: Source) -> Capture:
    """Read all poses and intrinsics; frames without depth, confidence or a sound pose are left out, and said.

    Raises CaptureError where no frame is left.
    """
    ids = sorted(
        {m[1] for m in (*map(_JSON.fullmatch, source), *map(_DEPTH.fullmatch, source)) if m}, key=_number
    )
    losses = Losses()
    poses, moments = _moments(source, ids, losses)
    losses.refuse_if_all(source, len(ids), len(moments), _TEXTS)
    world_from_camera = Z_UP_FROM_Y_UP @ np.array(poses) @ OPENGL_FROM_OPENCV
    version, findings = _info(source, len(ids))
    coloured = np.array([moment.colour is not None for moment in moments])
    return Capture(
        source.name,
        source.path,
        NAME,
        world_from_camera,
        Z_UP_FROM_Y_UP.copy(),
        Loader(source, moments, world_from_camera, PER_METRE, BEST),
        tuple(range(len(moments))),
        coloured,
        f"iPhone or iPad with LiDAR, {NAME} {version}".strip(),
        licence(source),
        (
            *findings,
            *losses.findings(source.name, len(ids), _TEXTS),
            *_lacking(source.name, moments, coloured),
        ),
    )


def _number(digits: str) -> tuple[int, str]:
    return int(digits), digits


def _moments(source: Source, ids: list[str], losses: Losses) -> tuple[list[Array], list[Moment]]:
    """Return the poses, as the files say them but exactly rigid, and the files of the usable frames."""
    usual = _size_of_pictures(source, ids)
    sidecars: dict[str, _Sidecar] = {}
    for key in ids:
        try:
            sidecars[key] = _sidecar(source, f"frame_{key}.json", usual)
        except CaptureError as error:
            losses.add("frame-unposed", str(error))
    poses, sound = rigid(np.array([sidecar.pose for sidecar in sidecars.values()]).reshape(-1, 4, 4))
    confident = any(f"conf_{key}.png" in source for key in ids)
    start = next((sidecar.time for sidecar in sidecars.values() if sidecar.time is not None), 0.0)
    used, moments = [], []
    for (key, sidecar), pose, good in zip(sidecars.items(), poses, sound, strict=True):
        if not good:
            losses.add("frame-absurd", source.where(f"frame_{key}.json"))
            continue
        moment = _moment(source, key, sidecar, confident, losses)
        if moment is not None:
            used.append(pose)
            moments.append(replace(moment, time=None if moment.time is None else moment.time - start))
    return used, moments


def _moment(source: Source, key: str, sidecar: _Sidecar, confident: bool, losses: Losses) -> Moment | None:
    """Return a frame whose files are there and sound, without its picture if need be; else None.

    Where the others have a confidence, a frame without one is no use: all its depth would pass as good.
    """
    depth, confidence, colour = f"depth_{key}.png", f"conf_{key}.png", f"frame_{key}.jpg"
    try:
        moment = Moment(key, sidecar.time, depth, seen_by(sidecar.camera, source, depth, "uint16"))
    except CaptureError as error:
        losses.add("depth-unusable", str(error))
        return None
    if confident:
        try:
            if seen_by(sidecar.camera, source, confidence, "uint8") != moment.depth_camera:
                raise CaptureError(f"{source.where(confidence)} is not as large as {depth}")
        except CaptureError as error:
            losses.add("confidence-unusable", str(error))
            return None
        moment = replace(moment, confidence=confidence)
    if colour not in source:
        return moment
    try:
        seen = seen_by(sidecar.camera, source, colour, "colour")
    except CaptureError as error:
        losses.add("colour-unusable", str(error))
        return moment
    return replace(moment, colour=colour, colour_camera=seen)


def _sidecar(source: Source, name: str, usual: tuple[int, int] | None) -> _Sidecar:
    """Return the pose, camera and time in a frame's JSON. Raises CaptureError where one can't be read."""
    data = source.json(name)
    try:
        pose = np.array(data["cameraPoseARFrame"], float).reshape(4, 4)
        fx, skew, cx, zero, fy, cy, *last = np.array(data["intrinsics"], float).reshape(9).tolist()
        if [skew, zero, *last] != [0, 0, 0, 0, 1]:
            raise ValueError("intrinsics are not row-major without skew")
        size = _size(data, fx, fy) or usual
        if size is None:
            raise ValueError("no projectionMatrix, and no picture, says for which size intrinsics are")
        time = float(data["time"]) if "time" in data else None
        return _Sidecar(pose, Camera(fx, fy, cx, cy, *size), time)
    except _BROKEN as error:
        raise CaptureError(f"{source.where(name)} is broken: {type(error).__name__}: {error}") from error


def _size(data: dict[str, Any], fx: float, fy: float) -> tuple[int, int] | None:
    """Return the picture's width and height: a projection matrix has 2 f / size on its diagonal."""
    if "projectionMatrix" not in data:
        return None
    projection = np.array(data["projectionMatrix"], float).reshape(4, 4)
    return round(2 * fx / float(projection[0, 0])), round(2 * fy / float(projection[1, 1]))


def _size_of_pictures(source: Source, ids: list[str]) -> tuple[int, int] | None:
    """Return the size of the first picture: what intrinsics are for where no JSON says it."""
    for name in (f"frame_{key}.jpg" for key in ids):
        if name in source:
            try:
                first = header(source, name, "colour")
            except CaptureError:
                continue  # is counted where the frame itself is read
            return first.width, first.height
    return None


def _info(source: Source, frames: int) -> tuple[str, tuple[Finding, ...]]:
    """Return the app's version, and whether all frames are here that it took; no more is read."""
    if INFO not in source:
        return "", ()
    try:
        info = source.json(INFO)
    except CaptureError as error:
        return "", (Finding("info-unreadable", Severity.NOTE, "scan", source.name, str(error)),)
    taken = info.get("numImages")
    version = str(info.get("appVersionString", ""))
    if not isinstance(taken, int) or taken <= frames:
        return version, ()
    text = f"{INFO} says that {taken} frames were taken; {frames} are here"
    numbers = {"frames": frames, "of": taken}
    return version, (Finding("frames-missing", Severity.DEGRADED, "scan", source.name, text, numbers),)


def _lacking(name: str, moments: list[Moment], coloured: NDArray[np.bool_]) -> tuple[Finding, ...]:
    """Return what the frames that are left do not have."""
    found = []
    if moments[0].confidence is None:
        text = "no frame says how sure its depth is: all of it is trusted"
        found.append(Finding("confidence-missing", Severity.DEGRADED, "scan", name, text))
    pictures, frames = int(coloured.sum()), len(moments)
    if pictures < frames:
        severity = Severity.NOTE if pictures else Severity.LOST
        text = f"{pictures} of {frames} frames have a picture"
        found.append(
            Finding("colour-sparse", severity, "scan", name, text, {"pictures": pictures, "of": frames})
        )
    return tuple(found)
