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
    [kept] = control.feedback.table.of_trace("default", TRACE.hex())
    assert (kept.id, kept.value, kept.name, kept.comment) == (given, 0.5, "helpful", "so-so")


async def test_a_key_that_only_calls_may_say_what_an_answer_was_worth(control: Control) -> None:
    async with _client(control, "caller") as noria:
        first = await noria.feedback(TRACE.hex(), kind="thumb", value=True, id="click-1", user="ann")
        assert await noria.feedback(TRACE.hex(), kind="thumb", value=True, id="click-1", user="ann") == first
        assert await noria.revise_feedback("click-1", value=False, comment="no, wrong") == 2
        assert await noria.feedback(TRACE.hex(), kind="thumb", value=True, id="click-1", user="ann") == first
        with pytest.raises(errors.Conflict, match="revise"):
            await noria.feedback(TRACE.hex(), kind="thumb", value=False, id="click-1", user="bob")
    [kept] = control.feedback.table.of_trace("default", TRACE.hex())
    assert (kept.value, kept.comment, kept.revision, kept.user) == (False, "no, wrong", 2, "ann")
    assert [one.value for one in control.feedback.history("default", first)] == [True, False]


async def test_what_is_taken_back_no_longer_counts_and_is_not_lost(control: Control) -> None:
    async with _client(control, "caller") as noria:
        id = await noria.feedback(TRACE.hex(), kind="comment", comment="mine")
        await noria.retract_feedback(id)
        with pytest.raises(errors.Conflict, match="retracted"):
            await noria.revise_feedback(id, comment="again")
    assert control.feedback.table.of_trace("default", TRACE.hex()) == []
    assert [one.retracted for one in control.feedback.history("default", id)] == [False, True]


async def test_one_bad_item_does_not_keep_the_others_back(control: Control) -> None:
    good = {"session": "s-1", "kind": "score", "name": "csat", "value": 4}
    async with _client(control, "caller") as noria:
        first, bad, last = await noria.feedback_batch([good, {**good, "value": "four"}, {**good, "id": "x"}])
    assert first.id and last.id and not bad.id and "finite number" in bad.refused


async def test_nobody_else_changes_what_one_said(control: Control) -> None:
    async with _client(control, "caller") as noria:
        id = await noria.feedback(TRACE.hex(), kind="thumb", value=True)
    async with _client(control, "editor") as other:
        with pytest.raises(errors.Forbidden, match="Only caller can"):
            await other.revise_feedback(id, value=False)


async def test_a_refusal_says_what_is_wrong(control: Control) -> None:
    async with _client(control, "editor") as noria:
        with pytest.raises(errors.InvalidRequest, match="trace"):
            await noria.feedback("nonsense", kind="thumb", value=True)
        with pytest.raises(errors.InvalidRequest, match="A thumb"):
            await noria.feedback(TRACE.hex(), kind="thumb", value="yes")
        with pytest.raises(errors.InvalidRequest, match="Say what the feedback is about"):
            await noria.feedback(kind="thumb", value=True)
    stranger = AsyncNoria(api_key="", transport=httpx2.ASGITransport(app=build(control)))
    with pytest.raises(errors.Unauthenticated):
        await stranger.feedback(TRACE.hex(), kind="thumb", value=True)
