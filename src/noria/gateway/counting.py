"""How many tokens a request is, as its provider counts them."""

from __future__ import annotations

from time import monotonic
from typing import Protocol, runtime_checkable

from noria.core import messages
from noria.errors import Unsupported
from noria.gateway.ask import encode
from noria.gateway.call import CallState
from noria.gateway.compiled import Candidate
from noria.gateway.dialects.dialect import Options, Prepared
from noria.gateway.heads import beneath, request_head
from noria.gateway.splice import spliced
from noria.gateway.transport import Transport

COUNTS = {b"/v1/messages/count_tokens": "anthropic", b"/v1/responses/input_tokens": "responses"}
"""The front that POST to a path speaks."""


@runtime_checkable
class Counts(Protocol):
    """A back whose provider counts tokens (`dialect.CountsTokens`)."""

    def count_request(self, request: messages.Request, *, model: str, options: Options) -> Prepared: ...

    def count_response(self, body: bytes) -> int: ...


async def count_tokens(call: CallState, candidate: Candidate, transport: Transport) -> bytes:
    """The answer's body. Raises Unsupported where the provider cannot count, and UpstreamError."""
    endpoint = candidate.endpoint
    back = endpoint.back
    itself = call.front.name == "responses" and back.passes("responses", endpoint.provider.options)
    if itself:
        prepared = _passed(call, candidate)
    elif isinstance(back, Counts):
        prepared = back.count_request(
            call.request, model=endpoint.model.upstream, options=endpoint.provider.options
        )
    else:
        raise Unsupported(
            f"Provider {endpoint.provider.name!r} has no call that counts tokens.", param="model"
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
    if itself:
        return body
    assert isinstance(back, Counts)
    counted = {"input_tokens": back.count_response(body)}
    return encode(
        {"object": "response.input_tokens", **counted} if call.front.name == "responses" else counted
    )


def _passed(call: CallState, candidate: Candidate) -> Prepared:
    endpoint = candidate.endpoint
    model, options = endpoint.model.upstream, endpoint.provider.options
    path = endpoint.back.path("responses", model=model, stream=False, options=options)
    return Prepared(
        path=beneath(path, "/input_tokens"),
        body=spliced(call.fields, model=model, add_usage=False),
        headers=endpoint.back.headers("responses", options=options),
    )
