"""[limits], and the `limits` of a route: how much of what within which time."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from noria.access.key import RateLimit
from noria.config.section import Many, Name, Section
from noria.config.units import Duration, Money
from noria.core.money import to_nano

Count = Annotated[int, Field(ge=1, le=1 << 53)]


class LimitSection(Section):
    """At most so many requests, tokens or dollars in any such time; exactly one of the three."""

    requests: Count | None = None
    tokens: Count | None = None
    money: Money | None = None
    per: Duration
    """A sliding window of whole seconds."""
    name: Name | None = None
    """Limits of the same name are counted together; left out: for each owner apart."""

    @model_validator(mode="after")
    def _one_unit(self) -> LimitSection:
        if sum(value is not None for value in (self.requests, self.tokens, self.money)) != 1:
            raise ValueError("must name exactly one of `requests`, `tokens` and `money`")
        if self.per < 1 or self.per != int(self.per):
            raise ValueError("must have a `per` of whole seconds, at least one")
        return self

    def compiled(self) -> RateLimit:
        """As workers count it."""
        window, name = int(self.per), self.name or ""
        if self.requests is not None:
            return RateLimit("requests", self.requests, window, name)
        if self.tokens is not None:
            return RateLimit("tokens", self.tokens, window, name)
        assert self.money is not None
        return RateLimit("money", to_nano(self.money), window, name)


class LimitsSection(Section):
    """Limits of those who have none of their own."""

    keys: Many[LimitSection] = ()
    """Of each key without limits, and of all calls without a key together."""
