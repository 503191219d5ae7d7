"""noria.db opened with the key of this process, by control and by the children of its jobs alike."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from noria.providers.secrets import read_vault
from noria.storage.database import Database
from noria.storage.home import Home
from noria.storage.seal import Seal

WANTED = "NORIA_ENCRYPT_PAYLOADS"
"""Environment variable by which control tells its children that payloads are encrypted: "1"."""


def read_seal(environment: Mapping[str, str] = os.environ, *, base: Path | None = None) -> Seal:
    """Of the environment's key. Raises ConfigError where sealing is wanted and there is none."""
    return Seal(read_vault(environment, base=base), wanted=environment.get(WANTED) == "1")


def open_database(home: Home) -> Database:
    """As the child process of a job does."""
    return Database.open(home.database, seal=read_seal())
