"""Where the gateway of a Noria answers, and the token with which this machine's owner may call it."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from noria.errors import ConfigError, UserError
from noria.storage.home import Home

LOOPBACK = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::")


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """How to call it. `verify` False: on this machine, whose certificate may name another host."""

    url: str
    token: Callable[[], str]
    """To be asked for each call: this machine's own tokens do not last."""
    verify: bool
    local: bool


def gateway(path: Path, *, url: str | None, key: str | None, project: str) -> Gateway:
    """The one at `url`, else that of the noria.toml at `path`. Raises UserError where a key is missing."""
    home = Home.beside(path)
    found = (url or address(path)).rstrip("/").removesuffix("/v1")
    host = urlsplit(found).hostname or ""
    if url is not None and not key:
        raise UserError(f"A key is needed for {found}: give --key, or set NORIA_API_KEY.")
    return Gateway(
        url=found,
        token=lambda: key or own_token(home, project=project),
        verify=host not in LOOPBACK,
        local=url is None,
    )


def address(path: Path) -> str:
    """URL of what runs; where nothing does, the one that noria.toml says."""
    from noria.runtime.supervisor import status

    running = status(Home.beside(path))
    if running is not None:
        return running.address
    from noria.config.load import load

    try:
        server = load(path).server
    except ConfigError:
        return "http://127.0.0.1:8400"
    if server.public is not None:
        return str(server.public).rstrip("/")
    scheme = "https" if server.tls_cert is not None else "http"
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{scheme}://{host}:{server.port}"


def own_token(home: Home, *, project: str) -> str:
    """A short-lived token for whoever can read the installation's secret: they may do all anyway."""
    from noria.access.key import Key
    from noria.access.token import issue

    if not (home.folder / "secret").exists():
        raise UserError(
            f"No Noria was ever started in {home.folder}; start it with `noria up`, or give --url."
        )
    me = getpass.getuser()
    key = Key(id="local", lookup="", hash=b"", name="this machine", project=project, user=me, routes=("*",))
    return issue(key, pepper=home.pepper(), now=time.time())
