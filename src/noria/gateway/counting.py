"""How many tokens a request is, as its provider counts them (POST /v1/messages/count_tokens)."""

from __future__ import annotations

from time import monotonic
from typing import Protocol, runtime_checkable

from noria.core import messages
from noria.errors import Unsupported
from noria.gateway.ask import encode
from noria.gateway.call import CallState
from noria.gateway.compiled import Candidate
from noria.gateway.dialects.dialect import Options, Prepared
from noria.gateway.heads import request_head
from noria.gateway.transport import Transport


@runtime_checkable
class Counts(Protocol):
    """A back whose provider counts tokens (`dialect.CountsTokens`)."""

    def count_request(self, request: messages.Request, *, model: str, options: Options) -> Prepared: ...

    def count_response(self, body: bytes) -> int: ...


async def count_tokens(call: CallState, candidate: Candidate, transport: Transport) -> bytes:
    """The answer's body. Raises Unsupported where the provider cannot count, and UpstreamError."""
    endpoint = candidate.endpoint
    back = endpoint.back
    if not isinstance(back, Counts):
        raise Unsupported(
            f"Provider {endpoint.provider.name!r} has no call that counts tokens.", param="model"
        )
    prepared = back.count_request(
        call.request, model=endpoint.model.upstream, options=endpoint.provider.options
    )
    head = await request_head(endpoint, prepared.path, prepared.headers, prepared.body)
    timeouts = candidate.timeouts
    answer = await transport.send(
        endpoint.origin,
        head,
        prepared.body,
        connect=timeouts.connect,
        first=timeouts.first_token,
        total_at=monotonic() + (timeouts.total or 60.0),
    )
    body = await answer.read()
    answer.release()
    if answer.status != 200:
        raise back.error(answer.status, body, retry_after=None)
    return encode({"input_tokens": back.count_response(body)})
