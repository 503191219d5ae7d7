"""A Python callable as a target: what it is given is the example's input, what it returns is the answer."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

import msgspec

from noria.core.example import Example
from noria.errors import ConfigError, UpstreamFailed
from noria.scoring.scorer import Output

_WORDS = 500
"""Characters of a failure that are kept."""


class FunctionTarget:
    """Calls `function(input)`, in a thread where it is not asynchronous. It returns a text, any JSON
    value, or a mapping with "text", "data" and "context"."""

    def __init__(self, function: Callable[..., Any], *, timeout: float) -> None:
        self._function = function
        self._timeout = timeout
        self._waits = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            type(function).__call__
        )

    async def __call__(self, example: Example, *, repeat: int, seed: int) -> Output:
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout):
                if self._waits:
                    given = await self._function(example.input)
                else:
                    given = await asyncio.to_thread(self._function, example.input)
        except TimeoutError:
            raise UpstreamFailed(f"The function did not answer within {self._timeout:g} seconds.") from None
        except SystemExit as error:
            raise UpstreamFailed(f"The function ended the program: exit({error.code}).") from None
        except Exception as error:  # Anybody's code: that it broke is this example's answer.
            raise UpstreamFailed(f"{type(error).__name__}: {error}"[:_WORDS]) from error
        return output_of(given, example, repeat=repeat, latency=time.perf_counter() - begun)


def output_of(given: Any, example: Example, *, repeat: int, latency: float) -> Output:
    """What a function or endpoint answered, as an Output. Raises UpstreamFailed where it is not JSON."""
    text, data, context = given, None, ()
    if isinstance(given, Mapping):
        fields = cast(Mapping[str, Any], given)
        known = fields.keys() <= {"text", "data", "context"} and "text" in fields
        text, data = (fields["text"], fields.get("data")) if known else (None, dict(fields))
        context = _texts(fields.get("context")) if known else ()
    elif not isinstance(given, str):
        text, data = None, given
    try:
        # Kept as JSON, so what is none, NaN among it, must not get that far.
        plain = msgspec.to_builtins(data)
        json.dumps(plain, allow_nan=False)
        shown = msgspec.json.encode(plain, order="deterministic").decode() if text is None else str(text)
        "".join((shown, *context)).encode()
        msgspec.json.encode(plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise UpstreamFailed(f"It answered what is no JSON: {error}.") from None
    return Output(example=example, text=shown, repeat=repeat, data=plain, context=context, latency=latency)


def _texts(given: Any) -> tuple[str, ...]:
    if isinstance(given, Sequence) and not isinstance(given, str):
        return tuple(str(one) for one in cast(Sequence[Any], given))
    return () if given is None else (str(given),)


def load(name: str) -> Callable[..., Any]:
    """The callable at "module:name". Raises ConfigError."""
    module, colon, attribute = name.partition(":")
    if not colon or not attribute:
        raise ConfigError(f"A function is named as module:name, which {name!r} is not.")
    try:
        found: Any = import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"The module {module!r} of the function {name!r} cannot be imported: {error}."
        ) from None
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise ConfigError(f"The module {module!r} has no {attribute!r}.")
        found = getattr(found, part)
    if not callable(found):
        raise ConfigError(f"{name} is not a function.")
    return found
