"""A gateway before a mock upstream that speaks every provider's dialect, for tests with official clients."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from noria.gateway.snapshot import Breaker, Model, Provider, Route, Snapshot, Target
from noria.models.card import Card
from noria.models.price import Price
from noria.testing import Plan, Upstream
from noria.testing.inline import InlineGateway
from noria.testing.stack import snapshot

PRICE = Price(
    id="p1", input=Decimal(3), output=Decimal(15), cached=Decimal("0.3"), cache_write=Decimal("3.75")
)
_UPSTREAM_NAMES = {
    "anthropic": "claude-sonnet-4-5",
    "vertex-anthropic": "claude-sonnet-4-5@20250929",
    "gemini": "gemini-2.5-flash",
    "vertex": "gemini-2.5-flash",
    "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0",
}


def providers(url: str, folder: Path) -> dict[str, Provider]:
    """Every dialect that Noria speaks, at one address; `folder` gets the keys that AWS's signatures need."""
    for name in ("access", "secret"):
        (folder / name).write_text(f"mock-{name}")
        (folder / name).chmod(0o600)
    google = {"project": "p", "location": "europe-west4"}
    signed = {"access_key": f"file:{folder / 'access'}", "secret_key": f"file:{folder / 'secret'}"}
    rows: dict[str, dict[str, Any]] = {
        "openai": {"base_url": url + "/v1"},
        "openai-responses": {
            "dialect": "openai",
            "base_url": url + "/v1",
            "options": {"responses": "pass"},
        },
        "azure": {"base_url": url},
        "azure-old": {"dialect": "azure", "base_url": url, "options": {"api_version": "2024-10-21"}},
        "anthropic": {"base_url": url + "/v1"},
        "gemini": {"base_url": url + "/v1beta"},
        "vertex": {"base_url": url + "/v1", "options": google},
        "vertex-anthropic": {"base_url": url + "/v1", "options": google},
        "bedrock": {"base_url": url, "auth": "sigv4", "secrets": signed, "options": {"region": "eu-west-1"}},
    }
    return {
        name: Provider(**{"name": name, "dialect": name, "auth": "none", **row}) for name, row in rows.items()
    }


def every_dialect(url: str, folder: Path) -> Snapshot:
    """A route for each provider, called as it is, and one for its embeddings."""
    found = providers(url, folder)
    models: dict[str, Model] = {}
    routes: dict[str, Route] = {}
    for name in found:
        for suffix, upstream in (
            ("", _UPSTREAM_NAMES.get(name, "gpt-4o")),
            ("-embedding", _EMBEDDERS.get(name, "text-embedding-3-small")),
        ):
            id = f"{name}/{upstream}"
            card = Card(id=id, name=upstream, context=200_000, max_output=8192)
            models[id] = Model(id=id, provider=name, upstream=upstream, card=card, price=PRICE)
            routes[name + suffix] = Route(
                name=name + suffix, targets=(Target(model=id),), retries=0, breaker=Breaker(failures=10**6)
            )
    return snapshot(providers=found, models=models, routes=routes)


_EMBEDDERS = {
    "gemini": "gemini-embedding-001",
    "vertex": "text-embedding-005",
    "bedrock": "amazon.titan-embed-text-v2:0",
}


one_loop = {"scope": "module", "loop_scope": "module"}


@pytest_asyncio.fixture(**one_loop)
async def mock() -> AsyncIterator[Upstream]:
    async with Upstream() as up:
        yield up


@pytest_asyncio.fixture(**one_loop)
async def noria(mock: Upstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[InlineGateway]:
    folder = tmp_path_factory.mktemp("noria")
    async with InlineGateway(folder / "home", every_dialect(mock.url, folder)) as gateway:
        yield gateway


@pytest.fixture
def upstream(mock: Upstream) -> Upstream:
    """The mock, with nothing planned or served yet."""
    mock.reset()
    mock.default = Plan()
    return mock
