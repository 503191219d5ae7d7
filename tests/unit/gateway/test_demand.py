import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.gateway import ask
from noria.gateway.billing import NOTHING, estimate, priced
from noria.gateway.demand import open_ended, plain_demand
from noria.models.bound import TEMPLATE_TOKENS
from noria.models.card import Card
from noria.models.price import Price

CARD = Card(id="a/b", name="b", max_output=77)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8), st.none() | st.integers(0, 999))
def test_every_message_is_counted(texts: list[str], limit: int | None) -> None:
    messages = [{"role": "user", "content": text} for text in texts]
    body = json.dumps({"model": "m", "messages": messages, "max_tokens": limit}).encode()
    demand = plain_demand("openai", ask.fields(body), body, CARD)
    if demand is not None:
        assert demand.messages >= len(texts)
        assert demand.body_bytes == len(body)
        assert demand.max_output == (77 if limit is None else limit)


def test_media_and_obscure_spelling_must_be_decoded() -> None:
    for text in ('{"type":"image_url"}', '{"type":"fil\\u0065"}', '{"type":"input_file"}'):
        body = b'{"messages":[' + text.encode() + b"]}"
        assert plain_demand("openai", ask.fields(body), body, CARD) is None


OPEN_ENDED = [
    ("responses", {"previous_response_id": "resp_1"}),
    ("responses", {"conversation": "conv_1"}),
    ("responses", {"prompt": {"id": "pmpt_1"}}),
    ("responses", {"tools": [{"type": "function", "name": "f"}, {"type": "web_search"}]}),
    ("openai", {"web_search_options": {}}),
    ("anthropic", {"tools": [{"name": "f", "input_schema": {}}, {"type": "web_fetch_20250910"}]}),
    ("anthropic", {"mcp_servers": [{"type": "url"}]}),
    ("openai", {"tools": "all"}),
]
BOUNDED = [
    ("responses", {"previous_response_id": None, "tools": None}),
    ("responses", {"tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}]}),
    ("openai", {"tools": [{"type": "function", "function": {"name": "f"}}]}),
    ("anthropic", {"tools": [{"name": "f", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"}]}),
    ("completions", {"prompt": "p"}),
]


@pytest.mark.parametrize(("front", "more"), [*OPEN_ENDED, *BOUNDED])
def test_what_a_provider_adds_to_the_input_is_not_bounded_by_the_body(
    front: str, more: dict[str, object]
) -> None:
    fields = ask.fields(json.dumps({"model": "m", **more}).encode())
    assert bool(open_ended(front, fields)) == ((front, more) in OPEN_ENDED)


def test_choices_multiply() -> None:
    body = b'{"prompt":["a","b","c"],"n":2,"best_of":4,"max_tokens":5}'
    demand = plain_demand("completions", ask.fields(body), body, CARD)
    assert demand is not None
    assert demand.choices >= 12


@given(st.integers(0, 5000), st.integers(0, 500), st.integers(0, 10_000), st.integers(0, 300))
def test_an_estimate_stays_below_the_bound(sent: int, events: int, received: int, limit: int) -> None:
    usage = estimate(sent=sent, events=events, received=received, max_output=limit)
    assert usage.input <= sent + TEMPLATE_TOKENS
    assert usage.output <= limit
    assert usage.provenance == "estimated"


def test_what_was_not_billed_costs_nothing_at_any_price() -> None:
    assert priced(NOTHING, None) == 0
    assert priced(NOTHING, Price(id="p", request=Decimal(1))) == 0
    assert priced(None, Price(id="p")) is None
