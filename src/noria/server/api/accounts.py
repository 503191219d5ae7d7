"""People who may sign in to the page, and their roles by project."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from noria.access.account import Account
from noria.access.role import Role
from noria.server.api.body import Body
from noria.server.api.caller import Owner, Parts, SignedIn
from noria.server.api.cookies import session_token

router = APIRouter(prefix="/api/accounts", tags=["accounts"])


class AccountBody(BaseModel):
    id: str
    email: str
    name: str
    roles: dict[str, Role]
    """By project; `*` stands for every project."""
    disabled: bool
    invited: bool
    """Has not yet opened the link."""
    method: str
    """"password" or "oidc"."""
    created_ms: int
    last_seen_ms: int | None


class AccountList(BaseModel):
    items: list[AccountBody]


class Invite(Body):
    email: str = Field(min_length=3, max_length=254)
    name: str = Field("", max_length=120)
    roles: dict[str, Role] = Field(min_length=1)


class Invited(BaseModel):
    """`link` is the path of a page that makes the account; it works once, for a week, and is shown
    this once."""

    account: AccountBody
    link: str


class AccountPatch(Body):
    name: str | None = Field(None, max_length=120)
    roles: dict[str, Role] | None = None
    disabled: bool | None = None


class PasswordChange(Body):
    old: str = Field(max_length=1024)
    new: str = Field(min_length=1, max_length=1024)


@router.get("")
def list_accounts(parts: Parts, who: Owner) -> AccountList:
    return AccountList(items=[_body(account) for account in parts.accounts.all()])


@router.post("", status_code=201)
def invite_account(parts: Parts, who: Owner, body: Invite) -> Invited:
    """Make an account that its owner completes by opening the link."""
    account, token = parts.accounts.invite(body.email, name=body.name, roles=dict(body.roles), by=who)
    return Invited(account=_body(account), link=f"/setup?token={token}")


@router.patch("/{id}")
def change_account(parts: Parts, who: Owner, id: str, body: AccountPatch) -> AccountBody:
    """Change name, roles or whether the account may sign in; takes effect at once."""
    account = parts.accounts.change(
        id,
        name=body.name,
        roles=None if body.roles is None else dict(body.roles),
        disabled=body.disabled,
        by=who,
    )
    return _body(account)


@router.post("/{id}/link", status_code=201)
def link_account(parts: Parts, who: Owner, id: str) -> Invited:
    """A one-time link with which the account's owner sets a new password."""
    account, token = parts.accounts.link(id, by=who)
    return Invited(account=_body(account), link=f"/setup?token={token}")


@router.post("/me/password", status_code=204)
def change_password(request: Request, parts: Parts, who: SignedIn, body: PasswordChange) -> None:
    """Change one's own password; other sessions of the account end."""
    parts.sign_in.change_password(who, old=body.old, new=body.new, token=session_token(request))


def _body(account: Account) -> AccountBody:
    return AccountBody(
        id=account.id,
        email=account.email,
        name=account.name,
        roles=dict(account.roles),
        disabled=account.disabled,
        invited=account.invited,
        method=account.method,
        created_ms=account.created_ms,
        last_seen_ms=account.last_seen_ms or None,
    )
