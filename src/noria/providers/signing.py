"""Which Signer a provider's calls need, by its `auth`."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from noria.errors import ConfigError
from noria.gateway.snapshot import Provider
from noria.gateway.transport import Signer, Transport
from noria.providers.google_auth import GoogleSigner
from noria.providers.proxies import proxy_for
from noria.providers.sigv4 import Credentials, Scope, SigV4Signer

_AWS_HOST = re.compile(r"([a-z-]+)\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


def signer(provider: Provider, secrets: dict[str, str], *, transport: Transport) -> Signer | None:
    """None where the provider's fixed headers are all that is needed.

    `secrets` are by purpose, as in `Provider.secrets`, read already. Raises ConfigError.
    """
    match provider.auth:
        case "sigv4":
            return SigV4Signer(_credentials(provider, secrets), _scope(provider))
        case "google":
            credentials = secrets.get("credentials")
            if not credentials:
                raise _missing(provider, "credentials", "a service account's key file, such as file:key.json")
            proxy = provider.proxy
            return GoogleSigner(
                credentials,
                transport=transport,
                proxy=lambda url: proxy_for(url, os.environ) if proxy is None else proxy,
            )
        case _:
            return None


def _credentials(provider: Provider, secrets: dict[str, str]) -> Credentials:
    for name in ("access_key", "secret_key"):
        if not secrets.get(name):
            raise _missing(provider, name, "an AWS access key, such as env:AWS_SECRET_ACCESS_KEY")
    return Credentials(
        access_key=secrets["access_key"],
        secret_key=secrets["secret_key"],
        session_token=secrets.get("session_token", ""),
    )


def _scope(provider: Provider) -> Scope:
    """Region and service from the options, else from an AWS host; bedrock-runtime signs as "bedrock"."""
    found = _AWS_HOST.fullmatch(urlsplit(provider.base_url).hostname or "")
    region = provider.options.get("region") or (found[2] if found else "") or provider.region
    if not region:
        raise ConfigError(
            f"Provider {provider.name!r} signs for AWS and has no known region; add the option 'region'."
        )
    service = provider.options.get("service") or ("bedrock" if provider.dialect == "bedrock" else "")
    service = service or (found[1] if found else "")
    if not service:
        raise ConfigError(
            f"Provider {provider.name!r} signs for AWS and has no known service; add the option 'service'."
        )
    return Scope(region, service)


def _missing(provider: Provider, name: str, what: str) -> ConfigError:
    return ConfigError(f"Provider {provider.name!r} needs the secret {name!r}: {what}.")
