"""Doctor: whether each provider can be reached: name, connection, certificate and key, in this order."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx2

from noria.config.config import Config
from noria.errors import ConfigError
from noria.gateway.snapshot import Provider
from noria.providers.proxies import proxy_for
from noria.providers.secrets import read_secret
from noria.runtime.finding import Finding

TIMEOUT = 8.0
"""Seconds for each step."""
_ANTHROPIC = "2023-06-01"


def providers(config: Config, folder: Path, environment: Mapping[str, str]) -> Iterator[Finding]:
    """All at once, since one that does not answer takes its time."""
    found = [section.compiled(name, folder=folder) for name, section in config.providers.items()]
    if not found:
        return
    with ThreadPoolExecutor(max_workers=min(len(found), 16)) as pool:
        asked = [pool.submit(_provider, provider, folder, environment) for provider in found]
        yield from (one.result() for one in asked)


def _provider(provider: Provider, folder: Path, environment: Mapping[str, str]) -> Finding:
    try:
        secrets = {
            purpose: read_secret(reference, base=folder, environment=environment)
            for purpose, reference in provider.secrets.items()
        }
        proxy = provider.proxy if provider.proxy is not None else proxy_for(provider.base_url, environment)
    except ConfigError as error:
        return _wrong(
            provider, f"was not asked: {str(error).rstrip('.')}", "Set it where `noria up` is started."
        )
    try:
        context = _context(provider)
    except (OSError, ssl.SSLError) as error:
        return _wrong(provider, f"has a certificate file that cannot be read ({error})", "Correct its path.")
    return _reach(provider, proxy, context) or _ask(provider, proxy, context, secrets)


def _context(provider: Provider) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=provider.ca_file)
    if provider.client_cert is not None:
        context.load_cert_chain(provider.client_cert, provider.client_key)
    return context


def _reach(provider: Provider, proxy: str, context: ssl.SSLContext) -> Finding | None:
    """Name, connection and certificate; through a proxy only the proxy's name and connection are ours."""
    url = urlsplit(proxy or provider.base_url)
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    what = f"the proxy {host}" if proxy else host
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return _wrong(
            provider,
            f"has no address: the name of {what} cannot be resolved ({error.strerror})",
            "Check base_url and this machine's DNS, or set HTTPS_PROXY.",
        )
    try:
        connection = socket.create_connection((host, port), timeout=TIMEOUT)
    except OSError as error:
        return _wrong(
            provider,
            f"cannot be connected to: {what} port {port}: {error.strerror or error}",
            "Check that it runs, the port in base_url, and firewalls; or set HTTPS_PROXY.",
        )
    with connection:
        if proxy or url.scheme != "https":
            return None
        try:
            context.wrap_socket(connection, server_hostname=host).close()
        except ssl.SSLCertVerificationError as error:
            return _wrong(
                provider,
                f"has a certificate that is not trusted: {error.verify_message}",
                "Set ca_file to the authority that signed it, or correct this machine's clock or base_url.",
            )
        except OSError as error:
            return _wrong(provider, f"does not do TLS at {host}:{port} ({error})", "Check base_url.")
    return None


def _ask(provider: Provider, proxy: str, context: ssl.SSLContext, secrets: Mapping[str, str]) -> Finding:
    """The list of models, which costs nothing, to see whether the key is taken."""
    asked = _models(provider, secrets)
    if asked is None:
        return Finding("providers", "ok", f"{provider.name} can be reached; its credentials were not tried.")
    url, headers = asked
    try:
        with httpx2.Client(
            proxy=proxy or None, verify=context, trust_env=False, timeout=TIMEOUT, headers=headers
        ) as http:
            begun = time.time()
            answer = http.get(url)
            skew = _skew(answer.headers.get("date"), (begun + time.time()) / 2)
    except httpx2.HTTPError as error:
        return _wrong(
            provider, f"does not answer ({error or type(error).__name__})", "Check base_url, or try later."
        )
    status = answer.status_code
    if status in (401, 403):
        return _wrong(
            provider, f"refuses the key ({status})", "Put a key that is in force where noria.toml says.", skew
        )
    if status == 407:
        return _wrong(provider, "is behind a proxy that wants a password", "Put it into HTTPS_PROXY.", skew)
    if status >= 500:
        return _wrong(
            provider, f"answers {status}", "The fault is the provider's; see its status page.", skew
        )
    if status == 200:
        return Finding("providers", "ok", f"{provider.name} answers and takes the key.", skew_s=skew)
    return Finding(
        "providers", "ok", f"{provider.name} answers ({status} to the list of models).", skew_s=skew
    )


def _models(provider: Provider, secrets: Mapping[str, str]) -> tuple[str, dict[str, str]] | None:
    """URL and headers; None where a request must be signed, or the dialect is a plugin's."""
    base, key = provider.base_url.rstrip("/"), secrets.get("api_key", "")
    headers = dict(provider.headers)
    match provider.auth:
        case "bearer" if key:
            headers["authorization"] = f"Bearer {key}"
        case "x-api-key" | "api-key" | "x-goog-api-key":
            headers[provider.auth] = key
        case "sigv4" | "google":
            return None
        case _:
            pass
    match provider.dialect:
        case "openai" | "gemini":
            return f"{base}/models", headers
        case "anthropic":
            return f"{base}/models", {"anthropic-version": _ANTHROPIC, **headers}
        case "azure":
            version = provider.options.get("api_version", "")
            path = "v1/models" if version in ("", "v1") else f"models?api-version={quote(version, safe='')}"
            return f"{base}/openai/{path}", headers
        case _:
            return None


def _skew(date: str | None, now: float) -> float | None:
    try:
        return None if date is None else now - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _wrong(provider: Provider, what: str, todo: str, skew: float | None = None) -> Finding:
    return Finding("providers", "wrong", f"{provider.name} {what}.".replace("..", "."), todo, skew)
