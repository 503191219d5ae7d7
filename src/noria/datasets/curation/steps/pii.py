"""Personal data taken out, or examples with it dropped."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Literal

import msgspec

from noria.core.example import Example
from noria.datasets.curation.fields import TEXTS, rewritten, texts
from noria.datasets.curation.step import Changed, Drop, Outcome, Tools, Work, each
from noria.errors import ConfigError
from noria.text.pii import PATTERNS, Kind, Vault, find, redacted, replaced
from noria.text.pii.deep import deep_finder
from noria.text.pii.hit import Hit, settled


class Pii(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Finds e-mail, IP and MAC addresses, telephone numbers, IBANs, payment cards, US social security
    numbers, keys and passwords by rules with checks, and takes them out. Names and addresses of people are
    found by the deep mode alone."""

    mode: Literal["redact", "hash", "token", "drop"] = "redact"
    """redact: `<EMAIL>`. hash: `<EMAIL:…>`, equal for equal values. token: likewise, and an administrator can
    turn it back. drop: the example goes."""
    kinds: tuple[Kind, ...] = PATTERNS
    region: str = "US"
    """ISO 3166; telephone numbers without a country's code are read as of there."""
    deep: bool = False
    """Also people, places and organisations, by Presidio's model of English: about 60 times slower."""
    fields: tuple[str, ...] = TEXTS
    version: ClassVar[str] = "1"

    def open(self, tools: Tools) -> Work:
        if self.mode in ("hash", "token") and len(tools.secret) < 32:
            raise ConfigError(
                "Hashes and tokens of personal data need this Noria's secret, which is not here."
            )
        vault = Vault(tools.secret or bytes(32))
        deep = deep_finder() if self.deep else None

        def look(text: str) -> list[Hit]:
            hits = find(text, kinds=self.kinds, region=self.region)
            return settled([*hits, *deep(text)]) if deep is not None else hits

        def judge(example: Example) -> Outcome:
            if self.mode == "drop":
                counts = Counter(hit.kind for _, text in texts(example, self.fields) for hit in look(text))
                return Drop("personal data", dict(counts)) if counts else example
            kinds: list[Kind] = []
            sealed: dict[str, bytes] = {}

            def put(kind: Kind, value: str) -> str:
                if self.mode == "redact":
                    return redacted(kind, value)
                if self.mode == "hash":
                    return vault.hashed(kind, value)
                token = vault.token(kind, value)
                sealed[token] = vault.seal(value)
                return token

            def change(text: str) -> str:
                after, found = replaced(text, look, put)
                kinds.extend(found)
                return after

            after = rewritten(example, self.fields, change)
            if not kinds:
                return example
            return Changed(after, tuple(kinds), {SEALED: sealed} if sealed else {})

        return each(judge)


SEALED = "sealed"
"""Of an event's details: tokens and their sealed values, for the vault."""
