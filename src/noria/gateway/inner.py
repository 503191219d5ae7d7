"""A call that the gateway makes to itself on behalf of another: an exchange without a socket."""

from __future__ import annotations

import msgspec

from noria.errors import Unavailable


class InnerExchange:
    """gateway.exchange.Exchange, whose answer is kept."""

    def __init__(self, path: bytes, body: object, headers: dict[bytes, bytes]) -> None:
        self.method = b"POST"
        self.path = path
        self.query = b""
        self.headers = headers
        self.body = msgspec.json.encode(body)
        self.peer = ""
        self.status = 0
        self.answer = b""

    @property
    def congested(self) -> bool:
        return False

    def respond(self, status: int, headers: bytes, body: bytes) -> None:
        self.status, self.answer = status, body

    def start(self, status: int, headers: bytes) -> None:
        self.status = status

    def write(self, data: bytes) -> None:
        self.answer += data

    def finish(self, data: bytes = b"") -> None:
        self.answer += data

    def abort(self) -> None:
        self.status = 0

    async def drain(self) -> None:
        return


class _Error(msgspec.Struct, frozen=True):
    message: str = ""


class _Refused(msgspec.Struct):
    error: _Error = _Error()


class _Vector(msgspec.Struct):
    embedding: list[float]


class _Vectors(msgspec.Struct):
    data: list[_Vector]


_refused = msgspec.json.Decoder(_Refused)
_vectors = msgspec.json.Decoder(_Vectors)


def error_message(body: bytes) -> str:
    """The sentence of an error answer."""
    try:
        return _refused.decode(body).error.message or "no reason was given"
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "no reason was given"


def first_vector(body: bytes) -> list[float]:
    """Of an answer of /v1/embeddings. Raises Unavailable where there is none."""
    try:
        data = _vectors.decode(body).data
    except (msgspec.DecodeError, UnicodeDecodeError):
        data = []
    if not data:
        raise Unavailable("The embedding model gave no vector.")
    return data[0].embedding
