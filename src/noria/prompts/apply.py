"""A prompt carried out, without I/O: which calls are to be made, and what the answers come to.

    work = carry_out(prompt, variables)
    ask = next(work)
    while True:
        ask = work.send([the texts that were answered])      # StopIteration.value is the Outcome

Whoever has a model drives it: the SDK, an evaluation. So every technique means the same everywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import msgspec

from noria.core.example import Example
from noria.errors import InvalidRequest
from noria.prompts.compiled import FORMAT, CompiledPrompt, Turn, turns
from noria.prompts.pool import Pool, text_of
from noria.prompts.render import render
from noria.prompts.technique import Reasoning, Shot
from noria.prompts.variables import completed

Messages = list[dict[str, str]]
"""In OpenAI's form."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One question; it wants `n` independent answers."""

    messages: Messages
    parameters: dict[str, Any] = {}
    """Keys of a chat completion."""
    n: int = 1
    step: str = ""
    """Name of the step; "": the prompt itself."""


class Rank(msgspec.Struct, frozen=True, kw_only=True):
    """Texts to be scored with `scorer` (a ScorerSpec): the reply is a number for each."""

    texts: tuple[str, ...]
    scorer: dict[str, Any]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a prompt came to."""

    text: str
    """The answer that was taken, as the model said it."""
    answer: str
    """Without the reasoning before it."""
    samples: tuple[str, ...]
    """All answers to the last question, in order."""
    share: float = 1.0
    """majority: how much of the samples agreed."""
    steps: dict[str, str] = {}
    """What each step answered."""


Work = Generator[Ask | Rank, Sequence[Any], Outcome]
"""Send texts for an Ask, numbers for a Rank."""


def carry_out(
    prompt: CompiledPrompt, variables: Mapping[str, Any], *, shots: Sequence[Shot] | None = None
) -> Work:
    """`shots` as in `turns`. Raises InvalidRequest for variables and templates."""
    known = completed(prompt.variables, variables)  # Before anything is paid for.
    steps: dict[str, str] = {}
    for step in prompt.steps:
        text = render(step.program, {**known, **steps})
        said = yield Ask(
            messages=[{"role": "user", "content": text}], parameters=prompt.parameters, step=step.name
        )
        steps[step.name] = str(said[0])
    found = with_steps(prompt, known, steps, shots=shots)
    samples = prompt.technique.samples
    count = 1 if samples is None else samples.n
    parameters = dict(prompt.parameters)
    if samples is not None:
        parameters.setdefault("temperature", samples.temperature)
    if prompt.tools:
        parameters["tools"] = list(prompt.tools)
    if prompt.response_format is not None:
        parameters["response_format"] = prompt.response_format
    said = yield Ask(messages=as_messages(found), parameters=parameters, n=count)
    return (yield from settled(prompt, tuple(map(str, said)), steps))


def settled(prompt: CompiledPrompt, texts: tuple[str, ...], steps: Mapping[str, str]) -> Work:
    """What several answers come to."""
    if not texts:
        raise InvalidRequest("A prompt cannot come to anything without an answer.")
    reasoning, samples = prompt.technique.reasoning, prompt.technique.samples
    answers = [answer_of(text, reasoning) for text in texts]
    place, share = 0, 1.0
    if samples is not None and samples.choose == "majority":
        place, share = majority(answers)
    elif samples is not None:
        scores = yield Rank(texts=texts, scorer=samples.scorer)
        place = max(range(len(texts)), key=lambda index: float(scores[index]))
    return Outcome(text=texts[place], answer=answers[place], samples=texts, share=share, steps=dict(steps))


def with_steps(
    prompt: CompiledPrompt,
    variables: Mapping[str, Any],
    steps: Mapping[str, str],
    *,
    shots: Sequence[Shot] | None,
) -> list[Turn]:
    """The prompt's messages, whose templates see what the steps answered."""
    if not steps:
        return turns(prompt, variables, shots=shots)
    # The steps' answers are no variables of the caller's, and so of no schema.
    schema = {
        **prompt.variables,
        "properties": {**prompt.variables.get("properties", {}), **dict.fromkeys(steps, True)},
    }
    return turns(
        msgspec.structs.replace(prompt, variables=schema if prompt.variables else {}),
        {**variables, **steps},
        shots=shots,
    )


