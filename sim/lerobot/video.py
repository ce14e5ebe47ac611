"""Video files of bounded size, of many episodes each: H.264 that any frame can be sought in."""

import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pocketworld.extras import require
from pocketworld.sim.lerobot.features import PIXELS, VIDEO
from pocketworld.sim.lerobot.shards import MEGABYTE, Place

ENCODER = "libx264"
# Every second frame is a key frame and none refers to a later one: loaders seek frames at random.
# The same bytes each time, and on any processor: one thread, no algorithms of one processor's own, and no
# macroblock tree, with which one clip in 300 came out otherwise.
EXACT = "cpu-independent=1:mbtree=0"
OPTIONS = {"crf": "23", "preset": "fast", "g": "2", "bf": "0", "threads": "1", "x264-params": EXACT}


def _library() -> Any:
    """Return PyAV, or say in one line that it is not installed."""
    require("lerobot", "av")
    import av

    return av


class Clip:
    """One episode's video, encoded as its pictures come; only the encoded is kept in memory."""

    def __init__(self, fps: int, size: tuple[int, int]) -> None:
        self.size, self.frames = size, 0
        self._fps, self._file = fps, io.BytesIO()
        av = _library()
        self._frame = av.VideoFrame
        self._out = av.open(self._file, "w", format="mp4")
        self._stream = self._out.add_stream(ENCODER, rate=fps, options=OPTIONS)
        self._stream.height, self._stream.width = size
        self._stream.pix_fmt, self._stream.time_base = PIXELS, Fraction(1, fps)

    def add(self, image: NDArray[np.uint8]) -> None:
        """Append a picture (height, width, 3), RGB."""
        frame = self._frame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts, frame.time_base = self.frames, Fraction(1, self._fps)
        self._out.mux(self._stream.encode(frame))
        self.frames += 1

    def finish(self) -> io.BytesIO:
        """Return the whole as an MP4."""
        self._out.mux(self._stream.encode(None))
        self._out.close()
        self._file.seek(0)
        return self._file

    def abandon(self) -> None:
        """Free the encoder of a clip that nobody wants."""
        self._out.close()


@dataclass(frozen=True, slots=True)
class Span:
    """Where an episode's frames are: which file, and from when to when in it, s."""

    place: Place
    start: float
    end: float


class Films:
    """One camera's videos: clips joined without encoding them again. Closed as a context manager."""

    def __init__(self, root: Path, camera: str, fps: int, limit_mb: int, chunk_files: int) -> None:
        self.camera, self.place, self._av = camera, Place(), _library()  # missing: said before any work
        self._root, self._fps = root, fps
        self._most, self._chunk_files = limit_mb * MEGABYTE, chunk_files
        self._out: Any = None
        self._stream: Any = None
        self._frames, self._size = 0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, clip: io.BytesIO) -> Span:
        """Copy a finished clip's frames to the end of the current file, or of the next if they don't fit."""
        size = clip.getbuffer().nbytes  # with a header of its own: so no file gets larger than it may
        if self._out is not None and self._size + size > self._most:
            self.close()
            self.place = self.place.after(self._chunk_files)
        start = self._frames if self._out is not None else 0  # the first clip of a file starts it
        with self._av.open(clip) as source:
            self._copy(source)
        self._size += size
        return Span(self.place, start / self._fps, self._frames / self._fps)

    def _copy(self, source: Any) -> None:
        """Copy packets; a frame's time is its running number in the file over the frames a second."""
        stream = source.streams.video[0]
        if self._out is None:
            path = self.place.of(self._root, VIDEO, video_key=self.camera)
            self._out = self._av.open(str(path), "w", format="mp4")
            self._stream = self._out.add_stream_from_template(stream)
            self._frames, self._size = 0, 0
        ticks = round(1 / (self._fps * stream.time_base))
        for packet in source.demux(stream):
            if packet.size:  # the last one is empty: it says that there are no more
                packet.pts = packet.dts = self._frames * ticks
                packet.duration, packet.stream = ticks, self._stream
                self._out.mux(packet)
                self._frames += 1

    def close(self) -> None:
        """Complete the current file."""
        if self._out is not None:
            self._out.close()
        self._out, self._stream = None, None
