"""Exports: from the span store to a real OTLP receiver, through deaths and refusals."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from noria.config.load import load
from noria.exporters import Target
from noria.runtime.export import Exporter, exporters
from noria.runtime.export_options import export_options
from noria.storage.home import Home
from noria.storage.spans import SpanWriter, day_of
from noria.testing.receiver import Receiver
from noria.testing.stack import free_port
from noria.tracing.otlp import Sender as Who
from noria.tracing.otlp import complete, placeholder
from noria.tracing.span import Event, Span

NOW = time.time_ns()
TODAY = day_of(NOW)


def _span(trace: int, number: int = 1, *, name: str = "work", project: str = "default") -> Span:
    return Span(
        trace_id=trace.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"), name=name, start=NOW,
        end=NOW + 5, project=project, input="what was said",
    )  # fmt: skip


class Store:
    """A home whose spans are written to as the collector does."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self._writer = SpanWriter(self.home.spans, complete=complete)

    def write(self, *spans: Span, days_ago: int = 0) -> None:
        self._writer.write(TODAY - timedelta(days=days_ago), spans, {})

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path / "home")
    yield found
    found.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


def _exporter(store: Store, url: str, **more: object) -> Exporter:
    target = Target(name="other", endpoint=url, **more)  # type: ignore[arg-type]
    return Exporter(store.home, target, first_pause=0.05, environment={"TOKEN": "t-1"})


def _ids(spans: list[Span]) -> list[tuple[int, int]]:
    return [(int.from_bytes(span.trace_id, "big"), int.from_bytes(span.span_id, "big")) for span in spans]


def _settled(receiver: Receiver, count: int) -> list[tuple[int, int]]:
    """All that came, some time after `count` have."""
    receiver.wait(count)
    time.sleep(0.7)
    return _ids(receiver.spans())


def test_what_comes_is_sent_once_with_what_the_target_asks_for(store: Store, receiver: Receiver) -> None:
    store.write(_span(1))
    exporter = _exporter(store, receiver.url, headers={"x-token": "env:TOKEN"})
    exporter.start()
    store.write(_span(2), _span(2, 2), _span(3, project="another"))
    receiver.wait(3)
    store.write(_span(2, 3))
    assert sorted(_settled(receiver, 4)) == [(2, 1), (2, 2), (2, 3), (3, 1)]
    exporter.stop()
    assert exporter.stand().sent == 4
    assert exporter.stand().problem == ""
    first = receiver.posted[0]
    assert (first.path, first.headers["x-token"]) == ("/v1/traces", "t-1")
    assert first.headers["content-encoding"] == "gzip"
    assert b"what was said" not in b"".join(one.body for one in receiver.posted)


def test_a_death_and_a_pause_lose_nothing(store: Store, receiver: Receiver) -> None:
    exporter = _exporter(store, receiver.url)
    exporter.start()
    store.write(_span(1))
    receiver.wait(1)
    exporter.stop()
    store.write(_span(1, 2), _span(2), days_ago=3)
    store.write(*(_span(number) for number in range(10, 700)))
    exporter = _exporter(store, receiver.url)
    exporter.start()
    found = _settled(receiver, 1 + 2 + 690)
    exporter.stop()
    assert len(found) == len(set(found)) == 693


def test_a_receiver_that_is_down_gets_all_when_it_is_back(store: Store) -> None:
    port = free_port()
    exporter = _exporter(store, f"http://127.0.0.1:{port}")
    exporter.start()
    store.write(_span(1), _span(2))
    until = time.monotonic() + 10
    while not exporter.stand().problem and time.monotonic() < until:
        time.sleep(0.01)
    assert "does not answer" in exporter.stand().problem
    exporter.stop()
    with Receiver() as receiver:
        exporter = _exporter(store, receiver.url)
        exporter.start()
        assert _settled(receiver, 2) == [(1, 1), (2, 1)]
        exporter.stop()


