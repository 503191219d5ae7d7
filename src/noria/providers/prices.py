"""List prices, from the data inside the `genai-prices` package.

It brings pydantic, so the control process is the only one that imports this; workers get prices compiled into
their snapshot. Nothing is fetched: a price is as new as the package, and says so in its id.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import Any

from genai_prices.data import providers
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from noria.models.price import Price, Tier

OWNERS = {
    "bedrock": "aws",
    "gemini": "google",
    "vertex": "google",
    "moonshot": "moonshotai",
    "xai": "x-ai",
    "zhipu": "zhipuai",
    "voyage": "voyageai",
}
"""What our dialects and presets are called in the package, where the names differ."""
_DATE = re.compile(r"\b20\d\d-\d\d-\d\d\b")
_FIELDS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cached",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "audio_input",
    "output_audio_mtok": "audio_output",
}
"""The package's units that a Price has, all for a million tokens."""
_TIERED = ("input", "output", "cached", "cache_write", "cache_write_1h")


def list_price(owner: str, model: str, *, at: datetime | None = None) -> Price | None:
    """What `model` costs at `owner` by list, at the time `at` (now); None where it is not known.

    `owner` is a dialect, a preset or a provider's own name ("openai", "bedrock", "groq"), or its base URL.
    None also where the price depends on the time of day, since one Price cannot say that.
    """
    provider = _provider(owner)
    if provider is None:
        return None
    found = provider.find_model(model, all_providers=providers)
    if found is None:
        return None
    rates = _rates(found, at or datetime.now(UTC))
    return None if rates is None else _price(provider, found, rates)


@cache
def data_date() -> str:
    """The latest day on which anyone checked a price of the package's data, ISO 8601."""
    today = datetime.now(UTC).date().isoformat()
    return max(
        day
        for provider in providers
        for model in provider.models
        for day in (*_DATE.findall(model.price_comments or ""), "2026-01-01")
        if day <= today
    )


def _provider(owner: str) -> Provider | None:
    if "://" in owner:
        return next((one for one in providers if re.match(one.api_pattern, owner)), None)
    name = OWNERS.get(owner, owner)
    return next((one for one in providers if one.id == name), None)


def _rates(model: ModelInfo, at: datetime) -> ModelPrice | None:
    """The rates in force, by the package's own rule: the last whose condition holds, else the first."""
    if isinstance(model.prices, ModelPrice):
        return model.prices
    listed: list[ConditionalPrice] = model.prices
    if any(isinstance(one.constraint, TimeOfDateConstraint) for one in listed):
        return None
    for one in reversed(listed):
        if not isinstance(one.constraint, StartDateConstraint) or one.constraint.active(at):
            return one.prices
    return listed[0].prices if listed else None


def _price(provider: Provider, model: ModelInfo, rates: ModelPrice) -> Price | None:
    flat: dict[str, Decimal] = {}
    tiers: dict[int, dict[str, Decimal]] = {}
    for unit, field in _FIELDS.items():
        rate: Any = getattr(rates, unit, None)
        if isinstance(rate, TieredPrices):
            flat[field] = Decimal(rate.base)
            for tier in rate.tiers:
                tiers.setdefault(tier.start, {})[field] = Decimal(tier.price)
        elif rate is not None:
            flat[field] = Decimal(rate)
    for field in {field for tier in tiers.values() for field in tier if field not in _TIERED}:
        # A Tier has no place for it, and a rate that holds for some lengths only is not the rate.
        del flat[field]
    if "input" not in flat and "output" not in flat:
        return None
    if "output" not in flat and any(word in model.id for word in ("embed", "rerank")):
        # There is no output to pay for, which the package says by leaving it out.
        flat["output"] = Decimal(0)
    requests: Any = getattr(rates, "requests_kcount", None)
    return Price(
        id=f"genai-prices:{data_date()}:{provider.id}/{model.id}",
        **flat,
        request=Decimal(0) if requests is None else Decimal(requests) / 1000,
        tiers=tuple(
            Tier(above=above, **{field: rate for field, rate in tier.items() if field in _TIERED})
            for above, tier in sorted(tiers.items())
        ),
        date=data_date(),
        source=f"genai-prices {version('genai-prices')}",
    )
