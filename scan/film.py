"""The pictures of a film, by their number: one after the other as they are read, others by seeking."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pocketworld.errors import CaptureError
from pocketworld.scan.source import Source

NEAR = 30  # frames: decoding so many costs as much as a seek, which goes back to the last whole picture
_TYPE = b"ftyp"  # what MP4 and QuickTime say first; lists of other files, which players follow, do not


class Film:
    """Decodes picture `number` of a film when called with its number as text; a `Loader`'s `colour_of`.

    Numbers count the film's own times in order, so that frames of uneven length do not shift them.
    """

    def __init__(self, source: Source, name: str) -> None:
        """Look which pictures there are, decoding one. Raises CaptureError where it is no film."""
        self._where = source.where(name)
        self._copy: IO[bytes] | None = None
        self._path = self._on_disk(source, name)
        self._times = self._all_times()
        self._next, self._process = 0, os.getpid()
        self._film = self._opened()
        height, width = self._picture(0).shape[:2]
        self.width, self.height = width, height

    def __len__(self) -> int:
        """Return how many pictures there are."""
        return len(self._times)

    def __call__(self, source: Source, name: str) -> NDArray[np.uint8]:
        """Return picture number `name` (h, w, 3) RGB. Raises CaptureError where it is damaged or missing."""
        return self._picture(int(name))

    def _picture(self, number: int) -> NDArray[np.uint8]:
        if not 0 <= number < len(self._times):
            raise CaptureError(f"{self._where} has {len(self._times)} pictures, and none of number {number}")
        if self._process != os.getpid():  # two processes must not read on in one open file
            self._restart()
        if not self._next <= number < self._next + NEAR:
            self._seek(number)
        while self._next < number:
            self._grab()
        self._grab()
        found, picture = self._film.retrieve()
        if not found:
            raise CaptureError(f"{self._where} is damaged at picture {number}")
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)

    def _seek(self, number: int) -> None:
        """Go to a picture at or before `number`: where seeking goes too far, to the first."""
        self._film.set(cv2.CAP_PROP_POS_FRAMES, max(0, number - 1))
        landed = self._film.grab()
        at = int(np.searchsorted(self._times, self._film.get(cv2.CAP_PROP_PTS)))
        if landed and at < number:
            self._next = at + 1
        else:
            self._restart()

    def _grab(self) -> None:
        if not self._film.grab():
            self._restart()
            raise CaptureError(f"{self._where} is damaged before picture {self._next}")
        self._next += 1

    def _restart(self) -> None:
        self._film, self._next, self._process = self._opened(), 0, os.getpid()

    def _opened(self, *how: int) -> Any:
        # One thread: a decoder's own do not live on in a child process, which would wait for them for ever.
        film = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1, *how])
        if not film.isOpened():
            raise CaptureError(f"{self._where} is no film that can be read")
        film.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)  # as the sensor saw it: no note on turning is followed
        return film

    def _all_times(self) -> NDArray[np.float64]:
        """Return the times of all pictures in order, in the film's unit; nothing is decoded."""
        film, times = self._opened(cv2.CAP_PROP_FORMAT, -1), []
        while film.grab():
            times.append(film.get(cv2.CAP_PROP_PTS))
        if not times or len(set(times)) < len(times):
            raise CaptureError(f"{self._where} has no pictures, or several at one time")
        return np.sort(np.array(times))

    def _on_disk(self, source: Source, name: str) -> Path:
        """Return where the film is; one in a zip is copied, as decoders want a file."""
        with source.open(name) as stream:
            if stream.read(8)[4:] != _TYPE:
                raise CaptureError(f"{self._where} is no MP4 or MOV")
            if source.path.is_dir():
                return (source.path / source.files[name]).resolve()
            stream.seek(0)
            self._copy = tempfile.NamedTemporaryFile(suffix=".mp4")  # noqa: SIM115 (closed with the film)
            shutil.copyfileobj(stream, self._copy)
            self._copy.flush()
            return Path(self._copy.name)
