"""nerfstudio's `transforms.json` with depth maps, as many tools write it.

Format: https://docs.nerf.studio/quickstart/data_conventions.html. `transform_matrix` is world from camera
with the camera axes of OpenGL; what is true of all frames may stand once at the top; depth times
`depth_unit_scale_factor` is in the unit of the poses. nerfstudio sends a pixel's ray through u + 0.5: its
`cx` is half a pixel more than ours. Which way is up, and how long the unit is, the format does not say.
"""

import math
import posixpath
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import CaptureError
from pocketworld.findings import Finding, Severity
from pocketworld.scan.capture import Camera, Capture
from pocketworld.scan.lens import COEFFICIENTS, Lens, Straightened
from pocketworld.scan.licence import licence
from pocketworld.scan.losses import TEXTS, Losses
from pocketworld.scan.moments import Loader, Moment, seen_by
from pocketworld.scan.pictures import header
from pocketworld.scan.poses import OPENGL_FROM_OPENCV, rigid
from pocketworld.scan.source import Source
from pocketworld.scan.upward import find_up

Array = NDArray[np.float64]

NAME = "nerfstudio"
FILE = "transforms.json"
STEP = 0.001  # m: what nerfstudio takes a step of depth for where no depth_unit_scale_factor is given
PINHOLES = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL")
_BROKEN = (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError, CaptureError)

