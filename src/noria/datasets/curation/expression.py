"""Conditions on an example in a small part of Python's syntax; nothing of Python itself can be reached.

    metadata.year >= 2020 and ("refund" in tags or len(input.question) > 20) and expected is not None

Names are the example's fields; a dot and a [key] look up a value, which is None where there is none.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from noria.core.example import Example
from noria.datasets.curation.fields import text_of
from noria.errors import InvalidRequest

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.eq, ast.IsNot: operator.ne,
    ast.In: lambda one, many: one in many, ast.NotIn: lambda one, many: one not in many,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "len": len,
    "lower": lambda text: text.lower(),
    "words": lambda text: len(text.split()),
}
_LONGEST = 2_000
_NAMES = (*Example.__struct_fields__, "text")


class Expression:
    """A parsed condition."""

    def __init__(self, tree: ast.expr, source: str) -> None:
        self._tree = tree
        self.source = source

    def holds(self, example: Example) -> bool:
        """Raises InvalidRequest where values cannot be compared."""
        try:
            return bool(_value(self._tree, example))
        except (TypeError, AttributeError) as error:
            raise InvalidRequest(f"`{self.source}` cannot be answered: {error}.") from None


def parse(source: str) -> Expression:
    """Raises InvalidRequest that says what is not understood."""
    if len(source) > _LONGEST:
        raise InvalidRequest(f"An expression may have {_LONGEST:,} characters; make it a `map` function.")
    try:
        tree = ast.parse(source.strip(), mode="eval").body
        _check(tree)
    except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
        raise InvalidRequest(f"`{source}` is no expression ({error}).") from None
    return Expression(tree, source)


def _check(node: ast.expr) -> None:
    match node:
        case ast.BoolOp(values=values):
            parts = values
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            parts = [operand]
        case ast.Compare(left=left, comparators=right):
            parts = [left, *right]
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            parts = [argument]
        case ast.Attribute(value=value):
            parts = [value]
        case ast.Subscript(value=value, slice=ast.Constant(value=str() | int())):
            parts = [value]
        case ast.Subscript(value=value, slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int()))):
            parts = [value]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            pass
        case ast.Constant(value=str() | int() | float() | None):
            parts = []
        case ast.Name(id=name) if name in _NAMES:
            parts = []
        case ast.Name(id=name):
            raise ValueError(f"`{name}` is none of {', '.join(_NAMES)}")
        case _:
            raise ValueError(f"`{ast.unparse(node)}` is not offered here")
    for part in parts:
        _check(part)


def _value(node: ast.expr, example: Example) -> Any:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_value(part, example) for part in values)
        case ast.BoolOp(values=values):
            return any(_value(part, example) for part in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, example)
        case ast.UnaryOp(operand=operand):
            return -_value(operand, example)
        case ast.Compare(left=left, ops=ops, comparators=right):
            one = _value(left, example)
            for compare, other in zip(ops, right, strict=True):
                second = _value(other, example)
                if not _COMPARE[type(compare)](one, second):
                    return False
                one = second
            return True
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return _FUNCTIONS[name](_value(argument, example))
        case ast.Attribute(value=value, attr=name):
            return _look(_value(value, example), name)
        case ast.Subscript(value=value, slice=key):
            return _look(_value(value, example), _value(key, example))
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_value(part, example) for part in parts]
        case ast.Constant(value=value):
            return value
        case ast.Name(id="text"):
            return text_of(example)
        case ast.Name(id=name):
            return getattr(example, name)
        case _:
            raise AssertionError("checked before")


def _look(holder: Any, key: Any) -> Any:
    if isinstance(holder, dict):
        return holder.get(key)
    if isinstance(holder, list | tuple) and isinstance(key, int) and -len(holder) <= key < len(holder):
        return holder[key]
    return None
