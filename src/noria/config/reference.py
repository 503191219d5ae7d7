"""What noria.toml may say in place of a secret, and paths that are relative to the file that names them.

Within a Config every relative path is relative to the folder of the root noria.toml, whichever file named it.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, PlainSerializer, SerializationInfo, ValidationInfo, WithJsonSchema

_env = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")


def rebased(path: str, folder: str) -> str:
    """`path`, written in a file in `folder` (itself relative to the root), relative to the root."""
    if Path(path).is_absolute() or path.startswith("~"):
        return path
    return os.path.normpath(os.path.join(folder, path))  # noqa: PTH118


def unbased(path: str, folder: str) -> str:
    """The inverse of `rebased`."""
    if not folder or Path(path).is_absolute() or path.startswith("~"):
        return path
    return os.path.relpath(path, folder)


def absolute(path: str, folder: Path) -> str:
    """`path` of a Config whose root noria.toml lies in `folder`."""
    return str((folder / Path(path).expanduser()).absolute())


def absolute_secret(reference: str, folder: Path) -> str:
    """`file:` references made absolute; others as they are."""
    if reference.startswith("file:"):
        return "file:" + absolute(reference.removeprefix("file:"), folder)
    return reference


def _folder(context: Any) -> str:
    return context.get("folder", "") if isinstance(context, dict) else ""


def _path(value: str, info: ValidationInfo) -> str:
    if not value:
        raise ValueError("must name a file, and is empty")
    return rebased(value, _folder(info.context))


def _write_path(value: str, info: SerializationInfo) -> str:
    return unbased(value, _folder(info.context))


def _file(value: str, info: ValidationInfo) -> str:
    if value.startswith("file:"):
        return "file:" + rebased(value.removeprefix("file:"), _folder(info.context))
    return value


def _write_file(value: str, info: SerializationInfo) -> str:
    if value.startswith("file:"):
        return "file:" + unbased(value.removeprefix("file:"), _folder(info.context))
    return value


def _secret(value: str) -> str:
    if _env.fullmatch(value) or (value.startswith(("file:", "enc:")) and value.partition(":")[2]):
        return value
    raise ValueError(
        "must be a reference to a secret (`env:NAME`, `file:PATH` or `enc:…`), never the secret itself"
    )


def _http(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(f"must be a URL, and {value!r} is not one") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(f"must be an http:// or https:// URL, not {value!r}")
    if parts.username or parts.password:
        raise ValueError("holds a user name or password; a URL in noria.toml may not carry a secret")
    return value.rstrip("/")


PathText = Annotated[str, AfterValidator(_path), PlainSerializer(_write_path, return_type=str)]
"""A path, relative to the file that names it."""

FileReference = Annotated[str, AfterValidator(_file), PlainSerializer(_write_file, return_type=str)]
"""Text in which `file:PATH` is relative to the file that names it."""

Secret = Annotated[
    FileReference,
    AfterValidator(_secret),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|enc:.+)$",
            "examples": ["env:OPENAI_API_KEY"],
        }
    ),
]
"""A reference to a secret; a literal secret is refused."""

HttpUrl = Annotated[str, AfterValidator(_http)]
"""An http(s) URL without credentials and without a slash at its end."""
