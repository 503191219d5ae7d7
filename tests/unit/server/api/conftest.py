"""A control process's application over a fresh home, called in process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from noria.models.card import Card
from noria.models.price import Price
from noria.runtime.control import Control
from noria.runtime.neighbour import Stand
from noria.server.api.app import build
from noria.storage.home import Home
from noria.storage.spans import SpanStore
from noria.tracing.store import CostRow, Costs, Erasure, Window

CONFIG = (Path(__file__).parent / "noria.toml").read_text()


class KnownModels:
    """Two cards; whoever serves them."""

    _cards = {
        "small": Card(id="acme/small", name="Small", capabilities=("chat",), context=8192, max_output=1024),
        "large": Card(id="acme/large", name="Large", family="acme"),
    }

    def card(self, name: str, kind: str) -> Card | None:
        return self._cards.get(name)

    def price(self, name: str, kind: str) -> Price | None:
        return None

    def cards(self) -> Iterable[Card]:
        return self._cards.values()


class Books:
    """A ledger that says what it was given, whatever the window; and a collector that finds nothing."""

    def __init__(self) -> None:
        self.rows: dict[str, list[CostRow]] = {}

    def costs(self, project: str | None, window: Window, *, by: str) -> Costs:
        rows = self.rows.get(by, [])
        total = CostRow("", "0", 0, 0, 0, 0, 0, 0, 0)
        return Costs(by, window.start // 1_000_000, window.end // 1_000_000, rows, total)

    async def erase_user(self, project: str, user: str, also: Sequence[str] = ()) -> Erasure:
        return Erasure(0, 0, 0)

    async def stand(self) -> Stand | None:
        return None


def make_control(folder: Path, *, books: Books | None = None, config: str = CONFIG) -> Control:
    path = folder / "noria.toml"
    path.write_text(config)
    home = Home(folder / "home")
    books = books or Books()
    return Control(
        home, path, models=KnownModels(), spans=SpanStore(home.spans), ledger=books, collector=books
    )


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def control(tmp_path: Path, books: Books) -> Iterator[Control]:
    found = make_control(tmp_path, books=books)
    found.start()
    yield found
    found.close()


Client = Callable[..., TestClient]


@pytest.fixture
def client(control: Control) -> Client:
    """Makes clients: `client()` is a stranger through a worker, `client(local=True)` the command line."""
    app = build(control)

    def make(*, local: bool = False, key: str = "", tls: bool = False) -> TestClient:
        scheme = "https" if tls else "http"
        headers = {} if local else {"x-forwarded-proto": scheme, "x-forwarded-for": "192.0.2.1"}
        if local:
            headers["authorization"] = f"Bearer {control.local_token}"
        elif key:
            headers["authorization"] = f"Bearer {key}"
        return TestClient(app, base_url=f"{scheme}://127.0.0.1:8400", headers=headers)

    return make
