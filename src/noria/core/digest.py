"""Content addresses: `sha256:<hex>` over a canonical form."""

from __future__ import annotations

import hashlib

import msgspec

_canonical = msgspec.json.Encoder(order="deterministic")


def digest_bytes(data: bytes) -> str:
    """The content address of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest(value: object) -> str:
    """The content address of a value's deterministic JSON: the same for equal values on every machine."""
    return digest_bytes(_canonical.encode(value))
