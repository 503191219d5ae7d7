"""[encryption]: what is encrypted at rest, and under which key."""

from __future__ import annotations

from noria.config.reference import Secret
from noria.config.section import Section


class EncryptionSection(Section):
    """Provider keys that are kept by Noria are encrypted under this key; payloads where it says so."""

    key: Secret
    """32 bytes in base64: `env:NAME` or `file:PATH`."""
    payloads: bool = False
    """Whether stored prompts and answers are encrypted as well; they are then not found by text search."""
