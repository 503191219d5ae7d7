"""A prompt and a model that is asked with it: what all judges have in common."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

from noria.core.messages import Message, Request, ResponseFormat, Text
from noria.errors import ConfigError, InvalidRequest, Unsupported
from noria.models.protocols import ChatModel
from noria.scoring.calls import Asked, Calls, JudgePrompt, ask
from noria.scoring.judge.prompt import built_in
from noria.scoring.scorer import Score, Value

T = TypeVar("T")
TOKENS = 1024
"""For one answer; a model that thinks before it answers needs more."""
_AGAIN = "That was not in the form asked for. Answer once more, with the JSON object alone."
_SHOWN = 200


class Heard(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What came of asking: `found`, or None where both answers were nonsense."""

    found: T | None
    said: str
    trace: str
    cost: Decimal | None
    asked: int

    def score(self, name: str, value: Value, *, reason: str = "", **details: Any) -> Score:
        return Score(name=name, value=value, reason=reason, details=details, trace=self.trace, cost=self.cost)

    def nonsense(self, name: str) -> Score:
        words = " ".join(self.said.split())[:_SHOWN]
        said = f"answered {self.asked} times what cannot be understood, last {words!r}"
        return Score(name=name, failed=f"The judge {said}.", trace=self.trace, cost=self.cost)


class Asking:
    """Asks for JSON by schema; a target that refuses schemas is asked in words alone from then on."""

    def __init__(
        self,
        kind: str,
        *,
        prompt: str,
        model: str,
        calls: Calls,
        temperature: float | None,
        max_tokens: int,
    ) -> None:
        """`prompt` names one of the project's; "": Noria's own of this kind."""
        self.prompt = prompt_of(kind, prompt, calls)
        self._model = model
        self._calls = calls
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._chat: ChatModel | None = None
        self._plain = False

    async def hear(
        self, variables: dict[str, object], schema: dict[str, Any], read: Callable[[str], T | None]
    ) -> Heard[T]:
        """Asks once more on nonsense. Raises RequestError where the call itself fails."""
        conversation = self.prompt.messages(variables)
        first = await self._ask(conversation, schema)
        found = read(first.text)
        if found is not None:
            return Heard(found=found, said=first.text, trace=first.trace, cost=first.cost, asked=1)
        told = Message(role="assistant", parts=(Text(text=first.text or "(nothing)"),))
        again = Message(role="user", parts=(Text(text=_AGAIN),))
        second = await self._ask((*conversation, told, again), schema)
        # Where one of both costs is unknown, so is their sum.
        cost = None if first.cost is None or second.cost is None else first.cost + second.cost
        return Heard(found=read(second.text), said=second.text, trace=second.trace, cost=cost, asked=2)

    async def _ask(self, conversation: tuple[Message, ...], schema: dict[str, Any]) -> Asked:
        if self._chat is None:
            self._chat = self._calls.model()
        request = Request(
            model=self._model,
            messages=conversation,
            temperature=self._temperature,
            max_tokens=self._max_tokens,
        )
        if self._plain:
            return await ask(self._chat, request)
        form = ResponseFormat(
            type="json_schema", name="verdict", schema=msgspec.Raw(msgspec.json.encode(schema)), strict=True
        )
        try:
            return await ask(self._chat, msgspec.structs.replace(request, response_format=form))
        except (Unsupported, InvalidRequest):
            # Tried in words alone, so that what is wrong with the request itself is still raised.
            asked = await ask(self._chat, request)
            self._plain = True
            return asked


def prompt_of(kind: str, prompt: str, calls: Calls) -> JudgePrompt:
    """The project's prompt of that name, or Noria's own for this kind of judge. Raises ConfigError."""
    if not prompt:
        return built_in(kind)
    if calls.prompt is None:
        raise ConfigError(f"The prompt {prompt!r} is a project's, and this program reads no prompts.")
    return calls.prompt(prompt)


def version_of(kind: str, prompt: str, model: str) -> str:
    """Changes with what the judge is asked with."""
    return f"{prompt or built_in(kind).digest}:{model}"
