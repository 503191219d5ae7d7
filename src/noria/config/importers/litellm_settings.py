"""LiteLLM's settings of itself and of its server."""

from __future__ import annotations

from typing import Any

from noria.config.importers.draft import Draft
from noria.config.importers.litellm_reasons import GENERAL, LITELLM

_WINDOWS = {
    "1h": "hour", "60m": "hour", "1d": "day", "24h": "day", "7d": "week", "30d": "month", "31d": "month",
    "1mo": "month", "1m": "month",
}  # fmt: skip


def litellm_settings(litellm: dict[str, Any], draft: Draft) -> None:
    if litellm.pop("turn_off_message_logging", False):
        draft.section("telemetry")["capture"] = "metadata"
    for key, name, subject in (
        ("max_budget", "all", "project:default"),
        ("max_end_user_budget", "each-user", "user:*"),
        ("max_internal_user_budget", "each-person", "user:*"),
    ):
        amount = litellm.pop(key, None)
        if amount is None:
            continue
        length = litellm.pop(
            "budget_duration" if key == "max_budget" else "internal_user_budget_duration", None
        )
        window = "total" if length is None else _WINDOWS.get(str(length))
        if window is None:
            draft.lose(f"litellm_settings.{key}", f"Windows are calendar ones; {length!r} became a month.")
        draft.section("budgets")[name] = {"amount": str(amount), "per": window or "month", "subject": subject}
    for kind in ("success_callback", "failure_callback", "callbacks"):
        for name in litellm.pop(kind, None) or []:
            _callback(str(name), f"litellm_settings.{kind}", draft)
    for key in litellm:
        draft.lose(f"litellm_settings.{key}", LITELLM.get(key, "It has no counterpart."))


def _callback(name: str, path: str, draft: Draft) -> None:
    if name == "prometheus":
        return
    endpoint = draft.environment.get("OTEL_ENDPOINT") or draft.environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if name == "otel" and endpoint and endpoint.startswith(("http://", "https://")):
        export = draft.section("telemetry").setdefault("export", {})
        export["otel"] = {"endpoint": endpoint.rstrip("/").removesuffix("/v1/traces")}
    else:
        draft.lose(f"{path}.{name}", LITELLM["service_callbacks"])


def general_settings(general: dict[str, Any], draft: Draft) -> None:
    draft.section("access")["require_key"] = "master_key" in general
    if "master_key" not in general:
        draft.lose(
            "general_settings",
            "Without a master key calls need no key, and Noria then listens on loopback only.",
        )
    size = general.pop("max_request_size_mb", None)
    if size is not None:
        draft.section("server")["max_body"] = f"{int(size)}MiB"
    stored = general.pop("store_prompts_in_spend_logs", False)
    if not stored:
        draft.section("telemetry").setdefault("capture", "metadata")
        draft.lose(
            "general_settings.store_prompts_in_spend_logs",
            'LiteLLM keeps no prompts unless told; set `capture = "full"` in [telemetry] to see them.',
        )
    days = str(general.pop("maximum_spend_logs_retention_period", ""))
    if days.endswith("d") and days[:-1].isdigit() and int(days[:-1]):
        draft.section("telemetry")["retention"] = {"days": int(days[:-1])}
    for key in general:
        draft.lose(f"general_settings.{key}", GENERAL.get(key, "It has no counterpart."))
