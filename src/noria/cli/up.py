"""`noria up`: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from pathlib import Path

import click

from noria.cli.api import Api
from noria.cli.output import say
from noria.cli.progress import WeightsBar
from noria.config.config import Config
from noria.config.lacking import lacking
from noria.config.load import load
from noria.config.rules import findings
from noria.config.template import template
from noria.errors import ConfigError, StateError, Unreachable, UserError
from noria.providers.engine import EngineSpec, reserve
from noria.providers.secrets import read_vault
from noria.runtime.engines import spec
from noria.runtime.programs import programs, worker_count
from noria.runtime.reconcile import needed, reconcile, trust
from noria.runtime.supervisor import Supervisor
from noria.storage.home import Home

READY = 60.0
"""Seconds that control is given before `noria up` says that it is late."""


@click.command()
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("noria.toml"),
    show_default=True,
    help="The noria.toml to run; written where there is none.",
)
@click.option("--workers", type=click.IntRange(1, 64), help="Gateway processes; default: one for each core.")
@click.option("--host", help="Address to listen on, instead of the one in noria.toml.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on, likewise.")
def up(path: Path, workers: int | None, host: str | None, port: int | None) -> None:
    """Start Noria: gateway, collector, control and local models. Ctrl-C stops them in order."""
    if not path.exists():
        path.write_text(template())
        say(f"Wrote {path}, which starts a small local model; edit it at any time.")
    config = _listening(load(path), host=host, port=port)
    home = Home.beside(path)
    _check_free(config)
    if read_vault(os.environ) is None and config.encryption.payloads:
        raise ConfigError(
            "[encryption] wants payloads encrypted and there is no key; set NORIA_ENCRYPTION_KEY."
        )
    if home.database.exists() and not (home.folder / "secret").exists():
        raise StateError(
            f"{home.folder}/secret is gone, under which every key is hashed; restore it from a backup, or "
            f"move {home.folder} away and start anew."
        )
    _rebuild_budgets(config, home, path.absolute())
    for warning in lacking(config, folder=path.absolute().parent, environment=os.environ):
        say(f"warning: {warning}")
    engines = _engines(config, home, path.absolute().parent)
    found = programs(
        config, home, path=path.absolute(), workers=workers or worker_count(config), engines=engines
    )
    address = _address(config)
    asyncio.run(_run(Supervisor(home, found, address=address), home, address))


async def _run(supervisor: Supervisor, home: Home, address: str) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, supervisor.stop)
    greeting = asyncio.create_task(_greet(home, address))
    try:
        await supervisor.run()
    finally:
        greeting.cancel()
    say("Noria has stopped.")


async def _greet(home: Home, address: str) -> None:
    """Say where the page is once it answers, and how the first account is made."""
    api = Api(home)
    until = time.monotonic() + READY
    while True:
        try:
            state = await asyncio.to_thread(api.get, "/api/session")
            break
        except (Unreachable, UserError) as error:
            if time.monotonic() > until:
                say(f"The control process does not answer ({error}); see {home.logs}/control.log.")
                return
            await asyncio.sleep(0.1)
    say(f"Noria answers at {address} (page, API, and /v1 for OpenAI and Anthropic clients).")
    if state.get("needs_setup"):
        token = (home.run / "setup-token").read_text().strip()
        say(f"Make the first account: {address}/setup?token={token}")


def _rebuild_budgets(config: Config, home: Home, path: Path) -> None:
    if needed(home):
        all_of_them = programs(config, home, path=path, workers=1, engines=())
        (collector,) = (program.command for program in all_of_them if program.role == "collector")
        count = reconcile(home, collector, now=int(time.time()))
        say(f"The shared counters may have lost what was spent; {count} are rebuilt from the ledger.")
    else:
        trust(home)


def _engines(config: Config, home: Home, folder: Path) -> list[EngineSpec]:
    found: list[EngineSpec] = []
    for name, section in config.engines.items():
        with WeightsBar() as bar:
            found.append(spec(name, section, folder=folder, progress=bar.report))
        reserve(name, home)
    return found


def _listening(config: Config, *, host: str | None, port: int | None) -> Config:
    if host is None and port is None:
        return config
    change = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    changed = config.model_copy(update={"server": config.server.model_copy(update=change)})
    found = findings(changed)
    if found:
        raise ConfigError("\n".join(finding.message for finding in found))
    return changed


def _address(config: Config) -> str:
    server = config.server
    if server.public is not None:
        return str(server.public).rstrip("/")
    scheme = "https" if server.tls_cert is not None else "http"
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{scheme}://{host}:{server.port}"


def _check_free(config: Config) -> None:
    """Raises UserError where something else listens on the port."""
    server = config.server
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((server.host, server.port))
        except OSError as error:
            raise StateError(
                f"{server.host}:{server.port} cannot be used ({error.strerror}); stop what listens there "
                "(`noria doctor` names it), or choose another with --port."
            ) from None
