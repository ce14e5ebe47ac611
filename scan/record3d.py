"""Exports "EXR + JPG" of Record3D: one metadata.json, a folder of pictures and one of depth.

What the files mean was found by moving the depth of one frame into its neighbours. In metadata.json, pose k
is that of the files called k (some frames have no files): qx qy qz qw x y z, world from camera with OpenGL's
axes, of the picture as it is stored (upright), in a world with y up. `K` is column-major, for pictures of `w`
by `h`. Depth is one channel of EXR in metres, smaller than the picture; no file says how sure it is.
"""

import io
import posixpath
import re
from dataclasses import dataclass, replace
from importlib import import_module
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pocketworld.errors import CaptureError
from pocketworld.findings import Finding, Severity
from pocketworld.scan.capture import Camera, Capture
from pocketworld.scan.licence import licence
from pocketworld.scan.losses import TEXTS, Losses
from pocketworld.scan.moments import Loader, Moment, seen_by
from pocketworld.scan.pictures import PIXELS
from pocketworld.scan.poses import OPENGL_FROM_OPENCV, Z_UP_FROM_Y_UP, rigid
from pocketworld.scan.source import Source

Array = NDArray[np.float64]

NAME = "Record3D"
INFO = "metadata.json"
ROUNDED = 0.01  # of a quaternion's length: files round
_DEPTH = re.compile(r"(?:.*/)?depth/([0-9]{1,9})\.exr")
_MAGIC = b"\x76\x2f\x31\x01"  # what every EXR file says first
_BROKEN = (KeyError, TypeError, ValueError, OverflowError, CaptureError)

_TEXTS = TEXTS | {
    "frame-unposed": "have no pose and are left out",
    "frame-twice": "have more than one depth map and are left out",
}


@dataclass(frozen=True, eq=False, slots=True)
class _Info:
    """What metadata.json says and we use: poses (n, 4, 4), which of them move, cameras, frames / s."""

    poses: Array
    sound: NDArray[np.bool_]
    picture: Camera
    depth: Camera
    rate: float | None


def knows(source: Source) -> bool:
    """Return whether there are a metadata.json and depth in EXR."""
    return INFO in source and any(map(_DEPTH.fullmatch, source))


def read(source: Source) -> Capture:
    """Read all poses; frames without depth or a sound pose are left out, and said.

    Raises CaptureError where metadata.json is broken, or no frame is left.
    """
    info, losses = _info(source), Losses()
    files = _files(source)
    keys = sorted({*files, *range(len(info.poses))})
    used = {key: moment for key in keys if (moment := _moment(source, info, key, files.get(key, []), losses))}
    losses.refuse_if_all(source, len(keys), len(used), _TEXTS)
    moments = list(used.values())
    world_from_camera = Z_UP_FROM_Y_UP @ info.poses[list(used)] @ OPENGL_FROM_OPENCV
    text = "no frame says how sure its depth is: all of it is trusted"
    return Capture(
        source.name,
        source.path,
        NAME,
        world_from_camera,
        Z_UP_FROM_Y_UP.copy(),
        Loader(source, moments, world_from_camera, 1.0, depth_of=depth),
        tuple(range(len(moments))),
        np.array([moment.colour is not None for moment in moments]),
        f"iPhone or iPad, {NAME}",
        licence(source),
        (
            *losses.findings(source.name, len(keys), _TEXTS),
            Finding("confidence-missing", Severity.DEGRADED, "scan", source.name, text),
        ),
    )


def _files(source: Source) -> dict[int, list[str]]:
    """Return the depth maps of each frame: one, unless folders were put together."""
    files: dict[int, list[str]] = {}
    for name in sorted(source):
        if found := _DEPTH.fullmatch(name):
            files.setdefault(int(found[1]), []).append(name)
    return files


