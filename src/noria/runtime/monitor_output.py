"""A recorded call as what a scorer judges."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from noria.core.messages import Response
from noria.core.usage import Usage
from noria.errors import InvalidRequest, UpstreamError
from noria.gateway.dialects.anthropic import AnthropicBack
from noria.gateway.dialects.openai import OpenAIBack
from noria.monitoring.score import Outcome
from noria.runtime.span_examples import example_of
from noria.scoring.scorer import Output
from noria.tracing.store import SpanDetail

GENERATES = ("chat", "text_completion", "completion", "generate_content", "responses")
"""Operations whose answer is a text."""
_BACKS = {"openai": OpenAIBack(), "anthropic": AnthropicBack()}


class Unjudged(msgspec.Struct, frozen=True):
    """Why a call has nothing to judge."""

    state: Outcome
    reason: str


def output_of(trace: str, span: SpanDetail) -> Output | Unjudged:
    """The call without the reference that `example_of` would make of its answer."""
    if span.status == "error" or (span.http_status is not None and span.http_status >= 400):
        return Unjudged("no_answer", f"The call failed ({span.error_kind or span.http_status or 'error'}).")
    if not span.confirmed:
        return Unjudged("no_answer", "The call was cut off, so its answer is not known.")
    if not span.input or not span.output:
        lacking = "What came out" if span.input else "What went in"
        return Unjudged("no_payload", f"{lacking} was not recorded; see `capture` of the route and the key.")
    try:
        example = example_of(trace, span)
    except InvalidRequest as error:
        return Unjudged("no_payload", error.message)
    said: Any = example.expected
    if said is None:
        return Unjudged("no_answer", "What came out cannot be read as an answer.")
    text = said if isinstance(said, str) else str(said.get("content") or "") if isinstance(said, dict) else ""
    return Output(
        example=msgspec.structs.replace(example, expected=None),
        text=text,
        response=_response(span),
        data=None if isinstance(said, str) else said,
        latency=span.duration_ms / 1000,
        usage=_usage(span),
        cost=None if span.cost is None else Decimal(span.cost),
        trace=trace,
    )


def _response(span: SpanDetail) -> Response | None:
    """The whole answer, where its dialect keeps one."""
    back = _BACKS.get(str(span.attributes.get("noria.dialect", "")))
    if back is None or not span.output:
        return None
    try:
        found = back.response(span.output.encode())
    except UpstreamError:
        return None
    return found if found.choices else None


def _usage(span: SpanDetail) -> Usage | None:
    if span.input_tokens is None or span.output_tokens is None:
        return None
    return Usage(
        input=span.input_tokens,
        output=span.output_tokens,
        cached=span.cached_tokens or 0,
        reasoning=span.reasoning_tokens or 0,
        provenance="estimated" if span.usage == "estimated" else "reported",
    )
