"""The account that a LiteLLM deployment uses: address, key, region."""

from __future__ import annotations

from typing import Any

from noria.config.importers.draft import NO_KEY, Draft
from noria.config.preset import PRESETS

_VARIABLES = {
    "together": "TOGETHERAI_API_KEY",
    "fireworks": "FIREWORKS_AI_API_KEY",
    "perplexity": "PERPLEXITYAI_API_KEY",
}
"""Where LiteLLM looks for a key that the file does not give, if it is not <PRESET>_API_KEY."""

_WITHOUT_VERSION = ("anthropic", "ollama")
"""Whose api_base LiteLLM takes without /v1."""


def account(preset: str, upstream: str, params: dict[str, Any], path: str, draft: Draft) -> str | None:
    """The provider that the parameters describe, which are taken out of `params`."""
    settings: dict[str, Any] = {}
    base = params.pop("api_base", params.pop("base_url", None))
    if base is not None:
        base = plain(base, draft)
        if not isinstance(base, str) or not base.startswith(("http://", "https://")):
            draft.lose(
                f"{path}.litellm_params.api_base", "Its address comes from the environment; write it out."
            )
            return None
        base = base.rstrip("/")
        settings["base_url"] = (
            f"{base}/v1" if preset in _WITHOUT_VERSION and not base.endswith("/v1") else base
        )
    _headers(params, settings, path, draft)
    if preset == "bedrock":
        return _aws(upstream, params, settings, path, draft)
    if preset.startswith("vertex"):
        return _vertex(preset, params, settings, path, draft)
    if preset == "azure":
        version = params.pop("api_version", None)
        if version is not None:
            settings["options"] = {"api_version": str(plain(version, draft))}
        if base is None:
            draft.lose(path, "An Azure deployment needs its `api_base`, which Noria calls `base_url`.")
            return None
    _key(preset, params, settings, path, draft)
    return draft.provider(preset, settings)


def _key(preset: str, params: dict[str, Any], settings: dict[str, Any], path: str, draft: Draft) -> None:
    given = params.pop("api_key", None)
    variable = _VARIABLES.get(preset, f"{preset.upper()}_API_KEY")
    if isinstance(given, str) and given.startswith("os.environ/"):
        settings["api_key"] = f"env:{given.removeprefix('os.environ/')}"
    elif given is not None and str(given).lower() not in NO_KEY:
        settings["api_key"] = draft.secret(path=f"{path}.litellm_params.api_key", variable=variable)
    elif given is None and PRESETS[preset].needs and ("base_url" not in settings or preset == "azure"):
        settings["api_key"] = f"env:{variable}"


def _headers(params: dict[str, Any], settings: dict[str, Any], path: str, draft: Draft) -> None:
    headers = {
        str(name).lower(): plain(value, draft)
        for name, value in (params.pop("extra_headers", None) or {}).items()
    }
    organization = params.pop("organization", None)
    if organization is not None:
        headers["openai-organization"] = plain(organization, draft)
    kept: dict[str, str] = {}
    for name, value in headers.items():
        if (
            isinstance(value, str)
            and not value.startswith("os.environ/")
            and "auth" not in name
            and "key" not in name
        ):
            kept[name] = value
        else:
            draft.lose(
                f"{path}.litellm_params.extra_headers.{name}",
                "Headers hold fixed text and no secrets; use `api_key`.",
            )
    if kept:
        settings["headers"] = kept


def _aws(
    upstream: str, params: dict[str, Any], settings: dict[str, Any], path: str, draft: Draft
) -> str | None:
    region = plain(params.pop("aws_region_name", None), draft)
    parts = upstream.split("/")
    if region is None and len(parts) > 1 and parts[0].count("-") >= 2:
        region = parts[0]
    region = region or draft.environment.get("AWS_REGION_NAME") or draft.environment.get("AWS_REGION")
    if not isinstance(region, str) or region.startswith("os.environ/"):
        draft.lose(
            path, "A Bedrock account needs its region; set `aws_region_name` or AWS_REGION and import again."
        )
        return None
    settings["region"] = region
    for name, purpose in (
        ("aws_access_key_id", "access_key"),
        ("aws_secret_access_key", "secret_key"),
        ("aws_session_token", "session_token"),
    ):
        value = params.pop(name, None)
        if isinstance(value, str) and value.startswith("os.environ/"):
            settings[purpose] = f"env:{value.removeprefix('os.environ/')}"
        elif value is not None:
            settings[purpose] = draft.secret(path=f"{path}.litellm_params.{name}", variable=name.upper())
        elif purpose != "session_token":
            settings[purpose] = f"env:{name.upper()}"
    return draft.provider("bedrock", settings)


def _vertex(
    preset: str, params: dict[str, Any], settings: dict[str, Any], path: str, draft: Draft
) -> str | None:
    project = plain(params.pop("vertex_project", None), draft) or draft.environment.get("VERTEXAI_PROJECT")
    location = plain(params.pop("vertex_location", None), draft) or draft.environment.get("VERTEXAI_LOCATION")
    if not project or not location or str(project).startswith("os.environ/"):
        draft.lose(path, "A Vertex account needs `vertex_project` and `vertex_location`.")
        return None
    settings["options"] = {"project": str(project), "location": str(location)}
    given = params.pop("vertex_credentials", None)
    file = plain(given, draft) or draft.environment.get("GOOGLE_APPLICATION_CREDENTIALS")
    if isinstance(given, str) and given.startswith("os.environ/") and file == given:
        settings["credentials"] = f"env:{given.removeprefix('os.environ/')}"
    elif isinstance(file, str) and not file.lstrip().startswith("{"):
        settings["credentials"] = f"file:{file}"
    else:
        settings["credentials"] = draft.secret(
            path=f"{path}.litellm_params.vertex_credentials", variable="VERTEX_CREDENTIALS"
        )
    return draft.provider(preset, settings)


def plain(value: Any, draft: Draft) -> Any:
    """`os.environ/NAME` read where NAME is set; for what is no secret."""
    if isinstance(value, str) and value.startswith("os.environ/"):
        return draft.environment.get(value.removeprefix("os.environ/"), value)
    return value
