"""What a change of noria.toml does, in words."""

from __future__ import annotations

from typing import Any

_ENTRY = {
    "providers": ("Its models can be called.", "Its models can no longer be called."),
    "models": ("What it says applies to this model.", "What is known of the model applies again."),
    "routes": ("Callers can use this model name.", "Calls to this model name answer 404."),
    "engines": (
        "The model is loaded when `noria up` starts again.",
        "The model can no longer be called; its process stops when `noria up` starts again.",
    ),
    "budgets": ("Calls of its subject count against it.", "Calls no longer count against it."),
    "queues": ("People can be asked to review.", "It stays, with its reviews; the page can close it."),
}
_AGAIN = "Takes effect when `noria up` starts again."
_KEY = {
    ("server", "host"): _AGAIN,
    ("server", "port"): _AGAIN,
    ("server", "workers"): _AGAIN,
    ("server", "tls_cert"): _AGAIN,
    ("server", "tls_key"): _AGAIN,
    ("cache", "memory"): _AGAIN,
    ("cache", "valkey"): _AGAIN,
    ("encryption", "payloads"): _AGAIN,
    ("telemetry", "capture"): "Applies to calls from now on; what is stored stays.",
    ("telemetry", "durability"): _AGAIN,
    ("telemetry", "export"): _AGAIN,
    ("telemetry", "retention"): _AGAIN,
    ("telemetry", "spool_max"): _AGAIN,
    ("telemetry", "sync"): _AGAIN,
    ("access", "session"): "Applies to sign-ins from now on.",
}
_OF_ENTRY = {
    "providers": "Applies to calls from now on; calls in flight finish as they began.",
    "models": "Applies to calls from now on; calls in flight finish as they began.",
    "routes": "Applies to calls from now on; calls in flight finish as they began.",
    "engines": _AGAIN,
    "budgets": "What was spent in the current window still counts.",
    "queues": "Applies to turns and items from now on; a form by which people have reviewed stays.",
}


def effect_of(kind: str, path: tuple[str, ...], before: Any, after: Any) -> str:
    """A sentence for the change at `path`."""
    section = path[0]
    if len(path) == 2 and section in _ENTRY:
        return _ENTRY[section][1 if kind == "removed" else 0]
    if section in _OF_ENTRY:
        return _OF_ENTRY[section]
    return _KEY.get(path[:2], "Applies at once.") if len(path) > 1 else "Applies at once."
