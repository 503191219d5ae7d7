import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.errors import InvalidRequest, RequestError
from noria.gateway import ask

json_text = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_context_comes_from_the_body_before_the_headers() -> None:
    fields = ask.fields(b'{"model":"m","user":"u1","noria":{"session":"s","tags":{"env":"prod"}}}')
    headers = {b"x-noria-session": b"other", b"x-noria-episode": b"e", b"x-noria-tags": b"env=dev"}
    context = ask.context(fields, headers)
    assert (context.user, context.session, context.episode) == ("u1", "s", "e")
    assert context.tags == {"env": "prod"}


def test_anthropic_names_its_user_in_metadata() -> None:
    assert ask.context(ask.fields(b'{"metadata":{"user_id":"u2"}}'), {}).user == "u2"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"noria":{"sesion":"x"}}', b'{"noria":{"tags":{"a":1}}}', b"\xff", b'{"noria":3}'],
)
def test_what_is_wrong_is_said_in_one_sentence(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as error:
        ask.context(ask.fields(body), {})
    assert str(error.value).endswith(".")


def test_too_many_or_too_long_tags_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        ask.context({}, {b"x-noria-tags": b",".join(b"t%d=1" % i for i in range(33))})
    with pytest.raises(InvalidRequest):
        ask.context({}, {b"x-noria-user": b"u" * 257})


@given(json_text, json_text, json_text)
def test_no_json_breaks_reading(model: object, stream: object, noria: object) -> None:
    body = ask.encode({"model": model, "stream": stream, "noria": noria, "max_tokens": model})
    fields = ask.fields(body)
    for read in (
        lambda: ask.text(fields, "model"),
        lambda: ask.flag(fields, "stream"),
        lambda: ask.count(fields, "max_tokens"),
        lambda: ask.context(fields, {}),
    ):
        try:
            read()
        except RequestError as error:
            assert error.status == 400
