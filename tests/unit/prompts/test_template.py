"""The template engine: as Jinja's sandbox renders, and no way out of it."""

from __future__ import annotations

import json
import time
from typing import Any

import jinja2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

from noria.errors import InvalidRequest
from noria.prompts.program import Program
from noria.prompts.reads import reads
from noria.prompts.render import render
from noria.prompts.template import compile_template, references

from .templates import TEMPLATES, VALUES

SANDBOX = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined
)


def program(text: str) -> Program:
    return compile_template(text, include=_none)


def _none(reference: str) -> Program:
    raise AssertionError(reference)


def ours(text: str, values: dict[str, Any] = VALUES) -> str | None:
    """None: refused."""
    try:
        return render(program(text), values)
    except InvalidRequest:
        return None


def jinjas(text: str) -> str | None:
    try:
        return SANDBOX.from_string(text).render(**VALUES)
    except (jinja2.TemplateError, TypeError, ValueError, ZeroDivisionError, OverflowError, AttributeError):
        return None


@settings(max_examples=300, deadline=None)
@given(TEMPLATES)
def test_it_renders_as_jinjas_sandbox_does(text: str) -> None:
    theirs = jinjas(text)
    if theirs is None:
        return  # What Jinja refuses may be refused here, or be shown.
    assert ours(text) == theirs


@settings(max_examples=100, deadline=None)
@given(TEMPLATES)
def test_a_program_survives_its_file(text: str) -> None:
    made = program(text)
    for code in (msgspec.msgpack, msgspec.json):
        assert code.decode(code.encode(made), type=Program) == made


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ ''.__class__.__mro__ }}", "not defined"),
        ("{{ name.__class__ }}", "'name.__class__' is not defined"),
        ("{{ person.__init__.__globals__ }}", "'person.__init__' is not defined"),
        ("{{ ''['__class__'] }}", "not defined"),
        ("{{ ''.format }}", "not defined"),
        ("{{ '{0.__class__}'.format(1) }}", "a call"),
        ("{{ person | attr('keys') }}", "the filter 'attr'"),
        ("{{ words | map('attr', 'x') | list }}", "no filter 'attr'"),
        ("{{ words | map(attribute='__class__') | list }}", "'__class__' is not defined"),
        ("{{ self }}", "'self' is not defined"),
        ("{{ cycler('a') }}", "a call"),
        ("{{ lipsum() }}", "a call"),
        ("{{ namespace(x=1) }}", "a call"),
        ("{% set ns.x = 1 %}", "`namespace`"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "`macro`"),
        ("{% for x in words recursive %}{{ loop(words) }}{% endfor %}", "recursive"),
        ("{% import 'os' as os %}", "`import`"),
        ("{% extends 'x' %}", "`extends`"),
        ("{% include name %}", "not a plain text"),
        ("{% block b %}{% endblock %}", "`block`"),
        ("{% filter upper %}x{% endfilter %}", "`filter`"),
        ("{{ range(10**9) }}", "more than 10,000"),
        ("{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}", "steps"),
        ("{{ 'a' * 10**9 }}", "characters"),
        ("{{ [0] * 10**9 }}", "steps"),
        ("{{ 9**9**9 }}", "63 bits"),
        ("{{ 2.5 ** 99999 }}", "no finite number"),
        ("{{ 1 / 0 }}", "divided by zero"),
        ("{{ 9223372036854775807 * 9223372036854775807 }}", "63 bits"),
        ("{{ '%1000000000d' % 1 }}", "`%` cannot be used"),
        ("{{ name | indent(10**9) }}", "characters"),
        ("{{ ('ab' * 1000) | replace('', 'x' * 9000) }}", "characters"),
        ("{% set a = 'x' * 100000 %}{{ [a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a] * 20 }}", "steps"),
        ("{{ words | center(99999999) }}", "the filter 'center'"),
        ("{{ missing }}", "'missing' is not defined"),
        ("{{ missing.deep | default(1) }}", "'missing' is not defined"),
        ("{{ person.phone }}", "'person.phone' is not defined"),
        ("{{ number.real }}", "a number"),
        ("{{ number < name }}", "no order"),
        ("{% for x in number %}{% endfor %}", "not through a number"),
        ("{{ " + "(" * 500 + "1" + ")" * 500 + " }}", "nested"),
        ("{{ " + "not " * 100 + "1 }}", "levels of nesting"),
        ("{{ x " * 10, "not valid at line 1"),
        ("{% if %}", "not valid at line 1"),
        ("{{ " + "9" * 5000 + " }}", "too long"),
        ("{{ 1e999 }}", "not finite"),
    ],
)
def test_hostile_templates_end_in_a_sentence(text: str, words: str) -> None:
    begun = time.process_time()
    with pytest.raises(InvalidRequest) as error:
        render(program(text), VALUES)
    said = error.value.message
    assert words in said and said.endswith(".") and "\n" not in said and len(said) < 700
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize("made", ["[{0}, {0}]", "{{'a': {0}, 'b': {0}}}", "{0} + {0}", "{0} ~ {0}"])
def test_what_doubles_is_paid_for(made: str) -> None:
    """Thirty doublings of a value: printed, compared or made into JSON it would be 2^30 values."""
    lines = ["{% set x0 = ['a'] %}"]
    lines += [f"{{% set x{n + 1} = {made.format(f'x{n}')} %}}" for n in range(30)]
    for end in ("{{ x30 }}", "{{ x30 == x29 }}", "{{ x30 | tojson }}", ""):
        begun = time.process_time()
        with pytest.raises(InvalidRequest, match=r"steps|characters"):
            render(program("".join(lines) + end), {})
        assert time.process_time() - begun < 2.0


def test_a_caller_cannot_be_too_deep_either() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InvalidRequest, match="nested"):
        render(program("{{ x }}"), {"x": deep})
    wide = {"x": ["y" * 100] * 200_000}
    with pytest.raises(InvalidRequest, match="steps"):
        render(program("{{ x }}"), wide)


def test_json_is_plain_json() -> None:
    shown = ours("{{ person | tojson }}|{{ people | tojson(indent=2) }}|{{ name | tojson }}")
    assert shown is not None
    first, second, third = shown.split("|")
    assert json.loads(first) == VALUES["person"] and json.loads(second) == VALUES["people"]
    assert third == json.dumps(VALUES["name"], ensure_ascii=False) and "<b>" in third


def test_text_of_a_caller_is_never_a_template() -> None:
    assert ours("{{ x }}", {"x": "{{ 1 + 1 }}{% for %}"}) == "{{ 1 + 1 }}{% for %}"


@given(st.text(max_size=200))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        made = program("{{" + text)
    except InvalidRequest as error:
        assert error.message.startswith("The template")
    else:
        reads(made)


def test_what_is_read_and_included() -> None:
    text = "{% include 'a@1' %}{% for x in xs %}{{ x.y }}{{ loop.index }}{% endfor %}"
    text += "{% set z = w %}{{ z }}{{ v | int }}"
    assert references(text) == ["a@1"] and references("{% include") == []
    found = reads(compile_template(text, include=lambda _: program("{{ inside }}")))
    assert found.names == {"xs", "w", "v", "inside"}
    assert [sorted(one.names) for one in found.shown] == [["inside"], ["xs"], [], ["w"], ["v"]]
    assert found.shown[-1].filters == {"int"}
