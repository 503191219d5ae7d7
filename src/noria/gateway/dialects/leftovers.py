"""Decoding a caller's body into a wire struct without losing what the struct has no place for.

Nested wire structs forbid unknown keys. Where one is met (or a block of an unknown type), the top-level key
that holds it is kept whole in `extra`, so that it still reaches a target of the same dialect and is refused
for any other, and the rest is decoded without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, cast

import msgspec

from noria.errors import InvalidRequest, Unsupported

T = TypeVar("T")
Extra = dict[str, msgspec.Raw]
MaybeRaw = msgspec.Raw | msgspec.UnsetType
"""JSON that only passes through, where it may be absent (msgspec takes no `Raw | None`)."""

_ROUNDS = 64
"""Kinds of unknown keys and blocks that one body may hold."""

_fields = msgspec.json.Decoder(Extra)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `(.*)`)?$", re.DOTALL)
_VALUE = re.compile(r"Invalid value '(.*)' - at `(.*)`$", re.DOTALL)
_PLACE = re.compile(r"^(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z_0-9]+)|\[(?:\d+|\.\.\.)\]")
_NOTHING: tuple[object, ...] = (None, [], {}, "")
"""Values that ask for nothing, so that an unknown key with one of them may be left out."""


def known_keys(wire: type[msgspec.Struct]) -> frozenset[str]:
    """The top-level keys that a wire struct has a place for; `noria` is Noria's own."""
    return frozenset(wire.__struct_encode_fields__) | {"noria"}


def decode(body: bytes, decoder: msgspec.json.Decoder[T], known: frozenset[str]) -> tuple[T, Extra]:
    """The body, and the top-level keys with more than the struct can hold. Raises InvalidRequest."""
    try:
        fields = _fields.decode(body)
        extra = {name: raw for name, raw in fields.items() if name not in known and bytes(raw) != b"null"}
        try:
            return decoder.decode(body), extra
        except msgspec.ValidationError as error:
            return _without_unknown(body, decoder, fields, extra, error), extra
    except (msgspec.DecodeError, UnicodeError) as error:
        raise invalid(error) from None
    except RecursionError:
        raise InvalidRequest("The body is nested too deeply.") from None


def given(raw: MaybeRaw) -> msgspec.Raw | None:
    """What was said, but for null."""
    return None if raw is msgspec.UNSET or bytes(raw) == b"null" else raw


def take(extra: Extra, names: Iterable[str]) -> Extra:
    """Those of `extra` that ask nothing of the answer, taken out of it."""
    return {name: extra.pop(name) for name in names if name in extra} if extra else {}


def joined(body: bytes, more: Extra) -> bytes:
    """An encoded object with the keys of `more`, which replace its own."""
    return msgspec.json.encode({**_fields.decode(body), **more}) if more else body


def invalid(error: Exception) -> InvalidRequest:
    """msgspec's error as one that names the place."""
    found = _PLACE.match(str(error))
    assert found is not None
    what, place = found[1], found[2]
    if not place:
        return InvalidRequest(f"The body is not understood: {what}.")
    return InvalidRequest(f"`{place}` is not understood: {what}.", param=place)


def _without_unknown(
    body: bytes, decoder: msgspec.json.Decoder[T], fields: Extra, extra: Extra, error: msgspec.ValidationError
) -> T:
    value: Any = msgspec.json.decode(body)
    for _ in range(_ROUNDS):
        unknown = _UNKNOWN.match(str(error))
        tagged = None if unknown else _VALUE.match(str(error))
        if unknown is not None and unknown[2]:
            path = _steps(unknown[2])
            lost = list(_drop_keys(value, path, unknown[1]))
        elif tagged is not None:
            path = _steps(tagged[2])
            lost = list(_drop_tagged(value, path[:-1], cast(str, path[-1]), tagged[1]))
        else:
            raise error
        if not lost or not isinstance(path[0], str):
            raise error
        if any(one not in _NOTHING for one in lost):
            extra[path[0]] = fields[path[0]]
        try:
            return decoder.decode(msgspec.json.encode(value))
        except msgspec.ValidationError as again:
            error = again
    raise Unsupported("The body holds too many kinds of keys that Noria does not know.", param=None)


def _steps(path: str) -> list[str | None]:
    """`$.messages[0].content` as ["messages", None, "content"]; None is every element."""
    return [found[1] for found in _STEP.finditer(path)]


def _at(value: Any, path: list[str | None]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] is None:
        if isinstance(value, list):
            for one in cast(list[Any], value):
                yield from _at(one, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def _drop_keys(value: Any, path: list[str | None], name: str) -> Iterator[Any]:
    for one in _at(value, path):
        if isinstance(one, dict) and name in one:
            yield cast(dict[str, Any], one).pop(name)


def _drop_tagged(value: Any, path: list[str | None], tag: str, said: str) -> Iterator[Any]:
    """Take out the objects at `path` whose `tag` is `said`."""

    def matches(one: Any) -> bool:
        return isinstance(one, dict) and cast(dict[str, Any], one).get(tag) == said

    for holder in _at(value, path[:-1]):
        last = path[-1] if path else None
        if isinstance(holder, list):
            items = cast(list[Any], holder)
            yield from (one for one in items if matches(one))
            items[:] = [one for one in items if not matches(one)]
        elif (
            isinstance(holder, dict) and last is not None and matches(cast(dict[str, Any], holder).get(last))
        ):
            yield cast(dict[str, Any], holder).pop(last)