def answer_of(text: str, reasoning: Reasoning | None) -> str:
    """What follows the last mark of chain of thought; the whole text where there is none."""
    if reasoning is None:
        return text.strip()
    mark = reasoning.answer.strip()
    parts = re.split(re.escape(mark), text, flags=re.IGNORECASE)
    if len(parts) == 1:
        return text.strip()
    return parts[-1].strip().strip("*").strip()


def majority(answers: Sequence[str]) -> tuple[int, float]:
    """(place of the first of the answers that most agree, their share); case and white space do not count.

    Source: Wang et al. 2022, "Self-Consistency Improves Chain of Thought Reasoning", section 2.
    """
    alike = [" ".join(one.casefold().split()).rstrip(".") for one in answers]
    counts = Counter(alike)
    most = max(counts.values())
    place = next(index for index, one in enumerate(alike) if counts[one] == most)
    return place, most / len(answers)


def as_messages(found: Sequence[Turn]) -> Messages:
    return [{"role": one.role, "content": one.text} for one in found]


def messages_for(
    prompt: CompiledPrompt, variables: Mapping[str, Any], *, examples: Sequence[Example] | None = None
) -> Messages:
    """The messages of the prompt itself; `examples` instead of those that it shows."""
    shots = None if examples is None else [shot_of(one) for one in examples]
    return as_messages(turns(prompt, variables, shots=shots))


def shot_of(example: Example) -> Shot:
    """Raises InvalidRequest where no answer is known; of several good ones the first is shown."""
    expected = example.expected
    if isinstance(expected, list) and expected:
        expected = expected[0]
    if expected is None:
        raise InvalidRequest(f"The example {example.id} has no expected answer to show.", param="technique")
    answer = expected if isinstance(expected, str) else msgspec.json.encode(expected).decode()
    return Shot(input=example.input, answer=answer)


class Chooser:
    """Chooses a call's examples from a pool as the gateway does: embed `text`, then `shots`."""

    def __init__(self, prompt: CompiledPrompt, pool: Pool) -> None:
        assert prompt.technique.examples is not None, "only examples have a pool"
        self._shots = prompt.technique.examples
        self._pool = pool
        self.model = self._shots.embedder

    def text(self, variables: Mapping[str, Any]) -> str:
        return text_of(self._shots, variables)

    def shots(self, vector: Sequence[float]) -> list[Shot]:
        return self._pool.choose(vector, self._shots)


class Applied:
    """What the SDK does with a prompt that it was sent; found as the hook `sdk.prompt`."""

    def __init__(self, body: bytes) -> None:
        """Raises InvalidRequest where this version does not understand it."""
        try:
            self.prompt = _compiled.decode(body)
        except msgspec.DecodeError as error:
            raise InvalidRequest(f"The prompt is not understood ({error}); install a newer Noria.") from None
        if self.prompt.format != FORMAT:
            raise InvalidRequest("The prompt was made by another version of Noria; install that one.")
        self.name = self.prompt.name
        self.number = self.prompt.number
        self.digest = self.prompt.digest
        self.model = self.prompt.model
        self.pool = self.prompt.pool

    def render(self, variables: Mapping[str, Any]) -> Messages:
        return as_messages(turns(self.prompt, variables))

    def carry_out(self, variables: Mapping[str, Any]) -> Work:
        return carry_out(self.prompt, variables)

    def settled(self, texts: Sequence[str]) -> Work:
        return settled(self.prompt, tuple(texts), {})


_compiled = msgspec.json.Decoder(CompiledPrompt)
