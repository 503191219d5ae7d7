"""A Config made into what workers serve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from noria.access.key import Budget, Key, RateLimit
from noria.config.config import Config
from noria.config.mistake import table
from noria.config.model import ModelSection
from noria.config.provider import ProviderSection
from noria.errors import ConfigError
from noria.gateway.snapshot import FORMAT, Model, Provider, Route, Snapshot, Target
from noria.models.card import Card
from noria.models.price import FREE, Price

CardLookup = Callable[[str, str], Card | None]
"""The card of a model, by its name and the kind of its provider (a preset, or the provider's own name)."""
PriceLookup = Callable[[str, str], Price | None]
"""The list price, by the same two."""


def compile_snapshot(config: Config, *, folder: Path, card: CardLookup, price: PriceLookup) -> Snapshot:
    """What workers serve under `config`, whose root noria.toml lies in `folder`.

    Raises ConfigError where a hard budget or a money limit applies and a model has no price.
    """
    models = {**_engine_models(config, card), **_provider_models(config, card, price)}
    if _counts_money(config):
        _refuse_unpriced(models)
    capture = config.telemetry.capture
    routes = {name: route.compiled(name, capture=capture) for name, route in config.routes.items()}
    for model_id in models:
        routes.setdefault(
            model_id, Route(name=model_id, targets=(Target(model=model_id),), capture=capture, implicit=True)
        )
    return Snapshot(
        format=FORMAT,
        digest=config.digest,
        providers=_providers(config, folder),
        models=models,
        routes=routes,
        require_key=config.access.require_key,
        anonymous=None if config.access.require_key else _anonymous(config),
        max_body=config.server.max_body,
        hosts=_hosts(config),
        origins=config.server.origins,
    )


def compile_budgets(config: Config) -> dict[str, Budget]:
    """The budgets that noria.toml defines, by name."""
    return {name: budget.compiled(name) for name, budget in config.budgets.items()}


def key_limits(config: Config) -> tuple[RateLimit, ...]:
    """The limits of keys that have none of their own."""
    return tuple(limit.compiled() for limit in config.limits.keys)


def provider_kind(name: str, provider: ProviderSection) -> str:
    """What catalogues know the provider as.

    The dialect "openai" says nothing of who answers, so a provider that speaks it goes by its own name.
    """
    if provider.preset is not None:
        kind = provider.preset
    else:
        kind = name if provider.dialect in (None, "openai") else provider.dialect
    return "vertex" if kind == "vertex-anthropic" else kind


def _anonymous(config: Config) -> Key:
    return Key(
        id="anonymous", lookup="", hash=b"", name="anonymous", routes=("*",), limits=key_limits(config)
    )


def _hosts(config: Config) -> tuple[str, ...]:
    server = config.server
    names = [host.lower() for host in server.hosts]
    if server.public is not None:
        names.append(urlsplit(server.public).hostname or "")
    if server.host not in ("0.0.0.0", "::"):
        names.append(server.host.lower())
    return tuple(sorted({f"[{name}]" if ":" in name else name for name in names}))


def _providers(config: Config, folder: Path) -> dict[str, Provider]:
    found = {name: provider.compiled(name, folder=folder) for name, provider in config.providers.items()}
    for name in config.engines:
        found[name] = Provider(name=name, dialect="engine", base_url=f"engine:{name}", region="local")
    return found


def _engine_models(config: Config, card: CardLookup) -> dict[str, Model]:
    models: dict[str, Model] = {}
    for name, engine in config.engines.items():
        model_id = engine.model_id()
        upstream = model_id.partition("/")[2]
        section = config.models.get(model_id, ModelSection())
        found = card(section.card or upstream, "local")
        base = Model(
            id=model_id,
            provider=name,
            upstream=section.upstream or upstream,
            card=section.compiled_card(model_id, found),
            price=FREE if section.price is None else section.price.compiled(model_id),
            aliases={adapter: adapter for adapter in engine.adapters},
        )
        models[model_id] = base
        for adapter in engine.adapters:
            with_adapter = f"{model_id}:{adapter}"
            models[with_adapter] = msgspec.structs.replace(
                base, id=with_adapter, upstream=f"{base.upstream}:{adapter}", aliases={}
            )
    return models


def _provider_models(config: Config, card: CardLookup, price: PriceLookup) -> dict[str, Model]:
    named = [model_id for model_id in config.models if not model_id.startswith("local/")]
    for name, provider in config.providers.items():
        named += [f"{name}/{upstream}" for upstream in provider.models or ()]
    for route in config.routes.values():
        named += [target.model for target in route.targets if not target.model.startswith("local/")]
    models: dict[str, Model] = {}
    for model_id in dict.fromkeys(named):
        owner, _, upstream = model_id.partition("/")
        section = config.models.get(model_id, ModelSection())
        kind = provider_kind(owner, config.providers[owner])
        known = section.card or section.upstream or upstream
        models[model_id] = Model(
            id=model_id,
            provider=owner,
            upstream=section.upstream or upstream,
            card=section.compiled_card(model_id, card(known, kind)),
            price=price(known, kind) if section.price is None else section.price.compiled(model_id),
            aliases=section.adapters,
        )
    return models


def _counts_money(config: Config) -> bool:
    limits = [*config.limits.keys, *(limit for route in config.routes.values() for limit in route.limits)]
    return any(budget.hard for budget in config.budgets.values()) or any(
        limit.money is not None for limit in limits
    )


def _refuse_unpriced(models: dict[str, Model]) -> None:
    unpriced = [
        model.id
        for model in models.values()
        if model.price is None or model.price.input is None or model.price.output is None
    ]
    if unpriced:
        raise ConfigError(
            "\n".join(
                f"{table(('models', model_id))} needs a `price` with `input` and `output`: none is known,"
                " and a hard budget or a limit on money applies."
                for model_id in unpriced
            )
        )
