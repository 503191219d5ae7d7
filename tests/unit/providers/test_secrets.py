from __future__ import annotations

import logging
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.errors import ConfigError
from noria.providers.secrets import Vault, read_secret, read_vault
from noria.tracing.store import Cipher

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def text(key: bytes) -> str:
    return b64encode(key).decode()


@settings(deadline=None)
@given(st.binary(max_size=500))
def test_what_is_encrypted_comes_back(data: bytes) -> None:
    vault: Cipher = Vault([OLD])
    sealed = vault.encrypt(data)
    assert vault.decrypt(sealed) == data
    assert vault.encrypt(data) != sealed


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_change_is_noticed(place: int, change: int) -> None:
    vault = Vault([OLD])
    sealed = bytearray(vault.encrypt(b"secret"))
    sealed[place % len(sealed)] ^= change
    with pytest.raises(ConfigError):
        vault.decrypt(bytes(sealed))


@pytest.mark.parametrize("data", [b"", b"plain text that is long enough", b"NV1"])
def test_plain_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ConfigError, match="was not encrypted by Noria"):
        Vault([OLD]).decrypt(data)


def test_rotation() -> None:
    old, both, new = Vault([OLD]), Vault([NEW, OLD]), Vault([NEW])
    sealed = old.encrypt(b"secret")
    assert both.decrypt(sealed) == b"secret"
    assert not both.is_current(sealed)
    again = both.encrypt(both.decrypt(sealed))
    assert both.is_current(again) and new.decrypt(again) == b"secret"
    with pytest.raises(ConfigError, match=old.key_id):
        new.decrypt(sealed)


def test_the_vault_of_the_environment(tmp_path: Path) -> None:
    assert read_vault({}) is None
    sealed = Vault([OLD]).encrypt(b"x")
    two = read_vault({"NORIA_ENCRYPTION_KEY": f"{text(NEW)}, {text(OLD)}"})
    assert two is not None and two.decrypt(sealed) == b"x" and two.key_id == Vault([NEW]).key_id
    (tmp_path / "key").write_text(f"{text(NEW)}\n{text(OLD)}\n")
    (tmp_path / "key").chmod(0o600)
    filed = read_vault({"NORIA_ENCRYPTION_KEY_FILE": "key"}, base=tmp_path)
    assert filed is not None and filed.decrypt(sealed) == b"x"
    for environment, said in (
        ({"NORIA_ENCRYPTION_KEY": "x", "NORIA_ENCRYPTION_KEY_FILE": "y"}, "unset one"),
        ({"NORIA_ENCRYPTION_KEY": text(b"short")}, "32 bytes, not 5"),
        ({"NORIA_ENCRYPTION_KEY": "é"}, "base64"),
    ):
        with pytest.raises(ConfigError, match=said):
            read_vault(environment)


def test_references(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-1\n")
    (tmp_path / "key").chmod(0o600)
    sealed = Vault([OLD]).seal("sk-2")
    environment = {"KEY": "sk-3", "NORIA_ENCRYPTION_KEY": text(OLD)}
    for reference, expected in (("file:key", "sk-1"), (sealed, "sk-2"), ("env:KEY", "sk-3")):
        assert read_secret(reference, base=tmp_path, environment=environment) == expected
    assert read_secret(f"file:{tmp_path / 'key'}", base=None, environment={}) == "sk-1"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("env:MISSING", "MISSING is not set"),
        ("file:missing", "cannot be read"),
        ("file:empty", "is empty"),
        ("file:binary", "UTF-8"),
        ("enc:AAAA", "NORIA_ENCRYPTION_KEY is not set"),
        ("sk-plain", "must be a reference"),
        ("vault:x", "must be a reference"),
    ],
)
def test_wrong_references(reference: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=said) as caught:
        read_secret(reference, base=tmp_path, environment={})
    assert "sk-plain" not in str(caught.value)


def test_a_file_that_everyone_can_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "key").write_text("sk-1")
    (tmp_path / "key").chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert read_secret("file:key", base=tmp_path, environment={}) == "sk-1"
    assert "chmod 600" in caplog.text and "sk-1" not in caplog.text
