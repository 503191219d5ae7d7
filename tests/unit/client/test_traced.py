"""`@noria.trace`: spans of functions of every kind."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import noria
from noria.client.shown import HIDDEN, as_text


class Spans(InMemorySpanExporter):
    def one(self, name: str) -> ReadableSpan:
        [span] = [span for span in self.get_finished_spans() if span.name == name]
        return span

    def value(self, name: str, side: str) -> Any:
        text = (self.one(name).attributes or {}).get(f"{side}.value")
        return None if text is None else json.loads(str(text))


@pytest.fixture
def spans() -> Iterator[Spans]:
    """OpenTelemetry lets a process set one provider; each test adds its own exporter."""
    provider = otel.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        otel.set_tracer_provider(provider)
    found = Spans()
    provider.add_span_processor(SimpleSpanProcessor(found))
    yield found
    found.shutdown()


@dataclass
class Order:
    id: int
    api_key: str = "s3cret"


def test_a_call_keeps_its_arguments_and_result(spans: Spans) -> None:
    @noria.trace(operation="execute_tool")
    def total(order: Order, *amounts: float, password: str = "x") -> dict[str, float]:
        return {"total": sum(amounts)}

    assert total(Order(7), 1.5, 2, password="y") == {"total": 3.5}
    assert spans.value("total", "input") == {
        "order": {"id": 7, "api_key": HIDDEN}, "amounts": [1.5, 2], "password": HIDDEN
    }  # fmt: skip
    assert spans.value("total", "output") == {"total": 3.5}
    attributes = spans.one("total").attributes or {}
    assert attributes["gen_ai.operation.name"] == "execute_tool"
    assert str(attributes["code.function.name"]).endswith("total")


def test_calls_nest_and_siblings_share_their_parent(spans: Spans) -> None:
    @noria.trace
    def inner(number: int) -> int:
        return number

    @noria.trace(name="whole thing")
    def outer() -> int:
        return inner(1) + inner(2)

    outer()
    parent = spans.one("whole thing").context
    inners = [span for span in spans.get_finished_spans() if span.name == "inner"]
    assert len(inners) == 2
    assert all(span.parent and parent and span.parent.span_id == parent.span_id for span in inners)


def test_a_failure_is_recorded_and_raised_as_it_is(spans: Spans) -> None:
    @noria.trace
    def broken() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        broken()
    span = spans.one("broken")
    assert span.status.status_code is otel.StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "KeyError"
    assert [event.name for event in span.events] == ["exception"]


def test_a_wrong_call_raises_what_it_raised_before(spans: Spans) -> None:
    @noria.trace
    def exact(number: int) -> int:
        return number

    with pytest.raises(TypeError, match="unexpected keyword"):
        exact(1, other=2)  # type: ignore[call-arg]
    assert spans.one("exact").status.status_code is otel.StatusCode.ERROR


async def test_coroutines_side_by_side_keep_their_own_children(spans: Spans) -> None:
    @noria.trace
    async def leaf(name: str) -> str:
        await asyncio.sleep(0.01)
        return name

    @noria.trace
    async def branch(name: str) -> str:
        await asyncio.sleep(0)
        return await leaf(name)

    assert await asyncio.gather(branch("a"), branch("b")) == ["a", "b"]
    by_id = {span.context.span_id: span for span in spans.get_finished_spans() if span.context}
    leaves = [span for span in by_id.values() if span.name == "leaf"]
    for span in leaves:
        assert span.parent is not None
        parent = by_id[span.parent.span_id]
        assert parent.attributes and span.attributes
        assert parent.attributes["input.value"] == span.attributes["input.value"]


async def test_a_cancelled_coroutine_is_an_error_without_an_exception_event(spans: Spans) -> None:
    @noria.trace
    async def slow() -> None:
        await asyncio.sleep(10)

    task = asyncio.create_task(slow())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (spans.one("slow").attributes or {})["error.type"] == "CancelledError"


def test_a_generator_is_one_span_and_its_readers_work_is_not_in_it(spans: Spans) -> None:
    @noria.trace
    def inside() -> None: ...

    @noria.trace
    def between() -> None: ...

    @noria.trace
    def told(count: int) -> Iterator[str]:
        for number in range(count):
            inside()
            yield f"piece {number} "

    for _ in told(2):
        between()
    span = spans.one("told")
    assert (span.attributes or {})["output.value"] == "piece 0 piece 1 "
    parents = {one.name: one.parent for one in spans.get_finished_spans()}
    assert parents["between"] is None
    assert parents["inside"] is not None and span.context is not None
    assert parents["inside"].span_id == span.context.span_id


def test_a_generator_still_takes_what_is_sent_and_thrown(spans: Spans) -> None:
    seen: list[Any] = []

    @noria.trace
    def talk() -> Iterator[str]:
        while True:
            try:
                seen.append((yield "more"))  # type: ignore[misc]
            except ValueError:
                seen.append("thrown")
                return

    running: Any = talk()
    assert next(running) == "more"
    running.send("sent")
    with pytest.raises(StopIteration):
        running.throw(ValueError("x"))
    assert seen == ["sent", "thrown"]
    assert spans.one("talk").status.status_code is otel.StatusCode.UNSET


async def test_an_async_generator_left_early_has_not_failed(spans: Spans) -> None:
    closed: list[bool] = []

    @noria.trace
    async def told() -> AsyncIterator[int]:
        try:
            for number in range(100):
                yield number
        finally:
            closed.append(True)

    running: Any = told()
    assert [await anext(running), await anext(running)] == [0, 1]
    await running.aclose()
    assert closed == [True]
    assert spans.value("told", "output") == [0, 1]
    assert spans.one("told").status.status_code is otel.StatusCode.UNSET


def test_what_is_kept_can_be_chosen(spans: Spans) -> None:
    @noria.trace(capture=False)
    def silent(text: str) -> str:
        return text

    @noria.trace(capture=("question", "return"))
    def chosen(question: str, history: list[str]) -> str:
        return question

    @noria.trace(limit=100)
    def long(text: str) -> str:
        return text

    silent("a")
    chosen("why", ["x"])
    long("z" * 10_000)
    assert not {"input.value", "output.value"} & set(spans.one("silent").attributes or {})
    assert spans.value("chosen", "input") == {"question": "why"}
    attributes = spans.one("long").attributes or {}
    assert len(str(attributes["input.value"])) < 200
    assert len(str(attributes["output.value"])) < 200


def test_a_method_is_shown_without_its_self(spans: Spans) -> None:
    class Shop:
        @noria.trace
        def buy(self, what: str) -> str:
            return what

    assert Shop().buy("tea") == "tea"
    assert spans.value("buy", "input") == {"what": "tea"}


def test_whatever_the_value_it_is_shown_or_named_and_bounded() -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    loop: list[Any] = []
    loop.append(loop)
    values = [Hostile(), loop, float("nan"), b"\x00\xff", {1: {2}}, 1 << 80, "x" * 10_000, range(5), object]
    shown = as_text(values, 2_000)
    assert len(shown) < 4_000
    assert "Hostile" in shown
    json.loads(shown)
    assert len(as_text([["y" * 50] * 1_000] * 1_000, 1_000)) < 3_000
