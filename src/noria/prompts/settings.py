"""Settings of a technique by name, such as `examples.k`: what a search may change without another version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from noria.errors import InvalidRequest
from noria.prompts.technique import MOST_EXAMPLES, MOST_SAMPLES, Reasoning, Technique, technique_of, written

EXAMPLES = ("choose", "k", "dataset", "split", "seed", "embedder", "field", "balance")
SAMPLES = ("n", "temperature")
SETTINGS = (*(f"examples.{one}" for one in EXAMPLES), *(f"samples.{one}" for one in SAMPLES), "reasoning")
"""`examples.k` of 0 is zero-shot, `samples.n` of 1 is one answer, `reasoning` is true or false."""


def with_settings(technique: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The technique with these settings in place of its own. Raises InvalidRequest where that makes none."""
    for name in settings:
        if name not in SETTINGS:
            raise InvalidRequest(
                f"There is no setting {name!r}; there are {', '.join(SETTINGS)}.", param="technique"
            )
    out = dict(technique)
    said = {name: settings[f"examples.{name}"] for name in EXAMPLES if f"examples.{name}" in settings}
    if said:
        out["examples"] = _examples(out.get("examples", {}), said)
        if out["examples"] is None:
            del out["examples"]
    said = {name: settings[f"samples.{name}"] for name in SAMPLES if f"samples.{name}" in settings}
    if said:
        _whole("samples.n", said.get("n", 1), MOST_SAMPLES)
        out["samples"] = {**out.get("samples", {}), **said}
        if said.get("n") == 1:
            del out["samples"]
    if "reasoning" in settings:
        if not isinstance(settings["reasoning"], bool):
            raise InvalidRequest("`reasoning` is set to true or false.", param="technique")
        own = out.pop("reasoning", None)
        if settings["reasoning"]:
            default = written(Technique(reasoning=Reasoning()))["reasoning"]
            out["reasoning"] = default if own is None else own
    return written(technique_of(out))


def _examples(own: Mapping[str, Any], said: dict[str, Any]) -> dict[str, Any] | None:
    """None: none are shown."""
    _whole("examples.k", said.get("k", 0), MOST_EXAMPLES)
    if said.get("k") == 0:
        return None
    out = {**own, **said}
    if "dataset" in said:
        out.pop("digest", None)  # It is of the dataset before.
    if out.get("choose", "fixed") != "fixed":
        out.pop("given", None)
        out.pop("ids", None)
    elif "k" in said:
        for name in ("given", "ids"):
            if len(out.get(name, ())) < said["k"] and out.get(name):
                raise InvalidRequest(
                    f"The prompt has only {len(out[name])} fixed examples, and {said['k']} are asked for.",
                    param="technique",
                )
            if name in out:
                out[name] = out[name][: said["k"]]
    return out


def _whole(name: str, value: Any, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise InvalidRequest(f"`{name}` must be a whole number of at most {most}.", param="technique")
