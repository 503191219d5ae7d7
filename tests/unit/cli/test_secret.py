"""`noria secret seal`: what it prints is read back as the secret, and nothing else says it."""

import base64
import os

import pytest
from click.testing import CliRunner

from noria.cli.main import noria
from noria.errors import UserError
from noria.providers.secrets import read_secret


def test_a_sealed_secret_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_ENCRYPTION_KEY", base64.b64encode(os.urandom(32)).decode())
    done = CliRunner().invoke(noria, ["secret", "seal"], input="sk-secret\n")
    assert done.exit_code == 0, done.output
    assert "sk-secret" not in done.output
    assert read_secret(done.stdout.strip(), base=None) == "sk-secret"


def test_without_a_key_it_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NORIA_ENCRYPTION_KEY", raising=False)
    refused = CliRunner().invoke(noria, ["secret", "seal"], input="sk-secret\n")
    assert isinstance(refused.exception, UserError)
    assert "openssl rand" in str(refused.exception)
