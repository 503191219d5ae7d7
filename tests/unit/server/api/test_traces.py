"""What the page asks of traces and costs, over real files."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from noria.access.keyring import KeyDraft
from noria.access.role import SYSTEM
from noria.runtime.control import Control
from noria.storage.ledger import LedgerStore
from noria.storage.spans import SpanWriter, day_of
from noria.tracing.span import Span
from noria.tracing.store import CostRow

Client = Callable[..., TestClient]
TRACE = bytes(range(16))


@pytest.fixture(autouse=True)
def spans(control: Control) -> None:
    """One call of "ann" to the route "fast", a minute ago."""
    now = time.time_ns() - 60_000_000_000
    writer = SpanWriter(control.home.spans, complete=lambda span: span)
    call = Span(
        trace_id=TRACE, span_id=b"12345678", name="chat fast", kind="server", start=now,
        end=now + 250_000_000,
        status="ok", operation="chat", service="noria", provider="acme", model="fast", route="fast",
        target="acme/small", user="ann", input_tokens=10, output_tokens=20, usage="reported",
        cost_pico=1_500_000_000, first_token=now + 50_000_000, attempts=1, http_status=200, source="gateway",
        input="hello there", output="general",
    )  # fmt: skip
    writer.write(day_of(now), [call], {})
    writer.close()


def test_the_list_the_trace_and_its_facets(client: Client) -> None:
    page = client(local=True)
    (item,) = page.get("/api/traces", params={"q": "user:ann", "from": "-1h"}).json()["items"]
    assert (item["id"], item["cost"], item["output_tokens"]) == (TRACE.hex(), "0.0015", 20)
    assert page.get("/api/traces", params={"q": "user:bob"}).json()["items"] == []
    found = page.get(f"/api/traces/{TRACE.hex()}").json()
    assert found["trace"]["spans"][0]["input"] == "hello there" and found["feedback"] == []
    facets = page.get("/api/traces/facets").json()["fields"]
    assert facets["user"] == [{"value": "ann", "count": 1}]
    assert page.get("/api/traces/heatmap").status_code == 200
    position = page.get("/api/traces/since").json()["position"]
    assert page.get("/api/traces/since", params={"position": position}).json()["items"] == []


def test_pulse_has_the_call_and_the_mark_of_the_apply(client: Client) -> None:
    pulse = client(local=True).get("/api/pulse", params={"from": "-15m"}).json()
    assert pulse["totals"]["requests"] == 1
    assert [mark["label"] for mark in pulse["marks"]] == ["version 1: first start"]


@pytest.mark.parametrize(
    ("path", "params", "param"),
    [
        ("/api/traces", {"q": "nonsense:1"}, None),
        ("/api/traces", {"from": "yesterday"}, "from"),
        ("/api/traces", {"from": "now", "to": "-1h"}, "to"),
        ("/api/traces", {"limit": "0"}, "limit"),
        ("/api/traces/zz", {}, None),
        ("/api/pulse", {"step": "0"}, "step"),
    ],
)
def test_wrong_questions_are_refused(
    client: Client, path: str, params: dict[str, str], param: str | None
) -> None:
    answer = client(local=True).get(path, params=params)
    assert answer.status_code == 400, answer.text
    if param is not None:
        assert answer.json()["error"]["param"] == param


def test_other_projects_see_nothing(client: Client) -> None:
    page = client(local=True)
    assert page.get("/api/traces", params={"project": "other"}).json()["items"] == []
    assert page.get(f"/api/traces/{TRACE.hex()}", params={"project": "other"}).status_code == 404


def test_feedback_is_kept_with_its_trace(client: Client, control: Control) -> None:
    _, token, _ = control.keys.create("default", KeyDraft(name="judge", role="editor"), by=SYSTEM)
    body = {"trace": TRACE.hex(), "kind": "thumb", "value": False, "comment": "wrong"}
    assert client(key=token).post("/api/feedback", json=body).status_code == 201
    (given,) = client(local=True).get(f"/api/traces/{TRACE.hex()}").json()["feedback"]
    assert (given["value"], given["comment"], given["by_name"]) == (False, "wrong", "judge")
    missing = client(key=token).post("/api/feedback", json={**body, "trace": "f" * 32})
    assert missing.status_code == 404


def test_models_show_what_was_measured(client: Client, books: Any) -> None:
    books.rows["model"] = [CostRow("acme/small", "0.0015", 1, 0, 0, 0, 10, 20, 0)]
    (model,) = client(local=True).get("/api/models").json()["items"]
    assert (model["id"], model["routes"], model["card"]["context"]) == ("acme/small", ["fast"], 8192)
    measured = model["measured"]
    assert (measured["calls"], measured["cost"], measured["tokens_per_s"]) == (1, "0.0015", 100.0)
    assert measured["p50_ms"] == pytest.approx(250, rel=0.02)


def test_costs_come_as_a_table_that_a_spreadsheet_does_not_run(client: Client, books: Any) -> None:
    books.rows["user"] = [CostRow('=cmd|"/c calc"', "0.0015", 1, 0, 0, 0, 10, 20, 0)]
    answer = client(local=True).get("/api/costs", params={"by": "user", "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.reader(io.StringIO(answer.text)))
    assert lines[0][:3] == ["user", "cost_usd", "calls"]
    assert lines[1][0].startswith("'=")
    assert lines[-1][0] == "total"


def test_an_unknown_grouping_is_refused(client: Client, control: Control) -> None:
    control.ledger = LedgerStore(control.home.ledger)
    assert client(local=True).get("/api/costs", params={"by": "mood"}).status_code == 400
    assert client(local=True).get("/api/costs", params={"by": "tag:env"}).json()["rows"] == []


def test_erasure_takes_the_feedback_along_and_is_on_record(client: Client) -> None:
    page = client(local=True)
    page.post("/api/feedback", json={"trace": TRACE.hex(), "kind": "comment", "comment": "ann again"})
    erased = page.post("/api/erasures", json={"user": "ann"}).json()
    assert (erased["traces"], erased["feedback"], erased["places"]) == (0, 1, {})
    assert page.get(f"/api/traces/{TRACE.hex()}").json()["feedback"] == []
    (event,) = page.get("/api/audit", params={"act": "user.erase"}).json()["items"]
    assert "ann" not in str(event["details"]) + event["subject"]


def test_health_and_metrics(client: Client, books: Any) -> None:
    books.rows["model"] = [CostRow('acme/"small"', "0.0015", 7, 0, 0, 0, 10, 20, 0)]
    page = client(local=True)
    health = page.get("/api/health").json()
    assert health["config_digest"].startswith("sha256:") and health["sizes"]["spans"] > 0
    text = page.get("/metrics").text
    assert 'noria_calls_total{model="acme/\\"small\\""} 7' in text
    assert 'noria_latency_seconds{project="default",quantile="0.5"}' in text
    assert client().get("/healthz").json() == {"status": "ok"}


def test_a_scraper_has_a_key_of_every_project(client: Client) -> None:
    admin = client(local=True)
    every = {"project": "*"}
    assert admin.post("/api/keys", json={"name": "calls"}, params=every).status_code == 400
    made = admin.post("/api/keys", json={"name": "prometheus", "role": "viewer"}, params=every)
    scraper = client(key=made.json()["token"])
    assert scraper.get("/metrics").status_code == 200
    assert scraper.post("/api/keys", json={"name": "x"}, params=every).status_code == 403
