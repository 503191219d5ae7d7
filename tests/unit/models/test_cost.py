from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from noria.core.money import from_nano, to_nano
from noria.core.usage import Usage
from noria.models.bound import TEMPLATE_TOKENS, Demand, Unbounded, bound
from noria.models.cost import cost
from noria.models.price import Price, Tier

rates = st.decimals(min_value=0, max_value=200, places=6)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    optional = st.none() | rates
    return Price(
        id="p",
        input=draw(rates),
        output=draw(rates),
        cached=draw(optional),
        cache_write=draw(optional),
        cache_write_1h=draw(optional),
        reasoning=draw(optional),
        request=draw(rates),
        tiers=tuple(
            Tier(
                above=above,
                input=draw(optional),
                output=draw(optional),
                cached=draw(optional),
                cache_write_1h=draw(optional),
            )
            for above in sorted(draw(st.lists(st.integers(1, 5000), max_size=2, unique=True)))
        ),
    )


def test_cost_adds_each_kind_of_token_at_its_rate() -> None:
    price = Price(id="p", input=Decimal("2.5"), output=Decimal(10), cached=Decimal("1.25"))
    usage = Usage(input=1000, cached=400, output=50, reasoning=20, provenance="reported")
    assert cost(usage, price) == Decimal("0.0015") + Decimal("0.0005") + Decimal("0.0005")


def test_cost_is_unknown_and_never_zero_where_a_rate_is_missing() -> None:
    usage = Usage(input=10, cached=5, output=1, provenance="reported")
    assert cost(usage, None) is None
    assert cost(usage, Price(id="p", input=Decimal(1), output=Decimal(1))) is None
    assert cost(Usage(input=10), Price(id="p", input=Decimal(1), output=Decimal(1))) is None


def test_a_tier_reprices_the_whole_call() -> None:
    price = Price(id="p", input=Decimal(1), output=Decimal(1), tiers=(Tier(above=100, input=Decimal(2)),))
    assert cost(Usage(input=100, provenance="reported"), price) == Decimal("0.0001")
    assert cost(Usage(input=101, provenance="reported"), price) == Decimal("0.000202")


@given(prices(), st.integers(0, 10_000), st.integers(0, 5_000), st.integers(1, 3), st.data())
def test_no_permitted_usage_costs_more_than_the_bound(
    price: Price, body: int, max_output: int, messages: int, data: st.DataObject
) -> None:
    limit = bound(Demand(body_bytes=body, messages=messages, max_output=max_output), price)
    assert not isinstance(limit, Unbounded)
    tokens = data.draw(st.integers(0, body + messages * TEMPLATE_TOKENS))
    cached = data.draw(st.integers(0, tokens))
    written = data.draw(st.integers(0, tokens - cached))
    kept = data.draw(st.integers(0, tokens - cached - written))
    output = data.draw(st.integers(0, max_output))
    usage = Usage(
        input=tokens,
        cached=cached,
        cache_write=written,
        cache_write_1h=kept,
        output=output,
        reasoning=data.draw(st.integers(0, output)),
        provenance="reported",
    )
    spent = cost(usage, price)
    assert spent is None or spent <= limit
    if spent is not None:
        assert from_nano(to_nano(spent)) >= spent


def test_a_request_without_a_limit_has_no_bound() -> None:
    price = Price(id="p", input=Decimal(1), output=Decimal(1))
    assert isinstance(bound(Demand(body_bytes=1), price), Unbounded)
    assert isinstance(bound(Demand(body_bytes=1, max_output=1, images=1), price), Unbounded)
    assert isinstance(bound(Demand(body_bytes=1, max_output=1), None), Unbounded)
