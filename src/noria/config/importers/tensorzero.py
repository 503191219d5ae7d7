"""TensorZero's tensorzero.toml to noria.toml: models, and functions as far as a route goes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from noria.config.importers.draft import Converted, Draft, target
from noria.config.importers.tensorzero_account import Member, member, shorthand, timeouts_of
from noria.errors import ConfigError

PROMPTS = "A route chooses among models; prompts, schemas and tools stay with the application."
_UNITS = {"model_inferences": "requests", "tokens": "tokens"}
_PERIODS = {"second": "1s", "minute": "1m", "hour": "1h", "day": "1d", "week": "7d", "month": "30d"}
_TOP = {
    "metrics": "Scores and feedback need no configuration.",
    "tools": PROMPTS,
    "evaluations": "Evaluations are not part of noria.toml.",
    "object_storage": "Large values are kept under [blobs].",
    "clickhouse": "Noria keeps spans in a store of its own.",
    "postgres": "Noria keeps its state in its own folder and needs no such server.",
    "provider_types": "What else it sets has no counterpart.",
    "optimizers": "Training is not part of noria.toml.",
}
_VARIANT = ("type", "model", "weight", "retries", "timeouts")


def from_tensorzero(text: str, *, environment: Mapping[str, str]) -> Converted:
    """noria.toml for TensorZero's `text`, and what could not be carried over.

    `environment` gives what the file looks up where it is not a secret (addresses, paths). Raises ConfigError
    where the text is no such file.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The file is not valid TOML: {error}.") from None
    if not any(name in data for name in ("models", "functions", "embedding_models", "gateway")):
        raise ConfigError("The file is not TensorZero's: it has neither models nor functions.")
    draft = Draft(environment)
    defaults = data.get("provider_types", {})
    models: dict[str, list[Member]] = {}
    for section in ("models", "embedding_models"):
        for name, model in data.get(section, {}).items():
            models[name] = _model(name, model, f"{section}.{name}", defaults, draft)
    for name, function in data.get("functions", {}).items():
        _function(name, function, models, defaults, draft)
    _gateway(dict(data.get("gateway", {})), draft)
    _limits(data.get("rate_limiting", {}), draft)
    known = ("models", "embedding_models", "functions", "gateway", "rate_limiting")
    for key in data:
        if key not in known and not (key == "provider_types" and _only_keys(defaults)):
            draft.lose(key, _TOP.get(key, "It has no counterpart."))
    return draft.finish(
        "From TensorZero's tensorzero.toml. Callers say NAME for tensorzero::model_name::NAME and for"
        " tensorzero::function_name::NAME."
    )


def _model(
    name: str, model: dict[str, Any], path: str, defaults: dict[str, Any], draft: Draft
) -> list[Member]:
    providers = model.get("providers", {})
    members: list[Member] = []
    for chosen in model.get("routing", []):
        where = f"{path}.providers.{chosen}"
        if chosen not in providers:
            draft.lose(where, "`routing` names it and it is not there.")
            continue
        found = member(providers[chosen], where, defaults, draft)
        if found is not None:
            members.append(found)
    route: dict[str, Any] = {"targets": _targets([(one, None, None) for one in members])}
    timeouts = timeouts_of(model.get("timeouts", {}), f"{path}.timeouts", draft)
    if timeouts:
        route["timeouts"] = timeouts
    for key in model:
        if key not in ("routing", "providers", "timeouts"):
            draft.lose(f"{path}.{key}", "It has no counterpart.")
    draft.route(name, route, path=path)
    return members


def _function(
    name: str,
    function: dict[str, Any],
    models: dict[str, list[Member]],
    defaults: dict[str, Any],
    draft: Draft,
) -> None:
    path = f"functions.{name}"
    variants = function.get("variants", {})
    weights = _weights(function, variants, path, draft)
    chosen: list[tuple[Member, float | None, int | None]] = []
    retries: list[int] = []
    for key, variant in variants.items():
        where = f"{path}.variants.{key}"
        if variant.get("type", "chat_completion") != "chat_completion":
            draft.lose(where, f"A route has no {variant['type']} variants.")
            continue
        if weights.get(key) == 0:
            continue
        said = str(variant.get("model", ""))
        members = models.get(said)
        if members is None:
            one = shorthand(said, where, defaults, draft)
            members = [] if one is None else [one]
        chosen += [(one, weights.get(key), order) for order, one in enumerate(members)]
        if "num_retries" in variant.get("retries", {}):
            retries.append(int(variant["retries"]["num_retries"]))
        for lost in variant:
            if lost not in _VARIANT:
                draft.lose(f"{where}.{lost}", PROMPTS)
    for key in function:
        if key not in ("type", "variants", "experimentation", "description"):
            draft.lose(f"{path}.{key}", PROMPTS)
    route: dict[str, Any] = {"targets": _targets(chosen)}
    if len(variants) > 1 and len(route["targets"]) > 1:
        route |= {"strategy": "weighted", "sticky": "episode"}
    else:
        route["targets"] = _targets([(one, None, None) for one, _, _ in chosen])
    if retries:
        route["retries"] = min(max(retries), 20)
    if name in draft.section("routes"):
        draft.lose(path, f"A model is called {name!r} as well; the function became function/{name}.")
        name = f"function/{name}"
    draft.route(name, route, path=path)


