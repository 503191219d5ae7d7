"""Monitors by the API: what stands, series with intervals, why, and what people do."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from noria.access.keyring import KeyDraft
from noria.access.role import SYSTEM
from noria.monitoring.score import SpanScore
from noria.runtime.control import Control
from noria.storage.spans import SpanWriter, day_of
from noria.tracing.span import Span

CONFIG = (Path(__file__).parent / "noria.toml").read_text()
MONITORS = """
[channels.hook]
webhook = "http://127.0.0.1:9/nowhere"
[monitors.fast]
filter = "route:fast"
scorers = ["refusal", "length"]
notify = ["hook"]
[[monitors.fast.alerts]]
measure = "error_rate"
above = { warn = 0.1, alert = 0.2 }
[[monitors.fast.alerts]]
measure = "latency_p95"
above = "2s"
window = "1h"
[[monitors.fast.alerts]]
scorer = "length.words"
below = 2
least = 5
[[monitors.fast.alerts]]
measure = "refusal_rate"
above = 0.5
least = 5
[[monitors.fast.alerts]]
measure = "cost_per_hour"
above = 100
[[monitors.fast.alerts]]
measure = "cost_per_call"
above = 0.001
[monitors.idle]
"""
NOW = time.time_ns()


def span(number: int, **values: Any) -> Span:
    start = NOW - 60_000_000_000 - number * 100_000_000
    return Span(
        **{
            "trace_id": (number + 1).to_bytes(16, "big"), "span_id": (number + 1).to_bytes(8, "big"),
            "name": "chat fast", "kind": "server", "start": start, "end": start + 250_000_000, "status": "ok",
            "operation": "chat", "service": "noria", "model": "fast", "route": "fast", "cost_pico": 5 * 10**9,
            "source": "gateway", "input": "{}", "output": "x", "http_status": 200, **values,
        }
    )  # fmt: skip


def write(control: Control, *spans: Span) -> None:
    writer = SpanWriter(control.home.spans, complete=lambda one: one)
    writer.write(day_of(NOW), list(spans), {})
    writer.close()


@pytest.fixture
def api(client: Callable[..., TestClient], control: Control) -> TestClient:
    found = client(local=True)
    applied = found.post("/api/config/apply", json={"files": {"noria.toml": CONFIG + MONITORS}})
    assert applied.status_code == 200, applied.text
    control.monitors.sync()
    return found


def rules(api: TestClient) -> dict[str, Any]:
    return {rule["name"]: rule for rule in api.get("/api/monitors/fast").json()["rules"]}


def test_nothing_measured_is_no_data(api: TestClient, control: Control) -> None:
    items = api.get("/api/monitors").json()["items"]
    assert [(one["name"], one["state"]) for one in items] == [("fast", "no_data"), ("idle", "no_data")]
    control.monitors.watch.round()
    assert {name: rule["state"] for name, rule in rules(api).items()} == {
        "error_rate": "no_data", "latency_p95": "no_data", "length.words": "no_data",
        "refusal_rate": "no_data", "cost_per_hour": "ok", "cost_per_call": "no_data",
    }  # fmt: skip
    assert rules(api)["cost_per_hour"]["reading"]["value"] == 0.0


def test_rules_are_read_from_the_sums_and_the_scores(api: TestClient, control: Control) -> None:
    failed = [span(number, status="error", error_kind="timeout") for number in range(10)]
    own = [span(number, team="noria.monitors", status="error") for number in range(100, 120)]
    write(control, *failed, *(span(number) for number in range(10, 40)), *own)
    scores = [
        SpanScore(
            project="default", monitor="fast", trace=f"{number:032x}", span=f"{number:016x}", name=name,
            version="1", state="scored", value=value, at_ms=NOW // 1_000_000 - 1000, judged_ms=1,
        )
        for number in range(20)
        for name, value in (("length.words", float(number % 4)), ("refusal", float(number < 15)))
    ]  # fmt: skip
    record = control.monitors.one("default", "fast")
    control.monitors.table.looked(record.monitor, day_of(NOW), 0, scores, now_ms=1)
    control.monitors.watch.round()
    found = rules(api)
    errors = found["error_rate"]["reading"]
    # The monitors' own calls do not count.
    assert errors["n"] == 40 and errors["value"] == 0.25 and errors["low"] < 0.25 < errors["high"]
    assert found["error_rate"]["state"] == "alert" and found["error_rate"]["open_alert"]
    assert found["latency_p95"]["reading"]["value"] == pytest.approx(0.25, rel=0.02)
    assert found["latency_p95"]["state"] == "ok" and found["latency_p95"]["reading"]["low"] is None
    words = found["length.words"]["reading"]
    assert words["value"] == 1.5 and words["low"] < 1.5 < words["high"] and words["n"] == 20
    assert found["length.words"]["state"] == "alert"
    refused = found["refusal_rate"]["reading"]
    assert refused["value"] == 0.75 and refused["low"] == pytest.approx(0.5313, abs=1e-3)
    assert found["cost_per_call"]["reading"]["value"] == pytest.approx(0.005)
    assert found["cost_per_hour"]["reading"]["value"] > 0.2
    # Read again at once, nothing changes and nobody is told twice.
    assert control.monitors.watch.round() == []
    opened = api.get("/api/alerts", params={"state": "open"}).json()["items"]
    assert {one["rule"] for one in opened} == {"error_rate", "length.words", "refusal_rate", "cost_per_call"}
    events = api.get("/api/monitors/fast/events").json()["items"]
    assert {(one["rule"], one["before"], one["after"]) for one in events} >= {
        ("error_rate", "no_data", "alert"), ("latency_p95", "no_data", "ok"),
    }  # fmt: skip
    assert api.get("/api/monitors").json()["open_alerts"] == 4
    text = api.get("/metrics").text
    labels = 'project="default",monitor="fast",rule="error_rate"'
    assert f'noria_monitor_state{{{labels},state="alert"}} 1' in text
    assert f"noria_monitor_value{{{labels}}} 0.25" in text
    assert 'noria_open_alerts{project="default"} 4' in text


@pytest.mark.parametrize(
    "rule", ["error_rate", "latency_p95", "length.words", "refusal_rate", "cost_per_hour", "cost_per_call"]
)
def test_series_have_a_point_a_step(api: TestClient, control: Control, rule: str) -> None:
    write(control, *(span(number, status="error" if number % 2 else "ok") for number in range(40)))
    query = {"rule": rule, "from": "-1h", "step": "300"}
    found = api.get("/api/monitors/fast/series", params=query).json()
    assert found["step_s"] == 300 and len(found["points"]) in (12, 13)
    assert found["rule"]["name"] == rule
    counted = sum(point["n"] for point in found["points"])
    assert counted == (0 if rule in ("length.words", "refusal_rate") else 40)
    assert api.get("/api/monitors/fast/series", params={"rule": "nothing"}).status_code == 404
    too_many = {"rule": rule, "from": "-7d", "step": "1"}
    assert "at most 500 steps" in api.get("/api/monitors/fast/series", params=too_many).text


def test_a_call_of_before_is_said_to_be_so(api: TestClient, control: Control) -> None:
    old = span(1, trace_id=b"o" * 16)
    write(control, old)
    [fast, idle] = api.get(f"/api/monitors/why/{old.trace_id.hex()}").json()["items"]
    # It came in after the monitor, though it says that it began before.
    assert (fast["cause"], idle["cause"]) == ("waiting", "no_scorers")
    assert fast["words"] == "Not looked at yet: 1 traces are waiting."
    control.monitors.table.sync([], positions={}, now_ms=1)
    control.monitors.sync()
    [fast, _] = api.get(f"/api/monitors/why/{old.trace_id.hex()}").json()["items"]
    assert (fast["cause"], fast["words"]) == ("later", "The monitor was added after this call.")
    assert api.get(f"/api/monitors/why/{'ab' * 16}").status_code == 404
    assert api.get("/api/monitors/why/zz").status_code == 400


def test_editors_act_and_viewers_look(
    api: TestClient, client: Callable[..., TestClient], control: Control
) -> None:
    write(control, *(span(number, status="error") for number in range(40)))
    control.monitors.watch.round()
    tokens = [
        control.keys.create("default", KeyDraft(name=role, role=role), by=SYSTEM)[1]
        for role in ("viewer", "editor")
    ]
    viewer, editor = (client(key=token) for token in tokens)
    [alert] = viewer.get("/api/alerts", params={"monitor": "fast"}).json()["items"][:1]
    path = f"/api/alerts/{alert['id']}/acknowledge"
    assert viewer.post(path, json={}).status_code == 403
    assert editor.post(path, json={"comment": "mine"}).json()["acknowledged_by"] == "editor"
    assert editor.post(path, json={}).status_code == 409
    detail = viewer.get(f"/api/alerts/{alert['id']}").json()
    assert [one["channel"] for one in detail["deliveries"]] == ["hook"]
    assert detail["deliveries"][0]["state"] == "waiting"
    assert viewer.get(f"/api/alerts/{alert['id']}", params={"project": "other"}).status_code in (403, 404)
    path = "/api/monitors/fast/rules/error_rate/mute"
    until = int((time.time() + 60) * 1000)
    assert editor.post(path, json={"until_ms": until}).json()["muted_ms"] == until
    far = int((time.time() + timedelta(days=31).total_seconds()) * 1000)
    assert editor.post(path, json={"until_ms": far}).status_code == 400
    assert editor.post(path, json={"until_ms": 0}).json()["muted_ms"] == 0
    assert editor.post("/api/monitors/fast/rules/nope/mute", json={"until_ms": 0}).status_code == 404
    acts = [event.act for event in control.audit.page().items]
    assert acts.count("monitor.mute") == 2 and acts.count("alert.acknowledge") == 1
    # Nothing is sent by a control that was not begun.
    assert editor.post("/api/alerts/channels/hook/test").status_code == 409
    assert editor.post("/api/alerts/channels/none/test").status_code == 404
    assert viewer.get("/api/alerts/channels").json()["items"] == [{"name": "hook", "kind": "webhook"}]
