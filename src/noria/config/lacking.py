"""What a configuration names and this machine does not have: variables of the environment and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from noria.config.config import Config
from noria.config.mistake import table
from noria.config.positions import Path as Key
from noria.config.reference import absolute


def lacking(config: Config, *, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """A sentence for each; `folder` is that of the root noria.toml. No mistake: it may run elsewhere."""
    found: list[str] = []
    for where, reference in _references(config):
        kind, _, name = reference.partition(":")
        if kind == "env" and not environment.get(name):
            found.append(f"{table(where)} needs the environment variable {name}, which is not set here.")
        elif kind == "file" and not Path(absolute(name, folder)).is_file():
            found.append(f"{table(where)} needs the file {name}, which is not here.")
    for where, path in _files(config):
        if not Path(absolute(path, folder)).is_file():
            found.append(f"{table(where)} needs the file {path}, which is not here.")
    return found


def _references(config: Config) -> Iterator[tuple[Key, str]]:
    for name, provider in config.providers.items():
        for reference in provider.secrets().values():
            yield ("providers", name), reference
    for name, export in config.telemetry.export.items():
        for reference in export.headers.values():
            yield ("telemetry", "export", name), reference
    if config.access.oidc is not None:
        yield ("access", "oidc"), config.access.oidc.client_secret
    if config.cache.valkey is not None:
        yield ("cache",), config.cache.valkey
    blobs = config.blobs
    for reference in (blobs.access_key, blobs.secret_key, blobs.session_token, blobs.credentials):
        if reference is not None:
            yield ("blobs",), reference
    for name, engine in config.engines.items():
        yield ("engines", name), engine.weights


def _files(config: Config) -> Iterator[tuple[Key, str]]:
    for path in (config.server.tls_cert, config.server.tls_key):
        if path is not None:
            yield ("server",), path
    for name, provider in config.providers.items():
        for path in (provider.ca_file, provider.client_cert, provider.client_key):
            if path is not None:
                yield ("providers", name), path
    for name, export in config.telemetry.export.items():
        if export.ca_file is not None:
            yield ("telemetry", "export", name), export.ca_file
    for name, engine in config.engines.items():
        for path in engine.adapters.values():
            yield ("engines", name), path
