"""What a call used, and how we know."""

from __future__ import annotations

from typing import Literal

import msgspec

Provenance = Literal["reported", "estimated", "none"]


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Token counts. The details are parts of the totals: `cached` and `cache_write` of `input`,
    `reasoning` of `output`; a dialect whose provider counts them beside the total adds them up."""

    input: int = 0
    output: int = 0
    cached: int = 0
    """Input tokens read from the provider's prompt cache."""
    cache_write: int = 0
    """Input tokens written to it (5 minutes, where the provider distinguishes)."""
    cache_write_1h: int = 0
    """Input tokens written to it for an hour; not part of `cache_write`."""
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    images: int = 0
    requests: int = 1
    provenance: Provenance = "none"


NO_USAGE = Usage()
