"""A judge that compares the answer with a rival's, asked in both orders."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

from noria.scoring.calls import ENVIRONMENT, Calls
from noria.scoring.factory import Unscorable, factory
from noria.scoring.judge.asking import TOKENS, Asking, Heard, version_of
from noria.scoring.judge.reading import verdict
from noria.scoring.judge.scale import Scale, object_schema
from noria.scoring.reference import question, references, text_of
from noria.scoring.scorer import Described, Output, Score, Scorer, Value

_NAME = "judge.pairwise"
_SCALE = Scale(categories=("A", "B", "tie"))
_POINTS = {"own": 1.0, "rival": 0.0, "tie": 0.5}


def _described(*, model: str, prompt: str = "", **rest: object) -> Sequence[Described]:
    version = version_of("pairwise", prompt, model)
    return (
        Described(name=_NAME, version=version),
        Described(name=f"{_NAME}.consistent", kind="share", version=version),
    )


@factory(by=_described)
def pairwise(
    *,
    model: str,
    criterion: str = "helpful, correct, relevant and as detailed as the question needs",
    against: str = "",
    prompt: str = "",
    temperature: float | None = 0.0,
    max_tokens: int = TOKENS,
    calls: Calls = ENVIRONMENT,
) -> Scorer:
    """1 where the answer is better in both orders, 0 where it is worse in both, else a tie: 0.5.

    The rival is the example's first reference, or the text in its metadata under `against`. `consistent`
    says whether both orders agree: where they do not, the judge's preference was for a place.
    """
    asking = Asking(
        "pairwise", prompt=prompt, model=model, calls=calls, temperature=temperature, max_tokens=max_tokens
    )
    schema = object_schema(reason={"type": "string"}, verdict=_SCALE.schema())
    form = f'{{"reason": "one or two sentences", "verdict": {_SCALE.form()}}}'

    async def hear(output: Output, first: str, second: str) -> Heard[tuple[Value, str]]:
        variables: dict[str, object] = {
            "question": question(output.example),
            "first": first,
            "second": second,
            "criterion": criterion,
            "form": form,
        }
        return await asking.hear(variables, schema, lambda text: verdict(text, _SCALE))

    async def score(output: Output) -> Sequence[Score]:
        rival = _rival(output, against)
        ahead, behind = await asyncio.gather(
            hear(output, output.text, rival), hear(output, rival, output.text)
        )
        for heard in (ahead, behind):
            if heard.found is None:
                return (heard.nonsense(_NAME), heard.nonsense(f"{_NAME}.consistent"))
        assert ahead.found is not None and behind.found is not None, "looked at above"
        one, two = _winner(ahead.found[0], own="A"), _winner(behind.found[0], own="B")
        consistent = one == two
        winner = one if consistent else "tie"
        cost = None if ahead.cost is None or behind.cost is None else ahead.cost + behind.cost
        details = {"winner": winner, "orders": [str(ahead.found[0]), str(behind.found[0])]}
        reason = ahead.found[1] if consistent else "the verdict changed with the order"
        return (
            Score(
                name=_NAME,
                value=_POINTS[winner],
                reason=reason,
                details={**details, "traces": [ahead.trace, behind.trace]},
                trace=ahead.trace,
                cost=cost,
            ),
            Score(name=f"{_NAME}.consistent", value=consistent, details=details),
        )

    return score


def _rival(output: Output, against: str) -> str:
    if not against:
        return references(output.example)[0]
    found = output.example.metadata.get(against)
    if found is None:
        raise Unscorable(f"Example {output.example.id} has no {against!r} in its metadata to compare with.")
    return text_of(found)


def _winner(verdict: Value, *, own: Literal["A", "B"]) -> Literal["own", "rival", "tie"]:
    if verdict == "tie":
        return "tie"
    return "own" if verdict == own else "rival"
