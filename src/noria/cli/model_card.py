"""The card of a model as the command line shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noria.models.card import Card


def card_of(name: str) -> Card | None:
    from noria.models.catalogue import find
    from noria.providers.prices import list_price

    provider, slash, rest = name.partition("/")
    card = find(rest, provider) if slash else find(name)
    card = card or find(name)
    if card is None or card.price is not None:
        return card
    from msgspec.structs import replace

    developer = card.id.partition("/")[0]
    price = list_price(developer, card.id.partition("/")[2])
    return replace(card, price=price) if price is not None else card


def card_facts(card: Card) -> dict[str, object]:
    """What a card says, for people; unknown is None."""
    licence = card.licence
    return {
        "id": card.id,
        "name": card.name,
        "developer": card.developer,
        "family": card.family,
        "status": card.status + (f", succeeded by {card.successor}" if card.successor else ""),
        "licence": f"{licence.name} ({licence.kind})" if licence else None,
        "parameters": parameters(card.parameters)
        + (f", {parameters(card.active_parameters)} active" if card.active_parameters else "")
        if card.parameters
        else None,
        "context": f"{card.context:,} tokens" if card.context else None,
        "longest answer": f"{card.max_output:,} tokens" if card.max_output else None,
        "takes": ", ".join(card.modalities_in),
        "gives": ", ".join(card.modalities_out),
        "can": ", ".join(card.capabilities),
        "price": f"{price(card)} for a million tokens in / out" if card.price else None,
        "price of": card.price.date if card.price else None,
        "released": card.released,
        "knows until": card.knowledge_cutoff,
        "architecture": card.architecture,
        "training": card.training,
        "fine-tuning": card.fine_tuning,
        "notes": card.notes,
        "links": ", ".join(card.links),
    }


def parameters(number: int | None) -> str:
    if number is None:
        return "-"
    for unit, name in ((10**12, "T"), (10**9, "B"), (10**6, "M")):
        if number >= unit:
            return f"{number / unit:.3g} {name}"
    return f"{number:,}"


def price(card: Card) -> str:
    price = card.price
    if price is None:
        return "-"
    shown = ["unknown" if rate is None else f"{rate.normalize():f}" for rate in (price.input, price.output)]
    return f"{shown[0]} / {shown[1]}"


def card_json(card: Card) -> dict[str, object]:
    import msgspec

    return msgspec.to_builtins(card, builtin_types=())
