"""Which proxy a base URL goes through, from the environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from noria.errors import ConfigError


def proxy_for(base_url: str, environment: Mapping[str, str]) -> str:
    """The proxy's URL, or "" for none; loopback is never proxied. Lower-case names win, as in curl."""
    url = urlsplit(base_url)
    host = url.hostname or ""
    if not host or _is_loopback(host) or _is_exempt(host, url.port, _variable(environment, "no_proxy")):
        return ""
    found = _variable(environment, f"{url.scheme}_proxy") or _variable(environment, "all_proxy")
    if found and "://" not in found:
        found = "http://" + found
    if found and not found.startswith("http://"):
        scheme = found.partition("://")[0]
        raise ConfigError(
            f"The environment's proxy for {host} must be an http:// URL, not {scheme}://; set the provider's "
            "own proxy, or name the host in NO_PROXY."
        )
    return found


def _variable(environment: Mapping[str, str], name: str) -> str:
    return (environment.get(name) or environment.get(name.upper()) or "").strip()


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_exempt(host: str, port: int | None, rules: str) -> bool:
    """NO_PROXY: names and their subdomains, addresses, networks, each with a port or not; "*" is all."""
    host = host.lower().rstrip(".")
    return any(_matches(host, port, rule.strip().lower()) for rule in rules.split(",") if rule.strip())


def _matches(host: str, port: int | None, rule: str) -> bool:
    if rule == "*":
        return True
    name, colon, wanted = rule.rpartition(":")
    if colon and wanted.isdigit() and ":" not in name.strip("[]"):
        if port is not None and int(wanted) != port:
            return False
        rule = name
    rule = rule.strip("[]").removeprefix("*").removeprefix(".").rstrip(".")
    if not rule:
        return False
    try:
        return ip_address(host) in ip_network(rule, strict=False)
    except ValueError:
        return host == rule or host.endswith("." + rule)
