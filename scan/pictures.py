"""Pictures and maps of numbers of a capture: looked at cheaply first, decoded only when a frame is read."""

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pocketworld.errors import CaptureError
from pocketworld.scan.source import Source

PIXELS = 64_000_000  # phones take 48 MP
DEEPEST = 65535  # what a sensor of 16 bits says at its end: a mark, no measurement
Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Kind = Literal["colour", "uint8", "uint16"]
_MODES: dict[str, Kind] = {"RGB": "colour", "L": "uint8", "I;16": "uint16", "I;16B": "uint16"}
_LAST = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}
_LAST["MPO"] = _LAST["JPEG"]  # two JPEGs in one file, as phones write them: the first is the picture
_TAIL = 4096  # bytes; some cameras write notes behind a JPEG


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture's file says about itself."""

    width: int
    height: int
    kind: Kind


def header(source: Source, name: str, *kinds: Kind) -> Header:
    """Return size and kind of a PNG or JPEG from its first and last bytes, decoding nothing.

    Raises CaptureError where it is missing, cut short, too large or of none of the `kinds`.
    """
    with source.open(name) as stream:
        try:
            with Image.open(stream, formats=("PNG", "JPEG")) as image:
                size, mode, form = image.size, image.mode, image.format or ""
                stream.seek(0, 2)
                stream.seek(max(0, stream.tell() - _TAIL))
                whole = _LAST[form] in stream.read()
        except (
            OSError,
            ValueError,
            SyntaxError,
            Image.DecompressionBombError,
            Image.DecompressionBombWarning,
        ):
            raise CaptureError(f"{source.where(name)} is no PNG or JPEG that can be read") from None
    if not whole:
        raise CaptureError(f"{source.where(name)} is cut short", "copy it again")
    if size[0] * size[1] > PIXELS:
        raise CaptureError(f"{source.where(name)} has {size[0]}x{size[1]} pixels, over {PIXELS // 10**6} MP")
    if _MODES.get(mode) not in kinds:
        raise CaptureError(f"{source.where(name)} has pixels of kind {mode}, not {' or '.join(kinds)}")
    return Header(*size, _MODES[mode])


def colour(source: Source, name: str) -> NDArray[np.uint8]:
    """Return a picture (h, w, 3) RGB as the sensor saw it: a note on how to turn it is not followed."""
    header(source, name, "colour", "uint8")
    pixels = _decoded(source, name, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    return pixels.astype(np.uint8, copy=False)


def depth(source: Source, name: str, per_metre: float) -> NDArray[np.float32]:
    """Return a depth map (h, w) in m, 0 where unknown, from one of 16 bits with `per_metre` steps a metre."""
    header(source, name, "uint16")
    steps = _decoded(source, name, cv2.IMREAD_UNCHANGED)
    return np.where(steps == DEEPEST, 0, steps / np.float32(per_metre)).astype(np.float32)


def levels(source: Source, name: str) -> NDArray[np.uint8]:
    """Return a map (h, w) of small whole numbers, such as confidence."""
    header(source, name, "uint8")
    return _decoded(source, name, cv2.IMREAD_UNCHANGED).astype(np.uint8, copy=False)


def _decoded(source: Source, name: str, how: int) -> Pixels:
    data = np.frombuffer(source.read(name), np.uint8)
    try:
        pixels: Any = cv2.imdecode(data, how)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise CaptureError(f"{source.where(name)} is damaged", "copy it again, or delete this frame's files")
    return np.asarray(pixels)
