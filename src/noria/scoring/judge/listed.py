"""Judges that look at each statement, or each passage, by itself: the RAG triad and its recall.

The measures are those of RAGAS (Es et al., 2024) as one call each: statements and verdicts are asked for
together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from noria.scoring.calls import ENVIRONMENT, Calls
from noria.scoring.factory import Unscorable, factory
from noria.scoring.judge.asking import TOKENS, Asking, version_of
from noria.scoring.judge.reading import listed
from noria.scoring.judge.scale import object_schema
from noria.scoring.reference import question, references, text_of
from noria.scoring.scorer import Described, Output, Score, Scorer

_SCHEMA = object_schema(
    items={
        "type": "array",
        "items": object_schema(
            item={"type": "string"},
            reason={"type": "string"},
            verdict={"type": "string", "enum": ["yes", "no"]},
        ),
    }
)
_FORM = '{"items": [{"item": "the statement", "reason": "a few words", "verdict": "yes" or "no"}, …]}'
_PASSAGES = (
    '{"items": [{"item": "number of the passage", "reason": "a few words", "verdict": "yes" or "no"}, …]}'
)
Verdicts = Sequence[bool]


def _described(kind: str) -> Callable[..., Sequence[Described]]:
    def describe(*, model: str, prompt: str = "", **rest: object) -> Sequence[Described]:
        return (Described(name=f"judge.{kind}", version=version_of(kind, prompt, model)),)

    return describe


@factory(by=_described("faithfulness"))
def faithfulness(
    *,
    model: str,
    prompt: str = "",
    temperature: float | None = 0.0,
    max_tokens: int = TOKENS,
    calls: Calls = ENVIRONMENT,
) -> Scorer:
    """Share of the answer's statements that the context supports."""
    asking = Asking(
        "faithfulness",
        prompt=prompt,
        model=model,
        calls=calls,
        temperature=temperature,
        max_tokens=max_tokens,
    )
    return _scorer("judge.faithfulness", asking, _share, context=True)


@factory(by=_described("answer_relevance"))
def answer_relevance(
    *,
    model: str,
    prompt: str = "",
    temperature: float | None = 0.0,
    max_tokens: int = TOKENS,
    calls: Calls = ENVIRONMENT,
) -> Scorer:
    """Share of the answer's statements that help to answer the question."""
    asking = Asking(
        "answer_relevance",
        prompt=prompt,
        model=model,
        calls=calls,
        temperature=temperature,
        max_tokens=max_tokens,
    )
    return _scorer("judge.answer_relevance", asking, _share)


@factory(by=_described("context_recall"))
def context_recall(
    *,
    model: str,
    prompt: str = "",
    temperature: float | None = 0.0,
    max_tokens: int = TOKENS,
    calls: Calls = ENVIRONMENT,
) -> Scorer:
    """Share of the reference's statements that the context supports."""
    asking = Asking(
        "context_recall",
        prompt=prompt,
        model=model,
        calls=calls,
        temperature=temperature,
        max_tokens=max_tokens,
    )
    return _scorer("judge.context_recall", asking, _share, context=True, reference=True)


@factory(by=_described("context_precision"))
def context_precision(
    *,
    model: str,
    prompt: str = "",
    temperature: float | None = 0.0,
    max_tokens: int = TOKENS,
    calls: Calls = ENVIRONMENT,
) -> Scorer:
    """Mean precision at each passage that is useful for the reference answer: those should come first."""
    asking = Asking(
        "context_precision",
        prompt=prompt,
        model=model,
        calls=calls,
        temperature=temperature,
        max_tokens=max_tokens,
    )
    return _scorer(
        "judge.context_precision", asking, average_precision, context=True, reference=True, passages=True
    )


def average_precision(useful: Verdicts) -> float:
    """Mean of precision at k over the useful places k; 0 where none is useful."""
    hits, total = 0, 0.0
    for place, good in enumerate(useful, 1):
        if good:
            hits += 1
            total += hits / place
    return total / hits if hits else 0.0


def context_of(output: Output) -> Sequence[str]:
    """What was retrieved, or what the example's metadata has as "context". Raises Unscorable."""
    own = output.example.metadata.get("context")
    found = output.context or tuple(
        text_of(one) for one in (own if isinstance(own, list) else [own] if own else [])
    )
    if not found:
        raise Unscorable("There is no context: neither was any retrieved nor has the example's metadata one.")
    return found


def _share(verdicts: Verdicts) -> float:
    return sum(verdicts) / len(verdicts)


def _scorer(
    name: str,
    asking: Asking,
    value: Callable[[Verdicts], float],
    *,
    context: bool = False,
    reference: bool = False,
    passages: bool = False,
) -> Scorer:
    async def score(output: Output) -> Sequence[Score]:
        variables: dict[str, object] = {"question": question(output.example), "answer": output.text}
        variables["form"] = _PASSAGES if passages else _FORM
        found = context_of(output) if context else ()
        if context:
            variables["context"] = "\n\n".join(f"[{place}] {text}" for place, text in enumerate(found, 1))
        if reference:
            variables["reference"] = references(output.example)[0]

        def read(text: str) -> list[tuple[str, bool, str]] | None:
            items = listed(text)
            # A verdict on each passage, or nothing: a missing one would shift the others' places.
            return None if items is not None and passages and len(items) != len(found) else items

        heard = await asking.hear(variables, _SCHEMA, read)
        if heard.found is None:
            return (heard.nonsense(name),)
        if not heard.found:
            failed = "The judge found no statement to look at."
            return (Score(name=name, failed=failed, trace=heard.trace, cost=heard.cost),)
        lacking = [f"{item}: {reason}" for item, good, reason in heard.found if not good]
        items = [{"item": item, "verdict": good, "reason": reason} for item, good, reason in heard.found]
        verdicts = [good for _, good, _ in heard.found]
        return (heard.score(name, value(verdicts), reason="; ".join(lacking)[:500], items=items),)

    return score
