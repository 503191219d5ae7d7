"""Lines of a file, gzip or not, none of them larger than a record may be."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from noria.datasets.record import LARGEST
from noria.errors import InvalidRequest

_BOM = b"\xef\xbb\xbf"


def lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """(number from 1, line with its end); None: it is too large. Raises InvalidRequest."""
    with opened(path) as file:
        number = 0
        try:
            while line := file.readline(LARGEST + 1):
                number += 1
                if number == 1:
                    line = line.removeprefix(_BOM)
                if len(line) <= LARGEST:
                    yield number, line
                    continue
                while line and not line.endswith(b"\n"):
                    line = file.readline(1 << 20)
                yield number, None
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidRequest(f"{path.name} is damaged behind line {number} ({error}).") from None


def opened(path: Path) -> BinaryIO:
    """The content, unpacked where the name ends with .gz. Raises InvalidRequest."""
    try:
        if path.suffix == ".gz":
            return cast(BinaryIO, gzip.open(path))
        return open(path, "rb")
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read ({error.strerror}).") from None
