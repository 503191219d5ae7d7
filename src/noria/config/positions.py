"""The line on which each key of a TOML text stands.

The text is valid TOML (tomllib has read it), so this reads its shape only and trusts the rest.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_bare = re.compile(r"[A-Za-z0-9_-]+")
_space = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_string = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_plain = re.compile(r"[^,\]}#\n]*")
_escape = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


def positions(text: str) -> dict[Path, int]:
    """Line, from 1, of each table, key and element of an array, by its path."""
    return _Reader(text.replace("\r\n", "\n")).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}
        self._line = 1
        self._counted = 0

    def read(self) -> dict[Path, int]:
        table: Path = ()
        self.skip()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip()
        return self.lines

    def header(self) -> Path:
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        path = self.within(self.key())
        self.at = self.text.index("]", self.at) + (2 if many else 1)
        if many:
            self.counts[path] = self.counts.get(path, -1) + 1
            self.mark(path)
            path = (*path, self.counts[path])
        self.mark(path)
        return path

    def within(self, key: list[str]) -> Path:
        """The path of a header, in which an array of tables means its last element."""
        path: Path = ()
        for part in key[:-1]:
            path = (*path, part)
            if path in self.counts:
                path = (*path, self.counts[path])
        return (*path, key[-1])

    def pair(self, table: Path) -> None:
        path = (*table, *self.key())
        for end in range(len(table) + 1, len(path) + 1):
            self.mark(path[:end])
        self.at = self.text.index("=", self.at) + 1
        self.value(path)

    def value(self, path: Path) -> None:
        self.skip()
        start = self.text[self.at]
        if start == "[":
            self.array(path)
        elif start == "{":
            self.inline(path)
        else:
            match = _string.match(self.text, self.at) or _plain.match(self.text, self.at)
            assert match is not None
            self.at = match.end()

    def array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self.separator("]"):
            self.mark((*path, index))
            self.value((*path, index))
            index += 1

    def inline(self, path: Path) -> None:
        self.at += 1
        while self.separator("}"):
            self.pair(path)

    def separator(self, end: str) -> bool:
        """Past white space and a comma; False, and past it, at `end`."""
        self.skip()
        if self.text[self.at] == ",":
            self.at += 1
            self.skip()
        if self.text[self.at] == end:
            self.at += 1
            return False
        return True

    def key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self.skip()
            quoted = _string.match(self.text, self.at)
            bare = _bare.match(self.text, self.at)
            match = quoted or bare
            assert match is not None
            parts.append(_unquoted(match[0]))
            self.at = match.end()
            self.skip()
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def skip(self) -> None:
        match = _space.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def mark(self, path: Path) -> None:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        self.lines.setdefault(path, self._line)


def _unquoted(key: str) -> str:
    if key.startswith("'"):
        return key[1:-1]
    if key.startswith('"'):
        return _escape.sub(
            lambda match: _ESCAPES[match[1]] if len(match[1]) == 1 else chr(int(match[1][1:], 16)),
            key[1:-1],
        )
    return key
