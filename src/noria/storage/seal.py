"""Encryption at rest of what noria.db holds of people's words: examples, answers, reviews, feedback.

Every sealed value says that it is one, so that rows written before the switch was turned on or off are read
as they are. Numbers, names, ids and digests stay plain: they are searched, counted and compared.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import msgspec

from noria.errors import ConfigError
from noria.tracing.store import Cipher

_BYTES = b"\xc1noria:sealed:"
"""No body begins so: neither JSON, nor zstd, nor msgpack, of which 0xc1 is the byte that is never used."""
_TEXT = "noria:sealed:"
_PLAIN = "noria:plain:"
"""Before a plain text that would be taken for a sealed one."""


class Seal:
    """Seals where that is wanted, and opens what is sealed in any case."""

    def __init__(self, cipher: Cipher | None = None, *, wanted: bool = False) -> None:
        """Raises ConfigError where sealing is wanted and there is no key."""
        if wanted and cipher is None:
            raise ConfigError("Payloads are to be encrypted and there is no key; set NORIA_ENCRYPTION_KEY.")
        self._cipher = cipher
        self._sealing = cipher if wanted else None

    @property
    def wanted(self) -> bool:
        return self._sealing is not None

    def bytes(self, data: bytes) -> bytes:
        return data if self._sealing is None else _BYTES + self._sealing.encrypt(data)

    def opened(self, data: bytes) -> bytes:
        """Raises ConfigError where the key is missing."""
        return self._decrypted(data[len(_BYTES) :]) if data.startswith(_BYTES) else data

    def text(self, text: str) -> str:
        """ "" stays "": that there is nothing is no secret."""
        if self._sealing is None or not text:
            return _PLAIN + text if text.startswith((_TEXT, _PLAIN)) else text
        return _TEXT + b64encode(self._sealing.encrypt(text.encode("utf-8", "surrogatepass"))).decode()

    def opened_text(self, text: str) -> str:
        """Raises ConfigError where the key is missing."""
        if text.startswith(_TEXT):
            return self._decrypted(b64decode(text[len(_TEXT) :])).decode("utf-8", "surrogatepass")
        return text.removeprefix(_PLAIN)

    def json(self, value: Any) -> Any:
        """A JSON value: itself, or a text instead of it; None stays None."""
        if self._sealing is None or value is None:
            return self.text(value) if isinstance(value, str) else value
        return _TEXT + b64encode(self._sealing.encrypt(msgspec.json.encode(value))).decode()

    def opened_json(self, value: Any) -> Any:
        """Raises ConfigError where the key is missing."""
        if isinstance(value, str):
            if value.startswith(_TEXT):
                return msgspec.json.decode(self._decrypted(b64decode(value[len(_TEXT) :])))
            return value.removeprefix(_PLAIN)
        return value

    def _decrypted(self, data: bytes) -> bytes:
        if self._cipher is None:
            raise ConfigError(
                "What is stored here is encrypted and there is no key; set NORIA_ENCRYPTION_KEY to it."
            )
        return self._cipher.decrypt(data)


PLAIN = Seal()
