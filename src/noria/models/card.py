"""What is known of a model before anything was measured."""

from __future__ import annotations

from typing import Literal

import msgspec

from noria.models.price import Price

Status = Literal["active", "deprecated", "retired"]
LicenceKind = Literal["permissive", "community", "proprietary", "research"]
Capability = Literal[
    "chat", "completion", "embedding", "rerank", "tools", "parallel_tools", "json_schema", "images", "files",
    "reasoning", "logprobs", "prompt_logprobs", "streaming", "prompt_cache", "seed", "n", "fine_tuning",
    "lora",
]  # fmt: skip


class Licence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The licence as it is: an SPDX id where one exists, else its own name."""

    name: str
    kind: LicenceKind
    url: str | None = None
    notes: str | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model's card. Unknown is None, never a guess. Token limits are tokens."""

    id: str
    """`family/name` of the model itself, independent of who serves it."""
    name: str
    family: str | None = None
    developer: str | None = None
    licence: Licence | None = None
    parameters: int | None = None
    active_parameters: int | None = None
    context: int | None = None
    max_output: int | None = None
    modalities_in: tuple[str, ...] = ("text",)
    modalities_out: tuple[str, ...] = ("text",)
    capabilities: tuple[Capability, ...] = ()
    embedding_dimensions: int | None = None
    architecture: str | None = None
    training: str | None = None
    """How it was trained, in a sentence or two."""
    fine_tuning: str | None = None
    """Whether and how it can be fine-tuned."""
    released: str | None = None
    knowledge_cutoff: str | None = None
    status: Status = "active"
    successor: str | None = None
    image_tokens: int | None = None
    """Most tokens that one image can count for; None: no finite bound is known."""
    file_tokens: int | None = None
    """Most tokens that one page or file can count for; None: no finite bound is known."""
    price: Price | None = None
    links: tuple[str, ...] = ()
    notes: str | None = None