def _moment(source: Source, info: _Info, key: int, files: list[str], losses: Losses) -> Moment | None:
    """Return a frame whose depth is there, without its picture if need be; None without depth or pose."""
    if key >= len(info.poses) or not info.sound[key]:
        code = "frame-unposed" if key >= len(info.poses) else "frame-absurd"
        losses.add(code, f"{source.where(INFO)}, frame {key}")
        return None
    if len(files) > 1:
        losses.add("frame-twice", " and ".join(map(source.where, files)))
        return None
    try:
        if not files:
            raise CaptureError(f"{source.where(f'depth/{key}.exr')} is missing")
        (file,) = files
        _check(source, file, info.depth)
    except CaptureError as error:
        losses.add("depth-unusable", str(error))
        return None
    time = None if info.rate is None else key / info.rate
    moment = Moment(str(key), time, file, info.depth)
    picture = posixpath.join(posixpath.dirname(posixpath.dirname(file)), "rgb", f"{key}.jpg")
    try:
        seen = seen_by(info.picture, source, picture, "colour")
    except CaptureError as error:
        losses.add("colour-unusable", str(error))
        return moment
    return replace(moment, colour=picture, colour_camera=seen)


def _info(source: Source) -> _Info:
    """Return what metadata.json says. Raises CaptureError, with what is wrong, where it is broken."""
    data = source.json(INFO)
    try:
        rows = np.array(data["poses"], float).reshape(-1, 7)
        matrix = np.array(data["K"], float).reshape(3, 3).T
        (fx, skew, cx), (zero, fy, cy), last = matrix.tolist()
        if [skew, zero, *last] != [0, 0, 0, 0, 1]:
            raise ValueError("K is not column-major without skew")
        picture = Camera(fx, fy, cx, cy, int(data["w"]), int(data["h"]))
        if not 0 < int(data["dw"]) * int(data["dh"]) <= PIXELS:
            raise ValueError("dw and dh are no size of a depth map")
        smaller = picture.resized(int(data["dw"]), int(data["dh"]))
        rate = float(data["fps"]) if data.get("fps") else None
    except _BROKEN as error:
        raise CaptureError(f"{source.where(INFO)} is broken: {type(error).__name__}: {error}") from error
    unit = np.abs(np.linalg.norm(rows[:, :4], axis=1) - 1) < ROUNDED
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    poses[:, :3, 3] = rows[:, 4:]
    poses[unit, :3, :3] = Rotation.from_quat(rows[unit, :4]).as_matrix()
    poses, sound = rigid(poses)
    return _Info(poses, sound & unit, picture, smaller, rate)


def depth(source: Source, name: str, per_metre: float) -> NDArray[np.float32]:
    """Return a depth map (h, w) in m of an EXR file with one channel, 0 where unknown.

    Raises CaptureError where it can't be decoded.
    """
    data = source.read(name)
    _size(source, name, io.BytesIO(data))
    try:
        read = _exr(io.BytesIO(data), header_only=False).channels()
        (metres,) = (np.asarray(channel.pixels, np.float32) / per_metre for channel in read.values())
    except (RuntimeError, ValueError, TypeError) as error:
        raise CaptureError(f"{source.where(name)} is damaged", "delete this frame's files") from error
    return np.where(np.isfinite(metres) & (metres > 0), metres, 0).astype(np.float32)


def _check(source: Source, name: str, camera: Camera) -> None:
    """Refuse a depth map that is not as large as metadata.json says; only its head is read."""
    with source.open(name) as stream:
        width, height = _size(source, name, stream)
    if (width, height) != (camera.width, camera.height):
        was = f"{camera.width}x{camera.height}"
        raise CaptureError(f"{source.where(name)} has {width}x{height} pixels, not {was}")


def _size(source: Source, name: str, stream: IO[bytes]) -> tuple[int, int]:
    """Return width and height of an EXR file of one channel. Raises CaptureError where it is none."""
    if stream.read(4) != _MAGIC:
        raise CaptureError(f"{source.where(name)} is no EXR file")
    stream.seek(0)
    try:
        header = _exr(stream, header_only=True).header()
        first, last = np.array(header["dataWindow"], np.int64)
        channels = len(header["channels"])
    except (RuntimeError, ValueError, TypeError, KeyError) as error:
        raise CaptureError(f"{source.where(name)} is damaged", "delete this frame's files") from error
    width, height = (last - first + 1).tolist()
    if channels != 1 or not 0 < width * height <= PIXELS:
        raise CaptureError(f"{source.where(name)} is no depth map of one channel")
    return width, height


def _exr(stream: IO[bytes], header_only: bool) -> Any:
    file: Any = import_module("OpenEXR").File
    return file(stream, separate_channels=True, header_only=header_only, num_threads=0)
