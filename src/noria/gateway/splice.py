"""The body that goes upstream when it needs no translation: the caller's own, but for a few named keys.

`ADDED` is the whole list of keys that Noria adds of itself (DESIGN rule 1).
"""

from __future__ import annotations

import msgspec

from noria.errors import InvalidRequest
from noria.gateway.ask import Fields, encode

ADDED = {
    "stream_options": "Usage is asked for in every streamed chat or text completion (`ask_usage = false` "
    "in the provider's section switches it off).",
}
REMOVED = {"noria": "Noria's own field: user, session, episode, tags, cache."}

_options = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TRUE = msgspec.Raw(b"true")


def wants_usage(fields: Fields) -> bool:
    """Whether the caller asked for usage in the stream."""
    raw = fields.get("stream_options")
    return raw is not None and bytes(_stream_options(raw).get("include_usage", b"")) == b"true"


def spliced(fields: Fields, *, model: str, add_usage: bool) -> bytes:
    """The caller's body with the upstream's name of the model; key order is kept."""
    out = dict(fields)
    out["model"] = msgspec.Raw(encode(model))
    out.pop("noria", None)
    if add_usage:
        options = _stream_options(out.get("stream_options"))
        out["stream_options"] = msgspec.Raw(encode({**options, "include_usage": _TRUE}))
    return encode(out)


def _stream_options(raw: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    if raw is None or bytes(raw) == b"null":
        return {}
    try:
        return _options.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidRequest("`stream_options` must be an object.", param="stream_options") from None
