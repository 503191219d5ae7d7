"""The mock's OpenAI completions, with `echo` and log-probabilities."""

from __future__ import annotations

from noria.testing.answer import Ask, Frame, Json, Said, count_tokens, logprob, tokens
from noria.testing.frames import data_frame
from noria.testing.wire_chat import FINGERPRINT, error_body, usage


class CompletionsWire:
    name, prefix, media = "completions", "cmpl-", "text/event-stream"

    def ask(self, body: Json, model: str, *, stream: bool) -> Ask:
        stops = body.get("stop") or ()
        alternatives = body.get("logprobs")
        limit = body.get("max_tokens")
        prompts = _prompts(body)
        return Ask(
            model=body.get("model", model),
            stream=bool(body.get("stream")),
            input=sum(count_tokens(one) for one in prompts),
            limit=16 if limit is None else limit,
            choices=(body.get("n") or 1) * len(prompts),
            stops=(stops,) if isinstance(stops, str) else tuple(stops),
            logprobs=-1 if alternatives is None else alternatives,
            usage_in_stream=bool((body.get("stream_options") or {}).get("include_usage")),
            body=body,
        )

    def whole(self, ask: Ask, said: Said) -> Json:
        prompts = _prompts(ask.body)
        each = ask.choices // len(prompts)
        only_prompt = ask.body.get("echo") and ask.body.get("max_tokens") == 0
        choices: list[Json] = []
        for index in range(ask.choices):
            prompt = _text(prompts[index // each]) if ask.body.get("echo") else ""
            text = prompt + ("" if only_prompt else said.text)
            choices.append(
                {
                    "index": index,
                    "text": text,
                    "logprobs": _logprobs(ask, text, from_start=bool(prompt) and not said.strict),
                    "finish_reason": said.finish
                    or ("length" if said.stop == "length" or only_prompt else "stop"),
                }
            )
        return {**self._base(ask, said), "choices": choices, **({"usage": usage(said)} if said.usage else {})}

    def frames(self, ask: Ask, said: Said) -> list[Frame]:
        base = self._base(ask, said)
        if ask.usage_in_stream and said.usage:
            base["usage"] = None
        found: list[Frame] = []
        for index in range(ask.choices):
            for piece in said.pieces:
                choice: Json = {
                    "index": index,
                    "text": piece,
                    "logprobs": _logprobs(ask, piece, from_start=False),
                    "finish_reason": None,
                }
                found.append(data_frame({**base, "choices": [choice]}, tokens=len(tokens(piece))))
            finish = said.finish or ("length" if said.stop == "length" else "stop")
            last = {"index": index, "text": "", "logprobs": None, "finish_reason": finish}
            found.append(data_frame({**base, "choices": [last]}))
        if ask.usage_in_stream and said.usage:
            found.append(data_frame({**base, "choices": [], "usage": usage(said)}))
        found.append(Frame(b"data: [DONE]\n\n"))
        return found

    def error(self, status: int, message: str) -> Json:
        return error_body(status, message)

    def error_frame(self, status: int, message: str) -> bytes:
        return data_frame(error_body(status, message)).data

    def _base(self, ask: Ask, said: Said) -> Json:
        return {
            "id": self.prefix + said.id,
            "object": "text_completion",
            "created": said.created,
            "model": ask.model,
            "system_fingerprint": FINGERPRINT,
        }


def _prompts(body: Json) -> list[str | list[int]]:
    given = body.get("prompt")
    if isinstance(given, list) and given and not isinstance(given[0], int):
        return given
    return [given or ""]


def _text(prompt: str | list[int]) -> str:
    return prompt if isinstance(prompt, str) else " ".join(f"<{number}>" for number in prompt)


def _logprobs(ask: Ask, text: str, *, from_start: bool) -> Json | None:
    if ask.logprobs < 0:
        return None
    pieces = tokens(text)
    values: list[float | None] = [logprob(piece) for piece in pieces]
    tops: list[dict[str, float] | None] = [
        {piece: logprob(piece), **{f"{piece}~{n}": logprob(piece) - n for n in range(1, ask.logprobs)}}
        for piece in pieces
    ]
    if from_start and values:
        values[0] = tops[0] = None  # Nothing comes before the first token.
    offsets = [sum(map(len, pieces[:index])) for index in range(len(pieces))]
    return {"tokens": pieces, "token_logprobs": values, "top_logprobs": tops, "text_offset": offsets}
