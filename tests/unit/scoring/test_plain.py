"""Scorers that compare texts: what they take for right."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.messages import Choice, Message, Response, TokenLogprob
from noria.core.usage import Usage
from noria.errors import ConfigError
from noria.scoring.factory import whole
from noria.scoring.likelihood import bits_of, perplexity_of
from noria.scoring.numeric import number_in
from noria.scoring.resolve import resolve
from noria.scoring.scorer import Output, Score, ScorerSpec

Make = Callable[..., Output]


async def values(given: Output, type: str, **arguments: Any) -> list[Any]:
    found = await resolve(ScorerSpec(type=type, arguments=arguments))(given)
    return [one.failed or one.value for one in found]


async def test_exact(output: Make) -> None:
    assert await values(output(" Paris\n", "Paris"), "exact") == [True]
    assert await values(output("paris.", "Paris"), "exact") == [False]
    assert await values(
        output("paris.", ["Lyon", "Paris"]), "exact", ignore_case=True, ignore_punctuation=True
    ) == [True]
    assert await values(output("3", 3), "exact") == [True]
    assert await values(output(" a", "a"), "exact", strip=False) == [False]


async def test_contains(output: Make) -> None:
    assert await values(output("It is Paris.", "paris"), "contains") == [True]
    assert await values(output("a b", None), "contains", values=["a", "c"], match="all") == [False]
    assert await values(output("a b", None), "contains", values=["c", "d"], match="none") == [True]


async def test_regex(output: Make) -> None:
    assert await values(output("Answer: B", "B"), "regex", pattern=r"Answer: (\w)", group=1) == [True]
    assert await values(output("Answer: B", "C"), "regex", pattern=r"Answer: (\w)", group=1) == [False]
    assert await values(output("abc"), "regex", pattern="b", match="fullmatch") == [False]
    assert await values(output("abc"), "regex", pattern="x", match="absent") == [True]


async def test_a_pattern_that_never_ends_is_given_up(output: Make) -> None:
    began = time.process_time()
    (found,) = await values(output("a" * 40 + "!"), "regex", pattern="(a|aa)+$", match="fullmatch")
    assert found is False or "took over" in found
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("so it is 1,234.50 dollars", "1234.50"),
        ("from 3 to -4", "-4"),
        ("$18.", "18"),
        ("1e3", "1000"),
        ("it costs 5%", "5"),
        ("She has 7 left.\n#### 12 apples of 40", "12"),
        ("v2 and x3", None),
        ("2,5", "5"),
        ("−3", "-3"),
    ],
)
def test_number_in(text: str, number: str | None) -> None:
    assert number_in(text) == (None if number is None else Decimal(number))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_every_number_is_found_as_it_was_written(number: Decimal) -> None:
    assert number_in(f"The answer is {number:f}.") == number
    assert number_in(f"The answer is {number:,f}") == number


async def test_numeric(output: Make) -> None:
    assert await values(output("about 3.14", "3.14159"), "numeric", tolerance=0.01) == [True]
    assert await values(output("102", 100), "numeric", relative=0.02) == [True]
    assert await values(output("103", 100), "numeric", relative=0.02) == [False]
    assert await values(output("none", 100), "numeric") == [False]
    assert "holds no number" in (await values(output("1", "none"), "numeric"))[0]


async def test_gsm8k_answers_itself(output: Make, data: Path) -> None:
    for line in (data / "gsm8k" / "test.jsonl").read_text().splitlines():
        answer = json.loads(line)["answer"]
        final = answer.rpartition("####")[2].strip()
        assert await values(output(answer, final), "numeric") == [True]
        assert await values(output(f"Let us see. It is ${final}.", answer), "numeric") == [True]


async def test_json_schema(output: Make) -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
    assert await values(output('{"a": 1}'), "json_schema", schema=schema) == [True]
    assert await values(output('{"a": "1"}'), "json_schema", schema=schema) == [False]
    assert await values(output('{"a": NaN}'), "json_schema", schema=schema) == [False]
    assert await values(output("[" * 100_000), "json_schema", schema=schema) == [False]
    fenced = '```json\n{"a": 1}\n```'
    assert await values(output(fenced), "json_schema", schema=schema) == [False]
    assert await values(output(fenced), "json_schema", schema=schema, strict=False) == [True]
    assert await values(output("5", metadata={"schema": {"const": 5}}), "json_schema") == [True]
    assert "no `schema`" in (await values(output("5"), "json_schema"))[0]


async def test_a_schema_elsewhere_is_never_fetched(output: Make) -> None:
    elsewhere = {"$ref": "http://127.0.0.1:9/schema.json"}
    with pytest.raises(ConfigError, match="not present in a registry"):
        await values(output("5"), "json_schema", schema=elsewhere)
    (found,) = await values(output("5", metadata={"schema": elsewhere}), "json_schema")
    assert "The JSON Schema is wrong" in found


async def test_a_schemas_pattern_takes_no_exponential_time(output: Make) -> None:
    begun = time.process_time()
    assert await values(output('"' + "a" * 50_000 + '!"'), "json_schema", schema={"pattern": "^(a+)+$"}) == [
        False
    ]
    assert time.process_time() - begun < 2


async def test_many_names_take_no_quadratic_time(output: Make) -> None:
    text = " and then Alice Smith met Bob Jones 4711 times" * 3_000
    begun = time.process_time()
    found = await values(output(text, metadata={"context": "Nobody met anybody."}), "hallucination")
    assert found == [True, True, True] and time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("value", "words"),
    [(math.nan, "nan"), (math.inf, "inf"), (1e300, "1e+300"), (10**400, "a int"), (None, "no value")],
)
def test_what_cannot_be_averaged_is_no_score(value: Any, words: str) -> None:
    found = whole(Score(name="s", value=value, trace="t", cost=Decimal(1)))
    assert found.value is None and words in found.failed
    assert (found.trace, found.cost) == ("t", Decimal(1)), "the judge's call is still told"
    part = whole(Score(name="s", value=1.0, parts=(1.0, value))) if value is not None else found
    assert part.failed and part.value is None and part.parts == ()


def test_half_a_surrogate_pair_can_be_kept() -> None:
    found = whole(Score(name="s", value="a\ud83d", reason="b\ud83d"))
    assert (found.value, found.reason) == ("a?", "b?")
    assert msgspec.json.encode(found)


async def test_measured(output: Make) -> None:
    usage = Usage(input=3, output=5, provenance="reported")
    whole = output("a bc", latency=0.5, usage=usage, cost=Decimal("0.25"))
    assert await values(whole, "latency") == [0.5]
    assert await values(whole, "tokens") == [3.0, 5.0]
    assert await values(whole, "cost") == [0.25]
    assert await values(whole, "length", most=1) == [4.0, 2.0, False]
    bare = output("a bc")
    for type in ("latency", "tokens", "cost"):
        assert all(isinstance(one, str) and one.endswith(".") for one in await values(bare, type))


async def test_likelihood(output: Make) -> None:
    def said(text: str, *logprobs: float) -> Output:
        tokens = tuple(TokenLogprob(token="x", logprob=one) for one in logprobs)
        choice = Choice(message=Message(role="assistant", parts=()), stop_reason="stop", logprobs=tokens)
        return output(text, response=Response(id="r", model="m", choices=(choice,), usage=Usage()))

    first, second = said("ab", -1.0, -3.0), said("é", -0.5)
    one = await resolve(ScorerSpec(type="perplexity"))(first)
    two = await resolve(ScorerSpec(type="perplexity"))(second)
    assert one[0].value == pytest.approx(7.38905609893065)  # exp 2
    assert perplexity_of([one[0], two[0]]) == pytest.approx(4.4816890703380645)  # exp 1.5
    bits = [(await resolve(ScorerSpec(type="bits_per_byte"))(each))[0] for each in (first, second)]
    assert bits[1].value == pytest.approx(0.5 / 0.6931471805599453 / 2)
    assert bits_of(bits) == pytest.approx(4.5 / 0.6931471805599453 / 4)
    missing: list[Score] = list(await resolve(ScorerSpec(type="perplexity"))(output("a")))
    assert "no log-probabilities" in missing[0].failed
