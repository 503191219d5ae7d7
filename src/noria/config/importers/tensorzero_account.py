"""One provider of a TensorZero model: the account that it is, and the name that it knows the model by."""

from __future__ import annotations

from typing import Any, NamedTuple

from noria.config.importers.draft import Draft
from noria.config.preset import PRESETS
from noria.config.units import duration

REQUEST = "A route sets no request parameters; callers send them."

TYPES = {
    "anthropic": "anthropic",
    "aws_bedrock": "bedrock",
    "azure": "azure",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "gcp_vertex_anthropic": "vertex-anthropic",
    "gcp_vertex_gemini": "vertex",
    "google_ai_studio_gemini": "gemini",
    "groq": "groq",
    "hyperbolic": "hyperbolic",
    "mistral": "mistral",
    "openai": "openai",
    "openrouter": "openrouter",
    "sglang": "sglang",
    "tgi": "vllm",
    "together": "together",
    "vllm": "vllm",
    "xai": "xai",
}
_VARIABLES = {
    "google_ai_studio_gemini": "GOOGLE_AI_STUDIO_API_KEY",
    "azure": "AZURE_API_KEY",
}
"""Where TensorZero looks for a key that the file does not locate, if it is not <TYPE>_API_KEY."""
_NAMES = ("model_name", "model_id", "deployment_id", "endpoint_id")


class Member(NamedTuple):
    """A model of one provider."""

    model: str
    timeouts: dict[str, str]


def member(said: dict[str, Any], path: str, defaults: dict[str, Any], draft: Draft) -> Member | None:
    """The model that a provider table stands for; None, and the draft says why, where there is none."""
    said = dict(said)
    kind = str(said.pop("type", ""))
    preset = TYPES.get(kind)
    if preset is None:
        draft.lose(path, f"Noria has no providers of type {kind!r}.")
        return None
    upstream = next((str(said.pop(name)) for name in _NAMES if name in said), "")
    if not upstream:
        draft.lose(path, "It names no model.")
        return None
    settings = _settings(kind, preset, said, path, defaults, draft)
    if settings is None:
        return None
    timeouts = timeouts_of(said.pop("timeouts", {}), f"{path}.timeouts", draft)
    for key in said:
        draft.lose(f"{path}.{key}", REQUEST if key == "extra_body" else "It has no counterpart.")
    return Member(draft.model(draft.provider(preset, settings), upstream), timeouts)


def shorthand(model: str, path: str, defaults: dict[str, Any], draft: Draft) -> Member | None:
    """What `openai::gpt-4o` stands for."""
    kind, colons, name = model.partition("::")
    if not colons:
        draft.lose(path, f"{model!r} is no model of this file.")
        return None
    if kind in ("azure", "aws_bedrock", "gcp_vertex_gemini", "gcp_vertex_anthropic", "vllm", "sglang", "tgi"):
        draft.lose(path, f"{model!r} does not say where the model is; add its provider.")
        return None
    return member({"type": kind, "model_name": name.removeprefix("responses::")}, path, defaults, draft)


def timeouts_of(said: dict[str, Any], path: str, draft: Draft) -> dict[str, str]:
    """Noria's timeouts; total and first token hold for streamed and other calls alike."""
    total = said.get("non_streaming", {}).get("total_ms")
    first = said.get("streaming", {}).get("ttft_ms")
    if total is not None:
        draft.lose(f"{path}.non_streaming", "Noria's `total` counts for streamed calls as well.")
    values = {"total": total, "first_token": first}
    return {name: duration(value / 1000) for name, value in values.items() if value is not None}


