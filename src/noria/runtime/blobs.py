"""Where [blobs] of noria.toml says that large values are kept."""

from __future__ import annotations

from pathlib import Path

from noria.config.blobs import BlobsSection
from noria.providers.secrets import read_secret
from noria.storage.blobs import Blobs, FolderBlobs, bucket
from noria.storage.home import Home


def open_blobs(section: BlobsSection, home: Home, *, folder: Path) -> Blobs:
    """`folder` is that of noria.toml. Raises ConfigError where a secret cannot be read, and MissingExtra."""
    if section.url is None:
        return FolderBlobs(home.blobs if section.folder is None else folder / section.folder)
    names = ("access_key", "secret_key", "session_token", "credentials")
    secrets = {
        name: read_secret(reference, base=folder)
        for name in names
        if (reference := getattr(section, name)) is not None
    }
    return bucket(section.url, endpoint=section.endpoint or "", region=section.region or "", **secrets)
