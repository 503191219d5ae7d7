"""Log-probabilities in the form of OpenAI's older completions: parallel lists, offsets in characters."""

from __future__ import annotations

import codecs
from typing import Any

import msgspec

Body = dict[str, Any]


class Token(msgspec.Struct, frozen=True):
    """A token with its bytes; `logprob` is None where nothing came before it, or it was not asked for."""

    id: int
    data: bytes
    logprob: float | None = None
    top: tuple[tuple[bytes, float], ...] = ()

    @classmethod
    def of_piece(cls, number: int, piece: str | list[int]) -> Token:
        """From /tokenize, which gives bytes where they are no text of their own."""
        return cls(number, piece.encode() if isinstance(piece, str) else bytes(piece))


class Scored(msgspec.Struct, frozen=True):
    """A prompt as tokens. `given` is the prompt where it was text."""

    given: str | None
    tokens: list[Token]

    @property
    def text(self) -> str:
        if self.given is not None:
            return self.given
        return b"".join(token.data for token in self.tokens).decode(errors="replace")


def of_item(item: Body, data: bytes) -> Token:
    """From llama-server's report of a token; `data` are its bytes where they are known already.

    (Tokens that stand for no text, such as the end of a turn, are reported without bytes.)
    """
    top = tuple((bytes(one["bytes"]), one["logprob"]) for one in item["top_logprobs"])
    return Token(item["id"], data or bytes(item["bytes"]), item["logprob"], top)


def shown(data: bytes) -> str:
    """A token as text; bytes that are none alone are escaped, as OpenAI does."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in data)


def legacy(tokens: list[Token], alternatives: int, *, offset: int) -> Body:
    """`tokens`, `token_logprobs`, `top_logprobs` and `text_offset`; the first counts from `offset`."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    offsets: list[int] = []
    at = offset
    for token in tokens:
        offsets.append(at)
        at += len(decoder.decode(token.data))
    return {
        "tokens": [shown(token.data) for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [_top(token, alternatives) for token in tokens] if alternatives else None,
        "text_offset": offsets,
    }


def _top(token: Token, alternatives: int) -> dict[str, float] | None:
    """The best alternatives, and the token itself where it is not among them."""
    if token.logprob is None:
        return None
    best: dict[str, float] = {}
    for data, logprob in token.top[:alternatives]:
        best.setdefault(shown(data), logprob)
    best.setdefault(shown(token.data), token.logprob)
    return best
