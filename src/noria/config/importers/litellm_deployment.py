"""One entry of LiteLLM's model_list: the account, the model and the target that it stands for."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from noria.config.importers.draft import Draft, target
from noria.config.importers.litellm_account import account
from noria.config.importers.litellm_reasons import DEPLOYMENT
from noria.config.units import duration

PREFIXES = {
    "anthropic": "anthropic",
    "azure": "azure",
    "bedrock": "bedrock",
    "cerebras": "cerebras",
    "custom_openai": "openai",
    "deepinfra": "deepinfra",
    "deepseek": "deepseek",
    "fireworks_ai": "fireworks",
    "gemini": "gemini",
    "groq": "groq",
    "hosted_vllm": "vllm",
    "hyperbolic": "hyperbolic",
    "litellm_proxy": "openai",
    "lm_studio": "lmstudio",
    "mistral": "mistral",
    "moonshot": "moonshot",
    "nebius": "nebius",
    "ollama": "ollama",
    "ollama_chat": "ollama",
    "openai": "openai",
    "openai_like": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "sambanova": "sambanova",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "vertex_ai": "vertex",
    "vllm": "vllm",
    "xai": "xai",
    "xinference": "openai",
}
"""The preset for what stands before the first slash of `model`."""

_BARE = (
    (("gpt-", "o1", "o3", "o4", "chatgpt-", "text-embedding-", "davinci", "babbage"), "openai"),
    (("claude",), "anthropic"),
)


class Deployment(NamedTuple):
    """What one entry comes to."""

    target: str | dict[str, Any]
    model: str
    share: float | None
    """The weight that LiteLLM would pick it with: weight, else rpm, else tpm."""
    rpm: int | None
    tpm: int | None
    retries: int | None


def deployment(entry: dict[str, Any], path: str, draft: Draft) -> Deployment | None:
    """The target of an entry; None, and a reason in the draft, where there can be none."""
    params: dict[str, Any] = dict(entry.get("litellm_params") or {})
    info: dict[str, Any] = dict(entry.get("model_info") or {})
    said = str(params.pop("model", ""))
    mode = info.get("mode", "chat")
    if mode not in ("chat", "completion", "embedding", "responses"):
        draft.lose(path, f"Noria does not offer {mode} models.")
        return None
    preset, upstream = _provider(said)
    if preset is None:
        draft.lose(
            path, f"Noria knows no provider for {said!r}; add it under [providers] if it speaks a known API."
        )
        return None
    provider = account(preset, upstream, params, path, draft)
    if provider is None:
        return None
    if "*" in upstream or not upstream:
        draft.lose(path, f"A wildcard names no models; list them in `models` of [providers.{provider}].")
        return None
    if preset == "bedrock":
        upstream = upstream.rsplit("/", 1)[-1] if not upstream.startswith("arn:") else upstream
    return _built(provider, upstream, params, info, path, draft)


def _built(
    provider: str, upstream: str, params: dict[str, Any], info: dict[str, Any], path: str, draft: Draft
) -> Deployment:
    model = draft.model(
        provider,
        upstream,
        card=str(info["base_model"]).rsplit("/", 1)[-1] if info.get("base_model") else None,
        price=_price({**info, **params}),
        context=_whole(info.get("max_input_tokens")),
        max_output=_whole(info.get("max_output_tokens")),
    )
    total, first = params.pop("timeout", None), params.pop("stream_timeout", None)
    timeouts = {
        name: duration(float(value)) for name, value in (("total", total), ("first_token", first)) if value
    }
    rpm, tpm, weight = (
        _whole(params.pop("rpm", None)),
        _whole(params.pop("tpm", None)),
        params.pop("weight", None),
    )
    share = weight if weight is not None else rpm if rpm is not None else tpm
    retries = _whole(params.pop("num_retries", params.pop("max_retries", None)))
    made = target(
        model,
        order=_whole(params.pop("order", None)),
        timeouts=timeouts or None,
        max_concurrency=_whole(params.pop("max_parallel_requests", None)),
    )
    for key in params:
        if not key.endswith(("_cost_per_token", "_cost_per_second")):
            draft.lose(f"{path}.litellm_params.{key}", DEPLOYMENT.get(key, "It has no counterpart."))
    return Deployment(made, model, None if share is None else float(share), rpm, tpm, retries)


def _provider(model: str) -> tuple[str | None, str]:
    prefix, slash, rest = model.partition("/")
    if slash and prefix in PREFIXES:
        claude = prefix == "vertex_ai" and rest.startswith("claude")
        return "vertex-anthropic" if claude else PREFIXES[prefix], rest
    if not slash:
        for beginnings, preset in _BARE:
            if model.startswith(beginnings):
                return preset, model
    return None, model


_RATES = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached",
    "cache_creation_input_token_cost": "cache_write",
}


def _price(said: dict[str, Any]) -> dict[str, str] | None:
    rates: dict[str, str] = {}
    for name, rate in _RATES.items():
        if said.get(name) is not None:
            try:
                rates[rate] = f"{Decimal(str(said[name])) * 1_000_000:f}"
            except InvalidOperation:
                return None
    return rates if {"input", "output"} <= rates.keys() else None


def _whole(value: Any) -> int | None:
    return (
        int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 1 else None
    )
