"""Embeddings at a provider whose dialect for them is another than the caller's."""

from __future__ import annotations

from noria.core.usage import Usage
from noria.gateway.call import CallState
from noria.gateway.compiled import Candidate
from noria.gateway.dialects.dialect import Prepared
from noria.gateway.dialects.embeddings import EmbeddingsFront

_front = EmbeddingsFront()


def embedding_request(call: CallState, candidate: Candidate) -> Prepared:
    """The upstream request. Raises InvalidRequest and Unsupported."""
    endpoint = candidate.endpoint
    return endpoint.back.embeddings(
        _front.decode(call.body), model=endpoint.model.upstream, options=endpoint.provider.options
    )


def embedding_answer(call: CallState, candidate: Candidate, body: bytes) -> tuple[bytes, Usage | None]:
    """The caller's answer from the upstream's, and what it reports of usage. Raises UpstreamError."""
    endpoint = candidate.endpoint
    response = endpoint.back.embeddings_response(body, model=endpoint.model.upstream)
    usage = response.usage if response.usage.provenance == "reported" else None
    return _front.encode(response, _front.decode(call.body)), usage
