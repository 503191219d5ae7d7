"""Server-sent events: an incremental splitter, and frames to be written.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6. Lines may end in LF,
CRLF or CR; only `data` matters here, since every dialect repeats the event's name inside it.
"""

from __future__ import annotations

from noria.errors import UpstreamError

MAX_EVENT = 16 * 1024 * 1024
"""Bytes of one event; more is not a stream of any dialect."""


class SseSplitter:
    """Bytes in, the data of each whole event out; any split of the bytes gives the same events."""

    __slots__ = ("_lines", "_rest", "_size")

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The events that `data` completes. Raises UpstreamError for one beyond all measure."""
        if self._rest:
            data = self._rest + data
        # A CR at the end may be the first half of a CRLF.
        held = data.endswith(b"\r")
        if b"\r" in data:
            body = data[:-1] if held else data
            body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            data = body + b"\r" if held else body
        lines = data.split(b"\n")
        self._rest = lines.pop()
        events: list[bytes] = []
        for line in lines:
            if line:
                if line.startswith(b"data:"):
                    self._lines.append(line[6:] if line[5:6] == b" " else line[5:])
                    self._size += len(line)
            elif self._lines:
                events.append(self._lines[0] if len(self._lines) == 1 else b"\n".join(self._lines))
                self._lines = []
                self._size = 0
        if self._size + len(self._rest) > MAX_EVENT:
            raise UpstreamError("The upstream sent an event of more than 16 MiB.", kind="server")
        return events

    def close(self) -> list[bytes]:
        """The event that the end of the body cut off; many servers leave out the last blank line."""
        rest = self._rest
        self._rest = b""
        return self.feed(rest.rstrip(b"\r") + b"\n\n") if rest or self._lines else []


def data_frame(payload: bytes) -> bytes:
    """An event without a name. `payload` is JSON."""
    return b"data: " + one_line(payload) + b"\n\n"


def named_frame(name: str, payload: bytes) -> bytes:
    """An event with its name. `payload` is JSON."""
    return b"event: " + name.encode() + b"\ndata: " + one_line(payload) + b"\n\n"


def one_line(payload: bytes) -> bytes:
    """JSON without line ends: they may stand in what only passed through, and never within a string."""
    if b"\n" in payload or b"\r" in payload:
        return payload.translate(_LINE_ENDS)
    return payload


_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")
