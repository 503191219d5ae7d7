"""Which processes a configuration needs, as command lines for the supervisor."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from noria.config.config import Config
from noria.config.reference import absolute, absolute_secret
from noria.providers.engine import EngineSpec, command
from noria.runtime.export_options import export_options
from noria.runtime.supervisor import Program
from noria.storage.home import Home

MEMORY_CACHE = 64 << 20
"""Bytes of each worker's exact cache where noria.toml does not say."""


def programs(
    config: Config, home: Home, *, path: Path, workers: int, engines: Sequence[EngineSpec]
) -> list[Program]:
    """Workers, collector, control, engines, in the order in which they start. `path` is the noria.toml.

    Workers come first, so that calls are answered from the last snapshot while the rest is still starting.
    """
    found = [
        Program(role=f"worker-{number}", command=_worker(config, home, path.parent, number))
        for number in range(workers)
    ]
    found += [
        Program(role="collector", command=_collector(config, home, path.parent)),
        Program(role="control", command=_control(config, home, path)),
    ]
    return found + [
        Program(
            role=f"engine-{spec.name}",
            command=command(spec, home.folder),
            environment={"OMP_WAIT_POLICY": "PASSIVE"},
        )
        for spec in engines
    ]


def gateway_url(config: Config) -> str:
    """Where a process of this machine reaches the gateway."""
    server = config.server
    scheme = "https" if server.tls_cert is not None else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(server.host, server.host)
    return f"{scheme}://{host}:{server.port}"


def worker_count(config: Config) -> int:
    """As configured, else one for each core that this process may use."""
    return config.server.workers or len(os.sched_getaffinity(0))


def _collector(config: Config, home: Home, folder: Path) -> tuple[str, ...]:
    telemetry = config.telemetry
    command = [sys.executable, "-m", "noria.server.collector", "--home", str(home.folder)]
    command += ["--durability", telemetry.durability]
    if telemetry.retention.days:
        command += ["--keep-days", str(telemetry.retention.days)]
    if telemetry.retention.size is not None:
        command += ["--keep-bytes", str(telemetry.retention.size)]
    if config.encryption.payloads:
        command.append("--encrypt-payloads")
    return (*command, *export_options(config, folder))


def _control(config: Config, home: Home, path: Path) -> tuple[str, ...]:
    command = [
        sys.executable, "-m", "noria.server.control",
        "--home", str(home.folder),
        "--config", str(path),
        "--gateway", gateway_url(config),
    ]  # fmt: skip
    if config.encryption.payloads:
        command.append("--encrypt-payloads")
    return tuple(command)


def _worker(config: Config, home: Home, folder: Path, number: int) -> tuple[str, ...]:
    server, telemetry = config.server, config.telemetry
    command = [
        sys.executable, "-m", "noria.server.worker",
        "--home", str(home.folder),
        "--number", str(number),
        "--host", server.host,
        "--port", str(server.port),
        "--spool-limit", str(telemetry.spool_max),
        "--sync", str(telemetry.sync),
        "--durability", telemetry.durability,
        "--cache", str(config.cache.memory or MEMORY_CACHE),
    ]  # fmt: skip
    if config.encryption.payloads:
        command.append("--encrypt-payloads")
    if config.cache.valkey is not None:
        command += ["--valkey", absolute_secret(config.cache.valkey, folder)]
    if server.tls_cert is not None and server.tls_key is not None:
        command += ["--tls-cert", absolute(server.tls_cert, folder)]
        command += ["--tls-key", absolute(server.tls_key, folder)]
    return tuple(command)
