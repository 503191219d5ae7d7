"""Control's Prometheus metrics: totals from the ledger, latency of the last five minutes from the spans.

Source of the form: the Prometheus text exposition format 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from noria.core.clock import Clock
from noria.runtime.health import Health
from noria.tracing.store import LedgerReader, SpanReader, Window

_FIVE_MINUTES = 300_000_000_000
Sample = tuple[dict[str, str], float | str | None]


def render(
    spans: SpanReader, ledger: LedgerReader, health: Health, clock: Clock, *, projects: Sequence[str]
) -> str:
    """The whole exposition."""
    now = clock.now_ns()
    rows = ledger.costs(None, Window(0, now), by="model").rows
    recent = [
        (project, spans.pulse(project, Window(now - _FIVE_MINUTES, now), step_s=300).totals)
        for project in projects
    ]
    lines = [
        *family(
            "noria_calls_total", "counter", "Upstream attempts and cache answers.",
            (({"model": row.group}, row.calls) for row in rows),
        ),
        *family(
            "noria_tokens_total", "counter", "Tokens by direction.",
            (
                ({"model": row.group, "direction": direction}, value)
                for row in rows
                for direction, value in (("input", row.input_tokens), ("output", row.output_tokens))
            ),
        ),
        *family(
            "noria_cost_dollars_total", "counter", "Sum of the known costs.",
            (({"model": row.group}, row.cost) for row in rows),
        ),
        *family(
            "noria_unknown_cost_calls_total", "counter", "Calls whose cost is unknown.",
            (({"model": row.group}, row.unknown) for row in rows),
        ),
        *family(
            "noria_latency_seconds", "gauge", "Of calls in the last five minutes.",
            (
                ({"project": project, "quantile": quantile}, None if ms is None else ms / 1000)
                for project, totals in recent
                for quantile, ms in (("0.5", totals.p50_ms), ("0.95", totals.p95_ms), ("0.99", totals.p99_ms))
            ),
        ),
        *family(
            "noria_requests_per_second", "gauge", "Over the last five minutes.",
            (({"project": project}, totals.requests_per_s) for project, totals in recent),
        ),
        *family(
            "noria_error_ratio", "gauge", "Share of calls that failed in the last five minutes.",
            (({"project": project}, totals.error_share) for project, totals in recent),
        ),
        *family(
            "noria_process_up", "gauge", "1 where the process runs and serves the newest configuration.",
            (({"process": one.name}, int(one.state == "running")) for one in health.processes),
        ),
        *family(
            "noria_store_bytes", "gauge", "Size on disk.",
            (({"store": name}, size) for name, size in health.sizes.items()),
        ),
        *family("noria_disk_free_bytes", "gauge", "Room left.", [({}, health.disk_free)]),
        *family(
            "noria_collector_lag_seconds", "gauge", "Age of the oldest record not yet collected.",
            [({}, health.spool_lag_s)],
        ),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def family(name: str, kind: str, help: str, samples: Iterable[Sample]) -> list[str]:
    """Samples without a value are left out: unknown is not zero."""
    known = [f"{name}{_labels(labels)} {value}" for labels, value in samples if value is not None]
    return [f"# HELP {name} {help}", f"# TYPE {name} {kind}", *known]


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
