"""A JSON file: an array of objects, read one by one, or an object that holds SQuAD's questions."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from noria.datasets.formats.json_lines import decode
from noria.datasets.formats.lines import opened
from noria.datasets.record import LARGEST, Problem, Record, too_large
from noria.errors import InvalidRequest

_CHUNK = 1 << 20
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.S)
"""A lone quote is one whose string goes on behind the data."""
_SPACE = b" \t\r\n"
_MOST = 256 << 20
"""Bytes of a file that is one object."""


def read(path: Path, *, name: str) -> Iterator[Record | Problem]:
    """Raises InvalidRequest for a file that is neither."""
    number = 0
    try:
        with opened(path) as file:
            head = file.read(_CHUNK).removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
            if head.startswith(b"["):
                for number, text in enumerate(_elements(head[1:], file), 1):
                    yield Problem(name, number, too_large()) if text is None else decode(text, name, number)
                return
            text = head + file.read(_MOST)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidRequest(f"{name} is damaged behind record {number} ({error}).") from None
    if len(text) > _MOST:
        raise InvalidRequest(f"{name} is one JSON object of over {_MOST >> 20} MB; convert it to JSON Lines.")
    try:
        found = msgspec.json.decode(text, type=_Squad)
    except msgspec.ValidationError:
        raise InvalidRequest(
            f"{name} is neither an array of objects nor in SQuAD's form; convert it to JSON Lines."
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"{name} is not JSON: {error}.") from None
    yield from _questions(found.data, name)


def _elements(data: bytes, file: BinaryIO) -> Iterator[bytes | None]:
    """The texts of an array's elements; None: one is too large. A file that ends early gives its rest."""
    depth = start = at = 0
    skipping = False
    while True:
        match = _TOKEN.search(data, at)
        cut = match is None or match[0] == b'"'
        if cut:
            # What is not whole yet is scanned again, so that each time twice as much is read.
            more = file.read(max(_CHUNK, len(data) - start))
            if not more:
                break
            at = len(data) if match is None else match.start()
            if len(data) - start > LARGEST:
                skipping, start = True, at
                if match is not None:
                    # Of a string that is too large, only how it goes on counts: its quote, an open escape.
                    escaped = (len(data) - len(data.rstrip(b"\\"))) % 2
                    data, at, start = b'"' + b"\\" * escaped, 0, 0
            data, at, start = data[start:] + more, at - start, 0
            continue
        assert match is not None, "it was cut otherwise"
        token, at = match[0], match.end()
        if token in b"[{":
            depth += 1
        elif token in b"]}" and depth:
            depth -= 1
        elif depth == 0 and token in (b",", b"]"):
            text = data[start : match.start()].strip(_SPACE)
            if skipping or text:
                yield None if skipping or len(text) > LARGEST else text
            skipping, start = False, at
            if token == b"]":
                return
    rest = data[start:].strip(_SPACE)
    if rest:
        yield rest


class _Answer(msgspec.Struct):
    text: Any = None


class _Question(msgspec.Struct):
    id: Any = None
    question: Any = None
    answers: list[_Answer] = []
    is_impossible: Any = None


class _Paragraph(msgspec.Struct):
    context: Any = None
    qas: list[_Question] = []


class _Article(msgspec.Struct):
    paragraphs: list[_Paragraph]
    title: Any = None


class _Squad(msgspec.Struct):
    data: list[_Article]


def _questions(data: list[_Article], name: str) -> Iterator[Record]:
    """SQuAD 1.1 and 2.0: a record is a question with its context; those of one context share a group."""
    number = 0
    for article, one in enumerate(data):
        for place, paragraph in enumerate(one.paragraphs):
            for question in paragraph.qas:
                number += 1
                values = {
                    "id": question.id,
                    "title": one.title,
                    "context": paragraph.context,
                    "question": question.question,
                    "answers": [answer.text for answer in question.answers],
                    "is_impossible": question.is_impossible,
                    "group": f"{article}.{place}",
                }
                yield Record(name, number, {key: value for key, value in values.items() if value is not None})
