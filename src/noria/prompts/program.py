"""A compiled template: a small frozen tree that `render` walks and that a worker reads from its snapshot.

Nothing in it can call anything but the filters and tests of `filters`, and `range`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Operator = Literal["+", "-", "*", "/", "//", "%", "**", "~"]
Comparison = Literal["eq", "ne", "lt", "lteq", "gt", "gteq", "in", "notin"]


class Node(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    pass


# Expressions


class Const(Node, frozen=True, tag="c"):
    value: str | int | float | bool | None


class Var(Node, frozen=True, tag="v"):
    name: str


class Get(Node, frozen=True, tag="g"):
    """`value.key`, or `value[key]`."""

    value: Expression
    key: Expression


class Cut(Node, frozen=True, tag="s"):
    """`value[start:stop:step]`."""

    value: Expression
    start: Expression | None = None
    stop: Expression | None = None
    step: Expression | None = None


class Unary(Node, frozen=True, tag="u"):
    op: Literal["not", "-", "+"]
    value: Expression


class Binary(Node, frozen=True, tag="b"):
    op: Operator
    left: Expression
    right: Expression


class Both(Node, frozen=True, tag="a"):
    """`left and right`."""

    left: Expression
    right: Expression


class Either(Node, frozen=True, tag="o"):
    """`left or right`."""

    left: Expression
    right: Expression


class Compare(Node, frozen=True, tag="k"):
    """`first op1 second op2 third`: all must hold, each side is looked at once."""

    first: Expression
    rest: tuple[tuple[Comparison, Expression], ...]


class Choose(Node, frozen=True, tag="i"):
    """`yes if test else no`."""

    test: Expression
    yes: Expression
    no: Expression | None = None


class Items(Node, frozen=True, tag="l"):
    """A list or tuple written in the template."""

    values: tuple[Expression, ...]


class Pairs(Node, frozen=True, tag="d"):
    """A mapping written in the template."""

    values: tuple[tuple[Expression, Expression], ...]


class Range(Node, frozen=True, tag="r"):
    arguments: tuple[Expression, ...]


class Filtered(Node, frozen=True, tag="f"):
    name: str
    value: Expression
    arguments: tuple[Expression, ...] = ()
    named: dict[str, Expression] = {}


class Tested(Node, frozen=True, tag="t"):
    name: str
    value: Expression
    arguments: tuple[Expression, ...] = ()


Expression = (
    Const | Var | Get | Cut | Unary | Binary | Both | Either | Compare | Choose | Items | Pairs | Range
    | Filtered | Tested
)  # fmt: skip

# Statements


class Say(Node, frozen=True, tag="T"):
    """Text as it is."""

    text: str


class Show(Node, frozen=True, tag="O"):
    value: Expression


class If(Node, frozen=True, tag="I"):
    """The body of the first test that holds, else `otherwise`."""

    branches: tuple[tuple[Expression, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...] = ()


class For(Node, frozen=True, tag="F"):
    """`otherwise` where nothing was left to go through. Several targets unpack each value."""

    targets: tuple[str, ...]
    values: Expression
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    when: Expression | None = None
    unpack: bool = False


class Set(Node, frozen=True, tag="S"):
    targets: tuple[str, ...]
    value: Expression
    unpack: bool = False


class Capture(Node, frozen=True, tag="C"):
    """`{% set name %}…{% endset %}`."""

    target: str
    body: tuple[Statement, ...]


class Scope(Node, frozen=True, tag="W"):
    """`{% with %}`, or an included text: what is set within is not seen outside."""

    targets: tuple[tuple[str, Expression], ...]
    body: tuple[Statement, ...]


Statement = Say | Show | If | For | Set | Capture | Scope
Program = tuple[Statement, ...]
