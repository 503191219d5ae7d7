"""Sign-in against a real OpenID Connect provider, and what is refused on the way."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2
import msgspec
import pytest
from fastapi.testclient import TestClient

from noria.access.oidc import Oidc, Provider
from noria.core.clock import SystemClock
from noria.errors import Forbidden, UpstreamError
from noria.runtime.control import open_control
from noria.server.api.app import build
from noria.server.api.oidc_fetch import fetch
from noria.storage.home import Home

CALLBACK = "http://127.0.0.1:8400/api/oidc/callback"
_FOLDER = Path(__file__).parent / "oidc_provider"
_PEPPER = bytes(32)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("needs node and npm")
    if not (_FOLDER / "node_modules").is_dir():
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=_FOLDER, check=True, capture_output=True)
    port = _free_port()
    server = subprocess.Popen(
        [node, "provider.mjs", str(port), CALLBACK],
        cwd=_FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None and server.stdout.readline() == "ready\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def provider(issuer: str) -> Provider:
    return Provider(
        issuer=issuer,
        client_id="noria test",
        client_secret="a secret: with + and %",
        scopes=("openid", "profile", "email", "groups"),
        roles={"staff": "editor", "everyone": "viewer"},
    )


def _oidc(provider: Provider) -> Oidc:
    return Oidc(provider, fetch, SystemClock(), pepper=_PEPPER)


def _browse(url: str, name: str) -> dict[str, str]:
    """What a person does: follow, sign in, consent; the query with which the browser comes back."""
    with httpx2.Client(timeout=20) as browser:
        answer = browser.get(url)
        for _ in range(20):
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["location"])
                if target.startswith(CALLBACK):
                    return dict(parse_qsl(urlsplit(target).query))
                answer = browser.get(target)
                continue
            action = re.search(r'action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert action and prompt, answer.text
            form = {"prompt": prompt[1]} | ({"login": name, "password": "x"} if prompt[1] == "login" else {})
            answer = browser.post(urljoin(str(answer.url), action[1]), data=form)
    raise AssertionError("the provider never sent the browser back")


def _finish(oidc: Oidc, saved: str, query: dict[str, str]) -> tuple[object, str]:
    return oidc.finish(
        callback=CALLBACK,
        saved=saved,
        state=query.get("state", ""),
        code=query.get("code", ""),
        error=query.get("error", ""),
        issuer=query.get("iss", ""),
    )


def test_a_person_signs_in_and_comes_back_to_their_page(provider: Provider) -> None:
    oidc = _oidc(provider)
    started = oidc.begin(callback=CALLBACK, to="/traces?q=status:error")
    identity, to = _finish(oidc, started.state, _browse(started.url, "ann"))
    assert msgspec.structs.asdict(identity) == {  # type: ignore[arg-type]
        "issuer": provider.issuer,
        "subject": "ann",
        "email": "ann@example.com",
        "verified": True,
        "name": "ann",
        "roles": {"*": "editor"},
    }
    assert to == "/traces?q=status:error"


def test_groups_decide_the_role(provider: Provider) -> None:
    oidc = _oidc(provider)
    started = oidc.begin(callback=CALLBACK, to="/")
    identity, _ = _finish(oidc, started.state, _browse(started.url, "eve"))
    assert identity.roles == {}  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "change"), [("mallory", {}), ("ann", {"domains": ("other.example",)})])
def test_addresses_that_do_not_count_are_refused(
    provider: Provider, name: str, change: dict[str, object]
) -> None:
    oidc = _oidc(msgspec.structs.replace(provider, **change))
    started = oidc.begin(callback=CALLBACK, to="/")
    query = _browse(started.url, name)
    with pytest.raises(Forbidden):
        _finish(oidc, started.state, query)


def test_an_answer_to_another_sign_in_is_refused(provider: Provider) -> None:
    oidc = _oidc(provider)
    mine = oidc.begin(callback=CALLBACK, to="/")
    theirs = oidc.begin(callback=CALLBACK, to="/")
    query = _browse(theirs.url, "ann")
    for saved in (mine.state, "", theirs.state[:-1] + ("0" if theirs.state[-1] != "0" else "1")):
        with pytest.raises(Forbidden, match="not begun here"):
            _finish(oidc, saved, query)
    with pytest.raises(Forbidden, match="not from the configured"):
        _finish(oidc, theirs.state, {**query, "iss": "https://evil.example"})


def test_a_code_works_once_and_only_with_its_verifier(provider: Provider) -> None:
    oidc = _oidc(provider)
    started = oidc.begin(callback=CALLBACK, to="/")
    query = _browse(started.url, "ann")
    other = oidc.begin(callback=CALLBACK, to="/")
    forged = dict(query, state=oidc._open(other.state).state)  # type: ignore[union-attr]
    with pytest.raises(UpstreamError):
        _finish(oidc, other.state, forged)


def test_a_token_with_another_nonce_is_refused(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    oidc = _oidc(provider)
    started = oidc.begin(callback=CALLBACK, to="/")
    query = _browse(started.url, "ann")
    saved = oidc._open(started.state)
    assert saved is not None
    with pytest.raises(Forbidden, match="does not hold"):
        _finish(oidc, oidc._seal(msgspec.structs.replace(saved, nonce="another")), query)


def test_one_comes_back_to_this_page_only(provider: Provider) -> None:
    oidc = _oidc(provider)
    for to in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb"):
        saved = oidc._open(oidc.begin(callback=CALLBACK, to=to).state)
        assert saved is not None and saved.to == "/"


def test_an_issuer_that_is_another_is_refused(provider: Provider) -> None:
    oidc = _oidc(msgspec.structs.replace(provider, issuer=provider.issuer.replace("127.0.0.1", "localhost")))
    with pytest.raises(UpstreamError, match="issuer"):
        oidc.begin(callback=CALLBACK, to="/")


def test_the_page_signs_in_from_its_button_to_its_cookie(
    issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OIDC_SECRET", "a secret: with + and %")
    (tmp_path / "noria.toml").write_text(
        f'[access.oidc]\nissuer = "{issuer}"\nclient_id = "noria test"\nclient_secret = "env:OIDC_SECRET"\n'
        'scopes = ["openid", "email", "groups"]\nroles = { staff = "editor" }\n'
    )
    control = open_control(Home(tmp_path / "home"), tmp_path / "noria.toml")
    control.start()
    try:
        headers = {"x-forwarded-proto": "http", "x-forwarded-for": "192.0.2.1"}
        page = TestClient(build(control), base_url="http://127.0.0.1:8400", headers=headers)
        assert page.get("/api/session").json()["methods"] == ["password", "oidc"]
        begun = page.get("/api/oidc/login", params={"to": "/models"}, follow_redirects=False)
        query = _browse(begun.headers["location"], "ann")
        done = page.get("/api/oidc/callback", params=query, follow_redirects=False)
        assert (done.status_code, done.headers["location"]) == (302, "/models")
        state = page.get("/api/session").json()
        assert (state["principal"]["email"], state["role"]) == ("ann@example.com", "editor")
        again = TestClient(build(control), base_url="http://127.0.0.1:8400", headers=headers)
        assert again.get("/api/oidc/callback", params=query, follow_redirects=False).status_code == 403
    finally:
        control.close()
