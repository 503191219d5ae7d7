"""A noria.toml in the making, and the list of what did not fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from pydantic import TypeAdapter, ValidationError

from noria.config.config import Config
from noria.config.mistake import mistakes_of, refusal, table
from noria.config.rules import findings
from noria.config.section import ModelId, ModelName
from noria.config.write import text_of
from noria.errors import ConfigError

_route_name: TypeAdapter[str] = TypeAdapter(ModelName)
_model_id: TypeAdapter[str] = TypeAdapter(ModelId)

NO_KEY = {
    "none",
    "null",
    "empty",
    "dummy",
    "fake",
    "fake-key",
    "anything",
    "no-key",
    "sk-none",
    "not-needed",
    "",
}
"""What people write where a server wants no key."""


class Lost(msgspec.Struct, frozen=True):
    """Something that was not carried over as it was."""

    path: str
    """Where it stands in the original: "router_settings.retry_policy"."""
    reason: str
    """Why, and what to do instead, in a sentence."""


class Converted(msgspec.Struct, frozen=True):
    """A noria.toml that loads, and what is missing in it."""

    text: str
    lost: tuple[Lost, ...]


class Draft:
    """Collects providers, models and routes; equal accounts become one provider."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.sections: dict[str, dict[str, Any]] = {}
        self.lost: list[Lost] = []

    def lose(self, path: str, reason: str) -> None:
        """Note that what stands at `path` was not carried over."""
        lost = Lost(path, reason)
        if lost not in self.lost:
            self.lost.append(lost)

    def section(self, name: str) -> dict[str, Any]:
        return self.sections.setdefault(name, {})

    def provider(self, preset: str, settings: dict[str, Any]) -> str:
        """The name of the provider with these settings, which are without `preset`."""
        providers = self.section("providers")
        for name, known in providers.items():
            if _without_preset(known) == settings and known.get("preset", name) == preset:
                return name
        name = self._free_name(preset, settings)
        providers[name] = settings if name == preset else {"preset": preset, **settings}
        return name

    def model(self, provider: str, upstream: str, **changes: Any) -> str:
        """The id of a model, with what is to be said of it."""
        model_id = f"{provider}/{upstream}"
        if not _fits(_model_id, model_id):
            model_id = f"{provider}/{re.sub(r'[^A-Za-z0-9._:/@+-]+', '-', upstream).strip('-') or 'model'}"
            changes["upstream"] = upstream
        said = {key: value for key, value in changes.items() if value is not None}
        if said:
            self.section("models").setdefault(model_id, {}).update(said)
        return model_id

    def route(self, name: str, route: dict[str, Any], *, path: str) -> None:
        """Add a route, unless its name cannot be one or it has no target."""
        if not _fits(_route_name, name):
            self.lose(path, f"{name!r} cannot be the name of a route; give it another.")
        elif route["targets"]:
            self.section("routes")[name] = route

    def secret(self, *, path: str, variable: str) -> str:
        """A reference in place of a secret that was written out, which is never carried over."""
        self.lose(path, f"A secret stands in the file; put it into the environment as {variable}.")
        return f"env:{variable}"

    def finish(self, header: str) -> Converted:
        """The text, checked to load."""
        try:
            config = Config.model_validate(self.sections)
        except ValidationError as error:
            raise refusal(mistakes_of(error, file="", lines={})) from None
        wrong = findings(config)
        if wrong:
            raise ConfigError("\n".join(f"{table(one.path[:2])}: {one.message}" for one in wrong))
        lines = [header, *(f"Not carried over: {one.path}: {one.reason}" for one in self.lost)]
        comments = "".join(f"# {line}\n" for line in lines)
        return Converted(f"{comments}\n{text_of(config)}", tuple(self.lost))

    def _free_name(self, preset: str, settings: dict[str, Any]) -> str:
        providers = self.section("providers")
        if preset not in providers:
            return preset
        host = (urlsplit(settings.get("base_url", "")).hostname or "").split(".")[0]
        host = "" if host.isdigit() else host
        place = settings.get("region") or host or settings.get("options", {}).get("location", "")
        name = f"{preset}-{place}" if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", place or "") else preset
        free, number = name, 2
        while free in providers:
            free, number = f"{name}-{number}", number + 1
        return free


def target(model: str, **settings: Any) -> str | dict[str, Any]:
    """A target as short as it can be written."""
    said = {key: value for key, value in settings.items() if value is not None}
    return {"model": model, **said} if said else model


def _without_preset(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key != "preset"}


def _fits(adapter: TypeAdapter[str], value: str) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True
