"""Caps on money, and what has been spent and reserved of each."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from noria.core.money import from_nano, to_nano
from noria.runtime.budgets import BudgetChange, BudgetStatus
from noria.server.api.amount import amount, show
from noria.server.api.body import Body
from noria.server.api.caller import Owner, Parts, Project, Viewer
from noria.server.api.keys import Served, served

router = APIRouter(prefix="/api/budgets", tags=["keys"])

WindowName = Literal["hour", "day", "week", "month", "total"]
_SUBJECT = r"^(key|team|project|user|tag\.[^:]{1,80}):.{1,200}$"


class BudgetRequest(Body):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,79}$")
    subject: str | None = Field(None, pattern=_SUBJECT)
    """What is counted together: `key:ID`, `team:NAME`, `project:NAME`, `user:NAME` or `tag.TAG:VALUE`; the
    name `*` counts each apart. Left out: the calls of the keys that name this budget, together."""
    amount: str = Field(max_length=40)
    """Dollars."""
    window: WindowName
    hard: bool = True
    """Hard: refuse what could exceed it. Soft: count and warn."""
    warn_share: float = Field(0.8, gt=0, le=1)


class BudgetPatch(Body):
    """What is absent stays as it is."""

    amount: str | None = Field(None, max_length=40)
    hard: bool | None = None
    warn_share: float | None = Field(None, gt=0, le=1)


class SpendBody(BaseModel):
    """One subject of a budget in the current window."""

    subject: str
    spent: str
    reserved: str | None
    """Held for calls that have not ended; null: the gateway's counters cannot be read."""
    forecast: str | None
    """Spend at the window's end at the rate so far; null: too early in the window, or it has no end."""
    share: float
    """Spent and reserved over the amount."""


class BudgetBody(BaseModel):
    name: str
    subject: str
    amount: str
    window: WindowName
    hard: bool
    warn_share: float
    source: Literal["config", "page"]
    """Those of noria.toml are changed there."""
    start_ms: int | None
    end_ms: int | None
    """Of the current window, UTC; null for `total`."""
    state: Literal["ok", "warning", "exceeded"]
    """Of the subject that has spent most."""
    subjects: list[SpendBody]
    """Those that have spent something, most first, at most 50."""


class BudgetList(BaseModel):
    items: list[BudgetBody]


class ChangedBudget(BaseModel):
    budget: BudgetBody
    served: Served


@router.get("")
def list_budgets(parts: Parts, who: Viewer, project: Project = "default") -> BudgetList:
    return BudgetList(items=[_body(status) for status in parts.budgets.all()])


@router.post("", status_code=201)
def create_budget(parts: Parts, who: Owner, body: BudgetRequest) -> ChangedBudget:
    """Budgets are of the installation: a subject may span projects."""
    status, late = parts.budgets.create(
        body.name,
        subject=body.subject or f"budget:{body.name}",
        amount_nano=to_nano(amount(body.amount, param="amount")),
        window=body.window,
        hard=body.hard,
        warn_share=body.warn_share,
        by=who,
    )
    return ChangedBudget(budget=_body(status), served=served(late))


@router.patch("/{name}")
def change_budget(parts: Parts, who: Owner, name: str, body: BudgetPatch) -> ChangedBudget:
    nano = None if body.amount is None else to_nano(amount(body.amount, param="amount"))
    change = BudgetChange(amount_nano=nano, hard=body.hard, warn_share=body.warn_share)
    status, late = parts.budgets.change(name, change, by=who)
    return ChangedBudget(budget=_body(status), served=served(late))


@router.delete("/{name}")
def delete_budget(parts: Parts, who: Owner, name: str) -> Served:
    return served(parts.budgets.delete(name, by=who))


def _body(status: BudgetStatus) -> BudgetBody:
    budget = status.budget
    return BudgetBody(
        name=budget.name,
        subject=budget.subject,
        amount=show(from_nano(budget.amount_nano)),
        window=budget.window,  # pyright: ignore[reportArgumentType]
        hard=budget.hard,
        warn_share=budget.warn_share,
        source=status.source,
        start_ms=status.start_ms,
        end_ms=status.end_ms,
        state=status.state,
        subjects=[
            SpendBody(
                subject=spend.subject,
                spent=show(spend.spent),
                reserved=None if spend.reserved is None else show(spend.reserved),
                forecast=None if spend.forecast is None else show(spend.forecast),
                share=spend.share,
            )
            for spend in status.subjects
        ],
    )
