"""Feedback through the SDK, to a real control process's application."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from noria import errors
from noria.access.keyring import KeyDraft
from noria.access.role import SYSTEM
from noria.client import AsyncNoria
from noria.runtime.control import Control
from noria.server.api.app import build
from noria.storage.home import Home
from noria.storage.spans import SpanStore, SpanWriter, day_of
from noria.tracing.span import Span

CONFIG = '[providers.acme]\ndialect = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nmodels = ["m"]\n'
AT = 1_795_176_000_000_000_000
TRACE = bytes(range(1, 17))


class Nothing:
    """No cards, no ledger: feedback asks for neither."""

    def card(self, name: str, kind: str) -> None: ...

    def price(self, name: str, kind: str) -> None: ...

    def cards(self) -> tuple[()]:
        return ()


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    (tmp_path / "noria.toml").write_text(CONFIG)
    home = Home(tmp_path / "home")
    writer = SpanWriter(home.spans, complete=lambda span: span)
    writer.write(day_of(AT), [Span(trace_id=TRACE, span_id=b"\1" * 8, name="a", start=AT, end=AT)], {})
    writer.close()
    nothing: Any = Nothing()
    found = Control(
        home, tmp_path / "noria.toml", models=nothing, spans=SpanStore(home.spans), ledger=nothing,
        collector=nothing,
    )  # fmt: skip
    found.start()
    yield found
    found.close()


def _client(control: Control, role: str) -> AsyncNoria:
    token = control.keys.create("default", KeyDraft(name=role, role=role), by=SYSTEM)[1]
    return AsyncNoria(api_key=token, transport=httpx2.ASGITransport(app=build(control)))


async def test_feedback_is_kept_with_its_trace(control: Control) -> None:
    async with _client(control, "editor") as noria:
        given = await noria.feedback(TRACE.hex(), kind="score", value=0.5, name="helpful", comment="so-so")
    [kept] = control.feedback.of_trace("default", TRACE.hex())
    assert (kept.id, kept.value, kept.name, kept.comment) == (given, 0.5, "helpful", "so-so")


async def test_a_refusal_says_what_is_missing(control: Control) -> None:
    async with _client(control, "caller") as noria:
        with pytest.raises(errors.RequestError, match="role"):
            await noria.feedback(TRACE.hex(), kind="thumb", value=True)
    async with _client(control, "editor") as noria:
        with pytest.raises(errors.InvalidRequest, match="trace"):
            await noria.feedback("nonsense", kind="thumb", value=True)
