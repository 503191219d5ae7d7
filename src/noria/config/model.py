"""[models."provider/name"]: what differs from what is known of a model."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
from pydantic import Field, model_validator

from noria.config.section import Many, Name, Section
from noria.config.units import Money
from noria.core.digest import digest
from noria.models.card import Capability, Card, Status
from noria.models.price import Price, Tier

Tokens = Annotated[int, Field(ge=1)]


class TierSection(Section):
    """Rates for calls whose input is longer than `above` tokens."""

    above: Tokens
    input: Money | None = None
    output: Money | None = None
    cached: Money | None = None
    cache_write: Money | None = None

    def compiled(self) -> Tier:
        """As costs are computed with it."""
        return Tier(
            above=self.above,
            input=self.input,
            output=self.output,
            cached=self.cached,
            cache_write=self.cache_write,
        )


class PriceSection(Section):
    """US dollars for one million tokens. A rate that is left out is unknown; "0" is free."""

    input: Money
    output: Money
    cached: Money | None = None
    """Input that the provider read from its cache."""
    cache_write: Money | None = None
    cache_write_1h: Money | None = None
    reasoning: Money | None = None
    """Left out: as output."""
    audio_input: Money | None = None
    audio_output: Money | None = None
    image: Money | None = None
    """Dollars an image; left out: images are priced as the tokens that they report."""
    request: Money | None = None
    """Dollars a call."""
    tiers: Many[TierSection] = ()
    date: str | None = None
    """Since when, or when it was last known to be right: "2026-11-01"."""

    @model_validator(mode="after")
    def _ascending(self) -> PriceSection:
        marks = [tier.above for tier in self.tiers]
        if marks != sorted(set(marks)):
            raise ValueError("must have its `tiers` in ascending order of `above`")
        return self

    def compiled(self, model_id: str) -> Price:
        """The price, whose id says its date, or its content where it has none."""
        mark = self.date or digest(self.model_dump(mode="json", exclude_defaults=True))[7:19]
        return Price(
            id=f"noria.toml:{model_id}:{mark}",
            input=self.input,
            output=self.output,
            cached=self.cached,
            cache_write=self.cache_write,
            cache_write_1h=self.cache_write_1h,
            reasoning=self.reasoning,
            audio_input=self.audio_input,
            audio_output=self.audio_output,
            image=self.image,
            request=self.request or Decimal(0),
            tiers=tuple(tier.compiled() for tier in self.tiers),
            date=self.date,
            source="noria.toml",
        )


class ModelSection(Section):
    """What differs from what is known of a model, and the price that was negotiated."""

    upstream: str | None = None
    """The name that the provider knows, where it is not the part after the slash."""
    card: str | None = None
    """The known model that this is, such as "gpt-4o" for a deployment of another name."""
    price: PriceSection | None = None
    context: Tokens | None = None
    max_output: Tokens | None = None
    image_tokens: Tokens | None = None
    """Most tokens that one image can count for."""
    file_tokens: Tokens | None = None
    """Most tokens that one file can count for."""
    capabilities: Many[Capability] | None = None
    modalities_in: Many[str] | None = None
    modalities_out: Many[str] | None = None
    embedding_dimensions: Tokens | None = None
    status: Status | None = None
    notes: str | None = None
    adapters: dict[Name, str] = {}
    """LoRA adapters by name: what the server that serves the model calls them."""

    def compiled_card(self, model_id: str, found: Card | None) -> Card:
        """The card that was found, with what the section says instead; else one that knows only the name."""
        card = found or Card(id=model_id, name=model_id.partition("/")[2])
        stated = {name: getattr(self, name) for name in _OF_THE_CARD}
        return msgspec.structs.replace(
            card, **{name: value for name, value in stated.items() if value is not None}
        )


_OF_THE_CARD = (
    "context", "max_output", "image_tokens", "file_tokens", "capabilities", "modalities_in", "modalities_out",
    "embedding_dimensions", "status", "notes",
)  # fmt: skip
