"""[encryption]: what is encrypted at rest."""

from __future__ import annotations

from noria.config.section import Section


class EncryptionSection(Section):
    """The key is 32 bytes in base64 in the environment: NORIA_ENCRYPTION_KEY or NORIA_ENCRYPTION_KEY_FILE."""

    payloads: bool = False
    """Whether stored prompts and answers are encrypted; they are then not found by text search."""
