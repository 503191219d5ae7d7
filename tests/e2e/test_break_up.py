"""`noria up` where it cannot start: one sentence that says what to change, exit code 2, no traceback."""

import os
import subprocess
import sys
from pathlib import Path

from noria.testing.stack import free_port

CONFIG = """
[server]
port = %d
[access]
require_key = true
[providers.mock]
dialect = "openai"
base_url = "http://127.0.0.1:9/v1"
auth = "none"
models = ["m"]
"""


def _up(folder: Path, more: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "noria.toml").write_text(CONFIG % free_port() + more)
    return subprocess.run(
        [sys.executable, "-m", "noria", "up", "--workers", "1"],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_encryption_without_a_key_is_told_before_anything_starts(tmp_path: Path) -> None:
    found = _up(tmp_path, "[encryption]\npayloads = true\n")
    assert found.returncode == 2
    assert found.stderr.splitlines() == [
        "noria: [encryption] wants payloads encrypted and there is no key; set NORIA_ENCRYPTION_KEY."
    ]


def test_an_unusable_encryption_key_is_told_likewise(tmp_path: Path) -> None:
    found = _up(tmp_path, "[encryption]\npayloads = true\n", NORIA_ENCRYPTION_KEY="enp6")
    assert found.returncode == 2
    assert "must be 32 bytes" in found.stderr
    assert "Traceback" not in found.stderr


def test_keys_do_not_silently_stop_to_work(tmp_path: Path) -> None:
    (tmp_path / ".noria").mkdir()
    (tmp_path / ".noria" / "noria.db").touch()
    found = _up(tmp_path)
    assert found.returncode == 2
    assert "secret is gone" in found.stderr
    assert "Traceback" not in found.stderr
