"""Refusing what a back cannot express, in one wording."""

from __future__ import annotations

from collections.abc import Iterable

from noria.core.messages import Request
from noria.errors import Unsupported

_NEUTRAL: dict[str, tuple[object, ...]] = {
    "parallel_tool_calls": (True,),
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "min_p": (0,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "service_tier": ("auto", "default"),
}
"""Values that ask for what every model does anyway, so that leaving them out changes nothing."""


def unsupported(dialect: str, what: str, param: str) -> Unsupported:
    """The refusal of `what`, which `param` asked for."""
    return Unsupported(
        f"{dialect} cannot express {what}; leave it out, or choose a target of another dialect.", param=param
    )


def refuse(request: Request, *, dialect: str, fields: Iterable[str]) -> None:
    """Raise Unsupported for the first of `fields` that is set to more than a neutral value, or for an extra.

    `model` and `stream` are in the path; `include_usage`, `user`, `metadata` and `store` are kept by Noria
    itself, which records them on the span, so that no back needs to carry them; `notes` ask nothing.
    """
    for name in fields:
        value: object = getattr(request, name)
        if value is not None and value != () and value not in _NEUTRAL.get(name, ()):
            raise unsupported(dialect, name, name)
    for name in request.extra:
        raise unsupported(dialect, name, name)
