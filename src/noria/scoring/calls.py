"""What scorers that ask a model are given to ask it with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

import msgspec

from noria.client import AsyncNoria
from noria.core.messages import Message, Request, Response, Text
from noria.models.protocols import ChatModel, Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TokenEncoder(Protocol):
    """Texts as one vector a token, for BERTScore."""

    def tokens(self, texts: Sequence[str]) -> Sequence[NDArray[np.float32]]:
        """States [tokens, width] of each text, in order; first and last are the special tokens'."""
        ...


class JudgePrompt(Protocol):
    """A prompt version that a judge asks with."""

    @property
    def digest(self) -> str: ...

    def messages(self, variables: dict[str, object]) -> tuple[Message, ...]:
        """Raises `errors.UserError` where a variable is missing."""
        ...


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """None: the Noria that the environment names, through `noria.client`."""

    chat: ChatModel | None = None
    embedder: Embedder | None = None
    encoder: Callable[[str], TokenEncoder] | None = None
    """A token encoder by the name of its weights."""
    prompt: Callable[[str], JudgePrompt] | None = None
    """A prompt of the project, by `name`, `name@label` or `name@number`."""

    def model(self) -> ChatModel:
        return self.chat or AsyncNoria()

    def embeds(self) -> Embedder:
        return self.embedder or AsyncNoria()


ENVIRONMENT = Calls()
"""Whatever NORIA_BASE_URL and NORIA_API_KEY name."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a model said to a scorer."""

    text: str
    response: Response
    trace: str = ""
    cost: Decimal | None = None


async def ask(model: ChatModel, request: Request) -> Asked:
    """One call; its trace and cost are known where the model is a Noria. Raises RequestError."""
    if isinstance(model, AsyncNoria):
        answer = await model.answer(request)
        return Asked(
            text=answer.text, response=answer.response, trace=answer.receipt.trace, cost=answer.receipt.cost
        )
    response = await model.respond(request)
    parts = response.choices[0].message.parts
    return Asked(text="".join(part.text for part in parts if isinstance(part, Text)), response=response)
