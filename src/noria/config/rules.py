"""What is well-formed and still cannot be meant: rules that never apply, dead names, open doors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from noria import hooks
from noria.config.config import Config
from noria.config.mistake import nearest, table
from noria.config.monitor_rules import monitor_mistakes
from noria.config.positions import Path
from noria.config.preset import PRESETS
from noria.config.provider import ProviderSection
from noria.config.route import RouteSection, TargetSection


class Finding(NamedTuple):
    """A mistake, and the path of what is to be changed."""

    path: Path
    message: str


LOCAL = "local"
"""The provider part of models that engines serve."""


def findings(config: Config) -> list[Finding]:
    """All mistakes that one section alone does not show, but for prices (see `compile`)."""
    found = [*_server(config), *_access(config)]
    for name, provider in config.providers.items():
        found += _provider(name, provider, config)
    found += _engines(config)
    for model_id in config.models:
        found += _model(("models", model_id), model_id, config)
    for name, route in config.routes.items():
        found += _route(name, route, config)
    found += [Finding(path, message) for path, message in monitor_mistakes(config)]
    return found


def _server(config: Config) -> Iterator[Finding]:
    server = config.server
    if (server.tls_cert is None) != (server.tls_key is None):
        yield Finding(("server",), "[server] must have both `tls_cert` and `tls_key`, or neither.")
    if server.loopback():
        return
    where = f"[server] listens on {server.host}, which others can reach"
    if not config.access.require_key:
        yield Finding(
            ("server", "host"), f"{where}, so `require_key` in [access] must be true, or `host` 127.0.0.1."
        )
    if server.tls_cert is None and not server.tls_in_front:
        yield Finding(
            ("server", "host"),
            f"{where}: set `tls_cert` and `tls_key`, or say `tls_in_front = true` where a proxy does TLS.",
        )
    if server.host in ("0.0.0.0", "::") and server.public is None and not server.hosts:
        yield Finding(
            ("server", "host"), f"{where}, and no name of it is served: set `public` or `hosts` in [server]."
        )


def _access(config: Config) -> Iterator[Finding]:
    if not config.access.password.enabled and config.access.oidc is None:
        yield Finding(
            ("access", "password"), "[access] leaves no way to sign in: enable `password` or add `oidc`."
        )
    oidc = config.access.oidc
    if oidc is not None and not oidc.roles and oidc.default_role is None:
        yield Finding(
            ("access", "oidc"), "[access.oidc] lets nobody in: give it `roles` or a `default_role`."
        )


def _provider(name: str, provider: ProviderSection, config: Config) -> Iterator[Finding]:
    here = ("providers", name)
    header = table(here)
    if name == LOCAL or name in config.engines:
        yield Finding(here, f"{header} has a name that engines use; give the provider another.")
    if provider.preset is not None and provider.preset not in PRESETS:
        guess = nearest(provider.preset, PRESETS)
        yield Finding((*here, "preset"), f"{header} names the unknown preset {provider.preset!r}{guess}")
        return
    known = provider.known(name)
    dialects = hooks.names("back")
    if known is None and provider.dialect is None:
        guess = nearest(name, PRESETS)
        yield Finding(
            here, f"{header} is not a known provider: give it `dialect` and `base_url`, or a `preset`{guess}"
        )
    elif provider.dialect is not None and dialects and provider.dialect not in dialects:
        guess = nearest(provider.dialect, dialects)
        yield Finding((*here, "dialect"), f"{header} names the unknown dialect {provider.dialect!r}{guess}")
    elif provider.base_url is None:
        if known is None or not known.base_url:
            yield Finding(here, f"{header} lacks `base_url`, which it must have.")
        else:
            for part in known.parts():
                if not provider.part(part):
                    yield Finding(here, f"{header} needs {_PARTS[part]}, or a `base_url`.")
    if known is not None and provider.auth is None and provider.base_url is None:
        given = provider.secrets()
        for purpose in known.needs:
            if purpose not in given:
                example = f'"env:{name.upper().replace("-", "_").replace(".", "_")}_{purpose.upper()}"'
                yield Finding(here, f"{header} lacks `{purpose}`, such as {example}.")
    if (provider.client_cert is None) != (provider.client_key is None):
        yield Finding(here, f"{header} must have both `client_cert` and `client_key`, or neither.")


_PARTS = {
    "region": "a `region`",
    "location": "`location` in its `options`",
    "resource": "`resource` in its `options`",
}


def _engines(config: Config) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for name, engine in config.engines.items():
        other = first.setdefault(engine.model_id(), name)
        if other != name:
            yield Finding(
                ("engines", name),
                f"{table(('engines', name))} and {table(('engines', other))} both serve"
                f" {engine.model_id()}; give one another `model`.",
            )


def _model(path: Path, model_id: str, config: Config) -> Iterator[Finding]:
    """Whether `provider/name` leads somewhere."""
    owner, _, upstream = model_id.partition("/")
    if owner == LOCAL:
        local = [name for engine in config.engines.values() for name in engine.model_ids()]
        if model_id not in local:
            yield Finding(
                path, f"{_said(path)} names {model_id!r}, which no engine serves{nearest(model_id, local)}"
            )
        return
    provider = config.providers.get(owner)
    if provider is None:
        guess = nearest(owner, config.providers)
        yield Finding(path, f"{_said(path)} names the unknown provider {owner!r}{guess}")
    elif provider.models is not None and path[0] != "models" and upstream not in provider.models:
        listed = [
            *provider.models,
            *(one.partition("/")[2] for one in config.models if one.startswith(owner + "/")),
        ]
        if upstream not in listed:
            yield Finding(
                path,
                f"{_said(path)} names {model_id!r}, which `models` of {table(('providers', owner))} lacks"
                f"{nearest(upstream, listed)}",
            )


def _said(path: Path) -> str:
    return table(path[:2])


def _route(name: str, route: RouteSection, config: Config) -> Iterator[Finding]:
    here: Path = ("routes", name)
    header = table(here)
    if name.startswith("app/"):
        yield Finding(here, f"{header} begins with app/, which is kept for Apps; name it otherwise.")
    seen: list[TargetSection] = []
    for index, target in enumerate(route.targets):
        path: Path = (*here, "targets", index)
        yield from _model(path, target.model, config)
        yield from _target(path, target, route, config)
        key = target.model_copy(
            update={"weight": None, "order": None, "timeouts": None, "max_concurrency": None}
        )
        if key in seen:
            yield Finding(
                path, f"{header} names {target.model!r} twice under the same conditions; leave one."
            )
        seen.append(key)
    yield from _never(here, route)


def _target(path: Path, target: TargetSection, route: RouteSection, config: Config) -> Iterator[Finding]:
    header = table(path[:2])
    when = target.when
    if when is not None:
        least, most = when.min_input_tokens, when.max_input_tokens
        if least is not None and most is not None and least > most:
            yield Finding(
                path,
                f"{header} never reaches {target.model!r}: `min_input_tokens` exceeds `max_input_tokens`.",
            )
    owner = target.model.partition("/")[0]
    provider = config.providers.get(owner)
    region = LOCAL if owner == LOCAL else provider.region if provider is not None else None
    stated = owner == LOCAL or provider is not None
    if stated and route.regions is not None and region not in route.regions:
        why = f"is in {region!r}" if region else "does not state its `region`"
        yield Finding(
            path,
            f"{header} never reaches {target.model!r}: its `regions` are {', '.join(route.regions)}"
            f" and the provider {why}.",
        )
    if route.strategy == "ordered" and target.weight is not None:
        equals = [one for one in route.targets if one.order is not None and one.order == target.order]
        if len(equals) < 2:
            yield Finding(
                path,
                f'{header} gives {target.model!r} a `weight` without effect: set `strategy = "weighted"`.',
            )


def _never(here: Path, route: RouteSection) -> Iterator[Finding]:
    """Settings of a route that can have no effect."""
    header = table(here)
    if all(target.weight == 0 for target in route.targets):
        yield Finding((*here, "targets"), f"{header} can reach no target: each has weight 0.")
    if route.sticky is not None and route.strategy in ("lowest_latency", "least_busy"):
        yield Finding(
            (*here, "sticky"),
            f'{header} has `sticky` without effect: set `strategy = "weighted"` or leave it out.',
        )
    if route.queue and route.max_concurrency is None:
        yield Finding(
            (*here, "queue"), f"{header} has a `queue` without effect: set `max_concurrency` as well."
        )
