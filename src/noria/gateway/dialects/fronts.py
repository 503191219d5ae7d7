"""The dialects that callers speak, and where."""

from __future__ import annotations

from noria.gateway.dialects.anthropic import AnthropicFront
from noria.gateway.dialects.completions import CompletionsFront
from noria.gateway.dialects.dialect import Front
from noria.gateway.dialects.embeddings import EmbeddingsFront
from noria.gateway.dialects.openai import OpenAIFront
from noria.gateway.dialects.responses import ResponsesFront

_ALL: tuple[Front, ...] = (
    OpenAIFront(),
    CompletionsFront(),
    EmbeddingsFront(),
    ResponsesFront(),
    AnthropicFront(),
)
FRONTS: dict[str, Front] = {front.name: front for front in _ALL}
"""By name."""

PATHS: dict[bytes, str] = {
    b"/v1/chat/completions": "openai",
    b"/v1/completions": "completions",
    b"/v1/embeddings": "embeddings",
    b"/v1/responses": "responses",
    b"/v1/responses/compact": "responses",
    b"/v1/messages": "anthropic",
}
"""The front that POST to a path speaks."""