_TEXTS = TEXTS | {"frame-unposed": "have no pose or camera that can be read and are left out"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """What `frames` says of one frame."""

    pose: Array
    lens: Lens
    depth: str | None
    colour: str | None

    @property
    def name(self) -> str:
        """Return what the frame is called: its picture's name without folder and ending."""
        return posixpath.splitext(posixpath.basename(self.colour or self.depth or "?"))[0]


def knows(source: Source) -> bool:
    """Return whether there is a transforms.json."""
    return FILE in source


def read(source: Source) -> Capture:
    """Read all poses and cameras; frames without depth or a sound pose are left out, and said.

    Raises CaptureError where transforms.json is broken, no frame has depth, or none is left.
    """
    data, losses = source.json(FILE), Losses()
    listed, per_metre = _listed(source, data), 1 / _positive(source, data, "depth_unit_scale_factor", STEP)
    poses, moments, lenses = _moments(source, data, listed, losses)
    losses.refuse_if_all(source, len(listed), len(moments), _TEXTS)
    cameras = np.array(poses) @ OPENGL_FROM_OPENCV
    up = find_up(cameras, source.name)
    world_from_camera, files = up.z_up @ cameras, Straightened(lenses)
    return Capture(
        source.name,
        source.path,
        NAME,
        world_from_camera,
        up.z_up,
        Loader(source, moments, world_from_camera, per_metre, colour_of=files.colour, depth_of=files.depth),
        tuple(range(len(moments))),
        np.array([moment.colour is not None for moment in moments]),
        None,
        licence(source),
        (up.finding, *_said(source, data, lenses), *losses.findings(source.name, len(listed), _TEXTS)),
    )


def _listed(source: Source, data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the frames in the order of their names, as nerfstudio takes them; 10 comes after 9."""
    frames, model = data.get("frames"), data.get("camera_model", "OPENCV")
    if not isinstance(frames, list) or not frames or not all(isinstance(f, dict) for f in frames):
        raise CaptureError(f"{source.where(FILE)} lists no frames")
    if model not in PINHOLES:
        raise CaptureError(f"{source.where(FILE)}: camera_model {model!r} is none of {', '.join(PINHOLES)}")
    if not any("depth_file_path" in frame for frame in frames):
        raise CaptureError(f"{source.where(FILE)}: no frame has a depth_file_path", "depth is needed")
    return sorted(frames, key=lambda frame: _natural(str(frame.get("file_path", ""))))


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Return what orders names by their numbers, however many digits these have."""
    return tuple(
        (len(part.lstrip("0")), part.lstrip("0")) if part.isdecimal() else (-1, part)
        for part in re.split(r"([0-9]+)", name)
    )


def _positive(source: Source, data: dict[str, Any], key: str, default: float) -> float:
    value = data.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1e-9 < value < 1e9:
        raise CaptureError(f"{source.where(FILE)}: {key} {value!r} is no number above 0")
    return float(value)


def _moments(
    source: Source, data: dict[str, Any], listed: list[dict[str, Any]], losses: Losses
) -> tuple[list[Array], list[Moment], dict[str, Lens]]:
    """Return the poses, exactly rigid, and files of the usable frames, and the lenses that bent files."""
    entries = []
    for frame in listed:
        try:
            entries.append(_entry(source, {**data, **frame}))
        except _BROKEN as error:
            what = f"{frame.get('file_path')!r}: {type(error).__name__}: {error}"
            losses.add("frame-unposed", f"{source.where(FILE)}, {what}")
    poses, sound = rigid(np.array([entry.pose for entry in entries]).reshape(-1, 4, 4))
    used, moments = [], []
    lenses: dict[str, Lens] = {}
    for entry, pose, good in zip(entries, poses, sound, strict=True):
        if not good:
            losses.add("frame-absurd", f"{source.where(FILE)}, {entry.name}")
            continue
        moment = _moment(source, entry, losses)
        if moment is not None:
            used.append(pose)
            moments.append(moment)
            if any(entry.lens.coefficients):
                lenses |= {name: entry.lens for name in (moment.depth, moment.colour) if name}
    return used, moments, lenses


def _moment(source: Source, entry: _Entry, losses: Losses) -> Moment | None:
    """Return a frame whose files are there and sound, without its picture if need be; None without depth."""
    camera = entry.lens.camera
    try:
        if entry.depth is None:
            raise CaptureError(f"{entry.name} has no depth_file_path")
        moment = Moment(entry.name, None, entry.depth, seen_by(camera, source, entry.depth, "uint16"))
    except CaptureError as error:
        losses.add("depth-unusable", str(error))
        return None
    try:
        if entry.colour is None:
            raise CaptureError(f"{entry.depth} has no file_path beside it")
        seen = seen_by(camera, source, entry.colour, "colour", "uint8")
    except CaptureError as error:
        losses.add("colour-unusable", str(error))
        return moment
    return replace(moment, colour=entry.colour, colour_camera=seen)


def _entry(source: Source, said: dict[str, Any]) -> _Entry:
    """Return a frame as said, with what is said once for all. Raises what broken numbers raise."""
    pose = np.array(said["transform_matrix"], float).reshape(-1, 4)
    pose = np.vstack([pose, [0, 0, 0, 1.0]]) if len(pose) == 3 else pose.reshape(4, 4)
    depth, colour = (_path(said, key) for key in ("depth_file_path", "file_path"))
    coefficients = tuple(float(said.get(key, 0)) for key in COEFFICIENTS)
    if not np.isfinite(coefficients).all():
        raise ValueError("a coefficient of the lens is not finite")
    return _Entry(pose, Lens(_camera(source, said, colour or depth), coefficients), depth, colour)


def _path(said: dict[str, Any], key: str) -> str | None:
    return posixpath.normpath(str(said[key])) if said.get(key) else None


def _camera(source: Source, said: dict[str, Any], name: str | None) -> Camera:
    """Return the camera: its focal length, or its angle of view as older tools write it."""
    if "w" in said and "h" in said:
        width, height = int(said["w"]), int(said["h"])
    else:
        seen = header(source, name or "", "colour", "uint8", "uint16")
        width, height = seen.width, seen.height
    fx = float(said["fl_x"] if "fl_x" in said else width / 2 / math.tan(said["camera_angle_x"] / 2))
    fy = float(said.get("fl_y", fx))
    cx, cy = float(said.get("cx", width / 2)), float(said.get("cy", height / 2))
    return Camera(fx, fy, cx - 0.5, cy - 0.5, width, height)


def _said(source: Source, data: dict[str, Any], lenses: dict[str, Lens]) -> list[Finding]:
    """Return what of the file's own words changes how far the capture can be trusted."""
    found = []
    scale = _positive(source, data, "applied_scale", 1.0)
    if scale != 1:
        text = "the file says that its poses were scaled: their unit is taken for metres all the same"
        found.append(Finding("scale-applied", Severity.DEGRADED, "scan", source.name, text, {"scale": scale}))
    if lenses:
        text = "the lens bends its pictures: pictures and depth are straightened as they are read"
        found.append(Finding("distortion-undone", Severity.NOTE, "scan", source.name, text))
    return found
