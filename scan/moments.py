"""The files of a frame, checked when a capture is opened and decoded when the frame is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import CaptureError
from pocketworld.scan import pictures
from pocketworld.scan.capture import Camera, Capture, Frame
from pocketworld.scan.pictures import Kind
from pocketworld.scan.source import Source


@dataclass(frozen=True, slots=True)
class Moment:
    """What a capture's files hold of one frame: names inside its source, and the cameras that saw them.

    A film's pictures are called by their number in it.
    """

    name: str
    time: float | None
    depth: str
    depth_camera: Camera
    confidence: str | None = None
    colour: str | None = None
    colour_camera: Camera | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Loader:
    """Reads frame i of the whole capture when called; this is what makes a `Capture` lazy.

    world_from_camera   (n, 4, 4), as in `Capture`
    per_metre           steps of the depth maps in a metre
    best                the confidence map's highest level, where there is one
    colour_of           decodes the picture that a moment names
    depth_of            decodes the depth map that a moment names, given `per_metre`
    """

    source: Source
    moments: Sequence[Moment]
    world_from_camera: NDArray[np.float64]
    per_metre: float
    best: int = 1
    colour_of: Callable[[Source, str], NDArray[np.uint8]] = pictures.colour
    depth_of: Callable[[Source, str, float], NDArray[np.float32]] = pictures.depth

    def __call__(self, index: int) -> Frame:
        """Return a frame. Raises CaptureError where a file is damaged inside."""
        moment = self.moments[index]
        return Frame(
            index,
            moment.name,
            self.world_from_camera[index],
            self.colour_of(self.source, moment.colour) if moment.colour else None,
            moment.colour_camera,
            self.depth_of(self.source, moment.depth, self.per_metre),
            moment.depth_camera,
            self._confidence(moment.confidence) if moment.confidence else None,
            moment.time,
        )

    def _confidence(self, name: str) -> NDArray[np.float32]:
        levels = pictures.levels(self.source, name)
        if levels.max() > self.best:
            raise CaptureError(f"{self.source.where(name)} has level {levels.max()}, over {self.best}")
        return np.divide(levels, self.best, dtype=np.float32)


def depth_alone(capture: Capture) -> Capture:
    """Return the capture with its pictures left in their files: they take longer to decode than depth does.

    What does not come from files, as a capture that is made up, is given back as it is.
    """
    if not isinstance(capture.load, Loader):
        return capture
    moments = [replace(moment, colour=None, colour_camera=None) for moment in capture.load.moments]
    nothing = np.zeros(len(capture), bool)
    return replace(capture, load=replace(capture.load, moments=moments), coloured=nothing)


def seen_by(camera: Camera, source: Source, name: str, *kinds: Kind) -> Camera:
    """Return the camera of a picture or map that `camera` saw, whatever size it was stored in.

    Raises CaptureError where the file can't be used, or its shape is not the camera's.
    """
    size = pictures.header(source, name, *kinds)
    if abs(camera.height * size.width / camera.width - size.height) > 1:  # sizes are rounded to whole pixels
        was = f"{size.width}x{size.height}"
        raise CaptureError(
            f"{source.where(name)} has {was} pixels, not the shape of {camera.width}x{camera.height}"
        )
    return camera.resized(size.width, size.height)
