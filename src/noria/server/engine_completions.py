"""/v1/completions of an engine, in the form that lm-eval and older clients read.

llama-server ignores `echo`, counts only the last of several prompts, and gives log-probabilities in the chat
form. Prompts are scored by making the model say them: a grammar of token literals leaves it no choice, and
the log-probabilities that it reports are those of the free model.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import aclosing
from time import time
from typing import Any

import msgspec

from noria.errors import InvalidRequest, RequestError
from noria.runtime.engine import Llama
from noria.server import engine_gather, engine_sampling
from noria.server.engine_chat import MOST_CHOICES, merged, reseeded, summed
from noria.server.engine_front import SSE, Body, Names, answer, asked, flag, whole
from noria.server.engine_logprobs import Scored, Token, legacy, of_item
from noria.server.protocol import HttpExchange

PATH = "/v1/completions"
MOST_LOGPROBS = 100
DEFAULT_TOKENS = 16
"""OpenAI's default of max_tokens on this endpoint."""
_FORCE = 1e4
"""A logit bias that no logit outweighs."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A request, checked. `logprobs` is how many alternatives are wanted; None: no log-probabilities."""

    prompts: list[str | list[int]]
    choices: int
    tokens: int
    echo: bool
    logprobs: int | None
    stream: bool
    usage: bool
    base: Body
    """What goes to llama-server for each choice, but for its prompt."""


