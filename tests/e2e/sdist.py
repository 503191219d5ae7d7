"""Source distributions, fetched once through pip's configured index into this user's cache folder."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "noria-tests"
PATIENCE = 100
"""Seconds for a download."""


def unpacked(name: str, version: str) -> Path:
    """The folder of a source distribution; skips the test where it cannot be had."""
    folder = CACHE / f"{name}-{version}"
    if folder.exists():
        return folder
    archive = CACHE / f"{name}-{version}.tar.gz"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        _download(f"{name}=={version}")
    aside = CACHE / f"{name}-{version}.{os.getpid()}"
    with tarfile.open(archive) as opened:
        opened.extractall(aside, filter="data")
    (aside / folder.name).rename(folder)
    shutil.rmtree(aside)
    return folder


def _download(what: str) -> None:
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode:
        found = shutil.which("pip") or shutil.which("pip3")
        if found is None:
            pytest.skip("There is no pip to fetch a source distribution with.")
        pip = [found]
    command = [*pip, "download", "-q", "--no-deps", "--no-binary", ":all:", "--dest", str(CACHE), what]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{what} did not arrive within {PATIENCE} s.")
    if done.returncode:
        pytest.skip(f"{what} cannot be fetched: {done.stderr.strip().splitlines()[-1:]}")
