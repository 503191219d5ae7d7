"""The wide part of a span: compressed with a dictionary learnt from the day's texts, encrypted if asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import zstandard

from noria.errors import StateError
from noria.tracing.span import Event, Link, Span
from noria.tracing.store import Cipher

LEVEL = 3
DICTIONARY_BYTES = 65_536
PLAIN, SEALED = 0, -1
SAMPLES = 800
"""Bodies that a dictionary is learnt from."""
SAMPLE_BYTES = 8_192
"""A dictionary learns from the first bytes of each."""


class Wide(msgspec.Struct, frozen=True, array_like=True):
    """What is read only when a span is opened; the names are those of Span."""

    input: str | None
    output: str | None
    attributes: dict[str, Any]
    events: tuple[Event, ...]
    links: tuple[Link, ...]
    scope: str
    schema_url: str
    status_message: str
    response_model: str
    stop_reason: str
    price: str
    usage: str
    cached_tokens: int | None
    reasoning_tokens: int | None
    said_by: dict[str, bool] = {}
    """Attributes whose value is the input (true) or output (false) itself, and is not kept twice."""


_FIELDS = Wide.__struct_fields__[:-1]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Wide).decode


def wide_of(span: Span) -> Wide:
    input, output, attributes = span.input, span.output, span.attributes
    said_by = {
        name: value is input
        for name, value in attributes.items()
        if value is not None and (value is input or value is output)
    }
    if said_by:
        attributes = {name: value for name, value in attributes.items() if name not in said_by}
    return Wide(
        input, output, attributes, span.events, span.links, span.scope, span.schema_url,
        span.status_message, span.response_model, span.stop_reason, span.price, span.usage,
        span.cached_tokens, span.reasoning_tokens, said_by,
    )  # fmt: skip


def wide_fields(wide: Wide) -> dict[str, Any]:
    """As keyword arguments of Span."""
    fields = {name: getattr(wide, name) for name in _FIELDS}
    if wide.said_by:
        said = {name: wide.input if by_input else wide.output for name, by_input in wide.said_by.items()}
        fields["attributes"] = wide.attributes | said
    return fields


class Packer:
    """Bodies into bytes, each with the number of its dictionary; PLAIN and SEALED have none."""

    def __init__(self, cipher: Cipher | None = None) -> None:
        self._cipher = cipher
        self._samples: list[bytes] | None = []
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)
        self.dictionary = PLAIN if cipher is None else SEALED

    def use(self, number: int, data: bytes) -> None:
        """Compress with this dictionary from now on."""
        learnt = zstandard.ZstdCompressionDict(data)
        learnt.precompute_compress(level=LEVEL)
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=learnt)
        self.dictionary = number
        self._samples = None

    def pack(self, wide: Wide) -> bytes:
        raw = _encode(wide)
        if self._samples is not None and len(self._samples) < SAMPLES:
            self._samples.append(raw[:SAMPLE_BYTES])
        data = self._compressor.compress(raw)
        return data if self._cipher is None else self._cipher.encrypt(data)

    def seal_text(self, text: str) -> str | bytes:
        """A short text as it is stored."""
        return text if self._cipher is None else self._cipher.encrypt(text.encode())

    def learn(self) -> bytes | None:
        """A new dictionary, once, when enough has been packed; None until then, and where nothing is common.

        With a cipher there is none: a dictionary holds pieces of the texts.
        """
        if self._samples is None or len(self._samples) < SAMPLES:
            return None
        samples: Any = self._samples
        self._samples = None
        if self._cipher is not None:
            return None
        try:
            return zstandard.train_dictionary(DICTIONARY_BYTES, samples).as_bytes()
        except zstandard.ZstdError:
            return None


class Opener:
    """Bytes back into bodies; `dictionary` fetches one by number."""

    def __init__(self, dictionary: Callable[[int], bytes], cipher: Cipher | None = None) -> None:
        self._fetch = dictionary
        self._cipher = cipher
        plain = zstandard.ZstdDecompressor()
        self._known: dict[int, zstandard.ZstdDecompressor] = {PLAIN: plain, SEALED: plain}

    def open(self, dictionary: int, data: bytes) -> Wide:
        """Raises StateError where it is encrypted and there is no cipher, or damaged."""
        known = self._known.get(dictionary)
        if known is None:
            learnt = zstandard.ZstdCompressionDict(self._fetch(dictionary))
            known = self._known[dictionary] = zstandard.ZstdDecompressor(dict_data=learnt)
        if dictionary == SEALED:
            if self._cipher is None:
                raise StateError("A stored payload is encrypted; give Noria its encryption key.")
            data = self._cipher.decrypt(data)
        try:
            return _decode(known.decompress(data))
        except (zstandard.ZstdError, msgspec.DecodeError, ValueError) as error:
            raise StateError(f"A stored payload is damaged ({error}); restore a backup.") from None

    def open_text(self, data: str | bytes | None) -> str:
        if data is None or isinstance(data, str):
            return data or ""
        return self._cipher.decrypt(data).decode() if self._cipher else ""
