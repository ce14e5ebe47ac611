"""Parquet files of bounded size, filled one after another."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

MEGABYTE = 1024**2


@dataclass(frozen=True, slots=True)
class Place:
    """Which file of which chunk."""

    chunk: int = 0
    file: int = 0

    def after(self, chunk_files: int) -> "Place":
        """Return the next file, in a new chunk where this one is full."""
        return Place(self.chunk + 1, 0) if self.file == chunk_files - 1 else Place(self.chunk, self.file + 1)

    def of(self, root: Path, pattern: str, **names: str) -> Path:
        """Return the path of this file, its folder made."""
        path = root / pattern.format(chunk_index=self.chunk, file_index=self.file, **names)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class Tables:
    """Appends tables as row groups to files of bounded size. Closed as a context manager."""

    def __init__(self, root: Path, pattern: str, schema: pa.Schema, limit_mb: int, chunk_files: int) -> None:
        self.schema, self.place = schema, Place()
        self._root, self._pattern = root, pattern
        self._most, self._chunk_files = limit_mb * MEGABYTE, chunk_files
        self._sink: pa.NativeFile | None = None
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def locate(self, size: int) -> Place:
        """Return the file into which a table of that many bytes will go: the next one if it would not fit.

        In a file it is compressed, so that no file gets larger than it may.
        """
        if self._sink is not None and self._sink.tell() + size > self._most:
            self.close()
            self.place = self.place.after(self._chunk_files)
        return self.place

    def append(self, table: pa.Table) -> None:
        """Write a table as one row group to the file that `locate` said."""
        if self._writer is None:
            self._sink = pa.OSFile(str(self.place.of(self._root, self._pattern)), "wb")
            self._writer = pq.ParquetWriter(self._sink, self.schema, compression="snappy")
        self._writer.write_table(table.select(self.schema.names), row_group_size=max(table.num_rows, 1))

    def close(self) -> None:
        """Complete the current file."""
        if self._writer is not None and self._sink is not None:
            self._writer.close()
            self._sink.close()
        self._writer, self._sink = None, None
