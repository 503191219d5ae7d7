"""The model cards that Noria knows, read from `data/cards.json` when first asked for.

A provider's name for a model says more than which model it is: a path, a date, a region, a quantisation.
`find` takes these off step by step and accepts only exact names, so that it never gives another model's card.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import msgspec

from noria.models.card import Card

_ENDINGS = (
    re.compile(r"[-@]?(?:20\d{6}|20\d\d-\d\d-\d\d|(?<=-)\d{4})$"),
    re.compile(r"-v\d+(?::\d+)?(?::\d+k)?$"),
    re.compile(r"-latest$"),
    re.compile(r"[-@]0\d\d$"),
    re.compile(r":(?:free|nitro|floor|extended|latest|instruct|[a-z0-9.]+-instruct)$"),
    re.compile(r"\.gguf$"),
    re.compile(r"[-.:](?:i?q\d(?:_[a-z0-9]+)*|f16|bf16|f32|fp8|fp16|int8|int4|awq|gptq|gguf|mlx)$"),
    re.compile(r"-(?:instruct|chat|it|hf|base)$"),
)
"""What may follow a model's name: dates, versions of a deployment, variants of an offer, quantisations."""
_REGION = re.compile(r"^(?:us|eu|apac|jp|au|ca|global|us-gov)\.(?=[a-z0-9-]+\.)")


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    card: Card
    aliases: tuple[str, ...] = ()
    """Lower case, without a provider."""


def cards() -> list[Card]:
    """All cards, in the order of the file."""
    return [entry.card for entry in _entries()]


def find(name: str, provider: str | None = None) -> Card | None:
    """The card of the model that `provider` calls `name`; None where there is none.

    `provider` only settles what `name` leaves open: a name of the catalogue may belong to two developers.
    """
    table = _table()
    for candidate in _candidates(name.strip().lower()):
        if provider is not None and (found := table.get(f"{provider.lower()}/{candidate}")):
            return found
        if found := table.get(candidate):
            return found
    return None


def _candidates(name: str) -> list[str]:
    """The name, then with less and less around it."""
    if name.startswith("ft:"):
        # ft:<model>:<organisation>:<suffix>:<id>
        name = name.split(":")[1]
    found = [name]
    bare = _REGION.sub("", name.rpartition("/")[2])
    found.append(bare)
    vendor, dot, rest = bare.partition(".")
    if dot and rest and vendor.isalpha():
        found.append(rest)
    for start in list(found):
        while True:
            shorter = start
            for ending in _ENDINGS:
                shorter = ending.sub("", shorter)
                if shorter != start:
                    break
            if shorter == start or not shorter:
                break
            found.append(shorter)
            start = shorter
    return list(dict.fromkeys(found))


@cache
def _entries() -> tuple[Entry, ...]:
    data = files("noria.models").joinpath("data/cards.json").read_bytes()
    return msgspec.json.decode(data, type=tuple[Entry, ...])


@cache
def _table() -> dict[str, Card]:
    table: dict[str, Card] = {}
    for entry in _entries():
        for alias in (entry.card.id, *entry.aliases):
            table.setdefault(alias, entry.card)
    return table
