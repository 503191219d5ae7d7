"""Calls that are paid for once, though the program that makes them dies and is run again."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

HEADER = "x-noria-idempotency-key"


class _Scope(msgspec.Struct):
    name: str
    calls: dict[bytes, int] = {}
    """How many times each request has been made within."""


_scope: ContextVar[_Scope | None] = ContextVar("noria_once", default=None)


@contextmanager
def once(name: str) -> Generator[None]:
    """Whoever does again what was done within under this name is given the first answers.

    The name must be that of the work (a run, an example, a repeat), and the same requests must come in it.
    The key of a call is made of the name, the request, and how many equal ones came before it, so that the
    samples of one question are told apart. Streamed calls have no key.
    """
    token = _scope.set(_Scope(name))
    try:
        yield
    finally:
        _scope.reset(token)


def key_of(path: str, body: bytes) -> str:
    """The idempotency key of a request that is made here and now; "" outside of `once`."""
    scope = _scope.get()
    if scope is None:
        return ""
    request = hashlib.sha256(path.encode() + b"\0" + body).digest()
    before = scope.calls.get(request, 0)
    scope.calls[request] = before + 1
    made = hashlib.sha256(f"{scope.name}\0{before}\0".encode() + request).hexdigest()
    return f"once-{made}"
