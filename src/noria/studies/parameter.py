"""What a Study may change: a number within bounds, a whole number, or one of several values."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from noria.errors import ConfigError

Value = str | int | float | bool | None
Values = dict[str, Value]
"""One value for each parameter."""


class Float(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="float"):
    """A number from `low` to `high`."""

    low: float
    high: float
    log: bool = False
    """Tried evenly on a logarithmic scale."""
    step: float | None = None


class Int(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="int"):
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int
    log: bool = False
    step: int = 1


class Choice(msgspec.Struct, frozen=True, kw_only=True, tag="choice"):
    """One of several values that have no order."""

    values: tuple[Value, ...]


Parameter = Float | Int | Choice
Parameters = dict[str, Parameter]


def check(parameters: Mapping[str, Parameter]) -> None:
    """Raises ConfigError where one cannot be searched."""
    if not parameters:
        raise ConfigError("A study needs at least one parameter to change.")
    for name, one in parameters.items():
        if isinstance(one, Choice):
            # 1, 1.0 and true are equal, also to Optuna.
            if len(set(one.values)) < len(one.values) or not one.values:
                raise ConfigError(f"The parameter {name!r} needs values that are all different.")
            continue
        if not (math.isfinite(one.low) and math.isfinite(one.high) and one.low <= one.high):
            raise ConfigError(f"The parameter {name!r} needs a lowest and a highest value, in this order.")
        if one.log and one.low <= 0:
            raise ConfigError(f"The parameter {name!r} is logarithmic: its lowest value must be above 0.")
        stepped = one.step not in (None, 1)
        if one.step is not None and one.step <= 0:
            raise ConfigError(f"The parameter {name!r} needs a step above 0.")
        if one.log and stepped:
            raise ConfigError(f"The parameter {name!r} can be logarithmic or have a step, not both.")


def combinations(parameters: Mapping[str, Parameter]) -> int | None:
    """How many there are; None: endlessly many."""
    count = 1
    for one in parameters.values():
        listed = choices(one)
        if listed is None:
            return None
        count *= len(listed)
    return count


def choices(parameter: Parameter) -> tuple[Value, ...] | range | None:
    """All values of it; None: endlessly many."""
    if isinstance(parameter, Choice):
        return parameter.values
    if isinstance(parameter, Int):
        return range(parameter.low, parameter.high + 1, parameter.step)
    if parameter.low == parameter.high:
        return (parameter.low,)
    if parameter.step is None:
        return None
    # A step of 0.1 fits 10 times into 1, though not in binary.
    steps = math.floor((parameter.high - parameter.low) / parameter.step + 1e-9)
    return tuple(parameter.low + step * parameter.step for step in range(steps + 1))
