"""The mock's Gemini generateContent, as on the Gemini API and on Vertex AI."""

from __future__ import annotations

from noria.testing.answer import Ask, Frame, Json, Said, Tool, count_tokens, tokens
from noria.testing.frames import data_frame

_STOPS = {"stop": "STOP", "sequence": "STOP", "length": "MAX_TOKENS", "calls": "STOP", "refusal": "SAFETY"}
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
SIGNATURE = "bW9jaw=="


class GeminiWire:
    name, prefix, media = "gemini", "", "text/event-stream"

    def ask(self, body: Json, model: str, *, stream: bool) -> Ask:
        config = body.get("generationConfig") or {}
        calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
        names = calling.get("allowedFunctionNames") or ["*"]
        is_json = config.get("responseMimeType") == "application/json"
        return Ask(
            model=model,
            stream=stream,
            input=count_tokens([body.get("systemInstruction"), body.get("contents"), body.get("tools")]),
            limit=config.get("maxOutputTokens"),
            choices=config.get("candidateCount") or 1,
            tools=tuple(
                Tool(one["name"], one.get("parametersJsonSchema") or _lower(one.get("parameters") or {}))
                for group in body.get("tools") or ()
                for one in group.get("functionDeclarations") or ()
            ),
            force=names[0] if calling.get("mode") == "ANY" else "",
            schema=(config.get("responseJsonSchema") or _lower(config.get("responseSchema") or {}))
            if is_json
            else None,
            stops=tuple(config.get("stopSequences") or ()),
            logprobs=config.get("logprobs") or 0 if config.get("responseLogprobs") else -1,
            body=body,
        )

    def whole(self, ask: Ask, said: Said) -> Json:
        parts: list[Json] = []
        if said.reasoning:
            parts.append({"text": "".join(said.reasoning), "thought": True})
        if said.text:
            parts.append({"text": said.text})
        parts += _calls(said)
        return self._chunk(ask, said, parts, last=True)

    def frames(self, ask: Ask, said: Said) -> list[Frame]:
        found = [
            data_frame(self._chunk(ask, said, [{"text": one, "thought": True}]), tokens=1)
            for one in said.reasoning
        ]
        found += [
            data_frame(self._chunk(ask, said, [{"text": one}]), tokens=len(tokens(one)))
            for one in said.pieces
        ]
        if said.calls:
            found.append(data_frame(self._chunk(ask, said, _calls(said)), tokens=len(said.calls)))
        found.append(data_frame(self._chunk(ask, said, [{"text": ""}], last=True)))
        return found

    def error(self, status: int, message: str) -> Json:
        return {"error": {"code": status, "message": message, "status": _STATUSES.get(status, "UNKNOWN")}}

    def error_frame(self, status: int, message: str) -> bytes:
        return data_frame(self.error(status, message)).data

    def _chunk(self, ask: Ask, said: Said, parts: list[Json], *, last: bool = False) -> Json:
        candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
        if last:
            candidate["finishReason"] = said.finish or _STOPS[said.stop]
        chunk: Json = {
            "candidates": [candidate | {"index": index} for index in range(ask.choices)],
            "modelVersion": ask.model,
            "responseId": said.id,
        }
        if said.usage:
            chunk["usageMetadata"] = _usage(said, whole=last)
        return chunk


def _usage(said: Said, *, whole: bool) -> Json:
    """Gemini counts thoughts beside `candidatesTokenCount`; only the last chunk has all."""
    found: Json = {"promptTokenCount": said.input, "totalTokenCount": said.input}
    if said.cached:
        found["cachedContentTokenCount"] = said.cached
    if whole:
        found["candidatesTokenCount"] = said.output - said.reasoned
        if said.reasoned:
            found["thoughtsTokenCount"] = said.reasoned
        found["totalTokenCount"] += said.output
    return found


def _calls(said: Said) -> list[Json]:
    return [
        {
            "functionCall": {"id": call.id, "name": call.name, "args": call.arguments},
            "thoughtSignature": SIGNATURE,
        }
        for call in said.calls
    ]


def _lower(schema: Json) -> Json:
    """JSON Schema of a Gemini Schema, whose types are in capitals."""
    found: Json = {}
    for name, value in schema.items():
        if name == "type" and isinstance(value, str):
            found[name] = value.lower()
        elif name == "properties":
            found[name] = {key: _lower(one) for key, one in value.items()}
        elif name == "items":
            found[name] = _lower(value)
        elif name == "anyOf":
            found[name] = [_lower(one) for one in value]
        else:
            found[name] = value
    return found
