"""`[telemetry.export.NAME]` as options of the collector's command line; secrets stay references."""

from __future__ import annotations

from pathlib import Path

import msgspec

from noria.config.config import Config
from noria.config.reference import absolute, absolute_secret
from noria.exporters import Target

OPTION = "--export"
"""Once for each target; its value is a Target as JSON."""


def export_options(config: Config, folder: Path) -> tuple[str, ...]:
    """`folder` is that of the root noria.toml."""
    options: list[str] = []
    for name, export in config.telemetry.export.items():
        target = Target(
            name=name,
            endpoint=export.endpoint,
            headers={header: absolute_secret(one, folder) for header, one in export.headers.items()},
            payloads=export.payloads,
            compression=export.compression,
            timeout=export.timeout,
            ca_file=None if export.ca_file is None else absolute(export.ca_file, folder),
        )
        options += [OPTION, msgspec.json.encode(target).decode()]
    return tuple(options)