class Completions:
    """Completions by one loaded model."""

    def __init__(self, llama: Llama, names: Names) -> None:
        self._llama = llama
        self._names = names

    async def serve(self, exchange: HttpExchange) -> None:
        wish = self._wish(asked(exchange))
        echoes = [await self._score(prompt, wish) for prompt in wish.prompts] if wish.echo else None
        await (self._stream if wish.stream else self._whole)(exchange, wish, echoes)

    def _wish(self, body: Body) -> Wish:
        lora = self._names.lora(body)
        choices = whole(body, "n", 1, least=1, most=MOST_CHOICES)
        if whole(body, "best_of", choices, least=1, most=MOST_CHOICES) != choices:
            raise InvalidRequest("best_of is not offered beyond n; ask for n and choose.", param="best_of")
        if body.get("suffix"):
            raise InvalidRequest("suffix is not offered by this engine.", param="suffix")
        echo = flag(body, "echo")
        tokens = whole(body, "max_tokens", DEFAULT_TOKENS, least=0, most=2**31 - 1)
        logprobs = body.get("logprobs")
        if isinstance(logprobs, bool):
            logprobs = 1 if logprobs else None
        if logprobs is not None:
            logprobs = whole(body, "logprobs", 0, least=0, most=MOST_LOGPROBS)
        stream = flag(body, "stream")
        base = engine_sampling.only(body, engine_sampling.SAMPLING - {"logprobs"})
        base |= {"lora": lora, "max_tokens": tokens}
        if logprobs is not None:
            base["logprobs"] = max(logprobs, 1)
        options = body.get("stream_options")
        usage = isinstance(options, dict) and bool(options.get("include_usage"))
        return Wish(
            prompts=_prompts(body.get("prompt"), self._llama.vocabulary),
            choices=choices,
            tokens=tokens,
            echo=echo,
            logprobs=logprobs,
            stream=stream,
            usage=usage,
            base=base,
        )

    async def _score(self, prompt: str | list[int], wish: Wish) -> Scored:
        """The prompt's tokens, with log-probabilities where they are wanted."""
        if isinstance(prompt, str):
            request = {"content": prompt, "add_special": True, "parse_special": True, "with_pieces": True}
            found = (await self._llama.post("/tokenize", request))["tokens"]
            pieces = [Token.of_piece(one["id"], one["piece"]) for one in found]
        else:
            pieces = [Token(number, b"") for number in prompt]
        if len(pieces) > self._llama.context:
            raise InvalidRequest(
                f"The prompt has {len(pieces)} tokens and the model can take {self._llama.context}; "
                "shorten it.",
                code="context_length_exceeded",
                param="prompt",
            )
        if wish.logprobs is None and isinstance(prompt, str):
            return Scored(prompt, pieces)
        ids = [piece.id for piece in pieces]
        if not isinstance(prompt, str):
            first = (await self._llama.post("/detokenize", {"tokens": ids[:1]}))["content"]
            pieces[0] = Token(ids[0], first.encode())
        known = 1
        while known < len(ids):
            end = known
            while end < len(ids) and ids[end] not in self._llama.end_tokens:
                end += 1
            # A grammar cannot hold a token that ends the text, so that one is forced alone.
            end = max(end, known + 1)
            items = await self._forced(ids[:known], ids[known:end], wish)
            for at, item in enumerate(items, known):
                pieces[at] = of_item(item, pieces[at].data)
            known = end
        return Scored(prompt if isinstance(prompt, str) else None, pieces)

    async def _forced(self, before: list[int], said: list[int], wish: Wish) -> list[Body]:
        """What llama-server reports when it is made to say `said` after `before`."""
        request: Body = {
            "prompt": before,
            "n_predict": len(said),
            "n_probs": max(wish.logprobs or 1, 1),
            "temperature": 0,
            "return_tokens": True,
            "lora": wish.base["lora"],
        }
        if said[0] in self._llama.end_tokens:
            request["logit_bias"] = [[said[0], _FORCE]]
        else:
            request["grammar"] = "root ::= " + " ".join(f"<[{number}]>" for number in said)
        items = await engine_gather.probabilities(self._llama, request)
        if [item["id"] for item in items] != said:
            raise RequestError("The engine could not be made to repeat the prompt, so it has no score.")
        return items

    async def _whole(self, exchange: HttpExchange, wish: Wish, echoes: list[Scored] | None) -> None:
        made = await asyncio.gather(
            *(self._one(prompt, wish, number) for prompt in wish.prompts for number in range(wish.choices))
        )
        choices: list[Body] = []
        for index, (choice, _) in enumerate(made):
            echo = echoes[index // wish.choices] if echoes else None
            choices.append({"index": index, **_choice(choice, echo, wish)})
        usages = [usage for _, usage in made]
        usage = summed(usages[:: wish.choices], prompts=len(wish.prompts))
        usage["completion_tokens"] = sum(one["completion_tokens"] for one in usages)
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
        answer(exchange, {**self._head(), "choices": choices, "usage": usage})

    async def _one(self, prompt: str | list[int], wish: Wish, number: int) -> tuple[Body, Body]:
        """A choice and its usage."""
        if wish.tokens == 0:
            return {"text": "", "logprobs": None, "finish_reason": "length"}, await self._no_tokens(prompt)
        body = {**reseeded(wish.base, number), "prompt": prompt}
        return await engine_gather.completion(self._llama, body)

    async def _no_tokens(self, prompt: str | list[int]) -> Body:
        """The usage of a request that generates nothing."""
        if isinstance(prompt, list):
            return {"prompt_tokens": len(prompt), "completion_tokens": 0}
        request = {"content": prompt, "add_special": True, "parse_special": True}
        found = await self._llama.post("/tokenize", request)
        return {"prompt_tokens": len(found["tokens"]), "completion_tokens": 0}

    async def _stream(self, exchange: HttpExchange, wish: Wish, echoes: list[Scored] | None) -> None:
        head = self._head()
        if echoes:
            exchange.start(200, SSE)
            for index in range(len(wish.prompts) * wish.choices):
                echo = echoes[index // wish.choices]
                nothing: Body = {
                    "text": "",
                    "logprobs": None,
                    "finish_reason": None if wish.tokens else "length",
                }
                _write(exchange, {**head, "choices": [{"index": index, **_choice(nothing, echo, wish)}]})
        usages: dict[int, Body] = {}
        offsets = [len(echo.text) for echo in echoes or () for _ in range(wish.choices)]
        base = {**wish.base, "stream": True, "stream_options": {"include_usage": True}}
        bodies = [
            {**reseeded(base, number), "prompt": prompt}
            for prompt in wish.prompts
            for number in range(wish.choices)
        ]
        if wish.tokens == 0:
            usages = dict(enumerate([await self._no_tokens(prompt) for prompt in wish.prompts]))
            bodies = []
        async with aclosing(merged([self._llama.events(PATH, body) for body in bodies])) as events:
            async for index, event in events:
                if not exchange.started:
                    exchange.start(200, SSE)
                if event.get("usage"):
                    usages[index] = event["usage"]
                for choice in event.get("choices", ()):
                    at = offsets[index] if offsets else 0
                    rendered = _choice(choice, None, wish, offset=at)
                    if offsets:
                        offsets[index] += len(rendered["text"])
                    _write(exchange, {**head, "choices": [{"index": index, **rendered}]})
                if exchange.congested:
                    await exchange.drain()
        if not exchange.started:
            exchange.start(200, SSE)
        if wish.usage:
            ordered = [usages[index] for index in sorted(usages)]
            step = wish.choices if wish.tokens else 1
            usage = summed(ordered[::step], prompts=len(wish.prompts))
            usage["completion_tokens"] = sum(one["completion_tokens"] for one in ordered)
            usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
            _write(exchange, {**head, "choices": [], "usage": usage})
        exchange.finish(b"data: [DONE]\n\n")

    def _head(self) -> Body:
        return {
            "id": "cmpl-" + secrets.token_hex(12),
            "object": "text_completion",
            "created": int(time()),
            "model": self._llama.model,
        }


def _write(exchange: HttpExchange, chunk: Body) -> None:
    exchange.write(b"data: " + msgspec.json.encode(chunk) + b"\n\n")


def _choice(choice: Body, echo: Scored | None, wish: Wish, *, offset: int = 0) -> Body:
    """llama-server's choice in OpenAI's older form, after the echoed prompt."""
    text = (echo.text if echo else "") + choice["text"]
    logprobs = None
    if wish.logprobs is not None:
        items = (choice.get("logprobs") or {}).get("content") or ()
        tokens = [*(echo.tokens if echo else ()), *(of_item(item, b"") for item in items)]
        logprobs = legacy(tokens, wish.logprobs, offset=offset) if tokens else None
    return {"text": text, "logprobs": logprobs, "finish_reason": choice["finish_reason"]}


def _prompts(given: Any, vocabulary: int) -> list[str | list[int]]:
    """One prompt or several, each text or token ids."""
    several = isinstance(given, list) and bool(given) and not isinstance(given[0], int)
    prompts: list[str | list[int]] = given if several else [given]
    for prompt in prompts:
        if not isinstance(prompt, str) and not (
            isinstance(prompt, list)
            and all(isinstance(one, int) and not isinstance(one, bool) for one in prompt)
        ):
            raise InvalidRequest(
                "prompt must be text, a list of token ids, or a list of these.", param="prompt"
            )
        if not prompt:
            raise InvalidRequest("A prompt must not be empty.", param="prompt")
        if not isinstance(prompt, str) and not all(0 <= one < vocabulary for one in prompt):
            raise InvalidRequest(f"Token ids must be from 0 to {vocabulary - 1}.", param="prompt")
    return prompts
