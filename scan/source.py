"""The only door for bytes from outside: the files of a folder or zip, by names that cannot lead out of it."""

import io
import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pocketworld.errors import CaptureError

FILES = 200_000  # an hour at 15 frames a second, four files each: more is no single capture
LARGEST = 256 * 2**20  # bytes; a raw picture of 48 MP has 144 MB
TEXT = 64 * 2**20  # bytes; a pose of 100 bytes at 100 Hz for an hour has 36 MB
_DRIVE = re.compile(r"^[A-Za-z]:")
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError)


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """Checked access to one capture; a name is a file's path inside it, with `/`, whatever holds it.

    path      the folder or zip on disk
    files     what each name is called there; names are sorted
    stream    opens a file by what it is called there

    Hidden files are left out, and so is a single folder around everything: its content is the capture.
    """

    path: Path
    files: Mapping[str, str]
    stream: Callable[[str], IO[bytes]]

    @classmethod
    def of(cls, path: str | Path) -> "Source":
        """Look into a folder or zip. Raises CaptureError where it is missing, empty, unsafe or no capture."""
        path = Path(path)
        if not path.exists():
            raise CaptureError(f"{path} does not exist", "name a capture's folder or zip")
        if path.is_dir():
            names, stream = _folder(path)
        elif zipfile.is_zipfile(path):
            names, stream = _zip(path)
        else:
            raise CaptureError(
                f"{path} is neither a folder nor a zip", "name the whole capture, not a file of it"
            )
        files = _unwrapped({name: name for name in names if not _hidden(name)})
        if not files:
            raise CaptureError(f"{path} is empty", "name the folder or zip that holds the frames")
        return cls(path, dict(sorted(files.items())), stream)

    @property
    def name(self) -> str:
        """Return the capture's name: that of the folder, or of the zip without its ending."""
        path = self.path.resolve()
        return path.name if path.is_dir() else path.stem

    def __contains__(self, name: object) -> bool:
        """Return whether there is such a file."""
        return name in self.files

    def __iter__(self) -> Iterator[str]:
        """Return the names in order."""
        return iter(self.files)

    def where(self, name: str) -> str:
        """Return how to call a file in a message."""
        return f"{self.path}/{name}"

    def open(self, name: str) -> IO[bytes]:
        """Open a file to read and seek. Raises CaptureError where it is missing or closed to us."""
        if name not in self.files:
            raise CaptureError(f"{self.where(name)} is missing")
        try:
            return self.stream(self.files[name])
        except OSError as error:
            raise CaptureError(f"{self.where(name)} can't be opened: {error.strerror}") from error
        except _BROKEN_ZIP as error:
            raise CaptureError(
                f"{self.where(name)} can't be unpacked: {error}", "zip the capture again"
            ) from error

    def read(self, name: str, limit: int = LARGEST) -> bytes:
        """Return the bytes of a file of at most `limit` bytes."""
        with self.open(name) as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise CaptureError(f"{self.where(name)} is larger than {limit / 2**20:g} MB")
        return data

    def text(self, name: str) -> str:
        """Return a text file in UTF-8."""
        try:
            return self.read(name, TEXT).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise CaptureError(f"{self.where(name)} is no text in UTF-8") from error

    def json(self, name: str) -> dict[str, Any]:
        """Return a JSON file that holds an object, without NaN or infinite numbers."""
        try:
            data = json.loads(self.text(name), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise CaptureError(f"{self.where(name)} is no JSON: {error}") from error
        if not isinstance(data, dict):
            raise CaptureError(f"{self.where(name)} holds a {type(data).__name__}, not an object")
        return data


def _folder(path: Path) -> tuple[list[str], Callable[[str], IO[bytes]]]:
    root = path.resolve()
    names: list[str] = []
    waiting = [root]
    while waiting:
        for entry in _entries(waiting.pop()):
            name = Path(entry.path).relative_to(root).as_posix()
            if entry.is_symlink():
                _check_link(path, name, Path(entry.path), root)
            if entry.is_dir():
                waiting.append(Path(entry.path))
            elif entry.is_file():
                names.append(name)
        _check_number(path, len(names) + len(waiting))
    return names, lambda name: (root / name).open("rb")


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not _hidden(entry.name)]
    except OSError as error:
        raise CaptureError(f"{folder} can't be opened: {error.strerror}") from error


def _check_link(path: Path, name: str, link: Path, root: Path) -> None:
    """Refuse a link that leaves the capture, and one to a folder: those can go in circles."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise CaptureError(
            f"{path}/{name} is a link that leads nowhere", "put the file itself there"
        ) from error
    if not target.is_relative_to(root):
        raise CaptureError(
            f"{path}/{name} is a link to {target}, outside the capture", "put the file itself there"
        )
    if target.is_dir():
        raise CaptureError(f"{path}/{name} is a link to a folder", "put the folder itself there")


def _zip(path: Path) -> tuple[list[str], Callable[[str], IO[bytes]]]:
    try:
        archive = zipfile.ZipFile(path)
    except (*_BROKEN_ZIP, OSError) as error:
        raise CaptureError(f"{path} is no zip that can be read: {error}", "zip the capture again") from error
    entries = {PurePosixPath(i.filename).as_posix(): i for i in archive.infolist() if not i.is_dir()}
    for name, entry in entries.items():
        _check_entry(path, name, entry)
    if len(entries) < sum(not i.is_dir() for i in archive.infolist()):
        raise CaptureError(f"{path} holds two files of the same name", "zip the capture again")
    _check_number(path, len(entries))

    def stream(name: str) -> IO[bytes]:
        with archive.open(entries[name]) as packed:  # in memory, so that it can be sought in, and is checked
            data = packed.read(LARGEST + 1)
        return io.BytesIO(data)

    return list(entries), stream


def _check_entry(path: Path, name: str, entry: zipfile.ZipInfo) -> None:
    """Refuse names that would lead out of the zip, links, and files that unpack to more than anyone needs."""
    if name.startswith("/") or "\\" in name or ".." in name.split("/") or _DRIVE.match(name):
        raise CaptureError(f"{path} holds {name!r}, a name that leads out of it", "zip the capture again")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise CaptureError(f"{path}/{name} is a link", "zip the files themselves")
    if entry.file_size > LARGEST:
        raise CaptureError(f"{path}/{name} is larger than {LARGEST / 2**20:g} MB")


def _check_number(path: Path, number: int) -> None:
    if number > FILES:
        raise CaptureError(f"{path} holds over {FILES} files", "name the folder of one capture")


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _unwrapped(files: dict[str, str]) -> dict[str, str]:
    """Return the files by their names inside the one folder that holds them all, as zips are often made."""
    while files and all("/" in name for name in files) and len({n.split("/")[0] for n in files}) == 1:
        files = {name.split("/", 1)[1]: there for name, there in files.items()}
    return files


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number")
