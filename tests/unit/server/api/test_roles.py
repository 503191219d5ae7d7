"""Every route refuses strangers, and everybody whose role is less than it needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from noria.access.keyring import KeyDraft
from noria.access.role import ROLES, SYSTEM
from noria.runtime.control import Control
from noria.server.api.app import ROUTERS
from noria.server.api.caller import Guard, signed_in

Client = Callable[..., TestClient]
OPEN = {
    ("GET", "/api/session"), ("POST", "/api/session"), ("DELETE", "/api/session"), ("POST", "/api/setup"),
    ("GET", "/api/oidc/login"), ("GET", "/api/oidc/callback"), ("GET", "/healthz"),
}  # fmt: skip
"""Those that make somebody of a stranger, or say only that the process lives."""


def _needs(dependant: Dependant) -> Iterator[object]:
    for one in dependant.dependencies:
        yield one.call
        yield from _needs(one)


def _routes() -> list[tuple[str, str, Guard | None]]:
    found: list[tuple[str, str, Guard | None]] = []
    for module in ROUTERS:
        for route in module.router.routes:
            assert isinstance(route, APIRoute)
            calls = list(_needs(route.dependant))
            guard = next((call for call in calls if isinstance(call, Guard)), None)
            for method in route.methods or ():
                if (method, route.path) not in OPEN:
                    assert guard is not None or signed_in in calls, f"{method} {route.path} has no guard"
                    found.append((method, re.sub(r"{[^}]+}", "1", route.path), guard))
    return found


ROUTES = _routes()


def test_there_are_many_routes() -> None:
    assert len(ROUTES) > 50


@pytest.fixture
def keys(control: Control) -> dict[str, str]:
    """A token for each role in project "mine"."""
    roles = ("caller", *ROLES)
    return {role: control.keys.create("mine", KeyDraft(name=role, role=role), by=SYSTEM)[1] for role in roles}


def test_strangers_are_refused(client: Client) -> None:
    stranger = client()
    for method, path, _ in ROUTES:
        answer = stranger.request(method, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated"), path


def test_lesser_roles_are_refused(client: Client, keys: dict[str, str]) -> None:
    clients = {role: client(key=token) for role, token in keys.items()}
    for method, path, guard in ROUTES:
        if guard is None:
            continue
        refused = ROLES if guard.anywhere else ROLES[: ROLES.index(guard.role)]
        for role in ("caller", *refused):
            answer = clients[role].request(method, path, params={"project": "mine"})
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden"), (path, role)


def test_roles_end_at_their_project(client: Client, keys: dict[str, str]) -> None:
    admin = client(key=keys["admin"])
    for method, path, guard in ROUTES:
        if guard is not None:
            for project in ("other", "*"):
                answer = admin.request(method, path, params={"project": project})
                assert answer.status_code == 403, (path, project)


def test_the_role_itself_is_let_in(client: Client, keys: dict[str, str]) -> None:
    clients = {role: client(key=token) for role, token in keys.items()}
    for method, path, guard in ROUTES:
        if guard is not None and not guard.anywhere and method == "GET":
            answer = clients[guard.role].request(method, path, params={"project": "mine"})
            assert answer.status_code not in (401, 403), path
