"""Providers whose address and dialect are known, so that a name and a key suffice."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Auth = Literal["none", "bearer", "x-api-key", "api-key", "x-goog-api-key", "sigv4", "google"]


class Preset(NamedTuple):
    """What a provider of this kind has unless its section says otherwise."""

    dialect: str
    base_url: str
    """May hold `{region}`, `{location}` or `{resource}`; empty: the section must give it."""
    auth: Auth
    needs: tuple[str, ...] = ()
    """Secrets without which no call can be made."""
    options: Mapping[str, str] = MappingProxyType({})

    def url(self, parts: Mapping[str, str]) -> str:
        """`base_url` with its parts; Google's location "global" has no host of its own."""
        return self.base_url.format(**parts).replace("//global-aiplatform.", "//aiplatform.")

    def parts(self) -> list[str]:
        """What `base_url` leaves open."""
        return [part for part in ("region", "location", "resource") if f"{{{part}}}" in self.base_url]


def _compatible(base_url: str) -> Preset:
    return Preset("openai", base_url, "bearer", ("api_key",))


def _own(base_url: str) -> Preset:
    return Preset("openai", base_url, "bearer")


_NEWER_LIMIT = MappingProxyType({"max_tokens_field": "max_completion_tokens"})
"""OpenAI's newer models refuse `max_tokens`."""

_OPENAI = MappingProxyType({**_NEWER_LIMIT, "responses": "pass"})

_VERTEX = "https://{location}-aiplatform.googleapis.com/v1"

PRESETS: dict[str, Preset] = {
    "openai": Preset("openai", "https://api.openai.com/v1", "bearer", ("api_key",), _OPENAI),
    "anthropic": Preset("anthropic", "https://api.anthropic.com/v1", "x-api-key", ("api_key",)),
    "gemini": Preset(
        "gemini", "https://generativelanguage.googleapis.com/v1beta", "x-goog-api-key", ("api_key",)
    ),
    "vertex": Preset("vertex", _VERTEX, "google", ("credentials",)),
    "vertex-anthropic": Preset("vertex-anthropic", _VERTEX, "google", ("credentials",)),
    "bedrock": Preset(
        "bedrock",
        "https://bedrock-runtime.{region}.amazonaws.com",
        "sigv4",
        ("access_key", "secret_key"),
    ),
    "azure": Preset("azure", "https://{resource}.openai.azure.com", "api-key", ("api_key",), _NEWER_LIMIT),
    "cerebras": _compatible("https://api.cerebras.ai/v1"),
    "deepinfra": _compatible("https://api.deepinfra.com/v1/openai"),
    "deepseek": _compatible("https://api.deepseek.com/v1"),
    "fireworks": _compatible("https://api.fireworks.ai/inference/v1"),
    "groq": _compatible("https://api.groq.com/openai/v1"),
    "hyperbolic": _compatible("https://api.hyperbolic.xyz/v1"),
    "mistral": _compatible("https://api.mistral.ai/v1"),
    "moonshot": _compatible("https://api.moonshot.ai/v1"),
    "nebius": _compatible("https://api.studio.nebius.com/v1"),
    "openrouter": _compatible("https://openrouter.ai/api/v1"),
    "perplexity": _compatible("https://api.perplexity.ai"),
    "sambanova": _compatible("https://api.sambanova.ai/v1"),
    "together": _compatible("https://api.together.xyz/v1"),
    "xai": _compatible("https://api.x.ai/v1"),
    "llamacpp": _own("http://127.0.0.1:8080/v1"),
    "lmstudio": _own("http://127.0.0.1:1234/v1"),
    "ollama": _own("http://127.0.0.1:11434/v1"),
    "sglang": _own("http://127.0.0.1:30000/v1"),
    "vllm": _own("http://127.0.0.1:8000/v1"),
}

AUTH_OF_DIALECT: dict[str, Auth] = {
    "openai": "bearer",
    "azure": "api-key",
    "anthropic": "x-api-key",
    "gemini": "x-goog-api-key",
    "vertex": "google",
    "vertex-anthropic": "google",
    "bedrock": "sigv4",
}
"""How a dialect's requests are signed where the section does not say; a plugin's: "bearer"."""
