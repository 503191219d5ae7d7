"""What a dialect is: pure translation between its wire form and `core.messages`, without I/O.

A *front* is a dialect that callers speak: "openai" (chat completions), "completions", "embeddings",
"responses", "anthropic" (messages). A *back* is one that providers speak, found through the hook
`back.<dialect>`: "openai", "azure", "anthropic", "gemini", "vertex", "bedrock", or a plugin's. Where the back
`passes` the front, the caller's body goes upstream as it is, with the model's name spliced in; elsewhere the
request is decoded by the front, encoded by the back, and the answer comes back the same way.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from noria.core import messages
from noria.core.usage import Usage
from noria.errors import RequestError, UpstreamError

Options = dict[str, str]
"""`Provider.options`: what the dialect needs beside the URL ("api_version", "region", "project", …)."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream request. `path` starts with "/" and follows the base URL; it may have a query."""

    path: str
    body: bytes
    headers: dict[str, str] = {}
    """The dialect's own headers, beside the provider's; few distinct values, since heads are kept."""


class StreamDecoder(Protocol):
    """Upstream bytes in, events out; any split of the bytes gives the same events."""

    def feed(self, data: bytes) -> list[messages.StreamEvent]:
        """Raises UpstreamError(kind="server") for what is not the dialect."""
        ...

    def close(self) -> list[messages.StreamEvent]:
        """The body has ended; the last events, where the dialect has no end marker of its own."""
        ...


class StreamEncoder(Protocol):
    """Events in, the caller's frames out, as bytes that are ready to be written."""

    def encode(self, event: messages.StreamEvent) -> bytes: ...


class Front(Protocol):
    """A dialect that callers speak (not "embeddings", see `embeddings.py`)."""

    name: str
    operation: str
    """gen_ai.operation.name: "chat", "text_completion", "embeddings" or "generate_content"."""

    def request(self, body: bytes) -> messages.Request:
        """Raises InvalidRequest, with `param`, for what the dialect does not allow."""
        ...

    def response(self, response: messages.Response, request: messages.Request) -> bytes: ...

    def encoder(self, request: messages.Request) -> StreamEncoder: ...

    def error(self, error: RequestError) -> bytes:
        """The body of an error answer, in the form that the dialect's SDK understands."""
        ...

    def stream_error(self, error: RequestError) -> bytes:
        """The frame that ends a committed stream which failed."""
        ...


class Back(Protocol):
    """A dialect that providers speak. `model` is the name that the provider knows."""

    name: str

    def passes(self, front: str, options: Options) -> bool:
        """Whether bodies of this front can go upstream as they are."""
        ...

    def path(self, front: str, *, model: str, stream: bool, options: Options) -> str:
        """The request target of a body that is passed through."""
        ...

    def headers(self, front: str, *, options: Options) -> dict[str, str]:
        """The headers of a body that is passed through."""
        ...

    def request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        """Raises Unsupported, with `param`, for what the dialect cannot express."""
        ...

    def response(self, body: bytes) -> messages.Response:
        """Raises UpstreamError(kind="server") for what is not the dialect."""
        ...

    def decoder(self) -> StreamDecoder: ...

    def embeddings(self, request: messages.EmbeddingsRequest, *, model: str, options: Options) -> Prepared:
        """Raises Unsupported where the dialect has no embeddings."""
        ...

    def embeddings_response(self, body: bytes, *, model: str) -> messages.EmbeddingsResponse: ...

    def error(self, status: int, body: bytes, *, retry_after: float | None) -> UpstreamError:
        """A failed answer as an UpstreamError of the right kind, with the upstream's own sentence."""
        ...


class CountsTokens(Protocol):
    """A back whose provider counts the tokens of a request."""

    def count_request(self, request: messages.Request, *, model: str, options: Options) -> Prepared: ...

    def count_response(self, body: bytes) -> int: ...


class UsageOf(Protocol):
    """`usage.usage_of(front, body)` and `usage.usage_of_tail(front, data)`: usage without a whole decode."""

    def __call__(self, front: str, data: bytes) -> Usage | None: ...
