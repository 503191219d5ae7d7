"""Prompts by label: fetched, kept for a while, rendered here, and answered.

A copy that is older than its time is fetched anew; where Noria cannot be reached, the old one serves on.
"""

from __future__ import annotations

import threading
import time
from asyncio import gather
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from functools import cache
from typing import Any, Protocol, runtime_checkable
from urllib.parse import quote

import msgspec

from noria import hooks
from noria.client.about import NOTHING, current
from noria.client.answer import Answer
from noria.core.messages import Text
from noria.errors import InvalidRequest, RequestError, Unreachable, Unsupported

MAX_AGE = 60.0
"""Seconds for which a fetched prompt is used without asking again."""
FETCH_TIMEOUT = 5.0
"""Seconds after which a Noria that hangs is not waited for any longer: an old copy may be there."""
RETRY = 5.0
"""Seconds for which an old copy serves before Noria is asked again."""
_LATER = (408, 429)
"""Refusals that say nothing about the prompt."""
Score = Callable[[str], float]


@runtime_checkable
class Rank(Protocol):
    """Texts to be ranked, as `prompts.apply.Rank`."""

    @property
    def texts(self) -> tuple[str, ...]: ...


class Outcome(Protocol):
    """What a prompt came to."""

    @property
    def text(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def samples(self) -> tuple[str, ...]: ...
    @property
    def share(self) -> float: ...
    @property
    def steps(self) -> dict[str, str]: ...


Work = Generator[Any, Sequence[Any], Outcome]


class Applied(Protocol):
    """What `prompts.apply.Applied` does, which a client finds as the hook `sdk.prompt`."""

    name: str
    number: int
    digest: str
    model: str
    pool: str

    def render(self, variables: Mapping[str, Any]) -> list[dict[str, str]]: ...
    def carry_out(self, variables: Mapping[str, Any]) -> Work: ...
    def settled(self, texts: Sequence[str]) -> Work: ...


class Said(msgspec.Struct, frozen=True):
    """What a prompt was answered. `answers` are those of all calls, in order."""

    outcome: Outcome
    answers: tuple[Answer, ...]

    @property
    def text(self) -> str:
        """The answer that was taken, as the model said it."""
        return self.outcome.text

    @property
    def answer(self) -> str:
        """Without the reasoning before it."""
        return self.outcome.answer


class _Fetched(msgspec.Struct, frozen=True):
    label: str
    prompt: msgspec.Raw


_fetched = msgspec.json.Decoder(_Fetched)


@cache
def _applied() -> Callable[[bytes], Applied]:
    return hooks.load("sdk", "prompt")


class Version:
    """One version of a prompt, as fetched."""

    def __init__(self, kept: Kept) -> None:
        self._applied = kept.applied
        self.label = kept.label
        self.stale = kept.stale
        """Noria could not be asked whether the label has moved."""
        self.name = self._applied.name
        self.number = self._applied.number
        self.digest = self._applied.digest
        self.model = self._applied.model

    def __repr__(self) -> str:
        return f"<prompt {self.name}@{self.number}{' stale' if self.stale else ''}>"

    def render(self, **variables: Any) -> list[dict[str, str]]:
        """The messages, in OpenAI's form. Raises InvalidRequest, naming the variable that is wrong.

        Raises Unsupported where the examples are chosen for each call, which the gateway does in `chat`.
        """
        if self._applied.pool:
            raise Unsupported(
                f"The examples of {self.name}@{self.number} are chosen by the gateway for each call; use "
                "chat()."
            )
        return self._applied.render(variables)

    def _model(self, given: str) -> str:
        if not (given or self.model):
            raise InvalidRequest(f"The prompt {self.name!r} names no model; give `model`.", param="model")
        return given or self.model

    def _rendered(self) -> dict[str, Any]:
        """What the gateway is told of messages that were rendered here."""
        made = {"name": self.name, "number": self.number, "digest": self.digest, "label": self.label}
        return {**_about(), "rendered": made}

    def _named(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """What the gateway is told to render it itself."""
        return {
            **_about(),
            "prompt": f"{self.name}@{self.label or self.number}",
            "variables": dict(variables),
        }


class Prompt(Version):
    """For plain code; made by `Noria.prompt`."""

    def __init__(self, kept: Kept, chat: Callable[..., Answer]) -> None:
        super().__init__(kept)
        self._chat = chat

    def chat(
        self,
        variables: Mapping[str, Any] | None = None,
        *,
        messages: Sequence[Mapping[str, Any]] = (),
        model: str = "",
        score: Score | None = None,
        **options: Any,
    ) -> Said:
        """Answer it, with as many calls as its technique takes.

        `messages` follow the prompt's own, `options` win over its parameters; `score` ranks the answers of a
        prompt that takes the best of several.
        """
        model, given = self._model(model), variables or {}
        answers: list[Answer] = []
        if self._applied.pool:
            answers.append(self._chat(model, messages, noria=self._named(given), **options))
            work = self._applied.settled(texts_of(answers[0]))
        else:
            work = self._applied.carry_out(given)
        try:
            step = next(work)
            while True:
                said = reply(step, score)
                if said is None:
                    asked = [*step.messages, *messages] if not step.step else step.messages
                    more = {**step.parameters, **options, "noria": self._rendered()}
                    found = [self._chat(model, asked, **more) for _ in range(step.n)]
                    answers += found
                    said = [one.text for one in found]
                step = work.send(said)
        except StopIteration as end:
            return Said(end.value, tuple(answers))


class AsyncPrompt(Version):
    """As Prompt, with `await`; several answers to one question are asked for at once."""

    def __init__(self, kept: Kept, chat: Callable[..., Awaitable[Answer]]) -> None:
        super().__init__(kept)
        self._chat = chat

    async def chat(
        self,
        variables: Mapping[str, Any] | None = None,
        *,
        messages: Sequence[Mapping[str, Any]] = (),
        model: str = "",
        score: Score | None = None,
        **options: Any,
    ) -> Said:
        """As Prompt.chat."""
        model, given = self._model(model), variables or {}
        answers: list[Answer] = []
        if self._applied.pool:
            answers.append(await self._chat(model, messages, noria=self._named(given), **options))
            work = self._applied.settled(texts_of(answers[0]))
        else:
            work = self._applied.carry_out(given)
        try:
            step = next(work)
            while True:
                said = reply(step, score)
                if said is None:
                    asked = [*step.messages, *messages] if not step.step else step.messages
                    more = {**step.parameters, **options, "noria": self._rendered()}
                    found = await gather(*(self._chat(model, asked, **more) for _ in range(step.n)))
                    answers += found
                    said = [one.text for one in found]
                step = work.send(said)
        except StopIteration as end:
            return Said(end.value, tuple(answers))


def _about() -> dict[str, Any]:
    said = current()
    return {} if said == NOTHING else msgspec.to_builtins(said)


class Kept(msgspec.Struct, frozen=True):
    """A version as it was fetched, and when (of the monotonic clock)."""

    applied: Applied
    label: str
    at: float
    stale_at: float | None = None
    """When Noria could last not be asked whether there is a newer one."""

    @property
    def stale(self) -> bool:
        return self.stale_at is not None


class PromptCache:
    """Fetched versions of one client, by path."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._lock = threading.Lock()

    def fresh(self, path: str, max_age: float) -> Kept | None:
        """What may serve without asking: a young copy, or an old one while Noria has just not answered."""
        with self._lock:
            found = self._kept.get(path)
        if found is None:
            return None
        age, most = (found.at, max_age) if found.stale_at is None else (found.stale_at, min(RETRY, max_age))
        return found if time.monotonic() - age <= most else None

    def keep(self, path: str, body: bytes) -> Kept:
        found = _fetched.decode(body) if path.startswith("/v1/") else _Fetched("", msgspec.Raw(body))
        kept = Kept(_applied()(bytes(found.prompt)), found.label, time.monotonic())
        with self._lock:
            self._kept[path] = kept
        return kept

    def instead(self, path: str, error: RequestError | Unreachable) -> Kept:
        """The old copy, where Noria does not answer or cannot now; else forgets it and raises `error`."""
        with self._lock:
            if isinstance(error, RequestError) and error.status < 500 and error.status not in _LATER:
                self._kept.pop(path, None)  # It is served no more, or no more to this key.
            found = self._kept.get(path)
            if found is None:
                raise error
            old = self._kept[path] = msgspec.structs.replace(found, stale_at=time.monotonic())
        return old


def path_of(name: str, *, label: str, version: int | None, project: str) -> str:
    """By label from the gateway; by number from the API, which has those without a label too."""
    if version is None:
        return f"/v1/prompts/{quote(f'{name}@{label}', safe='@')}"
    return (
        f"/api/prompts/{quote(name, safe='')}/versions/{version}/compiled?project={quote(project, safe='')}"
    )


def reply(step: Any, score: Score | None) -> Sequence[float] | None:
    """Numbers for texts that are to be ranked; None: `step` is a question for the model."""
    if not isinstance(step, Rank):
        return None
    if score is None:
        raise InvalidRequest(
            "This prompt takes the best of several answers; give `score`, a function of a text."
        )
    return [score(text) for text in step.texts]


def texts_of(answer: Answer) -> list[str]:
    """Of all choices."""
    return [
        "".join(part.text for part in choice.message.parts if isinstance(part, Text))
        for choice in answer.response.choices
    ]
