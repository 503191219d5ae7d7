import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import InvalidRequest
from noria.tracing.filters import NAMES, QUANTITIES, THINGS, Filter, Term, parse

EXAMPLE = (
    'model:gpt-* latency>2s status:error "refund" user:x tag.env:prod cost>0.01 tokens>1000'
    " has:feedback -cache:hit"
)


def test_the_example_of_the_page() -> None:
    found = parse(EXAMPLE)
    assert [term.field for term in found.terms] == [
        "model", "latency", "status", "text", "user", "tag.env", "cost", "tokens", "has", "cache",
    ]  # fmt: skip
    assert found.terms[1].number() == 2.0
    assert found.terms[-1].negated
    assert found.terms[3] == Term("text", ":", ("refund",))
    assert parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("latency>2", "needs a unit"),
        ("latency>fast", "needs a number"),
        ("modle:x", "did you mean `model`"),
        ("http://x", "needs a number"),
        ("foo:bar", 'write `"foo:bar"`'),
        ('"open', "not closed"),
        ("status:bad", "one of ok, error, unset"),
        ("user>3", "write `user:value`"),
        ("user:", "missing"),
        ("user:a,,b", "missing"),
        ("tag.:x", "name its tag"),
        ('""', "empty text"),
        ("tokens>1,2", "one number"),
        ("x" * 3000, "at most"),
    ],
)
def test_mistakes_are_answered_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(text)
    assert says in str(caught.value)
    assert caught.value.param == "filter"


_words = st.text(min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
_names = st.builds(
    lambda field, values, negated: Term(field, ":", tuple(values), negated),
    st.sampled_from([name for name in NAMES if name not in ("status", "cache")] + ["tag.env", "tag.X-1"]),
    st.lists(_words, min_size=1, max_size=3),
    st.booleans(),
)
_quantities = st.builds(
    lambda field, op, number, unit: Term(
        field, op, (f"{number}{unit if field in ('latency', 'first_token') else ''}",)
    ),
    st.sampled_from(QUANTITIES),
    st.sampled_from([">", ">=", "<", "<=", ":"]),
    st.integers(0, 10**6),
    st.sampled_from(["us", "ms", "s", "m", "h"]),
)
_others = st.one_of(
    st.builds(lambda thing: Term("has", ":", (thing,)), st.sampled_from(THINGS)),
    st.builds(lambda text, negated: Term("text", ":", (text,), negated), _words, st.booleans()),
)


@given(st.lists(st.one_of(_names, _quantities, _others), max_size=8))
def test_a_filter_renders_to_text_that_parses_to_it(terms: list[Term]) -> None:
    found = Filter(tuple(terms))
    assert parse(str(found)) == found


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        found = parse(text)
    except InvalidRequest:
        return
    assert parse(str(found)) == found
