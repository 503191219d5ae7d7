"""A snapshot resolved into what one call needs, made aside when a snapshot arrives and then swapped in.

Secrets are read here, once, and live only in this process's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import msgspec

from noria.errors import ConfigError, StateError
from noria.gateway.dialects.dialect import Back
from noria.gateway.health import Health
from noria.gateway.snapshot import Condition, Live, Model, Provider, Route, Snapshot, Target, Timeouts
from noria.gateway.transport import Origin, Signer
from noria.models.bound import ceiling

Resolve = Callable[[Provider], tuple[str, dict[str, str]]]
"""Gives a provider's base URL and its secrets by purpose; raises ConfigError where one cannot be read."""

_AUTH_HEADERS = {
    "bearer": ("authorization", "Bearer {}"),
    "x-api-key": ("x-api-key", "{}"),
    "api-key": ("api-key", "{}"),
    "x-goog-api-key": ("x-goog-api-key", "{}"),
}


SECRET = 8
"""Characters from which a secret is looked for in an upstream's words; shorter ones are words themselves."""


NOWHERE = "http://unready.invalid"
"""Stands for the base URL of a provider that cannot be called."""


class Endpoint:
    """One model at one provider, with all of its request heads that can be made ahead."""

    __slots__ = (
        "_base_path", "_fixed", "_heads", "_secrets", "back", "ceiling", "family", "host", "model", "origin",
        "provider", "signer", "unready",
    )  # fmt: skip

    def __init__(
        self,
        provider: Provider,
        model: Model,
        *,
        back: Back,
        base_url: str,
        secrets: dict[str, str],
        signer: Signer | None,
        proxy: str,
        unready: str = "",
    ) -> None:
        """`unready` says why no call can go there (a secret that is not set), "" where one can."""
        self.unready = unready
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ConfigError(
                f"The base_url of provider {provider.name!r} must be an http(s) URL, not {base_url!r}."
            )
        tls = url.scheme == "https"
        port = url.port or (443 if tls else 80)
        self.provider = provider
        self.model = model
        self.back = back
        self.ceiling = ceiling(model.price)
        self.signer = signer
        self.origin = Origin(
            host=url.hostname,
            port=port,
            tls=tls,
            proxy=proxy,
            ca_file=provider.ca_file or "",
            client_cert=provider.client_cert or "",
            client_key=provider.client_key or "",
            max_connections=provider.max_connections,
        )
        self.host = url.hostname if url.port is None else f"{url.hostname}:{url.port}"
        self.family = "openai" if provider.dialect == "azure" else provider.dialect
        """The dialect whose bodies can be passed through."""
        self._base_path = url.path.rstrip("/")
        self._secrets = [value.encode() for value in secrets.values() if len(value) >= SECRET]
        fixed = {"content-type": "application/json", "user-agent": "noria", **provider.headers}
        if provider.auth in _AUTH_HEADERS:
            key = secrets.get("api_key", "")
            if key:
                name, form = _AUTH_HEADERS[provider.auth]
                fixed[name] = form.format(key)
        self._fixed = "".join(f"{name}: {value}\r\n" for name, value in fixed.items())
        self._heads: dict[tuple[str, tuple[tuple[str, str], ...]], bytes] = {}

    def unsecret(self, words: bytes) -> bytes:
        """An upstream's words without the secrets that it was sent: some repeat a key that they refuse."""
        for secret in self._secrets:
            words = words.replace(secret, b"[secret]")
        return words

    def path(self, path: str) -> str:
        """The request target of `path` (which starts with "/" and may have a query)."""
        return self._base_path + path

    def head(self, path: str, headers: dict[str, str], *, method: str = "POST") -> bytes:
        """Request line and headers; `headers` are the dialect's own. Of a POST kept for the next call."""
        key = (path, tuple(headers.items()))
        head = self._heads.get(key) if method == "POST" else None
        if head is None:
            extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            target = self.path(path)
            if self.origin.proxy and not self.origin.tls:
                target = f"http://{self.host}{target}"
            head = f"{method} {target} HTTP/1.1\r\nhost: {self.host}\r\n{self._fixed}{extra}".encode(
                "latin-1"
            )
            if method == "POST" and len(self._heads) < 64:
                self._heads[key] = head
        return head


