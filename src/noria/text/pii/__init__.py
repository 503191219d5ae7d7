"""Personal data in texts: found by rules with checks, and replaced."""

from noria.text.pii.find import find
from noria.text.pii.hit import KINDS, PATTERNS, Hit, Kind
from noria.text.pii.replace import Vault, opened, redacted, replaced, tokens

__all__ = ["KINDS", "PATTERNS", "Hit", "Kind", "Vault", "find", "opened", "redacted", "replaced", "tokens"]
