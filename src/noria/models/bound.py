"""The most that a request can cost: what a budget reserves before the call.

`bound` is the pure sibling of `cost`: cost(u) <= bound(r) for every usage u that the request permits.
A byte-level tokeniser never makes more tokens than the text has bytes, and a chat template adds a fixed
overhead a message, so the length of the body in bytes plus that overhead bounds the input tokens.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from noria.models.price import Price


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """The quantities of a translated upstream request that limit what it can use."""

    body_bytes: int
    """Of the upstream body less the bytes of inline media."""
    messages: int = 1
    images: int = 0
    files: int = 0
    max_output: int | None = None
    """Tokens a choice: max_tokens, else the card's limit; None where neither is known."""
    choices: int = 1


TEMPLATE_TOKENS = 32
"""Tokens that a chat template may add for one message; generous: known templates add 3 to 8."""


class Unbounded(msgspec.Struct, frozen=True):
    """There is no finite bound, and why, in a sentence."""

    reason: str


class Ceiling(msgspec.Struct, frozen=True, kw_only=True):
    """The highest rates of a price, over every kind of token and every tier; dollars for a million tokens."""

    input: Decimal
    output: Decimal
    request: Decimal
    image: Decimal


NO_PRICE = Unbounded(
    "The model has no known price, so no hard budget can be kept; give it one in noria.toml."
)
_MILLION = Decimal(1_000_000)


def ceiling(price: Price | None) -> Ceiling | Unbounded:
    """What `within` multiplies by; made once for a price."""
    if price is None or price.input is None or price.output is None:
        return NO_PRICE
    inputs = [price.input, price.cached, price.cache_write, price.cache_write_1h, price.audio_input]
    outputs = [price.output, price.reasoning, price.audio_output]
    for tier in price.tiers:
        inputs += [tier.input, tier.cached, tier.cache_write, tier.cache_write_1h]
        outputs.append(tier.output)
    return Ceiling(
        input=max(rate for rate in inputs if rate is not None),
        output=max(rate for rate in outputs if rate is not None),
        request=price.request,
        image=price.image or Decimal(0),
    )


def bound(
    demand: Demand, price: Price | None, *, image_tokens: int | None = None, file_tokens: int | None = None
) -> Decimal | Unbounded:
    """Dollars that the request cannot exceed at `price`, or Unbounded with the reason.

    `image_tokens` and `file_tokens` are the card's most tokens for one image and one file.
    """
    return within(demand, ceiling(price), image_tokens=image_tokens, file_tokens=file_tokens)


def within(
    demand: Demand, top: Ceiling | Unbounded, *, image_tokens: int | None, file_tokens: int | None
) -> Decimal | Unbounded:
    """`bound` with the price's ceiling at hand."""
    if isinstance(top, Unbounded):
        return top
    if demand.max_output is None:
        return Unbounded("Neither the request nor the model's card limits the output; set max_tokens.")
    if demand.images and image_tokens is None:
        return Unbounded("The model's card does not say how many tokens an image can take; set image_tokens.")
    if demand.files and file_tokens is None:
        return Unbounded("The model's card does not say how many tokens a file can take; set file_tokens.")
    tokens_in = demand.body_bytes + demand.messages * TEMPLATE_TOKENS
    tokens_in += demand.images * (image_tokens or 0) + demand.files * (file_tokens or 0)
    tokens_out = demand.max_output * demand.choices
    total = (top.input * tokens_in + top.output * tokens_out) / _MILLION + top.request
    return total + top.image * demand.images if demand.images else total
