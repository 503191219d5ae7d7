"""What all tests share: Noria's own event loop, and an empty database on each engine."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pgserver
import pytest
import uvloop
from hypothesis import HealthCheck, settings
from sqlalchemy import text

from noria.storage.database import Database

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("noria", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noria")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL that belongs to this session."""
    # Not under pytest's folder: another session of pytest closes that to the user that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="noria-pg-") as folder:
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where an empty database is to be."""
    if request.param == "sqlite":
        return tmp_path / "noria.db"
    url = request.getfixturevalue("postgres")
    raw = Database.unchecked(url)
    with raw.write() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    raw.close()
    return url


@pytest.fixture
def database(place: Path | str) -> Iterator[Database]:
    """An empty database with the newest schema."""
    found = Database.open(place)
    yield found
    found.close()
