"""The first account, signing in and out, and what a cookie alone cannot do."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from fastapi.testclient import TestClient

from noria.access import password
from noria.access.role import SYSTEM
from noria.access.session import Identity, network_of
from noria.errors import Forbidden, RateLimited, Unauthenticated
from noria.runtime.control import SETUP_TOKEN, Control

Client = Callable[..., TestClient]
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "_LOG_N", 4)


def _set_up(page: TestClient, control: Control) -> dict[str, str]:
    token = (control.home.run / SETUP_TOKEN).read_text()
    body = {"token": token, "email": "Ann@Example.com", "name": "Ann", "password": PASSWORD}
    answer = page.post("/api/setup", json=body)
    assert answer.status_code == 200, answer.text
    return {"x-csrf-token": answer.json()["csrf"]}


def test_the_first_account_is_made_once(client: Client, control: Control) -> None:
    page = client()
    assert page.get("/api/session").json()["needs_setup"]
    _set_up(page, control)
    state = page.get("/api/session").json()
    assert state["principal"]["email"] == "ann@example.com"
    assert state["role"] == "admin" and not state["needs_setup"]
    token = (control.home.run / SETUP_TOKEN).read_text()
    again = client().post("/api/setup", json={"token": token, "email": "x@y", "password": PASSWORD})
    assert again.json()["error"]["code"] == "link_spent"


def test_the_cookie_is_out_of_scripts_reach(client: Client, control: Control) -> None:
    page = client(tls=True)
    _set_up(page, control)
    cookie = page.post("/api/session", json={"email": "ann@example.com", "password": PASSWORD}).headers[
        "set-cookie"
    ]
    assert cookie.startswith("__Host-noria_session=")
    for word in ("HttpOnly", "SameSite=strict", "Secure", "Path=/"):
        assert word in cookie


def test_changes_need_the_csrf_token(client: Client, control: Control) -> None:
    page = client()
    csrf = _set_up(page, control)
    draft = {"name": "k"}
    assert page.post("/api/keys", json=draft).json()["error"]["code"] == "csrf"
    assert page.post("/api/keys", json=draft, headers={"x-csrf-token": "0" * 64}).status_code == 403
    assert page.post("/api/keys", json=draft, headers=csrf).status_code == 201


def test_other_origins_are_refused(client: Client, control: Control) -> None:
    page = client()
    csrf = _set_up(page, control)
    foreign = page.post("/api/keys", json={"name": "k"}, headers={**csrf, "origin": "https://evil.example"})
    assert foreign.json()["error"]["code"] == "origin"
    own = page.post("/api/keys", json={"name": "k"}, headers={**csrf, "origin": "http://127.0.0.1:8400"})
    assert own.status_code == 201


def test_other_hosts_are_refused(client: Client) -> None:
    answer = client().get("/api/session", headers={"host": "rebound.example"})
    assert answer.json()["error"]["code"] == "unknown_host"


def test_signing_out_ends_the_session(client: Client, control: Control) -> None:
    page = client()
    csrf = _set_up(page, control)
    cookie = dict(page.cookies)
    assert page.delete("/api/session", headers=csrf).status_code == 204
    page.cookies.update(cookie)
    assert page.get("/api/keys").status_code == 401


def test_guessing_is_slowed_down(client: Client, control: Control) -> None:
    _set_up(client(), control)
    guesser = client()
    wrong = {"email": "ann@example.com", "password": "guess"}
    answers = [guesser.post("/api/session", json=wrong) for _ in range(11)]
    assert {answer.status_code for answer in answers[:10]} == {401}
    assert answers[10].status_code == 429 and int(answers[10].headers["retry-after"]) >= 1
    right = guesser.post("/api/session", json={**wrong, "password": PASSWORD})
    assert right.status_code == 429, "not even the right password tells a guesser anything"


def test_guessing_all_at_once_is_slowed_down_too(control: Control) -> None:
    tried = 0

    def counted(password: str, stored: str) -> bool:
        nonlocal tried
        tried += 1
        time.sleep(0.05)
        return False

    def guess(number: int) -> None:
        with pytest.raises((Unauthenticated, RateLimited)):
            control.sign_in.with_password(f"{number}@example.com", "x", peer=f"2001:db8::{number:x}")

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(40) as pool:
        patch.setattr(password, "matches", counted)
        list(pool.map(guess, range(40)))
    assert tried == 10


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
    ],
)
def test_the_network_of_an_address(peer: str, network: str) -> None:
    assert network_of(peer) == network


def test_an_address_that_nobody_vouches_for_opens_no_account_with_a_password(
    client: Client, control: Control
) -> None:
    _set_up(client(), control)
    found = Identity(issuer="https://i", subject="s", email="ann@example.com")
    with pytest.raises(Forbidden, match="vouch"):
        control.sign_in.with_identity(found, peer="")
    proved = msgspec.structs.replace(found, verified=True)
    assert control.sign_in.with_identity(proved, peer="")[1].email == "ann@example.com"


def test_unknown_and_known_addresses_are_refused_alike(client: Client, control: Control) -> None:
    _set_up(client(), control)
    bodies = [
        client().post("/api/session", json={"email": email, "password": "wrong"}).json()
        for email in ("ann@example.com", "nobody@example.com")
    ]
    assert bodies[0] == bodies[1]


def test_an_invited_person_gets_the_roles_of_the_invitation(client: Client, control: Control) -> None:
    page = client()
    csrf = _set_up(page, control)
    invite = {"email": "bob@example.com", "roles": {"search": "viewer"}}
    link = page.post("/api/accounts", json=invite, headers=csrf).json()["link"]
    bob = client()
    token = link.partition("token=")[2]
    assert bob.post("/api/setup", json={"token": token, "password": "short"}).status_code == 400
    assert bob.post("/api/setup", json={"token": token, "password": PASSWORD}).status_code == 200
    assert bob.get("/api/keys", params={"project": "search"}).status_code == 200
    assert bob.get("/api/keys").status_code == 403
    assert bob.get("/api/session").json()["projects"] == ["search"]


def test_disabling_takes_effect_at_once(client: Client, control: Control) -> None:
    page = client()
    csrf = _set_up(page, control)
    invited = page.post(
        "/api/accounts", json={"email": "bob@example.com", "roles": {"*": "viewer"}}, headers=csrf
    ).json()
    bob = client()
    bob.post("/api/setup", json={"token": invited["link"].partition("token=")[2], "password": PASSWORD})
    assert bob.get("/api/keys").status_code == 200
    page.patch(f"/api/accounts/{invited['account']['id']}", json={"disabled": True}, headers=csrf)
    assert bob.get("/api/keys").status_code == 401


def test_the_last_administrator_stays(client: Client, control: Control) -> None:
    page = client()
    csrf = _set_up(page, control)
    id = page.get("/api/accounts").json()["items"][0]["id"]
    answer = page.patch(f"/api/accounts/{id}", json={"roles": {"*": "viewer"}}, headers=csrf)
    assert answer.status_code == 409


def test_a_changed_password_ends_other_sessions(client: Client, control: Control) -> None:
    here, there = client(), client()
    csrf = _set_up(here, control)
    there.post("/api/session", json={"email": "ann@example.com", "password": PASSWORD})
    body = {"old": PASSWORD, "new": "another horse battery"}
    assert here.post("/api/accounts/me/password", json=body, headers=csrf).status_code == 204
    assert here.get("/api/keys").status_code == 200
    assert there.get("/api/keys").status_code == 401


def test_the_local_token_counts_only_on_this_machine(client: Client, control: Control) -> None:
    assert client(local=True).get("/api/accounts").status_code == 200
    outside = client(key=control.local_token)
    assert outside.get("/api/accounts").status_code == 401


def test_every_answer_has_the_security_headers(client: Client) -> None:
    for path in ("/", "/api/session", "/healthz", "/api/nothing"):
        headers = client().get(path).headers
        assert (
            "'unsafe-inline'" not in headers["content-security-policy"].split("script-src")[1].split(";")[0]
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert client().get("/api/session").headers["cache-control"] == "no-store"


def _identity(subject: str, email: str, roles: dict[str, str] | None = None) -> Identity:
    return Identity(issuer="https://idp", subject=subject, email=email, roles=roles)  # type: ignore[arg-type]


def test_an_identity_without_roles_needs_an_invitation(control: Control) -> None:
    with pytest.raises(Forbidden, match="no account here"):
        control.sign_in.with_identity(_identity("1", "ann@example.com"), peer="")
    control.accounts.invite("ann@example.com", name="", roles={"search": "editor"}, by=SYSTEM)
    _, who = control.sign_in.with_identity(_identity("1", "Ann@example.com"), peer="")
    assert who.roles == {"search": "editor"}


def test_an_address_belongs_to_the_identity_that_came_first(control: Control) -> None:
    control.sign_in.with_identity(_identity("1", "ann@example.com", {"*": "viewer"}), peer="")
    with pytest.raises(Forbidden, match="another identity"):
        control.sign_in.with_identity(_identity("2", "ann@example.com", {"*": "admin"}), peer="")


def test_roles_of_the_provider_are_taken_anew_at_each_sign_in(control: Control) -> None:
    token, _ = control.sign_in.with_identity(_identity("1", "ann@example.com", {"*": "admin"}), peer="")
    with pytest.raises(Forbidden):
        control.sign_in.with_identity(_identity("1", "ann@example.com", {}), peer="")
    control.sign_in.with_identity(_identity("1", "ann@example.com", {"*": "viewer"}), peer="")
    who = control.sign_in.resolve(token)
    assert who is not None and who.roles == {"*": "viewer"}