class Candidate:
    """One target of one route on this worker."""

    __slots__ = (
        "endpoint",
        "health",
        "max_concurrency",
        "order",
        "region_refusal",
        "timeouts",
        "weight",
        "when",
    )

    def __init__(self, target: Target, route: Route, endpoint: Endpoint, health: Health) -> None:
        self.endpoint = endpoint
        self.health = health
        self.weight = target.weight
        self.order = target.order
        self.when: Condition | None = target.when if target.when != Condition() else None
        self.timeouts: Timeouts = target.timeouts or route.timeouts
        self.max_concurrency = target.max_concurrency
        region = endpoint.provider.region
        self.region_refusal = ""
        if route.regions and region not in route.regions:
            allowed = ", ".join(route.regions)
            self.region_refusal = f"region {region or 'not stated'!r} is not one of {allowed}"

    def excludes(self, tags: dict[str, str], input_tokens: int) -> str:
        """The rule that forbids this target for a call, or ""."""
        if self.region_refusal or self.endpoint.unready:
            return self.region_refusal or self.endpoint.unready
        when = self.when
        if when is None:
            return ""
        for name, value in when.tags.items():
            if tags.get(name) != value:
                return f"tag {name} is not {value!r}"
        if when.min_input_tokens is not None and input_tokens < when.min_input_tokens:
            return f"input is estimated at {input_tokens} tokens, below {when.min_input_tokens}"
        if when.max_input_tokens is not None and input_tokens > when.max_input_tokens:
            return f"input is estimated at {input_tokens} tokens, above {when.max_input_tokens}"
        return ""


class Choice(msgspec.Struct, frozen=True):
    """Candidates in the order to try them."""

    order: Sequence[Candidate]
    propensity: float = 1.0
    """Probability with which the first was chosen among its equals."""
    weights: dict[str, float] = {}
    excluded: dict[str, str] = {}


class CompiledRoute:
    """A Route with its candidates; `single` is the ready choice where there is but one, without rules."""

    __slots__ = ("candidates", "fallback_on", "name", "route", "single", "sticky", "strategy")

    def __init__(self, route: Route, candidates: list[Candidate]) -> None:
        self.route = route
        self.name = route.name
        self.strategy = route.strategy
        self.sticky = route.sticky
        self.fallback_on = frozenset(route.fallback_on)
        self.candidates = candidates
        self.single: Choice | None = None
        plain = len(candidates) == 1 and candidates[0].when is None
        if plain and not (candidates[0].region_refusal or candidates[0].endpoint.unready):
            only = candidates[0]
            self.single = Choice(order=(only,), weights={only.endpoint.model.id: only.weight})


class World:
    """All that a worker serves: one config version and the live keys and budgets."""

    __slots__ = ("digest", "live", "routes", "snapshot", "unready")

    def __init__(self, snapshot: Snapshot, live: Live, routes: dict[str, CompiledRoute]) -> None:
        self.snapshot = snapshot
        self.live = live
        self.routes = routes
        self.digest = snapshot.digest
        self.unready = any(one.endpoint.unready for route in routes.values() for one in route.candidates)
        """Whether a provider cannot be called, since a secret of it cannot be read."""

    def with_live(self, live: Live) -> World:
        """The same config version with other keys and budgets."""
        return World(self.snapshot, live, self.routes)


def compile_world(
    snapshot: Snapshot,
    live: Live,
    *,
    resolve: Resolve,
    back: Callable[[str], Back],
    signer: Callable[[Provider, dict[str, str]], Signer | None],
    proxy: Callable[[Provider, str], str],
) -> World:
    """Resolve every model and route. A provider whose secrets cannot be read keeps only its own models back.

    `proxy` gives the proxy URL for a provider's base URL, "" for none.
    """
    endpoints: dict[str, Endpoint] = {}
    accounts: dict[str, tuple[str, dict[str, str], str]] = {}
    for model in snapshot.models.values():
        provider = snapshot.providers[model.provider]
        if provider.name not in accounts:
            try:
                accounts[provider.name] = (*resolve(provider), "")
            except (ConfigError, StateError) as error:
                accounts[provider.name] = NOWHERE, {}, str(error).rstrip(".")
        base_url, secrets, unready = accounts[provider.name]
        endpoints[model.id] = Endpoint(
            provider,
            model,
            back=back(provider.dialect),
            base_url=base_url,
            secrets=secrets,
            signer=None if unready else signer(provider, secrets),
            proxy="" if unready else proxy(provider, base_url),
            unready=unready,
        )
    routes: dict[str, CompiledRoute] = {}
    for route in snapshot.routes.values():
        candidates = [
            Candidate(target, route, endpoints[target.model], Health(route.breaker))
            for target in route.targets
        ]
        routes[route.name] = CompiledRoute(route, candidates)
    return World(snapshot, live, routes)
