"""Downloads that go on where they stopped."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec

from noria.errors import StateError, Unreachable

TRIES = 4
"""How often a download that breaks in the middle is taken up again."""
CHUNK = 1 << 20
"""Bytes that are written at once."""


class Progress(msgspec.Struct, frozen=True):
    """How far a download is; bytes. `total` is None until the server has said."""

    what: str
    done: int
    total: int | None


Report = Callable[[Progress], None]


def quiet(_: Progress) -> None:
    """A Report for callers that show nothing."""


@contextmanager
def client(*, ca_file: str | None = None) -> Generator[httpx2.Client]:
    """An HTTP client that honours the environment's proxies, certificates and netrc file."""
    chosen = ca_file or os.environ.get("SSL_CERT_FILE")
    verify = ssl.create_default_context(cafile=chosen) if chosen else True
    netrc = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
    auth = httpx2.NetRCAuth(str(netrc)) if netrc.is_file() else None
    timeout = httpx2.Timeout(60.0, connect=15.0)
    with httpx2.Client(verify=verify, follow_redirects=True, timeout=timeout, auth=auth) as opened:
        yield opened


def download(
    http: httpx2.Client,
    url: str,
    target: Path,
    *,
    what: str,
    report: Report,
    headers: dict[str, str] | None = None,
) -> None:
    """Fetch `url` into `target`, keeping and continuing what is already there.

    Raises Unreachable when the server does not answer or refuses, StateError when the disk is full.
    """
    for tried in range(TRIES):
        try:
            if _fetch(http, url, target, what=what, report=report, headers=headers or {}):
                return
        except httpx2.TransportError as error:
            if tried == TRIES - 1:
                raise Unreachable(
                    f"{what} could not be fetched from {_host(url)} ({error or type(error).__name__}); "
                    "run the command again, it goes on where it stopped."
                ) from error
    raise Unreachable(f"{_host(url)} ends {what} too early each time; run the command again later.")


def _fetch(
    http: httpx2.Client, url: str, target: Path, *, what: str, report: Report, headers: dict[str, str]
) -> bool:
    """Whether the file is whole now."""
    have = target.stat().st_size if target.exists() else 0
    headers = {**headers, "accept-encoding": "identity"}
    if have:
        headers["range"] = f"bytes={have}-"
    with http.stream("GET", url, headers=headers) as answer:
        if answer.status_code == 416:
            # All of it is here already, or what is here is of another file: the checksum tells.
            return True
        if answer.status_code >= 500:
            raise httpx2.RemoteProtocolError(f"status {answer.status_code}")
        if answer.status_code >= 400:
            raise Unreachable(
                f"{_host(url)} answers {answer.status_code} for {what}; {_advice(answer.status_code)}"
            )
        resumed = answer.status_code == 206
        done = have if resumed else 0
        length = answer.headers.get("content-length")
        total = done + int(length) if length is not None else None
        with target.open("ab" if resumed else "wb") as file:
            report(Progress(what, done, total))
            for chunk in answer.iter_raw(CHUNK):
                write(file.write, chunk, what=what)
                done += len(chunk)
                report(Progress(what, done, total))
    return total is None or done >= total


def write(to: Callable[[bytes], int], data: bytes, *, what: str) -> None:
    """Write, or say in a sentence that the disk is full."""
    try:
        to(data)
    except OSError as error:
        raise StateError(
            f"{what} cannot be written ({error.strerror}); make room, or set NORIA_CACHE to another disk."
        ) from error


def _host(url: str) -> str:
    return httpx2.URL(url).host


def _advice(status: int) -> str:
    if status in (401, 403):
        return "it wants credentials: put them into netrc, the index URL or HF_TOKEN."
    if status == 404:
        return "check the name and the version."
    return "try again later."
