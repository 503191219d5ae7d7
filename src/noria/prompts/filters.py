"""The filters and tests that a template may use: pure, bounded, and the same as Jinja's own of that name.

`tojson` alone differs: it writes plain JSON, since a prompt is not HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import ceil, floor
from typing import Any

from noria.prompts.budget import Budget, Missing, refuse
from noria.prompts.values import (
    calculate,
    compare,
    equal,
    field,
    items_of,
    json_of,
    kind,
    known,
    number,
    text_of,
    truth,
)

Filter = Callable[..., Any]
"""(value, budget, *arguments, **named); the value may be Missing only for `default`."""

_WORD = re.compile(r"\w+")
_PLACE = re.compile(r"[0-9]{1,9}")
_TITLE = re.compile(r"([-\s({\[<]+)")


def _default(value: Any, budget: Budget, default_value: Any = "", boolean: bool = False) -> Any:
    if isinstance(value, Missing) or (boolean and not value):
        return default_value
    return value


def _text(value: Any, budget: Budget) -> str:
    text = text_of(known(value), budget)
    budget.characters(len(text))
    return text


def _upper(value: Any, budget: Budget) -> str:
    return _text(value, budget).upper()


def _lower(value: Any, budget: Budget) -> str:
    return _text(value, budget).lower()


def _capitalize(value: Any, budget: Budget) -> str:
    return _text(value, budget).capitalize()


def _title(value: Any, budget: Budget) -> str:
    parts = _TITLE.split(_text(value, budget))
    return "".join(part[0].upper() + part[1:].lower() for part in parts if part)


def _trim(value: Any, budget: Budget, chars: str | None = None) -> str:
    return _text(value, budget).strip(chars)


def _string(value: Any, budget: Budget) -> str:
    return _text(value, budget)


def _length(value: Any, budget: Budget) -> int:
    if not isinstance(known(value), str | list | dict):
        raise refuse(f"`length` is of a text, a list or a mapping, not of {kind(value)}.")
    return len(value)


def _replace(value: Any, budget: Budget, old: str, new: str, count: int | None = None) -> str:
    text, old, new = _text(value, budget), _text(old, budget), _text(new, budget)
    found = text.count(old) if count is None else min(text.count(old), max(count, 0))
    budget.characters(len(text) + found * max(len(new) - len(old), 0))
    return text.replace(old, new, -1 if count is None else count)


def _join(value: Any, budget: Budget, d: str = "", attribute: str | int | None = None) -> str:
    items = items_of(value, budget)
    if attribute is not None:
        items = [_part(item, attribute, budget) for item in items]
    texts = [text_of(known(item), budget) for item in items]
    between = text_of(d, budget)
    budget.characters(sum(map(len, texts)) + len(between) * max(len(texts) - 1, 0))
    return between.join(texts)


def _indent(
    value: Any, budget: Budget, width: int | str = 4, first: bool = False, blank: bool = False
) -> str:
    if isinstance(width, int):
        budget.characters(max(width, 0))
        width = " " * width
    text = _text(value, budget)
    lines = (text + "\n").splitlines()
    budget.characters(len(text) + len(width) * len(lines))
    if blank:
        kept = [lines[0], *(width + line for line in lines[1:])]
    else:
        kept = [lines[0], *(width + line if line else line for line in lines[1:])]
    return (width if first else "") + "\n".join(kept)


def _truncate(
    value: Any, budget: Budget, length: int = 255, killwords: bool = False, end: str = "...", leeway: int = 5
) -> str:
    text = _text(value, budget)
    if length < len(end):
        raise refuse(f"`truncate` needs a length of at least {len(end)}.")
    if leeway < 0:
        raise refuse("`truncate` needs a leeway of at least 0.")
    if len(text) <= length + leeway:
        return text
    cut = text[: length - len(end)]
    return (cut if killwords else cut.rsplit(" ", 1)[0]) + end


def _wordcount(value: Any, budget: Budget) -> int:
    return len(_WORD.findall(_text(value, budget)))


def _first(value: Any, budget: Budget) -> Any:
    items = items_of(value, budget)
    return items[0] if items else Missing("first")


def _last(value: Any, budget: Budget) -> Any:
    items = items_of(value, budget)
    return items[-1] if items else Missing("last")


def _list(value: Any, budget: Budget) -> list[Any]:
    return list(items_of(value, budget))


def _reverse(value: Any, budget: Budget) -> Any:
    if isinstance(value, str):
        return _text(value, budget)[::-1]
    return items_of(value, budget)[::-1]


def _sort(
    value: Any,
    budget: Budget,
    reverse: bool = False,
    case_sensitive: bool = False,
    attribute: str | int | None = None,
) -> list[Any]:
    items = items_of(value, budget)
    budget.step(len(items) * max(len(items).bit_length(), 1))
    keys = [_key(item, attribute, budget, case_sensitive=case_sensitive) for item in items]
    _check_order(keys)
    order = sorted(range(len(items)), key=keys.__getitem__, reverse=reverse)
    return [items[index] for index in order]


def _unique(
    value: Any, budget: Budget, case_sensitive: bool = False, attribute: str | int | None = None
) -> list[Any]:
    kept: list[Any] = []
    seen: list[Any] = []
    for item in items_of(value, budget):
        key = _key(item, attribute, budget, case_sensitive=case_sensitive)
        budget.step(len(seen))
        if not any(equal(key, other, budget) for other in seen):
            seen.append(key)
            kept.append(item)
    return kept


def _extreme(value: Any, budget: Budget, case_sensitive: bool, attribute: str | int | None, top: bool) -> Any:
    items = items_of(value, budget)
    if not items:
        return Missing("max" if top else "min")
    keys = [_key(item, attribute, budget, case_sensitive=case_sensitive) for item in items]
    _check_order(keys)
    return items[(max if top else min)(range(len(items)), key=keys.__getitem__)]


def _max(value: Any, budget: Budget, case_sensitive: bool = False, attribute: str | int | None = None) -> Any:
    return _extreme(value, budget, case_sensitive, attribute, top=True)


def _min(value: Any, budget: Budget, case_sensitive: bool = False, attribute: str | int | None = None) -> Any:
    return _extreme(value, budget, case_sensitive, attribute, top=False)


def _sum(value: Any, budget: Budget, attribute: str | int | None = None, start: float = 0) -> Any:
    total: Any = start
    for item in items_of(value, budget):
        total = calculate("+", total, item if attribute is None else _part(item, attribute, budget), budget)
    return total


def _int(value: Any, budget: Budget, default: int = 0, base: int = 10) -> Any:
    if isinstance(known(value), str):
        budget.characters(len(value))
        for read in (lambda: int(value, base), lambda: int(float(value))):
            try:
                return number(read())
            except (ValueError, OverflowError):
                continue
        return default
    return number(int(value)) if isinstance(value, int | float) else default


def _float(value: Any, budget: Budget, default: float = 0.0) -> Any:
    if not isinstance(known(value), str | int | float):
        return default
    try:
        return number(float(value))
    except (ValueError, OverflowError):
        return default


def _round(value: Any, budget: Budget, precision: int = 0, method: str = "common") -> Any:
    if not isinstance(known(value), int | float) or not -15 <= precision <= 15:
        raise refuse("`round` takes a number and a precision between -15 and 15.")
    if method == "common":
        return round(value, precision)
    if method not in ("ceil", "floor"):
        raise refuse("The method of `round` is common, ceil or floor.")
    return number((ceil if method == "ceil" else floor)(value * 10**precision) / 10**precision)


def _abs(value: Any, budget: Budget) -> Any:
    if not isinstance(known(value), int | float):
        raise refuse(f"`abs` is of a number, not of {kind(value)}.")
    return abs(value)


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(known(value), dict):
        raise refuse(f"`{name}` is of a mapping, not of {kind(value)}.")
    return value


def _items(value: Any, budget: Budget) -> list[list[Any]]:
    budget.step(len(_mapping(value, "items")))
    return [[name, inner] for name, inner in value.items()]


def _keys(value: Any, budget: Budget) -> list[str]:
    budget.step(len(_mapping(value, "keys")))
    return list(value)


def _values(value: Any, budget: Budget) -> list[Any]:
    budget.step(len(_mapping(value, "values")))
    return list(value.values())


def _dictsort(value: Any, budget: Budget) -> list[list[Any]]:
    return sorted(_items(value, budget), key=lambda pair: str(pair[0]).lower())


def _tojson(value: Any, budget: Budget, indent: int | None = None) -> str:
    return json_of(value, budget, indent or 0)


def _map(
    value: Any, budget: Budget, name: str = "", *more: Any, attribute: Any = None, default: Any = None
) -> Any:
    items = items_of(value, budget)
    if attribute is not None:
        found = [_part(item, attribute, budget, strict=default is None) for item in items]
        return [default if isinstance(one, Missing) else one for one in found]
    called = FILTERS.get(name)
    if called is None or name == "map":
        raise refuse(
            f"`map` has no filter {name!r}; it takes one of this list: {', '.join(sorted(FILTERS))}."
        )
    return [called(item, budget, *more) for item in items]


def _holds(item: Any, budget: Budget, name: str, arguments: Sequence[Any]) -> bool:
    return truth(item) if not name else test(name, item, arguments, budget)


def _select(value: Any, budget: Budget, name: str = "", *more: Any) -> list[Any]:
    return [item for item in items_of(value, budget) if _holds(item, budget, name, more)]


def _reject(value: Any, budget: Budget, name: str = "", *more: Any) -> list[Any]:
    return [item for item in items_of(value, budget) if not _holds(item, budget, name, more)]


def _selectattr(value: Any, budget: Budget, attribute: str | int, name: str = "", *more: Any) -> list[Any]:
    items = items_of(value, budget)
    return [one for one in items if _holds(_part(one, attribute, budget, strict=False), budget, name, more)]


def _rejectattr(value: Any, budget: Budget, attribute: str | int, name: str = "", *more: Any) -> list[Any]:
    items = items_of(value, budget)
    return [
        one for one in items if not _holds(_part(one, attribute, budget, strict=False), budget, name, more)
    ]


def _part(item: Any, attribute: str | int, budget: Budget, *, strict: bool = True) -> Any:
    """`attribute` may be a path, `a.b`."""
    found = item
    keys: list[str | int] = [attribute]
    if isinstance(attribute, str):
        budget.characters(len(attribute))
        keys = [int(key) if _PLACE.fullmatch(key) else key for key in attribute.split(".")]
    for key in keys:
        found = field(found, key, str(attribute))
    return known(found) if strict else found


def _key(item: Any, attribute: str | int | None, budget: Budget, *, case_sensitive: bool) -> Any:
    """By what an item is compared; its length is paid for, as often as it is in the list."""
    key = known(item) if attribute is None else _part(item, attribute, budget)
    if not isinstance(key, str):
        return key
    budget.characters(len(key))
    return key if case_sensitive else key.lower()


def _check_order(keys: list[Any]) -> None:
    numbers = all(isinstance(key, int | float) for key in keys)
    if not numbers and not all(isinstance(key, str) for key in keys):
        raise refuse("Only texts among themselves, or numbers, have an order; sort by an `attribute`.")


FILTERS: dict[str, Filter] = {
    "abs": _abs, "capitalize": _capitalize, "count": _length, "d": _default, "default": _default,
    "dictsort": _dictsort, "first": _first, "float": _float, "indent": _indent, "int": _int, "items": _items,
    "join": _join, "keys": _keys, "last": _last, "length": _length, "list": _list, "lower": _lower,
    "map": _map, "max": _max, "min": _min, "reject": _reject, "rejectattr": _rejectattr,
    "replace": _replace, "reverse": _reverse, "round": _round, "select": _select,
    "selectattr": _selectattr, "sort": _sort, "string": _string, "sum": _sum, "title": _title,
    "tojson": _tojson, "trim": _trim, "truncate": _truncate, "unique": _unique, "upper": _upper,
    "values": _values, "wordcount": _wordcount,
}  # fmt: skip


def _divisible(value: Any, by: Any) -> bool:
    if not isinstance(value, int) or not isinstance(by, int) or by == 0:
        raise refuse("`divisibleby` takes whole numbers, and not 0.")
    return value % by == 0


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise refuse(f"`odd` and `even` are of whole numbers, not of {kind(value)}.")
    return value


_TESTS: dict[str, Callable[[Any], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "even": lambda value: _whole(value) % 2 == 0,
    "false": lambda value: value is False,
    "float": lambda value: isinstance(value, float),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "iterable": lambda value: isinstance(value, list | dict | str),
    "lower": lambda value: str(value).islower(),
    "mapping": lambda value: isinstance(value, dict),
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float),
    "odd": lambda value: _whole(value) % 2 == 1,
    "sequence": lambda value: isinstance(value, list | dict | str),
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "upper": lambda value: str(value).isupper(),
}
_COMPARED: dict[str, Any] = {
    "==": "eq", "eq": "eq", "equalto": "eq", "!=": "ne", "ne": "ne", "<": "lt", "lt": "lt", "lessthan": "lt",
    "<=": "lteq", "le": "lteq", ">": "gt", "gt": "gt", "greaterthan": "gt", ">=": "gteq", "ge": "gteq",
    "in": "in",
}  # fmt: skip
TESTS = frozenset({"defined", "undefined", "divisibleby", *_TESTS, *_COMPARED})


def test(name: str, value: Any, arguments: Sequence[Any], budget: Budget) -> bool:
    """Whether `value is name(arguments)`."""
    if name in ("defined", "undefined"):
        return isinstance(value, Missing) == (name == "undefined")
    known(value)
    if name in _COMPARED and len(arguments) == 1:
        return compare(_COMPARED[name], value, arguments[0], budget)
    if name == "divisibleby" and len(arguments) == 1:
        return _divisible(value, arguments[0])
    called = _TESTS.get(name)
    if called is None or arguments:
        raise refuse(f"The test {name!r} is not offered with {len(arguments)} arguments.")
    budget.weigh(value)
    return called(value)


def apply(name: str, value: Any, arguments: Sequence[Any], named: dict[str, Any], budget: Budget) -> Any:
    """`value | name(arguments)`."""
    if name not in ("default", "d"):
        known(value)
    try:
        return FILTERS[name](value, budget, *arguments, **named)
    except (TypeError, AttributeError, ValueError, OverflowError):
        # An argument of another type or number than the filter takes, or too large for it.
        raise refuse(f"The filter {name!r} cannot be used with these arguments on {kind(value)}.") from None
