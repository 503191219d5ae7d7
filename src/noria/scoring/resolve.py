"""From a ScorerSpec to a Scorer, for built-in scorers and strangers' plugins alike."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

import msgspec

from noria import hooks
from noria.errors import ConfigError, NoriaError
from noria.scoring.calls import ENVIRONMENT, Calls
from noria.scoring.factory import whole
from noria.scoring.scorer import Described, Factory, Output, Score, Scorer, ScorerSpec

_log = logging.getLogger(__name__)
KIND = "scorer"
_CALLS = "calls"


def types() -> list[str]:
    """All that are installed."""
    return hooks.names(KIND)


def resolve(spec: ScorerSpec, *, calls: Calls | None = None) -> Scorer:
    """The scorer, whose scores bear the spec's name. Raises ConfigError for arguments that it does not take.

    `calls` is what it may call; left out: the Noria that NORIA_BASE_URL and NORIA_API_KEY name.
    A scorer that crashes gives failed scores: this is the boundary to a stranger's code.
    """
    factory, arguments = _bound(spec)
    expected = [one.name for one in described(spec)]
    given = {_CALLS: calls or ENVIRONMENT} if asks_models(spec.type) else {}
    made = factory(**arguments, **given)
    crashed: set[str] = set()

    async def judged(output: Output) -> Sequence[Score]:
        try:
            scores = await made(output)
        except NoriaError as error:
            return _failed(expected, str(error))
        except Exception as error:
            kind = type(error).__name__
            # Each kind once: the failed scores count how often.
            _log.log(
                logging.DEBUG if kind in crashed else logging.ERROR,
                "scorer %s crashed", spec.name or spec.type, exc_info=error,
            )  # fmt: skip
            crashed.add(kind)
            return _failed(expected, f"The scorer crashed with {kind}: {error}")
        found = [whole(msgspec.structs.replace(score, name=_named(spec, score.name))) for score in scores]
        told = {score.name for score in found}
        return found + _failed(
            [name for name in expected if name not in told], "The scorer said nothing of this."
        )

    return judged


def described(spec: ScorerSpec) -> list[Described]:
    """What it measures, under the spec's name. Raises ConfigError."""
    factory, arguments = _bound(spec)
    describe: Callable[..., Sequence[Described]] | None = getattr(factory, "describe", None)
    if describe is None:
        raise ConfigError(f"The scorer {spec.type!r} does not say what it measures; it needs `describe`.")
    return [msgspec.structs.replace(one, name=_named(spec, one.name)) for one in describe(**arguments)]


def asks_models(type: str) -> bool:
    """Whether scorers of this type call models."""
    return _CALLS in inspect.signature(hooks.load(KIND, type)).parameters


def parameters_of(factory: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """What a spec's arguments may be."""
    return {
        name: one
        for name, one in inspect.signature(factory).parameters.items()
        if name != _CALLS and one.kind is not inspect.Parameter.VAR_KEYWORD
    }


def _bound(spec: ScorerSpec) -> tuple[Factory, dict[str, Any]]:
    """The factory, and the arguments in the types that it declares."""
    factory: Factory = hooks.load(KIND, spec.type)
    parameters = parameters_of(factory)
    if unknown := sorted(set(spec.arguments) - set(parameters)):
        takes = ", ".join(parameters) or "nothing"
        raise ConfigError(f"The scorer {spec.type!r} does not take {', '.join(unknown)}; it takes {takes}.")
    needed = [name for name, one in parameters.items() if one.default is inspect.Parameter.empty]
    if missing := [name for name in needed if name not in spec.arguments]:
        raise ConfigError(f"The scorer {spec.type!r} needs {', '.join(missing)}.")
    hints = get_type_hints(inspect.unwrap(factory))
    arguments: dict[str, Any] = {}
    for name, value in spec.arguments.items():
        try:
            arguments[name] = msgspec.convert(value, hints.get(name, Any))
        except msgspec.ValidationError as error:
            raise ConfigError(f"`{name}` of the scorer {spec.type!r} is wrong: {error}.") from None
    return factory, arguments


def _named(spec: ScorerSpec, name: str) -> str:
    """`rouge.l` of a spec that is called "summary" is `summary.l`."""
    return spec.name + name.removeprefix(spec.type) if spec.name and name.startswith(spec.type) else name


def _failed(names: Sequence[str], reason: str) -> list[Score]:
    return [Score(name=name, failed=reason) for name in names]
