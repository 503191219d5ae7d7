import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import InvalidRequest
from noria.gateway import ask
from noria.gateway.splice import spliced, wants_usage

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), values, max_size=6), st.text(min_size=1))
def test_only_the_model_changes(body: dict[str, object], model: str) -> None:
    body["model"] = "route"
    body.pop("noria", None)
    out = json.loads(spliced(ask.fields(json.dumps(body).encode()), model=model, add_usage=False))
    assert out == {**body, "model": model}
    assert list(out) == list(body)


def test_a_model_named_inside_a_message_is_left_alone() -> None:
    body = b'{"messages":[{"role":"user","content":"say \\"model\\":\\"a\\""}],"model":"a"}'
    out = json.loads(spliced(ask.fields(body), model="b", add_usage=False))
    assert out["messages"][0]["content"] == 'say "model":"a"'
    assert out["model"] == "b"


def test_usage_is_asked_for_and_norias_own_field_stays_here() -> None:
    fields = ask.fields(b'{"model":"a","noria":{"user":"u"},"stream_options":{"x":1}}')
    out = json.loads(spliced(fields, model="a", add_usage=True))
    assert out == {"model": "a", "stream_options": {"x": 1, "include_usage": True}}
    assert not wants_usage(fields)
    assert wants_usage(ask.fields(b'{"stream_options":{"include_usage":true}}'))


def test_stream_options_must_be_an_object() -> None:
    with pytest.raises(InvalidRequest):
        spliced(ask.fields(b'{"stream_options":3}'), model="a", add_usage=True)
