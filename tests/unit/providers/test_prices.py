"""Prices of the genai-prices package, as ours, compared with what it computes itself."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as PackageUsage
from genai_prices import calc_price
from genai_prices.data import providers
from hypothesis import given
from hypothesis import strategies as st

from noria.core.usage import Usage
from noria.models.cost import cost
from noria.providers.prices import data_date, list_price


def test_known_prices() -> None:
    price = list_price("openai", "gpt-4o-2024-08-06")
    assert price is not None
    assert (price.input, price.output, price.cached) == (Decimal("2.5"), Decimal(10), Decimal("1.25"))
    assert price.id == f"genai-prices:{data_date()}:openai/gpt-4o" and price.date == data_date()
    sonnet = list_price("anthropic", "claude-3-7-sonnet-20250219")
    assert sonnet is not None and sonnet.cache_write == Decimal("3.75")
    gemini = list_price("gemini", "gemini-2.5-pro")
    assert gemini is not None
    assert [(tier.above, tier.input, tier.output) for tier in gemini.tiers] == [
        (200_000, Decimal("2.5"), Decimal(15))
    ]
    flash = list_price("vertex", "gemini-2.5-flash")
    assert flash is not None and flash.audio_input == Decimal(1)
    embedding = list_price("openai", "text-embedding-3-small")
    assert embedding is not None and embedding.output == 0


def test_the_same_by_base_url_and_by_name() -> None:
    by_url = list_price("https://api.groq.com/openai/v1", "llama-3.3-70b-versatile")
    assert by_url is not None and by_url == list_price("groq", "llama-3.3-70b-versatile")
    for owner in ("azure", "bedrock"):
        found = list_price(owner, "gpt-4o" if owner == "azure" else "anthropic.claude-3-haiku-20240307-v1:0")
        assert found is not None


@pytest.mark.parametrize(("owner", "model"), [("openai", "none-such"), ("nobody", "gpt-4o"), ("local", "m")])
def test_what_is_not_known_has_no_price(owner: str, model: str) -> None:
    assert list_price(owner, model) is None


def test_a_price_that_changes_through_the_day_is_not_one_price() -> None:
    assert list_price("deepseek", "deepseek-chat") is None


def test_a_price_is_that_of_its_day() -> None:
    now = list_price("openai", "o3", at=datetime(2026, 1, 1, tzinfo=UTC))
    before = list_price("openai", "o3", at=datetime(2025, 5, 1, tzinfo=UTC))
    assert now is not None and before is not None and before.input != now.input


MODELS = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-5"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-3-haiku-20240307"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"),
    ("mistral", "mistral-large-latest"),
    ("groq", "llama-3.3-70b-versatile"),
]


@given(st.sampled_from(MODELS), st.integers(0, 400_000), st.integers(0, 9_000), st.integers(0, 9_000))
def test_a_cost_equals_what_the_package_computes(
    model: tuple[str, str], read: int, cached: int, out: int
) -> None:
    owner, name = model
    price = list_price(owner, name)
    assert price is not None
    cached = cached if price.cached is not None else 0
    ours = cost(Usage(input=read + cached, cached=cached, output=out, provenance="reported"), price)
    usage = PackageUsage(input_tokens=read + cached, cache_read_tokens=cached, output_tokens=out)
    assert ours == calc_price(usage, name, provider_id=owner).total_price


def test_every_model_of_the_package_gives_a_price_or_none() -> None:
    found = [list_price(provider.id, model.id) for provider in providers for model in provider.models]
    priced = [price for price in found if price is not None]
    assert len(priced) > 1500
    assert all(price.input is None or price.input >= 0 for price in priced)
