"""Values of a template are JSON values; how they are shown, compared and calculated with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import msgspec

from noria.prompts.budget import MOST, Budget, Missing, refuse
from noria.prompts.program import Comparison, Operator

_encode = msgspec.json.Encoder().encode


def known(value: Any) -> Any:
    """`value`, or the error that it is not defined."""
    if isinstance(value, Missing):
        raise value.error()
    return value


def text_of(value: Any, budget: Budget) -> str:
    """As Jinja shows it: Python's words for true, false and none, and its form of lists."""
    if isinstance(value, str):
        return value
    if isinstance(known(value), list | dict):
        budget.weigh(value)
        shown = repr(value)
    else:
        shown = str(value)
    budget.characters(len(shown))
    return shown


def json_of(value: Any, budget: Budget, indent: int = 0) -> str:
    """As JSON, with non-ASCII characters as they are."""
    budget.weigh(known(value))
    encoded = _encode(value)
    if indent > 0:
        encoded = msgspec.json.format(encoded, indent=min(indent, 8))
    elif isinstance(value, list | dict):
        encoded = msgspec.json.format(encoded, indent=0)
    text = encoded.decode()
    budget.characters(len(text))
    return text


def truth(value: Any) -> bool:
    return bool(known(value))


def kind(value: Any) -> str:
    """What people call it."""
    if value is None:
        return "none"
    for type_, name in _KINDS:
        if isinstance(value, type_):
            return name
    return type(value).__name__


_KINDS = ((bool, "a boolean"), (str, "a text"), (int, "a number"), (float, "a number"), (list, "a list"),
          (dict, "a mapping"))  # fmt: skip


def field(value: Any, key: Any, name: str) -> Any:
    """What is under `key`; a Missing called `name` where there is nothing."""
    if isinstance(known(value), dict):
        return value[key] if isinstance(key, str) and key in value else Missing(name)
    if isinstance(value, list | str):
        if isinstance(key, int):
            return value[key] if -len(value) <= key < len(value) else Missing(name)
        return Missing(name)
    raise refuse(f"{name!r} cannot be read, since what it is to be read from is {kind(value)}.")


def cut(value: Any, start: Any, stop: Any, step: Any) -> Any:
    if not isinstance(known(value), list | str):
        raise refuse(f"A part can be cut out of a text or a list, not out of {kind(value)}.")
    for bound in (start, stop, step):
        if bound is not None and not isinstance(bound, int):
            raise refuse("The bounds of `[start:stop]` must be whole numbers.")
    if step == 0:
        raise refuse("The step of `[start:stop:step]` must not be 0.")
    return value[start:stop:step]


def items_of(value: Any, budget: Budget) -> list[Any]:
    """What a loop goes through."""
    if isinstance(known(value), list):
        found = cast("list[Any]", value)
        budget.step(len(found))
    elif isinstance(value, dict | str):
        budget.step(len(value))
        found = list(value)
    else:
        raise refuse(f"A loop goes through a list, a mapping or a text, not through {kind(value)}.")
    return found


def calculate(op: Operator, left: Any, right: Any, budget: Budget) -> Any:
    left, right = known(left), known(right)
    if op == "~":
        return joined(text_of(left, budget), text_of(right, budget), budget)
    if isinstance(left, int | float) and isinstance(right, int | float):
        return _number(op, left, right)
    if op == "+":
        if isinstance(left, str) and isinstance(right, str):
            return joined(left, right, budget)
        if isinstance(left, list) and isinstance(right, list):
            return whole([*left, *right], budget)
    if op == "*":
        many, times = (right, left) if isinstance(left, int) else (left, right)
        if isinstance(many, str) and isinstance(times, int):
            budget.characters(len(many) * max(times, 0))
            return many * times
        if isinstance(many, list) and isinstance(times, int):
            budget.step((len(many) + 1) * max(times, 0))
            return whole(many * times, budget)
    raise refuse(f"`{op}` cannot be used between {kind(left)} and {kind(right)}.")


def joined(left: str, right: str, budget: Budget) -> str:
    budget.characters(len(left) + len(right))
    return left + right


def whole(value: Any, budget: Budget) -> Any:
    """A list or mapping that the template has made, paid for."""
    budget.weigh(value)
    return value


def _number(op: Operator, left: float, right: float) -> int | float:
    try:
        if op == "**":
            _check_power(left, right)
        found = _ARITHMETIC[op](left, right)
    except ZeroDivisionError:
        raise refuse("A number is divided by zero.") from None
    except OverflowError:
        found = math.inf
    return number(found)


def number(found: Any) -> int | float:
    """A result that is a number of ordinary size."""
    if isinstance(found, complex) or (isinstance(found, float) and not math.isfinite(found)):
        raise refuse("A calculation gives no finite number.")
    if isinstance(found, int) and abs(found) >= MOST:
        raise refuse("A calculation gives a number of more than 63 bits.")
    return found


def _check_power(base: float, exponent: float) -> None:
    big = isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1
    if big and exponent * math.log2(abs(base)) > 64:
        raise refuse("A calculation gives a number of more than 63 bits.")


_ARITHMETIC: dict[Operator, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "//": lambda left, right: left // right,
    "%": lambda left, right: left % right,
    "**": lambda left, right: left**right,
}


def compare(op: Comparison, left: Any, right: Any, budget: Budget) -> bool:
    left, right = known(left), known(right)
    if op in ("in", "notin"):
        return _within(left, right, budget) == (op == "in")
    if op in ("eq", "ne"):
        return equal(left, right, budget) == (op == "eq")
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    if not numbers and not (isinstance(left, str) and isinstance(right, str)):
        raise refuse(f"{kind(left)} and {kind(right)} have no order.".capitalize())
    budget.weigh(left)
    budget.weigh(right)
    return _ORDER[op](left, right)


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda left, right: left < right,
    "lteq": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "gteq": lambda left, right: left >= right,
}


def equal(left: Any, right: Any, budget: Budget) -> bool:
    budget.weigh(left)
    budget.weigh(right)
    return left == right


def _within(value: Any, container: Any, budget: Budget) -> bool:
    if isinstance(container, str):
        if not isinstance(value, str):
            raise refuse(f"`in` a text looks for a text, not for {kind(value)}.")
        budget.characters(len(container))
        return value in container
    if isinstance(container, dict):
        return isinstance(value, str) and value in container
    if isinstance(container, list):
        budget.weigh(container)
        budget.weigh(value)
        return value in container
    raise refuse(f"`in` looks into a text, a list or a mapping, not into {kind(container)}.")
