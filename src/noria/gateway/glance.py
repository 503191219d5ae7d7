"""A quick look at a whole answer that is passed through: id, model, why it stopped, an error inside a 200."""

from __future__ import annotations

import msgspec

from noria.errors import UpstreamError
from noria.gateway.streams import NULL, error_inside


class _Choice(msgspec.Struct):
    finish_reason: str | None = None


class _Answer(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    error: msgspec.Raw = NULL
    choices: list[_Choice] | None = None
    stop_reason: str | None = None
    status: str | None = None


_decode = msgspec.json.Decoder(_Answer).decode


class Glance(msgspec.Struct, frozen=True):
    """What was seen; "" where the answer does not say."""

    id: str
    model: str
    stop_reason: str


def glance(body: bytes) -> Glance:
    """Raises UpstreamError(kind="server") where the body is no JSON object, or an error."""
    try:
        found = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UpstreamError(
            "The upstream's answer is not what its dialect says.", kind="server", body=body[:65536]
        ) from None
    if bytes(found.error) != b"null":
        raise error_inside(bytes(found.error))
    stop = found.choices[0].finish_reason if found.choices else found.stop_reason or found.status
    return Glance(found.id or "", found.model or "", stop or "")
