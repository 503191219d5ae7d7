"""Whether a change of noria.toml makes Noria less safe."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from noria.config.budget import BudgetSection
from noria.config.config import Config
from noria.config.limit import LimitSection
from noria.config.provider import ProviderSection
from noria.config.route import RouteSection


def weakens(path: tuple[str, ...], old: Config | None, new: Config) -> str:
    """How the change at `path` from `old` to `new` weakens security, in a sentence, else ""."""
    before = old or Config()
    section = path[0]
    if section in ("server", "access", "encryption", "telemetry"):
        judge = _SINGLE.get(path[:2])
        return judge(before, new) if judge is not None else ""
    name = path[1] if len(path) > 1 else ""
    key = path[2] if len(path) > 2 else ""
    if section == "providers":
        return _provider(before.providers.get(name), new.providers.get(name), key)
    if section == "routes":
        if key == "capture" and _kept(_capture(new, name)) > _kept(_capture(before, name)):
            return "More prompts and answers are stored."
        return _route(before.routes.get(name), new.routes.get(name), key)
    if section == "budgets":
        return _budget(before.budgets.get(name), new.budgets.get(name))
    if section == "limits":
        return _limits(before.limits.keys, new.limits.keys, "keys without limits of their own")
    return ""


def _host(old: Config, new: Config) -> str:
    if old.server.loopback() and not new.server.loopback():
        return "Other machines can reach Noria."
    return ""


def _tls(old: Config, new: Config) -> str:
    if old.server.tls_cert is not None and new.server.tls_cert is None:
        return "Noria no longer does TLS itself."
    return ""


def _in_front(old: Config, new: Config) -> str:
    if new.server.tls_in_front and not old.server.tls_in_front:
        return "Noria takes unencrypted connections and trusts that something in front does TLS."
    return ""


def _hosts(old: Config, new: Config) -> str:
    added = set(new.server.hosts) - set(old.server.hosts)
    return f"Noria answers to {_list(added)} as well." if added else ""


def _origins(old: Config, new: Config) -> str:
    added = set(new.server.origins) - set(old.server.origins)
    return f"Pages of {_list(added)} may call the gateway." if added else ""


def _require_key(old: Config, new: Config) -> str:
    if old.access.require_key and not new.access.require_key:
        return "Calls need no key any more."
    return ""


def _session(old: Config, new: Config) -> str:
    return "A sign-in lasts longer." if new.access.session > old.access.session else ""


def _password(old: Config, new: Config) -> str:
    was, will = old.access.password, new.access.password
    if will.enabled and not was.enabled:
        return "People can sign in with a password."
    if will.min_length < was.min_length:
        return "Shorter passwords are allowed."
    if will.max_attempts / max(will.window, 1) > was.max_attempts / max(was.window, 1):
        return "Passwords can be guessed faster."
    return ""


_RANK = {None: 0, "viewer": 1, "editor": 2, "admin": 3}


def _oidc(old: Config, new: Config) -> str:
    was, will = old.access.oidc, new.access.oidc
    if will is None:
        return ""
    if was is None or was.issuer != will.issuer:
        return f"People whom {will.issuer} vouches for can sign in."
    if _RANK[will.default_role] > _RANK[was.default_role]:
        return f"People whom no group gives a role become {will.default_role}."
    raised = [group for group, role in will.roles.items() if _RANK[role] > _RANK[was.roles.get(group)]]
    if raised:
        return f"Members of {_list(raised)} may do more."
    if was.domains is not None and (will.domains is None or set(will.domains) - set(was.domains)):
        return "People of more domains can sign in."
    return ""


def _encryption(old: Config, new: Config) -> str:
    if old.encryption.payloads and not new.encryption.payloads:
        return "Prompts and answers are no longer encrypted at rest."
    return ""


def _telemetry_capture(old: Config, new: Config) -> str:
    if _kept(new.telemetry.capture) > _kept(old.telemetry.capture):
        return "More prompts and answers are stored."
    return ""


def _export(old: Config, new: Config) -> str:
    was = old.telemetry.export
    for name, will in new.telemetry.export.items():
        if name not in was or was[name].endpoint != will.endpoint:
            return f"Spans are sent to {will.endpoint}{' with prompts and answers' if will.payloads else ''}."
        if will.payloads and not was[name].payloads:
            return f"Prompts and answers are sent to {will.endpoint}."
    return ""


_SINGLE: dict[tuple[str, ...], Callable[[Config, Config], str]] = {
    ("server", "host"): _host,
    ("server", "tls_cert"): _tls,
    ("server", "tls_in_front"): _in_front,
    ("server", "hosts"): _hosts,
    ("server", "origins"): _origins,
    ("access", "require_key"): _require_key,
    ("access", "session"): _session,
    ("access", "password"): _password,
    ("access", "oidc"): _oidc,
    ("encryption", "payloads"): _encryption,
    ("telemetry", "capture"): _telemetry_capture,
    ("telemetry", "export"): _export,
}


def _provider(old: ProviderSection | None, new: ProviderSection | None, key: str) -> str:
    if new is None:
        return ""
    url = new.base_url or ""
    moved = old is None or (key == "base_url" and old.base_url != new.base_url)
    if moved and url.startswith("http://") and not _local(url):
        return f"Prompts go to {url} unencrypted."
    if old is None:
        return ""
    if key == "ca_file" and old.ca_file is not None and new.ca_file is None:
        return "Any public authority may vouch for the provider."
    added = set(new.forward_headers) - set(old.forward_headers)
    if key == "forward_headers" and added:
        return f"Callers' {_list(added)} headers reach the provider."
    return ""


def _route(old: RouteSection | None, new: RouteSection | None, key: str) -> str:
    if old is None or new is None:
        return ""
    if key == "regions" and old.regions is not None:
        added = set(new.regions or ()) - set(old.regions)
        if new.regions is None:
            return "Calls may be answered in any region."
        if added:
            return f"Calls may be answered in {_list(added)} as well."
    if key == "limits":
        return _limits(old.limits, new.limits, "the route")
    return ""


def _budget(old: BudgetSection | None, new: BudgetSection | None) -> str:
    if old is None:
        return ""
    if new is None:
        return "A cap on money is gone."
    if old.hard and not new.hard:
        return "The cap only warns and no longer refuses."
    if new.amount > old.amount and new.per == old.per:
        return "More money can be spent."
    if new.per != old.per or new.subject != old.subject:
        return "The cap covers another time or other calls."
    return ""


def _limits(old: tuple[LimitSection, ...], new: tuple[LimitSection, ...], whose: str) -> str:
    def rates(limits: tuple[LimitSection, ...]) -> dict[str, float]:
        found: dict[str, float] = {}
        for limit in limits:
            one = limit.compiled()
            rate = one.amount / one.window_s
            found[one.unit] = min(rate, found.get(one.unit, rate))
        return found

    was, will = rates(old), rates(new)
    eased = [unit for unit, rate in was.items() if unit not in will or will[unit] > rate]
    return f"The limit of {whose} on {_list(eased)} is higher or gone." if eased else ""


def _capture(config: Config, route: str) -> str:
    section = config.routes.get(route)
    return config.telemetry.capture if section is None or section.capture is None else section.capture


def _kept(capture: str) -> float:
    return {"full": 1.0, "metadata": 0.0}[capture] if capture in ("full", "metadata") else float(capture)


def _local(url: str) -> bool:
    return url.startswith(("http://127.", "http://localhost", "http://[::1]"))


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
