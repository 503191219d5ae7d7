"""What a caller asks, read from the head and the top level of the body without decoding the rest."""

from __future__ import annotations

from typing import Any

import msgspec

from noria.errors import InvalidRequest

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)
_flag = msgspec.json.Decoder(bool)
_count = msgspec.json.Decoder(int)
encode = msgspec.json.Encoder().encode

MAX_LABEL = 256
"""Characters of a user, session, episode or tag."""
MAX_TAGS = 32

Fields = dict[str, msgspec.Raw]


class Rendered(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A version of a prompt."""

    name: str
    number: int
    digest: str
    label: str = ""


class Context(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Whom and what the call is about: the body's `noria` object, or the `x-noria-*` headers."""

    user: str = ""
    session: str = ""
    episode: str = ""
    tags: dict[str, str] = {}
    cache: str = ""
    """One of "", "no-cache" (do not read it) and "no-store" (neither read nor write)."""
    prompt: str = ""
    """A prompt of Noria's, `name@label` or `name@number`, whose messages come before the call's own."""
    variables: dict[str, Any] = {}
    """Of the prompt."""
    rendered: Rendered | None = None
    """Which prompt the messages were made from, where the caller has rendered it; it is believed."""


class _Metadata(msgspec.Struct):
    user_id: str | None = None


_context = msgspec.json.Decoder(Context)
_metadata = msgspec.json.Decoder(_Metadata)


def fields(body: bytes) -> Fields:
    """The body's top level, values still raw. Raises InvalidRequest unless it is a JSON object."""
    try:
        return _object.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if not body:
            raise InvalidRequest("The request has no body; send a JSON object.") from None
        raise InvalidRequest(f"The body is not a JSON object: {error}.") from None


def text(found: Fields, name: str) -> str | None:
    """A string field; None where absent or null."""
    raw = found.get(name)
    if raw is None or bytes(raw) == b"null":
        return None
    try:
        return _text.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidRequest(f"`{name}` must be a string.", param=name) from None


def flag(found: Fields, name: str) -> bool:
    """A boolean field; False where absent or null."""
    raw = found.get(name)
    if raw is None or bytes(raw) == b"null":
        return False
    try:
        return _flag.decode(raw)
    except msgspec.DecodeError:
        raise InvalidRequest(f"`{name}` must be true or false.", param=name) from None


def count(found: Fields, name: str) -> int | None:
    """A non-negative integer field; None where absent or null."""
    raw = found.get(name)
    if raw is None or bytes(raw) == b"null":
        return None
    try:
        value = _count.decode(raw)
    except msgspec.DecodeError:
        raise InvalidRequest(f"`{name}` must be an integer.", param=name) from None
    if not 0 <= value < 1 << 40:
        raise InvalidRequest(f"`{name}` must be at least 0 and below 2^40.", param=name)
    return value


def context(found: Fields, headers: dict[bytes, bytes]) -> Context:
    """The body's `noria` object wins over `x-noria-*` headers, and those over the dialect's user field."""
    raw = found.get("noria")
    try:
        said = _context.decode(raw) if raw is not None else None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"`noria` is not understood: {error}.", param="noria") from None
    silent = said is None and "user" not in found and "metadata" not in found
    if silent and not any(name.startswith(b"x-noria-") for name in headers):
        return NOTHING_SAID
    said = said or NOTHING_SAID
    merged = Context(
        user=said.user or _header(headers, b"x-noria-user") or _user(found),
        session=said.session or _header(headers, b"x-noria-session"),
        episode=said.episode or _header(headers, b"x-noria-episode"),
        tags=said.tags or _tags(_header(headers, b"x-noria-tags")),
        cache=said.cache or _header(headers, b"x-noria-cache"),
        prompt=said.prompt,
        variables=said.variables,
        rendered=said.rendered,
    )
    _check(merged)
    return merged


NOTHING_SAID = Context()


def _header(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("utf-8", "replace").strip()


def _user(found: Fields) -> str:
    raw = found.get("user")
    if raw is not None and bytes(raw) != b"null":
        try:
            return _text.decode(raw)[:MAX_LABEL]
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""  # The dialect's own check says what is wrong.
    raw = found.get("metadata")
    if raw is not None:
        try:
            return (_metadata.decode(raw).user_id or "")[:MAX_LABEL]
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""
    return ""


def _tags(value: str) -> dict[str, str]:
    tags: dict[str, str] = {}
    for item in filter(None, (item.strip() for item in value.split(","))):
        name, equals, content = item.partition("=")
        if not equals or not name.strip():
            raise InvalidRequest("The header x-noria-tags must look like `name=value, name=value`.")
        tags[name.strip()] = content.strip()
    return tags


def _check(context: Context) -> None:
    if len(context.tags) > MAX_TAGS:
        raise InvalidRequest(f"A call carries at most {MAX_TAGS} tags.", param="noria.tags")
    rendered = context.rendered
    about = () if rendered is None else (rendered.name, rendered.label, rendered.digest)
    labels = (*about, context.user, context.session, context.episode, *context.tags, *context.tags.values())
    if any(len(label) > MAX_LABEL for label in labels):
        raise InvalidRequest(
            f"User, session, episode, tags and prompts have at most {MAX_LABEL} characters each."
        )
    if context.cache not in ("", "no-cache", "no-store"):
        raise InvalidRequest("x-noria-cache is one of `no-cache` and `no-store`.")
