"""[blobs] decides where values go."""

from __future__ import annotations

from pathlib import Path

import pytest

from noria.config.blobs import BlobsSection
from noria.errors import ConfigError
from noria.runtime.blobs import open_blobs
from noria.storage.blobs import ObjectBlobs, key_of
from noria.storage.home import Home


def test_the_state_folder_unless_another_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    digest = open_blobs(BlobsSection(), home, folder=tmp_path).put(b"here")
    assert (home.blobs / key_of(digest)).is_file()
    open_blobs(BlobsSection(folder="there"), home, folder=tmp_path).put(b"here")
    assert (tmp_path / "there" / key_of(digest)).is_file()


def test_a_bucket_with_the_secrets_that_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("obstore")
    section = BlobsSection(url="s3://noria/x", region="eu-central-1", access_key="env:K", secret_key="env:S")
    with pytest.raises(ConfigError, match="K is not set"):
        open_blobs(section, Home(tmp_path), folder=tmp_path)
    monkeypatch.setenv("K", "k")
    monkeypatch.setenv("S", "s")
    assert isinstance(open_blobs(section, Home(tmp_path), folder=tmp_path), ObjectBlobs)
