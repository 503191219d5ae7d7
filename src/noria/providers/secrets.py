"""Secrets by reference, and encryption at rest under the operator's own key.

A reference is `env:NAME`, `file:PATH` or `enc:TEXT`; noria.toml and the snapshots hold references, never
secrets. The encryption key is 32 random bytes as base64 in the environment variable NORIA_ENCRYPTION_KEY (or
in the file that NORIA_ENCRYPTION_KEY_FILE names). For rotation it may be several keys, separated by commas:
the first encrypts, all decrypt.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from noria.errors import ConfigError

KEY_VARIABLE = "NORIA_ENCRYPTION_KEY"
KEY_FILE_VARIABLE = "NORIA_ENCRYPTION_KEY_FILE"

_MAGIC = b"NV1"
_ID = 8
_NONCE = 12
_log = logging.getLogger(__name__)


class Vault:
    """AES-256-GCM under one of several keys; also tracing.store.Cipher.

    Sealed bytes are `NV1`, eight bytes that name the key, a 12-byte random nonce, then the ciphertext with
    its 16-byte tag; everything before the ciphertext is authenticated. With random nonces one key is good for
    2^32 messages (NIST SP 800-38D, section 8.3).
    """

    def __init__(self, keys: list[bytes]) -> None:
        """The first key encrypts; all decrypt. Each is 32 bytes."""
        if not keys:
            raise ConfigError(
                f"No encryption key is set; put the output of `openssl rand -base64 32` in {KEY_VARIABLE}."
            )
        for key in keys:
            if len(key) != 32:
                raise ConfigError(
                    f"An encryption key must be 32 bytes, not {len(key)}; "
                    "make one with `openssl rand -base64 32`."
                )
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._current = _key_id(keys[0])

    @property
    def key_id(self) -> str:
        """Names the key that encrypts, in hex; says nothing of the key itself."""
        return self._current.hex()

    def encrypt(self, data: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        head = _MAGIC + self._current
        return head + nonce + self._ciphers[self._current].encrypt(nonce, data, head)

    def decrypt(self, data: bytes) -> bytes:
        """Raises ConfigError when the key is missing, or the bytes are damaged or were never encrypted."""
        head, nonce = data[: len(_MAGIC) + _ID], data[len(_MAGIC) + _ID : len(_MAGIC) + _ID + _NONCE]
        if len(nonce) < _NONCE or not head.startswith(_MAGIC):
            raise ConfigError("This was not encrypted by Noria, or is cut short.")
        cipher = self._ciphers.get(head[len(_MAGIC) :])
        if cipher is None:
            name = head[len(_MAGIC) :].hex()
            raise ConfigError(
                f"This was encrypted with the key {name}, which is missing; add it to {KEY_VARIABLE}."
            )
        try:
            return cipher.decrypt(nonce, data[len(head) + _NONCE :], head)
        except InvalidTag:
            raise ConfigError("This was encrypted by Noria, and has been changed or damaged since.") from None

    def is_current(self, data: bytes) -> bool:
        """Whether `data` is sealed with the key that encrypts now; else a rotation seals it again."""
        return data.startswith(_MAGIC + self._current)

    def seal(self, secret: str) -> str:
        """`secret` as an `enc:` reference, which may stand in noria.toml."""
        return "enc:" + urlsafe_b64encode(self.encrypt(secret.encode())).decode()

    def open(self, reference: str) -> str:
        """The secret of an `enc:` reference."""
        try:
            sealed = urlsafe_b64decode(reference.removeprefix("enc:"))
        except (Base64Error, ValueError):
            raise ConfigError("An enc: reference is not base64; encrypt the secret again.") from None
        return self.decrypt(sealed).decode()


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"noria key id\x00" + key).digest()[:_ID]


def read_vault(environment: Mapping[str, str], *, base: Path | None = None) -> Vault | None:
    """The vault of the environment's key or keys; None where none is set."""
    text = environment.get(KEY_VARIABLE, "")
    path = environment.get(KEY_FILE_VARIABLE, "")
    if text and path:
        raise ConfigError(f"Both {KEY_VARIABLE} and {KEY_FILE_VARIABLE} are set; unset one of them.")
    if path:
        text = _read_file(path, base)
    if not text.strip():
        return None
    return Vault([_parse_key(part) for part in text.replace("\n", ",").split(",") if part.strip()])


def required_vault(environment: Mapping[str, str], *, base: Path | None = None) -> Vault:
    """The same where payloads are to be encrypted. Raises ConfigError where no key is set."""
    vault = read_vault(environment, base=base)
    if vault is None:
        raise ConfigError(f"Payloads are to be encrypted and there is no key; set {KEY_VARIABLE}.")
    return vault


def _parse_key(text: str) -> bytes:
    text = text.strip().replace("+", "-").replace("/", "_")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        raise ConfigError(
            "An encryption key is not base64; make one with `openssl rand -base64 32`."
        ) from None


def read_secret(reference: str, *, base: Path | None, environment: Mapping[str, str] | None = None) -> str:
    """The secret that `reference` names; relative paths start at `base`.

    Raises ConfigError with a sentence that names the reference, and never the secret.
    """
    environment = os.environ if environment is None else environment
    kind, colon, rest = reference.partition(":")
    match kind if colon else "":
        case "env":
            value = environment.get(rest)
            if not value:
                raise ConfigError(
                    f"The environment variable {rest} is not set; set it, or change the secret {reference!r}."
                )
            return value
        case "file":
            value = _read_file(rest, base)
            if not value:
                raise ConfigError(f"The file of the secret {reference!r} is empty.")
            return value
        case "enc":
            vault = read_vault(environment, base=base)
            if vault is None:
                raise ConfigError(
                    f"A secret is encrypted and {KEY_VARIABLE} is not set; set it to the key that sealed it."
                )
            return vault.open(reference)
        case _:
            raise ConfigError("A secret must be a reference: env:NAME, file:PATH or enc:TEXT.")


def _read_file(name: str, base: Path | None) -> str:
    path = Path(name).expanduser()
    if base is not None:
        path = base / path
    try:
        mode = path.stat().st_mode
        text = path.read_text()
    except OSError as error:
        raise ConfigError(f"The file {path} of a secret cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"The file {path} of a secret is not UTF-8 text.") from None
    if mode & stat.S_IROTH:
        _log.warning("Everyone on this machine can read the secret in %s; run `chmod 600 %s`.", path, path)
    return text.removesuffix("\n").removesuffix("\r")
