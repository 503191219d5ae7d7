"""A call that names a prompt: which version serves it, and its body with the rendered messages.

    "model": "prompt/support"               the label `production`, with the model that the version names
    "model": "prompt/support@staging"       another label, or the number of a version that has one
    "noria": {"prompt": "support", …}       with a model of the caller's
    "prompt": {"id": "support", …}          of the Responses API

Variables are in `noria.variables` (of the Responses API in `prompt.variables`); the caller's own messages
follow the prompt's. The version is settled here, so that a call in flight ends on the one it began with.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import unquote

import msgspec

from noria.access.key import Key
from noria.errors import Forbidden, InvalidRequest, NotFound, Unavailable, Unsupported
from noria.gateway.ask import Context, Fields, encode
from noria.gateway.compiled import World
from noria.gateway.prompt_bodies import BODIES
from noria.prompts.compiled import CompiledPrompt, turns
from noria.prompts.pool import Pool
from noria.prompts.reference import DEFAULT_LABEL, LATEST, Reference, parse_reference
from noria.prompts.technique import Shot
from noria.tracing.record import Prompted

PREFIX = "prompt/"
PROMPTS = b"/v1/prompts/"
"""GET of `/v1/prompts/name@label`: the compiled version, for the SDK."""
Embed = Callable[[str, str], Awaitable[Sequence[float]]]
"""(model, text): the vector, by an ordinary call in the caller's name."""
Pools = Callable[[str], Pool]
"""The pool of a name. Raises StateError."""


class Asked(msgspec.Struct, frozen=True):
    """The version that serves a call, and what it is given."""

    prompt: CompiledPrompt
    label: str
    """"" where it was asked for by number."""
    variables: dict[str, Any]
    own: bool
    """Whether the caller left the choice of the model to the prompt."""

    @property
    def record(self) -> Prompted:
        return Prompted(self.prompt.name, self.prompt.number, self.label, self.prompt.digest)

    def model(self, named: str) -> str:
        """The route to call. Raises InvalidRequest where nobody names one."""
        found = self.prompt.model if self.own else named
        if not found:
            raise InvalidRequest(
                f"The prompt {self.prompt.name!r} names no model; send `model`, and the prompt as "
                "`noria.prompt`.",
                param="model",
            )
        return found


class _Stored(msgspec.Struct, frozen=True):
    """The Responses API's own `prompt`; OpenAI's variables may be objects, ours any JSON."""

    id: str
    version: str | None = None
    variables: dict[str, Any] | None = None


_stored = msgspec.json.Decoder(_Stored)


def asked(
    world: World, project: str, *, front: str, fields: Fields, model: str, context: Context
) -> Asked | None:
    """None: no prompt of ours is named. Raises NotFound, InvalidRequest and Unsupported."""
    variables = context.variables
    if model.startswith(PREFIX):
        reference = parse_reference(model.removeprefix(PREFIX))
        if context.prompt:
            raise InvalidRequest(
                "Name the prompt as `model` or as `noria.prompt`, not as both.", param="model"
            )
    elif context.prompt:
        reference = parse_reference(context.prompt)
    else:
        raw = fields.get("prompt") if front == "responses" else None
        stored = None if raw is None else _ours(world, project, raw)
        if stored is None:
            return None
        reference, variables = stored
    if front not in BODIES:
        raise Unsupported(f"A prompt cannot be used with {front}; call a chat API.", param="model")
    found = _version(world, project, reference)
    label = reference.at if not reference.number else ""
    own = model.startswith(PREFIX) or not model
    return Asked(found, label, variables, own)


def fetched(world: World, key: Key, path: bytes) -> bytes:
    """The answer to GET `path`. Raises NotFound, InvalidRequest and Forbidden."""
    reference = parse_reference(unquote(path[len(PROMPTS) :].decode("latin-1")))
    found = _version(world, key.project, reference)
    check_prompt(key, found)
    return encode(Fetched(label="" if reference.number else reference.at, prompt=found))