def test_retry_after_is_kept_and_final_refusals_are_counted(store: Store, receiver: Receiver) -> None:
    exporter = _exporter(store, receiver.url)
    receiver.refuse(503, retry_after="1")
    exporter.start()
    store.write(_span(1))
    receiver.wait(1)
    assert receiver.posted[0].at - receiver.refused[0] >= 1.0
    receiver.refuse(400)
    store.write(_span(2))
    until = time.monotonic() + 10
    while not exporter.stand().rejected and time.monotonic() < until:
        time.sleep(0.01)
    store.write(_span(3))
    assert _settled(receiver, 2) == [(1, 1), (3, 1)]
    exporter.stop()
    assert (exporter.stand().sent, exporter.stand().rejected) == (2, 1)


def test_a_batch_that_is_too_large_is_halved(store: Store, receiver: Receiver) -> None:
    exporter = _exporter(store, receiver.url)
    receiver.refuse(413)
    store.write(*(_span(number) for number in range(1, 7)))
    exporter.start()
    assert sorted(_settled(receiver, 6)) == [(number, 1) for number in range(1, 7)]
    exporter.stop()
    assert len(receiver.posted) == 2


def test_a_span_of_which_only_an_event_has_come_is_sent_when_it_is_whole(
    store: Store, receiver: Receiver
) -> None:
    exporter = _exporter(store, receiver.url, payloads=True)
    exporter.start()
    event = Event("gen_ai.user.message", NOW, {"content": "why"})
    ids = {"trace_id": (1).to_bytes(16, "big"), "span_id": (1).to_bytes(8, "big")}
    store.write(placeholder(**ids, event=event, sender=Who()), _span(1, 2))
    receiver.wait(1)
    store.write(_span(1, 1, name="chat"))
    found = _settled(receiver, 2)
    exporter.stop()
    assert set(found) == {(1, 1), (1, 2)}
    [whole] = [span for span in receiver.spans() if span.name == "chat"]
    assert whole.events == (event,)


def test_a_secret_that_is_not_there_is_waited_for(store: Store, receiver: Receiver, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    exporter = _exporter(store, receiver.url, headers={"x-token": f"file:{secret}"})
    exporter.start()
    store.write(_span(1))
    until = time.monotonic() + 10
    while not exporter.stand().problem and time.monotonic() < until:
        time.sleep(0.01)
    assert "cannot be read" in exporter.stand().problem
    secret.write_text("t-2")
    receiver.wait(1)
    exporter.stop()
    assert receiver.posted[0].headers["x-token"] == "t-2"
    assert exporter.stand().problem == ""


def test_options_of_the_command_line_name_exports(store: Store, receiver: Receiver) -> None:
    target = Target(name="other", endpoint=receiver.url, ca_file="/nowhere/ca.pem")
    [exporter] = exporters(store.home, [msgspec.json.encode(target).decode()])
    assert exporter.target == target
    exporter.start()
    store.write(_span(1))
    until = time.monotonic() + 10
    while not exporter.stand().problem and time.monotonic() < until:
        time.sleep(0.01)
    exporter.stop()
    assert "ca_file" in exporter.stand().problem


def test_noria_toml_says_where_to(tmp_path: Path) -> None:
    path = tmp_path / "noria.toml"
    path.write_text(
        '[telemetry.export.other]\nendpoint = "https://otel.example.com/"\npayloads = true\ntimeout = "3s"\n'
        'ca_file = "ca.pem"\nheaders = { x-token = "file:token.txt" }\n'
    )
    option, value = export_options(load(path), tmp_path)
    assert option == "--export"
    assert msgspec.json.decode(value, type=Target) == Target(
        name="other",
        endpoint="https://otel.example.com",
        headers={"x-token": f"file:{tmp_path / 'token.txt'}"},
        payloads=True,
        timeout=3.0,
        ca_file=str(tmp_path / "ca.pem"),
    )