def _settings(
    kind: str, preset: str, said: dict[str, Any], path: str, defaults: dict[str, Any], draft: Draft
) -> dict[str, Any] | None:
    settings: dict[str, Any] = {}
    base = said.pop("api_base", said.pop("endpoint", None))
    if base is not None:
        base = _plain(str(base), draft)
        if not base.startswith(("http://", "https://")):
            draft.lose(path, f"Its address {base!r} is given by callers or the environment; write it out.")
            return None
        settings["base_url"] = base.rstrip("/")
    if base is None and kind in ("azure", "tgi", "sglang"):
        draft.lose(path, "It does not say where the model is.")
        return None
    headers = {one["name"].lower(): one["value"] for one in said.pop("extra_headers", []) if "value" in one}
    safe = {name: value for name, value in headers.items() if "auth" not in name and "key" not in name}
    if len(safe) < len(headers):
        draft.lose(f"{path}.extra_headers", "Headers hold fixed text and no secrets; use `api_key`.")
    if safe:
        settings["headers"] = safe
    if said.pop("api_type", "chat_completions") == "responses":
        draft.lose(
            f"{path}.api_type", "Callers choose the API: /v1/responses, /v1/chat/completions or /v1/messages."
        )
    if kind == "aws_bedrock":
        return _aws(said, settings, path, draft)
    if kind.startswith("gcp_vertex_"):
        return _vertex(kind, said, settings, path, defaults, draft)
    location = said.pop("api_key_location", None) or _default(defaults, kind, "api_key_location")
    variable = _VARIABLES.get(kind, f"{kind.upper()}_API_KEY")
    if location is None and kind not in ("sglang", "tgi", "vllm"):
        location = f"env::{variable}"
    reference = _reference(location, f"{path}.api_key_location", draft, variable=variable)
    if reference is not None:
        settings["api_key"] = reference
    elif "base_url" not in settings and PRESETS[preset].needs:
        settings["auth"] = "none"
    return settings


def _aws(said: dict[str, Any], settings: dict[str, Any], path: str, draft: Draft) -> dict[str, Any] | None:
    said.pop("allow_auto_detect_region", None)
    region = _plain(str(said.pop("region", "")), draft) or draft.environment.get("AWS_REGION", "")
    if not region or "::" in region:
        draft.lose(path, "A Bedrock account needs its region; set `region` or AWS_REGION and import again.")
        return None
    settings |= {
        "region": region,
        "access_key": "env:AWS_ACCESS_KEY_ID",
        "secret_key": "env:AWS_SECRET_ACCESS_KEY",
    }
    return settings


def _vertex(
    kind: str,
    said: dict[str, Any],
    settings: dict[str, Any],
    path: str,
    defaults: dict[str, Any],
    draft: Draft,
) -> dict[str, Any] | None:
    project, location = said.pop("project_id", None), said.pop("location", None)
    if project is None or location is None:
        draft.lose(path, "A Vertex account needs `project_id` and `location`.")
        return None
    settings["options"] = {"project": str(project), "location": str(location)}
    given = said.pop("credential_location", None) or _default(defaults, kind, "credential_location")
    given = given or "path_from_env::GCP_VERTEX_CREDENTIALS_PATH"
    reference = _reference(given, f"{path}.credential_location", draft, variable="GCP_VERTEX_CREDENTIALS")
    settings["credentials"] = reference or draft.secret(
        path=f"{path}.credential_location", variable="GCP_VERTEX_CREDENTIALS"
    )
    return settings


def _default(defaults: dict[str, Any], kind: str, key: str) -> Any:
    return defaults.get(kind, {}).get("defaults", {}).get(key)


def _reference(location: Any, path: str, draft: Draft, *, variable: str) -> str | None:
    """Noria's reference for a credential location; None for none."""
    if isinstance(location, dict):
        draft.lose(path, "A provider has one key; the first that is not the caller's is used.")
        options = [location.get("default"), location.get("fallback")]
        fixed = [one for one in options if isinstance(one, str) and not one.startswith("dynamic::")]
        location = fixed[0] if fixed else options[0]
    if location is None or location == "none":
        return None
    kind, _, name = str(location).partition("::")
    if kind == "env":
        return f"env:{name}"
    if kind == "path":
        return f"file:{name}"
    if kind == "path_from_env" and name in draft.environment:
        return f"file:{draft.environment[name]}"
    if kind == "dynamic":
        draft.lose(path, f"Callers do not bring providers' keys; put one into the environment as {variable}.")
    else:
        draft.lose(path, f"Noria cannot look there; put the secret into the environment as {variable}.")
    return f"env:{variable}"


def _plain(value: str, draft: Draft) -> str:
    if value.startswith("env::"):
        return draft.environment.get(value.removeprefix("env::"), value)
    return value
