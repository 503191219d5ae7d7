"""[providers.NAME]: an account at an endpoint that serves models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from noria.config.preset import AUTH_OF_DIALECT, PRESETS, Auth, Preset
from noria.config.reference import HttpUrl, PathText, Secret, absolute, absolute_secret
from noria.config.section import Many, Section, Some
from noria.gateway.snapshot import Provider

_CREDENTIAL_HEADERS = {
    "authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key",
    "x-amz-security-token",
}  # fmt: skip


def _headers(value: dict[str, str]) -> dict[str, str]:
    for name in value:
        if name.lower() in _CREDENTIAL_HEADERS:
            raise ValueError(f"may not set {name!r}, which carries a secret; use `api_key` with `auth`")
    return {name.lower(): text for name, text in value.items()}


HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
HeaderText = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]*$")]
Headers = Annotated[dict[HeaderName, HeaderText], AfterValidator(_headers)]


OF_DIALECT = {"anthropic": ("anthropic-version", "anthropic-beta")}
"""Callers' headers that are part of the dialect itself, so that they pass through with the body."""


class ProviderSection(Section):
    """An account at an endpoint. A provider named like a preset needs no more than its key."""

    preset: str | None = None
    """Which known provider this is, where its name does not say so: "openai", "groq", "vllm", …"""
    dialect: str | None = None
    """What it speaks: "openai", "azure", "anthropic", "gemini", "vertex", "bedrock", … or a plugin's."""
    base_url: HttpUrl | None = None
    """Up to, and with, the version: "https://api.openai.com/v1"."""
    auth: Auth | None = None
    """How requests are signed, where it is not as usual for the dialect."""
    api_key: Secret | None = None
    access_key: Secret | None = None
    """AWS access key id."""
    secret_key: Secret | None = None
    """AWS secret access key."""
    session_token: Secret | None = None
    credentials: Secret | None = None
    """A Google service account's JSON: "file:service-account.json"."""
    region: str | None = None
    """Where requests are answered; for the residency rules of routes and, on AWS, the service's region."""
    models: Some[Annotated[str, Field(min_length=1)]] | None = None
    """All that may be called here, by the provider's names; left out: what routes and [models] name."""
    proxy: HttpUrl | None = None
    """Left out: HTTPS_PROXY and NO_PROXY of the environment."""
    ca_file: PathText | None = None
    client_cert: PathText | None = None
    client_key: PathText | None = None
    max_connections: Annotated[int, Field(ge=1, le=65_536)] = 256
    ask_usage: bool = True
    """Whether a streamed request that does not ask for usage is made to."""
    headers: Headers = {}
    """Sent with each request."""
    forward_headers: Many[HeaderName] = ()
    """The caller's headers that pass through, such as "anthropic-beta"."""
    options: dict[str, str] = {}
    """What a dialect needs beside the URL: "api_version", "project", "location", "resource"."""

    def known(self, name: str) -> Preset | None:
        """The preset that the section names, else that of its dialect, else the one of its own name."""
        return PRESETS.get(self.preset or self.dialect or name)

    def secrets(self) -> dict[str, str]:
        """The references that are given, by purpose."""
        given = {
            "api_key": self.api_key,
            "access_key": self.access_key,
            "secret_key": self.secret_key,
            "session_token": self.session_token,
            "credentials": self.credentials,
        }
        return {purpose: reference for purpose, reference in given.items() if reference is not None}

    def part(self, name: str) -> str:
        """What stands for `{name}` in a preset's base URL."""
        return (self.region or "") if name == "region" else self.options.get(name, "")

    def compiled(self, name: str, *, folder: Path) -> Provider:
        """As workers call it. The section has passed `rules.findings`."""
        known = self.known(name)
        dialect = self.dialect or (known.dialect if known else "")
        base_url = self.base_url
        if base_url is None:
            assert known is not None
            base_url = known.url({part: self.part(part) for part in known.parts()})
        options = {**(known.options if known else {}), **self.options}
        if not self.ask_usage:
            options.setdefault("ask_usage", "no")
        if self.region is not None:
            options.setdefault("region", self.region)
        files = {
            "ca_file": self.ca_file,
            "client_cert": self.client_cert,
            "client_key": self.client_key,
        }
        return Provider(
            name=name,
            dialect=dialect,
            base_url=base_url,
            auth=self.auth or (known.auth if known else AUTH_OF_DIALECT.get(dialect, "bearer")),
            secrets={purpose: absolute_secret(one, folder) for purpose, one in self.secrets().items()},
            headers=self.headers,
            options=options,
            region=self.region or "",
            proxy=self.proxy,
            max_connections=self.max_connections,
            ask_usage=self.ask_usage,
            forward_headers=tuple(
                header.lower() for header in (*self.forward_headers, *OF_DIALECT.get(dialect, ()))
            ),
            **{use: absolute(path, folder) for use, path in files.items() if path is not None},
        )
