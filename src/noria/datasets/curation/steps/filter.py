"""Examples for which an expression does not hold dropped."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from noria.core.example import Example
from noria.datasets.curation.expression import Expression, parse
from noria.datasets.curation.step import Drop, Outcome, Tools, Unable, Work, each
from noria.errors import InvalidRequest


class Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keeps examples for which an expression holds, such as `metadata.year >= 2020 and "refund" in tags`."""

    where: str
    reason: str = "filtered"
    version: ClassVar[str] = "1"

    def __post_init__(self) -> None:
        try:
            parse(self.where)
        except InvalidRequest as error:
            raise ValueError(str(error)) from None

    def open(self, tools: Tools) -> Work:
        expression: Expression = parse(self.where)

        def judge(example: Example) -> Outcome:
            try:
                return example if expression.holds(example) else Drop(self.reason)
            except InvalidRequest as error:
                return Unable("cannot be compared", {"why": str(error)})

        return each(judge)
