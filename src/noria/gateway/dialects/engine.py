"""The back "engine": the local engine of `server.engine`, OpenAI's dialect with a count of tokens."""

from __future__ import annotations

import msgspec

from noria.core import messages
from noria.errors import UpstreamError
from noria.gateway.dialects.dialect import Options, Prepared
from noria.gateway.dialects.openai import OpenAIBack


class _Counted(msgspec.Struct):
    input_tokens: int


_counted = msgspec.json.Decoder(_Counted)


class EngineBack(OpenAIBack):
    """dialect.Back and dialect.CountsTokens."""

    name = "engine"

    def count_request(self, request: messages.Request, *, model: str, options: Options) -> Prepared:
        prepared = self.request(request, model=model, options=options)
        return Prepared(path="/chat/completions/count", body=prepared.body, headers=prepared.headers)

    def count_response(self, body: bytes) -> int:
        try:
            return _counted.decode(body).input_tokens
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise UpstreamError("The engine's count is not what it should be.", kind="server") from None
