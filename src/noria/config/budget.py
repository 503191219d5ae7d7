"""[budgets.NAME]: a cap on money for one subject in one calendar window."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from noria.access.key import Budget
from noria.config.section import Section
from noria.config.units import Money
from noria.core.money import to_nano

Subject = Annotated[str, Field(pattern=r"^(key|team|project|user|tag\.[A-Za-z0-9_.-]+):.+$")]


class BudgetSection(Section):
    """A cap on money for one subject in one calendar window (UTC)."""

    amount: Money
    """US dollars in a window."""
    per: Literal["hour", "day", "week", "month", "total"] = "month"
    subject: Subject | None = None
    """Whose calls count: "team:search", "user:*" (each user apart), "key:…", "project:…", "tag.NAME:…";
    left out: those of the keys that name this budget, together."""
    hard: bool = True
    """Hard: money is reserved before the call, which is refused when it could exceed the cap."""
    warn_at: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Share of the amount from which a warning is recorded."""

    def compiled(self, name: str) -> Budget:
        """As workers keep it."""
        return Budget(
            name=name,
            subject=self.subject or f"budget:{name}",
            amount_nano=to_nano(self.amount),
            window=self.per,
            hard=self.hard,
            warn_share=self.warn_at,
        )
