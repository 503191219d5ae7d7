"""Members of a zip file, also those that are compressed by zstd, which Python's own module cannot read."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

import zstandard

from noria.errors import ConfigError

_ZSTD = 93
MOST = 1 << 30
"""Bytes of one member, unpacked."""


class Archive:
    """Reads. Raises ConfigError where it is no zip file, or damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = ZipFile(path)
        except (BadZipFile, OSError) as error:
            raise ConfigError(f"{path.name} is not a log that can be read: {error}.") from None

    def names(self) -> list[str]:
        return self._zip.namelist()

    def read(self, name: str) -> bytes:
        try:
            info = self._zip.getinfo(name)
        except KeyError:
            raise ConfigError(f"{self._path.name} has no {name}, so it is not a whole log.") from None
        if info.file_size > MOST:
            raise ConfigError(f"{name} of {self._path.name} is longer than {MOST:,} bytes.")
        try:
            return self._zstd(info) if info.compress_type == _ZSTD else self._zip.read(info)
        except (
            BadZipFile, OSError, EOFError, zlib.error, zstandard.ZstdError, NotImplementedError, struct.error,
            RuntimeError,  # It is encrypted.
        ) as error:  # fmt: skip
            raise ConfigError(f"{name} of {self._path.name} is damaged: {error}.") from None

    def matching(self, prefix: str) -> Iterator[str]:
        return (name for name in self.names() if name.startswith(prefix))

    def close(self) -> None:
        self._zip.close()

    def _zstd(self, info: ZipInfo) -> bytes:
        """By the local header (APPNOTE.TXT 4.3.7), whose name and extra field come before the data."""
        with self._path.open("rb") as file:
            file.seek(info.header_offset)
            name, extra = struct.unpack("<HH", file.read(30)[26:30])
            file.seek(info.header_offset + 30 + name + extra)
            packed = file.read(info.compress_size)
        with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
            # No more than the directory said, whatever the data unpacks to.
            return reader.read(info.file_size)
