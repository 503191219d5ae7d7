"""What a worker serves: two immutable values, read from files and never changed in place.

`Snapshot` is one config version, compiled from noria.toml by `config`; `Live` holds what changes between
versions (keys, budgets, labels). Both are msgpack files in `.noria/snapshots`: `config-<digest>.msgpack` and
`live-<epoch>.msgpack`. They hold references to secrets (`env:NAME`, `file:PATH`), never secrets.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from noria.access.key import Budget, Key, RateLimit
from noria.models.card import Card
from noria.models.price import Price
from noria.prompts.compiled import CompiledPrompt

FORMAT = 1
"""Raised whenever a field changes its meaning; a worker refuses another format."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    pass


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds; 0 means no limit."""

    connect: float = 5.0
    first_token: float = 60.0
    """From the request to the first content event (streamed) or the whole answer's head."""
    gap: float = 60.0
    """Between two chunks of a stream."""
    total: float = 600.0


class Provider(Struct, frozen=True, kw_only=True):
    """An account at an endpoint. `auth` names how requests are signed; `secrets` are references."""

    name: str
    dialect: str
    """One of "openai", "azure", "anthropic", "gemini", "vertex", "bedrock", or a plugin's type."""
    base_url: str
    auth: Literal["none", "bearer", "x-api-key", "api-key", "x-goog-api-key", "sigv4", "google"] = "bearer"
    secrets: dict[str, str] = {}
    """By purpose: "api_key"; "access_key", "secret_key", "session_token"; "credentials"."""
    headers: dict[str, str] = {}
    options: dict[str, str] = {}
    """What a dialect needs beside the URL: "api_version", "region", "project", "location"."""
    region: str = ""
    proxy: str | None = None
    """An http:// URL; None: HTTPS_PROXY and NO_PROXY of the environment."""
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    max_connections: int = 256
    ask_usage: bool = True
    """Whether to add stream_options.include_usage to a streamed request that lacks it."""
    forward_headers: tuple[str, ...] = ()
    """The caller's headers that pass through, lower case (such as "anthropic-beta")."""


class Model(Struct, frozen=True, kw_only=True):
    """A callable model: `id` is `provider/name`, `upstream` the name that the provider knows."""

    id: str
    provider: str
    upstream: str
    card: Card
    price: Price | None = None
    """The price that applies here: negotiated, else the card's."""
    aliases: dict[str, str] = {}
    """Adapters by name: the `lora` that the engine is asked for."""


class Condition(Struct, frozen=True, kw_only=True):
    """All that are set must hold. Lengths are estimated input tokens (body bytes / 4)."""

    tags: dict[str, str] = {}
    min_input_tokens: int | None = None
    max_input_tokens: int | None = None


class Target(Struct, frozen=True, kw_only=True):
    """One candidate of a route. Targets of the same `order` compete; a higher order is tried after."""

    model: str
    weight: float = 1.0
    order: int = 0
    when: Condition = Condition()
    timeouts: Timeouts | None = None
    max_concurrency: int = 0
    """0: no limit."""


class Breaker(Struct, frozen=True, kw_only=True):
    """Opens after `failures` failures within `window` seconds; half-open after `cooldown`."""

    failures: int = 5
    window: float = 30.0
    cooldown: float = 15.0


class CacheRule(Struct, frozen=True, kw_only=True):
    """The exact cache of a route; off unless `ttl` is positive (seconds)."""

    ttl: int = 0
    max_bytes: int = 1_048_576
    """Answers longer than this are not kept."""


class Route(Struct, frozen=True, kw_only=True):
    """A public model name."""

    name: str
    targets: tuple[Target, ...]
    strategy: Literal["ordered", "weighted", "lowest_latency", "least_busy"] = "weighted"
    sticky: Literal["", "user", "session", "episode"] = ""
    retries: int = 2
    """Further attempts at one target."""
    backoff: float = 0.25
    """Seconds before the first retry; doubles, with full jitter, and is never shorter than Retry-After."""
    fallback_on: tuple[str, ...] = ("connect", "timeout", "rate_limited", "server", "auth", "not_found")
    """Classes of `errors.UpstreamClass` after which the next target is tried."""
    timeouts: Timeouts = Timeouts()
    breaker: Breaker = Breaker()
    max_concurrency: int = 0
    queue: int = 0
    """How many may wait when `max_concurrency` is reached; beyond that 429 at once."""
    queue_timeout: float = 5.0
    regions: tuple[str, ...] = ()
    """Residency: only targets whose provider's region is one of these; empty: no rule."""
    cache: CacheRule = CacheRule()
    capture: str = "full"
    """One of "full", "metadata", or a share of calls whose payloads are kept, such as "0.1"."""
    limits: tuple[RateLimit, ...] = ()
    implicit: bool = False
    """Made for a model that no route names, so that `provider/name` can be called."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """One compiled config version."""

    format: int
    digest: str
    providers: dict[str, Provider]
    models: dict[str, Model]
    routes: dict[str, Route]
    require_key: bool = True
    """Whether a call without a key is refused; false only on loopback."""
    anonymous: Key | None = None
    """The principal of calls without a key, where `require_key` is false."""
    max_body: int = 33_554_432
    hosts: tuple[str, ...] = ()
    """Host header values that are served, beside the loopback names."""
    origins: tuple[str, ...] = ()
    """Origins that a browser may call from; empty: none but the page itself."""


class ServedPrompt(Struct, frozen=True, kw_only=True):
    """The versions of a prompt that have a label, by number."""

    labels: dict[str, int]
    versions: dict[int, CompiledPrompt]


class Live(Struct, frozen=True, kw_only=True):
    """What changes without a new config version."""

    format: int
    epoch: int
    keys: dict[str, Key] = {}
    """By lookup."""
    budgets: dict[str, Budget] = {}
    """By name."""
    prompts: dict[str, dict[str, ServedPrompt]] = {}
    """By project and name."""
