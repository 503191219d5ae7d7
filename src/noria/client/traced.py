"""`@noria.trace`: a function's calls as OpenTelemetry spans, with arguments and result.

The spans go to whatever tracer provider is set; `noria.instrument()` makes that Noria.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Collection, Generator
from contextlib import contextmanager
from typing import Any, TypeVar, cast, overload

from noria.client.shown import LIMIT, as_text
from noria.errors import MissingExtra

try:
    from opentelemetry.trace import Span, Status, StatusCode, get_tracer, use_span
except ImportError:
    raise MissingExtra("@noria.trace", "trace") from None

RESULT = "return"
"""Among the names of `capture`: the result."""
F = TypeVar("F", bound=Callable[..., Any])


@overload
def trace(function: F, /) -> F: ...
@overload
def trace(
    *, name: str = "", operation: str = "", capture: bool | Collection[str] = True, limit: int = LIMIT
) -> Callable[[F], F]: ...
def trace(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str = "",
    operation: str = "",
    capture: bool | Collection[str] = True,
    limit: int = LIMIT,
) -> Any:
    """Make a span of every call: of functions, coroutines and generators of both kinds.

    `operation` is a `gen_ai.operation.name`, such as "execute_tool" or "invoke_agent". `capture` says what is
    kept: everything, nothing, or the arguments named, with "return" for the result; each side is cut at
    `limit` characters. Arguments whose names say that they are secrets are never kept.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        plan = _Plan(function, name=name, operation=operation, capture=capture, limit=limit)
        if inspect.isasyncgenfunction(function):
            return _async_generator(function, plan)
        if inspect.isgeneratorfunction(function):
            return _generator(function, plan)
        if inspect.iscoroutinefunction(function):
            return _coroutine(function, plan)
        return _function(function, plan)

    return decorate if function is None else decorate(function)


class _Plan:
    """What the spans of one function look like."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str,
        operation: str,
        capture: bool | Collection[str],
        limit: int,
    ) -> None:
        self._name = name or function.__name__
        self._fixed = {"code.function.name": f"{function.__module__}.{function.__qualname__}"}
        if operation:
            self._fixed["gen_ai.operation.name"] = operation
        self._signature = inspect.signature(function)
        self._named = frozenset(()) if isinstance(capture, bool) else frozenset(capture)
        self._all = capture is True
        self._limit = limit
        self.result = self._all or RESULT in self._named

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Span:
        span = get_tracer("noria.trace").start_span(self._name, attributes=self._fixed)
        if span.is_recording() and (self._all or self._named - {RESULT}):
            self._set(span, "input", self._arguments(args, kwargs))
        return span

    def end(self, span: Span, result: Any) -> None:
        if self.result and result is not None and span.is_recording():
            self._set(span, "output", result)

    def failed(self, span: Span, error: BaseException) -> None:
        if isinstance(error, Exception):
            span.record_exception(error)
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(Status(StatusCode.ERROR, str(error) or type(error).__qualname__))

    def _set(self, span: Span, side: str, value: Any) -> None:
        span.set_attribute(f"{side}.value", as_text(value, self._limit))
        span.set_attribute(
            f"{side}.mime_type", "text/plain" if isinstance(value, str) else "application/json"
        )

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            given = self._signature.bind(*args, **kwargs).arguments
        except TypeError:  # The call itself is about to say what is wrong.
            return {}
        names = [name for name in given if self._all or name in self._named]
        if names and names[0] in ("self", "cls"):
            names = names[1:]
        return {name: given[name] for name in names}


@contextmanager
def _within(span: Span) -> Generator[None]:
    with use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        yield


@contextmanager
def _whole(plan: _Plan, span: Span) -> Generator[None]:
    """Ends the span, whatever happens; a generator that nobody reads to its end has not failed."""
    try:
        yield
    except GeneratorExit:
        raise
    except BaseException as error:
        plan.failed(span, error)
        raise
    finally:
        span.end()


def _function(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    @functools.wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        span = plan.begin(args, kwargs)
        with _whole(plan, span), _within(span):
            result = function(*args, **kwargs)
            plan.end(span, result)
            return result

    return traced


def _coroutine(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    @functools.wraps(function)
    async def traced(*args: Any, **kwargs: Any) -> Any:
        span = plan.begin(args, kwargs)
        with _whole(plan, span), _within(span):
            result = await function(*args, **kwargs)
            plan.end(span, result)
            return result

    return traced


# A generator's span is open from its first step to its last, and current only while it runs: what its reader
# does between two steps belongs to the reader.


def _generator(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    @functools.wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        span = plan.begin(args, kwargs)
        said: list[Any] = []
        with _whole(plan, span):
            inner = cast(Generator[Any, Any, Any], function(*args, **kwargs))
            step: Callable[[Any], Any] = inner.send
            given: Any = None
            try:
                while True:
                    with _within(span):
                        try:
                            item = step(given)
                        except StopIteration as stop:
                            return stop.value
                    _keep(said, item, plan)
                    try:
                        given = yield item
                        step = inner.send
                    except GeneratorExit:
                        with _within(span):
                            inner.close()
                        raise
                    except BaseException as error:
                        step, given = inner.throw, error
            finally:
                plan.end(span, _joined(said))

    return traced


def _async_generator(function: Callable[..., Any], plan: _Plan) -> Callable[..., Any]:
    @functools.wraps(function)
    async def traced(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        span = plan.begin(args, kwargs)
        said: list[Any] = []
        with _whole(plan, span):
            inner = cast(AsyncGenerator[Any, Any], function(*args, **kwargs))
            step: Callable[[Any], Any] = inner.asend
            given: Any = None
            try:
                while True:
                    with _within(span):
                        try:
                            item = await step(given)
                        except StopAsyncIteration:
                            return
                    _keep(said, item, plan)
                    try:
                        given = yield item
                        step = inner.asend
                    except GeneratorExit:
                        with _within(span):
                            await inner.aclose()
                        raise
                    except BaseException as error:
                        step, given = inner.athrow, error
            finally:
                plan.end(span, _joined(said))

    return traced


_MOST = 1_000
"""Items of a generator that are kept."""


def _keep(said: list[Any], item: Any, plan: _Plan) -> None:
    if plan.result and len(said) < _MOST:
        said.append(item)


def _joined(said: list[Any]) -> Any:
    """What was yielded: a text where all of it is, else a list."""
    if not said:
        return None
    return "".join(said) if all(isinstance(item, str) for item in said) else said