def _weights(function: dict[str, Any], variants: dict[str, Any], path: str, draft: Draft) -> dict[str, float]:
    """The share of each variant; none where nobody set one, so that all are equal."""
    rule = function.get("experimentation")
    if rule is None:
        given = {key: float(one["weight"]) for key, one in variants.items() if "weight" in one}
        return {key: given.get(key, 0.0) for key in variants} if given else {}
    candidates = rule.get("candidate_variants", list(variants))
    if rule.get("fallback_variants"):
        draft.lose(f"{path}.experimentation.fallback_variants", "Every target of the route is a fallback.")
    if rule.get("type") == "static_weights" and isinstance(candidates, dict):
        return {key: float(candidates.get(key, 0)) for key in variants}
    if rule.get("type") not in ("uniform", "static_weights"):
        draft.lose(f"{path}.experimentation", "A route has fixed shares; each variant got the same.")
    return {key: 1.0 if key in candidates else 0.0 for key in variants}


def _targets(members: list[tuple[Member, float | None, int | None]]) -> list[str | dict[str, Any]]:
    """Targets of different models; the shares of one that comes twice are added."""
    found: dict[str, dict[str, Any]] = {}
    for one, weight, order in members:
        known = found.get(one.model)
        if known is None:
            found[one.model] = {
                "weight": weight,
                "order": order or None,
                "timeouts": one.timeouts or None,
            }
        elif weight is not None:
            known["weight"] = round((known["weight"] or 0.0) + weight, 12)
    return [target(model, **settings) for model, settings in found.items()]


def _gateway(gateway: dict[str, Any], draft: Draft) -> None:
    address = str(gateway.pop("bind_address", ""))
    host, _, port = address.rpartition(":")
    if port.isdigit():
        draft.section("server")["port"] = int(port)
    if host.strip("[]") not in ("", "127.0.0.1", "::1", "localhost"):
        draft.lose(
            "gateway.bind_address",
            f"Listening on {host} needs keys and TLS: set `host`, `public` and TLS in [server].",
        )
    required = bool(gateway.pop("auth", {}).get("enabled", False))
    draft.section("access")["require_key"] = required
    if required:
        draft.lose("gateway.auth", "Keys are not carried over: make them with `noria key create`.")
    traces = gateway.pop("export", {}).get("otlp", {}).get("traces", {})
    if traces.get("enabled"):
        _export(traces, draft)
    for key in gateway:
        draft.lose(f"gateway.{key}", "It has no counterpart.")


def _export(traces: dict[str, Any], draft: Draft) -> None:
    names = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    endpoint = next((draft.environment[name] for name in names if name in draft.environment), "")
    if not endpoint.startswith(("http://", "https://")):
        draft.lose("gateway.export.otlp", "Its address is in the environment; set [telemetry.export.otlp].")
        return
    draft.section("telemetry")["export"] = {
        "otlp": {"endpoint": endpoint.rstrip("/").removesuffix("/v1/traces")}
    }
    if traces.get("extra_headers"):
        draft.lose(
            "gateway.export.otlp.traces.extra_headers", "Headers of an export are references to secrets."
        )


def _limits(limiting: dict[str, Any], draft: Draft) -> None:
    limits: list[dict[str, Any]] = []
    for index, rule in enumerate(limiting.get("rules", [])):
        path = f"rate_limiting.rules[{index}]"
        if rule.get("scope"):
            draft.lose(path, "Limits belong to a key or a route; set them there.")
            continue
        for key, value in rule.items():
            unit, _, period = key.partition("_per_")
            if unit in _UNITS and period in _PERIODS:
                amount = value["capacity"] if isinstance(value, dict) else value
                limit = {
                    _UNITS[unit]: int(amount),
                    "per": _PERIODS[period],
                    "name": f"rule-{index}-{_UNITS[unit]}",
                }
                limits.append(limit)
    if limits:
        draft.section("limits")["keys"] = limits


def _only_keys(defaults: dict[str, Any]) -> bool:
    """Whether provider_types says no more than where keys are."""
    return all(
        set(one) <= {"defaults"}
        and set(one.get("defaults", {})) <= {"api_key_location", "credential_location"}
        for one in defaults.values()
    )
