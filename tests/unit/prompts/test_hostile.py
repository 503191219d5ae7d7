"""Templates and variables that are meant to hang or to fill a worker end at once, in a sentence."""

from __future__ import annotations

import resource
import time
from typing import Any

import msgspec
import pytest

from noria.errors import InvalidRequest
from noria.prompts.compiled import turns
from noria.prompts.diff import diff
from noria.prompts.lint import lint
from noria.prompts.render import render
from noria.prompts.technique import Shot
from noria.prompts.template import compile_template
from noria.prompts.variables import MOST_CHECKS, completed

from .make import content, ready

LONG = "a" * 4_000_000
MOST_SECONDS = 3.0
MOST_BYTES = 600 << 20


def nothing(_: str) -> Any:
    raise AssertionError


def refused(template: str, **variables: Any) -> str:
    """The sentence with which it ends, within time and memory."""
    program = compile_template(template, include=nothing)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    begun = time.process_time()
    with pytest.raises(InvalidRequest) as caught:
        render(program, variables)
    assert time.process_time() - begun < MOST_SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < MOST_BYTES
    assert len(str(caught.value)) < 500
    return str(caught.value)


@pytest.mark.parametrize(
    "template",
    [
        "{{ lines | indent(1000000) }}",
        "{{ lines | indent(long) }}",
        "{% for i in range(9000) %}{% if a < b %}{% endif %}{% endfor %}",
        "{{ ([a, b] * 9000) | sort | length }}",
        "{{ ([a, b] * 9000) | max | length }}",
        "{{ ([a] * 9000) | unique | length }}",
        "{{ ([{'k': a}] * 9000) | sort(attribute='k') | length }}",
        "{{ ([{}] * 9000) | map(attribute=dots, default='') | join }}",
        "{% for one in long %}{% endfor %}",
    ],
)
def test_what_would_fill_a_machine_is_refused_before_it_does(template: str) -> None:
    said = refused(
        template, a=LONG, b=LONG[:-1] + "b", long=LONG, lines="a\n" * 300_000, dots="." * 3_000_000
    )
    assert "more than" in said or "not defined" in said


@pytest.mark.parametrize(
    "template",
    [
        "{{ [{}] | map(attribute='²') | join }}",
        "{{ [{}] | map(attribute='9' * 5000) | join }}",
        "{{ 1e308 | round(5, 'ceil') }}",
        "{{ huge | round(-3, 'floor') }}",
        "{{ huge | tojson }}",
        "{{ [huge] | tojson }}",
        "{{ huge * 1.5 }}",
        "{{ huge | float }}",
        "{{ '1' | int(base=99) }}{{ '1' | int(base='x') }}",
        "{{ 'x' | truncate(5, leeway='a') }}",
        "{{ 'abc' | replace('b', 'c', count=huge) }}{{ missing }}",
        "{{ range(huge) }}",
        "{{ 'x'[huge:] }}{{ missing }}",
        "{{ 'x' * huge }}",
    ],
)
def test_odd_numbers_and_arguments_end_in_a_sentence(template: str) -> None:
    try:
        render(compile_template(template, include=nothing), {"huge": 10**400})
    except InvalidRequest as error:
        assert str(error)


def test_a_prompt_has_one_budget_for_all_that_it_says() -> None:
    slow = "{% for i in range(9000) %}{{ '' }}{% endfor %}{{ q }}"
    prompt = ready(content(*[("user", slow)] * 50))
    with pytest.raises(InvalidRequest, match="steps"):
        turns(prompt, {"q": "x"})
    few = ready(content(("user", slow), technique={"examples": {"given": [{"input": {}, "answer": "a"}]}}))
    with pytest.raises(InvalidRequest, match="steps"):
        turns(few, {"q": "x"}, shots=[Shot(input={"q": "y"}, answer="z")] * 50)


def test_variables_are_checked_within_a_bound() -> None:
    schema = {"properties": {"x": {"items": {"anyOf": [{"const": n} for n in range(1, 50)]}}}}
    begun = time.process_time()
    with pytest.raises(InvalidRequest, match="checks"):
        completed(schema, {"x": [49] * 1_000_000})
    with pytest.raises(InvalidRequest, match="checks"):
        completed({"properties": {"x": {"items": {"enum": list(range(1000))}}}}, {"x": [1] * 5_000})
    assert time.process_time() - begun < MOST_SECONDS
    assert completed(schema, {"x": [1] * (MOST_CHECKS // 60)})
    with pytest.raises(InvalidRequest) as caught:
        completed({"additionalProperties": False}, {"n" * 10_000_000: 1})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "text",
    [
        "{{ " * 60_000,
        "{% if " * 30_000,
        "{# " * 60_000,
        "#" * 190_000 + "{{ x }}",
        "<" * 190_000 + "{{ x }}",
        "<a>" + " " * 190_000 + "x{{ x }}",
    ],
)
def test_lint_reads_any_text_in_time(text: str) -> None:
    begun = time.process_time()
    found = lint(content(("system", text)), compile=ready)
    assert time.process_time() - begun < MOST_SECONDS and found.findings


def test_lint_looks_at_no_more_than_a_prompt_can_have() -> None:
    found = lint(content(*[("user", "a" * 190_000)] * 20), compile=ready)
    assert not found.ok and "more than 2,000,000" in found.findings[0].message


def test_a_difference_between_texts_of_a_kind_is_found_in_time() -> None:
    words = [f"w{n % 150}" for n in range(40_000)]
    old, new = " ".join(words), " ".join(reversed(words))
    begun = time.process_time()
    found = diff(content(("user", old)), content(("user", new)))
    lines = diff(content(("user", "\n".join(words))), content(("user", "\n".join(reversed(words)))))
    assert time.process_time() - begun < MOST_SECONDS
    assert [one.change for one in found.messages[0].words] == ["removed", "added"]
    assert lines.messages[0].lines[:1] == ("-w0",) and not lines.same


def test_json_that_is_not_text_never_reaches_a_template() -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(b'"\\ud800"')