def callable_prompts(world: World, key: Key) -> dict[str, str]:
    """Name of each label that `key` may call as a model, and the route that answers; for GET /v1/models."""
    found: dict[str, str] = {}
    for name, prompt in world.live.prompts.get(key.project, {}).items():
        for label, number in prompt.labels.items():
            version = prompt.versions.get(number)
            if version is None or version.unusable or version.steps or version.model not in world.routes:
                continue
            if _may(key, version):
                at = "" if label == DEFAULT_LABEL else f"@{label}"
                found[f"{PREFIX}{name}{at}"] = version.model
    return found


def check_prompt(key: Key, prompt: CompiledPrompt) -> None:
    """Raises Forbidden where the key's scope holds neither the prompt nor the model that it was written for:
    who calls with a prompt can have its words repeated."""
    if not _may(key, prompt):
        raise Forbidden(
            f"This key may not use the prompt {prompt.name!r}; its owner can add {PREFIX + prompt.name!r} to "
            "its scope."
        )


def _may(key: Key, prompt: CompiledPrompt) -> bool:
    return not {"*", f"{PREFIX}{prompt.name}", prompt.model}.isdisjoint(key.routes)


class Fetched(msgspec.Struct, frozen=True):
    """What the SDK is given."""

    label: str
    prompt: CompiledPrompt


def _ours(world: World, project: str, raw: msgspec.Raw) -> tuple[Reference, dict[str, Any]] | None:
    """None: the stored prompt is the provider's own, and goes there as it is."""
    try:
        stored = _stored.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    name, mark, _ = stored.id.partition("@")
    if name not in world.live.prompts.get(project, {}):
        return None
    text = stored.id if mark or stored.version is None else f"{name}@{stored.version}"
    return parse_reference(text), stored.variables or {}


def _version(world: World, project: str, reference: Reference) -> CompiledPrompt:
    prompt = world.live.prompts.get(project, {}).get(reference.name)
    if prompt is None:
        raise NotFound(
            f"There is no prompt {reference.name!r} with a label in this project; give a version one with "
            f"`noria prompt label`.",
            code="prompt_not_found",
            param="model",
        )
    number = reference.number or prompt.labels.get(reference.at, 0)
    found = prompt.versions.get(number)
    if found is None:
        labels = ", ".join(f"{name} ({one})" for name, one in sorted(prompt.labels.items()))
        what = f"version {number}" if number else f"label {reference.at!r}"
        why = "The gateway serves versions that have a label" if number or reference.at == LATEST else "There"
        are = "; there are" if why != "There" else " are"
        raise NotFound(
            f"The prompt {reference.name!r} has no {what} to serve. {why}{are} {labels}.",
            code="prompt_not_found",
            param="model",
        )
    if found.unusable:
        raise Unavailable(found.unusable)
    return found


async def prompted(
    found: Asked, *, front: str, fields: Fields, model: str, embed: Embed, pools: Pools
) -> Fields:
    """The body's fields with the rendered messages before the caller's own.

    Raises InvalidRequest for variables and templates, and Unsupported for what takes several calls.
    """
    prompt = found.prompt
    if prompt.steps:
        raise Unsupported(
            f"The prompt {prompt.name!r} asks in several steps, which takes several calls; run it with "
            "`client.prompt(…).chat(…)` or in an evaluation.",
            param="model",
        )
    shots = await chosen(prompt, found.variables, embed=embed, pools=pools)
    said = turns(prompt, found.variables, shots=shots)
    return {**BODIES[front](fields, said, prompt), "model": msgspec.Raw(encode(model))}


async def chosen(
    prompt: CompiledPrompt, variables: dict[str, Any], *, embed: Embed, pools: Pools
) -> Sequence[Shot]:
    """The examples of this call."""
    shots = prompt.technique.examples
    if shots is None or not prompt.pool:
        return prompt.shots
    pool = pools(prompt.pool)
    vector = await embed(shots.embedder, pool.query(shots, variables))
    return pool.choose(vector, shots)
