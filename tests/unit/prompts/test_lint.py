"""What lint finds, what it leaves alone, and what differs between two contents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.models.card import Card
from noria.models.price import Price
from noria.prompts.diff import diff
from noria.prompts.lint import Known, Lint, lint
from noria.prompts.policy import Rule
from noria.prompts.tokens import estimate
from noria.prompts.version import PromptContent

from .make import content, ready

TEXT = {"type": "string"}


def look(made: PromptContent, **more: Any) -> Lint:
    return lint(made, compile=ready, **more)


def codes(made: PromptContent, **more: Any) -> list[str]:
    return [one.code for one in look(made, **more).findings]


def test_a_sound_prompt_has_no_findings() -> None:
    made = content(("system", "Be kind."), ("user", "{{ q }}"), variables={"properties": {"q": TEXT}})
    assert look(made).findings == () and look(made).ok


@pytest.mark.parametrize(
    ("system", "schema", "found"),
    [
        ("Help {{ name }}.", TEXT, ["injection"]),
        ("Help {{ name | upper }}.", TEXT, ["injection"]),
        ("{% for x in name %}{{ x }}{% endfor %}", {"type": "array"}, ["injection"]),
        ("{% set y = name %}Help {{ y }}.", TEXT, ["injection"]),
        ("Help {{ name | tojson }}.", TEXT, []),
        ("Help <name>{{ name }}</name>.", TEXT, []),
        ('Help """{{ name }}""".', TEXT, []),
        ("Help {{ name }}.", {"enum": ["a", "b"]}, []),
        ("Help {{ name }}.", {"type": "integer"}, []),
        ("{% if name == 'x' %}Help.{% endif %}", TEXT, []),
    ],
)
def test_text_that_could_pose_as_an_instruction(system: str, schema: Any, found: list[str]) -> None:
    made = content(("system", system), ("user", "Go."), variables={"properties": {"name": schema}})
    assert codes(made) == found


def test_variables_that_do_not_fit() -> None:
    made = content(("user", "{{ a }}{{ b }}"), variables={"properties": {"b": {}, "c": TEXT}})
    assert codes(made) == ["undeclared-variable", "unused-variable", "untyped-variable"]
    assert not look(made).ok
    steps = {"steps": [{"name": "s", "template": "{{ b }}"}]}
    made = content(("user", "{{ s }}"), variables={"properties": {"b": TEXT}}, technique=steps)
    assert codes(made) == []


def test_personal_data_and_secrets() -> None:
    made = content(("user", "Ask bob@example.com, key sk-abcdefghijklmnopqrstuvwxyz0123456789ABCD."))
    found = look(made)
    assert "pii.email" in {one.code for one in found.findings}
    assert all(one.where == "message 1 (user)" for one in found.findings)
    assert "bob" not in "".join(one.message for one in found.findings)


def test_what_cannot_be_compiled_is_a_finding() -> None:
    found = look(content(("user", "{{ x | nothing }}")))
    assert [one.code for one in found.findings] == ["invalid"] and not found.ok


def test_cost_and_room_by_model() -> None:
    made = content(("user", "word " * 900), parameters={"max_tokens": 200})
    card = Card(id="a", name="a", context=1000)
    models = {
        "a": Known(card=card, price=Price(id="p", input=Decimal(2), output=Decimal(8))),
        "b": Known(card=Card(id="b", name="b", context=100_000)),
    }
    found = look(made, models=models)
    first, second = found.models
    assert first.input_cost == Decimal(2) * found.tokens / 1000 and second.input_cost is None
    assert [one.code for one in found.findings] == ["too-long"] and "a takes" in found.findings[0].message


def test_the_policy() -> None:
    rules = [
        Rule(name="no", forbid="(?i)guarantee", message="Promise nothing."),
        Rule(name="polite", require="please", role="system", severity="warning"),
        Rule(name="models", models=("x",)),
        Rule(name="short", max_tokens=2),
        Rule(name="tagged", forbid=".", tags=("legal",)),
    ]
    made = content(("system", "We guarantee it."), ("user", "please"), model="y")
    found = look(made, rules=rules).findings
    assert [one.code for one in found] == ["policy.no", "policy.polite", "policy.models", "policy.short"]
    assert found[0].message == "Promise nothing." and found[0].where == "message 1 (system)"
    assert "policy.tagged" in codes(made, rules=rules, tags=["legal"])


def test_a_diff_says_lines_words_and_fields() -> None:
    before = content(("system", "Be kind."), ("user", "Hi {{ x }}\nyou"), parameters={"temperature": 0})
    after = content(("user", "Be kind."), ("user", "Hello {{ x }}\nyou"), ("assistant", "Yes."), model="m")
    found = diff(before, after)
    assert [one.change for one in found.messages] == ["changed", "changed", "added"]
    assert found.messages[1].lines == ("@@ -1,2 +1,2 @@", "-Hi {{ x }}", "+Hello {{ x }}", " you")
    assert [(one.change, one.text) for one in found.messages[1].words][:2] == [
        ("removed", "Hi"),
        ("added", "Hello"),
    ]
    assert [(one.path, one.before, one.after) for one in found.fields] == [
        ("model", None, "m"), ("parameters", {"temperature": 0}, None),
    ]  # fmt: skip
    assert diff(before, before).same and not found.same


@given(st.lists(st.text(max_size=30), max_size=3), st.lists(st.text(max_size=30), max_size=3))
def test_the_words_of_a_diff_are_both_texts(old: list[str], new: list[str]) -> None:
    before, after = content(*(("user", one) for one in old)), content(*(("user", one) for one in new))
    for place, one in enumerate(diff(before, after).messages):
        left, right = (old[place] if place < len(old) else ""), (new[place] if place < len(new) else "")
        if left != right:
            assert "".join(word.text for word in one.words if word.change != "added") == left
            assert "".join(word.text for word in one.words if word.change != "removed") == right


@given(st.text(), st.text())
def test_tokens_are_never_negative_and_grow(one: str, two: str) -> None:
    assert 0 <= estimate(one) <= estimate(one + "\n" + two) + 1


def test_tokens_are_about_what_vocabularies_give() -> None:
    assert 8 <= estimate("The quick brown fox jumps over the lazy dog.") <= 12
    assert 4 <= estimate("今日は天気がいい") <= 10 and estimate("") == 0
