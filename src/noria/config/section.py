"""What every section of noria.toml has in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Strict, StringConstraints

T = TypeVar("T")


class Section(BaseModel):
    """A table as it is written: frozen, strict about types, and unknown keys are mistakes."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        use_attribute_docstrings=True,
        validate_default=False,
        serialize_by_alias=False,
    )


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
"""Of a provider, engine, budget or exporter: letters, digits, dot, underscore and hyphen."""

ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$", max_length=200)]
"""Of a route or model; may have slashes and colons as well."""

ModelId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9@][A-Za-z0-9._:/@+-]*$")
]
"""`provider/name`."""

Many = Annotated[tuple[T, ...], Strict(False)]
"""A TOML array."""


def _some(value: Any) -> Any:
    if isinstance(value, Sequence) and not value:
        raise ValueError("is empty, which would mean none; leave the key out where no rule is meant")
    return value


Some = Annotated[tuple[T, ...], Strict(False), BeforeValidator(_some)]
"""A TOML array that is not empty: an empty list never means "all"."""
